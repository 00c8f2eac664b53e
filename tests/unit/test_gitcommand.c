/*
 * What Git was started for (lib/base/gitcommand.h).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/base/gitcommand.h"

/* Of a command line without blanks in its arguments. */
static enum gitcommand of(const char *text)
{
	char line[256];
	size_t len = strlen(text) + 1;

	memcpy(line, text, len);
	for (size_t i = 0; i < len; i++)
		if (line[i] == ' ')
			line[i] = '\0';
	return gitcommand_of(line, len);
}

static void what_shows(void **state)
{
	static const char *const shows[] = {"git diff", "git diff HEAD~1 HEAD -- checkout",
		"/usr/bin/git show", "git -c a=b -C dir --no-pager log -p",
		"/usr/lib/git-core/git-diff-tree -p", "git --git-dir x --work-tree=y diff",
		"git --git-dir=x --work-tree y stash show -p", "git cat-file --textconv a:b",
		"git whatchanged", "git reflog -p", "git grep --textconv x"};

	(void)state;
	for (size_t i = 0; i < sizeof shows / sizeof *shows; i++)
		assert_int_equal(of(shows[i]), GITCOMMAND_SHOWS);
	assert_int_equal(of("git blame x"), GITCOMMAND_BLAMES);
	assert_int_equal(of("git -P annotate x"), GITCOMMAND_BLAMES);
}

static void what_does_not(void **state)
{
	static const char *const others[] = {"git checkout diff", "git difftool -y", "git archive",
		"git stash pop", "git stash", "git stash push -- show",
		"git cat-file --filters a:b", "git cat-file --textconv --filters a:b",
		"git cat-file blob a", "git blame --no-textconv x", "git -c diff", "git", "git -c",
		"git --git-dir", "bash diff", "gitk diff", "legit diff", "git merge diff",
		"git rebase", "sh -c diff", "git-upload-pack diff", ""};

	(void)state;
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		assert_int_equal(of(others[i]), GITCOMMAND_OTHER);
	assert_int_equal(gitcommand_of("git\0diff", 8), GITCOMMAND_OTHER); /* cut */
	assert_int_equal(gitcommand_of("", 0), GITCOMMAND_OTHER);
}

static int merges(const char *text)
{
	char line[200];
	const size_t len = strlen(text) + 1;

	assert_true(len <= sizeof line);
	memcpy(line, text, len);
	for (size_t i = 0; i < len; i++)
		if (line[i] == ' ')
			line[i] = '\0';
	return gitcommand_merges(line, len);
}

static void what_merges(void **state)
{
	(void)state;
	assert_true(merges("git merge x"));
	assert_true(merges("/usr/lib/git-core/git -c a=b rebase main"));
	assert_true(merges("git-merge x"));
	assert_true(merges("git stash pop"));
	assert_false(merges("git merge-tree --write-tree a b"));
	assert_false(merges("git dvx merge-driver"));
	assert_false(merges("sh -c git merge"));
	assert_false(merges("git"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_shows),
		cmocka_unit_test(what_does_not),
		cmocka_unit_test(what_merges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
