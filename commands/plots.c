/*
 * `git dvx plots`: what stages report as curves, matrices and images, of any revisions, in one HTML
 * file (docs/plots.md).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands/command.h"
#include "commands/values.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/run.h"
#include "lib/metrics/plots.h"

#define DEFAULT_OUT "dvx_plots"

struct plots_command {
	struct command_ctx *ctx;
	struct plots_options o;
	const char *out;
	int json, open;
	struct strvec targets; /* as they were typed */
	struct strvec paths;   /* the same from the top */
	struct source_cache *sources;
	struct plots *plots;
};

/* ---- which states ---- */

static int add_worktree(struct plots_command *c)
{
	struct source *src = NULL;
	int rc = source_worktree(&src, &c->ctx->repo, c->ctx->s);

	if (rc == 0)
		rc = plots_add(c->plots, src);
	source_free(src);
	return rc;
}

static int add_revision(struct plots_command *c, const char *revision)
{
	struct source *src = NULL;
	int rc = source_commit(&src, c->sources, revision);

	if (rc == 0)
		rc = plots_add(c->plots, src);
	source_free(src);
	return rc;
}

/* No revision: HEAD and the work tree; one: that and the work tree. */
static int add_revisions(struct plots_command *c, char **revisions, int n)
{
	int rc = n == 0 ? add_revision(c, "HEAD") : 0;

	for (int i = 0; rc == 0 && i < n; i++)
		rc = strcmp(revisions[i], "workspace") == 0 ? add_worktree(c)
							    : add_revision(c, revisions[i]);
	return rc == 0 && n < 2 ? add_worktree(c) : rc;
}

/* ---- the file ---- */

static int ends_in_html(const char *path)
{
	size_t len = strlen(path);

	return len > 5 && strcmp(path + len - 5, ".html") == 0;
}

/* A directory of our own making keeps itself out of commits. */
static int make_directory(const char *dir, int is_default)
{
	struct buf ignore = BUF_INIT;
	struct stat st;
	int is_new = lstat(dir, &st) < 0, rc;

	if (!is_new && is_default && !S_ISDIR(st.st_mode)) /* a clone's link may lead anywhere */
		return err_set(ERR_DENIED,
			"'%s' is no directory; remove it, or say with -o where the page goes", dir);
	rc = fs_mkdirs(dir);
	if (rc == 0 && is_new && is_default)
		rc = fs_join(&ignore, dir, ".gitignore");
	if (rc == 0 && ignore.len > 0)
		rc = fs_replace_file(ignore.p, "*\n", 2, 0);
	buf_release(&ignore);
	return rc;
}

static int write_page(const struct plots_command *c, const struct buf *page, struct buf *path)
{
	const char *out = c->out != NULL ? c->out : DEFAULT_OUT;
	char *here;
	int rc;

	if (ends_in_html(out)) {
		rc = buf_addstr(path, out);
		if (rc == 0)
			rc = fs_mkdirs_parent(out);
	} else {
		rc = make_directory(out, c->out == NULL);
		if (rc == 0)
			rc = fs_join(path, out, "index.html");
	}
	if (rc == 0)
		rc = fs_replace_file(path->p, page->p, page->len, 0);
	if (rc < 0)
		return rc;
	here = realpath(path->p, NULL);
	if (here == NULL)
		return err_sys("cannot find '%s'", path->p);
	buf_reset(path);
	rc = buf_addstr(path, here);
	free(here);
	return rc;
}

/* It goes on when we have ended. */
static int open_page(const char *path)
{
	const char *browser = getenv("BROWSER");
	struct run r = RUN_INIT;
	int rc;

	r.in = r.out = r.err = RUN_NULL;
	rc = strvec_pushl(
		&r.argv, browser != NULL && *browser ? browser : "xdg-open", path, (char *)NULL);
	if (rc == 0)
		rc = run_start(&r);
	if (rc < 0)
		rc = err_prefix(rc, "the page is written, but cannot be opened (set $BROWSER)");
	run_release(&r);
	return rc;
}

/* Paths go into a URL with all but the plainest bytes escaped. */
static void print_url(const char *path)
{
	fputs("file://", stdout);
	for (; *path; path++) {
		if (strchr("/-._~", *path) != NULL || (*path >= '0' && *path <= '9') ||
			(*path >= 'A' && *path <= 'Z') || (*path >= 'a' && *path <= 'z'))
			putchar(*path);
		else
			printf("%%%02X", (unsigned char)*path);
	}
	putchar('\n');
}

static int write_and_tell(const struct plots_command *c, const char *title)
{
	struct buf page = BUF_INIT, path = BUF_INIT;
	int rc = plots_html(&page, c->plots, title);

	if (rc == 0)
		rc = write_page(c, &page, &path);
	if (rc == 0)
		print_url(path.p);
	if (rc == 0 && c->open)
		rc = open_page(path.p);
	buf_release(&page);
	buf_release(&path);
	return rc;
}

static int print_json(const struct plots_command *c)
{
	struct buf json = BUF_INIT;
	int rc = plots_json(&json, c->plots);

	if (rc == 0)
		fputs(json.p, stdout);
	buf_release(&json);
	return rc;
}

/* ---- the subcommands ---- */

static int begin(struct plots_command *c)
{
	int rc = command_store(c->ctx);

	for (size_t i = 0; rc == 0 && i < c->targets.n; i++) {
		struct buf path = BUF_INIT;

		rc = repo_path(&path, &c->ctx->repo, c->targets.v[i]);
		if (rc == 0)
			rc = strvec_push(&c->paths, buf_str(&path));
		buf_release(&path);
	}
	if (rc < 0)
		return rc;
	c->o.targets = (const char *const *)c->paths.v;
	c->o.n_targets = c->paths.n;
	rc = source_cache_new(&c->sources, &c->ctx->repo, c->ctx->s);
	return rc < 0 ? rc : plots_new(&c->plots, &c->ctx->repo, &c->o);
}

/* "<directory of the project>: plots" */
static int finish(const struct plots_command *c)
{
	const char *top = c->ctx->g->worktree, *slash = strrchr(top, '/');
	struct buf title = BUF_INIT;
	int rc = plots_check(c->plots);

	if (rc == 0 && c->json)
		return print_json(c);
	if (rc == 0)
		rc = buf_addf(&title, "%s: plots", slash != NULL && slash[1] ? slash + 1 : top);
	if (rc == 0)
		rc = write_and_tell(c, buf_str(&title));
	buf_release(&title);
	return rc;
}

static int show(struct plots_command *c, char **targets, int n)
{
	int rc = 0;

	for (int i = 0; rc == 0 && i < n; i++)
		rc = strvec_push(&c->targets, targets[i]);
	if (rc == 0)
		rc = begin(c);
	if (rc == 0)
		rc = add_worktree(c);
	return rc < 0 ? rc : finish(c);
}

static int diff(struct plots_command *c, char **revisions, int n)
{
	int rc = begin(c);

	if (rc == 0)
		rc = add_revisions(c, revisions, n);
	return rc < 0 ? rc : finish(c);
}

static int list_templates(int n)
{
	if (n > 0)
		return command_usage("'git dvx plots templates' takes no arguments");
	for (size_t i = 0; plots_template(i) != NULL; i++)
		puts(plots_template(i));
	return COMMAND_OK;
}

static int dispatch(struct plots_command *c, const char *name, char **operands, int n)
{
	if (c->o.template != NULL && !plots_is_template(c->o.template))
		return command_usage(
			"there is no template '%s'; 'git dvx plots templates' lists them",
			c->o.template);
	if (strcmp(name, "show") == 0)
		return show(c, operands, n);
	if (strcmp(name, "diff") == 0)
		return diff(c, operands, n);
	if (strcmp(name, "templates") == 0)
		return list_templates(n);
	return command_usage(
		"unknown subcommand 'plots %s'; there are show, diff and templates", name);
}

int cmd_plots(struct command_ctx *ctx, int argc, char **argv)
{
	struct plots_command c = {.ctx = ctx};
	struct values_words words = {.v = NULL};
	const struct opt options[] = {{0, "targets", OPT_LIST, &c.targets, "<path>...",
					      "diff: these plots or files only", 0},
		{'x', NULL, OPT_VALUE, &c.o.x, "<field>", "the field of the x axis", 0},
		{'y', NULL, OPT_VALUE, &c.o.y, "<field>", "the field of the y axis", 0},
		{'t', "template", OPT_VALUE, &c.o.template, "<name>",
			"linear, simple, smooth, scatter, confusion, …", 0},
		{0, "title", OPT_VALUE, &c.o.title, "<text>", "the title of the plots", 0},
		{0, "x-label", OPT_VALUE, &c.o.x_label, "<text>", "what the x axis is called", 0},
		{0, "y-label", OPT_VALUE, &c.o.y_label, "<text>", "what the y axis is called", 0},
		{0, "no-header", OPT_FLAG, &c.o.no_header, NULL,
			"CSV and TSV files begin with values: fields are 0, 1, …", 0},
		{'o', "out", OPT_VALUE, &c.out, "<path>",
			"a directory, or a file that ends in .html (" DEFAULT_OUT ")", 0},
		{0, "open", OPT_FLAG, &c.open, NULL, "open the page with $BROWSER or xdg-open", 0},
		{0, "json", OPT_FLAG, &c.json, NULL, "print the data as JSON, write no page", 0},
		OPT_END};
	int n = 0, rc = values_expand_targets(&words, &argc, argv);

	if (rc < 0 || command_options(&rc, argc, words.v, options,
			      "git dvx plots show [<options>] [<path>...]\n"
			      "git dvx plots diff [<options>] [<revision>...]\n"
			      "git dvx plots templates",
			      0, &n))
		goto done;
	if (n == 0)
		rc = command_usage("what with the plots? show, diff or templates");
	else
		rc = dispatch(&c, words.v[1], words.v + 2, n - 1);
done:
	plots_free(c.plots);
	source_cache_free(c.sources);
	strvec_release(&c.targets);
	strvec_release(&c.paths);
	values_words_release(&words);
	return rc;
}
