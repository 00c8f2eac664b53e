/*
 * Finding pointers in history, trees and the index, in repositories that real Git made.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/repo/scan.h"
#include "tests/unit/git_repo.h"

static struct git_repo r;
static struct pointers *cache;
static struct scan_list list;

static void open_repo(const char *name)
{
	git_repo_open(&r, name);
	assert_int_equal(pointers_open(&cache, &r.repo), 0);
	list = (struct scan_list)SCAN_LIST_INIT;
}

static void close_repo(void)
{
	scan_list_release(&list);
	pointers_close(cache);
	git_repo_close(&r);
}

static void commit(const char *dir, const char *message)
{
	scratch_git(dir, "add", "-A", NULL);
	scratch_git(dir, "commit", "-q", "--allow-empty", "-m", message, NULL);
}

/* "path=<size>[<base size] …" of the list, in its order. */
static const char *listed(void)
{
	static struct buf b;

	buf_reset(&b);
	for (size_t i = 0; i < list.n; i++) {
		buf_addf(&b, "%s%s=%d", i ? " " : "", list.v[i].path, (int)list.v[i].size);
		if (list.v[i].has_base)
			buf_addf(&b, "<%d", (int)list.v[i].base_size);
	}
	return buf_str(&b);
}

static void range(const char *include, const char *exclude, const char *remote)
{
	struct strvec in = STRVEC_INIT, ex = STRVEC_INIT;

	strvec_push(&in, include);
	if (exclude)
		strvec_push(&ex, exclude);
	scan_list_release(&list);
	assert_int_equal(scan_range(&list, &r.repo, cache, &in, &ex, remote), 0);
	strvec_release(&in);
	strvec_release(&ex);
}

/* Objects are told apart by their sizes: "1", "22", "333"… */
static void make_history(const char *dir, const char *format)
{
	char name[256];

#define FILE_IN(n) (snprintf(name, sizeof name, "%s/%s", dir, n), name)
	scratch_git(".", "init", "-q", format, dir, NULL);
	git_repo_pointer(FILE_IN("a"), "1");
	scratch_write(FILE_IN("text"), "no pointer");
	commit(dir, "one");
	git_repo_pointer(FILE_IN("a"), "22");
	git_repo_pointer(FILE_IN("new\nline"), "4444");
	commit(dir, "two");
	scratch_git(dir, "tag", "-a", "-m", "v1", "v1", NULL);
	scratch_git(dir, "checkout", "-q", "-b", "side", "HEAD^", NULL);
	git_repo_pointer(FILE_IN("side"), "55555");
	commit(dir, "side");
	scratch_git(dir, "checkout", "-q", "main", NULL);
	scratch_git(dir, "merge", "-q", "--no-ff", "--no-commit", "side", NULL);
	git_repo_pointer(FILE_IN("evil"), "666666"); /* only in the merge */
	commit(dir, "merge");
	git_repo_pointer(FILE_IN("a"), "333");
	commit(dir, "three");
#undef FILE_IN
}

static void check_history(const char *dir)
{
	uint8_t tree[REPO_ID_MAX];
	char hex[REPO_HEX_MAX + 1];
	struct strvec missing = STRVEC_INIT, in = STRVEC_INIT;

	open_repo(dir);
	range("main", NULL, NULL);
	assert_int_equal(scan_list_unique_oid(&list), 0);
	assert_int_equal(list.n, 6);
	assert_string_equal(list.v[0].path, "a");
	assert_int_equal(list.v[0].size, 1); /* the oldest first */
	range("main", "main^", NULL);
	assert_string_equal(listed(), "a=3<2");
	/* A merge brings in what no parent has. */
	range("main^", "main^^2", NULL);
	assert_non_null(strstr(listed(), "evil=6"));
	assert_null(strstr(listed(), "side"));
	range("side", "main~2", NULL);
	assert_string_equal(listed(), "side=5");
	/* A base is the version before. */
	range("v1", "v1~1", NULL);
	assert_string_equal(listed(), "a=2<1 new\nline=4");

	/* An unknown commit of the other side is ignored, one of ours is an error. */
	strvec_push(&in, "main");
	strvec_push(&missing,
		r.repo.hash_len == 20
			? "0123456789012345678901234567890123456789"
			: "0123456789012345678901234567890123456789012345678901234567890123");
	scan_list_release(&list);
	assert_int_equal(scan_range(&list, &r.repo, cache, &in, &missing, NULL), 0);
	assert_int_not_equal(list.n, 0);
	assert_int_equal(scan_range(&list, &r.repo, cache, &missing, NULL, NULL), ERR_NOTFOUND);

	/* Trees and blobs by name. */
	assert_int_equal(git_resolve(&r.repo, "main^{tree}", tree), 0);
	repo_id_hex(hex, &r.repo, tree);
	range(hex, NULL, NULL);
	assert_string_equal(listed(), "a=3 evil=6 new\nline=4 side=5");
	range("main:a", NULL, NULL);
	assert_string_equal(listed(), "=3");

	scan_list_release(&list);
	assert_int_equal(scan_tree(&list, &r.repo, cache, "v1"), 0);
	assert_string_equal(listed(), "a=2 new\nline=4");
	scan_list_release(&list);
	assert_int_equal(scan_index(&list, &r.repo, cache, 1), 0);
	assert_string_equal(listed(), "a=3 evil=6 new\nline=4 side=5");
	scan_list_release(&list);
	assert_int_equal(scan_refs(&list, &r.repo, cache, SCAN_TAGS), 0);
	assert_int_equal(list.n, 2);
	scan_list_release(&list);
	assert_int_equal(scan_refs(&list, &r.repo, cache, SCAN_BRANCHES), 0);
	assert_int_equal(list.n, 5); /* 3 and 1 of a, evil, side, new */
	scan_list_release(&list);
	assert_int_equal(scan_all_commits(&list, &r.repo, cache), 0);
	assert_int_equal(scan_list_unique_oid(&list), 0);
	assert_int_equal(list.n, 6);
	strvec_release(&missing);
	strvec_release(&in);
	close_repo();
}

static void test_sha1(void **state)
{
	(void)state;
	make_history("one", "--object-format=sha1");
	check_history("one");
}

static void test_sha256(void **state)
{
	(void)state;
	make_history("two", "--object-format=sha256");
	check_history("two");
}

/* What the remote-tracking branches reach is not looked at again. */
static void test_exclude_remote(void **state)
{
	(void)state;
	scratch_git(".", "clone", "-q", "one", "clone", NULL);
	git_repo_pointer("clone/b", "1010101010");
	commit("clone", "b");
	open_repo("clone");
	range("HEAD", NULL, "origin");
	assert_string_equal(listed(), "b=10");
	range("HEAD", NULL, "other");
	assert_int_not_equal(list.n, 1);
	close_repo();
}

/* A tag may name a tree or a blob, and a tag may name a tag. */
static void test_odd_tags(void **state)
{
	(void)state;
	scratch_git("one", "tag", "tree", "main^{tree}", NULL);
	scratch_git("one", "tag", "-a", "-m", "b", "blob", "main:a", NULL);
	scratch_git("one", "tag", "-a", "-m", "t", "twice", "blob", NULL);
	open_repo("one");
	range("tree", NULL, NULL);
	assert_int_equal(list.n, 4);
	range("twice", NULL, NULL);
	assert_string_equal(listed(), "=3");
	scan_list_release(&list);
	assert_int_equal(scan_refs(&list, &r.repo, cache, SCAN_TAGS), 0);
	assert_int_equal(scan_list_unique_oid(&list), 0);
	assert_int_equal(list.n, 5);
	close_repo();
}

/* A partial clone: promised blobs are skipped, not fetched one by one. */
static void test_partial_clone(void **state)
{
	struct git_object o;
	char url[8192];

	(void)state;
	scratch_git("one", "config", "uploadpack.allowFilter", "true", NULL);
	snprintf(url, sizeof url, "file://%s", scratch_path("one"));
	scratch_git(
		".", "clone", "-q", "--filter=blob:none", "--no-checkout", url, "partial", NULL);
	/* Or the commit would fetch what might have been renamed. */
	scratch_git("partial", "config", "diff.renames", "false", NULL);
	git_repo_pointer("partial/b", "1010101010");
	scratch_git("partial", "add", "b", NULL);
	scratch_git("partial", "commit", "-q", "-m", "b", NULL);
	/* Nothing could be fetched any more: only a look at what is here can succeed. */
	scratch_git(
		".", "-C", "partial", "remote", "set-url", "origin", "file:///nonexistent", NULL);
	open_repo("partial");
	range("HEAD", NULL, NULL);
	/* The blob that a tag names came along. */
	assert_string_equal(listed(), "a=3 b=10");
	memset(&o, 0, sizeof o);
	o.id[0] = 0x55;
	assert_int_equal(git_objects_info(&r.repo, &o, 1), 0);
	assert_int_equal(o.type, GIT_MISSING);
	close_repo();
}

static void test_filter_paths(void **state)
{
	const char *const paths[] = {"evil", "sid"};

	(void)state;
	open_repo("one");
	assert_int_equal(scan_tree(&list, &r.repo, cache, "main"), 0);
	assert_int_equal(scan_list_filter_paths(&list, paths, 2), 0);
	assert_string_equal(listed(), "evil=6");
	close_repo();
}

/* Many objects asked for at once: neither side may wait for the other on a full pipe. */
static int count_bytes(size_t i, enum git_type type, const void *data, size_t len, void *arg)
{
	(void)i;
	(void)data;
	assert_int_equal(type, GIT_BLOB);
	*(size_t *)arg += len;
	return 0;
}

static void test_many_requests(void **state)
{
	enum { N = 50000 };
	struct git_object *o = calloc(N, sizeof *o);
	size_t bytes = 0;

	(void)state;
	open_repo("one");
	assert_int_equal(git_resolve(&r.repo, "main:text", o[0].id), 0);
	for (size_t i = 1; i < N; i++)
		o[i] = o[0];
	assert_int_equal(git_objects_info(&r.repo, o, N), 0);
	assert_int_equal(o[N - 1].size, strlen("no pointer"));
	assert_int_equal(git_objects_read(&r.repo, o, N, count_bytes, &bytes), 0);
	assert_int_equal(bytes, N * strlen("no pointer"));
	free(o);
	close_repo();
}

static void test_paths(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	assert_int_equal(fs_mkdirs(scratch_path("one/d/e")), 0);
	open_repo("one/d/e");
	assert_int_equal(repo_path(&b, &r.repo, "x/./y//z"), 0);
	assert_string_equal(b.p, "d/e/x/y/z");
	buf_reset(&b);
	assert_int_equal(repo_path(&b, &r.repo, "../../a"), 0);
	assert_string_equal(b.p, "a");
	buf_reset(&b);
	assert_int_equal(repo_path(&b, &r.repo, "../.."), 0);
	assert_string_equal(b.p, "");
	assert_int_equal(repo_path(&b, &r.repo, "../../.."), ERR_INVALID);
	assert_int_equal(repo_path(&b, &r.repo, "../../../one2/x"), ERR_INVALID);
	assert_int_equal(repo_path(&b, &r.repo, scratch_path("one/q")), 0);
	assert_string_equal(b.p, "q");
	assert_int_equal(repo_path(&b, &r.repo, scratch_path("one2")), ERR_INVALID);
	buf_release(&b);
	close_repo();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sha1),
		cmocka_unit_test(test_sha256),
		cmocka_unit_test(test_exclude_remote),
		cmocka_unit_test(test_odd_tags),
		cmocka_unit_test(test_partial_clone),
		cmocka_unit_test(test_filter_paths),
		cmocka_unit_test(test_many_requests),
		cmocka_unit_test(test_paths),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
