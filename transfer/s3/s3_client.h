/*
 * Requests to one bucket: addressed, signed, sent through the gate, and what came back as 0 or as
 * an error with its sentence (s3_error.h).  What can be mended on the spot is, once: another
 * region, newer keys.  Anything else that may pass is for who called (remote_wrap.h tries again).
 */
#ifndef TRANSFER_S3_CLIENT_H
#define TRANSFER_S3_CLIENT_H

#include "transfer/http/http.h"
#include "transfer/remote/remote.h"
#include "transfer/s3/s3_error.h"
#include "transfer/s3/s3_settings.h"

struct s3_client;

/* One request and its answer.  Zero it, set what is needed, release it. */
struct s3_call {
	enum s3_operation op;
	const char *method;
	const char *key;       /* below the prefix; NULL: the bucket itself */
	struct strvec query;   /* "key=value", encoded; owned */
	struct strvec headers; /* "Name: value", besides those of the settings; owned */
	const char *sha256;    /* of the body in hex; NULL: it is empty */
	const void *data;      /* the body, or NULL: in `fd` from its beginning */
	int fd;
	uint64_t len;
	void *into; /* as in http_request */
	size_t max;

	/* what came back */
	struct http_response response;
	struct s3_verdict verdict; /* of what was no success */
};
void s3_call_release(struct s3_call *c);

/* 0; ERR_INVALID (settings), ERR_UNSUPPORTED (no libcurl), ERR_NOMEM.  Asks nobody. */
int s3_client_new(struct s3_client **out, const struct remote_spec *spec,
	const struct remote_context *context);
void s3_client_free(struct s3_client *c);

/* Perform.  0 for an answer 2xx without an error inside; else a negative error, with
 * response.status and verdict.remedy for who knows what to do about it.  From any thread. */
int s3_client_call(struct s3_client *c, struct s3_call *call);

const struct s3_settings *s3_client_settings(const struct s3_client *c);
/* The region that requests are signed for, as far as it is known. */
void s3_client_region(struct s3_client *c, char out[static 64]);
/* What was found out in an earlier run; settings have precedence. */
void s3_client_set_region(struct s3_client *c, const char *region);
/* Append "s3://bucket/prefix/key". */
int s3_client_place(const struct s3_client *c, const char *key, struct buf *out);
/* Append "https://host[:port]". */
int s3_client_endpoint(struct s3_client *c, struct buf *out);

#endif
