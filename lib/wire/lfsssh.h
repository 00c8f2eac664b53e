/*
 * Git LFS over nothing but SSH (docs/lfs-ssh.md; Git LFS's docs/proposals/ssh_adapter.md): messages
 * of pkt-lines, both halves, for the client (transfer/lfs/lfs_ssh) and the server
 * (transfer/ssh/serve_lfs).
 *
 *   message = line, "key=value" lines, [delimiter, body,] flush
 *
 * The line is a command with an operand, or "status NNN".  A body is lines of text or the bytes of
 * an object, whose packets are no lines.  Everything that comes in is bounded: ERR_CORRUPT for what
 * is no such message, ERR_LIMIT for too much of it.
 */
#ifndef LIB_WIRE_LFSSSH_H
#define LIB_WIRE_LFSSSH_H

#include "lib/base/buf.h"
#include "lib/base/strvec.h"
#include "lib/store/oid.h"
#include "lib/wire/lfsjson.h"
#include "lib/wire/pktline.h"

enum {
	LFSSSH_ARGS_MAX = 100,		  /* lines with arguments in a message */
	LFSSSH_HEAD_MAX = 256 * 1024,	  /* their bytes */
	LFSSSH_PAGE_MAX = 8 * 1024 * 1024 /* bytes of the lines about a page of locks */
};

/* The first part of a message, without the LFs. */
struct lfsssh_head {
	char *line;
	struct strvec args;
	int has_body; /* what follows is to be read with the functions for bodies */
};
/* Read one.  1; 0: the stream ends here.  What has no body is read to its end. */
int lfsssh_head_read(struct lfsssh_head *h, struct pkt_reader *r);
/* Fine on a zeroed struct. */
void lfsssh_head_release(struct lfsssh_head *h);
/* Value of the first argument of this name; NULL if there is none.  Borrowed. */
const char *lfsssh_arg(const struct lfsssh_head *h, const char *key);
/* The same as a number in decimal digits: 1; 0 if there is none; ERR_INVALID. */
int lfsssh_arg_number(uint64_t *out, const struct lfsssh_head *h, const char *key);

/* The next line of a body, without its LF, in place of what `line` holds.  1; 0: that was all. */
int lfsssh_body_line(struct pkt_reader *r, struct buf *line);
/* The next bytes of a body, borrowed until the next call.  1; 0: that was all. */
int lfsssh_body_data(struct pkt_reader *r, const uint8_t **data, size_t *len);
/* Read the rest of a body and forget it. */
int lfsssh_body_skip(struct pkt_reader *r);

/* Write the line and the arguments ("key=value" each; NULL ends them).  What follows is
 * pkt_write_delim and a body, or pkt_write_flush. */
int lfsssh_head_write(struct pkt_writer *w, const char *line, ...) __attribute__((sentinel));
/* A whole message without a body. */
int lfsssh_message_write(struct pkt_writer *w, const char *line, const struct strvec *args);

/* ---- commands and statuses ---- */

enum lfsssh_command {
	LFSSSH_UNKNOWN,
	LFSSSH_VERSION,
	LFSSSH_BATCH,
	LFSSSH_GET,
	LFSSSH_PUT,
	LFSSSH_VERIFY,
	LFSSSH_LOCK,
	LFSSSH_LIST_LOCK,
	LFSSSH_UNLOCK,
	LFSSSH_QUIT
};
/* What a line commands; *operand (borrowed from it) is the rest, "" if there is none. */
enum lfsssh_command lfsssh_command_parse(const char **operand, const char *line);
/* The number of "status NNN", 100 to 599, or ERR_CORRUPT. */
int lfsssh_status_parse(const char *line);

/* ---- objects ---- */

/* A line of a batch.  The strings are borrowed from the line that was parsed; NULL: not said. */
struct lfsssh_object {
	struct oid oid;
	uint64_t size;
	const char *action; /* "upload", "download", "noop", another; requests have none */
	const char *id;	    /* to be said again with what is done */
	const char *token;
	const char *expires_in; /* seconds */
	const char *expires_at; /* RFC 3339 */
};
/* Take a line apart; it is changed.  Requests have no action, answers have one (`answer`). 0,
 * ERR_INVALID. */
int lfsssh_object_parse(struct lfsssh_object *o, char *line, int answer);
int lfsssh_object_write(struct pkt_writer *w, const struct lfsssh_object *o);

/* ---- locks ---- */

/* A lock as arguments of an answer: "id=", "path=", "locked-at=", "ownername=". */
int lfsssh_lock_format(struct strvec *args, const struct lfs_lock *l);
/* ERR_CORRUPT without id and path. */
int lfsssh_lock_parse(struct lfs_lock *l, const struct lfsssh_head *h);

/* A lock as lines of a listing; `ours`: it belongs to who asked. */
int lfsssh_listed_write(struct pkt_writer *w, const struct lfs_lock *l, int ours);

/* A listing that is read line by line, and then the end. */
struct lfsssh_listing {
	struct lfs_lock_page *page;
	int all; /* all of them go to page->ours, whoever's they are */
	struct lfs_lock lock;
	int whose; /* 1 ours, -1 theirs, 0 unknown: in neither list, unless `all` */
};
int lfsssh_listing_line(struct lfsssh_listing *l, char *line);
int lfsssh_listing_end(struct lfsssh_listing *l);
void lfsssh_listing_release(struct lfsssh_listing *l);

#endif
