/*
 * `git dvx model`: the registry of models that the repository's tags are.  Here: the option table;
 * what writes is in model_write.c and model_register.c, what reads in model_list.c and
 * model_show.c.
 */
#include "commands/model.h"

#include <string.h>

#include "lib/base/err.h"

static const char usage[] = "git dvx model register [<options>] <name> [<path>]\n"
			    "git dvx model promote [<options>] <name> <version> <stage>\n"
			    "git dvx model demote [<options>] <name> <stage> [<version>]\n"
			    "git dvx model deprecate [<options>] <name> [<version>]\n"
			    "git dvx model list [--json | --md]\n"
			    "git dvx model show [--json | --md] <name>[@<version> | #<stage>]\n"
			    "git dvx model history [--json | --md] [<name>]\n"
			    "git dvx model at [--date <date>] [--json] <stage> [<name>]";

static const struct {
	const char *name;
	int (*fn)(struct model_args *a);
	int least, most; /* operands */
	int reads;
} subcommands[] = {{"register", model_register, 1, 2, 0}, {"promote", model_promote, 3, 3, 0},
	{"assign", model_promote, 3, 3, 0}, {"demote", model_demote, 2, 3, 0},
	{"unassign", model_demote, 2, 3, 0}, {"deprecate", model_deprecate, 1, 2, 0},
	{"list", model_list, 0, 0, 1}, {"ls", model_list, 0, 0, 1}, {"show", model_show, 1, 1, 1},
	{"history", model_history, 0, 1, 1}, {"at", model_at, 1, 2, 1}};

/* An option that a subcommand does not know must not be passed over: `list --date` would print the
 * list of today as that of then. */
static int check_options(const struct model_args *a, const char *name, size_t sub)
{
	int registers = subcommands[sub].fn == model_register, at = subcommands[sub].fn == model_at;
	int reads = subcommands[sub].reads;
	const struct {
		const char *option;
		int given, fits;
	} options[] = {{"version", a->version != NULL, registers},
		{"bump", a->bump != NULL, registers}, {"rev", a->rev != NULL, registers},
		{"force", a->force, registers}, {"message", a->message != NULL, !reads},
		{"push", a->push, !reads}, {"date", a->date != NULL, at},
		{"md", a->md, reads && !at}};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (options[i].given && !options[i].fits)
			return command_usage(
				"'model %s' has no option '--%s'; see 'git dvx model -h'", name,
				options[i].option);
	return a->json && a->md ? command_usage("only one of --json and --md can be had") : 0;
}

static int dispatch(struct model_args *a, const char *name)
{
	int rc;

	for (size_t i = 0; i < sizeof(subcommands) / sizeof(subcommands[0]); i++) {
		if (strcmp(subcommands[i].name, name) != 0)
			continue;
		if (a->n < subcommands[i].least || a->n > subcommands[i].most)
			return command_usage(
				"'model %s' takes other operands; see 'git dvx model -h'", name);
		rc = check_options(a, name, i);
		if (rc == 0)
			rc = command_repo(a->ctx);
		if (rc == 0 && subcommands[i].reads)
			rc = registry_open(&a->registry, &a->ctx->repo);
		if (rc == 0)
			rc = subcommands[i].fn(a);
		registry_free(a->registry);
		return rc;
	}
	return command_usage("'%s' is no subcommand of model; see 'git dvx model -h'", name);
}

int cmd_model(struct command_ctx *ctx, int argc, char **argv)
{
	struct model_args a = {.ctx = ctx};
	const struct opt options[] = {
		{0, "version", OPT_VALUE, &a.version, "<version>", "register: as this version", 0},
		{0, "bump", OPT_VALUE, &a.bump, "<part>",
			"register: as the next major, minor or patch version (the default)", 0},
		{0, "rev", OPT_VALUE, &a.rev, "<revision>", "register: this commit, not HEAD", 0},
		{'m', "message", OPT_VALUE, &a.message, "<text>", "message of the tag", 0},
		{0, "push", OPT_FLAG, &a.push, NULL, "push the new tag, its data first", 0},
		{'f', "force", OPT_FLAG, &a.force, NULL,
			"register: also when the model's data was not found", 0},
		{0, "date", OPT_VALUE, &a.date, "<date>",
			"at: then, not now: 2023-12-15 (its end), 2023-12-15T18:30:00Z", 0},
		{0, "json", OPT_FLAG, &a.json, NULL, "print JSON", 0},
		{0, "md", OPT_FLAG, &a.md, NULL, "list, show, history: print a Markdown table", 0},
		OPT_END};
	int n, rc;

	if (command_options(&rc, argc, argv, options, usage, 0, &n))
		return rc;
	if (n == 0)
		return command_usage("a subcommand is missing; see 'git dvx model -h'");
	a.v = argv + 2;
	a.n = n - 1;
	return dispatch(&a, argv[1]);
}
