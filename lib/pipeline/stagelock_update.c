/*
 * Changing dvx.lock: under a lock of ours the file is read again, the blocks of the stages that
 * were run are replaced, and it is written in one rename - or left alone when nothing differs.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/lockfile.h"
#include "lib/pipeline/stagelock_internal.h"
#include "lib/repo/textfile.h"
#include "lib/yaml/yaml.h"

struct lock_block *lock_block_find(const struct lock_blocks *b, const char *name)
{
	for (size_t i = 0; i < b->n; i++)
		if (strcmp(b->v[i].name, name) == 0)
			return &b->v[i];
	return NULL;
}

/* Give the block this text, which is taken over.  `rc` is that of making it, and is returned. */
static int take_text(struct lock_block *b, struct buf *text, int rc)
{
	free(b->text);
	b->text = NULL;
	if (rc == 0 && (b->text = buf_detach(text)) == NULL)
		rc = err_no_memory();
	buf_release(text);
	return rc;
}

/* An id is the hash of what it stands for: what stands there and is something else is replaced. */
static int put_environment(
	struct stagelock *l, struct lock_block *stage, const struct node *environment)
{
	struct buf text = BUF_INIT;
	char id[ENVIRONMENT_ID_LEN + 1];
	struct lock_block *b;
	int rc = environment_id(id, environment);

	if (rc < 0)
		return rc;
	stage->environment = strdup(id);
	if (stage->environment == NULL)
		return err_no_memory();
	b = lock_block_find(&l->environments, id);
	if (b != NULL && node_equal(b->value, environment))
		return 0;
	if (b == NULL && (b = lock_block_add(&l->environments, id)) == NULL)
		return err_no_memory();
	b->value = environment;
	return take_text(b, &text, environment_format(&text, id, environment));
}

/* Let the entry say what `s` does. */
static int put_stage(struct stagelock *l, struct lock_block *b, const struct locked_stage *s)
{
	struct buf text = BUF_INIT;
	int rc = take_text(b, &text, locked_stage_format_entry(&text, b->name, s));

	b->changed = s;
	free(b->environment);
	b->environment = NULL;
	if (rc == 0 && s->environment != NULL && s->environment->n > 0)
		return put_environment(l, b, s->environment);
	return rc;
}

static int change(struct stagelock *l, const struct stagelock_change *c)
{
	struct lock_block *b = lock_block_find(&l->stages, c->name);

	if (c->stage == NULL) {
		if (b == NULL)
			return 0;
		free(b->name);
		free(b->text);
		free(b->environment);
		locked_stage_free(b->stage);
		memmove(b, b + 1, (size_t)(l->stages.v + --l->stages.n - b) * sizeof(*b));
		return 0;
	}
	if (b == NULL && (b = lock_block_add(&l->stages, c->name)) == NULL)
		return err_no_memory();
	return put_stage(l, b, c->stage);
}

/* ---- blocks that are not as we write them ---- */

/* 1 if this text of one entry says what `value` does. */
static int says(const struct buf *text, const struct node *value)
{
	struct node *read = NULL;
	int same = yaml_parse(&read, "entry", buf_str(text), text->len) == 0 &&
		   read->type == NODE_MAP && read->n == 1 && node_equal(read->items[0], value);

	node_free(read);
	return same;
}

/* As a run would write it, where that says all. */
static int format_stage(struct lock_block *b)
{
	struct buf text = BUF_INIT;
	int rc = locked_stage_format_entry(&text, b->name, b->stage);

	if (rc == 0 && !says(&text, b->value)) {
		err_clear();
		buf_reset(&text);
		rc = unknown_entry_format(&text, b->name, b->value);
	}
	return take_text(b, &text, rc);
}

static int format_environment(struct lock_block *b)
{
	struct buf text = BUF_INIT;

	return take_text(b, &text, environment_format(&text, b->name, b->value));
}

static int format_unknown_key(struct lock_block *b)
{
	struct buf text = BUF_INIT;

	return take_text(b, &text, unknown_key_format(&text, b->name, b->value));
}

static int format_blocks(struct lock_blocks *b, int (*format)(struct lock_block *b))
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < b->n; i++)
		if (b->v[i].text == NULL)
			rc = format(&b->v[i]);
	return rc;
}

int stagelock_format_blocks(struct stagelock *l)
{
	int rc = format_blocks(&l->stages, format_stage);

	if (rc == 0)
		rc = format_blocks(&l->environments, format_environment);
	return rc == 0 ? format_blocks(&l->others, format_unknown_key) : rc;
}

/* All blocks will be written from what they say, not as they stood. */
static void forget_texts(struct lock_blocks *b)
{
	for (size_t i = 0; i < b->n; i++) {
		free(b->v[i].text);
		b->v[i].text = NULL;
	}
}

/* ---- the whole text ---- */

static int cmp_blocks(const void *a, const void *b)
{
	const struct lock_block *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int put_blocks(struct buf *out, struct lock_blocks *b)
{
	int rc = 0;

	if (b->n > 1)
		qsort(b->v, b->n, sizeof(*b->v), cmp_blocks);
	for (size_t i = 0; rc == 0 && i < b->n; i++)
		rc = buf_addstr(out, b->v[i].text);
	return rc;
}

/* Forget the environments that no stage names. */
static int collect_environments(struct stagelock *l)
{
	struct strmap used = STRMAP_INIT;
	size_t kept = 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < l->stages.n; i++)
		if (l->stages.v[i].environment != NULL)
			rc = strmap_put(&used, l->stages.v[i].environment, NULL);
	for (size_t i = 0; rc == 0 && i < l->environments.n; i++) {
		struct lock_block *e = &l->environments.v[i];

		if (strmap_has(&used, e->name)) {
			l->environments.v[kept++] = *e;
		} else {
			free(e->name);
			free(e->text);
		}
	}
	if (rc == 0)
		l->environments.n = kept;
	strmap_release(&used, NULL);
	return rc;
}

int stagelock_format(struct buf *out, struct stagelock *l)
{
	int rc = stagelock_format_blocks(l);

	if (rc == 0)
		rc = buf_addf(out, "%sschema: %s\n%s", l->head != NULL ? l->head : "",
			STAGELOCK_SCHEMA, l->stages.n > 0 ? "stages:\n" : "stages: {}\n");
	if (rc == 0)
		rc = put_blocks(out, &l->stages);
	if (rc == 0)
		rc = collect_environments(l);
	if (rc == 0 && l->environments.n > 0)
		rc = buf_addstr(out, "environments:\n");
	if (rc == 0)
		rc = put_blocks(out, &l->environments);
	return rc == 0 ? put_blocks(out, &l->others) : rc;
}

/* ---- is the result what was meant ---- */

/* As locked stages: an environment is compared by what it is. */
static int same_entry(const char *name, const struct locked_stage *a, const struct locked_stage *b)
{
	struct buf x = BUF_INIT, y = BUF_INIT;
	int same = b != NULL && locked_stage_format_entry(&x, name, a) == 0 &&
		   locked_stage_format_entry(&y, name, b) == 0 && strcmp(x.p, y.p) == 0;

	buf_release(&x);
	buf_release(&y);
	return same;
}

/* Both are sorted: the one to be written, the other because it was read from that. */
static const char *difference(const struct lock_blocks *written, const struct lock_blocks *read)
{
	for (size_t i = 0; i < written->n; i++) {
		const struct lock_block *w = &written->v[i], *r = &read->v[i];

		if (i == read->n || strcmp(w->name, r->name) != 0 ||
			!(w->changed != NULL ? same_entry(w->name, w->changed, r->stage)
					     : node_equal(w->value, r->value)))
			return w->name;
	}
	return written->n < read->n ? read->v[written->n].name : NULL;
}

const char *stagelock_difference(const struct stagelock *written, const struct stagelock *read)
{
	const char *name = difference(&written->stages, &read->stages);

	if (name == NULL)
		name = difference(&written->environments, &read->environments);
	return name != NULL ? name : difference(&written->others, &read->others);
}

/* 1 if the text is one that stays what it is when nothing is changed in it; negative errors. */
static int is_as_we_write_it(const struct buf *text, struct stagelock *l)
{
	struct buf again = BUF_INIT;
	int rc = stagelock_format(&again, l);

	if (rc == 0)
		rc = strcmp(buf_str(&again), buf_str(text)) == 0;
	buf_release(&again);
	return rc;
}

/* Append the changed text.  1; 0: what came out is not what was meant (anchors and aliases do not
 * bear being moved); or a negative error. */
static int try_edit(struct buf *out, const struct buf *text, const char *name,
	const struct stagelock_change *v, size_t n, int anew)
{
	struct stagelock *l = NULL, *after = NULL;
	int rc = stagelock_parse(&l, name, buf_str(text), text->len);

	if (rc == 0 && anew) {
		forget_texts(&l->stages);
		forget_texts(&l->environments);
		forget_texts(&l->others);
	}
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = change(l, &v[i]);
	if (rc == 0 && (rc = stagelock_format(out, l)) == ERR_LIMIT)
		rc = err_set(ERR_LIMIT,
			"'%s' would be larger than %d MiB; remove it: 'git dvx repro' writes "
			"what is still needed",
			name, STAGELOCK_BYTES_MAX >> 20);
	if (rc == 0) {
		rc = stagelock_parse(&after, name, buf_str(out), out->len);
		if (rc == 0)
			rc = stagelock_difference(l, after) == NULL;
		else if (rc != ERR_NOMEM)
			rc = 0;
	}
	if (rc > 0)
		rc = is_as_we_write_it(out, after);
	stagelock_free(l);
	stagelock_free(after);
	return rc;
}

int stagelock_edit(struct buf *text, const char *name, const struct stagelock_change *v, size_t n)
{
	struct buf now = {.max = STAGELOCK_BYTES_MAX};
	int rc = try_edit(&now, text, name, v, n, 0);

	if (rc == 0) {
		err_clear();
		buf_reset(&now);
		rc = try_edit(&now, text, name, v, n, 1);
	}
	if (rc == 0)
		rc = err_set(ERR_INVALID,
			"'%s' cannot be changed so that all else in it stays; remove it: 'git dvx "
			"repro' writes it again",
			name);
	if (rc > 0) {
		buf_reset(text);
		rc = buf_add(text, now.p, now.len);
	}
	buf_release(&now);
	return rc;
}

/* ---- the file ---- */

int stagelock_update(
	const struct repo *repo, const char *path, const struct stagelock_change *v, size_t n)
{
	struct buf lock_path = BUF_INIT, old = {.max = STAGELOCK_BYTES_MAX}, text = BUF_INIT;
	int lock = -1;
	int rc = buf_addf(&lock_path, "%s/dvx/stagelock.lock", repo->dir->git_dir);

	if (rc == 0 && (lock = flock_take_mkdirs(lock_path.p, -1)) < 0)
		rc = lock;
	if (rc == 0)
		rc = textfile_read(&old, repo, path);
	if (rc == 0)
		rc = buf_add(&text, buf_str(&old), old.len);
	if (rc == 0)
		rc = stagelock_edit(&text, path, v, n);
	if (rc == 0 && (text.len != old.len || memcmp(text.p, old.p, text.len) != 0))
		rc = textfile_write(&text, repo, path);
	if (lock >= 0)
		close(lock);
	buf_release(&lock_path);
	buf_release(&old);
	buf_release(&text);
	return rc;
}
