/*
 * Any bytes as a pointer.  What is accepted must survive being written and read again, and only the
 * text that we would write ourselves may be called canonical.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/store/pointer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[POINTER_CANONICAL_MAX];
	struct pointer_extension e[POINTER_EXTENSIONS_MAX];
	struct pointer p, again;
	size_t len;

	if (pointer_parse(&p, data, size) < 0)
		return 0;
	require(size < POINTER_MAX);
	require(p.size <= INT64_MAX);
	require(pointer_extensions(e, data, size) == p.extended);
	len = pointer_format(text, &p.oid, p.size);
	require(p.canonical == (len == size && memcmp(text, data, len) == 0));
	require(pointer_parse(&again, text, len) == 0);
	require(again.canonical && oid_eq(&again.oid, &p.oid) && again.size == p.size);
	return 0;
}
