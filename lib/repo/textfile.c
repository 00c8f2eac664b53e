/*
 * Reading and replacing the small text files that the user and we both edit.
 */
#include "lib/repo/textfile.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"

int textfile_read(struct buf *text, const struct repo *repo, const char *file)
{
	struct buf path = BUF_INIT;
	struct stat st;
	int rc;

	if ((rc = fs_join(&path, repo->dir->worktree, file)) < 0)
		goto done;
	if (lstat(path.p, &st) == 0 && !S_ISREG(st.st_mode)) {
		rc = err_set(ERR_DENIED, "'%s' is not a regular file; Git does not read it, either",
			file);
		goto done;
	}
	rc = buf_read_file(text, path.p);
	if (rc == ERR_NOTFOUND)
		rc = buf_add(text, "", 0);
done:
	buf_release(&path);
	return rc;
}

enum { ELSEWHERE = 1 }; /* Git's directory is on another file system */

/* The temporary file is made in Git's directory: left behind by a kill, it is not in anybody's way.
 */
static int replace_from(const char *dir, const char *path, const struct buf *text)
{
	struct buf prefix = BUF_INIT, temp = BUF_INIT;
	int rc = buf_addf(&prefix, "%s/text-", dir), fd = -1;

	if (rc == 0)
		rc = fd = fs_tempfile(&temp, prefix.p);
	if (rc < 0)
		goto done;
	rc = fs_write_full(fd, buf_str(text), text->len);
	if (rc == 0)
		rc = fs_close(&fd, path);
	if (rc == 0 && rename(temp.p, path) < 0)
		rc = errno == EXDEV ? ELSEWHERE : err_sys("cannot rename to '%s'", path);
	if (rc != 0)
		unlink(temp.p);
done:
	if (fd >= 0)
		close(fd);
	buf_release(&prefix);
	buf_release(&temp);
	return rc;
}

int textfile_write(const struct buf *text, const struct repo *repo, const char *file)
{
	struct buf path = BUF_INIT;
	int rc = fs_join(&path, repo->dir->worktree, file);

	if (rc == 0)
		rc = replace_from(repo->dir->git_dir, path.p, text);
	if (rc == ELSEWHERE)
		rc = fs_replace_file(path.p, buf_str(text), text->len, 0);
	buf_release(&path);
	return rc;
}

static const char *line_ending(const struct buf *text)
{
	const char *nl = text->len ? memchr(text->p, '\n', text->len) : NULL;

	return nl && nl > text->p && nl[-1] == '\r' ? "\r\n" : "\n";
}

int textfile_add_line(struct buf *text, const char *line)
{
	const char *eol = line_ending(text);
	int rc = 0;

	if (text->len && text->p[text->len - 1] != '\n')
		rc = buf_addstr(text, eol);
	if (rc == 0)
		rc = buf_addstr(text, line);
	return rc == 0 ? buf_addstr(text, eol) : rc;
}
