/*
 * Retry, rate and trace around a remote that fails on request.  Time is the test's own: sleeping
 * moves it, nothing else does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "tests/unit/scratch.h"

static int64_t clock_ns;
static volatile int stop_now;
static int64_t stop_at_ns; /* 0: never */

static int64_t test_now_ns(void)
{
	return clock_ns;
}

static int test_sleep(const struct timespec *t, struct timespec *rest)
{
	(void)rest;
	clock_ns += (int64_t)t->tv_sec * 1000000000 + t->tv_nsec;
	if (stop_at_ns && clock_ns >= stop_at_ns)
		stop_now = 1;
	return 0;
}

#define fs_now_ns test_now_ns
#define nanosleep test_sleep
#include "lib/base/backoff.c"
#include "transfer/trace.c"
#include "transfer/remote/remote_wrap.c" /* programs have no archive to link against */
#undef fs_now_ns
#undef nanosleep
#include "transfer/remote/remote.c"

/* remote.c chooses among these. */
int remote_dir_open(struct remote **out, const char *name, const char *root)
{
	(void)name;
	(void)root;
	*out = NULL;
	return ERR_UNSUPPORTED;
}
int remote_s3_open(
	struct remote **out, const struct remote_spec *spec, const struct remote_context *context)
{
	(void)spec;
	(void)context;
	*out = NULL;
	return ERR_UNSUPPORTED;
}
int remote_ssh_open(
	struct remote **out, const struct remote_spec *spec, const struct remote_context *context)
{
	return remote_s3_open(out, spec, context);
}
int remote_rclone_open(
	struct remote **out, const struct remote_spec *spec, const struct remote_context *context)
{
	return remote_s3_open(out, spec, context);
}

/* ---- the remote inside ---- */

struct fake {
	struct remote base;
	int calls;
	int failures; /* so many calls fail first, */
	int rc;	      /* with this */
	unsigned hint;
	int entries; /* a listing passes so many before it fails */
	int freed, closed;
};

static struct fake fake;
static const struct oid some_name = {{0xab, 0xcd}};

static int fails(void)
{
	fake.calls++;
	if (fake.failures == 0)
		return 0;
	fake.failures--;
	if (fake.hint)
		remote_retry_hint(fake.hint);
	return err_set(fake.rc, "the store said no");
}

static int fake_list(
	struct remote *r, enum remote_listing what, remote_list_fn *fn, void *data, int64_t *now)
{
	const struct remote_entry e = {.class = REMOTE_FRAGMENT, .name = some_name};
	int rc = 0;

	(void)r;
	(void)what;
	(void)now;
	for (int i = 0; rc == 0 && i < fake.entries; i++)
		rc = fn(&e, data);
	return rc ? rc : fails();
}

static int fake_size(struct remote *r, enum remote_class c, const struct oid *name, uint64_t *size)
{
	(void)r;
	(void)c;
	(void)name;
	*size = 42;
	return fails();
}

static ssize_t fake_get(struct remote *r, enum remote_class c, const struct oid *name,
	uint64_t offset, void *into, size_t len)
{
	int rc = fails();

	(void)r;
	(void)c;
	(void)name;
	(void)offset;
	(void)into;
	return rc < 0 ? rc : (ssize_t)len;
}

static int fake_put_begin(struct remote *r, enum remote_class c, struct remote_put **out)
{
	static struct remote_put put;

	put = (struct remote_put){.remote = r, .class = c, .fd = -1};
	*out = &put;
	return 0;
}

static int fake_put_commit(
	struct remote *r, struct remote_put *p, const struct oid *name, uint64_t size)
{
	int rc = fails();

	(void)r;
	(void)p;
	(void)name;
	(void)size;
	return rc < 0 ? rc : 1;
}

static void fake_put_free(struct remote_put *p)
{
	(void)p;
	fake.freed++;
}

static int fake_remove(struct remote *r, enum remote_class c, const struct oid *name)
{
	(void)r;
	(void)c;
	(void)name;
	return fails();
}

static int fake_describe(
	struct remote *r, enum remote_class c, const struct oid *name, struct buf *out)
{
	(void)r;
	(void)c;
	(void)name;
	return buf_addstr(out, "somewhere");
}

static void fake_close(struct remote *r)
{
	(void)r;
	fake.closed++;
}

static const struct remote_ops fake_ops = {
	.kind = "fake",
	.list = fake_list,
	.size = fake_size,
	.get = fake_get,
	.put_begin = fake_put_begin,
	.put_commit = fake_put_commit,
	.put_free = fake_put_free,
	.remove = fake_remove,
	.describe = fake_describe,
	.close = fake_close,
};

static struct remote *new_inner(int failures, int rc)
{
	fake = (struct fake){.failures = failures, .rc = rc};
	fake.base.ops = &fake_ops;
	fake.base.name = strdup("storage");
	fake.base.url = strdup("fake://user:s3cr3t@host/");
	fake.base.context.stop = &stop_now;
	stop_now = 0;
	stop_at_ns = 0;
	clock_ns = 1000;
	return &fake.base;
}

static struct remote *wrapped(int failures, int rc, const struct remote_wrap_options *o)
{
	struct remote *r;

	assert_int_equal(remote_wrap(&r, new_inner(failures, rc), o), 0);
	return r;
}

static const struct remote_wrap_options three_attempts = {.attempts = 3, .trace_fd = -1};

static int64_t slept_ms(void)
{
	return (clock_ns - 1000) / 1000000;
}

/* ---- again, or not ---- */

static void what_may_pass_is_asked_again(void **state)
{
	struct remote *r = wrapped(2, ERR_REMOTE, &three_attempts);
	uint64_t size = 0;

	(void)state;
	assert_int_equal(r->ops->size(r, REMOTE_PACK, &some_name, &size), 0);
	assert_int_equal(size, 42);
	assert_int_equal(fake.calls, 3);
	/* 0.25 s and 0.5 s, each half to all of it */
	assert_in_range(slept_ms(), 125 + 250, 250 + 500);
	remote_close(r);
	assert_int_equal(fake.closed, 1);
}

static void the_last_failure_is_the_answer(void **state)
{
	struct remote *r = wrapped(100, ERR_IO, &three_attempts);

	(void)state;
	assert_int_equal(r->ops->get(r, REMOTE_PACK, &some_name, 0, NULL, 10), ERR_IO);
	assert_int_equal(fake.calls, 3);
	assert_string_equal(err_msg(), "the store said no");
	remote_close(r);
}

static void what_is_permanent_is_asked_once(void **state)
{
	static const int codes[] = {ERR_NOTFOUND, ERR_DENIED, ERR_UNSUPPORTED, ERR_INVALID,
		ERR_LIMIT, ERR_CORRUPT, ERR_INTERRUPTED};

	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
		struct remote *r = wrapped(100, codes[i], &three_attempts);

		assert_int_equal(r->ops->remove(r, REMOTE_PACK, &some_name), codes[i]);
		assert_int_equal(fake.calls, 1);
		assert_int_equal(slept_ms(), 0);
		remote_close(r);
	}
}

static void a_put_is_tried_again_and_says_what_it_found(void **state)
{
	struct remote *r = wrapped(1, ERR_REMOTE, &three_attempts);
	struct remote_put *p = NULL;

	(void)state;
	assert_int_equal(r->ops->put_begin(r, REMOTE_PACK, &p), 0);
	assert_int_equal(r->ops->put_commit(r, p, &some_name, 10), 1);
	assert_int_equal(fake.calls, 2);
	r->ops->put_free(p);
	assert_int_equal(fake.freed, 1);
	remote_close(r);
}

static void the_servers_wish_is_obeyed(void **state)
{
	struct remote *r = wrapped(2, ERR_REMOTE, &three_attempts);
	uint64_t size;

	(void)state;
	fake.hint = 7000;
	assert_int_equal(r->ops->size(r, REMOTE_PACK, &some_name, &size), 0);
	assert_int_equal(slept_ms(), 14000);
	remote_close(r);

	r = wrapped(1, ERR_REMOTE, &three_attempts); /* but not for hours */
	fake.hint = 3600 * 1000;
	assert_int_equal(r->ops->size(r, REMOTE_PACK, &some_name, &size), 0);
	assert_int_equal(slept_ms(), HINT_MAX_MS);
	remote_close(r);
}

static void a_hint_of_another_request_is_forgotten(void **state)
{
	struct remote *r = wrapped(1, ERR_REMOTE, &three_attempts);
	uint64_t size;

	(void)state;
	remote_retry_hint(60000);
	assert_int_equal(r->ops->size(r, REMOTE_PACK, &some_name, &size), 0);
	assert_in_range(slept_ms(), 125, 250);
	remote_close(r);
}

static void waits_double_and_differ(void **state)
{
	(void)state;
	for (int attempt = 0; attempt < 40; attempt++) {
		uint64_t all = attempt < 7 ? 250u << attempt : 30000, least = UINT64_MAX, most = 0;

		for (int i = 0; i < 2000; i++) {
			uint64_t ms = backoff_ms((unsigned)attempt, LONGEST_WAIT_MS);

			least = ms < least ? ms : least;
			most = ms > most ? ms : most;
		}
		assert_in_range(least, all / 2, all / 2 + all / 8);
		assert_in_range(most, all - all / 8, all);
	}
}

static void a_wait_ends_when_asked_to_stop(void **state)
{
	struct remote *r = wrapped(100, ERR_REMOTE, &three_attempts);
	uint64_t size;

	(void)state;
	fake.hint = 60000;
	stop_at_ns = clock_ns + (int64_t)1000 * 1000000;
	assert_int_equal(r->ops->size(r, REMOTE_PACK, &some_name, &size), ERR_INTERRUPTED);
	assert_int_equal(fake.calls, 1);
	assert_in_range(slept_ms(), 1000, 1000 + SLICE_MS);
	assert_int_equal(r->ops->size(r, REMOTE_PACK, &some_name, &size), ERR_INTERRUPTED);
	assert_int_equal(fake.calls, 1); /* and nothing is asked from then on */
	remote_close(r);
}

static int count_entry(const struct remote_entry *e, void *data)
{
	(void)e;
	++*(int *)data;
	return 0;
}

static void a_listing_that_began_is_not_asked_again(void **state)
{
	struct remote *r = wrapped(1, ERR_REMOTE, &three_attempts);
	int seen = 0;

	(void)state;
	fake.entries = 2;
	assert_int_equal(
		r->ops->list(r, REMOTE_LIST_FRAGMENTS, count_entry, &seen, NULL), ERR_REMOTE);
	assert_int_equal(fake.calls, 1);
	assert_int_equal(seen, 2);
	remote_close(r);

	r = wrapped(2, ERR_REMOTE, &three_attempts); /* nothing was passed on yet: it is */
	assert_int_equal(r->ops->list(r, REMOTE_LIST_FRAGMENTS, count_entry, &seen, NULL), 0);
	assert_int_equal(fake.calls, 3);
	remote_close(r);
}

/* ---- rate ---- */

static void bytes_keep_to_the_rate(void **state)
{
	const struct remote_wrap_options o = {
		.attempts = 1, .trace_fd = -1, .bytes_per_second = 100000};
	struct remote *r = wrapped(0, 0, &o);
	struct remote_put *p;
	uint64_t moved = 0, size;

	(void)state;
	r->ops->put_begin(r, REMOTE_PACK, &p);
	for (int i = 0; i < 100; i++) {
		uint64_t bytes = 1000 + (uint64_t)i * 777;

		if (i % 2)
			r->ops->put_commit(r, p, &some_name, bytes);
		else
			r->ops->get(r, REMOTE_PACK, &some_name, 0, NULL, bytes);
		moved += bytes;
		/* a full bucket, and what was asked for last */
		assert_true(moved <= 100000 + 80000 + (uint64_t)(clock_ns - 1000) / 10000);
	}
	/* nor is it much slower; each wait is cut to whole milliseconds */
	assert_in_range(slept_ms(), moved / 100 - 2000, moved / 100);
	moved = (uint64_t)slept_ms();
	r->ops->size(r, REMOTE_PACK, &some_name, &size); /* no bytes of blobs: no waiting */
	assert_int_equal(slept_ms(), moved);
	remote_close(r);
}

static void a_wait_for_the_rate_ends_when_asked_to_stop(void **state)
{
	const struct remote_wrap_options o = {
		.attempts = 1, .trace_fd = -1, .bytes_per_second = 1000};
	struct remote *r = wrapped(0, 0, &o);
	ssize_t n = 0;

	(void)state;
	stop_at_ns = clock_ns + (int64_t)500 * 1000000;
	for (int i = 0; i < 3 && n >= 0; i++)
		n = r->ops->get(r, REMOTE_PACK, &some_name, 0, NULL, 1000000);
	assert_int_equal(n, ERR_INTERRUPTED);
	assert_in_range(slept_ms(), 500, 500 + SLICE_MS);
	remote_close(r);
}

/* ---- trace ---- */

static void each_request_is_a_line_without_secrets(void **state)
{
	struct buf text = BUF_INIT;
	struct remote_wrap_options o = {.attempts = 2};
	struct remote *r;
	int fd = open(scratch_path("trace"), O_RDWR | O_CREAT | O_APPEND, 0600);

	(void)state;
	assert_true(fd >= 0);
	o.trace_fd = fd;
	r = wrapped(1, ERR_REMOTE, &o);
	assert_int_equal(r->ops->get(r, REMOTE_PACK, &some_name, 7, NULL, 10), 10);
	assert_int_equal(r->ops->list(r, REMOTE_LIST_PACKS, count_entry, NULL, NULL), 0);
	remote_close(r);
	assert_int_equal(buf_read_file(&text, scratch_path("trace")), 0);
	assert_non_null(strstr(text.p, " get packs/ab/abcd0000"));
	assert_non_null(strstr(text.p, ".pack 7+10 = -11 0 ms (the store said no)\n"));
	assert_non_null(strstr(text.p, ".pack 7+10 = 10 0 ms\n"));
	assert_non_null(strstr(text.p, " list packs = 0 0 ms\n"));
	assert_null(strstr(text.p, "s3cr3t"));
	buf_release(&text);
	close(fd);
}

/* ---- what the user asked for ---- */

static void without_configuration_there_are_six_attempts_and_a_trace_by_the_environment(
	void **state)
{
	struct buf text = BUF_INIT;
	struct remote *r;

	(void)state;
	setenv("GIT_DVX_TRACE", scratch_path("requests"), 1);
	assert_int_equal(remote_wrap_configured(&r, new_inner(100, ERR_REMOTE)), 0);
	assert_int_equal(r->ops->remove(r, REMOTE_NOTICE, &some_name), ERR_REMOTE);
	assert_int_equal(fake.calls, 6);
	remote_close(r);
	assert_int_equal(buf_read_file(&text, scratch_path("requests")), 0);
	assert_non_null(strstr(text.p, " remove fragments/abcd0000"));
	buf_release(&text);
}

static void a_disk_is_asked_once(void **state)
{
	struct remote *r = NULL, *inner = new_inner(100, ERR_IO);

	(void)state;
	inner->near = 1;
	assert_int_equal(remote_wrap_configured(&r, inner), 0);
	assert_int_equal(r->near, 1);
	assert_int_equal(r->ops->remove(r, REMOTE_PACK, &some_name), ERR_IO);
	assert_int_equal(fake.calls, 1);
	remote_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_may_pass_is_asked_again),
		cmocka_unit_test(the_last_failure_is_the_answer),
		cmocka_unit_test(what_is_permanent_is_asked_once),
		cmocka_unit_test(a_put_is_tried_again_and_says_what_it_found),
		cmocka_unit_test(the_servers_wish_is_obeyed),
		cmocka_unit_test(a_hint_of_another_request_is_forgotten),
		cmocka_unit_test(waits_double_and_differ),
		cmocka_unit_test(a_wait_ends_when_asked_to_stop),
		cmocka_unit_test(a_listing_that_began_is_not_asked_again),
		cmocka_unit_test(bytes_keep_to_the_rate),
		cmocka_unit_test(a_wait_for_the_rate_ends_when_asked_to_stop),
		cmocka_unit_test(each_request_is_a_line_without_secrets),
		cmocka_unit_test(
			without_configuration_there_are_six_attempts_and_a_trace_by_the_environment),
		cmocka_unit_test(a_disk_is_asked_once),
	};

	return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
