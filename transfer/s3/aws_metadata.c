/*
 * Keys from the container's endpoint and from the instance metadata service (see aws_metadata.h).
 * Where to ask comes from the environment, so that what is asked, and what comes back, is checked:
 * keys asked for over plain HTTP may only come from this machine.
 */
#include "transfer/s3/aws_metadata.h"
#include "lib/base/err.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CONTAINER_HOST "http://169.254.170.2"
#define INSTANCE_HOST  "http://169.254.169.254"
#define INSTANCE_HOST6 "http://[fd00:ec2::254]"
#define ROLES	       "/latest/meta-data/iam/security-credentials/"

enum { BODY_MAX = 64 * 1024, TOKEN_MAX = 16 * 1024, CONTAINER_MS = 2000, INSTANCE_MS = 1000 };

static const char *environment(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

static int is_true(const char *value)
{
	return value && strcasecmp(value, "true") == 0;
}

/* Nothing that would end a header or a request line. */
static int is_printable(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return 0;
	return 1;
}

static void wipe_buf(struct buf *b)
{
	if (b->p)
		explicit_bzero(b->p, b->cap);
	buf_release(b);
}

/* ---- which addresses may be asked ---- */

/* The host of "http://host[:port][/…]".  0 or ERR_DENIED. */
static int host_of(char *host, size_t size, const char *url)
{
	const char *start = url + strlen("http://"), *end;

	if (*start == '[') {
		end = strchr(++start, ']');
		if (!end)
			return err_set(ERR_DENIED, "'%s' is no URL", url);
	} else {
		end = start + strcspn(start, ":/?#");
	}
	if (end == start || (size_t)(end - start) >= size)
		return err_set(ERR_DENIED, "'%s' has no host", url);
	memcpy(host, start, (size_t)(end - start));
	host[end - start] = '\0';
	return 0;
}

/* This machine itself, or the link-local addresses that ECS and EKS have for this. */
static int is_near(const char *host)
{
	static const uint8_t eks[16] = {0xfd, 0x00, 0x0e, 0xc2, [15] = 0x23};
	struct in6_addr six;
	struct in_addr four;

	if (strcmp(host, "localhost") == 0)
		return 1;
	if (inet_pton(AF_INET, host, &four) == 1)
		return ntohl(four.s_addr) >> 24 == 127 || strcmp(host, "169.254.170.2") == 0 ||
		       strcmp(host, "169.254.170.23") == 0;
	if (inet_pton(AF_INET6, host, &six) == 1)
		return IN6_IS_ADDR_LOOPBACK(&six) || memcmp(&six, eks, sizeof eks) == 0;
	return 0;
}

int aws_metadata_check_url(const char *url)
{
	char host[64];
	int rc;

	if (!is_printable(url) || strpbrk(url, " @\\"))
		return err_set(ERR_DENIED, "the URL has characters that do not belong there");
	if (strncasecmp(url, "https://", 8) == 0 && url[8] && url[8] != '/')
		return 0;
	if (strncasecmp(url, "http://", 7) != 0)
		return err_set(ERR_DENIED, "'%s' is no http or https URL", url);
	rc = host_of(host, sizeof host, url);
	if (rc == 0 && !is_near(host))
		rc = err_set(ERR_DENIED,
			"'%s' would carry keys over the network in the clear; use https", url);
	return rc;
}

/* ---- containers ---- */

/* The Authorization header that the endpoint wants, if the environment has one. */
static int authorization(struct strvec *headers)
{
	const char *path = environment("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
	const char *token = environment("AWS_CONTAINER_AUTHORIZATION_TOKEN");
	struct buf text = {.max = TOKEN_MAX};
	int rc = 0;

	if (path)
		rc = buf_read_file(&text, path);
	else if (token)
		rc = buf_addstr(&text, token);
	if (rc == 0 && text.len) {
		buf_rtrim(&text);
		rc = is_printable(text.p) && text.len == strlen(text.p)
			     ? strvec_pushf(headers, "Authorization: %s", text.p)
			     : err_set(ERR_INVALID, "the token has line breaks or control "
						    "characters");
	}
	wipe_buf(&text);
	return rc < 0 ? err_prefix(rc, "%s",
				path ? "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
				     : "AWS_CONTAINER_AUTHORIZATION_TOKEN")
		      : 0;
}

/* The URL to ask.  1: appended, 0: there is none. */
static int container_url(struct buf *out)
{
	const char *relative = environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
	const char *full = environment("AWS_CONTAINER_CREDENTIALS_FULL_URI");
	int rc;

	if (!relative && !full)
		return 0;
	if (relative && *relative != '/')
		return err_set(ERR_INVALID,
			"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI does not begin with '/'");
	rc = relative ? buf_addf(out, "%s%s", CONTAINER_HOST, relative) : buf_addstr(out, full);
	if (rc == 0)
		rc = aws_metadata_check_url(out->p);
	return rc < 0 ? err_prefix(rc, "%s",
				relative ? "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
					 : "AWS_CONTAINER_CREDENTIALS_FULL_URI")
		      : 1;
}

static int check_status(int status)
{
	if (status == 200)
		return 0;
	return err_set(status >= 500 || status == 429 ? ERR_REMOTE : ERR_DENIED,
		"it answered with HTTP %d instead of keys", status);
}

int aws_metadata_container(struct aws_temporary *out, const struct aws_http *http)
{
	struct aws_http_request request = {.method = "GET", .timeout_ms = CONTAINER_MS};
	struct strvec headers = STRVEC_INIT;
	struct buf url = BUF_INIT, body = {.max = BODY_MAX};
	int rc, status = 0;

	*out = (struct aws_temporary){0};
	rc = container_url(&url);
	if (rc <= 0)
		goto done;
	rc = authorization(&headers);
	if (rc < 0)
		goto done;
	request.url = url.p;
	request.headers = &headers;
	rc = http->perform(http->data, &request, &status, &body);
	if (rc == 0)
		rc = check_status(status);
	if (rc == 0)
		rc = aws_temporary_parse(out, buf_str(&body), body.len, AWS_ANSWER_METADATA);
	rc = rc < 0 ? err_prefix(rc, "the container's credentials at %s", url.p) : 1;
done:
	for (size_t i = 0; i < headers.n; i++)
		explicit_bzero(headers.v[i], strlen(headers.v[i]));
	strvec_release(&headers);
	buf_release(&url);
	wipe_buf(&body);
	return rc;
}

/* ---- EC2 ---- */

struct instance {
	const struct aws_http *http;
	const char *host;
	struct strvec headers; /* of the next request */
	struct buf body;       /* of the last answer */
};

static int ask(
	struct instance *in, const char *method, const char *path, const char *rest, int *status)
{
	struct aws_http_request request = {
		.method = method, .headers = &in->headers, .timeout_ms = INSTANCE_MS};
	struct buf url = BUF_INIT;
	int rc = buf_addf(&url, "%s%s%s", in->host, path, rest);

	buf_reset(&in->body);
	request.url = url.p;
	if (rc == 0)
		rc = in->http->perform(in->http->data, &request, status, &in->body);
	buf_release(&url);
	return rc;
}

/* Get a session's token, which every other request has to show.  1 or 0. */
static int instance_token(struct instance *in)
{
	int status = 0, rc;

	rc = strvec_push(&in->headers, "X-aws-ec2-metadata-token-ttl-seconds: 21600");
	if (rc < 0)
		return rc;
	rc = ask(in, "PUT", "/latest/api/token", "", &status);
	if (rc == ERR_NOMEM || rc == ERR_INTERRUPTED)
		return rc;
	if (rc < 0 || status != 200 || !in->body.len) {
		err_set(ERR_REMOTE, rc < 0 ? "no answer" : "no token, HTTP %d", status);
		return 0;
	}
	buf_rtrim(&in->body);
	if (strlen(in->body.p) != in->body.len || !is_printable(in->body.p))
		return err_set(ERR_INVALID, "a token with control characters");
	strvec_release(&in->headers);
	rc = strvec_pushf(&in->headers, "X-aws-ec2-metadata-token: %s", in->body.p);
	return rc < 0 ? rc : 1;
}

/* The name of the instance's role, in the body.  1, or 0 when it has none. */
static int instance_role(struct instance *in)
{
	int status = 0, rc = ask(in, "GET", ROLES, "", &status);
	size_t n;

	if (rc < 0)
		return rc;
	if (status == 404 || (status == 200 && !in->body.len)) {
		err_set(ERR_NOTFOUND, "the instance has no role");
		return 0;
	}
	rc = check_status(status);
	if (rc < 0)
		return rc;
	buf_truncate(&in->body, strcspn(in->body.p, "\r\n"));
	n = strspn(in->body.p,
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+=,.@_-");
	if (!n || n != in->body.len)
		return err_set(ERR_INVALID, "the name of the instance's role is none");
	return 1;
}

static int instance_keys(struct aws_temporary *out, struct instance *in)
{
	int status = 0, rc;
	char *role = buf_detach(&in->body);

	if (!role)
		return err_set(ERR_NOMEM, "out of memory");
	in->body = (struct buf){.max = BODY_MAX};
	rc = ask(in, "GET", ROLES, role, &status);
	if (rc == 0)
		rc = check_status(status);
	if (rc == 0)
		rc = aws_temporary_parse(
			out, buf_str(&in->body), in->body.len, AWS_ANSWER_METADATA);
	free(role);
	return rc < 0 ? rc : 1;
}

static const char *instance_host(void)
{
	const char *host = environment("AWS_EC2_METADATA_SERVICE_ENDPOINT");
	const char *mode = environment("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");

	if (host)
		return host;
	return mode && strcasecmp(mode, "ipv6") == 0 ? INSTANCE_HOST6 : INSTANCE_HOST;
}

int aws_metadata_instance(struct aws_temporary *out, const struct aws_http *http)
{
	struct instance in = {.http = http, .host = instance_host(), .body = {.max = BODY_MAX}};
	struct buf host = BUF_INIT;
	int rc;

	*out = (struct aws_temporary){0};
	if (is_true(environment("AWS_EC2_METADATA_DISABLED"))) {
		err_set(ERR_NOTFOUND, "switched off by AWS_EC2_METADATA_DISABLED");
		return 0;
	}
	if (!is_printable(in.host) || strncasecmp(in.host, "http", 4) != 0)
		return err_set(ERR_INVALID, "AWS_EC2_METADATA_SERVICE_ENDPOINT is no URL");
	rc = buf_addstr(&host, in.host);
	if (rc < 0)
		goto done;
	while (host.len && host.p[host.len - 1] == '/')
		buf_truncate(&host, host.len - 1);
	in.host = host.p;
	rc = instance_token(&in);
	if (rc == 1)
		rc = instance_role(&in);
	if (rc == 1)
		rc = instance_keys(out, &in);
	if (rc < 0)
		err_prefix(rc, "the instance metadata service at %s", host.p);
done:
	strvec_release(&in.headers);
	wipe_buf(&in.body);
	buf_release(&host);
	return rc;
}
