/*
 * The half of gc that removes: due notices, fragments before packs.
 */
#include "lib/base/err.h"
#include "transfer/gc/gc.h"
#include "transfer/gc/removal.h"

#include <stdlib.h>
#include <string.h>

struct names {
	struct oid *v;
	size_t n;
};

static int names_init(struct names *names, size_t room)
{
	names->n = 0;
	names->v = calloc(room + 1, sizeof(*names->v));
	return names->v ? 0 : err_set(ERR_NOMEM, "out of memory");
}

/* Several at a time, so that the clock is looked at in between.  1 when the time is over. */
static int remove_in_time(struct gc *g, enum remote_class c, const struct names *names)
{
	enum { AT_ONCE = 256 };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < names->n; i += AT_ONCE) {
		size_t n = names->n - i < AT_ONCE ? names->n - i : AT_ONCE;

		if (!removal_in_time(g->grace, g->begun)) {
			engine_warn(g->blobstore->engine,
				"this took too long; run it again to remove the rest");
			return 1;
		}
		rc = removal_remove(g->blobstore, c, names->v + i, n);
	}
	return rc;
}

/* Which fragments of the notice may go: marked in `leaving`, their names in `names`. */
static void choose_fragments(
	struct gc *g, const struct notice_names *noticed, uint8_t *leaving, struct names *names)
{
	struct blobstore *b = g->blobstore;

	for (size_t i = 0; i < noticed->n; i++) {
		struct named_fragment key = {.name = noticed->v[i]}, *f;

		f = blobstore_fragment(b, &key.name);
		if (!f || !f->fragment || leaving[f - b->fragments])
			continue;
		if (!gcview_is_covered(&g->view, (size_t)(f - b->fragments))) {
			g->count[GC_RESCUED_FRAGMENTS]++;
			continue;
		}
		leaving[f - b->fragments] = 1;
		names->v[names->n++] = f->name;
		g->count[GC_REMOVED_FRAGMENTS]++;
		g->count[GC_REMOVED_BYTES] += f->size;
	}
}

static int sweep_fragments(struct gc *g, const struct notice *n, uint8_t *leaving)
{
	struct names names;
	int rc = names_init(&names, n->names[NOTICE_FRAGMENT].n);

	if (rc < 0)
		return rc;
	choose_fragments(g, &n->names[NOTICE_FRAGMENT], leaving, &names);
	if (!g->dry_run)
		rc = remove_in_time(g, REMOTE_FRAGMENT, &names);
	free(names.v);
	return rc;
}

static int sweep_packs(struct gc *g, const struct notice *n, const uint8_t *leaving)
{
	const struct notice_names *noticed = &n->names[NOTICE_PACK];
	struct names names = {NULL, 0};
	uint8_t *named = NULL;
	int rc = gcview_named_packs(&g->view, 1, leaving, &named);

	if (rc == 0)
		rc = names_init(&names, noticed->n);
	for (size_t i = 0; rc == 0 && i < noticed->n; i++) {
		struct gcview_pack *p = gcview_pack(&g->view, &noticed->v[i]);

		if (!p || named[p - g->view.packs])
			continue;
		p->gone = 1;
		names.v[names.n++] = p->name;
		g->count[GC_REMOVED_PACKS]++;
		g->count[GC_REMOVED_BYTES] += p->size;
	}
	if (rc == 0 && !g->dry_run)
		rc = remove_in_time(g, REMOTE_PACK, &names);
	free(names.v);
	free(named);
	return rc;
}

/* What is removed is not there any more for the rest of the run. */
static int forget_removed(struct gc *g, const uint8_t *leaving)
{
	struct blobstore *b = g->blobstore;

	for (size_t i = 0; i < b->n_fragments; i++) {
		if (leaving[i]) {
			fragment_free(b->fragments[i].fragment);
			b->fragments[i].fragment = NULL;
		}
	}
	return gcview_assign(&g->view);
}

static void find_due(struct gc *g, const struct listed_notice *n)
{
	uint64_t due = (uint64_t)(n->mtime + g->grace + 1);

	if (n->spent || n->mtime < 0 || notice_count(&n->notice) == n->notice.names[NOTICE_SPENT].n)
		return;
	if (g->count[GC_DUE] == 0 || due < g->count[GC_DUE])
		g->count[GC_DUE] = due;
}

/* 1 when the time is over. */
static int sweep_notices(struct gc *g, uint8_t *leaving, struct notice *spent)
{
	struct blobstore *b = g->blobstore;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < b->listing.n_notices; i++) {
		const struct listed_notice *n = &b->listing.notices[i];

		rc = removal_is_due(b, g->grace, n);
		if (rc == 0)
			find_due(g, n);
		if (rc <= 0)
			continue;
		rc = sweep_fragments(g, &n->notice, leaving);
		if (rc == 0)
			rc = sweep_packs(g, &n->notice, leaving);
		if (rc == 0)
			rc = notice_add(spent, NOTICE_SPENT, &n->name);
	}
	return rc;
}

int gc_sweep(struct gc *g)
{
	struct blobstore *b = g->blobstore;
	uint8_t *leaving = calloc(b->n_fragments + 1, 1);
	struct notice spent = {0};
	int rc = leaving ? 0 : err_set(ERR_NOMEM, "out of memory");

	if (rc == 0)
		rc = sweep_notices(g, leaving, &spent);
	if (rc >= 0 && !g->dry_run)
		rc = removal_put_notice(b, &spent);
	if (rc >= 0 && !g->dry_run)
		rc = removal_retire(b, g->grace);
	if (rc >= 0)
		rc = forget_removed(g, leaving);
	notice_release(&spent);
	free(leaving);
	return rc;
}
