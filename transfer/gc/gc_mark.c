/*
 * The half of gc that says what is going to be removed.
 */
#include "lib/base/err.h"
#include "transfer/gc/gc.h"
#include "transfer/gc/removal.h"

#include <stdlib.h>

/* A full notice is no failure: the next run goes on. */
static int add_name(struct notice *n, enum notice_kind kind, const struct oid *name)
{
	return notice_count(n) == NOTICE_LINES_MAX ? 1 : notice_add(n, kind, name);
}

static int mark_fragments(struct gc *g, struct notice *n, uint8_t *leaving)
{
	struct blobstore *b = g->blobstore;
	int rc = 0;

	for (size_t i = 0; i < b->n_fragments; i++) {
		const struct named_fragment *f = &b->fragments[i];
		const struct gcview_fragment *v = &g->view.fragments[i];

		if (!f->fragment || f->condemned || v->placed || v->held ||
			!removal_older(&b->listing, f->mtime, g->grace))
			continue;
		rc = add_name(n, NOTICE_FRAGMENT, &f->name);
		if (rc != 0)
			return rc < 0 ? rc : 0;
		leaving[i] = 1;
		g->count[GC_NOTICED_FRAGMENTS]++;
		g->count[GC_NOTICED_BYTES] += f->size;
	}
	return 0;
}

static int mark_packs(struct gc *g, struct notice *n, const uint8_t *leaving)
{
	struct blobstore *b = g->blobstore;
	uint8_t *named = NULL;
	int rc = gcview_named_packs(&g->view, 0, leaving, &named);

	for (size_t i = 0; rc == 0 && i < g->view.n_packs; i++) {
		const struct gcview_pack *p = &g->view.packs[i];

		if (p->gone || named[i] || !removal_older(&b->listing, p->mtime, g->grace) ||
			listing_condemned(&b->listing, REMOTE_PACK, &p->name))
			continue;
		rc = add_name(n, NOTICE_PACK, &p->name);
		if (rc == 0) {
			g->count[GC_NOTICED_PACKS]++;
			g->count[GC_NOTICED_BYTES] += p->size;
		}
	}
	free(named);
	return rc < 0 ? rc : 0;
}

int gc_mark(struct gc *g)
{
	struct blobstore *b = g->blobstore;
	uint8_t *leaving = calloc(b->n_fragments + 1, 1);
	struct notice n = {0};
	int rc = leaving ? 0 : err_set(ERR_NOMEM, "out of memory");

	if (rc == 0)
		rc = mark_fragments(g, &n, leaving);
	if (rc == 0)
		rc = mark_packs(g, &n, leaving);
	if (rc == 0 && !g->dry_run)
		rc = removal_put_notice(b, &n);
	if (rc == 0 && g->count[GC_DUE] == 0 && notice_count(&n))
		g->count[GC_DUE] = (uint64_t)(b->listing.now + g->grace + 1);
	notice_release(&n);
	free(leaving);
	return rc;
}
