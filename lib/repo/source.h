/*
 * One state of the project to read small files from - pipelines, parameters, metrics: the worktree
 * or a commit.  A file that is a pointer there is read from the local store.
 *
 * Many commits are read by one `git cat-file --batch-command`; trees and blobs that commits share
 * are asked for once (struct source_cache).  A source is used by one thread.
 */
#ifndef LIB_REPO_SOURCE_H
#define LIB_REPO_SOURCE_H

#include "lib/base/buf.h"
#include "lib/base/strvec.h"
#include "lib/repo/repo.h"
#include "lib/store/store.h"

struct source;
struct source_cache; /* what sources of commits share */
struct objcache;

/* `repo` and `s` are borrowed.  Costs nothing until it is used. */
int source_cache_new(struct source_cache **out, const struct repo *repo, struct store *s);
void source_cache_free(struct source_cache *c); /* after its sources */

/* What it reads of Git, for others to read by as well; borrowed. */
struct objcache *source_cache_objects(struct source_cache *c);
/* The commit that a name stands for ("HEAD", "v1.0~2"), of the Git that runs for the cache anyway:
 * 1 and its id; 0: Git knows none, or it is a kind of name that is not asked like this. */
int source_cache_find_commit(
	struct source_cache *c, const char *rev, uint8_t id[static REPO_ID_MAX]);
/* These commits will be asked for: Git is asked for all of them at once. */
int source_cache_load(struct source_cache *c, const uint8_t (*ids)[REPO_ID_MAX], size_t n);
/* The text of a commit object: 1, borrowed; 0: it is not here, no commit, or very long. */
int source_cache_commit(const struct buf **out, struct source_cache *c, const uint8_t *id);

/* The worktree.  `s` may be NULL: then pointers are ERR_NOTFOUND. */
int source_worktree(struct source **out, const struct repo *repo, struct store *s);
/* The commit (or tag, or tree) that `rev` names; ERR_NOTFOUND "unknown revision 'x'". */
int source_commit(struct source **out, struct source_cache *c, const char *rev);
/* The same by the id of a commit, tag or tree that is known already; no process is started for it.
 */
int source_commit_id(
	struct source **out, struct source_cache *c, const char *name, const uint8_t *id);
void source_free(struct source *s);

/* "workspace", or the revision as it was given.  Borrowed. */
const char *source_name(const struct source *s);
/* The absolute path of the worktree's top, whatever the kind of source; NULL: a bare repository.
 * Borrowed. */
const char *source_top(const struct source *s);
/* 1 for the worktree. */
int source_is_worktree(const struct source *s);

/* Append the content of a file, by its path from the top; symbolic links inside the project are
 * followed in neither.  0; ERR_NOTFOUND: no such file (message: "no file 'x' in <name>"), or its
 * data is not in the local store (message says what to run); ERR_LIMIT: more than `most` bytes. */
int source_read(struct source *s, const char *path, size_t most, struct buf *out);
/* These files will be read: Git is asked for all of them at once.  Those that are not there are
 * left to source_read. */
int source_prefetch(struct source *s, const char *const *paths, size_t n);
/* 1 if a file is there (whatever it holds), 0 if not, or a negative error. */
int source_has(struct source *s, const char *path);
/* The Git blob at the path, for keys of caches: 1 and `id`; 0: no such file, or the worktree. */
int source_blob(struct source *s, const char *path, uint8_t id[static REPO_ID_MAX]);
/* Append the paths of all files with one of these basenames (ended by NULL), sorted.  In the
 * worktree: those in the index that are still there, and those at the top, in the current
 * directory and in directories that source_remember noted. */
int source_find(struct source *s, const char *const *basenames, struct strvec *out);
/* Each regular file of a commit, in the order of the index: fn(path, mode, blob).  fn's first
 * non-zero value is returned; ERR_NOTFOUND: a partial clone has not got all directories;
 * ERR_UNSUPPORTED of the worktree.  Costs no process where source_find was asked before. */
int source_each(struct source *s,
	int (*fn)(const char *path, size_t len, uint32_t mode, const uint8_t *blob, void *data),
	void *data);
/* A command wrote this file, which Git need not know yet: source_find looks into its directory from
 * now on, in this worktree.  Costs a read when that was noted before. */
int source_remember(const struct repo *repo, const char *path);
/* From now on append to `paths` (borrowed; NULL: no more) what source_read and source_has are asked
 * for: what a result depends on. */
void source_trace(struct source *s, struct strvec *paths);

#endif
