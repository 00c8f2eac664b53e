/*
 * What a rewrite writes: every new object once, gathered to packs of a bounded size, and the
 * .gitattributes of root trees.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/err.h"
#include "lib/repo/rewrite_internal.h"

enum { PACK_BYTES = 32 << 20 };

static const char attributes_name[] = ".gitattributes";

/* ---- objects ---- */

static void object_id(const struct rewrite *r, enum git_type type, const void *data, size_t len,
	uint8_t id[static REPO_ID_MAX])
{
	static const char *const words[] = {"", "commit", "tree", "blob", "tag"};
	struct githash_ctx h;
	char head[64];
	int n = snprintf(head, sizeof head, "%s %zu", words[type], len);

	memset(id, 0, REPO_ID_MAX);
	githash_init(&h, r->repo->hash_len);
	githash_update(&h, head, (size_t)n + 1);
	githash_update(&h, data, len);
	githash_final(&h, id);
}

int rewrite_flush(struct rewrite *r)
{
	const struct buf *bytes;
	int rc;

	if (!r->pack)
		return 0;
	rc = gitpack_finish(r->pack, &bytes);
	if (rc == 0)
		rc = gitpack_keep(r->repo, bytes);
	gitpack_free(r->pack);
	r->pack = NULL;
	return rc;
}

int rewrite_put(struct rewrite *r, enum git_type type, const void *data, size_t len,
	uint8_t id[static REPO_ID_MAX])
{
	struct oid key;
	int rc;

	object_id(r, type, data, len, id);
	rewrite_key(&key, id, 0, 0);
	rc = oidmap_add(&r->written, &key, 0);
	if (rc <= 0)
		return rc < 0 ? err_set(rc, "out of memory") : 0;
	if (!r->pack && (rc = gitpack_new(&r->pack, 0, r->repo->hash_len)) < 0)
		return rc;
	rc = gitpack_add_object(r->pack, type, data, len);
	if (rc == 0 && gitpack_size(r->pack) >= PACK_BYTES)
		rc = rewrite_flush(r);
	return rc;
}

/* ---- what is not here ---- */

int rewrite_missing(const struct rewrite *r, const uint8_t *id, const char *what, const char *path)
{
	char hex[REPO_HEX_MAX + 1];

	repo_id_hex(hex, r->repo, id);
	if (r->partial)
		return err_set(ERR_NOTFOUND,
			"%s %s ('%s') is not in this partial clone; run 'git fetch --refetch "
			"--no-filter' first",
			what, hex, path);
	return err_set(
		ERR_CORRUPT, "%s %s ('%s') is missing or damaged; see 'git fsck'", what, hex, path);
}

int rewrite_lacks(struct rewrite *r, const struct rewrite_blob *b)
{
	return rewrite_missing(r, b->id, "blob", b->path);
}

int rewrite_need(struct rewrite *r, const struct rewrite_blob *blobs, size_t n)
{
	struct git_object *o;
	size_t i;
	int rc;

	if (!r->partial)
		return 0;
	if (!(o = calloc(n + 1, sizeof *o)))
		return err_set(ERR_NOMEM, "out of memory");
	for (i = 0; i < n; i++)
		memcpy(o[i].id, blobs[i].id, REPO_ID_MAX);
	rc = git_objects_info(r->repo, o, n);
	for (i = 0; rc == 0 && i < n; i++)
		if (o[i].type == GIT_MISSING)
			rc = rewrite_lacks(r, &blobs[i]);
	free(o);
	return rc;
}

/* ---- .gitattributes ---- */

/* The blob that replaces `old` (NULL: no such file): 1 and its id, 0 for none. */
static int attributes_blob(struct rewrite *r, const uint8_t *old, uint8_t id[static REPO_ID_MAX])
{
	static const uint8_t none[REPO_ID_MAX];
	struct buf was = BUF_INIT, text = BUF_INIT;
	struct oid key;
	uint32_t at;
	int rc = 0;

	rewrite_key(&key, old ? old : none, r->ops->version ? *r->ops->version : 0, 0);
	if (oidmap_get(&r->attributes, &key, &at)) {
		memcpy(id, r->attribute_ids.v[at], REPO_ID_MAX);
		return !repo_id_is_zero(id);
	}
	if (old)
		rc = catfile_read(r->cat, old, GIT_BLOB, REWRITE_ATTRIBUTES_MAX, &was);
	if (rc == 0)
		rc = r->ops->attributes(old ? &was : NULL, &text, r->data);
	memset(id, 0, REPO_ID_MAX);
	if (rc > 0)
		rc = rewrite_put(r, GIT_BLOB, buf_str(&text), text.len, id);
	if (rc == 0 && oidmap_add(&r->attributes, &key, (uint32_t)r->attribute_ids.n) < 0)
		rc = err_set(ERR_NOMEM, "out of memory");
	if (rc == 0)
		rc = rewrite_ids_add(&r->attribute_ids, id);
	buf_release(&was);
	buf_release(&text);
	return rc < 0 ? rc : !repo_id_is_zero(id);
}

/* Does the entry come behind ".gitattributes" in a tree?  (Names of trees compare with a slash.) */
static int comes_behind(const struct treeread_entry *e)
{
	size_t len = strlen(e->name), own = sizeof attributes_name - 1;
	int cmp = memcmp(e->name, attributes_name, len < own ? len : own);

	return cmp ? cmp > 0 : len > own;
}

int rewrite_attributes(struct rewrite *r, struct buf *tree)
{
	size_t at = 0, from = tree->len, to = tree->len, start;
	uint8_t old[REPO_ID_MAX] = {0}, id[REPO_ID_MAX];
	struct buf text = BUF_INIT;
	struct treeread_entry e;
	int rc = 0, there = 0;

	while (rc == 0 && at < tree->len && !there) {
		start = at;
		rc = treeread_next(&e, r->repo->hash_len, tree, &at);
		if (rc < 0)
			break;
		there = strcmp(e.name, attributes_name) == 0;
		if (there && !S_ISREG(e.mode))
			return err_set(ERR_INVALID,
				"'.gitattributes' is not a regular file but a %s",
				S_ISLNK(e.mode) ? "symbolic link" : "directory");
		if (there) {
			memcpy(old, e.id, (size_t)r->repo->hash_len);
			from = start;
			to = at;
		} else if (comes_behind(&e)) {
			from = to = start;
			break;
		}
	}
	if (rc == 0)
		rc = attributes_blob(r, there ? old : NULL, id);
	if (rc <= 0)
		return rc;
	rc = buf_add(&text, tree->p, from);
	if (rc == 0)
		rc = buf_addf(&text, "100644 %s", attributes_name);
	if (rc == 0)
		rc = buf_add(&text, "", 1);
	if (rc == 0)
		rc = buf_add(&text, id, (size_t)r->repo->hash_len);
	if (rc == 0)
		rc = buf_add(&text, buf_str(tree) + to, tree->len - to);
	buf_release(tree);
	*tree = text;
	return rc;
}
