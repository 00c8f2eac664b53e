/*
 * From configuration to what requests are made of.  Everything is checked here, before the first
 * request, so that a typing error is a sentence that names the setting.
 */
#include "transfer/s3/s3_settings.h"
#include "lib/base/err.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { CUSTOMER_KEY_LEN = 32, MD5_LEN = 16 };

struct reader {
	struct s3_settings *s;
	const struct config *config;
	const char *remote;
};

static const char *setting(const struct reader *r, const char *key)
{
	return remotes_setting(r->config, r->remote, key);
}

static int bad(const struct reader *r, const char *key, const char *what)
{
	return err_set(ERR_INVALID,
		"remote '%s': %s; correct it by 'git dvx remote modify %s %s …'", r->remote, what,
		r->remote, key);
}

static int copy(char **out, const char *text, size_t len)
{
	*out = strndup(text, len);
	return *out ? 0 : err_set(ERR_NOMEM, "out of memory");
}

/* A value that goes into a header or a URL. */
static int is_plain(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text >= 0x7f)
			return 0;
	return 1;
}

/* ---- s3://bucket/prefix ---- */

static int is_bucket(const char *name)
{
	size_t len = strlen(name);

	return len >= 3 && len <= 255 && isalnum((unsigned char)name[0]) &&
	       name[strspn(name,
		       "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_")] ==
		       '\0' &&
	       !strstr(name, "..");
}

static int read_url(const struct reader *r, const char *url)
{
	const char *p = url, *slash;
	size_t len;
	int rc;

	if (strncasecmp(p, "s3://", 5) != 0)
		return bad(r, "url", "its URL does not begin with s3://");
	p += 5;
	slash = strchrnul(p, '/');
	rc = copy(&r->s->bucket, p, (size_t)(slash - p));
	if (rc < 0)
		return rc;
	if (!is_bucket(r->s->bucket))
		return bad(r, "url",
			"what follows s3:// is no name of a bucket (3 to 255 letters, digits, '-', "
			"'.')");
	while (*slash == '/')
		slash++;
	len = strlen(slash);
	while (len > 0 && slash[len - 1] == '/')
		len--;
	if (len > 700)
		return bad(r, "url", "its path is longer than 700 bytes");
	rc = copy(&r->s->prefix, slash, len > 0 ? len + 1 : 0);
	if (rc == 0 && len > 0 && r->s->prefix[len] != '/') {
		char *longer = realloc(r->s->prefix, len + 2);

		if (!longer)
			return err_set(ERR_NOMEM, "out of memory");
		memcpy(longer + len, "/", 2);
		r->s->prefix = longer;
	}
	return rc;
}

/* ---- where ---- */

static int read_bool(const struct reader *r, const char *key, int fallback, int *out)
{
	const char *value = setting(r, key);

	*out = fallback;
	if (!value)
		return 0;
	if (!strcasecmp(value, "true") || !strcasecmp(value, "yes") || !strcmp(value, "1"))
		*out = 1;
	else if (!strcasecmp(value, "false") || !strcasecmp(value, "no") || !strcmp(value, "0"))
		*out = 0;
	else
		return bad(r, key, "a value is neither 'true' nor 'false'");
	return 0;
}

/* host[:port][/path].  It stands in commands to type, too: nothing in it means something to a
 * shell. */
static int is_endpoint(const char *text)
{
	return text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				 ".-_~:/[]+,=")] == '\0';
}

static int ends_in(const char *text, size_t len, const char *end)
{
	size_t n = strlen(end);

	return len >= n && strncasecmp(text + len - n, end, n) == 0;
}

/* 1 if the endpoint is S3 at Amazon, and proves it by its certificate.  Customers have names below
 * amazonaws.com as well (execute-api, elb): a label of the name must be S3's. */
static int is_amazon(const struct s3_settings *s)
{
	size_t len = strcspn(s->host, ":");

	return strcmp(s->scheme, "https") == 0 &&
	       (strncasecmp(s->host, "s3.", 3) == 0 || strncasecmp(s->host, "s3-", 3) == 0 ||
		       strcasestr(s->host, ".s3.")) &&
	       (ends_in(s->host, len, ".amazonaws.com") ||
		       ends_in(s->host, len, ".amazonaws.com.cn"));
}

/* 1 if only a file of the tree names the endpoint, not the user's own configuration. */
static int is_from_tree(const struct reader *r)
{
	struct buf key = BUF_INIT;
	int from_tree = setting(r, "endpointurl") != NULL &&
			(buf_addf(&key, "dvx-remote.%s.endpointurl", r->remote) < 0 ||
				config_get_own(r->config, key.p) == NULL);

	buf_release(&key);
	return from_tree;
}

static int read_endpoint(const struct reader *r, const struct aws_credentials *credentials)
{
	const char *url = setting(r, "endpointurl"), *rest, *path;
	int tls = 1, rc = read_bool(r, "usessl", 1, &tls);
	size_t len;

	if (!url)
		url = aws_credentials_endpoint(credentials);
	if (rc < 0 || !url)
		return rc < 0 ? rc : copy(&r->s->scheme, tls ? "https" : "http", 5);
	rest = strstr(url, "://");
	if (rest)
		tls = strncasecmp(url, "https://", 8) == 0;
	if (rest && !tls && strncasecmp(url, "http://", 7) != 0)
		return bad(r, "endpointurl", "its endpoint is neither http:// nor https://");
	rest = rest ? rest + 3 : url;
	path = strchrnul(rest, '/');
	len = strlen(path);
	while (len > 0 && path[len - 1] == '/')
		len--;
	if (path == rest || rest[0] == '-' || !is_endpoint(rest))
		return bad(r, "endpointurl", "its endpoint is not of the form https://host[:port]");
	r->s->own_endpoint = 1;
	rc = copy(&r->s->scheme, tls ? "https" : "http", 5);
	if (rc == 0)
		rc = copy(&r->s->host, rest, (size_t)(path - rest));
	if (rc == 0 && is_from_tree(r) && !is_amazon(r->s))
		rc = copy(&r->s->tree_endpoint, url, strlen(url));
	return rc < 0 ? rc : copy(&r->s->base, path, len);
}

/* As other S3 tools have it: the bucket is part of the host's name at AWS (unless it has dots,
 * which certificates of AWS are not for), part of the path everywhere else. */
static int is_path_style(const struct s3_settings *s)
{
	size_t len = s->host ? strcspn(s->host, ":") : 0;

	if (strchr(s->bucket, '.') || strchr(s->bucket, '_'))
		return 1;
	return s->own_endpoint && !ends_in(s->host, len, ".amazonaws.com") &&
	       !ends_in(s->host, len, ".amazonaws.com.cn");
}

static int read_place(const struct reader *r, const struct aws_credentials *credentials)
{
	const char *style = setting(r, "addressingstyle");
	const char *region = setting(r, "region");
	int rc = read_endpoint(r, credentials);

	if (rc < 0)
		return rc;
	if (!style)
		style = aws_credentials_addressing(credentials);
	if (!style || strcmp(style, "auto") == 0)
		r->s->path_style = is_path_style(r->s);
	else if (strcmp(style, "path") == 0 || strcmp(style, "virtual") == 0)
		r->s->path_style = style[0] == 'p';
	else
		return bad(r, "addressingstyle",
			"its addressing style is none of 'auto', 'path' and 'virtual'");
	if (!region)
		region = aws_credentials_region(credentials);
	if (region && (!is_plain(region) || strlen(region) > 63 || strpbrk(region, "/.@:?#")))
		return bad(r, "region", "its region is not like 'eu-west-1'");
	return region ? copy(&r->s->region, region, strlen(region)) : 0;
}

/* ---- headers ---- */

static int both(struct s3_settings *s, const char *name, const char *value)
{
	int rc = strvec_pushf(&s->put_headers, "%s: %s", name, value);

	return rc < 0 ? rc : strvec_pushf(&s->read_headers, "%s: %s", name, value);
}

/* A key that the server forgets after each request (SSE-C); never over an open line. */
static int read_customer_key(const struct reader *r)
{
	enum { BASE64_LEN = 44 };
	const char *key = setting(r, "ssecustomerkey");
	unsigned char bytes[BASE64_LEN], sum[EVP_MAX_MD_SIZE];
	char md5[32];
	int rc;

	if (!key)
		return 0;
	if (strcmp(r->s->scheme, "https") != 0)
		return bad(
			r, "endpointurl", "a customer's encryption key is only sent over https://");
	if (is_from_tree(r))
		return err_set(ERR_DENIED,
			"remote '%s': the customer's encryption key is not sent to an endpoint "
			"that "
			"only a file of the tree names; if it is right, type 'git config "
			"dvx-remote.%s.endpointurl %s'",
			r->remote, r->remote, setting(r, "endpointurl"));
	if (strlen(key) != BASE64_LEN || EVP_DecodeBlock(bytes, (const unsigned char *)key,
						 BASE64_LEN) != CUSTOMER_KEY_LEN + 1)
		return bad(r, "sse_customer_key",
			"the customer's key must be 32 bytes in base64 ('openssl rand -base64 "
			"32')");
	EVP_Digest(bytes, CUSTOMER_KEY_LEN, sum, NULL, EVP_md5(), NULL);
	EVP_EncodeBlock((unsigned char *)md5, sum, MD5_LEN);
	explicit_bzero(bytes, sizeof(bytes));
	r->s->etag_is_md5 = 0;
	rc = both(r->s, "x-amz-server-side-encryption-customer-algorithm", "AES256");
	if (rc == 0)
		rc = both(r->s, "x-amz-server-side-encryption-customer-key", key);
	if (rc == 0)
		rc = both(r->s, "x-amz-server-side-encryption-customer-key-md5", md5);
	return rc;
}

static int read_encryption(const struct reader *r)
{
	const char *sse = setting(r, "sse"), *key = setting(r, "ssekmskeyid");
	int rc = 0;

	if (key && !sse)
		sse = "aws:kms";
	if (!sse)
		return read_customer_key(r);
	if (strcmp(sse, "AES256") != 0 && strcmp(sse, "aws:kms") != 0 &&
		strcmp(sse, "aws:kms:dsse") != 0)
		return bad(r, "sse", "its encryption is none of 'AES256' and 'aws:kms'");
	if (setting(r, "ssecustomerkey"))
		return bad(r, "sse", "both sse and sse_customer_key are set; only one can be");
	if (strcmp(sse, "AES256") != 0)
		r->s->etag_is_md5 = 0;
	rc = strvec_pushf(&r->s->put_headers, "x-amz-server-side-encryption: %s", sse);
	if (rc == 0 && key && !is_plain(key))
		rc = bad(r, "ssekmskeyid", "its KMS key id has characters that no key id has");
	if (rc == 0 && key)
		rc = strvec_pushf(
			&r->s->put_headers, "x-amz-server-side-encryption-aws-kms-key-id: %s", key);
	r->s->kms_key = key;
	return rc;
}

static int read_headers(const struct reader *r)
{
	const char *class = setting(r, "storageclass");
	int rc = 0;

	r->s->etag_is_md5 = 1;
	r->s->storage_class = class;
	if (class && !is_plain(class))
		return bad(r, "storageclass", "its storage class is no word");
	if (class)
		rc = strvec_pushf(&r->s->put_headers, "x-amz-storage-class: %s", class);
	return rc < 0 ? rc : read_encryption(r);
}

/* sslverify: true, false, or the CA file. */
static void read_tls(const struct reader *r, const struct aws_credentials *credentials,
	struct http_options *http)
{
	const char *verify = setting(r, "sslverify");

	http_options_from_git(http, r->config);
	if (!verify) {
		if (aws_credentials_ca_bundle(credentials))
			http->ca = aws_credentials_ca_bundle(credentials);
	} else if (!strcasecmp(verify, "false") || !strcasecmp(verify, "no") ||
		   !strcmp(verify, "0")) {
		http->insecure = 1;
	} else {
		http->insecure = 0;
		if (strcasecmp(verify, "true") && strcasecmp(verify, "yes") && strcmp(verify, "1"))
			http->ca = verify;
	}
}

int s3_settings_read(struct s3_settings *s, const struct remote_spec *spec, const struct config *c,
	const struct aws_credentials *credentials, struct http_options *http)
{
	struct reader r = {.s = s, .config = c, .remote = spec->name};
	int rc = read_url(&r, spec->url);

	if (rc == 0)
		rc = read_place(&r, credentials);
	if (rc == 0)
		rc = read_headers(&r);
	if (rc == 0)
		read_tls(&r, credentials, http);
	return rc;
}

void s3_settings_release(struct s3_settings *s)
{
	for (size_t i = 0; i < s->put_headers.n; i++) /* the customer's key */
		explicit_bzero(s->put_headers.v[i], strlen(s->put_headers.v[i]));
	for (size_t i = 0; i < s->read_headers.n; i++)
		explicit_bzero(s->read_headers.v[i], strlen(s->read_headers.v[i]));
	strvec_release(&s->put_headers);
	strvec_release(&s->read_headers);
	free(s->bucket);
	free(s->prefix);
	free(s->scheme);
	free(s->host);
	free(s->base);
	free(s->tree_endpoint);
	free(s->region);
	memset(s, 0, sizeof(*s));
}

int s3_settings_endpoint(const struct s3_settings *s, const char *region, struct buf *out)
{
	if (s->own_endpoint)
		return buf_addstr(out, s->host);
	return buf_addf(
		out, "s3.%s.amazonaws.com%s", region, strncmp(region, "cn-", 3) == 0 ? ".cn" : "");
}

int s3_settings_host(const struct s3_settings *s, const char *region, struct buf *out)
{
	int rc = s->path_style ? 0 : buf_addf(out, "%s.", s->bucket);

	return rc < 0 ? rc : s3_settings_endpoint(s, region, out);
}
