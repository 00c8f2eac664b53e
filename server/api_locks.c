/*
 * The File Locking API (Git LFS's docs/api/locking.md).  Each repository has its locks in a
 * directory of its own, named by its path, "%" and two digits for what a file's name cannot hold.
 */
#include "server/api.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/wire/lfsjson.h"
#include "server/httptext.h"
#include "transfer/depot/lockbook.h"

enum { LIMIT_MAX = 10000 };

static const char nobody[] = "anonymous";

static const char *owner(const struct exchange *e)
{
	return *e->who.user ? e->who.user : nobody;
}

/* A name that is never "" and begins with no dot. */
static int directory_name(struct buf *out, const char *repository)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
	int rc = *repository ? 0 : buf_addch(out, '%');

	for (const char *p = repository; rc == 0 && *p; p++) {
		int fine = strchr(plain, *p) && !(p == repository && *p == '.');

		rc = fine ? buf_addch(out, *p) : buf_addf(out, "%%%02X", (unsigned char)*p);
	}
	if (rc == 0 && out->len > 255)
		rc = err_set(ERR_INVALID, "the repository's path is too long to keep locks");
	return rc;
}

/* 0, or answered. */
static int open_book(struct lockbook **out, struct exchange *e)
{
	struct buf name = BUF_INIT, path = BUF_INIT;
	int rc = directory_name(&name, e->target.repository);

	if (rc == 0)
		rc = buf_addf(&path, "%s/%s", e->server->locks, name.p);
	if (rc == 0)
		rc = lockbook_open(out, path.p);
	if (rc < 0)
		exchange_fail(e, rc, MHD_HTTP_INTERNAL_SERVER_ERROR);
	buf_release(&name);
	buf_release(&path);
	return rc;
}

/* 0, or answered. */
static int read_body(struct lfs_lock_request *r, struct exchange *e)
{
	int rc = lfsjson_lock_request_parse(r, buf_str(&e->body), e->body.len);

	if (rc < 0)
		exchange_fail(e, rc, MHD_HTTP_SERVICE_UNAVAILABLE);
	if (r->limit > LIMIT_MAX)
		r->limit = LIMIT_MAX;
	return rc;
}

static void answer_lock(
	struct exchange *e, unsigned status, const struct lfs_lock *lock, const char *message)
{
	struct buf json = BUF_INIT;
	int rc = lfsjson_lock_format(&json, lock, message);

	if (rc < 0)
		exchange_fail(e, rc, MHD_HTTP_SERVICE_UNAVAILABLE);
	else
		exchange_answer_json(e, status, &json);
	buf_release(&json);
}

static void answer_page(
	struct exchange *e, int rc, const struct lfs_lock_page *page, int verification)
{
	struct buf json = BUF_INIT;

	if (rc == 0)
		rc = lfsjson_lock_page_format(&json, page, verification);
	if (rc < 0)
		exchange_fail(e, rc, MHD_HTTP_INTERNAL_SERVER_ERROR);
	else
		exchange_answer_json(e, MHD_HTTP_OK, &json);
	buf_release(&json);
}

void api_locks_create(struct exchange *e)
{
	struct lfs_lock_request r = {.path = NULL};
	struct lfs_lock lock = {.id = NULL};
	struct lockbook *book = NULL;
	int rc;

	if (read_body(&r, e) < 0 || open_book(&book, e) < 0)
		goto done;
	rc = lockbook_create(book, r.path ? r.path : "", owner(e), &lock);
	if (rc == ERR_EXISTS)
		answer_lock(e, MHD_HTTP_CONFLICT, &lock, "the path is locked already");
	else if (rc < 0)
		exchange_fail(e, rc, MHD_HTTP_INTERNAL_SERVER_ERROR);
	else
		answer_lock(e, MHD_HTTP_CREATED, &lock, NULL);
done:
	lfs_lock_release(&lock);
	lfs_lock_request_release(&r);
	lockbook_close(book);
}

/* What the query of a listing says. */
struct list_query {
	char *path, *id, *cursor, *limit;
};

static int read_query(struct list_query *q, const struct target *t, unsigned *limit)
{
	uint64_t n = 0;
	int rc = target_query(&q->path, t, "path");

	if (rc >= 0)
		rc = target_query(&q->id, t, "id");
	if (rc >= 0)
		rc = target_query(&q->cursor, t, "cursor");
	if (rc >= 0)
		rc = target_query(&q->limit, t, "limit");
	if (rc > 0 && httptext_number(&n, q->limit) < 0)
		return err_set(ERR_INVALID, "a limit that is no number");
	*limit = n > LIMIT_MAX ? LIMIT_MAX : (unsigned)n;
	return rc < 0 ? rc : 0;
}

void api_locks_list(struct exchange *e)
{
	struct list_query text = {.path = NULL};
	struct lfs_lock_page page = {.next_cursor = NULL};
	struct lfs_lock_query q = {.path = NULL};
	struct lockbook *book = NULL;
	int rc = read_query(&text, &e->target, &q.limit);

	if (rc < 0) {
		exchange_fail(e, rc, MHD_HTTP_SERVICE_UNAVAILABLE);
		goto done;
	}
	q.path = text.path;
	q.id = text.id;
	q.cursor = text.cursor;
	if (open_book(&book, e) < 0)
		goto done;
	rc = lockbook_list(book, &q, &page);
	answer_page(e, rc, &page, 0);
done:
	free(text.path);
	free(text.id);
	free(text.cursor);
	free(text.limit);
	lfs_lock_page_release(&page);
	lockbook_close(book);
}

void api_locks_verify(struct exchange *e)
{
	struct lfs_lock_request r = {.path = NULL};
	struct lfs_lock_page page = {.next_cursor = NULL};
	struct lfs_lock_query q;
	struct lockbook *book = NULL;

	if (read_body(&r, e) < 0 || open_book(&book, e) < 0)
		goto done;
	q = (struct lfs_lock_query){.cursor = r.cursor, .limit = r.limit, .ref = r.ref};
	answer_page(e, lockbook_verify(book, &q, owner(e), &page), &page, 1);
done:
	lfs_lock_page_release(&page);
	lfs_lock_request_release(&r);
	lockbook_close(book);
}

void api_locks_remove(struct exchange *e)
{
	struct lfs_lock_request r = {.path = NULL};
	struct lfs_lock lock = {.id = NULL};
	struct lfs_lock_query q;
	struct lockbook *book = NULL;
	int rc;

	if (read_body(&r, e) < 0 || open_book(&book, e) < 0)
		goto done;
	q = (struct lfs_lock_query){.id = e->target.lock_id, .force = r.force, .ref = r.ref};
	rc = lockbook_remove(book, &q, owner(e), &lock);
	if (rc == ERR_DENIED)
		exchange_refuse(e, MHD_HTTP_FORBIDDEN,
			"'%s' is locked by %s; only force removes it", lock.path,
			lock.owner ? lock.owner : "somebody else");
	else if (rc == ERR_NOTFOUND)
		exchange_refuse(e, MHD_HTTP_NOT_FOUND, "there is no such lock");
	else if (rc < 0)
		exchange_fail(e, rc, MHD_HTTP_INTERNAL_SERVER_ERROR);
	else
		answer_lock(e, MHD_HTTP_OK, &lock, NULL);
done:
	lfs_lock_release(&lock);
	lfs_lock_request_release(&r);
	lockbook_close(book);
}
