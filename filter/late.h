/*
 * The list of files whose data comes after Git has finished.
 */
#ifndef FILTER_LATE_H
#define FILTER_LATE_H

#include <stddef.h>

#include "lib/setup/config.h"
#include "lib/setup/gitdir.h"
#include "lib/store/pointer.h"
#include "lib/store/store.h"
#include "lib/worktree/rehydrate.h"

struct late;

int late_new(struct late **out);
void late_free(struct late *l);
/* Remember what Git was given for `path`: `text` is the blob, p the pointer in it, `wish` (enum
 * rehydrate_wish) whether the data is to come, went inline, or shall not come; `blob`: Git's id of
 * that blob, 32 bytes of room.  A later one for the same path replaces the earlier. */
int late_add(struct late *l, const char *path, const void *text, size_t text_len,
	const struct pointer *p, int wish, const uint8_t *blob);
size_t late_count(const struct late *l);
/* Git has closed the pipe: rehydrate, and report on stderr what could not be. */
int late_run(struct late *l, const struct gitdir *g, const struct config *c, struct store *s,
	const volatile int *stop);

#endif
