/*
 * Any bytes as dvx.yaml: a stage is added, frozen, thawed and removed again.  What is refused is
 * left as it was; what is done says just that, and removing what was added gives the same stages as
 * before.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/pipeline/stageedit.h"
#include "lib/yaml/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char file[] = "dvx.yaml";
static const char name[] = "fuzz-new";

static void require(int condition)
{
	if (!condition)
		abort();
}

/* 1 if the operation was done; one that was not has left the text alone. */
static int done(int rc, const struct buf *before, const struct buf *text)
{
	require(rc >= 0 || rc == ERR_INVALID || rc == ERR_NOTFOUND || rc == ERR_EXISTS ||
		rc == ERR_LIMIT);
	if (rc < 0)
		require(before->len == text->len &&
			memcmp(buf_str(before), buf_str(text), text->len) == 0);
	return rc >= 0;
}

static struct node *parse(const struct buf *text)
{
	struct node *n = NULL;

	require(yaml_parse(&n, file, buf_str(text), text->len) == 0);
	return n;
}

static void copy(struct buf *to, const struct buf *from)
{
	buf_reset(to);
	require(buf_add(to, buf_str(from), from->len) == 0);
}

/* Each stage of the file by its first name: frozen, thawed, removed. */
static void change_first(const struct buf *text)
{
	struct node *root = parse(text), *stages = node_get(root, "stages");
	struct buf changed = BUF_INIT;
	struct node *after;

	if (stages != NULL && stages->type == NODE_MAP && stages->n > 0) {
		copy(&changed, text);
		(void)done(stageedit_freeze(&changed, file, stages->keys[0], 1), text, &changed);
		copy(&changed, text);
		(void)done(stageedit_freeze(&changed, file, stages->keys[0], 0), text, &changed);
		copy(&changed, text);
		if (done(stageedit_remove(&changed, file, stages->keys[0]), text, &changed)) {
			after = parse(&changed);
			require(node_get(node_get(after, "stages"), stages->keys[0]) == NULL);
			node_free(after);
		}
	}
	buf_release(&changed);
	node_free(root);
}

/* Added, and taken away again. */
static void add_and_remove(const struct buf *text)
{
	struct stage_spec s = {.name = name, .cmd = "echo \"x\" # y"};
	struct buf changed = BUF_INIT, again = BUF_INIT;
	struct node *before = parse(text), *after;

	require(strvec_push(&s.outs_no_cache, "a b") == 0);
	copy(&changed, text);
	if (done(stageedit_add(&changed, file, &s, 0), text, &changed)) {
		copy(&again, &changed);
		(void)done(stageedit_freeze(&again, file, name, 1), &changed, &again);
		copy(&again, &changed);
		if (done(stageedit_remove(&again, file, name), &changed, &again) &&
			node_get(before, "stages") != NULL &&
			node_get(before, "stages")->type == NODE_MAP) {
			after = parse(&again);
			require(node_equal(before, after));
			node_free(after);
		}
	}
	node_free(before);
	buf_release(&changed);
	buf_release(&again);
	stage_spec_release(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf text = BUF_INIT, changed = BUF_INIT;
	struct node *root = NULL;

	require(buf_add(&text, data, size) == 0);
	if (yaml_parse(&root, file, data, size) == 0) {
		change_first(&text);
		add_and_remove(&text);
		copy(&changed, &text);
		(void)done(
			stageedit_metric(&changed, file, "m.json", "json", "acc"), &text, &changed);
	}
	node_free(root);
	buf_release(&text);
	buf_release(&changed);
	return 0;
}
