/*
 * Configuration: precedence, the allow-list of the tree's files, and when a snapshot is trusted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>

#include "lib/setup/config.h"
#include "lib/setup/intree.h"
#include "lib/setup/snapshot.h"
#include "tests/unit/config_repo.h"

/* Let the sources grow old enough to be trusted, and have a snapshot made. */
static void settle(void)
{
	usleep(30000);
	value_of("x.y");
}

/* Without PATH no git can be started: this value comes from the snapshot, or it is an error. */
static const char *value_without_git(const char *key)
{
	char *path = strdup(getenv("PATH"));
	const char *value;

	setenv("PATH", "", 1);
	value = value_of(key);
	setenv("PATH", path, 1);
	free(path);
	return value;
}

static void assert_trusted(void)
{
	assert_string_equal(value_without_git("core.bare"), "false");
}

static void assert_not_trusted(void)
{
	assert_memory_equal(value_without_git("core.bare"), "error: ", 7);
}

static void test_precedence(void **state)
{
	struct config *c;

	(void)state;
	scratch_write("home/.gitconfig",
		"[dvx]\n\tjobs = 2\n\tlink = copy\n[Dvx-Remote \"One.Two\"]\n\tURL = x\n");
	scratch_git("r", "config", "dvx.jobs", "3", NULL);
	scratch_git("r", "config", "--add", "dvx.flag", "no", NULL);
	scratch_write("r/.dvxconfig", "[dvx]\n\tremote = storage\n\trehydrate = late\n[dvx-remote "
				      "\"storage\"]\n\turl = stores/blob\n");
	scratch_write("r/.lfsconfig", "[lfs]\n\tfetchinclude = data\n");
	assert_int_equal(config_load(&c, repo), 0);
	assert_string_equal(config_get(c, "dvx.jobs"), "3");
	assert_string_equal(config_get(c, "dvx.link"), "copy");
	assert_string_equal(config_get(c, "DVX.Remote"), "storage");
	assert_string_equal(config_get(c, "dvx-remote.storage.url"), "stores/blob");
	assert_string_equal(config_get(c, "dvx-remote.One.Two.url"), "x");
	assert_null(config_get(c, "dvx-remote.one.two.url"));
	assert_null(config_get(c, "dvx"));
	assert_string_equal(config_get(c, "lfs.fetchinclude"), "data");
	assert_null(config_refused(c));
	assert_int_equal(config_bool(c, "dvx.flag", 1), 0);
	assert_int_equal(config_bool(c, "dvx.nosuch", 1), 1);
	assert_true(config_int(c, "dvx.jobs", 9) == 3);
	assert_true(config_int(c, "dvx.link", 9) == 9);
	config_free(c);
	/* the user's word counts more than the tree's */
	scratch_git("r", "config", "dvx.remote", "mine", NULL);
	assert_string_equal(value_of("dvx.remote"), "mine");
	scratch_git("r", "config", "--unset", "dvx.remote", NULL);
	config_free(NULL);
}

static int remember_last(const char *key, const char *value, void *data)
{
	if (strcmp(key, "multi.value") != 0)
		return 0;
	buf_addf(data, "%s,", value);
	return strcmp(value, "stop") == 0 ? 5 : 0;
}

static void test_all_values_in_order(void **state)
{
	struct buf seen = BUF_INIT;
	struct config *c;

	(void)state;
	scratch_write("home/.gitconfig", "[multi]\nvalue = global\nvalue\n");
	scratch_git("r", "config", "--add", "multi.value", "stop", NULL);
	scratch_git("r", "config", "--add", "multi.value", "two\nlines", NULL);
	assert_int_equal(config_load(&c, repo), 0);
	assert_int_equal(config_each(c, remember_last, &seen), 5);
	assert_string_equal(seen.p, "global,true,stop,");
	assert_string_equal(config_get(c, "multi.value"), "two\nlines");
	config_free(c);
	buf_release(&seen);
	assert_string_equal(value_of("multi.value"), "two\nlines");
}

static void test_index_and_head_stand_in(void **state)
{
	(void)state;
	scratch_write("r/.dvxconfig", "[dvx]\n\tremote = head\n\tlink = copy\n");
	scratch_git("r", "add", ".dvxconfig", NULL);
	scratch_git("r", "commit", "-qm", "c", NULL);
	scratch_write("r/.dvxconfig", "[dvx]\n\tremote = index\n");
	scratch_git("r", "add", ".dvxconfig", NULL);
	assert_string_equal(value_of("dvx.remote"), "index");
	assert_int_equal(unlink(scratch_path("r/.dvxconfig")), 0);
	assert_string_equal(value_of("dvx.remote"), "index");
	settle();
	assert_not_trusted(); /* the index is no source that could be watched */
	scratch_git("r", "rm", "-q", "--cached", "-f", ".dvxconfig", NULL);
	assert_string_equal(value_of("dvx.remote"), "head");
	scratch_git("r", "commit", "-qm", "gone", NULL);
	assert_string_equal(value_of("dvx.remote"), "(unset)");
}

static void test_snapshot_needs_no_git(void **state)
{
	struct stat st;

	(void)state;
	/* too young: another write could carry the same time; a busy machine may need some attempts
	 * to be as quick */
	for (int i = 0; i < 50; i++) {
		int64_t start = fs_now_ns();

		scratch_git("r", "config", "dvx.jobs", "7", NULL);
		assert_string_equal(value_of("dvx.jobs"), "7");
		if (fs_now_ns() - start < 20000000) {
			assert_not_trusted();
			break;
		}
	}
	settle();
	assert_trusted();
	assert_string_equal(value_without_git("dvx.jobs"), "7");
	assert_int_equal(stat(scratch_path("r/.git/dvx/config-snapshot"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void test_every_source_is_watched(void **state)
{
	static const struct {
		const char *file, *text;
	} rows[] = {{"home/.gitconfig", "[a]\nb = 1\n"},
		{"home/.config/git/config", "[a]\nb = 2\n"}, {"r/.git/config.worktree", ""},
		{"r/.dvxconfig", "[dvx]\nremote = x\n"}, {"r/.lfsconfig", "[lfs]\nurl = x\n"}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		remove_tree(scratch_path(rows[i].file));
		settle();
		assert_trusted();
		scratch_write(rows[i].file, rows[i].text); /* appears */
		assert_not_trusted();
		settle();
		assert_trusted();
		scratch_write(rows[i].file, rows[i].text); /* replaced by the same text */
		assert_not_trusted();
		settle();
		assert_trusted();
		assert_int_equal(unlink(scratch_path(rows[i].file)), 0);
		assert_not_trusted();
	}
	settle();
	scratch_git("r", "config", "dvx.jobs", "8", NULL);
	assert_not_trusted();
	assert_string_equal(value_of("dvx.jobs"), "8");
}

static void test_same_size_rewritten_in_place_at_once(void **state)
{
	char key[16];

	(void)state;
	/* the classic race: read, then changed in the same tick with equal size and inode */
	for (int i = 0; i < 20; i++) {
		char text[64];
		int fd = open(scratch_path("r/.dvxconfig"), O_WRONLY | O_CREAT | O_TRUNC, 0666);

		snprintf(text, sizeof text, "[dvx]\nremote = v%02d\n", i);
		assert_int_equal(fs_write_full(fd, text, strlen(text)), 0);
		close(fd);
		snprintf(key, sizeof key, "v%02d", i);
		assert_string_equal(value_of("dvx.remote"), key);
	}
	assert_int_equal(unlink(scratch_path("r/.dvxconfig")), 0);
}

static void test_includes_are_watched(void **state)
{
	(void)state;
	scratch_write("home/.gitconfig",
		"[include]\npath = later.inc\n[includeIf \"onbranch:side\"]\npath = ~/side.inc\n");
	settle();
	assert_trusted();
	scratch_write("home/later.inc", "[a]\nb = included\n");
	assert_not_trusted();
	assert_string_equal(value_of("a.b"), "included");
	settle();
	assert_trusted();
	scratch_write("home/side.inc", "[a]\nb = side\n");
	assert_not_trusted();
	settle();
	assert_trusted();
	assert_string_equal(value_of("a.b"), "included");
	scratch_git("r", "symbolic-ref", "HEAD", "refs/heads/side", NULL);
	assert_not_trusted();
	assert_string_equal(value_of("a.b"), "side");
	scratch_git("r", "symbolic-ref", "HEAD", "refs/heads/main", NULL);
	scratch_write("home/.gitconfig", "");
}

static void test_environment(void **state)
{
	(void)state;
	settle();
	assert_trusted();
	setenv("GIT_CONFIG_COUNT", "1", 1);
	setenv("GIT_CONFIG_KEY_0", "dvx.jobs", 1);
	setenv("GIT_CONFIG_VALUE_0", "42", 1);
	assert_not_trusted();
	assert_string_equal(value_of("dvx.jobs"), "42");
	setenv("GIT_CONFIG_COUNT", "0", 1);
	assert_trusted();
	unsetenv("GIT_CONFIG_COUNT");
	setenv("GIT_CONFIG_PARAMETERS", "'dvx.jobs'='43'", 1);
	assert_string_equal(value_of("dvx.jobs"), "43");
	unsetenv("GIT_CONFIG_PARAMETERS");
	assert_trusted(); /* what came from the environment was not kept */
	assert_string_equal(value_of("dvx.jobs"), "8");
	setenv("XDG_CONFIG_HOME", scratch_path("xdg"), 1);
	assert_not_trusted();
	unsetenv("XDG_CONFIG_HOME");
	setenv("GIT_CONFIG_GLOBAL", scratch_path("other"), 1);
	assert_not_trusted();
	scratch_write("other", "[dvx]\nlink = hardlink\n");
	assert_string_equal(value_of("dvx.link"), "hardlink");
	unsetenv("GIT_CONFIG_GLOBAL");
	setenv("GIT_CONFIG", scratch_path("other"), 1); /* only for git-config(1) itself */
	assert_string_equal(value_of("dvx.jobs"), "8");
	unsetenv("GIT_CONFIG");
}

static void test_a_copied_repository_has_no_snapshot(void **state)
{
	struct gitdir *mine = repo, *copy;
	struct run r = RUN_INIT;

	(void)state;
	settle();
	assert_trusted();
	strvec_pushl(&r.argv, "cp", "-Rp", scratch_path("r"), scratch_path("copied"), NULL);
	assert_int_equal(run_capture(&r, NULL, 0, NULL), 0);
	run_release(&r);
	assert_int_equal(chdir(scratch_path("copied")), 0);
	assert_int_equal(gitdir_discover(&copy), 0);
	repo = copy;
	assert_not_trusted();
	repo = mine;
	gitdir_free(copy);
	assert_int_equal(chdir(scratch_path("r")), 0);
}

static void test_damaged_snapshots_are_made_anew(void **state)
{
	struct buf good = BUF_INIT, bad = BUF_INIT;
	const char *path = repo->git_dir;
	char file[4200];

	(void)state;
	snprintf(file, sizeof file, "%s/dvx/config-snapshot", path);
	settle();
	assert_int_equal(buf_read_file(&good, file), 0);
	for (size_t i = 0; i < good.len; i += 1 + i / 16) { /* cut short */
		assert_int_equal(fs_replace_file(file, good.p, i, 0), 0);
		assert_not_trusted();
	}
	for (size_t i = 0; i < good.len; i += 1 + i / 64) { /* NUL bytes where text was */
		struct snapshot_view v;

		if (!good.p[i])
			continue;
		buf_reset(&bad);
		buf_add(&bad, good.p, good.len);
		bad.p[i] = '\0';
		if (snapshot_parse(&v, &bad) == 0)
			fail();
	}
	assert_int_equal(fs_replace_file(file, "git-dvx config snapshot 2", 26, 0), 0);
	assert_not_trusted();
	assert_string_equal(value_of("dvx.jobs"), "8");
	settle();
	assert_trusted();
	buf_release(&good);
	buf_release(&bad);
}

static void test_unwritable_repository(void **state)
{
	(void)state;
	/* a file where the directory should be: works for root as well */
	assert_int_equal(remove_tree(scratch_path("r/.git/dvx")), 0);
	scratch_write("r/.git/dvx", "");
	assert_string_equal(value_of("dvx.jobs"), "8");
	assert_string_equal(value_of("dvx.jobs"), "8");
	assert_int_equal(unlink(scratch_path("r/.git/dvx")), 0);
}

static void test_bad_configuration_is_named(void **state)
{
	struct config *c;

	(void)state;
	scratch_write("home/.gitconfig", "[dvx\n");
	assert_int_equal(config_load(&c, repo), ERR_INVALID);
	assert_non_null(strstr(err_msg(), "git config: bad config line 1 in file "));
	assert_non_null(strstr(err_msg(), "/home/.gitconfig"));
	scratch_write("home/.gitconfig", "[dvx]\nlink = copy\n");
}

static void test_without_a_repository(void **state)
{
	struct config *c;

	(void)state;
	assert_int_equal(config_load_global(&c), 0); /* the current directory is in one */
	assert_string_equal(config_get(c, "dvx.link"), "copy");
	assert_null(config_get(c, "core.bare"));
	assert_null(config_refused(c));
	config_free(c);
}

static void test_repositories_placed_elsewhere(void **state)
{
	static const char *const places[][2] = {
		{"GIT_DIR", "placed/.git"}, {"GIT_WORK_TREE", "tree"}};
	struct gitdir *mine = repo;

	(void)state;
	assert_int_equal(chdir(scratch), 0);
	scratch_git(".", "init", "-q", "placed", NULL);
	scratch_git("placed", "config", "dvx.jobs", "5", NULL);
	scratch_write("tree/.dvxconfig", "[dvx]\nremote = fromtree\n");
	for (size_t i = 0; i < 2; i++)
		setenv(places[i][0], places[i][1], 1);
	assert_int_equal(gitdir_discover(&repo), 0);
	assert_string_equal(value_of("dvx.jobs"), "5");
	assert_string_equal(value_of("dvx.remote"), "fromtree");
	settle();
	assert_trusted();
	gitdir_free(repo);
	unsetenv("GIT_DIR");
	unsetenv("GIT_WORK_TREE");
	/* core.worktree: from there, Git would not find the way back */
	scratch_git("placed", "config", "core.worktree", "../../tree", NULL);
	assert_int_equal(chdir(scratch_path("placed")), 0);
	assert_int_equal(gitdir_discover(&repo), 0);
	assert_string_equal(repo->worktree, scratch_path("tree"));
	assert_string_equal(value_of("dvx.jobs"), "5");
	assert_string_equal(value_of("dvx.remote"), "fromtree");
	gitdir_free(repo);
	repo = mine;
	assert_int_equal(chdir(scratch_path("r")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_precedence),
		cmocka_unit_test(test_all_values_in_order),
		cmocka_unit_test(test_index_and_head_stand_in),
		cmocka_unit_test(test_snapshot_needs_no_git),
		cmocka_unit_test(test_every_source_is_watched),
		cmocka_unit_test(test_same_size_rewritten_in_place_at_once),
		cmocka_unit_test(test_includes_are_watched),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_a_copied_repository_has_no_snapshot),
		cmocka_unit_test(test_damaged_snapshots_are_made_anew),
		cmocka_unit_test(test_unwritable_repository),
		cmocka_unit_test(test_bad_configuration_is_named),
		cmocka_unit_test(test_without_a_repository),
		cmocka_unit_test(test_repositories_placed_elsewhere),
	};

	return cmocka_run_group_tests(tests, build, tear_down);
}
