/*
 * Pointer extensions of Git LFS (git-lfs-config(5), "lfs.extension.<name>"; docs/pointer.md):
 * programs of the user's that content goes through, on its way to the store and back.  Only the
 * user's own configuration counts.
 */
#ifndef LIB_SETUP_LFSEXT_H
#define LIB_SETUP_LFSEXT_H

#include "lib/setup/config.h"

enum { LFSEXT_MAX = 10 };

struct lfsext {
	char *name;
	int priority;	   /* 0 to 9: clean runs the lowest first, smudge last */
	const char *clean; /* words between spaces, "%f" for the path; borrowed from the
			    * configuration; NULL: unset */
	const char *smudge;
};

struct lfsext_list {
	struct lfsext v[LFSEXT_MAX]; /* by priority */
	int n;
};

/* 0; ERR_INVALID: two with one priority, one without or with a wrong one; ERR_LIMIT. */
int lfsext_load(struct lfsext_list *out, const struct config *c);
/* Fine on a zeroed list. */
void lfsext_release(struct lfsext_list *l);
/* NULL when there is none of that name. */
const struct lfsext *lfsext_find(const struct lfsext_list *l, const char *name, size_t len);

#endif
