/*
 * The parts of a client of git-lfs-transfer (lfs_ssh.h): connections (lfs_ssh_link.c), what is said
 * about objects over one (lfs_ssh_batch.c, lfs_ssh_move.c) and about locks (lfs_ssh_locks.c), and
 * who does it over several at once (lfs_ssh.c).
 */
#ifndef TRANSFER_LFS_SSH_INTERNAL_H
#define TRANSFER_LFS_SSH_INTERNAL_H

#include <pthread.h>

#include "lib/wire/lfsssh.h"
#include "transfer/lfs/lfs_ssh.h"
#include "transfer/ssh/ssh_process.h"

enum { LFS_SSH_LINKS_MAX = 64 };

/* ---- a connection; of one thread at a time ---- */

struct lfs_ssh_link {
	struct ssh_process process;
	struct ssh_target target;
	struct pkt_reader in;
	struct pkt_writer out;
	const volatile int *stop;
	int stall_ms;	 /* how long the far side may be silent */
	int patience_ms; /* now */
	int has_locks;
	int dead; /* it is of no more use */
};

/* Start ssh and agree on version 1.  What lfs_ssh_open says about errors. */
int lfs_ssh_link_open(struct lfs_ssh_link **out, const struct lfs_ssh_options *o);
/* Say goodbye, if that can be done.  NULL is fine. */
void lfs_ssh_link_close(struct lfs_ssh_link *l);
/* It broke, or the far side does not keep to the protocol: `rc` is from the packets. ERR_REMOTE, or
 * what had nothing to do with the far side. */
int lfs_ssh_link_lost(struct lfs_ssh_link *l, int rc);
/* Wait for an answer; the far side may have so many bytes to work through first.  The status, 100
 * to 599; negative: the connection is lost. */
int lfs_ssh_link_status(struct lfs_ssh_link *l, struct lfsssh_head *h, uint64_t bytes);
/* Read the rest of an answer that has no body of interest.  0; negative: lost. */
int lfs_ssh_link_skip(struct lfs_ssh_link *l, const struct lfsssh_head *h);
/* Read the rest of an answer with this status, which is none of success: the error that it stands
 * for, with the far side's words.  ERR_REMOTE may be worth another try; l->dead: it is lost. */
int lfs_ssh_link_refused(struct lfs_ssh_link *l, const struct lfsssh_head *h, int status);

static inline int lfs_ssh_is_success(int status)
{
	return status >= 200 && status <= 299;
}

/* ---- objects ---- */

struct lfs_ssh_job {
	struct transfer_object *object;
	char *id, *token;   /* to be said again; NULL */
	int64_t expires_at; /* seconds since 1970; 0: never */
	int offered;	    /* the server wants it, or has it: there is something to do */
	int present;	    /* upload: the server says that it has it; it is only verified */
	int done;	    /* answered, or left open for good */
};
void lfs_ssh_job_release(struct lfs_ssh_job *j);

/* Ask about all of them: sets `offered` and what goes with it.  0; ERR_REMOTE (see
 * lfs_ssh_link_refused); other errors are final. */
int lfs_ssh_batch(struct lfs_ssh_link *l, const struct engine *e, enum engine_direction d,
	struct lfs_ssh_job *jobs, size_t n);
/* Move those that are not done, several requests ahead if `ahead`.  An object is answered by
 * itself; 0 when all are done.  ERR_REMOTE: the rest may be tried again (on another connection, if
 * l->dead). */
int lfs_ssh_move(struct lfs_ssh_link *l, struct engine *e, enum engine_direction d,
	struct lfs_ssh_job *jobs, size_t n, int ahead);
/* The object failed with the error at hand. */
void lfs_ssh_fail(struct engine *e, struct lfs_ssh_job *j, int rc);

/* ---- all of it ---- */

struct lfs_ssh {
	struct lfs_ssh_options options;
	pthread_mutex_t lock;
	struct lfs_ssh_link *idle[LFS_SSH_LINKS_MAX]; /* under the lock */
	int n_idle;
};
/* A connection that nobody uses, or a new one.  To be given back, dead or not. */
int lfs_ssh_acquire(struct lfs_ssh *s, struct lfs_ssh_link **out);
void lfs_ssh_give_back(struct lfs_ssh *s, struct lfs_ssh_link *l);

#endif
