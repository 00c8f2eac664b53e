/*
 * The outcome of a transfer in words.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/base/err.h"
#include "lib/repo/sync.h"

static char gone[] = "object is gone", full[] = "disk full";

static void make(struct sync *s, struct batch_object *v, size_t n)
{
	memset(v, 0, n * sizeof(*v));
	*s = (struct sync){v, n, {0}};
	strcpy(s->result.remote, "storage");
}

static void test_summary(void **state)
{
	struct batch_object v[4];
	struct sync s;
	struct buf out = BUF_INIT;

	(void)state;
	make(&s, v, 4);
	assert_int_equal(sync_summary(&out, &s, BATCH_UPLOAD, 0), 0);
	v[0].state = 1;
	v[0].size = 1024;
	s.result.bytes = 1024;
	assert_int_equal(sync_summary(&out, &s, BATCH_UPLOAD, 0), 1);
	assert_string_equal(buf_str(&out), "1 object, 1.0 KiB pushed to 'storage'");
	v[1].state = 1;
	v[1].size = 1024;
	v[2].state = 2;
	buf_reset(&out);
	assert_int_equal(sync_summary(&out, &s, BATCH_UPLOAD, 0), 1);
	assert_string_equal(buf_str(&out),
		"2 objects, 2.0 KiB pushed to 'storage', 1.0 KiB travelled (1 was there already)");
	v[3].state = 2;
	buf_reset(&out);
	assert_int_equal(sync_summary(&out, &s, BATCH_DOWNLOAD, 1), 1);
	assert_string_equal(buf_str(&out),
		"2 objects, 2.0 KiB would be fetched from 'storage' (2 were there already)");
	buf_release(&out);
}

static void test_failures(void **state)
{
	struct batch_object v[3];
	struct sync s;
	struct buf out = BUF_INIT;
	uint64_t bytes;

	(void)state;
	make(&s, v, 3);
	v[0].state = ERR_NOTFOUND;
	v[0].path = "a.bin";
	v[0].error = gone;
	v[1].state = 1;
	v[1].size = 7;
	v[2].state = ERR_IO;
	v[2].path = "";
	v[2].error = full;
	assert_int_equal(sync_failed(&s), 2);
	assert_int_equal(sync_count(&s, 1, &bytes), 1);
	assert_int_equal(bytes, 7);
	assert_int_equal(sync_failures(&out, &s, BATCH_UPLOAD, 1), 0);
	assert_string_equal(buf_str(&out), "  a.bin: object is gone\n  ... and 1 more\n");
	buf_reset(&out);
	assert_int_equal(sync_failures(&out, &s, BATCH_UPLOAD, 9), 0);
	assert_non_null(strstr(buf_str(&out), "  0000000000"));
	assert_null(strstr(buf_str(&out), "more"));
	buf_release(&out);
}

/* The line has the path; the id is told once; what is damaged here can be mended here. */
static void test_failures_name_once(void **state)
{
	struct batch_object v[2];
	struct sync s;
	struct buf out = BUF_INIT, missing = BUF_INIT, other = BUF_INIT;
	char hex[OID_HEX_LEN + 1];

	(void)state;
	make(&s, v, 2);
	oid_to_hex(hex, &v[0].oid);
	buf_addf(&missing, "object %s (d.bin): object %s is not in the store", hex, hex);
	buf_addf(&other, "object %s: '/x' is damaged", hex);
	v[0].state = ERR_NOTFOUND;
	v[0].path = "d.bin";
	v[0].error = missing.p;
	v[1].state = ERR_CORRUPT;
	v[1].path = "e.bin";
	v[1].error = other.p;
	assert_int_equal(sync_failures(&out, &s, BATCH_UPLOAD, 1), 0);
	assert_non_null(strstr(buf_str(&out), "  d.bin: object 000"));
	assert_non_null(strstr(buf_str(&out), "000 is not in the store\n"));
	assert_null(strstr(buf_str(&out), "(d.bin)"));
	buf_reset(&out);
	v[0].state = 1;
	assert_int_equal(sync_failures(&out, &s, BATCH_UPLOAD, 1), 0);
	assert_string_equal(buf_str(&out),
		"  e.bin: '/x' is damaged; put the right file in place and run 'git add "
		"--renormalize e.bin'\n");
	buf_reset(&out);
	assert_int_equal(sync_failures(&out, &s, BATCH_DOWNLOAD, 1), 0);
	assert_string_equal(buf_str(&out), "  e.bin: '/x' is damaged\n");
	buf_release(&out);
	buf_release(&missing);
	buf_release(&other);
}

static void test_nothing_starts_nothing(void **state)
{
	const struct scan_list empty = SCAN_LIST_INIT;
	const struct batch_options o = {0};
	struct sync s = SYNC_INIT;

	(void)state;
	assert_int_equal(sync_upload(&s, &empty, &o), 0);
	assert_int_equal(s.n, 0);
	sync_release(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_summary),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_failures_name_once),
		cmocka_unit_test(test_nothing_starts_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
