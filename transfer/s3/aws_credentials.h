/*
 * With which keys to speak to an S3 store, found where every other tool that speaks to one finds
 * them.  The first place that has any is used:
 *
 *   1. settings of the remote: accesskeyid, secretaccesskey, sessiontoken
 *   2. the environment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
 *      (not if the remote has a setting `profile`: what was said for this remote is meant)
 *   3. the profile (setting, AWS_PROFILE, AWS_DEFAULT_PROFILE, "default") in the shared credentials
 *      and config files: static keys, else its credential_process
 *   4. the container's endpoint (ECS, EKS Pod Identity): AWS_CONTAINER_CREDENTIALS_*
 *   5. the machine's metadata service (EC2, IMDSv2), unless AWS_EC2_METADATA_DISABLED
 *
 * Not spoken, and said so instead of using other keys than the user means: roles (role_arn, web
 * identity) and single sign-on; credential_process with 'aws configure export-credentials' is the
 * way to them.  Specification: AWS SDKs and Tools Reference Guide, "Standardized credential
 * providers" and "Shared config and credentials files".  No secret ever is in a message.
 */
#ifndef TRANSFER_AWS_CREDENTIALS_H
#define TRANSFER_AWS_CREDENTIALS_H

#include <stdint.h>

#include "lib/base/buf.h"
#include "transfer/s3/aws_metadata.h"
#include "transfer/s3/sigv4.h"

struct aws_credentials;

/* How the message begins when there is no key anywhere. */
#define AWS_CREDENTIALS_NONE "no access key for remote"

/* Settings of the remote; NULL: not set.  Copied. */
struct aws_credentials_options {
	const char *remote; /* its name, for messages */
	const char *access_key_id, *secret_access_key, *session_token;
	const char *profile;
	const char *credential_path,
		*config_path; /* instead of ~/.aws/credentials, ~/.aws/config */
	struct aws_http http; /* perform == NULL: 4 and 5 are left out */
	int64_t (*now)(void); /* seconds since 1970; NULL: the clock.  For tests */
};

/* Read the files and the environment; asks nobody, runs nothing.  That there are no keys is only
 * said by aws_credentials_get.  0; ERR_INVALID (a file that cannot be parsed: file and line),
 * ERR_IO, ERR_DENIED (unreadable file), ERR_NOMEM. */
int aws_credentials_new(struct aws_credentials **out, const struct aws_credentials_options *o);
void aws_credentials_free(struct aws_credentials *c);

/* Make `keys` (zeroed) a copy of keys to sign with now.  Keys that expire are asked for again five
 * minutes before; as long as that fails but they are still good, they are given out.  May be called
 * from several threads: one asks, the others wait.  0; ERR_DENIED when there are none (every place
 * that was looked at, and what to type), ERR_INVALID (half a pair, bad answer), ERR_UNSUPPORTED (a
 * profile with single sign-on or a role: what to do), ERR_REMOTE (an endpoint that does not
 * answer). */
int aws_credentials_get(struct aws_credentials *c, struct sigv4_keys *keys);

/* The server called these keys expired or unknown: look again the next time, also into the files.
 * 1 if that may give others, 0 if not (settings, environment), so that asking again is no use. */
int aws_credentials_renew(struct aws_credentials *c, const struct sigv4_keys *refused);

/* Append where the keys come from, for messages: "profile 'ml' in /home/u/.aws/credentials (access
 * key AKIA…MPLE)". */
int aws_credentials_describe(struct aws_credentials *c, struct buf *out);

/* What environment and profile say about the rest, NULL when nothing: for settings that the remote
 * has not.  Borrowed, for the life of `c`. */
const char *aws_credentials_region(const struct aws_credentials *c);
const char *aws_credentials_endpoint(const struct aws_credentials *c);
const char *aws_credentials_addressing(const struct aws_credentials *c); /* auto, path, virtual */
const char *aws_credentials_ca_bundle(const struct aws_credentials *c);	 /* path */

#endif
