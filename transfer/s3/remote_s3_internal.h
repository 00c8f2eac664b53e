/*
 * What the files of the S3 kind of remote share (remote_s3*.c).
 */
#ifndef TRANSFER_REMOTE_S3_INTERNAL_H
#define TRANSFER_REMOTE_S3_INTERNAL_H

#include <pthread.h>

#include "transfer/remote/remote.h"
#include "transfer/s3/s3_capabilities.h"
#include "transfer/s3/s3_client.h"

/* Is the file "format" there?  A listing tells, or one is asked for. */
enum remote_s3_format { REMOTE_S3_FORMAT_UNKNOWN, REMOTE_S3_FORMAT_MISSING, REMOTE_S3_FORMAT_OK };

struct remote_s3 {
	struct remote base;
	struct s3_client *client;
	char *cache_name; /* what the endpoint is called in the record of capabilities */

	pthread_mutex_t lock; /* of what follows; held while it is found out */
	enum remote_s3_format format;
	struct s3_capabilities can;
};

/* Append the key of a blob, below the prefix. */
static inline int remote_s3_key(struct buf *out, enum remote_class c, const struct oid *name)
{
	return remote_blob_path(out, c, name);
}

/* ops->list, put_commit and probe. */
int remote_s3_list(
	struct remote *r, enum remote_listing what, remote_list_fn *fn, void *data, int64_t *now);
int remote_s3_put_commit(
	struct remote *r, struct remote_put *p, const struct oid *name, uint64_t size);
int remote_s3_probe(struct remote *r, struct buf *report);
/* ops->get of any key. */
ssize_t remote_s3_get_key(
	struct remote_s3 *s, const char *key, uint64_t offset, void *into, size_t len);

/* Take note of what a listing, or a read, says about "format" (etag without quotes, "" when not
 * known).  0; ERR_UNSUPPORTED for a store of another version. */
int remote_s3_format_seen(struct remote_s3 *s, uint64_t size, const char *etag);
void remote_s3_format_missing(struct remote_s3 *s);

/* Before the first put: know what the server can do, and see that "format" is there. */
int remote_s3_ready_to_write(struct remote_s3 *s);
/* A copy of what the server can do. */
struct s3_capabilities remote_s3_can(struct remote_s3 *s);
/* Conditional writes are refused after all. */
void remote_s3_cannot(struct remote_s3 *s);
/* Write the record if the region in it is not the one that was found out. */
void remote_s3_note_region(struct remote_s3 *s);
/* Write the record; with the lock held. */
void remote_s3_remember(struct remote_s3 *s);
/* Try out what the server can do; with the lock held. */
int remote_s3_try_out(struct remote_s3 *s);

#endif
