/*
 * Between the reader and the packer of an upload.  As long as an object goes along its base, one
 * hash a chunk is all there is to do, as with ordinary cuts.  At an edit the next chunks of the
 * base are looked for ahead; the hashes of positions, which are cheap, decide where an SHA-256 is
 * worth it.
 */
#include "transfer/blob/cutter.h"
#include "lib/base/array.h"
#include "lib/base/err.h"

#include <stdlib.h>
#include <string.h>

enum {
	BASE_CHUNKS_MAX = 1024 * 1024,
	SKIPPED_MAX = 8, /* chunks of the base that may be the next, after an edit */
	CANDIDATES_MAX = 256,
	TRIALS_MAX = 16 /* SHA-256 of a chunk, for each edit */
};

enum found { NO, YES, NEED_MORE };

/* What is at hand of the object. */
struct ahead {
	const uint8_t *data;
	size_t len;
	int final;
};

void cutter_base_release(struct cutter_base *b)
{
	free(b->v);
	oidmap_release(&b->numbers);
	memset(b, 0, sizeof(*b));
}

int cutter_base_add(struct cutter_base *b, const struct oid *id, uint32_t len)
{
	int rc;

	if (b->n == BASE_CHUNKS_MAX)
		return err_set(ERR_LIMIT, "the base has too many chunks");
	if (array_room(&b->v, b->n, &b->cap, sizeof(*b->v)) < 0)
		return ERR_NOMEM;
	rc = oidmap_add(&b->numbers, id, (uint32_t)b->n);
	if (rc < 0)
		return rc;
	b->v[b->n++] = (struct cutter_chunk){.id = *id, .len = len};
	return 0;
}

void cutter_begin(struct cutter *c, const struct cutter_base *base)
{
	*c = (struct cutter){.base = base};
}

static int has_id(const struct cutter_chunk *chunk, const uint8_t *data)
{
	struct oid id;

	oid_of(&id, data, chunk->len);
	return oid_eq(&id, &chunk->id);
}

/* Short chunks come one by one, or they are cut anew. */
static int may_follow(const struct cutter_base *b, size_t k)
{
	return b->v[k].len >= CHUNK_MIN || (k + 1 < b->n && b->v[k + 1].len >= CHUNK_MIN);
}

/* Do the next bytes make the base's next chunk?  The last one only at the end of the object. */
static enum found goes_on(const struct cutter *c, const struct ahead *a)
{
	const struct cutter_base *b = c->base;
	const struct cutter_chunk *chunk = &b->v[c->next];
	size_t last = c->next + 1 == b->n;

	if (!a->final && a->len < chunk->len + last)
		return NEED_MORE;
	if (last ? !a->final || a->len != chunk->len : a->len < chunk->len)
		return NO;
	return last || may_follow(b, c->next) ? (enum found)has_id(chunk, a->data) : NO;
}

/* Could chunk `j` of the base begin at `at`, as far as its end tells? */
static int may_be_at(const struct cutter_base *b, size_t j, const struct ahead *a, size_t at)
{
	size_t len = b->v[j].len, end = at + len;

	if (len < CHUNK_MIN || end > a->len)
		return 0;
	if (j + 1 == b->n)
		return a->final && end == a->len;
	return len == CHUNK_MAX || chunker_candidate(a->data, end, end + 1) == end;
}

/* An edit begins at a->data: where does the base go on?  YES: c->until and c->next say it. */
static enum found look_ahead(struct cutter *c, const struct ahead *a)
{
	const struct cutter_base *b = c->base;
	size_t reach = b->v[c->next].len + CUTTER_SEARCH, at = CHUNK_WINDOW - 1;
	size_t behind = b->n - c->next < SKIPPED_MAX ? b->n : c->next + SKIPPED_MAX;
	int trials = 0;

	if (!a->final && a->len < reach + CHUNK_MAX)
		return NEED_MORE;
	if (reach > a->len)
		reach = a->len;
	for (int i = 0; i < CANDIDATES_MAX && at + 1 < reach; i++) {
		at = chunker_candidate(a->data, at + 1, reach);
		for (size_t j = c->next; at < reach && j < behind; j++) {
			if (!may_be_at(b, j, a, at))
				continue;
			if (trials++ == TRIALS_MAX)
				return NO;
			if (has_id(&b->v[j], a->data + at)) {
				c->until = at;
				c->next = j;
				return YES;
			}
		}
	}
	return NO;
}

/* An ordinary cut, at the latest where the base goes on. */
static size_t cut(const struct cutter *c, const struct ahead *a, struct oid *id)
{
	size_t len = a->len, n;
	int final = a->final;

	if (c->until && c->until <= len) {
		len = c->until;
		final = 1;
	}
	n = chunker_next(a->data, len, final);
	if (n)
		oid_of(id, a->data, n);
	return n;
}

/* Off the base: has it been met again? */
static void find_place(struct cutter *c, const struct oid *id)
{
	uint32_t k;

	c->next = oidmap_get(&c->base->numbers, id, &k) ? (size_t)k + 1 : c->base->n;
}

size_t cutter_next(struct cutter *c, const uint8_t *data, size_t len, int final, struct oid *id)
{
	const struct ahead a = {.data = data, .len = len, .final = final};
	enum found found = NO;
	size_t n;

	if (len == 0)
		return 0;
	if (c->until == 0 && c->next < c->base->n) {
		found = goes_on(c, &a);
		if (found == YES) {
			*id = c->base->v[c->next].id;
			return c->base->v[c->next++].len;
		}
		if (found == NO)
			found = look_ahead(c, &a);
		if (found == NEED_MORE)
			return 0;
		if (found == NO)
			c->next = c->base->n;
	}
	n = cut(c, &a, id);
	if (c->until)
		c->until -= n;
	else if (n)
		find_place(c, id);
	return n;
}
