/*
 * `git dvx freeze` and `unfreeze`: `frozen: true` in the text of a stage, or not.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/command.h"
#include "commands/project.h"
#include "commands/stagefile.h"
#include "lib/base/err.h"
#include "lib/pipeline/stageedit.h"

/* What the file calls it: the stages of a foreach or matrix freeze together. */
static char *name_in_file(const struct stage *s, const char *target)
{
	return strndup(
		s->name, strchr(target, '@') != NULL ? strlen(s->name) : strcspn(s->name, "@"));
}

struct wish {
	const char *file, *name;
	int frozen;
};

static int write_wish(struct buf *text, void *data)
{
	const struct wish *w = data;

	return stageedit_freeze(text, w->file, w->name, w->frozen);
}

static int freeze_stage(
	const struct command_ctx *ctx, const struct stage *s, const char *target, int frozen)
{
	char *name = name_in_file(s, target);
	struct wish w = {s->file, name, frozen};
	int rc = name != NULL ? stagefile_change(&ctx->repo, s->file, write_wish, &w)
			      : err_set(ERR_NOMEM, "out of memory");

	if (rc == 1)
		printf("Modifying stage '%s' in '%s'\n", name, s->file);
	free(name);
	return rc < 0 ? rc : 0;
}

static int freeze_all(struct command_ctx *ctx, char *const *targets, size_t n, int frozen)
{
	struct project p = PROJECT_INIT;
	int rc = project_open(&p, ctx);

	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct stage_list found = {0};

		rc = project_targets(&found, &p, targets + i, 1);
		for (size_t k = 0; rc == 0 && k < found.n; k++)
			rc = freeze_stage(ctx, found.v[k], targets[i], frozen);
		stage_list_release(&found);
	}
	project_close(&p);
	return rc;
}

static int freeze(struct command_ctx *ctx, int argc, char **argv, int frozen)
{
	const struct opt table[] = {OPT_END};
	int n, status;

	if (command_options(&status, argc, argv, table,
		    frozen ? "git dvx freeze <stage>..." : "git dvx unfreeze <stage>...", 0,
		    &n) != 0)
		return status;
	if (n == 0)
		return command_usage("which stage? 'git dvx stage list' names them");
	return freeze_all(ctx, argv + 1, (size_t)n, frozen);
}

int cmd_freeze(struct command_ctx *ctx, int argc, char **argv)
{
	return freeze(ctx, argc, argv, 1);
}

int cmd_unfreeze(struct command_ctx *ctx, int argc, char **argv)
{
	return freeze(ctx, argc, argv, 0);
}
