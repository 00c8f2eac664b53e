/*
 * Linear probing over a power of two of slots, at most three quarters full.  A slot has 32 bits of
 * the id as well: the array is looked at only where they agree, and never to make room.
 */
#include "lib/store/oidindex.h"
#include "lib/base/err.h"

#include <stdlib.h>
#include <string.h>

struct oidindex_slot {
	uint32_t hash;
	uint32_t next; /* number + 1; 0: free */
};

void oidindex_release(struct oidindex *x)
{
	free(x->slots);
	memset(x, 0, sizeof *x);
}

static uint32_t hash_of(const struct oid *id)
{
	uint32_t hash;

	memcpy(&hash, id->id + 8, sizeof hash);
	return hash;
}

static const struct oid *id_at(struct oidarray a, uint32_t number)
{
	return (const void *)((const char *)a.v + number * a.size);
}

/* The slot of the id, or the free one where it belongs. */
static struct oidindex_slot *slot_of(
	const struct oidindex *x, struct oidarray a, const struct oid *id)
{
	uint32_t hash = hash_of(id);
	size_t i;

	for (i = hash & x->mask; x->slots[i].next; i = (i + 1) & x->mask)
		if (x->slots[i].hash == hash && oid_eq(id_at(a, x->slots[i].next - 1), id))
			break;
	return &x->slots[i];
}

static void insert(struct oidindex *x, struct oidindex_slot s)
{
	size_t i = s.hash & x->mask;

	while (x->slots[i].next)
		i = (i + 1) & x->mask;
	x->slots[i] = s;
}

int oidindex_reserve(struct oidindex *x, size_t n)
{
	struct oidindex bigger = {NULL, x->n, x->slots ? x->mask : 63};

	while (n > (bigger.mask + 1) / 4 * 3)
		bigger.mask = bigger.mask * 2 + 1;
	if (x->slots && bigger.mask == x->mask)
		return 0;
	bigger.slots = calloc(bigger.mask + 1, sizeof *bigger.slots);
	if (!bigger.slots)
		return err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; x->slots && i <= x->mask; i++)
		if (x->slots[i].next)
			insert(&bigger, x->slots[i]);
	free(x->slots);
	*x = bigger;
	return 0;
}

static int put(struct oidindex *x, struct oidarray a, uint32_t number, int replace)
{
	const struct oid *id = id_at(a, number);
	struct oidindex_slot *s;
	int rc = oidindex_reserve(x, x->n + 1), fresh;

	if (rc < 0)
		return rc;
	s = slot_of(x, a, id);
	fresh = !s->next;
	if (fresh || replace)
		*s = (struct oidindex_slot){hash_of(id), number + 1};
	x->n += (size_t)fresh;
	return fresh;
}

int oidindex_add(struct oidindex *x, struct oidarray a, uint32_t number)
{
	return put(x, a, number, 0);
}

int oidindex_set(struct oidindex *x, struct oidarray a, uint32_t number)
{
	return put(x, a, number, 1);
}

int oidindex_get(
	const struct oidindex *x, struct oidarray a, const struct oid *id, uint32_t *number)
{
	const struct oidindex_slot *s;

	if (!x->slots)
		return 0;
	s = slot_of(x, a, id);
	if (s->next && number)
		*number = s->next - 1;
	return s->next != 0;
}
