/*
 * Locks of a server that is reached by SSH alone (see lfs_locks.h): one request, one answer.
 * Nothing is tried again here: whether a lock was made is for the user to see.
 */
#include "lib/base/err.h"
#include "transfer/lfs/lfs_ssh_internal.h"

#include <stdlib.h>
#include <string.h>

/* A request over a connection, and the head of its answer. */
struct asked {
	struct lfs_ssh *ssh;
	struct lfs_ssh_link *link;
	struct lfsssh_head answer;
	int status;
};

static int add_arg(struct strvec *args, const char *key, const char *value)
{
	return value ? strvec_pushf(args, "%s=%s", key, value) : 0;
}

/* Send, and wait for the status.  finish() in every case. */
static int ask(struct asked *a, void *server, const char *line, const struct strvec *args)
{
	int rc;

	*a = (struct asked){.ssh = server};
	rc = lfs_ssh_acquire(a->ssh, &a->link);
	if (rc < 0)
		return rc;
	if (!a->link->has_locks)
		return err_set(ERR_UNSUPPORTED, "host '%s' has no locks", a->link->target.host);
	rc = lfsssh_message_write(&a->link->out, line, args);
	if (rc == ERR_LIMIT)
		return rc;
	if (rc < 0)
		return lfs_ssh_link_lost(a->link, rc);
	a->status = lfs_ssh_link_status(a->link, &a->answer, 0);
	return a->status < 0 ? a->status : 0;
}

static void finish(struct asked *a)
{
	lfsssh_head_release(&a->answer);
	lfs_ssh_give_back(a->ssh, a->link);
}

/* The lock that the answer is about, and then its status as an error (0: success). */
static int take_lock(struct asked *a, struct lfs_lock *out)
{
	int rc = 0;

	*out = (struct lfs_lock){.id = NULL};
	if (lfs_ssh_is_success(a->status) || (a->status == 409 && a->answer.args.n))
		rc = lfsssh_lock_parse(out, &a->answer);
	if (rc < 0)
		return lfs_ssh_link_lost(a->link, rc);
	if (lfs_ssh_is_success(a->status))
		return lfs_ssh_link_skip(a->link, &a->answer);
	return lfs_ssh_link_refused(a->link, &a->answer, a->status);
}

static int create(void *server, const struct lfs_lock_query *q, struct lfs_lock *out)
{
	struct strvec args = STRVEC_INIT;
	struct asked a = {.link = NULL};
	int rc = add_arg(&args, "path", q->path);

	if (rc == 0)
		rc = add_arg(&args, "refname", q->ref);
	if (rc == 0)
		rc = ask(&a, server, "lock", &args);
	if (rc == 0)
		rc = take_lock(&a, out);
	if (a.ssh)
		finish(&a);
	strvec_release(&args);
	return rc;
}

/* The lines about locks, as they come. */
static int read_page(struct asked *a, struct lfs_lock_page *out, int all)
{
	struct lfsssh_listing listing = {.page = out, .all = all};
	const char *cursor = lfsssh_arg(&a->answer, "next-cursor");
	struct buf line = BUF_INIT;
	size_t bytes = 0;
	int rc = 0;

	if (cursor && *cursor && !(out->next_cursor = strdup(cursor)))
		rc = err_set(ERR_NOMEM, "out of memory");
	while (rc == 0 && a->answer.has_body && (rc = lfsssh_body_line(&a->link->in, &line)) == 1) {
		bytes += line.len;
		rc = bytes > LFSSSH_PAGE_MAX
			     ? err_set(ERR_LIMIT, "a listing of locks that has no end")
			     : lfsssh_listing_line(&listing, line.p);
	}
	if (rc == 0)
		rc = lfsssh_listing_end(&listing);
	lfsssh_listing_release(&listing);
	buf_release(&line);
	return rc < 0 ? lfs_ssh_link_lost(a->link, rc) : 0;
}

static int query_args(struct strvec *args, const struct lfs_lock_query *q)
{
	int rc = add_arg(args, "path", q->path);

	if (rc == 0)
		rc = add_arg(args, "id", q->id);
	if (rc == 0)
		rc = add_arg(args, "cursor", q->cursor);
	if (rc == 0 && q->limit)
		rc = strvec_pushf(args, "limit=%u", q->limit);
	return rc < 0 ? rc : add_arg(args, "refspec", q->ref);
}

static int ask_page(
	void *server, const struct lfs_lock_query *q, struct lfs_lock_page *out, int all)
{
	struct strvec args = STRVEC_INIT;
	struct asked a = {.link = NULL};
	int rc = query_args(&args, q);

	*out = (struct lfs_lock_page){.next_cursor = NULL};
	if (rc == 0)
		rc = ask(&a, server, "list-lock", &args);
	if (rc == 0 && lfs_ssh_is_success(a.status))
		rc = read_page(&a, out, all);
	else if (rc == 0)
		rc = lfs_ssh_link_refused(a.link, &a.answer, a.status);
	if (rc < 0)
		lfs_lock_page_release(out);
	if (a.ssh)
		finish(&a);
	strvec_release(&args);
	return rc;
}

static int list(void *server, const struct lfs_lock_query *q, struct lfs_lock_page *out)
{
	return ask_page(server, q, out, 1);
}

static int verify(void *server, const struct lfs_lock_query *q, struct lfs_lock_page *out)
{
	return ask_page(server, q, out, 0);
}

static int unlock(void *server, const struct lfs_lock_query *q, struct lfs_lock *out)
{
	struct strvec args = STRVEC_INIT;
	struct buf line = BUF_INIT;
	struct asked a = {.link = NULL};
	int rc = buf_addf(&line, "unlock %s", q->id);

	if (rc == 0 && q->force)
		rc = strvec_push(&args, "force=true");
	if (rc == 0)
		rc = add_arg(&args, "refname", q->ref);
	if (rc == 0)
		rc = ask(&a, server, line.p, &args);
	if (rc == 0)
		rc = take_lock(&a, out);
	if (a.ssh)
		finish(&a);
	buf_release(&line);
	strvec_release(&args);
	return rc;
}

const struct lfs_lock_ops lfs_locks_ssh = {
	.create = create, .list = list, .verify = verify, .remove = unlock};
