/*
 * Commit objects: all fields or none, each a string, and nothing of a header in the subject.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/lineage/committext.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(int ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct buf commit = BUF_INIT, out = BUF_INIT;
	size_t fields = 0;
	int rc;

	must(buf_add(&commit, data, len) == 0 && buf_addch(&commit, '\n') == 0);
	rc = committext_fields(&out, "0123", &commit);
	must(rc == 0 || rc == 1);
	for (size_t at = 0; at < out.len; at += strlen(out.p + at) + 1)
		fields++;
	must(fields == (rc ? COMMITTEXT_FIELDS : 0));
	must(rc == 0 || out.p[out.len - 1] == '\0');
	err_clear();
	buf_release(&commit);
	buf_release(&out);
	return 0;
}
