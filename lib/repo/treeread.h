/*
 * The entries of a Git tree: "<octal mode> <name>\0<id>" one after the other.  Pure.
 */
#ifndef LIB_REPO_TREEREAD_H
#define LIB_REPO_TREEREAD_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"

struct treeread_entry {
	uint32_t mode;
	const char *name;  /* NUL-terminated, as it stands in the tree */
	const uint8_t *id; /* hash_len bytes */
	const char *start;
	size_t len; /* of the whole entry, from `start` */
};

/* The entry at *at < tree->len, which moves behind it.  Borrows from `tree`.  0 or ERR_CORRUPT. */
int treeread_next(struct treeread_entry *e, int hash_len, const struct buf *tree, size_t *at);

#endif
