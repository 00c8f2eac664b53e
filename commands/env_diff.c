/*
 * `git dvx env diff`: what differs between the environments that dvx.lock says stages were run in,
 * at two revisions - or between one of them and the environment here and now.  Stages whose
 * differences are the same are told together.
 */
#include "commands/env_diff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/json.h"
#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/base/strmap.h"
#include "lib/pipeline/environ.h"
#include "lib/pipeline/pipeline.h"
#include "lib/pipeline/stagelock.h"
#include "lib/repo/git.h"
#include "lib/repo/source.h"
#include "lib/table/table.h"

enum { HASH_SHOWN = 10 };

/* The environments of one side: by the stage's address. */
struct side {
	const char *name;
	struct strmap stages; /* -> struct node, owned */
	struct strmap known;  /* every stage of it, with or without an environment */
};

struct difference {
	char *name, *old, *now; /* NULL: not there */
};
struct stage_diff {
	char *stage;
	struct difference *v;
	size_t n, cap;
	int told;
};

struct env_diff {
	struct command_ctx *ctx;
	struct source_cache *cache;
	struct side old, now;
	char *const *stages; /* to be told; n of them, 0: all */
	size_t n_stages;
	struct stage_diff *v;
	size_t n, cap;
	enum env_diff_format format;
};

static void release(struct env_diff *d)
{
	for (size_t i = 0; i < d->n; i++) {
		for (size_t k = 0; k < d->v[i].n; k++) {
			free(d->v[i].v[k].name);
			free(d->v[i].v[k].old);
			free(d->v[i].v[k].now);
		}
		free(d->v[i].v);
		free(d->v[i].stage);
	}
	free(d->v);
	strmap_release(&d->old.stages, (void (*)(void *))node_free);
	strmap_release(&d->now.stages, (void (*)(void *))node_free);
	strmap_release(&d->old.known, NULL);
	strmap_release(&d->now.known, NULL);
	source_cache_free(d->cache);
}

/* ---- the sides ---- */

struct reading {
	struct side *side;
	const char *lock; /* "sub/dvx.lock" */
};

/* As stages of "sub/dvx.yaml" are addressed. */
static int address(struct buf *out, const char *lock, const char *stage)
{
	const char *slash = strrchr(lock, '/');

	if (!slash)
		return buf_addstr(out, stage);
	return buf_addf(out, "%.*s/dvx.yaml:%s", (int)(slash - lock), lock, stage);
}

static int take_stage(const struct locked_stage *s, void *data)
{
	const struct reading *r = data;
	struct buf name = BUF_INIT;
	struct node *copy = s->environment ? node_dup(s->environment) : NULL;
	int rc = s->environment && !copy ? err_set(ERR_NOMEM, "out of memory") : 0;

	if (rc == 0)
		rc = address(&name, r->lock, s->name);
	if (rc == 0)
		rc = strmap_put(&r->side->known, name.p, NULL);
	if (rc == 0 && copy) {
		rc = strmap_put(&r->side->stages, name.p, copy);
		copy = NULL;
	}
	node_free(copy);
	buf_release(&name);
	return rc;
}

/* What the dvx.lock files of a revision say. */
static int read_locks(struct side *side, struct source *src)
{
	static const char *const names[] = {"dvx.lock", NULL};
	struct strvec files = STRVEC_INIT;
	int rc = source_find(src, names, &files);

	side->name = source_name(src);
	for (size_t i = 0; rc == 0 && i < files.n; i++) {
		struct reading r = {side, files.v[i]};
		struct stagelock *lock = NULL;

		rc = stagelock_load(&lock, src, files.v[i]);
		if (rc == 0)
			rc = stagelock_each(lock, take_stage, &r);
		stagelock_free(lock);
	}
	strvec_release(&files);
	return rc;
}

static int read_revision(struct env_diff *d, struct side *side, const char *rev)
{
	struct source *src = NULL;
	int rc = source_commit(&src, d->cache, rev);

	if (rc == 0)
		rc = read_locks(side, src);
	side->name = rev;
	source_free(src);
	return rc;
}

/* What a run would find now, for each stage of the worktree. */
static int capture(struct env_diff *d)
{
	struct source *src = NULL;
	struct pipeline *p = NULL;
	int rc = source_worktree(&src, &d->ctx->repo, d->ctx->s);

	d->now.name = "now";
	if (rc == 0)
		rc = pipeline_load(&p, src, NULL);
	for (size_t i = 0; rc == 0 && i < p->n; i++) {
		struct buf name = BUF_INIT;
		struct node *map = NULL;

		rc = address(&name, p->v[i]->file, p->v[i]->name);
		if (rc == 0)
			rc = environ_capture(&map, &d->ctx->repo, p->v[i]);
		if (rc == 0)
			rc = strmap_put(&d->now.known, name.p, NULL);
		if (rc == 0)
			rc = strmap_put(&d->now.stages, name.p, map);
		else
			node_free(map);
		buf_release(&name);
	}
	pipeline_free(p);
	source_free(src);
	return rc;
}

/* ---- what differs ---- */

static char *value_text(const struct node *n)
{
	struct buf text = BUF_INIT;

	if (!n || node_print(&text, n) < 0)
		return NULL;
	return text.p ? buf_detach(&text) : strdup("");
}

static int note(const char *name, const struct node *old, const struct node *now, void *data)
{
	struct stage_diff *s = data;
	struct difference *x;

	if (array_room(&s->v, s->n, &s->cap, sizeof(*s->v)) < 0)
		return ERR_NOMEM;
	x = &s->v[s->n++];
	*x = (struct difference){strdup(name), value_text(old), value_text(now)};
	return x->name && (!old || x->old) && (!now || x->now)
		       ? 0
		       : err_set(ERR_NOMEM, "out of memory");
}

static int is_asked_for(const struct env_diff *d, const char *stage)
{
	for (size_t i = 0; i < d->n_stages; i++) {
		size_t len = strlen(d->stages[i]);

		if (strncmp(stage, d->stages[i], len) == 0 &&
			(stage[len] == '\0' || stage[len] == '@'))
			return 1;
	}
	return d->n_stages == 0;
}

static int by_name(const void *a, const void *b)
{
	const struct difference *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int compare_stage(const char *stage, void *value, void *data)
{
	struct env_diff *d = data;
	struct node *now = strmap_get(&d->now.stages, stage);
	struct stage_diff *s;

	if (!now || !is_asked_for(d, stage))
		return 0;
	if (array_room(&d->v, d->n, &d->cap, sizeof(*d->v)) < 0)
		return ERR_NOMEM;
	s = &d->v[d->n++];
	*s = (struct stage_diff){.stage = strdup(stage)};
	if (!s->stage)
		return err_set(ERR_NOMEM, "out of memory");
	if (environ_diff(value, now, note, s) < 0)
		return ERR_NOMEM;
	if (s->n)
		qsort(s->v, s->n, sizeof(*s->v), by_name);
	return 0;
}

static int find_named(const char *stage, void *value, void *data)
{
	(void)value;
	return is_asked_for(data, stage);
}

/* A stage that neither side knows is a misspelt one. */
static int check_stages(const struct env_diff *d)
{
	for (size_t i = 0; i < d->n_stages; i++) {
		struct env_diff one = {.stages = &d->stages[i], .n_stages = 1};

		if (!strmap_each(&d->old.known, find_named, &one) &&
			!strmap_each(&d->now.known, find_named, &one))
			return err_set(ERR_NOTFOUND,
				"'%s' is neither a revision nor a stage that was run in '%s'",
				d->stages[i], d->old.name);
	}
	return 0;
}

static int same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static int same_differences(const struct stage_diff *a, const struct stage_diff *b)
{
	if (a->n != b->n)
		return 0;
	for (size_t i = 0; i < a->n; i++) {
		if (!same_text(a->v[i].name, b->v[i].name) ||
			!same_text(a->v[i].old, b->v[i].old) ||
			!same_text(a->v[i].now, b->v[i].now))
			return 0;
	}
	return 1;
}

/* ---- telling ---- */

/* Hashes by their beginning, what is not there as "(none)". */
static int show(struct buf *out, const char *value)
{
	size_t len = value ? strlen(value) : 0;

	if (!value)
		return buf_addstr(out, "(none)");
	if (len == OID_HEX_LEN && strspn(value, "0123456789abcdef") == len)
		len = HASH_SHOWN;
	return buf_add(out, value, len);
}

/* The names of all stages that differ as this one does; they are told by that. */
static int group(struct buf *out, struct env_diff *d, size_t first)
{
	int rc = buf_addstr(out, d->v[first].stage);

	for (size_t i = first + 1; rc == 0 && i < d->n; i++) {
		if (d->v[i].told || !same_differences(&d->v[first], &d->v[i]))
			continue;
		d->v[i].told = 1;
		rc = buf_addf(out, ", %s", d->v[i].stage);
	}
	return rc;
}

static int add_row(struct table *t, const char *stages, const struct difference *x)
{
	struct buf old = BUF_INIT, now = BUF_INIT;
	int rc = show(&old, x->old);

	if (rc == 0)
		rc = show(&now, x->now);
	if (rc == 0 && stages)
		rc = table_cell(t, stages);
	if (rc == 0)
		rc = table_cell(t, x->name);
	if (rc == 0)
		rc = table_cell(t, old.p);
	if (rc == 0)
		rc = table_cell(t, now.p);
	if (rc == 0)
		rc = table_end_row(t);
	buf_release(&old);
	buf_release(&now);
	return rc;
}

static int print_markdown(struct env_diff *d)
{
	struct table *t = NULL;
	struct buf text = BUF_INIT, stages = BUF_INIT;
	int rc = table_new(&t);

	if (rc == 0)
		rc = table_column(t, "Stage", TABLE_LEFT);
	if (rc == 0)
		rc = table_column(t, "Fact", TABLE_LEFT);
	if (rc == 0)
		rc = table_column(t, d->old.name, TABLE_LEFT);
	if (rc == 0)
		rc = table_column(t, d->now.name, TABLE_LEFT);
	for (size_t i = 0; rc == 0 && i < d->n; i++) {
		if (d->v[i].told || d->v[i].n == 0)
			continue;
		buf_reset(&stages);
		rc = group(&stages, d, i);
		for (size_t k = 0; rc == 0 && k < d->v[i].n; k++)
			rc = add_row(t, stages.p, &d->v[i].v[k]);
	}
	if (rc == 0)
		rc = table_print(t, TABLE_MARKDOWN, 0, &text);
	if (rc == 0)
		fputs(buf_str(&text), stdout);
	table_free(t);
	buf_release(&text);
	buf_release(&stages);
	return rc;
}

/* "  python  3.11.2 -> 3.12.1" */
static int print_lines(const struct stage_diff *s)
{
	struct buf line = BUF_INIT;
	size_t width = 0;
	int rc = 0;

	for (size_t k = 0; k < s->n; k++)
		width = strlen(s->v[k].name) > width ? strlen(s->v[k].name) : width;
	for (size_t k = 0; rc == 0 && k < s->n; k++) {
		buf_reset(&line);
		rc = buf_addf(&line, "  %-*s  ", (int)width, s->v[k].name);
		if (rc == 0)
			rc = show(&line, s->v[k].old);
		if (rc == 0)
			rc = buf_addstr(&line, " -> ");
		if (rc == 0)
			rc = show(&line, s->v[k].now);
		if (rc == 0)
			puts(err_printable(line.p));
	}
	buf_release(&line);
	return rc;
}

static int print_text(struct env_diff *d)
{
	struct buf stages = BUF_INIT;
	size_t told = 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < d->n; i++) {
		if (d->v[i].told || d->v[i].n == 0)
			continue;
		buf_reset(&stages);
		rc = group(&stages, d, i);
		if (rc == 0)
			printf("%s%s:\n", told++ ? "\n" : "", err_printable(stages.p));
		if (rc == 0)
			rc = print_lines(&d->v[i]);
	}
	if (rc == 0 && told == 0)
		printf("%s\n", d->n ? "The environments are the same."
				    : "No stage has an environment on both sides.");
	buf_release(&stages);
	return rc;
}

static int print_json(const struct env_diff *d)
{
	struct json j;
	cJSON *stages;

	json_init(&j);
	json_string(&j, j.root, "old", d->old.name);
	json_string(&j, j.root, "new", d->now.name);
	stages = json_object(&j, j.root, "stages");
	for (size_t i = 0; i < d->n; i++) {
		cJSON *stage = json_object(&j, stages, d->v[i].stage);

		for (size_t k = 0; k < d->v[i].n; k++) {
			cJSON *x = json_object(&j, stage, d->v[i].v[k].name);

			json_string(&j, x, "old", d->v[i].v[k].old);
			json_string(&j, x, "new", d->v[i].v[k].now);
		}
	}
	return json_print(&j);
}

/* ---- the command ---- */

static int is_revision(const struct env_diff *d, const char *word)
{
	uint8_t id[REPO_ID_MAX];
	struct buf spec = BUF_INIT;
	int is = buf_addf(&spec, "%s^{commit}", word) == 0 &&
		 git_resolve(&d->ctx->repo, spec.p, id) == 0;

	err_clear();
	buf_release(&spec);
	return is;
}

int env_diff(struct command_ctx *ctx, char *const *operands, int n, enum env_diff_format format)
{
	struct env_diff d = {.ctx = ctx, .format = format};
	int revs = 0, rc = command_store(ctx);

	if (rc == 0)
		rc = source_cache_new(&d.cache, &ctx->repo, ctx->s);
	while (rc == 0 && revs < 2 && revs < n && is_revision(&d, operands[revs]))
		revs++;
	d.stages = operands + revs;
	d.n_stages = (size_t)(n - revs);
	if (rc == 0)
		rc = read_revision(&d, &d.old, revs > 0 ? operands[0] : "HEAD");
	if (rc == 0)
		rc = revs == 2 ? read_revision(&d, &d.now, operands[1]) : capture(&d);
	if (rc == 0)
		rc = check_stages(&d);
	if (rc == 0)
		rc = strmap_each(&d.old.stages, compare_stage, &d);
	if (rc == 0)
		rc = format == ENV_DIFF_JSON	   ? print_json(&d)
		     : format == ENV_DIFF_MARKDOWN ? print_markdown(&d)
						   : print_text(&d);
	release(&d);
	return rc;
}
