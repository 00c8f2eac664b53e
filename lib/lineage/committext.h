/*
 * What a commit object says of itself, in the words of `git log`.  Pure.
 */
#ifndef LIB_LINEAGE_COMMITTEXT_H
#define LIB_LINEAGE_COMMITTEXT_H

#include "lib/base/buf.h"

enum committext_field {
	COMMITTEXT_ID,
	COMMITTEXT_AUTHOR,
	COMMITTEXT_EMAIL,
	COMMITTEXT_DATE,      /* the author's, ISO 8601 */
	COMMITTEXT_COMMITTED, /* the committer's */
	COMMITTEXT_SUBJECT,
	COMMITTEXT_FIELDS
};

/* What has `git log --encoding=UTF-8` tell the same: the fields, each ended by a NUL. */
#define COMMITTEXT_LOG_FORMAT "%H%x00%an%x00%ae%x00%aI%x00%cI%x00%s"

/* Append the fields as COMMITTEXT_LOG_FORMAT has them.  1; 0: nothing was appended, only Git can
 * tell (another encoding, a header that a program bungled). */
int committext_fields(struct buf *out, const char *hex, const struct buf *commit);
/* Find the fields at p; a NUL stands at `end`, which may be that of the last one.  What is behind
 * them, or NULL: some are missing. */
const char *committext_split(
	const char *field[static COMMITTEXT_FIELDS], const char *p, const char *end);

#endif
