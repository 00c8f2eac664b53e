/*
 * Which files are tables, and how many rows and which columns they have.
 */
#include <string.h>
#include <strings.h>

#include "lib/base/err.h"
#include "lib/table/rows_read.h"

int rows_format_of(const char *path, enum rows_format *out)
{
	static const struct {
		const char *end;
		enum rows_format format;
	} known[] = {{".csv", ROWS_CSV}, {".tsv", ROWS_TSV}, {".tab", ROWS_TSV},
		{".jsonl", ROWS_JSONL}, {".ndjson", ROWS_JSONL}};
	const char *dot = strrchr(path, '.');

	for (size_t i = 0; dot != NULL && i < sizeof(known) / sizeof(*known); i++) {
		if (strcasecmp(dot, known[i].end) != 0)
			continue;
		*out = known[i].format;
		return 1;
	}
	return 0;
}

int rows_count(
	uint64_t *rows, struct strvec *columns, const struct rows_file *f, enum rows_format format)
{
	struct rows_read *r = NULL;
	struct rows_row row = {.number = 0};
	const struct rows_cell *cells;
	size_t n;
	int rc = rows_read_new(&r, f, format, ROWS_READ_BLOCK);

	while (rc == 0 && (rc = rows_read_next(r, &row)) > 0) /* each object may have more keys */
		rc = format == ROWS_JSONL ? rows_read_cells(r, &cells, &n) : 0;
	*rows = row.number;
	for (size_t i = 0; rc == 0 && columns && i < rows_read_columns(r)->n; i++)
		rc = strvec_push(columns, rows_read_columns(r)->v[i]);
	rows_read_free(r);
	return rc;
}
