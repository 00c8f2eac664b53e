/*
 * Any bytes as the listing of a directory: what is accepted has only paths that may be written, in
 * order; and as two listings, compared in both directions.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/pipeline/fingerprint.h"
#include "lib/pipeline/listing.h"
#include "lib/worktree/place.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

/* Written again, it is the same. */
static int put(const struct listing_file *e, void *data)
{
	char hex[OID_HEX_LEN + 1];

	require(place_path_ok(e->path));
	oid_to_hex(hex, &e->oid);
	require(buf_addf(data, "%s %c %s", hex, e->mode, e->path) == 0);
	return buf_addch(data, '\0');
}

static int count(char status, const char *path, void *data)
{
	require(path[0] != '\0');
	((size_t *)data)[status == 'A' ? 0 : status == 'D' ? 1 : 2]++;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t half = size / 2, there[3] = {0, 0, 0}, back[3] = {0, 0, 0};
	struct buf a = BUF_INIT, b = BUF_INIT, text = BUF_INIT;

	if (listing_parse(data, size, put, &text) == 0)
		require(text.len == size && (size == 0 || memcmp(text.p, data, size) == 0));
	require(buf_add(&a, data, half) == 0 && buf_add(&b, data + half, size - half) == 0);
	if (listing_diff(&a, &b, count, there) == 0) {
		require(listing_diff(&b, &a, count, back) == 0);
		require(there[0] == back[1] && there[1] == back[0] && there[2] == back[2]);
	}
	buf_release(&a);
	buf_release(&b);
	buf_release(&text);
	return 0;
}
