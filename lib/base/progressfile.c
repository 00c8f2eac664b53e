/*
 * A line is one write to a file opened for appending: lines of several processes do not mix.  The
 * file is opened anew for each, because its reader may take it away.
 */
#include "lib/base/progressfile.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"

void progressfile_add(
	const char *direction, size_t current, size_t files, uint64_t size, const char *name)
{
	const char *path = getenv("GIT_LFS_PROGRESS");
	struct buf line = BUF_INIT;
	int fd;

	if (path == NULL || *path != '/')
		return;
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (fd >= 0 && buf_addf(&line, "%s %zu/%zu %" PRIu64 "/%" PRIu64 " %s\n", direction,
			       current, files, size, size, name != NULL ? name : "") == 0) {
		for (size_t i = 0; i + 1 < line.len; i++)
			if (line.p[i] == '\n')
				line.p[i] = '?';
		if (fs_write_full(fd, line.p, line.len) < 0)
			err_clear();
	}
	if (fd >= 0)
		close(fd);
	buf_release(&line);
}
