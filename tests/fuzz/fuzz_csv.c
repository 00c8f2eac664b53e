/*
 * Any bytes as CSV or TSV: rows are the same in whatever pieces the bytes come, and their lines
 * grow.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/table/csvread.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct rows {
	struct buf text;
	uint64_t line;
};

static void require(int condition)
{
	if (!condition)
		abort();
}

static int add_row(const struct csvread_row *row, void *data)
{
	struct rows *rows = data;

	require(row->line >= rows->line && row->n > 0);
	rows->line = row->line;
	for (size_t i = 0; i < row->n; i++) {
		require(row->v[i][row->len[i]] == '\0');
		require(buf_addf(&rows->text, "%zu:", row->len[i]) == 0);
		require(buf_add(&rows->text, row->v[i], row->len[i]) == 0);
	}
	return buf_addf(&rows->text, "@%llu\n", (unsigned long long)row->line);
}

static int read_rows(
	struct rows *rows, char delimiter, const uint8_t *data, size_t size, size_t piece)
{
	struct csvread *c = NULL;
	int rc = 0;

	require(csvread_new(&c, "t.csv", delimiter, add_row, rows) == 0);
	for (size_t at = 0; rc == 0 && at < size; at += piece)
		rc = csvread_feed(c, data + at, size - at < piece ? size - at : piece);
	if (rc == 0)
		rc = csvread_end(c);
	csvread_free(c);
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rows whole = {.line = 1}, pieces = {.line = 1};
	char delimiter = csvread_delimiter_of("t.csv", data, size);
	int rc = read_rows(&whole, delimiter, data, size, size ? size : 1);

	require(read_rows(&pieces, delimiter, data, size, size % 7 + 1) == rc);
	require(rc == 0 || rc == ERR_INVALID);
	require(whole.text.len == pieces.text.len);
	require(whole.text.len == 0 || !memcmp(whole.text.p, pieces.text.p, whole.text.len));
	buf_release(&whole.text);
	buf_release(&pieces.text);
	return 0;
}
