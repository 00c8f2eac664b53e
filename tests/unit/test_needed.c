/*
 * Which objects Git needs, by each place where it remembers one, and by scope.  Objects are told
 * apart by their sizes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/repo/needed.h"
#include "lib/worktree/pending.h"
#include "tests/unit/git_repo.h"

/* "1 22 …": the sizes of what is kept, and behind a bar of what else refs reach, ascending. */
static const char *needed(const char *dir, unsigned scope)
{
	static struct buf b;
	struct needed n = NEEDED_INIT;
	struct pointers *cache;
	struct git_repo r;
	char seen[64] = {0};

	buf_reset(&b);
	git_repo_open(&r, dir);
	assert_int_equal(pointers_open(&cache, &r.repo), 0);
	assert_int_equal(needed_collect(&n, &r.repo, cache, scope, NULL), 0);
	for (size_t i = 0; i < n.kept.n; i++)
		seen[n.kept.v[i].size] = 1;
	for (size_t i = 0; i < n.older.n; i++)
		if (!oidmap_get(&n.is_kept, &n.older.v[i].oid, NULL))
			seen[n.older.v[i].size] = 2;
	for (int class = 1; class <= 2; class ++) {
		buf_addf(&b, "%s", class == 2 ? "|" : "");
		for (int size = 1; size < 64; size++)
			if (seen[size] == class)
				buf_addf(&b, " %d", size);
	}
	needed_release(&n);
	pointers_close(cache);
	git_repo_close(&r);
	return buf_str(&b);
}

static void pointer(const char *path, size_t size)
{
	char text[64];

	memset(text, 'x', sizeof text);
	text[size] = '\0';
	git_repo_pointer(path, text);
}

static void commit(const char *dir)
{
	scratch_git(dir, "add", "-A", NULL);
	scratch_git(dir, "commit", "-q", "-m", "m", NULL);
}

static void test_places(void **state)
{
	struct pending_item item = {.path = "j", .size = 9};
	struct pending *journal = NULL;

	(void)state;
	scratch_git(".", "init", "-q", "p", NULL);
	pointer("p/a", 1);
	commit("p");
	pointer("p/a", 2);
	commit("p");
	scratch_git("p", "tag", "v", NULL);
	pointer("p/a", 3);
	commit("p");
	scratch_git("p", "branch", "b", NULL);
	pointer("p/a", 4);
	commit("p");
	scratch_git("p", "reset", "-q", "--hard", "HEAD~1", NULL); /* 4: the reflog's */
	pointer("p/a", 5);
	scratch_git("p", "stash", "-q", NULL);
	pointer("p/a", 6);
	scratch_git("p", "stash", "-q", NULL);
	scratch_git("p", "worktree", "add", "-q", "--detach", "../pw", NULL);
	pointer("pw/a", 7);
	commit("pw");
	pointer("pw/a", 8);
	scratch_git("pw", "add", "a", NULL);
	memset(item.oid.id, 9, OID_LEN);
	memset(item.blob, 9, sizeof item.blob);
	assert_int_equal(pending_begin(&journal, scratch_path("p/.git"), &item, 1), 0);
	pointer("p/a", 10);
	commit("p");
	pointer("p/a", 11);
	scratch_git("p", "add", "a", NULL);
	assert_string_equal(needed("p", NEEDED_ALL), " 1 2 3 4 5 6 7 8 9 10 11|");
	assert_string_equal(needed("pw", NEEDED_ALL), " 1 2 3 4 5 6 7 8 9 10 11|");
	/* 3: what the stash was made on; 1 and 2 are only history */
	assert_string_equal(needed("p", NEEDED_WORKSPACE), " 3 4 5 6 7 8 9 10 11| 1 2");
	assert_string_equal(needed("p", NEEDED_TAGS), " 2 3 4 5 6 7 8 9 10 11| 1");
	pending_free(journal);
}

static void test_heads(void **state)
{
	(void)state;
	scratch_git(".", "init", "-q", "h", NULL);
	pointer("h/a", 1);
	commit("h");
	scratch_git("h", "checkout", "-q", "-b", "side", NULL);
	pointer("h/a", 2);
	commit("h");
	scratch_git("h", "update-ref", "--no-deref", "MERGE_HEAD", "HEAD", NULL);
	scratch_git("h", "checkout", "-q", "-f", "main", NULL);
	scratch_git("h", "branch", "-D", "side", NULL);
	scratch_git("h", "reflog", "expire", "--all", "--expire=now", NULL);
	scratch_git("h", "update-ref", "MERGE_HEAD", "HEAD", NULL);
	assert_string_equal(needed("h", NEEDED_ALL), " 1|");
}

static void test_broken_ref(void **state)
{
	struct needed n = NEEDED_INIT;
	struct pointers *cache;
	struct git_repo r;

	(void)state;
	scratch_git(".", "init", "-q", "x", NULL);
	pointer("x/a", 1);
	commit("x");
	scratch_write("x/.git/refs/heads/broken", "1234567890123456789012345678901234567890\n");
	git_repo_open(&r, "x");
	assert_int_equal(pointers_open(&cache, &r.repo), 0);
	assert_true(needed_collect(&n, &r.repo, cache, NEEDED_ALL, NULL) < 0);
	needed_release(&n);
	pointers_close(cache);
	git_repo_close(&r);
}

static void test_empty(void **state)
{
	(void)state;
	scratch_git(".", "init", "-q", "e", NULL);
	assert_string_equal(needed("e", NEEDED_ALL), "|");
	assert_string_equal(needed("e", NEEDED_WORKSPACE), "|");
	scratch_git(".", "init", "-q", "--bare", "b.git", NULL);
	assert_string_equal(needed("b.git", NEEDED_ALL), "|");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_heads),
		cmocka_unit_test(test_broken_ref),
		cmocka_unit_test(test_empty),
	};

	return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
