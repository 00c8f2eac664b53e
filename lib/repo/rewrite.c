/*
 * Commits of a rewrite, a window at a time: read the commits, have their trees loaded and their
 * blobs converted, then build the new trees and commits in order.  A window is as many commits as
 * had little to read the last time, so that memory holds one window's trees, not the history's.
 */
#include "lib/repo/rewrite.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/repo/rewrite_internal.h"

enum {
	WINDOW_FIRST = 32,
	WINDOW_MAX = 2048,
	WINDOW_LOW = 4 << 20, /* bytes of trees: less, and the next window is larger */
	WINDOW_HIGH = 32 << 20
};

/* ---- life ---- */

int rewrite_new(
	struct rewrite **out, const struct repo *repo, const struct rewrite_ops *ops, void *data)
{
	struct rewrite *r = calloc(1, sizeof *r);
	int rc;

	if (!r)
		return err_set(ERR_NOMEM, "out of memory");
	r->repo = repo;
	r->ops = ops;
	r->data = data;
	r->partial = git_is_partial(repo);
	rc = catfile_open(&r->cat, repo);
	if (rc < 0) {
		rewrite_free(r);
		return rc;
	}
	*out = r;
	return 0;
}

void rewrite_free(struct rewrite *r)
{
	if (!r)
		return;
	rewrite_close_window(r);
	catfile_close(r->cat);
	strmap_release(&r->dir_numbers, NULL);
	free(r->dirs);
	pathpool_free(&r->dir_names);
	oidmap_release(&r->tree_numbers);
	free(r->trees);
	oidmap_release(&r->blob_numbers);
	free(r->blobs);
	oidmap_release(&r->map);
	rewrite_ids_release(&r->old_ids);
	rewrite_ids_release(&r->new_ids);
	free(r->fresh);
	free(r->open);
	gitpack_free(r->pack);
	oidmap_release(&r->written);
	oidmap_release(&r->attributes);
	rewrite_ids_release(&r->attribute_ids);
	free(r);
}

int rewrite_room(void **v, size_t *cap, size_t n, size_t size)
{
	return n < REWRITE_NONE ? array_room(v, n, cap, size) : err_set(ERR_NOMEM, "out of memory");
}

int rewrite_ids_add(struct rewrite_ids *ids, const uint8_t *id)
{
	void *v = ids->v;
	int rc = rewrite_room(&v, &ids->cap, ids->n, sizeof *ids->v);

	ids->v = v;
	if (rc == 0)
		memcpy(ids->v[ids->n++], id, REPO_ID_MAX);
	return rc;
}

void rewrite_ids_release(struct rewrite_ids *ids)
{
	free(ids->v);
	*ids = (struct rewrite_ids){0};
}

void rewrite_key(struct oid *key, const uint8_t *id, uint32_t a, uint32_t b)
{
	memcpy(key->id, id, OID_LEN);
	be32_put(key->id + 24, be32_get(key->id + 24) ^ a);
	be32_put(key->id + 28, be32_get(key->id + 28) ^ b);
}

struct catfile *rewrite_catfile(struct rewrite *r)
{
	return r->cat;
}

const struct repo *rewrite_repo(const struct rewrite *r)
{
	return r->repo;
}

/* ---- what became of what ---- */

int rewrite_note(struct rewrite *r, const uint8_t *old, const uint8_t *now)
{
	struct oid key;
	int rc;

	rewrite_key(&key, old, 0, 0);
	rc = oidmap_add(&r->map, &key, (uint32_t)r->old_ids.n);
	if (rc <= 0)
		return rc < 0 ? err_set(rc, "out of memory") : 0;
	rc = rewrite_ids_add(&r->old_ids, old);
	return rc < 0 ? rc : rewrite_ids_add(&r->new_ids, now);
}

int rewrite_lookup(const struct rewrite *r, const uint8_t *old, uint8_t now[static REPO_ID_MAX])
{
	struct oid key;
	uint32_t at;

	rewrite_key(&key, old, 0, 0);
	if (!oidmap_get(&r->map, &key, &at))
		return 0;
	memcpy(now, r->new_ids.v[at], REPO_ID_MAX);
	return 1;
}

int rewrite_each(const struct rewrite *r,
	int (*fn)(const uint8_t *old, const uint8_t *now, void *data), void *data)
{
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < r->n_commits; i++)
		if (memcmp(r->old_ids.v[i], r->new_ids.v[i], REPO_ID_MAX) != 0)
			rc = fn(r->old_ids.v[i], r->new_ids.v[i], data);
	return rc;
}

/* ---- commits ---- */

static int broken(const struct rewrite *r, const uint8_t *id)
{
	char hex[REPO_HEX_MAX + 1];

	repo_id_hex(hex, r->repo, id);
	return err_set(ERR_CORRUPT, "commit %s cannot be understood; see 'git fsck'", hex);
}

/* The id in a header line "<word> <hex>\n" at *at, which moves behind it: 1; 0 for another line. */
static int header_id(const struct rewrite *r, const struct buf *raw, size_t *at, const char *word,
	uint8_t id[static REPO_ID_MAX])
{
	size_t len = strlen(word), hex = 2 * (size_t)r->repo->hash_len;

	if (raw->len - *at < len + hex + 1 || memcmp(raw->p + *at, word, len) != 0 ||
		raw->p[*at + len + hex] != '\n' ||
		repo_id_parse(id, r->repo, raw->p + *at + len) < 0)
		return 0;
	*at += len + hex + 1;
	return 1;
}

struct load {
	struct rewrite *r;
	struct rewrite_commit *commits;
};

static const uint8_t *commit_id(size_t i, void *data)
{
	return ((struct load *)data)->commits[i].id;
}

static int take_commit(struct catfile *c, const struct catfile_head *head, void *data)
{
	struct load *l = data;
	struct rewrite_commit *commit = &l->commits[head->i];
	uint8_t tree[REPO_ID_MAX];
	size_t at = 0;
	int rc;

	if (head->type != GIT_COMMIT || head->size > REWRITE_COMMIT_MAX)
		return broken(l->r, commit->id);
	rc = catfile_take(c, REWRITE_COMMIT_MAX, &commit->raw);
	if (rc == 0 && !header_id(l->r, &commit->raw, &at, "tree ", tree))
		rc = broken(l->r, commit->id);
	return rc < 0 ? rc : rewrite_add_root(l->r, tree, &commit->root);
}

static int add_header_id(
	struct buf *out, const struct rewrite *r, const char *word, const uint8_t *id)
{
	char hex[REPO_HEX_MAX + 1];

	repo_id_hex(hex, r->repo, id);
	return buf_addf(out, "%s%s\n", word, hex);
}

/* The commit with its new tree and parents; every other byte stays: encoding, mergetag, signatures
 * (which no longer hold), odd lines. */
static int write_commit(
	struct rewrite *r, const struct rewrite_commit *c, const uint8_t tree[static REPO_ID_MAX])
{
	struct buf text = BUF_INIT;
	uint8_t id[REPO_ID_MAX] = {0};
	size_t at = 0;
	int rc;

	if (!header_id(r, &c->raw, &at, "tree ", id))
		return broken(r, c->id);
	rc = add_header_id(&text, r, "tree ", tree);
	while (rc == 0 && header_id(r, &c->raw, &at, "parent ", id)) {
		rewrite_lookup(r, id, id);
		rc = add_header_id(&text, r, "parent ", id);
	}
	if (rc == 0)
		rc = buf_add(&text, c->raw.p + at, c->raw.len - at);
	memcpy(id, c->id, REPO_ID_MAX);
	if (rc == 0 && (text.len != c->raw.len || memcmp(text.p, c->raw.p, text.len) != 0))
		rc = rewrite_put(r, GIT_COMMIT, text.p, text.len, id);
	if (rc == 0)
		rc = rewrite_note(r, c->id, id);
	r->n_commits = r->old_ids.n;
	buf_release(&text);
	return rc;
}

/* ---- windows ---- */

/* Read n commits and all that is new below them. */
static int load_window(struct rewrite *r, struct rewrite_commit *commits, size_t n)
{
	struct load l = {r, commits};
	int rc = catfile_each(r->cat, n, commit_id, take_commit, &l);

	return rc < 0 ? rc : rewrite_load(r);
}

static void free_commits(struct rewrite_commit *commits, size_t n)
{
	size_t i;

	for (i = 0; commits && i < n; i++)
		buf_release(&commits[i].raw);
	free(commits);
}

static struct rewrite_commit *commits_of(const uint8_t (*ids)[REPO_ID_MAX], size_t n)
{
	struct rewrite_commit *commits = calloc(n, sizeof *commits);
	size_t i;

	for (i = 0; commits && i < n; i++)
		memcpy(commits[i].id, ids[i], REPO_ID_MAX);
	if (!commits)
		err_set(ERR_NOMEM, "out of memory");
	return commits;
}

static int run_window(struct rewrite *r, const uint8_t (*ids)[REPO_ID_MAX], size_t n,
	struct progress *p, const volatile int *stop)
{
	struct rewrite_commit *commits = commits_of(ids, n);
	uint8_t tree[REPO_ID_MAX];
	size_t i;
	int rc = commits ? load_window(r, commits, n) : ERR_NOMEM;

	for (i = 0; rc == 0 && i < n; i++) {
		if (stop && *stop)
			rc = err_set(ERR_INTERRUPTED, "interrupted; nothing was changed");
		if (rc == 0)
			rc = rewrite_build_root(r, commits[i].id, commits[i].root, tree);
		if (rc == 0)
			rc = write_commit(r, &commits[i], tree);
		progress_add(p, 1, 0);
	}
	free_commits(commits, n);
	return rc;
}

int rewrite_run(struct rewrite *r, const struct rewrite_ids *commits, struct progress *p,
	const volatile int *stop)
{
	size_t window = WINDOW_FIRST, at = 0, n;
	int rc = 0;

	while (rc == 0 && at < commits->n) {
		n = commits->n - at < window ? commits->n - at : window;
		rc = run_window(r, (const uint8_t(*)[REPO_ID_MAX])commits->v + at, n, p, stop);
		if (r->bytes > WINDOW_HIGH && window > 1)
			window /= 2;
		else if (r->bytes < WINDOW_LOW && window < WINDOW_MAX)
			window *= 2;
		rewrite_close_window(r);
		at += n;
	}
	return rc < 0 ? rc : rewrite_flush(r);
}

int rewrite_tree_of(struct rewrite *r, const uint8_t *commit, uint8_t tree[static REPO_ID_MAX])
{
	struct rewrite_commit *c = calloc(1, sizeof *c);
	int rc;

	if (!c)
		return err_set(ERR_NOMEM, "out of memory");
	memcpy(c->id, commit, REPO_ID_MAX);
	rc = load_window(r, c, 1);
	if (rc == 0)
		rc = rewrite_build_root(r, commit, c->root, tree);
	rewrite_close_window(r);
	free_commits(c, 1);
	return rc < 0 ? rc : rewrite_flush(r);
}
