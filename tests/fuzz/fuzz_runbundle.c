/*
 * Bundles from outside: what parses is written again, byte for byte.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/store/runbundle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(int ok)
{
	if (!ok)
		abort();
}

static int again(const struct runbundle_entry *e, void *arg)
{
	must(runbundle_add(arg, e) == 0);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct buf out = BUF_INIT;
	char *copy = malloc(len ? len : 1); /* no byte behind the end */

	must(copy != NULL && runbundle_begin(&out) == 0);
	memcpy(copy, data, len);
	if (runbundle_parse(copy, len, again, &out) == 0)
		must(out.len == len && memcmp(out.p, copy, len) == 0);
	buf_release(&out);
	free(copy);
	return 0;
}
