/*
 * Many small blobs into Git's object database at once, as one pack (gitformat-pack) - a loose file
 * each is what plain Git spends its time on.
 */
#ifndef LIB_REPO_GITPACK_H
#define LIB_REPO_GITPACK_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/repo/repo.h"

struct gitpack;

/* Begin a pack of exactly `count` objects with names of hash_len bytes. */
int gitpack_new(struct gitpack **out, uint32_t count, int hash_len);
/* Add a blob. */
int gitpack_add(struct gitpack *p, const void *data, size_t len);
/* Write the trailer; the bytes of the pack (borrowed until gitpack_free) in *bytes.  ERR_INVALID
 * when fewer or more blobs than announced were added. */
int gitpack_finish(struct gitpack *p, const struct buf **bytes);
void gitpack_free(struct gitpack *p);

/* Hand the finished pack of `count` objects to Git: a large one is kept as a pack, a small one
 * becomes loose objects. */
int gitpack_store(const struct repo *repo, const struct buf *bytes, uint32_t count);

#endif
