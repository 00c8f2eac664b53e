/*
 * Names of tags: what is read is written again as it was, but for zeros before a counter.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/registry/gtotag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(int ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *name = malloc(len + 1);
	struct buf text = BUF_INIT, again = BUF_INIT;
	struct gtotag a, b;

	must(name != NULL);
	memcpy(name, data, len);
	name[len] = '\0';
	gtotag_parse(&a, name);
	if (a.kind != GTOTAG_NONE) {
		must(gtotag_format(&text, &a) == 0);
		gtotag_parse(&b, text.p);
		must(b.kind == a.kind && b.counter == a.counter);
		must(semver_compare(&a.version, &b.version) == 0);
		must(gtotag_format(&again, &b) == 0);
		must(strcmp(text.p, again.p) == 0);
		must(text.len <= strlen(name));
	}
	gtotag_check_model(name);
	gtotag_check_stage(name);
	err_clear();
	buf_release(&text);
	buf_release(&again);
	free(name);
	return 0;
}
