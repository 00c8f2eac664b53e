/*
 * The index reader and the stat patch on indexes built here byte by byte;
 * tests/t0100-index-patch.sh does the same with those of Git itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/worktree/gitindex.h"
#include "tests/unit/index_builder.h"

static int parse(const struct built *x)
{
	struct gitindex *i;
	int rc = gitindex_parse(&i, x->b.p, x->b.len, x->hash_len);

	gitindex_free(i);
	return rc;
}

/* ---- reading ---- */

static int show(const struct gitindex_entry *e, void *data)
{
	assert_int_equal(strlen(e->path), e->path_len);
	assert_int_equal(e->st.ctime_sec, 1);
	assert_int_equal(e->st.mtime_nsec, 4);
	assert_int_equal(e->st.ino, 6);
	assert_int_equal(e->st.uid, 7);
	assert_int_equal(e->st.size, 9);
	return buf_addf(data, "%o %d %d%s%s %s\n", (unsigned)e->mode, e->id[19], e->stage,
		e->skip_worktree ? " skip" : "", e->intent_to_add ? " ita" : "", e->path);
}

static void test_read(void **state)
{
	(void)state;
	for (int version = 2; version <= 4; version++) {
		for (int hash_len = 20; hash_len <= 32; hash_len += 12) {
			struct buf out = BUF_INIT;
			struct gitindex *i;
			struct built x;

			built_sample(&x, version, hash_len);
			assert_int_equal(gitindex_parse(&i, x.b.p, x.b.len, hash_len), 0);
			assert_int_equal(gitindex_count(i), 7);
			assert_int_equal(gitindex_each(i, show, &out), 0);
			assert_string_equal(buf_str(&out),
				version == 2 ? "100644 1 0 a\n100644 2 1 b/conflict\n100644 2 2 "
					       "b/conflict\n100755 3 0 b/f\n"
					       "120000 4 0 b/link\n100644 5 0 c\n100644 5 0 d\n"
					     : "100644 1 0 a\n100644 2 1 b/conflict\n100644 2 2 "
					       "b/conflict\n100755 3 0 b/f\n"
					       "120000 4 0 b/link\n100644 5 0 skip c\n100644 5 0 "
					       "ita d\n");
			gitindex_free(i);
			buf_release(&out);
			buf_release(&x.b);
		}
	}
}

static int stop(const struct gitindex_entry *e, void *data)
{
	(void)data;
	return e->path[0] == 'b' ? 42 : 0;
}

static void test_visitor_stops(void **state)
{
	struct gitindex *i;
	struct built x;

	(void)state;
	built_sample(&x, 4, 20);
	assert_int_equal(gitindex_parse(&i, x.b.p, x.b.len, 20), 0);
	assert_int_equal(gitindex_each(i, stop, NULL), 42);
	gitindex_free(i);
	buf_release(&x.b);
}

static int longest(const struct gitindex_entry *e, void *data)
{
	if (e->path_len > *(size_t *)data)
		*(size_t *)data = e->path_len;
	return 0;
}

static void test_long_names(void **state)
{
	static const size_t lengths[] = {127, 128, 129, 0xffe, 0xfff, 0x1000, 8000};
	char name[8192];

	(void)state;
	for (int version = 2; version <= 4; version++) {
		for (size_t n = 0; n < sizeof lengths / sizeof *lengths; n++) {
			struct gitindex *i;
			struct built x;
			size_t found = 0;

			memset(name, 'n', sizeof name);
			name[lengths[n]] = '\0';
			built_start(&x, version, 20);
			built_add(&x, "a", REGULAR, 0, 1, 0);
			built_add(&x, name, REGULAR, 0, 1, 0);
			built_add(&x, "z", REGULAR, 0, 1, 0);
			built_end(&x);
			assert_int_equal(gitindex_parse(&i, x.b.p, x.b.len, 20), 0);
			assert_int_equal(gitindex_each(i, longest, &found), 0);
			assert_int_equal(found, lengths[n]);
			gitindex_free(i);
			buf_release(&x.b);
		}
	}
}

static void test_missing_file_is_empty(void **state)
{
	struct gitindex *i;

	(void)state;
	assert_int_equal(gitindex_read(&i, "no/such/index", 20), 0);
	assert_int_equal(gitindex_count(i), 0);
	assert_int_equal(gitindex_timestamp(i), 0);
	assert_int_equal(gitindex_each(i, stop, NULL), 0);
	gitindex_free(i);
}

/* ---- bad input ---- */

static void test_every_cut_is_noticed(void **state)
{
	(void)state;
	for (int version = 2; version <= 4; version++) {
		struct gitindex *i;
		struct built x;

		built_start(&x, version, 20);
		built_add(&x, "a", REGULAR, 0, 1, 0);
		built_add(&x, "abc", REGULAR, 0, 1, 0);
		built_add(&x, "b", REGULAR, 0, 1, 0);
		built_end(&x);
		for (size_t len = 0; len < x.b.len; len++)
			assert_int_equal(gitindex_parse(&i, x.b.p, len, 20), ERR_CORRUPT);
		buf_release(&x.b);
	}
}

/* Two entries of which the second is wrong. */
static int parse_two(int version, const char *first, const char *second, int stage)
{
	struct built x;
	int rc;

	built_start(&x, version, 20);
	built_add(&x, first, REGULAR, 0, 1, 0);
	built_add(&x, second, REGULAR, stage, 1, 0);
	built_end(&x);
	rc = parse(&x);
	buf_release(&x.b);
	return rc;
}

static void test_order(void **state)
{
	(void)state;
	for (int version = 2; version <= 4; version++) {
		assert_int_equal(parse_two(version, "a", "b", 0), 0);
		assert_int_equal(parse_two(version, "a", "a", 1), 0);
		assert_int_equal(parse_two(version, "a", "a\xff", 0), 0);
		assert_int_equal(parse_two(version, "z", "\xc3", 0), 0);
		assert_int_equal(parse_two(version, "a", "a", 0), ERR_CORRUPT);
		assert_int_equal(parse_two(version, "b", "a", 0), ERR_CORRUPT);
		assert_int_equal(parse_two(version, "a/b", "a", 0), ERR_CORRUPT);
		assert_int_equal(parse_two(version, "abc", "abb", 0), ERR_CORRUPT);
		assert_int_equal(parse_two(version, "a", "", 0), ERR_CORRUPT);
		assert_int_equal(parse_two(version, "", "a", 0), ERR_CORRUPT);
	}
}

static void test_names_and_flags(void **state)
{
	const size_t flags_at = 12 + 60, name_at = flags_at + 2;
	struct built x;

	(void)state;
	built_start(&x, 2, 20);
	built_add(&x, "abc", REGULAR, 0, 1, 0);
	built_end(&x);
	assert_int_equal(parse(&x), 0);
	x.b.p[name_at + 1] = '\0';
	assert_int_equal(parse(&x), ERR_CORRUPT);
	x.b.p[name_at + 1] = 'b';
	x.b.p[flags_at + 1] = 4;
	assert_int_equal(parse(&x), ERR_CORRUPT);
	be16_put(x.b.p + flags_at, 0x0fff);
	assert_int_equal(parse(&x), 0); /* "at least": as Git, which measures then */
	be16_put(x.b.p + flags_at, 0x4003);
	assert_int_equal(parse(&x), ERR_CORRUPT); /* extended flags in version 2 */
	buf_release(&x.b);

	built_start(&x, 3, 20);
	built_add(&x, "abc", REGULAR, 0, 1, 0x1000);
	built_end(&x);
	assert_int_equal(parse(&x), ERR_UNSUPPORTED);
	buf_release(&x.b);

	built_start(&x, 4, 20);
	built_add(&x, "abc", REGULAR, 0, 1, 0);
	built_end(&x);
	x.b.p[name_at] = 1; /* more to strip than there is */
	assert_int_equal(parse(&x), ERR_CORRUPT);
	memset(x.b.p + name_at, 0xff, x.b.len - name_at);
	assert_int_equal(parse(&x), ERR_CORRUPT);
	buf_release(&x.b);
}

static void test_header(void **state)
{
	struct built x;

	(void)state;
	built_sample(&x, 2, 20);
	be32_put(x.b.p + 4, 5);
	assert_int_equal(parse(&x), ERR_UNSUPPORTED);
	be32_put(x.b.p + 4, 1);
	assert_int_equal(parse(&x), ERR_UNSUPPORTED);
	be32_put(x.b.p + 4, 2);
	be32_put(x.b.p + 8, 0xffffffff);
	assert_int_equal(parse(&x), ERR_CORRUPT);
	be32_put(x.b.p + 8, x.count);
	x.b.p[0] = 'd';
	assert_int_equal(parse(&x), ERR_CORRUPT);
	buf_release(&x.b);
}

static int parse_extension(const char *name, uint32_t claimed)
{
	struct built x;
	int rc;

	built_start(&x, 2, 20);
	built_add(&x, "a", REGULAR, 0, 1, 0);
	built_extension(&x, name, "12345678901234567890", 20);
	be32_put(x.b.p + x.b.len - 24, claimed);
	built_end(&x);
	rc = parse(&x);
	buf_release(&x.b);
	return rc;
}

static void test_extensions(void **state)
{
	(void)state;
	assert_int_equal(parse_extension("ABCD", 20), 0);
	assert_int_equal(parse_extension("sdir", 20), 0);
	assert_int_equal(parse_extension("abcd", 20), ERR_UNSUPPORTED);
	assert_non_null(strstr(err_msg(), "'abcd'"));
	assert_int_equal(parse_extension("1BCD", 20), ERR_UNSUPPORTED);
	assert_int_equal(parse_extension("ABCD", 21), ERR_CORRUPT);
	assert_int_equal(parse_extension("ABCD", 19), ERR_CORRUPT);
	assert_int_equal(parse_extension("ABCD", 0xffffffff), ERR_CORRUPT);
	assert_int_equal(parse_extension("link", 20), ERR_UNSUPPORTED); /* not from memory */
}

/* ---- stat data ---- */

static void test_stat(void **state)
{
	struct stat st = {0};
	struct gitindex_stat s;

	(void)state;
	st.st_ctim.tv_sec = ((time_t)1 << 32) + 5;
	st.st_ctim.tv_nsec = 999999999;
	st.st_mtim.tv_sec = -1;
	st.st_dev = ((dev_t)9 << 32) + 1;
	st.st_ino = ((ino_t)1 << 32) + 2;
	st.st_uid = 3;
	st.st_gid = 4;
	st.st_size = ((off_t)5 << 32) + 6;
	gitindex_stat_fill(&s, &st);
	assert_int_equal(s.ctime_sec, 5);
	assert_int_equal(s.ctime_nsec, 999999999);
	assert_int_equal(s.mtime_sec, 0xffffffff);
	assert_int_equal(s.ino, 2);
	assert_int_equal(s.size, 6);
	assert_int_equal(gitindex_stat_match(&s, &st), 1);
	st.st_ctim.tv_nsec = 1; /* Git looks at whole seconds, and not at the device */
	st.st_dev = 77;
	assert_int_equal(gitindex_stat_match(&s, &st), 1);
	st.st_ino++;
	assert_int_equal(gitindex_stat_match(&s, &st), 0);
	st.st_ino--;
	st.st_size++;
	assert_int_equal(gitindex_stat_match(&s, &st), 0);
	st.st_size--;
	st.st_ctim.tv_sec++;
	assert_int_equal(gitindex_stat_match(&s, &st), 0);
}

static void test_multiples_of_4_gib(void **state)
{
	struct stat st = {0};
	struct gitindex_stat s;

	(void)state;
	st.st_size = (off_t)2 << 32;
	gitindex_stat_fill(&s, &st);
	assert_int_equal(s.size, 0);
	assert_int_equal(gitindex_stat_match(&s, &st), 1);
	s.size = 0x80000000; /* as Git 2.43 stores it */
	assert_int_equal(gitindex_stat_match(&s, &st), 1);
	st.st_size = 0;
	assert_int_equal(gitindex_stat_match(&s, &st), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_visitor_stops),
		cmocka_unit_test(test_long_names),
		cmocka_unit_test(test_missing_file_is_empty),
		cmocka_unit_test(test_every_cut_is_noticed),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_names_and_flags),
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_extensions),
		cmocka_unit_test(test_stat),
		cmocka_unit_test(test_multiples_of_4_gib),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
