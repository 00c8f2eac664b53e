/*
 * One index file as it lies on disk: loading with every check, a cursor over its entries, its
 * extensions and trailer.  A split index is two of these (gitindex_split.h).  Layout: Git's
 * Documentation/gitformat-index.txt.
 */
#ifndef LIB_WORKTREE_GITINDEX_FILE_H
#define LIB_WORKTREE_GITINDEX_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"

/* Offsets inside an entry; behind the id come two bytes of flags, in version 3 two more, then the
 * name. */
enum { GITINDEX_HEADER_LEN = 12, GITINDEX_MODE_AT = 24, GITINDEX_ID_AT = 40 };

enum {
	GITINDEX_ASSUME_VALID = 0x8000,
	GITINDEX_EXTENDED = 0x4000,
	GITINDEX_STAGE_SHIFT = 12,
	GITINDEX_NAME_MASK = 0x0fff
};
enum { GITINDEX_SKIP_WORKTREE = 0x4000, GITINDEX_INTENT_TO_ADD = 0x2000 };

struct gitindex_file {
	uint8_t *data; /* the whole file; NULL if there is none: no entries */
	size_t len;
	int hash_len;
	uint32_t version;
	uint32_t count;
	size_t stripped;       /* leading entries without a name: replacements of a split index */
	size_t first_named;    /* offset of the entry behind those */
	size_t entries_end;    /* = start of the extensions */
	size_t trailer;	       /* offset of the hash that ends the file */
	size_t link, link_len; /* content of the "link" extension; link == 0: none */
};

/* An entry as it lies in the file. */
struct gitindex_raw {
	const uint8_t *p; /* its first byte */
	size_t fixed_len; /* up to the name (version 4: up to the length to strip) */
	uint32_t mode;
	uint16_t flags;	    /* GITINDEX_ASSUME_VALID… */
	uint16_t flags_ext; /* GITINDEX_SKIP_WORKTREE… */
	const char *path;   /* NUL-terminated, valid until the cursor moves */
	size_t path_len;
};

static inline int gitindex_raw_stage(const struct gitindex_raw *e)
{
	return e->flags >> GITINDEX_STAGE_SHIFT & 3;
}

struct gitindex_cursor {
	const struct gitindex_file *file;
	size_t at;	  /* offset of the next entry */
	uint32_t left;	  /* entries to come */
	struct buf name;  /* version 4: the name of the present entry */
	const char *path; /* of the previous entry, NULL at first */
	size_t path_len;
	int stage;
};

/* Read `path` and check all of it but the trailer's hash.  0; ERR_NOTFOUND (f is an empty index
 * then); ERR_CORRUPT; ERR_UNSUPPORTED; ERR_IO… */
int gitindex_file_load(struct gitindex_file *f, const char *path, int hash_len);
/* The same with bytes in memory, which are copied. */
int gitindex_file_parse(struct gitindex_file *f, const void *data, size_t len, int hash_len);
void gitindex_file_release(struct gitindex_file *f);

/* 1 if the trailer is all zero: written with index.skipHash. */
int gitindex_file_unhashed(const struct gitindex_file *f);
/* Compare the trailer with the hash of what is before it.  0 (also when unhashed) or ERR_CORRUPT.
 */
int gitindex_file_verify(const struct gitindex_file *f);

/* Start at the first entry, or behind those without a name, for `count` entries at most. */
void gitindex_cursor_init(struct gitindex_cursor *c, const struct gitindex_file *f);
void gitindex_cursor_init_named(struct gitindex_cursor *c, const struct gitindex_file *f);
void gitindex_cursor_release(struct gitindex_cursor *c);
/* 1 and the entry; 0 at the end; ERR_CORRUPT, ERR_UNSUPPORTED. */
int gitindex_cursor_next(struct gitindex_cursor *c, struct gitindex_raw *e);

/* Walk the extensions: *at is entries_end at first.  1 with the offset of the extension's header (4
 * bytes of signature, 4 of length) and the length of its content; 0 at the end; ERR_CORRUPT. */
int gitindex_file_extension(const struct gitindex_file *f, size_t *at, size_t *header, size_t *len);

#endif
