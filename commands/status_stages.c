/*
 * Stages in `git dvx status`.  As in DVC a stage is listed for what itself depends on: one that
 * needs a stage which will run is not, as long as what it reads is what it was.
 */
#include "commands/status_stages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/reasons.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"

void status_stages_release(struct status_stages *s)
{
	for (size_t i = 0; i < s->n; i++)
		stale_release(&s->v[i].why);
	free(s->v);
	stagelocks_free(s->locks);
	stage_list_release(&s->wanted);
	project_close(&s->project);
}

static int open_project(struct status_stages *s, struct command_ctx *ctx)
{
	return s->project.ctx != NULL ? 0 : project_open(&s->project, ctx);
}

int status_stages_any(const struct status_stages *s)
{
	return s->project.pipeline != NULL && s->project.pipeline->n_files > 0;
}

/* 1 if a stage makes it: a path, be it there or not. */
static int is_output(const struct status_stages *s, const char *operand)
{
	const struct pipeline *p = s->project.pipeline;
	struct buf path = BUF_INIT;
	int found = 0;

	if (repo_path(&path, &s->project.ctx->repo, operand) < 0)
		err_clear();
	for (size_t i = 0; !found && i < p->n; i++)
		for (size_t k = 0; !found && k < p->v[i]->n_outs; k++)
			found = strcmp(p->v[i]->outs[k].path, buf_str(&path)) == 0;
	buf_release(&path);
	return found;
}

/* 1 if the operand names a stage and no path. */
static int take_operand(struct status_stages *s, struct command_ctx *ctx, const char *operand)
{
	int is_path = fs_exists(operand), rc = open_project(s, ctx);

	if (rc < 0 && is_path) { /* of the data, a broken dvx.yaml says nothing */
		project_close(&s->project);
		err_clear();
		return 0;
	}
	if (rc < 0 || s->project.pipeline->n_files == 0)
		return rc;
	rc = pipeline_find(s->project.pipeline, s->project.dir, operand, &s->wanted);
	if (rc == ERR_NOTFOUND) { /* a file that is gone, perhaps */
		err_clear();
		return 0;
	}
	return rc < 0 ? rc : !is_path && !is_output(s, operand);
}

int status_stages_operands(
	struct status_stages *s, struct command_ctx *ctx, char **argv, int n, int *paths)
{
	*paths = 0;
	for (int i = 1; i <= n; i++) {
		int rc = take_operand(s, ctx, argv[i]);

		if (rc < 0)
			return rc;
		if (rc == 0)
			argv[++*paths] = argv[i];
	}
	return 0;
}

/* ---- collecting ---- */

static int look_at(struct status_stages *s, const struct stage *stage)
{
	const struct stale_context c = project_context(&s->project);
	struct status_stage *found = &s->v[s->n];
	int rc;

	if (stage->frozen)
		return 0;
	rc = stale_check(&found->why, &c, stage, stagelocks_get(s->locks, stage), s->explain);
	if (rc < 0)
		return err_prefix(rc, "stage '%s'", stage->name);
	if (found->why.n == 0) {
		stale_release(&found->why);
		return 0;
	}
	found->stage = stage;
	s->n++;
	return 0;
}

int status_stages_collect(struct status_stages *s, struct command_ctx *ctx)
{
	int rc = open_project(s, ctx);
	const struct pipeline *p = s->project.pipeline;
	int all = s->wanted.n == 0;

	if (rc < 0 || p->n == 0)
		return rc;
	rc = stagelocks_load(&s->locks, p, s->project.src);
	for (size_t i = 0; rc == 0 && all && i < p->n; i++)
		rc = stage_list_add(&s->wanted, p->v[i]);
	s->v = calloc(s->wanted.n + 1, sizeof(*s->v));
	if (s->v == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; rc == 0 && i < s->wanted.n; i++)
		rc = look_at(s, s->wanted.v[i]);
	return rc;
}

/* ---- telling ---- */

static const char *how_word(enum stale_how how)
{
	switch (how) {
	case STALE_NEW:
		return "new:";
	case STALE_DELETED:
		return "deleted:";
	default:
		return "modified:";
	}
}

static void print_kind(const struct stale *why, enum stale_what what, const char *title)
{
	struct buf name = BUF_INIT;
	int any = 0;

	for (size_t i = 0; i < why->n; i++) {
		if (why->v[i].what != what)
			continue;
		if (!any++)
			printf("\tchanged %s:\n", title);
		buf_reset(&name);
		if (buf_addstr(&name, why->v[i].name) == 0)
			printf("\t\t%-20s%s\n", how_word(why->v[i].how), err_printable(name.p));
	}
	buf_release(&name);
}

static void print_reasons(const struct stale *why)
{
	for (size_t i = 0; i < why->n; i++) {
		if (why->v[i].what == STALE_NEVER_RUN)
			puts("\tnever run");
		else if (why->v[i].what == STALE_ALWAYS)
			puts("\talways changed");
		else if (why->v[i].what == STALE_CMD)
			puts("\tchanged command");
	}
	print_kind(why, STALE_DEP, "deps");
	print_kind(why, STALE_PARAM, "params");
	print_kind(why, STALE_ENV, "environment");
	print_kind(why, STALE_OUT, "outs");
}

void status_stages_print(const struct status_stages *s)
{
	for (size_t i = 0; i < s->n; i++) {
		struct buf name = BUF_INIT;

		if (stage_address(&name, s->v[i].stage, s->project.dir) == 0)
			printf("%s:\n", name.p);
		buf_release(&name);
		if (s->explain)
			reasons_print(stdout, &s->v[i].why, "\t");
		else
			print_reasons(&s->v[i].why);
	}
}

void status_stages_json(const struct status_stages *s, struct json *j, cJSON *object)
{
	cJSON *list = json_array(j, object, "stages");

	for (size_t i = 0; i < s->n; i++) {
		cJSON *o = json_item(j, list);

		json_string(j, o, "name", s->v[i].stage->name);
		json_string(j, o, "file", s->v[i].stage->file);
		reasons_json(j, o, &s->v[i].why);
	}
}
