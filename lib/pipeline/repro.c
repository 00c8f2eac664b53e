/*
 * The order of things in `git dvx repro`.
 *
 * One thread decides: it walks the stages in the order of the graph, asks of each whose inputs are
 * final whether it is stale, and starts it - in its own place with one job, in a thread otherwise.
 * Threads only execute; what became of a stage is taken note of, and its attributes are written,
 * by the thread that decides.  Mutexes and resources are kept here for this run, between runs by
 * claims.
 */
#include "lib/pipeline/repro.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/pipeline/claim.h"
#include "lib/pipeline/outtrack.h"
#include "lib/pipeline/repro_internal.h"

void repro_result_release(struct repro_result *r)
{
	strvec_release(&r->changed_files);
	strvec_release(&r->ignored);
}

/* ---- telling ---- */

static void tell(struct repro *r, const struct stage *s, int event, const struct stale *why,
	const char *text)
{
	pthread_mutex_lock(&r->telling);
	if (r->watcher->tell != NULL)
		r->watcher->tell(s, event, why, text, r->watcher->data);
	pthread_mutex_unlock(&r->telling);
}

static void tell_execute(
	const struct stage *s, enum execute_event event, const char *text, void *data)
{
	tell(data, s, (int)event, NULL, text);
}

static void tell_recovered(const char *stage, void *data)
{
	tell(data, NULL, EXECUTE_RECOVERED, NULL, stage);
}

/* ---- what is wanted ---- */

/* From the targets to what they need (not through frozen ones), or to what needs them. */
static void spread(struct repro *r)
{
	const struct dag *d = r->dag;
	const size_t n = d->pipeline->n;

	for (size_t k = n; k-- > 0 && !r->o->single && !r->o->downstream;) {
		size_t i = d->order[k];

		if (!r->stages[i].wanted || d->pipeline->v[i]->frozen)
			continue;
		for (size_t j = 0; j < d->up[i].n; j++)
			r->stages[d->up[i].v[j]].wanted = 1;
	}
	for (size_t k = 0; k < n && r->o->downstream; k++) {
		size_t i = d->order[k];

		for (size_t j = 0; r->stages[i].wanted && j < d->down[i].n; j++)
			r->stages[d->down[i].v[j]].wanted = 1;
	}
}

/* ---- lock files ---- */

static struct stat lock_stat(const struct repro *r, size_t file)
{
	struct buf path = BUF_INIT;
	struct stat st = {0};

	if (fs_join(&path, r->context->repo->dir->worktree, r->dag->pipeline->files[file].lock) <
			0 ||
		lstat(path.p, &st) < 0)
		st = (struct stat){0};
	buf_release(&path);
	return st;
}

static int load_locks(struct repro *r)
{
	const struct pipeline *p = r->dag->pipeline;

	r->before = calloc(p->n_files + 1, sizeof *r->before);
	if (r->before == NULL)
		return err_no_memory();
	for (size_t i = 0; i < p->n_files; i++)
		r->before[i] = lock_stat(r, i);
	return stagelocks_load(&r->locks, p, r->context->src);
}

/* Which of them are other files now. */
static int note_changed_locks(struct repro *r)
{
	const struct pipeline *p = r->dag->pipeline;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < p->n_files; i++) {
		const struct stat before = r->before[i], now = lock_stat(r, i);

		if (now.st_ino != before.st_ino || now.st_size != before.st_size ||
			fs_mtime_ns(&now) != fs_mtime_ns(&before))
			rc = strvec_push(&r->result->changed_files, p->files[i].lock);
	}
	return rc;
}

/* ---- one stage ---- */

static void note_failure(struct repro *r, size_t i, int code, const char *message)
{
	const struct stage *s = r->dag->pipeline->v[i];

	r->stages[i].state = REPRO_STATE_FAILED;
	if (code == ERR_INTERRUPTED) {
		r->interrupted = 1;
		return;
	}
	r->result->failed++;
	if (r->failure == 0) {
		r->failure = code;
		(void)buf_addstr(&r->failure_message, message);
	}
	(void)buf_addf(&r->failed_names, "%s'%s'", r->failed_names.len > 0 ? ", " : "", s->name);
	tell(r, s, REPRO_FAILED, NULL, message);
}

/* The stage is done: count, tell, give its outputs to the filter. */
static void note_success(struct repro *r, size_t i, int how)
{
	static const char *const words[] = {[EXECUTE_RAN] = "ran",
		[EXECUTE_FROM_CACHE] = "cached",
		[EXECUTE_PUT_BACK] = "restored",
		[EXECUTE_WOULD_RUN] = NULL};
	const struct stage *s = r->dag->pipeline->v[i];
	struct outtrack_result tracked = {0};
	int rc = 0;

	r->stages[i].state = REPRO_STATE_DONE;
	if (how == EXECUTE_UNCHANGED) { /* another run did it meanwhile */
		r->result->unchanged++;
		tell(r, s, REPRO_UNCHANGED, NULL, NULL);
		return;
	}
	r->stages[i].ran =
		how != EXECUTE_PUT_BACK && !(how == EXECUTE_WOULD_RUN && r->stages[i].only_outs);
	*(how == EXECUTE_RAN		    ? &r->result->ran
		: how == EXECUTE_FROM_CACHE ? &r->result->cached
		: how == EXECUTE_PUT_BACK   ? &r->result->restored
					    : &r->result->would_run) += 1;
	if (how == EXECUTE_WOULD_RUN)
		return;
	tell(r, s, REPRO_RAN, NULL, words[how]);
	rc = outtrack_stages(r->context->repo, &s, 1, &tracked);
	if (tracked.tracked.n > 0)
		r->attributes_changed = 1;
	for (size_t k = 0; rc == 0 && k < tracked.ignored.n; k++)
		rc = strvec_push(&r->result->ignored, tracked.ignored.v[k]);
	outtrack_result_release(&tracked);
	if (rc < 0)
		note_failure(r, i, rc, err_msg());
}

/* In whatever thread: run it.  The message of a failure is kept for the one that decides. */
static void run_task(struct repro_task *t)
{
	struct repro *r = t->repro;
	struct stale_context own = *r->context;
	struct execute_options o = r->o->execute;

	o.tell = tell_execute;
	o.data = r;
	o.flags |= t->force ? EXECUTE_FORCE : 0;
	if (r->jobs > 1) { /* a source is for one thread */
		own.src = NULL;
		t->result = source_worktree(&own.src, own.repo, own.store);
	}
	if (t->result == 0)
		t->result = execute_stage(&own, r->dag->pipeline->v[t->stage], &t->why, &o);
	if (t->result < 0)
		t->message = strdup(err_msg());
	if (r->jobs > 1)
		source_free(own.src);
}

static void *task_thread(void *data)
{
	struct repro_task *t = data;
	struct repro *r = t->repro;

	run_task(t);
	pthread_mutex_lock(&r->finishing);
	t->finished = 1;
	pthread_cond_signal(&r->finished);
	pthread_mutex_unlock(&r->finishing);
	return NULL;
}

/* Take note of a task that ended. */
static void reap(struct repro *r, struct repro_task *t)
{
	repro_give_resources(r, r->dag->pipeline->v[t->stage]);
	if (t->result < 0)
		note_failure(r, t->stage, t->result, t->message != NULL ? t->message : "");
	else
		note_success(r, t->stage, t->result);
	free(t->message);
	stale_release(&t->why);
	*t = (struct repro_task){.repro = r};
}

static int start(struct repro *r, size_t i, struct stale *why, int force)
{
	struct repro_task *t = r->tasks;

	while (t->used)
		t++;
	r->stages[i].only_outs = why->n > 0 && why->only_outs;
	*t = (struct repro_task){.repro = r, .used = 1, .stage = i, .why = *why, .force = force};
	*why = (struct stale)STALE_INIT;
	repro_take_resources(r, r->dag->pipeline->v[i]);
	if (r->jobs <= 1) {
		run_task(t);
		reap(r, t);
		return 0;
	}
	if (pthread_create(&t->thread, NULL, task_thread, t) != 0) {
		t->result = err_set(ERR_IO, "cannot start a thread");
		t->message = strdup(err_msg());
		reap(r, t);
		return 0;
	}
	r->stages[i].state = REPRO_STATE_RUNNING;
	r->running++;
	return 0;
}

/* Wait until one of the threads is done. */
static void wait_for_one(struct repro *r)
{
	struct repro_task *t = NULL;

	pthread_mutex_lock(&r->finishing);
	while (t == NULL) {
		for (int k = 0; t == NULL && k < r->jobs; k++)
			if (r->tasks[k].used && r->tasks[k].finished)
				t = &r->tasks[k];
		if (t == NULL)
			pthread_cond_wait(&r->finished, &r->finishing);
	}
	pthread_mutex_unlock(&r->finishing);
	pthread_join(t->thread, NULL);
	r->running--;
	reap(r, t);
}

/* ---- deciding ---- */

/* The stages that it needs: are they done, did one fail, did one run? */
struct above {
	int waiting;
	const struct stage *failed, *ran; /* NULL: none */
};

static struct above look_above(const struct repro *r, size_t i)
{
	const struct dag_links *up = &r->dag->up[i];
	struct above a = {0};

	for (size_t k = 0; k < up->n; k++) {
		const struct repro_stage *s = &r->stages[up->v[k]];
		const struct stage *stage = r->dag->pipeline->v[up->v[k]];

		if (!s->wanted)
			continue;
		a.waiting |= s->state == REPRO_STATE_WAITING || s->state == REPRO_STATE_RUNNING;
		if (s->state == REPRO_STATE_FAILED || s->state == REPRO_STATE_SKIPPED)
			a.failed = s->culprit != NULL ? s->culprit : stage;
		if (s->ran)
			a.ran = stage;
	}
	return a;
}

/* A stage whose inputs are final: skip it, or start it.  0, or the failure to find out. */
static int decide(struct repro *r, size_t i, const struct above *above)
{
	const struct stage *s = r->dag->pipeline->v[i];
	const int dry = (r->o->execute.flags & EXECUTE_DRY) != 0;
	const int force = r->o->force || (r->o->force_downstream && above->ran != NULL);
	struct stale why = STALE_INIT;
	int rc = 0;

	r->stages[i].state = REPRO_STATE_DONE;
	if (s->frozen) {
		r->result->unchanged++;
		tell(r, s, REPRO_FROZEN, NULL, NULL);
		return 0;
	}
	if (dry && above->ran != NULL) {
		r->stages[i].ran = 1;
		r->result->would_run++;
		tell(r, s, REPRO_STALE, NULL, above->ran->name);
		return 0;
	}
	rc = stale_check(&why, r->context, s, stagelocks_get(r->locks, s), r->o->explain);
	if (rc == 0 && dry)
		repro_dry_forgive(r, i, &why);
	if (rc < 0) {
		note_failure(r, i, rc, err_msg());
	} else if (why.n == 0 && !force) {
		r->result->unchanged++;
		tell(r, s, REPRO_UNCHANGED, NULL, NULL);
	} else {
		tell(r, s, REPRO_STALE, &why, NULL);
		rc = start(r, i, &why, force);
	}
	stale_release(&why);
	return rc < 0 && r->stages[i].state != REPRO_STATE_FAILED ? rc : 0;
}

/* No more stages are started. */
static int has_to_end(const struct repro *r)
{
	return r->interrupted || (r->failure != 0 && !r->o->keep_going) ||
	       (r->o->execute.stop != NULL && *r->o->execute.stop);
}

/* Decide about all that can be decided now. */
static int pass(struct repro *r)
{
	int rc = 0;

	for (size_t k = 0; rc == 0 && k < r->dag->pipeline->n; k++) {
		size_t i = r->dag->order[k];
		struct repro_stage *s = &r->stages[i];
		struct above above;

		if (!s->wanted || s->state != REPRO_STATE_WAITING)
			continue;
		if (has_to_end(r) || (r->running > 0 && r->running >= (size_t)r->jobs))
			break;
		above = look_above(r, i);
		if (above.failed != NULL) {
			s->state = REPRO_STATE_SKIPPED;
			s->culprit = above.failed;
			r->result->skipped++;
			tell(r, r->dag->pipeline->v[i], REPRO_SKIPPED, NULL, above.failed->name);
		} else if (!above.waiting && repro_has_resources(r, r->dag->pipeline->v[i])) {
			rc = decide(r, i, &above);
		}
	}
	return rc;
}

static int run_all(struct repro *r)
{
	int rc = pass(r);

	while (r->running > 0) {
		wait_for_one(r);
		if (rc == 0)
			rc = pass(r);
	}
	return rc;
}

/* ---- the whole ---- */

static int begin(struct repro *r, const struct stage *const *targets, size_t n)
{
	const size_t n_stages = r->dag->pipeline->n;
	int rc;

	r->jobs = r->o->jobs > 1 ? r->o->jobs : 1;
	if ((size_t)r->jobs > n_stages)
		r->jobs = n_stages > 1 ? (int)n_stages : 1;
	r->stages = calloc(n_stages + 1, sizeof *r->stages);
	r->tasks = calloc((size_t)r->jobs, sizeof *r->tasks);
	if (r->stages == NULL || r->tasks == NULL)
		return err_no_memory();
	for (size_t i = 0; i < n; i++)
		r->stages[targets[i]->index].wanted = 1;
	spread(r);
	rc = claim_recover(r->context->repo, tell_recovered, r);
	return rc < 0 ? rc : load_locks(r);
}

static void release(struct repro *r)
{
	stagelocks_free(r->locks);
	free(r->before);
	free(r->stages);
	free(r->tasks);
	repro_free_resources(r);
	buf_release(&r->failure_message);
	buf_release(&r->failed_names);
	pthread_mutex_destroy(&r->telling);
	pthread_mutex_destroy(&r->finishing);
	pthread_cond_destroy(&r->finished);
}

/* What it all comes to. */
static int conclude(struct repro *r)
{
	const struct repro_result *result = r->result;

	if (r->interrupted || (r->o->execute.stop != NULL && *r->o->execute.stop))
		return err_set(ERR_INTERRUPTED, "interrupted; outputs of stages that did not "
						"finish are as they were before");
	if (r->o->jobs <= 1 && !r->o->keep_going)
		return strstr(buf_str(&r->failure_message), buf_str(&r->failed_names)) != NULL
			       ? err_set(r->failure, "%s", buf_str(&r->failure_message))
			       : err_set(r->failure, "failed to reproduce %s: %s",
					 buf_str(&r->failed_names), buf_str(&r->failure_message));
	if (result->skipped == 0)
		return err_set(r->failure, "%zu stage%s failed: %s", result->failed,
			result->failed == 1 ? "" : "s", buf_str(&r->failed_names));
	return err_set(r->failure,
		"%zu stage%s failed: %s; %zu that need%s what is missing now did not run",
		result->failed, result->failed == 1 ? "" : "s", buf_str(&r->failed_names),
		result->skipped, result->skipped == 1 ? "s" : "");
}

int repro_run(const struct stale_context *c, const struct dag *d,
	const struct stage *const *targets, size_t n, const struct repro_options *o,
	const struct repro_watcher *w, struct repro_result *result)
{
	struct repro r = {.context = c,
		.dag = d,
		.o = o,
		.watcher = w,
		.result = result,
		.telling = PTHREAD_MUTEX_INITIALIZER,
		.finishing = PTHREAD_MUTEX_INITIALIZER,
		.finished = PTHREAD_COND_INITIALIZER};
	int rc = begin(&r, targets, n), noted;

	if (rc == 0)
		rc = run_all(&r);
	if (r.before != NULL) {
		noted = note_changed_locks(&r);
		if (noted == 0 && r.attributes_changed)
			noted = strvec_push(&result->changed_files, ".gitattributes");
		rc = rc < 0 ? rc : noted;
	}
	if (rc == 0 && (r.failure != 0 || has_to_end(&r)))
		rc = conclude(&r);
	release(&r);
	return rc;
}
