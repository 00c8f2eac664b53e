/*
 * What blobs are, asked of Git; for pointers.c.
 */
#ifndef LIB_REPO_POINTERS_ASK_H
#define LIB_REPO_POINTERS_ASK_H

#include "lib/repo/catfile.h"
#include "lib/repo/pointers.h"

/* Answer about each of `asked` (distinct blobs); a few are asked of `cat`. */
int pointers_ask(
	struct catfile *cat, const struct repo *repo, struct pointers_query *asked, size_t n);

#endif
