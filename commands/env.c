/*
 * `git dvx env`: where things are and how they are set up, for bug reports and for the user who
 * wonders; and `git dvx env diff`, about what stages were run in.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands/command.h"
#include "commands/env_diff.h"
#include "commands/json.h"
#include "commands/version.h"
#include "hooks/install.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/run.h"
#include "lib/setup/remotes.h"

/* Both outputs are made of the same pairs. */
struct env {
	struct command_ctx *ctx;
	int json;
	struct json j;
};

static void put(struct env *e, const char *key, const char *value)
{
	if (e->json)
		json_string(&e->j, e->j.root, key, value);
	else
		printf("%s=%s\n", key, value != NULL ? value : "");
}

static void put_config(struct env *e, const char *key)
{
	put(e, key, config_get(e->ctx->c, key));
}

static void put_sibling(struct env *e, const char *program)
{
	struct buf path = BUF_INIT;

	if (run_resolve_sibling(&path, program) < 0)
		err_clear();
	put(e, program, path.len > 0 ? buf_str(&path) : NULL);
	buf_release(&path);
}

static int put_store(struct env *e)
{
	const char *storage = config_get(e->ctx->c, "lfs.storage");
	struct buf path = BUF_INIT;
	int rc;

	rc = fs_join(&path, e->ctx->g->common_dir, storage != NULL ? storage : "lfs");
	if (rc == 0)
		rc = buf_addstr(&path, "/objects");
	put(e, "store", buf_str(&path));
	buf_release(&path);
	return rc;
}

static void put_remote(struct env *e)
{
	struct remote_spec *spec = NULL;

	if (remotes_resolve(&spec, e->ctx->g, e->ctx->c, NULL, NULL) < 0)
		err_clear();
	put(e, "remote", spec != NULL ? spec->name : NULL);
	put(e, "remote_url", spec != NULL ? spec->url : NULL);
	put(e, "remote_path", spec != NULL ? spec->path : NULL);
	remote_spec_free(spec);
}

/* "installed", "foreign" (somebody else's) or "missing". */
static const char *hook_state(const char *path, const struct buf *stub)
{
	struct buf text = BUF_INIT;
	const char *state = "missing";

	if (access(path, F_OK) == 0) {
		state = "foreign";
		if (buf_read_file(&text, path) == 0 &&
			(strcmp(buf_str(&text), buf_str(stub)) == 0 ||
				strstr(buf_str(&text), "git-dvx hook") != NULL ||
				strstr(buf_str(&text), "git dvx hook") != NULL))
			state = "installed";
		err_clear();
	}
	buf_release(&text);
	return state;
}

static int put_hooks(struct env *e)
{
	struct buf dir = BUF_INIT, path = BUF_INIT, stub = BUF_INIT, key = BUF_INIT;
	int rc = hooks_dir(&dir, &e->ctx->repo);

	if (rc == 0)
		put(e, "hooks", buf_str(&dir));
	for (size_t i = 0; rc == 0 && hooks_names[i] != NULL; i++) {
		buf_reset(&path);
		buf_reset(&stub);
		buf_reset(&key);
		rc = fs_join(&path, buf_str(&dir), hooks_names[i]);
		if (rc == 0)
			rc = hooks_stub(&stub, hooks_names[i]);
		if (rc == 0)
			rc = buf_addf(&key, "hook.%s", hooks_names[i]);
		if (rc == 0)
			put(e, buf_str(&key), hook_state(buf_str(&path), &stub));
	}
	buf_release(&dir);
	buf_release(&path);
	buf_release(&stub);
	buf_release(&key);
	return rc;
}

static int put_repository(struct env *e)
{
	const char *refused;
	int rc;

	put(e, "worktree", e->ctx->g->worktree);
	put(e, "git_dir", e->ctx->g->git_dir);
	put(e, "common_dir", e->ctx->g->common_dir);
	put(e, "index", e->ctx->g->index);
	put(e, "dvx_dir", e->ctx->g->dvx_dir);
	rc = put_store(e);
	put_remote(e);
	if (rc == 0)
		rc = put_hooks(e);
	refused = config_refused(e->ctx->c);
	if (e->json)
		put(e, "refused", refused);
	if (refused != NULL)
		fprintf(stderr,
			"warning: settings that a file in the tree must not make were ignored: "
			"%s\n",
			refused);
	return rc;
}

static int diff(struct command_ctx *ctx, char *const *operands, int n, enum env_diff_format format)
{
	int rc;

	if (ctx->g == NULL)
		return err_set(
			ERR_NOTFOUND, "not a git repository (or any of the parent directories)");
	rc = command_repo(ctx);
	return rc == 0 ? env_diff(ctx, operands, n, format) : rc;
}

int cmd_env(struct command_ctx *ctx, int argc, char **argv)
{
	static const char *const keys[] = {"filter.dvx.process", "filter.dvx.clean",
		"filter.dvx.smudge", "filter.dvx.required", "filter.lfs.process",
		"merge.dvx.driver", "dvx.remote", "dvx.rehydrate", "dvx.link", "dvx.smallObjects",
		"dvx.minSize", "dvx.jobs", "lfs.storage"};
	struct env e = {.ctx = ctx};
	int md = 0;
	const struct opt options[] = {{0, "json", OPT_FLAG, &e.json, NULL, "print JSON", 0},
		{0, "md", OPT_FLAG, &md, NULL, "diff: print a Markdown table", 0}, OPT_END};
	struct buf line = BUF_INIT;
	int n, rc;

	if (command_options(
		    &rc, argc, argv, options, "git dvx env [--json]\n" ENV_DIFF_USAGE, 0, &n))
		return rc;
	if (n > 0 && strcmp(argv[1], "diff") == 0)
		return diff(ctx, argv + 2, n - 1,
			e.json ? ENV_DIFF_JSON
			: md   ? ENV_DIFF_MARKDOWN
			       : ENV_DIFF_TEXT);
	if (n > 0)
		return command_usage("unknown subcommand 'env %s'; there is diff", argv[1]);
	rc = ctx->g != NULL ? command_repo(ctx) : command_config(ctx);
	if (rc == 0)
		rc = version_line(&line);
	if (rc < 0)
		goto done;
	if (e.json)
		json_init(&e.j);
	put(&e, "version", buf_str(&line));
	put_sibling(&e, "git-dvx-filter");
	put_sibling(&e, "git-dvx-transfer");
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		put_config(&e, keys[i]);
	if (ctx->g != NULL)
		rc = put_repository(&e);
	if (e.json && rc == 0)
		rc = json_print(&e.j);
	else if (e.json)
		cJSON_Delete(e.j.root);
done:
	buf_release(&line);
	return rc;
}
