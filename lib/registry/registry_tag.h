/*
 * Writing to the registry: one annotated tag each, with everything checked before.
 */
#ifndef LIB_REGISTRY_REGISTRY_TAG_H
#define LIB_REGISTRY_REGISTRY_TAG_H

#include "lib/base/buf.h"
#include "lib/registry/registry.h"

enum registry_bump {
	REGISTRY_AS_GIVEN = 0, /* what.version */
	REGISTRY_NEXT_MAJOR,
	REGISTRY_NEXT_MINOR,
	REGISTRY_NEXT_PATCH
};

struct registry_tag {
	struct gtotag what; /* kind, model, stage, version; the counter is chosen here */
	/* of a registration */
	enum registry_bump bump; /* the one after the greatest there is; the first: v1.0.0, v0.1.0,
				    v0.0.1 */
	uint8_t commit[REPO_ID_MAX];
	const char *path;   /* the model's file, from the top; may be NULL */
	const char *sha256; /* of its content, in hex; may be NULL */
	uint64_t size;
	/* of the others: the commit is that of the version, what.version.  UNASSIGN: unless
	 * any_version is set, then what the stage holds */
	int any_version;
	const char *message; /* NULL: "Registering artifact churn version v1.0.0", as GTO has it */
};

/* Make the tag; *name gets "churn@v1.0.0", `t->what` the version and counter that were chosen.  One
 * process after the other: of two that register the same version one is told.  0; ERR_EXISTS: the
 * version is there, the commit has another one, the stage holds it already; ERR_NOTFOUND: no such
 * model, version, or the stage does not hold it; ERR_INVALID: the names, or Git refused
 * (and has said why). */
int registry_tag_create(struct buf *name, const struct repo *repo, struct registry_tag *t);

#endif
