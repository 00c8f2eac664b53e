/*
 * AWS Signature Version 4 (see sigv4.h): canonical request -> string to sign -> signature, each a
 * buffer, in the words of the specification.  Every request of the S3 kind passes here once.
 *
 * HMAC is written out over the SHA-256 of lib/store instead of taken from libcrypto's EVP: that
 * reads openssl.cnf and may load providers, which belong to the shared library and not to the
 * static one that is linked here.
 */
#include "transfer/s3/sigv4.h"
#include "lib/base/err.h"
#include "lib/base/url.h"
#include "lib/store/oid.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 64, KEY_TEXT_MAX = 16 * 1024 };

/* ---- keys ---- */

static void wipe_text(char **s)
{
	if (*s)
		explicit_bzero(*s, strlen(*s));
	free(*s);
	*s = NULL;
}

void sigv4_keys_release(struct sigv4_keys *k)
{
	wipe_text(&k->id);
	wipe_text(&k->secret);
	wipe_text(&k->token);
}

/* These end up in a header: no blanks, no control characters, nothing beyond ASCII. */
static int is_header_safe(const char *s)
{
	size_t n = 0;

	for (; s[n]; n++)
		if ((unsigned char)s[n] <= ' ' || (unsigned char)s[n] >= 0x7f)
			return 0;
	return n > 0 && n < KEY_TEXT_MAX;
}

int sigv4_keys_set(struct sigv4_keys *out, const char *id, const char *secret, const char *token)
{
	*out = (struct sigv4_keys){0};
	if (token && !*token)
		token = NULL;
	if (!id || !is_header_safe(id))
		return err_set(ERR_INVALID,
			"the access key id is empty or has blanks or control characters");
	if (!secret || !is_header_safe(secret))
		return err_set(ERR_INVALID,
			"the secret access key is empty or has blanks or control characters");
	if (token && !is_header_safe(token))
		return err_set(ERR_INVALID, "the session token has blanks or control characters");
	out->id = strdup(id);
	out->secret = strdup(secret);
	out->token = token ? strdup(token) : NULL;
	if (!out->id || !out->secret || (token && !out->token)) {
		sigv4_keys_release(out);
		return err_set(ERR_NOMEM, "out of memory");
	}
	return 0;
}

/* ---- encoding ---- */

int sigv4_encode(struct buf *out, const char *text)
{
	return url_encode(out, text, 0);
}

int sigv4_encode_path(struct buf *out, const char *path)
{
	return url_encode(out, path, 1);
}

/* By name, then by value: "a-b=1" comes before "a=1" as whole strings, but behind it as names. */
static int compare_parameters(const void *a, const void *b)
{
	const char *x = *(const char *const *)a, *y = *(const char *const *)b;
	size_t nx = strcspn(x, "="), ny = strcspn(y, "=");
	int order = memcmp(x, y, nx < ny ? nx : ny);

	if (order)
		return order;
	if (nx != ny)
		return nx < ny ? -1 : 1;
	return strcmp(x + nx, y + ny);
}

int sigv4_add_query(struct buf *out, const struct strvec *query)
{
	char **sorted;
	int rc = 0;

	if (!query || !query->n)
		return 0;
	sorted = malloc(query->n * sizeof *sorted);
	if (!sorted)
		return err_set(ERR_NOMEM, "out of memory");
	memcpy(sorted, query->v, query->n * sizeof *sorted);
	qsort(sorted, query->n, sizeof *sorted, compare_parameters);
	for (size_t i = 0; i < query->n && rc == 0; i++)
		rc = buf_addf(
			out, "%s%s%s", i ? "&" : "", sorted[i], strchr(sorted[i], '=') ? "" : "=");
	free(sorted);
	return rc;
}

/* ---- HMAC-SHA256, RFC 2104 ---- */

static void hmac(struct oid *out, const void *key, size_t key_len, const void *data, size_t len)
{
	uint8_t pad[BLOCK] = {0};
	struct oid_ctx c;
	struct oid inner;

	if (key_len > BLOCK) {
		oid_of(&inner, key, key_len);
		memcpy(pad, inner.id, OID_LEN);
	} else {
		memcpy(pad, key, key_len);
	}
	for (size_t i = 0; i < BLOCK; i++)
		pad[i] ^= 0x36;
	oid_init(&c);
	oid_update(&c, pad, BLOCK);
	oid_update(&c, data, len);
	oid_final(&c, &inner);
	for (size_t i = 0; i < BLOCK; i++)
		pad[i] ^= 0x36 ^ 0x5c;
	oid_init(&c);
	oid_update(&c, pad, BLOCK);
	oid_update(&c, inner.id, OID_LEN);
	oid_final(&c, out);
	explicit_bzero(pad, sizeof pad);
	explicit_bzero(&c, sizeof c);
}

static void hmac_text(struct oid *key, const char *text)
{
	struct oid next;

	hmac(&next, key->id, OID_LEN, text, strlen(text));
	*key = next;
}

/* What a remembered key was derived from, as a hash: no second copy of the secret. */
static void scope_tag(
	struct oid *tag, const char *secret, const char *day, const struct sigv4_scope *scope)
{
	const char *parts[] = {secret, day, scope->region, scope->service};
	struct oid_ctx c;

	oid_init(&c);
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		oid_update(&c, parts[i], strlen(parts[i]) + 1);
	oid_final(&c, tag);
	explicit_bzero(&c, sizeof c);
}

static int signing_key(
	struct oid *key, const char *secret, const char *day, const struct sigv4_scope *scope)
{
	static _Thread_local struct {
		int set;
		struct oid tag, key;
	} last;
	struct buf start = BUF_INIT;
	struct oid tag;
	int rc;

	scope_tag(&tag, secret, day, scope);
	if (last.set && oid_eq(&last.tag, &tag)) {
		*key = last.key;
		return 0;
	}
	rc = buf_addf(&start, "AWS4%s", secret);
	if (rc < 0)
		return rc;
	hmac(key, start.p, start.len, day, strlen(day));
	explicit_bzero(start.p, start.len);
	buf_release(&start);
	hmac_text(key, scope->region);
	hmac_text(key, scope->service);
	hmac_text(key, "aws4_request");
	last.set = 1;
	last.tag = tag;
	last.key = *key;
	return 0;
}

/* ---- the canonical request ---- */

/* Append a header as "name:value": name in small letters, value without blanks around it and with
 * single ones in it. */
static int canonical_header(
	struct strvec *out, const char *name, size_t name_len, const char *value)
{
	struct buf line = BUF_INIT;
	int rc = 0;

	for (size_t i = 0; i < name_len && rc == 0; i++)
		rc = buf_addch(&line, (char)tolower((unsigned char)name[i]));
	if (rc == 0)
		rc = buf_addch(&line, ':');
	value += strspn(value, " \t");
	while (*value && rc == 0) {
		size_t word = strcspn(value, " \t"), blanks = strspn(value + word, " \t");

		rc = buf_add(&line, value, word);
		value += word + blanks;
		if (rc == 0 && blanks && *value)
			rc = buf_addch(&line, ' ');
	}
	if (rc == 0)
		rc = strvec_push(out, line.p);
	buf_release(&line);
	return rc;
}

static int canonical_line(struct strvec *out, const char *line)
{
	const char *colon = strchr(line, ':');

	if (!colon || colon == line)
		return err_set(ERR_INVALID, "header without a name");
	return canonical_header(out, line, (size_t)(colon - line), colon + 1);
}

static int compare_headers(const void *a, const void *b)
{
	const char *x = *(const char *const *)a, *y = *(const char *const *)b;
	size_t nx = strcspn(x, ":"), ny = strcspn(y, ":");
	int order = memcmp(x, y, nx < ny ? nx : ny);

	return order ? order : (nx > ny) - (nx < ny);
}

/* Every header to be signed, in canonical form and order. */
static int canonical_headers(
	struct strvec *out, const struct sigv4_request *r, const struct strvec *ours)
{
	int rc = canonical_header(out, "host", strlen("host"), r->host);

	for (size_t i = 0; i < ours->n && rc == 0; i++)
		rc = canonical_line(out, ours->v[i]);
	for (size_t i = 0; r->headers && i < r->headers->n && rc == 0; i++)
		rc = canonical_line(out, r->headers->v[i]);
	if (rc == 0)
		qsort(out->v, out->n, sizeof *out->v, compare_headers);
	return rc;
}

static int signed_names(struct buf *out, const struct strvec *headers)
{
	int rc = 0;

	for (size_t i = 0; i < headers->n && rc == 0; i++)
		rc = buf_addf(out, "%s%.*s", i ? ";" : "", (int)strcspn(headers->v[i], ":"),
			headers->v[i]);
	return rc;
}

static int canonical_request(struct buf *out, const struct sigv4_request *r,
	const struct strvec *headers, const char *names)
{
	int rc = buf_addf(out, "%s\n%s\n", r->method, *r->path ? r->path : "/");

	if (rc == 0)
		rc = sigv4_add_query(out, r->query);
	if (rc == 0)
		rc = buf_addch(out, '\n');
	for (size_t i = 0; i < headers->n && rc == 0; i++)
		rc = buf_addf(out, "%s\n", headers->v[i]);
	return rc ? rc : buf_addf(out, "\n%s\n%s", names, r->payload_sha256);
}

/* ---- the signature ---- */

static int own_headers(struct strvec *out, const struct sigv4_request *r,
	const struct sigv4_keys *keys, const char *stamp)
{
	int rc = strvec_pushf(out, "x-amz-content-sha256: %s", r->payload_sha256);

	if (rc == 0)
		rc = strvec_pushf(out, "x-amz-date: %s", stamp);
	if (rc == 0 && keys->token)
		rc = strvec_pushf(out, "x-amz-security-token: %s", keys->token);
	return rc;
}

/* The signature of a canonical request, as hex. */
static int signature(char hex[static OID_HEX_LEN + 1], const struct buf *request, const char *stamp,
	const char *scope_text, const struct oid *key)
{
	struct buf text = BUF_INIT;
	struct oid id;
	int rc;

	oid_of(&id, request->p, request->len);
	oid_to_hex(hex, &id);
	rc = buf_addf(&text, "AWS4-HMAC-SHA256\n%s\n%s\n%s", stamp, scope_text, hex);
	if (rc == 0) {
		hmac(&id, key->id, OID_LEN, text.p, text.len);
		oid_to_hex(hex, &id);
	}
	buf_release(&text);
	return rc;
}

int sigv4_sign(struct strvec *headers_out, const struct sigv4_request *request,
	const struct sigv4_keys *keys, const struct sigv4_scope *scope)
{
	struct strvec ours = STRVEC_INIT, headers = STRVEC_INIT;
	struct buf names = BUF_INIT, canonical = BUF_INIT, scope_text = BUF_INIT;
	char stamp[sizeof "20130524T000000Z"], day[sizeof "20130524"], hex[OID_HEX_LEN + 1];
	struct oid key = {{0}};
	struct tm tm;
	int rc;

	if (!gmtime_r(&scope->now, &tm) || !strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &tm) ||
		!strftime(day, sizeof day, "%Y%m%d", &tm))
		return err_set(ERR_INVALID, "the clock is far off: no year of four digits");
	if ((rc = own_headers(&ours, request, keys, stamp)) < 0 ||
		(rc = canonical_headers(&headers, request, &ours)) < 0 ||
		(rc = signed_names(&names, &headers)) < 0 ||
		(rc = canonical_request(&canonical, request, &headers, names.p)) < 0 ||
		(rc = buf_addf(&scope_text, "%s/%s/%s/aws4_request", day, scope->region,
			 scope->service)) < 0 ||
		(rc = signing_key(&key, keys->secret, day, scope)) < 0 ||
		(rc = signature(hex, &canonical, stamp, scope_text.p, &key)) < 0)
		goto done;
	for (size_t i = 0; i < ours.n && rc == 0; i++)
		rc = strvec_push(headers_out, ours.v[i]);
	if (rc == 0)
		rc = strvec_pushf(headers_out,
			"Authorization: AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, "
			"Signature=%s",
			keys->id, scope_text.p, names.p, hex);
done:
	explicit_bzero(&key, sizeof key);
	strvec_release(&ours);
	strvec_release(&headers);
	buf_release(&names);
	buf_release(&canonical);
	buf_release(&scope_text);
	return rc;
}
