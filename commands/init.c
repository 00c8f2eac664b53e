/*
 * `git dvx init`: makes a Git repository ready - filter, hooks, and a committed `.dvxconfig` for
 * what a team shares.  May be run again at any time.
 */
#include <stdio.h>
#include <string.h>

#include "commands/command.h"
#include "commands/filter_config.h"
#include "commands/hooks_text.h"
#include "commands/init_ccds.h"
#include "hooks/install.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/pipeline/outtrack.h"
#include "lib/repo/git.h"
#include "lib/repo/textfile.h"

static const char config_file[] = ".dvxconfig";
static const char config_text[] =
	"# Settings of git-dvx that everybody who clones this repository shares.  Git "
	"configuration\n"
	"# syntax; 'git dvx remote add -d <name> <url>' writes here.  Secrets belong elsewhere.\n"
	"[dvx]\n"
	"\tversion = 1\n";

/* 1 if Git's index has the file. */
static int is_staged(const struct repo *repo)
{
	struct buf out = BUF_INIT;
	int rc = git_run(repo, NULL, 0, &out, "ls-files", "--", config_file, (char *)NULL);

	if (rc == 0)
		rc = out.len > 0;
	buf_release(&out);
	return rc;
}

/* Write the file if it is absent, stage it if Git does not know it. */
static int make_config_file(const struct repo *repo, int quiet)
{
	struct buf text = BUF_INIT;
	int rc;

	if ((rc = textfile_read(&text, repo, config_file)) < 0 || (rc = is_staged(repo)) != 0)
		goto done;
	if (!text.len && ((rc = buf_addstr(&text, config_text)) < 0 ||
				 (rc = textfile_write(&text, repo, config_file)) < 0))
		goto done;
	rc = git_run(repo, NULL, 0, NULL, "add", "-f", "--", config_file, (char *)NULL);
	if (rc == 0 && !quiet)
		printf("'%s' written and staged; commit it with your next commit.\n", config_file);
done:
	buf_release(&text);
	return rc < 0 ? rc : 0;
}

/* A project with stages: its dvx.lock is merged by stages, as the first run of a stage sets up. */
static int set_lock_merge(const struct repo *repo, int quiet)
{
	static const char attributes[] = ".gitattributes";
	struct buf path = BUF_INIT, text = BUF_INIT;
	int rc = fs_join(&path, repo->dir->worktree, "dvx.lock");

	if (rc == 0 && fs_exists(path.p)) {
		rc = textfile_read(&text, repo, attributes);
		if (rc == 0)
			rc = outtrack_lock_merge(&text);
		if (rc > 0)
			rc = textfile_write(&text, repo, attributes) < 0 ? ERR_IO : 1;
		if (rc > 0 && !quiet)
			printf("'%s' now has dvx.lock merged by stages; commit it.\n", attributes);
	}
	buf_release(&path);
	buf_release(&text);
	return rc < 0 ? rc : 0;
}

int cmd_init(struct command_ctx *ctx, int argc, char **argv)
{
	int quiet = 0, force = 0, ccds = 0, n, status, rc;
	const struct opt table[] = {
		{'f', "force", OPT_FLAG, &force, NULL, "replace other values and foreign hooks", 0},
		{0, "ccds", OPT_FLAG, &ccds, NULL,
			"also track data/ and models/, guard data/raw (Cookiecutter Data Science)",
			0},
		{'q', "quiet", OPT_FLAG, &quiet, NULL, "print warnings and errors only", 0},
		OPT_END,
	};

	if (command_options(&status, argc, argv, table, "git dvx init [<options>]", 0, &n) != 0)
		return status;
	if (n)
		return command_usage("'git dvx init' takes no arguments");
	if (!ctx->g)
		return err_set(ERR_NOTFOUND, "not a Git repository; run 'git init' first");
	if (!ctx->g->worktree)
		return err_set(ERR_INVALID,
			"'%s' is a bare repository: nothing is checked out there; run 'git dvx "
			"init' in a clone",
			ctx->g->git_dir);
	if ((rc = command_repo(ctx)) < 0)
		return rc;
	rc = filter_config_is_set(ctx->c)
		     ? filter_config_renew("--local", ctx->c)
		     : filter_config_set(
			       "--local", FILTER_CONFIG_DVX | (force ? FILTER_CONFIG_FORCE : 0));
	if (rc < 0)
		return rc;
	if (!quiet)
		printf("Initialized git-dvx in '%s'.\n", ctx->g->worktree);
	filter_config_check_path();
	if ((rc = hooks_text_install(&ctx->repo, force ? HOOKS_FORCE : 0, quiet)) < 0 ||
		(rc = make_config_file(&ctx->repo, quiet)) < 0 ||
		(rc = set_lock_merge(&ctx->repo, quiet)) < 0)
		return rc;
	return ccds ? init_ccds(&ctx->repo, quiet) : 0;
}
