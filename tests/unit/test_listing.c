/*
 * The listing that a run begins with: sorted, looked up by name, and bounded whatever a server
 * says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "transfer/blob/listing.c" /* programs have no archive to link against */
#include "transfer/gc/notice.c"

/* ---- a remote that lists what the test says ---- */

static size_t n_listed;
static enum remote_class listed_class;

static struct oid numbered(size_t i)
{
	struct oid name = {.id = {0}};

	i ^= 0x5a5; /* not in order */
	for (size_t k = 0; k < sizeof(i); k++)
		name.id[OID_LEN - 1 - k] = (uint8_t)(i >> 8 * k);
	return name;
}

static int some_list(
	struct remote *r, enum remote_listing what, remote_list_fn *fn, void *data, int64_t *now)
{
	int rc = 0;

	(void)r;
	assert_int_equal(what, REMOTE_LIST_FRAGMENTS);
	assert_null(now);
	for (size_t i = 0; rc == 0 && i < n_listed; i++) {
		struct remote_entry e = {.class = listed_class, .name = numbered(i), .size = i};

		rc = fn(&e, data);
	}
	return rc;
}

static const struct remote_ops ops = {.kind = "some", .list = some_list};
static struct remote remote = {.ops = &ops};

int remote_get_all(struct remote *r, enum remote_class c, const struct oid *name, uint64_t size,
	uint64_t max, struct buf *out)
{
	(void)r;
	(void)c;
	(void)name;
	(void)size;
	(void)max;
	(void)out;
	return err_set(ERR_NOTFOUND, "gone since");
}

int remote_check_stop(const struct remote *r)
{
	(void)r;
	return 0;
}

int cache_read(const struct cache *c, enum cache_kind k, const struct oid *name, struct buf *out)
{
	(void)c;
	(void)k;
	(void)name;
	(void)out;
	return err_set(ERR_NOTFOUND, "not cached");
}

void cache_write(const struct cache *c, enum cache_kind k, const struct oid *name, const void *data,
	size_t len)
{
	(void)c;
	(void)k;
	(void)name;
	(void)data;
	(void)len;
}

void cache_remove(const struct cache *c, enum cache_kind k, const struct oid *name)
{
	(void)c;
	(void)k;
	(void)name;
}

int cache_each(const struct cache *c, enum cache_kind k,
	int (*fn)(const struct oid *name, int64_t age, void *data), void *data)
{
	(void)c;
	(void)k;
	(void)fn;
	(void)data;
	return 0;
}

/* ---- tests ---- */

static void fragments_are_found_by_name(void **state)
{
	struct listing l = {.n_fragments = 0};
	struct oid other = numbered(1000);

	(void)state;
	n_listed = 1000;
	listed_class = REMOTE_FRAGMENT;
	assert_int_equal(listing_read(&l, &remote, NULL, 1, 0), 0);
	assert_int_equal(l.n_fragments, 1000);
	for (size_t i = 0; i < n_listed; i++) {
		struct oid name = numbered(i);

		assert_non_null(listing_fragment(&l, &name));
		assert_int_equal(listing_fragment(&l, &name)->size, i);
	}
	assert_null(listing_fragment(&l, &other));
	listing_release(&l);
}

static void a_notice_that_is_gone_by_now_was_spent(void **state)
{
	struct listing l = {.n_fragments = 0};

	(void)state;
	n_listed = 3;
	listed_class = REMOTE_NOTICE;
	assert_int_equal(listing_read(&l, &remote, NULL, 1, 0), 0);
	assert_int_equal(l.n_notices, 3);
	assert_int_equal(listing_check(&l), 0);
	listing_release(&l);
}

static void a_listing_without_end_is_refused(void **state)
{
	static const enum remote_class classes[] = {REMOTE_FRAGMENT, REMOTE_NOTICE};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct listing l = {.n_fragments = 0};

		n_listed = SIZE_MAX;
		listed_class = classes[i];
		assert_int_equal(listing_read(&l, &remote, NULL, 1, 0), ERR_LIMIT);
		assert_non_null(strstr(err_msg(), "is the URL right?"));
		assert_int_equal(l.n_fragments + l.n_notices, NAMES_MAX);
		listing_release(&l);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fragments_are_found_by_name),
		cmocka_unit_test(a_notice_that_is_gone_by_now_was_spent),
		cmocka_unit_test(a_listing_without_end_is_refused),
	};

	return cmocka_run_group_tests_name("listing", tests, NULL, NULL);
}
