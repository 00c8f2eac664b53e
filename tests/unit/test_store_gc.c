/*
 * Cleaning up the store: what goes and what stays, by age and by need; what is found again in
 * between; packs; damage.
 */
#include "tests/unit/store_repo.h"

#include <sys/time.h>

#include "lib/store/store_gc.h"

struct keep {
	const struct oid *v;
	size_t n;
	enum store_fate other;
};

static enum store_fate fate(const struct oid *oid, void *data)
{
	const struct keep *k = data;

	for (size_t i = 0; i < k->n; i++)
		if (oid_eq(oid, &k->v[i]))
			return STORE_KEEP;
	return k->other;
}

static struct oid put(struct repo *r, size_t len, uint64_t number)
{
	uint8_t *p = content(len, number);
	struct oid oid;

	assert_int_equal(store_put(r->s, p, len, &oid), 0);
	free(p);
	return oid;
}

/* The session that stored ends, as that of a process does; the clock moves on. */
static void end_session(struct repo *r)
{
	reload(r);
	usleep(20 * 1000);
}

static int clean(struct repo *r, const struct keep *k, struct store_gc_result *result)
{
	const struct store_gc_options o = {
		.fate = fate, .data = (void *)(uintptr_t)k, .older_than = INT64_MAX};
	struct store_gc *g = NULL;
	int rc = store_gc_begin(&g, r->s, 0);

	if (rc == 0)
		rc = store_gc_run(g, &o, result);
	store_gc_free(g);
	return rc;
}

static void test_drops_and_keeps(void **state)
{
	struct repo *r = *state;
	struct oid small = put(r, 500, 1), large = put(r, 200000, 2);
	struct oid small2 = put(r, 600, 3), large2 = put(r, 200000, 4);
	const struct oid kept[] = {small, large};
	const struct keep k = {kept, 2, STORE_DROP};
	struct store_gc_result result;

	end_session(r);
	assert_int_equal(clean(r, &k, &result), 0);
	assert_int_equal(result.dropped, 2);
	assert_int_equal(result.dropped_bytes, 200600);
	assert_int_equal(store_verify(r->s, &small, 500), 0);
	assert_int_equal(store_verify(r->s, &large, 200000), 0);
	assert_false(store_has(r->s, &small2, 600));
	assert_false(store_has(r->s, &large2, 200000));
	reload(r);
	assert_int_equal(store_verify(r->s, &small, 500), 0);
	assert_false(store_has(r->s, &small2, 600));
}

static void test_waits_for_writers(void **state)
{
	struct repo *r = *state;
	const struct keep k = {NULL, 0, STORE_DROP};
	struct store *other = again(r);
	struct store_gc_result result;
	struct oid oid;

	assert_int_equal(store_put(other, "x", 1, &oid), 0);
	assert_int_equal(clean(r, &k, &result), ERR_LOCKED);
	store_close(other);
	usleep(20 * 1000);
	assert_int_equal(clean(r, &k, &result), 0);
	assert_int_equal(result.dropped, 1);
}

/* What is being written will be as old as its last byte: its writer is waited for, too. */
static void test_waits_for_streams(void **state)
{
	struct repo *r = *state;
	const struct keep k = {NULL, 0, STORE_DROP};
	struct store *other = again(r);
	struct store_gc_result result;
	struct store_writer *w = NULL;
	uint8_t *p = content(3 * MIB, 1);

	assert_int_equal(store_writer_new(&w, other, -1), 0);
	assert_int_equal(store_writer_add(w, p, 3 * MIB), 0);
	assert_int_equal(clean(r, &k, &result), ERR_LOCKED);
	store_writer_free(w);
	store_close(other);
	assert_int_equal(clean(r, &k, &result), 0);
	free(p);
}

/* Stored after the clean-up began: young, whatever is said of it. */
static void test_new_is_kept(void **state)
{
	struct repo *r = *state;
	const struct keep k = {NULL, 0, STORE_DROP};
	const struct store_gc_options o = {
		.fate = fate, .data = (void *)(uintptr_t)&k, .older_than = INT64_MAX};
	struct store_gc_result result;
	struct store_gc *g = NULL;
	struct store *other;
	struct oid oid;

	put(r, 300, 1);
	end_session(r);
	assert_int_equal(store_gc_begin(&g, r->s, 0), 0);
	usleep(20 * 1000);
	other = again(r);
	assert_int_equal(store_put(other, "new", 3, &oid), 0);
	store_close(other);
	assert_int_equal(store_gc_run(g, &o, &result), 0);
	assert_true(store_has(r->s, &oid, 3));
	store_gc_free(g);
}

/* Found again after the clean-up began: nothing is removed, it has to look anew. */
static void found_again(struct repo *r, size_t len)
{
	const struct keep k = {NULL, 0, STORE_DROP};
	const struct store_gc_options o = {
		.fate = fate, .data = (void *)(uintptr_t)&k, .older_than = INT64_MAX};
	uint8_t *p = content(len, 7);
	struct store_gc_result result;
	struct store_gc *g = NULL;
	struct store *other;
	struct oid oid = put(r, len, 7);

	end_session(r);
	assert_int_equal(store_gc_begin(&g, r->s, 0), 0);
	usleep(20 * 1000);
	other = again(r);
	assert_int_equal(store_put(other, p, len, &oid), 0);
	store_close(other);
	assert_int_equal(store_gc_run(g, &o, &result), ERR_CHANGED);
	store_gc_free(g);
	assert_int_equal(store_verify(r->s, &oid, len), 0);
	free(p);
}

static void test_found_again_small(void **state)
{
	found_again(*state, 300);
}

static void test_found_again_large(void **state)
{
	found_again(*state, 300000);
}

/* What is in a pack that was removed is stored again, though it can still be read. */
static void test_removed_pack_does_not_count(void **state)
{
	struct repo *r = *state;
	const struct keep k = {NULL, 0, STORE_DROP};
	struct store_gc_result result;
	struct store *other;
	struct oid oid = put(r, 300, 1);
	uint8_t *p = content(300, 1);

	end_session(r);
	other = again(r);
	assert_true(store_has(other, &oid, 300)); /* it has the pack open now */
	assert_int_equal(clean(r, &k, &result), 0);
	assert_int_equal(store_put(other, p, 300, &oid), 0);
	store_close(other);
	reload(r);
	assert_int_equal(store_verify(r->s, &oid, 300), 0);
	free(p);
}

static void test_merges(void **state)
{
	struct repo *r = *state;
	struct oid oids[6];
	struct keep k = {oids, 6, STORE_DROP};
	struct store_gc_result result;
	struct store_size size;

	for (size_t i = 0; i < 6; i++) {
		oids[i] = put(r, 400 + i, 10 + i);
		end_session(r);
		assert_int_equal(clean(r, &k, &result), 0);
	}
	assert_int_equal(store_measure(r->s, &size), 0);
	assert_int_equal(size.packs, 1);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(store_verify(r->s, &oids[i], 400 + i), 0);
	assert_int_equal(clean(r, &k, &result), 0);
	assert_int_equal(result.dropped, 0);
}

/* Needless and young beside needless and to be dropped: the former keeps its age. */
static void test_age_is_kept(void **state)
{
	struct repo *r = *state;
	const struct keep k = {NULL, 0, STORE_DROP_OLD};
	struct store_gc_options o = {.fate = fate, .data = (void *)(uintptr_t)&k};
	struct store_gc_result result;
	struct store_gc *g = NULL;

	put(r, 300, 1);
	put(r, 300000, 2);
	end_session(r);
	assert_int_equal(store_gc_begin(&g, r->s, 0), 0);
	o.older_than = store_gc_time(g) - INT64_C(3600) * 1000000000;
	assert_int_equal(store_gc_run(g, &o, &result), 0);
	assert_int_equal(result.dropped, 0);
	assert_int_equal(result.young, 2);
	o.older_than = store_gc_time(g);
	assert_int_equal(store_gc_run(g, &o, &result), 0);
	assert_int_equal(result.dropped, 2);
	store_gc_free(g);
}

static int count_damage(const char *pack, const char *message, void *data)
{
	assert_non_null(strstr(message, "pack"));
	if (*pack)
		snprintf(data, 100, "%s", pack);
	return 0;
}

/* A damaged pack is never rewritten by a clean-up; set aside, what is good in it is kept. */
static void test_damaged_pack(void **state)
{
	struct repo *r = *state;
	struct oid one = put(r, 5000, 1), two = put(r, 5000, 2), three = put(r, 300, 3);
	const struct keep k = {(const struct oid[]){one, two}, 2, STORE_DROP};
	struct store_gc_result result;
	struct buf path = BUF_INIT, to = BUF_INIT;
	char name[100] = "";
	int fd;

	(void)three;
	end_session(r);
	assert_int_equal(store_check_packs(r->s, NULL, count_damage, name), 0);
	assert_string_equal(name, "");
	assert_int_equal(buf_addf(&path, "%s/packs/open-0.pack", r->g.dvx_dir), 0);
	fd = open(path.p, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, "XX", 2, 16 + 48 + 100), 2);
	close(fd);
	end_session(r);
	assert_int_equal(store_check_packs(r->s, NULL, count_damage, name), 0);
	assert_string_equal(name, "open-0.pack");
	assert_int_equal(clean(r, &k, &result), 0);
	assert_int_equal(result.damaged_packs, 1);
	assert_int_equal(store_verify(r->s, &two, 5000), 0);
	assert_int_equal(store_set_pack_aside(r->s, "open-0.pack", &to), 0);
	assert_true(fs_exists(to.p));
	assert_int_equal(store_verify(r->s, &two, 5000), 0);
	assert_int_equal(store_verify(r->s, &one, 5000), ERR_NOTFOUND);
	buf_release(&path);
	buf_release(&to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_drops_and_keeps),
		TEST(test_waits_for_writers),
		TEST(test_waits_for_streams),
		TEST(test_new_is_kept),
		TEST(test_found_again_small),
		TEST(test_found_again_large),
		TEST(test_removed_pack_does_not_count),
		TEST(test_merges),
		TEST(test_age_is_kept),
		TEST(test_damaged_pack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
