/*
 * Many small objects into Git's object database at once, as one pack (gitformat-pack) - a loose
 * file each is what plain Git spends its time on.
 */
#ifndef LIB_REPO_GITPACK_H
#define LIB_REPO_GITPACK_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/repo/git.h"
#include "lib/repo/repo.h"

struct gitpack;

/* Begin a pack of exactly `count` objects with names of hash_len bytes; 0: as many as will come. */
int gitpack_new(struct gitpack **out, uint32_t count, int hash_len);
/* Add a blob. */
int gitpack_add(struct gitpack *p, const void *data, size_t len);
/* Add any object. */
int gitpack_add_object(struct gitpack *p, enum git_type type, const void *data, size_t len);
/* How many bytes the pack has by now. */
size_t gitpack_size(const struct gitpack *p);
/* Write the trailer; the bytes of the pack (borrowed until gitpack_free) in *bytes.  ERR_INVALID
 * when fewer or more objects than announced were added. */
int gitpack_finish(struct gitpack *p, const struct buf **bytes);
void gitpack_free(struct gitpack *p);

/* Hand the finished pack of `count` objects to Git: a large one is kept as a pack, a small one
 * becomes loose objects. */
int gitpack_store(const struct repo *repo, const struct buf *bytes, uint32_t count);
/* The same, always kept as a pack. */
int gitpack_keep(const struct repo *repo, const struct buf *bytes);

/* Append how an object begins in a pack: its type, and the bytes of its content. */
int gitpack_header(struct buf *out, enum git_type type, uint64_t size);

#endif
