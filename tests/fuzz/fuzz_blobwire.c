/*
 * Any bytes as either side's hello and frames: never a crash, nothing outside of the limits, and
 * what parses is written and parsed again, and is the same.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/wire/blobwire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(int ok)
{
	if (!ok)
		abort();
}

static void try_request(const struct blobwire_frame *f)
{
	struct blobwire_request a;
	struct buf out = BUF_INIT;

	if (blobwire_request_parse(&a, f) < 0)
		return;
	must(a.id != 0 && a.length <= BLOBWIRE_GET_MAX && a.offset <= INT64_MAX &&
		a.size <= INT64_MAX && a.class <= BLOBWIRE_RUNS);
	must(blobwire_request_format(&out, &a) == 0 && out.len == BLOBWIRE_HEADER_LEN + f->len);
	must(f->len == 0 || memcmp(out.p + BLOBWIRE_HEADER_LEN, f->payload, f->len) == 0);
	buf_release(&out);
}

static void try_entries(const struct blobwire_answer *a)
{
	for (size_t at = 0; at < a->data_len; at += BLOBWIRE_ENTRY_LEN) {
		uint8_t again[BLOBWIRE_ENTRY_LEN];
		struct blobwire_entry e;

		if (blobwire_entry_parse(&e, a->data + at) < 0)
			continue;
		blobwire_entry_format(again, &e);
		must(memcmp(again, a->data + at, sizeof(again)) == 0);
	}
}

static void try_answer(const struct blobwire_frame *f)
{
	struct blobwire_answer a;

	if (blobwire_answer_parse(&a, f) < 0)
		return;
	must(a.value <= INT64_MAX && a.code <= 0);
	must((a.type == BLOBWIRE_ERROR) == (a.code < 0));
	if (a.type == BLOBWIRE_ENTRIES)
		try_entries(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t header[BLOBWIRE_HEADER_LEN];
	struct blobwire_hello hello;
	struct blobwire_frame f;
	ssize_t n = blobwire_hello_parse(&hello, data, len, 1);

	must(n != 0 && n <= (ssize_t)len && n <= BLOBWIRE_HELLO_MAX);
	if (n > 0) {
		must(hello.protocol == BLOBWIRE_PROTOCOL && hello.program[0]);
		data += n;
		len -= (size_t)n;
	}
	while ((n = blobwire_frame_parse(&f, data, len)) > 0) {
		must((size_t)n <= len && f.len <= BLOBWIRE_PAYLOAD_MAX &&
			f.len + BLOBWIRE_HEADER_LEN == (size_t)n);
		blobwire_header(header, f.type, f.id, f.len);
		must(memcmp(header, data, sizeof(header)) == 0);
		try_request(&f);
		try_answer(&f);
		data += n;
		len -= (size_t)n;
	}
	return 0;
}
