/*
 * Ignore rules, in words.
 */
#include "commands/ignored.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/repo/git.h"
#include "lib/repo/ignore.h"

enum { RULES_MAX = 16 }; /* that can hide one path, one behind the other */
enum { TOLD_MAX = 3 };	 /* one rule hides many files: the first few tell the story */

static void print_lines(FILE *out, const struct ignore_fix *fix)
{
	size_t i;

	for (i = 0; i < fix->lines.n; i++)
		fprintf(out, "    %s\n", fix->lines.v[i]);
}

static void tell(const char *path, const struct ignore_hit *hit, const struct ignore_fix *fix)
{
	fprintf(stderr,
		"warning: '%s' is hidden by the ignore rule '%s' (%s:%ld); these lines at the end "
		"of "
		"'%s' bring it back (--unignore adds them):\n",
		path, hit->pattern, hit->source, hit->line, fix->file);
	print_lines(stderr, fix);
}

/* Mend what hides the path.  1: something was changed, look again; 0: it could not be mended. */
static int mend(const struct repo *repo, const char *path, const struct ignore_hit *hit,
	const struct ignore_fix *fix)
{
	int rc = ignore_apply(repo, fix, hit, path);

	if (rc == 1) {
		printf("Added to '%s':\n", fix->file);
		print_lines(stdout, fix);
	} else if (rc == 0) {
		fprintf(stderr, "warning: '%s' stays hidden by the ignore rule '%s' (%s:%ld)\n",
			path, hit->pattern, hit->source, hit->line);
	}
	return rc;
}

int ignored_handle(
	const struct repo *repo, const char *path, int is_dir, int unignore, struct strvec *changed)
{
	int rc, again = 0, round;

	for (round = 0; round < RULES_MAX; round++) {
		struct ignore_fix fix = IGNORE_FIX_INIT;
		struct ignore_hit hit = {0};

		rc = ignore_find(&fix, &hit, repo, path, is_dir);
		if (rc == 1 && unignore)
			again = mend(repo, path, &hit, &fix);
		if (rc == 1 && again == 1 && changed && strvec_push(changed, fix.file) < 0)
			again = ERR_NOMEM;
		if (rc == 1 && !unignore)
			tell(path, &hit, &fix);
		ignore_hits_release(&hit, 1);
		ignore_fix_release(&fix);
		if (rc != 1 || !unignore)
			return rc;
		if (again <= 0)
			return again < 0 ? again : 1;
	}
	return 1;
}

int ignored_handle_below(
	const struct repo *repo, const char *dir, int unignore, struct strvec *changed)
{
	struct buf spec = BUF_INIT, out = BUF_INIT;
	char *path;
	size_t pos, len;
	int rc, hidden = 0;

	/* --directory: a hidden directory is one line, not all its files. */
	rc = buf_addf(&spec, ":(top,literal)%s", dir);
	if (rc == 0)
		rc = git_run(repo, NULL, 0, &out, "ls-files", "-z", "-o", "-i", "--directory",
			"--exclude-standard", "--", *dir ? spec.p : ":(top)", (char *)NULL);
	for (pos = 0; rc >= 0 && pos < out.len; pos += len + 1) {
		path = out.p + pos;
		len = strlen(path);
		if (!unignore && hidden == TOLD_MAX) {
			fprintf(stderr, "warning: … and more below '%s'\n", dir);
			break;
		}
		if (len && path[len - 1] == '/') {
			path[len - 1] = '\0';
			rc = ignored_handle(repo, path, 1, unignore, changed);
		} else {
			rc = ignored_handle(repo, path, 0, unignore, changed);
		}
		hidden += rc > 0;
	}
	buf_release(&spec);
	buf_release(&out);
	return rc < 0 ? rc : hidden;
}
