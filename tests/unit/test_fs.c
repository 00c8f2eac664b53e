/*
 * Files: full reads and writes, directories, replacement, copies, removal.
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
#include <pthread.h>

#include "tests/unit/scratch.h"

static int open_file(const char *name, int flags)
{
	int fd = open(scratch_path(name), flags | O_CLOEXEC, 0666);

	assert_true(fd >= 0);
	return fd;
}

static void assert_content(const char *name, const char *expected)
{
	struct buf b = BUF_INIT;

	assert_int_equal(buf_read_file(&b, scratch_path(name)), 0);
	assert_string_equal(b.p, expected);
	buf_release(&b);
}

static void *write_late(void *arg)
{
	int fd = *(int *)arg;

	usleep(20000);
	assert_int_equal(write(fd, "def", 3), 3);
	close(fd);
	return NULL;
}

static void test_full_read_from_a_pipe(void **state)
{
	char data[10];
	int ends[2];
	pthread_t id;

	(void)state;
	/* two writes, and a descriptor that somebody made non-blocking */
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(write(ends[1], "abc", 3), 3);
	assert_int_equal(pthread_create(&id, NULL, write_late, &ends[1]), 0);
	assert_int_equal(fs_read_full(ends[0], data, sizeof data), 6);
	pthread_join(id, NULL);
	assert_memory_equal(data, "abcdef", 6);
	close(ends[0]);
}

static void *read_all(void *arg)
{
	static char sink[1 << 20];

	usleep(20000);
	return fs_read_full(*(int *)arg, sink, sizeof sink) == sizeof sink ? NULL : arg;
}

static void test_full_write_to_a_slow_pipe(void **state)
{
	static char data[1 << 20];
	void *result = NULL;
	int ends[2];
	pthread_t id;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(pthread_create(&id, NULL, read_all, &ends[0]), 0);
	assert_int_equal(fs_write_full(ends[1], data, sizeof data), 0);
	close(ends[1]);
	pthread_join(id, &result);
	assert_null(result);
	close(ends[0]);
}

static void test_positioned(void **state)
{
	int fd = open_file("positioned", O_RDWR | O_CREAT);
	char data[8] = "";

	(void)state;
	assert_int_equal(fs_pwrite_full(fd, "xyz", 3, 4), 0);
	assert_int_equal(fs_pread_full(fd, data, 8, 5), 2);
	assert_memory_equal(data, "yz", 2);
	assert_int_equal(fs_pread_full(fd, data, 8, 100), 0);
	assert_int_equal(fs_close(&fd, "positioned"), 0);
	assert_int_equal(fd, -1);
	assert_int_equal(fs_close(&fd, "positioned"), 0);
}

static void test_write_errors_are_told(void **state)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	if (fd < 0)
		skip();
	assert_int_equal(fs_write_full(fd, "x", 1), ERR_IO);
	assert_non_null(strstr(err_msg(), "No space"));
	close(fd);
}

static void test_mkdirs(void **state)
{
	(void)state;
	assert_int_equal(fs_mkdirs(scratch_path("a/b//c/")), 0);
	assert_int_equal(fs_mkdirs(scratch_path("a/b/c")), 0);
	assert_int_equal(fs_mkdirs("a/b/d"), 0);
	assert_true(fs_exists("a/b/d"));
	assert_int_equal(fs_mkdirs_parent("p/q/file"), 0);
	assert_true(fs_exists("p/q"));
	assert_false(fs_exists("p/q/file"));
	assert_int_equal(fs_mkdirs_parent("file"), 0);
	scratch_write("plain", "");
	assert_true(fs_mkdirs("plain") < 0);
	assert_true(fs_mkdirs("plain/below") < 0);
	assert_int_equal(fs_mkdirs(""), ERR_INVALID);
	assert_int_equal(fs_mkdirs("/"), 0);
	assert_int_equal(symlink("a", "link"), 0);
	assert_int_equal(fs_mkdirs("link"), 0);
	assert_int_equal(fs_mkdirs("link/new"), 0);
	assert_true(fs_exists("a/new"));
}

static void test_tempfile(void **state)
{
	struct buf one = BUF_INIT, two = BUF_INIT;
	mode_t mask = umask(027);
	struct stat st;
	int a = fs_tempfile(&one, "temp-"), b = fs_tempfile(&two, "temp-");

	(void)state;
	umask(mask);
	assert_true(a >= 0 && b >= 0);
	assert_string_not_equal(one.p, two.p);
	assert_memory_equal(one.p, "temp-", 5);
	assert_int_equal(fstat(a, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(fcntl(a, F_GETFD), FD_CLOEXEC);
	close(a);
	close(b);
	assert_int_equal(fs_tempfile(&one, "no/such/dir/temp-"), ERR_NOTFOUND);
	buf_release(&one);
	buf_release(&two);
}

static void test_replace_file(void **state)
{
	(void)state;
	assert_int_equal(fs_mkdirs("rep"), 0);
	assert_int_equal(fs_replace_file("rep/f", "one", 3, 1), 0);
	assert_content("rep/f", "one");
	assert_int_equal(fs_replace_file("rep/f", "", 0, 0), 0);
	assert_content("rep/f", "");
	/* a directory in the way: the old thing stays, no litter */
	assert_int_equal(fs_mkdirs("rep/d/sub"), 0);
	assert_true(fs_replace_file("rep/d", "x", 1, 0) < 0);
	assert_int_equal(unlink("rep/f"), 0);
	assert_int_equal(rmdir("rep/d/sub"), 0);
	assert_int_equal(rmdir("rep/d"), 0);
	assert_int_equal(rmdir("rep"), 0);
}

static void check_copy(uint64_t offset, uint64_t len)
{
	struct buf expected = BUF_INIT, got = BUF_INIT;
	int src = open_file("source", O_RDONLY),
	    dst = open_file("copy", O_RDWR | O_CREAT | O_TRUNC);

	assert_true(fs_clone_or_copy(dst, src, offset, len) > 0);
	assert_int_equal(buf_read_file(&expected, scratch_path("source")), 0);
	assert_int_equal(buf_read_file(&got, scratch_path("copy")), 0);
	assert_true(got.len == len);
	assert_memory_equal(got.p, expected.p + offset, len);
	buf_release(&expected);
	buf_release(&got);
	close(src);
	close(dst);
}

static void test_copy(void **state)
{
	static char data[3000000];
	int src, dst;

	(void)state;
	for (size_t i = 0; i < sizeof data - 1; i++)
		data[i] = (char)('A' + i * 2654435761u % 51);
	scratch_write("source", data);
	check_copy(0, sizeof data - 1);
	check_copy(0, 0);
	check_copy(4096, 8192);
	check_copy(1, 2500001);
	src = open_file("source", O_RDONLY);
	dst = open_file("copy", O_RDWR | O_TRUNC);
	assert_int_equal(fs_clone_or_copy(dst, src, 0, sizeof data), ERR_CORRUPT);
	assert_int_equal(fs_clone_or_copy(dst, src, UINT64_MAX, 5), ERR_CORRUPT);
	close(src);
	close(dst);
}

static void test_copy_from_where_the_kernel_cannot(void **state)
{
	/* between file systems of different kinds reflink and copy_file_range may both refuse */
	int src = open("/dev/shm", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600), dst;
	char got[6] = "";

	(void)state;
	if (src < 0)
		skip();
	dst = open_file("copy2", O_RDWR | O_CREAT | O_TRUNC);
	assert_int_equal(fs_write_full(src, "0123456789", 10), 0);
	assert_true(fs_clone_or_copy(dst, src, 2, 6) > 0);
	assert_int_equal(fs_pread_full(dst, got, 6, 0), 6);
	assert_memory_equal(got, "234567", 6);
	assert_int_equal(lseek(dst, 0, SEEK_END), 6);
	close(src);
	close(dst);
}

static void test_names(void **state)
{
	static const char *const table[][2] = {
		{"f", "."}, {"/f", "/"}, {"a/f", "a"}, {"/a/b/f", "/a/b"}, {"", "."}};
	struct buf b = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		buf_reset(&b);
		assert_int_equal(fs_dirname(&b, table[i][0]), 0);
		assert_string_equal(b.p, table[i][1]);
	}
	buf_reset(&b);
	assert_int_equal(fs_join(&b, "a", "b"), 0);
	assert_string_equal(b.p, "a/b");
	buf_reset(&b);
	assert_int_equal(fs_join(&b, "a/", "b"), 0);
	assert_string_equal(b.p, "a/b");
	buf_reset(&b);
	assert_int_equal(fs_join(&b, "a", "/b"), 0);
	assert_string_equal(b.p, "/b");
	buf_reset(&b);
	assert_int_equal(fs_join(&b, "", "b"), 0);
	assert_string_equal(b.p, "b");
	buf_release(&b);
}

static void test_sync_and_times(void **state)
{
	struct stat st;
	int fd;

	(void)state;
	scratch_write("timed", "x");
	fd = open_file("timed", O_RDONLY);
	assert_int_equal(fs_fsync(fd, "timed"), 0);
	assert_int_equal(fs_fsync_dir("."), 0);
	assert_int_equal(fs_fsync_parent("timed"), 0);
	assert_int_equal(fs_fsync_dir("nowhere"), ERR_NOTFOUND);
	assert_int_equal(fstat(fd, &st), 0);
	assert_true(llabs((long long)(fs_now_ns() - fs_mtime_ns(&st))) < 60000000000LL);
	assert_true(fs_ctime_ns(&st) / 1000000000 == st.st_ctim.tv_sec);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full_read_from_a_pipe),
		cmocka_unit_test(test_full_write_to_a_slow_pipe),
		cmocka_unit_test(test_positioned),
		cmocka_unit_test(test_write_errors_are_told),
		cmocka_unit_test(test_mkdirs),
		cmocka_unit_test(test_tempfile),
		cmocka_unit_test(test_replace_file),
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_copy_from_where_the_kernel_cannot),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_sync_and_times),
	};

	return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
