/*
 * What merges of ours left for a person to deal with: files that have conflict markers, and
 * versions that were put beside a file.  Where nothing was left it costs one look for a file.
 *
 * Versions beside are hidden from `git add -A` by lines in "info/exclude", and go again when the
 * merge is over, unless somebody changed them.
 */
#ifndef LIB_REPO_CONFLICTS_H
#define LIB_REPO_CONFLICTS_H

#include "lib/base/strvec.h"
#include "lib/repo/repo.h"

struct conflicts {
	struct strvec marked; /* files with conflict markers */
	struct strvec beside; /* versions that were put beside a file: "<size> <mtime> <path>" */
};

/* Remember a path (from the top of the worktree). */
int conflicts_note_marked(const struct repo *repo, const char *path);
/* The same for a version, which is there, and hide it from Git. */
int conflicts_note_beside(const struct repo *repo, const char *path);
/* Remove the version that an earlier merge put at this path, unless somebody changed it.  0 also
 * when there is none, or it stays. */
int conflicts_remove_beside(const struct repo *repo, const char *path);
/* What was noted, each once.  0 also when there is nothing. */
int conflicts_read(struct conflicts *out, const struct repo *repo);
void conflicts_release(struct conflicts *c);
/* The path of an entry of `beside`. */
const char *conflicts_beside_path(const char *entry);
/* The markers are dealt with. */
int conflicts_forget_marked(const struct repo *repo, const struct conflicts *c);
/* After any command: where nothing is unmerged any more, remove the versions beside. */
int conflicts_tidy(const struct repo *repo);

#endif
