/*
 * Two model files: their sorted lists of tensors are merged; what both have is compared by
 * tensordiff_compare.c; what only one has may be the same data by another name.
 */
#include "lib/tensor/tensordiff.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/tensor/tensordiff_compare.h"

struct run {
	struct tensordiff *out;
	struct tensordiff_compare compare;
	size_t cap, meta_cap;
};

static int note(struct run *r, const struct tensordiff_change *x)
{
	if (array_room(&r->out->v, r->out->n, &r->cap, sizeof(*r->out->v)) < 0)
		return ERR_NOMEM;
	r->out->v[r->out->n++] = *x;
	return 0;
}

/* --- tensors of one name ------------------------------------------------------------------------
 */

static int same_shape(const struct tensor *a, const struct tensor *b)
{
	return a->n_dims == b->n_dims &&
	       memcmp(a->shape, b->shape, a->n_dims * sizeof(*a->shape)) == 0;
}

/* The same numbers, in whatever byte order; what is no number goes by its name. */
static int same_type(const struct run *r, const struct tensor *old, const struct tensor *now)
{
	const struct tensor_type *a = &tensor_place(r->compare.old, old)->type;
	const struct tensor_type *b = &tensor_place(r->compare.now, now)->type;

	return a->kind == b->kind &&
	       (a->kind != TENSOR_BYTES || strcmp(old->dtype, now->dtype) == 0);
}

/* The same bytes mean the same. */
static int same_layout(const struct run *r, const struct tensor *old, const struct tensor *now)
{
	const struct tensor_place *a = tensor_place(r->compare.old, old);
	const struct tensor_place *b = tensor_place(r->compare.now, now);

	return a->fortran == b->fortran && a->type.swapped == b->type.swapped;
}

static int both_numbers(const struct run *r, const struct tensor *old, const struct tensor *now)
{
	return tensor_place(r->compare.old, old)->type.kind != TENSOR_BYTES &&
	       tensor_place(r->compare.now, now)->type.kind != TENSOR_BYTES;
}

static int compare(struct run *r, const struct tensor *old, const struct tensor *now)
{
	struct tensordiff_change x = {TENSORDIFF_CHANGED, .old = old, .now = now};
	int rc = 0;

	if (!same_shape(old, now) || !same_type(r, old, now)) {
		x.kind = TENSORDIFF_RESHAPED;
		if (same_shape(old, now) && both_numbers(r, old, now))
			rc = tensordiff_compare_values(&r->compare, &x);
		return rc == 0 ? note(r, &x) : rc;
	}
	if (same_layout(r, old, now)) {
		rc = tensordiff_compare_bytes(&r->compare, old, now);
		r->out->same += rc == 1;
		if (rc != 0)
			return rc < 0 ? rc : 0;
	}
	rc = tensordiff_compare_values(&r->compare, &x);
	if (rc < 0)
		return rc;
	if (!same_layout(r, old, now) && x.has_norms && x.elements_changed == 0) {
		r->out->same++; /* the same numbers, stored in another order */
		return 0;
	}
	return note(r, &x);
}

static int compare_all(struct run *r)
{
	size_t n_old, n_now, i = 0, k = 0;
	const struct tensor *old = tensor_list(r->compare.old, &n_old);
	const struct tensor *now = tensor_list(r->compare.now, &n_now);
	int rc = 0;

	while (rc == 0 && (i < n_old || k < n_now)) {
		int order = i == n_old ? 1 : k == n_now ? -1 : strcmp(old[i].name, now[k].name);

		if (order == 0)
			rc = compare(r, &old[i++], &now[k++]);
		else if (order < 0)
			rc = note(r,
				&(struct tensordiff_change){TENSORDIFF_REMOVED, .old = &old[i++]});
		else
			rc = note(
				r, &(struct tensordiff_change){TENSORDIFF_ADDED, .now = &now[k++]});
	}
	return rc;
}

/* --- renamed ------------------------------------------------------------------------------------
 */

/* A tensor that only one side has. */
struct single {
	const struct tensor *x;
	size_t at; /* in the changes */
	int is_now, hashed;
	uint64_t hash[2];
};

/* Those that may be the same come together, the old ones first. */
static int by_shape(const void *a, const void *b)
{
	const struct single *x = a, *y = b;
	int order = x->x->bytes != y->x->bytes ? (x->x->bytes < y->x->bytes ? -1 : 1) : 0;

	if (order == 0)
		order = (int)x->x->n_dims - (int)y->x->n_dims;
	if (order == 0)
		order = memcmp(x->x->shape, y->x->shape, x->x->n_dims * sizeof(*x->x->shape));
	if (order == 0)
		order = strcmp(x->x->dtype, y->x->dtype);
	return order;
}

static int by_shape_and_hash(const void *a, const void *b)
{
	const struct single *x = a, *y = b;
	int order = by_shape(a, b);

	for (size_t i = 0; order == 0 && i < 2; i++)
		order = x->hash[i] != y->hash[i] ? (x->hash[i] < y->hash[i] ? -1 : 1) : 0;
	if (order == 0)
		order = x->is_now - y->is_now;
	return order ? order : strcmp(x->x->name, y->x->name);
}

/* Hash the groups of one shape that both sides have a tensor in. */
static int hash_groups(struct run *r, struct single *v, size_t n)
{
	int rc = 0;

	for (size_t i = 0, end; rc == 0 && i < n; i = end) {
		int sides = 0;

		for (end = i; end < n && by_shape(&v[i], &v[end]) == 0; end++)
			sides |= v[end].is_now ? 2 : 1;
		for (size_t k = i; rc == 0 && sides == 3 && k < end; k++) {
			v[k].hashed = 1;
			rc = tensordiff_compare_stopped(&r->compare);
			if (rc == 0)
				rc = tensor_hash(v[k].hash,
					v[k].is_now ? r->compare.now : r->compare.old, v[k].x);
		}
	}
	return rc;
}

/* Pair each old tensor with a new one of its hash; the bytes have the last word. */
static int pair(struct run *r, struct single *v, size_t n)
{
	for (size_t i = 0, k = 0; i < n; i++) {
		int rc;

		if (v[i].is_now || !v[i].hashed)
			continue;
		k = k > i ? k : i + 1;
		while (k < n && !v[k].is_now && memcmp(v[k].hash, v[i].hash, sizeof v[i].hash) == 0)
			k++;
		if (k == n || !v[k].is_now || !v[k].hashed || by_shape(&v[i], &v[k]) != 0 ||
			memcmp(v[k].hash, v[i].hash, sizeof v[i].hash) != 0 ||
			!same_layout(r, v[i].x, v[k].x))
			continue;
		rc = tensordiff_compare_bytes(&r->compare, v[i].x, v[k].x);
		if (rc < 0)
			return rc;
		if (rc == 1) {
			r->out->v[v[i].at].kind = TENSORDIFF_KINDS; /* goes */
			r->out->v[v[k].at].kind = TENSORDIFF_RENAMED;
			r->out->v[v[k].at].old = v[i].x;
		}
		k++;
	}
	return 0;
}

static void drop_paired(struct tensordiff *out)
{
	size_t kept = 0;

	for (size_t i = 0; i < out->n; i++)
		if (out->v[i].kind != TENSORDIFF_KINDS)
			out->v[kept++] = out->v[i];
	out->n = kept;
}

static int find_renamed(struct run *r)
{
	struct single *v = calloc(r->out->n ? r->out->n : 1, sizeof(*v));
	size_t n = 0;
	int rc = v ? 0 : err_no_memory();

	for (size_t i = 0; rc == 0 && i < r->out->n; i++) {
		const struct tensordiff_change *x = &r->out->v[i];

		/* without data all are alike */
		if (!x->old && x->now->bytes > 0)
			v[n++] = (struct single){.x = x->now, .at = i, .is_now = 1};
		else if (!x->now && x->old->bytes > 0)
			v[n++] = (struct single){.x = x->old, .at = i};
	}
	if (rc == 0 && n > 1) {
		qsort(v, n, sizeof(*v), by_shape);
		rc = hash_groups(r, v, n);
		qsort(v, n, sizeof(*v), by_shape_and_hash);
		if (rc == 0)
			rc = pair(r, v, n);
		drop_paired(r->out);
	}
	free(v);
	return rc;
}

/* --- metadata -----------------------------------------------------------------------------------
 */

static int note_meta(struct run *r, const struct tensor_meta *old, const struct tensor_meta *now)
{
	if (old && now && strcmp(old->value, now->value) == 0)
		return 0;
	if (array_room(&r->out->meta, r->out->n_meta, &r->meta_cap, sizeof(*r->out->meta)) < 0)
		return ERR_NOMEM;
	r->out->meta[r->out->n_meta++] = (struct tensordiff_meta){
		old ? old->key : now->key, old ? old->value : NULL, now ? now->value : NULL};
	return 0;
}

static int compare_metadata(struct run *r)
{
	size_t n_old, n_now, i = 0, k = 0;
	const struct tensor_meta *old = tensor_metadata(r->compare.old, &n_old);
	const struct tensor_meta *now = tensor_metadata(r->compare.now, &n_now);
	int rc = 0;

	while (rc == 0 && (i < n_old || k < n_now)) {
		int order = i == n_old ? 1 : k == n_now ? -1 : strcmp(old[i].key, now[k].key);

		rc = note_meta(r, order <= 0 ? &old[i] : NULL, order >= 0 ? &now[k] : NULL);
		i += order <= 0;
		k += order >= 0;
	}
	return rc;
}

/* --- all ----------------------------------------------------------------------------------------
 */

static int by_kind(const void *a, const void *b)
{
	const struct tensordiff_change *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return strcmp((x->now ? x->now : x->old)->name, (y->now ? y->now : y->old)->name);
}

int tensordiff_run(struct tensordiff *out, struct tensor_file *old, struct tensor_file *now,
	const volatile int *stop)
{
	struct run r = {.out = out};
	int rc;

	*out = (struct tensordiff){.v = NULL};
	rc = tensordiff_compare_init(&r.compare, old, now, stop);
	if (rc == 0)
		rc = compare_all(&r);
	if (rc == 0)
		rc = find_renamed(&r);
	if (rc == 0)
		rc = compare_metadata(&r);
	if (rc == 0 && out->n > 0)
		qsort(out->v, out->n, sizeof(*out->v), by_kind);
	for (size_t i = 0; rc == 0 && i < out->n; i++)
		out->count[out->v[i].kind]++;
	tensordiff_compare_release(&r.compare);
	return rc;
}

void tensordiff_release(struct tensordiff *d)
{
	free(d->v);
	free(d->meta);
	*d = (struct tensordiff){.v = NULL};
}
