/*
 * The local object store (docs/local-store.md): whole objects in Git LFS's place and layout
 * (".git/lfs/objects/aa/bb/<oid>", `lfs.storage` honoured, alternates read), and packs for small
 * ones in ".git/dvx/packs/".  Shared by all worktrees, by any number of processes, and inside a
 * process by threads: every function here may be called from several threads at once.
 *
 * Every read for use is checked: SHA-256, or, for a large object that was checked before and whose
 * stat data are as they were then, a fast hash per segment that was recorded with it.  A failed
 * check is ERR_CORRUPT and names the file. Nothing returns success before the object can be read
 * back by another process.  Durability is asked for with store_sync (pre-commit, transfers).
 */
#ifndef LIB_STORE_STORE_H
#define LIB_STORE_STORE_H

#include "lib/base/buf.h"
#include "lib/setup/config.h"
#include "lib/setup/gitdir.h"
#include "lib/store/oid.h"

struct store;

enum {
	STORE_SMALL_MAX = 64 * 1024
}; /* objects up to this size are packed (unless dvx.smallObjects = whole) */
#define STORE_SIZE_UNKNOWN UINT64_MAX

/* Opens lazily: costs nothing until the first object is asked for; directories are made when first
 * written. */
int store_open(struct store **out, const struct gitdir *g, const struct config *c);
/* From now on small objects are stored whole, whatever the configuration says (for exchange with
 * Git LFS). */
void store_keep_small_whole(struct store *s);
/* Ends the session (store_flush) and frees.  NULL is fine. */
void store_close(struct store *s);

/* ---- asking ---- */
/* 1 if the object is here, readable and of that size (a stat or an index look-up, no hashing), else
 * 0.  The empty object is always here. */
int store_has(struct store *s, const struct oid *oid, uint64_t size);
/* The same where the size is not known: 1 and *size, else 0. */
int store_find_size(struct store *s, const struct oid *oid, uint64_t *size);
/* Path of the whole object (appended), if it is stored whole (here or in an alternate): 1, else 0.
 */
int store_whole_path(struct store *s, const struct oid *oid, uint64_t size, struct buf *path);

/* ---- reading, always checked ---- */
/* Append the content; for small objects.  0, ERR_NOTFOUND, ERR_CORRUPT, ERR_LIMIT… */
int store_read(struct store *s, const struct oid *oid, uint64_t size, struct buf *out);
/* Make the empty file dst_fd hold the content: reflink, else copy in the kernel, else decode.
 * Positive enum fs_copy_method, or a negative error: then the content of dst_fd is undefined. */
int store_place(struct store *s, const struct oid *oid, uint64_t size, int dst_fd);
/* Make `name` in the directory dir_fd a hard link to the whole object, checked and made read-only
 * (dvx.link = hardlink).  0, or ERR_UNSUPPORTED (it is packed), ERR_IO (another file system),
 * ERR_CORRUPT…: then there is no such name. */
int store_link(struct store *s, const struct oid *oid, uint64_t size, int dir_fd, const char *name);
/* Pass the content through `sink` in order (pieces of at most 1 MiB).  The check is complete only
 * when this returns 0: use nothing before. */
int store_stream(struct store *s, const struct oid *oid, uint64_t size,
	int (*sink)(const void *p, size_t len, void *data), void *data);
/* Read all of it and check it as for a use: a large object that was checked before by its recorded
 * sums.  0, ERR_NOTFOUND, ERR_CORRUPT. */
int store_check(struct store *s, const struct oid *oid, uint64_t size);
/* Read and hash all of it, whatever was recorded.  0, ERR_NOTFOUND, ERR_CORRUPT. */
int store_verify(struct store *s, const struct oid *oid, uint64_t size);

/* ---- writing ---- */
/* Stream content in; its id and size come out.  Small content goes to the session's pack, large
 * content becomes a whole object (hashed in a second thread, writeback started early).  What the
 * store has already is not written again. */
struct store_writer;
/* `clone_fd` >= 0 (borrowed): a file that probably holds just these bytes (the worktree file during
 * clean); where the file system can reflink, it is cloned and each received byte compared with the
 * clone, so nothing is written. */
int store_writer_new(struct store_writer **out, struct store *s, int clone_fd);
/* The same for an object whose id and size are known and that may not arrive in one go: what was
 * written of a large one stays when the writer is freed unfinished or its process dies (a week, or
 * until a write fails), and *have says how much of it there is.  Another writer of the same object
 * that is at it has those bytes for itself: then *have is 0, and nothing is kept. */
int store_writer_resume(struct store_writer **out, struct store *s, const struct oid *oid,
	uint64_t size, uint64_t *have);
/* Before all data: begin with the first `len` <= *have bytes, and forget the others. */
int store_writer_keep(struct store_writer *w, uint64_t len);
/* What was written is of no use to the next one. */
void store_writer_forget(struct store_writer *w);
int store_writer_add(struct store_writer *w, const void *data, size_t len);
/* Put it in place: readable by all on return.  With `expect` (may be NULL) other content is
 * refused: ERR_CORRUPT, nothing stored. */
int store_writer_finish(
	struct store_writer *w, const struct oid *expect, struct oid *oid, uint64_t *size);
/* Aborts when not finished. */
void store_writer_free(struct store_writer *w);

/* One call for content that is in memory. */
int store_put(struct store *s, const void *data, size_t len, struct oid *oid);
/* Store the file open at `fd` (from its start to its end): reflink or copy, hashed. `expect` as
 * above. */
int store_put_file(
	struct store *s, int fd, const struct oid *expect, struct oid *oid, uint64_t *size);
/* Hard-link or reflink or copy a whole object file that belongs to another store into ours,
 * checked.  `link_ok`: a hard link is allowed (the file is read-only and never written in place).
 */
int store_import_whole(
	struct store *s, const char *path, int link_ok, const struct oid *oid, uint64_t size);

/* ---- life ---- */
/* Write the session's pack index so that the next process need not scan.  Not needed for
 * correctness. */
int store_flush(struct store *s);
/* Make these objects durable: data, packs, directory entries.  0 only when all of them are there
 * and on disk. */
int store_sync(struct store *s, const struct oid *oids, size_t n);

#endif
