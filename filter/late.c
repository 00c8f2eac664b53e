/*
 * Late rehydration, the filter's side (docs/late-rehydration.md): while Git checks out, pointers
 * are remembered here in two flat arenas (a million files fit in a few hundred bytes each); after
 * Git has closed the pipe the list goes to the engine in lib/worktree/rehydrate.h.
 */
#include "filter/late.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/array.h"
#include "lib/base/err.h"

enum { CANONICAL = -1 };

struct late_item {
	size_t path;  /* offset in the arena */
	int64_t text; /* offset in the arena, or CANONICAL */
	uint32_t text_len;
	struct oid oid;
	uint64_t size;
	int wish;
	uint8_t blob[32];
};

struct late {
	struct late_item *items;
	size_t n, cap;
	struct buf arena;
};

int late_new(struct late **out)
{
	*out = calloc(1, sizeof **out);
	return *out ? 0 : err_set(ERR_NOMEM, "out of memory");
}

void late_free(struct late *l)
{
	if (!l)
		return;
	free(l->items);
	buf_release(&l->arena);
	free(l);
}

int late_add(struct late *l, const char *path, const void *text, size_t text_len,
	const struct pointer *p, int wish, const uint8_t *blob)
{
	struct late_item *item;
	int rc;

	if (array_room(&l->items, l->n, &l->cap, sizeof(*l->items)) < 0)
		return ERR_NOMEM;
	item = &l->items[l->n];
	*item = (struct late_item){.path = l->arena.len,
		.text = CANONICAL,
		.oid = p->oid,
		.size = p->size,
		.wish = wish};
	memcpy(item->blob, blob, sizeof item->blob);
	if ((rc = buf_add(&l->arena, path, strlen(path) + 1)) < 0)
		return rc;
	if (!p->canonical) {
		item->text = (int64_t)l->arena.len;
		item->text_len = (uint32_t)text_len;
		if ((rc = buf_add(&l->arena, text, text_len)) < 0)
			return rc;
	}
	l->n++;
	return 0;
}

size_t late_count(const struct late *l)
{
	return l->n;
}

static int compare(const void *a, const void *b, void *arena)
{
	const struct late_item *x = a, *y = b;
	const char *base = arena;
	int d = strcmp(base + x->path, base + y->path);

	if (d)
		return d;
	return x->path < y->path ? -1 : x->path > y->path; /* offsets grow with time */
}

/* One process may check out many times (rebase): only the last text of a path counts. */
static void keep_last(struct late *l)
{
	size_t kept = 0;

	if (l->n == 0)
		return;
	qsort_r(l->items, l->n, sizeof *l->items, compare, l->arena.p);
	for (size_t i = 0; i < l->n; i++) {
		if (i + 1 < l->n &&
			!strcmp(l->arena.p + l->items[i].path, l->arena.p + l->items[i + 1].path))
			continue;
		l->items[kept++] = l->items[i];
	}
	l->n = kept;
}

int late_run(struct late *l, const struct gitdir *g, const struct config *c, struct store *s,
	const volatile int *stop)
{
	struct rehydrate_options o = {.fetch = 1, .stop = stop};
	struct rehydrate_result r = {0};
	struct rehydrate_item *items;
	int rc;

	keep_last(l);
	if (l->n == 0)
		return 0;
	items = calloc(l->n, sizeof *items);
	if (!items)
		return err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < l->n; i++) {
		const struct late_item *from = &l->items[i];

		items[i].path = l->arena.p + from->path;
		items[i].text = from->text == CANONICAL ? NULL : l->arena.p + from->text;
		items[i].text_len = from->text_len;
		items[i].oid = from->oid;
		items[i].size = from->size;
		items[i].wish = from->wish;
		memcpy(items[i].blob, from->blob, sizeof items[i].blob);
	}
	o.jobs = (int)config_int(c, "dvx.jobs", 0);
	o.lock_wait_ms = (int)config_int(c, "dvx.lockwait", 0);
	rc = rehydrate_run(items, l->n, g, c, s, &o, &r);
	rehydrate_report(items, l->n, &r);
	rehydrate_result_release(&r);
	free(items);
	return rc;
}
