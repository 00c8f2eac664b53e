/*
 * The flow of a transfer (see lfs_flow.h): each of a few threads either asks the server about the
 * next hundred objects, when few answers are left, or moves one object that an answer is there for.
 * So a million objects take the memory of a few hundred, batches travel while objects do, and what
 * the server allowed is used before it is over.
 */
#include "transfer/lfs/lfs_flow.h"
#include "lib/base/err.h"
#include "lib/base/workers.h"
#include "transfer/lfs/lfs_agent_run.h"
#include "transfer/lfs/lfs_basic.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	JOBS_DEFAULT = 8,
	AHEAD = 4 * LFS_BATCH_OBJECTS, /* answers that may wait for their turn */
	MISSES_MAX = 8,		       /* objects in a row that the network kept from moving */
	AGED = 5		       /* seconds: then an answer may be over that was good */
};

/* Objects, with what the server says about each, or (asked == 0) to be asked about. */
struct share {
	struct transfer_object *objects[LFS_BATCH_OBJECTS];
	struct lfs_batch answers;
	size_t n, next; /* that nobody has taken */
	int64_t asked;
	struct share *link;
};

struct flow {
	const struct lfs_asker *asker;
	struct transfer_object *objects;
	size_t n;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* under the lock */
	size_t next;	     /* object to ask about */
	size_t share_max;    /* objects a request; halved when the server says 413 */
	struct share *ready; /* answered, in order of arrival */
	struct share **tail;
	size_t waiting; /* objects in `ready` */
	size_t asking;	/* shares that are being asked about */
	unsigned misses;
	int failed;
};

enum task { TASK_ASK, TASK_MOVE, TASK_AGENT, TASK_WAIT, TASK_NONE };

static void share_free(struct share *s)
{
	if (s)
		lfs_batch_release(&s->answers);
	free(s);
}

/* ---- one object ---- */

static int is_of_network(int rc)
{
	return rc == ERR_REMOTE || rc == ERR_DENIED;
}

/* Say what became of it (`tried`: over the network).  Negative: so many failed in a row that the
 * next ones would, too. */
static int settle(struct flow *f, struct transfer_object *o, int rc, int tried, uint64_t travelled)
{
	struct engine *e = f->asker->engine;
	int up = f->asker->endpoint->operation == LFS_UPLOAD;
	struct buf who = BUF_INIT;
	unsigned misses;

	if (rc == ERR_INTERRUPTED)
		return rc;
	pthread_mutex_lock(&f->lock);
	if (tried)
		f->misses = is_of_network(rc) ? f->misses + 1 : 0;
	misses = tried ? f->misses : 0;
	pthread_mutex_unlock(&f->lock);
	if (rc < 0 && engine_describe(o, &who) == 0)
		err_prefix(rc, "cannot %s object %s %s remote '%s'", up ? "send" : "fetch", who.p,
			up ? "to" : "from", e->spec->name);
	buf_release(&who);
	if (misses >= MISSES_MAX)
		return rc;
	engine_answer(e, o, rc == 0 ? TRANSFER_OK : rc, travelled);
	return 0;
}

static int move(struct flow *f, struct transfer_object *o, struct lfs_batch *answer)
{
	struct lfs_job j = {.asker = f->asker, .object = o, .answer = *answer};
	const struct lfs_batch_object *a = &j.answer.objects[0];
	int up = f->asker->endpoint->operation == LFS_UPLOAD;
	int tried = 0;
	int rc = 0;

	if (a->error_code)
		rc = lfs_batch_error(a);
	else if (up && !a->actions[LFS_ACTION_UPLOAD])
		rc = TRANSFER_PRESENT;
	else if (f->asker->engine->dry_run)
		rc = TRANSFER_OK;
	else
		tried = 1;
	if (tried)
		rc = up ? lfs_basic_upload(&j) : lfs_basic_download(&j);
	if (rc == TRANSFER_PRESENT)
		engine_progress(f->asker->engine, o->size);
	rc = settle(f, o, rc, tried, j.travelled);
	lfs_batch_release(&j.answer);
	return rc;
}

/* ---- batches ---- */

/* Under the lock. */
static void put_ready(struct flow *f, struct share *s)
{
	s->link = NULL;
	*f->tail = s;
	f->tail = &s->link;
	f->waiting += s->n - s->next;
}

/* Under the lock: the first share, and it is the caller's. */
static struct share *cut_ready(struct flow *f)
{
	struct share *s = f->ready;

	f->ready = s->link;
	if (!f->ready)
		f->tail = &f->ready;
	f->waiting -= s->n - s->next;
	return s;
}

/* The later half into a share of its own. */
static struct share *split(struct share *s)
{
	struct share *rest = calloc(1, sizeof(*rest));
	size_t half = s->n / 2;

	if (!rest)
		return NULL;
	rest->n = s->n - half;
	memcpy(rest->objects, s->objects + half, rest->n * sizeof(*rest->objects));
	s->n = half;
	return rest;
}

/* The server takes fewer objects at once. */
static int ask(struct flow *f, struct share *s);
static int ask_halves(struct flow *f, struct share *s)
{
	struct share *rest = split(s);
	int rc;

	if (!rest) {
		share_free(s);
		return err_set(ERR_NOMEM, "out of memory");
	}
	pthread_mutex_lock(&f->lock);
	if (f->share_max > s->n)
		f->share_max = s->n;
	pthread_mutex_unlock(&f->lock);
	rc = ask(f, s);
	if (rc < 0)
		share_free(rest);
	return rc < 0 ? rc : ask(f, rest);
}

/* Takes the share over. */
static int ask(struct flow *f, struct share *s)
{
	int rc = engine_check_stop(f->asker->engine);

	if (rc == 0)
		rc = lfs_batch_ask(&s->answers, f->asker, s->objects, s->n);
	if (rc == ERR_LIMIT && s->n > 1)
		return ask_halves(f, s);
	if (rc < 0) {
		share_free(s);
		return rc == ERR_INTERRUPTED
			       ? rc
			       : err_prefix(rc, "remote '%s'", f->asker->engine->spec->name);
	}
	s->asked = time(NULL);
	pthread_mutex_lock(&f->lock);
	put_ready(f, s);
	pthread_mutex_unlock(&f->lock);
	return 0;
}

/* Under the lock: the next objects that are open.  NULL: out of memory, or there are none. */
static struct share *next_share(struct flow *f)
{
	struct share *s = calloc(1, sizeof(*s));

	for (; s && f->next < f->n && s->n < f->share_max; f->next++)
		if (f->objects[f->next].state == TRANSFER_OPEN)
			s->objects[s->n++] = &f->objects[f->next];
	return s;
}

/* What waited so long that the server's word is over is asked about again: the rest of a share. */
static int is_over(const struct share *s, enum lfs_operation operation)
{
	const struct lfs_batch_object *o = &s->answers.objects[s->next];
	const struct lfs_action *a =
		o->actions[operation == LFS_UPLOAD ? LFS_ACTION_UPLOAD : LFS_ACTION_DOWNLOAD];

	return a && lfs_action_is_old(a) && time(NULL) - s->asked >= AGED;
}

static void forget_answers(struct share *s)
{
	lfs_batch_release(&s->answers);
	s->n -= s->next;
	memmove(s->objects, s->objects + s->next, s->n * sizeof(*s->objects));
	s->next = 0;
}

/* ---- threads ---- */

static int has_agent(const struct share *s)
{
	return s->answers.transfer && strcmp(s->answers.transfer, "basic") != 0;
}

/* Under the lock: what to do next, and with what. */
static enum task choose(struct flow *f, struct share **s)
{
	if (f->failed)
		return TASK_NONE;
	while (f->next < f->n && f->objects[f->next].state != TRANSFER_OPEN)
		f->next++;
	if (f->next < f->n && f->waiting + f->asking * f->share_max < AHEAD) {
		f->asking++;
		*s = next_share(f);
		return TASK_ASK;
	}
	if (!f->ready)
		return f->asking ? TASK_WAIT : TASK_NONE;
	*s = f->ready;
	if (is_over(*s, f->asker->endpoint->operation)) {
		cut_ready(f);
		forget_answers(*s);
		f->asking++;
		return TASK_ASK;
	}
	if (has_agent(*s)) {
		cut_ready(f);
		return TASK_AGENT;
	}
	return TASK_MOVE;
}

/* Under the lock, which is given up meanwhile. */
static int do_ask(struct flow *f, struct share *s)
{
	int rc;

	pthread_mutex_unlock(&f->lock);
	rc = s ? ask(f, s) : err_set(ERR_NOMEM, "out of memory");
	pthread_mutex_lock(&f->lock);
	f->asking--;
	pthread_cond_broadcast(&f->changed);
	return rc;
}

/* The same: one object of the first share. */
static int do_move(struct flow *f, struct share *s)
{
	struct lfs_batch one = {.n = 0};
	struct transfer_object *o = s->objects[s->next];
	int rc = lfs_batch_take(&one, &s->answers, s->next);

	if (rc < 0)
		return rc;
	if (s->next + 1 == s->n) {
		cut_ready(f);
		share_free(s);
	} else {
		s->next++;
		f->waiting--;
	}
	pthread_mutex_unlock(&f->lock);
	rc = engine_check_stop(f->asker->engine);
	if (rc == 0)
		rc = move(f, o, &one);
	else
		lfs_batch_release(&one);
	pthread_mutex_lock(&f->lock);
	return rc;
}

static int do_agent(struct flow *f, struct share *s)
{
	int rc;

	pthread_mutex_unlock(&f->lock);
	rc = lfs_agent_run(f->asker, s->objects, &s->answers, s->n);
	share_free(s);
	pthread_mutex_lock(&f->lock);
	return rc;
}

static int work(size_t i, void *data)
{
	struct flow *f = data;
	struct share *s = NULL;
	enum task task;
	int rc = 0;

	(void)i;
	pthread_mutex_lock(&f->lock);
	while (rc == 0 && (task = choose(f, &s)) != TASK_NONE) {
		if (task == TASK_WAIT)
			pthread_cond_wait(&f->changed, &f->lock);
		else if (task == TASK_ASK)
			rc = do_ask(f, s);
		else
			rc = task == TASK_MOVE ? do_move(f, s) : do_agent(f, s);
	}
	if (rc < 0)
		f->failed = 1;
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->lock);
	return rc;
}

static int jobs(const struct engine *e)
{
	int64_t configured = config_int(e->config, "lfs.concurrenttransfers", 0);

	if (e->jobs > 0)
		return e->jobs;
	return configured > 0 && configured <= 64 ? (int)configured : JOBS_DEFAULT;
}

int lfs_flow_run(const struct lfs_asker *a, struct transfer_object *objects, size_t n)
{
	struct flow f = {.asker = a, .objects = objects, .n = n, .share_max = LFS_BATCH_OBJECTS};
	struct share *s;
	int rc;

	f.tail = &f.ready;
	pthread_mutex_init(&f.lock, NULL);
	pthread_cond_init(&f.changed, NULL);
	rc = workers_run(jobs(a->engine), (size_t)jobs(a->engine), work, &f);
	while ((s = f.ready)) {
		f.ready = s->link;
		share_free(s);
	}
	pthread_cond_destroy(&f.changed);
	pthread_mutex_destroy(&f.lock);
	return rc;
}
