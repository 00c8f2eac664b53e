/*
 * Git LFS by SSH alone (see lfs_ssh.h): the connections, and the threads that move objects over
 * them.  Each thread has one connection.  It asks about a hundred objects, puts those that are to
 * be moved on a common list, takes a few from there, and so on; so no connection is idle while
 * there is work, and what the server says about an object is used soon after it was said.
 */
#include "transfer/lfs/lfs_ssh_internal.h"
#include "lib/base/backoff.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/workers.h"
#include "lib/setup/urlmatch.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	HAND_OBJECTS = 32,	       /* requests ahead of their answers, */
	HAND_BYTES = 1024 * 1024,      /* about so large together */
	LINK_BYTES = 16 * 1024 * 1024, /* another connection is worth its cost for so many */
	DEFAULT_LINKS = 8,
	DEFAULT_RETRIES = 5,
	LONGEST_WAIT_MS = 30000,
	NS_PER_S = 1000000000
};

/* ---- connections ---- */

int lfs_ssh_acquire(struct lfs_ssh *s, struct lfs_ssh_link **out)
{
	*out = NULL;
	pthread_mutex_lock(&s->lock);
	if (s->n_idle)
		*out = s->idle[--s->n_idle];
	pthread_mutex_unlock(&s->lock);
	return *out ? 0 : lfs_ssh_link_open(out, &s->options);
}

void lfs_ssh_give_back(struct lfs_ssh *s, struct lfs_ssh_link *l)
{
	if (!l)
		return;
	pthread_mutex_lock(&s->lock);
	if (!l->dead && s->n_idle < LFS_SSH_LINKS_MAX) {
		s->idle[s->n_idle++] = l;
		l = NULL;
	}
	pthread_mutex_unlock(&s->lock);
	lfs_ssh_link_close(l);
}

/* lfs.<url>.sshtransfer: "negotiate" unless it is set. */
static int chosen(const struct lfs_ssh_options *o, const char *choice)
{
	const char *said =
		urlmatch_get(o->config, "lfs", o->endpoint->ssh, "sshtransfer", URLMATCH_OWN);

	return said && strcasecmp(said, choice) == 0;
}

static unsigned count_retries(const struct config *c)
{
	int64_t n = config_int(c, "dvx.retries", DEFAULT_RETRIES);

	return n < 0 || n > 100 ? DEFAULT_RETRIES : (unsigned)n;
}

/* A host that is busy or restarts is no reason to go to another. */
static int open_first(struct lfs_ssh *s)
{
	const struct lfs_ssh_options *o = &s->options;
	unsigned tries = 0, retries = count_retries(o->config);
	struct lfs_ssh_link *first;
	int rc;

	while ((rc = lfs_ssh_link_open(&first, o)) == ERR_REMOTE && tries < retries)
		if (backoff_wait(backoff_ms(tries++, LONGEST_WAIT_MS), o->stop) < 0)
			return err_set(ERR_INTERRUPTED, "interrupted");
	if (rc == 0)
		lfs_ssh_give_back(s, first);
	return rc;
}

int lfs_ssh_open(struct lfs_ssh **out, const struct lfs_ssh_options *o)
{
	struct lfs_ssh *s;
	int rc;

	*out = NULL;
	if (chosen(o, "never"))
		return err_set(ERR_UNSUPPORTED, "lfs.sshtransfer is 'never'");
	s = calloc(1, sizeof(*s));
	if (!s)
		return err_set(ERR_NOMEM, "out of memory");
	s->options = *o;
	pthread_mutex_init(&s->lock, NULL);
	rc = open_first(s);
	if (rc < 0) {
		lfs_ssh_close(s);
		if (rc != ERR_UNSUPPORTED || !chosen(o, "always"))
			return rc;
		err_prefix(rc, "lfs.sshtransfer is 'always', but");
		return ERR_REMOTE;
	}
	*out = s;
	return 0;
}

void lfs_ssh_close(struct lfs_ssh *s)
{
	if (!s)
		return;
	while (s->n_idle)
		lfs_ssh_link_close(s->idle[--s->n_idle]);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

/* ---- what is to be done ---- */

struct item {
	struct lfs_ssh_job job;
	struct item *next;
};

struct exchange {
	struct lfs_ssh *ssh;
	struct engine *engine;
	enum engine_direction direction;
	struct transfer_object *objects;
	size_t n;
	unsigned retries;
	pthread_mutex_t lock; /* over what follows */
	pthread_cond_t changed;
	size_t next; /* objects before this one have been asked about */
	struct item *ready, **ready_end;
	int asking; /* threads that will put something on the list */
	int rc;	    /* why all of it ends */
	char *message;
};

/* A thread, with what it has in hand. */
struct worker {
	struct exchange *run;
	struct lfs_ssh_link *link;
	struct lfs_ssh_job jobs[LFS_BATCH_OBJECTS];
	size_t n;
	int careful;	 /* one at a time, to know which of them it is */
	int unreachable; /* there was no connection */
};

enum step { STEP_END, STEP_ASK, STEP_MOVE };

/* Under the lock: objects that nobody has asked about. */
static enum step take_unknown(struct worker *w)
{
	struct exchange *r = w->run;

	for (; r->next < r->n && w->n < LFS_BATCH_OBJECTS; r->next++)
		if (r->objects[r->next].state == TRANSFER_OPEN)
			w->jobs[w->n++] = (struct lfs_ssh_job){.object = &r->objects[r->next]};
	if (!w->n)
		return STEP_END;
	r->asking++;
	return STEP_ASK;
}

/* Under the lock: a few objects to move. */
static enum step take_ready(struct worker *w)
{
	struct exchange *r = w->run;
	uint64_t bytes = 0;

	while (r->ready && w->n < HAND_OBJECTS && bytes < HAND_BYTES) {
		struct item *i = r->ready;

		if (w->n && i->job.object->size > HAND_BYTES - bytes)
			break;
		bytes += i->job.object->size;
		w->jobs[w->n++] = i->job;
		r->ready = i->next;
		if (!r->ready)
			r->ready_end = &r->ready;
		free(i);
	}
	return STEP_MOVE;
}

static enum step take_step(struct worker *w)
{
	struct exchange *r = w->run;
	enum step step = STEP_END;

	w->n = 0;
	pthread_mutex_lock(&r->lock);
	while (r->rc == 0) {
		if (r->ready)
			step = take_ready(w);
		else if (r->next < r->n)
			step = take_unknown(w);
		else
			step = STEP_END;
		if (step != STEP_END || !r->asking)
			break;
		pthread_cond_wait(&r->changed, &r->lock);
	}
	if (r->rc < 0)
		step = STEP_END;
	pthread_mutex_unlock(&r->lock);
	return step;
}

/* All of it ends with the error at hand. */
static void end_run(struct exchange *r, int rc)
{
	pthread_mutex_lock(&r->lock);
	if (r->rc == 0) {
		r->message = strdup(err_msg());
		r->rc = rc;
	}
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
}

/* ---- asking ---- */

/* Nothing is to be moved for it.  What the server does not have stays open: the engine says so. */
static void answer_unmoved(struct exchange *r, struct lfs_ssh_job *j)
{
	struct transfer_object *o = j->object;

	if (r->direction == ENGINE_UPLOAD && !j->offered) {
		engine_progress(r->engine, o->size);
		engine_answer(r->engine, o, TRANSFER_PRESENT, 0);
	} else if (j->offered) { /* it would be moved */
		engine_answer(r->engine, o, TRANSFER_OK, 0);
	}
}

/* What is to be done about it, now that the server has spoken?  Before somebody drops an object,
 * the server is asked for it by name. */
static int is_work(const struct exchange *r, struct lfs_ssh_job *j)
{
	const struct engine *e = r->engine;
	int upload = r->direction == ENGINE_UPLOAD;

	if (j->offered || (upload && e->anew))
		return !e->dry_run;
	j->present = upload && e->verify;
	return j->present;
}

static int put_on_list(struct exchange *r, struct lfs_ssh_job *j)
{
	struct item *i = malloc(sizeof(*i));

	if (!i)
		return err_set(ERR_NOMEM, "out of memory");
	*i = (struct item){.job = *j};
	*j = (struct lfs_ssh_job){.object = NULL};
	pthread_mutex_lock(&r->lock);
	*r->ready_end = i;
	r->ready_end = &i->next;
	pthread_mutex_unlock(&r->lock);
	return 0;
}

static int share_out(struct worker *w)
{
	struct exchange *r = w->run;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < w->n; i++) {
		struct lfs_ssh_job *j = &w->jobs[i];

		if (is_work(r, j))
			rc = put_on_list(r, j);
		else
			answer_unmoved(r, j);
	}
	pthread_mutex_lock(&r->lock);
	r->asking--;
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
	return rc;
}

static int ask(struct worker *w)
{
	return lfs_ssh_batch(w->link, w->run->engine, w->run->direction, w->jobs, w->n);
}

/* ---- moving ---- */

/* What the server said has become too old for some: ask again. */
static int renew(struct worker *w)
{
	int64_t now = fs_now_ns() / NS_PER_S;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < w->n; i++) {
		struct lfs_ssh_job *j = &w->jobs[i];

		if (j->done || !j->expires_at || j->expires_at > now)
			continue;
		lfs_ssh_job_release(j);
		rc = lfs_ssh_batch(w->link, w->run->engine, w->run->direction, j, 1);
		if (rc == 0 && !j->offered) {
			answer_unmoved(w->run, j);
			j->done = 1;
		}
	}
	return rc;
}

static int move(struct worker *w)
{
	struct exchange *r = w->run;
	int rc = renew(w);

	return rc < 0 ? rc
		      : lfs_ssh_move(w->link, r->engine, r->direction, w->jobs, w->n, !w->careful);
}

static size_t count_done(const struct worker *w)
{
	size_t done = 0;

	for (size_t i = 0; i < w->n; i++)
		done += w->jobs[i].done != 0;
	return done;
}

/* Do it, on another connection and again if that may help: as long as something comes of it, and a
 * few times more. */
static int do_reliably(struct worker *w, int (*fn)(struct worker *w))
{
	struct exchange *r = w->run;
	unsigned tries = 0;
	size_t done = 0;
	int rc;

	for (;;) {
		rc = w->link ? 0 : lfs_ssh_acquire(r->ssh, &w->link);
		w->unreachable = rc < 0;
		if (rc == 0)
			rc = fn(w);
		if (w->link && w->link->dead) {
			lfs_ssh_link_close(w->link);
			w->link = NULL;
		}
		if (rc != ERR_REMOTE)
			return rc;
		if (count_done(w) > done)
			tries = 0;
		done = count_done(w);
		w->careful = 1;
		if (tries >= r->retries)
			return rc;
		rc = backoff_wait(backoff_ms(tries++, LONGEST_WAIT_MS), r->engine->stop);
		if (rc < 0)
			return err_set(rc, "interrupted");
	}
}

/* Move what is in hand.  An object that the server cannot take or give, however often it is asked,
 * fails alone; without any connection all fails. */
static int move_hand(struct worker *w)
{
	int rc;

	for (;;) {
		rc = do_reliably(w, move);
		if (rc != ERR_REMOTE || w->unreachable)
			break;
		for (size_t i = 0; i < w->n; i++) {
			if (!w->jobs[i].done) {
				lfs_ssh_fail(w->run->engine, &w->jobs[i], rc);
				break;
			}
		}
	}
	for (size_t i = 0; i < w->n; i++)
		lfs_ssh_job_release(&w->jobs[i]);
	w->careful = 0;
	return rc;
}

static int take_part(size_t index, void *data)
{
	struct worker *w = calloc(1, sizeof(*w));
	struct exchange *r = data;
	enum step step = STEP_END;
	int rc = w ? 0 : err_set(ERR_NOMEM, "out of memory");

	if (rc == 0) {
		w->run = r;
		if (index && lfs_ssh_acquire(r->ssh, &w->link) < 0)
			goto done; /* the others do it */
	}
	while (rc == 0 && (step = take_step(w)) != STEP_END) {
		rc = engine_check_stop(r->engine);
		if (rc == 0)
			rc = step == STEP_ASK ? do_reliably(w, ask) : move_hand(w);
		if (rc == 0 && step == STEP_ASK)
			rc = share_out(w);
	}
	if (rc < 0)
		end_run(r, rc);
done:
	if (w)
		lfs_ssh_give_back(r->ssh, w->link);
	free(w);
	return 0;
}

/* How many connections are worth their cost. */
static int count_links(const struct exchange *r)
{
	int64_t most = r->engine->jobs > 0 ? r->engine->jobs
					   : config_int(r->engine->config,
						     "lfs.concurrenttransfers", DEFAULT_LINKS);
	uint64_t bytes = 0, links;
	size_t open = 0;

	for (size_t i = 0; i < r->n; i++) {
		if (r->objects[i].state == TRANSFER_OPEN) {
			bytes += r->objects[i].size;
			open++;
		}
	}
	if (most < 1 || most > LFS_SSH_LINKS_MAX)
		most = DEFAULT_LINKS;
	links = 1 + bytes / LINK_BYTES;
	links = links < open ? links : open;
	return links < (uint64_t)most ? (int)links : (int)most;
}

int lfs_ssh_run(struct lfs_ssh *s, struct engine *e, enum engine_direction d,
	struct transfer_object *objects, size_t n)
{
	struct exchange r = {.ssh = s, .engine = e, .direction = d, .objects = objects, .n = n};
	int links, rc = 0;

	r.retries = count_retries(e->config);
	r.ready_end = &r.ready;
	pthread_mutex_init(&r.lock, NULL);
	pthread_cond_init(&r.changed, NULL);
	links = count_links(&r);
	if (links)
		rc = workers_run(links, (size_t)links, take_part, &r);
	if (rc == 0 && r.rc < 0)
		rc = err_set(r.rc, "%s", r.message ? r.message : "out of memory");
	while (r.ready) {
		struct item *i = r.ready;

		r.ready = i->next;
		lfs_ssh_job_release(&i->job);
		free(i);
	}
	free(r.message);
	pthread_cond_destroy(&r.changed);
	pthread_mutex_destroy(&r.lock);
	return rc;
}
