/*
 * The engine of http.h: callers put jobs into a queue, one thread moves them through libcurl's
 * multi interface and wakes their callers up.  It looks twenty times a second whether somebody
 * wants to stop or a transfer has fallen silent; with nothing to do it sleeps.
 */
#include "transfer/http/http.h"
#include "lib/base/err.h"
#include "transfer/http/http_internal.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { TICK_MS = 50, IDLE_MAX = 64 };

struct http {
	const struct curl_api *curl;
	struct http_settings settings;
	CURLM *multi;
	pthread_t thread;
	pthread_mutex_t lock;
	/* under the lock */
	pthread_cond_t work;
	struct http_job *queue; /* not seen by the thread yet */
	int running, quit;
	CURL *idle[IDLE_MAX]; /* handles to be used again */
	int n_idle;
	/* the thread's own */
	struct http_job *active;
	int64_t ticked;
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- the thread ---- */

static void finish(struct http *h, struct http_job *job, enum http_end end, CURLcode result)
{
	struct http_job **at = &h->active;

	job->response->connected = http_job_connected(job);
	h->curl->multi_remove_handle(h->multi, job->easy);
	while (*at != job)
		at = &(*at)->next;
	*at = job->next;
	job->end = end;
	job->result = result;
	pthread_mutex_lock(&h->lock);
	job->finished = 1;
	pthread_cond_signal(&job->done);
	pthread_mutex_unlock(&h->lock);
}

/* Wait for jobs if there are none; 0 when it is time to end. */
static int take_queue(struct http *h)
{
	struct http_job *queue;

	pthread_mutex_lock(&h->lock);
	while (!h->queue && !h->active && !h->quit)
		pthread_cond_wait(&h->work, &h->lock);
	queue = h->queue;
	h->queue = NULL;
	pthread_mutex_unlock(&h->lock);

	while (queue) {
		struct http_job *job = queue;

		queue = job->next;
		job->next = h->active;
		h->active = job;
		job->started = job->moved_at = now_ms();
		if (h->curl->multi_add_handle(h->multi, job->easy) != CURLM_OK)
			finish(h, job, HTTP_END_CURL, CURLE_OUT_OF_MEMORY);
	}
	return h->active || !h->quit;
}

/* Callers that took bytes, or want no more. */
static void attend_streams(struct http *h)
{
	struct http_job *job, *next;

	for (job = h->active; job; job = next) {
		next = job->next;
		if (!http_stream_attend(job))
			finish(h, job, HTTP_END_REFUSED, CURLE_OK);
	}
}

static void look_after(struct http *h, struct http_job *job, int64_t now)
{
	const struct http_request *q = job->request;
	uint64_t moved;

	if (q->stop && *q->stop) {
		finish(h, job, HTTP_END_STOPPED, CURLE_OK);
		return;
	}
	if (q->timeout_ms && now - job->started > (int64_t)q->timeout_ms) {
		finish(h, job, HTTP_END_TIMEOUT, CURLE_OK);
		return;
	}
	if (job->stream.paused || !http_job_connected(job)) { /* ours, or libcurl counts it */
		job->moved_at = now;
		return;
	}
	moved = http_job_progress(job);
	if (moved != job->moved) {
		job->moved = moved;
		job->moved_at = now;
	} else if (now - job->moved_at >= (int64_t)h->settings.stall_ms) {
		finish(h, job, HTTP_END_STALLED, CURLE_OK);
	}
}

static void tick(struct http *h)
{
	struct http_job *job, *next;
	int64_t now = now_ms();

	if (now - h->ticked < TICK_MS)
		return;
	h->ticked = now;
	for (job = h->active; job; job = next) {
		next = job->next;
		look_after(h, job, now);
	}
}

static void *engine(void *data)
{
	struct http *h = data;
	CURLMsg *message;
	int n;

	while (take_queue(h)) {
		attend_streams(h);
		h->curl->multi_perform(h->multi, &n);
		while ((message = h->curl->multi_info_read(h->multi, &n))) {
			struct http_job *job = NULL;

			if (message->msg != CURLMSG_DONE)
				continue;
			h->curl->easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &job);
			finish(h, job, HTTP_END_CURL, message->data.result);
		}
		tick(h);
		if (h->active)
			h->curl->multi_poll(h->multi, NULL, 0, TICK_MS, &n);
	}
	return NULL;
}

/* With the lock held.  Signals are for the other threads. */
static int start_thread(struct http *h)
{
	sigset_t all, before;
	int e;

	if (h->running)
		return 0;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	e = pthread_create(&h->thread, NULL, engine, h);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (e)
		return err_set(ERR_NOMEM, "cannot start a thread: %s", strerror(e));
	h->running = 1;
	return 0;
}

/* ---- the callers ---- */

static CURL *take_handle(struct http *h)
{
	CURL *easy = NULL;

	pthread_mutex_lock(&h->lock);
	if (h->n_idle > 0)
		easy = h->idle[--h->n_idle];
	pthread_mutex_unlock(&h->lock);
	return easy ? easy : h->curl->easy_init();
}

static void give_handle(struct http *h, CURL *easy)
{
	if (!easy)
		return;
	h->curl->easy_setopt(easy, CURLOPT_COOKIEFILE, NULL); /* the reset would leak its name */
	h->curl->easy_reset(easy);
	pthread_mutex_lock(&h->lock);
	if (h->n_idle < IDLE_MAX) {
		h->idle[h->n_idle++] = easy;
		easy = NULL;
	}
	pthread_mutex_unlock(&h->lock);
	if (easy)
		h->curl->easy_cleanup(easy);
}

static void wake(void *data)
{
	struct http *h = data;

	h->curl->multi_wakeup(h->multi);
}

static int run_job(struct http *h, struct http_job *job)
{
	int rc;

	pthread_mutex_lock(&h->lock);
	rc = start_thread(h);
	if (rc == 0) {
		job->next = h->queue;
		h->queue = job;
		pthread_cond_signal(&h->work);
	}
	pthread_mutex_unlock(&h->lock);
	if (rc < 0)
		return rc;
	wake(h);
	rc = http_stream_take(job, wake, h);
	return rc < 0 ? rc : http_job_verdict(job, &h->settings);
}

int http_perform(struct http *h, const struct http_request *request, struct http_response *response)
{
	struct http_job job = {
		.request = request, .response = response, .curl = h->curl, .lock = &h->lock};
	int rc;

	http_response_release(response);
	response->body.max = request->max > HTTP_ERROR_BODY_MAX || request->into
				     ? request->max + HTTP_ERROR_BODY_MAX
				     : HTTP_ERROR_BODY_MAX;
	if (request->stop && *request->stop)
		return err_set(ERR_INTERRUPTED, "interrupted");
	job.easy = take_handle(h);
	if (!job.easy)
		return err_set(ERR_NOMEM, "out of memory");
	pthread_cond_init(&job.done, NULL);
	rc = http_job_prepare(&job, &h->settings);
	if (rc == 0)
		rc = run_job(h, &job);
	pthread_cond_destroy(&job.done);
	buf_release(&job.stream.arrived);
	h->curl->slist_free_all(job.headers);
	give_handle(h, job.easy);
	return rc;
}

void http_response_release(struct http_response *r)
{
	strvec_release(&r->headers);
	buf_release(&r->body);
	memset(r, 0, sizeof(*r));
}

const char *http_response_header(const struct http_response *r, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < r->headers.n; i++)
		if (strncmp(r->headers.v[i], name, len) == 0 &&
			strncmp(r->headers.v[i] + len, ": ", 2) == 0)
			return r->headers.v[i] + len + 2;
	return NULL;
}

/* ---- life ---- */

static int copy(char **out, const char *text)
{
	*out = text ? strdup(text) : NULL;
	return text && !*out ? err_set(ERR_NOMEM, "out of memory") : 0;
}

/* Git's configuration may say "~/". */
static int copy_path(char **out, const char *path)
{
	const char *home = getenv("HOME");
	struct buf whole = BUF_INIT;
	int rc;

	if (!path || strncmp(path, "~/", 2) != 0 || !home)
		return copy(out, path);
	rc = buf_addf(&whole, "%s%s", home, path + 1);
	*out = rc == 0 ? buf_detach(&whole) : NULL;
	buf_release(&whole);
	return rc;
}

static int copy_settings(struct http_settings *s, const struct http_options *o)
{
	struct stat st;
	int rc = copy_path(&s->ca, o->ca);

	if (rc == 0)
		rc = copy_path(&s->cert, o->cert);
	if (rc == 0)
		rc = copy_path(&s->key, o->key);
	if (rc == 0)
		rc = copy_path(&s->cookie_file, o->cookie_file);
	if (rc == 0)
		rc = copy(&s->key_passphrase, o->key_passphrase);
	if (rc == 0)
		rc = copy(&s->proxy, o->proxy);
	if (rc == 0)
		rc = copy(&s->ca_hint, o->ca_hint);
	s->http1 = o->http1;
	s->insecure = o->insecure;
	s->connect_ms = o->connect_ms ? o->connect_ms : HTTP_TIMEOUT_MS;
	s->stall_ms = o->stall_ms ? o->stall_ms : HTTP_TIMEOUT_MS;
	s->ca_is_dir = s->ca && stat(s->ca, &st) == 0 && S_ISDIR(st.st_mode);
	return rc;
}

static void free_settings(struct http_settings *s)
{
	free(s->ca);
	free(s->proxy);
	free(s->ca_hint);
	free(s->cert);
	free(s->key);
	if (s->key_passphrase)
		explicit_bzero(s->key_passphrase, strlen(s->key_passphrase));
	free(s->key_passphrase);
	free(s->cookie_file);
}

int http_new(struct http **out, const struct http_options *o)
{
	struct http *h = calloc(1, sizeof(*h));
	int rc;

	*out = NULL;
	if (!h)
		return err_set(ERR_NOMEM, "out of memory");
	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->work, NULL);
	rc = copy_settings(&h->settings, o);
	if (rc == 0)
		rc = curl_api_load(&h->curl);
	if (rc == 0) {
		h->multi = h->curl->multi_init();
		if (!h->multi)
			rc = err_set(ERR_NOMEM, "out of memory");
	}
	if (rc < 0) {
		http_free(h);
		return rc;
	}
	if (o->connections)
		h->curl->multi_setopt(
			h->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)o->connections);
	*out = h;
	return 0;
}

void http_free(struct http *h)
{
	if (!h)
		return;
	pthread_mutex_lock(&h->lock);
	h->quit = 1;
	pthread_cond_signal(&h->work);
	pthread_mutex_unlock(&h->lock);
	if (h->running)
		pthread_join(h->thread, NULL);
	while (h->n_idle > 0)
		h->curl->easy_cleanup(h->idle[--h->n_idle]);
	if (h->multi)
		h->curl->multi_cleanup(h->multi);
	pthread_cond_destroy(&h->work);
	pthread_mutex_destroy(&h->lock);
	free_settings(&h->settings);
	free(h);
}
