/*
 * Any bytes as two tables.  Their rows are those of csvread.h, whatever the blocks, and each can be
 * read again by its offset; JSON rows that are written simply have the cells that lib/yaml finds.
 * The diff of the two adds up, and that of a table with itself is empty.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/table/csvread.h"
#include "lib/table/rowdiff.h"
#include "lib/table/rows_read.h"
#include "lib/yaml/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

static struct rows_file file_of(const uint8_t *data, size_t size)
{
	struct rows_file f = {"t", memfd_create("fuzz", MFD_CLOEXEC), size};

	require(f.fd >= 0 && fs_write_full(f.fd, data, size) == 0);
	return f;
}

/* --- reading -------------------------------------------------------------------------------------
 */

static void add_cells(struct buf *out, const struct rows_cell *cells, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (cells[i].p == NULL) {
			require(buf_addstr(out, "-") == 0);
			continue;
		}
		require(buf_addf(out, "%d:%zu:", cells[i].json, cells[i].len) == 0);
		require(buf_add(out, cells[i].p, cells[i].len) == 0);
	}
	require(buf_addch(out, '\n') == 0);
}

/* By csvread.h, with the header. */
static int add_csv_row(const struct csvread_row *row, void *data)
{
	for (size_t i = 0; i < row->n; i++) {
		require(buf_addf(data, "0:%zu:", row->len[i]) == 0);
		require(buf_add(data, row->v[i], row->len[i]) == 0);
	}
	return buf_addch(data, '\n');
}

/* The cells of one row, read by its offset alone. */
static void read_one(
	struct buf *out, struct rows_read *r, const struct rows_row *of, const struct buf *text)
{
	const struct rows_cell *cells;
	struct rows_row row;
	size_t n;

	rows_read_seek(r, of->offset, of->number);
	require(rows_read_next(r, &row) == 1 && row.number == of->number);
	require(row.len == text->len && !memcmp(row.text, buf_str(text), row.len));
	require(rows_read_cells(r, &cells, &n) == 0);
	add_cells(out, cells, n);
}

static int read_all(
	struct buf *out, const struct rows_file *f, enum rows_format format, size_t block)
{
	struct rows_read *r = NULL, *again = NULL;
	const struct rows_cell *cells;
	struct buf text = BUF_INIT, one = BUF_INIT;
	struct rows_row row;
	size_t n;
	int rc = rows_read_new(&r, f, format, block);

	if (rc == 0)
		require(rows_read_new(&again, f, format, 3) == 0);
	while (rc == 0 && (rc = rows_read_next(r, &row)) > 0) {
		size_t start = out->len;

		rc = rows_read_cells(r, &cells, &n);
		if (rc < 0)
			break;
		add_cells(out, cells, n);
		buf_reset(&text);
		require(buf_add(&text, row.text, row.len) == 0);
		if (format == ROWS_JSONL)
			continue; /* columns are numbered as they are met */
		buf_reset(&one);
		read_one(&one, again, &row, &text);
		require(one.len == out->len - start && !memcmp(one.p, out->p + start, one.len));
	}
	rows_read_free(r);
	rows_read_free(again);
	buf_release(&text);
	buf_release(&one);
	return rc;
}

/* --- what must hold ------------------------------------------------------------------------------
 */

static void check_csv(const struct rows_file *f, const uint8_t *data, size_t size)
{
	struct buf all = BUF_INIT, ours = BUF_INIT, small = BUF_INIT;
	struct rows_read *r = NULL;
	int rc = rows_read_new(&r, f, ROWS_CSV, 1 << 16);

	if (rc == 0) {
		const struct strvec *header = rows_read_columns(r);
		char delimiter = rows_read_delimiter(r);
		const char *rows;

		rc = read_all(&ours, f, ROWS_CSV, 1 << 16);
		require(read_all(&small, f, ROWS_CSV, size % 5 + 1) == rc);
		require(ours.len == small.len &&
			(ours.len == 0 || !memcmp(ours.p, small.p, ours.len)));
		require(csvread_text("t", delimiter, data, size, add_csv_row, &all) == rc);
		rows = header->n ? memchr(buf_str(&all), '\n', all.len) : NULL;
		(void)rows;
		/* the header's cells may hold line ends: compare from the end */
		require(ours.len <= all.len);
		require(ours.len == 0 || !memcmp(all.p + all.len - ours.len, ours.p, ours.len));
	}
	rows_read_free(r);
	buf_release(&all);
	buf_release(&ours);
	buf_release(&small);
}

/* A line, and the same with an escape in a key that nobody has: the second goes through lib/yaml.
 */
static void check_json_line(const uint8_t *data, size_t size)
{
	struct buf simple = BUF_INIT, text = BUF_INIT, any = BUF_INIT;
	const char *brace = size ? memchr(data, '{', size) : NULL;
	const char *end = size ? memchr(data, '\n', size) : NULL;
	struct node *object = NULL;

	size = end ? (size_t)(end - (const char *)data) : size;
	if (brace == NULL || brace > (const char *)data + size)
		return;
	if (json_parse(&object, "t", data, size) == 0 && object->type == NODE_MAP &&
		object->n > 0 && node_get(object, "\x01") == NULL) {
		size_t at = (size_t)(brace - (const char *)data) + 1;
		struct rows_file f = file_of(data, size), g;

		require(buf_add(&text, data, at) == 0 && buf_addstr(&text, "\"\\u0001\":0,") == 0 &&
			buf_add(&text, data + at, size - at) == 0);
		g = file_of((const uint8_t *)text.p, text.len);
		require(read_all(&simple, &f, ROWS_JSONL, 16) == 0);
		require(read_all(&any, &g, ROWS_JSONL, 16) == 0);
		require(any.len == simple.len + 5 && !memcmp(any.p, "1:1:0", 5) &&
			!memcmp(any.p + 5, simple.p, simple.len));
		close(f.fd);
		close(g.fd);
	}
	node_free(object);
	buf_release(&simple);
	buf_release(&text);
	buf_release(&any);
}

static int count_row(const struct rowdiff_row *row, void *data)
{
	uint64_t *n = data;

	require((row->kind != ROWDIFF_ADDED) == (row->old_row > 0));
	require((row->kind != ROWDIFF_REMOVED) == (row->now_row > 0));
	require((row->old_text != NULL) == (row->kind == ROWDIFF_REMOVED));
	require((row->now_text != NULL) == (row->kind == ROWDIFF_ADDED));
	require(row->kind != ROWDIFF_CHANGED || row->n_cells > 0);
	n[row->kind]++;
	return 0;
}

static void check_diff(
	const struct rows_file *old, const struct rows_file *now, enum rows_format format, int same)
{
	struct rowdiff_options o = {.memory = 1};
	uint64_t told[3] = {0};
	struct rowdiff *d = NULL;
	int rc = rowdiff_new(&d, old, now, format, &o);
	const struct rowdiff_summary *s;

	require(rc == 0 || rc == ERR_INVALID || rc == ERR_LIMIT);
	if (rc < 0)
		return;
	s = rowdiff_summary(d);
	require(rowdiff_each(d, count_row, told) == 0);
	require(told[ROWDIFF_ADDED] == s->added && told[ROWDIFF_REMOVED] == s->removed &&
		told[ROWDIFF_CHANGED] == s->changed);
	require(s->same + s->changed + s->removed == s->rows[0]);
	require(s->same + s->changed + s->added == s->rows[1]);
	require(!same || s->same == s->rows[0]);
	rowdiff_free(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum rows_format formats[] = {ROWS_CSV, ROWS_TSV, ROWS_JSONL};
	const uint8_t *mark = size ? memchr(data, '\0', size) : NULL;
	size_t half = mark ? (size_t)(mark - data) : size / 2;
	struct rows_file all = file_of(data, size), old = file_of(data, half),
			 now = file_of(data + half, size - half);

	check_csv(&all, data, size);
	check_json_line(data, size);
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
		check_diff(&old, &now, formats[i], 0);
		check_diff(&all, &all, formats[i], 1);
	}
	close(all.fd);
	close(old.fd);
	close(now.fd);
	return 0;
}
