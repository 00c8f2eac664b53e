/*
 * `git dvx stage`: stages in the text of dvx.yaml, added, listed and removed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/command.h"
#include "commands/json.h"
#include "commands/project.h"
#include "commands/stage_options.h"
#include "commands/stagefile.h"
#include "lib/base/err.h"
#include "lib/pipeline/stagelock.h"

struct stage_args {
	struct command_ctx *ctx;
	struct stage_command add;
	int all, name_only, json;
	char *const *v; /* operands */
	size_t n;
};

/* ---- list ---- */

enum { DESCRIPTION_MAX = 80 }; /* bytes of a line that is shown */

static int is_reported(const struct stage_path *out)
{
	return out->kind == STAGE_METRIC || out->kind == STAGE_PLOT;
}

/* Append "<word> a, b" of the paths of one sort, behind "; " where something is before. */
static int describe_paths(
	struct buf *out, const char *word, const struct stage_path *v, size_t n, int reported)
{
	const char *separator = out->len > 0 ? "; " : "";
	int rc = 0, any = 0;

	for (size_t i = 0; rc == 0 && i < n; i++) {
		if (is_reported(&v[i]) != reported)
			continue;
		rc = any++ ? buf_addf(out, ", %s", v[i].path)
			   : buf_addf(out, "%s%s %s", separator, word, v[i].path);
	}
	return rc;
}

/* DVC's words. */
static int describe(struct buf *out, const struct stage *s)
{
	int rc;

	if (s->desc != NULL)
		return buf_addf(out, "%.*s", (int)strcspn(s->desc, "\n"), s->desc);
	if (s->n_outs == 0 && s->n_deps == 0)
		return buf_addstr(out, "No outputs or dependencies");
	if (s->n_outs == 0)
		return describe_paths(out, "Depends on", s->deps, s->n_deps, 0);
	rc = describe_paths(out, "Outputs", s->outs, s->n_outs, 0);
	return rc == 0 ? describe_paths(out, "Reports", s->outs, s->n_outs, 1) : rc;
}

static int print_line(const struct stage *s, const char *dir, int width, int name_only)
{
	struct buf address = BUF_INIT, text = BUF_INIT;
	int rc = stage_address(&address, s, dir);

	if (rc == 0 && !name_only)
		rc = describe(&text, s);
	if (rc == 0 && name_only)
		puts(address.p);
	else if (rc == 0)
		printf("%-*s  %.*s%s\n", width, address.p, DESCRIPTION_MAX, err_printable(text.p),
			text.len > DESCRIPTION_MAX ? "..." : "");
	buf_release(&address);
	buf_release(&text);
	return rc;
}

static int print_lines(const struct stage_list *l, const char *dir, int name_only)
{
	struct buf address = BUF_INIT;
	size_t width = 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < l->n; i++) {
		buf_reset(&address);
		rc = stage_address(&address, l->v[i], dir);
		width = address.len > width ? address.len : width;
	}
	for (size_t i = 0; rc == 0 && i < l->n; i++)
		rc = print_line(l->v[i], dir, (int)width, name_only);
	buf_release(&address);
	return rc;
}

static void json_paths(
	struct json *j, cJSON *object, const char *key, const struct stage_path *v, size_t n)
{
	cJSON *list = json_array(j, object, key);

	for (size_t i = 0; i < n; i++) {
		static const char *const kinds[] = {"dep", "out", "metric", "plot"};
		cJSON *o = json_item(j, list);

		json_string(j, o, "path", v[i].path);
		json_string(j, o, "kind", kinds[v[i].kind]);
		if (v[i].kind != STAGE_DEP)
			json_bool(j, o, "cache", v[i].cache);
	}
}

static int print_json(const struct stage_list *l)
{
	struct json j;
	cJSON *list;

	json_init(&j);
	list = json_array(&j, j.root, "stages");
	for (size_t i = 0; i < l->n; i++) {
		const struct stage *s = l->v[i];
		struct buf description = BUF_INIT, cmd = BUF_INIT;
		cJSON *o = json_item(&j, list);

		j.failed |= describe(&description, s) < 0;
		for (size_t k = 0; k < s->cmd.n; k++)
			j.failed |= buf_addf(&cmd, "%s%s", k > 0 ? "\n" : "", s->cmd.v[k]) < 0;
		json_string(&j, o, "name", s->name);
		json_string(&j, o, "file", s->file);
		json_uint(&j, o, "line", s->line);
		json_string(&j, o, "description", buf_str(&description));
		json_string(&j, o, "cmd", buf_str(&cmd));
		json_string(&j, o, "wdir", s->wdir);
		json_paths(&j, o, "deps", s->deps, s->n_deps);
		json_paths(&j, o, "outs", s->outs, s->n_outs);
		json_bool(&j, o, "frozen", s->frozen);
		buf_release(&description);
		buf_release(&cmd);
	}
	return json_print(&j);
}

static int list_stages(struct stage_args *a)
{
	struct project p = PROJECT_INIT;
	struct stage_list l = {0};
	int rc = project_open(&p, a->ctx);

	for (size_t i = 0; rc == 0 && a->all && i < p.pipeline->n; i++)
		rc = stage_list_add(&l, p.pipeline->v[i]);
	if (rc == 0 && !a->all && (a->n > 0 || p.pipeline->n_files > 0))
		rc = project_targets(&l, &p, a->v, a->n);
	if (rc == 0)
		rc = a->json ? print_json(&l) : print_lines(&l, p.dir, a->name_only);
	stage_list_release(&l);
	project_close(&p);
	return rc;
}

/* ---- remove ---- */

struct locked_names {
	const char *name;
	struct strvec found;
};

/* The entry of the stage, or of all that its foreach or matrix made. */
static int take_name(const struct locked_stage *s, void *data)
{
	struct locked_names *l = data;
	const size_t len = strlen(l->name);

	if (strncmp(s->name, l->name, len) == 0 && (s->name[len] == '\0' || s->name[len] == '@'))
		return strvec_push(&l->found, s->name);
	return 0;
}

/* Take the stage out of the dvx.lock beside its file. */
static int remove_locked(const struct repo *repo, const char *file, const char *name)
{
	const char *slash = strrchr(file, '/');
	struct locked_names l = {name, STRVEC_INIT};
	struct stagelock_change *changes = NULL;
	struct stagelock *lock = NULL;
	struct source *src = NULL;
	struct buf path = BUF_INIT;
	int rc = buf_addf(&path, "%.*sdvx.lock", slash != NULL ? (int)(slash + 1 - file) : 0, file);

	if (rc == 0)
		rc = source_worktree(&src, repo, NULL);
	if (rc == 0)
		rc = stagelock_load(&lock, src, path.p);
	if (rc == 0)
		rc = stagelock_each(lock, take_name, &l);
	changes = calloc(l.found.n + 1, sizeof *changes);
	if (rc == 0 && changes == NULL)
		rc = err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; rc == 0 && i < l.found.n; i++)
		changes[i].name = l.found.v[i];
	if (rc == 0 && l.found.n > 0)
		rc = stagelock_update(repo, path.p, changes, l.found.n);
	free(changes);
	stagelock_free(lock);
	source_free(src);
	strvec_release(&l.found);
	buf_release(&path);
	return rc;
}

/* Where "name" or "<file>:name" is.  The project is not loaded: what it needs may be just this
 * removal. */
static int find_file(
	struct buf *file, const char **name, struct command_ctx *ctx, const char *target)
{
	const char *colon = strrchr(target, ':');
	struct buf typed = BUF_INIT;
	int rc;

	*name = colon != NULL ? colon + 1 : target;
	if (colon == NULL)
		return project_file(file, ctx);
	rc = buf_add(&typed, target, (size_t)(colon - target));
	if (rc == 0)
		rc = repo_path(file, &ctx->repo, buf_str(&typed));
	buf_release(&typed);
	return rc;
}

struct removal {
	const char *file, *name;
};

static int take_out(struct buf *text, void *data)
{
	const struct removal *r = data;
	int rc = stageedit_remove(text, r->file, r->name);

	return rc < 0 ? rc : 1;
}

static int remove_stage(struct command_ctx *ctx, const char *target)
{
	struct buf file = BUF_INIT;
	const char *name;
	int rc = find_file(&file, &name, ctx, target);

	if (rc >= 0) {
		struct removal r = {file.p, name};

		rc = stagefile_change(&ctx->repo, file.p, take_out, &r);
	}
	if (rc == 1)
		rc = remove_locked(&ctx->repo, file.p, name);
	if (rc == 0)
		printf("Removed stage '%s' from '%s'\n", name, file.p);
	buf_release(&file);
	return rc;
}

static int remove_stages(struct stage_args *a)
{
	int rc = a->n > 0 ? command_repo(a->ctx)
			  : command_usage("which stage? 'git dvx stage list' names them");

	for (size_t i = 0; rc == 0 && i < a->n; i++)
		rc = remove_stage(a->ctx, a->v[i]);
	return rc;
}

/* ---- all of them ---- */

static int add_stage(struct stage_args *a)
{
	return stage_command_do(&a->add, a->ctx, a->v, a->n);
}

static const struct {
	const char *name;
	int flags; /* of opt_parse */
	int (*fn)(struct stage_args *a);
} subcommands[] = {{"add", OPT_STOP_AT_OPERAND, add_stage}, {"list", 0, list_stages},
	{"ls", 0, list_stages}, {"remove", 0, remove_stages}, {"rm", 0, remove_stages}};

enum { N_SUBCOMMANDS = sizeof subcommands / sizeof *subcommands };

static size_t find_subcommand(const char *name)
{
	size_t i = 0;

	while (i < N_SUBCOMMANDS && strcmp(subcommands[i].name, name) != 0)
		i++;
	return i;
}

int cmd_stage(struct command_ctx *ctx, int argc, char **argv)
{
	struct stage_args a = {.ctx = ctx};
	const size_t which = argc > 1 ? find_subcommand(argv[1]) : N_SUBCOMMANDS;
	const int skip = which < N_SUBCOMMANDS;
	int n, status, rc;
	const struct opt table[] = {
		STAGE_OPTIONS(&a.add, 'f'),
		{0, "run", OPT_FLAG, &a.add.run, NULL, "add: run it at once", 0},
		REPRODUCE_OPTIONS(&a.add.r, 0),
		{'a', "all", OPT_FLAG, &a.all, NULL, "list: the stages of all files", 0},
		{0, "name-only", OPT_FLAG, &a.name_only, NULL, "list: names without more", 0},
		{0, "names-only", OPT_FLAG, &a.name_only, NULL, NULL, 0},
		{0, "json", OPT_FLAG, &a.json, NULL, "list: print JSON", 0},
		{'R', "recursive", OPT_FLAG, &a.all, NULL, NULL, 0},
		{0, "fail", OPT_FLAG, &a.add.accepted, NULL, NULL, 0},
		OPT_END,
	};

	if (command_options(&status, argc - skip, argv + skip, table,
		    "git dvx stage add [<options>] <command> [<argument>...]\n"
		    "git dvx stage list [--all] [--name-only] [--json] [<stage>...]\n"
		    "git dvx stage remove <stage>...",
		    skip ? subcommands[which].flags : 0, &n) != 0)
		return status;
	a.v = argv + skip + 1;
	a.n = (size_t)n;
	if (skip)
		rc = subcommands[which].fn(&a);
	else
		rc = command_usage(n > 0 ? "unknown subcommand 'stage %s'; see 'git dvx stage -h'"
					 : "add, list or remove? See 'git dvx stage -h'",
			n > 0 ? argv[1] : "");
	stage_command_release(&a.add);
	return rc;
}
