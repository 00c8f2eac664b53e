/*
 * What all kinds of remote share: choosing the kind, and whole blobs in terms of the operations.
 */
#include "transfer/remote.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"

#include <stdlib.h>

int remote_open(struct remote **out, const struct remote_spec *spec)
{
	*out = NULL;
	if (spec->kind == REMOTE_DIR)
		return remote_dir_open(out, spec->name, spec->path);
	return err_set(ERR_UNSUPPORTED,
		"remote '%s' (%s) is of a kind that this version cannot reach; use a directory or "
		"a local Git repository",
		spec->name, spec->url);
}

void remote_close(struct remote *r)
{
	if (!r)
		return;
	free(r->name);
	free(r->url);
	r->ops->close(r);
}

int remote_put_bytes(
	struct remote *r, enum remote_class c, const struct oid *name, const void *data, size_t len)
{
	struct remote_put *put = NULL;
	int rc = r->ops->put_begin(r, c, &put);

	if (rc < 0)
		return rc;
	rc = fs_write_full(put->fd, data, len);
	if (rc < 0) {
		r->ops->put_abort(put);
		return err_prefix(rc, "cannot write to remote '%s'", r->name);
	}
	return r->ops->put_commit(put, name, len);
}

int remote_get_all(struct remote *r, enum remote_class c, const struct oid *name, uint64_t size,
	uint64_t max, struct buf *out)
{
	ssize_t n;
	int rc;

	if (size > max)
		return err_set(
			ERR_LIMIT, "a blob of %llu bytes is too large", (unsigned long long)size);
	rc = buf_grow(out, (size_t)size);
	if (rc < 0)
		return rc;
	n = r->ops->get(r, c, name, 0, out->p + out->len, (size_t)size);
	if (n < 0)
		return (int)n;
	out->len += (size_t)n;
	out->p[out->len] = '\0';
	return (uint64_t)n == size ? 0 : err_set(ERR_CORRUPT, "shorter than it was listed");
}
