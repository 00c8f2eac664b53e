/*
 * Names of tags in the convention of GTO (docs/registry.md): "churn@v1.2.3" registers a version,
 * "churn#prod#4" assigns a stage, "…!" takes either back, "churn@deprecated" ends a model; in a
 * monorepo with a directory before it: "models=churn@v1.2.3".  Pure.
 */
#ifndef LIB_REGISTRY_GTOTAG_H
#define LIB_REGISTRY_GTOTAG_H

#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/registry/semver.h"

enum gtotag_kind {
	GTOTAG_NONE = 0,   /* not of this convention */
	GTOTAG_REGISTER,   /* name@v1.2.3 */
	GTOTAG_DEREGISTER, /* name@v1.2.3!, name@v1.2.3!#5 */
	GTOTAG_ASSIGN,	   /* name#stage#4, name#stage */
	GTOTAG_UNASSIGN,   /* name#stage!#4, name#stage! */
	GTOTAG_DEPRECATE,  /* name@deprecated, name@deprecated#5 */
	GTOTAG_CREATE	   /* name@created: there, without a version */
};
struct gtotag {
	enum gtotag_kind kind;
	char model[256]; /* "models/churn", in a subproject "dir:churn" */
	char stage[128];
	struct semver version;
	uint64_t counter; /* 0: none */
};

/* `tag`: without "refs/tags/".  What is not of the convention is GTOTAG_NONE, never an error. */
void gtotag_parse(struct gtotag *out, const char *tag);
int gtotag_format(struct buf *out, const struct gtotag *t);
/* 0, or ERR_INVALID that says what is allowed: `[a-zA-Z0-9]([a-zA-Z0-9-/_]*[a-zA-Z0-9])?`. */
int gtotag_check_model(const char *name);
int gtotag_check_stage(const char *name);

#endif
