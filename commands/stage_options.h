/*
 * The options that describe a stage: what `git dvx run` and `git dvx stage add` have in common.
 */
#ifndef COMMANDS_STAGE_OPTIONS_H
#define COMMANDS_STAGE_OPTIONS_H

#include "commands/reproduce.h"
#include "lib/pipeline/stageedit.h"

struct stage_command {
	struct stage_spec spec;
	const char *old_file; /* -f load.dvc of old tutorials */
	int force;	      /* replace the stage of that name */
	int run;	      /* run it at once */
	int accepted;	      /* options of DVC that mean nothing here */
	struct reproduce r;
	/* memory of spec */
	struct buf name, line;
};

/* `f` is the short name of --force. */
#define STAGE_OPTIONS(c, f)                                                                        \
	{'n', "name", OPT_VALUE, &(c)->spec.name, "<name>", "name of the stage", 0},               \
		{'d', "deps", OPT_LIST, &(c)->spec.deps, "<path>",                                 \
			"file, directory or pattern that it depends on", 0},                       \
		{'p', "params", OPT_LIST, &(c)->spec.params, "[<file>:]<key>[,<key>...]",          \
			"parameters that it depends on (of params.yaml)", 0},                      \
		{'o', "outs", OPT_LIST, &(c)->spec.outs, "<path>", "file or directory it makes",   \
			0},                                                                        \
		{'O', "outs-no-cache", OPT_LIST, &(c)->spec.outs_no_cache, "<path>",               \
			"the same, kept by Git as it is", 0},                                      \
		{0, "outs-persist", OPT_LIST, &(c)->spec.outs_persist, "<path>",                   \
			"output that stays when the stage runs again", 0},                         \
		{0, "outs-persist-no-cache", OPT_LIST, &(c)->spec.outs_persist_no_cache, "<path>", \
			"the same, kept by Git as it is", 0},                                      \
		{'m', "metrics", OPT_LIST, &(c)->spec.metrics, "<path>",                           \
			"file of metrics that it makes", 0},                                       \
		{'M', "metrics-no-cache", OPT_LIST, &(c)->spec.metrics_no_cache, "<path>",         \
			"the same, kept by Git as it is", 0},                                      \
		{0, "plots", OPT_LIST, &(c)->spec.plots, "<path>", "file of plots that it makes",  \
			0},                                                                        \
		{0, "plots-no-cache", OPT_LIST, &(c)->spec.plots_no_cache, "<path>",               \
			"the same, kept by Git as it is", 0},                                      \
		{'w', "wdir", OPT_VALUE, &(c)->spec.wdir, "<dir>",                                 \
			"where it runs; its paths are seen from there", 0},                        \
		{0, "desc", OPT_VALUE, &(c)->spec.desc, "<text>", "description", 0},               \
		{0, "always-changed", OPT_FLAG, &(c)->spec.always_changed, NULL,                   \
			"run it even if nothing changed", 0},                                      \
		{0, "env", OPT_LIST, &(c)->spec.env_set, "<name>=<value>",                         \
			"variable that is set for the command", 0},                                \
		{0, "env-var", OPT_LIST, &(c)->spec.env_vars, "<name>",                            \
			"variable whose value it depends on", 0},                                  \
		{0, "env-file", OPT_LIST, &(c)->spec.env_files, "<path>",                          \
			"file that describes its environment", 0},                                 \
		{0, "mutex", OPT_LIST, &(c)->spec.mutex, "<name>",                                 \
			"of stages with the same mutex one runs at a time", 0},                    \
		{0, "resource", OPT_LIST, &(c)->spec.resources, "<name>=<n>",                      \
			"what it takes of a resource while it runs", 0},                           \
		{f, "force", OPT_FLAG, &(c)->force, NULL, "replace the stage of that name", 0},    \
	{                                                                                          \
		0, "external", OPT_FLAG, &(c)->accepted, NULL, NULL, 0                             \
	}

/* Write the stage into the current directory's file, and run it where `c->run`
 * says so.  `operands` are the command line, n words. */
int stage_command_do(
	struct stage_command *c, struct command_ctx *ctx, char *const *operands, size_t n);
void stage_command_release(struct stage_command *c);

#endif
