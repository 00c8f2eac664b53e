/*
 * What differs between two answers.  The answers hold nearly all of it; Git is asked for the
 * commits and files between them, and tables that are here are compared by rows.
 */
#include "lib/lineage/lineage_diff_internal.h"

#include "lib/base/err.h"
#include "lib/repo/git.h"

/* How people call it: the model, the revision, else the path. */
static const char *name_of(const struct node *answer)
{
	const struct node *target = node_get(answer, "target");
	const char *name = lineage_text(target, "model");

	if (name == NULL)
		name = lineage_text(target, "rev");
	return name != NULL ? name : "HEAD";
}

static int put_side(struct lineage_diff *d, const char *key, const struct node *answer)
{
	static const char *const kept[] = {"commit", "model", "file"};
	struct node *map = lineage_put_map(d->root, key);
	int rc = map != NULL ? lineage_put_text(map, "name", name_of(answer)) : ERR_NOMEM;

	for (size_t i = 0; rc == 0 && i < sizeof(kept) / sizeof(kept[0]); i++) {
		const struct node *value = node_get(answer, kept[i]);

		if (value != NULL)
			rc = node_append(map, kept[i], node_dup(value));
	}
	return rc;
}

/* What one side could not know. */
static int take_unknown(struct lineage_diff *d, const struct node *answer)
{
	const struct node *list = node_get(answer, "unknown");
	struct buf what = BUF_INIT;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < list->n; i++) {
		buf_reset(&what);
		rc = buf_addf(
			&what, "%s: %s", name_of(answer), lineage_text(list->items[i], "what"));
		if (rc == 0)
			rc = lineage_unknown(
				d->unknown, what.p, "%s", lineage_text(list->items[i], "reason"));
	}
	buf_release(&what);
	return rc;
}

static int compare(struct lineage_diff *d)
{
	int rc = lineage_diff_code_begin(d);

	if (rc == 0)
		rc = node_append(d->root, "schema", node_string(LINEAGE_DIFF_SCHEMA));
	if (rc == 0)
		rc = put_side(d, "old", d->old);
	if (rc == 0)
		rc = put_side(d, "new", d->now);
	if (rc == 0)
		rc = lineage_diff_data(d);
	if (rc == 0)
		rc = lineage_diff_values(d);
	if (rc == 0)
		rc = lineage_diff_stages(d);
	if (rc == 0)
		rc = lineage_diff_code(d);
	if (rc == 0)
		rc = lineage_causes(d->root);
	if (rc == 0)
		rc = take_unknown(d, d->old);
	return rc == 0 ? take_unknown(d, d->now) : rc;
}

int lineage_diff(struct node **out, struct lineage *l, const struct node *a, const struct node *b)
{
	struct lineage_diff d = {.l = l, .old = a, .now = b};
	int rc;

	d.root = node_map();
	d.unknown = node_list();
	rc = d.root != NULL && d.unknown != NULL ? compare(&d) : err_no_memory();
	if (rc == 0) {
		rc = node_append(d.root, "unknown", d.unknown);
		d.unknown = NULL;
	}
	if (rc == 0) {
		*out = d.root;
		d.root = NULL;
	}
	(void)git_reader_finish(d.diff_tree);
	node_free(d.root);
	node_free(d.unknown);
	return rc;
}
