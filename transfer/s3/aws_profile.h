/*
 * The shared files of AWS, ~/.aws/credentials and ~/.aws/config: an INI dialect with one level of
 * nested keys.
 *
 * Specification: AWS SDKs and Tools Reference Guide, "Shared config and credentials files".  A
 * profile is the section [name] of the credentials file and [profile name] (or [default]) of the
 * config file; for keys in both the credentials file wins.  Nested keys ("s3 =", then indented
 * "addressing_style = path") are found as "s3.addressing_style".
 */
#ifndef TRANSFER_AWS_PROFILE_H
#define TRANSFER_AWS_PROFILE_H

#include <stddef.h>

enum aws_profile_file { AWS_PROFILE_CREDENTIALS, AWS_PROFILE_CONFIG };

struct aws_profile;

int aws_profile_new(struct aws_profile **out);
void aws_profile_free(struct aws_profile *p);

/* Add the content of a file (NUL-terminated text of `len` bytes; `name` is for messages).  0;
 * ERR_INVALID with name and line; ERR_LIMIT; ERR_NOMEM. */
int aws_profile_parse(struct aws_profile *p, const char *text, size_t len,
	enum aws_profile_file kind, const char *name);
/* The same, from the disk.  A file that is not there is empty. */
int aws_profile_read(struct aws_profile *p, enum aws_profile_file kind, const char *path);

/* 1 if there is such a profile in either file. */
int aws_profile_has(const struct aws_profile *p, const char *profile);
/* A key of a profile, NULL when it has none.  Borrowed. */
const char *aws_profile_get(const struct aws_profile *p, const char *profile, const char *key);
/* The same from one file alone. */
const char *aws_profile_get_from(const struct aws_profile *p, enum aws_profile_file kind,
	const char *profile, const char *key);
/* A key of [services name] of the config file. */
const char *aws_profile_service(const struct aws_profile *p, const char *services, const char *key);

#endif
