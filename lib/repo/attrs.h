/*
 * Attributes: which files Git routes to us, and editing `.gitattributes` without disturbing what
 * the user wrote there.
 */
#ifndef LIB_REPO_ATTRS_H
#define LIB_REPO_ATTRS_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/strvec.h"
#include "lib/repo/repo.h"

struct attrs {
	int ours;	   /* filter=dvx or filter=lfs */
	int other;	   /* another filter is set */
	uint64_t min_size; /* dvx-min-size of the path, else dvx.minSize, else 0 */
};

/* Ask Git about many paths at once (from the top of the worktree); `out` has n elements. */
int attrs_check(const struct repo *repo, const char *const *paths, size_t n, struct attrs *out);
/* The same by the attributes files in the index (what a commit would have). */
int attrs_check_cached(
	const struct repo *repo, const char *const *paths, size_t n, struct attrs *out);

/* ---- the text of a .gitattributes file; pure ---- */

/* Append the pattern as it must be written: blanks as [[:space:]], a leading '#', '!' or '"'
 * escaped.  ERR_INVALID when it can't be written (empty, newline, negated). */
int attrs_quote(struct buf *out, const char *pattern);
/* Append a path as a pattern that matches just this path: "/dir/na\*me", special characters of
 * globs escaped. */
int attrs_quote_path(struct buf *out, const char *path);
/* Undo attrs_quote, for showing. */
int attrs_unquote(struct buf *out, const char *pattern);

/* Make the quoted pattern ours in the text of a file: a line is added (with the line ending that
 * the file uses) or the line that has this pattern is replaced.  `min_size` NULL: none. 1 if the
 * text changed, 0 if it said so already. */
int attrs_text_track(struct buf *text, const char *quoted, const char *min_size);
/* Remove the lines of this quoted pattern whose filter is ours.  1 if any was there. */
int attrs_text_untrack(struct buf *text, const char *quoted);
/* Each line that has a filter attribute: fn(pattern as written, ours, min-size or NULL). */
int attrs_text_each(const struct buf *text,
	int (*fn)(const char *pattern, int ours, const char *min_size, void *data), void *data);

/* ---- the files ---- */

/* Read "<worktree>/<file>" (absent: empty; a symbolic link is refused), and write it in one rename.
 */
int attrs_file_read(struct buf *text, const struct repo *repo, const char *file);
int attrs_file_write(const struct buf *text, const struct repo *repo, const char *file);
/* Every .gitattributes in the worktree that Git would read, paths from the top, info/attributes
 * last as ".git/info/attributes". */
int attrs_files(struct strvec *out, const struct repo *repo);

#endif
