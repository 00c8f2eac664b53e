/*
 * Verbs that are a line or two of their own: clone, ext, standalone-file.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands/lfs/lfs.h"
#include "lib/base/err.h"
#include "lib/base/run.h"
#include "lib/setup/lfsext.h"

/* ---- clone ---- */

/* The value of "-I x", "-Ix", "--include x" or "--include=x" at argv[*i], which is moved past it;
 * NULL if there is another option. */
static const char *option_value(int argc, char **argv, int *i, const char *letter, const char *word)
{
	const char *arg = argv[*i];
	size_t len = strlen(word);

	if (strncmp(arg, word, len) == 0 && arg[len] == '=')
		return arg + len + 1;
	if (strncmp(arg, letter, 2) == 0 && arg[2] != '\0')
		return arg + 2;
	if ((strcmp(arg, letter) == 0 || strcmp(arg, word) == 0) && *i + 1 < argc)
		return argv[++*i];
	return NULL;
}

/* Our options become settings of this one `git clone`; the others are its own. */
static int clone_argv(struct strvec *git, int argc, char **argv)
{
	struct strvec rest = STRVEC_INIT;
	int rc = strvec_push(git, "git");

	for (int i = 1; rc == 0 && i < argc; i++) {
		const char *include = option_value(argc, argv, &i, "-I", "--include");
		const char *exclude =
			include != NULL ? NULL : option_value(argc, argv, &i, "-X", "--exclude");

		if (include != NULL)
			rc = strvec_push(git, "-c") ||
			     strvec_pushf(git, "lfs.fetchinclude=%s", include);
		else if (exclude != NULL)
			rc = strvec_push(git, "-c") ||
			     strvec_pushf(git, "lfs.fetchexclude=%s", exclude);
		else if (strcmp(argv[i], "--skip-repo") == 0)
			rc = strvec_pushl(git, "-c", "dvx.hooks=false", NULL);
		else
			rc = strvec_push(&rest, argv[i]);
	}
	if (rc == 0)
		rc = strvec_push(git, "clone");
	for (size_t i = 0; rc == 0 && i < rest.n; i++)
		rc = strvec_push(git, rest.v[i]);
	strvec_release(&rest);
	return rc != 0 ? ERR_NOMEM : 0;
}

int lfs_clone(struct command_ctx *ctx, int argc, char **argv)
{
	struct run r = RUN_INIT;
	int rc;

	(void)ctx;
	fputs("WARNING: `git lfs clone` is deprecated and will not be updated\n"
	      "          with new flags from `git clone`\n\n"
	      "`git clone` has been updated in upstream Git to have comparable\n"
	      "speeds to `git lfs clone`.\n",
		stderr);
	rc = clone_argv(&r.argv, argc, argv);
	if (rc == 0)
		rc = run_start(&r);
	if (rc == 0)
		rc = run_finish(&r);
	run_release(&r);
	if (rc > 0)
		rc = lfs_fail(LFS_FAILED,
			"Error(s) during clone:\n`git clone` failed: exit status %d", rc);
	return rc;
}

/* ---- ext ---- */

static void print_extension(const char *name, const struct lfsext *e)
{
	printf("Extension: %s\n    clean = %s\n    smudge = %s\n    priority = %d\n", name,
		e != NULL && e->clean != NULL ? e->clean : "",
		e != NULL && e->smudge != NULL ? e->smudge : "", e != NULL ? e->priority : 0);
}

int lfs_ext(struct command_ctx *ctx, int argc, char **argv)
{
	const struct opt options[] = {OPT_END};
	struct lfsext_list all = {.n = 0};
	int n, rc;

	if (command_options(&rc, argc, argv, options, "git lfs ext [list [<name>...]]", 0, &n))
		return rc;
	rc = command_config(ctx);
	if (rc == 0)
		rc = lfsext_load(&all, ctx->c);
	if (rc == 0 && n > 1 && strcmp(argv[1], "list") == 0) {
		for (int i = 2; i <= n; i++) {
			const struct lfsext *e = lfsext_find(&all, argv[i], strlen(argv[i]));

			print_extension(e != NULL ? e->name : "", e);
		}
	} else if (rc == 0) {
		for (int i = 0; i < all.n; i++)
			print_extension(all.v[i].name, &all.v[i]);
	}
	lfsext_release(&all);
	return rc;
}

/* ---- standalone-file ---- */

/* Become the agent; it takes the remote from what Git LFS says first. */
int lfs_standalone_file(struct command_ctx *ctx, int argc, char **argv)
{
	const struct opt options[] = {OPT_END};
	char *agent[] = {(char *)"git-dvx-transfer", (char *)"agent", NULL};
	struct buf program = BUF_INIT;
	int n, rc;

	(void)ctx;
	if (command_options(&rc, argc, argv, options, "git lfs standalone-file", 0, &n))
		return rc;
	rc = run_resolve_sibling(&program, "git-dvx-transfer");
	if (rc == 0) {
		execv(program.p, agent);
		rc = err_sys("cannot run '%s'", program.p);
	}
	buf_release(&program);
	return rc;
}
