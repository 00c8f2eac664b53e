/*
 * A Git LFS server reached by nothing but SSH: git-lfs-transfer there (docs/lfs-ssh.md; Git LFS's
 * docs/proposals/ssh_adapter.md).
 */
#ifndef TRANSFER_LFS_SSH_H
#define TRANSFER_LFS_SSH_H

#include "lib/setup/lfs_endpoint.h"
#include "transfer/engine.h"
#include "transfer/lfs/lfs_locks.h"

struct lfs_ssh;

struct lfs_ssh_options { /* borrowed for the life of the connection */
	const struct config *config;
	const struct lfs_endpoint *endpoint; /* its `ssh` is set */
	const volatile int *stop;
};

/* Connect and say version 1.  0; ERR_UNSUPPORTED: there is no git-lfs-transfer (exit 127 and the
 * like), so that HTTPS is to be tried; ERR_DENIED, ERR_REMOTE: ssh itself failed. */
int lfs_ssh_open(struct lfs_ssh **out, const struct lfs_ssh_options *o);
void lfs_ssh_close(struct lfs_ssh *s);
/* Answer all open objects, or fail as a whole.  More connections are opened for more at once. */
int lfs_ssh_run(struct lfs_ssh *s, struct engine *e, enum engine_direction d,
	struct transfer_object *objects, size_t n);

#endif
