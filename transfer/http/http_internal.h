/*
 * What the files of http.h share: a request on its way (job), its preparation for libcurl, and the
 * sentences for its failures.
 */
#ifndef TRANSFER_HTTP_INTERNAL_H
#define TRANSFER_HTTP_INTERNAL_H

#include <pthread.h>

#include "transfer/http/curl_api.h"
#include "transfer/http/http.h"

/* Why the engine took a job away from libcurl. */
enum http_end { HTTP_END_CURL, HTTP_END_STOPPED, HTTP_END_STALLED, HTTP_END_TIMEOUT };

struct http_job {
	const struct http_request *request;
	struct http_response *response;
	const struct curl_api *curl;
	CURL *easy;
	struct curl_slist *headers;
	char error[CURL_ERROR_SIZE];

	uint64_t sent;	     /* bytes of the body handed out */
	size_t header_bytes; /* received */
	int too_long;	     /* more came than the caller wants */
	int file_error;	     /* errno of reading the body; -1: the file got shorter */

	int64_t started, moved_at; /* milliseconds */
	uint64_t moved;		   /* measure of progress at moved_at */

	enum http_end end;
	CURLcode result;
	int finished;
	pthread_cond_t done;
	struct http_job *next;
};

/* The owned copy of the options. */
struct http_settings {
	char *ca, *proxy, *ca_hint;
	int ca_is_dir, insecure;
	unsigned connect_ms, stall_ms;
};

/* Make job->easy (fresh or reset) perform job->request.  0, ERR_INVALID, ERR_NOMEM. */
int http_job_prepare(struct http_job *job, const struct http_settings *settings);
/* How far it is: a number that changes when bytes move, also out of the kernel's buffers. */
uint64_t http_job_progress(const struct http_job *job);
/* 1 once a connection is there and the request may be on its way. */
int http_job_connected(const struct http_job *job);
/* Result of a finished job, as http_perform returns it, with the message set. */
int http_job_verdict(const struct http_job *job, const struct http_settings *settings);

#endif
