/*
 * Hard links out of the store, for dvx.link = hardlink: the worktree file and the object are one,
 * so the object is made read-only first.  The link changes the object's ctime; its
 * fast-verification record is then not trusted, and the next use hashes it in full.
 */
#include "lib/store/store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/err.h"

int store_link(struct store *s, const struct oid *oid, uint64_t size, int dir_fd, const char *name)
{
	struct buf path = BUF_INIT;
	struct stat st;
	int rc = store_whole_path(s, oid, size, &path);

	if (rc == 0)
		rc = err_set(ERR_UNSUPPORTED, "the object is not stored whole");
	if (rc == 1)
		rc = store_verify(s, oid, size);
	if (rc == 0 && stat(path.p, &st) < 0)
		rc = err_sys("cannot stat '%s'", path.p);
	if (rc == 0 && (st.st_mode & 0222) && chmod(path.p, st.st_mode & 0555) < 0)
		rc = err_sys("cannot make '%s' read-only", path.p);
	if (rc == 0 && linkat(AT_FDCWD, path.p, dir_fd, name, 0) < 0)
		rc = err_sys("cannot link '%s'", path.p);
	buf_release(&path);
	return rc;
}
