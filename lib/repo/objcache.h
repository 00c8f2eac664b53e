/*
 * Commits, trees and small blobs of Git, each asked for once of one `git cat-file --batch-command`
 * and kept for as long as the cache lives: commits that are read one after the other share most of
 * what they hold.  One thread per cache.
 *
 * Nothing is fetched: in a partial clone what is not here is GIT_MISSING.
 */
#ifndef LIB_REPO_OBJCACHE_H
#define LIB_REPO_OBJCACHE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/strvec.h"
#include "lib/repo/git.h"
#include "lib/repo/repo.h"

struct objcache;
struct catfile;

/* Of larger blobs and commits the content is not kept. */
enum { OBJCACHE_BLOB_MAX = 64 * 1024 };

struct objcache_entry {
	const char *name;
	uint32_t name_len, mode;
	const uint8_t *id;
};

struct objcache_object {
	enum git_type type;
	uint64_t size;
	struct buf data; /* of a tree, and of a blob or commit that is kept; else empty */
	/* a tree, in Git's order */
	struct objcache_entry *entries;
	size_t n;
	/* a commit or a tag: the tree or object that it names */
	uint8_t target[REPO_ID_MAX];
	/* of a tree: for whoever searches it, what lies below */
	struct strvec found;
	unsigned found_for; /* which search; 0: none */
};

/* `repo` is borrowed. */
int objcache_new(struct objcache **out, const struct repo *repo);
void objcache_free(struct objcache *c);
/* The `git cat-file` that it asks, for others to ask as well; borrowed. */
struct catfile *objcache_catfile(struct objcache *c);

/* Have these objects at hand: the unknown ones are asked for in one go. */
int objcache_load(struct objcache *c, const uint8_t (*ids)[REPO_ID_MAX], size_t n);
/* The object, which is asked for if need be; borrowed until the cache is freed.  0 also for one
 * that is GIT_MISSING; ERR_CORRUPT for a tree or commit that cannot be understood. */
int objcache_get(struct objcache *c, const uint8_t *id, struct objcache_object **out);
/* The commit that a name stands for ("HEAD", "v1.0~2"): 1 and its id, and it is at hand; 0: Git
 * knows none, or it is a kind of name that is not asked like this. */
int objcache_find_commit(struct objcache *c, const char *rev, uint8_t id[static REPO_ID_MAX]);
/* 1 if it was asked for before. */
int objcache_knows(const struct objcache *c, const uint8_t *id);
/* The file (with `tree`: the directory) of this name in a tree, or NULL. */
const struct objcache_entry *objcache_find(
	const struct objcache_object *tree, const char *name, size_t len, int is_tree);
/* Git's order of entries: 0 for two files, or two directories, of one name. */
int objcache_compare(const struct objcache_entry *a, const struct objcache_entry *b);
/* Append a blob's content, whatever its size, but at most `most` bytes. */
int objcache_read(struct objcache *c, const uint8_t *id, size_t most, struct buf *out);

#endif
