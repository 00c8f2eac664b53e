/*
 * Before any row is looked at: which columns the three files have, which of them are the key, and
 * which side is the frame.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/table/rowdiff_internal.h"
#include "lib/table/rowmerge_internal.h"

static const char *const side_names[] = {"base", "ours", "theirs"};

size_t rowmerge_find_column(const struct strvec *columns, const char *name)
{
	for (size_t i = 0; i < columns->n; i++)
		if (strcmp(columns->v[i], name) == 0)
			return i;
	return ROWMERGE_NO_COLUMN;
}

static int has_all(const struct strvec *columns, const struct strvec *of)
{
	for (size_t i = 0; i < of->n; i++)
		if (rowmerge_find_column(columns, of->v[i]) == ROWMERGE_NO_COLUMN)
			return 0;
	return 1;
}

static int same_set(const struct strvec *a, const struct strvec *b)
{
	return a->n == b->n && has_all(a, b);
}

/* ---- headers ---- */

static int read_header(struct rowmerge *m, int i)
{
	struct rowmerge_side *s = &m->side[i];
	const struct strvec *columns;
	struct rows_read *r = NULL;
	int rc = rows_read_new(&r, s->file, m->format, 64 << 10);

	if (rc < 0)
		return rc;
	s->delimiter = rows_read_delimiter(r);
	columns = rows_read_columns(r);
	for (size_t k = 0; rc == 0 && m->format != ROWS_JSONL && k < columns->n; k++) {
		if (rowmerge_find_column(&s->columns, columns->v[k]) != ROWMERGE_NO_COLUMN)
			rc = rowmerge_give_up(
				m, "%s has two columns '%s'", side_names[i], columns->v[k]);
		else
			rc = strvec_push(&s->columns, columns->v[k]);
	}
	rows_read_free(r);
	return rc;
}

/* ---- the frame ---- */

static int find_frame(struct rowmerge *m)
{
	const struct strvec *base = &m->side[ROWMERGE_BASE].columns;
	const struct strvec *ours = &m->side[ROWMERGE_OURS].columns;
	const struct strvec *theirs = &m->side[ROWMERGE_THEIRS].columns;
	const int alike = same_set(ours, theirs);

	m->frame = ROWMERGE_OURS;
	m->other = ROWMERGE_THEIRS;
	if (m->format == ROWS_JSONL)
		return 0;
	if (ours->n == 0 || theirs->n == 0)
		return rowmerge_give_up(m, "%s is empty", ours->n == 0 ? "ours" : "theirs");
	if (!alike && !same_set(base, ours) && !same_set(base, theirs))
		return rowmerge_give_up(m, base->n > 0 ? "both sides changed the columns"
						       : "both sides added it, with other columns");
	if (strvec_eq(base, ours) && !strvec_eq(base, theirs)) {
		m->frame = ROWMERGE_THEIRS;
		m->other = ROWMERGE_OURS;
	}
	m->same_columns = strvec_eq(base, ours) && strvec_eq(base, theirs) &&
			  m->side[ROWMERGE_BASE].delimiter == m->side[ROWMERGE_OURS].delimiter;
	m->frame_dropped_or_added = !alike;
	if (m->side[ROWMERGE_OURS].delimiter != m->side[ROWMERGE_THEIRS].delimiter)
		return rowmerge_give_up(m, "the two sides have other delimiters");
	return 0;
}

/* ---- the key ---- */

static int split_names(struct strvec *out, const char *names)
{
	int rc = 0;

	for (const char *p = names; rc == 0 && *p != '\0';) {
		const size_t len = strcspn(p, ",");

		if (len > 0)
			rc = strvec_pushn(out, p, len);
		p += len + (p[len] == ',');
	}
	return rc;
}

/* What identifies rows of ours and theirs alike.  Not the numbers that pandas gives to rows: after
 * one was removed they are those of other rows. */
static int detect_key(struct rowmerge *m)
{
	const struct rowdiff_summary *s;
	struct rowdiff *d = NULL;
	int rc = rowdiff_new(&d, m->side[ROWMERGE_OURS].file, m->side[ROWMERGE_THEIRS].file,
		m->format, &m->o->rows);

	if (rc < 0)
		return rc;
	s = rowdiff_summary(d);
	if (s->key_from == ROWDIFF_KEY_DETECTED && rowdiff_key_rank(s->key[0]) >= 0) {
		m->key_is_guess = rowdiff_key_rank(s->key[0]) == 0;
		rc = strvec_push(&m->key, s->key[0]);
	}
	rowdiff_free(d);
	return rc;
}

static int find_key(struct rowmerge *m)
{
	const char *given = m->o->rows.key;
	int rc = given != NULL ? split_names(&m->key, given) : detect_key(m);

	if (rc == 0 && m->key.n == 0)
		return rowmerge_give_up(m, "no column identifies its rows");
	for (int i = 0; rc == 0 && m->format != ROWS_JSONL && i < ROWMERGE_SIDES; i++)
		for (size_t k = 0; rc == 0 && k < m->key.n; k++)
			if (m->side[i].columns.n > 0 && rowmerge_find_column(&m->side[i].columns,
								m->key.v[k]) == ROWMERGE_NO_COLUMN)
				rc = rowmerge_give_up(m, "%s has no column '%s', which is the key",
					side_names[i], m->key.v[k]);
	return rc;
}

/* ---- numbers for hashing ---- */

/* The number of a column's name, the same in all files; 0: out of memory. */
static uint64_t name_id(struct rowmerge *m, const char *name)
{
	uintptr_t id = (uintptr_t)strmap_get(&m->names, name);

	if (id == 0) {
		id = strmap_count(&m->names) + 1;
		if (strmap_put(&m->names, name, (void *)id) < 0)
			return 0;
	}
	return id;
}

/* 1 if cells of this column are compared between the frame and base. */
static int is_kept(const struct rowmerge *m, const char *name)
{
	return !m->frame_dropped_or_added ||
	       (rowmerge_find_column(&m->side[m->frame].columns, name) != ROWMERGE_NO_COLUMN &&
		       rowmerge_find_column(&m->side[ROWMERGE_BASE].columns, name) !=
			       ROWMERGE_NO_COLUMN);
}

static int number_columns(struct rowmerge *m, int i)
{
	struct rowmerge_side *s = &m->side[i];
	uint64_t *ids = reallocarray(s->ids, s->columns.n + 1, sizeof(*ids)), *kept;

	if (ids == NULL)
		return err_no_memory();
	s->ids = ids;
	kept = reallocarray(s->kept, s->columns.n + 1, sizeof(*kept));
	if (kept == NULL)
		return err_no_memory();
	s->kept = kept;
	for (size_t k = 0; k < s->columns.n; k++) {
		ids[k] = name_id(m, s->columns.v[k]);
		if (ids[k] == 0)
			return err_no_memory();
		kept[k] = is_kept(m, s->columns.v[k]) ? ids[k] : 0;
	}
	for (size_t k = 0; k < m->key.n; k++)
		s->key[k] = rowmerge_find_column(&s->columns, m->key.v[k]);
	return 0;
}

int rowmerge_new_columns(struct rowmerge *m, int side, struct rows_read *r)
{
	struct rowmerge_side *s = &m->side[side];
	const struct strvec *seen = rows_read_columns(r);
	int rc = 0;

	if (seen->n <= s->columns.n)
		return 0;
	for (size_t i = s->columns.n; rc == 0 && i < seen->n; i++)
		rc = strvec_push(&s->columns, seen->v[i]);
	return rc == 0 ? number_columns(m, side) : rc;
}

int rowmerge_columns(struct rowmerge *m)
{
	int rc = 0;

	for (int i = 0; rc == 0 && i < ROWMERGE_SIDES; i++)
		rc = read_header(m, i);
	if (rc == 0)
		rc = find_frame(m);
	if (rc == 0)
		rc = find_key(m);
	for (int i = 0; rc == 0 && i < ROWMERGE_SIDES; i++) {
		m->side[i].key = calloc(m->key.n, sizeof(*m->side[i].key));
		rc = m->side[i].key != NULL ? number_columns(m, i) : err_no_memory();
	}
	return rc;
}
