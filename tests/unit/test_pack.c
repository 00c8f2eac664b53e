/*
 * Packs: what goes in comes out, damage anywhere is noticed, a torn end loses nothing before it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/store/pack.h"

static uint64_t seed = 1;

static uint32_t random32(void)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33);
}

enum content { NOISE, TEXT, FLOATS };

static void fill(uint8_t *p, size_t len, enum content kind)
{
	for (size_t i = 0; i < len; i++)
		p[i] = kind == TEXT ? (uint8_t)("id,name,value\n"[i % 14] + (random32() % 64 == 0))
				    : (uint8_t)random32();
	for (size_t i = 3; kind == FLOATS && i < len; i += 4)
		p[i] = 0x3f;
}

static void round_trip(enum content kind, size_t len, int expect_codec)
{
	uint8_t *raw = malloc(len), *back = malloc(len);
	struct buf out = BUF_INIT;
	struct pack_codec_ctx *c;
	struct pack_entry e;
	struct oid id;

	fill(raw, len, kind);
	oid_of(&id, raw, len);
	assert_int_equal(pack_codec_new(&c), 0);
	assert_int_equal(pack_entry_encode(c, &out, &id, raw, len), 0);
	assert_int_equal(pack_entry_parse(&e, out.p, out.len), 0);
	assert_true(oid_eq(&e.id, &id));
	assert_int_equal(e.raw_len, len);
	assert_int_equal(e.stored_len + PACK_ENTRY_HEADER_LEN, out.len);
	if (expect_codec >= 0)
		assert_int_equal(e.codec, expect_codec);
	assert_int_equal(pack_entry_decode(c, &e, out.p + PACK_ENTRY_HEADER_LEN, back, 1), 0);
	assert_memory_equal(raw, back, len);
	pack_codec_free(c);
	buf_release(&out);
	free(raw);
	free(back);
}

static void test_entry_round_trips(void **state)
{
	static const size_t sizes[] = {1, 2, 47, 600, 32 * 1024 - 1, 32 * 1024, 64 * 1024 + 1,
		PACK_ENTRY_RAW_MAX - 1, PACK_ENTRY_RAW_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		round_trip(NOISE, sizes[i], PACK_RAW);
		round_trip(TEXT, sizes[i], sizes[i] >= 600 ? PACK_ZSTD : -1);
		round_trip(FLOATS, sizes[i], sizes[i] >= 64 * 1024 ? PACK_ZSTD_GROUP4 : -1);
	}
}

static void test_entry_limits(void **state)
{
	static uint8_t raw[PACK_ENTRY_RAW_MAX + 1];
	struct pack_codec_ctx *c;
	struct buf out = BUF_INIT;

	(void)state;
	assert_int_equal(pack_codec_new(&c), 0);
	assert_int_equal(pack_entry_encode(c, &out, &oid_of_empty, raw, 0), ERR_INVALID);
	assert_int_equal(pack_entry_encode(c, &out, &oid_of_empty, raw, sizeof raw), ERR_LIMIT);
	assert_int_equal(out.len, 0);
	buf_release(&out);
	pack_codec_free(c);
}

/* A sealed pack with `n` entries of mixed content in a memory file; its bytes on the heap. */
static uint8_t *make_pack(size_t n, size_t *size, int *fd_out, struct oid *name)
{
	static uint8_t raw[3000];
	int fd = memfd_create("pack", 0);
	struct pack_writer *w;
	uint64_t total;
	uint8_t *bytes;

	assert_true(fd >= 0);
	assert_int_equal(pack_writer_new(&w, fd), 0);
	for (size_t i = 0; i < n; i++) {
		size_t len = 1 + random32() % sizeof raw;
		struct oid id;

		fill(raw, len, (enum content)(i % 3));
		oid_of(&id, raw, len);
		assert_int_equal(pack_writer_add(w, &id, raw, len, NULL), 0);
	}
	assert_int_equal(pack_writer_finish(w, name, &total), 0);
	pack_writer_free(w);
	bytes = malloc(total);
	assert_int_equal(fs_pread_full(fd, bytes, total + 1, 0), total);
	*size = total;
	*fd_out = fd;
	return bytes;
}

/* What a reader does with a whole pack: header, index, then every entry.  0 only if nothing is
 * wrong. */
static int check_pack(const uint8_t *p, size_t size, size_t expect)
{
	static uint8_t raw[PACK_ENTRY_RAW_MAX];
	struct pack_codec_ctx *c = NULL;
	struct pack_index *x = NULL;
	uint64_t need;
	int rc = pack_header_check(p, size);

	if (rc < 0 || (rc = pack_index_parse(&x, p, size, size, &need)) < 0)
		return rc;
	rc = pack_codec_new(&c);
	if (pack_index_count(x) != expect)
		rc = ERR_CORRUPT;
	for (size_t i = 0; rc == 0 && i < pack_index_count(x); i++) {
		const struct pack_entry *at = pack_index_at(x, i);
		struct pack_entry e;

		rc = pack_entry_parse(&e, p + at->offset, size - at->offset);
		e.offset = at->offset;
		if (rc == 0 && (memcmp(&e.id, &at->id, sizeof e.id) != 0 ||
				       e.raw_len != at->raw_len || e.check != at->check ||
				       e.stored_len != at->stored_len || e.codec != at->codec))
			rc = ERR_CORRUPT;
		if (rc == 0)
			rc = pack_entry_decode(c, &e, p + e.offset + PACK_ENTRY_HEADER_LEN, raw, 1);
	}
	pack_codec_free(c);
	pack_index_free(x);
	return rc;
}

static void test_whole_pack(void **state)
{
	struct oid name, again;
	struct pack_index *x;
	uint64_t need;
	size_t size;
	uint8_t *p;
	int fd;

	(void)state;
	p = make_pack(100, &size, &fd, &name);
	oid_of(&again, p, size);
	assert_true(oid_eq(&name, &again));
	assert_int_equal(check_pack(p, size, 100), 0);

	/* a reader that fetched too little of the end is told how much it needs */
	assert_int_equal(pack_index_parse(&x, p + size - 10, 10, size, &need), ERR_LIMIT);
	assert_int_equal(need, PACK_TRAILER_LEN);
	assert_int_equal(pack_index_parse(&x, p + size - need, need, size, &need), ERR_LIMIT);
	assert_int_equal(need, 100 * PACK_INDEX_ENTRY_LEN + PACK_TRAILER_LEN);
	assert_int_equal(pack_index_parse(&x, p + size - need, need, size, &need), 0);
	assert_int_equal(pack_index_count(x), 100);
	for (size_t i = 1; i < 100; i++)
		assert_true(oid_cmp(&pack_index_at(x, i - 1)->id, &pack_index_at(x, i)->id) < 0);
	pack_index_free(x);
	close(fd);
	free(p);
}

static void test_table_finds_what_the_index_finds(void **state)
{
	struct pack_entry e;
	struct pack_table t;
	struct oid name;
	uint64_t need;
	size_t size;
	uint8_t *p;
	int fd;

	(void)state;
	p = make_pack(333, &size, &fd, &name);
	assert_int_equal(pack_table_open(&t, p, size, size, &need), 0);
	for (size_t i = 0; i < t.n; i++) {
		struct pack_entry found;

		assert_int_equal(pack_table_at(&t, i, &e), 0);
		assert_int_equal(pack_table_find(&t, &e.id, &found), 1);
		assert_int_equal(found.offset, e.offset);
		assert_int_equal(found.stored_len, e.stored_len);
	}
	assert_int_equal(pack_table_find(&t, &oid_of_empty, &e), 0);
	close(fd);
	free(p);
}

static void test_every_flipped_bit_is_noticed(void **state)
{
	struct oid name;
	size_t size;
	uint8_t *p;
	int fd;

	(void)state;
	p = make_pack(8, &size, &fd, &name);
	for (int i = 0; i < 10000; i++) {
		size_t bit = random32() % (size * 8);

		p[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (check_pack(p, size, 8) >= 0)
			fail_msg("flip of bit %zu of %zu went unnoticed", bit, size * 8);
		p[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_int_equal(check_pack(p, size, 8), 0);
	close(fd);
	free(p);
}

static int count_entries(const struct pack_entry *e, void *data)
{
	size_t *n = data;

	assert_true(e->offset >= PACK_HEADER_LEN);
	++*n;
	return 0;
}

static void test_scan_stops_at_a_torn_end(void **state)
{
	struct pack_entry *sorted;
	struct pack_table t;
	uint64_t need, end;
	struct oid name;
	size_t size;
	uint8_t *p;
	int fd;

	(void)state;
	p = make_pack(50, &size, &fd, &name);
	assert_int_equal(pack_table_open(&t, p, size, size, &need), 0);
	sorted = calloc(t.n, sizeof *sorted);
	for (size_t i = 0; i < t.n; i++)
		assert_int_equal(pack_table_at(&t, i, &sorted[i]), 0);
	for (uint64_t cut = t.entries_end;; cut -= 97) {
		size_t whole = 0, seen = 0;
		uint64_t good = PACK_HEADER_LEN;

		for (size_t i = 0; i < t.n; i++) {
			uint64_t e =
				sorted[i].offset + PACK_ENTRY_HEADER_LEN + sorted[i].stored_len;

			whole += e <= cut;
			good = e <= cut && e > good ? e : good;
		}
		assert_int_equal(ftruncate(fd, (off_t)cut), 0);
		assert_int_equal(
			pack_scan(fd, PACK_HEADER_LEN, cut % 2 == 0, count_entries, &seen, &end),
			0);
		assert_int_equal(seen, whole);
		assert_int_equal(end, good);
		if (cut < 97)
			break;
	}
	free(sorted);
	close(fd);
	free(p);
}

static void test_versions_and_codecs_of_later(void **state)
{
	uint8_t h[PACK_HEADER_LEN];

	(void)state;
	pack_header(h);
	assert_int_equal(pack_header_check(h, sizeof h), 0);
	h[7] = 2;
	assert_int_equal(pack_header_check(h, sizeof h), ERR_UNSUPPORTED);
	assert_non_null(strstr(err_msg(), "version 2"));
	assert_int_equal(pack_header_check("DVXP", 4), ERR_CORRUPT);
}

static void test_writer_stops_at_the_maximum(void **state)
{
	uint8_t *raw = malloc(PACK_ENTRY_RAW_MAX);
	int fd = memfd_create("pack", 0), rc = 0;
	struct pack_writer *w;
	struct oid id;
	uint64_t size;

	(void)state;
	fill(raw, PACK_ENTRY_RAW_MAX, NOISE);
	assert_int_equal(pack_writer_new(&w, fd), 0);
	for (uint32_t i = 0; rc == 0 && i < 300; i++) {
		memcpy(raw, &i, sizeof i);
		memset(&id, 0,
			sizeof id); /* the writer does not look; hashing 64 MiB takes a while */
		be32_put(id.id, i);
		rc = pack_writer_add(w, &id, raw, PACK_ENTRY_RAW_MAX, NULL);
	}
	assert_int_equal(rc, ERR_LIMIT);
	assert_int_equal(pack_writer_finish(w, &id, &size), 0);
	assert_true(size <= PACK_MAX && size > PACK_MAX - 2 * PACK_ENTRY_RAW_MAX);
	pack_writer_free(w);
	close(fd);
	free(raw);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entry_round_trips),
		cmocka_unit_test(test_entry_limits),
		cmocka_unit_test(test_whole_pack),
		cmocka_unit_test(test_table_finds_what_the_index_finds),
		cmocka_unit_test(test_every_flipped_bit_is_noticed),
		cmocka_unit_test(test_scan_stops_at_a_torn_end),
		cmocka_unit_test(test_versions_and_codecs_of_later),
		cmocka_unit_test(test_writer_stops_at_the_maximum),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
