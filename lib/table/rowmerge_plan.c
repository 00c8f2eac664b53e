/*
 * What has to be done to which row of the frame.
 *
 * All rows, sorted by key, are looked at in groups of one key.  A row that only one side touched is
 * clear; one that both touched is left to the cells (rowmerge_cells.c).  What the frame does not
 * have is put behind the row that it follows on the other side, for which that side is read once
 * more, in its order.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/table/rowmerge_internal.h"

/* Rows of the other side that the frame does not have, by offset.  `KIND` is an enum place_kind. */
enum { PLACE_AT, PLACE_KIND, PLACE_BASE, PLACE_WORDS };
enum place_kind { PLACE_INSERT, PLACE_GONE /* the frame removed it, rightly */ };
/* An insertion by the key of the row that it follows. */
enum { ANCHOR_KEY, ANCHOR_OTHER = 2, ANCHOR_BASE, ANCHOR_WORDS };

struct plan {
	struct rowmerge *m;
	struct runsort *places, *anchors;
	uint64_t to_insert;
	int both_removed, added; /* there is a key that ...; what is added on any side */
	size_t memory;		 /* of each sort */
};

/* ---- reading ---- */

static int add_row(struct rowmerge *m, const struct rows_hash *h, struct rows_read *r,
	const struct rows_row *row, enum rowmerge_row_side as)
{
	struct rows_hash_value v;
	uint64_t record[ROW_WORDS];
	int rc = rows_hash_row(&v, h, r, row);

	if (rc < 0)
		return rc;
	record[ROW_KEY] = v.key[0];
	record[ROW_KEY + 1] = v.key[1];
	record[ROW_SIDE] = as;
	record[ROW_HASH] = v.row[0];
	record[ROW_HASH + 1] = v.row[1];
	record[ROW_OFFSET] = row->offset;
	return runsort_add(m->rows, record);
}

static void hash_of(struct rows_hash *h, const struct rowmerge *m, int side, int kept)
{
	const struct rowmerge_side *s = &m->side[side];

	*h = (struct rows_hash){.seed = &m->seed, .key = s->key, .n_key = m->key.n};
	if (m->same_columns) /* then rows are compared as text, which is faster */
		return;
	h->ids = kept ? s->kept : s->ids;
	h->n_ids = s->columns.n;
}

/* The next row; of JSON Lines its columns are known then.  1, 0, or an error. */
static int next_row(struct rowmerge *m, int side, struct rows_read *r, struct rows_row *row)
{
	const struct rows_cell *cells;
	size_t n;
	int rc = rows_read_next(r, row);

	if (rc > 0 && m->format == ROWS_JSONL) {
		rc = rows_read_cells(r, &cells, &n);
		if (rc == 0)
			rc = rowmerge_new_columns(m, side, r);
		rc = rc < 0 ? rc : 1;
	}
	if (rc > 0 && row->number % 4096 == 0 && rowmerge_stopped(m) < 0)
		return ERR_INTERRUPTED;
	return rc;
}

static int read_side(struct rowmerge *m, int side)
{
	const enum rowmerge_row_side as = side == ROWMERGE_BASE ? OF_BASE
					  : side == m->frame	? OF_FRAME
								: OF_OTHER;
	struct rows_read *r = NULL;
	struct rows_hash h;
	struct rows_row row;
	int rc = rows_read_new(&r, m->side[side].file, m->format, ROWS_READ_BLOCK);

	while (rc == 0 && (rc = next_row(m, side, r, &row)) > 0) {
		hash_of(&h, m, side, side == m->frame);
		rc = add_row(m, &h, r, &row, as);
		if (rc == 0 && side == ROWMERGE_BASE && m->frame_dropped_or_added) {
			hash_of(&h, m, side, 1);
			rc = add_row(m, &h, r, &row, OF_BASE_FOR_FRAME);
		}
	}
	rows_read_free(r);
	return rc;
}

/* ---- groups of one key ---- */

struct versions {
	uint64_t n;	  /* rows of this key */
	uint64_t hash[2]; /* the sum of theirs: which rows there are, whatever their order */
	uint64_t offset;  /* of the last one */
};

struct group {
	uint64_t key[2];
	struct versions v[N_ROW_SIDES];
};

static void add_version(struct group *g, const uint64_t *record)
{
	struct versions *v = &g->v[record[ROW_SIDE]];

	v->n++;
	v->hash[0] += record[ROW_HASH];
	v->hash[1] += record[ROW_HASH + 1];
	v->offset = record[ROW_OFFSET];
}

static int same(const struct versions *a, const struct versions *b)
{
	return a->n == b->n && a->hash[0] == b->hash[0] && a->hash[1] == b->hash[1];
}

static uint64_t place_of(const struct versions *v)
{
	return v->n > 0 ? v->offset : ROWMERGE_NO_ROW;
}

static int add_edit(struct plan *p, const struct group *g, enum rowmerge_edit what)
{
	const uint64_t record[EDIT_WORDS] = {
		g->v[OF_FRAME].offset, what, place_of(&g->v[OF_BASE]), place_of(&g->v[OF_OTHER])};

	return runsort_add(p->m->edits, record);
}

static int add_place(struct plan *p, const struct group *g, enum place_kind kind)
{
	const uint64_t record[PLACE_WORDS] = {
		g->v[OF_OTHER].offset, kind, place_of(&g->v[OF_BASE])};

	p->to_insert += kind == PLACE_INSERT;
	return runsort_add(p->places, record);
}

/* The key is no key here. */
static int ambiguous(struct rowmerge *m, const struct group *g)
{
	const int gone = g->v[OF_OTHER].n == 0, side = gone ? ROWMERGE_BASE : m->other;
	struct rows_row row;
	struct buf key = BUF_INIT;
	int rc = rowmerge_read_again(m, side, g->v[gone ? OF_BASE : OF_OTHER].offset, &row);

	if (rc > 0)
		rc = rowmerge_key_text(&key, m, side, m->side[side].again);
	if (rc == 0)
		rc = rowmerge_give_up(m, "several rows have %s", buf_str(&key));
	buf_release(&key);
	return rc;
}

/* What theirs did to ours, for the summary. */
static void count(struct rowmerge_result *r, int base, int ours, int theirs)
{
	if (base && ours && theirs)
		r->changed++;
	else if (theirs && !base)
		r->added++;
	else if (ours && !theirs)
		r->removed++;
}

static int plan_group(struct plan *p, struct group *g)
{
	struct rowmerge *m = p->m;
	const struct versions *base = &g->v[OF_BASE], *frame = &g->v[OF_FRAME];
	const struct versions *other = &g->v[OF_OTHER];
	const struct versions *was = &g->v[m->frame_dropped_or_added ? OF_BASE_FOR_FRAME : OF_BASE];
	const int ours = m->frame == ROWMERGE_OURS ? OF_FRAME : OF_OTHER;
	const int theirs = m->frame == ROWMERGE_OURS ? OF_OTHER : OF_FRAME;
	const int other_changed = !same(base, other), frame_changed = !same(was, frame);

	p->both_removed |= base->n > 0 && frame->n == 0 && other->n == 0;
	p->added |= base->n == 0;
	if (other_changed != frame_changed && other_changed == (m->frame == ROWMERGE_OURS))
		count(m->result, base->n > 0, g->v[ours].n > 0, g->v[theirs].n > 0);
	if (!other_changed) {
		if (other->n == 1 && frame->n == 0)
			return add_place(p, g, PLACE_GONE);
		return frame->n == 1 && base->n == 0 ? add_edit(p, g, EDIT_ADDED) : 0;
	}
	if (!m->frame_dropped_or_added && same(frame, other))
		return 0; /* both did the same */
	if (base->n > 1 || frame->n > 1 || other->n > 1)
		return ambiguous(m, g);
	if (other->n == 0) {
		if (frame->n == 0)
			return 0; /* both removed it */
		return add_edit(p, g, frame_changed ? EDIT_CONFLICT : EDIT_DROP);
	}
	if (frame->n == 0)
		return add_place(p, g, PLACE_INSERT);
	return add_edit(p, g, frame_changed ? EDIT_MERGE : EDIT_TAKE);
}

static int plan_groups(struct plan *p)
{
	struct group g = {0};
	const uint64_t *record;
	int rc, any = 0;

	while ((rc = runsort_next(p->m->rows, &record)) > 0) {
		if (any && (record[ROW_KEY] != g.key[0] || record[ROW_KEY + 1] != g.key[1])) {
			rc = plan_group(p, &g);
			if (rc != 0)
				return rc;
			any = 0;
		}
		if (!any) {
			g = (struct group){.key = {record[ROW_KEY], record[ROW_KEY + 1]}};
			any = 1;
		}
		add_version(&g, record);
	}
	return rc == 0 && any ? plan_group(p, &g) : rc;
}

/* A value that was taken for a key: a row in which both sides changed it looks as if both removed
 * the row, and each added another one. */
static int refuse_guess(const struct plan *p)
{
	if (!p->m->key_is_guess || !p->both_removed || !p->added)
		return 0;
	return rowmerge_give_up(p->m,
		"both sides removed or changed values of '%s', which may be no key; 'dvx-key' in "
		".gitattributes declares one",
		p->m->key.v[0]);
}

/* ---- where to insert ---- */

/* Find for each insertion the key of the row before it that the frame has, too. */
static int find_anchors(struct plan *p)
{
	struct rowmerge *m = p->m;
	const uint64_t *place = NULL;
	uint64_t anchor[2] = {0, 0}, record[ANCHOR_WORDS];
	struct rows_read *r = NULL;
	struct rows_hash_value v;
	struct rows_hash h;
	struct rows_row row;
	int has_anchor = 0, more = runsort_next(p->places, &place);
	int rc = rows_read_new(&r, m->side[m->other].file, m->format, ROWS_READ_BLOCK);

	while (rc == 0 && more > 0 && (rc = next_row(m, m->other, r, &row)) > 0) {
		rc = 0;
		if (row.offset != place[PLACE_AT]) {
			hash_of(&h, m, m->other, 0);
			rc = rows_hash_row(&v, &h, r, &row);
			anchor[0] = v.key[0];
			anchor[1] = v.key[1];
			has_anchor = 1;
			continue;
		}
		if (place[PLACE_KIND] == PLACE_INSERT && has_anchor) {
			record[ANCHOR_KEY] = anchor[0];
			record[ANCHOR_KEY + 1] = anchor[1];
			record[ANCHOR_OTHER] = place[PLACE_AT];
			record[ANCHOR_BASE] = place[PLACE_BASE];
			rc = runsort_add(p->anchors, record);
		} else if (place[PLACE_KIND] == PLACE_INSERT) {
			const uint64_t top[INSERT_WORDS] = {0, place[PLACE_AT], place[PLACE_BASE]};

			rc = runsort_add(m->inserts, top);
		}
		more = runsort_next(p->places, &place);
	}
	rows_read_free(r);
	return rc < 0 ? rc : more < 0 ? more : 0;
}

static int cmp_keys(const uint64_t *a, const uint64_t *b)
{
	if (a[0] != b[0])
		return a[0] < b[0] ? -1 : 1;
	return a[1] < b[1] ? -1 : a[1] > b[1];
}

/* From keys of rows to their places in the frame: both are sorted by key. */
static int place_anchors(struct plan *p)
{
	struct rowmerge *m = p->m;
	const uint64_t *anchor = NULL, *row = NULL;
	int rc = runsort_rewind(m->rows), more = rc < 0 ? rc : runsort_next(p->anchors, &anchor);
	int rows = rc < 0 ? rc : runsort_next(m->rows, &row);

	while (rc == 0 && more > 0 && rows >= 0) {
		int c = rows > 0 ? cmp_keys(row + ROW_KEY, anchor + ANCHOR_KEY) : 1;

		if (c < 0 || (c == 0 && row[ROW_SIDE] != OF_FRAME)) {
			rows = runsort_next(m->rows, &row);
		} else { /* one that is not there is one of several with its key: to the end */
			const uint64_t record[INSERT_WORDS] = {
				c == 0 ? row[ROW_OFFSET] + 1 : ROWMERGE_LAST, anchor[ANCHOR_OTHER],
				anchor[ANCHOR_BASE]};

			rc = runsort_add(m->inserts, record);
			if (rc == 0)
				more = runsort_next(p->anchors, &anchor);
		}
	}
	return rc < 0 ? rc : more < 0 ? more : rows < 0 ? rows : 0;
}

static int plan_inserts(struct plan *p)
{
	int rc = runsort_sort(p->places);

	if (rc == 0)
		rc = runsort_new(&p->anchors, ANCHOR_WORDS, p->memory, p->m->o->rows.tmp_dir);
	if (rc == 0)
		rc = find_anchors(p);
	if (rc == 0)
		rc = runsort_sort(p->anchors);
	return rc == 0 ? place_anchors(p) : rc;
}

int rowmerge_plan(struct rowmerge *m)
{
	const size_t memory = m->o->rows.memory > 0 ? m->o->rows.memory : (size_t)128 << 20;
	const char *tmp_dir = m->o->rows.tmp_dir;
	struct plan p = {.m = m, .memory = memory / 8};
	int rc = runsort_new(&m->rows, ROW_WORDS, memory / 2, tmp_dir);

	if (rc == 0)
		rc = runsort_new(&m->edits, EDIT_WORDS, p.memory, tmp_dir);
	if (rc == 0)
		rc = runsort_new(&m->inserts, INSERT_WORDS, p.memory, tmp_dir);
	if (rc == 0)
		rc = runsort_new(&p.places, PLACE_WORDS, p.memory, tmp_dir);
	for (int i = 0; rc == 0 && i < ROWMERGE_SIDES; i++)
		rc = read_side(m, i);
	if (rc == 0)
		rc = runsort_sort(m->rows);
	if (rc == 0)
		rc = plan_groups(&p);
	if (rc == 0)
		rc = refuse_guess(&p);
	if (rc == 0 && p.to_insert > 0)
		rc = plan_inserts(&p);
	if (rc == 0)
		rc = runsort_sort(m->edits);
	if (rc == 0)
		rc = runsort_sort(m->inserts);
	runsort_free(p.places);
	runsort_free(p.anchors);
	return rc;
}
