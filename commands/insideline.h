/*
 * The lines in which rows_print.c and tensors_print.c say what changed inside of a file: the same
 * colors, first line and last line for both.
 */
#ifndef COMMANDS_INSIDELINE_H
#define COMMANDS_INSIDELINE_H

#include "commands/rows_print.h"

/* Terminal codes, as Git has them for diffs. */
extern const char insideline_red[], insideline_green[], insideline_bold[], insideline_plain[];

struct insideline {
	const struct rows_print *o;
	struct buf text; /* of the line that is being made; buf_release() it at the end */
};

/* The code, or "" where there are no colors. */
const char *insideline_paint(const struct insideline *l, const char *color);
/* Print the line to stdout and begin the next one.  Always 0: what cannot be written is main()'s to
 * tell. */
int insideline_end(struct insideline *l);

/* Append a value in a color.  0 or ERR_NOMEM, as the following. */
int insideline_value(struct insideline *l, const char *color, const char *value);
/* Print the first line: the path, where one is to be said, and `summary`. */
int insideline_title(struct insideline *l, const char *summary);
/* Print "... and 12 more (--limit 0 shows all)"; `what` ("metadata ", "") says more of what. */
int insideline_rest(struct insideline *l, uint64_t n, const char *what);

#endif
