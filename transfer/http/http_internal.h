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
enum http_end {
	HTTP_END_CURL,
	HTTP_END_STOPPED,
	HTTP_END_STALLED,
	HTTP_END_TIMEOUT,
	HTTP_END_REFUSED /* by the caller's begin or sink */
};

enum { HTTP_STREAM_MAX = 1024 * 1024 }; /* bytes of a body that wait for their caller */

/* A body on its way to request->sink: the engine appends, the caller takes all of it at once.
 * Under the engine's lock. */
struct http_stream {
	struct buf arrived;
	int begun;   /* there is a body, and headers are complete */
	int refused; /* the caller wants no more */
	int room;    /* the caller took bytes: a paused transfer can go on */
	int paused;  /* libcurl was told to wait */
};

struct http_job {
	const struct http_request *request;
	struct http_response *response;
	const struct curl_api *curl;
	CURL *easy;
	pthread_mutex_t *lock; /* the engine's */
	struct curl_slist *headers;
	struct http_stream stream;
	char error[CURL_ERROR_SIZE];

	uint64_t sent;	     /* bytes of the body handed out; atomic */
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
	char *cert, *key, *key_passphrase, *cookie_file;
	int ca_is_dir, insecure, http1;
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

/* ---- a body that goes to a sink (http_stream.c) ---- */

/* 1 if this answer's body does: the status is there. */
int http_stream_wanted(const struct http_job *job);
/* In the engine, from libcurl: bytes arrived.  What libcurl expects of its write function. */
size_t http_stream_put(struct http_job *job, const char *bytes, size_t len);
/* In the engine, now and then: let it go on if there is room.  0 when the caller wants no more. */
int http_stream_attend(struct http_job *job);
/* In the caller: pass on what arrives until the job is finished, then what is left, and say what is
 * sent.  0, or what begin or sink returned. `wake` makes the engine attend. */
int http_stream_take(struct http_job *job, void (*wake)(void *), void *data);

#endif
