/*
 * The journal of pending files: what its owner writes a later process reads, but only when the
 * owner is gone; damage is noticed and does not hide other journals.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/worktree/pending.h"
#include "tests/unit/remove_tree.h"

static char top[256];

static int setup(void **state)
{
	(void)state;
	snprintf(top, sizeof top, "%s/dvx-pending-XXXXXX",
		getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	return mkdtemp(top) && chdir(top) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	return chdir("/") == 0 && remove_tree(top) == 0 ? 0 : -1;
}

static struct pending_item item(const char *path, unsigned n)
{
	struct pending_item i = {.path = path, .size = (uint64_t)n << 33 | n};

	memset(i.oid.id, (int)n, sizeof i.oid.id);
	memset(i.blob, (int)n + 1, sizeof i.blob);
	return i;
}

struct seen {
	unsigned n;
	char paths[256];
};

static int see(const struct pending_item *i, void *data)
{
	struct seen *s = data;
	struct pending_item want = item(i->path, i->oid.id[0]);

	assert_memory_equal(i->oid.id, want.oid.id, sizeof want.oid.id);
	assert_memory_equal(i->blob, want.blob, sizeof want.blob);
	assert_int_equal(i->size, want.size);
	s->n++;
	strcat(s->paths, i->path);
	strcat(s->paths, "|");
	return 0;
}

/* Taken and let go of again. */
static void assert_pending(int rc, const char *paths)
{
	struct pending_taken *t;
	struct seen s = {0, ""};

	assert_int_equal(pending_take(&t, "git"), 0);
	assert_int_equal(pending_taken_each(t, see, &s), rc);
	assert_string_equal(s.paths, paths);
	assert_int_equal(pending_taken_end(t, 0), 0);
}

static void clear(void)
{
	struct pending_taken *t;

	assert_int_equal(pending_take(&t, "git"), 0);
	assert_int_equal(pending_taken_end(t, 1), 0);
}

/* The name of the only journal. */
static void journal_path(char out[static 512])
{
	DIR *dir = opendir("git/dvx/pending");
	struct dirent *d;
	int n = 0;

	assert_non_null(dir);
	while ((d = readdir(dir))) {
		if (d->d_name[0] == '.')
			continue;
		snprintf(out, 512, "git/dvx/pending/%s", d->d_name);
		n++;
	}
	closedir(dir);
	assert_int_equal(n, 1);
}

static void leave_journal(const struct pending_item *items, size_t n)
{
	struct pending *p;

	assert_int_equal(pending_begin(&p, "git", items, n), 0);
	pending_free(p);
}

static void test_nothing(void **state)
{
	(void)state;
	assert_int_equal(pending_any("git"), 0);
	assert_pending(0, "");
	clear();
	pending_free(NULL);
}

static void test_owner_lives_then_dies(void **state)
{
	struct pending_item items[] = {
		item("a/b", 1), item("with space\n\xff\"", 2), item("-x", 250)};
	struct pending *p;

	(void)state;
	assert_int_equal(pending_begin(&p, "git", items, 3), 0);
	assert_int_equal(pending_any("git"), 0);
	assert_pending(0, "");
	clear();
	pending_free(p);
	assert_int_equal(pending_any("git"), 1);
	assert_pending(0, "a/b|with space\n\xff\"|-x|");
	assert_pending(0, "a/b|with space\n\xff\"|-x|");
	clear();
	assert_int_equal(pending_any("git"), 0);
}

static void test_end_with_nothing_left(void **state)
{
	struct pending_item items[] = {item("a", 1)};
	struct pending *p;

	(void)state;
	assert_int_equal(pending_begin(&p, "git", items, 1), 0);
	assert_int_equal(pending_end(p, NULL, 0), 0);
	pending_free(p);
	assert_int_equal(pending_any("git"), 0);
}

static void test_end_with_something_left(void **state)
{
	struct pending_item items[] = {item("a", 1), item("b", 2), item("c", 3)};
	struct pending *p;
	char path[512];

	(void)state;
	assert_int_equal(pending_begin(&p, "git", items, 3), 0);
	assert_int_equal(pending_end(p, items + 1, 1), 0);
	assert_int_equal(pending_any("git"), 0); /* still owned */
	journal_path(path);
	pending_free(p);
	assert_pending(0, "b|");
}

static int stop_at_once(const struct pending_item *i, void *data)
{
	(void)i;
	++*(int *)data;
	return 7;
}

static void test_visitor_stops(void **state)
{
	struct pending_item items[] = {item("a", 1), item("b", 2)};
	struct pending_taken *t;
	int calls = 0;

	(void)state;
	leave_journal(items, 2);
	leave_journal(items, 2);
	assert_int_equal(pending_take(&t, "git"), 0);
	assert_int_equal(pending_taken_each(t, stop_at_once, &calls), 1);
	assert_int_equal(calls, 1);
	assert_int_equal(pending_taken_end(t, 0), 0);
}

/* What is left behind after the taking is nobody's business yet; what is taken is ours alone. */
static void test_taken_ones_only(void **state)
{
	struct pending_item items[] = {item("first", 1), item("later", 2)};
	struct pending_taken *t, *other;
	struct seen s = {0, ""};

	(void)state;
	leave_journal(items, 1);
	assert_int_equal(pending_take(&t, "git"), 0);
	assert_int_equal(pending_any("git"), 0);
	leave_journal(items + 1, 1);
	assert_int_equal(pending_take(&other, "git"), 0);
	assert_int_equal(pending_taken_each(other, see, &s), 0);
	assert_string_equal(s.paths, "later|");
	assert_int_equal(pending_taken_end(other, 0), 0);
	for (int i = 0; i < 2; i++) { /* as often as one likes */
		s = (struct seen){0, ""};
		assert_int_equal(pending_taken_each(t, see, &s), 0);
		assert_string_equal(s.paths, "first|");
	}
	assert_int_equal(pending_taken_end(t, 1), 0);
	assert_pending(0, "later|");
	assert_int_equal(pending_taken_end(NULL, 1), 0);
}

static void test_more_than_can_be_held(void **state)
{
	struct pending_item items[] = {item("a", 1)};
	int rounds = 0;

	(void)state;
	for (int i = 0; i < 300; i++)
		leave_journal(items, 1);
	for (; pending_any("git"); rounds++)
		clear();
	assert_in_range(rounds, 2, 5);
}

/* A writer between creating and locking its file, while a reader clears away. */
static void test_writers_against_a_clearing_reader(void **state)
{
	struct pending_item items[] = {item("a", 1)};
	struct pending *p;
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(fs_mkdirs("git/dvx/pending"), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			clear();
	}
	for (int i = 0; i < 2000; i++) {
		assert_int_equal(pending_begin(&p, "git", items, 1), 0);
		assert_int_equal(pending_end(p, items, i % 2 ? 0 : 1), 0);
		pending_free(p);
	}
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
}

/* A killed owner's lock goes with it. */
static void test_killed_owner(void **state)
{
	struct pending_item items[] = {item("a", 1)};
	int ready[2], status;
	char c;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		struct pending *p;

		if (pending_begin(&p, "git", items, 1) < 0 || write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	assert_int_equal(pending_any("git"), 0);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(pending_any("git"), 1);
	assert_pending(0, "a|");
	close(ready[0]);
	close(ready[1]);
}

static void test_half_written(void **state)
{
	(void)state;
	assert_int_equal(fs_mkdirs("git/dvx/pending"), 0);
	assert_int_equal(fs_replace_file("git/dvx/pending/1-2-3.journal.tmp", "DVX", 3, 0), 0);
	assert_int_equal(fs_replace_file("git/dvx/pending/README", "x", 1, 0), 0);
	assert_int_equal(pending_any("git"), 0);
	assert_pending(0, "");
	clear();
	assert_false(fs_exists("git/dvx/pending/1-2-3.journal.tmp"));
	assert_true(fs_exists("git/dvx/pending/README"));
}

static void test_every_damage_is_noticed(void **state)
{
	struct pending_item items[] = {item("a/b", 1), item("c", 2)};
	struct buf good = BUF_INIT;
	char path[512];

	(void)state;
	leave_journal(items, 2);
	journal_path(path);
	assert_int_equal(buf_read_file(&good, path), 0);
	for (size_t i = 0; i < good.len; i++) { /* cut */
		assert_int_equal(fs_replace_file(path, good.p, i, 0), 0);
		assert_pending(ERR_CORRUPT, "");
	}
	for (size_t i = 0; i < good.len; i++) { /* flipped bit */
		good.p[i] ^= 4;
		assert_int_equal(fs_replace_file(path, good.p, good.len, 0), 0);
		assert_pending(ERR_CORRUPT, "");
		good.p[i] ^= 4;
	}
	assert_int_equal(fs_replace_file(path, good.p, good.len, 0), 0);
	assert_pending(0, "a/b|c|");
	buf_release(&good);
}

/* The checksum is right, the content is not. */
static void test_lying_lengths(void **state)
{
	struct pending_item items[] = {item("abc", 1)};
	static const uint32_t lengths[] = {0, 2, 4, 36, 65536, 0x7fffffff, 0xffffffff};
	struct buf b = BUF_INIT;
	char path[512];
	struct oid sum;

	(void)state;
	leave_journal(items, 1);
	journal_path(path);
	assert_int_equal(buf_read_file(&b, path), 0);
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		be32_put(b.p + 12 + 72, lengths[i]);
		oid_of(&sum, b.p, b.len - 32);
		memcpy(b.p + b.len - 32, sum.id, 32);
		assert_int_equal(fs_replace_file(path, b.p, b.len, 0), 0);
		assert_pending(ERR_CORRUPT, "");
	}
	be32_put(b.p + 12 + 72, 3);
	be32_put(b.p + 8, 0xffffffff); /* more items than there are: what is there is visited */
	oid_of(&sum, b.p, b.len - 32);
	memcpy(b.p + b.len - 32, sum.id, 32);
	assert_int_equal(fs_replace_file(path, b.p, b.len, 0), 0);
	assert_pending(ERR_CORRUPT, "abc|");
	buf_release(&b);
}

static void test_damage_does_not_hide_others(void **state)
{
	struct pending_item items[] = {item("a", 1)};

	(void)state;
	leave_journal(items, 1);
	assert_int_equal(fs_replace_file("git/dvx/pending/0.journal", "", 0, 0), 0);
	assert_int_equal(fs_replace_file("git/dvx/pending/9.journal", "DVXPEND\2....", 12, 0), 0);
	assert_int_equal(pending_any("git"), 1);
	assert_pending(ERR_CORRUPT, "a|");
	clear();
	assert_false(fs_exists("git/dvx/pending/0.journal"));
	assert_true(fs_exists("git/dvx/pending/9.journal")); /* of a later version */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_owner_lives_then_dies, setup, teardown),
		cmocka_unit_test_setup_teardown(test_end_with_nothing_left, setup, teardown),
		cmocka_unit_test_setup_teardown(test_end_with_something_left, setup, teardown),
		cmocka_unit_test_setup_teardown(test_visitor_stops, setup, teardown),
		cmocka_unit_test_setup_teardown(test_taken_ones_only, setup, teardown),
		cmocka_unit_test_setup_teardown(test_more_than_can_be_held, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_writers_against_a_clearing_reader, setup, teardown),
		cmocka_unit_test_setup_teardown(test_killed_owner, setup, teardown),
		cmocka_unit_test_setup_teardown(test_half_written, setup, teardown),
		cmocka_unit_test_setup_teardown(test_every_damage_is_noticed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lying_lengths, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damage_does_not_hide_others, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
