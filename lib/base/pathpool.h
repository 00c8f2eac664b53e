/*
 * Memory for very many path strings that live and die together.
 */
#ifndef LIB_BASE_PATHPOOL_H
#define LIB_BASE_PATHPOOL_H

#include <stddef.h>

struct pathpool; /* NULL: empty */

/* A copy of path[0..len), NUL-terminated, that lives until pathpool_free; NULL when out of memory.
 */
const char *pathpool_keep(struct pathpool **pool, const char *path, size_t len);
void pathpool_free(struct pathpool **pool);

#endif
