/*
 * Rows become numbers.  Pure, but for the seed.
 */
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "lib/table/rows_hash.h"

/* Cells behind the last column of the header, and cells of keys, are numbered apart from columns.
 */
#define ID_BEYOND ((uint64_t)1 << 40)
#define ID_KEY	  ((uint64_t)1 << 41)
#define ID_JSON	  ((uint64_t)1 << 42)
#define ID_FACTOR 0x9e3779b97f4a7c15u

void rows_hash_seed_init(struct rows_hash_seed *s)
{
	if (getrandom(s, sizeof(*s), 0) == (ssize_t)sizeof(*s))
		return;
	s->seed = (uint64_t)time(NULL); /* no system that we know */
	for (size_t i = 0; i < sizeof(s->secret); i++)
		s->secret[i] = (uint8_t)(XXH3_64bits_withSeed(&i, sizeof(i), s->seed) >> 56);
}

static void add_cell(uint64_t sum[static 2], const struct rows_hash_seed *seed, uint64_t id,
	const struct rows_cell *cell)
{
	XXH128_hash_t hash;

	if (cell->p == NULL)
		return;
	if (cell->json)
		id += ID_JSON;
	hash = XXH3_128bits_withSeed(cell->p, cell->len, seed->seed + id * ID_FACTOR);
	sum[0] += hash.high64;
	sum[1] += hash.low64;
}

/* Cell `at` of a row without quotes, without looking at the cells behind it. */
static struct rows_cell plain_cell(const struct rows_row *row, char delimiter, size_t at)
{
	const char *p = row->text, *end = p + row->len, *d;

	for (; at > 0; at--) {
		p = p < end ? memchr(p, delimiter, (size_t)(end - p)) : NULL;
		if (p == NULL)
			return (struct rows_cell){NULL, 0, 0};
		p++;
	}
	d = p < end ? memchr(p, delimiter, (size_t)(end - p)) : NULL;
	return (struct rows_cell){p, (size_t)((d ? d : end) - p), 0};
}

static int hash_key(struct rows_hash_value *out, const struct rows_hash *h, struct rows_read *r,
	const struct rows_row *row)
{
	const struct rows_cell *cells = NULL;
	size_t n = 0;
	int rc = row->plain ? 0 : rows_read_cells(r, &cells, &n);

	for (size_t i = 0; rc == 0 && i < h->n_key; i++) {
		struct rows_cell cell = {NULL, 0, 0};

		if (row->plain)
			cell = plain_cell(row, rows_read_delimiter(r), h->key[i]);
		else if (h->key[i] < n)
			cell = cells[h->key[i]];
		out->key_is_empty |= rows_read_is_empty(&cell);
		add_cell(out->key, h->seed, ID_KEY + i, &cell);
	}
	return rc;
}

static int hash_cells(struct rows_hash_value *out, const struct rows_hash *h, struct rows_read *r)
{
	const struct rows_cell *cells;
	size_t n, n_present;
	int rc = rows_read_cells(r, &cells, &n);
	const size_t *present = rows_read_present(r, &n_present);

	if (present != NULL)
		n = n_present;
	for (size_t i = 0; rc == 0 && i < n; i++) {
		size_t at = present ? present[i] : i;
		uint64_t id = at < h->n_ids ? h->ids[at] : ID_BEYOND + (at - h->n_ids);

		if (id != 0)
			add_cell(out->row, h->seed, id, &cells[at]);
	}
	return rc;
}

static int hash_text(struct rows_hash_value *out, const struct rows_hash *h, struct rows_read *r,
	const struct rows_row *row)
{
	struct rows_cell text = {row->text, row->len, 0};
	int rc = row->plain ? 0 : rows_read_text(r, &text);
	XXH128_hash_t hash;

	if (rc < 0)
		return rc;
	hash = XXH3_128bits_withSecret(text.p, text.len, h->seed->secret, ROWS_HASH_SECRET);
	out->row[0] = hash.high64;
	out->row[1] = hash.low64;
	return 0;
}

int rows_hash_row(struct rows_hash_value *out, const struct rows_hash *h, struct rows_read *r,
	const struct rows_row *row)
{
	int rc;

	memset(out, 0, sizeof(*out));
	rc = hash_key(out, h, r, row);
	if (rc == 0)
		rc = h->ids ? hash_cells(out, h, r) : hash_text(out, h, r, row);
	return rc;
}

uint64_t rows_hash_cell(const struct rows_hash_seed *seed, const struct rows_cell *cell)
{
	return XXH3_64bits_withSeed(cell->p, cell->len, seed->seed + (cell->json ? ID_JSON : 0));
}
