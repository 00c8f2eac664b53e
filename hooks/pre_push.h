/*
 * pre-push: the objects of new commits are on the blob remote before the refs move.
 */
#ifndef HOOKS_PRE_PUSH_H
#define HOOKS_PRE_PUSH_H

#include "lib/base/buf.h"
#include "lib/base/strvec.h"
#include "lib/repo/repo.h"

/* What is pushed. */
struct pre_push {
	struct strvec include; /* ids */
	struct strvec exclude; /* ids that the other side has */
	struct strvec refs;    /* what they are called there, each once */
};
void pre_push_release(struct pre_push *p);
/* Read Git's lines "<local ref> <local id> <remote ref> <remote id>".  Deletions are left out.  0
 * or ERR_INVALID.  Pure. */
int pre_push_parse(struct pre_push *p, const struct buf *lines);

/* `remote` and `url` as Git gives them (without a name both are the URL); Git's lines on standard
 * input.  0: go on; 1: refuse, the reasons were printed; or a negative error. */
int pre_push_run(const struct repo *repo, const char *remote, const char *url);

#endif
