/*
 * Row diffs of random tables against a naive one (rowdiff_oracle.h): thousands of small tables,
 * with so little memory that larger ones are spilled.  ROWDIFF_CASES=100000 looks longer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "tests/unit/rowdiff_oracle.h"

enum { CASES = 3000 };

/* One comparison, and how far its rows have been checked. */
struct trial {
	struct model old, now;
	struct rowdiff *diff;
	int key[MOST_COLUMNS], n_key; /* columns of `now` */
	int j, removed;		      /* the next rows to be told of */
	uint64_t told[3], differences;
};

static struct trial t;

/* --- what is expected ----------------------------------------------------------------------------
 */

/* JSON Lines have the columns that some row has. */
static int has_column(const struct model *m, int column)
{
	if (m->format != ROWS_JSONL)
		return 1;
	for (int i = 0; i < m->n_rows; i++)
		if (m->rows[i].cells[column] != NO_CELL)
			return 1;
	return 0;
}

/* How many columns of this name stand before it. */
static int occurrence(const struct model *m, int column)
{
	int n = 0;

	for (int i = 0; i < column; i++)
		n += !strcmp(column_names[m->columns[i]], column_names[m->columns[column]]);
	return n;
}

static void match_by_name(struct model *old, struct model *now)
{
	for (int i = 0; i < now->n_columns; i++) {
		now->partner[i] = -1;
		for (int k = 0; k < old->n_columns; k++)
			if (!strcmp(column_names[now->columns[i]], column_names[old->columns[k]]) &&
				occurrence(now, i) == occurrence(old, k) && has_column(now, i) &&
				has_column(old, k))
				now->partner[i] = k;
	}
}

static int column_of(const struct model *m, const char *name, size_t at)
{
	if (m->format != ROWS_JSONL)
		return (int)at;
	for (int i = 0; i < m->n_columns; i++)
		if (!strcmp(column_names[m->columns[i]], name))
			return i;
	fail_msg("there is no column '%s'", name);
	return -1;
}

static int is_paired(const struct model *old, const struct model *now, int column)
{
	for (int i = 0; i < now->n_columns; i++)
		if (now->partner[i] == column)
			return 1;
	(void)old;
	return 0;
}

/* Renamed columns are believed, where they can be; all others are what they must be. */
static void check_columns(const struct rowdiff_summary *s)
{
	int added = 0, removed = 0, last = -1, expected = 0;
	char moved[MOST_COLUMNS] = {0};

	for (size_t i = 0; i < s->n_columns; i++) {
		const struct rowdiff_column *c = &s->columns[i];

		if (c->kind == ROWDIFF_COLUMN_RENAMED) {
			int is = column_of(&t.now, c->now, c->now_at);
			int was = column_of(&t.old, c->old, c->old_at);

			assert_int_equal(t.now.partner[is], -1);
			assert_false(is_paired(&t.old, &t.now, was));
			t.now.partner[is] = was;
			moved[is] = 1;
		} else if (c->kind == ROWDIFF_COLUMN_MOVED) {
			moved[column_of(&t.now, c->now, c->now_at)] = 1;
		}
		added += c->kind == ROWDIFF_COLUMN_ADDED;
		removed += c->kind == ROWDIFF_COLUMN_REMOVED;
	}
	for (int i = 0; i < t.now.n_columns; i++)
		expected += t.now.partner[i] < 0 && has_column(&t.now, i);
	assert_int_equal(added, expected);
	expected = 0;
	for (int i = 0; i < t.old.n_columns; i++)
		expected += !is_paired(&t.old, &t.now, i) && has_column(&t.old, i);
	assert_int_equal(removed, expected);
	for (int i = 0; i < t.now.n_columns; i++) {
		if (t.now.partner[i] < 0 || moved[i] || t.now.format == ROWS_JSONL)
			continue;
		assert_true(t.now.partner[i] > last);
		last = t.now.partner[i];
	}
}

/* 1 if this column can be found to be the key. */
static int may_be_key(int column)
{
	return t.now.partner[column] >= 0 && occurrence(&t.now, column) == 0 &&
	       is_key(&t.now, column) && is_key(&t.old, t.now.partner[column]);
}

static void check_key(const struct rowdiff_summary *s, const char *given)
{
	int possible = 0;

	t.n_key = (int)s->n_key;
	for (size_t i = 0; i < s->n_key; i++) {
		t.key[i] = -1;
		for (int k = 0; k < t.now.n_columns; k++)
			if (!strcmp(column_names[t.now.columns[k]], s->key[i]) &&
				t.now.partner[k] >= 0 && t.key[i] < 0 && (given || may_be_key(k)))
				t.key[i] = k;
		assert_true(t.key[i] >= 0);
	}
	if (given != NULL) {
		assert_int_equal(s->key_from, *given ? ROWDIFF_KEY_GIVEN : ROWDIFF_KEY_NONE);
		assert_int_equal(s->n_key, *given != '\0');
		return;
	}
	for (int i = 0; i < t.now.n_columns; i++)
		possible |= may_be_key(i);
	assert_int_equal(s->key_from, possible ? ROWDIFF_KEY_DETECTED : ROWDIFF_KEY_NONE);
	assert_int_equal(s->n_key, possible);
}

/* --- rows as they are told -----------------------------------------------------------------------
 */

static void check_text(const char *text, const struct model *m, const struct model_row *row)
{
	assert_non_null(text);
	assert_int_equal(strlen(text), row->len);
	assert_memory_equal(text, m->text.p + row->start, row->len);
}

static void check_cell(const char *text, const struct model *m, int cell, int other)
{
	const struct value *v = cell == NO_CELL ? NULL : value_of(m->format, cell);
	const struct value *w = other == NO_CELL ? NULL : value_of(m->format, other);
	char quoted[64];

	if (v == NULL) {
		assert_null(text);
		return;
	}
	assert_non_null(text);
	snprintf(quoted, sizeof(quoted), "\"%s\"", v->text);
	/* "1" and 1 are told apart by quotes */
	assert_string_equal(text,
		w && !v->is_json && w->is_json && !strcmp(v->text, w->text) ? quoted : v->text);
}

static const struct rowdiff_cell *told_cell(const struct rowdiff_row *row, int column, size_t nth)
{
	if (t.now.format != ROWS_JSONL)
		return nth < row->n_cells ? &row->cells[nth] : NULL;
	for (size_t i = 0; i < row->n_cells; i++)
		if (!strcmp(row->cells[i].column, column_names[t.now.columns[column]]))
			return &row->cells[i];
	return NULL;
}

static void check_changed(
	const struct rowdiff_row *row, const struct model_row *was, const struct model_row *is)
{
	size_t n = 0;

	for (int i = 0; i < t.now.n_columns + MOST_CELLS; i++) {
		int old_one = old_cell(&t.old, &t.now, was, i), now_one = cell_of(is, i);
		const struct rowdiff_cell *cell;

		if (old_one == -2 || old_one == now_one)
			continue;
		cell = told_cell(row, i, n++);
		assert_non_null(cell);
		if (i < t.now.n_columns)
			assert_string_equal(cell->column, column_names[t.now.columns[i]]);
		check_cell(cell->old, &t.old, old_one, now_one);
		check_cell(cell->now, &t.now, now_one, old_one);
	}
	assert_int_equal(n, row->n_cells);
	t.differences += n;
}

/* All cells of an added or removed row. */
static void check_alone(const struct rowdiff_row *row, const struct model_row *of)
{
	size_t n = 0;

	for (int i = 0; i < of->n; i++) {
		if (of->cells[i] == NO_CELL)
			continue;
		if (t.now.format != ROWS_JSONL && row->kind == ROWDIFF_ADDED)
			check_cell(row->cells[n].now, &t.now, of->cells[i], NO_CELL);
		if (t.now.format != ROWS_JSONL && row->kind == ROWDIFF_REMOVED)
			check_cell(row->cells[n].old, &t.old, of->cells[i], NO_CELL);
		n++;
	}
	assert_int_equal(n, row->n_cells);
}

/* The next row that should be told of: where the newer table stands after it, and what. */
static enum rowdiff_kind expect_next(void)
{
	for (;; t.j++) {
		int behind = 0, before = 0;

		while (t.removed < t.old.n_rows && t.old.pair[t.removed] >= 0)
			t.removed++;
		for (int i = 0; i < t.removed; i++)
			behind += t.old.pair[i] >= 0;
		for (int i = 0; i < t.j && i < t.now.n_rows; i++)
			before += t.now.pair[i] >= 0;
		if (t.removed < t.old.n_rows && (behind <= before || t.j >= t.now.n_rows))
			return ROWDIFF_REMOVED;
		assert_true(t.j < t.now.n_rows);
		if (t.now.pair[t.j] < 0)
			return ROWDIFF_ADDED;
		if (!t.now.equal[t.j])
			return ROWDIFF_CHANGED;
	}
}

static int check_row(const struct rowdiff_row *row, void *data)
{
	enum rowdiff_kind kind = expect_next();
	const struct model_row *was = NULL, *is = NULL;

	(void)data;
	assert_int_equal(row->kind, kind);
	if (kind == ROWDIFF_REMOVED)
		was = &t.old.rows[t.removed];
	else
		is = &t.now.rows[t.j];
	if (kind == ROWDIFF_CHANGED)
		was = &t.old.rows[t.now.pair[t.j]];
	assert_int_equal(row->old_row, was ? was - t.old.rows + 1 : 0);
	assert_int_equal(row->now_row, is ? is - t.now.rows + 1 : 0);
	assert_int_equal(row->old_text != NULL, kind == ROWDIFF_REMOVED);
	assert_int_equal(row->now_text != NULL, kind == ROWDIFF_ADDED);
	if (row->old_text)
		check_text(row->old_text, &t.old, was);
	if (row->now_text)
		check_text(row->now_text, &t.now, is);
	if (kind == ROWDIFF_CHANGED)
		check_changed(row, was, is);
	else
		check_alone(row, was ? was : is);
	assert_int_equal(row->n_key, t.n_key);
	for (int i = 0; i < t.n_key; i++)
		check_cell(row->key[i], is ? &t.now : &t.old,
			is ? cell_of(is, t.key[i]) : cell_of(was, t.now.partner[t.key[i]]),
			NO_CELL);
	t.told[kind]++;
	*(kind == ROWDIFF_REMOVED ? &t.removed : &t.j) += 1;
	return 0;
}

/* --- a trial -------------------------------------------------------------------------------------
 */

static struct rows_file file_of(struct model *m, const char *name)
{
	struct rows_file f = {name, -1, m->text.len};

	f.fd = memfd_create(name, MFD_CLOEXEC);
	assert_true(f.fd >= 0);
	assert_int_equal(fs_write_full(f.fd, buf_str(&m->text), m->text.len), 0);
	return f;
}

/* A column that both have, by its name. */
static const char *some_key(void)
{
	for (int tries = 0; tries < 8; tries++) {
		int i = (int)chance((unsigned)t.now.n_columns);

		if (t.now.partner[i] >= 0 && occurrence(&t.now, i) == 0 &&
			*column_names[t.now.columns[i]])
			return column_names[t.now.columns[i]];
	}
	return NULL;
}

static void make_tables(void)
{
	int most = chance(20) ? 12 : MOST_ROWS - 20;

	memset(&t, 0, sizeof(t));
	t.old.format = t.now.format = (enum rows_format)(1 + chance(3));
	random_table(&t.old, most);
	if (chance(6)) {
		t.now = t.old;
		for (int n = (int)chance(12); n > 0; n--)
			edit(&t.now);
	} else {
		random_table(&t.now, most);
	}
	if (t.now.format == ROWS_JSONL) {
		write_json(&t.old);
		write_json(&t.now);
	} else {
		write_csv(&t.old);
		write_csv(&t.now);
	}
}

static void check_summary(const struct rowdiff_summary *s)
{
	uint64_t same = 0, cells = 0;

	assert_int_equal(s->rows[0], t.old.n_rows);
	assert_int_equal(s->rows[1], t.now.n_rows);
	assert_int_equal(s->added, t.told[ROWDIFF_ADDED]);
	assert_int_equal(s->removed, t.told[ROWDIFF_REMOVED]);
	assert_int_equal(s->changed, t.told[ROWDIFF_CHANGED]);
	for (int i = 0; i < t.now.n_rows; i++)
		same += t.now.pair[i] >= 0 && t.now.equal[i];
	assert_int_equal(s->same, same);
	assert_int_equal(s->same + s->changed + s->added, t.now.n_rows);
	assert_int_equal(s->same + s->changed + s->removed, t.old.n_rows);
	for (size_t i = 0; i < s->n_cells; i++) {
		cells += s->cells[i].changed;
		assert_true(i == 0 || s->cells[i].changed <= s->cells[i - 1].changed);
	}
	assert_int_equal(cells, t.differences);
}

static void run_trial(uint64_t seed)
{
	struct rowdiff_options o = {.memory = 0};
	struct rows_file files[2];

	chance_state = seed * 0x9e3779b97f4a7c15u + 1;
	for (int i = 0; i < 4; i++)
		chance(2);
	make_tables();
	match_by_name(&t.old, &t.now);
	o.memory = chance(2);
	o.key = chance(3) == 0 ? "" : chance(2) ? some_key() : NULL;
	files[0] = file_of(&t.old, "old");
	files[1] = file_of(&t.now, "now");
	if (rowdiff_new(&t.diff, &files[0], &files[1], t.now.format, &o) != 0)
		fail_msg("%s", err_msg());
	check_columns(rowdiff_summary(t.diff));
	check_key(rowdiff_summary(t.diff), o.key);
	naive_diff(&t.old, &t.now, t.key, t.n_key);
	for (int again = 0; again < 2; again++) {
		t.j = t.removed = 0;
		memset(t.told, 0, sizeof(t.told));
		t.differences = 0;
		assert_int_equal(rowdiff_each(t.diff, check_row, NULL), 0);
		check_summary(rowdiff_summary(t.diff));
	}
	rowdiff_free(t.diff);
	close(files[0].fd);
	close(files[1].fd);
	buf_release(&t.old.text);
	buf_release(&t.now.text);
}

static void random_tables(void **state)
{
	const char *cases = getenv("ROWDIFF_CASES"), *from = getenv("ROWDIFF_FROM");
	uint64_t seed = from ? strtoull(from, NULL, 10) : 1;
	uint64_t end = seed + (cases ? strtoull(cases, NULL, 10) : CASES);

	(void)state;
	for (; seed < end; seed++) {
		char number[32];

		snprintf(number, sizeof(number), "%llu", (unsigned long long)seed);
		setenv("ROWDIFF_TRIAL", number, 1); /* for a debugger */
		run_trial(seed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_tables),
	};

	return cmocka_run_group_tests_name("rowdiff", tests, NULL, NULL);
}
