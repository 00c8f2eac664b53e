/*
 * Temporary keys that the machine itself gives out: to a container through an endpoint named in its
 * environment (Amazon ECS, EKS Pod Identity), to an EC2 instance through the instance metadata
 * service, version 2.
 *
 * Specifications: Amazon ECS Developer Guide, "Task IAM role"; AWS SDKs and Tools Reference Guide,
 * "Container credential provider" and "IMDS credential provider"; Amazon EC2 User Guide, "Use the
 * Instance Metadata Service".
 */
#ifndef TRANSFER_AWS_METADATA_H
#define TRANSFER_AWS_METADATA_H

#include "lib/base/buf.h"
#include "lib/base/strvec.h"
#include "transfer/s3/aws_temporary.h"

/* A small HTTP request, and who performs it.  Never through a proxy, redirects are not followed. */
struct aws_http_request {
	const char *method; /* "GET", "PUT" (without a body) */
	const char *url;
	const struct strvec *headers; /* "Name: value" */
	unsigned timeout_ms;	      /* for all of it */
};
struct aws_http {
	/* Append the body (body->max is set: more is an error) and set *status.  0 if there was an
	 * answer of any status; ERR_REMOTE if not. */
	int (*perform)(
		void *data, const struct aws_http_request *request, int *status, struct buf *body);
	void *data;
};

/* Ask the container's endpoint.  1: *out is set; 0: the environment names none; ERR_DENIED: an
 * address that must not be asked, or it refused; ERR_INVALID; ERR_REMOTE. */
int aws_metadata_container(struct aws_temporary *out, const struct aws_http *http);
/* Ask the instance metadata service.  1: *out is set; 0: it is switched off, does not answer, or
 * the instance has no role (err_msg() says which); ERR_INVALID; ERR_REMOTE. */
int aws_metadata_instance(struct aws_temporary *out, const struct aws_http *http);

/* May keys be asked for at this URL?  https anywhere; http only on loopback and at the addresses of
 * ECS and EKS.  0, or ERR_DENIED with the reason. */
int aws_metadata_check_url(const char *url);

#endif
