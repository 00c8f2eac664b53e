/*
 * Three-way merge of tables.  The rows of all three files are hashed and sorted by their key, which
 * brings the versions of a row together; what the other side did becomes a list of edits to one of
 * the files, sorted by place, with which it is copied.
 */
#include "lib/table/rowmerge.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/table/rowmerge_internal.h"

void rowmerge_result_release(struct rowmerge_result *r)
{
	free(r->why);
	*r = (struct rowmerge_result){0};
}

int rowmerge_give_up(struct rowmerge *m, const char *fmt, ...)
{
	va_list ap;
	int n;

	free(m->result->why);
	va_start(ap, fmt);
	n = vasprintf(&m->result->why, fmt, ap);
	va_end(ap);
	if (n < 0) {
		m->result->why = NULL;
		return err_no_memory();
	}
	m->result->outcome = ROWMERGE_UNMERGEABLE;
	return 1;
}

int rowmerge_stopped(const struct rowmerge *m)
{
	return m->o->rows.stop != NULL && *m->o->rows.stop ? err_set(ERR_INTERRUPTED, "interrupted")
							   : 0;
}

int rowmerge_read_again(struct rowmerge *m, int side, uint64_t offset, struct rows_row *row)
{
	struct rowmerge_side *s = &m->side[side];
	int rc = 0;

	if (s->again == NULL)
		rc = rows_read_new(&s->again, s->file, m->format, 16 << 10);
	if (rc == 0) {
		rows_read_seek(s->again, offset, 0);
		rc = rows_read_next(s->again, row);
	}
	if (rc == 0)
		rc = err_set(ERR_CHANGED, "'%s' changed while it was read", s->file->name);
	return rc;
}

int rowmerge_key_text(struct buf *out, const struct rowmerge *m, int side, struct rows_read *r)
{
	const struct rows_cell *cells;
	size_t n;
	int rc = rows_read_cells(r, &cells, &n);

	for (size_t i = 0; rc == 0 && i < m->key.n; i++) {
		const size_t at = m->format == ROWS_JSONL
					  ? rowmerge_find_column(rows_read_columns(r), m->key.v[i])
					  : m->side[side].key[i];

		rc = buf_addf(out, "%s%s=", i > 0 ? ", " : "", m->key.v[i]);
		if (rc == 0 && at < n && cells[at].p != NULL)
			rc = buf_add(out, cells[at].p, cells[at].len);
	}
	return rc;
}

static void release(struct rowmerge *m)
{
	for (int i = 0; i < ROWMERGE_SIDES; i++) {
		strvec_release(&m->side[i].columns);
		free(m->side[i].key);
		free(m->side[i].ids);
		free(m->side[i].kept);
		rows_read_free(m->side[i].again);
	}
	strvec_release(&m->key);
	strmap_release(&m->names, NULL);
	runsort_free(m->rows);
	runsort_free(m->edits);
	runsort_free(m->inserts);
}

int rowmerge_run(struct rowmerge_result *out, const struct rows_file files[static ROWMERGE_SIDES],
	enum rows_format format, const struct rowmerge_options *o, const struct rowmerge_sink *sink)
{
	struct rowmerge m = {.format = format, .o = o, .result = out};
	int rc;

	for (int i = 0; i < ROWMERGE_SIDES; i++)
		m.side[i].file = &files[i];

	*out = (struct rowmerge_result){0};
	rows_hash_seed_init(&m.seed);
	rc = rowmerge_columns(&m);
	if (rc == 0)
		rc = rowmerge_plan(&m);
	if (rc == 0)
		rc = rowmerge_write(&m, sink);
	if (rc == 0)
		out->outcome = out->conflicts > 0 ? ROWMERGE_CONFLICTS : ROWMERGE_MERGED;
	release(&m);
	return out->outcome == ROWMERGE_UNMERGEABLE && rc == 1 ? 0 : rc;
}
