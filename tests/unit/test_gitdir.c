/*
 * Discovery compared with Git's own answers, and the reader of configuration files.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "lib/base/gitvalue.h"
#include "lib/setup/gitconf.h"
#include "lib/setup/gitdir.h"
#include "tests/unit/scratch.h"

static const char *const variables[] = {
	"GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_CEILING_DIRECTORIES"};

/* One line of `git rev-parse <args>` in the current directory and environment; "" when it fails. */
static char *git_says(const char *first, const char *second)
{
	static char lines[8][8192];
	static unsigned next;
	char *line = lines[next++ % 8];
	struct run r = RUN_INIT;
	struct buf out = BUF_INIT;
	int rc;

	strvec_pushl(&r.argv, "git", "rev-parse", "--path-format=absolute", first, second, NULL);
	r.err = RUN_NULL;
	rc = run_capture(&r, NULL, 0, &out);
	buf_rtrim(&out);
	snprintf(line, sizeof lines[0], "%s", rc == 0 ? buf_str(&out) : "");
	run_release(&r);
	buf_release(&out);
	return line;
}

/* Ours is Git's answer, here and now. */
static void assert_as_git(const char *what)
{
	struct gitdir *g = NULL;

	if (!*git_says("--git-dir", NULL)) {
		assert_true(gitdir_discover(&g) < 0);
		return;
	}
	if (gitdir_discover(&g) < 0) {
		fprintf(stderr, "# %s: %s\n", what, err_msg());
		fail();
	}
	assert_string_equal(g->git_dir, git_says("--git-dir", NULL));
	assert_string_equal(g->common_dir, git_says("--git-common-dir", NULL));
	assert_string_equal(g->worktree ? g->worktree : "", git_says("--show-toplevel", NULL));
	assert_string_equal(g->index, git_says("--git-path", "index"));
	if (strcmp(git_says("--is-inside-work-tree", NULL), "true") == 0)
		assert_string_equal(g->prefix, git_says("--show-prefix", NULL));
	else
		assert_null(g->prefix);
	gitdir_free(g);
}

/* In <scratch>/<dir> with these variables ("NAME=value", NULL at the end; '@' stands for the
 * scratch directory). */
static void check(const char *dir, ...)
{
	const char *setting;
	va_list ap;

	assert_int_equal(chdir(scratch_path(dir)), 0);
	va_start(ap, dir);
	while ((setting = va_arg(ap, const char *))) {
		const char *value = strchr(setting, '=') + 1;
		char *name = strndup(setting, (size_t)(value - setting - 1));

		setenv(name, *value == '@' ? scratch_path(value + 2) : value, 1);
		free(name);
	}
	va_end(ap);
	assert_as_git(dir);
	for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
		unsetenv(variables[i]);
	assert_int_equal(chdir(scratch), 0);
}

static int build(void **state)
{
	if (scratch_enter(state) < 0)
		return -1;
	scratch_git(".", "init", "-q", "r", NULL);
	scratch_write("r/sub/deep/f", "1\n");
	scratch_git("r", "add", ".", NULL);
	scratch_git("r", "commit", "-qm", "1", NULL);
	scratch_git("r", "branch", "other", NULL);
	scratch_git("r", "worktree", "add", "-q", "../linked", "other", NULL);
	scratch_git(".", "init", "-q", "--bare", "bare.git", NULL);
	scratch_git(".", "clone", "-q", "--separate-git-dir=apart", "r", "separate", NULL);
	scratch_git(".", "init", "-q", "super", NULL);
	scratch_git("super", "submodule", "--quiet", "add", scratch_path("r"), "module", NULL);
	scratch_git(".", "init", "-q", "moved", NULL);
	scratch_git("moved", "config", "core.worktree", "../../r/sub", NULL);
	scratch_git(".", "init", "-q", "notree", NULL);
	scratch_git("notree", "config", "core.bare", "true", NULL);
	scratch_git(".", "init", "-q", "perworktree", NULL);
	scratch_git("perworktree", "config", "extensions.worktreeConfig", "true", NULL);
	scratch_git("perworktree", "config", "--worktree", "core.worktree", "../../r", NULL);
	return 0;
}

static void test_plain(void **state)
{
	(void)state;
	check("r", NULL);
	check("r/sub/deep", NULL);
	check("r/.git", NULL);
	check("r/.git/objects", NULL);
	check("bare.git", NULL);
	check("bare.git/refs/heads", NULL);
	check(".", NULL); /* in no repository */
}

static void test_elsewhere(void **state)
{
	(void)state;
	check("linked", NULL);
	check("linked/sub", NULL);
	check("r/.git/worktrees/linked", NULL);
	check("separate/sub", NULL);
	check("super/module/sub", NULL);
	check("super/.git/modules/module", NULL);
	check("super", NULL);
}

static void test_core_worktree_and_bare(void **state)
{
	(void)state;
	check("moved", NULL);
	check("moved/.git", NULL);
	check("r/sub/deep", "GIT_DIR=@/moved/.git", NULL);
	check("notree", NULL);
	check("notree", "GIT_WORK_TREE=.", NULL);
	check("perworktree", NULL);
}

static void test_variables(void **state)
{
	(void)state;
	check(".", "GIT_DIR=r/.git", NULL);
	check(".", "GIT_DIR=r/.git", "GIT_WORK_TREE=r", NULL);
	check("r/sub", "GIT_DIR=../.git", "GIT_WORK_TREE=..", NULL);
	check("r/sub", "GIT_WORK_TREE=@/separate", NULL);
	check("linked/sub", "GIT_DIR=@/r/.git/worktrees/linked", "GIT_WORK_TREE=..", NULL);
	check(".", "GIT_DIR=linked/.git", "GIT_WORK_TREE=linked", NULL);
	check(".", "GIT_DIR=nowhere", NULL);
	check("bare.git", "GIT_WORK_TREE=@/r", NULL);
	check(".", "GIT_DIR=super/.git/modules/module", NULL);
	check(".", "GIT_DIR=r/.git/worktrees/linked", "GIT_COMMON_DIR=r/.git", NULL);
	check("r", "GIT_DIR=", NULL);
	check("r", "GIT_WORK_TREE=", NULL);
	check("r/sub", "GIT_INDEX_FILE=@/r/other.index", NULL);
}

static void test_relative_index_is_below_the_top(void **state)
{
	struct gitdir *g;

	(void)state;
	assert_int_equal(chdir(scratch_path("r/sub")), 0);
	setenv("GIT_INDEX_FILE", ".git/next-index-1.lock", 1);
	assert_int_equal(gitdir_discover(&g), 0);
	assert_string_equal(g->index, scratch_path("r/.git/next-index-1.lock"));
	assert_string_equal(g->dvx_dir, scratch_path("r/.git/dvx"));
	gitdir_free(g);
	unsetenv("GIT_INDEX_FILE");
	assert_int_equal(chdir(scratch), 0);
}

static void test_ceilings(void **state)
{
	char list[9000];

	(void)state;
	check("r/sub/deep", "GIT_CEILING_DIRECTORIES=@/r", NULL);
	check("r/sub/deep", "GIT_CEILING_DIRECTORIES=@/r/sub", NULL);
	check("r/sub/deep", "GIT_CEILING_DIRECTORIES=@/r/sub/deep", NULL);
	check("r", "GIT_CEILING_DIRECTORIES=@/r", NULL);
	check("r/sub/deep", "GIT_CEILING_DIRECTORIES=@/r/su", NULL);
	check("r/sub/deep", "GIT_CEILING_DIRECTORIES=r", NULL);
	snprintf(list, sizeof list, "GIT_CEILING_DIRECTORIES=/nonexistent:%s/r/:/x", scratch);
	check("r/sub/deep", list, NULL);
}

static void test_links(void **state)
{
	(void)state;
	assert_int_equal(symlink("r/sub", "shortcut"), 0);
	assert_int_equal(fs_mkdirs("bylink"), 0);
	assert_int_equal(symlink("../r/.git", "bylink/.git"), 0);
	check("shortcut", NULL);
	check("bylink", NULL);
}

static void test_broken(void **state)
{
	struct gitdir *g = NULL;

	(void)state;
	scratch_write("broken/.git", "gitdir: nowhere\n");
	scratch_write("broken2/.git", "something else\n");
	check("broken", NULL);
	check("broken2", NULL);
	assert_int_equal(chdir("broken2"), 0);
	assert_int_equal(gitdir_discover(&g), ERR_INVALID);
	assert_non_null(strstr(err_msg(), "/broken2/.git'"));
	assert_int_equal(chdir(scratch), 0);
	assert_int_equal(gitdir_discover(&g), ERR_NOTFOUND);
	assert_memory_equal(err_msg(), "not a git repository", 20);
	/* a ".git" directory that is none does not stop the search */
	assert_int_equal(fs_mkdirs("r/sub/fake/.git/objects"), 0);
	check("r/sub/fake", NULL);
	assert_int_equal(remove_tree("r/sub/fake"), 0);
	gitdir_free(NULL);
}

static void test_of_path(void **state)
{
	static const struct {
		const char *path, *git_dir;
	} rows[] = {{"r", "r/.git"}, {"r/.git", "r/.git"}, {"bare.git", "bare.git"},
		{"linked", "r/.git"}, {"separate", "apart"},
		{"super/module", "super/.git/modules/module"}};
	char *found = NULL;

	(void)state;
	setenv("GIT_DIR", scratch_path("r/.git"), 1); /* does not count */
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_int_equal(gitdir_of_path(&found, rows[i].path), 0);
		assert_string_equal(found, scratch_path(rows[i].git_dir));
		free(found);
	}
	assert_int_equal(gitdir_of_path(&found, "r/sub"), ERR_NOTFOUND);
	assert_int_equal(gitdir_of_path(&found, "nowhere"), ERR_NOTFOUND);
	unsetenv("GIT_DIR");
}

static int collect(const char *key, const char *value, void *data)
{
	return buf_addf(data, "%s=%s|", key, value);
}

static int parse(struct buf *out, const char *text)
{
	buf_reset(out);
	return gitconf_parse(text, strlen(text), "the file", collect, out);
}

/* What `git config -f` makes of the text, in the same form. */
static int git_parses(struct buf *out, const char *text)
{
	struct run r = RUN_INIT;
	struct buf raw = BUF_INIT;
	int rc;

	strvec_pushl(&r.argv, "git", "config", "-f", "-", "--list", "-z", NULL);
	r.err = RUN_NULL;
	rc = run_capture(&r, text, strlen(text), &raw);
	buf_reset(out);
	for (size_t at = 0; at < raw.len; at += strlen(raw.p + at) + 1) {
		char *nl = strchr(raw.p + at, '\n');

		if (nl)
			buf_addf(out, "%.*s=%s|", (int)(nl - raw.p - (long)at), raw.p + at, nl + 1);
		else
			buf_addf(out, "%s=true|", raw.p + at);
	}
	run_release(&r);
	buf_release(&raw);
	return rc;
}

static void test_configuration_syntax(void **state)
{
	static const char *const good[] = {
		"",
		"# nothing\n; at all\n",
		"[core]\n\tbare = false\n",
		"[Core]\r\nBare = False\r\nWorkTree=/x y/z \r\n",
		"[remote \"Or\\\"i\\\\gin\"] url = a # comment\n\tFetch=+refs/*:refs/*",
		"[a.B]k=v\n",
		"[a]\nflag\nflag2\nflag3\n",
		"[a] k = \"  quoted # ; \" tail  ; c\n k2=a\\tb\\nc\\\\d\\\"e\n",
		"[a]\nk = one \\\n  two\nk=\n",
		"[a]k=\"\"\n[b \"\"]\nx-y=1",
		"k=v\n",
		"[a]\nk=v\\",
		"[ \"b\"]\n[a.]\nk=v",
		"\xef\xbb\xbf[a]k=v\n",
	};
	static const char *const bad[] = {"[a\nk=v", "[]\nk=v", "[a b]\n", "[a \"b]\n", "[a]\n1k=v",
		"[a]\nk y = v\n", "[a]\nk=\"open\n", "[a]\nk=\\q\n", "[a \"b\"x]\n", "[a]\nk_y=v\n",
		"[a]\nflag # c\n"};
	struct buf ours = BUF_INIT, gits = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		assert_int_equal(git_parses(&gits, good[i]), 0);
		assert_int_equal(parse(&ours, good[i]), 0);
		assert_string_equal(buf_str(&ours), buf_str(&gits));
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_not_equal(git_parses(&gits, bad[i]), 0);
		assert_int_equal(parse(&ours, bad[i]), ERR_INVALID);
	}
	assert_int_equal(parse(&ours, "[a]\nk=v\n\n]\n"), ERR_INVALID);
	assert_string_equal(err_msg(), "bad configuration line 4 in 'the file'");
	assert_int_equal(parse(&ours, "[a]\nk = \"open\n"), ERR_INVALID);
	assert_string_equal(err_msg(), "bad configuration line 2 in 'the file'");
	buf_release(&ours);
	buf_release(&gits);
}

static void test_values(void **state)
{
	long long n;

	(void)state;
	assert_int_equal(gitvalue_bool("YES", 0), 1);
	assert_int_equal(gitvalue_bool("on", 0), 1);
	assert_int_equal(gitvalue_bool("2", 0), 1);
	assert_int_equal(gitvalue_bool("0", 1), 0);
	assert_int_equal(gitvalue_bool("", 1), 0);
	assert_int_equal(gitvalue_bool("Off", 1), 0);
	assert_int_equal(gitvalue_bool("maybe", 1), 1);
	assert_int_equal(gitvalue_bool("maybe", 0), 0);
	assert_int_equal(gitvalue_int(&n, "-3"), 0);
	assert_true(n == -3);
	assert_int_equal(gitvalue_int(&n, "2G"), 0);
	assert_true(n == 2LL << 30);
	assert_int_equal(gitvalue_int(&n, "0x10k"), 0);
	assert_true(n == 16384);
	assert_int_equal(gitvalue_int(&n, "1kb"), ERR_INVALID);
	assert_int_equal(gitvalue_int(&n, "9223372036854775807k"), ERR_INVALID);
	assert_int_equal(gitvalue_int(&n, "x"), ERR_INVALID);
}

/* Words as Git LFS reads them in its environment: what is no yes is a no, and empty is unset. */
static void test_lfs_environment(void **state)
{
	static const struct {
		const char *value;
		int off, on; /* what it means where the default is off, and where it is on */
	} cases[] = {
		{NULL, 0, 1},
		{"", 0, 1},
		{"1", 1, 1},
		{"TRUE", 1, 1},
		{"Yes", 1, 1},
		{"on", 1, 1},
		{"t", 1, 1},
		{"0", 0, 0},
		{"false", 0, 0},
		{"No", 0, 0},
		{"f", 0, 0},
		{"OFF", 0, 0},
		{"maybe", 0, 0},
		{"2", 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		if (cases[i].value)
			setenv("GIT_LFS_TEST_SWITCH", cases[i].value, 1);
		else
			unsetenv("GIT_LFS_TEST_SWITCH");
		assert_int_equal(gitvalue_lfs_env("GIT_LFS_TEST_SWITCH", 0), cases[i].off);
		assert_int_equal(gitvalue_lfs_env("GIT_LFS_TEST_SWITCH", 1), cases[i].on);
	}
	unsetenv("GIT_LFS_TEST_SWITCH");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_elsewhere),
		cmocka_unit_test(test_core_worktree_and_bare),
		cmocka_unit_test(test_variables),
		cmocka_unit_test(test_relative_index_is_below_the_top),
		cmocka_unit_test(test_ceilings),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_of_path),
		cmocka_unit_test(test_configuration_syntax),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_lfs_environment),
	};

	return cmocka_run_group_tests(tests, build, scratch_leave);
}
