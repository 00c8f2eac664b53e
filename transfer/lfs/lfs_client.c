/*
 * Requests to Git LFS servers (see lfs_client.h).  Three loops, one inside of the other: another
 * try after what may pass, the next place after a redirect, other credentials after a 401.
 * lfs_access.c says what each request carries; transfer/http performs it.
 */
#include "transfer/lfs/lfs_client.h"
#include "lib/base/backoff.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/wire/lfsjson.h"
#include "transfer/lfs/lfs_access.h"
#include "transfer/lfs/lfs_status.h"
#include "transfer/trace.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	REDIRECTS_MAX = 5,
	REFUSALS_MAX = 8, /* answers 401 to one request; there are fewer kinds of credentials */
	DEFAULT_RETRIES = 5,
	DEFAULT_DELAY_S = 10,
	HINT_MAX_MS = 120000
};

struct lfs_client {
	struct lfs_client_options o;
	struct lfs_access *access;
	unsigned retries;
	uint64_t longest_ms;
};

/* ---- life ---- */

/* dvx.retries, else what Git LFS calls the same. */
static unsigned retries_of(const struct config *c)
{
	int64_t n = config_int(c, "dvx.retries", -1);

	if (n < 0)
		n = config_int(c, "lfs.transfer.maxretries", -1);
	return n >= 0 && n <= 100 ? (unsigned)n : DEFAULT_RETRIES;
}

int lfs_client_new(struct lfs_client **out, const struct lfs_client_options *o)
{
	struct lfs_client *c = calloc(1, sizeof(*c));
	int64_t delay = config_int(o->config, "lfs.transfer.maxretrydelay", DEFAULT_DELAY_S);
	int rc;

	*out = NULL;
	if (!c)
		return err_set(ERR_NOMEM, "out of memory");
	c->o = *o;
	c->retries = retries_of(o->config);
	c->longest_ms = (delay >= 0 && delay <= 3600 ? (uint64_t)delay : DEFAULT_DELAY_S) * 1000;
	rc = lfs_access_new(&c->access, &c->o);
	if (rc < 0)
		lfs_client_free(c);
	else
		*out = c;
	return rc;
}

void lfs_client_free(struct lfs_client *c)
{
	if (!c)
		return;
	lfs_access_free(c->access);
	free(c);
}

/* ---- what an answer means ---- */

static const char *meaning_of_status(int status)
{
	switch (status) {
	case 401:
		return "the credentials are not accepted";
	case 403:
		return "you may not do this there";
	case 404:
	case 410:
		return "there is no such thing";
	case 407:
		return "the proxy wants other credentials; see 'git config http.proxy'";
	case 409:
		return "it exists already";
	case 413:
		return "too much at once";
	case 422:
		return "the server does not accept this request";
	case 429:
		return "too many requests";
	case 501:
		return "the server cannot do this";
	case 507:
		return "the server has no room left";
	case 509:
		return "the bandwidth limit is reached";
	default:
		return status >= 500 ? "the server failed" : "no answer that was expected";
	}
}

/* A status that is no 2xx, in a sentence.  `advice` (may be NULL) ends it. */
static int explain(const struct lfs_target *t, const struct http_response *r, const char *advice)
{
	struct buf origin = BUF_INIT, said = BUF_INIT;
	int rc = url_origin(&origin, &t->url);

	if (rc == 0)
		rc = lfsjson_error_parse(&said, buf_str(&r->body), r->body.len);
	if (rc == 0)
		rc = err_set(lfs_status_error(r->status), "%s: HTTP %d, %s%s%s%s%s%s", origin.p,
			r->status, meaning_of_status(r->status), said.len ? " (" : "",
			buf_str(&said), said.len ? ")" : "", advice ? "; " : "",
			advice ? advice : "");
	buf_release(&origin);
	buf_release(&said);
	return rc;
}

/* ---- one request ---- */

/* The query may hold a signature. */
static void trace(
	const struct lfs_request *q, const struct lfs_target *t, int64_t result, int64_t began)
{
	struct buf line = BUF_INIT;
	int fd = trace_http_fd();

	if (fd >= 0 && trace_begin(&line) == 0 && buf_addf(&line, "%s ", q->method) == 0 &&
		url_origin(&line, &t->url) == 0 &&
		buf_add(&line, t->url.path, strcspn(t->url.path, "?")) == 0)
		trace_end(fd, &line, result, began);
	buf_release(&line);
}

static int add_own_headers(
	struct strvec *headers, const struct lfs_request *q, const struct lfs_target *t)
{
	int lfs = q->content_type && strcmp(q->content_type, LFS_MEDIA_TYPE) == 0;
	int rc = 0;

	if (t->api || lfs)
		rc = strvec_push(headers, "Accept: " LFS_MEDIA_TYPE);
	if (rc == 0 && q->content_type)
		rc = strvec_pushf(headers, "Content-Type: %s", q->content_type);
	if (rc == 0 && q->range)
		rc = strvec_pushf(headers, "Range: %s", q->range);
	return rc;
}

static int perform(struct lfs_client *c, const struct lfs_request *q, const struct lfs_target *t,
	struct lfs_grant *g, struct http_response *response)
{
	const struct http_request h = {.method = q->method,
		.url = t->text,
		.headers = &g->headers,
		.data = q->data,
		.fd = q->fd,
		.offset = q->offset,
		.len = q->len,
		.sent = q->sent,
		.sent_data = q->sent_data,
		.max = q->max,
		.begin = q->begin,
		.sink = q->sink,
		.sink_data = q->sink_data,
		.stop = c->o.stop};
	int64_t began = fs_now_ns();
	int rc = add_own_headers(&g->headers, q, t);

	if (rc == 0)
		rc = http_perform(g->http, &h, response);
	trace(q, t, rc < 0 ? rc : response->status, began);
	return rc;
}

/* Ask one place, with one kind of credentials after the other.  0 for an answer that is no 401. */
static int ask(struct lfs_client *c, const struct lfs_request *q, struct lfs_target *t,
	struct http_response *response)
{
	const char *advice = NULL;
	int rc = 1;

	for (int i = 0; rc == 1 && i < REFUSALS_MAX; i++) {
		struct lfs_grant g = {.generation = 0};

		rc = lfs_access_grant(c->access, t, &g);
		if (rc == 0)
			rc = perform(c, q, t, &g, response);
		if (rc == 0 && response->status == 401) {
			rc = lfs_access_refused(c->access, t, &g, response, &advice);
			if (rc == 0)
				rc = explain(t, response, advice);
		} else if (rc == 0 && response->status / 100 == 2) {
			lfs_access_accepted(c->access, &g);
		}
		lfs_grant_release(&g);
	}
	return rc == 1 ? explain(t, response, NULL) : rc;
}

/* ---- redirects ---- */

static int is_redirect(int status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* 301, 302 and 303 would make a GET of a POST or a PUT. */
static int may_follow(const struct lfs_request *q, int status)
{
	return status == 307 || status == 308 || strcmp(q->method, "GET") == 0 ||
	       strcmp(q->method, "HEAD") == 0;
}

/* An absolute URL from one that may be relative to `base` (RFC 3986, 5.2, without dots: the server
 * takes those). */
static int resolve(struct buf *out, const struct url *base, const char *reference)
{
	size_t path = strcspn(base->path, "?");
	const char *slash = memrchr(base->path, '/', path);
	size_t scheme = strcspn(reference, ":/?#");
	int rc;

	if (reference[scheme] == ':')
		return buf_addstr(out, reference);
	if (strncmp(reference, "//", 2) == 0)
		return buf_addf(out, "%s:%s", base->scheme, reference);
	rc = url_origin(out, base);
	if (rc == 0 && *reference == '?')
		rc = buf_add(out, base->path, path);
	else if (rc == 0 && *reference != '/')
		rc = slash ? buf_add(out, base->path, (size_t)(slash - base->path) + 1)
			   : buf_addch(out, '/');
	return rc < 0 ? rc : buf_addstr(out, reference);
}

/* Read a URL that somebody else wrote. */
static int read_target(struct lfs_target *t, const char *text)
{
	int rc = url_parse(&t->url, text);

	t->text = text;
	if (rc == 0 && strcmp(t->url.scheme, "http") != 0 && strcmp(t->url.scheme, "https") != 0)
		rc = err_set(ERR_INVALID, "it is neither https:// nor http://");
	if (rc == 0 && t->url.user)
		rc = err_set(ERR_INVALID, "it has a user name in it");
	return rc;
}

/* Where does the answer lead?  *t becomes that, its text in `next`. */
static int follow(struct lfs_target *t, struct buf *next, const struct lfs_request *q,
	const struct http_response *response)
{
	const char *location = http_response_header(response, "location");
	struct lfs_target to = {
		.api = t->api, .redirected = t->redirected, .authenticated = t->authenticated};
	struct buf from = BUF_INIT;
	int rc = url_origin(&from, &t->url);

	if (rc == 0 && (!location || !may_follow(q, response->status)))
		rc = err_set(ERR_INVALID, "%s of a %s", location ? "that is none" : "to nowhere",
			q->method);
	if (rc == 0)
		rc = resolve(next, &t->url, location);
	if (rc == 0)
		rc = read_target(&to, next->p);
	if (rc == 0 && strcmp(t->url.scheme, "https") == 0 && strcmp(to.url.scheme, "http") == 0)
		rc = err_set(ERR_INVALID, "from https:// to http://");
	if (rc < 0) {
		if (rc == ERR_INVALID)
			err_prefix(rc, "%s: a redirect (HTTP %d) that is not followed",
				buf_str(&from), response->status);
		url_release(&to.url);
	} else {
		if (url_same_origin(&t->url, &to.url))
			to.headers = t->headers;
		else
			to.redirected = 1;
		url_release(&t->url);
		*t = to;
	}
	buf_release(&from);
	return rc;
}

/* Ask until the answer is no redirect. */
static int travel(struct lfs_client *c, const struct lfs_request *q, struct lfs_target *t,
	struct http_response *response)
{
	struct buf places[2] = {BUF_INIT, BUF_INIT};
	int rc = 0;

	for (int i = 0; rc == 0; i++) {
		struct buf *next = &places[i % 2];

		rc = ask(c, q, t, response);
		if (rc < 0 || !is_redirect(response->status))
			break;
		if (i == REDIRECTS_MAX) {
			rc = err_set(ERR_INVALID, "%s: more than %d redirects in turn", t->url.host,
				REDIRECTS_MAX);
			break;
		}
		buf_reset(next);
		rc = follow(t, next, q, response);
	}
	if (rc == 0 && response->status / 100 != 2)
		rc = explain(t, response, NULL);
	/* the URL ends with its text */
	url_release(&t->url);
	buf_release(&places[0]);
	buf_release(&places[1]);
	return rc;
}

/* ---- from a request to its URL ---- */

/* Headers become lines of the request. */
static int check_headers(const struct strvec *headers)
{
	for (size_t i = 0; headers && i < headers->n; i++)
		for (const char *p = headers->v[i]; *p; p++)
			if ((unsigned char)*p < 0x20 || *p == 0x7f)
				return err_set(ERR_INVALID,
					"a header that the server asks for has a control "
					"character");
	return 0;
}

/* The request's URL, from the server's where it is not whole. */
static int whole_url(struct lfs_client *c, const struct lfs_request *q, struct buf *out)
{
	struct buf base = BUF_INIT;
	struct url url = {0};
	int rc;

	if (q->href && strstr(q->href, "://"))
		return buf_addstr(out, q->href);
	rc = lfs_access_base(c->access, &base);
	if (rc == 0 && !q->href) {
		rc = buf_addf(out, "%s%s", base.p, q->path);
	} else if (rc == 0) {
		rc = url_parse(&url, base.p);
		if (rc == 0)
			rc = resolve(out, &url, q->href);
	}
	url_release(&url);
	buf_release(&base);
	return rc;
}

static int find_target(
	struct lfs_client *c, const struct lfs_request *q, struct lfs_target *t, struct buf *text)
{
	int rc = whole_url(c, q, text);

	memset(t, 0, sizeof(*t));
	t->api = !q->href;
	t->headers = q->headers;
	t->authenticated = q->authenticated;
	if (rc == 0)
		rc = check_headers(q->headers);
	if (rc == 0) {
		rc = read_target(t, buf_str(text));
		if (rc == ERR_INVALID)
			err_prefix(rc, "%s: a URL that cannot be used",
				q->href ? "an action of the server" : c->o.endpoint->remote);
	}
	return rc;
}

static int attempt(
	struct lfs_client *c, const struct lfs_request *q, struct http_response *response)
{
	struct lfs_target t;
	struct buf text = BUF_INIT;
	int rc;

	response->status = 0;
	rc = find_target(c, q, &t, &text);
	if (rc == 0)
		rc = travel(c, q, &t, response);
	url_release(&t.url);
	buf_release(&text);
	return rc;
}

int lfs_client_request(
	struct lfs_client *c, const struct lfs_request *request, struct http_response *response)
{
	for (unsigned tries = 0;; tries++) {
		int rc = attempt(c, request, response);
		int given = request->sink && response->received > 0;
		int wait =
			request->once || given ? -1 : lfs_client_retry_ms(c, rc, response, tries);

		if (rc == 0 || wait < 0)
			return rc;
		rc = lfs_client_wait(c, wait);
		if (rc < 0)
			return rc;
	}
}

int lfs_client_retry_ms(
	const struct lfs_client *c, int rc, const struct http_response *response, unsigned tries)
{
	unsigned hint = response && response->status
				? http_retry_after_ms(response, (int64_t)time(NULL))
				: 0;

	if (rc != ERR_REMOTE || tries >= c->retries)
		return -1;
	if (hint)
		return hint < HINT_MAX_MS ? (int)hint : HINT_MAX_MS;
	return (int)backoff_ms(tries, c->longest_ms);
}

int lfs_client_wait(const struct lfs_client *c, int milliseconds)
{
	return backoff_wait((uint64_t)milliseconds, c->o.stop);
}
