/*
 * Pointer extensions (lib/setup/lfsext.h) at work: content goes through the user's programs before
 * it is stored, and through them again before Git has it.
 */
#ifndef FILTER_EXTEND_H
#define FILTER_EXTEND_H

#include "filter/filter.h"

/* Clean: `head`, then the rest of `in`, through each program in turn; the result is stored, and its
 * pointer - with a line for each extension that changed something - appended to `out`. */
int extend_clean(struct filter *f, const char *path, const struct buf *head, struct source *in,
	struct buf *out);
/* Smudge: undo what the extensions of this pointer (`text`) did to its object, which is in the
 * store. *fd: an unnamed file with the content, to be closed.  ERR_NOTFOUND: an extension is not
 * configured; ERR_CORRUPT: a program gave back other bytes than there were. */
int extend_smudge(struct filter *f, const char *path, const void *text, size_t len, int *fd);

#endif
