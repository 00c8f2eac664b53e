/*
 * Locks over Git LFS's SSH protocol (see serve_lfs_internal.h), out of the repository's book.
 */
#include "lib/base/err.h"
#include "transfer/ssh/serve_lfs_internal.h"

#include <string.h>

static int open_book(struct lfs_server *s)
{
	struct buf path = BUF_INIT;
	int rc = 0;

	if (!s->locks) {
		rc = buf_addf(&path, "%s/locks", s->state.p);
		if (rc == 0)
			rc = lockbook_open(&s->locks, path.p);
	}
	buf_release(&path);
	return rc;
}

/* A body has no meaning here; some clients send an empty one. */
static int skip_body(struct lfs_server *s, struct lfsssh_head *h)
{
	int rc = h->has_body ? lfsssh_body_skip(&s->in) : 0;

	h->has_body = 0;
	return rc;
}

/* An answer about one lock, with the error at hand as its body (`message`). */
static int say_lock(
	struct lfs_server *s, const char *status, const struct lfs_lock *lock, const char *message)
{
	struct strvec args = STRVEC_INIT;
	int rc = lfsssh_lock_format(&args, lock);

	if (rc == 0)
		rc = lfsssh_head_write(&s->out, status, NULL);
	for (size_t i = 0; rc == 0 && i < args.n; i++)
		rc = pkt_write_line(&s->out, args.v[i]);
	if (rc == 0 && message)
		rc = pkt_write_delim(&s->out);
	if (rc == 0 && message)
		rc = pkt_write_line(&s->out, message);
	strvec_release(&args);
	return rc < 0 ? rc : pkt_write_flush(&s->out);
}

int serve_lfs_lock(struct lfs_server *s, struct lfsssh_head *h)
{
	const char *path = lfsssh_arg(h, "path");
	struct lfs_lock lock = {.id = NULL};
	int rc = s->may_lock ? 0 : serve_lfs_denied(s), end;

	if (rc == 0 && !path)
		rc = err_set(ERR_INVALID, "lock needs 'path=<path>'");
	if (rc == 0)
		rc = open_book(s);
	if (rc == 0)
		rc = lockbook_create(s->locks, path, s->owner, &lock);
	if (rc < 0 && !(rc == ERR_EXISTS && lock.id))
		return serve_lfs_refuse(s, h, rc);
	end = skip_body(s, h);
	if (end == 0 && rc == 0)
		end = say_lock(s, "status 201", &lock, NULL);
	else if (end == 0)
		end = say_lock(s, "status 409", &lock, "this path is locked already");
	lfs_lock_release(&lock);
	return end;
}

static int parse_query(struct lfs_lock_query *q, const struct lfsssh_head *h)
{
	uint64_t limit = 0;
	int rc = lfsssh_arg_number(&limit, h, "limit");

	*q = (struct lfs_lock_query){.path = lfsssh_arg(h, "path"),
		.id = lfsssh_arg(h, "id"),
		.cursor = lfsssh_arg(h, "cursor"),
		.limit = limit < LFS_LOCKS_LIMIT ? (unsigned)limit : LFS_LOCKS_LIMIT,
		.ref = lfsssh_arg(h, "refspec")};
	return rc < 0 ? rc : 0;
}

static int write_listing(struct lfs_server *s, const struct lfs_lock_page *page)
{
	struct buf cursor = BUF_INIT;
	int rc = lfsssh_head_write(&s->out, "status 200", NULL);

	if (rc == 0 && page->next_cursor)
		rc = buf_addf(&cursor, "next-cursor=%s", page->next_cursor);
	if (rc == 0 && page->next_cursor)
		rc = pkt_write_line(&s->out, cursor.p);
	if (rc == 0)
		rc = pkt_write_delim(&s->out);
	for (size_t i = 0; rc == 0 && i < page->ours.n; i++) {
		const struct lfs_lock *lock = &page->ours.v[i];

		rc = lfsssh_listed_write(
			&s->out, lock, lock->owner && strcmp(lock->owner, s->owner) == 0);
	}
	buf_release(&cursor);
	return rc < 0 ? rc : pkt_write_flush(&s->out);
}

int serve_lfs_list_lock(struct lfs_server *s, struct lfsssh_head *h)
{
	struct lfs_lock_page page = {.next_cursor = NULL};
	struct lfs_lock_query q;
	int rc = parse_query(&q, h);

	if (rc == 0)
		rc = open_book(s);
	if (rc == 0)
		rc = lockbook_list(s->locks, &q, &page);
	if (rc < 0) {
		rc = serve_lfs_refuse(s, h, rc);
		goto done;
	}
	rc = skip_body(s, h);
	if (rc == 0)
		rc = write_listing(s, &page);
done:
	lfs_lock_page_release(&page);
	return rc;
}

int serve_lfs_unlock(struct lfs_server *s, struct lfsssh_head *h, const char *id)
{
	const char *force = lfsssh_arg(h, "force");
	const struct lfs_lock_query q = {.id = id, .force = force && strcmp(force, "true") == 0};
	struct lfs_lock lock = {.id = NULL};
	int rc = s->may_lock ? 0 : serve_lfs_denied(s);

	if (rc == 0 && !*id)
		rc = err_set(ERR_INVALID, "unlock needs the id of a lock");
	if (rc == 0)
		rc = open_book(s);
	if (rc == 0)
		rc = lockbook_remove(s->locks, &q, s->owner, &lock);
	if (rc < 0) {
		rc = serve_lfs_refuse(s, h, rc);
		goto done;
	}
	rc = skip_body(s, h);
	if (rc == 0)
		rc = say_lock(s, "status 200", &lock, NULL);
done:
	lfs_lock_release(&lock);
	return rc;
}
