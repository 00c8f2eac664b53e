/*
 * `git dvx trace`: what a commit, a file or a model was made of; with --diff, what differs between
 * two of them.  Which of the three an operand is, is decided as Git decides between revisions and
 * paths: what could be both is refused, "--" ends the doubt.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/command.h"
#include "commands/trace_page.h"
#include "commands/trace_print.h"
#include "commands/values.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/lineage/lineage.h"
#include "lib/registry/registry.h"
#include "lib/repo/git.h"

/* What was asked for: one thing, with --diff two. */
struct trace {
	struct command_ctx *ctx;
	int diff, json, md;
	struct lineage_target targets[2];
	const char *words[2]; /* as they were typed */
	int n;
	struct buf path; /* the operand that is a path, from the top */
	int has_path;
	struct strvec memory;
};

/* ---- operands ---- */

static int is_revision(const struct trace *t, const char *word)
{
	uint8_t id[REPO_ID_MAX];
	int is = git_resolve(&t->ctx->repo, word, id) == 0;

	err_clear();
	return is;
}

static int take_path(struct trace *t, const char *word)
{
	if (t->has_path)
		return command_usage("one path at most; see 'git dvx trace -h'");
	t->has_path = 1;
	return repo_path(&t->path, &t->ctx->repo, word);
}

/* "REV:PATH", as Git has it: the path is from the top, "./x" from here. */
static int split_path(struct trace *t, struct lineage_target *target, const char *word)
{
	const char *colon = strchr(word, ':');
	struct buf path = BUF_INIT;
	int rc = 0;

	if (colon == NULL || colon == word || colon[1] == '\0')
		return 0;
	if (colon[1] == '.')
		rc = repo_path(&path, &t->ctx->repo, colon + 1);
	else
		rc = buf_addstr(&path, colon + 1);
	if (rc == 0)
		rc = strvec_pushn(&t->memory, word, (size_t)(colon - word));
	if (rc == 0)
		rc = strvec_push(&t->memory, buf_str(&path));
	if (rc == 0) {
		target->rev = t->memory.v[t->memory.n - 2];
		target->path = t->memory.v[t->memory.n - 1];
	}
	buf_release(&path);
	return rc;
}

static int take_thing(struct trace *t, const char *word)
{
	struct lineage_target *target = &t->targets[t->n];

	if (t->n == (t->diff ? 2 : 1))
		return command_usage(t->diff ? "--diff compares two things; see 'git dvx trace -h'"
					     : "one revision or model at most; two are compared "
					       "by 'git dvx trace --diff'");
	t->words[t->n++] = word;
	if (registry_is_spec(word) > 0) {
		target->model = word;
		return 0;
	}
	target->rev = word;
	return split_path(t, target, word);
}

/* An operand in front of any "--": a file that is there is a path, unless it may be something else,
 * too. */
static int take_word(struct trace *t, const char *word)
{
	if (t->ctx->repo.dir->worktree == NULL || !fs_exists(word))
		return take_thing(t, word);
	if (registry_is_spec(word) > 0)
		return err_set(ERR_INVALID,
			"'%s' may be a model and a file; put '--' behind the one or before the "
			"other",
			word);
	if (is_revision(t, word))
		return err_set(ERR_INVALID,
			"'%s' is both a revision and a file; put '--' behind the one or before the "
			"other",
			word);
	return take_path(t, word);
}

/* Of the operands the last `n_paths` stood behind "--"; -1: there was none. */
static int take_operands(struct trace *t, char *const *v, int n, int n_paths)
{
	int n_first = n_paths < 0 ? n : n - n_paths, rc = 0;

	for (int i = 0; rc == 0 && i < n; i++)
		rc = i >= n_first  ? take_path(t, v[i])
		     : n_paths < 0 ? take_word(t, v[i])
				   : take_thing(t, v[i]);
	if (rc == 0 && t->diff && t->n == 0)
		return command_usage("--diff compares two things; name them");
	for (int i = 0; rc == 0 && t->has_path && t->path.len > 0 && i < 2; i++) {
		if (t->targets[i].path != NULL)
			return command_usage("one path at most; see 'git dvx trace -h'");
		t->targets[i].path = buf_str(&t->path);
	}
	return rc;
}

/* ---- answers ---- */

/* The bare name of a model that there is: ERR_NOTFOUND, and which versions it has; else 0. */
static int bare_model(struct trace *t, const char *word)
{
	struct registry *r = NULL;
	size_t n;
	int rc = registry_open(&r, &t->ctx->repo);

	if (rc == 0 && registry_of_model(r, word, &n) != NULL)
		rc = registry_bare_model(r, word);
	registry_free(r);
	return rc;
}

/* What has the form of a model may be a branch "x@y" nevertheless; what is nothing may have been
 * meant as a model or as a path. */
static int trace_one(struct node **out, struct trace *t, struct lineage *l, int i)
{
	struct lineage_target *target = &t->targets[i];
	const char *word = t->words[i];
	char *message;
	int is, rc = lineage_trace(out, l, target);

	if (rc != ERR_NOTFOUND || word == NULL)
		return rc;
	message = strdup(err_msg());
	is = is_revision(t, word);
	if (target->model != NULL && is) {
		target->rev = word;
		target->model = NULL;
		rc = lineage_trace(out, l, target);
	} else if (target->model != NULL || is || (rc = bare_model(t, word)) == 0) {
		rc = err_set(ERR_NOTFOUND, "%s%s", message != NULL ? message : "",
			target->model == NULL && target->path == NULL && strcmp(word, "HEAD") != 0
				? "; nor is there a file of that name (put '--' before a path that "
				  "is gone)"
				: "");
	}
	free(message);
	return rc;
}

static int print(const struct trace *t, const struct node *answer)
{
	struct buf text = BUF_INIT;
	int rc;

	if (t->json)
		return values_print_json(answer);
	if (t->diff)
		rc = t->md ? trace_diff_markdown(&text, answer) : trace_diff_text(&text, answer);
	else
		rc = t->md ? trace_markdown(&text, answer) : trace_text(&text, answer);
	if (rc == 0)
		fputs(buf_str(&text), stdout);
	buf_release(&text);
	return rc;
}

/* A model compared with a commit is compared with the same file in it, not with all of its data. */
static void share_path(struct trace *t, int from, const struct node *answer)
{
	struct lineage_target *other = &t->targets[!from];

	if (t->targets[from].model != NULL && other->model == NULL && other->path == NULL)
		other->path = trace_page_string(node_get(answer, "file"), "path");
}

static int run(struct trace *t)
{
	struct node *answers[2] = {NULL, NULL}, *diff = NULL;
	struct lineage *l = NULL;
	int first = t->targets[0].model == NULL && t->targets[1].model != NULL;
	int rc = lineage_new(&l, &t->ctx->repo, t->ctx->s);

	if (rc == 0)
		rc = trace_one(&answers[first], t, l, first);
	if (rc == 0 && t->diff) {
		share_path(t, first, answers[first]);
		rc = trace_one(&answers[!first], t, l, !first);
	}
	if (rc == 0 && t->diff)
		rc = lineage_diff(&diff, l, answers[0], answers[1]);
	if (rc == 0)
		rc = print(t, t->diff ? diff : answers[0]);
	node_free(answers[0]);
	node_free(answers[1]);
	node_free(diff);
	lineage_free(l);
	return rc;
}

/* How many operands stand behind "--", -1 without one. */
static int count_paths(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--") == 0)
			return argc - i - 1;
	return -1;
}

int cmd_trace(struct command_ctx *ctx, int argc, char **argv)
{
	struct trace t = {.ctx = ctx};
	const struct opt options[] = {
		{0, "diff", OPT_FLAG, &t.diff, NULL, "tell what differs between two of them", 0},
		{0, "json", OPT_FLAG, &t.json, NULL, "print JSON (docs/lineage.md)", 0},
		{0, "md", OPT_FLAG, &t.md, NULL, "print Markdown", 0}, OPT_END};
	int n_paths = count_paths(argc, argv), n, rc;

	if (command_options(&rc, argc, argv, options,
		    "git dvx trace [<options>] [<revision>|<model>@<version>|<model>#<stage>] [--] "
		    "[<path>]\n"
		    "git dvx trace --diff [<options>] <old> [<new>] [--] [<path>]",
		    0, &n))
		return rc;
	if (t.json && t.md)
		return command_usage("only one of --json and --md can be had");
	rc = command_store(ctx);
	if (rc == 0)
		rc = take_operands(&t, argv + 1, n, n_paths);
	if (rc == 0)
		rc = run(&t);
	buf_release(&t.path);
	strvec_release(&t.memory);
	return rc;
}
