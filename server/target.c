/*
 * From the target of a request to an endpoint of a repository, and back.
 *
 * The path is cut into segments before anything is decoded, hence an encoded slash stays part of
 * its segment, and is refused with everything else that could mean another path to somebody else.
 * The endpoint is known by the last segments; what precedes them is the repository.
 */
#include "server/target.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/strvec.h"
#include "lib/base/url.h"

/* ---- percent-encoding (RFC 3986) ---- */

static int is_control(char c)
{
	return (unsigned char)c < ' ' || c == 0x7f;
}

/* `plus`: '+' is a space, as in a query.  The result holds no control bytes. */
static int decode(char **out, const char *text, size_t len, int plus)
{
	struct buf b = BUF_INIT;
	int rc = buf_grow(&b, len + 1);

	*out = NULL;
	for (size_t i = 0; rc == 0 && i < len; i++) {
		char c = text[i];

		if (c == '%') {
			int high = i + 2 < len ? url_hex_value(text[i + 1]) : -1;
			int low = i + 2 < len ? url_hex_value(text[i + 2]) : -1;

			if (high < 0 || low < 0)
				rc = err_set(ERR_INVALID, "a '%%' that encodes nothing");
			c = (char)(high * 16 + low);
			i += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		}
		if (rc == 0 && is_control(c))
			rc = err_set(ERR_INVALID, "control bytes in the request's target");
		if (rc == 0)
			rc = buf_addch(&b, c);
	}
	if (rc == 0) {
		*out = buf_detach(&b);
		rc = *out ? 0 : err_set(ERR_NOMEM, "out of memory");
	}
	buf_release(&b);
	return rc;
}

/* ---- the path ---- */

static int check_segment(const char *s)
{
	if (*s == '\0')
		return err_set(ERR_INVALID, "an empty segment in the path");
	if (strcmp(s, ".") == 0 || strcmp(s, "..") == 0)
		return err_set(ERR_INVALID, "'%s' in the path", s);
	if (strchr(s, '/') || strchr(s, '\\'))
		return err_set(ERR_INVALID, "a slash within a segment of the path");
	return 0;
}

static int split(struct strvec *segments, const char *path, size_t len)
{
	const char *end = path + len;
	int rc = 0;

	if (len == 0 || *path != '/')
		return err_set(ERR_INVALID, "the request's target is no path");
	if (len == 1)
		return 0;
	while (rc == 0 && path < end) {
		const char *slash = memchr(path + 1, '/', (size_t)(end - path - 1));
		size_t n = (size_t)((slash ? slash : end) - path - 1);
		char *segment = NULL;

		rc = decode(&segment, path + 1, n, 0);
		if (rc == 0)
			rc = check_segment(segment);
		if (rc == 0)
			rc = strvec_push(segments, segment);
		free(segment);
		path += n + 1;
	}
	return rc;
}

/* The endpoints, each before those that are shorter; "*" is any segment. */
static const struct pattern {
	enum endpoint endpoint;
	const char *segments[3];
} patterns[] = {
	{ENDPOINT_UNLOCK, {"locks", "*", "unlock"}},
	{ENDPOINT_VERIFY, {"objects", "*", "verify"}},
	{ENDPOINT_BATCH, {"objects", "batch", NULL}},
	{ENDPOINT_OBJECT, {"objects", "*", NULL}},
	{ENDPOINT_LOCK_VERIFY, {"locks", "verify", NULL}},
	{ENDPOINT_LOCKS, {"locks", NULL, NULL}},
};

/* How many of the last segments the pattern takes; 0: it does not match. */
static size_t match(const struct pattern *p, const struct strvec *s)
{
	size_t n = 0;

	while (n < 3 && p->segments[n])
		n++;
	if (n > s->n)
		return 0;
	for (size_t i = 0; i < n; i++)
		if (strcmp(p->segments[i], "*") != 0 &&
			strcmp(p->segments[i], s->v[s->n - n + i]) != 0)
			return 0;
	return n;
}

static int take_repository(struct target *t, const struct strvec *s, size_t n)
{
	struct buf b = BUF_INIT;
	int rc = buf_grow(&b, 0);

	if (n >= 2 && strcmp(s->v[n - 2], "info") == 0 && strcmp(s->v[n - 1], "lfs") == 0)
		n -= 2;
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = buf_addf(&b, "%s%s", i ? "/" : "", s->v[i]);
	if (rc == 0 && b.len > 4 && strcmp(b.p + b.len - 4, ".git") == 0 &&
		!strchr("/.", b.p[b.len - 5])) /* not "...git": ".." would be left */
		buf_truncate(&b, b.len - 4);
	if (rc == 0 && b.len > TARGET_REPOSITORY_MAX)
		rc = err_set(ERR_LIMIT, "the repository's path is longer than %d bytes",
			TARGET_REPOSITORY_MAX);
	if (rc == 0) {
		t->repository = buf_detach(&b);
		rc = t->repository ? 0 : err_set(ERR_NOMEM, "out of memory");
	}
	buf_release(&b);
	return rc;
}

static int take_endpoint(struct target *t, const struct strvec *s)
{
	const struct pattern *p = NULL;
	const char *middle;
	size_t n = 0;

	for (size_t i = 0; n == 0 && i < sizeof(patterns) / sizeof(*patterns); i++)
		n = match(p = &patterns[i], s);
	if (n == 0)
		return err_set(ERR_NOTFOUND, "no such endpoint");
	t->endpoint = p->endpoint;
	middle = n > 1 ? s->v[s->n - n + 1] : NULL;
	if ((p->endpoint == ENDPOINT_OBJECT || p->endpoint == ENDPOINT_VERIFY) &&
		(strlen(middle) != OID_HEX_LEN || oid_from_hex(&t->oid, middle) < 0))
		return err_set(ERR_NOTFOUND, "'%.80s' is no object id", middle);
	if (p->endpoint == ENDPOINT_UNLOCK && !(t->lock_id = strdup(middle)))
		return err_set(ERR_NOMEM, "out of memory");
	return take_repository(t, s, s->n - n);
}

int target_parse(struct target *out, const char *text)
{
	struct strvec segments = STRVEC_INIT;
	size_t len = strnlen(text, TARGET_MAX + 1), path = strcspn(text, "?");
	int rc;

	memset(out, 0, sizeof(*out));
	if (len > TARGET_MAX)
		return err_set(ERR_LIMIT, "a target of more than %d bytes", TARGET_MAX);
	rc = split(&segments, text, path);
	if (rc == 0)
		rc = take_endpoint(out, &segments);
	if (rc == 0 && text[path] == '?' && !(out->query = strdup(text + path + 1)))
		rc = err_set(ERR_NOMEM, "out of memory");
	strvec_release(&segments);
	if (rc < 0)
		target_release(out);
	return rc;
}

void target_release(struct target *t)
{
	free(t->repository);
	free(t->lock_id);
	free(t->query);
	memset(t, 0, sizeof(*t));
}

int target_query(char **out, const struct target *t, const char *name)
{
	size_t name_len = strlen(name);
	const char *p = t->query;

	*out = NULL;
	while (p && *p) {
		size_t len = strcspn(p, "&");

		if (len > name_len && strncmp(p, name, name_len) == 0 && p[name_len] == '=') {
			int rc = decode(out, p + name_len + 1, len - name_len - 1, 1);

			return rc < 0 ? rc : 1;
		}
		p += len + (p[len] == '&');
	}
	return 0;
}

int target_format(
	struct buf *out, const char *repository, enum endpoint endpoint, const struct oid *oid)
{
	char hex[OID_HEX_LEN + 1];
	int rc = *repository ? buf_addch(out, '/') : 0;

	if (rc == 0)
		rc = url_encode(out, repository, 1);
	if (rc < 0)
		return rc;
	oid_to_hex(hex, oid);
	return buf_addf(
		out, "/info/lfs/objects/%s%s", hex, endpoint == ENDPOINT_VERIFY ? "/verify" : "");
}
