/*
 * A hash map from strings (copied) to pointers (the caller's).  uthash behind a narrow door.
 */
#ifndef LIB_BASE_STRMAP_H
#define LIB_BASE_STRMAP_H

#include <stddef.h>

struct strmap_entry;

struct strmap {
	struct strmap_entry *head; /* NULL: empty */
};

#define STRMAP_INIT                                                                                \
	{                                                                                          \
		.head = NULL                                                                       \
	}

/* Put or replace; the old value is not freed.  0 or ERR_NOMEM. */
int strmap_put(struct strmap *m, const char *key, void *value);
/* The value, or NULL when absent. */
void *strmap_get(const struct strmap *m, const char *key);
/* 1 if the key is there (also with a NULL value). */
int strmap_has(const struct strmap *m, const char *key);
size_t strmap_count(const struct strmap *m);
/* Visit in insertion order; stops at the first non-zero return and returns it. */
int strmap_each(
	const struct strmap *m, int (*fn)(const char *key, void *value, void *data), void *data);
/* Free all; `free_value` (may be NULL) is called on each value. */
void strmap_release(struct strmap *m, void (*free_value)(void *));

#endif
