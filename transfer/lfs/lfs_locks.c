/*
 * `git-dvx-transfer locks`: what git-dvx asks about locks (docs/locks.md).  Finds the way to the
 * remote's lock server - SSH, else HTTPS, or the book in a local repository -, asks, gathers all
 * pages, and prints one JSON document.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/opt.h"
#include "lib/wire/lockwire.h"
#include "transfer/frontend.h"
#include "transfer/lfs/lfs_locks.h"
#include "transfer/lfs/lfs_locks_book.h"
#include "transfer/lfs/lfs_ssh.h"
#include "transfer/subcommands.h"

enum { PAGES_MAX = 4096 };

/* ---- the way to a server ---- */

struct way {
	const struct lfs_lock_ops *ops;
	void *server;
	struct lfs_endpoint *endpoint;
	struct lfs_client *client;
	struct lfs_ssh *ssh;
	struct lockbook *book;
};

static void way_close(struct way *w)
{
	lockbook_close(w->book);
	lfs_client_free(w->client);
	lfs_ssh_close(w->ssh);
	lfs_endpoint_free(w->endpoint);
}

static int open_https(struct way *w, const struct engine *e)
{
	const struct lfs_client_options o = {.git = e->git,
		.config = e->config,
		.endpoint = w->endpoint,
		.stop = &frontend_stop};
	int rc;

	if (!w->endpoint->url)
		return err_set(ERR_UNSUPPORTED,
			"remote '%s' has a transfer agent and no server, so it keeps no locks",
			e->spec->name);
	rc = lfs_client_new(&w->client, &o);
	w->ops = &lfs_locks_http;
	w->server = w->client;
	return rc;
}

static int open_server(struct way *w, const struct engine *e, enum lfs_operation operation)
{
	struct lfs_ssh_options o = {.config = e->config, .stop = &frontend_stop};
	int rc = lfs_endpoint_find(&w->endpoint, e->git, e->config, e->spec, operation);

	if (rc < 0 || !w->endpoint->ssh)
		return rc < 0 ? rc : open_https(w, e);
	o.endpoint = w->endpoint;
	rc = lfs_ssh_open(&w->ssh, &o);
	if (rc == ERR_UNSUPPORTED)
		return open_https(w, e);
	w->ops = &lfs_locks_ssh;
	w->server = w->ssh;
	return rc;
}

static int way_open(struct way *w, const struct engine *e, enum lockwire_command c)
{
	int rc;

	if (e->spec->kind == REMOTE_LFS)
		return open_server(w, e, c == LOCKWIRE_LIST ? LFS_DOWNLOAD : LFS_UPLOAD);
	if (e->spec->kind != REMOTE_GITDIR)
		return err_set(ERR_UNSUPPORTED,
			"remote '%s' is a blob store, which keeps no locks; a Git LFS server and a "
			"local Git repository do: name one by '-r'",
			e->spec->name);
	rc = lfs_locks_book_open(&w->book, e->spec);
	w->ops = &lfs_locks_book;
	w->server = w->book;
	return rc;
}

/* ---- asking ---- */

/* Not every server honours every filter. */
static int is_asked_for(const struct lfs_lock_query *q, const struct lfs_lock *l)
{
	return (!q->path || strcmp(q->path, l->path) == 0) && (!q->id || strcmp(q->id, l->id) == 0);
}

static int take(struct lfs_lock_list *all, const struct lfs_lock_list *from,
	const struct lfs_lock_query *q, unsigned limit)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < from->n && (!limit || all->n < limit); i++) {
		if (all->n >= LOCKWIRE_LOCKS_MAX)
			return err_set(ERR_LIMIT, "more than %d locks", LOCKWIRE_LOCKS_MAX);
		if (is_asked_for(q, &from->v[i]))
			rc = lfs_lock_list_add(all, &from->v[i]);
	}
	return rc;
}

/* The next page's cursor, in memory of its own; a server that gives the same one for ever is not
 * followed. */
static int go_on(char **cursor, struct lfs_lock_page *page)
{
	if (*cursor && page->next_cursor && strcmp(*cursor, page->next_cursor) == 0)
		return err_set(ERR_REMOTE, "the server's list of locks does not end");
	free(*cursor);
	*cursor = page->next_cursor;
	page->next_cursor = NULL;
	return 0;
}

/* All pages, or as many as give `limit` locks. */
static int gather(const struct way *w, enum lockwire_command c, const struct lfs_lock_query *asked,
	struct lfs_lock_page *all)
{
	struct lfs_lock_query q = *asked;
	char *cursor = NULL;
	int rc = 0;

	for (int i = 0; rc == 0; i++) {
		struct lfs_lock_page page = {.next_cursor = NULL};

		q.cursor = cursor;
		if (frontend_stop)
			rc = err_set(ERR_INTERRUPTED, "interrupted");
		else if (i == PAGES_MAX)
			rc = err_set(ERR_LIMIT, "more than %d pages of locks", PAGES_MAX);
		else if (c == LOCKWIRE_VERIFY)
			rc = w->ops->verify(w->server, &q, &page);
		else
			rc = w->ops->list(w->server, &q, &page);
		if (rc == 0)
			rc = take(&all->ours, &page.ours, asked, asked->limit);
		if (rc == 0)
			rc = take(&all->theirs, &page.theirs, asked, asked->limit);
		if (rc == 0)
			rc = go_on(&cursor, &page);
		lfs_lock_page_release(&page);
		if (!cursor || (asked->limit && all->ours.n + all->theirs.n >= asked->limit))
			break;
	}
	free(cursor);
	return rc;
}

/* Remove by path: the server knows locks by their ids only. */
static int remove_by_path(
	const struct way *w, const struct lfs_lock_query *asked, struct lockwire_answer *a)
{
	const struct lfs_lock_query search = {.path = asked->path, .ref = asked->ref};
	struct lfs_lock_query q = *asked;
	struct lfs_lock_page found = {.next_cursor = NULL};
	int rc = gather(w, LOCKWIRE_LIST, &search, &found);

	if (rc == 0 && found.ours.n == 0)
		rc = err_set(ERR_NOTFOUND, "'%s' is not locked", asked->path);
	if (rc == 0 && found.ours.n > 1)
		rc = err_set(ERR_INVALID, "'%s' has %zu locks; name one by '--id'", asked->path,
			found.ours.n);
	if (rc == 0) {
		q.id = found.ours.v[0].id;
		rc = w->ops->remove(w->server, &q, &a->lock);
	}
	/* Whose lock it was, when the removal does not say. */
	if (found.ours.n == 1 && !a->lock.id && (rc == 0 || rc == ERR_DENIED)) {
		a->lock = found.ours.v[0];
		found.ours.v[0] = (struct lfs_lock){.id = NULL};
	}
	lfs_lock_page_release(&found);
	return rc;
}

/* A lock that holds for several refs is told once for each. */
static void drop_repeated(struct lfs_lock_list *l, size_t known)
{
	size_t kept = known;

	for (size_t i = known; i < l->n; i++) {
		size_t same = 0;

		while (same < known && strcmp(l->v[same].id, l->v[i].id) != 0)
			same++;
		if (same < known)
			lfs_lock_release(&l->v[i]);
		else
			l->v[kept++] = l->v[i];
	}
	l->n = kept;
}

/* A verification for each ref, on one connection. */
static int verify_refs(const struct way *w, const struct lfs_lock_query *asked,
	const struct strvec *refs, struct lfs_lock_page *all)
{
	struct lfs_lock_query q = *asked;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < (refs->n ? refs->n : 1); i++) {
		size_t ours = all->ours.n, theirs = all->theirs.n;

		q.ref = refs->n ? refs->v[i] : NULL;
		rc = gather(w, LOCKWIRE_VERIFY, &q, all);
		drop_repeated(&all->ours, ours);
		drop_repeated(&all->theirs, theirs);
	}
	return rc;
}

static int ask(const struct way *w, enum lockwire_command c, const struct lfs_lock_query *q,
	const struct strvec *refs, struct lockwire_answer *a)
{
	switch (c) {
	case LOCKWIRE_CREATE:
		return w->ops->create(w->server, q, &a->lock);
	case LOCKWIRE_REMOVE:
		return q->id ? w->ops->remove(w->server, q, &a->lock) : remove_by_path(w, q, a);
	case LOCKWIRE_VERIFY:
		return verify_refs(w, q, refs, &a->page);
	default:
		return gather(w, c, q, &a->page);
	}
}

static int work(struct lockwire_answer *a, enum lockwire_command c, const struct lfs_lock_query *q,
	const struct strvec *refs, const struct frontend_options *o)
{
	struct way w = {.ops = NULL};
	struct engine e;
	int rc = frontend_open(&e, o);

	if (rc == 0)
		rc = frontend_resolve(&e, o, NULL);
	/* The hint of other commands, a blob remote, would not do; and nothing was asked, so it is
	 * no "not locked". */
	if (rc == ERR_NOTFOUND && !o->remote && !o->git_remote &&
		!config_get(e.config, "dvx.remote"))
		rc = err_set(ERR_INVALID, "no remote that keeps locks is configured; run 'git "
					  "remote add origin URL'");
	if (rc == 0) {
		a->remote = strdup(e.spec->name);
		rc = a->remote ? way_open(&w, &e, c) : err_set(ERR_NOMEM, "out of memory");
	}
	if (rc == 0)
		rc = ask(&w, c, q, refs, a);
	if (rc < 0) {
		a->error = rc;
		a->message = strdup(err_msg());
		lfs_lock_page_release(&a->page);
	}
	way_close(&w);
	frontend_close(&e);
	return rc;
}

/* ---- the command line ---- */

static int check_usage(enum lockwire_command c, const struct lfs_lock_query *q)
{
	if (c == LOCKWIRE_CREATE && !q->path)
		return err_set(ERR_INVALID, "'create' needs '--path'");
	if (c == LOCKWIRE_REMOVE && !q->path == !q->id)
		return err_set(ERR_INVALID, "'remove' needs either '--path' or '--id'");
	return 0;
}

static int print(const struct lockwire_answer *a, enum lockwire_command c)
{
	struct buf text = BUF_INIT;
	int rc = lockwire_format(&text, c, a);

	if (rc == 0)
		rc = buf_addch(&text, '\n');
	if (rc == 0)
		rc = fs_write_full(STDOUT_FILENO, text.p, text.len);
	buf_release(&text);
	return rc;
}

static int find_command(enum lockwire_command *c, const char *name)
{
	for (int i = LOCKWIRE_CREATE; i <= LOCKWIRE_REMOVE; i++) {
		*c = (enum lockwire_command)i;
		if (strcmp(lockwire_command_name(*c), name) == 0)
			return 1;
	}
	return 0;
}

int locks_main(int argc, char **argv)
{
	static const char usage[] =
		"git-dvx-transfer locks [<options>] (create | list | verify | remove)";
	struct frontend_options o = {.jobs = 0};
	struct lockwire_answer answer = {.remote = NULL};
	struct lfs_lock_query q = {.path = NULL};
	enum lockwire_command c = LOCKWIRE_LIST;
	struct strvec refs = STRVEC_INIT;
	int limit = 0, n = 0, rc, printed;
	const struct opt table[] = {
		{'r', "remote", OPT_VALUE, &o.remote, "<name>",
			"remote to use instead of the default", 0},
		{0, "git-remote", OPT_VALUE, &o.git_remote, "<name>",
			"Git remote of the push at hand", 0},
		{0, "ref", OPT_LIST, &refs, "<name>",
			"full name of the Git ref at hand; 'verify': may be given again", 0},
		{0, "path", OPT_VALUE, &q.path, "<path>", "of the lock, from the top", 0},
		{0, "id", OPT_VALUE, &q.id, "<id>", "of the lock", 0},
		{0, "limit", OPT_INT, &limit, "<n>", "print no more locks than this", 0},
		{0, "force", OPT_FLAG, &q.force, NULL, "remove another's lock", 0},
		OPT_END,
	};

	rc = opt_parse(argc, argv, table, usage, 0, &n);
	if (rc > 0) {
		strvec_release(&refs);
		return 0;
	}
	if (rc == 0 && (n != 1 || !find_command(&c, argv[1])))
		rc = err_set(ERR_INVALID, "say 'create', 'list', 'verify' or 'remove'; see "
					  "'git-dvx-transfer locks -h'");
	if (rc == 0)
		rc = check_usage(c, &q);
	if (rc < 0) {
		fprintf(stderr, "error: %s\n", err_msg());
		strvec_release(&refs);
		return 129;
	}
	q.limit = (unsigned)limit;
	q.ref = refs.n ? refs.v[0] : NULL;
	rc = work(&answer, c, &q, &refs, &o);
	printed = print(&answer, c);
	lockwire_answer_release(&answer);
	strvec_release(&refs);
	if (rc == ERR_INTERRUPTED)
		return 130;
	return rc < 0 || printed < 0 ? 128 : 0;
}
