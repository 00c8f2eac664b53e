/*
 * Where the variables of `${…}` come from: the params.yaml beside the file of stages, then `vars:`
 * - entries "file.yaml", "file.yaml:key1,key2" or a map.  What may be loaded twice is what DVC lets
 * be loaded twice: a whole file.
 */
#include "lib/pipeline/pipeline_internal.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/yaml/yaml.h"

#define DEFAULT_PARAMS "params.yaml"

/* A result whose message says what, but not where. */
static int placed(struct pipeline_build *b, const struct node *at, int rc)
{
	return rc == ERR_INVALID ? template_complain(b->file, at, "%s", err_msg()) : rc;
}

/* Read and parse; an empty file is an empty map. */
static int read_map(struct pipeline_build *b, struct node **out, const char *path)
{
	struct buf text = BUF_INIT;
	struct node *n = NULL;
	int rc = b->reader->read(b->reader->data, path, &text);

	if (rc == 0)
		rc = doc_parse(&n, path, buf_str(&text), text.len);
	if (rc == 0 && n->type == NODE_NULL) {
		node_free(n);
		n = node_map();
		rc = n != NULL ? 0 : err_set(ERR_NOMEM, "out of memory");
	}
	if (rc == 0 && n->type != NODE_MAP)
		rc = template_complain(
			path, n, "variables come from a map, not %s", node_type_name(n));
	buf_release(&text);
	if (rc < 0)
		node_free(n);
	else
		*out = n;
	return rc;
}

/* How much of a file was loaded before: its keys, or "" for all of it. */
static int was_loaded(const struct template *t, const char *path, const char *key)
{
	size_t len = strlen(path);

	for (size_t i = 0; i < t->sources.n; i++) {
		const char *s = t->sources.v[i];

		if (strncmp(s, path, len) == 0 &&
			(key != NULL ? s[len] == ':' && strcmp(s + len + 1, key) == 0
				     : s[len] == '\0'))
			return 1;
	}
	return 0;
}

static int was_loaded_in_part(const struct template *t, const char *path)
{
	size_t len = strlen(path);

	for (size_t i = 0; i < t->sources.n; i++)
		if (strncmp(t->sources.v[i], path, len) == 0 && t->sources.v[i][len] == ':')
			return 1;
	return 0;
}

/* One key of a loaded file, as the source "<path>:<key>". */
static int merge_key(struct pipeline_build *b, struct template *t, const struct node *at,
	const struct node *file, const char *path, const char *key)
{
	const struct node *value = node_get(file, key);
	struct buf source = BUF_INIT;
	struct node *map = NULL, *copy;
	int rc;

	if (value == NULL)
		return template_complain(b->file, at,
			"'%s' has no key '%s'; correct the list behind ':'", path, key);
	if (was_loaded(t, path, key))
		return template_complain(
			b->file, at, "'%s' of '%s' is loaded twice; remove one", key, path);
	map = node_map();
	copy = map != NULL ? node_dup(value) : NULL;
	rc = copy != NULL ? node_set(map, key, copy) : err_set(ERR_NOMEM, "out of memory");
	if (rc == 0)
		rc = buf_addf(&source, "%s:%s", path, key);
	if (rc == 0)
		rc = placed(b, at, template_merge(t, map, buf_str(&source)));
	node_free(map);
	buf_release(&source);
	return rc;
}

static int merge_keys(struct pipeline_build *b, struct template *t, const struct node *at,
	const struct node *file, const char *path, const char *keys)
{
	struct strvec list = STRVEC_INIT;
	int rc = 0;

	while (rc == 0 && *keys != '\0') {
		size_t len = strcspn(keys, ",");

		rc = len > 0 ? strvec_pushn(&list, keys, len) : 0;
		keys += len + (keys[len] == ',');
	}
	for (size_t i = 0; rc == 0 && i < list.n; i++)
		rc = merge_key(b, t, at, file, path, list.v[i]);
	strvec_release(&list);
	return rc;
}

/* "file.yaml" or "file.yaml:key1,key2" */
static int merge_file(
	struct pipeline_build *b, struct template *t, const struct node *at, const char *wdir)
{
	const char *colon = strchr(at->text, ':');
	const char *keys = colon != NULL && colon[1] != '\0' ? colon + 1 : NULL;
	struct strvec name = STRVEC_INIT;
	struct buf path = BUF_INIT;
	struct node *file = NULL;
	int rc = strvec_pushn(
		&name, at->text, colon != NULL ? (size_t)(colon - at->text) : strlen(at->text));

	if (rc == 0)
		rc = placed(b, at, pipeline_path(&path, b->reader->top, wdir, name.v[0]));
	if (rc < 0)
		goto done;
	if (was_loaded(t, path.p, NULL)) {
		if (keys != NULL)
			rc = template_complain(b->file, at,
				"all of '%s' is loaded already; remove '%s'", path.p, at->text);
		goto done;
	}
	if (keys == NULL && was_loaded_in_part(t, path.p)) {
		rc = template_complain(b->file, at,
			"a part of '%s' is loaded already; name all of it, or the parts", path.p);
		goto done;
	}
	rc = read_map(b, &file, path.p);
	if (rc == ERR_NOTFOUND)
		rc = template_complain(
			b->file, at, "%s; correct 'vars', or write the file", err_msg());
	if (rc == 0)
		rc = keys != NULL ? merge_keys(b, t, at, file, path.p, keys)
				  : placed(b, at, template_merge(t, file, path.p));
done:
	node_free(file);
	strvec_release(&name);
	buf_release(&path);
	return rc;
}

/* `item` and `key` are foreach's and matrix's own. */
static int check_reserved(
	struct pipeline_build *b, const struct template *t, const struct node *map)
{
	for (size_t i = 0; i < map->n; i++)
		if ((t->item != NULL && strcmp(map->keys[i], "item") == 0) ||
			(t->key != NULL && strcmp(map->keys[i], "key") == 0))
			return template_complain_key(b->file, map->items[i],
				"'%s' is the present item of 'foreach' or 'matrix'; rename it",
				map->keys[i]);
	return 0;
}

/* A map that stands in `vars` itself, or a file that is named there. */
static int merge_entry(
	struct pipeline_build *b, struct template *t, const struct node *at, const char *wdir)
{
	int rc;

	if (at->type != NODE_MAP)
		return merge_file(b, t, at, wdir);
	rc = check_reserved(b, t, at);
	if (rc < 0)
		return rc;
	return placed(b, at, template_merge(t, at, "vars"));
}

static int merge_list(
	struct pipeline_build *b, struct template *t, const struct node *vars, const char *wdir)
{
	int rc = 0;

	if (vars != NULL && template_is(vars))
		return template_complain(b->file, vars,
			"'vars' cannot have '${}' in them; write the values themselves");
	for (size_t i = 0; rc == 0 && vars != NULL && i < vars->n; i++)
		rc = merge_entry(b, t, vars->items[i], wdir);
	return rc;
}

int pipeline_vars(struct pipeline_build *b, const struct node *vars)
{
	struct buf path = BUF_INIT;
	struct node *file = NULL;
	int rc = pipeline_path(&path, NULL, b->dir, DEFAULT_PARAMS);

	if (rc == 0)
		rc = read_map(b, &file, path.p);
	if (rc == 0)
		rc = template_merge(&b->t, file, path.p);
	else if (rc == ERR_NOTFOUND)
		rc = 0;
	if (rc == 0)
		rc = merge_list(b, &b->t, vars, b->dir);
	node_free(file);
	buf_release(&path);
	return rc;
}

void pipeline_local_release(struct pipeline_build *b)
{
	template_release(&b->local.t);
	free(b->local.wdir);
	b->local.wdir = NULL;
	b->local.vars = NULL;
}

int pipeline_local_vars(const struct template **out, struct pipeline_build *b,
	const struct node *vars, const char *wdir)
{
	int rc = 0;

	if (b->local.vars != vars || strcmp(b->local.wdir, wdir) != 0) {
		pipeline_local_release(b);
		b->local.wdir = strdup(wdir);
		rc = b->local.wdir != NULL ? template_dup(&b->local.t, &b->t)
					   : err_set(ERR_NOMEM, "out of memory");
		if (rc == 0)
			rc = merge_list(b, &b->local.t, vars, wdir);
		b->local.vars = rc == 0 ? vars : NULL;
	}
	b->local.t.item = b->t.item;
	b->local.t.key = b->t.key;
	*out = &b->local.t;
	return rc;
}

/* "<file>:<dotted key>" */
static int add_used(const char *entry, void *value, void *data)
{
	struct pipeline *p = data;
	const char *colon = strchr(entry, ':');
	size_t len = (size_t)(colon - entry);
	struct stage_params *last = p->n_params > 0 ? &p->params[p->n_params - 1] : NULL;

	(void)value;
	if (last == NULL || last->keys.n == 0 || strncmp(last->file, entry, len) != 0 ||
		last->file[len] != '\0') {
		last = pipeline_grow(p->params, p->n_params, sizeof(*p->params));
		if (last == NULL)
			return err_set(ERR_NOMEM, "out of memory");
		p->params = last;
		last += p->n_params++;
		last->file = strndup(entry, len);
		if (last->file == NULL)
			return err_set(ERR_NOMEM, "out of memory");
	}
	return strvec_push(&last->keys, colon + 1);
}

int pipeline_used(struct pipeline_build *b)
{
	return strmap_each(&b->used, add_used, b->p);
}
