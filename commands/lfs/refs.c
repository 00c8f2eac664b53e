/*
 * Remotes and refs as Git LFS's commands take them: the remote is an operand, and a Git remote (or
 * a URL), not one of ours - which are taken all the same when the name is theirs alone.
 */
#include <string.h>

#include "commands/lfs/lfs.h"
#include "lib/base/err.h"
#include "lib/repo/git.h"
#include "lib/setup/lfs_endpoint.h"
#include "lib/setup/remotes.h"

static int is_git_remote(const struct config *c, const char *name)
{
	struct buf key = BUF_INIT;
	int known = 0;

	if (buf_addf(&key, "remote.%s.url", name) == 0)
		known = config_get(c, key.p) != NULL;
	buf_reset(&key);
	if (!known && buf_addf(&key, "remote.%s.pushurl", name) == 0)
		known = config_get(c, key.p) != NULL;
	buf_reset(&key);
	if (!known && buf_addf(&key, "remote.%s.lfsurl", name) == 0)
		known = config_get(c, key.p) != NULL;
	buf_release(&key);
	return known;
}

int lfs_use_remote(struct batch_options *o, const struct command_ctx *ctx, const char *name)
{
	if (name == NULL)
		return 0;
	if (is_git_remote(ctx->c, name) || strstr(name, "://") != NULL ||
		strchr(name, ':') != NULL || *name == '/') {
		o->git_remote = name;
		return 0;
	}
	if (*name != '\0' && remotes_setting(ctx->c, name, "url") != NULL) {
		o->remote = name;
		return 0;
	}
	return lfs_fail(LFS_FAILED,
		"Invalid remote name \"%s\": there is neither a remote of that name nor is it a "
		"URL",
		name);
}

int lfs_full_ref(struct buf *out, const struct repo *repo, const char *rev)
{
	uint8_t id[REPO_ID_MAX];
	char hex[REPO_HEX_MAX + 1];
	size_t before = out->len;
	int rc = git_resolve(repo, rev, id);

	if (rc == 0)
		rc = git_run(repo, NULL, 0, out, "rev-parse", "--symbolic-full-name", rev, NULL);
	buf_rtrim(out);
	if (rc == 0 && out->len == before) {
		repo_id_hex(hex, repo, id);
		rc = buf_addstr(out, hex);
	}
	return rc;
}

int lfs_remote_url(struct buf *out, const struct command_ctx *ctx, const struct batch_options *o)
{
	struct remote_spec *spec = NULL;
	struct lfs_endpoint *endpoint = NULL;
	int rc = remotes_resolve(&spec, ctx->g, ctx->c, o->remote, o->git_remote);

	if (rc < 0)
		goto done;
	if (spec->kind == REMOTE_LFS &&
		lfs_endpoint_find(&endpoint, ctx->g, ctx->c, spec, LFS_DOWNLOAD) == 0 &&
		endpoint->url != NULL)
		rc = buf_addstr(out, endpoint->url);
	else if (spec->path != NULL)
		rc = buf_addf(out, "file://%s", spec->path);
	else
		rc = buf_addstr(out, spec->url);
done:
	err_clear();
	lfs_endpoint_free(endpoint);
	remote_spec_free(spec);
	return rc;
}

int lfs_newest_first(struct scan_list *l)
{
	for (size_t i = 0; i < l->n / 2; i++) {
		struct scan_item item = l->v[i];

		l->v[i] = l->v[l->n - 1 - i];
		l->v[l->n - 1 - i] = item;
	}
	return scan_list_unique_oid(l);
}
