/*
 * A body that is too large for memory: the engine's thread appends what arrives, up to a limit, at
 * which it has libcurl wait; the caller's thread takes all of it at once and works on it while the
 * next piece arrives.  So a slow disk of one caller holds up no other's transfer.
 */
#include "lib/base/err.h"
#include "transfer/http/http_internal.h"

#include <time.h>

enum { SENT_EVERY_NS = 100 * 1000 * 1000 };

int http_stream_wanted(const struct http_job *job)
{
	int status = job->response->status;

	return job->request->sink && (status == 200 || status == 206);
}

/* ---- in the engine's thread ---- */

size_t http_stream_put(struct http_job *job, const char *bytes, size_t len)
{
	struct http_stream *s = &job->stream;
	struct http_response *r = job->response;
	size_t max = job->request->max;
	int rc = 0;

	if (max && len > max - r->received) {
		job->too_long = 1;
		r->body_too_long = 1;
		return 0;
	}
	pthread_mutex_lock(job->lock);
	s->begun = 1;
	s->paused = s->arrived.len > 0 && s->arrived.len + len > HTTP_STREAM_MAX;
	s->room = 0;
	if (!s->paused)
		rc = buf_add(&s->arrived, bytes, len);
	pthread_cond_signal(&job->done);
	pthread_mutex_unlock(job->lock);
	if (s->paused)
		return CURL_WRITEFUNC_PAUSE;
	r->received += len;
	return rc < 0 ? 0 : len;
}

int http_stream_attend(struct http_job *job)
{
	struct http_stream *s = &job->stream;
	int refused, goes_on;

	if (!job->request->sink)
		return 1;
	pthread_mutex_lock(job->lock);
	refused = s->refused;
	goes_on = s->paused && s->room && !refused;
	if (goes_on)
		s->paused = 0; /* before it fills up again */
	pthread_mutex_unlock(job->lock);
	if (goes_on)
		job->curl->easy_pause(job->easy, CURLPAUSE_CONT);
	return !refused;
}

/* ---- in the caller's thread ---- */

/* With the lock held: until something happens, or it is time to say what was sent. */
static void wait_a_while(struct http_job *job)
{
	struct timespec until;

	if (!job->request->sent) {
		pthread_cond_wait(&job->done, job->lock);
		return;
	}
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += SENT_EVERY_NS;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_cond_clockwait(&job->done, job->lock, CLOCK_MONOTONIC, &until);
}

static void tell_sent(struct http_job *job)
{
	const struct http_request *q = job->request;

	pthread_mutex_unlock(job->lock);
	q->sent(__atomic_load_n(&job->sent, __ATOMIC_RELAXED), q->sent_data);
	pthread_mutex_lock(job->lock);
}

/* Wait for bytes or the end; take what is there.  1 when the job is finished. */
static int wait_for_more(struct http_job *job, struct buf *taken, int *waits)
{
	struct http_stream *s = &job->stream;
	struct buf empty = *taken;
	int finished;

	pthread_mutex_lock(job->lock);
	while (!job->finished && s->arrived.len == 0) {
		wait_a_while(job);
		if (job->request->sent)
			tell_sent(job);
	}
	finished = job->finished;
	*taken = s->arrived;
	s->arrived = empty;
	s->room = 1;
	*waits = s->paused;
	pthread_mutex_unlock(job->lock);
	return finished;
}

static void refuse(struct http_job *job)
{
	pthread_mutex_lock(job->lock);
	job->stream.refused = 1;
	pthread_mutex_unlock(job->lock);
}

static int pass_on(struct http_job *job, const struct buf *taken, int *begun)
{
	const struct http_request *q = job->request;
	int rc = 0;

	if (!*begun && q->begin)
		rc = q->begin(job->response, q->sink_data);
	*begun = 1;
	if (rc >= 0 && taken->len)
		rc = q->sink(taken->p, taken->len, q->sink_data);
	return rc < 0 ? rc : 0;
}

int http_stream_take(struct http_job *job, void (*wake)(void *), void *data)
{
	struct buf taken = BUF_INIT;
	int rc = 0, begun = 0, finished = 0, waits;

	while (!finished) {
		finished = wait_for_more(job, &taken, &waits);
		if (!finished && waits)
			wake(data);
		if (rc == 0 && taken.len)
			rc = pass_on(job, &taken, &begun);
		buf_reset(&taken);
		if (rc < 0 && !finished) {
			refuse(job);
			wake(data);
		}
	}
	/* An answer without a byte in it has headers to look at, too. */
	if (rc == 0 && !begun && job->end == HTTP_END_CURL && job->result == CURLE_OK &&
		http_stream_wanted(job))
		rc = pass_on(job, &taken, &begun);
	buf_release(&taken);
	return rc;
}
