/*
 * Git LFS's Batch API and File Locking API as JSON (docs/lfs-client.md, docs/lfs-server.md; Git
 * LFS's docs/api/batch.md and docs/api/locking.md): both halves, for the client (transfer/lfs) and
 * the server (server).  Pure: bytes in, values out; everything that comes in is bounded and
 * checked.
 *
 * Parsers: 0; ERR_INVALID for what is no such message (what and where, without quoting secrets),
 * ERR_LIMIT for too much of it, ERR_NOMEM.  What a structure holds is freed by its _release, which
 * is fine on a zeroed one.  Unknown members are skipped.
 */
#ifndef LIB_WIRE_LFSJSON_H
#define LIB_WIRE_LFSJSON_H

#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/strvec.h"
#include "lib/setup/lfs_endpoint.h"
#include "lib/store/oid.h"

#define LFS_MEDIA_TYPE	 "application/vnd.git-lfs+json"
#define LFS_SIZE_UNKNOWN UINT64_MAX /* an answer that names none */

enum {
	LFS_BATCH_OBJECTS = 100,	 /* that a client asks for at once */
	LFS_BATCH_OBJECTS_MAX = 10000,	 /* that a server answers at once; more: 413 */
	LFS_JSON_MAX = 16 * 1024 * 1024, /* of one message */
	LFS_LOCKS_LIMIT = 100		 /* locks a page, unless asked for fewer or more */
};

/* ---- batch ---- */

struct lfs_action {
	char *href;
	struct strvec headers; /* "Name: value"; no control bytes in any */
	int64_t expires_at;    /* seconds since 1970; 0: never.  expires_in beats expires_at */
};
enum lfs_action_kind { LFS_ACTION_DOWNLOAD, LFS_ACTION_UPLOAD, LFS_ACTION_VERIFY, LFS_ACTIONS };

struct lfs_batch_object {
	struct oid oid;
	uint64_t size;	   /* in an answer perhaps LFS_SIZE_UNKNOWN */
	int authenticated; /* the actions need no credentials besides their headers */
	struct lfs_action *actions[LFS_ACTIONS]; /* NULL: not offered */
	int error_code;				 /* 0: none; 404, 410, 422… */
	char *error;
};

struct lfs_batch {
	enum lfs_operation operation; /* request */
	struct strvec transfers;      /* request: adapters the client knows; none means "basic" */
	char *transfer;		      /* response: the adapter; NULL means "basic" */
	char *ref;		      /* request: full name of the ref at hand; NULL */
	char *hash_algo;	      /* NULL means "sha256" */
	struct lfs_batch_object *objects;
	size_t n, cap;
};

void lfs_batch_release(struct lfs_batch *b);
/* A zeroed object at the end; NULL: out of memory. */
struct lfs_batch_object *lfs_batch_add(struct lfs_batch *b);
/* Set an action of an object, with no headers.  NULL: out of memory. */
struct lfs_action *lfs_batch_action(
	struct lfs_batch_object *o, enum lfs_action_kind kind, const char *href);

int lfsjson_batch_request_format(struct buf *out, const struct lfs_batch *b);
int lfsjson_batch_request_parse(struct lfs_batch *b, const char *text, size_t len);
/* `now` (seconds since 1970) is what expires_in counts from. */
int lfsjson_batch_response_format(struct buf *out, const struct lfs_batch *b, int64_t now);
int lfsjson_batch_response_parse(struct lfs_batch *b, const char *text, size_t len, int64_t now);

/* {"oid":…,"size":…} of a verify action. */
int lfsjson_verify_format(struct buf *out, const struct oid *oid, uint64_t size);
int lfsjson_verify_parse(struct oid *oid, uint64_t *size, const char *text, size_t len);

/* {"message":…}: what a server says besides a status that is no 2xx.  Takes whatever it is given:
 * appends the message, made fit for a terminal and shortened, or nothing. */
int lfsjson_error_parse(struct buf *message, const char *text, size_t len);

/* ---- locks ---- */

struct lfs_lock {
	char *id;
	char *path;	 /* from the top of the worktree, '/' between */
	char *owner;	 /* name; NULL: unknown */
	char *locked_at; /* RFC 3339; NULL: unknown */
};
struct lfs_lock_list {
	struct lfs_lock *v;
	size_t n, cap;
};
/* An answer with locks: `ours` and `theirs` of a verification, `ours` alone of a listing. */
struct lfs_lock_page {
	struct lfs_lock_list ours, theirs;
	char *next_cursor; /* NULL: this was the last page */
};
/* What is asked for; all of it may be absent (NULL, 0). */
struct lfs_lock_query {
	const char *path, *id; /* list */
	const char *cursor;    /* list, verify */
	unsigned limit;	       /* list, verify */
	const char *ref;       /* full name; list: "refspec" */
	int force;	       /* remove */
};

void lfs_lock_release(struct lfs_lock *l);
void lfs_lock_page_release(struct lfs_lock_page *p);
/* Append a copy. */
int lfs_lock_list_add(struct lfs_lock_list *l, const struct lfs_lock *lock);

/* A request as it arrived: what struct lfs_lock_query says, in memory of its own. */
struct lfs_lock_request {
	char *path, *cursor, *ref;
	unsigned limit;
	int force;
};
void lfs_lock_request_release(struct lfs_lock_request *r);
/* {path,ref} of a new lock; {ref,cursor,limit} of a verification; {force,ref} of a removal: members
 * that are absent in `q` are left out. */
int lfsjson_lock_request_format(struct buf *out, const struct lfs_lock_query *q);
int lfsjson_lock_request_parse(struct lfs_lock_request *r, const char *text, size_t len);

/* {"lock":…[,"message":…]} */
int lfsjson_lock_format(struct buf *out, const struct lfs_lock *l, const char *message);
int lfsjson_lock_parse(struct lfs_lock *l, const char *text, size_t len);
/* {"locks":[…]} or, if `verification`, {"ours":[…],"theirs":[…]}, with "next_cursor" */
int lfsjson_lock_page_format(struct buf *out, const struct lfs_lock_page *p, int verification);
int lfsjson_lock_page_parse(
	struct lfs_lock_page *p, const char *text, size_t len, int verification);

#endif
