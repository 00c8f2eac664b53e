/*
 * Running stages from a command: options made ready, stages run, results handed to Git.
 */
#include "commands/reproduce.h"
#include "commands/transfer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "commands/filter_config.h"
#include "commands/ignored.h"
#include "commands/reproduce_tell.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/words.h"
#include "lib/pipeline/outtrack.h"

enum { LISTED_MAX = 12 };  /* paths in the proposed `git add` */
enum { SUBJECT_MAX = 72 }; /* columns of a commit's first line */

/* ---- what to commit ---- */

static size_t count_new(const struct telling *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		n += (size_t)outcome_is_new(&t->outcomes[i]);
	return n;
}

/* "Reproduce load, train", or how many, with their names below. */
static int make_message(struct buf *out, const struct telling *t)
{
	const size_t n = count_new(t);
	struct buf names = BUF_INIT;
	size_t listed = 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < t->n; i++)
		if (n == 0 || outcome_is_new(&t->outcomes[i]))
			rc = buf_addf(&names, "%s%s", listed++ > 0 ? ", " : "",
				t->outcomes[i].stage->name);
	if (rc == 0 && names.len + strlen("Reproduce ") <= SUBJECT_MAX)
		rc = buf_addf(out, "Reproduce %s", buf_str(&names));
	else if (rc == 0)
		rc = buf_addf(out, "Reproduce %zu stages\n\n%s", listed, buf_str(&names));
	buf_release(&names);
	return rc;
}

/* Paths that `ignored_handle` mended, too. */
static int add_results(
	struct project *p, const struct telling *t, const struct strvec *also, const char *message)
{
	const struct stage **v = calloc(t->n + 1, sizeof *v);
	struct outtrack_request q = {.v = v,
		.n = t->n,
		.also = also,
		.message = message,
		.quiet = t->r->quiet || t->r->json,
		.stop = command_stop()};
	struct outtrack_added added = {0};
	int rc;

	if (v == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < t->n; i++)
		v[i] = t->outcomes[i].stage;
	fflush(stdout);
	rc = outtrack_add(&p->ctx->repo, p->ctx->s, &q, &added);
	for (size_t i = 0; rc == 0 && i < added.untracked.n; i++)
		fprintf(stderr,
			"warning: '%s', which a stage depends on, is not in Git yet; 'git add' it "
			"where it belongs\n",
			added.untracked.v[i]);
	if (rc == 0 && message != NULL && !added.committed && !t->r->quiet)
		puts("There is nothing to commit.");
	outtrack_added_release(&added);
	free(v);
	return rc;
}

/* ---- the user's turn ---- */

static int add_path(struct buf *line, const struct project *p, const char *path)
{
	struct buf seen = BUF_INIT;
	int rc = repo_relative(&seen, &p->ctx->repo, path);

	if (rc == 0)
		rc = buf_addstr(line, *buf_str(&seen) == '-' ? " ./" : " ");
	if (rc == 0)
		rc = words_quote(line, buf_str(&seen));
	buf_release(&seen);
	return rc;
}

/* "git add dvx.lock model": what changed; too many are "git add -A". */
static int print_git_add(
	const struct project *p, const struct telling *t, const struct strvec *files)
{
	struct buf line = BUF_INIT;
	size_t n = files->n;
	int rc = 0;

	if (getenv("DVX_EXP_NAME") != NULL) /* `exp run` keeps the results */
		return 0;
	for (size_t i = 0; rc == 0 && i < files->n; i++)
		rc = add_path(&line, p, files->v[i]);
	for (size_t i = 0; rc == 0 && i < t->n; i++) {
		const struct stage *s = t->outcomes[i].stage;

		if (!outcome_is_new(&t->outcomes[i]))
			continue;
		for (size_t k = 0; rc == 0 && k < s->n_outs; k++)
			if (s->outs[k].path[0] != '/' && ++n <= LISTED_MAX)
				rc = add_path(&line, p, s->outs[k].path);
	}
	if (rc == 0)
		printf("\nTo track the changes with git, run:\n\n\tgit add%s\n",
			n <= LISTED_MAX ? buf_str(&line) : " -A");
	buf_release(&line);
	return rc;
}

static void print_summary(const struct repro_result *r)
{
	const struct {
		size_t n;
		const char *what;
	} parts[] = {{r->ran, "ran"}, {r->cached, "from the run cache"}, {r->restored, "put back"},
		{r->would_run, "would run"}, {r->unchanged, "unchanged"}, {r->failed, "failed"},
		{r->skipped, "not run"}};
	const char *separator = "Stages: ";

	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		if (parts[i].n == 0)
			continue;
		printf("%s%zu %s", separator, parts[i].n, parts[i].what);
		separator = ", ";
	}
	puts("");
}

/* --unignore is for all outputs: those of stages that did not run may be why it was asked for. */
static int all_outputs(struct strvec *out, const struct telling *t)
{
	int rc = 0;

	strvec_release(out);
	for (size_t i = 0; i < t->n; i++) {
		const struct stage *s = t->outcomes[i].stage;

		for (size_t k = 0; rc == 0 && k < s->n_outs; k++)
			if (s->outs[k].cache && s->outs[k].path[0] != '/')
				rc = strvec_push(out, s->outs[k].path);
	}
	return rc;
}

/* Tell of outputs that Git does not see; with --unignore mend that. */
static int handle_ignored(const struct project *p, const struct reproduce *r,
	const struct strvec *ignored, struct strvec *changed)
{
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < ignored->n; i++) {
		struct buf full = BUF_INIT;
		struct stat st;
		int is_dir;

		rc = fs_join(&full, p->ctx->g->worktree, ignored->v[i]);
		is_dir = rc == 0 && lstat(full.p, &st) == 0 && S_ISDIR(st.st_mode);
		if (rc == 0)
			rc = ignored_handle(
				&p->ctx->repo, ignored->v[i], is_dir, r->unignore, changed);
		buf_release(&full);
	}
	return rc < 0 ? rc : 0;
}

static int anything_happened(const struct repro_result *r)
{
	return r->ran + r->cached + r->restored + r->would_run > 0;
}

/* Lines in .gitattributes are nothing without the filter that they name. */
static void check_filter(const struct project *p, const struct strvec *changed_files)
{
	for (size_t i = 0; i < changed_files->n; i++)
		if (strcmp(changed_files->v[i], ".gitattributes") == 0 &&
			!filter_config_is_set(p->ctx->c))
			fputs("warning: the filter is not set up in this repository, so 'git add' "
			      "would put outputs into Git as they are; 'git dvx init' sets it up\n",
				stderr);
}

/* Files of stages that were written by hand are found from everywhere, once they ran. */
static int remember_files(const struct project *p, const struct telling *t)
{
	const char *last = "";
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < t->n; i++) {
		const char *file = t->outcomes[i].stage->file;

		if (outcome_is_new(&t->outcomes[i]) && strcmp(file, last) != 0)
			rc = source_remember(&p->ctx->repo, file);
		last = file;
	}
	return rc;
}

/* All stages are done: results to Git, or the words that lead there. */
static int finish(struct project *p, const struct telling *t, struct repro_result *result)
{
	const struct reproduce *r = t->r;
	struct buf message = BUF_INIT;
	int rc = remember_files(p, t);

	for (size_t i = 0; rc == 0 && r->also != NULL && i < r->also->n; i++)
		rc = strvec_push(&result->changed_files, r->also->v[i]);
	check_filter(p, &result->changed_files);
	if (rc == 0 && r->unignore && !r->dry_run)
		rc = all_outputs(&result->ignored, t);
	if (rc == 0)
		rc = handle_ignored(p, r, &result->ignored, &result->changed_files);
	if (rc < 0 || r->dry_run)
		return rc;
	if (r->commit || r->message != NULL) {
		rc = r->message != NULL ? buf_addstr(&message, r->message)
					: make_message(&message, t);
		if (rc == 0)
			rc = add_results(p, t, &result->changed_files, message.p);
	} else if (config_bool(p->ctx->c, "dvx.autostage", 0)) {
		rc = add_results(p, t, &result->changed_files, NULL);
	} else if (!r->quiet && !r->json && (count_new(t) > 0 || result->changed_files.n > 0)) {
		rc = print_git_add(p, t, &result->changed_files);
	}
	buf_release(&message);
	return rc;
}

static void prepare(struct reproduce *r)
{
	r->o.execute.flags |= (r->no_run_cache ? EXECUTE_NO_RUN_CACHE : 0) |
			      (r->no_commit ? EXECUTE_NO_COMMIT : 0) |
			      (r->pull ? EXECUTE_PULL : 0) | (r->dry_run ? EXECUTE_DRY : 0);
	if (r->o.jobs < 1)
		r->o.jobs = 1;
	r->o.execute.capture = r->o.jobs > 1 || r->json;
	r->o.execute.stop = command_stop();
}

int reproduce(struct project *p, const struct stage_list *targets, struct reproduce *r)
{
	const struct stale_context context = project_context(p);
	struct repro_result result = {0};
	struct telling t;
	const struct repro_watcher watcher = {telling_tell, &t};
	int rc, told;

	prepare(r);
	rc = telling_init(&t, p, r);
	if (rc == 0 && r->pull && !r->no_run_cache && !r->dry_run)
		rc = transfer_fetch_run_cache(p->ctx);
	if (rc < 0)
		goto done;
	rc = repro_run(&context, p->dag, targets->v, targets->n, &r->o, &watcher, &result);
	r->succeeded = rc == 0;
	told = !r->quiet && !r->json && rc != ERR_INTERRUPTED;
	if (told && rc == 0 && !anything_happened(&result))
		puts("Data and pipelines are up to date.");
	else if (told && (r->o.jobs > 1 || r->o.keep_going))
		print_summary(&result);
	if (rc == 0)
		rc = finish(p, &t, &result);
	if (r->json && rc != ERR_INTERRUPTED) {
		int printed = json_print(&t.json);

		rc = rc < 0 ? rc : printed;
	}
done:
	telling_release(&t);
	repro_result_release(&result);
	return rc;
}
