/*
 * How much of a file is new (lib/store/chunkshare.h).
 */
#include "tests/unit/store_repo.h"

#include "lib/store/chunker.h"
#include "lib/store/chunkshare.h"

static int file_of(const uint8_t *p, size_t len)
{
	int fd = memfd_create("side", 0);

	assert_int_equal(fs_write_full(fd, p, len), 0);
	return fd;
}

static uint64_t changed(const uint8_t *old, size_t old_len, const uint8_t *now, size_t now_len)
{
	struct chunkshare_file a = {file_of(old, old_len), old_len},
			       b = {file_of(now, now_len), now_len};
	uint64_t n = UINT64_MAX;

	assert_int_equal(chunkshare_changed(&n, a, b, NULL), 0);
	close(a.fd);
	close(b.fd);
	return n;
}

static void what_is_the_same(void **state)
{
	uint8_t *p = content(10 * MIB, 1);

	(void)state;
	assert_int_equal(changed(p, 10 * MIB, p, 10 * MIB), 0);
	assert_int_equal(changed(p, 0, p, 0), 0);
	assert_int_equal(changed(p, 10 * MIB, p, 0), 0);
	assert_int_equal(changed(p, 0, p, 10 * MIB), 10 * MIB);
	free(p);
}

static void an_edit_and_an_insertion(void **state)
{
	uint8_t *p = content(10 * MIB, 1), *q = malloc(10 * MIB + 7);
	uint64_t n;

	(void)state;
	memcpy(q, p, 10 * MIB);
	q[5 * MIB] ^= 1;
	n = changed(p, 10 * MIB, q, 10 * MIB);
	assert_in_range(n, CHUNK_MIN, 3 * CHUNK_MAX);
	memcpy(q, "inserte", 7);
	memcpy(q + 7, p, 10 * MIB);
	n = changed(p, 10 * MIB, q, 10 * MIB + 7);
	assert_in_range(n, CHUNK_MIN, 3 * CHUNK_MAX);
	free(p);
	free(q);
}

static void what_goes_wrong(void **state)
{
	uint8_t *p = content(MIB, 1);
	struct chunkshare_file a = {file_of(p, MIB), MIB}, too_long = {a.fd, MIB + 1};
	volatile int stop = 1;
	uint64_t n;

	(void)state;
	assert_int_equal(chunkshare_changed(&n, a, too_long, NULL), ERR_CORRUPT);
	assert_int_equal(chunkshare_changed(&n, a, a, &stop), ERR_INTERRUPTED);
	close(a.fd);
	free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_the_same),
		cmocka_unit_test(an_edit_and_an_insertion),
		cmocka_unit_test(what_goes_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
