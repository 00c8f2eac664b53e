/*
 * Git objects by a `git cat-file --batch-command` that starts with the first question and keeps
 * running: asked for as the work goes on, and in pieces, so that a blob of any size passes through.
 * One thread per catfile.
 *
 * It may fetch what a partial clone left out, one by one (older Git knows no GIT_NO_LAZY_FETCH):
 * there, ask only for what git_objects_info() finds, or what every clone has: refs' own objects.
 */
#ifndef LIB_REPO_CATFILE_H
#define LIB_REPO_CATFILE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/repo/git.h"
#include "lib/repo/repo.h"

struct catfile;

/* `repo` is borrowed. */
int catfile_open(struct catfile **out, const struct repo *repo);
void catfile_close(struct catfile *c);

/* How an object begins. */
struct catfile_head {
	size_t i; /* which of the objects that were asked for */
	enum git_type type;
	uint64_t size;
};

/* Ask for n objects, the id of number i by id(i, data) - NULL: that one is not wanted -, and call
 * fn(head, …) for each in order.  fn takes the content by catfile_take(); what it leaves is
 * skipped. A missing one has GIT_MISSING.  Returns the first non-zero value of fn, or a negative
 * error: where Git ended by itself, why it did.  The next question then starts Git again. */
int catfile_each(struct catfile *c, size_t n, const uint8_t *(*id)(size_t i, void *data),
	int (*fn)(struct catfile *c, const struct catfile_head *head, void *data), void *data);
/* The same, but only type and size are asked for; there is no content to take. */
int catfile_info(struct catfile *c, size_t n, const uint8_t *(*id)(size_t i, void *data),
	int (*fn)(struct catfile *c, const struct catfile_head *head, void *data), void *data);
/* Append up to `most` further bytes of the content at hand; none are left when fewer come.  0 or a
 * negative error. */
int catfile_take(struct catfile *c, size_t most, struct buf *out);
/* The commit that a revision names, in one line: 1, its id and up to `most` bytes of its content;
 * 0: there is none.  What of a name Git has remarks on goes to stderr. */
int catfile_commit(struct catfile *c, const char *rev, size_t most, uint8_t id[static REPO_ID_MAX],
	struct buf *out);
/* Append the content of one object of this type; ERR_NOTFOUND, ERR_CORRUPT (another type),
 * ERR_LIMIT when it has more than `most` bytes. */
int catfile_read(
	struct catfile *c, const uint8_t *id, enum git_type type, size_t most, struct buf *out);

#endif
