/*
 * What an S3 server was found to be able to do, remembered in the local cache of its remote
 * (docs/s3.md, "What is remembered").  A record that is missing, damaged or of another endpoint is
 * no record: then it is found out again.
 */
#ifndef TRANSFER_S3_CAPABILITIES_H
#define TRANSFER_S3_CAPABILITIES_H

enum s3_conditional {
	S3_CONDITIONAL_UNKNOWN, /* not tried out yet */
	S3_CONDITIONAL_YES,	/* If-None-Match: * creates, or answers 412 */
	S3_CONDITIONAL_IGNORED, /* it is taken and not obeyed */
	S3_CONDITIONAL_REFUSED	/* requests with it fail (501) */
};

struct s3_capabilities {
	enum s3_conditional conditional;
	int checksum;	 /* x-amz-checksum-sha256 is compared and kept */
	char region[64]; /* found out; "" if not */
};

/* For the store at `url`, reached at `endpoint` ("https://host").  Failure is no record. */
void s3_capabilities_load(
	struct s3_capabilities *out, const char *dvx_dir, const char *url, const char *endpoint);
/* Failure is not worth a message. */
void s3_capabilities_save(const struct s3_capabilities *c, const char *dvx_dir, const char *url,
	const char *endpoint);

#endif
