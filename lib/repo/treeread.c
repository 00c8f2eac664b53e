/*
 * Reading trees (see treeread.h).  They may come from anybody: nothing is read behind the end, and
 * what names mean is left to the caller.
 */
#include "lib/repo/treeread.h"

#include <string.h>

#include "lib/base/err.h"

int treeread_next(struct treeread_entry *e, int hash_len, const struct buf *tree, size_t *at)
{
	const char *p = tree->p + *at, *end = tree->p + tree->len, *nul;
	size_t hash = (size_t)hash_len;

	e->start = p;
	e->mode = 0;
	for (; p < end && *p >= '0' && *p <= '7' && e->mode < 1 << 18; p++)
		e->mode = e->mode << 3 | (uint32_t)(*p - '0');
	if (p == e->start || p >= end || *p != ' ')
		return err_set(ERR_CORRUPT, "a tree that cannot be understood; see 'git fsck'");
	p++;
	nul = memchr(p, '\0', (size_t)(end - p));
	if (!nul || nul == p || (size_t)(end - nul - 1) < hash)
		return err_set(ERR_CORRUPT, "a tree that ends too early; see 'git fsck'");
	e->name = p;
	e->id = (const uint8_t *)nul + 1;
	e->len = (size_t)(nul - e->start) + 1 + hash;
	*at += e->len;
	return 0;
}
