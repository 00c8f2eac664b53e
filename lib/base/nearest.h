/*
 * "the most similar one is …": which known name a mistyped one probably means.  Pure.
 */
#ifndef LIB_BASE_NEAREST_H
#define LIB_BASE_NEAREST_H

#include <stddef.h>

struct nearest {
	const char *name; /* as it was typed; borrowed */
	const char
		*best;	 /* the nearest of those that were offered (borrowed); NULL: none is near */
	size_t distance; /* of best: letters added, dropped, changed or swapped */
};

/* Nothing is near yet. */
void nearest_init(struct nearest *n, const char *name);
/* One of the names that are known; kept if it is nearer than those before. */
void nearest_offer(struct nearest *n, const char *known);

#endif
