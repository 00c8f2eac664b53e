/*
 * Small files of the worktree and of commits (lib/repo/source.h), in a repository that real Git
 * made.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "lib/repo/source.h"
#include "tests/unit/git_repo.h"

static struct git_repo r;
static struct store *store;

static int make_repo(void **state)
{
	struct oid oid;

	if (scratch_enter(state) < 0)
		return -1;
	scratch_write("repo/params.yaml", "a: 1\n");
	scratch_write("repo/sub/dvx.yaml", "stages: {}\n");
	scratch_write("repo/sub/deep/dvx.yaml", "stages: {}\n");
	scratch_write("repo/notdvx.yaml", "");
	git_repo_pointer("repo/here.json", "{\"acc\": 1}");
	git_repo_pointer("repo/gone.json", "{\"acc\": 2}");
	if (symlink("/etc", scratch_path("repo/out")) < 0 ||
		symlink("params.yaml", scratch_path("repo/link.yaml")) < 0)
		return -1;
	scratch_git("repo", "init", "-q", NULL);
	scratch_git("repo", "add", "-A", NULL);
	scratch_git("repo", "commit", "-q", "-m", "one", NULL);
	scratch_git("repo", "tag", "v1", NULL);
	scratch_write("repo/params.yaml", "a: 2\n");
	scratch_write("repo/sub/more/metrics.json", "{}");
	scratch_git("repo", "add", "-A", NULL);
	scratch_git("repo", "commit", "-q", "-m", "two", NULL);
	scratch_git("repo", "tag", "-a", "-m", "annotated", "v2", NULL);
	scratch_write("repo/params.yaml", "a: 3\n");
	scratch_write("repo/dvx.yaml", "stages: {}\n");
	git_repo_open(&r, "repo");
	if (store_open(&store, r.g, r.c) < 0)
		return -1;
	return store_put(store, "{\"acc\": 1}", 10, &oid);
}

static int remove_repo(void **state)
{
	store_close(store);
	git_repo_close(&r);
	return scratch_leave(state);
}

/* The content, or the error's message. */
static const char *content(struct source *s, const char *path, size_t most)
{
	static struct buf b;
	int rc;

	buf_reset(&b);
	rc = source_read(s, path, most, &b);
	if (rc < 0)
		assert_int_equal(b.len, 0);
	return rc < 0 ? err_msg() : buf_str(&b);
}

static const char *found(struct source *s, const char *a, const char *b)
{
	static struct buf text;
	const char *const names[] = {a, b, NULL};
	struct strvec v = STRVEC_INIT;

	buf_reset(&text);
	assert_int_equal(source_find(s, names, &v), 0);
	for (size_t i = 0; i < v.n; i++)
		buf_addf(&text, "%s%s", i ? " " : "", v.v[i]);
	strvec_release(&v);
	return buf_str(&text);
}

static void test_worktree(void **state)
{
	uint8_t id[REPO_ID_MAX];
	struct source *s;

	(void)state;
	assert_int_equal(source_worktree(&s, &r.repo, store), 0);
	assert_string_equal(source_name(s), "workspace");
	assert_int_equal(source_is_worktree(s), 1);
	assert_string_equal(content(s, "params.yaml", 100), "a: 3\n");
	assert_string_equal(content(s, "params.yaml", 5), "a: 3\n");
	assert_string_equal(content(s, "params.yaml", 4), "'params.yaml' has more than 4 bytes");
	assert_string_equal(content(s, "none", 100), "no file 'none' in workspace");
	assert_string_equal(content(s, "sub", 100), "no file 'sub' in workspace");
	assert_string_equal(content(s, "params.yaml/x", 9), "no file 'params.yaml/x' in workspace");
	assert_string_equal(content(s, "here.json", 100), "{\"acc\": 1}");
	assert_string_equal(content(s, "here.json", 9), "'here.json' has more than 9 bytes");
	assert_string_equal(content(s, "gone.json", 100),
		"the data of 'gone.json' in workspace is not in the "
		"local store; run 'git dvx pull'");
	assert_int_equal(source_has(s, "params.yaml"), 1);
	assert_int_equal(source_has(s, "sub"), 0);
	assert_int_equal(source_has(s, "sub/deep/dvx.yaml"), 1);
	assert_int_equal(source_has(s, "sub/none/dvx.yaml"), 0);
	assert_int_equal(source_blob(s, "params.yaml", id), 0);
	source_free(s);
}

static void test_worktree_stays_inside(void **state)
{
	static const char *const paths[] = {"out/passwd", "link.yaml", "../repo/params.yaml",
		"/etc/passwd", ".git/config", "", "sub/../params.yaml", "sub//dvx.yaml"};
	struct buf b = BUF_INIT;
	struct source *s;

	(void)state;
	assert_int_equal(source_worktree(&s, &r.repo, NULL), 0);
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		assert_int_equal(source_read(s, paths[i], 1000, &b), ERR_NOTFOUND);
		assert_int_equal(source_has(s, paths[i]), 0);
	}
	assert_int_equal(b.len, 0);
	buf_release(&b);
	source_free(s);
}

static void test_worktree_find(void **state)
{
	struct source *s;

	(void)state;
	assert_int_equal(source_worktree(&s, &r.repo, NULL), 0);
	/* the one at the top is not in the index yet */
	assert_string_equal(found(s, "dvx.yaml", "metrics.json"),
		"dvx.yaml sub/deep/dvx.yaml sub/dvx.yaml sub/more/metrics.json");
	assert_string_equal(found(s, "link.yaml", "none"), "");
	assert_int_equal(unlink(scratch_path("repo/sub/dvx.yaml")), 0);
	assert_string_equal(found(s, "dvx.yaml", "dvc.yaml"), "dvx.yaml sub/deep/dvx.yaml");
	scratch_write("repo/sub/dvx.yaml", "stages: {}\n");
	source_free(s);
}

static void test_trace(void **state)
{
	struct strvec paths = STRVEC_INIT;
	struct source *s;

	(void)state;
	assert_int_equal(source_worktree(&s, &r.repo, NULL), 0);
	source_trace(s, &paths);
	content(s, "params.yaml", 100);
	source_has(s, "none");
	source_trace(s, NULL);
	source_has(s, "another");
	assert_int_equal(paths.n, 2);
	assert_string_equal(paths.v[0], "params.yaml");
	assert_string_equal(paths.v[1], "none");
	strvec_release(&paths);
	source_free(s);
}

/* ---- commits ---- */

static struct source_cache *cache;

static int open_cache(void **state)
{
	(void)state;
	return source_cache_new(&cache, &r.repo, store);
}

static int close_cache(void **state)
{
	(void)state;
	source_cache_free(cache);
	return 0;
}

static struct source *commit(const char *rev)
{
	struct source *s;

	assert_int_equal(source_commit(&s, cache, rev), 0);
	assert_string_equal(source_name(s), rev);
	assert_int_equal(source_is_worktree(s), 0);
	return s;
}

static void test_commits(void **state)
{
	static const char *const names[] = {"params.yaml", "here.json", "none"};
	struct source *v1 = commit("v1"), *v2 = commit("v2"), *tree = commit("HEAD^{tree}");

	(void)state;
	assert_int_equal(source_prefetch(v1, names, 3), 0);
	assert_string_equal(content(v1, "params.yaml", 100), "a: 1\n");
	assert_string_equal(content(v2, "params.yaml", 100), "a: 2\n");
	assert_string_equal(content(tree, "params.yaml", 100), "a: 2\n");
	assert_string_equal(
		content(v1, "sub/more/metrics.json", 9), "no file 'sub/more/metrics.json' in v1");
	assert_string_equal(content(v2, "sub/more/metrics.json", 9), "{}");
	assert_string_equal(content(v2, "sub/more/metrics.json", 1),
		"'sub/more/metrics.json' in v2: it has more than 1 bytes");
	assert_string_equal(content(v1, "here.json", 100), "{\"acc\": 1}");
	assert_string_equal(content(v1, "gone.json", 100),
		"the data of 'gone.json' in v1 is not in the local store; run 'git dvx fetch "
		"--all-commits'");
	assert_string_equal(content(v1, "out/passwd", 9), "no file 'out/passwd' in v1");
	assert_string_equal(content(v1, "sub", 9), "no file 'sub' in v1");
	assert_string_equal(content(v1, "", 9), "no file '' in v1");
	assert_string_equal(content(v1, "link.yaml", 99),
		"no file 'link.yaml' in v1: there is a symbolic link, and links are not followed");
	source_free(v1);
	source_free(v2);
	source_free(tree);
}

static void test_commit_blobs(void **state)
{
	uint8_t a[REPO_ID_MAX], b[REPO_ID_MAX];
	struct source *v1 = commit("v1"), *v2 = commit("v2");

	(void)state;
	assert_int_equal(source_blob(v1, "sub/dvx.yaml", a), 1);
	assert_int_equal(source_blob(v2, "sub/dvx.yaml", b), 1);
	assert_memory_equal(a, b, sizeof a);
	assert_int_equal(source_blob(v1, "params.yaml", a), 1);
	assert_int_equal(source_blob(v2, "params.yaml", b), 1);
	assert_memory_not_equal(a, b, sizeof a);
	assert_int_equal(source_blob(v1, "sub", a), 0);
	assert_int_equal(source_blob(v1, "link.yaml", a), 0);
	assert_int_equal(source_has(v1, "link.yaml"), 0);
	assert_int_equal(source_has(v1, "params.yaml"), 1);
	assert_int_equal(source_has(v1, "sub/more/metrics.json"), 0);
	assert_int_equal(source_has(v2, "sub/more/metrics.json"), 1);
	source_free(v1);
	source_free(v2);
}

static void test_commit_find(void **state)
{
	struct source *v1 = commit("v1"), *v2 = commit("v2");

	(void)state;
	for (int i = 0; i < 2; i++) { /* again: what is remembered with the trees */
		assert_string_equal(
			found(v1, "dvx.yaml", "metrics.json"), "sub/deep/dvx.yaml sub/dvx.yaml");
		assert_string_equal(found(v2, "dvx.yaml", "metrics.json"),
			"sub/deep/dvx.yaml sub/dvx.yaml sub/more/metrics.json");
		assert_string_equal(found(v2, "metrics.json", "none"), "sub/more/metrics.json");
		assert_string_equal(found(v2, "link.yaml", "sub"), "");
	}
	source_free(v1);
	source_free(v2);
}

static void test_unknown_revisions(void **state)
{
	struct source *s;

	(void)state;
	assert_int_equal(source_commit(&s, cache, "v9"), ERR_NOTFOUND);
	assert_string_equal(err_msg(), "unknown revision 'v9'");
	assert_int_equal(source_commit(&s, cache, "v1:params.yaml"), ERR_NOTFOUND);
	assert_string_equal(err_msg(), "'v1:params.yaml' is a file, not a commit or a tree");
	assert_int_equal(source_commit(&s, cache, "--all"), ERR_NOTFOUND);
}

/* Blobs that are too large to be kept, and many of them at once. */
static void test_large_and_many(void **state)
{
	struct strvec paths = STRVEC_INIT;
	struct buf text = BUF_INIT;
	struct source *s;
	char name[64];

	(void)state;
	for (int i = 0; i < 3000; i++) {
		strvec_pushf(&paths, "many/%04d.json", i);
		buf_reset(&text);
		buf_addf(&text, "{\"a\": %d%*s}", i, i % 1000 == 0 ? 100000 : 1, "");
		buf_addf(&text, " ");
		snprintf(name, sizeof name, "repo/many/%04d.json", i);
		scratch_write(name, buf_str(&text));
	}
	scratch_git("repo", "add", "many", NULL);
	scratch_git("repo", "commit", "-q", "-m", "many", NULL);
	s = commit("HEAD");
	assert_int_equal(source_prefetch(s, (const char *const *)paths.v, paths.n), 0);
	for (int i = 0; i < 3000; i++) {
		char want[32];

		snprintf(want, sizeof want, "{\"a\": %d ", i);
		assert_memory_equal(content(s, paths.v[i], 200000), want, strlen(want));
	}
	scratch_git("repo", "reset", "-q", "--hard", "v2", NULL);
	strvec_release(&paths);
	buf_release(&text);
	source_free(s);
}

#define COMMITS(f) cmocka_unit_test_setup_teardown(f, open_cache, close_cache)

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_worktree),
		cmocka_unit_test(test_worktree_stays_inside), cmocka_unit_test(test_worktree_find),
		cmocka_unit_test(test_trace), COMMITS(test_commits), COMMITS(test_commit_blobs),
		COMMITS(test_commit_find), COMMITS(test_unknown_revisions),
		COMMITS(test_large_and_many)};

	return cmocka_run_group_tests(tests, make_repo, remove_repo);
}
