/*
 * Attributes are Git's to evaluate: one `git check-attr --stdin` runs beside the session and is
 * asked for one attribute, path by path.
 */
#ifndef FILTER_ATTRASK_H
#define FILTER_ATTRASK_H

#include "lib/base/buf.h"
#include "lib/base/run.h"

struct attrask {
	struct run git; /* started at the first question */
	int started;
	struct buf answer;
};
#define ATTRASK_INIT                                                                               \
	{                                                                                          \
		.git = RUN_INIT                                                                    \
	}

void attrask_release(struct attrask *a);
/* The value of `attribute` (always the same one) for `path`, as check-attr prints it
 * ("unspecified", "set", "unset", or the text).  0 and *value, borrowed until the next question, or
 * a negative error. */
int attrask_value(struct attrask *a, const char *attribute, const char *path, const char **value);

#endif
