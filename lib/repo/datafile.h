/*
 * The content of one data file of one state - of a commit, of the index, of the worktree - open for
 * reading: what looks inside of data (rows, tensors, merges) needs bytes where everything else gets
 * by with pointers.
 *
 * An object that is stored whole is opened where it lies, after a check; a packed one is put into
 * an unnamed temporary file.  Nobody writes to what is returned.
 */
#ifndef LIB_REPO_DATAFILE_H
#define LIB_REPO_DATAFILE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/repo/repo.h"
#include "lib/repo/scan.h"
#include "lib/store/store.h"

enum datafile_kind {
	DATAFILE_NONE = 0, /* there is no such file in that state */
	DATAFILE_OBJECT,   /* a pointer: `oid` and `size` are those of its object */
	DATAFILE_GIT,	   /* Git has the content: `blob` */
	DATAFILE_WORKTREE  /* the worktree's file, whatever the index says; `size` is the file's */
};

struct datafile {
	enum datafile_kind kind;
	const char *path; /* from the top; borrowed */
	struct oid oid;
	uint64_t size;
	uint8_t blob[REPO_ID_MAX];
};

/* What `path` is in the tree-ish `rev` (of which NULL means the worktree, where a file that only
 * holds its pointer is that object).  0, also for DATAFILE_NONE; ERR_NOTFOUND: no such revision,
 * or a blob that this partial clone does not have; ERR_INVALID: a directory, a link. */
int datafile_find(struct datafile *out, const struct repo *repo, const char *rev, const char *path);
/* The same for a blob (its content is Git's, or a pointer). */
int datafile_of_blob(
	struct datafile *out, const struct repo *repo, const uint8_t *blob, const char *path);

/* *fd, yours to close, is at the start of a regular file of *size bytes that nobody changes
 * (DATAFILE_WORKTREE: that nobody should).  ERR_NOTFOUND where the object is not in the local
 * store, the message says what to run; ERR_CORRUPT; ERR_INVALID for DATAFILE_NONE. */
int datafile_open(int *fd, uint64_t *size, const struct datafile *f, const struct repo *repo,
	struct store *s);
/* 1 if datafile_open needs no remote, else 0. */
int datafile_is_here(const struct datafile *f, struct store *s);
/* Get the objects that are not here, all in one batch, from the blob remote `remote` (NULL: the
 * default).  0 when all are here now, also when nothing had to be done; else the error of the first
 * that could not be had. */
int datafile_fetch(const struct datafile *v, size_t n, const struct repo *repo, struct store *s,
	const char *remote);

#endif
