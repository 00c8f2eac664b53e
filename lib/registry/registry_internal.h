/*
 * What the files of lib/registry share.
 */
#ifndef LIB_REGISTRY_REGISTRY_INTERNAL_H
#define LIB_REGISTRY_REGISTRY_INTERNAL_H

#include "lib/base/pathpool.h"
#include "lib/registry/registry.h"
#include "lib/registry/registry_cache.h"

/* Any tag, whether a model's or not. */
struct registry_tag_name {
	const char *name;
	uint8_t commit[REPO_ID_MAX];
};

struct registry {
	const struct repo *repo;
	struct registry_cache *cache; /* owns the strings of tags */
	struct pathpool *strings;     /* and this all others */
	struct registry_event *v;     /* by time */
	size_t n, cap;
	const struct registry_event **by_model;	  /* all n: by model, then by time */
	const struct registry_event **by_commit;  /* registrations: by model, commit, time */
	const struct registry_event **by_version; /* and what takes them back: by model, version */
	size_t n_by_commit, n_by_version;
	struct registry_tag_name *tags;
	size_t n_tags, cap_tags;
	struct registry_note *notes;
	size_t n_notes, cap_notes;
};

/* Sort the events and make the lists of them. */
int registry_index(struct registry *r);
/* Add a note about an event: "tag 'x' <text>". */
int registry_note_add(struct registry *r, const struct registry_event *e, const char *text);
/* What contradicts itself: times and counters, versions and commits. */
int registry_doubts(struct registry *r);

/* By precedence, then by build metadata: 0 only for one and the same version. */
int registry_cmp_version(const struct semver *a, const struct semver *b);
/* Events that this or another function counts with: all but lightweight tags of stages. */
int registry_counts(const struct registry_event *e);
/* The registration at this commit of the model: of several the latest.  NULL: none. */
const struct registry_event *registry_registration_at(
	const struct registry *r, const char *model, const uint8_t *commit);

#endif
