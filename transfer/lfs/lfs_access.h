/*
 * Who gets which credentials (docs/lfs-client.md): what goes into the headers of a request to a
 * URL, and what is tried when the answer is 401.  Threads may share one.
 *
 * The places are asked in this order, each once for an origin (scheme, host, port), however many
 * threads wait for it: user name and password of the configured URL, netrc, `git credential`.
 */
#ifndef TRANSFER_LFS_ACCESS_H
#define TRANSFER_LFS_ACCESS_H

#include "lib/base/strvec.h"
#include "lib/base/url.h"
#include "transfer/http/http.h"
#include "transfer/lfs/lfs_client.h"

struct lfs_access;
struct lfs_origin;

/* Options borrowed.  0, ERR_NOMEM. */
int lfs_access_new(struct lfs_access **out, const struct lfs_client_options *o);
void lfs_access_free(struct lfs_access *a);

/* Append where requests to the server's API go: the endpoint's URL, or what git-lfs-authenticate
 * said.  Asks by SSH the first time.  0; ERR_DENIED, ERR_REMOTE: what SSH said. */
int lfs_access_base(struct lfs_access *a, struct buf *url);

/* A URL that is going to be asked. */
struct lfs_target {
	const char *text;  /* the URL */
	struct url url;	   /* the same in parts */
	int api;	   /* the server's API, not an action */
	int redirected;	   /* another origin's answer led here */
	int authenticated; /* the action's own headers are all it needs, unless it says 401 */
	const struct strvec *headers; /* of the action: for here; NULL */
};

/* What one request was given. */
struct lfs_grant {
	struct strvec headers;	   /* all of them, "Name: value" */
	struct http *http;	   /* borrowed from the struct lfs_access */
	struct lfs_origin *origin; /* whose credentials are meant */
	unsigned generation;	   /* of the credentials in `headers`; 0: none */
	unsigned ssh_generation;   /* the same, of git-lfs-authenticate's headers */
};
void lfs_grant_release(struct lfs_grant *g);

/* Put together what a request to the target carries.  0; ERR_INVALID: a header or a credential with
 * control bytes; ERR_DENIED: nothing is left to try; others. */
int lfs_access_grant(struct lfs_access *a, const struct lfs_target *t, struct lfs_grant *out);
/* It was answered 401.  1: ask again with a new grant; 0: there is nothing else (*why, borrowed,
 * says what the user can do); negative. */
int lfs_access_refused(struct lfs_access *a, struct lfs_target *t, const struct lfs_grant *g,
	const struct http_response *response, const char **why);
/* It was answered well: credentials that were asked for are remembered by whoever gave them. */
void lfs_access_accepted(struct lfs_access *a, const struct lfs_grant *g);

#endif
