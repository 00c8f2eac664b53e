/*
 * The client's half of Git LFS's custom transfer protocol (docs/custom-transfers.md there;
 * docs/lfs-client.md, "Agents"): lines of JSON to an agent, and what it answers.  Pure.
 */
#ifndef LIB_WIRE_LFSAGENT_H
#define LIB_WIRE_LFSAGENT_H

#include "lib/wire/lfsjson.h"

enum { LFSAGENT_LINE_MAX = 1024 * 1024 }; /* bytes of a line */

/* Append one line.  0, ERR_NOMEM, ERR_LIMIT. */
int lfsagent_init_format(
	struct buf *out, enum lfs_operation op, const char *remote, int concurrent, unsigned n);
/* `path` (upload): the file to send; `action` NULL: standalone. */
int lfsagent_object_format(struct buf *out, enum lfs_operation op, const struct oid *oid,
	uint64_t size, const char *path, const struct lfs_action *action);
int lfsagent_terminate_format(struct buf *out);

enum lfsagent_event { LFSAGENT_PROGRESS, LFSAGENT_COMPLETE };
struct lfsagent_message {
	enum lfsagent_event event;
	struct oid oid;
	uint64_t bytes; /* progress: of this object, so far */
	char *path;	/* complete, download: where the file lies */
	int failed;	/* complete: it did not work, */
	char *error;	/* for this reason; may be NULL */
};
void lfsagent_message_release(struct lfsagent_message *m);

/* What follows init: 0 if the agent is ready; ERR_REMOTE with its own words if it is not;
 * ERR_INVALID: no such answer. */
int lfsagent_ready_parse(const char *line, size_t len);
/* What comes afterwards.  0, ERR_INVALID, ERR_LIMIT, ERR_NOMEM. */
int lfsagent_message_parse(struct lfsagent_message *m, const char *line, size_t len);

#endif
