/*
 * `git dvx metrics`: numbers that stages report, of any state of the project; and which of a file's
 * numbers count, written into dvx.yaml.
 */
#include <stdio.h>
#include <string.h>

#include "commands/stagefile.h"
#include "commands/values.h"
#include "lib/base/err.h"
#include "lib/pipeline/stageedit.h"

struct modification {
	const char *file, *metric;
	const struct values_command *c;
};

static int write_modification(struct buf *text, void *data)
{
	const struct modification *m = data;
	int rc = stageedit_metric(text, m->file, m->metric, m->c->type, m->c->select);

	return rc < 0 ? rc : 1;
}

/* Change the text of one file of stages.  0; ERR_NOTFOUND: the metric is not declared in it. */
static int modify_file(const struct repo *repo, const struct pipefile *file, const char *metric,
	const struct values_command *c)
{
	struct modification m = {file->path, metric, c};
	size_t dir = strlen(file->dir);
	int rc;

	/* as the file sees it, where it lies below its directory */
	if (dir > 0 && strncmp(metric, file->dir, dir) == 0 && metric[dir] == '/')
		m.metric += dir + 1;
	rc = stagefile_change(repo, file->path, write_modification, &m);
	return rc < 0 ? rc : 0;
}

static int modify_metric(struct values_command *c, const char *typed)
{
	const struct repo *repo = &c->ctx->repo;
	struct pipeline *p = NULL;
	struct source *src = NULL;
	struct buf metric = BUF_INIT;
	int rc = repo_path(&metric, repo, typed);

	if (rc == 0)
		rc = source_worktree(&src, repo, c->ctx->s);
	if (rc == 0)
		rc = pipeline_load(&p, src, NULL);
	if (rc == 0 && p->n_files == 0)
		rc = err_set(ERR_NOTFOUND,
			"there is no dvx.yaml; 'git dvx stage add -M %s …' declares "
			"a metric",
			typed);
	else if (rc == 0)
		rc = ERR_NOTFOUND;
	for (size_t i = 0; rc == ERR_NOTFOUND && p != NULL && i < p->n_files; i++)
		rc = modify_file(repo, &p->files[i], buf_str(&metric), c);
	pipeline_free(p);
	source_free(src);
	buf_release(&metric);
	return rc;
}

static int modify(struct values_command *c, char **operands, int n)
{
	int rc;

	if (n != 1)
		return command_usage("'git dvx metrics modify' takes one file");
	if (c->type == NULL && c->select == NULL)
		return command_usage(
			"what is to be modified? --type <type>, --path <path> or both");
	rc = c->type != NULL ? values_check_type(c->type) : 0;
	if (rc == 0)
		rc = command_store(c->ctx);
	return rc == 0 ? modify_metric(c, operands[0]) : rc;
}

static int dispatch(struct values_command *c, const char *name, char **operands, int n)
{
	if (strcmp(name, "show") == 0)
		return values_show(c, operands, n);
	if (strcmp(name, "diff") == 0)
		return values_diff(c, operands, n);
	if (strcmp(name, "modify") == 0)
		return modify(c, operands, n);
	return command_usage(
		"unknown subcommand 'metrics %s'; there are show, diff and modify", name);
}

int cmd_metrics(struct command_ctx *ctx, int argc, char **argv)
{
	struct values_command c = {.ctx = ctx,
		.kind = VALUES_METRICS,
		.one = "Metric",
		.many = "metrics",
		.precision = -1};
	struct values_words words = {.v = NULL};
	const struct opt options[] = {STATES_OPTIONS(&c.states, "show: "),
		{'t', "type", OPT_VALUE, &c.type, "<type>",
			"show, modify: json, yaml, toml, csv, tsv, hcsv, htsv or raw", 0},
		{'x', "path", OPT_VALUE, &c.select, "<path>",
			"show, modify: what counts in the file: acc, train.loss, 0,acc", 0},
		{0, "xpath", OPT_VALUE, &c.select, "<path>", NULL, 0},
		VALUES_OPTIONS(&c, "diff: these files only, declared or not", "5"), OPT_END};
	int n = 0, rc = values_expand_targets(&words, &argc, argv);

	if (rc < 0 || command_options(&rc, argc, words.v, options,
			      "git dvx metrics show [<options>] [<revision>...] [<path>...]\n"
			      "git dvx metrics diff [<options>] [<revision> [<revision>]]\n"
			      "git dvx metrics modify [-t <type>] [-x <path>] <file>",
			      0, &n))
		goto done;
	if (n == 0)
		rc = command_usage("what with the metrics? show, diff or modify");
	else
		rc = dispatch(&c, words.v[1], words.v + 2, n - 1);
done:
	values_command_release(&c);
	values_words_release(&words);
	return rc;
}
