/*
 * Lines of the batch protocol, both directions: what parses is written and parsed again, and is the
 * same.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/wire/batchline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static char *copy_line(const void *data, size_t len)
{
	char *line = malloc(len + 1);

	if (!line)
		abort();
	memcpy(line, data, len);
	line[len] = '\0';
	return line;
}

static void must(int ok)
{
	if (!ok)
		abort();
}

static int same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static void try_request(const uint8_t *data, size_t len)
{
	char *line = copy_line(data, len);
	struct batch_request a, b;
	struct buf out = BUF_INIT;

	if (batch_request_parse(&a, line, len) == 0 && batch_request_format(&out, &a) == 0) {
		must(out.len <= BATCH_LINE_MAX &&
			memchr(out.p, '\n', out.len) == out.p + out.len - 1);
		out.p[--out.len] = '\0';
		must(batch_request_parse(&b, out.p, out.len) == 0);
		must(oid_eq(&a.oid, &b.oid) && a.size == b.size && a.has_base == b.has_base &&
			same_text(a.path, b.path));
	}
	buf_release(&out);
	free(line);
}

static void try_answer(const uint8_t *data, size_t len)
{
	char *line = copy_line(data, len);
	struct batch_answer a, b;
	struct buf out = BUF_INIT;

	if (len < BATCH_LINE_MAX && batch_answer_parse(&a, line, len) == 0 &&
		a.kind != BATCH_ANSWER_UNKNOWN) {
		must(batch_answer_format(&out, &a) == 0 && out.len <= BATCH_LINE_MAX);
		out.p[--out.len] = '\0';
		must(batch_answer_parse(&b, out.p, out.len) == 0);
		must(a.kind == b.kind && a.code == b.code && a.bytes == b.bytes &&
			a.objects == b.objects);
	}
	buf_release(&out);
	free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	try_request(data, len);
	try_answer(data, len);
	return 0;
}
