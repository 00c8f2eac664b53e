/*
 * transfer/depot/lockbook.h: one lock a path whoever comes at once, pages, damage.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <sys/wait.h>

#include "tests/unit/scratch.h"
#include "transfer/depot/lockbook.h"

static struct lockbook *book_of(const char *name)
{
	struct lockbook *b;

	assert_int_equal(lockbook_open(&b, scratch_path(name)), 0);
	return b;
}

/* Lock; the id, on the heap. */
static char *lock(struct lockbook *b, const char *path, const char *owner)
{
	struct lfs_lock l;
	char *id;

	if (lockbook_create(b, path, owner, &l) < 0)
		fail_msg("%s", err_msg());
	assert_string_equal(l.path, path);
	assert_string_equal(l.owner, owner);
	assert_int_equal(strlen(l.locked_at), 20);
	id = strdup(l.id);
	lfs_lock_release(&l);
	return id;
}

static int unlock(struct lockbook *b, const char *id, const char *owner, int force)
{
	const struct lfs_lock_query q = {.id = id, .force = force};
	struct lfs_lock l;
	int rc = lockbook_remove(b, &q, owner, &l);

	lfs_lock_release(&l);
	return rc;
}

static void test_life(void **unused)
{
	struct lockbook *b = book_of("life");
	char *id, *again;
	struct lfs_lock l;
	struct lfs_lock_page page;
	const struct lfs_lock_query all = {.path = NULL};

	(void)unused;
	assert_int_equal(lockbook_list(b, &all, &page), 0); /* nothing is there, not even it */
	assert_int_equal(page.ours.n, 0);
	assert_false(fs_exists(scratch_path("life")));
	id = lock(b, "art/a b.psd", "ann");
	assert_int_equal(strlen(id), 49);
	assert_int_equal(lockbook_create(b, "art/a b.psd", "bob", &l), ERR_EXISTS);
	assert_string_equal(l.owner, "ann");
	assert_string_equal(l.id, id);
	lfs_lock_release(&l);
	assert_int_equal(lockbook_create(b, "art/a b.psd", "ann", &l), ERR_EXISTS);
	lfs_lock_release(&l);
	assert_int_equal(unlock(b, id, "bob", 0), ERR_DENIED);
	assert_int_equal(unlock(b, "nonsense", "ann", 0), ERR_NOTFOUND);
	assert_int_equal(unlock(b, id, "ann", 0), 0);
	assert_int_equal(unlock(b, id, "ann", 0), ERR_NOTFOUND);
	again = lock(b, "art/a b.psd", "bob");
	assert_string_not_equal(id, again);
	assert_int_equal(unlock(b, id, "ann", 1), ERR_NOTFOUND); /* the old one's id */
	assert_int_equal(unlock(b, again, "ann", 1), 0);
	free(id);
	free(again);
	lockbook_close(b);
}

static void test_bad_paths(void **unused)
{
	static const char *const bad[] = {
		"", "/abs", "a/../b", "..", ".", "./a", "a//b", "a/", "a\nb", "a\tb", "a\x7f"};
	struct lockbook *b = book_of("bad");
	char *path = malloc(5001);
	struct lfs_lock l;

	(void)unused;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(lockbook_create(b, bad[i], "ann", &l), ERR_INVALID);
	memset(path, 'a', 5000);
	path[5000] = '\0';
	assert_int_equal(lockbook_create(b, path, "ann", &l), ERR_INVALID);
	assert_int_equal(lockbook_create(b, "a", "", &l), ERR_INVALID);
	assert_int_equal(lockbook_create(b, "a", "x\ny", &l), ERR_INVALID);
	free(lock(b, "...", "ann"));
	free(lock(b, "-x/..a", "Ann \xc3\xb6 Lee"));
	free(path);
	lockbook_close(b);
}

static void test_pages(void **unused)
{
	struct lockbook *b = book_of("pages");
	struct lfs_lock_query q = {.limit = 7};
	struct lfs_lock_page page;
	char path[32], *cursor = NULL;
	size_t seen = 0;

	(void)unused;
	for (int i = 24; i >= 0; i--) {
		snprintf(path, sizeof(path), "f%02d", i);
		free(lock(b, path, i % 2 ? "ann" : "bob"));
	}
	do {
		q.cursor = cursor;
		assert_int_equal(lockbook_list(b, &q, &page), 0);
		for (size_t i = 0; i < page.ours.n; i++, seen++) {
			snprintf(path, sizeof(path), "f%02d", (int)seen);
			assert_string_equal(page.ours.v[i].path, path);
		}
		free(cursor);
		cursor = page.next_cursor;
		page.next_cursor = NULL;
		lfs_lock_page_release(&page);
	} while (cursor);
	assert_int_equal(seen, 25);
	q = (struct lfs_lock_query){.path = "f05"};
	assert_int_equal(lockbook_list(b, &q, &page), 0);
	assert_int_equal(page.ours.n, 1);
	assert_string_equal(page.ours.v[0].path, "f05");
	lfs_lock_page_release(&page);
	q = (struct lfs_lock_query){.cursor = NULL};
	assert_int_equal(lockbook_verify(b, &q, "ann", &page), 0);
	assert_int_equal(page.ours.n, 12);
	assert_int_equal(page.theirs.n, 13);
	lfs_lock_page_release(&page);
	lockbook_close(b);
}

static void find_lock(const char *dir, char *name, size_t size)
{
	DIR *d = opendir(scratch_path(dir));
	struct dirent *e;

	while (d && (e = readdir(d))) {
		if (strlen(e->d_name) == 32)
			snprintf(name, size, "%s/%.40s", dir, e->d_name);
	}
	if (d)
		closedir(d);
}

/* A damaged lock is named; other paths can be locked and unlocked. */
static void test_damage(void **unused)
{
	static const char *const texts[] = {"", "garbage", "dvx lock 1\n",
		"dvx lock 1\nid x\ntime t\nowner o\npath a\n",
		("dvx lock 1\nid 00000000000000000000000000000000-0000000000000000\n"
		 "time t\nowner o\npath b\n")};
	struct lockbook *b = book_of("damage");
	const struct lfs_lock_query all = {.path = NULL};
	struct lfs_lock_page page;
	struct lfs_lock l;
	char name[256], *id;

	(void)unused;
	free(lock(b, "a", "ann"));
	find_lock("damage", name, sizeof(name));
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		scratch_write(name, texts[i]);
		assert_int_equal(lockbook_list(b, &all, &page), ERR_CORRUPT);
		assert_non_null(strstr(err_msg(), name));
		assert_int_equal(lockbook_create(b, "a", "ann", &l), ERR_CORRUPT);
		id = lock(b, "b", "bob");
		assert_int_equal(unlock(b, id, "bob", 0), 0);
		free(id);
	}
	unlink(scratch_path(name));
	assert_int_equal(lockbook_list(b, &all, &page), 0);
	lfs_lock_page_release(&page);
	lockbook_close(b);
}

/* How many locks on path "p<i>" did this process get?  */
static int race(int who)
{
	struct lockbook *b = book_of("race");
	char path[32], owner[32];
	int got = 0;

	snprintf(owner, sizeof(owner), "owner%d", who);
	for (int i = 0; i < 200; i++) {
		struct lfs_lock l;
		int rc;

		snprintf(path, sizeof(path), "p%d", i);
		rc = lockbook_create(b, path, owner, &l);
		if (rc == 0)
			got++;
		else if (rc != ERR_EXISTS)
			return 255;
		if (rc == 0 && strcmp(l.owner, owner) != 0)
			return 255;
		lfs_lock_release(&l);
	}
	lockbook_close(b);
	return got;
}

static void test_race(void **unused)
{
	struct lockbook *b = book_of("race");
	const struct lfs_lock_query q = {.limit = 1000};
	struct lfs_lock_page page;
	int status, total = 0;

	(void)unused;
	for (int i = 0; i < 3; i++) {
		if (fork() == 0)
			_exit(race(i));
	}
	for (int i = 0; i < 3; i++) {
		assert_true(wait(&status) > 0 && WIFEXITED(status));
		assert_int_not_equal(WEXITSTATUS(status), 255);
		total += WEXITSTATUS(status);
	}
	assert_int_equal(total, 200);
	assert_int_equal(lockbook_list(b, &q, &page), 0);
	assert_int_equal(page.ours.n, 200);
	lfs_lock_page_release(&page);
	lockbook_close(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life),
		cmocka_unit_test(test_bad_paths),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_race),
	};

	return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
