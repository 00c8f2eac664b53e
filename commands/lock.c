/*
 * `git dvx lock`: tell the others, by way of the server, that a file is being worked on; it becomes
 * writable.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "commands/locking.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/repo/lockable.h"
#include "lib/repo/lockcache.h"

/* Directories have no locks, and a misspelt name would be one that nobody ever looks for. */
static int check_file(const struct locking *l, const char *path)
{
	struct buf full = BUF_INIT;
	struct stat st;
	int rc = fs_join(&full, l->ctx->g->worktree, path);

	if (rc == 0 && lstat(full.p, &st) < 0)
		rc = err_sys("cannot lock '%s'", path);
	else if (rc == 0 && S_ISDIR(st.st_mode))
		rc = err_set(ERR_INVALID, "cannot lock '%s': it is a directory", path);
	buf_release(&full);
	return rc;
}

static void say_owner(const char *path, const struct lfs_lock *lock)
{
	if (lock->id && lock->owner && lock->locked_at)
		err_set(ERR_EXISTS, "'%s' is locked already, by '%s' since %s", path, lock->owner,
			lock->locked_at);
	else if (lock->id && lock->owner)
		err_set(ERR_EXISTS, "'%s' is locked already, by '%s'", path, lock->owner);
	else
		err_set(ERR_EXISTS, "'%s' is locked already", path);
}

/* From here on the lock is held: what fails now is told, and the lock stays. */
static int note(const struct locking *l, const struct lockwire_answer *a, const char *path)
{
	struct strvec paths = STRVEC_INIT;
	int rc = lockcache_add(&l->ctx->repo, a->remote ? a->remote : "", &a->lock);

	if (rc == 0)
		rc = strvec_push(&paths, path);
	if (rc == 0)
		rc = lockable_release(&l->ctx->repo, &paths);
	strvec_release(&paths);
	return rc < 0 ? err_prefix(rc, "'%s' is locked, but", path) : 0;
}

static int lock_one(const struct locking *l, const char *typed, struct json *j)
{
	struct lockwire_answer a = {.remote = NULL};
	struct lfs_lock_query q = {.path = NULL};
	struct buf path = BUF_INIT;
	int rc = locking_path(&path, l, typed);

	if (rc == 0)
		rc = check_file(l, path.p);
	if (rc == 0) {
		q.path = path.p;
		rc = locking_ask(&a, l, LOCKWIRE_CREATE, &q);
		if (rc == ERR_EXISTS)
			say_owner(path.p, &a.lock);
		else if (rc < 0)
			err_prefix(rc, "cannot lock '%s'", path.p);
	}
	if (rc == 0)
		rc = note(l, &a, path.p);
	if (rc >= 0 && l->as_json)
		locking_json(j, j->root, &a.lock);
	else if (rc >= 0)
		printf("Locked %s\n", path.p);
	lockwire_answer_release(&a);
	buf_release(&path);
	return rc;
}

/* Each path is tried; the worst outcome counts. */
static int lock_all(const struct locking *l, char *const *paths, int n)
{
	struct json j;
	int status = COMMAND_OK, rc = 0;

	json_init_array(&j);
	for (int i = 0; i < n && rc != ERR_INTERRUPTED; i++) {
		rc = lock_one(l, paths[i], &j);
		if (rc >= 0)
			continue;
		if (rc != ERR_INTERRUPTED)
			fprintf(stderr, "error: %s\n", err_msg());
		if (status != COMMAND_FAILED)
			status = rc == ERR_EXISTS ? COMMAND_NO : COMMAND_FAILED;
	}
	if (rc == ERR_INTERRUPTED || !l->as_json) {
		json_release(&j);
		return rc == ERR_INTERRUPTED ? rc : status;
	}
	rc = json_print(&j);
	return rc < 0 ? rc : status;
}

int cmd_lock(struct command_ctx *ctx, int argc, char **argv)
{
	struct locking l = {.ctx = ctx};
	const struct opt options[] = {
		{'r', "remote", OPT_VALUE, &l.remote, "<name>", "remote that keeps the locks", 0},
		{0, "json", OPT_FLAG, &l.as_json, NULL, "print JSON", 0}, OPT_END};
	int n, rc;

	if (command_options(&rc, argc, argv, options, "git dvx lock [<options>] <path>...", 0, &n))
		return rc;
	if (n == 0)
		return command_usage("which file?  see 'git dvx lock -h'");
	command_stop();
	rc = locking_begin(&l, ctx);
	if (rc == 0)
		rc = lock_all(&l, argv + 1, n);
	locking_release(&l);
	return rc;
}
