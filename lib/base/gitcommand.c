/*
 * "git -c a=b --no-pager diff HEAD" and "/usr/lib/git-core/git-diff HEAD" are both `git diff`.
 * Aliases need no thought: Git starts itself again for what they stand for.
 */
#include "lib/base/gitcommand.h"

#include <string.h>

/* What is left of it. */
struct words {
	const char *p, *end;
};

/* The next argument, or NULL. */
static const char *next_word(struct words *w)
{
	const char *word = w->p;
	const char *nul = w->p < w->end ? memchr(w->p, 0, (size_t)(w->end - w->p)) : NULL;

	if (nul == NULL)
		return NULL;
	w->p = nul + 1;
	return word;
}

/* Options of `git` itself that take the next argument as their value. */
static int takes_value(const char *option)
{
	static const char *const options[] = {
		"-c", "-C", "--git-dir", "--work-tree", "--namespace", "--config-env"};

	for (size_t i = 0; i < sizeof options / sizeof *options; i++)
		if (strcmp(option, options[i]) == 0)
			return 1;
	return 0;
}

/* "diff" of "git -c a=b diff" and of "/usr/lib/git-core/git-diff". */
static const char *git_command(struct words *w)
{
	const char *word = next_word(w);
	const char *slash = word != NULL ? strrchr(word, '/') : NULL;

	if (slash != NULL)
		word = slash + 1;
	if (word == NULL || strncmp(word, "git", 3) != 0)
		return NULL;
	if (word[3] == '-')
		return word + 4;
	if (word[3] != '\0')
		return NULL;
	while ((word = next_word(w)) != NULL && *word == '-')
		if (takes_value(word) && next_word(w) == NULL)
			return NULL;
	return word;
}

static int has_word(struct words w, const char *wanted)
{
	const char *word;

	while ((word = next_word(&w)) != NULL)
		if (strcmp(word, wanted) == 0)
			return 1;
	return 0;
}

enum gitcommand gitcommand_of(const char *cmdline, size_t len)
{
	static const char *const showing[] = {"diff", "show", "log", "whatchanged", "grep",
		"diff-tree", "diff-index", "diff-files", "range-diff", "reflog", "format-patch"};
	struct words w = {cmdline, cmdline + len};
	const char *command = git_command(&w), *word;

	if (command == NULL)
		return GITCOMMAND_OTHER;
	for (size_t i = 0; i < sizeof showing / sizeof *showing; i++)
		if (strcmp(command, showing[i]) == 0)
			return GITCOMMAND_SHOWS;
	if (strcmp(command, "blame") == 0 || strcmp(command, "annotate") == 0)
		return has_word(w, "--no-textconv") ? GITCOMMAND_OTHER : GITCOMMAND_BLAMES;
	if (strcmp(command, "stash") == 0) { /* "stash pop" writes files */
		word = next_word(&w);
		return word != NULL && strcmp(word, "show") == 0 ? GITCOMMAND_SHOWS
								 : GITCOMMAND_OTHER;
	}
	if (strcmp(command, "cat-file") == 0 && has_word(w, "--textconv") &&
		!has_word(w, "--filters"))
		return GITCOMMAND_SHOWS;
	return GITCOMMAND_OTHER;
}

int gitcommand_merges(const char *cmdline, size_t len)
{
	static const char *const merging[] = {"merge", "pull", "rebase", "cherry-pick", "revert",
		"stash", "am", "checkout", "switch", "read-tree", "merge-recursive", "merge-ort"};
	struct words w = {cmdline, cmdline + len};
	const char *command = git_command(&w);

	for (size_t i = 0; command != NULL && i < sizeof merging / sizeof *merging; i++)
		if (strcmp(command, merging[i]) == 0)
			return 1;
	return 0;
}
