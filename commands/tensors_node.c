/*
 * A tensor diff as a tree for JSON (docs/tensor-diff.md): what tensors_print.c prints, for
 * programs.
 */
#include "commands/tensors_print.h"

#include "commands/datanode.h"
#include "lib/base/err.h"

const char *tensors_print_kind(enum tensordiff_kind kind)
{
	static const char *const kinds[] = {
		[TENSORDIFF_ADDED] = "added",
		[TENSORDIFF_REMOVED] = "removed",
		[TENSORDIFF_RENAMED] = "renamed",
		[TENSORDIFF_RESHAPED] = "reshaped",
		[TENSORDIFF_CHANGED] = "changed",
	};

	return kinds[kind];
}

static int add_type_node(struct node *map, const struct tensor *x)
{
	struct node *shape;
	int rc = datanode_set_text(map, "dtype", x->dtype);

	if (rc == 0 && !(shape = datanode_inner(map, "shape", node_list())))
		rc = err_no_memory();
	for (unsigned i = 0; rc == 0 && i < x->n_dims; i++)
		rc = node_push(shape, node_int((int64_t)x->shape[i]));
	return rc;
}

static int add_norms_node(struct node *map, const struct tensordiff_change *x)
{
	const struct {
		const char *key;
		double value;
	} norms[] = {
		{"norm_old", x->norm_old},
		{"norm_new", x->norm_now},
		{"norm_diff", x->norm_diff},
		{"max_diff", x->max_diff},
	};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(norms) / sizeof(*norms); i++)
		rc = node_set(map, norms[i].key, node_float(norms[i].value));
	if (rc == 0)
		rc = datanode_set_count(map, "odd_old", x->odd_old);
	return rc == 0 ? datanode_set_count(map, "odd_new", x->odd_now) : rc;
}

static int add_amount_node(struct node *map, const struct tensordiff_change *x)
{
	int rc = datanode_set_count(map, "elements", x->now->elements);

	if (rc == 0 && (x->has_norms || x->elements_changed > 0))
		rc = datanode_set_count(map, "elements_changed", x->elements_changed);
	return rc == 0 && x->has_norms ? add_norms_node(map, x) : rc;
}

static int add_sides_node(struct node *map, const struct tensordiff_change *x)
{
	struct node *side = datanode_inner(map, "old", node_map());
	int rc = side != NULL ? add_type_node(side, x->old) : err_no_memory();

	if (rc == 0 && !(side = datanode_inner(map, "new", node_map())))
		rc = err_no_memory();
	if (rc == 0)
		rc = add_type_node(side, x->now);
	return rc == 0 && x->has_norms ? add_amount_node(map, x) : rc;
}

static int add_change_node(struct node *list, const struct tensordiff_change *x)
{
	const struct tensor *there = x->now != NULL ? x->now : x->old;
	struct node *map = datanode_inner(list, NULL, node_map());
	int rc = map != NULL ? datanode_set_text(map, "change", tensors_print_kind(x->kind))
			     : err_no_memory();

	if (rc == 0)
		rc = datanode_set_text(map, "name", there->name);
	if (rc == 0 && x->kind == TENSORDIFF_RENAMED)
		rc = datanode_set_text(map, "old_name", x->old->name);
	if (rc == 0 && x->kind == TENSORDIFF_RESHAPED)
		return add_sides_node(map, x);
	if (rc == 0)
		rc = add_type_node(map, there);
	return rc == 0 && x->kind == TENSORDIFF_CHANGED ? add_amount_node(map, x) : rc;
}

static int add_counts_node(struct node *root, const struct tensordiff *d)
{
	struct node *sides = datanode_inner(root, "tensors", node_map());
	size_t both = d->n + d->same - d->count[TENSORDIFF_ADDED] - d->count[TENSORDIFF_REMOVED];
	int rc = sides != NULL ? 0 : err_no_memory();

	if (rc == 0)
		rc = datanode_set_count(sides, "old", both + d->count[TENSORDIFF_REMOVED]);
	if (rc == 0)
		rc = datanode_set_count(sides, "new", both + d->count[TENSORDIFF_ADDED]);
	for (size_t i = 0; rc == 0 && i < TENSORDIFF_KINDS; i++)
		rc = datanode_set_count(root, tensors_print_kind(i), d->count[i]);
	return rc == 0 ? datanode_set_count(root, "same", d->same) : rc;
}

static int add_metadata_node(struct node *root, const struct tensordiff *d)
{
	struct node *list = datanode_inner(root, "metadata", node_list());
	int rc = list != NULL ? 0 : err_no_memory();

	for (size_t i = 0; rc == 0 && i < d->n_meta; i++) {
		struct node *map = datanode_inner(list, NULL, node_map());

		rc = map != NULL ? datanode_set_text(map, "key", d->meta[i].key) : err_no_memory();
		if (rc == 0)
			rc = datanode_set_text(map, "old", d->meta[i].old);
		if (rc == 0)
			rc = datanode_set_text(map, "new", d->meta[i].now);
	}
	return rc;
}

int tensors_print_node(struct node **out, const struct tensordiff *d, size_t most)
{
	size_t shown = d->n < most ? d->n : most;
	struct node *root = node_map(), *list = NULL;
	int rc = root != NULL ? add_counts_node(root, d) : err_no_memory();

	if (rc == 0)
		rc = add_metadata_node(root, d);
	if (rc == 0 && !(list = datanode_inner(root, "changes", node_list())))
		rc = err_no_memory();
	for (size_t i = 0; rc == 0 && i < shown; i++)
		rc = add_change_node(list, &d->v[i]);
	if (rc == 0)
		rc = datanode_set_count(root, "more", d->n - shown);
	if (rc < 0)
		node_free(root);
	else
		*out = root;
	return rc;
}
