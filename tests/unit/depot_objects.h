/*
 * Objects and depots for the tests of transfer/depot, in the scratch directory.
 */
#ifndef TESTS_UNIT_DEPOT_OBJECTS_H
#define TESTS_UNIT_DEPOT_OBJECTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>

#include "lib/store/store.h"
#include "tests/unit/scratch.h"
#include "transfer/depot/depot.h"

static struct config *config;

/* `len` bytes that do not compress, of this seed. */
__attribute__((unused)) static uint8_t *make_bytes(size_t len, uint64_t seed)
{
	uint8_t *p = malloc(len + 8);
	uint64_t x = seed * 0x9e3779b97f4a7c15u + 1;

	assert_non_null(p);
	for (size_t i = 0; i < len; i += 8) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		memcpy(p + i, &x, 8);
	}
	return p;
}

__attribute__((unused)) static struct oid put_bytes(struct depot *d, const uint8_t *p, size_t len)
{
	struct depot_writer *w;
	struct oid oid;

	oid_of(&oid, p, len);
	assert_int_equal(depot_put_begin(&w, d, &oid, len), 0);
	for (size_t at = 0; at < len; at += 100000)
		assert_int_equal(
			depot_put_data(w, p + at, len - at < 100000 ? len - at : 100000), 0);
	assert_int_equal(depot_put_finish(w), 0);
	depot_put_free(w);
	return oid;
}

__attribute__((unused)) static struct oid put(struct depot *d, size_t len, uint64_t seed)
{
	uint8_t *p = make_bytes(len, seed);
	struct oid oid = put_bytes(d, p, len);

	free(p);
	return oid;
}

/* The object is read and hashes to its id. */
__attribute__((unused)) static void check_get(struct depot *d, const struct oid *oid, uint64_t size)
{
	struct depot_reader *r;
	struct oid_ctx hash;
	struct oid got;
	uint64_t have = 0, said;
	char piece[65536];
	ssize_t n;

	if (depot_get_begin(&r, d, oid, &said) < 0)
		fail_msg("%s", err_msg());
	assert_true(said == size);
	oid_init(&hash);
	while ((n = depot_get_read(r, have, piece, sizeof(piece))) > 0) {
		oid_update(&hash, piece, (size_t)n);
		have += (uint64_t)n;
	}
	if (n < 0)
		fail_msg("%s", err_msg());
	oid_final(&hash, &got);
	assert_true(have == size && oid_eq(&got, oid));
	assert_true(size == 0 || depot_get_fd(r) >= 0);
	depot_get_free(r);
}

__attribute__((unused)) static int is_here(struct depot *d, const struct oid *oid, uint64_t size)
{
	struct depot_object o = {.oid = *oid, .size = size};

	assert_int_equal(depot_find(d, &o, 1), 0);
	return o.here;
}

__attribute__((unused)) static struct depot *open_slow(
	const char *store, const char *state, unsigned settle_ms)
{
	struct depot_options o = {.store = scratch_path(store),
		.state = scratch_path(state),
		.config = config,
		.settle_ms = settle_ms};
	struct depot *d;

	if (depot_open(&d, &o) < 0)
		fail_msg("%s", err_msg());
	return d;
}

__attribute__((unused)) static struct depot *open_depot(const char *store, const char *state)
{
	return open_slow(store, state, 50);
}

__attribute__((unused)) static size_t count_files(const char *dir)
{
	DIR *d = opendir(scratch_path(dir));
	struct dirent *e;
	size_t n = 0;

	while (d && (e = readdir(d)))
		n += e->d_name[0] != '.';
	if (d)
		closedir(d);
	return n;
}

__attribute__((unused)) static void empty_cache(const char *state)
{
	char name[256];

	snprintf(name, sizeof(name), "%s/cache", state);
	assert_int_equal(remove_tree(scratch_path(name)), 0);
}

/* cmocka's group set-up and tear-down. */
__attribute__((unused)) static int depot_objects_enter(void **state)
{
	int rc = scratch_enter(state);

	return rc == 0 ? config_load_global(&config) : rc;
}

__attribute__((unused)) static int depot_objects_leave(void **state)
{
	config_free(config);
	return scratch_leave(state);
}

#endif
