/*
 * A blob store somewhere (docs/blob-store.md): the contract that every kind of remote keeps, and
 * that tests/remote-contract.sh checks for each.
 *
 * A kind does what it is asked once: retrying, rate limits and tracing wrap a remote
 * (remote_wrap.h), they are not in it.  Blobs are named by the SHA-256 of their bytes, written
 * once, never changed; so every operation is idempotent, and may be repeated after an error.
 * What is atomic: a name appears with all of its bytes or not at all; it disappears at once.
 * All functions but remote_open and remote_close may be called from several threads at once.
 *
 * Errors.  Permanent, not to be tried again: ERR_NOTFOUND, ERR_DENIED, ERR_UNSUPPORTED,
 * ERR_INVALID, ERR_LIMIT, ERR_CORRUPT, ERR_NOMEM.  May pass: ERR_REMOTE (network, 5xx, 429…),
 * ERR_IO (disk full).  ERR_INTERRUPTED: somebody asked to stop (context->stop).  A kind that was
 * told when to come back (Retry-After) says so by remote_retry_hint.  Messages are complete
 * sentences of ours: what failed, where (the blob as the user would look for it, remote_describe),
 * what to do.
 */
#ifndef TRANSFER_REMOTE_H
#define TRANSFER_REMOTE_H

#include <sys/types.h>

#include "lib/base/buf.h"
#include "lib/setup/config.h"
#include "lib/setup/gitdir.h"
#include "lib/setup/remotes.h"
#include "lib/store/oid.h"

struct remote;
struct remote_put;

enum remote_class {
	REMOTE_PACK,	 /* packs/<aa>/<sha256>.pack */
	REMOTE_FRAGMENT, /* fragments/<sha256>.idx */
	REMOTE_NOTICE,	 /* fragments/<sha256>.notice: what gc is going to remove */
	REMOTE_RUNS	 /* runs/<sha256>.runs: entries of the run cache */
};

/* One blob of a listing. */
struct remote_entry {
	enum remote_class class;
	struct oid name;
	uint64_t size;
	int64_t mtime; /* when it was written, seconds since 1970, by the store's own clock */
};

enum remote_listing {
	REMOTE_LIST_FRAGMENTS, /* fragments and notices: one small listing */
	REMOTE_LIST_PACKS,     /* all packs: only fsck, gc and du need that */
	REMOTE_LIST_RUNS       /* bundles of the run cache */
};

/* Called for each blob of a listing, in any order, by one thread; non-zero stops it. */
typedef int remote_list_fn(const struct remote_entry *e, void *data);

/* What a kind implements; the comments say what each must guarantee. */
struct remote_ops {
	const char *kind; /* "directory", "s3"… */

	/* Every blob whose put had returned before the call is in it; names that are none of ours
	 * are left out.  *now (may be NULL): the time by the clock that the mtimes are from. 0;
	 * ERR_NOTFOUND when the store does not exist (message: what to do); what fn returned. */
	int (*list)(struct remote *r, enum remote_listing what, remote_list_fn *fn, void *data,
		int64_t *now);

	/* Size of a blob without reading it.  0, ERR_NOTFOUND. */
	int (*size)(struct remote *r, enum remote_class c, const struct oid *name, uint64_t *size);

	/* Read `len` bytes from `offset`: the count, less than `len` only at the end of the blob.
	 * ERR_NOTFOUND.  What arrived short for another reason is ERR_REMOTE, never a count. */
	ssize_t (*get)(struct remote *r, enum remote_class c, const struct oid *name,
		uint64_t offset, void *into, size_t len);

	/* Begin a blob: a file to be written from its start (and read back) through the put's fd,
	 * that nobody else sees; what lies behind the bytes written is of no account.  Kinds that
	 * have no better place for it use remote_spool.  Asks nothing of the network. */
	int (*put_begin)(struct remote *r, enum remote_class c, struct remote_put **out);
	/* Give it its name, atomically and durably, creating the store if need be: on return every
	 * later reader finds all of it, also after power loss.  0; 1 when the name was there
	 * already with the same bytes (the kind makes sure of that, by reading or by a checksum
	 * that the server keeps) and is durable, too.  A blob under that name with other bytes is
	 * damaged, and replaced; nothing else ever is.  After an error it may be called again. */
	int (*put_commit)(
		struct remote *r, struct remote_put *p, const struct oid *name, uint64_t size);
	/* Free the put, committed or not; what was not committed leaves no trace.  NULL is fine. */
	void (*put_free)(struct remote_put *p);

	/* Remove a blob; a missing one is fine. */
	int (*remove)(struct remote *r, enum remote_class c, const struct oid *name);

	/* Append the place of a blob, for messages. */
	int (*describe)(
		struct remote *r, enum remote_class c, const struct oid *name, struct buf *out);

	/* Find out, by writing and removing a small blob, what the server can do, record it in the
	 * local cache, and append a line about it for the user.  NULL: nothing to find out. */
	int (*probe)(struct remote *r, struct buf *report);

	void (*close)(struct remote *r);
};

/* What a kind may look at.  All borrowed for the life of the remote. */
struct remote_context {
	const struct gitdir *git;
	const struct config *config; /* dvx-remote.<name>.*: remotes_setting */
	const volatile int *stop;    /* non-zero: leave with ERR_INTERRUPTED; may be NULL */
};

/* First member of every kind's own structure. */
struct remote {
	const struct remote_ops *ops;
	struct remote_context context;
	char *name;   /* as the user knows it */
	char *url;    /* what the local cache is keyed by */
	int parallel; /* requests worth having in flight at once; 0: as many as there are CPUs */
	int spare[4]; /* files of remote_spool that are to be written again: their memory is warm */
	int n_spare;
	int near; /* asking costs next to nothing (a stat): may be done for each pack */
};
struct remote_put {
	struct remote *remote; /* the kind that made it, never a wrapper */
	enum remote_class class;
	int fd;
	int writeback; /* the file is the blob itself on a disk: writing back early pays */
};

/* Open the blob store that `spec` names, with retry, rate and trace around it.  Costs no request.
 * 0; ERR_UNSUPPORTED for a kind that this version has not; ERR_INVALID for bad settings. */
int remote_open(
	struct remote **out, const struct remote_spec *spec, const struct remote_context *context);
void remote_close(struct remote *r);

/* The kinds; each opens a bare one. */
int remote_dir_open(struct remote **out, const char *name, const char *root);
int remote_s3_open(
	struct remote **out, const struct remote_spec *spec, const struct remote_context *context);
int remote_ssh_open(
	struct remote **out, const struct remote_spec *spec, const struct remote_context *context);
int remote_rclone_open(
	struct remote **out, const struct remote_spec *spec, const struct remote_context *context);

/* For kinds: set name, url and context of a zeroed remote.  0 or ERR_NOMEM. */
int remote_init(struct remote *r, const struct remote_ops *ops, const struct remote_spec *spec,
	const struct remote_context *context);
/* For kinds: a put on an unlinked file below the local ".git/dvx/tmp"; put_free is
 * remote_spool_free.  The file may be longer than what was written to it, since it may have served
 * before: only the first `size` bytes count. */
int remote_spool(struct remote *r, enum remote_class c, struct remote_put **out);
void remote_spool_free(struct remote_put *p);
/* For kinds: the place of a blob below the root of a store, "packs/ab/ab….pack" (appended); and
 * back: 1 if `path` is such a place (then *class and *name are set), else 0. */
int remote_blob_path(struct buf *out, enum remote_class c, const struct oid *name);
int remote_blob_parse(const char *path, enum remote_class *c, struct oid *name);
/* For kinds: the folder that a listing shows ("packs", whose blobs lie in folders of their own, one
 * below), and the listing that shows a class. */
const char *remote_listing_folder(enum remote_listing what);
enum remote_listing remote_listing_of(enum remote_class c);
/* For kinds: with the error at hand came the wish not to be asked again for so long. */
void remote_retry_hint(unsigned milliseconds);
/* Take the hint of this thread: 0 when there was none. */
unsigned remote_take_retry_hint(void);
/* 0, or ERR_INTERRUPTED when it is time to leave. */
int remote_check_stop(const struct remote *r);

/* Put bytes that are in memory: put_begin, write, put_commit, put_free. */
int remote_put_bytes(struct remote *r, enum remote_class c, const struct oid *name,
	const void *data, size_t len);
/* Append a whole blob.  `max` bounds it (ERR_LIMIT). */
int remote_get_all(struct remote *r, enum remote_class c, const struct oid *name, uint64_t size,
	uint64_t max, struct buf *out);

#endif
