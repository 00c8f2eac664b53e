/*
 * Moving one object by HTTP as the server said ("basic" transfers; docs/lfs-client.md,
 * "Transfers"): tried again, asked about again when what the server said is over.
 */
#ifndef TRANSFER_LFS_BASIC_H
#define TRANSFER_LFS_BASIC_H

#include "transfer/lfs/lfs_batch.h"

struct lfs_job {
	const struct lfs_asker *asker;
	struct transfer_object *object;
	struct lfs_batch answer; /* about this object alone; owned */
	uint64_t travelled;	 /* out: bytes of bodies */
	uint64_t reported;	 /* to engine_progress */
	int renewed;		 /* the server was asked about it once more */
};

/* Fetch into where the object is to go, checked.  0; ERR_NOTFOUND, ERR_CORRUPT (other bytes than
 * the object's)…: nothing got a final name. */
int lfs_basic_download(struct lfs_job *j);
/* Send, and have it verified if the server wants that.  TRANSFER_OK, TRANSFER_PRESENT or an error.
 */
int lfs_basic_upload(struct lfs_job *j);
/* The verification alone: 0 also if none is wanted. */
int lfs_basic_verify(struct lfs_job *j);

/* ---- for the two directions ---- */

/* The action to perform, asked for anew if it is old.  0, and *out NULL if there is none; the
 * object's error. */
int lfs_job_action(struct lfs_job *j, enum lfs_action_kind kind, const struct lfs_action **out);
/* An attempt ended with `rc` and message: 1 to try again (after a while), or the final error.  The
 * `tries` so far are counted here. */
int lfs_job_again(struct lfs_job *j, enum lfs_action_kind kind, int rc,
	const struct http_response *response, unsigned *tries);

#endif
