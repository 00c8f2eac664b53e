/*
 * `git dvx params`: settings that stages are run with, of any state of the project.
 */
#include <string.h>

#include "commands/values.h"
#include "lib/base/err.h"

int cmd_params(struct command_ctx *ctx, int argc, char **argv)
{
	struct values_command c = {.ctx = ctx,
		.kind = VALUES_PARAMS,
		.one = "Param",
		.many = "params",
		.precision = -1};
	struct values_words words = {.v = NULL};
	int deps = 0;
	const struct opt options[] = {STATES_OPTIONS(&c.states, "show: "),
		{0, "deps", OPT_FLAG, &deps, NULL, "only what stages depend on", 0},
		VALUES_OPTIONS(
			&c, "these files, or keys of them: params.yaml:train.lr,epochs", "all"),
		OPT_END};
	int n = 0, rc = values_expand_targets(&words, &argc, argv);

	if (rc < 0 || command_options(&rc, argc, words.v, options,
			      "git dvx params show [<options>] [<revision>...] [<path>...]\n"
			      "git dvx params diff [<options>] [<revision> [<revision>]]",
			      0, &n))
		goto done;
	if (deps)
		c.kind = VALUES_DEPS;
	if (n == 0)
		rc = command_usage("what with the parameters? show or diff");
	else if (strcmp(words.v[1], "show") == 0)
		rc = values_show(&c, words.v + 2, n - 1);
	else if (strcmp(words.v[1], "diff") == 0)
		rc = values_diff(&c, words.v + 2, n - 1);
	else
		rc = command_usage(
			"unknown subcommand 'params %s'; there are show and diff", words.v[1]);
done:
	values_command_release(&c);
	values_words_release(&words);
	return rc;
}
