/*
 * An external merge sort.  Records are collected in one array; where it is full it is sorted and
 * appended to an unnamed file as a run.  Reading takes the smallest of the runs' first records, by
 * a heap; then the same array holds a piece of each run.  What fits into memory never sees the
 * file.
 *
 * The sort is American flag sort (McIlroy, Bostic, McIlroy 1993): by the highest byte in which
 * records differ, in place.  The records' first words are mostly hashes, which it suits well.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/table/runsort.h"

enum { RECORDS_MIN = 64, RECORDS_FIRST = 1024, INSERTION_MAX = 24, BYTES = 256 };

struct run {
	uint64_t from, n;    /* records of the file */
	uint64_t read;	     /* so many of them */
	uint64_t *piece;     /* of the array */
	size_t in_piece, at; /* records */
};

struct runsort {
	size_t words;
	size_t room, most; /* records of the array: allocated, and at most */
	uint64_t *v;
	size_t n;
	char *tmp_dir;
	int fd;
	struct run *runs;
	size_t n_runs, runs_cap;
	struct run **heap;
	size_t in_heap;
	size_t at; /* of the array, when there are no runs */
	int started;
};

int runsort_new(struct runsort **out, size_t words, size_t memory, const char *tmp_dir)
{
	struct runsort *s = calloc(1, sizeof(*s));

	if (tmp_dir == NULL)
		tmp_dir = getenv("TMPDIR");
	if (s == NULL || (s->tmp_dir = strdup(tmp_dir && *tmp_dir ? tmp_dir : "/tmp")) == NULL) {
		free(s);
		return err_no_memory();
	}
	s->words = words;
	s->most = memory / (words * sizeof(uint64_t));
	if (s->most < RECORDS_MIN)
		s->most = RECORDS_MIN;
	s->fd = -1;
	*out = s;
	return 0;
}

void runsort_free(struct runsort *s)
{
	if (s == NULL)
		return;
	if (s->fd >= 0)
		close(s->fd);
	free(s->v);
	free(s->runs);
	free(s->heap);
	free(s->tmp_dir);
	free(s);
}

/* --- in memory -----------------------------------------------------------------------------------
 */

static int compare(const uint64_t *a, const uint64_t *b, size_t words)
{
	for (size_t i = 0; i < words; i++)
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	return 0;
}

static void copy(uint64_t *to, const uint64_t *from, size_t words)
{
	for (size_t i = 0; i < words; i++)
		to[i] = from[i];
}

static void insertion_sort(uint64_t *v, size_t n, size_t words)
{
	uint64_t record[RUNSORT_WORDS_MAX];

	for (size_t i = 1; i < n; i++) {
		size_t at = i;

		copy(record, v + i * words, words);
		for (; at > 0 && compare(v + (at - 1) * words, record, words) > 0; at--)
			copy(v + at * words, v + (at - 1) * words, words);
		copy(v + at * words, record, words);
	}
}

/* The byte, counted from the first word's highest, from `from` on in which not all are alike;
 * words * 8 if there is none. */
static size_t first_different_byte(const uint64_t *v, size_t n, size_t words, size_t from)
{
	for (size_t w = from / 8; w < words; w++) {
		uint64_t differ = 0;

		for (size_t i = 1; i < n; i++)
			differ |= v[i * words + w] ^ v[w];
		if (w == from / 8 && from % 8)
			differ &= UINT64_MAX >> from % 8 * 8;
		if (differ)
			return w * 8 + (size_t)__builtin_clzll(differ) / 8;
	}
	return words * 8;
}

static unsigned byte_of(const uint64_t *record, size_t byte)
{
	return (unsigned)(record[byte / 8] >> (56 - byte % 8 * 8)) & 0xff;
}

/* Put all into their buckets of this byte; ends[] becomes where each bucket ends. */
static void distribute(uint64_t *v, size_t n, size_t words, size_t byte, size_t ends[static BYTES])
{
	size_t next[BYTES] = {0};
	uint64_t record[RUNSORT_WORDS_MAX], other[RUNSORT_WORDS_MAX];

	for (size_t i = 0; i < n; i++)
		next[byte_of(v + i * words, byte)]++;
	for (size_t b = 0, at = 0; b < BYTES; b++) {
		size_t count = next[b];

		next[b] = at;
		at += count;
		ends[b] = at;
	}
	for (unsigned b = 0; b < BYTES; b++) {
		while (next[b] < ends[b]) {
			unsigned home = byte_of(v + next[b] * words, byte);

			if (home == b) {
				next[b]++;
				continue;
			}
			copy(record, v + next[b] * words, words);
			do {
				uint64_t *place = v + next[home]++ * words;

				copy(other, place, words);
				copy(place, record, words);
				copy(record, other, words);
				home = byte_of(record, byte);
			} while (home != b);
			copy(v + next[b]++ * words, record, words);
		}
	}
}

static void sort(uint64_t *v, size_t n, size_t words, size_t byte)
{
	size_t ends[BYTES];

	if (n <= INSERTION_MAX) {
		insertion_sort(v, n, words);
		return;
	}
	byte = first_different_byte(v, n, words, byte);
	if (byte == words * 8)
		return;
	distribute(v, n, words, byte, ends);
	for (size_t b = 0, at = 0; b < BYTES; at = ends[b++])
		if (ends[b] - at > 1)
			sort(v + at * words, ends[b] - at, words, byte + 1);
}

/* --- runs ----------------------------------------------------------------------------------------
 */

static int spill(struct runsort *s)
{
	size_t record = s->words * sizeof(uint64_t);
	uint64_t from = s->n_runs ? s->runs[s->n_runs - 1].from + s->runs[s->n_runs - 1].n : 0;
	int rc = array_room(&s->runs, s->n_runs, &s->runs_cap, sizeof(*s->runs));

	if (rc < 0)
		return rc;
	if (s->fd < 0 && (s->fd = fs_unnamed_file(s->tmp_dir)) < 0)
		return err_prefix(ERR_IO, "no place for a temporary file");
	sort(s->v, s->n, s->words, 0);
	rc = fs_pwrite_full(s->fd, s->v, s->n * record, from * record);
	if (rc < 0)
		return err_prefix(rc, "in '%s'", s->tmp_dir);
	s->runs[s->n_runs++] = (struct run){.from = from, .n = s->n};
	s->n = 0;
	return 0;
}

/* Twice the array, or its most. */
static int grow(struct runsort *s)
{
	size_t room = s->room ? s->room * 2 : RECORDS_FIRST;
	uint64_t *v;

	if (room > s->most)
		room = s->most;
	v = reallocarray(s->v, room, s->words * sizeof(uint64_t));
	if (v == NULL)
		return err_no_memory();
	s->v = v;
	s->room = room;
	return 0;
}

int runsort_add(struct runsort *s, const uint64_t *record)
{
	int rc = 0;

	if (s->n == s->room)
		rc = s->room < s->most ? grow(s) : spill(s);
	if (rc < 0)
		return rc;
	copy(s->v + s->n++ * s->words, record, s->words);
	return 0;
}

/* --- merging -------------------------------------------------------------------------------------
 */

static const uint64_t *head_of(const struct runsort *s, const struct run *run)
{
	return run->piece + run->at * s->words;
}

/* 1 when run `a` comes before `b`. */
static int before(const struct runsort *s, size_t a, size_t b)
{
	return compare(head_of(s, s->heap[a]), head_of(s, s->heap[b]), s->words) < 0;
}

static void sift_down(struct runsort *s, size_t at)
{
	for (;;) {
		size_t least = at, child = at * 2 + 1;
		struct run *run = s->heap[at];

		if (child < s->in_heap && before(s, child, least))
			least = child;
		if (child + 1 < s->in_heap && before(s, child + 1, least))
			least = child + 1;
		if (least == at)
			return;
		s->heap[at] = s->heap[least];
		s->heap[least] = run;
		at = least;
	}
}

/* The next piece of a run; in_piece 0: it is at its end. */
static int read_piece(struct runsort *s, struct run *run)
{
	size_t record = s->words * sizeof(uint64_t), n = s->room / s->n_runs;
	ssize_t got;

	if (n > run->n - run->read)
		n = (size_t)(run->n - run->read);
	run->at = 0;
	run->in_piece = n;
	got = n ? fs_pread_full(s->fd, run->piece, n * record, (run->from + run->read) * record)
		: 0;
	if (got < 0)
		return err_prefix((int)got, "in '%s'", s->tmp_dir);
	if ((size_t)got < n * record)
		return err_set(ERR_IO, "a temporary file in '%s' lost its end", s->tmp_dir);
	run->read += n;
	return 0;
}

/* Each run gets a part of the array. */
static int start_merge(struct runsort *s)
{
	size_t piece;

	if (s->room < s->n_runs) { /* of so many runs each has one record */
		s->most = s->n_runs;
		while (s->room < s->most)
			if (grow(s) < 0)
				return ERR_NOMEM;
	}
	piece = s->room / s->n_runs;
	s->in_heap = 0;
	for (size_t i = 0; i < s->n_runs; i++) {
		int rc;

		s->runs[i].piece = s->v + i * piece * s->words;
		s->runs[i].read = 0;
		rc = read_piece(s, &s->runs[i]);
		if (rc < 0)
			return rc;
		s->heap[s->in_heap++] = &s->runs[i];
	}
	for (size_t i = s->in_heap / 2; i-- > 0;)
		sift_down(s, i);
	return 0;
}

int runsort_sort(struct runsort *s)
{
	int rc;

	if (s->n_runs == 0) {
		sort(s->v, s->n, s->words, 0);
		return 0;
	}
	rc = s->n ? spill(s) : 0;
	if (rc < 0)
		return rc;
	s->heap = calloc(s->n_runs, sizeof(struct run *));
	return s->heap ? start_merge(s) : err_no_memory();
}

int runsort_rewind(struct runsort *s)
{
	s->at = 0;
	s->started = 0;
	return s->n_runs ? start_merge(s) : 0;
}

/* Past the record that was returned last. */
static int advance(struct runsort *s)
{
	struct run *run = s->heap[0];
	int rc = 0;

	if (++run->at == run->in_piece)
		rc = read_piece(s, run);
	if (rc == 0 && run->in_piece == 0)
		s->heap[0] = s->heap[--s->in_heap];
	sift_down(s, 0);
	return rc;
}

int runsort_next(struct runsort *s, const uint64_t **record)
{
	int rc;

	if (s->n_runs == 0) {
		if (s->at == s->n)
			return 0;
		*record = s->v + s->at++ * s->words;
		return 1;
	}
	rc = s->started && s->in_heap ? advance(s) : 0;
	if (rc < 0 || s->in_heap == 0)
		return rc;
	s->started = 1;
	*record = head_of(s, s->heap[0]);
	return 1;
}
