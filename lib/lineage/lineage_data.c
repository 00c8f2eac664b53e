/*
 * The data that an answer rests on: what its stages read and none of them made; of a whole commit
 * also the data that no stage has to do with.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/pathmatch.h"
#include "lib/lineage/lineage_internal.h"

enum { DATA_MAX = 10000 }; /* entries of one answer */

int lineage_tree(struct lineage_trace *t)
{
	int rc;

	if (t->has_tree)
		return 0;
	if ((rc = lineage_open_pointers(t->l)) < 0)
		return rc;
	rc = scan_source(&t->tree, t->src, t->l->repo, t->l->pointers);
	t->has_tree = rc == 0;
	return rc;
}

struct gathering {
	struct lineage_trace *t;
	struct node *list;
	struct strmap seen; /* path -> entry of `list` */
	size_t left_out;
};

const struct scan_item *lineage_below(const struct lineage_trace *t, const char *dir, size_t *n)
{
	size_t low = 0, high = t->tree.n, len = strlen(dir);

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const char *path = t->tree.v[middle].path;
		int order = strncmp(path, dir, len);

		if (order < 0 || (order == 0 && (unsigned char)path[len] < '/'))
			low = middle + 1;
		else
			high = middle;
	}
	for (*n = 0; low + *n < t->tree.n; ++*n)
		if (strncmp(t->tree.v[low + *n].path, dir, len) != 0 ||
			t->tree.v[low + *n].path[len] != '/')
			break;
	return t->tree.v + low;
}

/* What is told of a dependency, without what concerns only the stage. */
static int copy_facts(struct node *to, const struct node *from)
{
	static const char *const kept[] = {
		"path", "sha256", "md5", "size", "nfiles", "storage", "rows", "columns"};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(kept) / sizeof(kept[0]); i++) {
		const struct node *value = node_get(from, kept[i]);

		if (value != NULL)
			rc = node_append(to, kept[i], node_dup(value));
	}
	return rc;
}

static int add_dependency(struct gathering *g, const struct node *dep, const char *stage)
{
	const char *path = lineage_text(dep, "path"), *kind = lineage_text(dep, "kind");
	struct node *entry = strmap_get(&g->seen, path), *users;
	int rc = 0;

	if (node_get(dep, "made_by") != NULL || strcmp(kind, "data") != 0)
		return 0;
	if (entry == NULL) {
		entry = lineage_push_map(g->list);
		rc = entry != NULL ? copy_facts(entry, dep) : ERR_NOMEM;
		if (rc == 0)
			rc = strmap_put(&g->seen, path, entry);
		if (rc < 0 || lineage_put_list(entry, "used_by") == NULL)
			return ERR_NOMEM;
	}
	users = node_get(entry, "used_by");
	return node_push(users, node_string(stage));
}

/* 1 if a stage makes this file, or a dependency that is listed has it in it. */
static int is_told(const struct gathering *g, const char *path)
{
	struct buf above = BUF_INIT;
	int told = lineage_maker(g->t, path) != NULL || strmap_has(&g->seen, path);
	char *slash;

	if (!told && buf_addstr(&above, path) == 0)
		while (!told && (slash = strrchr(above.p, '/')) != NULL) {
			buf_truncate(&above, (size_t)(slash - above.p));
			told = strmap_has(&g->seen, above.p);
		}
	buf_release(&above);
	return told;
}

static int add_pointer(struct gathering *g, const struct scan_item *item)
{
	const struct lineage_content c = {
		.kind = DATAFILE_OBJECT, .hashed = 1, .oid = item->oid, .size = item->size};
	struct node *entry;
	int rc;

	if (is_told(g, item->path))
		return 0;
	if (g->list->n >= DATA_MAX) {
		g->left_out++;
		return 0;
	}
	entry = lineage_push_map(g->list);
	rc = entry != NULL ? lineage_put_text(entry, "path", item->path) : ERR_NOMEM;
	if (rc == 0)
		rc = lineage_put_oid(entry, &item->oid);
	if (rc == 0)
		rc = lineage_put_size(entry, "size", item->size);
	if (rc == 0)
		rc = node_append(entry, "storage", node_string("object"));
	if (rc == 0)
		rc = lineage_put_rows(g->t, entry,
			&(struct lineage_table){item->path, &item->oid, item->size, &c});
	return rc == 0 && lineage_put_list(entry, "used_by") == NULL ? ERR_NOMEM : rc;
}

static int gather(struct gathering *g)
{
	struct lineage_trace *t = g->t;
	/* Of a model that no stage made, all that lies beside it may have gone in. */
	int whole = t->path == NULL || (t->artifact != NULL && t->maker == NULL);
	/* A directory that no stage made is told by its files; the tree was read for it, then. */
	int inside = !whole && t->maker == NULL && t->has_tree;
	const struct scan_item *items;
	size_t n;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < t->stages->n; i++) {
		const struct node *run = t->stages->items[i], *deps = node_get(run, "deps");

		for (size_t k = 0; rc == 0 && k < deps->n; k++)
			rc = add_dependency(g, deps->items[k], lineage_text(run, "name"));
	}
	if (rc == 0 && whole)
		rc = lineage_tree(t);
	for (size_t i = 0; rc == 0 && whole && i < t->tree.n; i++)
		if (t->path == NULL || !pathmatch_within(t->tree.v[i].path, t->path))
			rc = add_pointer(g, &t->tree.v[i]);
	items = inside ? lineage_below(t, t->path, &n) : NULL;
	for (size_t i = 0; rc == 0 && inside && i < n; i++)
		rc = add_pointer(g, &items[i]);
	if (rc == 0 && g->left_out > 0)
		rc = lineage_unknown(t->unknown, "data",
			"%zu more files are left out here; 'git dvx ls-files %.10s' lists them all",
			g->left_out, t->hex);
	return rc;
}

int lineage_put_data(struct lineage_trace *t)
{
	struct gathering g = {.t = t, .list = lineage_put_list(t->root, "data")};
	int rc = g.list != NULL ? gather(&g) : ERR_NOMEM;

	strmap_release(&g.seen, NULL);
	return rc;
}
