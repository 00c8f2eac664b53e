/*
 * What `git dvx metrics` and `git dvx params` have in common: values of states shown and compared
 * (lib/metrics/values.h), as tables for people, Markdown, CSV and JSON.
 */
#ifndef COMMANDS_VALUES_H
#define COMMANDS_VALUES_H

#include "commands/command.h"
#include "commands/states.h"
#include "lib/base/strmap.h"
#include "lib/metrics/valuediff.h"
#include "lib/table/table.h"

struct values_command {
	struct command_ctx *ctx;
	enum values_kind kind;
	const char *one;  /* "Metric", "Param": title of the column of names */
	const char *many; /* "metrics", "params" */
	struct states_options states;
	int json, md, csv, all, no_path;
	int ignored;	       /* --recursive: directories are looked into in any case */
	int precision;	       /* -1: not given */
	struct strvec targets; /* as they were typed */
	struct strvec paths;   /* the same from the top */
	const char *type, *select;
	/* filled by values_begin */
	struct source_cache *sources;
	struct values_cache *cache;
	struct strmap told; /* what was warned of: key -> struct told */
};

/* The options that both have; `c` is the struct values_command. */
#define VALUES_OPTIONS(c, which_targets, which_digits)                                             \
	{0, "all", OPT_FLAG, &(c)->all, NULL, "diff: also what is the same", 0},                   \
		{0, "targets", OPT_LIST, &(c)->targets, "<path>...", which_targets, 0},            \
		{'R', "recursive", OPT_FLAG, &(c)->ignored, NULL, NULL, 0},                        \
		{0, "no-path", OPT_FLAG, &(c)->no_path, NULL, "leave out the files' names", 0},    \
		{0, "precision", OPT_INT, &(c)->precision, "<n>",                                  \
			"significant digits of numbers with a fraction (" which_digits ")", 0},    \
		{0, "json", OPT_FLAG, &(c)->json, NULL, "print JSON", 0},                          \
		{0, "md", OPT_FLAG, &(c)->md, NULL, "print a Markdown table", 0},                  \
		{0, "show-md", OPT_FLAG, &(c)->md, NULL, NULL, 0},                                 \
		{0, "show-json", OPT_FLAG, &(c)->json, NULL, NULL, 0},                             \
	{                                                                                          \
		0, "csv", OPT_FLAG, &(c)->csv, NULL, "print CSV", 0                                \
	}

/* "--targets a b" takes all words up to the next option, as in DVC: *out is the command line with
 * "--targets=a --targets=b" instead. */
struct values_words {
	char **v;	      /* to be parsed, and put into another order */
	struct strvec memory; /* of the strings */
};
int values_expand_targets(struct values_words *out, int *argc, char **argv);
void values_words_release(struct values_words *w);

/* Each `operands`: further targets (show), or revisions (diff). */
int values_show(struct values_command *c, char **operands, int n);
int values_diff(struct values_command *c, char **operands, int n);
void values_command_release(struct values_command *c);

/* ---- for values_show.c and values_diff.c ---- */

/* Open what is needed, and see to it that the command line makes sense. */
int values_begin(struct values_command *c);
/* The values of a state. */
int values_of(struct values *out, struct values_command *c, const struct state *s);
/* Remember what could not be read; values_tell says it, each thing once. */
int values_note(struct values_command *c, const struct values *v);
void values_tell(const struct values_command *c);
/* Nothing that was named was found anywhere: ERR_NOTFOUND; else 0. */
int values_any(const struct values_command *c, const struct values *v, size_t n);

/* Append a value as the tables show it; NULL: `missing`. */
int values_cell(
	struct buf *out, const struct values_command *c, const struct node *n, const char *missing);
/* Print in the format that was asked for. */
int values_print(const struct values_command *c, const struct table *t);
/* Put a new value into a map that does not have the key yet; taken over, NULL is ERR_NOMEM. */
int values_put(struct node *map, const char *key, struct node *value);
/* The same of a new map, which stays yours to fill; NULL: out of memory. */
struct node *values_put_map(struct node *map, const char *key);
/* Print a whole document.  0 or ERR_NOMEM, ERR_LIMIT. */
int values_print_json(const struct node *root);

#endif
