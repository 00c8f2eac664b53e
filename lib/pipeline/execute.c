/*
 * Running one stage (see execute.h; docs/running-stages.md).  Everything that may change under us -
 * another run of the same stage, the old outputs, dvx.lock - is looked at under the claim.  The
 * moment of success is the rename of dvx.lock; before it all is as it was, or will be put back.
 */
#include "lib/pipeline/execute.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/pipeline/environ.h"
#include "lib/pipeline/execute_internal.h"
#include "lib/pipeline/runcache.h"
#include "lib/pipeline/stagecmd.h"

static void tell(const struct execution *x, enum execute_event e, const char *text)
{
	if (x->o->tell)
		x->o->tell(x->s, e, text, x->o->data);
}

static void release(struct execution *x)
{
	stale_release(&x->stale);
	stagelock_free(x->lock);
	buf_release(&x->address);
	buf_release(&x->lock_path);
}

/* ---- the claim ---- */

/* A pattern reads the directory in front of its first wildcard. */
static int push_read(struct strvec *reads, const struct stage_path *p)
{
	size_t n = strlen(p->path);

	if (p->glob) {
		n = strcspn(p->path, "*?[\\");
		while (n > 0 && p->path[n - 1] != '/')
			n--;
		if (n > 0)
			n--;
	}
	return strvec_pushn(reads, p->path, n);
}

static void on_waiting(const char *who, void *data)
{
	tell(data, EXECUTE_WAITING, who);
}

static void on_recovered(const char *stage, void *data)
{
	tell(data, EXECUTE_RECOVERED, stage);
}

static int take_claim(struct execution *x)
{
	const struct stage *s = x->s;
	struct strvec reads = STRVEC_INIT, writes = STRVEC_INIT;
	struct claim_wants wants = {.stage = x->address.p,
		.reads = &reads,
		.writes = &writes,
		.mutex = &s->mutex,
		.waiting = on_waiting,
		.recovered = on_recovered,
		.data = x,
		.stop = x->o->stop};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < s->n_deps; i++)
		rc = push_read(&reads, &s->deps[i]);
	for (size_t i = 0; rc == 0 && i < s->n_params; i++)
		rc = strvec_push(&reads, s->params[i].file);
	for (size_t i = 0; rc == 0 && i < s->n_outs; i++)
		rc = strvec_push(&writes, s->outs[i].path);
	if (rc == 0)
		rc = claim_take(&x->claim, x->c->repo, &wants);
	strvec_release(&reads);
	strvec_release(&writes);
	return rc;
}

/* The lock file's entry and the state of everything, now that nobody else is at it. */
static int look_again(struct execution *x)
{
	int rc;

	if (claim_was_delayed(x->claim))
		for (size_t i = 0; i < x->s->n_outs; i++)
			fingerprints_forget(x->c->fp, x->s->outs[i].path);
	rc = stagelock_load(&x->lock, x->c->src, x->lock_path.p);
	if (rc < 0)
		return rc;
	x->entry = stagelock_get(x->lock, x->s->name);
	return stale_check(&x->stale, x->c, x->s, x->entry, 0);
}

/* ---- the commands ---- */

static int on_output(const char *line, void *data)
{
	tell(data, EXECUTE_OUTPUT, line);
	return 0;
}

static int on_command(const char *line, void *data)
{
	tell(data, EXECUTE_COMMAND, line);
	return 0;
}

static int environment(struct strvec *env, const struct execution *x)
{
	const char *top = x->c->repo->dir->worktree, *stage = x->address.p;
	int rc = strvec_pushf(env, "DVX_ROOT=%s", top);

	if (rc == 0)
		rc = strvec_pushf(env, "DVX_STAGE=%s", stage);
	if (rc == 0)
		rc = strvec_pushf(env, "DVC_ROOT=%s", top);
	if (rc == 0)
		rc = strvec_pushf(env, "DVC_STAGE=%s", stage);
	if (rc == 0)
		rc = claim_environment(env, x->claim);
	for (size_t i = 0; rc == 0 && i < x->s->env.set.n; i++)
		rc = strvec_push(env, x->s->env.set.v[i]);
	return rc;
}

static int run_commands(struct execution *x, const char *dir)
{
	struct strvec env = STRVEC_INIT;
	struct stagecmd cmd = {.stage = x->address.p,
		.lines = &x->s->cmd,
		.dir = dir,
		.env = &env,
		.claim_fd = claim_fd(x->claim),
		.output = x->o->capture ? on_output : NULL,
		.starting = on_command,
		.data = x,
		.stop = x->o->stop};
	int rc = environment(&env, x);

	if (rc == 0)
		rc = stagecmd_run(&cmd);
	fingerprints_forget(x->c->fp, ""); /* a command may write anywhere */
	strvec_release(&env);
	return rc;
}

/* ---- afterwards ---- */

/* What was read must be what dvx.lock will say was read. */
static int check_inputs(const struct execution *x, const struct locked_stage *now)
{
	struct locked_stage *later = NULL, inputs = *now;
	struct oid before, after;
	const char *what = NULL;
	int rc = stale_inputs(&later, x->c, x->s);

	inputs.n_outs = 0; /* `later` has none */
	for (size_t i = 0; rc == 0 && !what && i < now->n_deps && i < later->n_deps; i++)
		if (!fingerprint_eq(&now->deps[i].fp, &later->deps[i].fp))
			what = now->deps[i].path;
	if (rc == 0 && !what && (rc = locked_stage_key(&before, &inputs)) == 0 &&
		(rc = locked_stage_key(&after, later)) == 0 && !oid_eq(&before, &after))
		what = x->s->n_params ? x->s->params[0].file : x->s->file;
	if (rc == 0 && what)
		rc = err_set(ERR_CHANGED,
			"'%s', which stage '%s' depends on, changed while it ran; run it again",
			what, x->address.p);
	locked_stage_free(later);
	return rc;
}

/* So that `--explain` can name files later on. */
static int store_listings(const struct execution *x)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < x->s->n_deps; i++)
		rc = fingerprints_store_listing(x->c->fp, &x->s->deps[i]);
	return rc;
}

/* Write dvx.lock; from then on there is no way back. */
static int record(struct execution *x, const struct locked_stage *now)
{
	const struct stagelock_change change = {x->s->name, now};
	int rc = claim_made(x->claim, x->lock_path.p, now);

	return rc == 0 ? stagelock_update(x->c->repo, x->lock_path.p, &change, 1) : rc;
}

static int run(struct execution *x)
{
	struct locked_stage *now = x->stale.now;
	struct buf dir = BUF_INIT;
	unsigned flags = x->o->flags;
	int rc = fs_join(&dir, x->c->repo->dir->worktree, x->s->wdir);

	if (rc == 0)
		rc = stagecmd_check_dir(x->address.p, dir.p);
	if (rc == 0)
		rc = execute_place_inputs(x);
	if (rc == 0)
		rc = execute_set_aside(x);
	node_free(now->environment);
	now->environment = NULL;
	if (rc == 0 && environ_capture(&now->environment, x->c->repo, x->s) < 0)
		tell(x, EXECUTE_NOTE, err_msg()); /* the run is as good without */
	if (rc == 0)
		rc = run_commands(x, dir.p);
	if (rc == 0)
		rc = execute_take_outs(x, now);
	if (rc == 0)
		rc = check_inputs(x, now);
	if (rc == 0)
		rc = store_listings(x);
	if (rc == 0 && !(flags & (EXECUTE_NO_RUN_CACHE | EXECUTE_NO_COMMIT)) &&
		runcache_allows(x->s) && runcache_put(x->c->repo, now) < 0)
		tell(x, EXECUTE_NOTE, err_msg()); /* the run is as good without */
	if (rc == 0)
		rc = record(x, now);
	buf_release(&dir);
	return rc < 0 ? rc : EXECUTE_RAN;
}

/* ---- without running ---- */

static int restore(struct execution *x, const struct locked_path *outs, size_t n)
{
	int rc = execute_restore(x, outs, n);

	x->damaged = rc == ERR_CORRUPT;
	return rc;
}

/* The outputs of the last run, where nothing but outputs differs. */
static int put_back(struct execution *x)
{
	int rc = restore(x, x->entry->outs, x->entry->n_outs);

	if (rc == 0)
		rc = claim_made(x->claim, x->lock_path.p, x->entry);
	if (rc < 0)
		return rc;
	tell(x, EXECUTE_RESTORED, NULL);
	return EXECUTE_PUT_BACK;
}

/* The outputs of another run with the same inputs, which execute_find_run has put into `now`. */
static int from_cache(struct execution *x)
{
	struct locked_stage *now = x->stale.now;
	int rc = restore(x, now->outs, now->n_outs);

	if (rc == 0)
		rc = record(x, now);
	if (rc < 0)
		return rc;
	tell(x, EXECUTE_CACHED, NULL);
	return EXECUTE_FROM_CACHE;
}

/* A dependency or parameter that is not there. */
static int refuse_absent(const struct execution *x)
{
	struct locked_stage *inputs = NULL;
	int rc = stale_inputs(&inputs, x->c, x->s);

	locked_stage_free(inputs);
	return rc;
}

/* The cheapest way that leads there.  Under the claim. */
static int bring_about(struct execution *x)
{
	unsigned flags = x->o->flags;
	int rc = look_again(x);

	if (rc < 0)
		return rc;
	if (x->stale.n == 0 && !(flags & EXECUTE_FORCE) && claim_was_delayed(x->claim))
		return EXECUTE_UNCHANGED;
	if (x->stale.n > 0 && x->stale.only_outs && !(flags & EXECUTE_FORCE) && !x->anew) {
		rc = execute_can_restore(x, x->entry->outs, x->entry->n_outs);
		if (rc != ERR_NOTFOUND)
			return rc < 0 ? rc : put_back(x);
	}
	rc = refuse_absent(x);
	if (rc == 0 && !(flags & (EXECUTE_NO_RUN_CACHE | EXECUTE_FORCE)) && !x->anew &&
		runcache_allows(x->s))
		rc = execute_find_run(x, x->stale.now);
	if (rc < 0)
		return rc;
	return rc == 1 ? from_cache(x) : run(x);
}

/* End the claim the one way or the other; a failure's own message is what counts. */
static int conclude(struct execution *x, int result)
{
	struct buf message = BUF_INIT, kept = BUF_INIT;
	int rc;

	if (result >= 0) {
		rc = claim_commit(x->claim, &kept);
		if (rc == 0 && kept.len)
			tell(x, EXECUTE_KEPT, kept.p);
		buf_release(&kept);
		return rc < 0 ? err_prefix(rc,
					"stage '%s' succeeded, but not the clearing away of what "
					"it "
					"replaced, which the next command tries again",
					x->address.p)
			      : result;
	}
	(void)buf_addstr(&message, err_msg());
	rc = claim_roll_back(x->claim);
	if (rc < 0)
		err_prefix(rc, "%s; and", buf_str(&message));
	else if (message.len)
		err_set(result, "%s%s", message.p,
			x->had_outputs ? "; its outputs are as they were before" : "");
	for (size_t i = 0; i < x->s->n_outs; i++)
		fingerprints_forget(x->c->fp, x->s->outs[i].path);
	buf_release(&message);
	return result;
}

static int prepare(struct execution *x)
{
	int rc = stage_address(&x->address, x->s, "");

	if (rc == 0 && strchr(x->s->file, '/') && (rc = fs_dirname(&x->lock_path, x->s->file)) == 0)
		rc = buf_addch(&x->lock_path, '/');
	return rc == 0 ? buf_addstr(&x->lock_path, "dvx.lock") : rc;
}

static int attempt(struct execution *x)
{
	int rc = prepare(x);

	if (rc == 0)
		rc = take_claim(x);
	return rc == 0 ? conclude(x, bring_about(x)) : rc;
}

int execute_stage(const struct stale_context *c, const struct stage *s, const struct stale *why,
	const struct execute_options *o)
{
	struct execution x = {.c = c, .s = s, .o = o, .stale = STALE_INIT};
	int rc;

	(void)why; /* as it was before the claim: it is looked at again */
	if (o->flags & EXECUTE_DRY)
		return EXECUTE_WOULD_RUN;
	rc = attempt(&x);
	if (rc == ERR_CORRUPT && x.damaged) { /* an object here is: as good as not there */
		tell(&x, EXECUTE_NOTE, err_msg());
		release(&x);
		x = (struct execution){.c = c, .s = s, .o = o, .stale = STALE_INIT, .anew = 1};
		rc = attempt(&x);
	}
	release(&x);
	return rc;
}
