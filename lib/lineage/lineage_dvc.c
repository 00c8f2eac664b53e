/*
 * DVC's own lock files (dvc.lock, schema 2.0), for projects that have nothing else: paths with MD5,
 * given on as they are.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/lineage/lineage_internal.h"
#include "lib/yaml/yaml.h"

enum { LOCK_MAX = 64 << 20 };

struct lineage_dvc {
	const struct pipeline *pipeline;
	struct node **locks; /* one a file of stages; NULL: there is none */
};

void lineage_dvc_free(struct lineage_dvc *d)
{
	if (d == NULL)
		return;
	for (size_t i = 0; d->locks != NULL && i < d->pipeline->n_files; i++)
		node_free(d->locks[i]);
	free(d->locks);
	free(d);
}

/* The lock file beside a dvc.yaml; a dvx.lock there is read by others, and counts.  What lies
 * beside a dvx.yaml is left over. */
static int load_lock(struct node **out, const struct pipefile *f, struct source *src)
{
	const char *slash = strrchr(f->path, '/');
	struct buf path = BUF_INIT, text = BUF_INIT;
	int rc;

	if (strcmp(slash != NULL ? slash + 1 : f->path, "dvc.yaml") != 0)
		return 0;
	rc = buf_addf(&path, "%s%sdvc.lock", f->dir, *f->dir != '\0' ? "/" : "");
	if (rc == 0)
		rc = source_has(src, path.p);
	if (rc > 0)
		rc = source_read(src, path.p, LOCK_MAX, &text);
	else if (rc == 0)
		goto done;
	if (rc == 0)
		rc = yaml_parse(out, path.p, buf_str(&text), text.len);
done:
	buf_release(&path);
	buf_release(&text);
	return rc;
}

int lineage_dvc_load(struct lineage_dvc **out, const struct pipeline *p, struct source *src)
{
	struct lineage_dvc *d = calloc(1, sizeof(*d));
	int rc = 0;

	*out = d;
	if (d == NULL)
		return err_no_memory();
	d->pipeline = p;
	d->locks = calloc(p->n_files + 1, sizeof(*d->locks));
	if (d->locks == NULL)
		return err_no_memory();
	for (size_t i = 0; rc == 0 && i < p->n_files; i++)
		rc = load_lock(&d->locks[i], &p->files[i], src);
	return rc;
}

const struct node *lineage_dvc_stage(const struct lineage_dvc *d, const struct stage *s)
{
	for (size_t i = 0; i < d->pipeline->n_files; i++) {
		const struct node *entry;

		if (strcmp(d->pipeline->files[i].path, s->file) != 0)
			continue;
		entry = node_get(node_get(d->locks[i], "stages"), s->name);
		return entry != NULL && entry->type == NODE_MAP ? entry : NULL;
	}
	return NULL;
}
