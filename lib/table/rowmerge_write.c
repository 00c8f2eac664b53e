/*
 * The merged table: the frame is copied in long pieces, from edit to edit.  Both lists - edits, and
 * rows to insert - are sorted by place, so that one pass over the frame takes them as they come.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/markers.h"
#include "lib/table/rowmerge_internal.h"

enum { PIECE = 256 << 10 };

struct writer {
	struct rowmerge *m;
	const struct rowmerge_sink *sink;
	const char *eol;
	uint64_t copied; /* what stands before this offset of the frame is written, or left out */
	uint64_t end;	 /* of the last row that was seen */
	int end_is_line; /* with its line end, which is looked for when somebody needs it */
	int open;	 /* the last byte that was written is no line end */
	char *piece;
	const uint64_t *edit, *insert; /* the next ones; NULL: no more */
	struct buf text, versions[ROWMERGE_SIDES];
};

/* ---- bytes ---- */

static int put(struct writer *w, const void *p, size_t len)
{
	if (len == 0)
		return 0;
	w->open = ((const char *)p)[len - 1] != '\n' && ((const char *)p)[len - 1] != '\r';
	return w->sink->piece(p, len, w->sink->data);
}

/* Copy the frame up to this offset. */
static int copy_to(struct writer *w, uint64_t end)
{
	const struct rows_file *f = w->m->side[w->m->frame].file;
	int rc = 0;

	while (rc == 0 && w->copied < end) {
		const uint64_t left = end - w->copied;
		const size_t want = left < PIECE ? (size_t)left : PIECE;
		ssize_t got = fs_pread_full(f->fd, w->piece, want, w->copied);

		if (got < 0)
			return err_prefix((int)got, "cannot read '%s'", f->name);
		if ((size_t)got < want)
			return err_set(
				ERR_CHANGED, "'%s' became shorter while it was read", f->name);
		rc = put(w, w->piece, want);
		w->copied += want;
	}
	return rc;
}

/* Let w->end be where the line ends. */
static int find_line_end(struct writer *w)
{
	const struct rows_file *f = w->m->side[w->m->frame].file;
	char c[2] = {0};
	ssize_t got = w->end_is_line ? 0 : fs_pread_full(f->fd, c, sizeof(c), w->end);

	if (got < 0)
		return err_prefix((int)got, "cannot read '%s'", f->name);
	if (got > 0)
		w->end += c[0] == '\r' && c[1] == '\n' ? 2 : c[0] == '\n' || c[0] == '\r';
	w->end_is_line = 1;
	return 0;
}

static int put_line(struct writer *w, const struct rowmerge_version *row)
{
	int rc = w->open ? put(w, w->eol, strlen(w->eol)) : 0;

	if (rc == 0)
		rc = put(w, row->text, row->len);
	return rc == 0 ? put(w, w->eol, strlen(w->eol)) : rc;
}

/* The line end that the frame uses; one that has none gets "\n". */
static int find_eol(struct writer *w)
{
	const struct rows_file *f = w->m->side[w->m->frame].file;
	const char *lf;
	ssize_t got = f->fd >= 0 ? fs_pread_full(f->fd, w->piece, PIECE, 0) : 0;

	if (got < 0)
		return err_prefix((int)got, "cannot read '%s'", f->name);
	lf = got > 0 ? memchr(w->piece, '\n', (size_t)got) : NULL;
	w->eol = lf != NULL && lf > w->piece && lf[-1] == '\r' ? "\r\n" : "\n";
	return 0;
}

/* ---- conflicts ---- */

static int put_marker(struct writer *w, char c, int side)
{
	static const char *const words[] = {"base", "ours", "theirs"};
	const struct rowmerge_options *o = w->m->o;
	const char *label = side < 0		      ? NULL
			    : o->labels[side] != NULL ? o->labels[side]
						      : words[side];
	int rc;

	buf_reset(&w->text);
	rc = markers_add(&w->text, c, o->marker_size, label, w->eol);
	if (rc == 0 && w->open)
		rc = put(w, w->eol, strlen(w->eol));
	return rc == 0 ? put(w, w->text.p, w->text.len) : rc;
}

static int put_version(struct writer *w, const struct rowmerge_version *v)
{
	return v->text != NULL ? put_line(w, v) : 0;
}

/* "id=7" of a version that is there. */
static int tell(
	struct writer *w, const struct rowmerge_version v[static ROWMERGE_SIDES], const char *key)
{
	const char *text[ROWMERGE_SIDES] = {NULL};
	struct rowmerge_conflict c = {.key = key};
	int rc = 0;

	w->m->result->conflicts++;
	if (w->sink->conflict == NULL)
		return 0;
	for (int i = 0; rc == 0 && i < ROWMERGE_SIDES; i++) {
		if (v[i].text == NULL)
			continue;
		buf_reset(&w->versions[i]);
		rc = buf_add(&w->versions[i], v[i].text, v[i].len);
		text[i] = buf_str(&w->versions[i]);
	}
	c.base = text[ROWMERGE_BASE];
	c.ours = text[ROWMERGE_OURS];
	c.theirs = text[ROWMERGE_THEIRS];
	return rc == 0 ? w->sink->conflict(&c, w->sink->data) : rc;
}

static int put_conflict(
	struct writer *w, const struct rowmerge_version v[static ROWMERGE_SIDES], const char *key)
{
	int rc = put_marker(w, '<', ROWMERGE_OURS);

	if (rc == 0)
		rc = put_version(w, &v[ROWMERGE_OURS]);
	if (rc == 0)
		rc = put_marker(w, '|', ROWMERGE_BASE);
	if (rc == 0)
		rc = put_version(w, &v[ROWMERGE_BASE]);
	if (rc == 0)
		rc = put_marker(w, '=', -1);
	if (rc == 0)
		rc = put_version(w, &v[ROWMERGE_THEIRS]);
	if (rc == 0)
		rc = put_marker(w, '>', ROWMERGE_THEIRS);
	return rc == 0 ? tell(w, v, key) : rc;
}

/* ---- rows ---- */

/* Read a version again; at ROWMERGE_NO_ROW there is none. */
static int get_version(
	struct writer *w, struct rowmerge_version *v, int side, uint64_t offset, struct buf *key)
{
	struct rows_row row;
	int rc;

	*v = (struct rowmerge_version){NULL, 0};
	if (offset == ROWMERGE_NO_ROW)
		return 0;
	rc = rowmerge_read_again(w->m, side, offset, &row);
	if (rc < 0)
		return rc;
	*v = (struct rowmerge_version){row.text, row.len};
	if (key->len > 0)
		return 0;
	return rowmerge_key_text(key, w->m, side, w->m->side[side].again);
}

/* The places of a row's versions. */
struct places {
	uint64_t frame, base, other;
};

static int get_versions(struct writer *w, struct rowmerge_version v[static ROWMERGE_SIDES],
	const struct places *at, struct buf *key)
{
	int rc = get_version(w, &v[w->m->frame], w->m->frame, at->frame, key);

	if (rc == 0)
		rc = get_version(w, &v[w->m->other], w->m->other, at->other, key);
	return rc == 0 ? get_version(w, &v[ROWMERGE_BASE], ROWMERGE_BASE, at->base, key) : rc;
}

static int put_insert(struct writer *w, const uint64_t *insert)
{
	struct rowmerge_version v[ROWMERGE_SIDES], line;
	struct buf key = BUF_INIT, text = BUF_INIT;
	const struct places at = {ROWMERGE_NO_ROW, insert[INSERT_BASE], insert[INSERT_OTHER]};
	int rc = get_versions(w, v, &at, &key);

	if (rc == 0 && insert[INSERT_BASE] == ROWMERGE_NO_ROW)
		rc = rowmerge_recast(&text, w->m, &v[w->m->other]);
	else if (rc == 0)
		rc = 1;
	line = (struct rowmerge_version){buf_str(&text), text.len};
	if (rc == 0)
		rc = put_line(w, &line);
	else if (rc > 0)
		rc = put_conflict(w, v, buf_str(&key));
	buf_release(&key);
	buf_release(&text);
	return rc;
}

/* Insert all that belongs before the row at this place. */
static int drain(struct writer *w, uint64_t place)
{
	uint64_t record[INSERT_WORDS];
	int rc = 0, more = 1;

	if (w->insert != NULL && w->insert[INSERT_BEHIND] < place) {
		rc = find_line_end(w);
		if (rc == 0)
			rc = copy_to(w, w->end);
	}
	while (rc == 0 && more > 0 && w->insert != NULL && w->insert[INSERT_BEHIND] < place) {
		memcpy(record, w->insert, sizeof(record));
		more = runsort_next(w->m->inserts, &w->insert);
		if (more <= 0)
			w->insert = NULL;
		rc = put_insert(w, record);
	}
	return rc != 0 ? rc : more < 0 ? more : 0;
}

/* The frame's row gets another text, or - NULL - goes. */
static int replace(struct writer *w, const struct rows_row *row, const struct buf *text)
{
	int rc = copy_to(w, row->offset);

	if (rc == 0 && text == NULL)
		rc = find_line_end(w);
	w->copied = w->end;
	return rc == 0 && text != NULL ? put(w, text->p, text->len) : rc;
}

static int merge_row(struct writer *w, const struct rows_row *row, const uint64_t *edit,
	const struct rowmerge_version v[static ROWMERGE_SIDES], const char *key)
{
	struct rowmerge *m = w->m;
	struct buf text = BUF_INIT;
	int rc;

	if (edit[EDIT_WHAT] == EDIT_CONFLICT)
		rc = 1;
	else if (edit[EDIT_WHAT] == EDIT_TAKE && (m->same_columns || m->format == ROWS_JSONL))
		rc = buf_add(&text, v[m->other].text, v[m->other].len);
	else
		rc = rowmerge_cells(&text, m, v);
	if (rc == 0) {
		m->result->changed += edit[EDIT_WHAT] == EDIT_MERGE;
		rc = replace(w, row, &text);
	} else if (rc > 0) {
		rc = replace(w, row, NULL);
		if (rc == 0)
			rc = put_conflict(w, v, key);
	}
	buf_release(&text);
	return rc;
}

static int edit_row(struct writer *w, const struct rows_row *row, const uint64_t *edit)
{
	const struct places at = {row->offset, edit[EDIT_BASE], edit[EDIT_OTHER]};
	struct rowmerge_version v[ROWMERGE_SIDES];
	struct buf key = BUF_INIT;
	int rc;

	if (edit[EDIT_WHAT] == EDIT_ADDED)
		return 0;
	if (edit[EDIT_WHAT] == EDIT_DROP)
		return replace(w, row, NULL);
	rc = get_versions(w, v, &at, &key);
	if (rc == 0)
		rc = merge_row(w, row, edit, v, buf_str(&key));
	buf_release(&key);
	return rc;
}

static int take_row(struct writer *w, const struct rows_row *row)
{
	uint64_t edit[EDIT_WORDS];
	const int has_edit = w->edit != NULL && w->edit[EDIT_AT] == row->offset;
	int rc = 0, more = 1;

	if (has_edit) {
		memcpy(edit, w->edit, sizeof(edit));
		more = runsort_next(w->m->edits, &w->edit);
		if (more <= 0)
			w->edit = NULL;
	}
	if (w->end == 0) {
		w->end = row->offset; /* the header, and what follows it */
		w->end_is_line = 1;
	}
	if (!has_edit || edit[EDIT_WHAT] != EDIT_ADDED)
		rc = drain(w, row->offset + 1);
	w->end = row->offset + row->len;
	w->end_is_line = 0;
	if (rc == 0 && has_edit)
		rc = edit_row(w, row, edit);
	return rc < 0 ? rc : more < 0 ? more : rc;
}

static int write_all(struct writer *w)
{
	const struct rowmerge *m = w->m;
	const struct rows_file *f = m->side[m->frame].file;
	struct rows_read *r = NULL;
	struct rows_row row;
	int rc = rows_read_new(&r, f, m->format, ROWS_READ_BLOCK), more;

	while (rc == 0 && (w->edit != NULL || w->insert != NULL) &&
		(rc = rows_read_next(r, &row)) > 0) {
		rc = row.number % 4096 == 0 ? rowmerge_stopped(m) : 0;
		if (rc == 0)
			rc = take_row(w, &row);
	}
	more = rc;
	rows_read_free(r);
	if (more == 0 && w->end == 0) {
		w->end = f->size; /* no rows: all of it is the header */
		w->end_is_line = 1;
	}
	if (more == 0)
		more = drain(w, UINT64_MAX);
	return more == 0 ? copy_to(w, f->size) : more;
}

int rowmerge_write(struct rowmerge *m, const struct rowmerge_sink *sink)
{
	struct writer w = {.m = m, .sink = sink, .piece = malloc(PIECE)};
	int rc = w.piece != NULL ? find_eol(&w) : err_no_memory();

	if (rc == 0 && (rc = runsort_next(m->edits, &w.edit)) <= 0)
		w.edit = NULL;
	if (rc >= 0 && (rc = runsort_next(m->inserts, &w.insert)) <= 0)
		w.insert = NULL;
	if (rc >= 0)
		rc = write_all(&w);
	for (int i = 0; i < ROWMERGE_SIDES; i++)
		buf_release(&w.versions[i]);
	buf_release(&w.text);
	free(w.piece);
	return rc;
}
