/*
 * What is read of rclone: URLs, listings, features, errors.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/err.h"
#include "transfer/rclone/rclone_text.c"

static void test_places(void **state)
{
	static const struct {
		const char *url, *remote, *path, *file;
	} good[] = {
		{"rclone://drive:data", "drive", "data", "drive:data/format"},
		{"rclone://drive:", "drive", "", "drive:format"},
		{"RCLONE://my drive:/", "my drive", "/", "my drive:/format"},
		{"rclone://a.b_c+d@e-f:x//", "a.b_c+d@e-f", "x", "a.b_c+d@e-f:x/format"},
		{"rclone://d:/a:b,c=d/-e", "d", "/a:b,c=d/-e", "d:/a:b,c=d/-e/format"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct rclone_place p;
		struct buf file = BUF_INIT;

		assert_int_equal(rclone_place_parse(&p, good[i].url), 0);
		assert_string_equal(p.remote, good[i].remote);
		assert_string_equal(p.path, good[i].path);
		assert_int_equal(rclone_place_file(&file, &p, "format"), 0);
		assert_string_equal(file.p, good[i].file);
		buf_release(&file);
		rclone_place_release(&p);
	}
}

static void test_refused_places(void **state)
{
	static const char *const bad[] = {"rclone://", "rclone://x", "rclone://x/y",
		"rclone://x/y:z", "rclone://:local:/x", "rclone://:sftp,ssh='touch x':y",
		"rclone://x,ssh=y:z", "rclone://x=y:z", "rclone://-x:y", "rclone:// x:y",
		"rclone://x :y", "rclone://x$y:z", "rclone://x\n:y", "rclone://x:y\nz",
		"rclone://x:\x7f", "s3://x:y", ""};
	struct rclone_place p;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(rclone_place_parse(&p, bad[i]), ERR_INVALID);
		assert_null(p.remote);
		rclone_place_release(&p);
	}
}

static int item(struct rclone_item *out, const char *text)
{
	return rclone_item_parse(out, text, strlen(text));
}

static void test_items(void **state)
{
	struct rclone_item i;

	(void)state;
	assert_int_equal(
		item(&i, "{\"Path\":\"ab/x.pack\",\"Name\":\"x.pack\",\"Size\":67108864,"
			 "\"ModTime\":\"2026-11-21T02:05:17.983275766Z\",\"IsDir\":false},"),
		1);
	assert_string_equal(i.path, "ab/x.pack");
	assert_int_equal(i.size, 67108864);
	assert_int_equal(i.mtime, 1795226717);
	free(i.path);
	/* with a zone, and pretty as --stat prints it */
	assert_int_equal(item(&i, "{\n\t\"Path\": \"\\\"\\n\",\n\t\"Size\": 0,\n\t\"ModTime\": "
				  "\"2026-11-21T03:05:17+01:00\",\n\t\"IsDir\": false\n}\n"),
		1);
	assert_string_equal(i.path, "\"\n");
	assert_int_equal(i.mtime, 1795226717);
	free(i.path);
	/* --no-modtime */
	assert_int_equal(item(&i, "{\"Path\":\"a\",\"Size\":1,\"ModTime\":\"\"}"), 1);
	assert_int_equal(i.mtime, 0);
	free(i.path);
}

static void test_no_items(void **state)
{
	static const char *const nothing[] = {"", "[", "]", "null", "null\n", "  ", ",",
		"{\"Path\":\"d\",\"Size\":-1,\"IsDir\":true}",
		"{\"Path\":\"doc\",\"Size\":-1,\"IsDir\":false}"};
	static const char *const bad[] = {"{", "x", "{}", "[1]", "{\"Path\":1,\"Size\":1}",
		"{\"Path\":\"a\"}", "{\"Path\":\"a\",\"Size\":\"1\"}",
		"{\"Path\":\"a\",\"Size\":1e300}", "{\"Path\":\"a\",\"Size\":1,\"ModTime\":\"x\"}"};
	struct rclone_item i;
	char *deep = malloc(RCLONE_LINE_MAX + 2);

	(void)state;
	for (size_t k = 0; k < sizeof(nothing) / sizeof(nothing[0]); k++)
		assert_int_equal(item(&i, nothing[k]), 0);
	for (size_t k = 0; k < sizeof(bad) / sizeof(bad[0]); k++)
		assert_int_equal(item(&i, bad[k]), ERR_CORRUPT);
	assert_non_null(deep);
	memset(deep, '{', RCLONE_LINE_MAX + 1);
	assert_int_equal(rclone_item_parse(&i, deep, RCLONE_LINE_MAX + 1), ERR_CORRUPT);
	assert_int_equal(rclone_item_parse(&i, deep, 5000), ERR_CORRUPT);
	free(deep);
}

static int class_of(const char *text)
{
	return rclone_class_parse(text, strlen(text));
}

static void test_classes(void **state)
{
	(void)state;
	assert_int_equal(
		class_of("{\"Features\":{\"BucketBased\":true,\"Move\":false}}"), RCLONE_WHOLE);
	assert_int_equal(
		class_of("{\"Features\":{\"BucketBased\":false,\"Move\":true}}"), RCLONE_RENAME);
	assert_int_equal(class_of("{\"Features\":{}}"), RCLONE_IN_PLACE);
	assert_int_equal(class_of("{\"Features\":1}"), ERR_CORRUPT);
	assert_int_equal(class_of(""), ERR_CORRUPT);
	assert_int_equal(class_of("[]"), ERR_CORRUPT);
}

static void test_failures(void **state)
{
	static const struct {
		int status;
		const char *log;
		int code;
		const char *words; /* in the message */
		const char *not_in;
	} cases[] = {
		{3, "2026/11/21 02:05:18 Failed to lsjson: directory not found\n", ERR_NOTFOUND,
			"no such file", "2026"},
		{4, "", ERR_NOTFOUND, "no such file", NULL},
		{1, "2026/11/21 02:00:37 Failed to cat: didn't find section in config file\n",
			ERR_INVALID, "no section 'r' in rclone's configuration", NULL},
		{1,
			"2026/11/21 02:05:18 ERROR : x\n2026/11/21 02:05:18 Failed to cat with 2 "
			"errors: "
			"last error was: AccessDenied: no\n\tstatus code: 403",
			ERR_DENIED, "'AccessDenied: no; \tstatus code: 403'", "Failed"},
		{1,
			"2026/11/21 02:05:18 Failed to cat: RequestError\ncaused by: Get "
			"\"http://h/b?X-Amz-Signature=hush&y\": dial tcp: connection refused\n",
			ERR_REMOTE, "?…\": dial tcp: connection refused'", "hush"},
		{1, "write: no space left on device", ERR_IO, "rclone about r:", NULL},
		{1, "", ERR_REMOTE, "(nothing)", NULL},
		{137, "", ERR_REMOTE, "killed by signal 9", NULL},
		{7, "2026/11/21 02:05:18 Failed to cat: account suspended", ERR_DENIED, "suspended",
			NULL},
		{8, "", ERR_LIMIT, "limit", NULL},
		{1, "2026/11/21 02:08:25 Fatal error: unknown flag: --x", ERR_UNSUPPORTED, "1.60",
			NULL},
	};
	const struct rclone_place p = {(char *)"r", (char *)""};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int rc = rclone_failure(&p, "cannot do it", cases[i].status, cases[i].log);

		assert_int_equal(rc, cases[i].code);
		assert_non_null(strstr(err_msg(), "cannot do it: "));
		if (!strstr(err_msg(), cases[i].words))
			fail_msg("no '%s' in '%s'", cases[i].words, err_msg());
		if (cases[i].not_in)
			assert_null(strstr(err_msg(), cases[i].not_in));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_refused_places),
		cmocka_unit_test(test_items),
		cmocka_unit_test(test_no_items),
		cmocka_unit_test(test_classes),
		cmocka_unit_test(test_failures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
