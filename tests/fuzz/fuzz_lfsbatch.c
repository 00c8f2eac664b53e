/*
 * Messages of the Batch API, requests and answers: what parses is written and parsed again, and is
 * the same.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/wire/lfsjson.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { NOW = 1000000000 };

static void must(int ok)
{
	if (!ok)
		abort();
}

static int same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static void must_be_same_action(const struct lfs_action *a, const struct lfs_action *b)
{
	if (!a || !b) {
		must(a == b);
		return;
	}
	must(same(a->href, b->href) && a->headers.n == b->headers.n);
	for (size_t i = 0; i < a->headers.n; i++)
		must(same(a->headers.v[i], b->headers.v[i]));
}

static void must_be_same(const struct lfs_batch *a, const struct lfs_batch *b)
{
	must(a->n == b->n);
	for (size_t i = 0; i < a->n; i++) {
		const struct lfs_batch_object *x = &a->objects[i], *y = &b->objects[i];

		must(oid_eq(&x->oid, &y->oid) && x->authenticated == y->authenticated);
		must(x->size == y->size && x->error_code == y->error_code);
		for (int k = 0; k < LFS_ACTIONS; k++)
			must_be_same_action(x->actions[k], y->actions[k]);
	}
}

static void try_request(const char *text, size_t len)
{
	struct lfs_batch a, b;
	struct buf out = BUF_INIT;

	if (lfsjson_batch_request_parse(&a, text, len) == 0) {
		must(lfsjson_batch_request_format(&out, &a) == 0);
		must(lfsjson_batch_request_parse(&b, out.p, out.len) == 0);
		must(a.operation == b.operation && same(a.ref, b.ref));
		must_be_same(&a, &b);
		lfs_batch_release(&b);
	}
	lfs_batch_release(&a);
	buf_release(&out);
}

/* A size that the server did not name cannot be written. */
static int is_complete(const struct lfs_batch *b)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->objects[i].size == LFS_SIZE_UNKNOWN)
			return 0;
	return 1;
}

static void try_answer(const char *text, size_t len)
{
	struct lfs_batch a, b;
	struct buf out = BUF_INIT;

	if (lfsjson_batch_response_parse(&a, text, len, NOW) == 0 && is_complete(&a)) {
		must(lfsjson_batch_response_format(&out, &a, NOW) == 0);
		must(lfsjson_batch_response_parse(&b, out.p, out.len, NOW) == 0);
		must_be_same(&a, &b);
		lfs_batch_release(&b);
	}
	lfs_batch_release(&a);
	buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *text = (const char *)data;
	struct buf message = BUF_INIT;
	struct oid oid;
	uint64_t size;

	try_request(text, len);
	try_answer(text, len);
	must(lfsjson_error_parse(&message, text, len) == 0);
	lfsjson_verify_parse(&oid, &size, text, len);
	buf_release(&message);
	return 0;
}
