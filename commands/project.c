/*
 * Loading a project's stages for a command.
 */
#include "commands/project.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"

char *project_directory(const struct gitdir *g)
{
	const char *prefix = g->prefix != NULL ? g->prefix : "";
	size_t len = strlen(prefix); /* with its slash */

	return strndup(prefix, len > 0 ? len - 1 : 0);
}

int project_open(struct project *p, struct command_ctx *ctx)
{
	int rc = command_store(ctx);

	p->ctx = ctx;
	if (rc < 0)
		return rc;
	p->dir = project_directory(ctx->g);
	if (p->dir == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	rc = source_worktree(&p->src, &ctx->repo, ctx->s);
	if (rc == 0)
		rc = pipeline_load(&p->pipeline, p->src, NULL);
	if (rc == 0)
		rc = dag_new(&p->dag, p->pipeline);
	return rc == 0 ? fingerprints_open(&p->fp, &ctx->repo, ctx->s) : rc;
}

void project_close(struct project *p)
{
	fingerprints_close(p->fp);
	dag_free(p->dag);
	pipeline_free(p->pipeline);
	source_free(p->src);
	free(p->dir);
	*p = (struct project)PROJECT_INIT;
}

struct stale_context project_context(const struct project *p)
{
	return (struct stale_context){&p->ctx->repo, p->ctx->s, p->src, p->fp};
}

static int add_file(struct stage_list *out, const struct project *p, const struct pipefile *file)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < p->pipeline->n; i++)
		if (strcmp(p->pipeline->v[i]->file, file->path) == 0)
			rc = stage_list_add(out, p->pipeline->v[i]);
	return rc;
}

int project_targets(struct stage_list *out, const struct project *p, char *const *targets, size_t n)
{
	const struct pipefile *file;
	int rc = 0;

	if (p->pipeline->n_files == 0)
		return err_set(ERR_NOTFOUND, "there is no dvx.yaml here; 'git dvx stage add' or "
					     "'git dvx run' makes one");
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = pipeline_find(p->pipeline, p->dir, targets[i], out);
	if (n > 0)
		return rc;
	file = pipeline_file(p->pipeline, p->dir);
	if (file == NULL)
		return err_set(ERR_NOTFOUND,
			"there is no dvx.yaml in this directory; name a stage, or '%s'",
			p->pipeline->files[0].path);
	return add_file(out, p, file);
}

/* 1 if there is such a file in the current directory. */
static int is_here(const struct command_ctx *ctx, const char *path)
{
	struct buf full = BUF_INIT;
	int there = fs_join(&full, ctx->g->worktree, path) == 0 && fs_exists(full.p);

	buf_release(&full);
	return there;
}

int project_file(struct buf *out, struct command_ctx *ctx)
{
	static const char *const names[] = {"dvx.yaml", "dvc.yaml", "dvx.yaml"};
	const char *prefix = ctx->g->prefix != NULL ? ctx->g->prefix : "";
	const size_t start = out->len;
	int rc;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		buf_truncate(out, start);
		rc = buf_addf(out, "%s%s", prefix, names[i]);
		if (rc < 0)
			return rc;
		if (is_here(ctx, out->p + start))
			return 1;
	}
	return 0;
}
