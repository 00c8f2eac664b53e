/*
 * Putting outputs back: whatever file is in the way is replaced in one step, with the modes of a
 * new file; no directory is lost, no link is followed; on file systems that can less, too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <sys/stat.h>

#include "lib/base/err.h"
#include "lib/worktree/place.h"
#include "tests/unit/scratch.h"

static struct place *place;
static int lacks;

static int enter(void **state)
{
	(void)state;
	if (fs_mkdirs(scratch_path("wt/d")) < 0 || fs_mkdirs(scratch_path("outside")) < 0)
		return -1;
	return place_open(&place, scratch_path("wt"), scratch_path("stage"));
}

static int leave(void **state)
{
	(void)state;
	place_close(place);
	return remove_tree(scratch_path("wt")) || remove_tree(scratch_path("stage")) ||
	       remove_tree(scratch_path("outside"));
}

static int put(const char *path, const char *text, int executable)
{
	struct place_file f = PLACE_FILE_INIT;
	struct stat st;
	int rc;

	place_pretend(place, lacks);
	rc = place_begin(place, path, &f);
	if (rc < 0)
		return rc;
	assert_int_equal(fs_write_full(f.fd, text, strlen(text)), 0);
	return place_put(place, path, &f, executable, &st);
}

static void assert_content(const char *name, const char *text)
{
	struct buf b = BUF_INIT;

	assert_int_equal(buf_read_file(&b, scratch_path(name)), 0);
	assert_string_equal(buf_str(&b), text);
	buf_release(&b);
}

/* Names in a directory: no temporary file may be left. */
static int entries(const char *name)
{
	DIR *dir = opendir(scratch_path(name));
	int n = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n - 2;
}

static void test_put(void **state)
{
	struct stat st;
	mode_t mask = umask(027);

	(void)state;
	for (int i = 0; i < 3; i++) {
		lacks = i == 1 ? PLACE_NO_CROSSING : i == 2 ? PLACE_NO_STAGING : 0;
		assert_int_equal(put("d/new", "one", 0), 0);
		assert_content("wt/d/new", "one");
		assert_int_equal(put("d/new", "two", 1), 0);
		assert_content("wt/d/new", "two");
		assert_int_equal(stat(scratch_path("wt/d/new"), &st), 0);
		assert_int_equal(st.st_mode & 0777, 0750);
		assert_int_equal(put("d/new", "three", 0), 0);
		assert_int_equal(stat(scratch_path("wt/d/new"), &st), 0);
		assert_int_equal(st.st_mode & 0777, 0640);
		assert_int_equal(entries("wt/d"), 1);
		assert_int_equal(entries("stage"), 1); /* the session's lock */
	}
	lacks = 0;
	umask(mask);
}

static void test_in_the_way(void **state)
{
	(void)state;
	assert_int_equal(fs_mkdirs(scratch_path("wt/d/full/x")), 0);
	assert_int_equal(put("d/full", "text", 0), ERR_CHANGED);
	assert_int_equal(put("none/f", "text", 0), ERR_NOTFOUND);
	assert_int_equal(put("d/.git/f", "text", 0), ERR_DENIED);
	assert_int_equal(put("../outside/f", "text", 0), ERR_DENIED);
	assert_int_equal(entries("wt/d"), 1);
	assert_int_equal(entries("stage"), 1);
}

/* A link at the end is replaced; one on the way stops everything. */
static void test_links(void **state)
{
	struct stat st;

	(void)state;
	scratch_write("outside/f", "outside");
	assert_int_equal(symlink("../../outside/f", scratch_path("wt/d/l")), 0);
	assert_int_equal(put("d/l", "text", 0), 0);
	assert_content("outside/f", "outside");
	assert_content("wt/d/l", "text");
	assert_int_equal(symlink("../outside", scratch_path("wt/away")), 0);
	assert_int_equal(put("away/f", "text", 0), ERR_CHANGED);
	assert_int_equal(place_remove(place, "away/f"), ERR_CHANGED);
	assert_int_equal(place_parents(place, "away/sub/f"), ERR_CHANGED);
	assert_int_equal(place_put_link(place, "away/l", "x", &st), ERR_CHANGED);
	assert_content("outside/f", "outside");
	assert_int_equal(entries("outside"), 1);
	assert_int_equal(place_put_link(place, "d/l", "a target", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(place_put_link(place, "d/l", "another", &st), 0);
	assert_int_equal(st.st_size, 7);
	assert_int_equal(entries("wt/d"), 1);
}

static void test_parents_and_remove(void **state)
{
	(void)state;
	assert_int_equal(place_parents(place, "a/b/c/f"), 0);
	assert_int_equal(place_parents(place, "a/b/c/f"), 0);
	assert_int_equal(place_parents(place, "f"), 0);
	assert_int_equal(put("a/b/c/f", "text", 0), 0);
	assert_int_equal(place_parents(place, "a/b/c/f/g"), ERR_CHANGED);
	assert_int_equal(place_remove(place, "a/b/c"), ERR_CHANGED);
	assert_int_equal(place_remove(place, "a/b/c/f"), 0);
	assert_int_equal(place_remove(place, "a/b/c/f"), 0);
	assert_int_equal(place_remove(place, "a/b/c"), 0);
	assert_int_equal(place_remove(place, "x/y/z"), 0);
	assert_int_equal(entries("wt/a/b"), 0);
}

int main(void)
{
#define CASE(t) cmocka_unit_test_setup_teardown(t, enter, leave)
	const struct CMUnitTest tests[] = {CASE(test_put), CASE(test_in_the_way), CASE(test_links),
		CASE(test_parents_and_remove)};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
