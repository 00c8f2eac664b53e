/*
 * What can this S3 server do?  A small object is written twice with "If-None-Match: *": the second
 * time must fail, else the condition is ignored.  It is written with a wrong checksum: that must
 * fail, else checksums are not compared.  Then it is removed.  Four requests, once for a store.
 */
#include "transfer/remote/remote.h"
#include "lib/base/err.h"
#include "transfer/s3/remote_s3_internal.h"

#include <stdio.h>
#include <sys/random.h>

#define PROBE_BYTES "git-dvx probe\n"
#define PROBE_OID   "ed2b8203185cbceee320878dc4ef02038ad4647afbe98227f759600fe5cd6b87"
/* 32 bytes of zero: the checksum of nothing that anybody has. */
#define WRONG_CHECKSUM "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

/* Put the small object with one header.  0 when the server took it; else an error, and *remedy and
 * *status say more. */
static int try_put(struct remote_s3 *s, const char *key, const char *header, enum s3_remedy *remedy,
	int *status)
{
	struct s3_call call = {.op = S3_PROBE,
		.method = "PUT",
		.key = key,
		.sha256 = PROBE_OID,
		.data = PROBE_BYTES,
		.len = sizeof(PROBE_BYTES) - 1,
		.max = HTTP_ERROR_BODY_MAX};
	int rc = strvec_push(&call.headers, header);

	if (rc == 0)
		rc = s3_client_call(s->client, &call);
	*remedy = call.verdict.remedy;
	*status = call.response.status;
	s3_call_release(&call);
	return rc;
}

static int try_conditional(struct remote_s3 *s, const char *key)
{
	enum s3_remedy remedy;
	int status, rc = try_put(s, key, "If-None-Match: *", &remedy, &status);

	if (rc < 0 && remedy == S3_REMEDY_FALLBACK) {
		s->can.conditional = S3_CONDITIONAL_REFUSED;
		return 0;
	}
	if (rc < 0)
		return rc;
	rc = try_put(s, key, "If-None-Match: *", &remedy, &status);
	if (rc < 0 && remedy != S3_REMEDY_EXISTS)
		return rc;
	s->can.conditional = rc < 0 ? S3_CONDITIONAL_YES : S3_CONDITIONAL_IGNORED;
	return 0;
}

static int try_checksum(struct remote_s3 *s, const char *key)
{
	enum s3_remedy remedy;
	int status;
	int rc = try_put(s, key, "x-amz-checksum-sha256: " WRONG_CHECKSUM, &remedy, &status);

	s->can.checksum = rc < 0 && status == 400;
	if (rc < 0 && (status == 400 || remedy == S3_REMEDY_FALLBACK)) {
		remote_take_retry_hint();
		return 0;
	}
	return rc;
}

int remote_s3_try_out(struct remote_s3 *s)
{
	struct s3_call cleanup = {.op = S3_DELETE, .method = "DELETE"};
	enum s3_conditional before = s->can.conditional;
	unsigned char random[8];
	char key[64] = "probe-";
	int rc;

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return err_sys("cannot get random bytes");
	for (size_t i = 0; i < sizeof(random); i++)
		snprintf(key + 6 + 2 * i, 3, "%02x", random[i]);
	rc = try_conditional(s, key);
	if (rc == 0)
		rc = try_checksum(s, key);
	if (rc < 0) {
		s->can.conditional = before;
		return rc;
	}
	cleanup.key = key;
	if (s3_client_call(s->client, &cleanup) < 0)
		err_clear(); /* who may not delete leaves it behind: it is never read */
	s3_call_release(&cleanup);
	remote_s3_remember(s);
	return 0;
}

int remote_s3_probe(struct remote *r, struct buf *report)
{
	static const char *const words[] = {
		[S3_CONDITIONAL_UNKNOWN] = "unknown",
		[S3_CONDITIONAL_YES] = "yes",
		[S3_CONDITIONAL_IGNORED] = "no, ignored",
		[S3_CONDITIONAL_REFUSED] = "no, refused",
	};
	struct remote_s3 *s = (struct remote_s3 *)r;
	struct s3_capabilities can;
	struct buf endpoint = BUF_INIT;
	int rc;

	pthread_mutex_lock(&s->lock);
	rc = remote_s3_try_out(s);
	can = s->can;
	pthread_mutex_unlock(&s->lock);
	if (rc == 0)
		rc = s3_client_endpoint(s->client, &endpoint);
	if (rc == 0)
		rc = buf_addf(report, "%s: conditional writes: %s; checksums: %s; region: %s",
			endpoint.p, words[can.conditional], can.checksum ? "yes" : "no",
			can.region);
	buf_release(&endpoint);
	return rc;
}
