/*
 * What tags say, by the ids of their objects: "<dvx_dir>/registry" (docs/registry.md#the-cache).  A
 * tag object never changes, so an entry never goes stale; what is not in the file is asked of Git
 * in one go.
 */
#ifndef LIB_REGISTRY_REGISTRY_CACHE_H
#define LIB_REGISTRY_REGISTRY_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/repo/catfile.h"
#include "lib/repo/git.h"
#include "lib/repo/repo.h"

/* A tag object, or what a lightweight tag names. */
struct registry_cached {
	uint8_t id[REPO_ID_MAX];     /* in */
	enum git_type type;	     /* of what is meant in the end: GIT_COMMIT is good */
	uint8_t commit[REPO_ID_MAX]; /* that object; also where it is GIT_MISSING */
	int annotated;		     /* with tagger and time */
	int64_t when, commit_when;
	int zone;
	uint64_t size;
	/* never NULL, "" where there is none; the cache's */
	const char *name, *who, *email, *message, *path, *sha256, *made_for;
};

struct registry_cache;

/* Never fails for the sake of the file. */
int registry_cache_open(struct registry_cache **out, const struct repo *repo);
/* Fill all of them; what is new is asked of `cat`. */
int registry_cache_resolve(
	struct registry_cache *c, struct catfile *cat, struct registry_cached *v, size_t n);
/* Write what these say if some of it is new (a failure to write is not an error); the strings stay.
 */
void registry_cache_save(struct registry_cache *c, const struct registry_cached *v, size_t n);
void registry_cache_free(struct registry_cache *c);

#endif
