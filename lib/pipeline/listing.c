/*
 * Listings: what a directory holds as one text, which is itself an object of the local store and
 * whose hash stands for the directory in dvx.lock.  One record a file, sorted by the bytes of the
 * path:
 *
 *   <64 lower-case hex> <f|x|l> <path below the directory>\0
 *
 * They come out of the store and from team mates: everything is checked, paths above all.
 */
#include "lib/pipeline/listing.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/worktree/place.h"

enum { LISTING_PATH_AT = OID_HEX_LEN + 3 };

/* The record at p; its length with the NUL, or 0 when it is none. */
static size_t parse_record(struct listing_file *e, const char *p, size_t left)
{
	const char *end = memchr(p, '\0', left);

	if (end == NULL || end - p <= LISTING_PATH_AT || oid_from_hex(&e->oid, p) < 0 ||
		p[OID_HEX_LEN] != ' ' || p[OID_HEX_LEN + 2] != ' ')
		return 0;
	e->mode = p[OID_HEX_LEN + 1];
	e->path = p + LISTING_PATH_AT;
	if ((e->mode != 'f' && e->mode != 'x' && e->mode != 'l') || !place_path_ok(e->path))
		return 0;
	return (size_t)(end - p) + 1;
}

/* The paths that the present one begins with, each with the one before. */
struct beginnings {
	const char **v;
	size_t n, cap;
};

/* 0 if no file before is a directory of `path`; files like "a-b" may stand between "a" and "a/b".
 */
static int check_directories(struct beginnings *b, const char *path)
{
	while (b->n > 0 && strncmp(path, b->v[b->n - 1], strlen(b->v[b->n - 1])) != 0)
		b->n--;
	for (size_t i = 0; i < b->n; i++)
		if (path[strlen(b->v[i])] == '/')
			return err_set(ERR_CORRUPT,
				"not a listing of a directory: '%s' is a file and a directory",
				b->v[i]);
	if (array_room(&b->v, b->n, &b->cap, sizeof(*b->v)) < 0)
		return ERR_NOMEM;
	b->v[b->n++] = path;
	return 0;
}

int listing_parse(const void *text, size_t len, int (*fn)(const struct listing_file *e, void *data),
	void *data)
{
	const char *p = text, *previous = NULL;
	struct beginnings above = {NULL, 0, 0};
	struct listing_file e;
	int rc = 0;

	for (size_t at = 0; rc == 0 && at < len;) {
		size_t n = parse_record(&e, p + at, len - at);

		if (n == 0 || (previous != NULL && strcmp(previous, e.path) >= 0))
			rc = err_set(ERR_CORRUPT, "not a listing of a directory (byte %zu)", at);
		if (rc == 0)
			rc = check_directories(&above, e.path);
		if (rc == 0)
			rc = fn(&e, data);
		previous = e.path;
		at += n;
	}
	free(above.v);
	return rc;
}

/* The next record of a listing that is read from its start: 1, 0 at the end, ERR_CORRUPT. */
static int next_record(struct listing_file *e, const struct buf *text, size_t *at)
{
	size_t n;

	if (*at >= text->len)
		return 0;
	n = parse_record(e, text->p + *at, text->len - *at);
	if (n == 0)
		return err_set(ERR_CORRUPT, "not a listing of a directory (byte %zu)", *at);
	*at += n;
	return 1;
}

int listing_diff(const struct buf *old, const struct buf *now,
	int (*fn)(char status, const char *path, void *data), void *data)
{
	struct listing_file a, b;
	size_t old_at = 0, now_at = 0;
	int has_a = next_record(&a, old, &old_at), has_b = next_record(&b, now, &now_at);
	int rc = 0;

	while (rc == 0 && has_a >= 0 && has_b >= 0 && (has_a || has_b)) {
		int order = !has_a ? 1 : !has_b ? -1 : strcmp(a.path, b.path);

		if (order < 0)
			rc = fn('D', a.path, data);
		else if (order > 0)
			rc = fn('A', b.path, data);
		else if (a.mode != b.mode || !oid_eq(&a.oid, &b.oid))
			rc = fn('M', a.path, data);
		if (order <= 0)
			has_a = next_record(&a, old, &old_at);
		if (order >= 0)
			has_b = next_record(&b, now, &now_at);
	}
	return rc != 0 ? rc : has_a < 0 ? has_a : has_b < 0 ? has_b : 0;
}
