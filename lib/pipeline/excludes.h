/*
 * Ignore rules as Git defines them (gitignore(5)), for `.gitignore` and `.dvcignore`: read once a
 * directory, asked for each file, without a child process.
 *
 * Patterns are matched by pathmatch_glob(); core.ignoreCase and POSIX classes ("[[:alpha:]]") are
 * not known.
 */
#ifndef LIB_PIPELINE_EXCLUDES_H
#define LIB_PIPELINE_EXCLUDES_H

#include <stddef.h>

/* The rules of one file, which win over those of `parent`. */
struct excludes;

/* Parse the text of the file that lies in `dir` ("" or "a/b": its patterns are about paths below
 * it).  `parent` (may be NULL) is borrowed.  0 or ERR_NOMEM. */
int excludes_new(struct excludes **out, const struct excludes *parent, const char *dir,
	const void *text, size_t len);
/* Not its parent. */
void excludes_free(struct excludes *e);

/* 1 if the last rule about `path` (from where `dir` counts, too) hides it; 0: it does not, or there
 * is no such rule.  That a directory above it is hidden is for the caller to know.  NULL: no
 * rules. */
int excludes_hide(const struct excludes *e, const char *path, int is_dir);

#endif
