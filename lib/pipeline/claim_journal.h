/*
 * The text of a claim (docs/running-stages.md): who runs, what is claimed, what happened to the old
 * outputs.  Records are appended, each ended by a NUL byte, and never changed.
 */
#ifndef LIB_PIPELINE_CLAIM_JOURNAL_H
#define LIB_PIPELINE_CLAIM_JOURNAL_H

#include "lib/base/buf.h"
#include "lib/base/strvec.h"
#include "lib/store/oid.h"

enum claim_item_how {
	CLAIM_ASIDE = 1, /* moved away */
	CLAIM_COPIED,	 /* left in place, with a copy */
	CLAIM_ABSENT	 /* there was nothing */
};

struct claim_item {
	char *path; /* from the top; its old content has the name of its index */
	enum claim_item_how how;
	int keep;
};

struct claim_journal {
	char *stage;
	long pid;
	struct strvec reads, writes, mutex;
	int ready; /* all of the above is there */
	struct claim_item *items;
	size_t n, cap;
	int copied; /* all copies are complete */
	char *lock; /* NULL: the new outputs are not complete yet */
	char *name; /* of the stage in that file */
	struct oid made;
};

void claim_journal_release(struct claim_journal *j);

/* Appending records to `out`.  0 or ERR_NOMEM, ERR_LIMIT. */
struct claim_wants;
int claim_journal_begin(struct buf *out, const struct claim_wants *w, long pid);
int claim_journal_item(
	struct buf *out, size_t i, enum claim_item_how how, int keep, const char *path);
int claim_journal_copied(struct buf *out);
int claim_journal_made(struct buf *out, const char *lock, const char *name, const struct oid *made);

/* Read into a zeroed `j`; a last record without its end does not count (it was not acted upon).
 * Pure.  0; ERR_CORRUPT; ERR_UNSUPPORTED: of a later version. */
int claim_journal_parse(struct claim_journal *j, const void *text, size_t len);

#endif
