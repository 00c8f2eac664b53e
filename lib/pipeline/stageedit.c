/*
 * Stages put into the text of dvx.yaml, taken out of it, frozen and thawed.
 *
 * The text is parsed for the places of its nodes; lines are inserted, replaced or cut on a copy;
 * the copy is parsed again and compared with the tree that is meant.  Only then it becomes the
 * text: a file written in a way that is not foreseen here (anchors across stages, a second
 * document) is refused, never damaged.
 */
#include "lib/pipeline/stageedit.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/nearest.h"
#include "lib/pipeline/stageedit_spec.h"
#include "lib/pipeline/stageedit_text.h"
#include "lib/yaml/yaml.h"

struct edit {
	const char *file;
	const struct buf *before;
	struct buf after;      /* what the text becomes */
	struct node *root;     /* of `before` */
	struct node *stages;   /* in root; NULL: not there */
	struct node *expected; /* what `after` has to say */
	struct stageedit_style style;
};

/* ---- begin and end ---- */

/* An empty file, and a file whose `stages:` is empty, are as good as one without stages. */
static int begin(struct edit *e, const struct buf *text, const char *file)
{
	int rc;

	*e = (struct edit){.file = file, .before = text};
	rc = yaml_parse(&e->root, file, buf_str(text), text->len);
	if (rc < 0)
		return rc;
	if (e->root->type != NODE_MAP && e->root->type != NODE_NULL)
		return err_set(ERR_INVALID, "%s:%u: %s where a map with 'stages:' should be", file,
			e->root->line, node_type_name(e->root));
	e->stages = node_get(e->root, "stages");
	if (e->stages != NULL && e->stages->type != NODE_MAP && e->stages->type != NODE_NULL)
		return err_set(ERR_INVALID, "%s:%u: 'stages' is %s, it should be a map", file,
			e->stages->line, node_type_name(e->stages));
	stageedit_style(&e->style, text, e->stages);
	e->expected = e->root->type == NODE_MAP ? node_dup(e->root) : node_map();
	if (e->expected == NULL)
		return err_no_memory();
	return buf_add(&e->after, buf_str(text), text->len);
}

static void release(struct edit *e)
{
	node_free(e->root);
	node_free(e->expected);
	buf_release(&e->after);
}

/* 1 if the new text says what it should. */
static int is_right(const struct edit *e)
{
	struct node *now = NULL;
	int right = yaml_parse(&now, e->file, buf_str(&e->after), e->after.len) == 0 &&
		    node_equal(now, e->expected);

	node_free(now);
	return right;
}

/* Hand the new text over. */
static int finish(struct edit *e, struct buf *text)
{
	if (!is_right(e))
		return err_set(ERR_INVALID,
			"'%s' is written in a way that this program does not edit; change it by "
			"hand",
			e->file);
	buf_reset(text);
	return buf_add(text, buf_str(&e->after), e->after.len);
}

/* The place of stage `name`; ERR_NOTFOUND with what can be said about it. */
static int find_stage(size_t *index, const struct edit *e, const char *name)
{
	const char *at = strchr(name, '@');
	struct nearest near;

	for (size_t i = 0; e->stages != NULL && i < e->stages->n; i++) {
		if (strcmp(e->stages->keys[i], name) == 0) {
			*index = i;
			return 0;
		}
	}
	for (size_t i = 0; at != NULL && e->stages != NULL && i < e->stages->n; i++)
		if (strncmp(e->stages->keys[i], name, (size_t)(at - name)) == 0 &&
			e->stages->keys[i][at - name] == '\0')
			return err_set(ERR_NOTFOUND,
				"'%s' is one of the stages that '%s' makes (%s:%u); name that one",
				name, e->stages->keys[i], e->file, e->stages->items[i]->key_line);
	nearest_init(&near, name);
	for (size_t i = 0; e->stages != NULL && i < e->stages->n; i++)
		nearest_offer(&near, e->stages->keys[i]);
	return err_set(ERR_NOTFOUND, "no stage '%s' in '%s'%s%s%s", name, e->file,
		near.best != NULL ? "; the most similar one is '" : "",
		near.best != NULL ? near.best : "", near.best != NULL ? "'" : "");
}

/* The map `stages` of the expected tree, made if it is not there. */
static struct node *expected_stages(struct edit *e)
{
	struct node *stages = node_get(e->expected, "stages");

	if (stages != NULL && stages->type == NODE_MAP)
		return stages;
	stages = node_map();
	if (stages == NULL || node_set(e->expected, "stages", stages) < 0)
		return NULL;
	return stages;
}

/* Remove a key of a map of the expected tree. */
static void drop_key(struct node *map, const char *key)
{
	for (size_t i = 0; i < map->n; i++) {
		if (strcmp(map->keys[i], key) != 0)
			continue;
		free(map->keys[i]);
		node_free(map->items[i]);
		map->n--;
		memmove(map->keys + i, map->keys + i + 1, (map->n - i) * sizeof *map->keys);
		memmove(map->items + i, map->items + i + 1, (map->n - i) * sizeof *map->items);
		return;
	}
}

/* ---- adding ---- */

/* Append "name:" and the stage as block text. */
static int block_stage(struct buf *out, const struct edit *e, const struct stage_spec *s,
	const struct node *stage, size_t indent)
{
	struct node *map = node_map(), *copy = node_dup(stage);
	int rc = err_no_memory();

	if (map != NULL && copy != NULL) {
		rc = node_set(map, s->name, copy);
		copy = NULL;
	}
	if (rc == 0)
		rc = stageedit_emit(out, map, indent, &e->style);
	node_free(copy);
	node_free(map);
	return rc;
}

/* `stages:` is a block with stages in it: behind the last one. */
static int add_to_block(struct edit *e, const struct stage_spec *s, const struct node *stage)
{
	struct stageedit_lines last;
	struct buf lines = BUF_INIT;
	int rc = 0;

	stageedit_entry(&last, e->before, e->stages->items[e->stages->n - 1]);
	if (last.end > 0 && e->before->p[last.end - 1] != '\n')
		rc = buf_addstr(&lines, e->style.eol);
	if (rc == 0 && e->style.blank_lines)
		rc = buf_addstr(&lines, e->style.eol);
	if (rc == 0)
		rc = block_stage(&lines, e, s, stage, last.indent);
	if (rc == 0)
		rc = stageedit_splice(&e->after, last.end, last.end, lines.p, lines.len);
	buf_release(&lines);
	return rc;
}

/* `stages:` is empty ("", "{}", "~"): below its line. */
static int add_below_key(struct edit *e, const struct stage_spec *s, const struct node *stage)
{
	struct stageedit_lines key;
	struct buf lines = BUF_INIT;
	size_t start = e->stages->start, end = e->stages->end;
	int rc = 0;

	stageedit_entry(&key, e->before, e->stages);
	if (key.end > 0 && e->before->p[key.end - 1] != '\n')
		rc = buf_addstr(&lines, e->style.eol);
	if (rc == 0)
		rc = block_stage(&lines, e, s, stage, key.indent + e->style.step);
	if (rc == 0)
		rc = stageedit_splice(&e->after, key.end, key.end, lines.p, lines.len);
	while (start > 0 && end > start && e->before->p[start - 1] == ' ')
		start--;
	if (rc == 0 && end > start)
		rc = stageedit_splice(&e->after, start, end, "", 0);
	buf_release(&lines);
	return rc;
}

/* There is no `stages:` yet: at the end of the file. */
static int add_with_key(struct edit *e, const struct stage_spec *s, const struct node *stage)
{
	int rc = 0;

	if (e->after.len > 0 && e->after.p[e->after.len - 1] != '\n')
		rc = buf_addstr(&e->after, e->style.eol);
	if (rc == 0)
		rc = buf_addf(&e->after, "stages:%s", e->style.eol);
	return rc == 0 ? block_stage(&e->after, e, s, stage, e->style.step) : rc;
}

/* The whole file is a map in braces without `stages`. */
static int add_to_flow_root(struct edit *e, const struct stage_spec *s, const struct node *stage)
{
	struct node *stages, *copy;
	int rc;

	if (e->root->n == 0) {
		rc = stageedit_splice(&e->after, e->root->start, e->root->end, "", 0);
		buf_rtrim(&e->after);
		return rc == 0 ? add_with_key(e, s, stage) : rc;
	}
	stages = node_map();
	copy = node_dup(stage);
	rc = stages != NULL && copy != NULL ? 0 : err_no_memory();
	if (rc == 0) {
		rc = node_set(stages, s->name, copy);
		copy = NULL;
	}
	if (rc == 0)
		rc = stageedit_flow_add(&e->after, e->root, "stages", stages);
	node_free(copy);
	node_free(stages);
	return rc;
}

static int add_stage(struct edit *e, const struct stage_spec *s, const struct node *stage)
{
	const int flow_root = e->root->type == NODE_MAP && stageedit_is_flow(e->before, e->root);

	if (e->stages == NULL)
		return flow_root ? add_to_flow_root(e, s, stage) : add_with_key(e, s, stage);
	if (e->stages->type == NODE_MAP && e->stages->n > 0 &&
		!stageedit_is_flow(e->before, e->stages))
		return add_to_block(e, s, stage);
	if (e->stages->type == NODE_MAP && (e->stages->n > 0 || flow_root))
		return stageedit_flow_add(&e->after, e->stages, s->name, stage);
	return add_below_key(e, s, stage);
}

static int replace_stage(
	struct edit *e, size_t index, const struct stage_spec *s, const struct node *stage)
{
	const struct node *old = e->stages->items[index];
	struct stageedit_lines l;
	struct buf text = BUF_INIT;
	int rc;

	if (stageedit_is_flow(e->before, e->stages)) {
		rc = node_json(&text, stage, 0);
		l = (struct stageedit_lines){old->start, old->end, 0};
	} else {
		stageedit_entry(&l, e->before, old);
		rc = block_stage(&text, e, s, stage, l.indent);
	}
	if (rc == 0)
		rc = stageedit_splice(&e->after, l.start, l.end, text.p, text.len);
	buf_release(&text);
	return rc;
}

static int add_or_replace(
	struct edit *e, const struct stage_spec *s, const struct node *stage, int force)
{
	size_t index;
	int rc = find_stage(&index, e, s->name);

	if (rc == ERR_NOTFOUND)
		return add_stage(e, s, stage);
	if (rc == 0 && !force)
		return err_set(ERR_EXISTS,
			"stage '%s' exists already in '%s' (line %u); --force replaces it", s->name,
			e->file, e->stages->items[index]->key_line);
	return rc == 0 ? replace_stage(e, index, s, stage) : rc;
}

int stageedit_add(struct buf *text, const char *file, const struct stage_spec *s, int force)
{
	struct edit e = {0};
	struct node *stage = NULL, *stages;
	int rc = stageedit_check_name(s->name);

	if (rc == 0)
		rc = stageedit_spec_node(&stage, s);
	if (rc == 0)
		rc = begin(&e, text, file);
	if (rc < 0)
		goto done;
	rc = add_or_replace(&e, s, stage, force);
	if (rc < 0)
		goto done;
	stages = expected_stages(&e);
	rc = stages != NULL ? node_set(stages, s->name, stage) : err_no_memory();
	if (stages != NULL)
		stage = NULL; /* taken over */
	if (rc == 0)
		rc = finish(&e, text);
done:
	node_free(stage);
	release(&e);
	return rc;
}

/* ---- removing ---- */

/* The last stage goes: "stages:" without any becomes "stages: {}". */
static int leave_empty(struct edit *e)
{
	struct stageedit_lines key;
	const char *colon;
	size_t pos;

	stageedit_entry(&key, e->before, e->stages);
	if (key.start >= e->after.len)
		return 0; /* an alias of stages that stood above; is_right() will say so */
	colon = memchr(e->after.p + key.start, ':', e->after.len - key.start);
	if (colon == NULL)
		return 0; /* as above */
	pos = (size_t)(colon - e->after.p) + 1;
	return stageedit_splice(&e->after, pos, pos, " {}", 3);
}

static int remove_lines(struct edit *e, size_t index)
{
	struct stageedit_lines l;
	int rc;

	stageedit_entry(&l, e->before, e->stages->items[index]);
	stageedit_take_comments(&l, e->before);
	/* of the empty lines on both sides one remains */
	if (l.start > 0 &&
		stageedit_is_blank(e->before, stageedit_line_before(e->before, l.start)) &&
		stageedit_is_blank(e->before, l.end))
		l.start = stageedit_line_before(e->before, l.start);
	rc = stageedit_splice(&e->after, l.start, l.end, "", 0);
	return rc == 0 && e->stages->n == 1 ? leave_empty(e) : rc;
}

int stageedit_remove(struct buf *text, const char *file, const char *name)
{
	struct edit e = {0};
	size_t index;
	int rc = begin(&e, text, file);

	if (rc == 0)
		rc = find_stage(&index, &e, name);
	if (rc < 0)
		goto done;
	drop_key(node_get(e.expected, "stages"), name);
	rc = stageedit_is_flow(text, e.stages) ? stageedit_flow_remove(&e.after, e.stages, index)
					       : remove_lines(&e, index);
	if (rc == 0)
		rc = finish(&e, text);
done:
	release(&e);
	return rc;
}

/* ---- freezing ---- */

/* What holds the stage's keys: the stages of a foreach or matrix are below `do:`. */
static struct node *body_of(struct node *stage)
{
	struct node *body = node_get(stage, "do");

	return body != NULL && body->type == NODE_MAP ? body : stage;
}

static int add_frozen(struct edit *e, const struct node *body, struct node *value)
{
	struct stageedit_lines l;
	struct buf line = BUF_INIT;
	int rc = 0;

	if (stageedit_is_flow(e->before, body))
		return stageedit_flow_add(&e->after, body, "frozen", value);
	stageedit_entry(&l, e->before, body->items[body->n - 1]);
	if (l.end > 0 && e->before->p[l.end - 1] != '\n')
		rc = buf_addstr(&line, e->style.eol);
	if (rc == 0)
		rc = buf_addf(&line, "%*sfrozen: true%s", (int)l.indent, "", e->style.eol);
	if (rc == 0)
		rc = stageedit_splice(&e->after, l.end, l.end, line.p, line.len);
	buf_release(&line);
	return rc;
}

static int take_frozen(struct edit *e, const struct node *body)
{
	struct stageedit_lines l;
	size_t i = 0;

	while (strcmp(body->keys[i], "frozen") != 0)
		i++;
	if (stageedit_is_flow(e->before, body))
		return stageedit_flow_remove(&e->after, body, i);
	stageedit_entry(&l, e->before, body->items[i]);
	return stageedit_splice(&e->after, l.start, l.end, "", 0);
}

/* The text of a scalar that is there, and what is expected of it. */
static int set_frozen(struct edit *e, const struct node *body, struct node *expected, int frozen)
{
	const struct node *old = node_get(body, "frozen");
	struct node *value;
	int rc;

	if (!frozen) {
		drop_key(expected, "frozen");
		return take_frozen(e, body);
	}
	value = node_bool(1);
	if (value == NULL)
		return err_no_memory();
	rc = old != NULL ? stageedit_splice(&e->after, old->start, old->end, "true", 4)
			 : add_frozen(e, body, value);
	if (rc < 0) {
		node_free(value);
		return rc;
	}
	return node_set(expected, "frozen", value);
}

int stageedit_freeze(struct buf *text, const char *file, const char *name, int frozen)
{
	struct edit e = {0};
	const struct node *now;
	struct node *body;
	size_t index;
	int rc = begin(&e, text, file);

	if (rc == 0)
		rc = find_stage(&index, &e, name);
	if (rc < 0)
		goto done;
	body = body_of(e.stages->items[index]);
	if (body->type != NODE_MAP || body->n == 0) {
		rc = err_set(ERR_INVALID, "%s:%u: stage '%s' is no map with a command", file,
			e.stages->items[index]->key_line, name);
		goto done;
	}
	now = node_get(body, "frozen");
	if (frozen ? now != NULL && now->type == NODE_BOOL && now->i : now == NULL)
		goto done; /* it says so already */
	rc = set_frozen(&e, body, body_of(node_get(node_get(e.expected, "stages"), name)), frozen);
	if (rc == 0)
		rc = finish(&e, text);
	rc = rc == 0 ? 1 : rc;
done:
	release(&e);
	return rc;
}
