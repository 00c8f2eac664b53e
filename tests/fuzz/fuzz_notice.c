/*
 * Notices from outside: what parses is written again and parses to the same names.
 */
#include <stdlib.h>
#include <string.h>

#include "transfer/gc/notice.c" /* programs have no archive to link against */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(int ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const uint8_t random[NOTICE_RANDOM_LEN];
	struct notice a = {0}, b = {0};
	struct buf text = BUF_INIT;
	char *copy = malloc(len ? len : 1); /* no byte behind the end */
	struct oid name;

	must(copy != NULL);
	memcpy(copy, data, len);
	if (notice_parse(&a, copy, len) == 0) {
		must(notice_build(&a, 0, random, &text, &name) == 0);
		must(notice_parse(&b, text.p, text.len) == 0);
		for (int k = 0; k < NOTICE_KINDS; k++) {
			must(a.names[k].n == b.names[k].n);
			for (size_t i = 0; i < a.names[k].n; i++)
				must(oid_eq(&a.names[k].v[i], &b.names[k].v[i]));
		}
	}
	notice_release(&a);
	notice_release(&b);
	buf_release(&text);
	free(copy);
	return 0;
}
