/*
 * Paths packed into large chunks: no allocation for each, and one pass to free them.
 */
#include "lib/base/pathpool.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK_SIZE = 64 * 1024 };

struct pathpool {
	struct pathpool *next;
	size_t used, size;
	char text[];
};

const char *pathpool_keep(struct pathpool **pool, const char *path, size_t len)
{
	struct pathpool *c = *pool;
	char *copy;

	if (!c || c->size - c->used <= len) {
		size_t size = len + 1 > CHUNK_SIZE ? len + 1 : CHUNK_SIZE;

		if (!(c = malloc(sizeof *c + size)))
			return NULL;
		c->next = *pool;
		c->used = 0;
		c->size = size;
		*pool = c;
	}
	copy = c->text + c->used;
	memcpy(copy, path, len);
	copy[len] = '\0';
	c->used += len + 1;
	return copy;
}

void pathpool_free(struct pathpool **pool)
{
	struct pathpool *c, *next;

	for (c = *pool; c; c = next) {
		next = c->next;
		free(c);
	}
	*pool = NULL;
}
