/*
 * Clean: content on its way from the worktree into Git becomes an object in the store and a pointer
 * in Git.  It is hashed and stored while it arrives; the first STORE_SMALL_MAX bytes are held back,
 * because most files end before that and need no writer of their own.
 */
#include "filter/extend.h"
#include "filter/filter.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/store/pointer.h"

/* Read into `head` until it holds more than `limit` bytes (1) or the input ends (0). */
static int fill(struct source *in, struct buf *head, size_t limit)
{
	const uint8_t *data;
	size_t len;
	int rc;

	while (head->len <= limit) {
		rc = in->next(in, &data, &len);
		if (rc <= 0)
			return rc;
		if ((rc = buf_add(head, data, len)) < 0)
			return rc;
	}
	return 1;
}

/* The worktree file, for a reflink; -1 is fine: `git hash-object --path` has none, and the store
 * compares anyway. */
static int open_worktree_file(const struct filter *f, const char *path)
{
	struct buf full = BUF_INIT;
	int fd = -1;

	if (path && f->git->worktree && buf_addf(&full, "%s/%s", f->git->worktree, path) == 0)
		fd = open(full.p, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	buf_release(&full);
	err_clear();
	return fd;
}

static int store_large(struct filter *f, const char *path, const struct buf *head,
	struct source *in, struct oid *oid, uint64_t *size)
{
	struct store_writer *w = NULL;
	const uint8_t *data;
	size_t len;
	int fd = open_worktree_file(f, path);
	int rc = store_writer_new(&w, f->store, fd);

	if (rc == 0)
		rc = store_writer_add(w, head->p, head->len);
	while (rc == 0) {
		rc = in->next(in, &data, &len);
		if (rc <= 0)
			break;
		rc = store_writer_add(w, data, len);
	}
	if (rc == 0)
		rc = store_writer_finish(w, NULL, oid, size);
	store_writer_free(w);
	if (fd >= 0)
		close(fd);
	return rc;
}

/* With extensions: `out` has what was read so far, and becomes the pointer. */
static int extend_clean_all(struct filter *f, const char *path, struct source *in, struct buf *out)
{
	struct buf head = *out;
	int rc;

	*out = (struct buf)BUF_INIT;
	rc = extend_clean(f, path, &head, in, out);
	buf_release(&head);
	return rc;
}

int clean_content(struct filter *f, const char *path, struct source *in, struct buf *out)
{
	char text[POINTER_CANONICAL_MAX];
	struct pointer already;
	struct oid oid;
	uint64_t size, min;
	int rc;

	buf_reset(out);
	if (forshow_wants_text(&f->forshow, f->config, path))
		return fill(in, out, SIZE_MAX);
	rc = minsize_of(f->minsize, path, &min);
	if (rc == 0)
		rc = fill(in, out, min > STORE_SMALL_MAX ? (size_t)min : STORE_SMALL_MAX);
	if (rc < 0)
		return rc;
	if (rc == 0) {
		if (out->len < min || out->len == 0)
			return 0;
		if (out->len < POINTER_MAX && pointer_parse(&already, out->p, out->len) == 0)
			return 0;
	}
	if (f->extensions.n)
		return extend_clean_all(f, path, in, out);
	size = out->len;
	if (rc == 0 && out->len <= STORE_SMALL_MAX)
		rc = store_put(f->store, out->p, out->len, &oid);
	else
		rc = store_large(f, path, out, in, &oid, &size);
	if (rc < 0)
		return err_prefix(rc, "%s", path ? path : "clean");
	buf_reset(out);
	return buf_add(out, text, pointer_format(text, &oid, size));
}
