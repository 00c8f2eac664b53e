/*
 * EWAH bitmaps of the index's "link" extension.  The compressed form is a sequence of 64-bit words:
 * a marker word says how many words of equal bits follow (they are not stored) and then how many
 * literal words (they are).  Decoding goes to a plain bitmap whose size the caller knows (the
 * entries of the shared index), so a hostile run length cannot cost more memory than the index has
 * entries.
 */
#include "lib/worktree/ewah.h"
#include "lib/base/err.h"

#include <stdlib.h>
#include <string.h>

enum { WORD_BITS = 64 };

/* A marker word: bit 0 the value of the run, bits 1-32 its length in words, bits 33-63 the literals
 * behind. */
#define RUN_MAX	    (((uint64_t)1 << 32) - 1)
#define LITERAL_MAX (((uint64_t)1 << 31) - 1)

static size_t words_for(size_t bits)
{
	return bits / WORD_BITS + (bits % WORD_BITS != 0);
}

int ewah_init(struct ewah *b, size_t bits)
{
	b->bits = bits;
	b->words = calloc(words_for(bits) + 1, sizeof *b->words);
	return b->words ? 0 : err_set(ERR_NOMEM, "out of memory");
}

void ewah_release(struct ewah *b)
{
	free(b->words);
	b->words = NULL;
	b->bits = 0;
}

int ewah_get(const struct ewah *b, size_t i)
{
	return i < b->bits && (b->words[i / WORD_BITS] >> (i % WORD_BITS) & 1);
}

void ewah_set(struct ewah *b, size_t i)
{
	b->words[i / WORD_BITS] |= (uint64_t)1 << (i % WORD_BITS);
}

size_t ewah_count(const struct ewah *b)
{
	size_t n = 0;

	for (size_t i = 0; i < words_for(b->bits); i++)
		n += (size_t)__builtin_popcountll(b->words[i]);
	return n;
}

/* Put one decoded word at its place; the place may lie outside only if nothing is set there. */
static int put_word(struct ewah *b, uint64_t at, uint64_t word)
{
	size_t tail = b->bits % WORD_BITS;

	if (!word)
		return 0;
	if (at >= words_for(b->bits))
		return err_set(ERR_CORRUPT, "bitmap has bits behind its end");
	if (tail && at == b->bits / WORD_BITS && word >> tail)
		return err_set(ERR_CORRUPT, "bitmap has bits behind its end");
	b->words[at] = word;
	return 0;
}

/* A run of ones; zeros need no work. */
static int put_run(struct ewah *b, uint64_t at, uint64_t n)
{
	if (n > words_for(b->bits))
		return err_set(ERR_CORRUPT, "bitmap has a run longer than itself");
	for (uint64_t i = 0; i < n; i++) {
		int rc = put_word(b, at + i, ~(uint64_t)0);

		if (rc < 0)
			return rc;
	}
	return 0;
}

ssize_t ewah_read(struct ewah *b, const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t n, i = 0, at = 0;

	if (len < 8)
		return err_set(ERR_CORRUPT, "bitmap is truncated");
	n = be32_get(p + 4);
	if ((len - 8) / 8 < n || len - 8 - n * 8 < 4)
		return err_set(ERR_CORRUPT, "bitmap is truncated");
	p += 8;
	while (i < n) {
		uint64_t marker = be64_get(p + 8 * i++);
		uint64_t run = marker >> 1 & RUN_MAX, literals = marker >> 33;

		if (marker & 1 && put_run(b, at, run) < 0)
			return ERR_CORRUPT;
		at += run;
		if (literals > n - i)
			return err_set(ERR_CORRUPT, "bitmap is truncated");
		while (literals--)
			if (put_word(b, at++, be64_get(p + 8 * i++)) < 0)
				return ERR_CORRUPT;
	}
	return (ssize_t)(8 + n * 8 + 4);
}

static int is_run_word(uint64_t w)
{
	return w == 0 || w == ~(uint64_t)0;
}

/* Append the marker and the literals that start at word `*at`; moves it on. */
static int write_stretch(struct buf *out, const struct ewah *b, size_t *at, size_t end)
{
	uint64_t run = 0, literals = 0, bit = 0;
	size_t i = *at;
	int rc;

	if (i < end && is_run_word(b->words[i])) {
		bit = b->words[i] & 1;
		while (i < end && run < RUN_MAX && b->words[i] == (bit ? ~(uint64_t)0 : 0))
			run++, i++;
	}
	while (i + literals < end && literals < LITERAL_MAX && !is_run_word(b->words[i + literals]))
		literals++;
	rc = buf_add_be64(out, literals << 33 | run << 1 | bit);
	for (uint64_t k = 0; rc == 0 && k < literals; k++)
		rc = buf_add_be64(out, b->words[i++]);
	*at = i;
	return rc;
}

/* One more than the last set bit. */
static size_t length_in_bits(const struct ewah *b)
{
	size_t i = words_for(b->bits);

	while (i && !b->words[i - 1])
		i--;
	return i ? i * WORD_BITS - (size_t)__builtin_clzll(b->words[i - 1]) : 0;
}

int ewah_write(struct buf *out, const struct ewah *b)
{
	size_t bits = length_in_bits(b), end = words_for(bits), at = 0, start = out->len, marker;
	int rc;

	if (bits > UINT32_MAX)
		return err_set(ERR_LIMIT, "bitmap of more than 2^32 bits");
	rc = buf_add_be32(out, (uint32_t)bits);
	if (rc == 0)
		rc = buf_add_be32(out, 0); /* the number of words, known later */
	do {
		marker = (out->len - start - 8) / 8;
		if (rc == 0)
			rc = write_stretch(out, b, &at, end);
	} while (rc == 0 && at < end);
	if (rc == 0) {
		be32_put(out->p + start + 4, (uint32_t)((out->len - start - 8) / 8));
		rc = buf_add_be32(out, (uint32_t)marker);
	}
	return rc;
}
