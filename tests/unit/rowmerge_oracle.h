/*
 * Tables at random with what two sides do to them, and their merge by the rules of
 * docs/row-merge.md, one key after the other: the naive one to compare with.
 */
#ifndef TESTS_UNIT_ROWMERGE_ORACLE_H
#define TESTS_UNIT_ROWMERGE_ORACLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <cmocka.h>

#include "lib/base/buf.h"
#include "lib/base/fs.h"
#include "lib/table/rows.h"

enum { CASES = 4000, KEYS = 60, COLUMNS = 5, VALUES = 6, SIDES = 3, BASE = 0, OURS, THEIRS };
enum { ABSENT = -1, NO_SUCH_COLUMN = -2 };

static const char *const names[COLUMNS] = {"id", "a", "b", "c", "d"};
static const char *const values[VALUES] = {"", "x", "y", "p,q", "say \"hi\"", "two\nlines"};

/* ---- chance ---- */

static uint64_t chance_state;

static inline int chance(int below)
{
	chance_state ^= chance_state << 13;
	chance_state ^= chance_state >> 7;
	chance_state ^= chance_state << 17;
	return (int)((chance_state >> 11) % (uint64_t)below);
}

/* ---- tables ---- */

struct table {
	int columns[COLUMNS], n_columns; /* the first one is the key's, but for its place */
	int order[KEYS], n;		 /* keys, as rows stand in the file */
	int has[KEYS];
	int cell[KEYS][COLUMNS]; /* by key and column: a value */
};

static inline int has_column(const struct table *t, int column)
{
	for (int i = 0; i < t->n_columns; i++)
		if (t->columns[i] == column)
			return 1;
	return 0;
}

static inline void insert_row(struct table *t, int key)
{
	const int at = chance(t->n + 1);

	memmove(&t->order[at + 1], &t->order[at], (size_t)(t->n - at) * sizeof(int));
	t->order[at] = key;
	t->n++;
	t->has[key] = 1;
	for (int c = 1; c < COLUMNS; c++)
		t->cell[key][c] = has_column(t, c) ? chance(VALUES) : 0;
}

static inline void remove_row(struct table *t, int at)
{
	t->has[t->order[at]] = 0;
	memmove(&t->order[at], &t->order[at + 1], (size_t)(--t->n - at) * sizeof(int));
}

static inline void make_base(struct table *t, int columns)
{
	*t = (struct table){.n_columns = columns};
	for (int i = 0; i < columns; i++)
		t->columns[i] = i;
	for (int i = chance(KEYS / 2); i > 0; i--) {
		int key = chance(KEYS);

		if (!t->has[key])
			insert_row(t, key);
	}
}

static inline void edit(struct table *t, int edits)
{
	for (; edits > 0; edits--) {
		const int key = chance(KEYS), what = chance(4);

		if (what == 0 && !t->has[key])
			insert_row(t, key);
		else if (what == 1 && t->n > 0)
			remove_row(t, chance(t->n));
		else if (t->n > 0)
			t->cell[t->order[chance(t->n)]][t->columns[1 + chance(t->n_columns - 1)]] =
				chance(VALUES);
	}
}

static inline void change_columns(struct table *t, int how)
{
	const int at = 1 + chance(t->n_columns - 1);

	if (how == 0) { /* a new one */
		const int new = t->n_columns++;

		t->columns[new] = new;
		for (int k = 0; k < KEYS; k++)
			t->cell[k][new] = chance(VALUES);
	} else if (how == 1 && t->n_columns > 2) { /* one goes */
		memmove(&t->columns[at], &t->columns[at + 1],
			(size_t)(--t->n_columns - at) * sizeof(int));
	} else { /* the key moves */
		const int other = t->columns[at];

		t->columns[at] = t->columns[0];
		t->columns[0] = other;
	}
}

/* ---- as text ---- */

static inline void add_cell(struct buf *out, const char *text, int quoted)
{
	if (!quoted && text[strcspn(text, ",\"\n")] == '\0') {
		assert_int_equal(buf_addstr(out, text), 0);
		return;
	}
	assert_int_equal(buf_addch(out, '"'), 0);
	for (; *text; text++)
		assert_int_equal(buf_addstr(out, *text == '"' ? "\"\"" : (char[]){*text, 0}), 0);
	assert_int_equal(buf_addch(out, '"'), 0);
}

static inline void add_row(struct buf *out, const struct table *t, int key)
{
	char id[12];

	for (int i = 0; i < t->n_columns; i++) {
		const int c = t->columns[i];

		snprintf(id, sizeof id, "k%d", key);
		if (i > 0)
			assert_int_equal(buf_addch(out, ','), 0);
		add_cell(out,
			key < 0	 ? names[c]
			: c == 0 ? id
				 : values[t->cell[key][c]],
			chance(4) == 0);
	}
}

static inline void write_table(struct buf *out, const struct table *t)
{
	const char *eol = chance(3) == 0 ? "\r\n" : "\n";

	add_row(out, t, -1);
	for (int i = 0; i < t->n; i++) {
		assert_int_equal(buf_addstr(out, eol), 0);
		if (chance(20) == 0)
			assert_int_equal(buf_addstr(out, eol), 0); /* blank lines are nothing */
		add_row(out, t, t->order[i]);
	}
	if (chance(4) > 0)
		assert_int_equal(buf_addstr(out, eol), 0);
}

static inline struct rows_file file_of(const struct buf *text, const char *name)
{
	struct rows_file f = {.name = name, .fd = memfd_create(name, 0), .size = text->len};

	assert_true(f.fd >= 0);
	assert_int_equal(fs_write_full(f.fd, buf_str(text), text->len), 0);
	return f;
}

/* ---- the naive merge ---- */

struct merged {
	int frame;
	int conflict[KEYS], has[KEYS];
	int cell[KEYS][COLUMNS];
	int n_conflicts;
};

static inline int value_of(const struct table *t, int key, int column)
{
	return !t->has[key]		? ABSENT
	       : !has_column(t, column) ? NO_SUCH_COLUMN
					: t->cell[key][column];
}

/* Over the columns that base and `within` have. */
static inline int is_changed(
	const struct table *base, const struct table *t, const struct table *within, int key)
{
	if (base->has[key] != t->has[key])
		return 1;
	for (int c = 1; c < COLUMNS && base->has[key]; c++)
		if (has_column(base, c) && has_column(within, c) &&
			base->cell[key][c] != t->cell[key][c])
			return 1;
	return 0;
}

static inline int same_list(const struct table *a, const struct table *b)
{
	return a->n_columns == b->n_columns &&
	       !memcmp(a->columns, b->columns, (size_t)a->n_columns * sizeof(int));
}

static inline void merge_key(struct merged *m, const struct table t[SIDES], int key)
{
	const struct table *base = &t[BASE], *frame = &t[m->frame];
	const struct table *other = &t[m->frame == OURS ? THEIRS : OURS];
	const int frame_changed = is_changed(base, frame, frame, key);
	const int other_changed = is_changed(base, other, base, key);
	int bad = 0;

	m->has[key] = other_changed ? other->has[key] : frame->has[key];
	if (frame_changed && other_changed && frame->has[key] != other->has[key])
		bad = base->has[key]; /* removed here, changed there */
	for (int c = 1; c < COLUMNS && m->has[key] && !bad; c++) {
		const int b = value_of(base, key, c), f = value_of(frame, key, c);
		const int o = value_of(other, key, c);

		if (!has_column(frame, c)) {
			/* a row that is new is taken without that cell */
			bad |= frame->has[key] && has_column(other, c) && o != b;
			continue;
		}
		m->cell[key][c] = f >= 0 ? f : 0;
		if (o == NO_SUCH_COLUMN || o == b || o == f || o == ABSENT)
			continue;
		m->cell[key][c] = o;
		bad |= f != b;
	}
	m->conflict[key] = bad;
	m->n_conflicts += bad;
}

#endif
