/*
 * Reading, changing and writing a file of stages under a lock of ours.
 */
#include "commands/stagefile.h"

#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/lockfile.h"
#include "lib/repo/source.h"
#include "lib/repo/textfile.h"

int stagefile_change(const struct repo *repo, const char *file,
	int (*fn)(struct buf *text, void *data), void *data)
{
	struct buf lock = BUF_INIT, text = BUF_INIT;
	int fd = -1, rc = buf_addf(&lock, "%s/dvx/stages.lock", repo->dir->git_dir), written;

	if (rc == 0)
		rc = fd = flock_take_mkdirs(lock.p, -1);
	if (rc >= 0)
		rc = textfile_read(&text, repo, file);
	if (rc == 0)
		rc = fn(&text, data);
	if (rc == 1) {
		written = textfile_write(&text, repo, file);
		if (written == 0)
			written = source_remember(repo, file);
		rc = written < 0 ? written : rc;
	}
	if (fd >= 0)
		close(fd);
	buf_release(&lock);
	buf_release(&text);
	return rc;
}
