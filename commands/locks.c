/*
 * `git dvx locks`: who has locked what - as the server says, as it said last time, or as far as our
 * own locks go.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/locking.h"
#include "lib/base/err.h"
#include "lib/repo/lockcache.h"

struct locks {
	struct locking l;
	const char *path, *id;
	int limit, local, cached, verify;
	struct buf below_top; /* --path, from the top */
	struct lfs_lock_page page;
};

/* ---- getting them ---- */

static int is_wanted(const struct locks *k, const struct lfs_lock *l)
{
	return (!k->path || strcmp(k->below_top.p, l->path) == 0) &&
	       (!k->id || strcmp(k->id, l->id) == 0);
}

static int load_local(struct locks *k)
{
	struct lfs_lock_page own = {.next_cursor = NULL};
	char *remote = NULL;
	int rc = 0;

	if (k->l.remote)
		rc = locking_remote(&remote, &k->l);
	if (rc == 0 && remote)
		rc = lockcache_load(&own, &k->l.ctx->repo, remote, LOCKCACHE_OWN);
	else if (rc == 0)
		rc = lockcache_load_own(&own.ours, &k->l.ctx->repo);
	for (size_t i = 0; rc == 0 && i < own.ours.n; i++)
		if (is_wanted(k, &own.ours.v[i]) &&
			(!k->limit || k->page.ours.n < (size_t)k->limit))
			rc = lfs_lock_list_add(&k->page.ours, &own.ours.v[i]);
	lfs_lock_page_release(&own);
	free(remote);
	return rc;
}

static int load_cached(struct locks *k)
{
	char *remote = NULL;
	int rc = locking_remote(&remote, &k->l);

	if (rc == 0)
		rc = lockcache_load(&k->page, &k->l.ctx->repo, remote,
			k->verify ? LOCKCACHE_VERIFIED : LOCKCACHE_LISTED);
	free(remote);
	return rc;
}

/* Whole answers are kept. */
static int ask(struct locks *k)
{
	struct lfs_lock_query q = {
		.path = k->path ? k->below_top.p : NULL, .id = k->id, .limit = (unsigned)k->limit};
	struct lockwire_answer a = {.remote = NULL};
	int rc = locking_ask(&a, &k->l, k->verify ? LOCKWIRE_VERIFY : LOCKWIRE_LIST, &q);

	if (rc == 0 && a.remote && !q.path && !q.id && !q.limit)
		rc = lockcache_save(&k->l.ctx->repo, a.remote,
			k->verify ? LOCKCACHE_VERIFIED : LOCKCACHE_LISTED, &a.page);
	if (rc == 0) {
		k->page = a.page;
		a.page = (struct lfs_lock_page){.next_cursor = NULL};
	}
	lockwire_answer_release(&a);
	return rc < 0 ? err_prefix(rc, "cannot list locks") : 0;
}

/* ---- printing them ---- */

struct row {
	const struct lfs_lock *lock;
	int ours;
};

static int compare_rows(const void *a, const void *b)
{
	const struct lfs_lock *x = ((const struct row *)a)->lock;
	const struct lfs_lock *y = ((const struct row *)b)->lock;
	int order = strcmp(x->path, y->path);

	return order ? order : strcmp(x->id, y->id);
}

static const char *owner(const struct lfs_lock *l)
{
	return l->owner ? l->owner : "";
}

/* Names come from anywhere. */
static int print_row(const struct row *r, int verify, int path_width, int owner_width)
{
	struct buf line = BUF_INIT;
	int rc = buf_addf(&line, "%s%-*s\t%-*s\tID:%s",
		!verify	  ? ""
		: r->ours ? "O "
			  : "  ",
		path_width, r->lock->path, owner_width, owner(r->lock), r->lock->id);

	if (rc == 0)
		for (char *p = line.p; *p; p++)
			if ((unsigned char)*p < ' ' && *p != '\t')
				*p = '?';
	if (rc == 0)
		puts(line.p);
	buf_release(&line);
	return rc;
}

static int print_text(const struct locks *k)
{
	const struct lfs_lock_list *lists[] = {&k->page.ours, &k->page.theirs};
	struct row *rows = calloc(k->page.ours.n + k->page.theirs.n + 1, sizeof(*rows));
	int path_width = 0, owner_width = 0, rc = 0;
	size_t n = 0;

	if (!rows)
		return err_set(ERR_NOMEM, "out of memory");
	for (int which = 0; which < 2; which++)
		for (size_t i = 0; i < lists[which]->n; i++) {
			const struct lfs_lock *l = &lists[which]->v[i];
			int path = (int)strlen(l->path), name = (int)strlen(owner(l));

			rows[n++] = (struct row){l, which == 0};
			path_width = path > path_width ? path : path_width;
			owner_width = name > owner_width ? name : owner_width;
		}
	qsort(rows, n, sizeof(*rows), compare_rows);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = print_row(&rows[i], k->verify, path_width, owner_width);
	free(rows);
	return rc;
}

static int print_json(const struct locks *k)
{
	cJSON *array;
	struct json j;

	if (!k->verify) {
		json_init_array(&j);
		for (size_t i = 0; i < k->page.ours.n; i++)
			locking_json(&j, j.root, &k->page.ours.v[i]);
		return json_print(&j);
	}
	json_init(&j);
	array = json_array(&j, j.root, "ours");
	for (size_t i = 0; i < k->page.ours.n; i++)
		locking_json(&j, array, &k->page.ours.v[i]);
	array = json_array(&j, j.root, "theirs");
	for (size_t i = 0; i < k->page.theirs.n; i++)
		locking_json(&j, array, &k->page.theirs.v[i]);
	return json_print(&j);
}

/* ---- the command ---- */

static int check_usage(const struct locks *k)
{
	if (k->cached && (k->limit || k->path || k->id))
		return command_usage("--cached goes with neither --limit, --path nor --id");
	if (k->cached && k->local)
		return command_usage("--cached and --local exclude each other");
	if (k->verify && (k->path || k->id))
		return command_usage("--verify goes with neither --path nor --id");
	if (k->verify && k->local)
		return command_usage("--verify and --local exclude each other");
	return 0;
}

int cmd_locks(struct command_ctx *ctx, int argc, char **argv)
{
	struct locks k = {.l = {.ctx = ctx}};
	const struct opt options[] = {
		{'p', "path", OPT_VALUE, &k.path, "<path>", "the lock of this file", 0},
		{'i', "id", OPT_VALUE, &k.id, "<id>", "the lock of this id", 0},
		{'l', "limit", OPT_INT, &k.limit, "<n>", "show so many at most", 0},
		{0, "local", OPT_FLAG, &k.local, NULL, "our own, as far as known here", 0},
		{0, "cached", OPT_FLAG, &k.cached, NULL, "what the server said last time", 0},
		{0, "verify", OPT_FLAG, &k.verify, NULL, "mark our own with 'O'", 0},
		{'r', "remote", OPT_VALUE, &k.l.remote, "<name>", "remote that keeps the locks", 0},
		{0, "json", OPT_FLAG, &k.l.as_json, NULL, "print JSON", 0}, OPT_END};
	int n, rc;

	if (command_options(&rc, argc, argv, options, "git dvx locks [<options>]", 0, &n))
		return rc;
	if (n)
		return command_usage("a file is named by --path; see 'git dvx locks -h'");
	rc = check_usage(&k);
	if (rc < 0)
		return rc;
	command_stop();
	rc = locking_begin(&k.l, ctx);
	if (rc == 0 && k.path)
		rc = locking_path(&k.below_top, &k.l, k.path);
	if (rc == 0)
		rc = k.local ? load_local(&k) : k.cached ? load_cached(&k) : ask(&k);
	if (rc == 0)
		rc = k.l.as_json ? print_json(&k) : print_text(&k);
	lfs_lock_page_release(&k.page);
	buf_release(&k.below_top);
	locking_release(&k.l);
	return rc;
}
