/*
 * The grammar of the few headers that matter here.  What a client may leave out or write in many
 * ways is taken leniently; what decides over access is not.
 */
#include "server/httptext.h"

#include <ctype.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/err.h"

enum { CREDENTIALS_MAX = 4096 };

/* ---- numbers and ranges ---- */

/* The digits at *p, which is moved behind them; too many are as many as there can be. */
static int read_digits(uint64_t *out, const char **p)
{
	const char *begin = *p;
	uint64_t v = 0;

	for (; **p >= '0' && **p <= '9'; (*p)++) {
		unsigned digit = (unsigned)(**p - '0');

		v = v > (UINT64_MAX - digit) / 10 ? UINT64_MAX : v * 10 + digit;
	}
	*out = v;
	return *p > begin;
}

int httptext_number(uint64_t *out, const char *text)
{
	const char *p = text;

	if (!p || !read_digits(out, &p) || *p || *out > INT64_MAX)
		return err_set(ERR_INVALID, "not a number");
	return 0;
}

int httptext_range(struct httptext_range *out, const char *header, uint64_t size)
{
	const char *p = header;
	uint64_t first, last = UINT64_MAX;
	int has_first;

	*out = (struct httptext_range){0, size};
	if (!p || strncasecmp(p, "bytes=", 6) != 0)
		return 0;
	p += 6;
	has_first = read_digits(&first, &p);
	if (*p++ != '-')
		return 0;
	if (!read_digits(&last, &p)) {
		if (!has_first)
			return 0;
		last = UINT64_MAX;
	}
	if (*p || (has_first && last < first))
		return 0;
	if (!has_first) { /* the last so many */
		first = last < size ? size - last : 0;
		if (last == 0)
			first = size;
		last = UINT64_MAX;
	}
	if (first >= size)
		return err_set(ERR_LIMIT, "the object has %llu bytes", (unsigned long long)size);
	if (last >= size)
		last = size - 1;
	*out = (struct httptext_range){first, last - first + 1};
	return 1;
}

/* ---- media types ---- */

static int is_one_of(const char *type, size_t len, const char *const *list)
{
	for (; *list; list++)
		if (strlen(*list) == len && strncasecmp(type, *list, len) == 0)
			return 1;
	return 0;
}

/* The length of the media type at `p`, without parameters. */
static size_t type_len(const char *p)
{
	return strcspn(p, ";, \t");
}

int httptext_accepts_json(const char *header)
{
	static const char *const fine[] = {
		"*/*", "application/*", "application/vnd.git-lfs+json", "application/json", NULL};

	if (!header || !*header)
		return 1;
	while (*header) {
		header += strspn(header, ", \t");
		if (is_one_of(header, type_len(header), fine))
			return 1;
		header += strcspn(header, ",");
	}
	return 0;
}

int httptext_is_json(const char *header)
{
	static const char *const fine[] = {
		"application/vnd.git-lfs+json", "application/json", NULL};

	return !header || !*header || is_one_of(header, type_len(header), fine);
}

int httptext_is_host(const char *host)
{
	if (!host || !*host || strlen(host) > 255)
		return 0;
	for (; *host; host++)
		if (!isalnum((unsigned char)*host) && !strchr(".-_:[]", *host))
			return 0;
	return 1;
}

/* ---- credentials ---- */

static int has_controls(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return 1;
	return 0;
}

static char *decode_base64(const char *text)
{
	size_t len = strlen(text), pad = 0;
	char *plain = calloc(1, len / 4 * 3 + 4);
	int n;

	if (!plain)
		return NULL;
	while (pad < 2 && pad < len && text[len - 1 - pad] == '=')
		pad++;
	n = EVP_DecodeBlock((unsigned char *)plain, (const unsigned char *)text, (int)len);
	if (n < (int)pad || len % 4 != 0 || memchr(plain, '\0', (size_t)n - pad)) {
		OPENSSL_cleanse(plain, len / 4 * 3 + 4);
		*plain = '\0';
		return plain;
	}
	plain[(size_t)n - pad] = '\0';
	return plain;
}

static int take_basic(struct httptext_credentials *out, const char *text)
{
	char *plain = decode_base64(text);
	char *colon = plain ? strchr(plain, ':') : NULL;
	int rc = 0;

	if (!plain)
		return err_set(ERR_NOMEM, "out of memory");
	if (!colon || has_controls(plain)) {
		rc = err_set(ERR_INVALID, "credentials that are none");
	} else {
		*colon = '\0';
		out->user = strdup(plain);
		out->secret = strdup(colon + 1);
		*colon = ':';
		if (!out->user || !out->secret)
			rc = err_set(ERR_NOMEM, "out of memory");
	}
	OPENSSL_cleanse(plain, strlen(plain));
	free(plain);
	return rc;
}

int httptext_credentials(struct httptext_credentials *out, const char *header)
{
	size_t word;
	int rc = 0;

	memset(out, 0, sizeof(*out));
	if (!header || !*header)
		return 0;
	if (strlen(header) > CREDENTIALS_MAX)
		return err_set(ERR_LIMIT, "credentials of more than %d bytes", CREDENTIALS_MAX);
	word = strcspn(header, " ");
	header += word;
	out->scheme = HTTPTEXT_OTHER;
	if (word == 5 && strncasecmp(header - word, "Basic", word) == 0)
		out->scheme = HTTPTEXT_BASIC;
	else if (word == 6 && strncasecmp(header - word, "Bearer", word) == 0)
		out->scheme = HTTPTEXT_BEARER;
	header += strspn(header, " ");
	if (out->scheme == HTTPTEXT_BASIC)
		rc = take_basic(out, header);
	else if (out->scheme == HTTPTEXT_BEARER && !(out->secret = strdup(header)))
		rc = err_set(ERR_NOMEM, "out of memory");
	if (rc < 0)
		httptext_credentials_release(out);
	return rc;
}

void httptext_credentials_release(struct httptext_credentials *c)
{
	if (c->secret)
		OPENSSL_cleanse(c->secret, strlen(c->secret));
	free(c->user);
	free(c->secret);
	memset(c, 0, sizeof(*c));
}
