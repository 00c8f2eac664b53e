/*
 * Packs of blobs that Git itself must accept.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/repo/gitpack.h"
#include "lib/store/oid.h"
#include "tests/unit/git_repo.h"

static const size_t sizes[] = {0, 1, 15, 16, 130, 2047, 2048, 2049, 40000};
enum { N_SIZES = sizeof sizes / sizeof sizes[0] };

/* Content of length `len`, different for each `seed`. */
static void fill(char *out, size_t len, unsigned seed)
{
	for (size_t i = 0; i < len; i++)
		out[i] = (char)(seed = seed * 1103515245 + 12345);
}

static int compare(size_t i, enum git_type type, const void *data, size_t len, void *arg)
{
	static char content[65536];

	(void)arg;
	assert_int_equal(type, GIT_BLOB);
	assert_int_equal(len, sizes[i % N_SIZES]);
	fill(content, len, (unsigned)i);
	assert_memory_equal(data, content, len);
	return 0;
}

/* `count` blobs through a pack into a repository, and back. */
static void round_trip(const char *name, const char *format, uint32_t count)
{
	static char content[65536];
	struct git_object *o = calloc(count, sizeof *o);
	const struct buf *bytes;
	struct gitpack *p;
	struct git_repo r;

	scratch_git(".", "init", "-q", format, name, NULL);
	git_repo_open(&r, name);
	assert_int_equal(gitpack_new(&p, count, r.repo.hash_len), 0);
	for (uint32_t i = 0; i < count; i++) {
		fill(content, sizes[i % N_SIZES], i);
		assert_int_equal(gitpack_add(p, content, sizes[i % N_SIZES]), 0);
		githash_blob(o[i].id, r.repo.hash_len, content, sizes[i % N_SIZES]);
	}
	assert_int_equal(gitpack_finish(p, &bytes), 0);
	assert_int_equal(gitpack_store(&r.repo, bytes, count), 0);
	gitpack_free(p);
	scratch_git(name, "fsck", "--strict", NULL);
	assert_int_equal(git_objects_read(&r.repo, o, count, compare, NULL), 0);
	free(o);
	git_repo_close(&r);
}

static void test_round_trips(void **state)
{
	(void)state;
	round_trip("few", "--object-format=sha1", N_SIZES); /* loose */
	round_trip("many", "--object-format=sha1", 60 * N_SIZES);
	round_trip("many256", "--object-format=sha256", 60 * N_SIZES);
}

static void test_wrong_count(void **state)
{
	const struct buf *bytes;
	struct gitpack *p;

	(void)state;
	assert_int_equal(gitpack_new(&p, 2, 20), 0);
	assert_int_equal(gitpack_add(p, "x", 1), 0);
	assert_int_equal(gitpack_finish(p, &bytes), ERR_INVALID);
	gitpack_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trips),
		cmocka_unit_test(test_wrong_count),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
