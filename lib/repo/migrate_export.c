/*
 * Pointers become blobs again: what is missing here is fetched first, a window's objects in one
 * batch; small ones then go to the pack of the rewrite, large ones to a pack of their own that is
 * never in memory.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/repo/migrate_internal.h"
#include "lib/repo/sync.h"

enum { FAILURES_NAMED = 10 };

struct export
{
	struct migrate *m;
	struct rewrite *r;
	struct rewrite_blob *b;
	struct scan_list list; /* the pointers */
	size_t *places;	       /* of each in b */
};

static int note_pointer(size_t i, const struct pointer *p, void *data)
{
	struct export *x = data;
	struct scan_item *item = &x->list.v[x->list.n];

	item->path = x->b[i].path;
	item->oid = p->oid;
	item->size = p->size;
	x->b[i].tag |= MIGRATE_POINTER;
	x->places[x->list.n++] = i;
	return 0;
}

static int fetch(struct export *x)
{
	struct sync sync = SYNC_INIT;
	struct buf why = BUF_INIT;
	int rc = sync_download(&sync, &x->list, x->m->store, x->m->o.fetch);

	if (rc == 0 && sync_failed(&sync)) {
		rc = sync_failures(&why, &sync, BATCH_DOWNLOAD, FAILURES_NAMED);
		if (rc == 0)
			rc = err_set(ERR_REMOTE,
				"%zu objects could not be fetched; nothing was changed:\n%s",
				sync_failed(&sync), buf_str(&why));
	} else if (rc < 0) {
		rc = err_prefix(rc, "objects to export are missing here");
	}
	buf_release(&why);
	sync_release(&sync);
	return rc;
}

static int put_small(struct export *x)
{
	struct buf data = BUF_INIT;
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < x->list.n; i++) {
		const struct scan_item *item = &x->list.v[i];

		if (item->size > MIGRATE_IN_MEMORY)
			continue;
		buf_reset(&data);
		if (item->size)
			rc = store_read(x->m->store, &item->oid, item->size, &data);
		if (rc == 0)
			rc = rewrite_put(
				x->r, GIT_BLOB, buf_str(&data), data.len, x->b[x->places[i]].to);
		if (rc < 0)
			err_prefix(rc, "'%s'", item->path);
	}
	buf_release(&data);
	return rc;
}

static int put_large(struct export *x)
{
	struct migrate_large *large = calloc(x->list.n + 1, sizeof *large);
	size_t *at = calloc(x->list.n + 1, sizeof *at), i, n = 0;
	int rc = large && at ? 0 : err_set(ERR_NOMEM, "out of memory");

	for (i = 0; rc == 0 && i < x->list.n; i++) {
		if (x->list.v[i].size <= MIGRATE_IN_MEMORY)
			continue;
		large[n] =
			(struct migrate_large){.oid = x->list.v[i].oid, .size = x->list.v[i].size};
		at[n++] = x->places[i];
	}
	if (rc == 0 && n)
		rc = migrate_put_large(x->m->repo, x->m->store, large, n);
	for (i = 0; rc == 0 && i < n; i++)
		memcpy(x->b[at[i]].to, large[i].id, REPO_ID_MAX);
	free(large);
	free(at);
	return rc;
}

int migrate_export_blobs(struct rewrite *r, struct rewrite_blob *b, size_t n, void *data)
{
	struct export x = {.m = data, .r = r, .b = b};
	int rc = migrate_sizes(r, b, n);

	x.list.v = calloc(n, sizeof *x.list.v);
	x.places = calloc(n, sizeof *x.places);
	if (!x.list.v || !x.places)
		rc = err_set(ERR_NOMEM, "out of memory");
	if (rc == 0)
		rc = migrate_find_pointers(r, b, n, note_pointer, &x);
	if (rc == 0 && x.list.n)
		rc = fetch(&x);
	if (rc == 0)
		rc = put_small(&x);
	if (rc == 0)
		rc = put_large(&x);
	free(x.list.v);
	free(x.places);
	return rc;
}
