/*
 * The File Locking API's messages (lfsjson.h).  What a server says about locks decides whether a
 * push is refused and which files become writable, so an answer is taken whole or not at all.
 */
#include "lib/wire/lfsjson.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/utf8.h"
#include "lib/wire/json.h"
#include "lib/wire/lfsjson_internal.h"

/* ---- structures ---- */

void lfs_lock_release(struct lfs_lock *l)
{
	free(l->id);
	free(l->path);
	free(l->owner);
	free(l->locked_at);
	*l = (struct lfs_lock){.id = NULL};
}

static void list_release(struct lfs_lock_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		lfs_lock_release(&l->v[i]);
	free(l->v);
	*l = (struct lfs_lock_list){.v = NULL};
}

void lfs_lock_page_release(struct lfs_lock_page *p)
{
	list_release(&p->ours);
	list_release(&p->theirs);
	free(p->next_cursor);
	p->next_cursor = NULL;
}

void lfs_lock_request_release(struct lfs_lock_request *r)
{
	free(r->path);
	free(r->cursor);
	free(r->ref);
	*r = (struct lfs_lock_request){.path = NULL};
}

/* A zeroed lock at the end, NULL when out of memory. */
static struct lfs_lock *list_grow(struct lfs_lock_list *l)
{
	if (l->n == l->cap) {
		size_t cap = l->cap ? 2 * l->cap : 16;
		struct lfs_lock *v = reallocarray(l->v, cap, sizeof(*v));

		if (!v) {
			err_set(ERR_NOMEM, "out of memory");
			return NULL;
		}
		l->v = v;
		l->cap = cap;
	}
	l->v[l->n] = (struct lfs_lock){.id = NULL};
	return &l->v[l->n++];
}

/* NULL stays NULL. */
static int copy(char **out, const char *text)
{
	*out = text ? strdup(text) : NULL;
	return text && !*out ? err_set(ERR_NOMEM, "out of memory") : 0;
}

int lfs_lock_list_add(struct lfs_lock_list *l, const struct lfs_lock *lock)
{
	struct lfs_lock *to = list_grow(l);
	int rc = to ? copy(&to->id, lock->id) : ERR_NOMEM;

	if (rc == 0)
		rc = copy(&to->path, lock->path);
	if (rc == 0)
		rc = copy(&to->owner, lock->owner);
	if (rc == 0)
		rc = copy(&to->locked_at, lock->locked_at);
	if (rc < 0 && to)
		lfs_lock_release(&l->v[--l->n]);
	return rc;
}

/* ---- requests ---- */

static void put_ref(struct json *j, const char *ref)
{
	if (ref)
		json_string(j, json_object(j, j->root, "ref"), "name", ref);
}

int lfsjson_lock_request_format(struct buf *out, const struct lfs_lock_query *q)
{
	struct json j;

	/* With replacement characters it would be another path. */
	if (q->path && !utf8_valid(q->path))
		return err_set(ERR_INVALID,
			"'%s' is not UTF-8: a Git LFS server cannot know it by name", q->path);
	json_init(&j);
	if (q->path)
		json_string(&j, j.root, "path", q->path);
	if (q->cursor)
		json_string(&j, j.root, "cursor", q->cursor);
	if (q->limit)
		json_uint(&j, j.root, "limit", q->limit);
	if (q->force)
		json_bool(&j, j.root, "force", 1);
	put_ref(&j, q->ref);
	return json_format(&j, out, 0);
}

int lfsjson_lock_request_parse(struct lfs_lock_request *r, const char *text, size_t len)
{
	const cJSON *ref = NULL;
	cJSON *root = NULL;
	uint64_t limit = 0;
	int rc = lfsjson_parse(&root, text, len, "request");

	if (rc == 0)
		rc = lfsjson_get_string(&r->path, root, "path", LFSJSON_STRING_MAX);
	if (rc == 0)
		rc = lfsjson_get_string(&r->cursor, root, "cursor", LFSJSON_STRING_MAX);
	if (rc == 0)
		rc = lfsjson_get_uint(&limit, root, "limit", INT_MAX);
	if (rc >= 0)
		rc = lfsjson_get_bool(&r->force, root, "force");
	if (rc >= 0)
		rc = lfsjson_get_object(&ref, root, "ref");
	if (rc == 0 && ref)
		rc = lfsjson_get_string(&r->ref, ref, "name", LFSJSON_STRING_MAX);
	r->limit = (unsigned)limit;
	cJSON_Delete(root);
	return rc;
}

/* ---- a lock ---- */

void lfsjson_put_lock(struct json *j, cJSON *into, const struct lfs_lock *l)
{
	json_string(j, into, "id", l->id);
	json_string(j, into, "path", l->path);
	if (l->locked_at)
		json_string(j, into, "locked_at", l->locked_at);
	if (l->owner)
		json_string(j, json_object(j, into, "owner"), "name", l->owner);
}

int lfsjson_get_lock(struct lfs_lock *l, const cJSON *from)
{
	const cJSON *owner = NULL;
	int rc = lfsjson_need_string(&l->id, from, "id", LFSJSON_STRING_MAX);

	if (rc == 0)
		rc = lfsjson_need_string(&l->path, from, "path", LFSJSON_STRING_MAX);
	if (rc == 0)
		rc = lfsjson_get_string(&l->locked_at, from, "locked_at", LFSJSON_STRING_MAX);
	if (rc == 0)
		rc = lfsjson_get_object(&owner, from, "owner");
	if (rc == 0 && owner)
		rc = lfsjson_get_string(&l->owner, owner, "name", LFSJSON_STRING_MAX);
	return rc < 0 ? err_prefix(rc, "a lock") : 0;
}

int lfsjson_lock_format(struct buf *out, const struct lfs_lock *l, const char *message)
{
	struct json j;

	json_init(&j);
	lfsjson_put_lock(&j, json_object(&j, j.root, "lock"), l);
	if (message)
		json_string(&j, j.root, "message", message);
	return json_format(&j, out, 0);
}

int lfsjson_lock_parse(struct lfs_lock *l, const char *text, size_t len)
{
	const cJSON *lock = NULL;
	cJSON *root = NULL;
	int rc = lfsjson_parse(&root, text, len, "answer about a lock");

	if (rc == 0)
		rc = lfsjson_get_object(&lock, root, "lock");
	if (rc == 0)
		rc = lock ? lfsjson_get_lock(l, lock)
			  : err_set(ERR_INVALID, "an answer without a lock");
	if (rc < 0)
		lfs_lock_release(l);
	cJSON_Delete(root);
	return rc;
}

/* ---- a page of locks ---- */

static void put_list(struct json *j, const char *key, const struct lfs_lock_list *l)
{
	cJSON *array = json_array(j, j->root, key);

	for (size_t i = 0; i < l->n; i++)
		lfsjson_put_lock(j, json_item(j, array), &l->v[i]);
}

void lfsjson_put_page(struct json *j, const struct lfs_lock_page *p, int verification)
{
	put_list(j, verification ? "ours" : "locks", &p->ours);
	if (verification)
		put_list(j, "theirs", &p->theirs);
	if (p->next_cursor)
		json_string(j, j->root, "next_cursor", p->next_cursor);
}

int lfsjson_lock_page_format(struct buf *out, const struct lfs_lock_page *p, int verification)
{
	struct json j;

	json_init(&j);
	lfsjson_put_page(&j, p, verification);
	return json_format(&j, out, 0);
}

/* Absent and null stand for none (what Go makes of an empty list).  1 when the member is there. */
static int get_list(struct lfs_lock_list *l, const cJSON *root, const char *key)
{
	const cJSON *array = NULL, *item;
	int rc = lfsjson_get_array(&array, root, key);

	cJSON_ArrayForEach(item, array)
	{
		struct lfs_lock *lock = rc == 0 ? list_grow(l) : NULL;

		if (rc == 0 && !lock)
			rc = ERR_NOMEM;
		if (rc == 0 && !cJSON_IsObject(item))
			rc = err_set(ERR_INVALID, "'%s' has something that is no lock", key);
		if (rc == 0)
			rc = lfsjson_get_lock(lock, item);
	}
	return rc < 0 ? rc : cJSON_GetObjectItemCaseSensitive(root, key) != NULL;
}

/* An answer that holds nothing but what went wrong, although its status said 200. */
static int refuse(const cJSON *root)
{
	char *message = NULL;
	int rc = lfsjson_get_string(&message, root, "message", LFSJSON_STRING_MAX);

	if (rc == 0 && message)
		rc = err_set(ERR_INVALID, "the server says: %s", message);
	else if (rc == 0)
		rc = err_set(ERR_INVALID, "an answer without locks");
	free(message);
	return rc;
}

int lfsjson_get_page(struct lfs_lock_page *p, const cJSON *root, int verification)
{
	int rc = get_list(&p->ours, root, verification ? "ours" : "locks");
	int listed = rc > 0;

	if (rc >= 0 && verification)
		rc = get_list(&p->theirs, root, "theirs");
	listed |= rc > 0;
	if (rc >= 0)
		rc = lfsjson_get_string(&p->next_cursor, root, "next_cursor", LFSJSON_STRING_MAX);
	return rc == 0 && !listed ? refuse(root) : rc;
}

int lfsjson_lock_page_parse(struct lfs_lock_page *p, const char *text, size_t len, int verification)
{
	cJSON *root = NULL;
	int rc = lfsjson_parse(&root, text, len, "list of locks");

	if (rc == 0)
		rc = lfsjson_get_page(p, root, verification);
	if (rc < 0)
		lfs_lock_page_release(p);
	cJSON_Delete(root);
	return rc;
}
