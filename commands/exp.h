/*
 * What the parts of `git dvx exp` share.
 */
#ifndef COMMANDS_EXP_H
#define COMMANDS_EXP_H

#include "commands/command.h"
#include "lib/pipeline/experiment.h"

struct exp_args {
	struct command_ctx *ctx;
	/* run */
	struct strvec set, copies;
	const char *name, *message;
	int queue, run_all, jobs, force;
	/* which experiments */
	int all_commits, all_branches, all_tags;
	int last; /* commits of HEAD's history; 0: one */
	struct strvec revs;
	/* how they are shown */
	int json, md, csv, only_changed, precision, name_only;
	const char *sort_by, *sort_order, *drop, *keep;

	struct experiment_list list; /* all there are */
	uint8_t head[REPO_ID_MAX];
	int has_head;
	int n; /* operands behind the subcommand */
	char **v;
};

/* The experiment of this name.  ERR_NOTFOUND names the nearest. */
int exp_named(const struct experiment **out, const struct exp_args *a, const char *name);

/* A commit that experiments start from, as it is shown. */
struct exp_base {
	uint8_t commit[REPO_ID_MAX];
	char *label; /* branch, tag, or the beginning of its name */
};
struct exp_bases {
	struct exp_base *v;
	size_t n;
};
/* Those that the options choose (HEAD alone without any). */
int exp_bases_choose(struct exp_bases *out, const struct exp_args *a);
void exp_bases_release(struct exp_bases *b);

/* The subcommands with files of their own. */
int exp_run(struct exp_args *a);
int exp_show(struct exp_args *a);
int exp_diff(struct exp_args *a);
int exp_push(struct exp_args *a);
int exp_pull(struct exp_args *a);

#endif
