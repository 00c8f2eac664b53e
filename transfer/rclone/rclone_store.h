/*
 * A blob store that rclone reaches: what its operations share.
 */
#ifndef TRANSFER_RCLONE_STORE_H
#define TRANSFER_RCLONE_STORE_H

#include <pthread.h>

#include "transfer/rclone/rclone_run.h"

#define RCLONE_STORE_FORMAT "git-dvx blob store 1\n"

enum rclone_format { FORMAT_UNKNOWN, FORMAT_MISSING, FORMAT_GOOD };

struct remote_rclone {
	struct remote base;
	struct rclone_place place;
	pthread_mutex_t lock; /* of what follows */
	enum rclone_format format;
	int class; /* enum rclone_class; 0: not known yet */
	int swept; /* tmp/ was cleared by this process */
};

struct remote_rclone *rclone_store_of(struct remote *r);

/* Append the place of a blob as rclone understands it. */
int rclone_store_blob(const struct remote_rclone *d, enum remote_class c, const struct oid *name,
	struct buf *out);

/* `rclone <verb> <operand> [<second>]` whose output is of no interest. */
int rclone_store_run(struct remote_rclone *d, const char *verb, const char *const *options,
	const char *operand, const char *second);
/* The same with its output appended; more than `max` bytes are ERR_LIMIT. */
int rclone_store_text(struct remote_rclone *d, const char *verb, const char *const *options,
	const char *operand, struct buf *out, size_t max);
/* Size of a file.  0, ERR_NOTFOUND. */
int rclone_store_size(struct remote_rclone *d, const char *place, uint64_t *size);

/* Ask for the store's format, and take the answer: two halves, so that something else can be asked
 * meanwhile.  0, also when there is none; ERR_UNSUPPORTED: of another version. */
int rclone_store_ask_format(struct remote_rclone *d, struct rclone_run *run);
int rclone_store_take_format(struct remote_rclone *d, struct rclone_run *run);
enum rclone_format rclone_store_format(struct remote_rclone *d);
/* The enum rclone_class of the backend, asked anew: the user may have given the name to another one
 * since yesterday. */
int rclone_store_class(struct remote_rclone *d);

/* The operation of transfer/remote/remote.h. */
int rclone_put_commit(
	struct remote *r, struct remote_put *p, const struct oid *name, uint64_t size);

#endif
