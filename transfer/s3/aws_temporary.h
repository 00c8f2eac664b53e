/*
 * Keys that may expire, and the JSON answers in which they come: from the endpoints of containers
 * and machines (aws_metadata.h), and from a credential_process, that is a program of the user named
 * in his own AWS files.
 *
 * Specification: AWS SDKs and Tools Reference Guide, "Process credential provider", "Container
 * credential provider", "IMDS credential provider".
 */
#ifndef TRANSFER_AWS_TEMPORARY_H
#define TRANSFER_AWS_TEMPORARY_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/strvec.h"
#include "transfer/s3/sigv4.h"

/* Keys, and until when they are good. */
struct aws_temporary {
	struct sigv4_keys keys;
	int64_t expires; /* seconds since 1970; 0: for ever */
};
void aws_temporary_release(struct aws_temporary *t);

/* The answers in JSON, as the two endpoints and credential_process (Version 1) spell them. */
enum aws_answer { AWS_ANSWER_METADATA, AWS_ANSWER_PROCESS };
/* Parse one.  0; ERR_INVALID (what is wrong with it, without showing it); ERR_DENIED when it is the
 * endpoint's "no" (Code other than Success). */
int aws_temporary_parse(
	struct aws_temporary *out, const char *json, size_t len, enum aws_answer kind);

/* Run the command line of a credential_process and parse its answer.  It is split into words as a
 * shell does with quotes and backslashes, and nothing else is special: no shell runs it.  Its
 * standard error is ours, so that it may tell what is wrong.  0; ERR_INVALID, ERR_NOTFOUND (no such
 * program), ERR_DENIED (it failed: with which status). */
int aws_temporary_run(struct aws_temporary *out, const char *command);
/* The splitting.  0, or ERR_INVALID (a quote that is not closed, no words). */
int aws_temporary_split(struct strvec *words, const char *command);

#endif
