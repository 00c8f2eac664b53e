/*
 * From a command line to a stage in dvx.yaml: a name is found, the operands become one line of
 * shell, the text of the file is changed, checked, written - and put back when the stage's first
 * run fails.
 */
#include "commands/stage_options.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands/stagefile.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/words.h"
#include "lib/pipeline/pipeline.h"
#include "lib/yaml/yaml.h"

enum { VARIABLES_MAX = 16 << 20 }; /* bytes of a file that `vars:` names */

void stage_command_release(struct stage_command *c)
{
	stage_spec_release(&c->spec);
	buf_release(&c->name);
	buf_release(&c->line);
}

/* ---- the command line ---- */

/* DVC's rule: operators and patterns of the shell stay what they are, so that "cat a '>' b" writes
 * b; what has blanks, quotes or brackets in it was one word of the user's shell and remains one. */
static int add_word(struct buf *line, const char *word)
{
	if (*word != '\0' && strpbrk(word, " \t\n'\"\\`()") == NULL)
		return buf_addstr(line, word);
	return words_quote(line, word);
}

/* One operand is a line of shell as it is. */
static int join(struct buf *line, char *const *words, size_t n)
{
	int rc = n == 1 ? buf_addstr(line, words[0]) : 0;

	for (size_t i = 0; rc == 0 && n > 1 && i < n; i++) {
		if (i > 0)
			rc = buf_addch(line, ' ');
		if (rc == 0)
			rc = add_word(line, words[i]);
	}
	return rc;
}

/* ---- the name ---- */

static const char *first_output(const struct stage_spec *s)
{
	const struct strvec *const lists[] = {&s->outs, &s->outs_no_cache, &s->outs_persist,
		&s->outs_persist_no_cache, &s->metrics, &s->metrics_no_cache, &s->plots,
		&s->plots_no_cache};

	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		if (lists[i]->n > 0)
			return lists[i]->v[0];
	return NULL;
}

/* "sub/train.dvc" is the stage "train". */
static int name_of_file(struct buf *out, const char *file)
{
	const char *slash = strrchr(file, '/'), *base = slash != NULL ? slash + 1 : file;
	size_t len = strlen(base);

	if (len > 4 && strcmp(base + len - 4, ".dvc") == 0)
		len -= 4;
	return buf_add(out, base, len);
}

/* "model/model.h5" makes "model". */
static int name_of_output(struct buf *out, const char *path)
{
	size_t end = strlen(path), start;
	int rc = 0;

	while (end > 0 && path[end - 1] == '/')
		end--;
	for (start = end; start > 0 && path[start - 1] != '/'; start--)
		;
	while (start < end && path[start] == '.')
		start++;
	for (size_t i = start; rc == 0 && i < end && path[i] != '.'; i++) {
		const unsigned char c = (unsigned char)path[i];

		rc = buf_addch(out, c < 0x80 && !isalnum(c) && c != '_' ? '-' : path[i]);
	}
	return rc;
}

static int find_name(struct stage_command *c)
{
	const char *output = first_output(&c->spec);
	int rc = 0;

	if (c->spec.name != NULL)
		rc = name_of_file(&c->name, c->spec.name);
	else if (c->old_file != NULL)
		rc = name_of_file(&c->name, c->old_file);
	else if (output != NULL)
		rc = name_of_output(&c->name, output);
	if (rc < 0)
		return rc;
	if (c->name.len == 0)
		return command_usage("the stage needs a name; -n gives it one");
	c->spec.name = c->name.p;
	return 0;
}

/* ---- the file ---- */

struct edit {
	struct stage_command *c;
	struct command_ctx *ctx;
	struct buf file; /* path from the top */
	int existed;
	struct buf before, after;
};

static int read_variables(void *data, const char *path, struct buf *out)
{
	return source_read(data, path, VARIABLES_MAX, out);
}

/* Does the new text make sense by itself?  Asked before anything is written. */
static int check(const struct edit *e)
{
	struct source *src = NULL;
	struct pipeline *p = NULL;
	struct dag *d = NULL;
	struct pipeline_reader reader = {.read = read_variables, .top = e->ctx->g->worktree};
	int rc = source_worktree(&src, &e->ctx->repo, NULL);

	reader.data = src;
	if (rc == 0)
		rc = pipeline_parse(&p, e->file.p, buf_str(&e->after), e->after.len, &reader);
	if (rc == 0)
		rc = dag_new(&d, p);
	dag_free(d);
	pipeline_free(p);
	source_free(src);
	return rc;
}

/* 1 if the text says the same with the stage put in its own place: the command was typed again. */
static int is_the_same(const struct edit *e)
{
	struct buf text = BUF_INIT;
	struct node *before = NULL, *after = NULL;
	int same = buf_add(&text, buf_str(&e->before), e->before.len) == 0 &&
		   stageedit_add(&text, e->file.p, &e->c->spec, 1) == 0 &&
		   yaml_parse(&before, e->file.p, buf_str(&e->before), e->before.len) == 0 &&
		   yaml_parse(&after, e->file.p, buf_str(&text), text.len) == 0 &&
		   node_equal(before, after);

	node_free(before);
	node_free(after);
	buf_release(&text);
	return same;
}

/* For stagefile_change.  1: added; 0: the stage is there already, and the same. */
static int add_stage(struct buf *text, void *data)
{
	struct edit *e = data;
	int rc = buf_add(&e->before, buf_str(text), text->len);

	if (rc < 0)
		return rc;
	rc = stageedit_add(text, e->file.p, &e->c->spec, e->c->force);
	if (rc == ERR_EXISTS && e->c->run && is_the_same(e))
		return 0;
	if (rc == ERR_EXISTS) /* is_the_same has its own messages */
		rc = stageedit_add(text, e->file.p, &e->c->spec, 0);
	if (rc == 0)
		rc = buf_add(&e->after, buf_str(text), text->len);
	if (rc == 0)
		rc = check(e);
	return rc < 0 ? rc : 1;
}

/* For stagefile_change: the text becomes what it was.  When somebody changed it meanwhile, only our
 * stage goes; one that took another's place stays. */
static int take_back(struct buf *text, void *data)
{
	const struct edit *e = data;
	int rc;

	if (text->len != e->after.len ||
		memcmp(buf_str(text), buf_str(&e->after), text->len) != 0) {
		rc = e->c->force ? ERR_CHANGED : stageedit_remove(text, e->file.p, e->c->spec.name);
		return rc < 0 ? rc : 1;
	}
	buf_reset(text);
	rc = buf_add(text, buf_str(&e->before), e->before.len);
	return rc < 0 ? rc : 1;
}

static void remove_if_empty(const char *path)
{
	struct stat st;

	if (lstat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0)
		(void)unlink(path);
}

/* The first run failed.  Adds to the message. */
static void put_back(struct edit *e, int rc)
{
	struct buf message = BUF_INIT, path = BUF_INIT;
	int done;

	(void)buf_addstr(&message, err_msg());
	done = stagefile_change(&e->ctx->repo, e->file.p, take_back, e);
	if (done == 1 && !e->existed && fs_join(&path, e->ctx->g->worktree, e->file.p) == 0)
		remove_if_empty(path.p);
	err_set(rc, done == 1 ? "%s; '%s' is as it was before" : "%s; the stage stays in '%s'",
		buf_str(&message), e->file.p);
	buf_release(&message);
	buf_release(&path);
}

/* ---- running ---- */

static void print_git_add(const struct edit *e)
{
	struct buf seen = BUF_INIT, word = BUF_INIT;

	if (repo_relative(&seen, &e->ctx->repo, e->file.p) == 0 &&
		words_quote(&word, buf_str(&seen)) == 0)
		printf("\nTo track the changes with git, run:\n\n\tgit add %s\n", word.p);
	buf_release(&seen);
	buf_release(&word);
}

/* With all files of the project loaded, which checks the new stage against theirs. */
static int load_and_run(struct edit *e, int written)
{
	struct stage_command *c = e->c;
	struct project p = PROJECT_INIT;
	struct stage_list found = {0};
	struct strvec also = STRVEC_INIT;
	int rc = project_open(&p, e->ctx);

	if (rc == 0)
		rc = pipeline_find(p.pipeline, p.dir, c->spec.name, &found);
	if (rc == 0 && written && !c->r.quiet)
		printf("Added stage '%s' in '%s'\n", c->spec.name, e->file.p);
	if (rc == 0 && c->run) {
		rc = strvec_push(&also, e->file.p);
		c->r.also = written ? &also : NULL;
		c->r.o.single = 1;
		if (rc == 0)
			rc = reproduce(&p, &found, &c->r);
		c->r.also = NULL;
	} else if (rc == 0 && !c->r.quiet) {
		print_git_add(e);
	}
	strvec_release(&also);
	stage_list_release(&found);
	project_close(&p);
	return rc;
}

static int add_and_run(struct edit *e)
{
	int written = stagefile_change(&e->ctx->repo, e->file.p, add_stage, e), rc;

	if (written < 0)
		return written;
	rc = load_and_run(e, written);
	if (rc < 0 && written && !e->c->r.succeeded)
		put_back(e, rc);
	return rc;
}

int stage_command_do(
	struct stage_command *c, struct command_ctx *ctx, char *const *operands, size_t n)
{
	struct edit e = {.c = c, .ctx = ctx};
	int rc = join(&c->line, operands, n);

	if (rc == 0 && c->line.len == 0)
		return command_usage("which command makes the outputs?");
	c->spec.cmd = c->line.p;
	if (rc == 0)
		rc = find_name(c);
	/* a "-h" of the stage's own command line has kept main() from looking */
	if (rc == 0 && ctx->g == NULL)
		rc = gitdir_discover(&ctx->g);
	if (rc == 0 && ctx->g->worktree == NULL)
		rc = err_set(ERR_INVALID, "stages need a work tree; this is a bare repository");
	if (rc == 0)
		rc = command_repo(ctx);
	if (rc == 0)
		rc = e.existed = project_file(&e.file, ctx);
	if (rc >= 0)
		rc = add_and_run(&e);
	buf_release(&e.file);
	buf_release(&e.before);
	buf_release(&e.after);
	return rc;
}
