/*
 * `git dvx repro`: makes what is asked for, by running the stages that changed, and no others.
 */
#include <string.h>

#include "commands/command.h"
#include "commands/reproduce.h"
#include "lib/base/err.h"

struct repro_command {
	struct reproduce r;
	int all_pipelines; /* -P */
	int pipeline;	   /* -p: all that is connected with the targets */
};

/* Everything that is connected with the stages of the list, however far. */
static int add_connected(struct stage_list *l, const struct project *p)
{
	const struct dag *d = p->dag;
	int rc = 0;

	for (size_t k = 0; rc == 0 && k < l->n; k++) { /* the list grows */
		const size_t i = l->v[k]->index;

		for (size_t j = 0; rc == 0 && j < d->up[i].n; j++)
			rc = stage_list_add(l, p->pipeline->v[d->up[i].v[j]]);
		for (size_t j = 0; rc == 0 && j < d->down[i].n; j++)
			rc = stage_list_add(l, p->pipeline->v[d->down[i].v[j]]);
	}
	return rc;
}

static int choose(struct stage_list *l, const struct repro_command *c, const struct project *p,
	char *const *targets, size_t n)
{
	int rc = 0;

	if (!c->all_pipelines || p->pipeline->n_files == 0)
		rc = project_targets(l, p, targets, n);
	for (size_t i = 0; rc == 0 && c->all_pipelines && i < p->pipeline->n; i++)
		rc = stage_list_add(l, p->pipeline->v[i]);
	return rc == 0 && c->pipeline ? add_connected(l, p) : rc;
}

static int run(struct repro_command *c, struct command_ctx *ctx, char *const *targets, size_t n)
{
	struct project p = PROJECT_INIT;
	struct stage_list chosen = {0};
	int rc = project_open(&p, ctx);

	if (rc == 0)
		rc = choose(&chosen, c, &p, targets, n);
	if (rc == 0)
		rc = reproduce(&p, &chosen, &c->r);
	stage_list_release(&chosen);
	project_close(&p);
	return rc;
}

int cmd_repro(struct command_ctx *ctx, int argc, char **argv)
{
	struct repro_command c = {.all_pipelines = 0};
	struct repro_options *o = &c.r.o;
	int ignored = 0, n, status;
	const struct opt table[] = {
		{'s', "single-item", OPT_FLAG, &o->single, NULL,
			"only the stages named, not what they need", 0},
		{'f', "force", OPT_FLAG, &o->force, NULL, "run also what did not change", 0},
		{'j', "jobs", OPT_INT, &o->jobs, "<n>", "stages that run at once (1)", 0},
		{'k', "keep-going", OPT_FLAG, &o->keep_going, NULL,
			"after a failure go on with all that does not need it", 0},
		{0, "downstream", OPT_FLAG, &o->downstream, NULL,
			"the stages named and all that need them", 0},
		{0, "force-downstream", OPT_FLAG, &o->force_downstream, NULL,
			"run all that needs a stage that ran", 0},
		{'P', "all-pipelines", OPT_FLAG, &c.all_pipelines, NULL,
			"all stages of the repository", 0},
		{'p', "pipeline", OPT_FLAG, &c.pipeline, NULL,
			"all that is connected with the stages named", 0},
		{0, "pull", OPT_FLAG, &c.r.pull, NULL,
			"fetch missing data and the team's run cache", 0},
		{0, "dry-run", OPT_FLAG, &c.r.dry_run, NULL, "say what would run", 0},
		{'n', "dry", OPT_FLAG, &c.r.dry_run, NULL, NULL, 0},
		{0, "explain", OPT_FLAG, &o->explain, NULL, "say what changed, from what to what",
			0},
		{0, "json", OPT_FLAG, &c.r.json, NULL, "print the outcome of each stage as JSON",
			0},
		REPRODUCE_OPTIONS(&c.r, 'm'),
		{0, "glob", OPT_FLAG, &ignored, NULL, NULL, 0},
		{'i', "interactive", OPT_FLAG, &ignored, NULL, NULL, 0},
		{'R', "recursive", OPT_FLAG, &ignored, NULL, NULL, 0},
		OPT_END,
	};

	if (command_options(&status, argc, argv, table, "git dvx repro [<options>] [<stage>...]", 0,
		    &n) != 0)
		return status;
	if (o->single && o->downstream)
		return command_usage("--single-item and --downstream exclude each other");
	return run(&c, ctx, argv + 1, (size_t)n);
}
