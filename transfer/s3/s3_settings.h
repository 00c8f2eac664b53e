/*
 * What an S3 remote is told: its URL and its settings (docs/s3.md), put together with what
 * environment and AWS profiles say, and checked.
 */
#ifndef TRANSFER_S3_SETTINGS_H
#define TRANSFER_S3_SETTINGS_H

#include "lib/base/strvec.h"
#include "transfer/s3/aws_credentials.h"
#include "transfer/http/http.h"
#include "transfer/remote/remote.h"

struct s3_settings {
	char *bucket;
	char *prefix; /* "" or "a/b/" */

	char *scheme, *host, *base; /* of the endpoint: "https", "host[:port]", "" or "/path" */
	int own_endpoint; /* named by the user; else it depends on the region, and host is NULL */
	char *tree_endpoint; /* the endpoint if only a file of the tree names it, and it is not
			      * Amazon's: no secret is sent there.  Else NULL */
	int path_style;	     /* "host/bucket/key"; else "bucket.host/key" */
	char *region;	     /* NULL: to be found out */

	struct strvec put_headers;	     /* storage class, encryption: "Name: value" */
	struct strvec read_headers;	     /* of GET and HEAD: the customer's key */
	int etag_is_md5;		     /* no encryption that changes it */
	const char *storage_class, *kms_key; /* for messages; borrowed from the configuration */
};

/* Read them.  `credentials` says what environment and profile have; *http gets the TLS settings
 * (borrowed from the configuration).  0; ERR_INVALID with the setting to correct; ERR_NOMEM. */
int s3_settings_read(struct s3_settings *s, const struct remote_spec *spec, const struct config *c,
	const struct aws_credentials *credentials, struct http_options *http);
void s3_settings_release(struct s3_settings *s);

/* Append the endpoint's "host[:port]" for a region, and the host that a bucket's requests go to. */
int s3_settings_endpoint(const struct s3_settings *s, const char *region, struct buf *out);
int s3_settings_host(const struct s3_settings *s, const char *region, struct buf *out);

#endif
