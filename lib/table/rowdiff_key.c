/*
 * Which columns pair the rows: those that were named; else columns are looked for that could be a
 * key, by the first rows of both files.  Whether one is, all rows will show.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/array.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/table/rowdiff_internal.h"

/* What to look at: of that many of the first columns so many rows, or fewer, if those are too many
 * cells. */
enum { COLUMNS_MAX = 4096, SAMPLE_ROWS = 4096, SAMPLE_CELLS = 1 << 19, SAMPLE_BLOCK = 64 << 10 };
/* Keys to try with all rows. */
enum { CANDIDATES_MAX = 4 };
/* Bytes of the names of columns in a message. */
enum { LIST_MAX = 1000 };
#define AND_MORE ", \xe2\x80\xa6"

/* --- the key -------------------------------------------------------------------------------------
 */

/* Columns of a side as rows_hash.h wants them: by the numbers of the newer side. */
static int number_columns(struct rowdiff *d, int which, int any)
{
	struct rowdiff_side *side = &d->side[which];

	free(side->ids);
	side->ids = calloc(side->columns.n + 1, sizeof(*side->ids));
	if (side->ids == NULL)
		return err_no_memory();
	for (size_t i = 0; i < side->columns.n; i++) {
		if (side->partner[i] != ROWDIFF_NONE)
			side->ids[i] = 1 + (which == ROWDIFF_NOW ? i : side->partner[i]);
		else if (!any) /* nothing is comparable: no row may equal another */
			side->ids[i] = i * ROWDIFF_SIDES + (size_t)which + 1;
	}
	return 0;
}

/* What the hashes of rows are made of, after the key was set. */
static int set_ids(struct rowdiff *d)
{
	const struct rowdiff_side *old = &d->side[ROWDIFF_OLD], *now = &d->side[ROWDIFF_NOW];
	int same = old->columns.n == now->columns.n && old->delimiter == now->delimiter &&
		   d->format != ROWS_JSONL;
	int any = d->n_key > 0, rc = 0;

	for (size_t i = 0; i < now->columns.n; i++) {
		same = same && now->partner[i] == i;
		any = any || now->partner[i] != ROWDIFF_NONE;
	}
	for (int i = 0; i < ROWDIFF_SIDES; i++) {
		free(d->side[i].ids);
		d->side[i].ids = NULL;
		if (rc == 0 && !same)
			rc = number_columns(d, i, any);
	}
	return rc;
}

/* Columns of the newer side (of the older one where the newer has none). */
static int set_key(struct rowdiff *d, const size_t *columns, size_t n)
{
	int named = d->side[ROWDIFF_NOW].columns.n ? ROWDIFF_NOW : ROWDIFF_OLD;
	const struct rowdiff_side *side = &d->side[named];

	free(d->key_names);
	d->key_names = calloc(n + 1, sizeof(*d->key_names));
	if (d->key_names == NULL)
		return err_no_memory();
	for (int which = 0; which < ROWDIFF_SIDES; which++) {
		free(d->side[which].key);
		d->side[which].key = calloc(n + 1, sizeof(size_t));
		if (d->side[which].key == NULL)
			return err_no_memory();
		for (size_t i = 0; i < n; i++)
			d->side[which].key[i] =
				which == named ? columns[i] : side->partner[columns[i]];
	}
	for (size_t i = 0; i < n; i++)
		d->key_names[i] = side->columns.v[columns[i]];
	d->n_key = d->summary.n_key = n;
	d->summary.key = d->key_names;
	return set_ids(d);
}

int rowdiff_key_set(struct rowdiff *d, size_t column)
{
	return set_key(d, &column, column == ROWDIFF_NONE ? 0 : 1);
}

/* --- a key that was named ------------------------------------------------------------------------
 */

static size_t find_column(const struct strvec *columns, const char *name, size_t len)
{
	for (size_t i = 0; i < columns->n; i++)
		if (strlen(columns->v[i]) == len && !memcmp(columns->v[i], name, len))
			return i;
	return ROWDIFF_NONE;
}

static int no_such_column(const struct rowdiff_side *side, const char *name, size_t len)
{
	struct buf list = {.max = LIST_MAX};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < side->columns.n; i++)
		rc = buf_addf(&list, "%s%s", i ? ", " : "", side->columns.v[i]);
	if (rc < 0) {
		list.max += strlen(AND_MORE);
		buf_addstr(&list, AND_MORE);
	}
	rc = err_set(ERR_NOTFOUND, "%s:1: there is no column '%.*s' for the key, only: %s",
		side->file.name, (int)len, name, buf_str(&list));
	buf_release(&list);
	return rc;
}

/* *at: the column of the side that names keys. */
static int find_key(size_t *at, const struct rowdiff *d, const char *name, size_t len)
{
	const struct rowdiff_side *old = &d->side[ROWDIFF_OLD], *now = &d->side[ROWDIFF_NOW];
	size_t in_old = find_column(&old->columns, name, len);
	size_t in_now = find_column(&now->columns, name, len);

	if (now->columns.n == 0) { /* no rows to pair */
		*at = in_old;
		return in_old == ROWDIFF_NONE && old->columns.n ? no_such_column(old, name, len)
								: 0;
	}
	if (in_now == ROWDIFF_NONE && in_old != ROWDIFF_NONE) /* another name now? */
		in_now = old->partner[in_old];
	*at = in_now;
	if (in_now == ROWDIFF_NONE)
		return no_such_column(now, name, len);
	if (now->partner[in_now] == ROWDIFF_NONE && old->columns.n)
		return no_such_column(old, name, len);
	return 0;
}

static int is_one_of(const size_t *columns, size_t n, size_t column)
{
	for (size_t i = 0; i < n; i++)
		if (columns[i] == column)
			return 1;
	return 0;
}

int rowdiff_key_given(struct rowdiff *d)
{
	size_t *columns = NULL, n = 0, cap = 0;
	int rc = 0;

	for (const char *p = d->o.key; rc == 0 && *p;) {
		size_t len = strcspn(p, ","), at;

		rc = find_key(&at, d, p, len);
		p += len + (p[len] == ',');
		if (rc < 0 || at == ROWDIFF_NONE || is_one_of(columns, n, at))
			continue;
		rc = array_room(&columns, n, &cap, sizeof(*columns));
		if (rc == 0)
			columns[n++] = at;
	}
	if (rc == 0)
		rc = set_key(d, columns, n);
	free(columns);
	return rc;
}

/* --- a key that is found -------------------------------------------------------------------------
 */

/* The first rows of a side: hashes of their cells, column by column. */
struct sample {
	uint64_t *hashes; /* rows of each column, sorted */
	char *bad;	  /* by column: a cell is empty, or two are alike */
	char *fractions;  /* by column: not all are, but some cells look like 1.5 */
	size_t rows, columns;
};

struct candidate {
	size_t column;
	int rank;
};

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static int is_fraction(const struct rows_cell *cell)
{
	const char *dot = memchr(cell->p, '.', cell->len);
	const char *end = cell->p + cell->len;

	if (dot == NULL || dot + 1 == end)
		return 0;
	for (const char *p = cell->p; p < end; p++)
		if (!strchr("+-0123456789.eE", *p))
			return 0;
	return 1;
}

static int sample_row(
	struct sample *s, struct rows_read *r, const struct rows_hash_seed *seed, size_t most)
{
	const struct rows_cell *cells;
	size_t n;
	int rc = rows_read_cells(r, &cells, &n);

	for (size_t i = 0; rc == 0 && i < s->columns; i++) {
		if (i >= n || rows_read_is_empty(&cells[i])) {
			s->bad[i] = 1;
			continue;
		}
		s->hashes[i * most + s->rows] = rows_hash_cell(seed, &cells[i]);
		s->fractions[i] |= (char)is_fraction(&cells[i]);
	}
	s->rows++;
	return rc;
}

static int read_sample(
	struct sample *s, struct rows_read *r, const struct rows_hash_seed *seed, size_t most)
{
	struct rows_row row;
	int rc = 0;

	while (s->rows < most && (rc = rows_read_next(r, &row)) > 0)
		if ((rc = sample_row(s, r, seed, most)) < 0)
			break;
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < s->columns; i++) {
		uint64_t *v = s->hashes + i * most;

		if (s->bad[i])
			continue;
		qsort(v, s->rows, sizeof(*v), by_value);
		for (size_t k = 1; k < s->rows; k++)
			s->bad[i] |= v[k] == v[k - 1];
		memmove(s->hashes + i * s->rows, v, s->rows * sizeof(*v));
	}
	return 0;
}

static int take_sample(struct sample *s, struct rowdiff *d, struct rowdiff_side *side)
{
	struct rows_read *r = NULL;
	size_t most;
	int rc = rowdiff_read_new(&r, d, side, SAMPLE_BLOCK);

	s->columns = side->columns.n < COLUMNS_MAX ? side->columns.n : COLUMNS_MAX;
	most = SAMPLE_CELLS / (s->columns + 1);
	if (most > SAMPLE_ROWS)
		most = SAMPLE_ROWS;
	s->hashes = calloc(s->columns * most + 1, sizeof(*s->hashes));
	s->bad = calloc(s->columns + 1, 1);
	s->fractions = calloc(s->columns + 1, 1);
	if (rc == 0 && (!s->hashes || !s->bad || !s->fractions))
		rc = err_no_memory();
	if (rc == 0)
		rc = read_sample(s, r, &d->seed, most);
	rows_read_free(r);
	return rc;
}

static void sample_release(struct sample *s)
{
	free(s->hashes);
	free(s->bad);
	free(s->fractions);
}

static int ends_with(const char *name, const char *end)
{
	size_t n = strlen(name), len = strlen(end);

	return n >= len && !strcasecmp(name + n - len, end);
}

int rowdiff_key_rank(const char *name)
{
	static const char *const keys[] = {"id", "key", "uuid", "guid", "pk"};
	static const char *const ends[] = {"_id", "-id", ".id", " id", "_key", "_uuid"};
	size_t n = strlen(name);

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (!strcasecmp(name, keys[i]))
			return 2;
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		if (ends_with(name, ends[i]))
			return 1;
	if (n > 2 && (!strcmp(name + n - 2, "Id") || !strcmp(name + n - 2, "ID")))
		return 1;
	return *name && strncmp(name, "Unnamed: ", 9) ? 0 : -1;
}

/* 1 if some value of column `a` of one sample is in column `b` of the other. */
static int overlap(const struct sample *x, size_t a, const struct sample *y, size_t b)
{
	const uint64_t *v = x->hashes + a * x->rows, *w = y->hashes + b * y->rows;

	for (size_t i = 0, k = 0; i < x->rows && k < y->rows;) {
		if (v[i] == w[k])
			return 1;
		if (v[i] < w[k])
			i++;
		else
			k++;
	}
	return 0;
}

/* Best first: values of it are on both sides; it is called like a key; it is no measurement. */
static int rank(const struct rowdiff *d, const struct sample s[static ROWDIFF_SIDES], size_t column)
{
	const struct rowdiff_side *now = &d->side[ROWDIFF_NOW];
	size_t old = now->partner[column];
	int both = s[ROWDIFF_OLD].rows > 0 && s[ROWDIFF_NOW].rows > 0;
	int shared = both && overlap(&s[ROWDIFF_OLD], old, &s[ROWDIFF_NOW], column);
	int fraction = s[ROWDIFF_NOW].fractions[column] || s[ROWDIFF_OLD].fractions[old];

	return shared * 16 + (rowdiff_key_rank(now->columns.v[column]) + 1) * 2 + !fraction;
}

static int by_rank(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->rank != y->rank)
		return x->rank > y->rank ? -1 : 1;
	return x->column < y->column ? -1 : x->column > y->column;
}

/* A key is said by its name. */
static int is_first_of_name(const struct strvec *columns, size_t column)
{
	const char *name = columns->v[column];

	return find_column(columns, name, strlen(name)) == column;
}

static int collect(
	size_t **v, size_t *n, const struct rowdiff *d, const struct sample s[static ROWDIFF_SIDES])
{
	const struct rowdiff_side *now = &d->side[ROWDIFF_NOW];
	struct candidate *found = NULL;
	size_t n_found = 0, cap = 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < s[ROWDIFF_NOW].columns; i++) {
		size_t old = now->partner[i];

		if (old >= s[ROWDIFF_OLD].columns || s[ROWDIFF_NOW].bad[i] ||
			s[ROWDIFF_OLD].bad[old] || !is_first_of_name(&now->columns, i))
			continue;
		rc = array_room(&found, n_found, &cap, sizeof(*found));
		if (rc == 0)
			found[n_found++] = (struct candidate){i, rank(d, s, i)};
	}
	if (n_found)
		qsort(found, n_found, sizeof(*found), by_rank);
	*n = n_found < CANDIDATES_MAX ? n_found : CANDIDATES_MAX;
	*v = calloc(*n + 1, sizeof(**v));
	if (rc == 0 && *v == NULL)
		rc = err_no_memory();
	for (size_t i = 0; rc == 0 && i < *n; i++)
		(*v)[i] = found[i].column;
	free(found);
	return rc;
}

int rowdiff_key_candidates(size_t **v, size_t *n, struct rowdiff *d)
{
	struct sample s[ROWDIFF_SIDES] = {{.hashes = NULL}, {.hashes = NULL}};
	int rc = take_sample(&s[ROWDIFF_OLD], d, &d->side[ROWDIFF_OLD]);

	if (rc == 0)
		rc = take_sample(&s[ROWDIFF_NOW], d, &d->side[ROWDIFF_NOW]);
	if (rc == 0)
		rc = collect(v, n, d, s);
	sample_release(&s[ROWDIFF_OLD]);
	sample_release(&s[ROWDIFF_NOW]);
	return rc;
}
