/*
 * Linear probing over a power of two of slots, at most three quarters full (see oidmap.h).  Ids
 * from outside can be chosen to collide only by whoever can produce SHA-256 values with a chosen
 * prefix, so no seed is needed.
 */
#include "lib/store/oidmap.h"
#include "lib/base/err.h"

#include <stdlib.h>
#include <string.h>

struct oidmap_slot {
	struct oid id;
	uint32_t value;
	uint32_t used;
};

void oidmap_release(struct oidmap *m)
{
	free(m->slots);
	memset(m, 0, sizeof *m);
}

static struct oidmap_slot *slot_of(const struct oidmap *m, const struct oid *id)
{
	uint64_t hash;
	size_t i;

	memcpy(&hash, id->id + 8, sizeof hash);
	for (i = (size_t)hash & m->mask; m->slots[i].used; i = (i + 1) & m->mask)
		if (memcmp(m->slots[i].id.id, id->id, OID_LEN) == 0)
			break;
	return &m->slots[i];
}

int oidmap_reserve(struct oidmap *m, size_t n)
{
	struct oidmap bigger = {NULL, m->n, m->slots ? m->mask : 63};

	while (n > (bigger.mask + 1) / 4 * 3)
		bigger.mask = bigger.mask * 2 + 1;
	if (m->slots && bigger.mask == m->mask)
		return 0;
	bigger.slots = calloc(bigger.mask + 1, sizeof *bigger.slots);
	if (!bigger.slots)
		return err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; m->slots && i <= m->mask; i++)
		if (m->slots[i].used)
			*slot_of(&bigger, &m->slots[i].id) = m->slots[i];
	free(m->slots);
	*m = bigger;
	return 0;
}

/* 1 when it is new; one that is there gets the value only with `replace`. */
static int put(struct oidmap *m, const struct oid *id, uint32_t value, int replace)
{
	struct oidmap_slot *s;
	int rc = oidmap_reserve(m, m->n + 1), fresh;

	if (rc < 0)
		return rc;
	s = slot_of(m, id);
	fresh = !s->used;
	if (fresh || replace)
		s->value = value;
	if (fresh) {
		s->id = *id;
		s->used = 1;
		m->n++;
	}
	return fresh;
}

int oidmap_add(struct oidmap *m, const struct oid *id, uint32_t value)
{
	return put(m, id, value, 0);
}

int oidmap_set(struct oidmap *m, const struct oid *id, uint32_t value)
{
	return put(m, id, value, 1);
}

int oidmap_get(const struct oidmap *m, const struct oid *id, uint32_t *value)
{
	const struct oidmap_slot *s;

	if (!m->slots)
		return 0;
	s = slot_of(m, id);
	if (s->used && value)
		*value = s->value;
	return (int)s->used;
}
