/*
 * `git dvx exp run`: queues experiments, and runs them, several at once if asked to.  What the
 * stages print comes through here as it appears; of several at once whole lines, prefixed.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/exp.h"
#include "commands/project.h"
#include "lib/base/err.h"
#include "lib/base/pathmatch.h"
#include "lib/base/workers.h"
#include "lib/repo/git.h"

/* One experiment in a batch. */
struct task {
	const struct experiment *e;
	struct batch *batch;
	struct buf line; /* not ended yet */
	int result;	 /* of experiment_run */
	char *why;	 /* message of an error */
};

struct batch {
	struct exp_args *a;
	struct task *tasks;
	size_t n;
	int prefixed;
	pthread_mutex_t print;
	const volatile int *stop;
};

/* ---- output ---- */

static void print_line(struct task *t)
{
	pthread_mutex_lock(&t->batch->print);
	printf("%s | %s\n", t->e->name, buf_str(&t->line));
	fflush(stdout);
	pthread_mutex_unlock(&t->batch->print);
	buf_reset(&t->line);
}

static void take_output(const char *name, const char *bytes, size_t len, void *data)
{
	struct task *t = data;

	(void)name;
	if (!t->batch->prefixed) {
		fwrite(bytes, 1, len, stdout);
		fflush(stdout);
		return;
	}
	while (len > 0) {
		const char *end = memchr(bytes, '\n', len);
		size_t part = end ? (size_t)(end - bytes) : len;

		/* a line that is longer than memory allows comes in pieces */
		if (buf_add(&t->line, bytes, part) < 0 || end)
			print_line(t);
		part += end != NULL;
		bytes += part;
		len -= part;
	}
}

/* ---- running ---- */

static int run_task(size_t i, void *data)
{
	struct batch *b = data;
	struct task *t = &b->tasks[i];
	const struct experiment_output out = {take_output, t};

	if (!b->prefixed && b->n > 1)
		printf("Running experiment '%s':\n", t->e->name);
	fflush(stdout);
	t->result = experiment_run(&b->a->ctx->repo, b->a->ctx->s, t->e, &out, b->stop);
	if (t->line.len > 0)
		print_line(t);
	if (t->result < 0)
		t->why = strdup(err_msg());
	return t->result == ERR_INTERRUPTED ? ERR_INTERRUPTED : 0;
}

static int print_names(const struct batch *b, int result, struct buf *out)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < b->n; i++)
		if (b->tasks[i].result == result)
			rc = buf_addf(out, "%s%s", out->len ? ", " : "", b->tasks[i].e->name);
	return rc;
}

/* What became of them; 0, or an error that names those that failed. */
static int report(const struct batch *b)
{
	struct buf done = BUF_INIT, failed = BUF_INIT;
	int rc = print_names(b, 1, &done);

	if (rc == 0)
		rc = print_names(b, 0, &failed);
	if (rc == 0 && done.len > 0)
		printf("\nRan experiment(s): %s\nTo apply the results of an experiment to your "
		       "workspace run:\n\n\tgit dvx exp apply <exp>\n\nTo promote an experiment "
		       "to a Git branch run:\n\n\tgit dvx exp branch <exp> <branch>\n",
			done.p);
	for (size_t i = 0; rc == 0 && i < b->n; i++)
		if (b->tasks[i].result < 0)
			rc = err_set(b->tasks[i].result, "%s", b->tasks[i].why);
	if (rc == 0 && failed.len > 0)
		rc = err_set(ERR_INVALID, "failed: %s; 'git dvx exp logs %s' shows what %s printed",
			failed.p, b->n == 1 ? failed.p : "<name>",
			b->n == 1 ? "it" : "one of them");
	buf_release(&done);
	buf_release(&failed);
	return rc;
}

/* Run these (n of them).  0 when all succeeded. */
static int run_batch(struct exp_args *a, const struct experiment *const *v, size_t n)
{
	struct batch b = {.a = a,
		.n = n,
		.prefixed = n > 1 && a->jobs > 1,
		.print = PTHREAD_MUTEX_INITIALIZER,
		.stop = command_stop()};
	int rc;

	b.tasks = calloc(n + 1, sizeof(*b.tasks));
	if (!b.tasks)
		return err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < n; i++)
		b.tasks[i] = (struct task){.e = v[i], .batch = &b, .result = ERR_INTERRUPTED};
	rc = workers_run(a->jobs > 0 ? a->jobs : 1, n, run_task, &b);
	if (rc == 0)
		rc = report(&b);
	for (size_t i = 0; i < n; i++) {
		buf_release(&b.tasks[i].line);
		free(b.tasks[i].why);
	}
	free(b.tasks);
	return rc;
}

static int run_queued(struct exp_args *a)
{
	const struct experiment **v = calloc(a->list.n + 1, sizeof(struct experiment *));
	size_t n = 0;
	int rc = v ? 0 : err_set(ERR_NOMEM, "out of memory");

	for (size_t i = 0; rc == 0 && i < a->list.n; i++)
		if (a->list.v[i].state == EXPERIMENT_QUEUED)
			v[n++] = &a->list.v[i];
	if (rc == 0 && n == 0)
		puts("No experiments in the queue.");
	else if (rc == 0)
		rc = run_batch(a, v, n);
	free(v);
	return rc;
}

/* The one that waits, or NULL; there may be a result of that name, which it is to replace. */
static const struct experiment *find_queued(const struct experiment_list *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].state == EXPERIMENT_QUEUED && strcmp(l->v[i].name, name) == 0)
			return &l->v[i];
	return NULL;
}

/* Forget what was queued only to be run at once and could not be; the error stays as it is. */
static void forget(struct exp_args *a, const char *name)
{
	char *why = strdup(err_msg());
	struct experiment_list l = {0};
	const struct experiment *e;

	if (experiment_list_load(&l, &a->ctx->repo) == 0) {
		e = find_queued(&l, name);
		if (e)
			(void)!experiment_remove(&a->ctx->repo, e);
	}
	experiment_list_release(&l);
	if (why)
		err_set(ERR_INVALID, "%s", why);
	free(why);
}

static int run_now(struct exp_args *a, const char *name)
{
	const struct experiment *e = NULL;
	int rc;

	experiment_list_release(&a->list);
	rc = experiment_list_load(&a->list, &a->ctx->repo);
	if (rc == 0)
		e = find_queued(&a->list, name);
	if (rc == 0 && !e)
		rc = err_set(ERR_NOTFOUND, "experiment '%s' was taken by another process", name);
	if (rc == 0)
		rc = run_batch(a, &e, 1);
	return rc;
}

/* ---- queueing ---- */

static int queue_one(struct exp_args *a, const struct strvec *set, const struct strvec *targets,
	const char *name, char **out)
{
	const struct experiment_request request = {.name = name,
		.message = a->message,
		.set = set,
		.targets = targets,
		.copies = &a->copies,
		.repro_force = a->force,
		.replace = a->force};

	return experiment_queue(out, &a->ctx->repo, a->ctx->s, &request);
}

/* One for each combination; given a name, they are called <name>-1, <name>-2… */
static int queue_all(struct exp_args *a, const struct strvec *sets, size_t n,
	const struct strvec *targets, char **last)
{
	const volatile int *stop = command_stop();
	struct buf numbered = BUF_INIT;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n && !*stop; i++) {
		const char *name = a->name;

		if (name && n > 1) {
			buf_reset(&numbered);
			rc = buf_addf(&numbered, "%s-%zu", name, i + 1);
			name = numbered.p;
		}
		free(*last);
		*last = NULL;
		if (rc == 0)
			rc = queue_one(a, &sets[i], targets, name, last);
		if (rc == 0 && a->queue)
			printf("Queued experiment '%s' for future execution.\n", *last);
	}
	buf_release(&numbered);
	return rc == 0 && *stop ? err_set(ERR_INTERRUPTED, "interrupted") : rc;
}

/* 1 if a stage makes what is at the path, or some of it. */
static int is_made(const struct pipeline *p, const char *path)
{
	for (size_t i = 0; i < p->n; i++)
		for (size_t k = 0; k < p->v[i]->n_outs; k++) {
			const char *out = p->v[i]->outs[k].path;

			if (pathmatch_within(path, out) || pathmatch_within(out, path))
				return 1;
		}
	return 0;
}

/* Dependencies that are here and that the experiment will not have: a hint, no more. */
static void note_untracked(const struct exp_args *a, const struct pipeline *p)
{
	struct run r = RUN_INIT;
	struct buf out = BUF_INIT;
	size_t n = 0;
	int rc = git_prepare(
		&r, &a->ctx->repo, "ls-files", "-z", "--others", "--directory", "--", (char *)NULL);

	for (size_t i = 0; rc == 0 && i < p->n; i++)
		for (size_t k = 0; rc == 0 && k < p->v[i]->n_deps; k++) {
			const struct stage_path *dep = &p->v[i]->deps[k];

			if (dep->glob || dep->path[0] == '/' || is_made(p, dep->path))
				continue;
			rc = strvec_pushf(&r.argv, ":(top,literal)%s", dep->path);
			n++;
		}
	if (rc == 0 && n > 0)
		rc = run_capture(&r, NULL, 0, &out);
	for (const char *at = buf_str(&out); rc == 0 && at < buf_str(&out) + out.len;
		at += strlen(at) + 1)
		fprintf(stderr,
			"note: Git does not know '%s', so experiments do not have it; 'git add' "
			"it, or use --copy-paths\n",
			at);
	run_release(&r);
	buf_release(&out);
	if (rc < 0)
		err_clear();
}

/* A mistyped stage is told before anything is made. */
static int check_targets(struct exp_args *a)
{
	struct project p = PROJECT_INIT;
	struct stage_list list = {0};
	int rc = project_open(&p, a->ctx);

	if (rc == 0)
		rc = project_targets(&list, &p, a->v, (size_t)a->n);
	if (rc == 0 && a->copies.n == 0)
		note_untracked(a, p.pipeline);
	stage_list_release(&list);
	project_close(&p);
	return rc;
}

int exp_run(struct exp_args *a)
{
	struct strvec targets = STRVEC_INIT;
	struct strvec *sets = NULL;
	size_t n = 0;
	char *name = NULL;
	int rc = 0;

	if (a->run_all && (a->n > 0 || a->set.n > 0 || a->name))
		return command_usage("--run-all runs what is queued as it was queued; it takes "
				     "no targets, names and parameters");
	if (a->run_all)
		return run_queued(a);
	rc = check_targets(a);
	for (int i = 0; rc == 0 && i < a->n; i++)
		rc = strvec_push(&targets, a->v[i]);
	if (rc == 0)
		rc = experiment_combine(&sets, &n, &a->set);
	if (rc == 0 && n > 1 && !a->queue)
		rc = command_usage("these parameters mean %zu experiments; add --queue, then 'git "
				   "dvx exp run --run-all -j <n>' runs them",
			n);
	if (rc == 0)
		rc = queue_all(a, sets, n, &targets, &name);
	if (rc == 0 && !a->queue)
		rc = run_now(a, name);
	if (rc < 0 && !a->queue && name)
		forget(a, name);
	for (size_t i = 0; i < n; i++)
		strvec_release(&sets[i]);
	free(sets);
	free(name);
	strvec_release(&targets);
	return rc;
}
