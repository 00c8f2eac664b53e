/*
 * Outputs into the local store and back: what is placed, what is left alone, what is missing, and
 * that nothing is written through a link.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/stat.h>

#include "tests/unit/fingerprint_project.h"

static void test_store_and_restore(void **state)
{
	struct fingerprint was, now;
	struct stat st;

	(void)state;
	put("out/a", "one");
	put("out/sub/b", "two");
	put("out/empty", "");
	assert_int_equal(chmod("out/sub/b", 0755), 0);
	assert_int_equal(symlink("a", "out/l"), 0);
	assert_int_equal(fingerprints_store(p.f, "out", &was), 0);
	put("out/a", "changed");
	put("out/new/c", "superfluous");
	assert_int_equal(unlink("out/l"), 0);
	assert_int_equal(unlink("out/sub/b"), 0);
	assert_int_equal(rmdir("out/sub"), 0);
	assert_int_equal(fingerprints_restore(p.f, "out", &was, 1), 0);
	assert_content("out/a", "changed");
	if (fingerprints_restore(p.f, "out", &was, 0) < 0)
		fail_msg("%s", err_msg());
	now = of("out");
	assert_true(fingerprint_eq(&was, &now));
	assert_content("out/a", "one");
	assert_content("out/sub/b", "two");
	assert_int_equal(stat("out/sub/b", &st), 0);
	assert_int_equal(st.st_mode & 0111, 0111);
	assert_int_equal(lstat("out/new", &st), -1);
	assert_int_equal(lstat("out/l", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
}

static void test_restore_other_kind(void **state)
{
	struct fingerprint file, dir, now;

	(void)state;
	put("f", "a file");
	assert_int_equal(fingerprints_store(p.f, "f", &file), 0);
	put("d/x/y", "a directory");
	assert_int_equal(fingerprints_store(p.f, "d", &dir), 0);
	if (fingerprints_restore(p.f, "d", &file, 0) < 0 ||
		fingerprints_restore(p.f, "f", &dir, 0) < 0)
		fail_msg("%s", err_msg());
	now = of("d");
	assert_true(fingerprint_eq(&now, &file));
	now = of("f");
	assert_true(fingerprint_eq(&now, &dir));
	assert_int_equal(mkdir("e", 0777), 0);
	assert_int_equal(fingerprints_store(p.f, "e", &dir), 0);
	assert_int_equal(fingerprints_restore(p.f, "g/h", &dir, 0), 0);
	assert_int_equal(of("g/h").type, FP_DIR);
}

/* Nothing is changed when an object is not here; it says which. */
static void test_missing(void **state)
{
	struct fingerprint was;
	struct fingerprint_object *v;
	size_t n;

	(void)state;
	put("out/a", "1");
	put("out/b", "2");
	was = of("out");
	assert_int_equal(fingerprints_missing(p.f, "out", &was, &v, &n), 0);
	assert_int_equal(n, 1);
	assert_true(oid_eq(&v[0].oid, &was.oid));
	free(v[0].path);
	free(v);
	assert_int_equal(fingerprints_store_listing(p.f,
				 &(const struct stage_path){.path = (char *)(uintptr_t) "out"}),
		0);
	assert_int_equal(fingerprints_missing(p.f, "out", &was, &v, &n), 0);
	assert_int_equal(n, 2);
	assert_string_equal(v[1].path, "out/b");
	for (size_t i = 0; i < n; i++)
		free(v[i].path);
	free(v);
	put("out/a", "3");
	assert_int_equal(fingerprints_restore(p.f, "out", &was, 0), ERR_NOTFOUND);
	assert_non_null(strstr(err_msg(), "out/a"));
	assert_content("out/a", "3");
}

/* No step through a link, whatever the listing says. */
static void test_restore_through_link(void **state)
{
	struct fingerprint was;

	(void)state;
	put("out/sub/a", "1");
	assert_int_equal(fingerprints_store(p.f, "out", &was), 0);
	assert_int_equal(unlink("out/sub/a"), 0);
	assert_int_equal(rmdir("out/sub"), 0);
	put("../elsewhere/x", "x");
	assert_int_equal(symlink("../../elsewhere", "out/sub"), 0);
	/* the link is superfluous and goes; what it leads to stays empty of us */
	assert_int_equal(fingerprints_restore(p.f, "out", &was, 0), 0);
	assert_content("out/sub/a", "1");
	assert_content("../elsewhere/x", "x");
	assert_int_equal(access("../elsewhere/a", F_OK), -1);
	assert_int_equal(fingerprints_restore(p.f, ".git/hooks", &was, 0), ERR_DENIED);
	assert_int_equal(fingerprints_restore(p.f, "../x", &was, 0), ERR_DENIED);
}

int main(void)
{
#define CASE(t) cmocka_unit_test_setup_teardown(t, enter, leave)
	const struct CMUnitTest tests[] = {CASE(test_store_and_restore),
		CASE(test_restore_other_kind), CASE(test_missing), CASE(test_restore_through_link)};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
