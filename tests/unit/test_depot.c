/*
 * transfer/depot/depot.h onto a directory: what was put is found and read before and after it was
 * settled, together and alone; what is not what was announced is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include "tests/unit/depot_objects.h"

enum { MANY = 300, THREADS = 8 };

static void test_round(void **unused)
{
	static const size_t sizes[] = {
		0, 1, STORE_SMALL_MAX, STORE_SMALL_MAX + 1, 5000000, 20 * 1024 * 1024};
	enum { N = sizeof(sizes) / sizeof(*sizes) };
	struct depot *d = open_depot("round", "round-state");
	struct oid oids[N];

	(void)unused;
	for (size_t i = 0; i < N; i++) {
		oids[i] = put(d, sizes[i], i);
		check_get(d, &oids[i], sizes[i]);
		assert_int_equal(is_here(d, &oids[i], sizes[i]), 1);
	}
	assert_int_equal(depot_settle(d), 0);
	for (size_t i = 0; i < N; i++) /* from the cache */
		check_get(d, &oids[i], sizes[i]);
	assert_int_equal(depot_close(d), 0);
	assert_true(count_files("round/fragments") > 0);
	empty_cache("round-state");
	d = open_depot("round", "round-state");
	for (size_t i = 0; i < N; i++) {
		assert_int_equal(is_here(d, &oids[i], STORE_SIZE_UNKNOWN), 1);
		assert_int_equal(is_here(d, &oids[i], sizes[i] + 1), 0);
		check_get(d, &oids[i], sizes[i]); /* from the store */
		check_get(d, &oids[i], sizes[i]);
	}
	assert_int_equal(depot_close(d), 0);
}

static void test_refused(void **unused)
{
	struct depot *d = open_depot("refused", "refused-state");
	struct depot_writer *w;
	struct depot_reader *r;
	uint8_t *p = make_bytes(1000, 1);
	struct oid oid, other;
	uint64_t size;

	(void)unused;
	oid_of(&oid, p, 1000);
	oid_of(&other, p, 999);
	assert_int_equal(depot_put_begin(&w, d, &other, 1000), 0); /* another hash */
	assert_int_equal(depot_put_data(w, p, 1000), 0);
	assert_int_equal(depot_put_finish(w), ERR_CORRUPT);
	depot_put_free(w);
	assert_int_equal(depot_put_begin(&w, d, &oid, 1000), 0); /* too short */
	assert_int_equal(depot_put_data(w, p, 999), 0);
	assert_int_equal(depot_put_finish(w), ERR_CORRUPT);
	depot_put_free(w);
	assert_int_equal(depot_put_begin(&w, d, &oid, 999), 0); /* too long */
	assert_int_equal(depot_put_data(w, p, 500), 0);
	assert_int_equal(depot_put_data(w, p + 500, 500), ERR_CORRUPT);
	depot_put_free(w);
	assert_int_equal(depot_put_begin(&w, d, &oid, (uint64_t)INT64_MAX + 1), ERR_INVALID);
	assert_int_equal(is_here(d, &oid, 1000), 0);
	assert_int_equal(depot_get_begin(&r, d, &oid, &size), ERR_NOTFOUND);
	assert_int_equal(depot_close(d), 0);
	assert_true(count_files("refused-state/incoming") == 0);
	free(p);
}

/* Many small ones make few packs, and are fetched together. */
static void test_many(void **unused)
{
	struct depot *d = open_slow("many", "many-state", 60 * 1000);
	struct depot_object objects[MANY];

	(void)unused;
	for (size_t i = 0; i < MANY; i++)
		objects[i] =
			(struct depot_object){.oid = put(d, 1000 + i, 7000 + i), .size = 1000 + i};
	assert_int_equal(depot_close(d), 0);
	assert_true(count_files("many/fragments") == 1);
	empty_cache("many-state");
	d = open_depot("many", "many-state");
	assert_int_equal(depot_find(d, objects, MANY), 0);
	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(objects[i].here, 1);
	depot_foretell(d, objects, MANY);
	for (size_t i = 0; i < MANY; i++)
		check_get(d, &objects[i].oid, objects[i].size);
	assert_int_equal(depot_close(d), 0);
}

struct client {
	struct depot *depot;
	uint64_t seed;
};

static void *be_client(void *data)
{
	struct client *c = data;

	for (uint64_t i = 0; i < 20; i++) {
		size_t len = i % 5 ? 3000 + i : 300000;
		struct oid oid = put(c->depot, len, c->seed + i / 2); /* some twice */

		check_get(c->depot, &oid, len);
		assert_int_equal(is_here(c->depot, &oid, len), 1);
	}
	return NULL;
}

static void test_threads(void **unused)
{
	struct depot *d = open_depot("threads", "threads-state");
	struct client clients[THREADS];
	pthread_t threads[THREADS];

	(void)unused;
	for (size_t i = 0; i < THREADS; i++) {
		clients[i] = (struct client){d, 100 * (i / 2)};
		assert_int_equal(pthread_create(&threads[i], NULL, be_client, &clients[i]), 0);
	}
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(depot_close(d), 0);
}

/* A cache with less room than the objects: each is right all the same, and it stays small. */
static void test_small_cache(void **unused)
{
	struct depot_options o = {.store = scratch_path("small"),
		.state = scratch_path("small-state"),
		.config = config,
		.settle_ms = 10,
		.cache_bytes = 1000000};
	struct depot *d;
	struct oid oids[20];
	size_t kept = 0;

	(void)unused;
	assert_int_equal(depot_open(&d, &o), 0);
	for (size_t i = 0; i < 20; i++)
		oids[i] = put(d, i == 7 ? 3000000 : 200000, 900 + i);
	assert_int_equal(depot_settle(d), 0);
	for (int again = 0; again < 2; again++) {
		for (size_t i = 0; i < 20; i++)
			check_get(d, &oids[i], i == 7 ? 3000000 : 200000);
	}
	assert_int_equal(depot_close(d), 0);
	for (size_t i = 0; i < 20; i++) {
		char hex[OID_HEX_LEN + 1], name[200];

		oid_to_hex(hex, &oids[i]);
		snprintf(name, sizeof(name), "small-state/cache/%.2s/%s", hex, hex);
		kept += (size_t)fs_exists(scratch_path(name));
	}
	assert_true(kept > 0 && kept <= 1000000 / 200000);
}

static uint64_t tree_bytes;
static int add_bytes(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)path;
	(void)ftw;
	tree_bytes += type == FTW_F ? (uint64_t)st->st_size : 0;
	return 0;
}

static uint64_t bytes_below(const char *dir)
{
	tree_bytes = 0;
	nftw(scratch_path(dir), add_bytes, 16, FTW_PHYS);
	return tree_bytes;
}

/* No path says which object is the older version of this one; its sketch does. */
static void test_dedupe(void **unused)
{
	enum { LEN = 200 * 1024 * 1024, EDIT = 10 * 1024 };
	struct depot *d = open_depot("dedupe", "dedupe-state");
	uint8_t *p = make_bytes(LEN, 77), *edit = make_bytes(EDIT, 78);
	struct depot_reader *r;
	struct oid oid;
	uint64_t before, added, size;
	char first;

	(void)unused;
	put_bytes(d, p, LEN);
	assert_int_equal(depot_close(d), 0);
	before = bytes_below("dedupe");
	assert_true(before > LEN);
	memcpy(p + LEN / 3, edit, EDIT);
	d = open_depot("dedupe", "dedupe-state");
	oid = put_bytes(d, p, LEN);
	assert_int_equal(depot_close(d), 0);
	added = bytes_below("dedupe") - before;
	print_message("an edit of 10 KiB in 200 MiB added %llu bytes\n", (unsigned long long)added);
	assert_true(added < 500 * 1024);
	assert_int_equal(remove_tree(scratch_path("dedupe-state")), 0);
	d = open_depot("dedupe", "dedupe-state");
	assert_int_equal(depot_get_begin(&r, d, &oid, &size), 0);
	assert_int_equal(depot_get_read(r, 0, &first, 1), 1); /* while the rest is on its way */
	assert_int_equal(depot_get_fd(r), -1);
	depot_get_free(r);
	check_get(d, &oid, LEN);
	assert_int_equal(depot_close(d), 0);
	assert_int_equal(remove_tree(scratch_path("dedupe")), 0);
	assert_int_equal(remove_tree(scratch_path("dedupe-state")), 0);
	free(p);
	free(edit);
}

/* A Git directory: Git LFS's place when that is in use there, else a blob store in it. */
static void check_repository(const char *repository, const char *state)
{
	struct depot_options o = {.repository = scratch_path(repository),
		.state = scratch_path(state),
		.config = config,
		.settle_ms = 20};
	struct depot *d;
	struct oid small, large;

	assert_int_equal(depot_open(&d, &o), 0);
	small = put(d, 100, 1);
	large = put(d, 1000000, 2);
	assert_int_equal(depot_close(d), 0);
	empty_cache(state);
	assert_int_equal(depot_open(&d, &o), 0);
	assert_int_equal(is_here(d, &small, STORE_SIZE_UNKNOWN), 1);
	assert_int_equal(is_here(d, &large, 1000000), 1);
	check_get(d, &small, 100);
	check_get(d, &large, 1000000);
	assert_int_equal(depot_close(d), 0);
}

static void test_repository(void **unused)
{
	(void)unused;
	assert_int_equal(fs_mkdirs(scratch_path("")), 0);
	scratch_git("", "init", "-q", "--bare", "plain.git", NULL);
	check_repository("plain.git", "plain.git/dvx/depot");
	assert_true(count_files("plain.git/dvx/fragments") > 0);
	scratch_git("", "init", "-q", "--bare", "lfs.git", NULL);
	assert_int_equal(fs_mkdirs(scratch_path("lfs.git/lfs/objects")), 0);
	check_repository("lfs.git", "lfs.git/dvx/depot");
	assert_int_equal(count_files("lfs.git/lfs/objects"), 2);
	assert_int_equal(count_files("lfs.git/dvx/fragments"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_small_cache),
		cmocka_unit_test(test_dedupe),
		cmocka_unit_test(test_repository),
	};

	return cmocka_run_group_tests(tests, depot_objects_enter, depot_objects_leave);
}
