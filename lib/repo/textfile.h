/*
 * Files of the worktree that the user edits, too (.gitattributes, .gitignore): read whole, changed
 * by lines, written in one rename.
 */
#ifndef LIB_REPO_TEXTFILE_H
#define LIB_REPO_TEXTFILE_H

#include "lib/base/buf.h"
#include "lib/repo/repo.h"

/* Append the content of "<worktree>/<file>" (absent: nothing).  A symbolic link is refused, as Git
 * refuses it. */
int textfile_read(struct buf *text, const struct repo *repo, const char *file);
/* Replace it. */
int textfile_write(const struct buf *text, const struct repo *repo, const char *file);
/* Append a line, with the line ending of the text's first line. */
int textfile_add_line(struct buf *text, const char *line);

#endif
