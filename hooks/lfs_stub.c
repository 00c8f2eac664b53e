/*
 * Git LFS has worded its stubs in a dozen ways since 2014; they have one shape.  The line that
 * looks for git-lfs holds one message between quotes and an exit, and neither may run anything.
 */
#include "hooks/lfs_stub.h"

#include <stdio.h>
#include <string.h>

/* Is it "command -v git-lfs … || { echo >&2 "…"; exit 2; }"? */
static int is_guard(const char *line, size_t len)
{
	static const char start[] = "command -v git-lfs >/dev/null 2>&1 || { ";
	static const char *const words[] = {"echo >&2 \"", "printf >&2 \""};
	static const char *const ends[] = {"; exit 0; }", "; exit 2; }"};
	const char *p = line + sizeof(start) - 1, *end = line + len;
	int known = 0;

	if (len < sizeof(start) + 24 || strncmp(line, start, sizeof(start) - 1) != 0)
		return 0;
	for (size_t i = 0; i < 2; i++)
		known |= strncmp(p, words[i], strlen(words[i])) == 0;
	for (size_t i = 0; known && i < 2; i++)
		if (memcmp(end - strlen(ends[i]), ends[i], strlen(ends[i])) == 0)
			end -= strlen(ends[i]);
	if (!known || end == line + len || end[-1] != '"')
		return 0;
	for (int quoted = 0; p < end; p++) { /* nothing runs: no second command, no substitution */
		if (*p == '"')
			quoted = !quoted;
		if (strchr("`$\n", *p) != NULL ||
			(!quoted && strchr(";|&(){}<", *p) != NULL && strncmp(p, "&2 ", 3) != 0))
			return 0;
	}
	return 1;
}

static int is_line(const char *line, size_t len, const char *expect)
{
	return len == strlen(expect) && memcmp(line, expect, len) == 0;
}

static int is_call(const char *line, size_t len, const char *name)
{
	char call[80];

	snprintf(call, sizeof(call), "git lfs %s \"$@\"", name);
	if (is_line(line, len, call))
		return 1;
	return strcmp(name, "pre-push") == 0 &&
	       (is_line(line, len, "git lfs push --stdin $*") ||
		       is_line(line, len, "git lfs push --stdin \"$@\""));
}

/* The end of the line at `p`, trailing blanks left out; *next is where the following one begins. */
static size_t line_length(const char *p, const char **next)
{
	size_t len = strcspn(p, "\n"), used = len;

	*next = p + len + (p[len] == '\n');
	while (used > 0 && strchr(" \t\r", p[used - 1]) != NULL)
		used--;
	return used;
}

int lfs_stub_is(const char *text, const char *name)
{
	const char *next;
	size_t len = line_length(text, &next);

	if (!is_line(text, len, "#!/bin/sh"))
		return 0;
	text = next;
	len = line_length(text, &next);
	if (is_guard(text, len)) {
		text = next;
		len = line_length(text, &next);
	}
	return is_call(text, len, name) && next[strspn(next, " \t\r\n")] == '\0';
}
