/*
 * Removing and copying trees.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/stat.h>

#include "lib/base/fstree.h"
#include "tests/unit/scratch.h"

static void make_tree(const char *name)
{
	char path[256];

	snprintf(path, sizeof path, "%s/a/b/file", name);
	scratch_write(path, "text");
	snprintf(path, sizeof path, "%s/empty", name);
	scratch_write(path, "");
	snprintf(path, sizeof path, "%s/link", name);
	assert_int_equal(symlink("/etc", scratch_path(path)), 0);
	snprintf(path, sizeof path, "%s/a/b/file", name);
	assert_int_equal(chmod(path, 0555), 0);
	snprintf(path, sizeof path, "%s/a/b", name);
	assert_int_equal(chmod(path, 0555), 0);
}

static void removes_whatever_is_there(void **state)
{
	(void)state;
	make_tree("tree");
	assert_int_equal(fstree_remove("tree"), 0); /* with a directory that is not writable */
	assert_false(fs_exists("tree"));
	assert_int_equal(fstree_remove("tree"), 0);
	assert_int_equal(fstree_remove("no/such/directory"), 0);
	scratch_write("file", "x");
	assert_int_equal(fstree_remove("file/below"), 0);
	assert_int_equal(fstree_remove("file"), 0);
	assert_int_equal(symlink("/etc", "link"), 0);
	assert_int_equal(fstree_remove("link"), 0); /* the link, not what it leads to */
	assert_true(fs_exists("/etc/passwd"));
}

static void copies_with_modes_and_times(void **state)
{
	struct stat a, b;
	struct buf text = BUF_INIT;

	(void)state;
	make_tree("from");
	assert_int_equal(fstree_copy("from", "to"), 0);
	assert_int_equal(buf_read_file(&text, "to/a/b/file"), 0);
	assert_string_equal(text.p, "text");
	assert_int_equal(lstat("from/a/b/file", &a), 0);
	assert_int_equal(lstat("to/a/b/file", &b), 0);
	assert_int_equal(a.st_mode, b.st_mode);
	assert_int_equal(fs_mtime_ns(&a), fs_mtime_ns(&b));
	assert_int_equal(lstat("to/a/b", &b), 0);
	assert_int_equal(b.st_mode & 0777, 0555);
	assert_int_equal(lstat("to/link", &b), 0);
	assert_true(S_ISLNK(b.st_mode));
	assert_true(fs_exists("to/empty"));
	assert_int_equal(fstree_copy("from", "to"), ERR_EXISTS);
	assert_int_equal(fstree_copy("nothing", "other"), ERR_NOTFOUND);
	assert_int_equal(mkfifo("from/pipe", 0666), 0);
	assert_int_equal(fstree_copy("from", "third"), ERR_UNSUPPORTED);
	buf_release(&text);
	assert_int_equal(fstree_remove("from"), 0);
	assert_int_equal(fstree_remove("to"), 0);
	assert_int_equal(fstree_remove("third"), 0);
}

static void depth_costs_memory_only(void **state)
{
	struct buf path = BUF_INIT;

	(void)state;
	assert_int_equal(buf_addstr(&path, "deep"), 0);
	for (int i = 0; i < 500; i++)
		assert_int_equal(buf_addstr(&path, "/d"), 0);
	assert_int_equal(fs_mkdirs(path.p), 0);
	assert_int_equal(fstree_copy("deep", "copy"), 0);
	assert_int_equal(fstree_remove("deep"), 0);
	assert_int_equal(fstree_remove("copy"), 0);
	assert_false(fs_exists("deep") || fs_exists("copy"));
	buf_release(&path);
}

static void finds_a_name_at_any_depth(void **state)
{
	(void)state;
	assert_int_equal(fstree_contains("absent", "x"), 0);
	assert_int_equal(system("mkdir -p found/a/b && >found/file && ln -s a/b found/link"), 0);
	assert_int_equal(fstree_contains("found", ".git"), 0);
	assert_int_equal(fstree_contains("found/file", "file"), 0);
	assert_int_equal(fstree_contains("found", "b"), 1);
	assert_int_equal(system(">found/a/b/.git"), 0);
	assert_int_equal(fstree_contains("found", ".git"), 1);
	assert_int_equal(fstree_contains("found/link", ".git"), 0);
	assert_int_equal(fstree_remove("found"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(removes_whatever_is_there),
		cmocka_unit_test(copies_with_modes_and_times),
		cmocka_unit_test(finds_a_name_at_any_depth),
		cmocka_unit_test(depth_costs_memory_only)};

	return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
