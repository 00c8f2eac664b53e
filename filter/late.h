/*
 * The list of files whose data comes after Git has finished.
 */
#ifndef FILTER_LATE_H
#define FILTER_LATE_H

#include <signal.h>
#include <stddef.h>

#include "lib/setup/config.h"
#include "lib/setup/gitdir.h"
#include "lib/store/pointer.h"
#include "lib/store/store.h"

struct late;

int late_new(struct late **out);
void late_free(struct late *l);
/* Remember that Git was given `text` (the pointer p) for `path`.  `blob`: Git's id of that text, 32
 * bytes of room.  A later one for the same path replaces the earlier. */
int late_add(struct late *l, const char *path, const void *text, size_t text_len,
	const struct pointer *p, const uint8_t *blob);
size_t late_count(const struct late *l);
/* Git has closed the pipe: rehydrate, and report on stderr what could not be. */
int late_run(struct late *l, const struct gitdir *g, const struct config *c, struct store *s,
	const volatile int *stop);

#endif
