/*
 * One dvx.lock for each file of stages, in the order of the files.
 */
#include "lib/pipeline/stagelocks.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"

struct stagelocks {
	const struct pipeline *pipeline;
	struct stagelock **v;
};

int stagelocks_load(struct stagelocks **out, const struct pipeline *p, struct source *src)
{
	struct stagelocks *l = calloc(1, sizeof *l);
	int rc = 0;

	*out = l;
	if (l != NULL) {
		l->pipeline = p;
		l->v = calloc(p->n_files + 1, sizeof *l->v);
	}
	if (l == NULL || l->v == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; rc == 0 && i < p->n_files; i++)
		rc = stagelock_load(&l->v[i], src, p->files[i].lock);
	return rc;
}

void stagelocks_free(struct stagelocks *l)
{
	if (l == NULL)
		return;
	for (size_t i = 0; l->v != NULL && i < l->pipeline->n_files; i++)
		stagelock_free(l->v[i]);
	free(l->v);
	free(l);
}

const struct locked_stage *stagelocks_get(const struct stagelocks *l, const struct stage *s)
{
	const struct pipeline *p = l->pipeline;

	for (size_t i = 0; i < p->n_files; i++)
		if (strcmp(p->files[i].path, s->file) == 0)
			return stagelock_get(l->v[i], s->name);
	return NULL;
}
