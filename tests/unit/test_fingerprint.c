/*
 * Fingerprints: what counts as a directory's content, and that a file which changed is seen to have
 * changed, whatever its times say.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "tests/unit/fingerprint_project.h"
#include "lib/pipeline/listing.h"

/* "f a.txt\nl b\n": modes and paths of a directory's listing. */
static int add_line(const struct listing_file *e, void *data)
{
	return buf_addf(data, "%c %s\n", e->mode, e->path);
}

static void assert_listing(const char *path, int glob, const char *expect)
{
	char name[256];
	const struct stage_path sp = {.path = name, .glob = glob};
	struct buf listing = BUF_INIT, text = BUF_INIT;

	snprintf(name, sizeof(name), "%s", path);
	if (fingerprints_listing(p.f, &sp, &listing) < 0)
		fail_msg("%s", err_msg());
	assert_int_equal(listing_parse(buf_str(&listing), listing.len, add_line, &text), 0);
	assert_string_equal(buf_str(&text), expect);
	buf_release(&listing);
	buf_release(&text);
}

/* ---- what counts ---- */

static void test_file(void **state)
{
	struct fingerprint fp;
	struct oid oid;

	(void)state;
	assert_int_equal(of("none").type, FP_ABSENT);
	put("a", "hello\n");
	fp = of("a");
	oid_of(&oid, "hello\n", 6);
	assert_int_equal(fp.type, FP_FILE);
	assert_int_equal(fp.size, 6);
	assert_true(oid_eq(&fp.oid, &oid));
	assert_false(fp.executable);
	assert_int_equal(chmod("a", 0755), 0);
	assert_true(of("a").executable);
	assert_int_equal(of("a/b").type, FP_ABSENT);
}

static void test_directory(void **state)
{
	struct fingerprint fp;

	(void)state;
	put("d/b", "b");
	put("d/a.x", "a");
	put("d/a/z", "z");
	put("d/.git/config", "never");
	put("d/dvx.lock", "never");
	assert_int_equal(symlink("b", "d/link"), 0);
	assert_int_equal(mkfifo("d/pipe", 0600), 0);
	assert_int_equal(chmod("d/b", 0755), 0);
	assert_listing("d", 0, "f a.x\nf a/z\nx b\nl link\n");
	fp = of("d");
	assert_int_equal(fp.type, FP_DIR);
	assert_int_equal(fp.nfiles, 4);
	assert_int_equal(fp.size, 4);
}

/* A name sorts by its bytes, as the whole path does. */
static void test_glob(void **state)
{
	struct stage_path none = {.path = "lib/*.py", .glob = 1};
	struct fingerprint fp;

	(void)state;
	put("src/a.py", "1");
	put("src/x/y/b.py", "2");
	put("src/x/c.txt", "3");
	put("other.py", "4");
	assert_listing("src/**/*.py", 1, "f src/a.py\nf src/x/y/b.py\n");
	assert_listing("*.py", 1, "f other.py\nf src/a.py\nf src/x/y/b.py\n");
	assert_int_equal(fingerprints_of_path(p.f, &none, &fp), 0);
	assert_int_equal(fp.type, FP_ABSENT);
}

/* A pointer stands for what it names, alone and in a directory. */
static void test_pointer(void **state)
{
	struct fingerprint data, ptr, dir;
	char text[POINTER_CANONICAL_MAX];
	struct oid oid;

	(void)state;
	put("d/a", "some data\n");
	data = of("d/a");
	dir = of("d");
	oid_of(&oid, "some data\n", 10);
	pointer_format(text, &oid, 10);
	put("d/a", text);
	ptr = of("d/a");
	assert_true(fingerprint_eq(&data, &ptr));
	assert_int_equal(ptr.size, 10);
	ptr = of("d");
	assert_true(fingerprint_eq(&dir, &ptr));
}

/* ---- what Git would keep ---- */

static void test_ignored(void **state)
{
	(void)state;
	put(".gitignore", "*.pyc\n/data/tmp/\nbuild\n!keep.pyc\n");
	put("data/.gitignore", "*.log\n!important.log\n");
	put("data/a.pyc", "");
	put("data/keep.pyc", "");
	put("data/x.log", "");
	put("data/important.log", "");
	put("data/tmp/x", "");
	put("data/sub/tmp/x", "");
	put("data/build/x", "");
	put("data/build2/deep/y.pyc", "");
	assert_listing("data", 0, "f .gitignore\nf important.log\nf keep.pyc\nf sub/tmp/x\n");
}

/* What Git tracks counts although a rule hides it, alone and in a hidden directory. */
static void test_tracked_though_ignored(void **state)
{
	(void)state;
	put(".gitignore", "*.log\ncache/\n");
	put("data/a.log", "");
	put("data/b.log", "");
	put("data/cache/c", "");
	put("data/cache/sub/d", "");
	put("data/cache-e", "");
	git("add", "-f", "data/a.log", "data/cache/sub/d");
	assert_listing("data", 0, "f a.log\nf cache-e\nf cache/sub/d\n");
}

/* A directory that Git does not see at all is all there. */
static void test_declared_is_ignored(void **state)
{
	(void)state;
	put(".gitignore", "/raw/\n*.log\n");
	put(".dvcignore", "secret*\n");
	put("raw/.gitignore", "*\n");
	put("raw/a.log", "");
	put("raw/sub/b", "");
	put("raw/sub/secret.txt", "");
	assert_listing("raw", 0, "f .gitignore\nf a.log\nf sub/b\n");
	assert_listing("raw/sub", 0, "f b\n");
	assert_listing("raw/**/b", 1, "f raw/sub/b\n");
}

static void test_nested_repository(void **state)
{
	(void)state;
	put("lib/a", "");
	put("lib/nested/b", "");
	git("init", "-q", "lib/nested");
	put("lib/nested/.gitignore", "*.o\n");
	put("lib/nested/c.o", "");
	assert_listing("lib", 0, "f a\nf nested/.gitignore\nf nested/b\n");
}

/* ---- without reading again ---- */

static size_t reads(void)
{
	return fingerprints_hashed(p.f);
}

static void grow_old(void)
{
	usleep(60000);
}

static void test_not_read_twice(void **state)
{
	struct fingerprint was, now;

	(void)state;
	put("d/a", "1");
	put("d/b", "2");
	put("c", "3");
	grow_old();
	was = of("d");
	of("c");
	assert_int_equal(reads(), 3);
	of("d");
	of("c");
	assert_int_equal(reads(), 3);
	reopen();
	now = of("d");
	of("c");
	assert_int_equal(reads(), 0);
	assert_true(fingerprint_eq(&was, &now));
	assert_int_equal(now.size, 2);
	put("d/a", "4"); /* one file: the other is not read */
	grow_old();
	now = of("d");
	assert_false(fingerprint_eq(&was, &now));
	assert_int_equal(reads(), 1);
	put("d/a", "1");
	grow_old();
	now = of("d");
	assert_true(fingerprint_eq(&was, &now));
}

/* Write into the same inode, then set the time back. */
static void overwrite(const char *path, const char *text, const struct stat *times)
{
	const struct timespec t[2] = {times->st_atim, times->st_mtim};
	int fd = open(path, O_WRONLY);

	assert_true(fd >= 0);
	assert_int_equal(fs_pwrite_full(fd, text, strlen(text), 0), 0);
	assert_int_equal(futimens(fd, t), 0);
	close(fd);
}

/* Same size, same inode, same mtime to the nanosecond; at every age of the file. */
static void test_racy(void **state)
{
	struct fingerprint was, now;
	struct stat st;

	(void)state;
	for (int i = 0; i < 30; i++) {
		put("d/f", "old");
		assert_int_equal(stat("d/f", &st), 0);
		usleep((useconds_t)(i * 1500));
		was = of("d/f");
		of("d");
		overwrite("d/f", "new", &st);
		now = of("d/f");
		assert_false(fingerprint_eq(&was, &now));
		was = of("d");
		reopen();
		now = of("d");
		assert_true(fingerprint_eq(&was, &now));
		now = of("d/f");
		overwrite("d/f", "old", &st);
		reopen();
		was = of("d/f");
		assert_false(fingerprint_eq(&was, &now));
	}
}

static void test_moved_and_chmod(void **state)
{
	struct fingerprint a, b, now;
	struct stat st;

	(void)state;
	put("a", "aaa");
	put("b", "bbb");
	assert_int_equal(stat("a", &st), 0);
	overwrite("b", "bbb", &st); /* one time for both */
	grow_old();
	a = of("a");
	b = of("b");
	assert_int_equal(rename("b", "a"), 0);
	now = of("a");
	assert_true(fingerprint_eq(&now, &b));
	assert_false(fingerprint_eq(&now, &a));
	assert_int_equal(chmod("a", 0755), 0);
	assert_true(of("a").executable);
	assert_int_equal(of("b").type, FP_ABSENT);
}

static void test_damaged_table(void **state)
{
	struct fingerprint was, now;
	struct buf table = BUF_INIT;
	const char *path = ".git/dvx/stat-cache";

	(void)state;
	put("a", "1");
	grow_old();
	was = of("a");
	reopen();
	assert_int_equal(buf_read_file(&table, path), 0);
	for (size_t i = 0; i < table.len; i++) {
		fingerprints_close(p.f); /* writes a good one */
		table.p[i] ^= 4;
		assert_int_equal(fs_replace_file(path, table.p, table.len, 0), 0);
		table.p[i] ^= 4;
		assert_int_equal(fingerprints_open(&p.f, &p.r.repo, p.s), 0);
		now = of("a");
		assert_int_equal(reads(), 1);
		assert_true(fingerprint_eq(&was, &now));
	}
	buf_release(&table);
}

/* Git's index knows a clean pointer, but nothing of a file that was written since. */
static void test_index(void **state)
{
	enum { BIG = 100000 };
	struct fingerprint was, now;
	char *text = malloc(BIG + 1);
	char ptr[POINTER_CANONICAL_MAX];
	struct stat st;

	(void)state;
	memset(text, 'x', BIG);
	text[BIG] = '\0';
	put("data", text);
	oid_of(&was.oid, text, BIG);
	pointer_format(ptr, &was.oid, BIG);
	put(".pointer", ptr);
	git("config", "filter.p.clean", "cat .pointer");
	put(".gitattributes", "data filter=p\n");
	sleep(1); /* not racy */
	git("add", "data");
	sleep(1);
	git("add", ".gitattributes");
	now = of("data");
	assert_int_equal(reads(), 0);
	assert_true(oid_eq(&now.oid, &was.oid));
	assert_int_equal(now.size, BIG);
	git("update-index", "--assume-unchanged", "data");
	git("update-index", "--skip-worktree", "data");
	assert_int_equal(stat("data", &st), 0);
	text[7] = 'y';
	overwrite("data", text, &st);
	now = of("data");
	assert_int_equal(reads(), 1);
	assert_false(oid_eq(&now.oid, &was.oid));
	free(text);
}

int main(void)
{
#define CASE(t) cmocka_unit_test_setup_teardown(t, enter, leave)
	const struct CMUnitTest tests[] = {CASE(test_file), CASE(test_directory), CASE(test_glob),
		CASE(test_pointer), CASE(test_ignored), CASE(test_tracked_though_ignored),
		CASE(test_declared_is_ignored), CASE(test_nested_repository),
		CASE(test_not_read_twice), CASE(test_racy), CASE(test_moved_and_chmod),
		CASE(test_damaged_table), CASE(test_index)};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
