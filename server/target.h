/*
 * The target of a request, "/<repository>/info/lfs/<endpoint>[?<query>]": which repository, and
 * what of it (Git LFS's docs/api; docs/lfs-server.md, "HTTP").  Pure: bytes in, values out.
 *
 * "<repository>" is any path, none included; a ".git" at its end does not count, nor does it matter
 * whether "/info/lfs" is there, so that `lfs.url` may be any URL below the server's.
 */
#ifndef SERVER_TARGET_H
#define SERVER_TARGET_H

#include "lib/base/buf.h"
#include "lib/store/oid.h"

enum {
	TARGET_MAX = 8192, /* bytes of a target */
	TARGET_REPOSITORY_MAX = 200
};

enum endpoint {
	ENDPOINT_BATCH,	      /* objects/batch */
	ENDPOINT_OBJECT,      /* objects/<oid> */
	ENDPOINT_VERIFY,      /* objects/<oid>/verify */
	ENDPOINT_LOCKS,	      /* locks */
	ENDPOINT_LOCK_VERIFY, /* locks/verify */
	ENDPOINT_UNLOCK	      /* locks/<id>/unlock */
};

struct target {
	enum endpoint endpoint;
	char *repository; /* decoded, without slashes at its ends; "" at the top */
	struct oid oid;	  /* ENDPOINT_OBJECT, ENDPOINT_VERIFY */
	char *lock_id;	  /* ENDPOINT_UNLOCK */
	char *query;	  /* as it came; NULL */
};

/* 0; ERR_INVALID: no path of ours can look like that ("..", empty segments, control bytes, a
 * percent sign that encodes nothing); ERR_NOTFOUND: there is no such endpoint; ERR_LIMIT;
 * ERR_NOMEM.
 */
int target_parse(struct target *out, const char *text);
/* Fine on a zeroed one. */
void target_release(struct target *t);

/* A member of the query, decoded.  1 and *out is yours; 0: not there, *out NULL; ERR_INVALID,
 * ERR_NOMEM. */
int target_query(char **out, const struct target *t, const char *name);

/* Append the path that leads to an object of a repository, percent-encoded: "/<repository>/info/
 * lfs/objects/<oid>" for ENDPOINT_OBJECT, or that for ENDPOINT_VERIFY. */
int target_format(
	struct buf *out, const char *repository, enum endpoint endpoint, const struct oid *oid);

#endif
