/*
 * pre-push: files that somebody else has locked are not pushed (docs/locks.md, "Push").
 */
#ifndef HOOKS_PRE_PUSH_LOCKS_H
#define HOOKS_PRE_PUSH_LOCKS_H

#include "hooks/pre_push.h"

/* Ask the server about locks, as lfs.<url>.locksverify says.  `known_as`: name of the remote's
 * remote-tracking branches, NULL for none; `with_data`: pointers are pushed (else nobody is asked
 * unless files are lockable).  0: go on; 1: refuse, the reasons were printed; or a negative error.
 */
int pre_push_locks(const struct repo *repo, const struct pre_push *push, const char *git_remote,
	const char *known_as, int with_data);

#endif
