/*
 * Reading and replacing the small text files that the user and we both edit.
 */
#include "lib/repo/textfile.h"

#include <string.h>
#include <sys/stat.h>

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

int textfile_write(const struct buf *text, const struct repo *repo, const char *file)
{
	struct buf path = BUF_INIT;
	int rc;

	if ((rc = fs_join(&path, repo->dir->worktree, file)) == 0)
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
