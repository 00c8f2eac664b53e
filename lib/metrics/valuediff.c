/*
 * Two states beside each other, by file and name.  The values of a file are put into a map once, so
 * that the difference costs what both of them hold.
 */
#include "lib/metrics/valuediff.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/base/strmap.h"

enum { PRECISION = 5, DIGITS = 15 }; /* of a double, every decimal number of 15 digits survives */

void value_changes_release(struct value_changes *c)
{
	free(c->v);
	strvec_release(&c->keys);
	memset(c, 0, sizeof *c);
}

/* ---- numbers ---- */

/* b - a, without the noise of the binary fractions: 0.9187 - 0.896 is 0.0227. */
static double delta_of(const struct node *a, const struct node *b)
{
	double largest = fabs(a->f) > fabs(b->f) ? fabs(a->f) : fabs(b->f), delta = b->f - a->f;
	char text[400];
	int decimals;

	if (!isfinite(delta) || largest == 0)
		return delta;
	/* the exponent, without libm, which the dynamic loader would have to find at each start */
	snprintf(text, sizeof text, "%e", largest);
	decimals = DIGITS - 1 - (int)strtol(strchr(text, 'e') + 1, NULL, 10);
	if (decimals < 0 || decimals > 300)
		return delta;
	snprintf(text, sizeof text, "%.*f", decimals, delta);
	return strtod(text, NULL);
}

static int add_double(struct buf *out, double f, int precision)
{
	if (isnan(f))
		return buf_addstr(out, "nan");
	if (isinf(f))
		return buf_addstr(out, f < 0 ? "-inf" : "inf");
	return buf_addf(out, "%.*g", precision > 0 ? precision : PRECISION, f == 0 ? 0.0 : f);
}

int value_format(struct buf *out, const struct node *n, int precision)
{
	return n->type == NODE_FLOAT ? add_double(out, n->f, precision) : node_print(out, n);
}

int value_change_whole(int64_t *out, const struct value_change *c)
{
	return c->has_delta && c->old->type == NODE_INT && c->now->type == NODE_INT &&
	       !__builtin_sub_overflow(c->now->i, c->old->i, out);
}

int value_change_format(struct buf *out, const struct value_change *c, int precision)
{
	int64_t whole;
	int rc = 0;

	if (!c->has_delta)
		return 0;
	if (value_change_whole(&whole, c))
		return buf_addf(out, "%s%lld", whole > 0 ? "+" : "", (long long)whole);
	if (c->delta > 0)
		rc = buf_addch(out, '+');
	return rc < 0 ? rc : add_double(out, c->delta, precision);
}

/* ---- files ---- */

/* The names and values of one file in one state. */
struct side {
	struct strmap values; /* name -> struct node */
	struct value_changes *out;
	const char *file;
	const struct side *old; /* while the newer one is walked through */
	int all;
};

static int note(const char *name, const struct node *value, void *data)
{
	struct side *s = data;
	union { /* a map of ours holds what it does not change */
		const struct node *in;
		void *out;
	} same = {.in = value};

	return strmap_put(&s->values, name, same.out);
}

static int add_change(struct value_changes *c, const char *file, const char *name,
	const struct node *old, const struct node *now)
{
	struct value_change *v;
	int rc;

	if (array_room(&c->v, c->n, &c->cap, sizeof(*c->v)) < 0)
		return ERR_NOMEM;
	rc = strvec_push(&c->keys, name);
	if (rc < 0)
		return rc;
	v = &c->v[c->n++];
	*v = (struct value_change){
		.file = file, .key = c->keys.v[c->keys.n - 1], .old = old, .now = now};
	v->has_delta = old && now && node_is_number(old) && node_is_number(now);
	if (v->has_delta)
		v->delta = delta_of(old, now);
	return 0;
}

/* A value that the newer state has. */
static int compare(const char *name, void *value, void *data)
{
	struct side *s = data;
	const struct node *old = strmap_get(&s->old->values, name);

	if (!s->all && old && node_equal(old, value))
		return 0;
	return add_change(s->out, s->file, name, old, value);
}

/* A value that only the older state may have. */
static int compare_gone(const char *name, void *value, void *data)
{
	struct side *s = data;

	return strmap_has(&s->values, name) ? 0 : add_change(s->out, s->file, name, value, NULL);
}

static int compare_file(struct value_changes *out, const char *file, const struct node *old,
	const struct node *now, int all)
{
	struct side a = {.values = STRMAP_INIT};
	struct side b = {.values = STRMAP_INIT, .out = out, .file = file, .old = &a, .all = all};
	int rc = 0;

	if (old == now && !all)
		return 0; /* one blob */
	if (old)
		rc = values_each(old, note, &a);
	if (rc == 0 && now)
		rc = values_each(now, note, &b);
	if (rc == 0)
		rc = strmap_each(&b.values, compare, &b);
	if (rc == 0)
		rc = strmap_each(&a.values, compare_gone, &b);
	strmap_release(&a.values, NULL);
	strmap_release(&b.values, NULL);
	return rc;
}

static int map_files(struct strmap *out, const struct values *v)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < v->n; i++)
		if (v->v[i].root)
			rc = strmap_put(out, v->v[i].path, &v->v[i]);
	return rc;
}

int valuediff(
	struct value_changes *out, const struct values *old, const struct values *now, int all)
{
	struct strmap before = STRMAP_INIT, after = STRMAP_INIT;
	const struct values_file *f;
	int rc;

	memset(out, 0, sizeof *out);
	rc = map_files(&before, old);
	if (rc == 0)
		rc = map_files(&after, now);
	for (size_t i = 0; rc == 0 && i < now->n; i++) {
		if (!now->v[i].root)
			continue;
		f = strmap_get(&before, now->v[i].path);
		rc = compare_file(out, now->v[i].path, f ? f->root : NULL, now->v[i].root, all);
	}
	for (size_t i = 0; rc == 0 && i < old->n; i++)
		if (old->v[i].root && !strmap_has(&after, old->v[i].path))
			rc = compare_file(out, old->v[i].path, old->v[i].root, NULL, all);
	strmap_release(&before, NULL);
	strmap_release(&after, NULL);
	if (rc < 0)
		value_changes_release(out);
	return rc;
}
