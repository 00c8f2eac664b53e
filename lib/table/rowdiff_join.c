/*
 * Pairing rows: both files are read, each by its own thread, into records of (hash of the key, hash
 * of the row, number, offset); the sorted records of both are walked along together.  Equal rows of
 * a key cancel each other out; what is left of a key is changed, added or removed.
 *
 * Sorted runs rather than hash tables: memory stays bounded also when millions of rows have the
 * same key.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/base/workers.h"
#include "lib/table/rowdiff_internal.h"

enum { ROWS_BETWEEN_CHECKS = 4096, PAIRS_WANTED = 4096 };

/* --- reading -------------------------------------------------------------------------------------
 */

static int cannot_sort(int rc, const struct rowdiff_side *side)
{
	return rc < 0 ? err_prefix(rc, "cannot sort the rows of '%s'", side->file.name) : 0;
}

static int add_record(struct rowdiff *d, struct rowdiff_side *side,
	const struct rows_hash_value *hash, const struct rows_row *row)
{
	uint64_t record[RECORD_WORDS];

	memcpy(record + RECORD_KEY, d->n_key ? hash->key : hash->row, sizeof(hash->key));
	record[RECORD_ROW] = d->n_key ? hash->row[0] : 0;
	record[RECORD_NUMBER] = row->number;
	record[RECORD_OFFSET] = row->offset;
	return cannot_sort(runsort_add(side->records, record), side);
}

static int read_rows(struct rowdiff *d, struct rowdiff_side *side, struct rows_read *r)
{
	struct rows_hash h = {.seed = &d->seed,
		.key = side->key,
		.n_key = d->n_key,
		.ids = side->ids,
		.n_ids = side->columns.n};
	struct rows_row row;
	int rc;

	while ((rc = rows_read_next(r, &row)) > 0) {
		struct rows_hash_value hash;

		rc = rows_hash_row(&hash, &h, r, &row);
		if (rc == 0 && row.number % ROWS_BETWEEN_CHECKS == 0)
			rc = rowdiff_stopped(d);
		if (rc == 0)
			rc = add_record(d, side, &hash, &row);
		if (rc < 0)
			break;
		side->rows = row.number;
		if (d->must_be_unique && hash.key_is_empty)
			atomic_store(&d->not_unique, 1);
		if (d->must_be_unique && atomic_load_explicit(&d->not_unique, memory_order_relaxed))
			break;
	}
	return rc < 0 ? rc : 0;
}

/* Columns of JSON Lines that came up now. */
static int take_columns(struct rowdiff_side *side, const struct strvec *columns)
{
	int rc = 0;

	side->has_more_columns = columns->n > side->columns.n;
	for (size_t i = side->columns.n; rc == 0 && i < columns->n; i++)
		rc = strvec_push(&side->columns, columns->v[i]);
	return rc;
}

static int read_side(size_t i, void *data)
{
	struct rowdiff *d = data;
	struct rowdiff_side *side = &d->side[i];
	struct rows_read *r = NULL;
	int rc = rowdiff_read_new(&r, d, side, ROWS_READ_BLOCK);

	side->rows = 0;
	if (rc == 0)
		rc = read_rows(d, side, r);
	if (rc == 0)
		rc = take_columns(side, rows_read_columns(r));
	rows_read_free(r);
	return rc == 0 && !d->not_unique ? cannot_sort(runsort_sort(side->records), side) : rc;
}

/* --- what becomes of rows ------------------------------------------------------------------------
 */

/* Remember some of the pairs, if they are wanted: the same ones in each run, by their number. */
static int note_pair(struct rowdiff *d, const uint64_t *old_place, const uint64_t *now_place)
{
	uint64_t every = 1 + d->side[ROWDIFF_OLD].rows / PAIRS_WANTED;
	int rc;

	if (!d->wants_pairs || old_place[0] % every != 0)
		return 0;
	rc = array_room(&d->pairs, d->n_pairs, &d->pairs_cap, sizeof(*d->pairs));
	if (rc == 0)
		d->pairs[d->n_pairs++] = (struct rowdiff_pair){
			{old_place[0], now_place[0]}, {old_place[1], now_place[1]}};
	return rc;
}

/* A place: number and offset, as records have them. */
static int add_change(struct rowdiff *d, const uint64_t *old_place, const uint64_t *now_place)
{
	uint64_t change[CHANGE_WORDS] = {0};

	memcpy(change + CHANGE_NOW_NUMBER, now_place, 2 * sizeof(*now_place));
	if (old_place != NULL)
		memcpy(change + CHANGE_OLD_NUMBER, old_place, 2 * sizeof(*old_place));
	return runsort_add(d->changes, change);
}

static int add_added(struct rowdiff *d, const uint64_t *place)
{
	d->summary.added++;
	return add_change(d, NULL, place);
}

static int add_changed(struct rowdiff *d, const uint64_t *old_place, const uint64_t *now_place)
{
	int rc = note_pair(d, old_place, now_place);

	d->summary.changed++;
	return rc == 0 ? add_change(d, old_place, now_place) : rc;
}

static int add_removed(struct rowdiff *d, const uint64_t *place)
{
	d->summary.removed++;
	return runsort_add(d->removed, place);
}

/* --- the rows of one key -------------------------------------------------------------------------
 */

/* Rows of the present key that have no equal on the other side.  One of each side, the usual case,
 * waits here; more of them are paired later, in their order. */
struct left {
	uint64_t key[2];
	uint64_t place[ROWDIFF_SIDES][2]; /* number, offset */
	uint64_t n[ROWDIFF_SIDES];
};

static int add_loose(struct rowdiff *d, const struct left *l, int which)
{
	uint64_t record[LOOSE_WORDS];

	memcpy(record + LOOSE_KEY, l->key, sizeof(l->key));
	memcpy(record + LOOSE_NUMBER, l->place[which], sizeof(l->place[which]));
	return runsort_add(d->side[which].loose, record);
}

static int leave(struct rowdiff *d, struct left *l, int which, const uint64_t *record)
{
	const uint64_t *place = record + RECORD_NUMBER;
	int rc = 0;

	if (d->n_key == 0)
		return which == ROWDIFF_OLD ? add_removed(d, place) : add_added(d, place);
	if (l->n[which]++ > 0)
		rc = add_loose(d, l, which);
	memcpy(l->key, record + RECORD_KEY, sizeof(l->key));
	memcpy(l->place[which], place, sizeof(l->place[which]));
	return rc;
}

/* The key has no more rows. */
static int end_key(struct rowdiff *d, struct left *l)
{
	const uint64_t *old = l->place[ROWDIFF_OLD], *now = l->place[ROWDIFF_NOW];
	uint64_t n_old = l->n[ROWDIFF_OLD], n_now = l->n[ROWDIFF_NOW];
	int rc = 0;

	if (n_old <= 1 && n_now <= 1) {
		if (n_now && n_old)
			rc = add_changed(d, old, now);
		else if (n_now)
			rc = add_added(d, now);
		else if (n_old)
			rc = add_removed(d, old);
	} else {
		if (n_old)
			rc = add_loose(d, l, ROWDIFF_OLD);
		if (rc == 0 && n_now)
			rc = add_loose(d, l, ROWDIFF_NOW);
	}
	l->n[ROWDIFF_OLD] = l->n[ROWDIFF_NOW] = 0;
	return rc;
}

/* --- walking along -------------------------------------------------------------------------------
 */

/* The sorted records of both sides. */
struct walk {
	struct runsort *from[ROWDIFF_SIDES];
	const uint64_t *record[ROWDIFF_SIDES]; /* NULL: at its end */
};

static int step(struct walk *w, int which)
{
	int rc = runsort_next(w->from[which], &w->record[which]);

	if (rc == 0)
		w->record[which] = NULL;
	return rc < 0 ? rc : 0;
}

static int start(struct walk *w, struct runsort *old, struct runsort *now)
{
	int rc;

	w->from[ROWDIFF_OLD] = old;
	w->from[ROWDIFF_NOW] = now;
	rc = step(w, ROWDIFF_OLD);
	return rc == 0 ? step(w, ROWDIFF_NOW) : rc;
}

/* By the first `words` words; a side at its end comes last. */
static int order(const struct walk *w, size_t words)
{
	const uint64_t *old = w->record[ROWDIFF_OLD], *now = w->record[ROWDIFF_NOW];

	if (old == NULL || now == NULL)
		return old ? -1 : 1;
	for (size_t i = 0; i < words; i++)
		if (old[i] != now[i])
			return old[i] < now[i] ? -1 : 1;
	return 0;
}

static int same_key(const uint64_t *a, const uint64_t *b)
{
	return a[0] == b[0] && a[1] == b[1];
}

/* Note it when a detected key is met twice on one side; `last` is its last one, and whether there
 * was one. */
static void check_unique(struct rowdiff *d, uint64_t last[static 3], const uint64_t *key)
{
	if (last[2] && same_key(last, key))
		atomic_store(&d->not_unique, 1);
	memcpy(last, key, 2 * sizeof(*key));
	last[2] = 1;
}

static int walk_records(struct rowdiff *d)
{
	struct walk w;
	struct left left = {.n = {0, 0}};
	uint64_t last[ROWDIFF_SIDES][3] = {{0}}, steps = 0;
	int rc = start(&w, d->side[ROWDIFF_OLD].records, d->side[ROWDIFF_NOW].records);

	while (rc == 0 && (w.record[ROWDIFF_OLD] || w.record[ROWDIFF_NOW])) {
		int by = order(&w, RECORD_NUMBER);

		if (by == 0)
			rc = note_pair(d, w.record[ROWDIFF_OLD] + RECORD_NUMBER,
				w.record[ROWDIFF_NOW] + RECORD_NUMBER);
		for (int which = 0; rc == 0 && which < ROWDIFF_SIDES; which++) {
			const uint64_t *record = w.record[which];

			if (which == ROWDIFF_OLD ? by > 0 : by < 0)
				continue;
			if (d->must_be_unique)
				check_unique(d, last[which], record);
			if (!same_key(left.key, record))
				rc = end_key(d, &left);
			if (rc == 0 && by != 0)
				rc = leave(d, &left, which, record);
			if (rc == 0)
				rc = step(&w, which);
		}
		if (by == 0)
			d->summary.same++;
		if (d->not_unique)
			return 1;
		if (rc == 0 && ++steps % ROWS_BETWEEN_CHECKS == 0)
			rc = rowdiff_stopped(d);
	}
	return rc == 0 ? end_key(d, &left) : rc;
}

/* Rows of one key that differ are paired in their order. */
static int walk_loose(struct rowdiff *d)
{
	struct runsort *old = d->side[ROWDIFF_OLD].loose, *now = d->side[ROWDIFF_NOW].loose;
	struct walk w;
	int rc = runsort_sort(old);

	if (rc == 0)
		rc = runsort_sort(now);
	if (rc == 0)
		rc = start(&w, old, now);
	while (rc == 0 && (w.record[ROWDIFF_OLD] || w.record[ROWDIFF_NOW])) {
		int by = order(&w, LOOSE_NUMBER);
		const uint64_t *one = w.record[ROWDIFF_OLD], *other = w.record[ROWDIFF_NOW];

		if (by == 0)
			rc = add_changed(d, one + LOOSE_NUMBER, other + LOOSE_NUMBER);
		else if (by < 0)
			rc = add_removed(d, one + LOOSE_NUMBER);
		else
			rc = add_added(d, other + LOOSE_NUMBER);
		if (rc == 0 && by <= 0)
			rc = step(&w, ROWDIFF_OLD);
		if (rc == 0 && by >= 0)
			rc = step(&w, ROWDIFF_NOW);
	}
	return rc;
}

/* --- all of it -----------------------------------------------------------------------------------
 */

static int renew(struct runsort **s, size_t words, size_t memory, const struct rowdiff *d)
{
	runsort_free(*s);
	*s = NULL;
	return runsort_new(s, words, memory, d->o.tmp_dir);
}

/* The memory is for the records of both sides, which live through all of this; what differs mostly
 * needs little. */
static int prepare(struct rowdiff *d)
{
	size_t memory = d->o.memory;
	int rc = renew(&d->changes, CHANGE_WORDS, memory / 16, d);

	if (rc == 0)
		rc = renew(&d->removed, REMOVED_WORDS, memory / 32, d);
	for (int i = 0; rc == 0 && i < ROWDIFF_SIDES; i++) {
		rc = renew(&d->side[i].records, RECORD_WORDS, memory / 32 * 13, d);
		if (rc == 0)
			rc = renew(&d->side[i].loose, LOOSE_WORDS, memory / 32, d);
	}
	d->summary.added = d->summary.removed = d->summary.changed = d->summary.same = 0;
	d->n_pairs = 0;
	atomic_store(&d->not_unique, 0);
	return rc;
}

int rowdiff_join(struct rowdiff *d)
{
	int rc = prepare(d);

	if (rc == 0)
		rc = workers_run(ROWDIFF_SIDES, ROWDIFF_SIDES, read_side, d);
	if (rc == 0 && d->not_unique)
		return 1;
	if (rc == 0)
		rc = walk_records(d);
	if (rc == 0)
		rc = walk_loose(d);
	if (rc != 0)
		return rc;
	for (int i = 0; i < ROWDIFF_SIDES; i++) {
		d->summary.rows[i] = d->side[i].rows;
		runsort_free(d->side[i].records);
		runsort_free(d->side[i].loose);
		d->side[i].records = d->side[i].loose = NULL;
	}
	rc = runsort_sort(d->changes);
	return rc == 0 ? runsort_sort(d->removed) : rc;
}
