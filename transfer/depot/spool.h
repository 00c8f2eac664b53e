/*
 * Files that wait to go to a remote, below "<state>/incoming/<aa>/<oid>", and the one who takes
 * them there, many in one transfer.  Several processes and threads may have one spool: a lock sees
 * to it that one of them settles, and whoever settles, settles for all.
 */
#ifndef TRANSFER_SPOOL_H
#define TRANSFER_SPOOL_H

#include "transfer/depot/similar.h"
#include "transfer/engine.h"

struct spool;

/* All borrowed for the life of the spool. */
struct spool_options {
	const char *state;
	struct gitdir *git;
	struct config *config;
	struct remote_spec *spec;
	struct remote *remote;	 /* open; NULL: each run opens one */
	struct similar *similar; /* for bases to deduplicate against; may be NULL */
	int jobs;
	const volatile int *stop;
	int borrowed; /* what waits are symbolic links to files of others, who wait for an answer:
		       * what is damaged is left to them */
	unsigned company_ms; /* whoever settles waits so long for more, while more comes */
	/* The object is in the store: `file`, its place in the spool, is the callee's to remove.
	 * NULL: it is unlinked. */
	void (*settled)(const struct oid *oid, uint64_t size, const char *file, void *data);
	void (*progress)(uint64_t bytes, void *data); /* may be NULL */
	void (*warn)(const char *message, void *data);
	void *data;
};

/* Makes the directory. */
int spool_open(struct spool **out, const struct spool_options *o);
void spool_close(struct spool *s);

/* Append the place of an object. */
int spool_path(const struct spool *s, const struct oid *oid, struct buf *out);
/* 1 if anything waits. */
int spool_waits(const struct spool *s);
/* A temporary file in the spool, locked as long as it is open so that nobody takes it for a dead
 * one's.  The descriptor, or a negative error. */
int spool_tempfile(const struct spool *s, struct buf *path);
/* Give the temporary file its name, durably. */
int spool_keep(const struct spool *s, const char *temp, const struct oid *oid);

/*
 * Take everything that waits to the store.  0; ERR_LOCKED: somebody else is at it, and takes what
 * waits now along; otherwise why something stays.  What turns out to be damaged is put aside to
 * "<state>/damaged" (unless it is borrowed), which is an error as well.
 */
int spool_settle(struct spool *s);

#endif
