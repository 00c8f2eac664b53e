/*
 * The file dvx.lock (docs/dvx-lock.md).  Entries are changed as blocks of lines: what a run does
 * not concern stays byte for byte, with keys of later versions in it, so that a diff and a merge
 * see what really changed.
 */
#include "lib/pipeline/stagelock.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/base/markers.h"
#include "lib/pipeline/stagelock_internal.h"
#include "lib/yaml/yaml.h"

static void free_blocks(struct lock_blocks *b)
{
	for (size_t i = 0; i < b->n; i++) {
		free(b->v[i].name);
		free(b->v[i].text);
		free(b->v[i].environment);
		locked_stage_free(b->v[i].stage);
	}
	free(b->v);
}

void stagelock_free(struct stagelock *l)
{
	if (l == NULL)
		return;
	free(l->head);
	free_blocks(&l->stages);
	free_blocks(&l->environments);
	free_blocks(&l->others);
	strmap_release(&l->by_name, NULL);
	node_free(l->root);
	free(l);
}

struct lock_block *lock_block_add(struct lock_blocks *b, const char *name)
{
	struct lock_block new = {.name = strdup(name)};

	if (new.name == NULL)
		return NULL;
	if (array_room(&b->v, b->n, &b->cap, sizeof(*b->v)) < 0) {
		free(new.name);
		return NULL;
	}
	b->v[b->n] = new;
	return &b->v[b->n++];
}

/* ---- reading ---- */

struct reading {
	struct stagelock *l;
	struct lock_place at;
	const char *text;
	size_t len;
	size_t *lines; /* offset of each line, and of the end */
	size_t n_lines;
	int other_breaks;	    /* YAML's lines are others than these */
	struct strmap environments; /* id -> node */
};

/* What YAML 1.1 takes for the end of a line besides LF and CR LF: CR, NEL, LS, PS. */
static int is_other_break(const char *p, size_t left)
{
	return (p[0] == '\r' && (left < 2 || p[1] != '\n')) ||
	       (left >= 2 && memcmp(p, "\xc2\x85", 2) == 0) ||
	       (left >= 3 &&
		       (memcmp(p, "\xe2\x80\xa8", 3) == 0 || memcmp(p, "\xe2\x80\xa9", 3) == 0));
}

static int find_lines(struct reading *r)
{
	size_t n = 2;

	for (size_t i = 0; i < r->len; i++) {
		n += r->text[i] == '\n';
		r->other_breaks |= is_other_break(r->text + i, r->len - i);
	}
	r->lines = reallocarray(NULL, n, sizeof(*r->lines));
	if (r->lines == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	r->lines[r->n_lines++] = 0;
	for (size_t i = 0; i < r->len; i++)
		if (r->text[i] == '\n' && i + 1 < r->len)
			r->lines[r->n_lines++] = i + 1;
	r->lines[r->n_lines] = r->len;
	return 0;
}

/* What a merge leaves when both sides ran the same stage. */
static int refuse_conflict(const struct reading *r)
{
	for (size_t i = 0; i < r->n_lines; i++)
		if (markers_at(r->text + r->lines[i], r->len - r->lines[i]))
			return err_set(ERR_INVALID,
				"%s:%zu: a merge left a conflict here; keep one version of the "
				"stage and remove the marker lines, or take a whole side ('git "
				"checkout --ours %s' or '--theirs'), then 'git add' it; 'git dvx "
				"repro' runs what then differs",
				r->at.file, i + 1, r->at.file);
	return 0;
}

/* The text of lines [from, to), counted from 1, ending in a newline. */
static char *lines_text(const struct reading *r, size_t from, size_t to)
{
	struct buf text = BUF_INIT;
	size_t start, end;

	if (from == 0 || from > to || to > r->n_lines + 1)
		return NULL;
	start = r->lines[from - 1];
	end = to > r->n_lines ? r->len : r->lines[to - 1];
	if (buf_add(&text, r->text + start, end - start) < 0 ||
		(end > start && r->text[end - 1] != '\n' && buf_addch(&text, '\n') < 0)) {
		buf_release(&text);
		return NULL;
	}
	return buf_detach(&text);
}

/* Whether the i-th key of a map begins a line of its own, `indent` spaces deep: as we write it. */
static int is_block(const struct reading *r, const struct node *map, size_t i, size_t indent)
{
	unsigned line = map->items[i]->key_line;
	size_t at, end;

	if (r->other_breaks || line == 0 || line > r->n_lines ||
		(i > 0 && line <= map->items[i - 1]->key_line))
		return 0;
	at = r->lines[line - 1] + indent;
	end = r->lines[line];
	return at < end && r->text[at] != '{' && r->text[at] != '\n' && r->text[at] != ' ' &&
	       strspn(r->text + at - indent, " ") == indent;
}

/* Whether a line is nothing but a comment, or belongs to the begin of the document. */
static int is_head_line(const char *p, size_t len)
{
	while (len > 0 && strchr(" \t\r\n", p[len - 1]) != NULL)
		len--;
	if (len >= 3 && (memcmp(p, "---", 3) == 0 || memcmp(p, "\xef\xbb\xbf", 3) == 0)) {
		p += 3;
		len -= 3;
	}
	if (len == 0 || *p == '%')
		return 1;
	while (*p == ' ' || *p == '\t')
		p++;
	return *p == '#';
}

/* Whether the lines before this one, counted from 1, can stay in front of the file. */
static int is_head(const struct reading *r, size_t line)
{
	for (size_t i = 0; i + 1 < line; i++)
		if (!is_head_line(r->text + r->lines[i], r->lines[i + 1] - r->lines[i]))
			return 0;
	return line > 1;
}

/* The lines of the i-th entry of `map`, which ends before the line `end`; NULL when they are not
 * as we write them. */
static char *block_text(
	const struct reading *r, const struct node *map, size_t i, size_t indent, size_t end)
{
	if (!is_block(r, map, i, indent))
		return NULL;
	if (i + 1 < map->n) {
		if (!is_block(r, map, i + 1, indent))
			return NULL;
		end = map->items[i + 1]->key_line;
	}
	return lines_text(r, map->items[i]->key_line, end);
}

/* A block of the i-th key of `map`. */
static struct lock_block *add_block(const struct reading *r, struct lock_blocks *to,
	const struct node *map, size_t i, size_t indent, size_t end)
{
	struct lock_block *b = lock_block_add(to, map->keys[i]);

	if (b == NULL) {
		(void)err_no_memory();
		return NULL;
	}
	b->value = map->items[i];
	b->text = block_text(r, map, i, indent, end);
	return b;
}

static int read_stage(struct reading *r, const struct node *map, size_t i, size_t end)
{
	const struct node *n = map->items[i], *id = node_get(n, "environment");
	struct lock_block *b = add_block(r, &r->l->stages, map, i, 2, end);
	int rc;

	if (b == NULL)
		return ERR_NOMEM;
	rc = locked_stage_read(&b->stage, &r->at, map->keys[i], n, &r->environments);
	if (rc < 0)
		return rc;
	if (id != NULL && lock_is_text(id) && (b->environment = strdup(id->text)) == NULL)
		return err_no_memory();
	return strmap_put(&r->l->by_name, map->keys[i], b->stage);
}

static int read_stages(struct reading *r, const struct node *map, size_t end)
{
	int rc = 0;

	if (map == NULL || map->type == NODE_NULL)
		return 0;
	if (map->type != NODE_MAP)
		return err_set(ERR_INVALID, "%s:%u: stages are a map; %s", r->at.file, map->line,
			r->at.mend);
	for (size_t i = 0; rc == 0 && i < map->n; i++)
		rc = read_stage(r, map, i, end);
	return rc;
}

static int read_environments(struct reading *r, const struct node *map, size_t end)
{
	int rc = 0;

	if (map == NULL || map->type == NODE_NULL)
		return 0;
	if (map->type != NODE_MAP)
		return err_set(ERR_INVALID, "%s:%u: environments are a map; %s", r->at.file,
			map->line, r->at.mend);
	for (size_t i = 0; rc == 0 && i < map->n; i++) {
		if (map->items[i]->type != NODE_MAP && map->items[i]->type != NODE_NULL)
			return err_set(ERR_INVALID, "%s:%u: an environment is a map; %s",
				r->at.file, map->items[i]->line, r->at.mend);
		if (add_block(r, &r->l->environments, map, i, 2, end) == NULL)
			return ERR_NOMEM;
		rc = strmap_put(&r->environments, map->keys[i], map->items[i]);
	}
	return rc;
}

static int check_schema(const struct reading *r, const struct node *root)
{
	const struct node *s = node_get(root, "schema");

	if (s != NULL && node_is_scalar(s) && strcmp(s->text, STAGELOCK_SCHEMA) == 0)
		return 0;
	if (s != NULL && node_is_scalar(s) && strncmp(s->text, "dvx/", 4) == 0)
		return err_set(ERR_UNSUPPORTED,
			"%s:%u: its schema is %s, this git-dvx knows %s; use a newer git-dvx",
			r->at.file, s->line, s->text, STAGELOCK_SCHEMA);
	if (s == NULL || (node_is_scalar(s) && strncmp(s->text, "2.", 2) == 0))
		return err_set(ERR_INVALID,
			"%s:%u: this is a lock file of DVC; remove it ('git dvx repro' writes "
			"ours), or move it to dvc.lock",
			r->at.file, s != NULL ? s->line : 1);
	return err_set(ERR_INVALID, "%s:%u: its schema is not %s; %s", r->at.file, s->line,
		STAGELOCK_SCHEMA, r->at.mend);
}

/* The line behind the value of a top-level key; 0: nobody knows, a merged key follows. */
static size_t end_of(const struct reading *r, const struct node *root, const char *key)
{
	size_t i = 0;

	while (i < root->n && strcmp(root->keys[i], key) != 0)
		i++;
	if (i + 1 >= root->n)
		return r->n_lines + 1;
	return is_block(r, root, i + 1, 0) ? root->items[i + 1]->key_line : 0;
}

static int is_known(const char *key)
{
	return strcmp(key, "schema") == 0 || strcmp(key, "stages") == 0 ||
	       strcmp(key, "environments") == 0;
}

static int read_root(struct reading *r, const struct node *root)
{
	int rc = check_schema(r, root);

	if (rc == 0 && root->n > 0 && is_block(r, root, 0, 0) &&
		is_head(r, root->items[0]->key_line))
		r->l->head = lines_text(r, 1, root->items[0]->key_line);
	if (rc == 0)
		rc = read_environments(
			r, node_get(root, "environments"), end_of(r, root, "environments"));
	if (rc == 0)
		rc = read_stages(r, node_get(root, "stages"), end_of(r, root, "stages"));
	for (size_t i = 0; rc == 0 && i < root->n; i++)
		if (!is_known(root->keys[i]) &&
			add_block(r, &r->l->others, root, i, 0, r->n_lines + 1) == NULL)
			rc = ERR_NOMEM;
	return rc;
}

int stagelock_parse(struct stagelock **out, const char *name, const void *text, size_t len)
{
	struct reading r = {.at = {name, "'git checkout' an older version of it, or remove it: "
					 "'git dvx repro' writes it again"},
		.text = text,
		.len = len,
		.environments = STRMAP_INIT};
	int rc;

	*out = NULL;
	if (len > STAGELOCK_BYTES_MAX)
		return err_set(
			ERR_LIMIT, "'%s' is larger than %d MiB", name, STAGELOCK_BYTES_MAX >> 20);
	r.l = calloc(1, sizeof(*r.l));
	if (r.l == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	rc = find_lines(&r);
	if (rc == 0)
		rc = refuse_conflict(&r);
	if (rc == 0)
		rc = yaml_parse(&r.l->root, name, text, len);
	if (rc == 0 && r.l->root->type == NODE_MAP)
		rc = read_root(&r, r.l->root);
	else if (rc == 0 && r.l->root->type != NODE_NULL)
		rc = err_set(ERR_INVALID, "%s:1: this is no dvx.lock; %s", name, r.at.mend);
	free(r.lines);
	strmap_release(&r.environments, NULL);
	if (rc < 0) {
		stagelock_free(r.l);
		return rc;
	}
	*out = r.l;
	return 0;
}

int stagelock_load(struct stagelock **out, struct source *src, const char *path)
{
	struct buf text = {.max = STAGELOCK_BYTES_MAX};
	int rc = source_read(src, path, STAGELOCK_BYTES_MAX, &text);

	*out = NULL;
	if (rc == ERR_NOTFOUND && source_has(src, path) == 0)
		rc = 0;
	if (rc == 0)
		rc = stagelock_parse(out, path, buf_str(&text), text.len);
	buf_release(&text);
	return rc;
}

const struct locked_stage *stagelock_get(const struct stagelock *l, const char *name)
{
	return strmap_get(&l->by_name, name);
}

int stagelock_each(
	const struct stagelock *l, int (*fn)(const struct locked_stage *s, void *data), void *data)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < l->stages.n; i++)
		rc = fn(l->stages.v[i].stage, data);
	return rc;
}
