/*
 * `git dvx unlock`: give a lock back (or, forced, take somebody else's away).  A lockable file
 * becomes read-only again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/locking.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/repo/git.h"
#include "lib/repo/lockable.h"
#include "lib/repo/lockcache.h"
#include "lib/worktree/place.h"

struct unlock {
	struct locking l;
	const char *id;
	int force;
	struct json j;
};

/* What was done to the file and not committed would be lost on whoever locks it next. */
static int check_unmodified(const struct unlock *u, const char *path)
{
	struct buf text = BUF_INIT;
	int rc = git_status_of(&u->l.ctx->repo, NULL, 0, &text, "--literal-pathspecs", "status",
		"--porcelain", "-z", "--no-renames", "--", path, (char *)NULL);

	if (rc > 0)
		rc = err_set(ERR_INVALID, "'git status' failed with exit status %d", rc);
	if (rc == 0 && text.len && u->force)
		fprintf(stderr, "warning: '%s' has uncommitted changes\n", path);
	else if (rc == 0 && text.len)
		rc = err_set(ERR_INVALID,
			"'%s' has uncommitted changes; commit them, or unlock with --force", path);
	buf_release(&text);
	return rc;
}

static int check_exists(const struct unlock *u, const char *path)
{
	struct buf full = BUF_INIT;
	int rc = fs_join(&full, u->l.ctx->g->worktree, path);

	if (rc == 0 && !u->force && !fs_exists(full.p))
		rc = err_set(ERR_INVALID,
			"'%s' does not exist; to unlock it all the same, use --force", path);
	buf_release(&full);
	return rc;
}

/* From here on the lock is gone. */
static int note(const struct unlock *u, const char *remote, const char *id, const char *path)
{
	const struct repo *repo = &u->l.ctx->repo;
	struct strvec paths = STRVEC_INIT;
	int rc = 0;

	if (id)
		rc = lockcache_forget(repo, remote ? remote : "", id);
	if (rc == 0 && path)
		rc = strvec_push(&paths, path);
	if (rc == 0)
		rc = lockable_apply(repo, &paths);
	strvec_release(&paths);
	return rc < 0 ? err_prefix(rc, "the lock is removed, but") : 0;
}

static int explain(int rc, const struct lockwire_answer *a, const char *what)
{
	if (rc == ERR_DENIED && a->lock.id && a->lock.owner)
		return err_set(rc,
			"'%s' is locked by '%s'; --force removes the lock if the server allows it",
			what, a->lock.owner);
	return err_prefix(rc, "cannot unlock '%s'", what);
}

/* Our own note of a lock, when the server's answer does not say which path it was for. */
static int path_of_id(struct lfs_lock *out, const struct unlock *u, const char *id)
{
	struct lfs_lock_page own = {.next_cursor = NULL};
	int rc = lockcache_load_own(&own.ours, &u->l.ctx->repo);

	for (size_t i = 0; rc == 0 && i < own.ours.n; i++) {
		if (strcmp(own.ours.v[i].id, id) != 0 || out->id)
			continue;
		*out = own.ours.v[i];
		own.ours.v[i] = (struct lfs_lock){.id = NULL};
	}
	lfs_lock_page_release(&own);
	return rc;
}

static void report(struct unlock *u, const char *path, const char *id, int rc)
{
	cJSON *item;

	if (!u->l.as_json) {
		if (rc < 0)
			fprintf(stderr, "error: %s\n", err_msg());
		else if (path)
			printf("Unlocked %s\n", path);
		else
			printf("Unlocked lock %s\n", id);
		return;
	}
	item = json_item(&u->j, u->j.root);
	if (id)
		json_string(&u->j, item, "id", id);
	if (path)
		json_string(&u->j, item, "path", path);
	json_bool(&u->j, item, "unlocked", rc >= 0);
	if (rc < 0)
		json_string(&u->j, item, "reason", err_msg());
}

static int unlock_path(struct unlock *u, const char *typed)
{
	struct lockwire_answer a = {.remote = NULL};
	struct lfs_lock_query q = {.force = u->force};
	struct buf path = BUF_INIT;
	int rc = locking_path(&path, &u->l, typed);

	if (rc == 0)
		rc = check_exists(u, path.p);
	if (rc == 0)
		rc = check_unmodified(u, path.p);
	if (rc == 0) {
		q.path = path.p;
		rc = locking_ask(&a, &u->l, LOCKWIRE_REMOVE, &q);
		rc = rc < 0 ? explain(rc, &a, path.p) : note(u, a.remote, a.lock.id, path.p);
	}
	report(u, path.len ? path.p : typed, NULL, rc);
	lockwire_answer_release(&a);
	buf_release(&path);
	return rc;
}

static int unlock_id(struct unlock *u)
{
	struct lockwire_answer a = {.remote = NULL};
	struct lfs_lock_query q = {.id = u->id, .force = u->force};
	struct lfs_lock known = {.id = NULL};
	int rc = path_of_id(&known, u, u->id);

	if (rc == 0 && known.path && place_path_ok(known.path))
		rc = check_unmodified(u, known.path);
	if (rc == 0) {
		rc = locking_ask(&a, &u->l, LOCKWIRE_REMOVE, &q);
		rc = rc < 0 ? explain(rc, &a, u->id)
			    : note(u, a.remote, u->id, known.path ? known.path : a.lock.path);
	}
	report(u, NULL, u->id, rc);
	lockwire_answer_release(&a);
	lfs_lock_release(&known);
	return rc;
}

static int worse(int status, int rc)
{
	if (rc >= 0 || status == COMMAND_FAILED)
		return status;
	return rc == ERR_DENIED || rc == ERR_NOTFOUND ? COMMAND_NO : COMMAND_FAILED;
}

static int unlock_all(struct unlock *u, char *const *paths, int n)
{
	int status = COMMAND_OK, rc = 0;

	json_init_array(&u->j);
	if (u->id) {
		rc = unlock_id(u);
		status = worse(status, rc);
	}
	for (int i = 0; i < n && rc != ERR_INTERRUPTED; i++) {
		rc = unlock_path(u, paths[i]);
		status = worse(status, rc);
	}
	if (rc == ERR_INTERRUPTED || !u->l.as_json) {
		json_release(&u->j);
		return rc == ERR_INTERRUPTED ? rc : status;
	}
	rc = json_print(&u->j);
	return rc < 0 ? rc : status;
}

int cmd_unlock(struct command_ctx *ctx, int argc, char **argv)
{
	struct unlock u = {.l = {.ctx = ctx}};
	const struct opt options[] = {
		{'f', "force", OPT_FLAG, &u.force, NULL,
			"also another's lock, a modified file, one that is gone", 0},
		{'i', "id", OPT_VALUE, &u.id, "<id>", "the lock of this id", 0},
		{'r', "remote", OPT_VALUE, &u.l.remote, "<name>", "remote that keeps the locks", 0},
		{0, "json", OPT_FLAG, &u.l.as_json, NULL, "print JSON", 0}, OPT_END};
	int n, rc;

	if (command_options(&rc, argc, argv, options,
		    "git dvx unlock [<options>] (<path>... | --id <id>)", 0, &n))
		return rc;
	if ((n == 0) == (u.id == NULL))
		return command_usage("name either files or --id; see 'git dvx unlock -h'");
	command_stop();
	rc = locking_begin(&u.l, ctx);
	if (rc == 0)
		rc = unlock_all(&u, argv + 1, n);
	locking_release(&u.l);
	return rc;
}
