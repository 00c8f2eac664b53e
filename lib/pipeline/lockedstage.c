/*
 * One entry of dvx.lock: from the nodes of the file to a value, and back to text, which is the same
 * for the same value wherever it is written (dvx.lock, run cache).
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/pipeline/stagelock_internal.h"
#include "lib/yaml/yaml.h"

static void free_paths(struct locked_path *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(v[i].path);
	free(v);
}

void locked_stage_free(struct locked_stage *s)
{
	if (s == NULL)
		return;
	free(s->name);
	free(s->wdir);
	strvec_release(&s->cmd);
	free_paths(s->deps, s->n_deps);
	free_paths(s->outs, s->n_outs);
	node_free(s->params);
	node_free(s->env);
	node_free(s->environment);
	free(s);
}

static int cmp_paths(const void *a, const void *b)
{
	const struct locked_path *x = a, *y = b;

	return strcmp(x->path, y->path);
}

void locked_paths_sort(struct locked_path *v, size_t n)
{
	if (n > 1)
		qsort(v, n, sizeof(*v), cmp_paths);
}

/* ---- reading ---- */

static int bad(const struct lock_place *at, const struct node *n, const char *what)
{
	return err_set(ERR_INVALID, "%s:%u: %s; %s", at->file, n->line, what, at->mend);
}

int lock_is_text(const struct node *n)
{
	return node_is_scalar(n) && n->type != NODE_NULL && strlen(n->text) == n->len;
}

static int read_size(uint64_t *out, const struct lock_place *at, const struct node *n)
{
	if (n->type != NODE_INT || n->i < 0)
		return bad(at, n, "a size or number of files is not a number");
	*out = (uint64_t)n->i;
	return 0;
}

static int read_path(struct locked_path *out, const struct lock_place *at, const struct node *n)
{
	const struct node *path = node_get(n, "path"), *oid = node_get(n, "sha256");
	const struct node *size = node_get(n, "size"), *nfiles = node_get(n, "nfiles");
	const struct node *exec = node_get(n, "exec");
	int rc;

	if (path == NULL || !lock_is_text(path) || path->len == 0)
		return bad(at, n, "an entry without a path");
	if (oid == NULL || !node_is_scalar(oid) || oid->len != OID_HEX_LEN ||
		oid_from_hex(&out->fp.oid, oid->text) < 0)
		return bad(at, n, "an entry without a sha256 of 64 hexadecimal digits");
	if (size == NULL)
		return bad(at, n, "an entry without a size");
	out->fp.type = nfiles != NULL ? FP_DIR : FP_FILE;
	out->fp.executable = exec != NULL && exec->type == NODE_BOOL && exec->i != 0;
	rc = read_size(&out->fp.size, at, size);
	if (rc == 0 && nfiles != NULL)
		rc = read_size(&out->fp.nfiles, at, nfiles);
	if (rc < 0)
		return rc;
	out->path = strdup(path->text);
	return out->path != NULL ? 0 : err_set(ERR_NOMEM, "out of memory");
}

static int read_paths(struct locked_path **out, size_t *n_out, const struct lock_place *at,
	const struct node *list)
{
	int rc = 0;

	if (list == NULL || list->type == NODE_NULL)
		return 0;
	if (list->type != NODE_LIST)
		return bad(at, list, "deps and outs are lists");
	*out = calloc(list->n + 1, sizeof(**out));
	if (*out == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; rc == 0 && i < list->n; i++) {
		rc = read_path(&(*out)[i], at, list->items[i]);
		*n_out += rc == 0;
	}
	if (rc == 0)
		locked_paths_sort(*out, *n_out);
	return rc;
}

static int read_cmd(struct strvec *out, const struct lock_place *at, const struct node *cmd)
{
	int rc = 0;

	if (cmd == NULL || cmd->type == NODE_NULL)
		return 0;
	if (lock_is_text(cmd))
		return strvec_push(out, cmd->text);
	if (cmd->type != NODE_LIST)
		return bad(at, cmd, "a command is a line or a list of lines");
	for (size_t i = 0; rc == 0 && i < cmd->n; i++) {
		if (!lock_is_text(cmd->items[i]))
			return bad(at, cmd->items[i], "a command is a line or a list of lines");
		rc = strvec_push(out, cmd->items[i]->text);
	}
	return rc;
}

static int read_wdir(char **out, const struct lock_place *at, const struct node *wdir)
{
	if (wdir == NULL || wdir->type == NODE_NULL)
		return 0;
	if (!lock_is_text(wdir) || wdir->len == 0)
		return bad(at, wdir, "wdir is a path");
	*out = strdup(wdir->text);
	return *out != NULL ? 0 : err_set(ERR_NOMEM, "out of memory");
}

/* A copy of a map; params have maps in it. */
static int read_map(
	struct node **out, const struct lock_place *at, const struct node *map, int of_maps)
{
	if (map == NULL || map->type == NODE_NULL)
		return 0;
	if (map->type != NODE_MAP)
		return bad(at, map, "params, env and environments are maps");
	for (size_t i = 0; of_maps && i < map->n; i++)
		if (map->items[i]->type != NODE_MAP)
			return bad(at, map->items[i], "the parameters of a file are a map");
	*out = node_dup(map);
	return *out != NULL ? 0 : err_set(ERR_NOMEM, "out of memory");
}

static int read_environment(struct locked_stage *s, const struct lock_place *at,
	const struct node *id, const struct strmap *environments)
{
	const struct node *map;

	if (id == NULL)
		return 0;
	if (id->type == NODE_MAP)
		return read_map(&s->environment, at, id, 0);
	map = lock_is_text(id) ? strmap_get(environments, id->text) : NULL;
	return map != NULL ? read_map(&s->environment, at, map, 0) : 0;
}

int locked_stage_read(struct locked_stage **out, const struct lock_place *at, const char *name,
	const struct node *n, const struct strmap *environments)
{
	struct locked_stage *s = NULL;
	int rc;

	*out = NULL;
	if (n->type != NODE_MAP)
		return bad(at, n, "a stage is a map");
	s = calloc(1, sizeof(*s));
	if (s == NULL || (s->name = strdup(name)) == NULL) {
		rc = err_set(ERR_NOMEM, "out of memory");
		goto done;
	}
	rc = read_cmd(&s->cmd, at, node_get(n, "cmd"));
	if (rc == 0)
		rc = read_wdir(&s->wdir, at, node_get(n, "wdir"));
	if (rc == 0)
		rc = read_paths(&s->deps, &s->n_deps, at, node_get(n, "deps"));
	if (rc == 0)
		rc = read_paths(&s->outs, &s->n_outs, at, node_get(n, "outs"));
	if (rc == 0)
		rc = read_map(&s->params, at, node_get(n, "params"), 1);
	if (rc == 0)
		rc = read_map(&s->env, at, node_get(n, "env"), 0);
	if (rc == 0)
		rc = read_environment(s, at, node_get(n, "environment"), environments);
done:
	if (rc < 0) {
		locked_stage_free(s);
		return rc;
	}
	*out = s;
	return 0;
}

/* ---- writing ---- */

struct sorted_key {
	const char *key;
	const struct node *value;
};

static int cmp_keys(const void *a, const void *b)
{
	const struct sorted_key *x = a, *y = b;

	return strcmp(x->key, y->key);
}

/* The lines of a map, sorted; of its maps, too, when `deep`. */
static int put_map(struct buf *out, const struct node *map, size_t indent, int deep)
{
	struct sorted_key *v = calloc(map->n + 1, sizeof(*v));
	int rc = v != NULL ? 0 : err_set(ERR_NOMEM, "out of memory");

	for (size_t i = 0; rc == 0 && i < map->n; i++)
		v[i] = (struct sorted_key){map->keys[i], map->items[i]};
	if (rc == 0)
		qsort(v, map->n, sizeof(*v), cmp_keys);
	for (size_t i = 0; rc == 0 && i < map->n; i++) {
		rc = buf_addf(out, "%*s", (int)indent, "");
		if (rc == 0)
			rc = yaml_quote(out, v[i].key);
		if (rc == 0 && deep && v[i].value->type == NODE_MAP && v[i].value->n > 0) {
			rc = buf_addstr(out, ":\n");
			if (rc == 0)
				rc = put_map(out, v[i].value, indent + 2, 0);
			continue;
		}
		if (rc == 0)
			rc = buf_addstr(out, ": ");
		if (rc == 0)
			rc = yaml_put_value(out, v[i].value);
		if (rc == 0)
			rc = buf_addch(out, '\n');
	}
	free(v);
	return rc;
}

static int put_paths(struct buf *out, const char *key, const struct locked_path *v, size_t n)
{
	char hex[OID_HEX_LEN + 1];
	int rc = n > 0 ? buf_addf(out, "    %s:\n", key) : 0;

	for (size_t i = 0; rc == 0 && i < n; i++) {
		oid_to_hex(hex, &v[i].fp.oid);
		rc = buf_addstr(out, "    - {path: ");
		if (rc == 0)
			rc = yaml_quote(out, v[i].path);
		if (rc == 0)
			rc = buf_addf(out, ", sha256: %s, size: %llu", hex,
				(unsigned long long)v[i].fp.size);
		if (rc == 0 && v[i].fp.type == FP_DIR)
			rc = buf_addf(out, ", nfiles: %llu", (unsigned long long)v[i].fp.nfiles);
		if (rc == 0 && v[i].fp.executable)
			rc = buf_addstr(out, ", exec: true");
		if (rc == 0)
			rc = buf_addstr(out, "}\n");
	}
	return rc;
}

static int put_cmd(struct buf *out, const struct strvec *cmd)
{
	int rc;

	if (cmd->n == 0)
		return 0;
	rc = buf_addstr(out, cmd->n == 1 ? "    cmd: " : "    cmd:\n");
	for (size_t i = 0; rc == 0 && i < cmd->n; i++) {
		if (cmd->n > 1)
			rc = buf_addstr(out, "    - ");
		if (rc == 0)
			rc = yaml_quote(out, cmd->v[i]);
		if (rc == 0)
			rc = buf_addch(out, '\n');
	}
	return rc;
}

static int put_wdir(struct buf *out, const char *wdir)
{
	int rc = buf_addstr(out, "    wdir: ");

	if (rc == 0)
		rc = yaml_quote(out, wdir);
	return rc == 0 ? buf_addch(out, '\n') : rc;
}

static int has_entries(const struct node *map)
{
	return map != NULL && map->type == NODE_MAP && map->n > 0;
}

int environment_id(char out[static ENVIRONMENT_ID_LEN + 1], const struct node *environment)
{
	struct buf text = BUF_INIT;
	char hex[OID_HEX_LEN + 1];
	struct oid oid;
	int rc = node_json(&text, environment, 1);

	oid_of(&oid, buf_str(&text), text.len);
	oid_to_hex(hex, &oid);
	memcpy(out, hex, ENVIRONMENT_ID_LEN);
	out[ENVIRONMENT_ID_LEN] = '\0';
	buf_release(&text);
	return rc;
}

int environment_format(struct buf *out, const char *id, const struct node *environment)
{
	int rc = buf_addstr(out, "  ");

	if (rc == 0)
		rc = yaml_quote(out, id);
	if (rc == 0)
		rc = buf_addstr(out, ":\n");
	return rc == 0 ? put_map(out, environment, 4, 0) : rc;
}

static int put_unknown(struct buf *out, size_t indent, const char *key, const struct node *value)
{
	int rc = buf_addf(out, "%*s", (int)indent, "");

	if (rc == 0)
		rc = yaml_quote(out, key);
	if (rc == 0)
		rc = buf_addstr(out, ": ");
	if (rc == 0)
		rc = yaml_put_value(out, value);
	return rc == 0 ? buf_addch(out, '\n') : rc;
}

int unknown_key_format(struct buf *out, const char *key, const struct node *value)
{
	return put_unknown(out, 0, key, value);
}

int unknown_entry_format(struct buf *out, const char *name, const struct node *value)
{
	int rc;

	if (!has_entries(value))
		return put_unknown(out, 2, name, value);
	rc = buf_addstr(out, "  ");
	if (rc == 0)
		rc = yaml_quote(out, name);
	if (rc == 0)
		rc = buf_addstr(out, ":\n");
	for (size_t i = 0; rc == 0 && i < value->n; i++)
		rc = put_unknown(out, 4, value->keys[i], value->items[i]);
	return rc;
}

static int put_body(struct buf *out, const struct locked_stage *s, int whole_environment)
{
	char id[ENVIRONMENT_ID_LEN + 1];
	int rc = put_cmd(out, &s->cmd);

	if (rc == 0 && s->wdir != NULL)
		rc = put_wdir(out, s->wdir);
	if (rc == 0)
		rc = put_paths(out, "deps", s->deps, s->n_deps);
	if (rc == 0 && has_entries(s->params)) {
		rc = buf_addstr(out, "    params:\n");
		if (rc == 0)
			rc = put_map(out, s->params, 6, 1);
	}
	if (rc == 0 && has_entries(s->env)) {
		rc = buf_addstr(out, "    env:\n");
		if (rc == 0)
			rc = put_map(out, s->env, 6, 0);
	}
	if (rc == 0)
		rc = put_paths(out, "outs", s->outs, s->n_outs);
	if (rc < 0 || !has_entries(s->environment))
		return rc;
	if (whole_environment) {
		rc = buf_addstr(out, "    environment:\n");
		return rc == 0 ? put_map(out, s->environment, 6, 0) : rc;
	}
	rc = environment_id(id, s->environment);
	if (rc == 0)
		rc = buf_addstr(out, "    environment: ");
	if (rc == 0)
		rc = yaml_quote(out, id);
	return rc == 0 ? buf_addch(out, '\n') : rc;
}

static int put_entry(
	struct buf *out, const char *name, const struct locked_stage *s, int whole_environment)
{
	size_t start;
	int rc = buf_addstr(out, "  ");

	if (rc == 0)
		rc = yaml_quote(out, name);
	if (rc == 0)
		rc = buf_addstr(out, ":\n");
	start = out->len;
	if (rc == 0)
		rc = put_body(out, s, whole_environment);
	if (rc == 0 && out->len == start) { /* nothing to say: still a map */
		buf_truncate(out, start - 1);
		rc = buf_addstr(out, " {}\n");
	}
	return rc;
}

int locked_stage_format(struct buf *out, const struct locked_stage *s)
{
	return put_entry(out, s->name, s, 1);
}

int locked_stage_format_entry(struct buf *out, const char *name, const struct locked_stage *s)
{
	return put_entry(out, name, s, 0);
}

/* ---- the key of the run cache ---- */

/* Texts with their lengths, so that none can be taken for another. */
static int key_text(struct buf *out, char kind, const char *text)
{
	return buf_addf(out, "%c%zu:%s\n", kind, strlen(text), text);
}

static int key_map(struct buf *out, char kind, const struct node *map)
{
	int rc = buf_addf(out, "%c", kind);

	if (rc == 0 && has_entries(map))
		rc = node_json(out, map, 1);
	return rc == 0 ? buf_addch(out, '\n') : rc;
}

int locked_stage_key(struct oid *out, const struct locked_stage *s)
{
	struct buf text = BUF_INIT;
	char hex[OID_HEX_LEN + 1];
	int rc = buf_addstr(&text, "git-dvx run 1\n");

	for (size_t i = 0; rc == 0 && i < s->cmd.n; i++)
		rc = key_text(&text, 'c', s->cmd.v[i]);
	if (rc == 0 && s->wdir != NULL)
		rc = key_text(&text, 'w', s->wdir);
	for (size_t i = 0; rc == 0 && i < s->n_deps; i++) {
		oid_to_hex(hex, &s->deps[i].fp.oid);
		rc = key_text(&text, 'd', s->deps[i].path);
		if (rc == 0)
			rc = buf_addf(&text, "%s %d %d\n", hex, (int)s->deps[i].fp.type,
				s->deps[i].fp.executable);
	}
	if (rc == 0)
		rc = key_map(&text, 'p', s->params);
	if (rc == 0)
		rc = key_map(&text, 'e', s->env);
	for (size_t i = 0; rc == 0 && i < s->n_outs; i++)
		rc = key_text(&text, 'o', s->outs[i].path);
	if (rc == 0)
		oid_of(out, buf_str(&text), text.len);
	buf_release(&text);
	return rc;
}
