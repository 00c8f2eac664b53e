/*
 * Locks: exclusion, waiting, commit, rollback, links.
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
#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lib/base/lockfile.h"
#include "tests/unit/scratch.h"

static void assert_content(const char *name, const char *expected)
{
	struct buf b = BUF_INIT;

	assert_int_equal(buf_read_file(&b, name), 0);
	assert_string_equal(b.p, expected);
	buf_release(&b);
}

static void test_commit(void **state)
{
	struct lockfile l = LOCKFILE_INIT;
	struct stat st;

	(void)state;
	scratch_write("f", "old");
	assert_int_equal(lockfile_take(&l, "f", 0600, 0), 0);
	assert_string_equal(l.path.p, "f.lock");
	assert_int_equal(l.file_len, 1);
	assert_int_equal(fcntl(l.fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fs_write_full(l.fd, "new", 3), 0);
	assert_content("f", "old");
	assert_int_equal(lockfile_commit(&l), 0);
	assert_int_equal(l.fd, -1);
	assert_content("f", "new");
	assert_false(fs_exists("f.lock"));
	assert_int_equal(stat("f", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	lockfile_rollback(&l);
	assert_true(fs_exists("f"));
	assert_int_equal(lockfile_commit(&l), ERR_INVALID);
}

static void test_exclusion_and_rollback(void **state)
{
	struct lockfile one = LOCKFILE_INIT, two = LOCKFILE_INIT;

	(void)state;
	scratch_write("g", "old");
	assert_int_equal(lockfile_take(&one, "g", 0666, 0), 0);
	assert_int_equal(lockfile_take(&two, "g", 0666, 0), ERR_LOCKED);
	assert_non_null(strstr(err_msg(), "'g.lock'"));
	assert_int_equal(lockfile_take(&two, "g", 0666, 120), ERR_LOCKED);
	lockfile_rollback(&two); /* does not touch the other's */
	assert_true(fs_exists("g.lock"));
	assert_int_equal(fs_write_full(one.fd, "new", 3), 0);
	lockfile_rollback(&one);
	assert_false(fs_exists("g.lock"));
	assert_content("g", "old");
	lockfile_rollback(&one);
	assert_int_equal(lockfile_take(&two, "g", 0666, 0), 0);
	lockfile_rollback(&two);
}

static void *remove_later(void *arg)
{
	usleep(60000);
	unlink(arg);
	return NULL;
}

static void test_waits_for_the_holder(void **state)
{
	struct lockfile l = LOCKFILE_INIT;
	char name[] = "h.lock";
	pthread_t id;

	(void)state;
	scratch_write(name, "");
	assert_int_equal(pthread_create(&id, NULL, remove_later, name), 0);
	assert_int_equal(lockfile_take(&l, "h", 0666, 10000), 0);
	pthread_join(id, NULL);
	lockfile_rollback(&l);
}

static void test_failed_commit_leaves_all_as_it_was(void **state)
{
	struct lockfile l = LOCKFILE_INIT;

	(void)state;
	assert_int_equal(fs_mkdirs("dir/sub"), 0);
	assert_int_equal(lockfile_take(&l, "dir", 0666, 0), 0);
	assert_true(lockfile_commit(&l) < 0);
	assert_false(fs_exists("dir.lock"));
	assert_true(fs_exists("dir/sub"));
	assert_int_equal(lockfile_take(&l, "no/such/dir/f", 0666, 1000), ERR_NOTFOUND);
	lockfile_rollback(&l);
}

static void test_follows_links(void **state)
{
	struct lockfile l = LOCKFILE_INIT;
	char target[64];

	(void)state;
	scratch_write("real/file", "old");
	assert_int_equal(fs_mkdirs("links"), 0);
	assert_int_equal(symlink("../real/file", "links/l"), 0);
	assert_int_equal(lockfile_take(&l, "links/l", 0666, 0), 0);
	assert_true(fs_exists("real/file.lock"));
	assert_int_equal(fs_write_full(l.fd, "new", 3), 0);
	assert_int_equal(lockfile_commit(&l), 0);
	assert_content("real/file", "new");
	assert_int_equal(readlink("links/l", target, sizeof target), 12);
	assert_int_equal(symlink("loop", "loop"), 0);
	assert_true(lockfile_take(&l, "loop", 0666, 0) < 0);
	lockfile_rollback(&l);
}

static void test_many_writers_lose_nothing(void **state)
{
	enum { WRITERS = 4, ROUNDS = 25 };
	struct buf b = BUF_INIT;

	(void)state;
	scratch_write("count", "0");
	for (int w = 0; w < WRITERS; w++) {
		if (fork())
			continue;
		for (int i = 0; i < ROUNDS; i++) {
			struct lockfile l = LOCKFILE_INIT;
			char text[16];
			int n;

			if (lockfile_take(&l, "count", 0666, 20000) < 0)
				_exit(1);
			buf_reset(&b);
			if (buf_read_file(&b, "count") < 0)
				_exit(2);
			n = snprintf(text, sizeof text, "%d", atoi(b.p) + 1);
			if (fs_write_full(l.fd, text, (size_t)n) < 0 || lockfile_commit(&l) < 0)
				_exit(3);
		}
		_exit(0);
	}
	for (int w = 0; w < WRITERS; w++) {
		int status;

		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	assert_content("count", "100");
	buf_release(&b);
}

static void test_flock(void **state)
{
	int one = flock_take("own", 0), two;

	(void)state;
	assert_true(one >= 0);
	assert_int_equal(fcntl(one, F_GETFD), FD_CLOEXEC);
	assert_int_equal(flock_take("own", 0), ERR_LOCKED);
	assert_int_equal(flock_take("own", 80), ERR_LOCKED);
	close(one);
	two = flock_take("own", -1);
	assert_true(two >= 0);
	close(two);
	assert_int_equal(flock_take("no/such/dir/own", 0), ERR_NOTFOUND);
}

static void *unlock_removed(void *arg)
{
	usleep(50000);
	unlink("removed");
	close(*(int *)arg);
	return NULL;
}

static void test_flock_of_a_removed_file_is_not_taken_for_one(void **state)
{
	int fd = flock_take("removed", 0), mine;
	struct stat a, b;
	pthread_t id;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(pthread_create(&id, NULL, unlock_removed, &fd), 0);
	mine = flock_take("removed", -1);
	pthread_join(id, NULL);
	assert_true(mine >= 0);
	assert_int_equal(fstat(mine, &a), 0);
	assert_int_equal(stat("removed", &b), 0);
	assert_true(a.st_ino == b.st_ino);
	close(mine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commit),
		cmocka_unit_test(test_exclusion_and_rollback),
		cmocka_unit_test(test_waits_for_the_holder),
		cmocka_unit_test(test_failed_commit_leaves_all_as_it_was),
		cmocka_unit_test(test_follows_links),
		cmocka_unit_test(test_many_writers_lose_nothing),
		cmocka_unit_test(test_flock),
		cmocka_unit_test(test_flock_of_a_removed_file_is_not_taken_for_one),
	};

	return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
