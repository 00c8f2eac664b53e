/*
 * Objects that may arrive in more than one go: a transfer of a large one that is killed, stopped or
 * cut off leaves what it has in "<lfs>/incomplete/dvx-<oid>", and the next one goes on there.  The
 * bytes are not trusted: whoever goes on hashes them with the rest.  flock says that somebody is at
 * it, so there is one writer at a time, and its death needs no clearing up.
 */
#include "lib/store/store_internal.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/file.h>
#include <unistd.h>

enum { FORGOTTEN_SECONDS = 7 * 24 * 3600 };

static int partial_path(struct store *s, const struct oid *oid, struct buf *path)
{
	struct buf dir = BUF_INIT;
	char hex[OID_HEX_LEN + 1];
	int rc = fs_join(&dir, s->lfs_dir, "incomplete");

	if (rc == 0 && !atomic_exchange(&s->partial_swept, 1))
		whole_sweep(dir.p, FORGOTTEN_SECONDS);
	if (rc == 0)
		rc = store_mkdirs(s, dir.p);
	oid_to_hex(hex, oid);
	if (rc == 0)
		rc = buf_addf(path, "%s/%s%s", dir.p, WHOLE_TEMP_PREFIX, hex);
	buf_release(&dir);
	return rc;
}

/* Ours alone, and still the file of that name: its writer may just have put it in place. */
static int is_ours(int fd, const char *path)
{
	struct stat open_one, named;

	return flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &open_one) == 0 &&
	       lstat(path, &named) == 0 && S_ISREG(named.st_mode) && named.st_nlink == 1 &&
	       open_one.st_dev == named.st_dev && open_one.st_ino == named.st_ino;
}

int partial_open(struct store *s, const struct oid *oid, struct buf *path)
{
	int rc = partial_path(s, oid, path), fd = -1;

	if (rc == 0) {
		fd = open(path->p, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
		rc = fd < 0 ? err_sys("cannot create '%s'", path->p)
			    : store_share_file(s, fd, path->p);
	}
	if (rc == 0 && !is_ours(fd, path->p))
		rc = err_set(ERR_LOCKED, "'%s' is being written", path->p);
	if (rc == 0) {
		futimens(fd, NULL); /* as long as somebody comes back for it, it is not forgotten */
		return fd;
	}
	if (fd >= 0)
		close(fd);
	buf_reset(path);
	return rc;
}
