/*
 * The comparison of two lists of data files: one merge by path, and one by object id for the
 * renames.  Pure: what fills the lists is in datadiff_scan.c.
 */
#include "lib/repo/datadiff.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/array.h"
#include "lib/base/err.h"

void datadiff_release(struct datadiff *d)
{
	free(d->old.v);
	free(d->new.v);
	free(d->v);
	pathpool_free(&d->paths);
	*d = (struct datadiff)DATADIFF_INIT;
}

int datadiff_add(struct datadiff *d, struct datadiff_list *side, const struct datadiff_file *f)
{
	const char *path;

	if (array_room(&side->v, side->n, &side->cap, sizeof(*side->v)) < 0)
		return ERR_NOMEM;
	if (!(path = pathpool_keep(&d->paths, f->path, strlen(f->path))))
		return err_set(ERR_NOMEM, "out of memory");
	side->v[side->n] = *f;
	side->v[side->n++].path = path;
	return 0;
}

/* ---- by path ---- */

static int cmp_path(const void *a, const void *b)
{
	const struct datadiff_file *x = a, *y = b;

	return strcmp(x->path, y->path);
}

static void sort(struct datadiff_list *l)
{
	if (l->n > 1)
		qsort(l->v, l->n, sizeof *l->v, cmp_path);
}

static int has_data(const struct datadiff_file *f)
{
	return f && f->kind != DATADIFF_IN_GIT;
}

static int counts(const struct datadiff *d, const struct datadiff_file *f)
{
	return has_data(f) || (f && d->also && d->also(f->path));
}

static int same(const struct datadiff_file *old, const struct datadiff_file *new)
{
	return old->kind == DATADIFF_DATA &&
	       new->kind == DATADIFF_DATA &&oid_eq(&old->oid, &new->oid);
}

static void note(
	struct datadiff *d, const struct datadiff_file *old, const struct datadiff_file *new)
{
	struct datadiff_change c = {DATADIFF_MODIFIED, old, new};

	if ((!counts(d, old) && !counts(d, new)) || (old && new &&same(old, new)))
		return;
	if (!old)
		c.status = DATADIFF_ADDED;
	else if (!new)
		c.status = DATADIFF_DELETED;
	d->v[d->n++] = c;
}

/* Room for every change was made. */
static void merge(struct datadiff *d)
{
	size_t i = 0, k = 0;

	while (i < d->old.n || k < d->new.n) {
		const struct datadiff_file *old = i < d->old.n ? &d->old.v[i] : NULL;
		const struct datadiff_file *new = k < d->new.n ? &d->new.v[k] : NULL;
		int c = !old ? 1 : !new ? -1 : strcmp(old->path, new->path);

		note(d, c <= 0 ? old : NULL, c >= 0 ? new : NULL);
		i += c <= 0;
		k += c >= 0;
	}
}

/* ---- by object: renames ---- */

/* One half of a rename, not yet paired while `change` is set. */
struct half {
	const struct datadiff_file *file;
	struct datadiff_change *change;
};

struct halves {
	struct half *v;
	size_t n;
};

static const char *basename_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int cmp_name(const struct half *a, const struct half *b)
{
	int c = oid_cmp(&a->file->oid, &b->file->oid);

	return c ? c : strcmp(basename_of(a->file->path), basename_of(b->file->path));
}

static int cmp_half(const void *a, const void *b)
{
	const struct half *x = a, *y = b;
	int c = cmp_name(x, y);

	return c ? c : strcmp(x->file->path, y->file->path);
}

static int cmp_object(const struct half *a, const struct half *b)
{
	return oid_cmp(&a->file->oid, &b->file->oid);
}

/* The halves of this status.  Empty files are alike without being the same. */
static int collect(struct halves *h, struct datadiff *d, enum datadiff_status status)
{
	if (!(h->v = calloc(d->n ? d->n : 1, sizeof *h->v)))
		return err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < d->n; i++) {
		struct datadiff_change *c = &d->v[i];
		const struct datadiff_file *f = c->old ? c->old : c->new;

		if (c->status == status && f->kind == DATADIFF_DATA && f->size > 0)
			h->v[h->n++] = (struct half){f, c};
	}
	qsort(h->v, h->n, sizeof *h->v, cmp_half);
	return 0;
}

/* Join what is equal by `cmp`, by which both are sorted: the added file becomes the renamed one,
 * the deleted one is marked by having neither side.  Those left over stay, in order. */
static void join(struct halves *gone, struct halves *come,
	int (*cmp)(const struct half *a, const struct half *b))
{
	size_t i = 0, k = 0, left_i = 0, left_k = 0;

	while (i < gone->n && k < come->n) {
		int c = cmp(&gone->v[i], &come->v[k]);

		if (c < 0) {
			gone->v[left_i++] = gone->v[i++];
		} else if (c > 0) {
			come->v[left_k++] = come->v[k++];
		} else {
			come->v[k].change->status = DATADIFF_RENAMED;
			come->v[k++].change->old = gone->v[i].file;
			gone->v[i++].change->old = NULL;
		}
	}
	while (i < gone->n)
		gone->v[left_i++] = gone->v[i++];
	while (k < come->n)
		come->v[left_k++] = come->v[k++];
	gone->n = left_i;
	come->n = left_k;
}

static int find_renames(struct datadiff *d)
{
	struct halves gone = {NULL, 0}, come = {NULL, 0};
	size_t kept = 0;
	int rc;

	if ((rc = collect(&gone, d, DATADIFF_DELETED)) < 0 ||
		(rc = collect(&come, d, DATADIFF_ADDED)) < 0)
		goto done;
	join(&gone, &come, cmp_name);
	join(&gone, &come, cmp_object);
	for (size_t i = 0; i < d->n; i++)
		if (d->v[i].old || d->v[i].new)
			d->v[kept++] = d->v[i];
	d->n = kept;
done:
	free(gone.v);
	free(come.v);
	return rc;
}

int datadiff_compare(struct datadiff *d)
{
	int rc;

	sort(&d->old);
	sort(&d->new);
	free(d->v);
	d->n = 0;
	if (!(d->v = calloc(d->old.n + d->new.n + 1, sizeof *d->v)))
		return err_set(ERR_NOMEM, "out of memory");
	merge(d);
	rc = find_renames(d);
	memset(d->count, 0, sizeof d->count);
	for (size_t i = 0; i < d->n; i++)
		d->count[d->v[i].status]++;
	return rc;
}
