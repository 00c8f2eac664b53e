/*
 * The model registry: what the tags of this repository say (docs/registry.md).  Tags are Git's, so
 * they travel with `git push --tags` and GTO reads them; nothing else is stored.
 *
 * Reading 1,500 tags must cost milliseconds: the content of a tag object never changes, so what it
 * says is kept by its id in "<dvx_dir>/registry" (docs/registry.md#cache), and only tags that are
 * new are asked of Git.  The cache may be removed at any time.
 */
#ifndef LIB_REGISTRY_REGISTRY_H
#define LIB_REGISTRY_REGISTRY_H

#include <stddef.h>
#include <stdint.h>

#include "lib/registry/gtotag.h"
#include "lib/repo/catfile.h"
#include "lib/repo/repo.h"
#include "lib/store/oid.h"

struct registry_event {
	struct gtotag what;
	const char *tag;	     /* "churn@v1.0.0" */
	uint8_t tag_id[REPO_ID_MAX]; /* of the tag object; of a lightweight tag the commit */
	uint8_t commit[REPO_ID_MAX];
	int annotated;	     /* 0: a lightweight tag, which says neither who nor when: `when` is the
				commit's time, and whoever shows it says so.  As a registration it is
				found; as the assignment of a stage it does not count */
	int no_commit;	     /* the commit is not here (a damaged or partial clone) */
	int64_t when;	     /* tagger time, seconds since 1970 */
	int zone;	     /* minutes east of UTC */
	int64_t commit_when; /* committer time; 0: not known */
	const char *who, *email;
	const char *message; /* without the trailers below */
	/* trailers of ours: what was registered; NULL and 0 in tags of others */
	const char *path;
	const char *oid; /* "sha256:…" of the content; NULL also of a directory */
	uint64_t size;
	const char *made_for; /* hex: the commit that the tag was made for.  Another one than
				 `commit`: history was rewritten, or the tag was moved */
	/* of ASSIGN and UNASSIGN: the version that is tagged at the same commit, else has_version 0
	 */
	int has_version;
	struct semver version;
};

/* What is doubtful, or does not count: a sentence for each such tag, to be told to whoever asks
 * about its model. */
struct registry_note {
	const char *tag, *model, *stage; /* stage "": it is about a version or the model */
	const char *text;		 /* "tag 'churn#prod#1' is lightweight: …" */
};

struct registry;
int registry_open(struct registry **out, const struct repo *repo);
/* The same for a caller that has listed the refs already (NULL: it has not), by name, and has a
 * `git cat-file` to ask. */
struct registry_ref {
	const char *name;	 /* "refs/tags/…"; others are skipped */
	uint8_t id[REPO_ID_MAX]; /* of the tag object, not what it names */
};
int registry_open_refs(struct registry **out, const struct repo *repo, struct catfile *cat,
	const struct registry_ref *refs, size_t n);
void registry_free(struct registry *r);
/* All events, by time; what has one time, by counter, then by name.  Borrowed. */
const struct registry_event *registry_events(const struct registry *r, size_t *n);
/* Each tag of the commit, of this convention or not, by name.  The first non-zero value of fn is
 * returned. */
int registry_tags_of(const struct registry *r, const uint8_t *commit,
	int (*fn)(const char *tag, void *data), void *data);
/* All notes, in no order that matters.  Borrowed. */
const struct registry_note *registry_notes(const struct registry *r, size_t *n);
/* Registered and not deregistered.  `version` NULL: the greatest.  NULL: none. */
const struct registry_event *registry_version(
	const struct registry *r, const char *model, const struct semver *version);
/* Parse "churn@v1.0.0", "churn@1.0.0", "churn@latest", "churn#production" and find the event: of a
 * stage the registration of the version that is in it now.  0; ERR_NOTFOUND: no such model, version
 * or stage (the message names what there is); ERR_INVALID: not of this form. */
int registry_resolve(const struct registry_event **out, const struct registry *r, const char *spec);
/* 1 if `spec` has the form of a model's name: "x@…" or "x#…", and is no revision's ("main@{1}"). */
int registry_is_spec(const char *spec);

enum { REGISTRY_NOW = -1 }; /* for `when`: all that there is, whatever its time */

/* Each model, by name, with its events by time.  The first non-zero value of fn is returned. */
int registry_each_model(const struct registry *r,
	int (*fn)(const char *model, const struct registry_event *const *events, size_t n,
		void *data),
	void *data);
/* The events of one model: *n of them, by time; NULL: there is no such model. */
const struct registry_event *const *registry_of_model(
	const struct registry *r, const char *model, size_t *n);
/* The event that ended the model, unless something happened to it since; NULL: it is in use. */
const struct registry_event *registry_deprecation(const struct registry *r, const char *model);
/* 1 if the version of this registration was deregistered by then, and not registered again. */
int registry_is_taken_back(
	const struct registry *r, const struct registry_event *registration, int64_t when);
/* ERR_NOTFOUND, and a message that names the models that there are. */
int registry_no_model(const struct registry *r, const char *model);
/* The same for a model that there is, where one of its versions has to be named: the message has
 * its newest one and those in its stages, as registry_resolve() takes them. */
int registry_bare_model(const struct registry *r, const char *model);

/* What one model has in `stage` now: 1, the assignment and the registration (NULL: no version is
 * tagged at its commit); 0: nothing; or a negative error. */
int registry_holds(const struct registry_event **assignment,
	const struct registry_event **registration, const struct registry *r, const char *model,
	const char *stage);

struct registry_question {
	const char *model; /* NULL: each */
	const char *stage;
	int64_t when; /* seconds since 1970, or REGISTRY_NOW */
};
/* What was in the stage at that time: each model once, by name: the last assignment that was not
 * taken back by then, of a version that was not deregistered by then.  fn(assignment, registration
 * or NULL where no version is tagged at its commit); its non-zero value is returned. */
int registry_at(const struct registry *r, const struct registry_question *q,
	int (*fn)(const struct registry_event *assignment,
		const struct registry_event *registration, void *data),
	void *data);
/* The same of each stage of one model, in the order in which the stages came up. */
int registry_stages(const struct registry *r, const char *model, int64_t when,
	int (*fn)(const struct registry_event *assignment,
		const struct registry_event *registration, void *data),
	void *data);

#endif
