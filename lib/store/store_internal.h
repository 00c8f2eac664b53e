/*
 * What the files of the local store share.  Nobody outside of lib/store/store*.c includes this.
 *
 *   store.c          opening, asking
 *   store_roots.c    the alternates
 *   store_pack.c     packs for reading: which there are, what is in them
 *   store_log.c      the log beside an open pack
 *   store_append.c   this session's open pack: taking, appending, sealing
 *   store_sums.c     the fast check of large objects
 *   store_hash.c     SHA-256 in a second thread
 *   store_flush.c    writeback started early
 *   store_read.c     reading, placing, streaming, verifying
 *   store_whole.c    whole objects: temporary file and final place
 *   store_partial.c  whole objects that arrive in more than one go
 *   store_write.c    content from memory and from streams
 *   store_import.c   objects from files
 *   store_sync.c     durability
 *   store_hold.c     what keeps a clean-up and writers apart
 *   store_list.c     everything that is here
 *   store_gc.c       the clean-up
 *   store_merge.c    its part for packs
 */
#ifndef LIB_STORE_STORE_INTERNAL_H
#define LIB_STORE_STORE_INTERNAL_H

#include <pthread.h>
#include <sys/stat.h>

#include "lib/store/oidindex.h"
#include "lib/store/pack.h"
#include "lib/store/store.h"

enum {
	STORE_BLOCK = 1 << 20,		     /* unit of reading, hashing and writing */
	STORE_SEGMENT = 4 << 20,	     /* unit of the fast check */
	STORE_SUMS_MIN = STORE_SEGMENT,	     /* objects from this size on have a record */
	STORE_WRITE_NS = 1000 * 1000 * 1000, /* longer than one write to a pack */
	STORE_SETTLE_NS = 20 * 1000 * 1000   /* longer than any tick of a file system's clock */
};

/* ---- packs for reading (store_pack.c); all under the store's lock ---- */

struct pack_file {
	char *name; /* in the directory of its packs */
	int fd;
	dev_t dev;
	ino_t ino;
	/* a sealed pack is mapped and searched in place */
	void *map;
	size_t map_len;
	struct pack_table table;
	/* an open one (or one whose index is damaged) has been scanned so far */
	uint64_t scanned;
	uint64_t seen_size;	    /* of the file at that time, */
	int64_t seen_mtime;	    /* so that a torn end is not looked at again and again */
	int pinned;		    /* the session's own: grows by our hand alone */
	struct pack_entry *entries; /* in the order of the file */
	size_t n, cap;
	size_t logged;		/* how many of them the log beside it had */
	struct oidindex places; /* in entries, by id */
};

struct packs {
	char *dir;
	struct pack_file **v;
	size_t n, cap;
	int64_t listed_mtime; /* of the directory, before it was listed */
	int64_t listed_at;
	struct buf trouble; /* why a pack was left out, for messages */
};

void packs_release(struct packs *p);
/* Look for new packs and new entries.  1 if there are any, 0, or a negative error. */
int packs_refresh(struct packs *p);
/* The next pack (from number *from on, which is moved behind it) that has the object; NULL: no
 * more. */
struct pack_file *packs_find(
	const struct packs *p, const struct oid *oid, size_t *from, struct pack_entry *e);
/* Forget one (after it was deleted or replaced). */
void packs_drop(struct packs *p, const struct pack_file *f);
/* Open the pack `name` and add it, or return the one of that name and inode that is open.  `*out`
 * is borrowed. */
int packs_open(struct packs *p, const char *name, struct pack_file **out);
/* Take note of an entry that lies at the end of what was scanned. */
int pack_file_note(struct pack_file *f, const struct pack_entry *e);
/* Where the entry of this id is that counts: 1 and its number in entries, or 0. */
int pack_file_place(const struct pack_file *f, const struct oid *id, uint32_t *number);
/* The index was written behind its entries: use that from now on.  If it cannot be mapped, the
 * entries in memory serve on. */
void pack_file_sealed(struct packs *p, struct pack_file *f);
/* Take note of all there is, also behind damage, because nobody is writing it now (the caller holds
 * its lock). */
int pack_file_settle(struct pack_file *f);
/* Header and payload as stored, appended to `out`; the header is compared with `e`, the payload
 * with its check. */
int pack_file_read(const struct packs *p, const struct pack_file *f, const struct pack_entry *e,
	struct buf *out);
/* 1 if the entry's header is where it should be. */
int pack_file_confirms(const struct pack_file *f, const struct pack_entry *e);

/* The log of an open pack's entries beside it ("open-3.idx"), see docs/local-store.md. */
enum { PACK_LOG_RECORD_LEN = 52, PACK_LOG_HEADER_LEN = 16 };
/* Append "open-3.idx" of "open-3.pack". */
int pack_log_name(struct buf *out, const char *pack_name);
void pack_log_header(uint8_t out[static PACK_LOG_HEADER_LEN]);
int pack_log_add(struct buf *out, const struct pack_entry *e);
/* Fill a fresh open pack's entries from its log, as far as it is right (f->logged). */
int pack_log_load(const struct packs *p, struct pack_file *f);

/* ---- roots ---- */

struct store_root {
	char *objects; /* Git LFS's directory: "…/lfs/objects" */
	struct packs packs;
};

/* The pack that this process appends to (store_append.c). */
struct session {
	int fd; /* locked with flock; -1: none */
	struct pack_file *file;
	uint64_t start; /* offset in it of the first entry that is ours */
};

struct store {
	char *common_dir, *dvx_dir, *lfs_dir;
	int small_whole; /* small objects become whole ones too */
	int shared; /* core.sharedRepository: bits to add, or STORE_SHARED_EXACT | mode, or 0 */
	pthread_mutex_t lock;	  /* roots, packs, session, codecs */
	int ready;		  /* roots are there */
	struct store_root *roots; /* the first one is ours, the others are alternates */
	size_t n_roots;
	struct session session;
	struct pack_codec_ctx **codecs; /* those not in use */
	size_t n_codecs, cap_codecs;
	_Atomic int swept;	   /* temporary files of killed processes were looked for, */
	_Atomic int partial_swept; /* and incomplete objects that nobody came back for */
	int hold_fd; /* shared lock against clean-ups, held from the first write on; -1: not yet */
	int held, reused; /* store_hold was called, and with `reused` */
};

enum { STORE_SHARED_EXACT = 01000 };

/* The roots, found on first use.  0 or a negative error.  Under the lock. */
int store_ready(struct store *s);
int store_add_root(struct store *s, const char *objects, const char *packs);
/* The alternates of Git's object directory (store_roots.c). */
int store_add_alternates(struct store *s);
/* Append the path of a whole object below a root. */
int store_object_path(const struct store_root *r, const struct oid *oid, struct buf *out);
/* mkdir -p with the modes of a shared repository. */
int store_mkdirs(const struct store *s, const char *path);
/* Give a new file the mode of a shared repository. */
int store_share_file(const struct store *s, int fd, const char *path);
/* A codec of the pool, or a new one; give it back afterwards. */
int store_codec_take(struct store *s, struct pack_codec_ctx **out);
void store_codec_give(struct store *s, struct pack_codec_ctx *c);
/* Call fn for each packed copy until it returns non-zero (which is returned); looks for new packs
 * before it gives up with 0.  Under the lock. */
typedef int (*store_copy_fn)(
	const struct packs *p, const struct pack_file *f, const struct pack_entry *e, void *data);
int store_packed_copies(
	struct store *s, const struct oid *oid, uint64_t size, store_copy_fn fn, void *data);
/* Open a whole object of that size (or any, when unknown).  A descriptor with *st and path, or a
 * negative error. */
int store_open_whole(
	struct store *s, const struct oid *oid, uint64_t size, struct buf *path, struct stat *st);
/* 1 if st still describes the file open at fd. */
int store_same_stat(const struct stat *st, int fd);

/* ---- appending (store_append.c) ---- */
/* Append an encoded entry (unless this session did so already). */
int store_append(struct store *s, const void *entry, size_t len);
/* Write the log; with `end` also let the pack go.  Under the lock. */
int session_flush(struct store *s, int end);

/* ---- against clean-ups (store_hold.c) ---- */
/* From now to its end no clean-up removes anything; waits for one that is at it.  With `reused`
 * this process relies on something that was stored before: a clean-up that has looked at Git's
 * references already has to look again.  To be called before one looks whether an object is there.
 */
int store_hold(struct store *s, int reused);
/* What is open at `fd` is going to be relied on: make it young again, if it is not (files with
 * several names are left alone: the other one may be in a worktree).  0 if it has no name any more,
 * else 1.  `oid` (may be NULL) is the whole object, whose sums go with it. */
int store_renew(const struct store *s, int fd, const struct oid *oid);
/* Open the lock file; the descriptor or a negative error. */
int store_open_lock(const struct store *s);

/* ---- everything (store_list.c) ---- */
/* Call fn for each whole object of our own root, until it returns non-zero (which is returned). */
typedef int (*store_whole_fn)(
	const char *path, const struct oid *oid, const struct stat *st, void *data);
int store_each_whole(struct store *s, store_whole_fn fn, void *data);
/* All entries of a pack in the order of the file, each id once (the copy that counts).  *out is the
 * caller's to free(). */
int pack_file_entries(const struct pack_file *f, struct pack_entry **out, size_t *n);
/* Remove the record of fast sums of an object. */
void sums_forget(const struct store *s, const struct oid *oid);

/* ---- hashing a stream (store_hash.c) ---- */

/* XXH3-128 of each STORE_SEGMENT of an object. */
struct sums {
	uint8_t (*digests)[16];
	size_t n, cap;
};
void sums_release(struct sums *x);

struct hasher;
int hasher_new(struct hasher **out);
void hasher_free(struct hasher *h);
/* STORE_BLOCK bytes to be filled; waits until a block is free. */
uint8_t *hasher_block(struct hasher *h);
/* Hash the block's first `len` bytes after all others; it may be read, but not written, until the
 * next hasher_block. */
int hasher_push(struct hasher *h, size_t len);
/* Wait for the end.  `sums` (may be NULL) takes over the digests. */
int hasher_finish(struct hasher *h, struct oid *oid, struct sums *sums);

/* ---- writeback (store_flush.c) ---- */

/* Start writing the file open at `fd` (borrowed) to disk while it grows.  May be NULL, which all
 * accept. */
struct flusher;
struct flusher *flusher_new(int fd);
/* So many bytes, from the start, are complete. */
void flusher_written(struct flusher *f, uint64_t size);
/* Before the descriptor is closed.  Does not wait for the disk, except for what is being started.
 */
void flusher_free(struct flusher *f);

/* ---- the fast check (store_sums.c) ---- */
/* Record that the file open at fd has these sums and this id; failure only costs speed later. */
void sums_record(const struct store *s, const struct oid *oid, int fd, const struct sums *sums);
/* Load the record if it is there and describes exactly this file: 1, else 0. */
int sums_load(
	const struct store *s, const struct oid *oid, const struct stat *st, struct sums *out);
/* Read src and compare with the sums, several segments at once; with dst_fd >= 0 what was read is
 * written there too. */
int sums_check(const struct sums *sums, int src_fd, uint64_t size, int dst_fd, const char *path);

/* ---- whole objects ---- */
/* Read the file from start to end and hash it, writing to dst_fd if that is >= 0 and passing it to
 * `sink` if not NULL. */
struct whole_pass {
	int dst_fd;
	int to_store; /* dst_fd will become an object: start its writeback early */
	int (*sink)(const void *p, size_t len, void *data);
	void *data;
};
int whole_read(
	int fd, uint64_t size, const struct whole_pass *pass, struct oid *oid, struct sums *sums);
/* Check the whole object open at fd against its id, by its record or by SHA-256, writing it to
 * dst_fd if that is >= 0. */
int whole_check(struct store *s, const struct oid *oid, int fd, const struct stat *st, int dst_fd,
	const char *path);
#define WHOLE_TEMP_PREFIX "dvx-"
/* Remove from a directory the temporary files that have not been written to for so long. */
void whole_sweep(const char *dir, int64_t seconds);
/* The file that holds what is here of an incomplete object (store_partial.c), locked; it may be
 * empty.  ERR_LOCKED: somebody else is at it. */
int partial_open(struct store *s, const struct oid *oid, struct buf *path);
/* A temporary file in "<lfs>/tmp". */
int whole_temp(struct store *s, struct buf *path);
/* Rename the temporary file (open at fd) into its place, or drop it when a good object is there.
 * `temp` is gone afterwards. */
int whole_commit(struct store *s, struct buf *temp, int *fd, const struct oid *oid, uint64_t size,
	const struct sums *sums);
/* Remove the temporary file, if there (still) is one. */
void whole_abort(struct buf *temp, int *fd);
/* Wait until the file has not changed for longer than a tick of the clock; its stat data then show
 * any later change. */
int store_settle(int fd, struct stat *st);
/* ERR_CORRUPT with both ids, if `expect` is not NULL and another. */
int store_expected(const struct oid *expect, const struct oid *oid);
/* Store small content whose id is known. */
int store_put_small(struct store *s, const void *data, size_t len, const struct oid *oid);

/* 1 if the object is larger than what packs hold by themselves, and stored whole: no pack need be
 * asked. */
int store_large_is_whole(struct store *s, const struct oid *oid, uint64_t size);

#endif
