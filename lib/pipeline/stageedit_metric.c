/*
 * `git dvx metrics modify`: type and path of a metric, written where the metric is declared.
 */
#include "lib/pipeline/stageedit.h"

#include <string.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/yaml/yaml.h"

struct place {
	struct buf path;	 /* dotted path of the item that declares the metric */
	const struct node *item; /* a path, or a map of path to options */
	const char *written;	 /* the path as it is written there */
};

/* 1 if `written`, seen from `wdir`, is the metric; both are paths from the file's directory. */
static int is_metric(const char *written, const char *wdir, const char *metric)
{
	struct buf joined = BUF_INIT;
	int same;

	while (strncmp(written, "./", 2) == 0)
		written += 2;
	same = strcmp(written, metric) == 0;
	if (!same && wdir != NULL)
		same = fs_join(&joined, wdir, written) == 0 && strcmp(joined.p, metric) == 0;
	buf_release(&joined);
	return same;
}

/* Look for the metric in a list of outputs: 1 when found. */
static int find_in(struct place *p, const struct node *list, const char *where, const char *wdir,
	const char *metric)
{
	for (size_t i = 0; list != NULL && list->type == NODE_LIST && i < list->n; i++) {
		const struct node *item = list->items[i];
		const char *written = item->type == NODE_STRING		       ? item->text
				      : item->type == NODE_MAP && item->n == 1 ? item->keys[0]
									       : NULL;

		if (written == NULL || !is_metric(written, wdir, metric))
			continue;
		p->item = item;
		p->written = written;
		return buf_addf(&p->path, "%s.%zu", where, i) < 0 ? ERR_NOMEM : 1;
	}
	return 0;
}

static int find_in_stage(
	struct place *p, const char *name, const struct node *stage, const char *metric)
{
	static const char *const lists[] = {"metrics", "outs", "plots"};
	const struct node *body = node_get(stage, "do") != NULL ? node_get(stage, "do") : stage;
	const struct node *wdir = node_get(body, "wdir");
	struct buf where = BUF_INIT;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof lists / sizeof *lists; i++) {
		buf_reset(&where);
		rc = buf_addf(&where, "stages.%s%s.%s", name, body != stage ? ".do" : "", lists[i]);
		if (rc == 0)
			rc = find_in(p, node_get(body, lists[i]), where.p,
				wdir != NULL && node_is_scalar(wdir) ? wdir->text : NULL, metric);
	}
	buf_release(&where);
	return rc;
}

static int find_metric(struct place *p, const struct node *root, const char *metric)
{
	const struct node *stages = node_get(root, "stages");
	int rc = find_in(p, node_get(root, "metrics"), "metrics", NULL, metric);

	for (size_t i = 0; rc == 0 && stages != NULL && stages->type == NODE_MAP && i < stages->n;
		i++)
		rc = find_in_stage(p, stages->keys[i], stages->items[i], metric);
	return rc;
}

static int set_string(struct node *map, const char *key, const char *value)
{
	struct node *n = node_string(value);

	return n != NULL ? node_set(map, key, n) : err_no_memory();
}

/* Write `value` at "<place>" or "<place>.<key>". */
static int write_at(struct buf *text, const char *file, const struct place *p, const char *key,
	const struct node *value)
{
	struct buf path = BUF_INIT;
	int rc = buf_addf(
		&path, "%s%s%s", p->path.p, key != NULL ? "." : "", key != NULL ? key : "");

	if (rc == 0)
		rc = doc_set(text, file, path.p, value);
	buf_release(&path);
	return rc;
}

/* The item, which had no options, with these. */
static int new_item(struct node **out, const struct place *p, const char *type, const char *path)
{
	struct node *options = node_map(), *item = node_map();
	int rc = 0;

	if (options == NULL || item == NULL) {
		node_free(options);
		node_free(item);
		return err_no_memory();
	}
	if (type != NULL)
		rc = set_string(options, "type", type);
	if (rc == 0 && path != NULL)
		rc = set_string(options, "path", path);
	if (rc < 0) {
		node_free(options);
		node_free(item);
		return rc;
	}
	rc = node_set(item, p->written, options);
	*out = item;
	return rc;
}

/* One option of an item that has some: the others stay as they are written. */
static int write_option(struct buf *text, const char *file, const struct place *p, const char *name,
	const char *value)
{
	struct node *n = node_string(value);
	struct buf key = BUF_INIT;
	int rc = n != NULL ? buf_addf(&key, "%s.%s", p->written, name) : err_no_memory();

	if (rc == 0)
		rc = write_at(text, file, p, key.p, n);
	buf_release(&key);
	node_free(n);
	return rc;
}

/* All of them or none. */
static int write_options(struct buf *text, const char *file, const struct place *p,
	const char *type, const char *path)
{
	struct buf copy = BUF_INIT;
	int rc = buf_add(&copy, text->p, text->len);

	if (rc == 0 && type != NULL)
		rc = write_option(&copy, file, p, "type", type);
	if (rc == 0 && path != NULL)
		rc = write_option(&copy, file, p, "path", path);
	if (rc == 0) {
		buf_reset(text);
		rc = buf_add(text, copy.p, copy.len);
	}
	buf_release(&copy);
	return rc;
}

int stageedit_metric(
	struct buf *text, const char *file, const char *metric, const char *type, const char *path)
{
	struct node *root = NULL, *item = NULL;
	struct place p = {.path = BUF_INIT};
	int rc = yaml_parse(&root, file, buf_str(text), text->len);

	if (rc == 0)
		rc = find_metric(&p, root, metric);
	if (rc == 0)
		rc = err_set(ERR_NOTFOUND, "no metric '%s' is declared in '%s'", metric, file);
	if (rc < 0)
		goto done;
	if (p.item->type == NODE_MAP && p.item->items[0]->type == NODE_MAP) {
		rc = write_options(text, file, &p, type, path);
		goto done;
	}
	rc = new_item(&item, &p, type, path);
	if (rc == 0)
		rc = write_at(text, file, &p, NULL, item);
done:
	node_free(item);
	node_free(root);
	buf_release(&p.path);
	return rc;
}
