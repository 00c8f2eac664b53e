/*
 * Objects by id: an array of them, and a map from id to place (see objcache.h).  Trees are cut into
 * entries when they come in, so that a name is found by halving: a directory of a thousand metrics
 * files is looked into a thousand times.
 */
#include "lib/repo/objcache.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/repo/catfile.h"
#include "lib/repo/treeread.h"
#include "lib/store/oidmap.h"

enum { TREE_MAX = 256 * 1024 * 1024, COMMIT_MAX = 16 * 1024 * 1024 };

struct objcache {
	const struct repo *repo;
	struct catfile *cat;
	int partial;	   /* -1: not known yet */
	struct oidmap map; /* id -> place in v */
	struct objcache_object **v;
	size_t n, cap;
};

int objcache_new(struct objcache **out, const struct repo *repo)
{
	struct objcache *c = calloc(1, sizeof *c);

	if (!c || catfile_open(&c->cat, repo) < 0) {
		free(c);
		return err_set(ERR_NOMEM, "out of memory");
	}
	c->repo = repo;
	c->partial = -1;
	*out = c;
	return 0;
}

struct catfile *objcache_catfile(struct objcache *c)
{
	return c->cat;
}

static void object_free(struct objcache_object *o)
{
	if (!o)
		return;
	buf_release(&o->data);
	strvec_release(&o->found);
	free(o->entries);
	free(o);
}

void objcache_free(struct objcache *c)
{
	if (!c)
		return;
	catfile_close(c->cat);
	for (size_t i = 0; i < c->n; i++)
		object_free(c->v[i]);
	free(c->v);
	oidmap_release(&c->map);
	free(c);
}

/* ---- what objects say ---- */

static int parse_tree(struct objcache_object *o, int hash_len)
{
	size_t most = o->data.len / ((size_t)hash_len + 4); /* the shortest entry: "1 a" and NUL */
	struct treeread_entry e;
	size_t at = 0;
	int rc = 0;

	o->entries = calloc(most + 1, sizeof *o->entries);
	if (!o->entries)
		return err_set(ERR_NOMEM, "out of memory");
	while (rc == 0 && at < o->data.len) {
		rc = treeread_next(&e, hash_len, &o->data, &at);
		if (rc == 0)
			o->entries[o->n++] = (struct objcache_entry){.name = e.name,
				.name_len = (uint32_t)strlen(e.name),
				.mode = e.mode,
				.id = e.id};
	}
	return rc;
}

/* "tree <hex>" or "object <hex>" begins a commit or a tag. */
static int parse_target(struct objcache_object *o, const struct repo *repo)
{
	const char *word = o->type == GIT_COMMIT ? "tree " : "object ";
	size_t len = strlen(word);

	if (strncmp(buf_str(&o->data), word, len) != 0 ||
		repo_id_parse(o->target, repo, o->data.p + len) < 0)
		return err_set(ERR_CORRUPT, "a %s that cannot be understood; see 'git fsck'",
			o->type == GIT_COMMIT ? "commit" : "tag");
	if (o->type != GIT_COMMIT || o->data.len > OBJCACHE_BLOB_MAX)
		buf_release(&o->data);
	return 0;
}

/* ---- getting them ---- */

static const struct oid *key_of(struct oid *key, const struct objcache *c, const uint8_t *id)
{
	memset(key, 0, sizeof *key);
	memcpy(key->id, id, (size_t)c->repo->hash_len);
	return key;
}

/* Put a new object; it belongs to the cache. */
static int put(struct objcache *c, const uint8_t *id, struct objcache_object *o)
{
	struct oid key;
	int rc;

	if (array_room(&c->v, c->n, &c->cap, sizeof(*c->v)) < 0)
		return ERR_NOMEM;
	rc = oidmap_add(&c->map, key_of(&key, c, id), (uint32_t)c->n);
	if (rc < 0)
		return rc;
	if (rc == 0) /* asked for twice in one go */
		object_free(o);
	else
		c->v[c->n++] = o;
	return 0;
}

struct loading {
	struct objcache *c;
	struct git_object *wanted;
	size_t n;
};

static const uint8_t *wanted_id(size_t i, void *data)
{
	const struct git_object *o = &((struct loading *)data)->wanted[i];

	return o->type == GIT_MISSING ? NULL : o->id;
}

static int take(struct catfile *cat, const struct catfile_head *head, void *data)
{
	struct loading *l = data;
	struct objcache_object *o = calloc(1, sizeof *o);
	int rc = 0;

	if (!o)
		return err_set(ERR_NOMEM, "out of memory");
	o->type = head->type;
	o->size = head->size;
	if (o->type == GIT_TREE && o->size > TREE_MAX)
		rc = err_set(ERR_LIMIT, "a tree of %llu bytes", (unsigned long long)o->size);
	else if (o->type != GIT_BLOB || o->size <= OBJCACHE_BLOB_MAX)
		rc = catfile_take(cat, o->type == GIT_TREE ? TREE_MAX : COMMIT_MAX, &o->data);
	if (rc == 0 && o->type == GIT_TREE)
		rc = parse_tree(o, l->c->repo->hash_len);
	else if (rc == 0 && (o->type == GIT_COMMIT || o->type == GIT_TAG))
		rc = parse_target(o, l->c->repo);
	if (rc == 0)
		rc = put(l->c, l->wanted[head->i].id, o);
	if (rc < 0)
		object_free(o);
	return rc;
}

/* In a partial clone, what is not here must not be asked for: it would be fetched, one by one. */
static int leave_out_missing(struct loading *l)
{
	struct objcache *c = l->c;
	int rc = 0;

	if (c->partial < 0)
		c->partial = git_is_partial(c->repo);
	for (size_t i = 0; i < l->n; i++)
		l->wanted[i].type = GIT_BLOB;
	if (c->partial)
		rc = git_objects_info(c->repo, l->wanted, l->n);
	for (size_t i = 0; rc == 0 && i < l->n; i++) {
		struct objcache_object *o;

		if (l->wanted[i].type != GIT_MISSING)
			continue;
		o = calloc(1, sizeof *o);
		rc = o ? put(c, l->wanted[i].id, o) : err_set(ERR_NOMEM, "out of memory");
		if (rc < 0)
			free(o);
	}
	return rc;
}

int objcache_load(struct objcache *c, const uint8_t (*ids)[REPO_ID_MAX], size_t n)
{
	struct loading l = {.c = c};
	int rc = 0;

	l.wanted = calloc(n ? n : 1, sizeof *l.wanted);
	if (!l.wanted)
		return err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < n; i++)
		if (!objcache_knows(c, ids[i]))
			memcpy(l.wanted[l.n++].id, ids[i], (size_t)c->repo->hash_len);
	if (l.n > 0)
		rc = leave_out_missing(&l);
	if (rc == 0 && l.n > 0)
		rc = catfile_each(c->cat, l.n, wanted_id, take, &l);
	free(l.wanted);
	return rc;
}

int objcache_knows(const struct objcache *c, const uint8_t *id)
{
	struct oid key;

	return oidmap_get(&c->map, key_of(&key, c, id), NULL);
}

int objcache_get(struct objcache *c, const uint8_t *id, struct objcache_object **out)
{
	uint8_t padded[1][REPO_ID_MAX] = {{0}};
	struct oid key;
	uint32_t i;
	int rc;

	key_of(&key, c, id);
	if (!oidmap_get(&c->map, &key, &i)) {
		memcpy(padded[0], key.id, REPO_ID_MAX);
		rc = objcache_load(c, (const uint8_t(*)[REPO_ID_MAX])padded, 1);
		if (rc < 0)
			return rc;
		if (!oidmap_get(&c->map, &key, &i))
			return err_set(ERR_CORRUPT, "an object that was asked for did not come");
	}
	*out = c->v[i];
	return 0;
}

/* A commit that came by its name, and may be known by its id. */
static int keep_commit(struct objcache *c, const uint8_t *id, struct buf *text)
{
	struct objcache_object *o = calloc(1, sizeof *o);
	int rc;

	if (!o)
		return err_set(ERR_NOMEM, "out of memory");
	o->type = GIT_COMMIT;
	o->size = text->len;
	o->data = *text;
	*text = (struct buf)BUF_INIT;
	rc = parse_target(o, c->repo);
	if (rc == 0)
		rc = put(c, id, o);
	if (rc < 0)
		object_free(o);
	return rc;
}

/* Of others Git says more than an answer: that a short id is ambiguous, where a reflog ends. */
static int is_plain_name(const char *rev)
{
	size_t hex = strspn(rev, "0123456789abcdefABCDEF");

	for (const char *p = rev; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("._/#=+-@~^", *p))
			return 0;
	return !strchr("-^", *rev) && !strchr("~^", rev[hex]) && !strstr(rev, "-g") &&
	       !strstr(rev, "..") && !strstr(rev, "^@") && !strstr(rev, "^-");
}

int objcache_find_commit(struct objcache *c, const char *rev, uint8_t id[static REPO_ID_MAX])
{
	struct buf text = BUF_INIT;
	int rc, kept = 0;

	if (!is_plain_name(rev))
		return 0;
	rc = catfile_commit(c->cat, rev, COMMIT_MAX, id, &text);
	if (rc > 0 && !objcache_knows(c, id))
		kept = keep_commit(c, id, &text);
	buf_release(&text);
	return kept < 0 ? kept : rc;
}

/* Git's order of trees: as if directories' names ended in a slash. */
static int cmp_name(const char *a, size_t a_len, int a_tree, const struct objcache_entry *e)
{
	size_t len = a_len < e->name_len ? a_len : e->name_len;
	int rc = memcmp(a, e->name, len);
	unsigned char ca, cb;

	if (rc != 0)
		return rc;
	ca = len < a_len ? (unsigned char)a[len] : a_tree ? '/' : '\0';
	cb = len < e->name_len ? (unsigned char)e->name[len] : S_ISDIR(e->mode) ? '/' : '\0';
	return ca - cb;
}

int objcache_compare(const struct objcache_entry *a, const struct objcache_entry *b)
{
	return cmp_name(a->name, a->name_len, S_ISDIR(a->mode), b);
}

const struct objcache_entry *objcache_find(
	const struct objcache_object *tree, const char *name, size_t len, int is_tree)
{
	size_t from = 0, to = tree->n;

	while (from < to) {
		size_t middle = from + (to - from) / 2;
		int rc = cmp_name(name, len, is_tree, &tree->entries[middle]);

		if (rc == 0)
			return &tree->entries[middle];
		if (rc < 0)
			to = middle;
		else
			from = middle + 1;
	}
	return NULL;
}

int objcache_read(struct objcache *c, const uint8_t *id, size_t most, struct buf *out)
{
	struct objcache_object *o;
	int rc = objcache_get(c, id, &o);

	if (rc < 0)
		return rc;
	if (o->type != GIT_BLOB)
		return err_set(ERR_NOTFOUND, "the object is not in this repository");
	if (o->size > most)
		return err_set(ERR_LIMIT, "it has more than %zu bytes", most);
	if (o->data.len == o->size)
		return buf_add(out, buf_str(&o->data), o->data.len);
	return catfile_read(c->cat, id, GIT_BLOB, most, out);
}
