/*
 * One data file of one state (lib/repo/datafile.h), in a repository that real Git made: pointers,
 * blobs and files, as content.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "lib/repo/datafile.h"
#include "tests/unit/git_repo.h"

enum { LARGE = 200 * 1000 };

static struct git_repo r;
static struct store *store;
static char large[LARGE + 1];

static int make_repo(void **state)
{
	struct oid oid;

	if (scratch_enter(state) < 0)
		return -1;
	memset(large, 'x', LARGE);
	scratch_write("repo/plain.csv", "a,b\n1,2\n");
	scratch_write("repo/-odd \"name\"\n.csv", "odd\n");
	scratch_write("repo/:(glob)x", "magic\n");
	scratch_write("repo/dir/file", "x");
	git_repo_pointer("repo/small.csv", "a\n1\n");
	git_repo_pointer("repo/large.csv", large);
	git_repo_pointer("repo/gone.csv", "gone");
	git_repo_pointer("repo/empty.csv", "");
	scratch_write("repo/huge.bin", large);
	if (symlink("plain.csv", scratch_path("repo/link")) < 0)
		return -1;
	scratch_git("repo", "init", "-q", NULL);
	scratch_git("repo", "add", "-A", NULL);
	scratch_git("repo", "commit", "-q", "-m", "one", NULL);
	scratch_write("repo/plain.csv", "a,b\n1,3\n");
	scratch_write("repo/new.csv", "");
	git_repo_open(&r, "repo");
	if (store_open(&store, r.g, r.c) < 0 || store_put(store, "a\n1\n", 4, &oid) < 0)
		return -1;
	return store_put(store, large, LARGE, &oid);
}

static int remove_repo(void **state)
{
	store_close(store);
	git_repo_close(&r);
	return scratch_leave(state);
}

static const char *content(const struct datafile *f)
{
	static struct buf b;
	uint64_t size;
	int fd;

	buf_reset(&b);
	if (datafile_open(&fd, &size, f, &r.repo, store) < 0)
		return err_msg();
	assert_int_equal(buf_read_fd(&b, fd), 0);
	assert_int_equal(b.len, size);
	close(fd);
	return buf_str(&b);
}

static const char *at(const char *rev, const char *path, enum datafile_kind kind)
{
	struct datafile f;

	assert_int_equal(datafile_find(&f, &r.repo, rev, path), 0);
	assert_int_equal(f.kind, kind);
	return content(&f);
}

static void a_commit(void **state)
{
	(void)state;
	assert_string_equal(at("HEAD", "plain.csv", DATAFILE_GIT), "a,b\n1,2\n");
	assert_string_equal(at("HEAD", "small.csv", DATAFILE_OBJECT), "a\n1\n");
	assert_string_equal(at("HEAD", "large.csv", DATAFILE_OBJECT), large);
	assert_string_equal(at("HEAD", "huge.bin", DATAFILE_GIT), large);
	assert_string_equal(at("HEAD^{tree}", "dir/file", DATAFILE_GIT), "x");
	assert_string_equal(at("HEAD", "empty.csv", DATAFILE_OBJECT), "");
	assert_string_equal(at("HEAD", "-odd \"name\"\n.csv", DATAFILE_GIT), "odd\n");
	assert_string_equal(at("HEAD", ":(glob)x", DATAFILE_GIT), "magic\n");
	assert_non_null(strstr(at("HEAD", "new.csv", DATAFILE_NONE), "there is no file 'new.csv'"));
}

static void the_worktree(void **state)
{
	(void)state;
	assert_string_equal(at(NULL, "plain.csv", DATAFILE_WORKTREE), "a,b\n1,3\n");
	assert_string_equal(at(NULL, "small.csv", DATAFILE_OBJECT), "a\n1\n");
	assert_string_equal(at(NULL, "new.csv", DATAFILE_WORKTREE), "");
	at(NULL, "no/such", DATAFILE_NONE);
	at(NULL, "plain.csv/below", DATAFILE_NONE);
	at(NULL, "../outside", DATAFILE_NONE);
}

static void what_is_no_file(void **state)
{
	struct datafile f;

	(void)state;
	assert_int_equal(datafile_find(&f, &r.repo, "HEAD", "dir"), ERR_INVALID);
	assert_int_equal(datafile_find(&f, &r.repo, "HEAD", "link"), ERR_INVALID);
	assert_int_equal(datafile_find(&f, &r.repo, NULL, "dir"), ERR_INVALID);
	assert_int_equal(datafile_find(&f, &r.repo, NULL, "link"), ERR_INVALID);
	assert_int_equal(datafile_find(&f, &r.repo, "v9", "plain.csv"), ERR_NOTFOUND);
	assert_non_null(strstr(err_msg(), "v9"));
}

static void here_and_absent(void **state)
{
	struct datafile f;
	uint64_t size;
	int fd;

	(void)state;
	assert_int_equal(datafile_find(&f, &r.repo, "HEAD", "large.csv"), 0);
	assert_int_equal(f.size, LARGE);
	assert_int_equal(datafile_is_here(&f, store), 1);
	assert_int_equal(datafile_fetch(&f, 1, &r.repo, store, NULL), 0);
	assert_int_equal(datafile_open(&fd, &size, &f, &r.repo, store), 0);
	assert_int_equal(size, LARGE);
	assert_int_equal(write(fd, "y", 1), -1); /* the store's own file */
	close(fd);
	assert_int_equal(datafile_find(&f, &r.repo, "HEAD", "gone.csv"), 0);
	assert_int_equal(datafile_is_here(&f, store), 0);
	assert_int_equal(datafile_open(&fd, &size, &f, &r.repo, store), ERR_NOTFOUND);
	assert_int_equal(fd, -1);
	assert_non_null(strstr(err_msg(), "'gone.csv'"));
	assert_non_null(strstr(err_msg(), "git dvx fetch"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_commit),
		cmocka_unit_test(the_worktree),
		cmocka_unit_test(what_is_no_file),
		cmocka_unit_test(here_and_absent),
	};

	return cmocka_run_group_tests(tests, make_repo, remove_repo);
}
