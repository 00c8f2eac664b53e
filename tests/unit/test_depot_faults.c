/*
 * transfer/depot/depot.h when something goes wrong: kill -9, several processes, a store that cannot
 * be reached or is damaged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "tests/unit/depot_objects.h"

/* kill -9 right after the acknowledgement: the next process has it, and settles it. */
static void test_kill(void **unused)
{
	uint8_t *p = make_bytes(300000, 5);
	struct depot *d;
	struct oid oid;
	pid_t child;
	int status;

	(void)unused;
	oid_of(&oid, p, 300000);
	child = fork();
	if (child == 0) {
		struct depot_writer *w;

		d = open_depot("killed", "killed-state");
		if (depot_put_begin(&w, d, &oid, 300000) == 0 &&
			depot_put_data(w, p, 300000) == 0 && depot_put_finish(w) == 0)
			raise(SIGKILL);
		_exit(1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	d = open_depot("killed", "killed-state");
	check_get(d, &oid, 300000);
	assert_int_equal(depot_settle(d), 0);
	assert_int_equal(depot_close(d), 0);
	d = open_depot("killed", "another-state");
	check_get(d, &oid, 300000);
	assert_int_equal(depot_close(d), 0);
	free(p);
}

static void be_session(uint64_t seed)
{
	struct depot *d = open_depot("shared", "shared-state");

	for (uint64_t i = 0; i < 50; i++)
		put(d, 2000 + i, seed * 1000 + i);
	_exit(depot_close(d) == 0 ? 0 : 1);
}

/* Several processes on one state: when the last is gone, all is in the store. */
static void test_processes(void **unused)
{
	struct depot *d;
	int status;

	(void)unused;
	for (uint64_t i = 0; i < 4; i++) {
		if (fork() == 0)
			be_session(i);
	}
	for (int i = 0; i < 4; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	empty_cache("shared-state");
	d = open_depot("shared", "other-state"); /* what still waits there is not seen here */
	for (uint64_t s = 0; s < 4; s++) {
		for (uint64_t i = 0; i < 50; i++) {
			uint8_t *p = make_bytes(2000 + i, s * 1000 + i);
			struct oid oid;

			oid_of(&oid, p, 2000 + i);
			assert_int_equal(is_here(d, &oid, 2000 + i), 1);
			free(p);
		}
	}
	assert_int_equal(depot_close(d), 0);
}

/* What another process put into the store meanwhile is found. */
static void test_news(void **unused)
{
	struct depot *a = open_depot("news", "news-a"), *b = open_depot("news", "news-b");
	struct oid oid = put(a, 70000, 3);

	(void)unused;
	assert_int_equal(is_here(b, &oid, 70000), 0);
	assert_int_equal(depot_settle(a), 0);
	assert_int_equal(is_here(b, &oid, 70000), 1);
	check_get(b, &oid, 70000);
	assert_int_equal(depot_close(a), 0);
	assert_int_equal(depot_close(b), 0);
}

/* While the store cannot be written to, what comes is kept and read; then it goes on. */
static void test_unreachable(void **unused)
{
	struct depot *d = open_depot("gone/store", "gone-state");
	struct oid oid;

	(void)unused;
	scratch_write("gone", "a file in the way");
	oid = put(d, 5000, 8);
	assert_true(depot_settle(d) < 0);
	check_get(d, &oid, 5000);
	assert_true(depot_close(d) < 0);
	assert_true(strlen(err_msg()) > 0);
	unlink(scratch_path("gone"));
	d = open_depot("gone/store", "gone-state");
	assert_int_equal(depot_settle(d), 0);
	assert_int_equal(depot_close(d), 0);
	empty_cache("gone-state");
	d = open_depot("gone/store", "gone-state");
	check_get(d, &oid, 5000);
	assert_int_equal(depot_close(d), 0);
}

static void test_bad_store(void **unused)
{
	struct depot_options o = {
		.store = "https://example.com/lfs", .state = scratch_path("bad"), .config = config};
	struct depot *d;

	(void)unused;
	assert_int_equal(depot_open(&d, &o), ERR_INVALID);
	assert_null(d);
	o.store = "gopher://x/y";
	assert_int_equal(depot_open(&d, &o), ERR_UNSUPPORTED);
	o.store = NULL;
	assert_int_equal(depot_open(&d, &o), ERR_INVALID);
	scratch_write("a-file", "x");
	o.store = scratch_path("s");
	o.state = scratch_path("a-file/state");
	assert_true(depot_open(&d, &o) < 0);
}

/* A damaged pack: an error, and never the last piece. */
static void test_damage(void **unused)
{
	struct depot *d = open_depot("damage", "damage-state");
	struct depot_reader *r;
	struct oid oid = put(d, 3000000, 44);
	struct dirent *e;
	char piece[65536];
	uint64_t size, have = 0;
	ssize_t n;
	DIR *packs;
	int fd = -1;

	(void)unused;
	assert_int_equal(depot_close(d), 0);
	empty_cache("damage-state");
	packs = opendir(scratch_path("damage/packs"));
	while (packs && (e = readdir(packs))) {
		char name[1024];
		DIR *sub;
		struct dirent *f;

		if (e->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "damage/packs/%s", e->d_name);
		sub = opendir(scratch_path(name));
		while (sub && (f = readdir(sub))) {
			size_t len = strlen(name);

			if (f->d_name[0] == '.')
				continue;
			snprintf(name + len, sizeof(name) - len, "/%s", f->d_name);
			chmod(scratch_path(name), 0644);
			fd = open(scratch_path(name), O_RDWR);
			break;
		}
		closedir(sub);
	}
	closedir(packs);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, "damage", 6, 2900000), 6);
	close(fd);
	d = open_depot("damage", "damage-state");
	assert_int_equal(depot_get_begin(&r, d, &oid, &size), 0);
	while ((n = depot_get_read(r, have, piece, sizeof(piece))) > 0)
		have += (uint64_t)n;
	assert_int_equal(n, ERR_CORRUPT);
	assert_true(have < size);
	depot_get_free(r);
	assert_int_equal(depot_close(d), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kill),
		cmocka_unit_test(test_processes),
		cmocka_unit_test(test_news),
		cmocka_unit_test(test_unreachable),
		cmocka_unit_test(test_bad_store),
		cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests(tests, depot_objects_enter, depot_objects_leave);
}
