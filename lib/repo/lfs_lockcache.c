/*
 * Git LFS's note of locks.  Gob is self-describing and long-winded to read; a lock's path is found
 * by the bytes around it: field 2 of a struct whose field 1 was set (a step of 1), the length,
 * the text, and the step to the owner or to the time.  (gob's documentation: strings are a length,
 * as an unsigned number, and their bytes.)  What looks like it by chance leaves a file writable.
 */
#include "lib/repo/lfs_lockcache.h"

#include <string.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"

enum { FILE_MAX = 16 << 20, STEP = 1, STEP_OVER_ONE = 2, GOB_SMALL = 128 };

int lfs_lockcache_read(struct buf *out, const struct repo *repo)
{
	const char *storage = config_get(repo->config, "lfs.storage");
	struct buf path = BUF_INIT;
	int rc = fs_join(&path, repo->dir->common_dir, storage && *storage ? storage : "lfs");

	out->max = FILE_MAX;
	if (rc == 0)
		rc = buf_addstr(&path, "/lockcache.db");
	if (rc == 0 && buf_read_file(out, path.p) < 0) {
		err_clear();
		buf_reset(out);
	}
	buf_release(&path);
	return rc;
}

/* A length as gob writes it: itself below 128, else the negated count of bytes and these. */
static int add_length(struct buf *out, size_t n)
{
	int rc;

	if (n < GOB_SMALL)
		return buf_addch(out, (char)n);
	rc = buf_addch(out, (char)(n < 256 ? 0xff : 0xfe));
	if (rc == 0 && n >= 256)
		rc = buf_addch(out, (char)(n >> 8));
	return rc < 0 ? rc : buf_addch(out, (char)n);
}

int lfs_lockcache_has(const struct buf *content, const char *path)
{
	size_t len = strlen(path);
	struct buf want = BUF_INIT;
	const char *at = buf_str(content), *end = at + content->len;
	int found = 0;

	if (content->len > 0 && len > 0 && len <= UINT16_MAX && buf_addch(&want, STEP) == 0 &&
		add_length(&want, len) == 0 && buf_add(&want, path, len) == 0)
		while (!found && (at = memmem(at, (size_t)(end - at), want.p, want.len)) != NULL) {
			at += want.len;
			found = at < end && (*at == STEP || *at == STEP_OVER_ONE);
		}
	buf_release(&want);
	return found;
}
