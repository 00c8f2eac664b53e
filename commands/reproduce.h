/*
 * What `repro`, `run` and `stage add --run` have in common: stages are run and told of in DVC's
 * words, then the results are staged or committed, or the user hears how.
 */
#ifndef COMMANDS_REPRODUCE_H
#define COMMANDS_REPRODUCE_H

#include "commands/project.h"
#include "lib/pipeline/repro.h"

struct reproduce {
	struct repro_options o;
	int no_run_cache, no_commit, pull, dry_run; /* become o.execute.flags */
	int quiet, json, unignore;
	int commit;		   /* --commit */
	const char *message;	   /* of the commit; NULL: made up */
	int succeeded;		   /* out: no stage failed; what fails then is Git's part */
	const struct strvec *also; /* further paths that changed: dvx.yaml; may be NULL */
};

/* The options that all of them have; `m` is the short name of --message. */
#define REPRODUCE_OPTIONS(r, m)                                                                    \
	{0, "no-run-cache", OPT_FLAG, &(r)->no_run_cache, NULL,                                    \
		"run also what was run with the same inputs before", 0},                           \
		{0, "no-commit", OPT_FLAG, &(r)->no_commit, NULL,                                  \
			"do not put outputs into the local store", 0},                             \
		{0, "commit", OPT_FLAG, &(r)->commit, NULL, "commit the results with Git", 0},     \
		{m, "message", OPT_VALUE, &(r)->message, "<text>",                                 \
			"of the commit; means --commit", 0},                                       \
		{0, "unignore", OPT_FLAG, &(r)->unignore, NULL,                                    \
			"add lines to .gitignore that bring back outputs", 0},                     \
	{                                                                                          \
		'q', "quiet", OPT_FLAG, &(r)->quiet, NULL, "tell of errors only", 0                \
	}

/* Run these stages (and what they need, see struct repro_options). */
int reproduce(struct project *p, const struct stage_list *targets, struct reproduce *r);

#endif
