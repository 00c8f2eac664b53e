/*
 * Notices: which fragments and packs of a blob store are going to be removed, and which notices
 * have been acted on (docs/remote-gc.md).  Pure: the text and back.
 */
#ifndef TRANSFER_NOTICE_H
#define TRANSFER_NOTICE_H

#include "lib/base/buf.h"
#include "lib/store/oid.h"

enum {
	NOTICE_LINES_MAX = 100000,
	NOTICE_RANDOM_LEN = 16,
	NOTICE_BYTES_MAX = 128 + NOTICE_LINES_MAX * 80
};

enum notice_kind {
	NOTICE_FRAGMENT,
	NOTICE_PACK,
	NOTICE_SPENT, /* the name of another notice */
	NOTICE_KINDS
};

/* A list of names for each kind; all zeros is an empty notice. */
struct notice {
	struct notice_names {
		struct oid *v;
		size_t n, cap;
	} names[NOTICE_KINDS];
};

void notice_release(struct notice *n);
/* How many names of all kinds. */
size_t notice_count(const struct notice *n);
/* 0; ERR_LIMIT when there are NOTICE_LINES_MAX names; ERR_NOMEM. */
int notice_add(struct notice *n, enum notice_kind kind, const struct oid *name);

/* Append the text and set its name.  `created` is for people, `random` makes it the only one. */
int notice_build(const struct notice *n, int64_t created,
	const uint8_t random[static NOTICE_RANDOM_LEN], struct buf *text, struct oid *name);
/* Parse into a zeroed *out (release it also after an error).  0, ERR_CORRUPT, ERR_UNSUPPORTED
 * (another version), ERR_LIMIT, ERR_NOMEM. */
int notice_parse(struct notice *out, const char *text, size_t len);

#endif
