/*
 * Any bytes as three dvx.lock files, divided by lines "%%".  A merge without conflicts can be read;
 * one side that changed nothing leaves the other's stages; no stage of both sides is lost.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/pipeline/lockmerge.h"
#include "tests/fuzz/stagelock_same.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_same(const char *text, size_t len, const struct buf *merged)
{
	struct stagelock *from, *to;

	require(stagelock_parse(&from, "from", text, len) == 0);
	require(stagelock_parse(&to, "to", buf_str(merged), merged->len) == 0);
	require_same_documents(from, to);
	stagelock_free(from);
	stagelock_free(to);
}

static void merge(const char *const text[3], const size_t len[3], int same_as)
{
	const struct lockmerge_options o = {0};
	struct strvec conflicts = STRVEC_INIT;
	struct stagelock *l = NULL;
	struct buf out = BUF_INIT;

	if (lockmerge_run(&out, &conflicts, text, len, &o) == 0) {
		if (conflicts.n == 0)
			require(stagelock_parse(&l, "merged", out.p, out.len) == 0);
		if (same_as >= 0) {
			require(conflicts.n == 0);
			check_same(text[same_as], len[same_as], &out);
		}
	}
	stagelock_free(l);
	strvec_release(&conflicts);
	buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text[3] = {(const char *)data, "", ""}, *p = text[0];
	size_t len[3] = {size, 0, 0};

	for (int i = 1; i < 3; i++) {
		const char *next = memmem(p, len[i - 1], "%%\n", 3);

		if (next == NULL)
			break;
		text[i] = next + 3;
		len[i] = len[i - 1] - (size_t)(next + 3 - p);
		len[i - 1] = (size_t)(next - p);
		p = text[i];
	}
	merge(text, len, -1);
	merge((const char *[]){text[0], text[0], text[1]}, (size_t[]){len[0], len[0], len[1]}, 2);
	merge((const char *[]){text[0], text[1], text[0]}, (size_t[]){len[0], len[1], len[0]}, 1);
	return 0;
}
