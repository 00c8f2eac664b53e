/*
 * Pointer files of Git LFS (docs/pointer.md;
 * https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md):
 *
 *   version https://git-lfs.github.com/spec/v1
 *   oid sha256:<64 lower-case hex>
 *   size <bytes>
 */
#ifndef LIB_STORE_POINTER_H
#define LIB_STORE_POINTER_H

#include <stddef.h>
#include <stdint.h>

#include "lib/store/oid.h"

enum {
	POINTER_MAX = 1024,	    /* a pointer file is shorter than this many bytes */
	POINTER_CANONICAL_MAX = 150 /* room for what pointer_format writes, NUL included */
};

struct pointer {
	struct oid oid;
	uint64_t size; /* bytes of the object; <= INT64_MAX */
	int canonical; /* the text is byte for byte what pointer_format writes */
	int extended;  /* number of extensions: the file in the worktree is not the object */
};

/* A line "ext-<number>-<name> sha256:<id>": what an extension (docs/pointer.md) made the
 * object of. */
struct pointer_extension {
	int number;	  /* 0 to 9: the order in which clean ran them */
	const char *name; /* borrowed from the text, name_len bytes */
	size_t name_len;
	struct oid before; /* of the content that it was given */
};

/* Parse any `len` bytes, with the latitude that docs/pointer.md gives to readers.  0; ERR_INVALID
 * when they are no pointer: the message says why, *out is untouched, and callers that merely ask
 * ignore it. */
int pointer_parse(struct pointer *out, const void *data, size_t len);
/* The extensions of a text that pointer_parse takes, by number; returns how many. */
enum { POINTER_EXTENSIONS_MAX = 10 };
int pointer_extensions(
	struct pointer_extension out[static POINTER_EXTENSIONS_MAX], const void *data, size_t len);
/* Write the canonical text, NUL-terminated; returns its length.  size <= INT64_MAX. */
size_t pointer_format(char out[static POINTER_CANONICAL_MAX], const struct oid *oid, uint64_t size);

#endif
