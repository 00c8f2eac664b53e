/*
 * What is said of a stage beside what it was run with: which stage made a dependency, whether a
 * path is data or code, how many rows a table has - and what the commit holds otherwise than the
 * run found it or left it.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/lineage/lineage_internal.h"
#include "lib/table/rows.h"
#include "lib/yaml/yaml.h"

enum { DOCUMENT_MAX = 16 << 20 };

/* ---- paths ---- */

static int has_pointers(int *out, struct lineage_trace *t, const char *dir)
{
	size_t n = 0;
	int rc = lineage_tree(t);

	if (rc == 0)
		(void)lineage_below(t, dir, &n);
	*out = n > 0;
	return rc;
}

/* Data is what the filter keeps, tables, and what lies outside of the project; else it is code. */
static int is_data(int *out, struct lineage_trace *t, const struct node *entry, const char *path,
	const struct lineage_content *c)
{
	enum rows_format format;

	*out = path[0] == '/' || rows_format_of(path, &format) ||
	       (c != NULL && c->kind == DATAFILE_OBJECT) ||
	       (node_get(entry, "md5") != NULL && (c == NULL || c->kind == DATAFILE_NONE));
	if (!*out && node_get(entry, "nfiles") != NULL)
		return has_pointers(out, t, path);
	return 0;
}

/* 1 if the commit has something else there than this entry says. */
static int differs(const struct node *entry, const struct lineage_content *c)
{
	const char *hex = lineage_text(entry, "sha256");
	struct oid oid;

	if (hex == NULL || oid_from_hex(&oid, hex) < 0 || node_get(entry, "nfiles") != NULL)
		return 0; /* directories and globs are not looked into */
	if (c == NULL || c->missing)
		return 0;
	return c->kind == DATAFILE_NONE || (c->hashed && !oid_eq(&c->oid, &oid));
}

static int put_content(struct lineage_trace *t, struct node *entry, const char *path,
	const struct lineage_content *c)
{
	const char *hex = lineage_text(entry, "sha256");
	const struct node *size = node_get(entry, "size");
	struct oid oid;
	int rc = 0;

	if (hex == NULL && node_get(entry, "md5") == NULL && c != NULL && c->hashed) {
		rc = lineage_put_oid(entry, &c->oid);
		if (rc == 0)
			rc = lineage_put_size(entry, "size", c->size);
		hex = lineage_text(entry, "sha256");
		size = node_get(entry, "size");
	}
	if (rc == 0 && c != NULL && c->kind != DATAFILE_NONE)
		rc = node_append(
			entry, "storage", node_string(c->kind == DATAFILE_GIT ? "git" : "object"));
	if (rc == 0 && hex != NULL && size != NULL && node_get(entry, "nfiles") == NULL &&
		oid_from_hex(&oid, hex) == 0)
		rc = lineage_put_rows(
			t, entry, &(struct lineage_table){path, &oid, (uint64_t)size->i, c});
	return rc;
}

static int note_change(struct node *list, const char *what, const char *path, const char *more)
{
	struct buf text = BUF_INIT;
	int rc = buf_addf(&text, "%s: %s%s", what, path, more);

	if (rc == 0)
		rc = node_push(list, node_string(text.p));
	buf_release(&text);
	return rc;
}

static int annotate_path(struct lineage_trace *t, const struct stage *s, struct node *entry,
	const char *what, struct node *changes)
{
	const char *path = lineage_text(entry, "path");
	const struct lineage_content *c = lineage_content(t, path);
	const struct stage *maker = lineage_maker(t, path);
	struct buf name = BUF_INIT;
	int data, rc = 0;

	if (differs(entry, c))
		rc = note_change(changes, what, path,
			c->kind == DATAFILE_NONE && path[0] != '/' ? " (not in the commit)" : "");
	if (rc == 0 && strcmp(what, "deps") == 0) {
		rc = is_data(&data, t, entry, path, c);
		if (rc == 0)
			rc = node_append(entry, "kind", node_string(data ? "data" : "code"));
		if (rc == 0 && maker != NULL && maker != s)
			rc = stage_address(&name, maker, "");
		if (rc == 0 && name.len > 0)
			rc = node_append(entry, "made_by", node_string(name.p));
	}
	if (rc == 0)
		rc = put_content(t, entry, path, c);
	buf_release(&name);
	return rc;
}

static int annotate_paths(struct lineage_trace *t, const struct stage *s, struct node *run,
	const char *what, struct node *changes)
{
	const struct node *list = node_get(run, what);
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < list->n; i++)
		rc = annotate_path(t, s, list->items[i], what, changes);
	return rc;
}

/* ---- parameters ---- */

int lineage_document(const struct node **out, struct lineage_trace *t, const char *path)
{
	struct buf text = BUF_INIT;
	struct node *root = NULL;
	int rc;

	*out = NULL;
	if (strmap_has(&t->documents, path)) {
		*out = strmap_get(&t->documents, path);
		return 0;
	}
	rc = source_read(t->src, path, DOCUMENT_MAX, &text);
	if (rc == 0)
		rc = doc_parse(&root, path, buf_str(&text), text.len);
	if (rc < 0 && rc != ERR_NOMEM)
		err_clear();
	if (rc == 0 || rc != ERR_NOMEM)
		rc = strmap_put(&t->documents, path, root);
	if (rc == 0)
		*out = root;
	else
		node_free(root);
	buf_release(&text);
	return rc;
}

static int compare_params(
	struct lineage_trace *t, const char *file, const struct node *locked, struct node *changes)
{
	const struct node *document, *now;
	struct buf name = BUF_INIT;
	int rc = lineage_document(&document, t, file);

	for (size_t i = 0; rc == 0 && document != NULL && i < locked->n; i++) {
		now = node_at(document, locked->keys[i]);
		if (now != NULL && node_equal(now, locked->items[i]))
			continue;
		buf_reset(&name);
		rc = buf_addf(&name, "%s:%s", file, locked->keys[i]);
		if (rc == 0)
			rc = note_change(changes, "params", name.p, "");
	}
	buf_release(&name);
	return rc;
}

/* ---- a stage ---- */

static int same_lines(const struct node *cmd, const struct strvec *declared)
{
	if (cmd->n != declared->n)
		return 0;
	for (size_t i = 0; i < cmd->n; i++)
		if (!node_is_scalar(cmd->items[i]) ||
			strcmp(cmd->items[i]->text, declared->v[i]) != 0)
			return 0;
	return 1;
}

static int find_changes(
	struct lineage_trace *t, const struct stage *s, struct node *run, struct node *changes)
{
	const struct node *params = node_get(run, "params");
	int rc = 0;

	if (node_get(run, "ran")->i && !same_lines(node_get(run, "cmd"), &s->cmd))
		rc = node_push(changes, node_string("cmd"));
	if (rc == 0)
		rc = annotate_paths(t, s, run, "deps", changes);
	for (size_t i = 0; rc == 0 && params != NULL && params->type == NODE_MAP && i < params->n;
		i++)
		if (params->items[i]->type == NODE_MAP)
			rc = compare_params(t, params->keys[i], params->items[i], changes);
	return rc == 0 ? annotate_paths(t, s, run, "outs", changes) : rc;
}

int lineage_annotate(struct lineage_trace *t, const struct stage *s, struct node *run)
{
	struct node *changes = node_list();
	int rc = changes != NULL ? find_changes(t, s, run, changes) : err_no_memory();

	if (rc == 0) {
		rc = node_append(run, "changed_since", changes);
		changes = NULL;
	}
	node_free(changes);
	return rc;
}
