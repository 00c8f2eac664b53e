/*
 * Two tensors of one shape: are they the same, and if not, by how much do they differ?
 *
 * Most tensors of two versions are the same, or differ from their first numbers on.  So bytes are
 * compared first, which costs no more than reading them, and only what differs is read again as
 * numbers, from its beginning.
 */
#include "lib/tensor/tensordiff_compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/tensor/tensor_data.h"
#include "lib/tensor/tensornorm.h"

/* A tensor whose indices run in another order than the other one's is held in memory as a whole, up
 * to this size. */
#define REORDER_MAX ((uint64_t)1 << 30)

int tensordiff_compare_init(struct tensordiff_compare *c, struct tensor_file *old,
	struct tensor_file *now, const volatile int *stop)
{
	*c = (struct tensordiff_compare){.old = old, .now = now, .stop = stop};
	c->buf_old = malloc(TENSORDIFF_PIECE);
	c->buf_now = malloc(TENSORDIFF_PIECE);
	return c->buf_old && c->buf_now ? 0 : err_no_memory();
}

void tensordiff_compare_release(struct tensordiff_compare *c)
{
	free(c->buf_old);
	free(c->buf_now);
}

int tensordiff_compare_stopped(const struct tensordiff_compare *c)
{
	return c->stop && *c->stop ? err_set(ERR_INTERRUPTED, "interrupted") : 0;
}

static int open_both(struct tensordiff_compare *c, struct tensor_data *a, const struct tensor *old,
	struct tensor_data *b, const struct tensor *now)
{
	int rc = tensor_data_open(a, c->old, old);

	return rc == 0 ? tensor_data_open(b, c->now, now) : rc;
}

int tensordiff_compare_bytes(
	struct tensordiff_compare *c, const struct tensor *old, const struct tensor *now)
{
	struct tensor_data a, b;
	int rc;

	if (old->bytes != now->bytes)
		return 0;
	rc = open_both(c, &a, old, &b, now);
	while (rc == 0 && tensor_data_left(&a) > 0) {
		size_t n = tensor_data_left(&a) < TENSORDIFF_PIECE ? tensor_data_left(&a)
								   : TENSORDIFF_PIECE;

		rc = tensordiff_compare_stopped(c);
		if (rc == 0)
			rc = tensor_data_next(&a, c->buf_old, n);
		if (rc == 0)
			rc = tensor_data_next(&b, c->buf_now, n);
		if (rc == 0 && memcmp(c->buf_old, c->buf_now, n) != 0)
			return 0;
	}
	return rc < 0 ? rc : 1;
}

/* How many elements of `unit` bytes come next: what is left of `d`, or as many as the buffers hold
 * of either type. */
static size_t next_elements(const struct tensornorm *s, const struct tensor_data *d, size_t unit)
{
	size_t wide = s->old.unit > s->now.unit ? s->old.unit : s->now.unit;
	size_t most = TENSORDIFF_PIECE / wide;
	uint64_t left = tensor_data_left(d) / unit;

	return left < most ? (size_t)left : most;
}

/* --- in the same order ------------------------------------------------------------------------ */

static int add_pieces(struct tensordiff_compare *c, struct tensornorm *s, struct tensor_data *a,
	struct tensor_data *b)
{
	int rc = 0;

	while (rc == 0 && tensor_data_left(a) > 0) {
		size_t n = next_elements(s, a, s->old.unit);

		rc = tensordiff_compare_stopped(c);
		if (rc == 0)
			rc = tensor_data_next(a, c->buf_old, n * s->old.unit);
		if (rc == 0)
			rc = tensor_data_next(b, c->buf_now, n * s->now.unit);
		if (rc == 0)
			tensornorm_add(s, c->buf_old, c->buf_now, n);
	}
	return rc;
}

/* --- in another order ------------------------------------------------------------------------ */

/* Walks the elements of a tensor in the order in which another one, whose indices run the other
 * way round, has them. */
struct reorder {
	unsigned n_dims;
	uint64_t shape[TENSOR_DIMS_MAX], index[TENSOR_DIMS_MAX]; /* the other's slowest first */
	uint64_t stride[TENSOR_DIMS_MAX];			 /* in elements of ours */
	uint64_t at;
};

/* The other's slowest index is our fastest. */
static void reorder_init(struct reorder *r, const struct tensor *x, int other_is_fortran)
{
	uint64_t stride = 1;

	*r = (struct reorder){.n_dims = x->n_dims};
	for (unsigned i = 0; i < x->n_dims; i++) {
		r->shape[i] = x->shape[other_is_fortran ? x->n_dims - 1 - i : i];
		r->stride[i] = stride;
		stride *= r->shape[i];
	}
}

static void reorder_next(struct reorder *r)
{
	for (unsigned i = r->n_dims; i-- > 0;) {
		r->at += r->stride[i];
		if (++r->index[i] < r->shape[i])
			return;
		r->at -= r->stride[i] * r->shape[i];
		r->index[i] = 0;
	}
}

static int add_reordered(struct tensordiff_compare *c, struct tensornorm *s, struct reorder *r,
	const uint8_t *old, struct tensor_data *b)
{
	size_t size = s->old.unit;
	int rc = 0;

	while (rc == 0 && tensor_data_left(b) > 0) {
		size_t n = next_elements(s, b, s->now.unit);

		rc = tensordiff_compare_stopped(c);
		if (rc == 0)
			rc = tensor_data_next(b, c->buf_now, n * s->now.unit);
		for (size_t i = 0; rc == 0 && i < n; i++, reorder_next(r))
			memcpy(c->buf_old + i * size, old + r->at * size, size);
		if (rc == 0)
			tensornorm_add(s, c->buf_old, c->buf_now, n);
	}
	return rc;
}

static int add_all_reordered(struct tensordiff_compare *c, struct tensornorm *s,
	struct tensor_data *a, struct tensor_data *b, const struct tensor *now)
{
	struct reorder r;
	uint8_t *old = malloc(a->size ? a->size : 1);
	int rc = old ? tensor_data_next(a, old, a->size) : err_no_memory();

	reorder_init(&r, now, b->place->fortran);
	if (rc == 0)
		rc = add_reordered(c, s, &r, old, b);
	free(old);
	return rc;
}

/* --- both ------------------------------------------------------------------------------------- */

static void take(struct tensordiff_change *x, const struct tensornorm *s, int has_norms)
{
	x->elements_changed = s->changed;
	x->has_norms = has_norms;
	if (!has_norms)
		return;
	x->norm_old = (double)sqrtl(s->squares_old);
	x->norm_now = (double)sqrtl(s->squares_now);
	x->norm_diff = (double)sqrtl(s->squares_diff);
	x->max_diff = s->max_diff;
	x->odd_old = s->odd_old;
	x->odd_now = s->odd_now;
}

int tensordiff_compare_values(struct tensordiff_compare *c, struct tensordiff_change *x)
{
	const struct tensor_place *old = tensor_place(c->old, x->old);
	const struct tensor_place *now = tensor_place(c->now, x->now);
	struct tensornorm s;
	struct tensor_data a, b;
	int has_norms = tensornorm_init(&s, &old->type, &now->type), rc;

	/* Python objects, blocks larger than a piece: no elements to look at */
	if (!has_norms && (old->type.unit == 0 || old->type.unit > TENSORDIFF_PIECE))
		return 0;
	if (old->fortran != now->fortran && x->old->bytes > REORDER_MAX)
		return 0;
	rc = open_both(c, &a, x->old, &b, x->now);
	if (rc == 0 && old->fortran != now->fortran)
		rc = add_all_reordered(c, &s, &a, &b, x->now);
	else if (rc == 0)
		rc = add_pieces(c, &s, &a, &b);
	if (rc == 0)
		take(x, &s, has_norms);
	return rc;
}
