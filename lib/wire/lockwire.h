/*
 * The conversation between git-dvx and `git-dvx-transfer locks` (docs/locks.md): words on the
 * command line, one JSON document back, in the shapes of Git LFS's File Locking API.  Both halves.
 */
#ifndef LIB_WIRE_LOCKWIRE_H
#define LIB_WIRE_LOCKWIRE_H

#include "lib/wire/lfsjson.h"

enum lockwire_command { LOCKWIRE_CREATE, LOCKWIRE_LIST, LOCKWIRE_VERIFY, LOCKWIRE_REMOVE };

enum { LOCKWIRE_LOCKS_MAX = 32768 }; /* in one answer */

struct lockwire_answer {
	char *remote;	      /* as git-dvx-transfer resolved it; NULL: it could not */
	int error;	      /* 0, or negative enum err */
	char *message;	      /* of the error */
	struct lfs_lock lock; /* create, remove; with ERR_EXISTS and ERR_DENIED the lock that is
			       * in the way, if the server told (else its id is NULL) */
	struct lfs_lock_page page; /* list: `ours` alone; verify: both */
};
void lockwire_answer_release(struct lockwire_answer *a);

/* "create", "list", "verify", "remove". */
const char *lockwire_command_name(enum lockwire_command c);

/* Append the document.  0, ERR_NOMEM. */
int lockwire_format(struct buf *out, enum lockwire_command c, const struct lockwire_answer *answer);
/* 0, also for an answer that is an error; ERR_INVALID, ERR_LIMIT for what is no such document. */
int lockwire_parse(
	struct lockwire_answer *out, enum lockwire_command c, const char *text, size_t len);

struct lockwire_options {
	const char *remote;	   /* name or URL; NULL: the default */
	const char *git_remote;	   /* of the push at hand; NULL */
	const struct strvec *refs; /* verify: all of these, instead of q->ref; NULL */
};

/* Start git-dvx-transfer and wait for its answer.  q->path with LOCKWIRE_REMOVE: the lock of this
 * path.  0: done; answer->error (with err_msg()) when the answer is an error: ERR_UNSUPPORTED (no
 * locks there), ERR_EXISTS, ERR_NOTFOUND, ERR_DENIED, ERR_REMOTE…; other negative errors when there
 * was none.  Release `answer` in every case. */
int lockwire_run(struct lockwire_answer *answer, enum lockwire_command c,
	const struct lfs_lock_query *q, const struct lockwire_options *o);

#endif
