/*
 * Answers from the index of history.  Each question about an object at a path is one pass over all
 * commits, oldest first: what a commit does not change it has from its first parent.
 *
 * What no ref reaches any more stays in the index (a reflog may bring it back), and is left out
 * here.
 */
#include "lib/lineage/history_internal.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"

/* ---- opening ---- */

int history_open(
	struct history **out, const struct repo *repo, struct objcache *objects, int progress)
{
	struct history *h = calloc(1, sizeof *h);
	int rc;

	if (!h)
		return err_no_memory();
	h->repo = repo;
	h->reader = objects;
	h->progress = progress;
	h->head = HISTORY_NONE;
	if ((rc = history_load(h)) < 0) {
		history_close(h);
		return rc;
	}
	*out = h;
	return 0;
}

void history_clear(struct history *h)
{
	free(h->commits);
	free(h->parents);
	free(h->changes);
	free(h->versions);
	free(h->paths);
	free(h->tags);
	pathpool_free(&h->path_pool);
	oidindex_release(&h->by_id);
	oidindex_release(&h->by_blob);
	strmap_release(&h->by_path, NULL);
	*h = (struct history){.repo = h->repo,
		.reader = h->reader,
		.progress = h->progress,
		.roots = h->roots,
		.objects = h->objects,
		.has_shallow = h->has_shallow,
		.has_refs = h->has_refs,
		.head = HISTORY_NONE,
		.refs = h->refs,
		.n_refs = h->n_refs,
		.cap_refs = h->cap_refs,
		.ref_pool = h->ref_pool,
		.reach = h->reach,
		.origin = h->origin};
}

void history_close(struct history *h)
{
	if (!h)
		return;
	history_clear(h);
	free(h->refs);
	pathpool_free(&h->ref_pool);
	free(h->reach);
	free(h->origin);
	free(h);
}

int history_is_cut(const struct history *h)
{
	int cut = 0;
	size_t i;

	if (h->has_shallow)
		cut |= HISTORY_SHALLOW;
	for (i = 0; i < h->n_commits && !(cut & HISTORY_NO_TREES); i++)
		if (h->commits[i].flags & HISTORY_UNKNOWN)
			cut |= HISTORY_NO_TREES;
	for (i = 0; i < h->n_versions && !(cut & HISTORY_NO_BLOBS); i++)
		if (h->versions[i].state == POINTERS_MISSING)
			cut |= HISTORY_NO_BLOBS;
	return cut;
}

/* ---- one object at one path ---- */

static int version_is(const struct history *h, uint32_t version, const struct oid *oid)
{
	return version != HISTORY_NONE && history_is_pointer(&h->versions[version]) &&
	       oid_eq(&h->versions[version].oid, oid);
}

/* What a commit changed at the path, or NULL. */
static const struct history_change *change_at(
	const struct history *h, const struct history_commit *c, uint32_t path)
{
	const struct history_change *v = h->changes + c->changes;
	uint32_t i;

	for (i = 0; i < c->n_changes; i++)
		if (v[i].path == path)
			return &v[i];
	return NULL;
}

void history_find_origins(const struct history *h, uint32_t first, uint32_t path,
	const struct oid *oid, uint32_t *origin)
{
	const struct history_change *change;
	uint32_t c, k;
	int holds;

	memset(origin, 0xff, first * sizeof *origin);
	for (c = first; c < h->n_commits; c++) {
		const struct history_commit *commit = &h->commits[c];
		const uint32_t *parents = h->parents + commit->parents;

		origin[c] = HISTORY_NONE;
		if (commit->flags & HISTORY_UNKNOWN)
			continue;
		change = change_at(h, commit, path);
		if (change)
			holds = version_is(h, change->version, oid);
		else
			holds = commit->n_parents && !(commit->flags & HISTORY_WHOLE) &&
				origin[parents[0]] != HISTORY_NONE;
		if (!holds)
			continue;
		for (k = 0; k < commit->n_parents && origin[c] == HISTORY_NONE; k++)
			origin[c] = origin[parents[k]];
		if (origin[c] == HISTORY_NONE)
			origin[c] = c;
	}
}

static int find_path(const struct history *h, const char *path, uint32_t *number)
{
	size_t i;

	for (i = 0; i < h->n_paths; i++) {
		if (strcmp(h->paths[i], path) == 0) {
			*number = (uint32_t)i;
			return 1;
		}
	}
	return 0;
}

/* The same for questions one by one: the answer is kept for the next one.  1 if the path is known
 * at all, else 0. */
static int keep_origins(struct history *h, const char *path, const struct oid *oid)
{
	uint32_t number;

	if (!find_path(h, path, &number))
		return 0;
	if (h->origin && h->origin_path == number && oid_eq(&h->origin_oid, oid))
		return 1;
	free(h->origin);
	h->origin = calloc(h->n_commits + 1, sizeof *h->origin);
	if (!h->origin)
		return err_no_memory();
	h->origin_path = number;
	h->origin_oid = *oid;
	history_find_origins(h, 0, number, oid, h->origin);
	return 1;
}

int history_refs(struct history *h, const char *path, const struct oid *oid,
	int (*fn)(const char *ref, void *data), void *data)
{
	size_t i;
	int rc = history_extend(h);

	if (rc == 0)
		rc = keep_origins(h, path, oid);
	if (rc <= 0)
		return rc;
	for (i = 0, rc = 0; i < h->n_refs && rc == 0; i++)
		if (h->refs[i].name && h->refs[i].commit != HISTORY_NONE &&
			h->origin[h->refs[i].commit] != HISTORY_NONE)
			rc = fn(h->refs[i].name, data);
	return rc;
}

int history_each_ref(
	struct history *h, int (*fn)(const char *ref, const uint8_t *id, void *data), void *data)
{
	size_t i;
	int rc = history_extend(h);

	for (i = 0; i < h->n_refs && rc == 0; i++)
		if (h->refs[i].name)
			rc = fn(h->refs[i].name, h->refs[i].id, data);
	return rc;
}

int history_find_tip(struct history *h, const uint8_t *tip, uint32_t *number)
{
	int rc;

	if (history_find(h, tip, number))
		return 1;
	rc = history_extend_to(h, tip);
	return rc < 0 ? rc : history_find(h, tip, number);
}

int history_searched(struct history *h, struct history_searched *out)
{
	size_t i;
	int rc = history_extend(h);

	*out = (struct history_searched){0};
	for (i = 0; rc == 0 && i < h->n_commits; i++)
		out->commits += h->reach[i];
	for (i = 0; rc == 0 && i < h->n_refs; i++)
		out->refs += h->refs[i].name != NULL;
	return rc;
}

/* ---- the last change ---- */

static int same_content(const struct history *h, uint32_t a, uint32_t b)
{
	if (a == b)
		return 1;
	return a != HISTORY_NONE && b != HISTORY_NONE && history_is_pointer(&h->versions[a]) &&
	       version_is(h, b, &h->versions[a].oid);
}

/* Per commit up to `tip`: which version it has at the path. */
static uint32_t *versions_at(const struct history *h, uint32_t tip, uint32_t path)
{
	uint32_t *at = calloc((size_t)tip + 1, sizeof *at), c;

	for (c = 0; at && c <= tip; c++) {
		const struct history_commit *commit = &h->commits[c];
		const struct history_change *change = change_at(h, commit, path);

		if (change)
			at[c] = change->version;
		else if (!commit->n_parents || commit->flags)
			at[c] = HISTORY_NONE;
		else
			at[c] = at[h->parents[commit->parents]];
	}
	return at;
}

int history_last_change(
	struct history *h, const uint8_t *tip, const char *path, uint8_t commit[static REPO_ID_MAX])
{
	uint32_t c, number, k, n, *at;
	int rc = history_find_tip(h, tip, &c);

	if (rc <= 0 || !find_path(h, path, &number))
		return rc < 0 ? rc : 0;
	if (!(at = versions_at(h, c, number)))
		return err_no_memory();
	rc = at[c] != HISTORY_NONE && history_is_pointer(&h->versions[at[c]]);
	while (rc) {
		const struct history_commit *from = &h->commits[c];
		const uint32_t *parents = h->parents + from->parents;

		for (k = 0; k < from->n_parents; k++)
			if (same_content(h, at[parents[k]], at[c]))
				break;
		for (n = 0; k == from->n_parents && n < k; n++)
			if (h->commits[parents[n]].flags & HISTORY_UNKNOWN)
				rc = 0; /* that one may have brought it */
		if (k == from->n_parents)
			break;
		c = parents[k];
	}
	if (rc)
		memcpy(commit, h->commits[c].id, REPO_ID_MAX);
	free(at);
	return rc;
}
