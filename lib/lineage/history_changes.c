/*
 * What commits changed, on its way into the index: the cache of pointers knows which of the blobs
 * name data, and only those changes are kept.  They go through in batches, so that a history of
 * millions of files that are no data costs no memory.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/lineage/history_internal.h"

enum { BATCH = 1 << 16, NO_QUERY = -1 };

struct history_changed {
	uint32_t commit;
	const char *path;
	int64_t before, after; /* numbers of queries */
};

void history_changes_begin(
	struct history_changes *c, struct history *h, struct pointers *p, size_t first)
{
	*c = (struct history_changes){
		.h = h, .pointers = p, .first = first, .commit = (uint32_t)first};
	c->progress = progress_new("Indexing history", h->n_commits - first, 0,
		h->progress ? PROGRESS_AUTO : PROGRESS_OFF);
}

static int add_query(struct history_changes *c, const uint8_t *blob, int64_t *number)
{
	*number = NO_QUERY;
	if (!blob)
		return 0;
	if (array_room(&c->q, c->n_q, &c->cap_q, sizeof *c->q) < 0)
		return ERR_NOMEM;
	c->q[c->n_q] = (struct pointers_query){.state = POINTERS_UNKNOWN};
	memcpy(c->q[c->n_q].blob, blob, (size_t)c->h->repo->hash_len);
	*number = (int64_t)c->n_q++;
	return 0;
}

/* 1 if a data file may be meant. */
static int may_be_data(const struct history_changes *c, int64_t query)
{
	return query != NO_QUERY && c->q[query].state != POINTERS_NO;
}

int history_add_change(
	struct history *h, struct history_commit *commit, struct history_change change)
{
	if (array_room(&h->changes, h->n_changes, &h->cap_changes, sizeof *h->changes) < 0)
		return ERR_NOMEM;
	if (commit->n_changes++ == 0)
		commit->changes = (uint32_t)h->n_changes;
	h->changes[h->n_changes++] = change;
	return 0;
}

static int keep(struct history_changes *c, const struct history_changed *changed)
{
	struct history *h = c->h;
	struct history_change change = {.version = HISTORY_NONE};
	int rc;

	if (!may_be_data(c, changed->before) && !may_be_data(c, changed->after))
		return 0;
	rc = history_add_path(h, changed->path, &change.path);
	if (rc == 0 && may_be_data(c, changed->after))
		rc = history_add_version(h, &c->q[changed->after], &change.version);
	return rc == 0 ? history_add_change(h, &h->commits[changed->commit], change) : rc;
}

static int end_batch(struct history_changes *c)
{
	size_t i;
	int rc = c->n_q ? pointers_resolve(c->pointers, c->q, c->n_q) : 0;

	for (i = 0; i < c->n && rc == 0; i++)
		rc = keep(c, &c->v[i]);
	c->n = c->n_q = 0;
	pathpool_free(&c->paths);
	progress_set(c->progress, c->commit - c->first, 0);
	return rc;
}

int history_changes_add(
	struct history_changes *c, const char *path, const uint8_t *before, const uint8_t *after)
{
	struct history_changed changed = {.commit = c->commit};
	int rc;

	if (!before && !after)
		return 0;
	if ((rc = add_query(c, before, &changed.before)) < 0 ||
		(rc = add_query(c, after, &changed.after)) < 0)
		return rc;
	if (!(changed.path = pathpool_keep(&c->paths, path, strlen(path))))
		return err_no_memory();
	if (array_room(&c->v, c->n, &c->cap, sizeof *c->v) < 0)
		return ERR_NOMEM;
	c->v[c->n++] = changed;
	return c->n_q >= BATCH ? end_batch(c) : 0;
}

int history_changes_end(struct history_changes *c, int rc)
{
	if (rc == 0)
		rc = end_batch(c);
	progress_free(c->progress);
	pathpool_free(&c->paths);
	free(c->v);
	free(c->q);
	return rc;
}
