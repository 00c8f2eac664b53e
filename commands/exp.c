/*
 * `git dvx exp`: variants of the project, run aside and compared.  Here: the option table, and what
 * works on experiments by name.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/exp.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/nearest.h"
#include "lib/repo/git.h"

static const char usage[] = "git dvx exp run [<options>] [<target>...]\n"
			    "git dvx exp show [<options>]\n"
			    "git dvx exp list [<options>] [--name-only]\n"
			    "git dvx exp diff [<options>] [<name> [<name>]]\n"
			    "git dvx exp apply [-f] <name>\n"
			    "git dvx exp branch <name> <branch>\n"
			    "git dvx exp logs <name>\n"
			    "git dvx exp remove [-A] [--queue] [<name>...]\n"
			    "git dvx exp push [-f] [<git remote>] [<name>...]\n"
			    "git dvx exp pull [-f] [<git remote>] [<name>...]";

int exp_named(const struct experiment **out, const struct exp_args *a, const char *name)
{
	struct nearest near;

	*out = experiment_find(&a->list, name, a->has_head ? a->head : NULL, a->ctx->repo.hash_len);
	if (*out)
		return 0;
	nearest_init(&near, name);
	for (size_t i = 0; i < a->list.n; i++)
		nearest_offer(&near, a->list.v[i].name);
	if (near.best)
		return err_set(ERR_NOTFOUND, "no experiment '%s'; the most similar one is '%s'",
			name, near.best);
	return err_set(ERR_NOTFOUND, "no experiment '%s'; 'git dvx exp list -A' lists them", name);
}

/* ---- list ---- */

static void print_name(const struct exp_args *a, const struct experiment *e)
{
	char hex[REPO_HEX_MAX + 1];

	if (a->name_only) {
		puts(e->name);
		return;
	}
	repo_id_hex(hex, &a->ctx->repo, e->commit);
	printf("\t%.*s [%s]", REPO_HEX_SHOWN, hex, e->name);
	if (e->state != EXPERIMENT_DONE)
		printf(" %s", experiment_state_name(e->state));
	putchar('\n');
}

static int do_list(struct exp_args *a)
{
	struct exp_bases bases = {0};
	size_t id_len = (size_t)a->ctx->repo.hash_len;
	int rc;

	if (a->n > 0)
		return command_usage("'exp list' takes no names; see 'git dvx exp -h'");
	rc = exp_bases_choose(&bases, a);
	for (size_t b = 0; rc == 0 && b < bases.n; b++) {
		int any = 0;

		for (size_t i = 0; i < a->list.n; i++) {
			if (memcmp(a->list.v[i].base, bases.v[b].commit, id_len) != 0)
				continue;
			if (!any++ && !a->name_only)
				printf("%s:\n", bases.v[b].label);
			print_name(a, &a->list.v[i]);
		}
	}
	exp_bases_release(&bases);
	return rc;
}

/* ---- apply, branch, remove, logs ---- */

static void print_lost(const struct strvec *lost)
{
	enum { NAMED = 20 };

	for (size_t i = 0; i < lost->n && i < NAMED; i++)
		fprintf(stderr, "  %s\n", lost->v[i]);
	if (lost->n > NAMED)
		fprintf(stderr, "  ... and %zu more\n", lost->n - NAMED);
}

static int do_apply(struct exp_args *a)
{
	const struct experiment *e;
	struct experiment_applied result = {0};
	int rc;

	if (a->n != 1)
		return command_usage("usage: git dvx exp apply [-f] <name>");
	rc = exp_named(&e, a, a->v[0]);
	if (rc == 0)
		rc = experiment_apply(&result, &a->ctx->repo, a->ctx->s, e, a->force);
	if (rc == ERR_CHANGED && result.lost.n > 0) {
		fputs("Not applied, for these files:\n", stderr);
		print_lost(&result.lost);
	}
	if (result.kept)
		fprintf(stderr, "note: the work tree as it was is kept as %s\n", result.kept);
	if (rc == 0 && result.pointers > 0)
		fprintf(stderr,
			"note: %zu file%s without data; 'git dvx fetch %s', then apply it "
			"again\n",
			result.pointers, result.pointers == 1 ? " is" : "s are", e->ref);
	if (rc == 0)
		printf("Changes for experiment '%s' have been applied to your current "
		       "workspace.\n",
			e->name);
	experiment_applied_release(&result);
	return rc;
}

static int do_branch(struct exp_args *a)
{
	const struct experiment *e;
	int rc;

	if (a->n != 2)
		return command_usage("usage: git dvx exp branch <name> <branch>");
	rc = exp_named(&e, a, a->v[0]);
	if (rc == 0)
		rc = experiment_branch(&a->ctx->repo, e, a->v[1]);
	if (rc == 0)
		printf("Git branch '%s' has been created from experiment '%s'.\nTo switch to the "
		       "new branch run:\n\n\tgit checkout %s\n",
			a->v[1], e->name, a->v[1]);
	return rc;
}

static int remove_one(struct exp_args *a, const struct experiment *e)
{
	int rc = experiment_remove(&a->ctx->repo, e);

	if (rc == 0)
		printf("Removed experiment '%s'\n", e->name);
	return rc;
}

/* -A: all that have run; --queue: all that wait. */
static int remove_many(struct exp_args *a)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < a->list.n; i++) {
		enum experiment_state state = a->list.v[i].state;
		int waits = state == EXPERIMENT_QUEUED;

		if (state != EXPERIMENT_RUNNING && (waits ? a->queue : a->all_commits))
			rc = remove_one(a, &a->list.v[i]);
	}
	return rc;
}

static int do_remove(struct exp_args *a)
{
	const struct experiment *e;
	int rc = 0;

	if (a->n == 0 && !a->queue && !a->all_commits)
		return command_usage("usage: git dvx exp remove [-A] [--queue] [<name>...]");
	for (int i = 0; rc == 0 && i < a->n; i++) /* all, before the first one goes */
		rc = exp_named(&e, a, a->v[i]);
	for (int i = 0; rc == 0 && i < a->n; i++) {
		rc = exp_named(&e, a, a->v[i]);
		if (rc == 0)
			rc = remove_one(a, e);
	}
	return rc == 0 ? remove_many(a) : rc;
}

static int do_logs(struct exp_args *a)
{
	const struct experiment *e;
	struct buf path = BUF_INIT, text = BUF_INIT;
	int rc;

	if (a->n != 1)
		return command_usage("usage: git dvx exp logs <name>");
	rc = exp_named(&e, a, a->v[0]);
	if (rc == 0)
		rc = experiment_log_path(&path, &a->ctx->repo, e->name);
	if (rc == 0)
		rc = buf_read_file(&text, path.p);
	if (rc == ERR_NOTFOUND && path.len > 0)
		err_set(rc, "experiment '%s' has no log; it has not been run here", e->name);
	if (rc == 0)
		fwrite(buf_str(&text), 1, text.len, stdout);
	buf_release(&path);
	buf_release(&text);
	return rc;
}

/* ---- the whole ---- */

static const struct {
	const char *name;
	int (*fn)(struct exp_args *a);
} subcommands[] = {{"apply", do_apply}, {"branch", do_branch}, {"diff", exp_diff},
	{"list", do_list}, {"logs", do_logs}, {"ls", do_list}, {"pull", exp_pull},
	{"push", exp_push}, {"remove", do_remove}, {"rm", do_remove}, {"run", exp_run},
	{"show", exp_show}};

/* What every subcommand needs; leftovers of killed runs go first. */
static int open_experiments(struct exp_args *a)
{
	int rc = command_store(a->ctx);

	if (rc == 0)
		rc = experiment_sweep(&a->ctx->repo);
	if (rc >= 0)
		rc = experiment_list_load(&a->list, &a->ctx->repo);
	if (rc == 0)
		a->has_head = git_resolve(&a->ctx->repo, "HEAD^{commit}", a->head) == 0;
	return rc;
}

static int dispatch(struct exp_args *a, const char *name)
{
	int rc;

	for (size_t i = 0; i < sizeof(subcommands) / sizeof(subcommands[0]); i++) {
		if (strcmp(subcommands[i].name, name) != 0)
			continue;
		rc = open_experiments(a);
		return rc == 0 ? subcommands[i].fn(a) : rc;
	}
	return command_usage("'%s' is no subcommand of exp; see 'git dvx exp -h'", name);
}

static int parse_and_run(struct exp_args *a, int argc, char **argv)
{
	int accepted = 0; /* DVC's: experiments run aside and print without a pager in any case */
	const struct opt options[] = {
		{'S', "set-param", OPT_LIST, &a->set, "<[file:]key=value>",
			"run: with this parameter; several values (0.1,0.01) mean several", 0},
		{'n', "name", OPT_VALUE, &a->name, "<name>", "run: call it so", 0},
		{'m', "message", OPT_VALUE, &a->message, "<text>", "run: message of its commit", 0},
		{'C', "copy-paths", OPT_LIST, &a->copies, "<path>",
			"run: copy this, which Git does not have, to where it runs", 0},
		{0, "queue", OPT_FLAG, &a->queue, NULL, "run: only queue it; remove: all that wait",
			0},
		{0, "run-all", OPT_FLAG, &a->run_all, NULL, "run: all that are queued", 0},
		{'j', "jobs", OPT_INT, &a->jobs, "<n>", "run: so many at once", 0},
		{'f', "force", OPT_FLAG, &a->force, NULL,
			"run: what did not change, too; run, push, pull: replace; apply: over "
			"changes",
			0},
		{'A', "all-commits", OPT_FLAG, &a->all_commits, NULL,
			"show, list, push, pull: of all commits; remove: all that have run", 0},
		{0, "all", OPT_FLAG, &a->all_commits, NULL, NULL, 0},
		{'a', "all-branches", OPT_FLAG, &a->all_branches, NULL,
			"show, list: of all branches' tips", 0},
		{'T', "all-tags", OPT_FLAG, &a->all_tags, NULL, "show, list: of all tags", 0},
		{0, "num", OPT_INT, &a->last, "<n>", "show, list: of the last n commits", 0},
		{0, "rev", OPT_LIST, &a->revs, "<rev>", "show, list: of this commit", 0},
		{0, "name-only", OPT_FLAG, &a->name_only, NULL, "list: names alone", 0},
		{0, "json", OPT_FLAG, &a->json, NULL, "show, diff: print JSON", 0},
		{0, "md", OPT_FLAG, &a->md, NULL, "show, diff: print a Markdown table", 0},
		{0, "csv", OPT_FLAG, &a->csv, NULL, "show: print CSV", 0},
		{0, "only-changed", OPT_FLAG, &a->only_changed, NULL,
			"show: only columns that differ", 0},
		{0, "sort-by", OPT_VALUE, &a->sort_by, "<column>", "show: in order of it", 0},
		{0, "sort-order", OPT_VALUE, &a->sort_order, "<order>",
			"show: asc (the default) or desc", 0},
		{0, "drop", OPT_VALUE, &a->drop, "<regex>", "show: without these columns", 0},
		{0, "keep", OPT_VALUE, &a->keep, "<regex>", "show: these columns, drop or not", 0},
		{0, "precision", OPT_INT, &a->precision, "<n>",
			"show, diff: significant digits, 5 without it", 0},
		{0, "temp", OPT_FLAG, &accepted, NULL, NULL, 0},
		{0, "no-pager", OPT_FLAG, &accepted, NULL, NULL, 0}, OPT_END};
	int n, rc;

	if (command_options(&rc, argc, argv, options, usage, 0, &n))
		return rc;
	if (n == 0)
		return command_usage("a subcommand is missing; see 'git dvx exp -h'");
	a->n = n - 1;
	a->v = argv + 2;
	return dispatch(a, argv[1]);
}

int cmd_exp(struct command_ctx *ctx, int argc, char **argv)
{
	struct exp_args a = {.ctx = ctx};
	int rc = parse_and_run(&a, argc, argv);

	strvec_release(&a.set);
	strvec_release(&a.copies);
	strvec_release(&a.revs);
	experiment_list_release(&a.list);
	return rc;
}
