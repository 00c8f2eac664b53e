/*
 * The book-keeping of an upload: packs, chunks and extents that grow.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "transfer/blob/packtable.c" /* programs have no archive to link against */

static struct oid id_of(uint64_t n)
{
	struct oid id;

	oid_of(&id, &n, sizeof(n));
	return id;
}

static void chunks_stay_where_they_were_first(void **state)
{
	struct packtable t = {0};
	struct fragment_extent at = {.pack = 0, .offset = 16, .length = 100}, found;

	(void)state;
	for (uint64_t i = 0; i < 20000; i++) {
		struct oid id = id_of(i % 10000);

		at.offset = (uint32_t)i;
		assert_int_equal(packtable_add_chunk(&t, &id, &at), 0);
	}
	for (uint64_t i = 0; i < 10000; i++) {
		struct oid id = id_of(i);

		assert_int_equal(packtable_find(&t, &id, &found), 1);
		assert_int_equal(found.offset, i);
	}
	at.offset = 0;
	assert_int_equal(packtable_find(&t, &(struct oid){{1}}, &found), 0);
	packtable_release(&t);
}

static void packs_are_known_once_named(void **state)
{
	struct packtable t = {0};
	struct oid name = id_of(1);

	(void)state;
	assert_int_equal(packtable_begin(&t), 0);
	assert_int_equal(packtable_begin(&t), 1);
	assert_int_equal(packtable_has(&t, &name), 0);
	assert_int_equal(packtable_name(&t, 1, &name, 99), 0);
	assert_int_equal(packtable_has(&t, &name), 1);
	assert_int_equal(t.packs[1].size, 99);
	packtable_release(&t);
}

static void the_chunks_of_a_pack_are_learnt(void **state)
{
	struct packtable t = {0};
	struct pack_entry entries[3];
	struct pack_index *x = NULL;
	struct buf tail = BUF_INIT;
	struct fragment_extent at;
	struct oid name = id_of(5), third = id_of(102);
	uint64_t need;

	(void)state;
	for (uint32_t i = 0; i < 3; i++)
		entries[i] = (struct pack_entry){.id = id_of(100 + i),
			.offset = PACK_HEADER_LEN + i * 148,
			.raw_len = 100,
			.stored_len = 100};
	assert_int_equal(pack_index_encode(&tail, entries, 3, PACK_HEADER_LEN + 3 * 148), 0);
	assert_int_equal(
		pack_index_parse(&x, tail.p, tail.len, PACK_HEADER_LEN + 3 * 148 + tail.len, &need),
		0);
	assert_int_equal(packtable_add(&t, &name, 1000, x, 0), 1);
	assert_int_equal(packtable_add(&t, &name, 1000, x, 0), 0);
	assert_int_equal(packtable_find(&t, &third, &at), 1);
	assert_int_equal(at.offset, PACK_HEADER_LEN + 2 * 148);
	assert_int_equal(at.length, 148);
	pack_index_free(x);
	buf_release(&tail);
	packtable_release(&t);
}

static void adjacent_extents_are_joined(void **state)
{
	struct extents x = {0};
	static const struct fragment_extent in[] = {
		{0, 16, 100}, {0, 116, 50}, {1, 166, 10}, {1, 176, 10}, {1, 200, 10}, {1, 190, 10}};

	(void)state;
	for (size_t i = 0; i < sizeof(in) / sizeof(in[0]); i++)
		assert_int_equal(extents_add(&x, &in[i]), 0);
	assert_int_equal(x.n, 4);
	assert_int_equal(x.v[0].length, 150);
	assert_int_equal(x.v[1].length, 20);
	assert_int_equal(x.v[2].offset, 200);
	assert_int_equal(x.v[3].offset, 190);
	extents_release(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chunks_stay_where_they_were_first),
		cmocka_unit_test(packs_are_known_once_named),
		cmocka_unit_test(the_chunks_of_a_pack_are_learnt),
		cmocka_unit_test(adjacent_extents_are_joined),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
