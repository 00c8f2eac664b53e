/*
 * The shape of a file of stages: which keys there are and what type each value has, as DVC's own
 * schema demands (and ours beside it: env, resources, mutex).  Checked before anything is resolved,
 * so that a mistake is told where it was made, and also where no stage comes of it.
 *
 * The schema is data: the tables at the end of this file; docs/dvx-yaml.md has it for people.
 */
#include "lib/pipeline/pipeline_internal.h"

#include <string.h>

#include "lib/base/err.h"
#include "lib/base/nearest.h"

enum {
	NUL = 1 << NODE_NULL,
	BOOL = 1 << NODE_BOOL,
	INT = 1 << NODE_INT,
	FLOAT = 1 << NODE_FLOAT,
	STRING = 1 << NODE_STRING,
	LIST = 1 << NODE_LIST,
	MAP = 1 << NODE_MAP,
	SCALAR = BOOL | INT | FLOAT | STRING,
	ANY = NUL | SCALAR | LIST | MAP
};

struct field;

struct shape {
	unsigned types;
	const char *expected;	    /* "a list of paths" */
	const struct field *fields; /* of a map: all keys that there are; NULL: any */
	const struct shape *each;   /* values of a list, or of a map with any keys; NULL: any */
	const struct shape *values; /* of a map with any keys, where a list has others */
};

struct field {
	const char *key; /* NULL: the last one */
	const struct shape *shape;
	int required;
};

static const struct shape file_shape;
static const struct shape stage_shape, foreach_shape, do_shape;

/* Where we are, for messages: "stages.train.outs"; on the stack. */
struct place {
	const struct place *up;
	const char *key; /* NULL: an entry of a list */
};

static int add_keys(struct buf *out, const struct place *at)
{
	int rc = at->up != NULL ? add_keys(out, at->up) : 0;

	if (rc == 0 && at->key != NULL)
		rc = buf_addf(out, "%s%s", out->len > 0 ? "." : "'", at->key);
	return rc;
}

/* "'stages.train.outs'", nothing at the top. */
static int add_place(struct buf *out, const struct place *at)
{
	int rc = add_keys(out, at);

	return rc == 0 && out->len > 0 ? buf_addch(out, '\'') : rc;
}

static int complain_type(
	const char *file, const struct node *n, const struct shape *shape, const struct place *at)
{
	const char *hint = "";
	struct buf where = BUF_INIT;
	int rc = add_place(&where, at);

	if (!(shape->types & NUL) && n->type == NODE_NULL)
		hint = "; remove the key, or give it a value";
	else if ((shape->types & STRING) && n->type < NODE_LIST)
		hint = "; put it into quotes";
	else if ((shape->types & LIST) && n->type < NODE_LIST)
		hint = "; write it as '- …' on a line of its own";
	else if ((shape->types & BOOL) && n->type == NODE_STRING)
		hint = "; YAML 1.2 knows true and false only";
	else if ((shape->types & LIST) && n->type == NODE_MAP)
		hint = "; put '- ' before each entry";
	if (rc == 0)
		rc = template_complain(file, n, "%s must be %s, not %s%s", buf_str(&where),
			shape->expected, node_type_name(n), hint);
	buf_release(&where);
	return rc;
}

static const struct field *find_field(const struct field *fields, const char *key)
{
	for (; fields->key != NULL; fields++)
		if (strcmp(fields->key, key) == 0)
			return fields;
	return NULL;
}

static int complain_key(const char *file, const char *key, const struct node *value,
	const struct field *fields, const struct place *at)
{
	struct nearest nearest;
	struct buf where = BUF_INIT, known = BUF_INIT;
	int rc;

	if (fields == foreach_shape.fields && find_field(do_shape.fields, key) != NULL)
		return template_complain_key(file, value,
			"'%s' stands beside 'foreach'; the keys of its stages stand below 'do'",
			key);
	rc = add_place(&where, at);
	if (rc == 0 && where.len > 0)
		rc = buf_addstr(&where, ": ");
	nearest_init(&nearest, key);
	for (const struct field *f = fields; rc == 0 && f->key != NULL; f++) {
		nearest_offer(&nearest, f->key);
		rc = buf_addf(&known, "%s%s", known.len > 0 ? ", " : "", f->key);
	}
	if (rc == 0 && nearest.best != NULL)
		rc = template_complain_key(file, value,
			"%sunknown key '%s'; the most similar one is '%s'", buf_str(&where), key,
			nearest.best);
	else if (rc == 0)
		rc = template_complain_key(file, value, "%sunknown key '%s'; known are %s",
			buf_str(&where), key, buf_str(&known));
	buf_release(&where);
	buf_release(&known);
	return rc;
}

static int complain_missing(
	const char *file, const struct node *map, const char *key, const struct place *at)
{
	struct buf where = BUF_INIT;
	int rc = add_place(&where, at);

	if (rc == 0)
		rc = template_complain_key(
			file, map, "%s has no '%s'; add the key", buf_str(&where), key);
	buf_release(&where);
	return rc;
}

static int check(
	const char *file, const struct node *n, const struct shape *shape, const struct place *at);

static int check_fields(const char *file, const struct node *map, const struct field *fields,
	const struct place *at)
{
	for (size_t i = 0; i < map->n; i++) {
		const struct field *f = find_field(fields, map->keys[i]);
		struct place below = {at, map->keys[i]};
		int rc = f == NULL ? complain_key(file, map->keys[i], map->items[i], fields, at)
				   : check(file, map->items[i], f->shape, &below);

		if (rc < 0)
			return rc;
	}
	for (const struct field *f = fields; f->key != NULL; f++)
		if (f->required && node_get(map, f->key) == NULL)
			return complain_missing(file, map, f->key, at);
	return 0;
}

static int check(
	const char *file, const struct node *n, const struct shape *shape, const struct place *at)
{
	const struct shape *below = shape->each;
	int rc = 0;

	if (shape == &stage_shape && n->type == NODE_MAP &&
		(node_get(n, "foreach") != NULL || node_get(n, "do") != NULL))
		shape = &foreach_shape;
	if (!(shape->types & 1u << n->type))
		return complain_type(file, n, shape, at);
	if (n->type == NODE_STRING && strlen(n->text) != n->len)
		return template_complain(file, n, "a NUL character; remove it");
	if (n->type == NODE_MAP && shape->fields != NULL)
		return check_fields(file, n, shape->fields, at);
	if (n->type == NODE_MAP && shape->values != NULL)
		below = shape->values;
	for (size_t i = 0; rc == 0 && below != NULL && n->type >= NODE_LIST && i < n->n; i++) {
		struct place item = {at, n->type == NODE_MAP ? n->keys[i] : NULL};

		rc = check(file, n->items[i], below, &item);
	}
	return rc;
}

int pipeline_schema(const char *file, const struct node *root)
{
	struct place top = {NULL, NULL};

	if (root->type != NODE_MAP && root->type != NODE_NULL)
		return template_complain(file, root,
			"the file must be a map with the key 'stages', not %s",
			node_type_name(root));
	return check(file, root, &file_shape, &top);
}

/* --- the schema ------------------------------------------------------------------------------- */

static const struct shape any = {ANY, "anything", NULL, NULL, NULL};
static const struct shape flag = {BOOL, "true or false", NULL, NULL, NULL};
static const struct shape text = {STRING, "a string", NULL, NULL, NULL};
static const struct shape scalar = {SCALAR, "a string or a number", NULL, NULL, NULL};
static const struct shape path = {STRING, "a path", NULL, NULL, NULL};
static const struct shape name = {STRING, "a name", NULL, NULL, NULL};
static const struct shape names = {LIST | STRING, "a name or a list of names", NULL, &name, NULL};
static const struct shape texts = {LIST, "a list of strings", NULL, &text, NULL};
static const struct shape paths = {LIST, "a list of paths", NULL, &path, NULL};

static const struct shape cmd = {
	STRING | LIST, "a command or a list of commands", NULL, &text, NULL};

/* What every output may have. */
/* clang-format off */
#define OUT_FIELDS                                                                                 \
	{"cache", &flag, 0}, {"persist", &flag, 0}, {"push", &flag, 0}, {"desc", &text, 0},        \
	{"type", &text, 0}, {"labels", &texts, 0}, {"meta", &any, 0}, {"remote", &text, 0},        \
	{"checkpoint", &flag, 0}
/* clang-format on */

static const struct field out_fields[] = {OUT_FIELDS, {NULL, NULL, 0}};
static const struct shape out_props = {
	MAP | NUL, "a map of properties, as {cache: false}", out_fields, NULL, NULL};
static const struct shape out = {
	STRING | MAP, "a path, or a path and its properties", NULL, &out_props, NULL};
static const struct shape outs = {LIST, "a list of paths", NULL, &out, NULL};

/* Metrics may say what counts in the file (docs/metrics.md); "xpath" is the old word. */
static const struct field metric_fields[] = {
	OUT_FIELDS, {"path", &scalar, 0}, {"xpath", &scalar, 0}, {NULL, NULL, 0}};
static const struct shape metric_props = {
	MAP | NUL, "a map of properties, as {cache: false, path: acc}", metric_fields, NULL, NULL};
static const struct shape metric = {
	STRING | MAP, "a path, or a path and its properties", NULL, &metric_props, NULL};
static const struct shape metrics = {LIST, "a list of paths", NULL, &metric, NULL};

static const struct field plot_fields[] = {OUT_FIELDS, {"template", &text, 0}, {"x", &text, 0},
	{"y", &text, 0}, {"x_label", &text, 0}, {"y_label", &text, 0}, {"title", &text, 0},
	{"header", &flag, 0}, {NULL, NULL, 0}};
static const struct shape plot_props = {
	MAP | NUL, "a map of properties, as {x: epoch}", plot_fields, NULL, NULL};
static const struct shape plot = {
	STRING | MAP, "a path, or a path and its properties", NULL, &plot_props, NULL};
static const struct shape plots = {LIST, "a list of plots", NULL, &plot, NULL};

static const struct shape param_keys = {
	LIST | NUL, "a list of parameters (or nothing, for all of the file)", NULL, &scalar, NULL};
static const struct shape param = {
	STRING | MAP, "a parameter, or a file and its parameters", NULL, &param_keys, NULL};
static const struct shape params = {LIST, "a list of parameters", NULL, &param, NULL};

static const struct shape var = {STRING | MAP, "a file or a map", NULL, NULL, NULL};
static const struct shape vars = {LIST, "a list of files and maps", NULL, &var, NULL};

static const struct shape variables = {
	MAP, "a map of variables and their values", NULL, &scalar, NULL};
static const struct field env_fields[] = {
	{"set", &variables, 0},
	{"vars", &names, 0},
	{"files", &paths, 0},
	{"facts", &names, 0},
	{NULL, NULL, 0},
};
static const struct shape env = {
	MAP, "a map with 'set', 'vars', 'files' and 'facts'", env_fields, NULL, NULL};

static const struct shape amount = {
	INT | STRING, "a whole number", NULL, NULL, NULL}; /* a string: ${} */
static const struct shape resources = {
	MAP, "a map of resources and amounts, as {gpu: 1}", NULL, &amount, NULL};

static const struct shape matrix_values = {
	LIST | STRING, "a list (or a ${} that is one)", NULL, NULL, NULL};
static const struct shape matrix = {MAP, "a map of lists", NULL, &matrix_values, NULL};

/* clang-format off */
#define STAGE_FIELDS                                                                               \
	{"cmd", &cmd, 1}, {"wdir", &path, 0}, {"deps", &paths, 0}, {"params", &params, 0},         \
	{"outs", &outs, 0}, {"metrics", &metrics, 0}, {"plots", &plots, 0}, {"vars", &vars, 0},    \
	{"frozen", &flag, 0}, {"always_changed", &flag, 0}, {"desc", &text, 0}, {"meta", &any, 0}, \
	{"env", &env, 0}, {"resources", &resources, 0}, {"mutex", &names, 0}
/* clang-format on */

static const struct field do_fields[] = {STAGE_FIELDS, {NULL, NULL, 0}};
static const struct field stage_fields[] = {STAGE_FIELDS, {"matrix", &matrix, 0}, {NULL, NULL, 0}};
static const struct shape do_shape = {MAP, "a map of a stage's keys", do_fields, NULL, NULL};
static const struct shape stage_shape = {MAP, "a map with the key 'cmd'", stage_fields, NULL, NULL};

static const struct shape foreach_values = {
	LIST | MAP | STRING, "a list, a map, or a ${} that is one", NULL, NULL, NULL};
static const struct field foreach_fields[] = {
	{"foreach", &foreach_values, 1},
	{"do", &do_shape, 1},
	{NULL, NULL, 0},
};
static const struct shape foreach_shape = {
	MAP, "a map with 'foreach' and 'do'", foreach_fields, NULL, NULL};

static const struct shape stages = {MAP | NUL, "a map of stages by name", NULL, &stage_shape, NULL};

/* Top-level plots: x and y may be fields, lists of them, or files with their fields. */
static const struct shape axis_fields = {
	STRING | LIST, "a field or a list of fields", NULL, &text, NULL};
static const struct shape axis = {STRING | LIST | MAP,
	"a field, a list of fields, or files with their fields", NULL, &text, &axis_fields};
static const struct field top_plot_fields[] = {
	{"x", &axis, 0},
	{"y", &axis, 0},
	{"x_label", &text, 0},
	{"y_label", &text, 0},
	{"title", &text, 0},
	{"template", &text, 0},
	{NULL, NULL, 0},
};
static const struct shape top_plot_props = {
	MAP | NUL, "a map of properties, as {x: epoch}", top_plot_fields, NULL, NULL};
static const struct shape top_plot = {
	STRING | MAP, "a path, or a name and its properties", NULL, &top_plot_props, NULL};
static const struct shape top_plots = {LIST, "a list of plots", NULL, &top_plot, NULL};

static const struct field artifact_fields[] = {
	{"path", &path, 1},
	{"type", &text, 0},
	{"desc", &text, 0},
	{"labels", &texts, 0},
	{"meta", &any, 0},
	{NULL, NULL, 0},
};
static const struct shape artifact = {
	MAP, "a map with the key 'path'", artifact_fields, NULL, NULL};
static const struct shape artifacts = {MAP, "a map of artifacts by name", NULL, &artifact, NULL};

static const struct field file_fields[] = {
	{"stages", &stages, 0},
	{"vars", &vars, 0},
	{"params", &paths, 0},
	{"metrics", &metrics, 0},
	{"plots", &top_plots, 0},
	{"artifacts", &artifacts, 0},
	{"datasets", &any, 0},
	{NULL, NULL, 0},
};
static const struct shape file_shape = {
	MAP | NUL, "a map with the key 'stages'", file_fields, NULL, NULL};
