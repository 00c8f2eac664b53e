/*
 * `repro --dry-run`: nothing is put back, so a stage below one whose outputs are missing finds its
 * dependencies missing, which they would not be.
 */
#include <string.h>

#include "lib/pipeline/repro_internal.h"

/* What a lock says of a path; NULL: nothing. */
static const struct fingerprint *find(const struct locked_path *v, size_t n, const char *path)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(v[i].path, path) == 0)
			return &v[i].fp;
	return NULL;
}

/* 1 if a stage above would put the dependency back as this stage knows it. */
static int would_be_back(const struct repro *r, size_t i, const char *path)
{
	const struct pipeline *p = r->dag->pipeline;
	const struct locked_stage *own = stagelocks_get(r->locks, p->v[i]);
	const struct fingerprint *known = own ? find(own->deps, own->n_deps, path) : NULL, *made;

	for (size_t k = 0; known != NULL && k < r->dag->up[i].n; k++) {
		const size_t up = r->dag->up[i].v[k];
		const struct locked_stage *above = stagelocks_get(r->locks, p->v[up]);

		if (!r->stages[up].only_outs || above == NULL)
			continue;
		made = find(above->outs, above->n_outs, path);
		if (made != NULL && fingerprint_eq(made, known))
			return 1;
	}
	return 0;
}

void repro_dry_forgive(const struct repro *r, size_t i, struct stale *why)
{
	size_t outs = 0, deps = 0;

	for (size_t k = 0; k < why->n; k++) {
		outs += why->v[k].what == STALE_OUT;
		deps += why->v[k].what == STALE_DEP && why->v[k].name != NULL &&
			would_be_back(r, i, why->v[k].name);
	}
	if (outs + deps < why->n || deps == 0)
		return;
	if (outs == 0)
		stale_release(why);
	else
		why->only_outs = 1;
}
