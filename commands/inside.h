/*
 * What changed inside of a file: rows of a table, tensors of a model file - whichever its name says
 * it is.  `git dvx diff` and Git's own diff (diff-driver) print the same, here.
 */
#ifndef COMMANDS_INSIDE_H
#define COMMANDS_INSIDE_H

#include "commands/command.h"
#include "lib/table/rows.h"
#include "lib/yaml/node.h"

enum inside_kind { INSIDE_NOTHING = 0, INSIDE_ROWS, INSIDE_TENSORS };

/* By the extension of the path. */
enum inside_kind inside_kind_of(const char *path);
/* The word for messages and JSON: "rows", "tensors". */
const char *inside_word(enum inside_kind kind);

/* Two versions of a file. */
struct inside {
	const char *path; /* as it is shown */
	enum inside_kind kind;
	struct rows_file old, now;   /* fd -1: not there */
	const char *key;	     /* of rows: as rowdiff_options has it */
	const struct repo *declared; /* by which the key was found (tablekey.h); NULL: asked for */
	const char *tmp_dir;	     /* likewise */
	size_t most;		     /* rows or tensors to show; SIZE_MAX: all */
	int color;
	int apart;		  /* a blank line comes first */
	const volatile int *stop; /* may be NULL */
};

/* Print to stdout, below a line that begins with the path.  0, or a negative error: ERR_INVALID for
 * a file that is no table (or whatever its name says), before anything was printed. */
int inside_print(const struct inside *i);
int inside_print_markdown(const struct inside *i);
/* As a tree; *out is yours. */
int inside_node(struct node **out, const struct inside *i);

/* A directory for what does not fit into memory: the repository's, or NULL where it cannot be
 * written to.  Borrowed. */
const char *inside_tmp_dir(const struct command_ctx *ctx);
/* Whether Git would colour a diff on our stdout: color.diff, color.ui, and a pager that is in use.
 */
int inside_color(const struct config *c);

#endif
