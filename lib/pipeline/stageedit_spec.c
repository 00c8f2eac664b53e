/*
 * From the options of `run` and `stage add` to the map of a stage.
 */
#include "lib/pipeline/stageedit_spec.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/gitvalue.h"

void stage_spec_release(struct stage_spec *s)
{
	struct strvec *const lists[] = {&s->deps, &s->params, &s->outs, &s->outs_no_cache,
		&s->outs_persist, &s->outs_persist_no_cache, &s->metrics, &s->metrics_no_cache,
		&s->plots, &s->plots_no_cache, &s->env_set, &s->env_vars, &s->env_files, &s->mutex,
		&s->resources};

	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		strvec_release(lists[i]);
	*s = (struct stage_spec){0};
}

int stageedit_check_name(const char *name)
{
	const unsigned char *p = (const unsigned char *)name;

	if (*p == '\0')
		return err_set(ERR_INVALID, "the stage has no name; -n gives it one");
	for (; *p != '\0'; p++)
		if (iscntrl(*p) || isspace(*p) || (ispunct(*p) && *p != '-' && *p != '_'))
			return err_set(ERR_INVALID,
				"'%s' cannot be the name of a stage: letters, digits, '-' and '_' "
				"can",
				name);
	return 0;
}

/* node_set and node_push take over what they are given, NULL for want of memory included. */
static int set(struct node *map, const char *key, struct node *value)
{
	return value != NULL ? node_set(map, key, value) : err_no_memory();
}

static int push(struct node *list, struct node *value)
{
	return value != NULL ? node_push(list, value) : err_no_memory();
}

/* The value of `key` in the map, made if it is not there. */
static struct node *child(struct node *map, const char *key, struct node *(*make)(void))
{
	struct node *n = node_get(map, key);

	if (n == NULL && set(map, key, make()) == 0)
		n = node_get(map, key);
	return n;
}

static int set_strings(struct node *map, const char *key, const struct strvec *v)
{
	struct node *list = v->n > 0 ? child(map, key, node_list) : NULL;
	int rc = v->n > 0 && list == NULL ? err_no_memory() : 0;

	for (size_t i = 0; rc == 0 && i < v->n; i++)
		rc = push(list, node_string(v->v[i]));
	return rc;
}

/* ---- outputs ---- */

enum { NO_CACHE = 1, PERSIST = 2 };

/* "path", or "path: {cache: false, persist: true}". */
static struct node *output_node(const char *path, int flags)
{
	struct node *item, *options;

	if (flags == 0)
		return node_string(path);
	item = node_map();
	options = item != NULL ? child(item, path, node_map) : NULL;
	if (options != NULL && (!(flags & NO_CACHE) || set(options, "cache", node_bool(0)) == 0) &&
		(!(flags & PERSIST) || set(options, "persist", node_bool(1)) == 0))
		return item;
	node_free(item);
	return NULL;
}

static int add_outputs(struct node *stage, const char *key, const struct strvec *paths, int flags)
{
	struct node *list = paths->n > 0 ? child(stage, key, node_list) : NULL;
	int rc = paths->n > 0 && list == NULL ? err_no_memory() : 0;

	for (size_t i = 0; rc == 0 && i < paths->n; i++) {
		if (paths->v[i][0] == '\0')
			return err_set(ERR_INVALID, "an output needs a path");
		rc = push(list, output_node(paths->v[i], flags));
	}
	return rc;
}

static int add_all_outputs(struct node *stage, const struct stage_spec *s)
{
	int rc = add_outputs(stage, "outs", &s->outs, 0);

	if (rc == 0)
		rc = add_outputs(stage, "outs", &s->outs_no_cache, NO_CACHE);
	if (rc == 0)
		rc = add_outputs(stage, "outs", &s->outs_persist, PERSIST);
	if (rc == 0)
		rc = add_outputs(stage, "outs", &s->outs_persist_no_cache, PERSIST | NO_CACHE);
	if (rc == 0)
		rc = add_outputs(stage, "metrics", &s->metrics, 0);
	if (rc == 0)
		rc = add_outputs(stage, "metrics", &s->metrics_no_cache, NO_CACHE);
	if (rc == 0)
		rc = add_outputs(stage, "plots", &s->plots, 0);
	return rc == 0 ? add_outputs(stage, "plots", &s->plots_no_cache, NO_CACHE) : rc;
}

/* ---- parameters ---- */

/* The list of this file's keys among the items of `params:`; made if it is not there. */
static struct node *file_keys(struct node *params, const char *file)
{
	struct node *item;

	for (size_t i = 0; i < params->n; i++)
		if (params->items[i]->type == NODE_MAP && node_get(params->items[i], file) != NULL)
			return node_get(params->items[i], file);
	item = node_map();
	if (item == NULL || set(item, file, node_list()) < 0) {
		node_free(item);
		return NULL;
	}
	return push(params, item) == 0 ? node_get(item, file) : NULL;
}

static int add_keys(struct node *list, const char *keys)
{
	char *copy = strdup(keys), *rest = copy, *key;
	int rc = copy != NULL ? 0 : err_no_memory();

	while (rc == 0 && (key = strsep(&rest, ",")) != NULL)
		if (*key != '\0')
			rc = push(list, node_string(key));
	free(copy);
	return rc;
}

/* "lr,epochs" or "config.json:a.b,c"; "config.json:" alone is the whole file. */
static int add_param(struct node *params, const char *text)
{
	const char *colon = strchr(text, ':');
	char *file;
	struct node *keys, *whole;
	int rc;

	if (colon == NULL)
		return add_keys(params, text);
	file = strndup(text, (size_t)(colon - text));
	if (file == NULL)
		return err_no_memory();
	if (colon[1] == '\0') {
		whole = node_map();
		rc = whole != NULL ? set(whole, file, node_null()) : err_no_memory();
		rc = rc == 0 ? push(params, whole) : (node_free(whole), rc);
	} else {
		keys = file_keys(params, file);
		rc = keys != NULL ? add_keys(keys, colon + 1) : err_no_memory();
	}
	free(file);
	return rc;
}

static int add_params(struct node *stage, const struct strvec *v)
{
	struct node *params = v->n > 0 ? child(stage, "params", node_list) : NULL;
	int rc = v->n > 0 && params == NULL ? err_no_memory() : 0;

	for (size_t i = 0; rc == 0 && i < v->n; i++)
		rc = add_param(params, v->v[i]);
	return rc;
}

/* ---- what DVC does not have ---- */

/* "NAME=value" for each, split at the first "=". */
static int add_pairs(struct node *map, const struct strvec *v, const char *option,
	int (*put)(struct node *map, const char *name, const char *value))
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < v->n; i++) {
		const char *eq = strchr(v->v[i], '=');
		char *name;

		if (eq == NULL || eq == v->v[i])
			return err_set(
				ERR_INVALID, "'%s %s' must be <name>=<value>", option, v->v[i]);
		name = strndup(v->v[i], (size_t)(eq - v->v[i]));
		rc = name != NULL ? put(map, name, eq + 1) : err_no_memory();
		free(name);
	}
	return rc;
}

static int put_string(struct node *map, const char *name, const char *value)
{
	return set(map, name, node_string(value));
}

static int put_amount(struct node *map, const char *name, const char *value)
{
	long long amount;

	if (gitvalue_int(&amount, value) < 0 || amount < 1)
		return err_set(
			ERR_INVALID, "'--resource %s=%s': '%s' is no amount", name, value, value);
	return set(map, name, node_int(amount));
}

static int add_env(struct node *stage, const struct stage_spec *s)
{
	struct node *env, *map;
	int rc = 0;

	if (s->env_set.n + s->env_vars.n + s->env_files.n == 0)
		return 0;
	env = child(stage, "env", node_map);
	if (env == NULL)
		return err_no_memory();
	if (s->env_set.n > 0) {
		map = child(env, "set", node_map);
		rc = map != NULL ? add_pairs(map, &s->env_set, "--env", put_string)
				 : err_no_memory();
	}
	if (rc == 0)
		rc = set_strings(env, "vars", &s->env_vars);
	return rc == 0 ? set_strings(env, "files", &s->env_files) : rc;
}

static int add_resources(struct node *stage, const struct stage_spec *s)
{
	struct node *map = s->resources.n > 0 ? child(stage, "resources", node_map) : NULL;

	if (s->resources.n == 0)
		return 0;
	return map != NULL ? add_pairs(map, &s->resources, "--resource", put_amount)
			   : err_no_memory();
}

/* ---- all of it ---- */

static int fill(struct node *stage, const struct stage_spec *s)
{
	int rc = s->desc != NULL ? set(stage, "desc", node_string(s->desc)) : 0;

	if (rc == 0)
		rc = set(stage, "cmd", node_string(s->cmd));
	if (rc == 0 && s->wdir != NULL)
		rc = set(stage, "wdir", node_string(s->wdir));
	if (rc == 0)
		rc = set_strings(stage, "deps", &s->deps);
	if (rc == 0)
		rc = add_params(stage, &s->params);
	if (rc == 0)
		rc = add_all_outputs(stage, s);
	if (rc == 0)
		rc = add_env(stage, s);
	if (rc == 0)
		rc = add_resources(stage, s);
	if (rc == 0)
		rc = set_strings(stage, "mutex", &s->mutex);
	if (rc == 0 && s->frozen)
		rc = set(stage, "frozen", node_bool(1));
	if (rc == 0 && s->always_changed)
		rc = set(stage, "always_changed", node_bool(1));
	return rc;
}

int stageedit_spec_node(struct node **out, const struct stage_spec *s)
{
	struct node *stage;
	int rc;

	if (s->cmd == NULL || s->cmd[0] == '\0')
		return err_set(ERR_INVALID, "stage '%s' has no command", s->name);
	stage = node_map();
	rc = stage != NULL ? fill(stage, s) : err_no_memory();
	if (rc < 0) {
		node_free(stage);
		return rc;
	}
	*out = stage;
	return 0;
}
