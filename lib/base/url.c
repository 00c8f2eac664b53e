/*
 * Taking URLs apart (see url.h).  Whoever decides who gets credentials compares what this returns,
 * and hands the same parts on to libcurl, so that no two readings of one text can differ.
 */
#include "lib/base/url.h"
#include "lib/base/err.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { PORT_DIGITS = 5 };

static const struct {
	const char *scheme, *port;
} default_ports[] = {
	{"http", "80"}, {"https", "443"}, {"ssh", "22"}, {"git", "9418"}, {"ftp", "21"}};

int url_hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10 : -1;
}

int url_decode(struct buf *out, const char *text, size_t len)
{
	int rc = 0;

	for (size_t i = 0; i < len && rc == 0; i++) {
		int high = text[i] == '%' && i + 2 < len ? url_hex_value(text[i + 1]) : -1;
		int low = high >= 0 ? url_hex_value(text[i + 2]) : -1;
		char c = low >= 0 ? (char)(high << 4 | low) : text[i];

		if (!c)
			return ERR_INVALID;
		rc = buf_addch(out, c);
		i += low >= 0 ? 2 : 0;
	}
	return rc;
}

static const char *default_port(const char *scheme)
{
	for (size_t i = 0; i < sizeof(default_ports) / sizeof(*default_ports); i++)
		if (strcmp(default_ports[i].scheme, scheme) == 0)
			return default_ports[i].port;
	return "";
}

static int has_control(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return 1;
	return 0;
}

static int take_copy(char **out, const char *text, size_t len, int lower)
{
	*out = strndup(text, len);
	if (!*out)
		return err_set(ERR_NOMEM, "out of memory");
	for (char *p = *out; lower && *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return 0;
}

/* User name or password. */
static int take_decoded(char **out, const char *text, size_t len)
{
	struct buf b = BUF_INIT;
	int rc = url_decode(&b, text, len);

	if (rc == ERR_INVALID || (rc == 0 && has_control(buf_str(&b))))
		rc = err_set(ERR_INVALID, "its user name or password encodes a control character");
	if (rc == 0 && !(*out = buf_detach(&b)) && !(*out = strdup("")))
		rc = err_set(ERR_NOMEM, "out of memory");
	buf_release(&b);
	return rc;
}

static int take_userinfo(struct url *u, const char *text, size_t len)
{
	const char *colon = memchr(text, ':', len);
	size_t name = colon ? (size_t)(colon - text) : len;
	int rc = take_decoded(&u->user, text, name);

	return rc == 0 && colon ? take_decoded(&u->password, colon + 1, len - name - 1) : rc;
}

static int is_host(const char *host, int pattern)
{
	size_t len = strlen(host);

	if (*host == '[')
		return len > 3 && host[len - 1] == ']' &&
		       strspn(host + 1, "0123456789abcdef:.") == len - 2;
	return len > 0 && *host != '-' &&
	       strspn(host, pattern ? "abcdefghijklmnopqrstuvwxyz0123456789-._*"
				    : "abcdefghijklmnopqrstuvwxyz0123456789-._") == len;
}

static int take_port(struct url *u, const char *text, size_t len)
{
	long n = 0;

	if (len == 0)
		return take_copy(&u->port, default_port(u->scheme), PORT_DIGITS, 0);
	for (size_t i = 0; i < len && n >= 0; i++)
		n = isdigit((unsigned char)text[i]) && n <= 65535 ? n * 10 + (text[i] - '0') : -1;
	if (n <= 0 || n > 65535)
		return err_set(ERR_INVALID, "its port is no number from 1 to 65535");
	while (*text == '0') {
		text++;
		len--;
	}
	return take_copy(&u->port, text, len, 0);
}

static int take_host(struct url *u, const char *text, size_t len, int pattern)
{
	const char *bracket = *text == '[' ? memchr(text, ']', len) : NULL;
	const char *from = bracket ? bracket : text;
	const char *colon = memchr(from, ':', len - (size_t)(from - text));
	size_t host = colon ? (size_t)(colon - text) : len;
	int rc = take_copy(&u->host, text, host, 1);

	if (rc == 0 && !*u->host)
		rc = err_set(ERR_INVALID, "it names no host");
	if (rc == 0 && !is_host(u->host, pattern))
		rc = err_set(ERR_INVALID, "its host is none");
	if (rc == 0)
		rc = colon ? take_port(u, colon + 1, len - host - 1) : take_port(u, "", 0);
	return rc;
}

/* Paths of SSH may have spaces, and what is made of them is no URL before those are encoded. */
static int take_path(struct url *u, const char *text, size_t len)
{
	struct buf path = BUF_INIT;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < len; i++)
		rc = text[i] == ' ' ? buf_addstr(&path, "%20") : buf_addch(&path, text[i]);
	if (rc == 0 && !(u->path = path.len ? buf_detach(&path) : strdup("")))
		rc = err_set(ERR_NOMEM, "out of memory");
	buf_release(&path);
	return rc;
}

static int parse(struct url *u, const char *text, int pattern)
{
	const char *rest = strstr(text, "://"), *at;
	size_t scheme = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "0123456789+-.");
	size_t authority;
	int rc;

	if (!rest || scheme != (size_t)(rest - text) || !isalpha((unsigned char)*text))
		return err_set(ERR_INVALID, "it is not of the form scheme://host/path");
	if (has_control(text))
		return err_set(ERR_INVALID, "it has a control character");
	rest += 3;
	authority = strcspn(rest, "/?#\\");
	if (memchr(rest, ' ', authority))
		return err_set(ERR_INVALID, "it has a space in front of its path");
	if (rest[authority] == '\\') /* which some take for '/' */
		return err_set(ERR_INVALID, "it has a backslash");
	at = memrchr(rest, '@', authority);
	rc = take_copy(&u->scheme, text, scheme, 1);
	if (rc == 0 && at) {
		rc = take_userinfo(u, rest, (size_t)(at - rest));
		authority -= (size_t)(at + 1 - rest);
		rest = at + 1;
	}
	if (rc == 0)
		rc = take_host(u, rest, authority, pattern);
	rest += authority;
	return rc < 0 ? rc : take_path(u, rest, strcspn(rest, "#"));
}

int url_parse(struct url *out, const char *text)
{
	int rc;

	memset(out, 0, sizeof(*out));
	rc = parse(out, text, 0);
	if (rc < 0)
		url_release(out);
	return rc;
}

int url_parse_pattern(struct url *out, const char *text)
{
	int rc;

	memset(out, 0, sizeof(*out));
	rc = parse(out, text, 1);
	if (rc < 0)
		url_release(out);
	return rc;
}

void url_release(struct url *u)
{
	free(u->scheme);
	free(u->user);
	if (u->password)
		explicit_bzero(u->password, strlen(u->password));
	free(u->password);
	free(u->host);
	free(u->port);
	free(u->path);
	memset(u, 0, sizeof(*u));
}

int url_same_origin(const struct url *a, const struct url *b)
{
	return strcmp(a->scheme, b->scheme) == 0 && strcmp(a->host, b->host) == 0 &&
	       strcmp(a->port, b->port) == 0;
}

int url_origin(struct buf *out, const struct url *u)
{
	int rc = buf_addf(out, "%s://%s", u->scheme, u->host);

	if (rc == 0 && strcmp(u->port, default_port(u->scheme)) != 0)
		rc = buf_addf(out, ":%s", u->port);
	return rc;
}

int url_format(struct buf *out, const struct url *u)
{
	int rc = url_origin(out, u);

	return rc < 0 ? rc : buf_addstr(out, u->path);
}

int url_encode(struct buf *out, const char *text, int keep_slash)
{
	static const char hex[] = "0123456789ABCDEF";
	int rc = buf_grow(out, strlen(text));

	for (; *text && rc == 0; text++) {
		unsigned char c = (unsigned char)*text;
		char escape[3] = {'%', hex[c >> 4], hex[c & 15]};

		if ((c < 0x80 && isalnum(c)) || strchr("-._~", c) || (c == '/' && keep_slash))
			rc = buf_addch(out, (char)c);
		else
			rc = buf_add(out, escape, sizeof escape);
	}
	return rc;
}
