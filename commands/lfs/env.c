/*
 * `git lfs env`: paths and settings, line by line as Git LFS prints them.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands/lfs/lfs.h"
#include "commands/lfs/recent.h"
#include "commands/version.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/gitvalue.h"
#include "lib/setup/lfs_endpoint.h"
#include "lib/setup/remotes.h"

static const char transfers[] = "basic,lfs-standalone-file,ssh";

static const char *or_empty(const char *s)
{
	return s != NULL ? s : "";
}

static const char *truth(int on)
{
	return on ? "true" : "false";
}

/* ".git/lfs" or lfs.storage. */
static int storage_dir(struct buf *out, const struct command_ctx *ctx)
{
	const char *storage = config_get_own(ctx->c, "lfs.storage");

	return fs_join(out, ctx->g != NULL ? ctx->g->common_dir : "",
		storage != NULL && *storage != '\0' ? storage : "lfs");
}

/* ---- endpoints ---- */

struct endpoints {
	struct buf *out;
	struct command_ctx *ctx;
	const char *first; /* the default remote, named already */
};

/* "Endpoint (two)=https://… (auth=none)" and "  SSH=…"; nothing when there is none. */
static int add_endpoint(struct buf *out, const struct command_ctx *ctx, const char *remote)
{
	struct remote_spec *spec = NULL;
	struct lfs_endpoint *e = NULL;
	const char *access = NULL;
	struct buf key = BUF_INIT;
	int rc = remotes_resolve(&spec, ctx->g, ctx->c, remote, NULL);

	if (rc < 0)
		goto done;
	rc = buf_addstr(out, "Endpoint");
	if (rc == 0 && remote != NULL)
		rc = buf_addf(out, " (%s)", remote);
	if (rc == 0 && spec->kind == REMOTE_LFS &&
		(rc = lfs_endpoint_find(&e, ctx->g, ctx->c, spec, LFS_DOWNLOAD)) == 0) {
		if (e->url != NULL && (rc = buf_addf(&key, "lfs.%s.access", e->url)) == 0)
			access = config_get(ctx->c, key.p);
		rc = buf_addf(
			out, "=%s (auth=%s)\n", or_empty(e->url), access != NULL ? access : "none");
		if (rc == 0 && e->ssh != NULL)
			rc = buf_addf(out, "  SSH=%s\n", e->ssh);
	} else if (rc == 0) {
		rc = spec->path != NULL ? buf_addf(out, "=file://%s (auth=none)\n", spec->path)
					: buf_addf(out, "=%s (auth=none)\n", spec->url);
	}
done:
	lfs_endpoint_free(e);
	remote_spec_free(spec);
	buf_release(&key);
	return rc;
}

/* "remote.<name>.url" */
static int add_other_endpoint(const char *key, const char *value, void *data)
{
	struct endpoints *e = data;
	size_t len = strlen(key);
	struct buf name = BUF_INIT;
	int rc = 0;

	(void)value;
	if (len <= 11 || strncmp(key, "remote.", 7) != 0 || strcmp(key + len - 4, ".url") != 0)
		return 0;
	rc = buf_add(&name, key + 7, len - 11);
	if (rc == 0 && (e->first == NULL || strcmp(name.p, e->first) != 0) &&
		add_endpoint(e->out, e->ctx, name.p) < 0)
		err_clear(); /* a URL that no server has */
	buf_release(&name);
	return rc;
}

static int add_endpoints(struct buf *out, struct command_ctx *ctx)
{
	struct remote_spec *spec = NULL;
	struct endpoints e = {out, ctx, NULL};
	size_t before = out->len;
	int rc;

	if (remotes_resolve(&spec, ctx->g, ctx->c, NULL, NULL) == 0)
		e.first = spec->git_remote != NULL ? spec->git_remote : spec->name;
	if (add_endpoint(out, ctx, NULL) < 0) {
		buf_truncate(out, before);
		err_clear();
	}
	rc = config_each(ctx->c, add_other_endpoint, &e);
	remote_spec_free(spec);
	return rc;
}

/* ---- the rest ---- */

static int add_paths(struct buf *out, const struct command_ctx *ctx)
{
	struct buf storage = BUF_INIT;
	const struct gitdir *g = ctx->g;
	int rc = storage_dir(&storage, ctx);

	if (rc == 0)
		rc = buf_addf(out,
			"LocalWorkingDir=%s\nLocalGitDir=%s\nLocalGitStorageDir=%s\n"
			"LocalMediaDir=%s/objects\nLocalReferenceDirs=\nTempDir=%s/tmp\n",
			g != NULL ? or_empty(g->worktree) : "", g != NULL ? g->git_dir : "",
			g != NULL ? g->common_dir : "", storage.p, storage.p);
	buf_release(&storage);
	return rc;
}

static int add_settings(struct buf *out, const struct command_ctx *ctx)
{
	const struct config *c = ctx->c;
	struct recent_config r;
	struct buf storage = BUF_INIT;
	const char *prune_remote = config_get(c, "lfs.pruneremotetocheck");
	int rc = storage_dir(&storage, ctx);

	recent_config_read(&r, c);
	if (rc == 0)
		rc = buf_addf(out,
			"ConcurrentTransfers=%d\nTusTransfers=false\nBasicTransfersOnly=%s\n"
			"SkipDownloadErrors=%s\nFetchRecentAlways=%s\nFetchRecentRefsDays=%d\n"
			"FetchRecentCommitsDays=%d\nFetchRecentRefsIncludeRemotes=%s\n"
			"PruneOffsetDays=%d\nPruneVerifyRemoteAlways=%s\nPruneRemoteName=%s\n"
			"LfsStorageDir=%s\nAccessDownload=none\nAccessUpload=none\n"
			"DownloadTransfers=%s\nUploadTransfers=%s\n",
			(int)config_int(c, "lfs.concurrenttransfers", 8),
			truth(config_bool(c, "lfs.basictransfersonly", 0)),
			truth(gitvalue_lfs_env("GIT_LFS_SKIP_DOWNLOAD_ERRORS",
				config_bool(c, "lfs.skipdownloaderrors", 0))),
			truth(r.always), r.refs_days, r.commits_days, truth(r.remote_refs),
			r.prune_offset, truth(config_bool(c, "lfs.pruneverifyremotealways", 0)),
			prune_remote != NULL ? prune_remote : "origin", storage.p, transfers,
			transfers);
	buf_release(&storage);
	return rc;
}

/* "FetchInclude=a, b" */
static int add_patterns(struct buf *out, const char *name, const char *list)
{
	struct strvec patterns = STRVEC_INIT;
	int rc = pathmatch_add(&patterns, list);

	for (size_t i = 0; rc == 0 && i < patterns.n; i++)
		rc = buf_addf(
			out, "%s%s%s", i == 0 ? name : ", ", i == 0 ? "=" : "", patterns.v[i]);
	if (rc == 0 && patterns.n > 0)
		rc = buf_addch(out, '\n');
	strvec_release(&patterns);
	return rc;
}

/* Settings given by the environment may be secrets, and so may what is called like one. */
static int may_be_secret(const char *variable)
{
	static const char *const words[] = {
		"GIT_CONFIG", "TOKEN", "PASS", "SECRET", "KEY", "AUTH", "CREDENTIAL"};
	size_t len = strcspn(variable, "=");

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		const char *at = strstr(variable, words[i]);

		if (at != NULL && at < variable + len)
			return 1;
	}
	return 0;
}

static int add_environment(struct buf *out)
{
	int rc = 0;

	for (char **e = environ; rc == 0 && *e != NULL; e++)
		if (strncmp(*e, "GIT_", 4) == 0 && !may_be_secret(*e))
			rc = buf_addf(out, "%s\n", *e);
	return rc;
}

int lfs_environment(struct buf *out, struct command_ctx *ctx)
{
	int rc = command_config(ctx);

	if (rc == 0 && ctx->g != NULL)
		rc = add_endpoints(out, ctx);
	if (rc == 0)
		rc = add_paths(out, ctx);
	if (rc == 0)
		rc = add_settings(out, ctx);
	if (rc == 0)
		rc = add_patterns(out, "FetchInclude", config_get(ctx->c, "lfs.fetchinclude"));
	if (rc == 0)
		rc = add_patterns(out, "FetchExclude", config_get(ctx->c, "lfs.fetchexclude"));
	return rc == 0 ? add_environment(out) : rc;
}

int lfs_env(struct command_ctx *ctx, int argc, char **argv)
{
	static const char *const keys[] = {
		"filter.lfs.process", "filter.lfs.smudge", "filter.lfs.clean"};
	const struct opt options[] = {OPT_END};
	struct buf out = BUF_INIT;
	int n, rc;

	if (command_options(&rc, argc, argv, options, "git lfs env", 0, &n))
		return rc;
	rc = lfs_version(&out);
	if (rc == 0)
		rc = buf_addstr(&out, "\ngit version ");
	if (rc == 0)
		rc = version_git(&out);
	if (rc == 0)
		rc = buf_addstr(&out, "\n\n");
	if (rc == 0)
		rc = lfs_environment(&out, ctx);
	for (size_t i = 0; rc == 0 && i < sizeof(keys) / sizeof(keys[0]); i++)
		rc = buf_addf(&out, "git config %s = \"%s\"\n", keys[i],
			or_empty(config_get(ctx->c, keys[i])));
	if (rc == 0)
		fputs(out.p, stdout);
	buf_release(&out);
	return rc;
}
