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

/* What the attribute dvx-guard asks of pre-commit. */
enum attrs_guard {
	ATTRS_GUARD_NONE = 0,
	ATTRS_GUARD_IMMUTABLE, /* may be added, but neither changed nor deleted */
	ATTRS_GUARD_NEVER      /* must not be committed */
};

struct attrs {
	int ours;	   /* filter=dvx or filter=lfs */
	int lfs;	   /* it is filter=lfs */
	int other;	   /* another filter is set */
	uint64_t min_size; /* dvx-min-size of the path, else dvx.minSize, else 0 */
	enum attrs_guard guard;
};

/* Ask Git about many paths at once (from the top of the worktree); `out` has n elements. */
int attrs_check(const struct repo *repo, const char *const *paths, size_t n, struct attrs *out);
/* The same by the attributes files in the index (what a commit would have). */
int attrs_check_cached(
	const struct repo *repo, const char *const *paths, size_t n, struct attrs *out);

/* Which of many paths have the attribute `lockable`: 1 or 0 each. */
int attrs_lockable(const struct repo *repo, const char *const *paths, size_t n, char *out);
/* The value of one attribute for many paths: out[i] is its text, for the caller to free(), "" where
 * it is unset ("-name") and NULL where nothing is said of it.  On failure nothing is left to free.
 */
int attrs_values(const struct repo *repo, const char *attribute, const char *const *paths, size_t n,
	char **out);

/* ---- the text of a .gitattributes file (see textfile.h); pure ---- */

/* Append the pattern as it must be written: white space as [[:space:]], a leading '#', '!' or '"'
 * behind a backslash. ERR_INVALID for one that attributes don't know: empty, or negated. */
int attrs_quote(struct buf *out, const char *pattern);
/* Append a pattern for just this path ("/dir/na\*me") or, with `all_below`, for all files below it
 * ("/dir/" and two stars): what globs treat specially is escaped. */
int attrs_quote_path(struct buf *out, const char *path, int all_below);
/* Undo attrs_quote, for showing. */
int attrs_unquote(struct buf *out, const char *pattern);

/* Make the quoted pattern ours in the text of a file.  A line that has this pattern and a filter of
 * ours stays; otherwise a line is added at the end, with the line ending that the file uses.
 * `min_size` becomes the line's dvx-min-size ("0": none; NULL: left as it is).  1 if the text
 * changed, 0 if it said so already. */
int attrs_text_track(struct buf *text, const char *quoted, const char *min_size);
/* The same with the attributes that Git LFS writes: filter=lfs and so on. */
int attrs_text_track_lfs(struct buf *text, const char *quoted);
/* Give the line that makes the quoted pattern ours the word `lockable`, or take it away.  1 if the
 * text changed, 0 if it said so already or there is no such line. */
int attrs_text_lockable(struct buf *text, const char *quoted, int lockable);
/* Add the line that takes this quoted pattern out of every filter's hands ("/data/" two stars
 * "/.git*": Git's own files), unless there is one. */
int attrs_text_spare(struct buf *text, const char *quoted);
/* Add a line that gives this quoted pattern an attribute ("merge=dvx"), unless one with the pattern
 * has that word.  1 if the text changed, else 0. */
int attrs_text_give(struct buf *text, const char *quoted, const char *word);
/* 1 if a line of this quoted pattern sets, unsets or resets the attribute, else 0. */
int attrs_text_speaks_of(const struct buf *text, const char *quoted, const char *name);
/* Remove the line of attrs_text_spare.  1 if it was there, else 0. */
int attrs_text_unspare(struct buf *text, const char *quoted);
/* Remove the lines of this quoted pattern whose filter is ours.  1 if any was there, else 0. */
int attrs_text_untrack(struct buf *text, const char *quoted);

/* A line that says something about the filter. */
struct attrs_line {
	const char *pattern;  /* as written */
	int ours;	      /* filter=dvx or filter=lfs; 0: the filter is taken away */
	const char *min_size; /* NULL: none */
	int lockable;
};
/* Each such line (those of other filters left out), until fn returns non-zero. */
int attrs_text_each(
	const struct buf *text, int (*fn)(const struct attrs_line *line, void *data), void *data);

/* ---- the files ---- */

/* Every .gitattributes in the worktree that is tracked or not ignored, paths from the top; then the
 * absolute path of "info/attributes" if that is there. */
int attrs_files(struct strvec *out, const struct repo *repo);

#endif
