/*
 * Settings for a URL (see urlmatch.h): every key of the section is held against the URL as
 * git-config(1) says, and the best rank so far is remembered.  Both sides are normalised first, so
 * that "HTTPS://Example.com:443/a/%7Eb" and "https://example.com/a/~b" are one.
 */
#include "lib/setup/urlmatch.h"
#include "lib/base/err.h"
#include "lib/base/url.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* How close a pattern is; compared in this order. */
struct rank {
	size_t host, path;
	int user;
};

struct search {
	const char *section, *key;
	struct url url;
	struct buf path; /* of url, normalised */
	int looking;	 /* for the best rank, or (0) at those of that rank */
	int found;
	struct rank best;
	const char *value;
	/* looking == 0 */
	int (*fn)(const char *value, void *data);
	void *data;
};

/* ---- normal form ---- */

/* Drop "/." and "/..": RFC 3986, 5.2.4. */
static void remove_dots(struct buf *path)
{
	char *from = path->p, *to = path->p;

	while (*from) {
		size_t len = strcspn(from + 1, "/") + 1;

		if (len == 3 && from[1] == '.' && from[2] == '.') {
			while (to > path->p && *--to != '/')
				;
		} else if (len != 2 || from[1] != '.') {
			memmove(to, from, len);
			to += len;
			from += len;
			continue;
		}
		from += len;
		if (!*from) /* "/a/.." names the directory "/" */
			*to++ = '/';
	}
	*to = '\0';
	path->len = (size_t)(to - path->p);
}

/* Percent-encoding only where it is needed, its digits in upper case. */
static int add_byte(struct buf *out, const char **at)
{
	const char *p = *at;
	int high = p[0] == '%' ? url_hex_value(p[1]) : -1;
	int low = high >= 0 ? url_hex_value(p[2]) : -1;
	int byte = low >= 0 ? high << 4 | low : (unsigned char)*p;

	*at += low >= 0 ? 3 : 1;
	if (low >= 0 && !isalnum(byte) && (!byte || !strchr("-._~", byte)))
		return buf_addf(out, "%%%02X", (unsigned)byte);
	return buf_addch(out, (char)byte);
}

/* The path without its last slash. */
static int normal_path(struct buf *out, const char *path)
{
	int rc = *path == '/' ? 0 : buf_addch(out, '/');

	while (rc == 0 && *path)
		rc = add_byte(out, &path);
	if (rc < 0)
		return rc;
	remove_dots(out);
	if (out->len && out->p[out->len - 1] == '/')
		buf_truncate(out, out->len - 1);
	return 0;
}

/* ---- one pattern ---- */

/* "*" stands for one label. */
static int host_matches(const char *host, const char *pattern)
{
	while (*host && *pattern) {
		size_t n = strcspn(host, "."), m = strcspn(pattern, ".");

		if (!(m == 1 && *pattern == '*') && (n != m || memcmp(host, pattern, n) != 0))
			return 0;
		host += n;
		pattern += m;
		if (*host != *pattern)
			return 0;
		host += *host == '.';
		pattern += *pattern == '.';
	}
	return *host == *pattern;
}

/* The length that agrees, plus one for the slash; 0: it is no prefix. */
static int path_rank(size_t *out, const struct search *s, const char *pattern)
{
	struct buf path = BUF_INIT;
	int rc = normal_path(&path, pattern);
	const char *whole = buf_str(&s->path);

	*out = 0;
	if (rc == 0 && strncmp(whole, buf_str(&path), path.len) == 0 &&
		(!whole[path.len] || whole[path.len] == '/'))
		*out = path.len + 1;
	buf_release(&path);
	return rc;
}

/* 1 and the rank, 0 if the pattern is not for this URL, negative. */
static int rank_of(struct rank *out, const struct search *s, const char *pattern)
{
	struct url p;
	int rc = url_parse_pattern(&p, pattern);

	memset(out, 0, sizeof(*out));
	if (rc < 0)
		return rc == ERR_INVALID ? 0 : rc; /* "http.proxy.x" is no URL, and no error */
	if (strcmp(p.scheme, s->url.scheme) == 0 && strcmp(p.port, s->url.port) == 0 &&
		host_matches(s->url.host, p.host) &&
		(!p.user || (s->url.user && strcmp(p.user, s->url.user) == 0))) {
		out->host = strlen(p.host);
		out->user = p.user != NULL;
		rc = path_rank(&out->path, s, p.path);
	}
	url_release(&p);
	return rc < 0 ? rc : out->path > 0;
}

static int compare(const struct rank *a, const struct rank *b)
{
	if (a->host != b->host)
		return a->host > b->host ? 1 : -1;
	if (a->path != b->path)
		return a->path > b->path ? 1 : -1;
	return a->user - b->user;
}

/* ---- all of them ---- */

/* "section[.pattern].key": 1 and the pattern (NULL: none; else the caller's to free), 0 if it is
 * another key. */
static int split_key(char **pattern, const struct search *s, const char *key)
{
	size_t section = strlen(s->section);
	const char *last;

	*pattern = NULL;
	if (strncmp(key, s->section, section) != 0 || key[section] != '.')
		return 0;
	last = strrchr(key, '.');
	if (strcmp(last + 1, s->key) != 0)
		return 0;
	if (last == key + section)
		return 1;
	*pattern = strndup(key + section + 1, (size_t)(last - key) - section - 1);
	return *pattern ? 1 : err_set(ERR_NOMEM, "out of memory");
}

static int look_at(const char *key, const char *value, void *data)
{
	struct search *s = data;
	struct rank rank = {0, 0, 0};
	char *pattern;
	int rc = split_key(&pattern, s, key);

	if (rc > 0 && pattern)
		rc = rank_of(&rank, s, pattern);
	free(pattern);
	if (rc <= 0)
		return rc;
	if (!s->looking)
		return compare(&rank, &s->best) == 0 ? s->fn(value, s->data) : 0;
	if (!s->found || compare(&rank, &s->best) >= 0) {
		s->found = 1;
		s->best = rank;
		s->value = value;
	}
	return 0;
}

static int each_setting(const struct config *c, enum urlmatch_from from, struct search *s)
{
	return from == URLMATCH_OWN ? config_each_own(c, look_at, s) : config_each(c, look_at, s);
}

/* Find the best rank.  1, 0 if there is none, negative. */
static int begin(struct search *s, const struct config *c, const char *section, const char *url,
	const char *key, enum urlmatch_from from)
{
	int rc;

	memset(s, 0, sizeof(*s));
	s->section = section;
	s->key = key;
	s->looking = 1;
	rc = url_parse(&s->url, url);
	if (rc == 0)
		rc = normal_path(&s->path, s->url.path);
	if (rc == 0)
		rc = each_setting(c, from, s);
	return rc < 0 ? rc : s->found;
}

static void end(struct search *s)
{
	url_release(&s->url);
	buf_release(&s->path);
}

const char *urlmatch_get(const struct config *c, const char *section, const char *url,
	const char *key, enum urlmatch_from from)
{
	struct search s;
	const char *value = begin(&s, c, section, url, key, from) > 0 ? s.value : NULL;

	end(&s);
	return value;
}

/* Values since the last empty one. */
struct values {
	const char **v;
	size_t n, cap;
};

static int keep(const char *value, void *data)
{
	struct values *all = data;

	if (!*value) {
		all->n = 0;
		return 0;
	}
	if (all->n == all->cap) {
		size_t cap = all->cap ? 2 * all->cap : 8;
		const char **v = realloc(all->v, cap * sizeof(*v));

		if (!v)
			return err_set(ERR_NOMEM, "out of memory");
		all->v = v;
		all->cap = cap;
	}
	all->v[all->n++] = value;
	return 0;
}

int urlmatch_each(const struct config *c, const char *section, const char *url, const char *key,
	enum urlmatch_from from, int (*fn)(const char *value, void *data), void *data)
{
	struct values all = {NULL, 0, 0};
	struct search s;
	int rc = begin(&s, c, section, url, key, from);

	if (rc > 0) {
		s.looking = 0;
		s.fn = keep;
		s.data = &all;
		rc = each_setting(c, from, &s);
	}
	for (size_t i = 0; rc == 0 && i < all.n; i++)
		rc = fn(all.v[i], data);
	free(all.v);
	end(&s);
	return rc == ERR_INVALID && !s.found ? 0 : rc;
}
