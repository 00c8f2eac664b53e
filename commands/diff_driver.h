/*
 * What Git calls its diff driver with (gitdiffcore, GIT_EXTERNAL_DIFF in git(1)), and how a file's
 * difference is shown below the usual header lines.
 */
#ifndef COMMANDS_DIFF_DRIVER_H
#define COMMANDS_DIFF_DRIVER_H

#include "commands/command.h"
#include "commands/showfile.h"

/* One side, as Git names it; "/dev/null" has "." for both others. */
struct driver_side {
	const char *path;     /* where it belongs */
	const char *file;     /* where its content is */
	const char *hex;      /* its blob; zeros: not known */
	const char *mode;     /* "100644" */
	struct showfile show; /* opened */
};

struct driver {
	struct command_ctx *ctx;
	struct driver_side old, now;
	const char *renamed; /* Git's own lines of a rename or copy, or NULL */
	int color;
	int patch; /* nobody is watching: what is printed is to be applied, perhaps */
};

/* Print what Git prints for the two files itself: hunks, or that they are binary. */
int driver_print_text(const struct driver *d);
/* Print the difference of the pointers, as a patch that `git apply` takes. */
int driver_print_pointers(struct driver *d);
/* Print the difference of two texts that are data and were opened, without control characters. */
int driver_print_content(struct driver *d);
/* Append "a/path" in quotes where Git would put it so; "/dev/null" for a side that is not there. */
int driver_name(struct buf *out, char prefix, const struct driver_side *s);
/* Print "--- a/path" and "+++ b/path". */
int driver_print_names(const struct driver *d);

#endif
