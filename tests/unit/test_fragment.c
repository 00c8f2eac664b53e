/*
 * Index fragments: what was put in is found, everything else is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/store/fragment.h"

static struct oid id_of(uint32_t n)
{
	struct oid id;

	oid_of(&id, &n, sizeof n);
	return id;
}

/* `n` objects, each of 1 + i % 3 extents alternating between two packs. */
static void make(struct buf *out, struct oid *name, uint32_t n)
{
	struct fragment_writer *w;
	uint32_t a, b, same;
	struct oid id;

	assert_int_equal(fragment_writer_new(&w), 0);
	id = id_of(1000001);
	assert_int_equal(fragment_writer_pack(w, &id, 1 << 26, &a), 0);
	assert_int_equal(fragment_writer_pack(w, &id, 1 << 26, &same), 0);
	assert_int_equal(a, same);
	id = id_of(1000002);
	assert_int_equal(fragment_writer_pack(w, &id, 1 << 26, &b), 0);
	for (uint32_t i = 0; i < n; i++) {
		struct fragment_extent x[3] = {
			{a, 16 + i * 100, 100}, {b, 16 + i * 200, 150}, {a, 16 + i * 300, 99}};

		id = id_of(i);
		assert_int_equal(fragment_writer_object(w, &id, 1000 + i, x, 1 + i % 3), 0);
		assert_int_equal(fragment_writer_object(w, &id, 5, x, 1), 0); /* ignored */
	}
	assert_int_equal(fragment_writer_count(w), n);
	assert_int_equal(fragment_writer_finish(w, out, name), 0);
	fragment_writer_free(w);
}

static void check_content(const struct fragment *f, uint32_t n)
{
	struct fragment_object o;
	struct fragment_extent x;
	struct oid id, pack;
	uint64_t size;

	assert_int_equal(fragment_count(f), n);
	assert_int_equal(fragment_packs(f), 2);
	fragment_pack_at(f, 1, &pack, &size);
	id = id_of(1000002);
	assert_true(oid_eq(&pack, &id));
	assert_int_equal(size, 1 << 26);
	for (uint32_t i = 0; i < n; i++) {
		id = id_of(i);
		assert_int_equal(fragment_find(f, &id, &o), 1);
		assert_int_equal(o.size, 1000 + i);
		assert_int_equal(o.n_extents, 1 + i % 3);
		fragment_extent_at(&o, o.n_extents - 1, &x);
		assert_int_equal(x.pack, i % 3 == 1);
		assert_int_equal(x.offset, 16 + i * 100 * (1 + i % 3));
	}
	id = id_of(n);
	assert_int_equal(fragment_find(f, &id, &o), 0);
}

static void test_round_trip(void **state)
{
	static const uint32_t counts[] = {0, 1, 2, 1000};

	(void)state;
	for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
		struct buf out = BUF_INIT, again = BUF_INIT;
		struct oid name, same;
		struct fragment *f;

		make(&out, &name, counts[i]);
		make(&again, &same, counts[i]);
		assert_true(oid_eq(&name, &same));
		oid_of(&same, out.p, out.len);
		assert_true(oid_eq(&name, &same));
		assert_int_equal(fragment_parse(&f, out.p, out.len), 0);
		check_content(f, counts[i]);
		fragment_free(f);
		buf_release(&out);
		buf_release(&again);
	}
}

static void test_open_maps_a_file(void **state)
{
	struct buf out = BUF_INIT, path = BUF_INIT;
	struct fragment *f;
	struct oid name;
	int fd;

	(void)state;
	make(&out, &name, 77);
	fd = fs_tempfile(&path, "/tmp/dvx-test-fragment-");
	assert_true(fd >= 0);
	assert_int_equal(fs_write_full(fd, out.p, out.len), 0);
	assert_int_equal(fragment_open(&f, path.p), 0);
	check_content(f, 77);
	fragment_free(f);
	assert_int_equal(ftruncate(fd, (off_t)out.len - 1), 0);
	assert_int_equal(fragment_open(&f, path.p), ERR_CORRUPT);
	assert_non_null(strstr(err_msg(), path.p));
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(fragment_open(&f, path.p), ERR_CORRUPT);
	close(fd);
	unlink(path.p);
	assert_int_equal(fragment_open(&f, path.p), ERR_NOTFOUND);
	buf_release(&out);
	buf_release(&path);
}

static void test_neighbours_are_joined(void **state)
{
	struct fragment_extent x[4] = {{0, 16, 100}, {0, 116, 60}, {0, 176, 70}, {0, 16, 100}};
	struct fragment_object o;
	struct buf out = BUF_INIT;
	struct fragment_writer *w;
	struct oid id = id_of(1);
	struct fragment *f;
	uint32_t pack;

	(void)state;
	assert_int_equal(fragment_writer_new(&w), 0);
	assert_int_equal(fragment_writer_pack(w, &id, 4096, &pack), 0);
	assert_int_equal(fragment_writer_object(w, &id, 900, x, 4), 0);
	assert_int_equal(fragment_writer_finish(w, &out, &id), 0);
	assert_int_equal(fragment_parse(&f, out.p, out.len), 0);
	fragment_at(f, 0, &o);
	assert_int_equal(o.n_extents, 2);
	fragment_extent_at(&o, 0, &x[0]);
	assert_int_equal(x[0].length, 230);
	fragment_free(f);
	fragment_writer_free(w);
	buf_release(&out);
}

/* Sorting moves the objects; they are known afterwards as before. */
static void test_writer_goes_on_after_the_end(void **state)
{
	struct fragment_extent x = {0, 16, 100};
	struct buf out = BUF_INIT;
	struct fragment_writer *w;
	struct oid id = id_of(0);
	struct fragment *f;
	uint32_t pack;

	(void)state;
	assert_int_equal(fragment_writer_new(&w), 0);
	assert_int_equal(fragment_writer_pack(w, &id, 4096, &pack), 0);
	for (int round = 1; round <= 2; round++) {
		for (int i = 0; i < 100 * round; i++) {
			id = id_of(i);
			assert_int_equal(fragment_writer_object(w, &id, 900, &x, 1), 0);
		}
		assert_int_equal(fragment_writer_count(w), 100 * round);
		buf_reset(&out);
		assert_int_equal(fragment_writer_finish(w, &out, &id), 0);
		assert_int_equal(fragment_parse(&f, out.p, out.len), 0);
		assert_int_equal(fragment_count(f), 100 * round);
		fragment_free(f);
	}
	fragment_writer_free(w);
	buf_release(&out);
}

static void test_writer_refuses_nonsense(void **state)
{
	struct fragment_extent outside = {0, 4000, 100}, unknown = {7, 16, 100};
	struct fragment_writer *w;
	struct oid id = id_of(1);
	uint32_t pack;

	(void)state;
	assert_int_equal(fragment_writer_new(&w), 0);
	assert_int_equal(fragment_writer_pack(w, &id, 4096, &pack), 0);
	assert_int_equal(fragment_writer_object(w, &id, 10, &outside, 1), ERR_INVALID);
	assert_int_equal(fragment_writer_object(w, &id, 10, &unknown, 1), ERR_INVALID);
	assert_int_equal(fragment_writer_object(w, &id, 10, NULL, 0), ERR_INVALID);
	assert_int_equal(fragment_writer_count(w), 0);
	fragment_writer_free(w);
}

static void test_every_flipped_bit_is_noticed(void **state)
{
	struct buf out = BUF_INIT;
	struct fragment *f;
	struct oid name;

	(void)state;
	make(&out, &name, 20);
	for (size_t bit = 0; bit < out.len * 8; bit++) {
		out.p[bit / 8] = (char)(out.p[bit / 8] ^ 1 << bit % 8);
		if (fragment_parse(&f, out.p, out.len) >= 0)
			fail_msg("flip of bit %zu went unnoticed", bit);
		out.p[bit / 8] = (char)(out.p[bit / 8] ^ 1 << bit % 8);
	}
	for (size_t len = 0; len < out.len; len++)
		assert_true(fragment_parse(&f, out.p, len) < 0);
	buf_release(&out);
}

static void test_later_versions_are_named(void **state)
{
	struct buf out = BUF_INIT;
	struct fragment *f;
	struct oid name;

	(void)state;
	make(&out, &name, 1);
	out.p[7] = 9;
	assert_int_equal(fragment_parse(&f, out.p, out.len), ERR_UNSUPPORTED);
	assert_non_null(strstr(err_msg(), "version 9"));
	buf_release(&out);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_open_maps_a_file),
		cmocka_unit_test(test_neighbours_are_joined),
		cmocka_unit_test(test_writer_goes_on_after_the_end),
		cmocka_unit_test(test_writer_refuses_nonsense),
		cmocka_unit_test(test_every_flipped_bit_is_noticed),
		cmocka_unit_test(test_later_versions_are_named),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
