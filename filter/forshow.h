/*
 * Git's own diff asks the filter for content - all of both versions, in memory - before it calls
 * diff.dvx.command or diff.dvx.textconv, which need no more than pointers; and `git blame` has the
 * text that diff.dvx.textconv made of a file cleaned, as if it were the file.  Here it is told
 * whether a request is one of those.
 */
#ifndef FILTER_FORSHOW_H
#define FILTER_FORSHOW_H

#include "filter/attrask.h"
#include "lib/base/gitcommand.h"
#include "lib/setup/config.h"

struct forshow {
	int decided; /* of this process */
	enum gitcommand command;
	struct attrask ask;
};
#define FORSHOW_INIT                                                                               \
	{                                                                                          \
		.ask = ATTRASK_INIT                                                                \
	}

void forshow_release(struct forshow *s);
/* 1 if the content of `path` is wanted for our own diff driver alone, so that the pointer will do;
 * 0 if not, and in any doubt.  Not for a checkout. */
int forshow_wants_pointer(struct forshow *s, const struct config *c, const char *path);

/* 1 if what is to be cleaned as `path` is text that shall stay as it is. */
int forshow_wants_text(struct forshow *s, const struct config *c, const char *path);

#endif
