/*
 * "Smaller files stay ordinary Git blobs": the minimum size of a path, from the attribute
 * dvx-min-size, else dvx.minSize.
 */
#ifndef FILTER_MINSIZE_H
#define FILTER_MINSIZE_H

#include <stdint.h>

#include "lib/setup/config.h"
#include "lib/setup/gitdir.h"

struct minsize;

enum {
	MINSIZE_MAX = 64 * 1024 * 1024
}; /* what clean is ready to hold back; larger ones count as this */

/* *out stays NULL when no minimum is set anywhere, which costs one read of the top .gitattributes.
 */
int minsize_new(struct minsize **out, const struct gitdir *g, const struct config *c);
void minsize_free(struct minsize *m);
/* *bytes: 0 without a minimum.  NULL m and NULL path are fine.  0, or a negative error when Git
 * cannot be asked. */
int minsize_of(struct minsize *m, const char *path, uint64_t *bytes);

#endif
