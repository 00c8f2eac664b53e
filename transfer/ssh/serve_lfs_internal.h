/*
 * The server of docs/lfs-ssh.md: what its loop (serve_lfs.c) and its answers (serve_lfs_objects.c,
 * serve_lfs_locks.c) share.  It does one request at a time; a client that wants more at once starts
 * more of them.
 */
#ifndef TRANSFER_SERVE_LFS_INTERNAL_H
#define TRANSFER_SERVE_LFS_INTERNAL_H

#include "lib/wire/lfsssh.h"
#include "transfer/depot/depot.h"
#include "transfer/depot/lockbook.h"

struct lfs_server {
	char *repository;      /* its common Git directory */
	struct buf state;      /* what we keep of our own beside it */
	struct config *config; /* the user's; not the repository's */
	const char *owner;     /* whose locks are "ours" */
	int upload;	       /* the operation that was asked for */
	int may_put, may_lock;
	int read_only;		/* why they may not */
	struct depot *depot;	/* NULL: nobody has asked for an object yet */
	struct lockbook *locks; /* NULL: nor for a lock */
	struct pkt_reader in;
	struct pkt_writer out;
};

/* Functions that answer a request return 0 when there may be another, or a negative error that ends
 * the connection: it cannot be read or written any more, or part of an answer has gone. */

/* Whoever reads the body of a request to its end sets h->has_body to 0. */

/* Read what is left of the request, and answer with the error at hand: with the status that stands
 * for `rc`, or with that one. */
int serve_lfs_refuse(struct lfs_server *s, struct lfsssh_head *h, int rc);
int serve_lfs_refuse_as(struct lfs_server *s, struct lfsssh_head *h, int status);
/* Why nothing may be written here. */
int serve_lfs_denied(const struct lfs_server *s);

int serve_lfs_batch(struct lfs_server *s, struct lfsssh_head *h);
int serve_lfs_get(struct lfs_server *s, struct lfsssh_head *h, const char *oid);
int serve_lfs_put(struct lfs_server *s, struct lfsssh_head *h, const char *oid);
int serve_lfs_verify(struct lfs_server *s, struct lfsssh_head *h, const char *oid);

int serve_lfs_lock(struct lfs_server *s, struct lfsssh_head *h);
int serve_lfs_list_lock(struct lfs_server *s, struct lfsssh_head *h);
int serve_lfs_unlock(struct lfs_server *s, struct lfsssh_head *h, const char *id);

#endif
