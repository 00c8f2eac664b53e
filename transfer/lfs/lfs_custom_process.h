/*
 * A transfer agent that runs: lines to it, lines from it, its end.
 */
#ifndef TRANSFER_LFS_CUSTOM_PROCESS_H
#define TRANSFER_LFS_CUSTOM_PROCESS_H

#include "lib/base/run.h"
#include "lib/setup/config.h"

struct lfs_custom_process {
	struct run run;
	struct buf input; /* what came and is no line yet */
	size_t taken;	  /* bytes of `input` that were handed out */
	int silence_ms;
	const volatile int *stop;
};

/* lfs.customtransfer.<name>.<key> of the user's own configuration; NULL when unset or empty. */
const char *lfs_custom_setting(const struct config *c, const char *name, const char *key);

/* Start the agent of that name.  0; ERR_INVALID, ERR_UNSUPPORTED: its settings; ERR_NOTFOUND: no
 * such program; ERR_IO. */
int lfs_custom_process_start(struct lfs_custom_process *p, const struct config *c, const char *name,
	const volatile int *stop);
/* Send bytes.  0, ERR_REMOTE (it is gone, or does not listen), ERR_INTERRUPTED. */
int lfs_custom_process_send(struct lfs_custom_process *p, const struct buf *line);
/* The next line, without its end; borrowed until the next call.  0, ERR_REMOTE (it is gone, or
 * silent), ERR_LIMIT, ERR_INTERRUPTED. */
int lfs_custom_process_receive(struct lfs_custom_process *p, const char **line, size_t *len);
/* Ask it to end (`politely`), or make it.  Fine for a zeroed one. */
void lfs_custom_process_end(struct lfs_custom_process *p, int politely);

#endif
