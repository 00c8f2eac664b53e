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

struct lock_block *lock_block_find(const struct lock_blocks *b, const char *name)
{
	for (size_t i = 0; i < b->n; i++)
		if (strcmp(b->v[i].name, name) == 0)
			return &b->v[i];
	return NULL;
}

static int put_environment(
	struct stagelock *l, struct lock_block *stage, const struct node *environment)
{
	struct buf text = BUF_INIT;
	char id[ENVIRONMENT_ID_LEN + 1];
	struct lock_block *b;
	int rc = environment_id(id, environment);

	if (rc < 0)
		return rc;
	free(stage->environment);
	stage->environment = strdup(id);
	if (lock_block_find(&l->environments, id) != NULL)
		return stage->environment != NULL ? 0 : err_set(ERR_NOMEM, "out of memory");
	b = lock_block_add(&l->environments, id);
	rc = environment_format(&text, id, environment);
	if (b == NULL || rc < 0) {
		buf_release(&text);
		return rc < 0 ? rc : err_set(ERR_NOMEM, "out of memory");
	}
	b->text = buf_detach(&text);
	return b->text != NULL && stage->environment != NULL ? 0
							     : err_set(ERR_NOMEM, "out of memory");
}

/* Give the entry the text of `s`. */
static int put_stage(struct stagelock *l, struct lock_block *b, const struct locked_stage *s)
{
	struct buf text = BUF_INIT;
	int rc = locked_stage_format_entry(&text, b->name, s);

	free(b->text);
	free(b->environment);
	b->environment = NULL;
	b->text = buf_detach(&text);
	if (rc < 0 || b->text == NULL)
		return rc < 0 ? rc : err_set(ERR_NOMEM, "out of memory");
	if (s->environment != NULL && s->environment->n > 0)
		return put_environment(l, b, s->environment);
	return 0;
}

static int put_unknown_key(struct lock_block *b)
{
	struct buf text = BUF_INIT;
	int rc = unknown_key_format(&text, b->name, b->value);

	b->text = buf_detach(&text);
	return rc < 0 || b->text != NULL ? rc : err_set(ERR_NOMEM, "out of memory");
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
		return err_set(ERR_NOMEM, "out of memory");
	return put_stage(l, b, c->stage);
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

int stagelock_format_blocks(struct stagelock *l)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < l->stages.n; i++)
		if (l->stages.v[i].text == NULL)
			rc = put_stage(l, &l->stages.v[i], l->stages.v[i].stage);
	for (size_t i = 0; rc == 0 && i < l->others.n; i++)
		if (l->others.v[i].text == NULL)
			rc = put_unknown_key(&l->others.v[i]);
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

static int is_changed(const char *name, const struct stagelock_change *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(v[i].name, name) == 0)
			return 1;
	return 0;
}

static int same_stage(const struct locked_stage *a, const struct locked_stage *b)
{
	struct buf x = BUF_INIT, y = BUF_INIT;
	int same = b != NULL && locked_stage_format(&x, a) == 0 &&
		   locked_stage_format(&y, b) == 0 && strcmp(x.p, y.p) == 0;

	buf_release(&x);
	buf_release(&y);
	return same;
}

/* 1 if all entries that were not to be changed say what they said. */
static int others_are_the_same(const struct stagelock *before, const struct stagelock *after,
	const struct stagelock_change *v, size_t n)
{
	for (size_t i = 0; i < before->stages.n; i++) {
		const struct lock_block *b = &before->stages.v[i];

		if (!is_changed(b->name, v, n) &&
			!same_stage(b->stage, stagelock_get(after, b->name)))
			return 0;
	}
	return 1;
}

/* 1 if the keys that this version does not know are these, in the order in which they were written.
 */
static int unknown_keys_are_the_same(
	const struct lock_blocks *written, const struct lock_blocks *read)
{
	for (size_t i = 0; i < written->n && i < read->n; i++)
		if (strcmp(written->v[i].name, read->v[i].name) != 0 ||
			!node_equal(written->v[i].value, read->v[i].value))
			return 0;
	return written->n == read->n;
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

/* All entries will be written from what they say, not as they stood. */
static void forget_texts(struct stagelock *l)
{
	for (size_t i = 0; i < l->stages.n; i++) {
		free(l->stages.v[i].text);
		l->stages.v[i].text = NULL;
	}
	for (size_t i = 0; i < l->others.n; i++) {
		free(l->others.v[i].text);
		l->others.v[i].text = NULL;
	}
	for (size_t i = 0; i < l->environments.n; i++) {
		free(l->environments.v[i].name);
		free(l->environments.v[i].text);
	}
	l->environments.n = 0;
}

/* Append the changed text.  1; 0: what came out is not what was meant (anchors and aliases do not
 * bear being moved); or a negative error. */
static int try_edit(struct buf *out, const struct buf *text, const char *name,
	const struct stagelock_change *v, size_t n, int anew)
{
	struct stagelock *before = NULL, *l = NULL, *after = NULL;
	int rc = stagelock_parse(&before, name, buf_str(text), text->len);

	if (rc == 0)
		rc = stagelock_parse(&l, name, buf_str(text), text->len);
	if (rc == 0 && anew)
		forget_texts(l);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = change(l, &v[i]);
	if (rc == 0)
		rc = stagelock_format(out, l);
	if (rc == 0) {
		rc = stagelock_parse(&after, name, buf_str(out), out->len);
		if (rc == 0)
			rc = others_are_the_same(before, after, v, n) &&
			     unknown_keys_are_the_same(&l->others, &after->others);
		else if (rc != ERR_NOMEM)
			rc = 0;
	}
	if (rc > 0)
		rc = is_as_we_write_it(out, after);
	stagelock_free(before);
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
