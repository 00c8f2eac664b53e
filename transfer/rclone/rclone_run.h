/*
 * One run of the user's rclone: started by argument vector, its output read in pieces, its standard
 * error kept for our message, ended when somebody asks us to stop.
 */
#ifndef TRANSFER_RCLONE_RUN_H
#define TRANSFER_RCLONE_RUN_H

#include "lib/base/run.h"
#include "transfer/rclone/rclone_text.h"
#include "transfer/remote/remote.h"

struct rclone_run {
	struct run run;
	const struct remote *remote; /* whose stop counts */
	const struct rclone_place *place;
	int log; /* what it writes on standard error: a file in memory */
};

/* Start `rclone <verb>` with the options that every run has and these (NULL: left out), and "--".
 * 0; ERR_UNSUPPORTED: there is no rclone. */
int rclone_start(struct rclone_run *r, const struct remote *remote,
	const struct rclone_place *place, const char *verb, const char *const *options,
	const char *operand, const char *second);
/* The next bytes of its output, as many as are asked for unless it ended.  The count (0 at its
 * end), ERR_INTERRUPTED, ERR_IO. */
ssize_t rclone_read(struct rclone_run *r, void *into, size_t len);
/* Wait for it (what it still prints is dropped) and free it.  `doing` says what it was for, for the
 * message.  0, or the error that its end and words amount to. */
int rclone_end(struct rclone_run *r, const char *doing);
/* End it now; nobody wants the rest.  Fine when it was never started. */
void rclone_abort(struct rclone_run *r);

#endif
