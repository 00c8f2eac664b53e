/*
 * HTTP requests to a Git LFS server and to the places it sends us to: with the right credentials,
 * or none (docs/lfs-client.md, "Who gets which credentials").
 *
 * What an answer needs beyond one request is done here: settings of http.<url>.*, the user's and
 * the server's credentials (netrc, `git credential`, git-lfs-authenticate), redirects (by hand, at
 * most five, never from https to http), and another try after 429, 5xx and lost connections.
 * Threads may share a client.
 */
#ifndef TRANSFER_LFS_CLIENT_H
#define TRANSFER_LFS_CLIENT_H

#include "lib/setup/config.h"
#include "lib/setup/gitdir.h"
#include "lib/setup/lfs_endpoint.h"
#include "transfer/http/http.h"

struct lfs_client;

/* All borrowed for the life of the client. */
struct lfs_client_options {
	const struct gitdir *git;
	const struct config *config;
	const struct lfs_endpoint *endpoint;
	const volatile int *stop; /* may be NULL */
};

/* Asks nothing yet.  0, ERR_NOMEM. */
int lfs_client_new(struct lfs_client **out, const struct lfs_client_options *o);
/* No request may be in the making.  NULL is fine. */
void lfs_client_free(struct lfs_client *c);

struct lfs_request {
	const char *method;
	const char *path; /* "/objects/batch", behind the endpoint's URL; or NULL: */
	const char *href; /* an action's URL, whole (relative to the endpoint is fine) */
	/* Of the action: sent to the origin of `href` only, never to where that redirects on
	 * another. */
	const struct strvec *headers;
	const char *range; /* "bytes=5-": what follows a redirect is asked for it, too; NULL */
	/* href: it needs no credentials of the user's (the object was `authenticated`, or a header
	 * says Authorization); they are never sent to another origin than the endpoint's anyway,
	 * unless that origin asks (401) and the user has some for it. */
	int authenticated;

	/* The body: bytes, or a file from an offset on (data == NULL). */
	const void *data;
	int fd;
	uint64_t offset, len;
	void (*sent)(uint64_t bytes, void *data); /* as in struct http_request; may be NULL */
	void *sent_data;
	const char *content_type; /* NULL: none; LFS_MEDIA_TYPE is also sent as Accept */

	/* Where the body of an answer 200 or 206 goes: in pieces, on the caller's thread, after
	 * `begin` (may be NULL) has seen status and headers; negative returns end the request.
	 * NULL: into response->body, at most `max` bytes. */
	int (*begin)(const struct http_response *response, void *data);
	int (*sink)(const void *p, size_t len, void *data);
	void *sink_data;
	size_t max;
	int once; /* do not try again: the caller does (a download that goes on where it was) */
};

/* Perform it, from any thread.  0 for an answer 2xx.  Otherwise (*response has the last answer, if
 * any):
 *   ERR_NOTFOUND     404, 410
 *   ERR_DENIED       401 after all credentials, 403, 407
 *   ERR_UNSUPPORTED  405, 501
 *   ERR_EXISTS       409
 *   ERR_LIMIT        413, 507, 509
 *   ERR_INVALID      406, 422 and other 4xx; redirects that are refused
 *   ERR_REMOTE       no answer, 408, 429, 5xx: tried again, and given up; what `sink` got may be
 *                    half
 *   ERR_INTERRUPTED, ERR_NOMEM, what begin or sink returned
 * The message has the host, the status and what the server said; no secret is in it.
 */
int lfs_client_request(
	struct lfs_client *c, const struct lfs_request *request, struct http_response *response);

/* How long to wait before trying again what failed with `rc`: milliseconds by Retry-After or by the
 * number of tries so far (growing, with jitter), -1: give up (permanent, or dvx.retries /
 * lfs.transfer.maxretries are used up). */
int lfs_client_retry_ms(
	const struct lfs_client *c, int rc, const struct http_response *response, unsigned tries);
/* Sleep, unless it is time to stop: 0 or ERR_INTERRUPTED. */
int lfs_client_wait(const struct lfs_client *c, int milliseconds);

#endif
