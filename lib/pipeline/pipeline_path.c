/*
 * Paths as dvx.yaml writes them (from a stage's working directory, with "." and "..") into paths
 * from the top of the project, which is what everything else compares.  Text only: no file is
 * looked at.
 */
#include "lib/pipeline/pipeline_internal.h"

#include <string.h>

#include "lib/base/err.h"
#include "lib/base/pathmatch.h"

/* Append the components of `path`; ".." takes one of those behind `root` away.  The number of ".."
 * that found nothing to take, or a negative error. */
static int add_components(struct buf *out, size_t root, const char *path)
{
	int outside = 0, rc;

	for (size_t len; *path != '\0'; path += len) {
		path += strspn(path, "/");
		len = strcspn(path, "/");
		if (len == 0 || (len == 1 && path[0] == '.'))
			continue;
		if (len == 2 && path[0] == '.' && path[1] == '.') {
			const char *slash = memrchr(out->p + root, '/', out->len - root);

			if (out->len == root)
				outside++;
			buf_truncate(out, slash != NULL ? (size_t)(slash - out->p) : root);
			continue;
		}
		rc = out->len > root ? buf_addch(out, '/') : 0;
		if (rc == 0)
			rc = buf_add(out, path, len);
		if (rc < 0)
			return rc;
	}
	return outside;
}

/* Append an absolute path without "." and "..", or what follows `top` in it. */
static int add_absolute(struct buf *out, const char *top, const char *path)
{
	size_t start = out->len;
	int rc = buf_addch(out, '/');

	if (rc == 0)
		rc = add_components(out, start + 1, path);
	if (rc < 0)
		return rc;
	if (top != NULL && pathmatch_within(out->p + start, top)) {
		size_t drop = strlen(top), rest = out->len - start - drop;
		const char *below = out->p + start + drop;

		if (rest > 0)
			rest--, below++;
		memmove(out->p + start, below, rest);
		buf_truncate(out, start + rest);
	}
	return 0;
}

/* Append a relative path that leaves the project, as an absolute one. */
static int add_outside(struct buf *out, const char *top, const char *dir, const char *path)
{
	struct buf full = BUF_INIT;
	int rc;

	if (top == NULL)
		return err_set(ERR_INVALID, "'%s' lies outside of the project", path);
	rc = buf_addf(&full, "%s/%s/%s", top, dir, path);
	if (rc == 0)
		rc = add_absolute(out, top, full.p);
	buf_release(&full);
	return rc;
}

int pipeline_path(struct buf *out, const char *top, const char *dir, const char *path)
{
	size_t start = out->len;
	struct buf full = BUF_INIT;
	int rc;

	if (*path == '\0')
		return err_set(ERR_INVALID, "a path is empty");
	if (*path == '/')
		return add_absolute(out, top, path);
	rc = buf_addf(&full, "%s/%s", dir, path);
	if (rc == 0)
		rc = buf_addstr(out, ""); /* never NULL, also for the top itself */
	if (rc == 0)
		rc = add_components(out, start, full.p);
	buf_release(&full);
	if (rc <= 0)
		return rc;
	buf_truncate(out, start);
	return add_outside(out, top, dir, path);
}
