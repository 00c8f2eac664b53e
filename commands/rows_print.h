/*
 * What changed inside of one file - rows of a table, tensors of a model - as text, Markdown and
 * JSON: the same for `git dvx diff`, for Git's own diff by way of the diff driver, and for `git dvx
 * trace --diff`.
 */
#ifndef COMMANDS_ROWS_PRINT_H
#define COMMANDS_ROWS_PRINT_H

#include "lib/base/buf.h"
#include "lib/table/rowdiff.h"
#include "lib/yaml/node.h"

struct rows_print {
	size_t most;	    /* rows to show; SIZE_MAX: all */
	int color;	    /* as Git colours added and removed lines */
	const char *indent; /* before each line; NULL: none */
	const char *path;   /* said before the summary, "data/x.csv: "; NULL: none */
};
enum { ROWS_PRINT_MOST = 20 };

/* The summary, the columns, then the first rows, to stdout as they come (docs/git-diff.md).  0, or
 * a negative error; what was printed by then stays. */
int rows_print_text(struct rowdiff *d, const struct rows_print *o);
/* The same in a fenced block of Markdown; `color` and `indent` are not looked at. */
int rows_print_markdown(struct rowdiff *d, const struct rows_print *o);
/* As docs/row-diff.md has it; *out is yours. */
int rows_print_node(struct node **out, struct rowdiff *d, size_t most);

#endif
