/*
 * A blob store somewhere (docs/blob-store.md): the contract that every kind of remote keeps, and
 * that tests/remote-contract.sh checks for each.  A kind does what it is asked once; retrying, rate
 * limits and logging wrap a remote, they are not in it.
 *
 * Blobs are packs and fragments, named by the SHA-256 of their bytes, written once, never changed;
 * so every operation here is idempotent, and may be repeated after an error.  All functions but
 * remote_open and remote_close may be called from several threads at once.
 *
 * Errors.  Permanent, not to be tried again: ERR_NOTFOUND, ERR_DENIED, ERR_UNSUPPORTED,
 * ERR_INVALID, ERR_LIMIT.  May pass: ERR_REMOTE, ERR_IO (disk full, network), ERR_NOMEM.
 * ERR_INTERRUPTED: somebody asked to stop. Messages name the blob as the user would look for it
 * (remote_describe).
 */
#ifndef TRANSFER_REMOTE_H
#define TRANSFER_REMOTE_H

#include <sys/types.h>

#include "lib/base/buf.h"
#include "lib/setup/remotes.h"
#include "lib/store/oid.h"

struct remote;
struct remote_put;

enum remote_class { REMOTE_PACK, REMOTE_FRAGMENT };

/* Called for each blob of a listing; non-zero stops it. */
typedef int remote_list_fn(const struct oid *name, uint64_t size, void *data);

/* What a kind implements; the comments say what each must guarantee. */
struct remote_ops {
	const char *kind; /* "directory", "s3"… */

	/* Every fragment whose put had returned before the call is in it; names that are no
	 * fragment are left out.  In any order. 0; ERR_NOTFOUND when the store does not exist
	 * (message: what to do); what fn returned. */
	int (*list)(struct remote *r, remote_list_fn *fn, void *data);

	/* Size of a blob without reading it.  0, ERR_NOTFOUND. */
	int (*size)(struct remote *r, enum remote_class c, const struct oid *name, uint64_t *size);

	/* Read `len` bytes from `offset`: the count, less than `len` only at the end of the blob.
	 * ERR_NOTFOUND. */
	ssize_t (*get)(struct remote *r, enum remote_class c, const struct oid *name,
		uint64_t offset, void *into, size_t len);

	/* Begin a blob: an empty file to be written (and read back) through the put's fd, that
	 * nobody else sees.  Creates the store if need be. */
	int (*put_begin)(struct remote *r, enum remote_class c, struct remote_put **out);
	/* Give it its name, atomically and durably: on return every later reader finds all of
	 * it, also after power loss.  0; 1 when the name was there already with the same bytes (the
	 * kind makes sure of that, by reading or by a checksum that the server keeps) and is
	 * durable, too.  A blob under that name with other bytes is damaged, and replaced; nothing
	 * else ever is.  The put is gone in every case. */
	int (*put_commit)(struct remote_put *p, const struct oid *name, uint64_t size);
	/* Forget it; NULL is fine. */
	void (*put_abort)(struct remote_put *p);

	/* Remove a blob; a missing one is fine.  (For gc; nothing calls it yet.) */
	int (*remove)(struct remote *r, enum remote_class c, const struct oid *name);

	/* Append the place of a blob, for messages. */
	int (*describe)(
		struct remote *r, enum remote_class c, const struct oid *name, struct buf *out);

	void (*close)(struct remote *r);
};

/* First member of every kind's own structure. */
struct remote {
	const struct remote_ops *ops;
	char *name; /* as the user knows it */
	char *url;  /* what the local cache is keyed by */
};
struct remote_put {
	struct remote *remote;
	int fd;
};

/* Open the blob store that `spec` names.  Costs no request.  0; ERR_UNSUPPORTED for a kind that
 * this version has not. */
int remote_open(struct remote **out, const struct remote_spec *spec);
/* The directory kind (remote_dir.c). */
int remote_dir_open(struct remote **out, const char *name, const char *root);
void remote_close(struct remote *r);

/* Put bytes that are in memory: put_begin, write, put_commit. */
int remote_put_bytes(struct remote *r, enum remote_class c, const struct oid *name,
	const void *data, size_t len);
/* Append a whole blob.  `max` bounds it (ERR_LIMIT). */
int remote_get_all(struct remote *r, enum remote_class c, const struct oid *name, uint64_t size,
	uint64_t max, struct buf *out);

#endif
