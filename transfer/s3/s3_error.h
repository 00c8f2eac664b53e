/*
 * What an answer of an S3 store that is no success means: which error it is for the callers of
 * remote.h, whether it may pass, and a sentence for a person, who reads it without knowing S3: what
 * was being done and where, why it failed, what to do.  Pure: no clock, no I/O.
 *
 * Specification: Amazon S3 API Reference, "Error Responses: List of error codes".
 */
#ifndef TRANSFER_S3_ERROR_H
#define TRANSFER_S3_ERROR_H

#include <stdint.h>

#include "transfer/s3/s3_xml.h"

enum s3_operation {
	S3_LIST,
	S3_HEAD,
	S3_GET,
	S3_PUT,
	S3_DELETE,
	S3_LOCATION, /* which region is the bucket in */
	S3_PROBE     /* trying out what the server can do */
};

/* What was asked, and what came back.  All borrowed; NULL or 0: not known. */
struct s3_failure {
	enum s3_operation op;
	const char *remote; /* name of the remote, for what to type */
	const char *bucket;
	const char *place;	 /* "s3://bucket/prefix/packs/…", or the endpoint's URL of it */
	const char *endpoint;	 /* "https://host[:port]" that was asked */
	const char *region;	 /* that was signed for */
	const char *credentials; /* aws_credentials_describe */
	int has_token;		 /* signed with a session token */
	const char *storage_class, *kms_key; /* that were sent */

	int status; /* of HTTP */
	const struct s3_xml_error *doc;
	const char *bucket_region; /* header x-amz-bucket-region */
	int64_t server_date;	   /* header Date, seconds since 1970 */
	int64_t now;		   /* our clock when it arrived */
	unsigned retry_after_ms;   /* header Retry-After */
};

/* What the caller may do about it himself, before he gives up. */
enum s3_remedy {
	S3_REMEDY_NONE,	   /* permanent */
	S3_REMEDY_RETRY,   /* ask again, after retry_ms or when he likes; code is ERR_REMOTE */
	S3_REMEDY_REGION,  /* ask again, signed for verdict.region (once) */
	S3_REMEDY_KEYS,	   /* ask again with other keys, if aws_credentials_renew has some (once) */
	S3_REMEDY_EXISTS,  /* If-None-Match: the object is there; code is ERR_EXISTS */
	S3_REMEDY_FALLBACK /* the server does not know a feature (501): do without it */
};

struct s3_verdict {
	int code; /* enum err, as remote.h promises it */
	enum s3_remedy remedy;
	unsigned retry_ms; /* 0: the server did not say */
	char region[64];   /* the right one, with S3_REMEDY_REGION */
	char message[1024];
};

void s3_error_explain(struct s3_verdict *out, const struct s3_failure *f);

#endif
