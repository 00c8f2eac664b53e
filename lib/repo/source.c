/*
 * What sources of both kinds have in common: a file that is a pointer is read from the local store,
 * what was asked for is noted for caches, and found paths come sorted.  The worktree's part is in
 * source_worktree.c, the commits' in source_commit.c.
 */
#include "lib/repo/source.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/repo/source_internal.h"

void source_free(struct source *s)
{
	if (!s)
		return;
	if (!s->cache && s->dir.fd >= 0)
		close(s->dir.fd);
	free(s->name);
	free(s);
}

const char *source_name(const struct source *s)
{
	return s->name;
}

const char *source_top(const struct source *s)
{
	return s->repo->dir->worktree;
}

int source_is_worktree(const struct source *s)
{
	return s->cache == NULL;
}

void source_trace(struct source *s, struct strvec *paths)
{
	s->trace = paths;
}

int source_no_file(const struct source *s, const char *path)
{
	return err_set(ERR_NOTFOUND, "no file '%s' in %s", path, s->name);
}

int source_read_object(struct source *s, const char *path, const struct oid *oid, uint64_t size,
	size_t most, struct buf *out)
{
	int rc;

	if (size > most)
		return err_set(ERR_LIMIT, "'%s' has more than %zu bytes", path, most);
	if (!s->store || !store_has(s->store, oid, size))
		return err_set(ERR_NOTFOUND,
			"the data of '%s' in %s is not in the local store; run 'git dvx %s'", path,
			s->name, s->cache ? "fetch --all-commits" : "pull");
	rc = store_read(s->store, oid, size, out);
	return rc < 0 ? err_prefix(rc, "'%s' in %s", path, s->name) : 0;
}

static int note(struct source *s, const char *path)
{
	return s->trace ? strvec_push(s->trace, path) : 0;
}

int source_read(struct source *s, const char *path, size_t most, struct buf *out)
{
	int rc = note(s, path);

	if (rc < 0)
		return rc;
	return s->cache ? source_commit_read(s, path, most, out)
			: source_worktree_read(s, path, most, out);
}

int source_has(struct source *s, const char *path)
{
	uint8_t id[REPO_ID_MAX];
	int rc = note(s, path);

	if (rc < 0)
		return rc;
	return s->cache ? source_commit_blob(s, path, id) : source_worktree_has(s, path);
}

int source_blob(struct source *s, const char *path, uint8_t id[static REPO_ID_MAX])
{
	return s->cache ? source_commit_blob(s, path, id) : 0;
}

static int cmp_path(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sort what was found from `from` on, without duplicates. */
static void sort_found(struct strvec *v, size_t from)
{
	size_t kept = from;

	if (v->n == from)
		return;
	qsort(v->v + from, v->n - from, sizeof *v->v, cmp_path);
	for (size_t i = from; i < v->n; i++) {
		if (kept > from && strcmp(v->v[kept - 1], v->v[i]) == 0)
			free(v->v[i]);
		else
			v->v[kept++] = v->v[i];
	}
	v->n = kept;
	v->v[kept] = NULL;
}

int source_find(struct source *s, const char *const *basenames, struct strvec *out)
{
	size_t from = out->n;
	int rc = s->cache ? source_commit_find(s, basenames, out)
			  : source_worktree_find(s, basenames, out);

	sort_found(out, from);
	return rc;
}
