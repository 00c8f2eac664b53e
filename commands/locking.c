/*
 * What the three commands about locks share.  git-dvx itself talks to no server: git-dvx-transfer
 * is asked.
 */
#include "commands/locking.h"

#include <stdlib.h>
#include <string.h>

#include "commands/transfer.h"
#include "lib/base/err.h"
#include "lib/repo/git.h"
#include "lib/setup/remotes.h"

/* The name that `git push` would give the branch there: its upstream's unless push.default says
 * otherwise. */
static int find_ref(struct buf *out, const struct repo *repo)
{
	const char *mode = config_get(repo->config, "push.default"), *merge;
	struct buf key = BUF_INIT;
	int rc = git_status_of(repo, NULL, 0, out, "symbolic-ref", "-q", "HEAD", (char *)NULL);

	if (rc < 0)
		return rc;
	buf_rtrim(out);
	if (strncmp(buf_str(out), "refs/heads/", 11) != 0 || (mode && !strcmp(mode, "current")))
		return 0;
	rc = buf_addf(&key, "branch.%s.merge", out->p + 11);
	merge = rc == 0 ? config_get(repo->config, key.p) : NULL;
	if (merge) {
		buf_reset(out);
		rc = buf_addstr(out, merge);
	}
	buf_release(&key);
	return rc;
}

int locking_begin(struct locking *l, struct command_ctx *ctx)
{
	int rc;

	l->ctx = ctx;
	rc = command_repo(ctx);
	if (rc == 0)
		rc = transfer_remote_check(ctx, l->remote);
	return rc < 0 ? rc : find_ref(&l->ref, &ctx->repo);
}

void locking_release(struct locking *l)
{
	buf_release(&l->ref);
}

int locking_path(struct buf *out, const struct locking *l, const char *typed)
{
	int rc = repo_path(out, &l->ctx->repo, typed);

	if (rc == 0 && out->len == 0)
		rc = err_set(ERR_INVALID, "'%s' is the top of the work tree, not a file", typed);
	return rc;
}

int locking_remote(char **out, const struct locking *l)
{
	struct remote_spec *spec = NULL;
	int rc = remotes_resolve(&spec, l->ctx->g, l->ctx->repo.config, l->remote, NULL);

	*out = rc == 0 ? strdup(spec->name) : NULL;
	remote_spec_free(spec);
	return rc == 0 && !*out ? err_set(ERR_NOMEM, "out of memory") : rc;
}

int locking_ask(struct lockwire_answer *answer, const struct locking *l, enum lockwire_command c,
	struct lfs_lock_query *q)
{
	const struct lockwire_options o = {.remote = l->remote};

	q->ref = l->ref.len ? l->ref.p : NULL;
	return lockwire_run(answer, c, q, &o);
}

void locking_json(struct json *j, cJSON *array, const struct lfs_lock *lock)
{
	cJSON *item = json_item(j, array);

	json_string(j, item, "id", lock->id);
	json_string(j, item, "path", lock->path);
	if (lock->owner)
		json_string(j, json_object(j, item, "owner"), "name", lock->owner);
	if (lock->locked_at)
		json_string(j, item, "locked_at", lock->locked_at);
}
