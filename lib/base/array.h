/*
 * Growing arrays: the pointer, how many are in use and how many there is room for are members of
 * whatever struct the elements belong to.
 */
#ifndef LIB_BASE_ARRAY_H
#define LIB_BASE_ARRAY_H

#include <stddef.h>

/* Make room for one more element of `size` bytes behind the `n` that are there:
 * `array_room(&l->v, l->n, &l->cap, sizeof(*l->v))`.  `array` is the address of the pointer (NULL
 * in the beginning), which may move; free() it in the end.  The new room is not initialised.  0 or
 * ERR_NOMEM, which leaves all as it was. */
int array_room(void *array, size_t n, size_t *cap, size_t size);

#endif
