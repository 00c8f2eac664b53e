/*
 * Semantic versions (semver.org 2.0.0), as tags spell them: "v1.2.3", "v1.2.3-rc.1+build".  Pure.
 */
#ifndef LIB_REGISTRY_SEMVER_H
#define LIB_REGISTRY_SEMVER_H

#include <stdint.h>

#include "lib/base/buf.h"

struct semver {
	uint64_t major, minor, patch;
	char pre[64], build[64]; /* without '-' and '+'; "" */
};
enum semver_bump { SEMVER_MAJOR, SEMVER_MINOR, SEMVER_PATCH };

/* With or without a leading 'v'.  0 or ERR_INVALID (the message says what is wrong and shows a
 * version that is right). */
int semver_parse(struct semver *out, const char *text);
/* <0, 0, >0 by section 11: a pre-release is before its release; build metadata counts for nothing.
 */
int semver_compare(const struct semver *a, const struct semver *b);
/* The next version; of a pre-release its release is the next patch. */
void semver_bump(struct semver *v, enum semver_bump which);
/* Append "v1.2.3". */
int semver_format(struct buf *out, const struct semver *v);

#endif
