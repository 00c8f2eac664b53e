/*
 * One request to an S3 bucket, from a key to an answer or a sentence (see s3_client.h).
 *
 *   key ─► URL ─► keys to sign with ─► signature ─► gate ─► http_perform ─► verdict ─► once more?
 */
#include "transfer/s3/s3_client.h"
#include "lib/base/err.h"
#include "lib/base/isotime.h"
#include "transfer/s3/s3_gate.h"
#include "transfer/s3/sigv4.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FALLBACK_REGION "us-east-1"

enum { CONTINUE_LEN = 1024 * 1024 }; /* a body worth asking for before it is sent */

struct s3_client {
	char *remote;
	const volatile int *stop;
	struct s3_settings settings;
	struct http *http;
	struct aws_credentials *credentials;
	struct s3_gate gate;
	pthread_mutex_t lock;
	char region[64]; /* under the lock */
};

void s3_call_release(struct s3_call *c)
{
	strvec_release(&c->query);
	for (size_t i = 0; i < c->headers.n; i++)
		explicit_bzero(c->headers.v[i], strlen(c->headers.v[i]));
	strvec_release(&c->headers);
	http_response_release(&c->response);
	memset(c, 0, sizeof(*c));
}

/* ---- life ---- */

/* How aws_metadata.h asks. */
static int ask_metadata(
	void *data, const struct aws_http_request *request, int *status, struct buf *body)
{
	struct s3_client *c = data;
	struct http_response response = {0};
	struct http_request q = {.method = request->method,
		.url = request->url,
		.headers = request->headers,
		.data = "",
		.max = body->max ? body->max : HTTP_ERROR_BODY_MAX,
		.stop = c->stop,
		.timeout_ms = request->timeout_ms,
		.no_proxy = 1};
	int rc = http_perform(c->http, &q, &response);

	*status = response.status;
	if (rc == 0)
		rc = buf_add(body, response.body.p, response.body.len);
	http_response_release(&response);
	return rc;
}

static int open_credentials(
	struct s3_client *c, const struct remote_spec *spec, const struct config *config)
{
	struct aws_credentials_options o = {
		.remote = spec->name,
		.access_key_id = remotes_setting(config, spec->name, "accesskeyid"),
		.secret_access_key = remotes_setting(config, spec->name, "secretaccesskey"),
		.session_token = remotes_setting(config, spec->name, "sessiontoken"),
		.profile = remotes_setting(config, spec->name, "profile"),
		.credential_path = remotes_setting(config, spec->name, "credentialpath"),
		.config_path = remotes_setting(config, spec->name, "configpath"),
		.http = {.perform = ask_metadata, .data = c},
	};

	return aws_credentials_new(&c->credentials, &o);
}

/* dvx.stallSeconds: after how long a silence a request is given up. */
static unsigned stall_ms(const struct config *c)
{
	int64_t seconds = config_int(c, "dvx.stallseconds", HTTP_TIMEOUT_MS / 1000);

	return seconds > 0 && seconds < 3600 ? (unsigned)seconds * 1000 : HTTP_TIMEOUT_MS;
}

int s3_client_new(struct s3_client **out, const struct remote_spec *spec,
	const struct remote_context *context)
{
	struct s3_client *c = calloc(1, sizeof(*c));
	struct http_options http = {0};
	char hint[512];
	int rc;

	*out = NULL;
	if (!c)
		return err_set(ERR_NOMEM, "out of memory");
	c->remote = strdup(spec->name);
	c->stop = context->stop;
	pthread_mutex_init(&c->lock, NULL);
	s3_gate_init(&c->gate);
	rc = c->remote ? open_credentials(c, spec, context->config)
		       : err_set(ERR_NOMEM, "out of memory");
	if (rc == 0)
		rc = s3_settings_read(&c->settings, spec, context->config, c->credentials, &http);
	http.stall_ms = stall_ms(context->config);
	snprintf(hint, sizeof(hint), "git dvx remote modify %s sslverify <file>", spec->name);
	http.ca_hint = hint;
	if (rc == 0)
		rc = http_new(&c->http, &http);
	if (rc == 0 && c->settings.region)
		snprintf(c->region, sizeof(c->region), "%s", c->settings.region);
	if (rc < 0) {
		s3_client_free(c);
		return rc;
	}
	*out = c;
	return 0;
}

void s3_client_free(struct s3_client *c)
{
	if (!c)
		return;
	http_free(c->http);
	aws_credentials_free(c->credentials);
	s3_settings_release(&c->settings);
	s3_gate_release(&c->gate);
	pthread_mutex_destroy(&c->lock);
	free(c->remote);
	free(c);
}

const struct s3_settings *s3_client_settings(const struct s3_client *c)
{
	return &c->settings;
}

void s3_client_region(struct s3_client *c, char out[static 64])
{
	pthread_mutex_lock(&c->lock);
	snprintf(out, 64, "%s", c->region[0] ? c->region : FALLBACK_REGION);
	pthread_mutex_unlock(&c->lock);
}

static void set_region(struct s3_client *c, const char *region)
{
	pthread_mutex_lock(&c->lock);
	snprintf(c->region, sizeof(c->region), "%s", region);
	pthread_mutex_unlock(&c->lock);
}

void s3_client_set_region(struct s3_client *c, const char *region)
{
	if (!c->settings.region)
		set_region(c, region);
}

int s3_client_place(const struct s3_client *c, const char *key, struct buf *out)
{
	return buf_addf(
		out, "s3://%s/%s%s", c->settings.bucket, c->settings.prefix, key ? key : "");
}

int s3_client_endpoint(struct s3_client *c, struct buf *out)
{
	char region[64];
	int rc = buf_addf(out, "%s://", c->settings.scheme);

	s3_client_region(c, region);
	return rc < 0 ? rc : s3_settings_endpoint(&c->settings, region, out);
}

/* ---- one try ---- */

/* What one try of a call needs. */
struct attempt {
	char region[64];
	struct sigv4_keys keys;
	struct strvec headers;
	struct buf host, path, url;
};

static void attempt_release(struct attempt *a)
{
	sigv4_keys_release(&a->keys);
	for (size_t i = 0; i < a->headers.n; i++)
		explicit_bzero(a->headers.v[i], strlen(a->headers.v[i]));
	strvec_release(&a->headers);
	buf_release(&a->host);
	buf_release(&a->path);
	buf_release(&a->url);
	memset(a, 0, sizeof(*a));
}

static int build_url(const struct s3_client *c, const struct s3_call *call, struct attempt *a)
{
	const struct s3_settings *s = &c->settings;
	int rc = s3_settings_host(s, a->region, &a->host);

	if (rc == 0)
		rc = buf_addf(&a->path, "%s/", s->base ? s->base : "");
	if (rc == 0 && s->path_style)
		rc = buf_addf(&a->path, "%s/", s->bucket);
	if (rc == 0 && call->key)
		rc = sigv4_encode_path(&a->path, s->prefix);
	if (rc == 0 && call->key)
		rc = sigv4_encode_path(&a->path, call->key);
	if (rc == 0)
		rc = buf_addf(&a->url, "%s://%s%s", s->scheme, a->host.p, a->path.p);
	if (rc == 0 && call->query.n > 0)
		rc = buf_addch(&a->url, '?');
	if (rc == 0 && call->query.n > 0)
		rc = sigv4_add_query(&a->url, &call->query);
	return rc;
}

static int add_all(struct strvec *to, const struct strvec *from)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < from->n; i++)
		rc = strvec_push(to, from->v[i]);
	return rc;
}

static int sign(struct s3_client *c, const struct s3_call *call, struct attempt *a)
{
	const struct sigv4_scope scope = {.region = a->region, .service = "s3", .now = time(NULL)};
	const struct sigv4_request request = {.method = call->method,
		.host = a->host.p,
		.path = a->path.p,
		.query = &call->query,
		.headers = &a->headers,
		.payload_sha256 = call->sha256 ? call->sha256 : SIGV4_EMPTY_PAYLOAD};
	struct strvec signature = STRVEC_INIT;
	int rc = add_all(&a->headers, &call->headers);

	if (rc == 0 && strcmp(call->method, "PUT") == 0)
		rc = add_all(&a->headers, &c->settings.put_headers);
	if (rc == 0 && (call->op == S3_GET || call->op == S3_HEAD || call->op == S3_PUT) &&
		call->key)
		rc = add_all(&a->headers, &c->settings.read_headers);
	if (rc == 0)
		rc = sigv4_sign(&signature, &request, &a->keys, &scope);
	if (rc == 0)
		rc = add_all(&a->headers, &signature);
	strvec_release(&signature);
	return rc;
}

/* A session token is sent as it is, and is half of what temporary keys are: not to a host that the
 * author of a repository chose.  (A signature says nothing of the secret, and serves for one host.)
 */
static int may_have_keys(const struct s3_client *c, const struct attempt *a)
{
	const char *url = c->settings.tree_endpoint;

	if (!a->keys.token || !url)
		return 0;
	return err_set(ERR_DENIED,
		"remote '%s': the session token of temporary keys is not sent to an endpoint that "
		"only a file of the tree names; if it is right, type 'git config "
		"dvx-remote.%s.endpointurl %s'",
		c->remote, c->remote, url);
}

static int prepare(struct s3_client *c, const struct s3_call *call, struct attempt *a)
{
	int rc = aws_credentials_get(c->credentials, &a->keys);

	if (rc == 0)
		rc = may_have_keys(c, a);
	s3_client_region(c, a->region);
	if (rc == 0)
		rc = build_url(c, call, a);
	return rc < 0 ? rc : sign(c, call, a);
}

/* Through the gate and out.  Only what says something of the server's load counts there. */
static int send_call(struct s3_client *c, struct s3_call *call, const struct attempt *a)
{
	const struct http_request q = {.method = call->method,
		.url = a->url.p,
		.headers = &a->headers,
		.data = call->len > 0 ? call->data : "",
		.fd = call->fd,
		.len = call->len,
		.expect_continue = call->len > CONTINUE_LEN,
		.into = call->into,
		.max = call->max,
		.stop = c->stop};
	enum s3_gate_outcome outcome = S3_GATE_OTHER;
	int rc = s3_gate_enter(&c->gate, c->stop);

	if (rc < 0)
		return rc;
	rc = http_perform(c->http, &q, &call->response);
	if (rc == 0 && call->response.status / 100 == 2)
		outcome = S3_GATE_WELL;
	else if ((rc == ERR_REMOTE && call->response.connected) || call->response.status == 503 ||
		 call->response.status == 429)
		outcome = S3_GATE_OVERLOAD;
	s3_gate_leave(&c->gate, outcome);
	return rc;
}

/* ---- what came back ---- */

/* Where the user would look: the blob that servers are tried out with has a name of no interest. */
static int place_of(const struct s3_client *c, const struct s3_call *call, struct buf *out)
{
	return s3_client_place(c, call->op == S3_PROBE ? NULL : call->key, out);
}

/* An answer without success becomes call->verdict. */
static void explain(struct s3_client *c, struct s3_call *call, const struct attempt *a,
	const struct s3_xml_error *doc)
{
	struct buf place = BUF_INIT, endpoint = BUF_INIT, from = BUF_INIT;
	const struct http_response *r = &call->response;
	const char *date = http_response_header(r, "date");
	struct s3_failure f = {.op = call->op,
		.remote = c->remote,
		.bucket = c->settings.bucket,
		.region = a->region,
		.has_token = a->keys.token != NULL,
		.storage_class = c->settings.storage_class,
		.kms_key = c->settings.kms_key,
		.status = r->status,
		.doc = doc,
		.bucket_region = http_response_header(r, "x-amz-bucket-region"),
		.now = time(NULL)};

	f.retry_after_ms = http_retry_after_ms(r, f.now);
	if (date && isotime_parse_http(&f.server_date, date) < 0)
		f.server_date = 0;
	if (place_of(c, call, &place) == 0)
		f.place = place.p;
	if (s3_client_endpoint(c, &endpoint) == 0)
		f.endpoint = endpoint.p;
	if (aws_credentials_describe(c->credentials, &from) == 0)
		f.credentials = from.p;
	s3_error_explain(&call->verdict, &f);
	buf_release(&place);
	buf_release(&endpoint);
	buf_release(&from);
}

/* 1 if the text holds the secret, or (texts are cut) its first bytes. */
static int gives_away(const char *text, const char *secret)
{
	enum { ENOUGH = 8 };
	char start[ENOUGH + 1];

	snprintf(start, sizeof(start), "%s", secret ? secret : "");
	return *start && strstr(text, start) != NULL;
}

/* Some servers and proxies send back what they were sent.  That ends up in no message. */
static void hide_secrets(struct s3_xml_error *doc, const struct attempt *a)
{
	static const char customer_key[] = "x-amz-server-side-encryption-customer-key: ";
	int bad = gives_away(doc->message, a->keys.id) ||
		  gives_away(doc->message, a->keys.secret) ||
		  gives_away(doc->message, a->keys.token);

	for (size_t i = 0; i < a->headers.n && !bad; i++)
		bad = strncmp(a->headers.v[i], customer_key, sizeof(customer_key) - 1) == 0 &&
		      gives_away(doc->message, a->headers.v[i] + sizeof(customer_key) - 1);
	if (bad)
		snprintf(doc->message, sizeof(doc->message),
			"(its words repeat the request's keys, and are left out)");
}

/* Is there an error in the answer, of whatever status?  S3 sends some behind a 200. */
static int has_error(const struct s3_call *call, struct s3_xml_error *doc)
{
	const struct http_response *r = &call->response;

	memset(doc, 0, sizeof(*doc));
	if (r->body.len > 0 && s3_xml_error_parse(doc, r->body.p, r->body.len) == 1)
		return 1;
	return r->status / 100 != 2;
}

/* May the same call be made once more, by other means?  1 if so. */
static int mend(
	struct s3_client *c, const struct s3_call *call, const struct attempt *a, unsigned *tried)
{
	enum s3_remedy remedy = call->verdict.remedy;

	if ((remedy != S3_REMEDY_REGION && remedy != S3_REMEDY_KEYS) || (*tried & 1u << remedy))
		return 0;
	*tried |= 1u << remedy;
	if (remedy == S3_REMEDY_KEYS)
		return aws_credentials_renew(c->credentials, &a->keys);
	set_region(c, call->verdict.region);
	return 1;
}

static const char *const doing[] = {
	[S3_LIST] = "cannot list",
	[S3_HEAD] = "cannot look at",
	[S3_GET] = "cannot read",
	[S3_PUT] = "cannot write",
	[S3_DELETE] = "cannot remove",
	[S3_LOCATION] = "cannot ask for the region of",
	[S3_PROBE] = "cannot try out",
};

static int no_answer(struct s3_client *c, const struct s3_call *call, int rc)
{
	struct buf place = BUF_INIT;

	if (rc != ERR_INTERRUPTED && place_of(c, call, &place) == 0)
		err_prefix(rc, "%s '%s'", doing[call->op], place.p);
	buf_release(&place);
	return rc;
}

int s3_client_call(struct s3_client *c, struct s3_call *call)
{
	struct attempt a = {.region = ""};
	struct s3_xml_error doc;
	unsigned tried = 0;
	int rc, again;

	do {
		attempt_release(&a);
		again = 0;
		memset(&call->verdict, 0, sizeof(call->verdict));
		rc = prepare(c, call, &a);
		if (rc == 0)
			rc = send_call(c, call, &a);
		if (rc < 0) {
			no_answer(c, call, rc);
		} else if (has_error(call, &doc)) {
			hide_secrets(&doc, &a);
			explain(c, call, &a, &doc);
			remote_retry_hint(call->verdict.retry_ms);
			rc = err_set(call->verdict.code, "%s", call->verdict.message);
			again = mend(c, call, &a, &tried);
		}
	} while (again);
	attempt_release(&a);
	return rc;
}
