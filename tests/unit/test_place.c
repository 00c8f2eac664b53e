/*
 * Writing below a worktree: which names are refused, that no link is followed, that a swap replaces
 * exactly what was expected and nothing else, on file systems that can less, and against a writer
 * that races with it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/worktree/place.h"
#include "tests/unit/remove_tree.h"

static char top[256];
static struct place *place;

static const char old_text[] = "version 1\noid abc\n";
static const char new_text[] = "the data itself, which is longer than the pointer";

static int setup(void **state)
{
	(void)state;
	snprintf(top, sizeof top, "%s/dvx-place-XXXXXX",
		getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	return mkdtemp(top) && chdir(top) == 0 && mkdir("wt", 0777) == 0 &&
			       mkdir("wt/d", 0777) == 0 && place_open(&place, "wt", "stage") == 0
		       ? 0
		       : -1;
}

static int teardown(void **state)
{
	(void)state;
	place_close(place);
	place = NULL;
	return chdir("/") == 0 && remove_tree(top) == 0 ? 0 : -1;
}

static void write_file(const char *path, const char *text)
{
	assert_int_equal(fs_replace_file(path, text, strlen(text), 0), 0);
}

static void assert_content(const char *path, const char *text)
{
	struct buf b = BUF_INIT;

	assert_int_equal(buf_read_file(&b, path), 0);
	assert_string_equal(buf_str(&b), text);
	buf_release(&b);
}

static int entries(const char *path)
{
	DIR *dir = opendir(path);
	int n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n - 2;
}

/* Begin, fill, swap. */
static int swap(const char *path, int64_t mtime_ns, struct stat *st)
{
	struct place_file f = PLACE_FILE_INIT;
	int rc = place_begin(place, path, &f);

	if (rc < 0)
		return rc;
	assert_int_equal(fs_write_full(f.fd, new_text, strlen(new_text)), 0);
	rc = place_swap(place, path, &f, old_text, strlen(old_text), mtime_ns, st);
	assert_int_equal(f.fd, -1);
	return rc;
}

static void test_path_ok(void **state)
{
	static const char *const good[] = {"a", "a/b", ".gitignore", ".gitattributes",
		"a/.github/x", "git", "git~2", "a b", "-x", "...", ".git-x", "..a", "a\\b",
		"\xc3\xa9", ".gi\xe2\x80\x90t"};
	static const char *const bad[] = {"", "/a", "a/", "a//b", ".", "..", "a/..", "../a",
		"a/./b", ".git", ".git/x", "a/.git/config", ".GIT", ".Git/x", "git~1", "GIT~1/x",
		".git.", ".git ", ".git . .", "a/.git /x", ".git::$INDEX_ALLOCATION", ".git\\x",
		"a\\.git\\x", "a\\.git", ".g\xe2\x80\x8cit", "\xef\xbb\xbf.git",
		".git\xe2\x81\xaf/x", ".\xe2\x80\xaegit"};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		if (!place_path_ok(good[i]))
			fail_msg("refused: %s", good[i]);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (place_path_ok(bad[i]))
			fail_msg("accepted: %s", bad[i]);
}

static void test_swap(void **state)
{
	struct stat st, now;

	(void)state;
	write_file("wt/d/f", old_text);
	assert_int_equal(chmod("wt/d/f", 0751), 0);
	assert_int_equal(swap("d/f", 1000000000123456789, &st), 0);
	assert_content("wt/d/f", new_text);
	assert_int_equal(lstat("wt/d/f", &now), 0);
	assert_int_equal(now.st_mode & 07777, 0751);
	assert_int_equal(fs_mtime_ns(&now), 1000000000123456789);
	assert_int_equal(st.st_ino, now.st_ino);
	assert_int_equal(fs_ctime_ns(&st), fs_ctime_ns(&now));
	assert_int_equal(entries("stage"), 1); /* the session's lock */
	assert_int_equal(entries("wt/d"), 1);
}

static void test_swap_of_a_closed_file(void **state)
{
	struct place_file f = PLACE_FILE_INIT;
	struct stat st;

	(void)state;
	write_file("wt/f", old_text);
	assert_int_equal(place_begin(place, "f", &f), 0);
	assert_int_equal(fs_write_full(f.fd, "x", 1), 0);
	assert_int_equal(fs_close(&f.fd, "f"), 0);
	assert_int_equal(place_swap(place, "f", &f, old_text, strlen(old_text), -1, &st), 0);
	assert_int_equal(st.st_size, 1);
	assert_content("wt/f", "x");
}

static void assert_swap_fails(const char *path, int code)
{
	struct stat st;

	assert_int_equal(swap(path, -1, &st), code);
	assert_int_equal(entries("stage"), 1);
}

static void test_anything_else_is_left_alone(void **state)
{
	struct stat st;

	(void)state;
	write_file("wt/longer", "version 1\noid abc\n\n");
	write_file("wt/shorter", "version 1\noid abc");
	write_file("wt/other", "version 1\noid abd\n");
	write_file("wt/target", old_text);
	assert_int_equal(symlink("target", "wt/link"), 0);
	assert_int_equal(mkdir("wt/dir", 0777), 0);
	assert_int_equal(mkfifo("wt/fifo", 0666), 0);
	assert_swap_fails("longer", ERR_CHANGED);
	assert_content("wt/longer", "version 1\noid abc\n\n");
	assert_swap_fails("shorter", ERR_CHANGED);
	assert_swap_fails("other", ERR_CHANGED);
	assert_content("wt/other", "version 1\noid abd\n");
	assert_swap_fails("link", ERR_CHANGED);
	assert_int_equal(lstat("wt/link", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_content("wt/target", old_text);
	assert_swap_fails("dir", ERR_CHANGED);
	assert_swap_fails("fifo", ERR_CHANGED);
	assert_swap_fails("absent", ERR_NOTFOUND);
	assert_swap_fails("absent/f", ERR_NOTFOUND);
	assert_swap_fails("target/f", ERR_NOTFOUND);
	assert_swap_fails(".git/config", ERR_DENIED);
	assert_swap_fails("../x", ERR_DENIED);
	assert_int_equal(entries("wt"), 8);
}

static void check_links_on_the_way(void)
{
	struct stat st;

	assert_int_equal(mkdir("outside", 0777), 0);
	write_file("outside/f", old_text);
	assert_int_equal(symlink("../outside", "wt/a"), 0);
	assert_int_equal(symlink("../../outside", "wt/d/b"), 0);
	assert_swap_fails("a/f", ERR_CHANGED);
	assert_swap_fails("d/b/f", ERR_CHANGED);
	assert_content("outside/f", old_text);
	assert_int_equal(entries("outside"), 1);
	assert_int_equal(place_open_read(place, "a/f"), ERR_CHANGED);
	assert_int_equal(place_open_read(place, "a"), ERR_CHANGED);
	assert_int_equal(place_lstat(place, "a/f", &st), ERR_CHANGED);
	assert_int_equal(place_lstat(place, "a", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(place_lstat(place, "d/nothing", &st), ERR_NOTFOUND);
}

static void test_no_link_is_followed(void **state)
{
	(void)state;
	check_links_on_the_way();
}

static void test_the_same_without_openat2(void **state)
{
	struct stat st;
	int fd;

	(void)state;
	place_pretend(place, PLACE_NO_OPENAT2);
	check_links_on_the_way();
	write_file("wt/d/f", old_text);
	assert_int_equal(swap("d/f", -1, &st), 0);
	assert_content("wt/d/f", new_text);
	fd = place_open_read(place, "d/f");
	assert_true(fd >= 0);
	close(fd);
}

/* What happens to the directory between begin and swap: it becomes a link out of the worktree. */
static void test_directory_becomes_a_link(void **state)
{
	struct place_file f = PLACE_FILE_INIT;
	struct stat st;

	(void)state;
	write_file("wt/d/f", old_text);
	assert_int_equal(place_begin(place, "d/f", &f), 0);
	assert_int_equal(rename("wt/d", "moved"), 0);
	assert_int_equal(symlink("../moved", "wt/d"), 0);
	assert_int_equal(
		place_swap(place, "d/f", &f, old_text, strlen(old_text), -1, &st), ERR_CHANGED);
	assert_content("moved/f", old_text);
	assert_int_equal(entries("stage"), 1);
}

static void test_lesser_file_systems(void **state)
{
	static const int lacks[] = {PLACE_NO_EXCHANGE, PLACE_NO_CROSSING, PLACE_NO_STAGING,
		PLACE_NO_EXCHANGE | PLACE_NO_CROSSING, PLACE_NO_EXCHANGE | PLACE_NO_STAGING};
	struct stat st, now;

	(void)state;
	for (size_t i = 0; i < sizeof lacks / sizeof *lacks; i++) {
		place_pretend(place, lacks[i]);
		write_file("wt/d/f", old_text);
		assert_int_equal(chmod("wt/d/f", 0640), 0);
		assert_int_equal(swap("d/f", 1000000000000000005, &st), 0);
		assert_content("wt/d/f", new_text);
		assert_int_equal(lstat("wt/d/f", &now), 0);
		assert_int_equal(now.st_mode & 07777, 0640);
		assert_int_equal(now.st_ino, st.st_ino);
		assert_int_equal(fs_mtime_ns(&st), 1000000000000000005);
		write_file("wt/d/f", "mine");
		assert_swap_fails("d/f", ERR_CHANGED);
		assert_content("wt/d/f", "mine");
		assert_int_equal(entries("wt/d"), 1);
	}
}

static void test_abort(void **state)
{
	struct place_file f = PLACE_FILE_INIT;

	(void)state;
	assert_int_equal(place_begin(place, "d/f", &f), 0);
	place_abort(place, &f);
	place_abort(place, &f);
	assert_int_equal(entries("stage"), 1);
	place_pretend(place, PLACE_NO_STAGING);
	assert_int_equal(place_begin(place, "d/f", &f), 0);
	assert_int_equal(entries("wt/d"), 1);
	place_abort(place, &f);
	assert_int_equal(entries("wt/d"), 0);
}

static void wait_until(int64_t ns)
{
	while (fs_now_ns() < ns)
		;
}

static void *racer(void *data)
{
	wait_until(*(int64_t *)data);
	return rename("users", "wt/f") < 0 ? NULL : data;
}

/* Whenever the user's file comes, before or after the swap, it is what stays. */
static void test_a_racing_writer_wins(void **state)
{
	int seen[2] = {0, 0};

	(void)state;
	for (int64_t i = 0; i < 1500; i++) {
		struct place_file f = PLACE_FILE_INIT;
		int64_t start, when;
		struct stat st;
		pthread_t t;
		void *ok;
		int rc;

		write_file("wt/f", old_text);
		write_file("users", "the user's own");
		assert_int_equal(place_begin(place, "f", &f), 0);
		start = fs_now_ns() + 150000;
		when = start - 20000 + i % 75 * 2000;
		assert_int_equal(pthread_create(&t, NULL, racer, &when), 0);
		wait_until(start);
		rc = place_swap(place, "f", &f, old_text, strlen(old_text), -1, &st);
		assert_int_equal(pthread_join(t, &ok), 0);
		assert_non_null(ok);
		assert_true(rc == 0 || rc == ERR_CHANGED);
		seen[rc == 0]++;
		assert_content("wt/f", "the user's own");
	}
	print_message("# %d swapped before the writer, %d left alone\n", seen[1], seen[0]);
	assert_int_equal(entries("wt"), 2);
}

static void test_sweep(void **state)
{
	struct place_file mine = PLACE_FILE_INIT;
	struct buf name = BUF_INIT;
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(place_sweep("nowhere"), 0);
	write_file("stage/of-somebody-else", "x");
	pid = fork();
	if (pid == 0) {
		struct place *p;
		struct place_file f = PLACE_FILE_INIT;

		if (place_open(&p, "wt", "stage") < 0 || place_begin(p, "a", &f) < 0 ||
			place_begin(p, "b", &f) < 0)
			_exit(1);
		_exit(0); /* as if killed */
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(place_begin(place, "c", &mine), 0);
	assert_int_equal(entries("stage"), 1 + 1 + 3 + 1);
	assert_int_equal(place_sweep("stage"), 0);
	assert_int_equal(entries("stage"), 1 + 1 + 1);
	assert_int_equal(buf_addf(&name, "stage/%s", mine.temp.p), 0);
	assert_true(fs_exists(name.p));
	assert_true(fs_exists("stage/of-somebody-else"));
	place_abort(place, &mine);
	buf_release(&name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_path_ok),
		cmocka_unit_test_setup_teardown(test_swap, setup, teardown),
		cmocka_unit_test_setup_teardown(test_swap_of_a_closed_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_anything_else_is_left_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_link_is_followed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_same_without_openat2, setup, teardown),
		cmocka_unit_test_setup_teardown(test_directory_becomes_a_link, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lesser_file_systems, setup, teardown),
		cmocka_unit_test_setup_teardown(test_abort, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_racing_writer_wins, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sweep, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
