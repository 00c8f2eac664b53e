/*
 * Growing arrays: twice the room whenever it is used up, so that n appends cost n copies.
 */
#include "lib/base/array.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"

enum { FIRST_ROOM = 16 };

int array_room(void *array, size_t n, size_t *cap, size_t size)
{
	size_t more = *cap ? *cap * 2 : FIRST_ROOM;
	void *v;

	if (n < *cap)
		return 0;
	memcpy(&v, array, sizeof(v)); /* of any pointer type: all are alike here */
	v = reallocarray(v, more, size);
	if (!v)
		return err_no_memory();
	memcpy(array, &v, sizeof(v));
	*cap = more;
	return 0;
}
