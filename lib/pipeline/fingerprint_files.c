/*
 * Lists of files, as walks find them.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/pipeline/fingerprint_internal.h"

void fp_files_release(struct fp_files *l)
{
	free(l->v);
	for (size_t i = 0; i < l->n_pools; i++)
		pathpool_free(&l->pools[i]);
	free(l->pools);
	memset(l, 0, sizeof(*l));
}

void fp_file_stat(struct fp_file *e, const struct stat *st)
{
	e->st.ino = (uint64_t)st->st_ino;
	e->st.bytes = (uint64_t)st->st_size;
	e->st.mtime = fs_mtime_ns(st);
	e->st.ctime = fs_ctime_ns(st);
	e->mode = S_ISLNK(st->st_mode) ? 'l' : st->st_mode & S_IXUSR ? 'x' : 'f';
}

/* Make room for more files and pools. */
static int grow(struct fp_files *l, size_t files, size_t pools)
{
	size_t cap = l->cap != 0 ? l->cap : 64;
	struct pathpool **grown_pools;
	struct fp_file *grown;

	while (cap < l->n + files)
		cap *= 2;
	if (cap > l->cap) {
		grown = reallocarray(l->v, cap, sizeof(*grown));
		if (grown == NULL)
			return err_set(ERR_NOMEM, "out of memory");
		l->v = grown;
		l->cap = cap;
	}
	if (pools > 0) {
		grown_pools = reallocarray(l->pools, l->n_pools + pools, sizeof(*grown_pools));
		if (grown_pools == NULL)
			return err_set(ERR_NOMEM, "out of memory");
		l->pools = grown_pools;
	}
	return 0;
}

int fp_files_add(struct fp_files *l, const char *path, size_t len, const struct stat *st)
{
	struct fp_file *e;
	int rc = grow(l, 1, l->n_pools == 0);

	if (rc < 0)
		return rc;
	if (l->n_pools == 0)
		l->pools[l->n_pools++] = NULL;
	e = &l->v[l->n];
	memset(e, 0, sizeof(*e));
	e->path = pathpool_keep(&l->pools[0], path, len);
	if (e->path == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	fp_file_stat(e, st);
	l->n++;
	return 0;
}

int fp_files_move(struct fp_files *l, struct fp_files *from)
{
	int rc;

	if (from->n == 0)
		return 0;
	rc = grow(l, from->n, from->n_pools);
	if (rc < 0)
		return rc;
	memcpy(l->v + l->n, from->v, from->n * sizeof(*l->v));
	memcpy(l->pools + l->n_pools, from->pools, from->n_pools * sizeof(*l->pools));
	l->n += from->n;
	l->n_pools += from->n_pools;
	from->n = from->n_pools = 0;
	return 0;
}

static int cmp_path(const void *a, const void *b)
{
	const struct fp_file *x = a, *y = b;

	return strcmp(x->path, y->path);
}

void fp_files_sort(struct fp_files *l)
{
	for (size_t i = 1; i < l->n; i++) {
		if (strcmp(l->v[i - 1].path, l->v[i].path) > 0) {
			qsort(l->v, l->n, sizeof(*l->v), cmp_path);
			return;
		}
	}
}
