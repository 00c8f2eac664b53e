/*
 * The table of experiments: a row for the worktree, each commit that was chosen, and each
 * experiment that starts from it; a column for each metric and parameter.
 */
#ifndef COMMANDS_EXP_TABLE_H
#define COMMANDS_EXP_TABLE_H

#include "commands/exp.h"
#include "lib/metrics/values.h"
#include "lib/repo/source.h"

enum exp_row_kind { EXP_ROW_WORKSPACE, EXP_ROW_BASE, EXP_ROW_EXPERIMENT };

struct exp_row {
	enum exp_row_kind kind;
	const char *name;	    /* borrowed */
	const uint8_t *commit;	    /* borrowed; NULL: the worktree */
	const struct experiment *e; /* borrowed; NULL: none */
	int is_last;		    /* experiment of its commit */
	int64_t time;		    /* of the commit, seconds since 1970; 0: the worktree */
	struct source *src;
	struct values metrics, params;
	const struct node **cells; /* a value for each column; NULL: none */
};

struct exp_column {
	enum values_kind kind;
	char *file, *key;
	char *title;
	int hidden;
};

struct exp_table {
	struct exp_row *rows;
	size_t n_rows;
	struct exp_column *columns;
	size_t n_columns;
	/* memory of it all */
	struct exp_bases bases;
	struct source_cache *sources;
	struct values_cache *values;
};

/* All that the options choose, in order.  0 or a negative error. */
int exp_table_collect(struct exp_table *out, const struct exp_args *a);
void exp_table_release(struct exp_table *t);

#endif
