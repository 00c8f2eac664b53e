/*
 * Settling: an edit is found whenever it comes.  The steps of settle_file() are stopped at by
 * standing in for fstat() and futimens(), which it calls between them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/worktree/settle.h"
#include "tests/unit/remove_tree.h"

static char top[256];
static struct place *place;
static int64_t now_second; /* "the index was written in this second" */

static const char text[] = "what Git wrote";
static const char edited[] = "what I wrote !";

/* ---- standing in ---- */

static void (*before_fstat)(void), (*before_futimens)(void);
static int fstats; /* calls to come until before_fstat is called */

int fstat(int fd, struct stat *st)
{
	void (*call)(void) = before_fstat;

	if (call && --fstats == 0) {
		before_fstat = NULL;
		call();
	}
	return fstatat(fd, "", st, AT_EMPTY_PATH);
}

int futimens(int fd, const struct timespec times[2])
{
	void (*call)(void) = before_futimens;

	before_futimens = NULL;
	if (call)
		call();
	return (int)syscall(SYS_utimensat, fd, NULL, times, 0);
}

/* ---- */

static void write_file(const char *path, const char *content)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	assert_true(fd >= 0);
	assert_int_equal(fs_write_full(fd, content, strlen(content)), 0);
	close(fd);
}

static int setup(void **state)
{
	(void)state;
	before_fstat = before_futimens = NULL;
	snprintf(top, sizeof top, "%s/dvx-settle-XXXXXX",
		getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	if (!mkdtemp(top) || chdir(top) < 0 || mkdir("wt", 0777) < 0 ||
		place_open(&place, "wt", "stage") < 0)
		return -1;
	now_second = time(NULL);
	write_file("wt/f", text);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	place_close(place);
	return chdir("/") == 0 && remove_tree(top) == 0 ? 0 : -1;
}

static int settle(const char *path, struct stat *st)
{
	const struct settle_expect e = {.text = text, .len = strlen(text)};

	return settle_file(place, path, now_second, &e, st);
}

static int64_t mtime_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return fs_mtime_ns(&st);
}

static void edit(void)
{
	write_file("wt/f", edited);
}

/* The same content, so that only the times tell. */
static void write_again(void)
{
	write_file("wt/f", text);
}

static void replace(void)
{
	write_file("new", edited);
	assert_int_equal(rename("new", "wt/f"), 0);
}

/* An edit by somebody who sets the old time again.  (The clock of ctime ticks every few ms.) */
static void edit_and_restore_time(void)
{
	struct stat st;
	struct timespec times[2];

	assert_int_equal(lstat("wt/f", &st), 0);
	usleep(20000);
	edit();
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	assert_int_equal(utimensat(AT_FDCWD, "wt/f", times, 0), 0);
}

static void assert_found(void)
{
	struct stat st;

	assert_int_equal(settle("f", &st), ERR_CHANGED);
	assert_true(mtime_of("wt/f") >= now_second * 1000000000); /* still as young as it is */
}

static void test_settled(void **state)
{
	struct stat st, now;

	(void)state;
	assert_int_equal(settle("f", &st), 1);
	assert_int_equal(mtime_of("wt/f"), now_second * 1000000000 - 1);
	assert_int_equal(lstat("wt/f", &now), 0);
	assert_int_equal(fs_mtime_ns(&st), fs_mtime_ns(&now));
	assert_int_equal(fs_ctime_ns(&st), fs_ctime_ns(&now));
	assert_int_equal(st.st_ino, now.st_ino);
	assert_int_equal(st.st_size, strlen(text));
	assert_int_equal(settle("f", &st), 0); /* nothing to do a second time */
}

static void test_by_id(void **state)
{
	struct settle_expect e = {.len = strlen(text)};
	struct stat st;

	(void)state;
	oid_of(&e.oid, text, strlen(text));
	assert_int_equal(settle_file(place, "f", now_second, &e, &st), 1);
	write_again();
	e.oid.id[31] ^= 1;
	assert_int_equal(settle_file(place, "f", now_second, &e, &st), ERR_CHANGED);
}

static void test_old_enough(void **state)
{
	const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = now_second - 1}};
	struct stat st;

	(void)state;
	edit(); /* whatever it holds: not looked at, not touched */
	assert_int_equal(utimensat(AT_FDCWD, "wt/f", times, 0), 0);
	assert_int_equal(settle("f", &st), 0);
	assert_int_equal(mtime_of("wt/f"), (now_second - 1) * 1000000000);
}

static void test_edit_before(void **state)
{
	(void)state;
	edit();
	assert_found();
	write_file("wt/f", "longer than what Git wrote");
	assert_found();
	write_file("wt/f", "");
	assert_found();
	replace();
	assert_found();
}

static void test_edit_just_before_the_time_is_set(void **state)
{
	void (*const how[])(void) = {edit, edit_and_restore_time};

	(void)state;
	for (size_t i = 0; i < sizeof how / sizeof *how; i++) {
		write_again();
		before_futimens = how[i];
		assert_found();
	}
}

/* The name leads to another file than the one that is open. */
static void test_replaced_under_way(void **state)
{
	(void)state;
	for (int at = 1; at <= 3; at++) {
		write_again();
		before_fstat = replace;
		fstats = at;
		assert_found();
		assert_null(before_fstat);
	}
}

/* Between the setting of the time (2: before it is read back, 3: after the content was read). */
static void test_edit_between(void **state)
{
	(void)state;
	for (int at = 2; at <= 3; at++) {
		write_again();
		before_fstat = edit;
		fstats = at;
		assert_found();
		assert_null(before_fstat);
	}
}

static void test_edit_between_with_restored_time(void **state)
{
	(void)state;
	for (int at = 2; at <= 3; at++) {
		write_again();
		before_fstat = edit_and_restore_time;
		fstats = at;
		assert_found();
		assert_null(before_fstat);
	}
}

/* After the last look: Git has to see it by the entry's stat data. */
static void test_edit_after(void **state)
{
	void (*const how[])(void) = {edit, write_again, replace};
	struct stat st, now;

	(void)state;
	for (size_t i = 0; i < sizeof how / sizeof *how; i++) {
		write_again();
		assert_int_equal(settle("f", &st), 1);
		how[i]();
		assert_int_equal(lstat("wt/f", &now), 0);
		assert_true(now.st_mtim.tv_sec != st.st_mtim.tv_sec);
	}
}

static void test_not_regular(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(symlink("f", "wt/link"), 0);
	assert_int_equal(mkdir("wt/dir", 0777), 0);
	assert_int_equal(mkfifo("wt/fifo", 0666), 0);
	assert_int_equal(settle("link", &st), ERR_CHANGED);
	assert_int_equal(settle("dir", &st), ERR_CHANGED);
	assert_int_equal(settle("fifo", &st), ERR_CHANGED);
	assert_int_equal(settle("absent", &st), ERR_NOTFOUND);
	assert_int_equal(settle(".git/f", &st), ERR_DENIED);
	assert_true(mtime_of("wt/f") >= now_second * 1000000000);
}

static void test_too_large_to_look_at(void **state)
{
	static const char big[SETTLE_MAX + 1];
	struct settle_expect e = {.text = big, .len = SETTLE_MAX};
	struct stat st;

	(void)state;
	assert_int_equal(fs_replace_file("wt/big", big, SETTLE_MAX, 0), 0);
	assert_int_equal(settle_file(place, "big", now_second, &e, &st), 1);
	assert_int_equal(fs_replace_file("wt/big", big, SETTLE_MAX + 1, 0), 0);
	e.len++;
	assert_int_equal(settle_file(place, "big", now_second, &e, &st), ERR_CHANGED);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_settled),
		TEST(test_by_id),
		TEST(test_old_enough),
		TEST(test_edit_before),
		TEST(test_edit_just_before_the_time_is_set),
		TEST(test_replaced_under_way),
		TEST(test_edit_between),
		TEST(test_edit_between_with_restored_time),
		TEST(test_edit_after),
		TEST(test_not_regular),
		TEST(test_too_large_to_look_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
