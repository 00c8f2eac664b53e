/*
 * Telling the user about ignore rules that hide data, and with --unignore mending them.
 */
#ifndef COMMANDS_IGNORED_H
#define COMMANDS_IGNORED_H

#include "lib/base/strvec.h"
#include "lib/repo/repo.h"

/* Is `path` (from the top) hidden?  0: no, or not any more (`unignore`; the lines added are printed
 * on stdout). 1: yes, and the rule and the lines that bring the path back were printed on stderr.
 * Negative: error.  The names of files that were changed are appended to `changed` (may be NULL).
 */
int ignored_handle(const struct repo *repo, const char *path, int is_dir, int unignore,
	struct strvec *changed);

/* The same for what ignore rules hide below the directory `dir`: what is hidden is counted, the
 * first few are told. */
int ignored_handle_below(
	const struct repo *repo, const char *dir, int unignore, struct strvec *changed);

#endif
