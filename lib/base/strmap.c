/*
 * uthash behind strmap.h.
 */
#include "lib/base/strmap.h"
#include "lib/base/err.h"

#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM	 1
#define uthash_nonfatal_oom(elt) (*(elt)->oom = 1)
#include <uthash.h>

struct strmap_entry {
	UT_hash_handle hh;
	void *value;
	int *oom;
	char key[];
};

static struct strmap_entry *find(const struct strmap *m, const char *key)
{
	struct strmap_entry *e = NULL;

	HASH_FIND_STR(m->head, key, e);
	return e;
}

int strmap_put(struct strmap *m, const char *key, void *value)
{
	struct strmap_entry *e = find(m, key);
	size_t len = strlen(key);
	int oom = 0;

	if (e) {
		e->value = value;
		return 0;
	}
	e = malloc(sizeof *e + len + 1);
	if (!e)
		return err_set(ERR_NOMEM, "out of memory");
	memcpy(e->key, key, len + 1);
	e->value = value;
	e->oom = &oom;
	HASH_ADD_KEYPTR(hh, m->head, e->key, len, e);
	e->oom = NULL;
	if (oom) {
		free(e);
		return err_set(ERR_NOMEM, "out of memory");
	}
	return 0;
}

void *strmap_get(const struct strmap *m, const char *key)
{
	struct strmap_entry *e = find(m, key);

	return e ? e->value : NULL;
}

int strmap_has(const struct strmap *m, const char *key)
{
	return find(m, key) != NULL;
}

size_t strmap_count(const struct strmap *m)
{
	return HASH_COUNT(m->head);
}

int strmap_each(const struct strmap *m, int (*fn)(const char *, void *, void *), void *data)
{
	struct strmap_entry *e, *next;
	int rc = 0;

	for (e = m->head; e && rc == 0; e = next) {
		next = e->hh.next;
		rc = fn(e->key, e->value, data);
	}
	return rc;
}

void strmap_release(struct strmap *m, void (*free_value)(void *))
{
	struct strmap_entry *e, *next;

	for (e = m->head, next = NULL; e; e = next) {
		next = e->hh.next;
		HASH_DEL(m->head, e);
		if (free_value)
			free_value(e->value);
		free(e);
	}
}
