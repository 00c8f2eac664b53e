/*
 * Definitions into stages: `foreach` and `matrix` give one stage for each item, named
 * "<group>@<item>" as in DVC; `${…}` is resolved with the file's variables, those of the stage and
 * `item` and `key`.
 */
#include "lib/pipeline/pipeline_internal.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"

enum { MATRIX_AXES_MAX = 64 };

static int is_internal(const char *key)
{
	return strcmp(key, "vars") == 0 || strcmp(key, "matrix") == 0;
}

static int resolve(struct node **out, const struct template *t, const struct node *def)
{
	struct node *value = NULL;
	int rc = 0;

	*out = node_map();
	if (*out == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; rc == 0 && i < def->n; i++) {
		const char *key = def->keys[i];
		int cmd = strcmp(key, "cmd") == 0;

		if (is_internal(key))
			continue;
		rc = template_resolve(
			&value, t, def->items[i], cmd ? TEMPLATE_CMD : TEMPLATE_PLAIN);
		if (rc == 0)
			rc = node_set(*out, key, value);
	}
	return rc;
}

/* The stage's working directory, which its variables are loaded from, by the file's variables. */
static int resolve_wdir(struct pipeline_build *b, char **out, const struct node *wdir)
{
	struct node *n = NULL;
	int rc;

	if (wdir == NULL) {
		*out = strdup(b->dir);
		return *out != NULL ? 0 : err_set(ERR_NOMEM, "out of memory");
	}
	rc = template_resolve(&n, &b->t, wdir, TEMPLATE_PLAIN);
	if (rc == 0)
		rc = pipeline_read_path(b, out, b->dir, n, n->text);
	node_free(n);
	return rc;
}

/* A stage that `def` describes, with b->t.item and .key as they are. */
/* Names are printed everywhere; none may steer a terminal. */
static int has_control(const char *name)
{
	while (*name && ((unsigned char)*name >= ' ' && *name != 0x7f))
		name++;
	return *name != '\0';
}

static int add_stage(
	struct pipeline_build *b, const char *name, unsigned line, const struct node *def)
{
	const struct node *vars = node_get(def, "vars");
	const struct template *t = &b->t;
	struct node *resolved = NULL;
	char *wdir = NULL;
	int rc;

	if (has_control(name))
		return err_set(ERR_INVALID,
			"%s:%u: a control character in the name of stage '%s'; rename it", b->file,
			line, name);
	rc = strmap_has(&b->names, name)
		     ? err_set(ERR_INVALID, "%s:%u: a second stage '%s'; rename one of them",
			       b->file, line, name)
		     : strmap_put(&b->names, name, NULL);
	if (rc == 0 && vars != NULL)
		rc = resolve_wdir(b, &wdir, node_get(def, "wdir"));
	if (rc == 0 && vars != NULL)
		rc = pipeline_local_vars(&t, b, vars, wdir);
	if (rc == 0)
		rc = resolve(&resolved, t, def);
	if (rc == 0)
		rc = pipeline_stage(b, name, line, resolved);
	node_free(resolved);
	free(wdir);
	return rc;
}

/* A name from YAML; what cannot be addressed is refused. */
static int check_name(struct pipeline_build *b, const char *name, const struct node *def)
{
	if (*name != '\0' && strpbrk(name, "@:/\\*?$") == NULL)
		return 0;
	return template_complain_key(b->file, def,
		"'%s' is no name of a stage; take letters, digits, '-' and '_'", name);
}

/* --- foreach ---------------------------------------------------------------------------------- */

static int any_collection(const struct node *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (!node_is_scalar(list->items[i]))
			return 1;
	return 0;
}

/* A scalar in a name.  Bools that came out of a `${}` are capitalised: an oddity of DVC's, but
 * these are the names in its lock files. */
static int add_item(struct buf *out, const struct node *from, const struct node *items, size_t i)
{
	const struct node *value = items->items[i];

	if (value->type == NODE_BOOL &&
		(from->type == NODE_STRING || from->items[i]->type == NODE_STRING))
		return buf_addstr(out, value->i ? "True" : "False");
	return template_scalar(out, value);
}

/* The part of the name behind "@". */
static int item_name(
	struct buf *out, const struct node *from, const struct node *items, size_t i, int by_index)
{
	if (items->type == NODE_MAP)
		return buf_addstr(out, items->keys[i]);
	return by_index ? buf_addf(out, "%zu", i) : add_item(out, from, items, i);
}

static int expand_foreach(struct pipeline_build *b, const char *name, const struct node *def,
	const struct node *items)
{
	const struct node *from = node_get(def, "foreach"), *body = node_get(def, "do");
	int by_index = items->type == NODE_LIST && any_collection(items);
	struct buf full = BUF_INIT;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < items->n; i++) {
		buf_reset(&full);
		rc = buf_addf(&full, "%s@", name);
		if (rc == 0)
			rc = item_name(&full, from, items, i, by_index);
		if (rc < 0 || (items->type == NODE_LIST && strmap_has(&b->names, full.p)))
			continue; /* ["a", "a"] is one stage */
		b->t.item = items->items[i];
		b->t.key = items->type == NODE_MAP ? items->keys[i] : NULL;
		rc = add_stage(b, full.p, def->key_line, body);
	}
	b->t.item = NULL;
	b->t.key = NULL;
	buf_release(&full);
	return rc;
}

static int add_foreach(struct pipeline_build *b, const char *name, const struct node *def)
{
	const struct node *from = node_get(def, "foreach");
	struct node *items = NULL;
	int rc = template_resolve(&items, &b->t, from, TEMPLATE_COLLECTION);

	if (rc == 0 && node_is_scalar(items))
		rc = template_complain(b->file, from,
			"'foreach' of stage '%s' must be a list or a map, not %s", name,
			node_type_name(items));
	if (rc == 0)
		rc = expand_foreach(b, name, def, items);
	node_free(items);
	return rc;
}

/* --- matrix ----------------------------------------------------------------------------------- */

/* A matrix while its combinations are gone through. */
struct matrix {
	const char *name;
	const struct node *def;	 /* the stage */
	const struct node *from; /* its `matrix` as it was written */
	struct node *axes;	 /* resolved: a map of lists */
	size_t at[MATRIX_AXES_MAX];
};

/* The name of the present combination: scalars as they are, others by their axis and index. */
static int combination_name(struct buf *out, const struct matrix *m)
{
	int rc = buf_addf(out, "%s@", m->name);

	for (size_t a = 0; rc == 0 && a < m->axes->n; a++) {
		const struct node *axis = m->axes->items[a];

		if (a > 0)
			rc = buf_addch(out, '-');
		if (rc == 0)
			rc = node_is_scalar(axis->items[m->at[a]])
				     ? add_item(out, m->from->items[a], axis, m->at[a])
				     : buf_addf(out, "%s%zu", m->axes->keys[a], m->at[a]);
	}
	return rc;
}

/* The next combination, the last axis fastest.  0: that was the last one. */
static int advance(struct matrix *m)
{
	for (size_t a = m->axes->n; a-- > 0;) {
		if (++m->at[a] < m->axes->items[a]->n)
			return 1;
		m->at[a] = 0;
	}
	return 0;
}

static int is_empty(const struct matrix *m)
{
	for (size_t a = 0; a < m->axes->n; a++)
		if (m->axes->items[a]->n == 0)
			return 1;
	return m->axes->n == 0;
}

/* The value of `item`: {axis: value}. */
static int combination_item(struct node **out, const struct matrix *m)
{
	int rc = 0;

	*out = node_map();
	if (*out == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	for (size_t a = 0; rc == 0 && a < m->axes->n; a++) {
		struct node *value = node_dup(m->axes->items[a]->items[m->at[a]]);

		rc = value != NULL ? node_set(*out, m->axes->keys[a], value)
				   : err_set(ERR_NOMEM, "out of memory");
	}
	return rc;
}

static int add_combination(struct pipeline_build *b, const struct matrix *m)
{
	struct buf full = BUF_INIT;
	struct node *item = NULL;
	int rc = combination_name(&full, m);

	if (rc == 0)
		rc = combination_item(&item, m);
	if (rc == 0 && !strmap_has(&b->names, full.p)) {
		b->t.item = item;
		b->t.key = full.p + strlen(m->name) + 1;
		rc = add_stage(b, full.p, m->def->key_line, m->def);
		b->t.item = NULL;
		b->t.key = NULL;
	}
	node_free(item);
	buf_release(&full);
	return rc;
}

static int check_axes(struct pipeline_build *b, const struct matrix *m)
{
	if (m->axes->n > MATRIX_AXES_MAX)
		return template_complain(b->file, m->from,
			"'matrix' of stage '%s' has more than %d keys", m->name,
			(int)MATRIX_AXES_MAX);
	for (size_t a = 0; a < m->axes->n; a++)
		if (m->axes->items[a]->type != NODE_LIST)
			return template_complain(b->file, m->from->items[a],
				"'%s' in the matrix of stage '%s' must be a list, not %s",
				m->axes->keys[a], m->name, node_type_name(m->axes->items[a]));
	return 0;
}

static int add_matrix(struct pipeline_build *b, const char *name, const struct node *def)
{
	struct matrix m = {.name = name, .def = def, .from = node_get(def, "matrix")};
	int rc = template_resolve(&m.axes, &b->t, m.from, TEMPLATE_COLLECTION);

	if (rc == 0)
		rc = check_axes(b, &m);
	if (rc == 0 && !is_empty(&m))
		do
			rc = add_combination(b, &m);
		while (rc == 0 && advance(&m));
	node_free(m.axes);
	return rc;
}

int pipeline_expand(struct pipeline_build *b, const struct node *stages)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && stages != NULL && i < stages->n; i++) {
		const struct node *def = stages->items[i];
		const char *name = stages->keys[i];

		rc = check_name(b, name, def);
		if (rc < 0)
			break;
		if (node_get(def, "foreach") != NULL)
			rc = add_foreach(b, name, def);
		else if (node_get(def, "matrix") != NULL)
			rc = add_matrix(b, name, def);
		else
			rc = add_stage(b, name, def->key_line, def);
	}
	return rc;
}
