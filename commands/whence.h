/*
 * What `git dvx whence` found, between the search (whence.c) and the output (whence_print.c).
 */
#ifndef COMMANDS_WHENCE_H
#define COMMANDS_WHENCE_H

#include "commands/command.h"
#include "lib/base/strvec.h"
#include "lib/lineage/history.h"
#include "lib/registry/registry.h"

enum { WHENCE_PREFIX_LEAST = 4 };

/* A commit that brought the object to the path. */
struct whence_commit {
	uint8_t id[REPO_ID_MAX];
	int64_t when;
	uint64_t commits; /* so many have it from this one */
	const char *date, *author, *subject;
};
/* An object at a path; of one object by time, the newest first. */
struct whence_place {
	struct oid oid;
	uint64_t size;
	const char *path;
	int at_head;
	struct whence_commit *since;
	size_t n_since, cap_since;
	struct strvec branches, tags, others; /* short names; of others ("refs/stash") the whole */
	const struct registry_event **models; /* registrations, by name, the newest version first */
	size_t n_models, cap_models;
};

struct whence {
	struct command_ctx *ctx;
	int json;
	const char *operand;
	struct buf prefix; /* the id, or how it begins */
	struct objcache *objects;
	struct history *history;
	struct registry *registry; /* NULL: no tag in question is a model's */
	struct history_searched searched;
	struct whence_place *v;
	size_t n, cap;
	struct buf described; /* holds the texts of whence_commit */
};

/* To stdout; that nothing was found, to stderr.  0 or a negative error. */
int whence_print_text(struct whence *w);
int whence_print_json(struct whence *w);

#endif
