/*
 * Messages about locks, requests and answers of servers, and documents of git-dvx-transfer: what
 * parses is written and parsed again, and is the same.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/wire/lfsjson.h"
#include "lib/wire/lockwire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(int ok)
{
	if (!ok)
		abort();
}

static int same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static void must_be_same(const struct lfs_lock *a, const struct lfs_lock *b)
{
	must(same(a->id, b->id) && same(a->path, b->path) && same(a->owner, b->owner) &&
		same(a->locked_at, b->locked_at));
}

static void try_request(const char *text, size_t len)
{
	struct lfs_lock_request a = {.path = NULL}, b = {.path = NULL};
	struct buf out = BUF_INIT;

	if (lfsjson_lock_request_parse(&a, text, len) == 0) {
		const struct lfs_lock_query q = {.path = a.path,
			.cursor = a.cursor,
			.limit = a.limit,
			.ref = a.ref,
			.force = a.force};

		must(lfsjson_lock_request_format(&out, &q) == 0);
		must(lfsjson_lock_request_parse(&b, out.p, out.len) == 0);
		must(same(a.path, b.path) && same(a.cursor, b.cursor) && same(a.ref, b.ref) &&
			a.limit == b.limit && a.force == b.force);
	}
	lfs_lock_request_release(&a);
	lfs_lock_request_release(&b);
	buf_release(&out);
}

static void try_lock(const char *text, size_t len)
{
	struct lfs_lock a = {.id = NULL}, b = {.id = NULL};
	struct buf out = BUF_INIT;

	if (lfsjson_lock_parse(&a, text, len) == 0) {
		must(lfsjson_lock_format(&out, &a, NULL) == 0);
		must(lfsjson_lock_parse(&b, out.p, out.len) == 0);
		must_be_same(&a, &b);
	}
	lfs_lock_release(&a);
	lfs_lock_release(&b);
	buf_release(&out);
}

static void try_page(const char *text, size_t len, int verification)
{
	struct lfs_lock_page a = {.next_cursor = NULL}, b = {.next_cursor = NULL};
	struct buf out = BUF_INIT;

	if (lfsjson_lock_page_parse(&a, text, len, verification) == 0) {
		must(lfsjson_lock_page_format(&out, &a, verification) == 0);
		must(lfsjson_lock_page_parse(&b, out.p, out.len, verification) == 0);
		must(a.ours.n == b.ours.n && a.theirs.n == b.theirs.n &&
			same(a.next_cursor, b.next_cursor));
		for (size_t i = 0; i < a.ours.n; i++)
			must_be_same(&a.ours.v[i], &b.ours.v[i]);
		for (size_t i = 0; i < a.theirs.n; i++)
			must_be_same(&a.theirs.v[i], &b.theirs.v[i]);
	}
	lfs_lock_page_release(&a);
	lfs_lock_page_release(&b);
	buf_release(&out);
}

static void try_document(const char *text, size_t len, enum lockwire_command c)
{
	struct lockwire_answer a, b = {.remote = NULL};
	struct buf out = BUF_INIT;

	if (lockwire_parse(&a, c, text, len) == 0) {
		must(lockwire_format(&out, c, &a) == 0);
		must(lockwire_parse(&b, c, out.p, out.len) == 0);
		must(same(a.remote, b.remote) && a.error == b.error && same(a.message, b.message));
		must_be_same(&a.lock, &b.lock);
		must(a.page.ours.n == b.page.ours.n && a.page.theirs.n == b.page.theirs.n);
	}
	lockwire_answer_release(&a);
	lockwire_answer_release(&b);
	buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *text = (const char *)data;

	try_request(text, len);
	try_lock(text, len);
	try_page(text, len, 0);
	try_page(text, len, 1);
	for (int c = LOCKWIRE_CREATE; c <= LOCKWIRE_REMOVE; c++)
		try_document(text, len, (enum lockwire_command)c);
	return 0;
}
