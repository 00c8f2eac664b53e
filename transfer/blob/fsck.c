/*
 * `git-dvx-transfer fsck`: are the requested objects on the remote, and whole?  The batch protocol,
 * where "ok" means sound and "present" means that it was damaged and is whole again.
 *
 * First a push that is only planned, with the remote asked for every pack; --quick ends there. Then
 * a download to nowhere: every fragment is read anew, every byte is decoded and hashed.  --repair
 * sends what is damaged there once more, from the local store, into new packs that refer to nothing
 * that was there, and checks it again.
 */
#include "transfer/subcommands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/opt.h"
#include "transfer/frontend.h"
#include "transfer/blob/mend.h"

enum phase { PHASE_SIZES, PHASE_CHECK, PHASE_SEND, PHASE_AGAIN };

struct fsck {
	int quick, repair;
	struct engine *engine;
	enum phase phase;
	struct transfer_object *objects; /* as requested */
	char **why;			 /* of those that failed the check; NULL: they did not */
	size_t n, failed;
	struct transfer_object *anew; /* those that are sent again */
	size_t *number;		      /* theirs among the objects */
	size_t n_anew;
	/* the front end's */
	int (*answer)(struct transfer_object *o, uint64_t bytes, void *data);
	int (*progress)(uint64_t objects, uint64_t bytes, void *data);
	void *data;
};

static int forward_progress(uint64_t objects, uint64_t bytes, void *data)
{
	struct fsck *f = data;

	return f->phase == PHASE_CHECK || f->quick ? f->progress(objects, bytes, f->data) : 0;
}

/* A failure waits, if it may be repaired. */
static int hold_back(struct fsck *f, const struct transfer_object *o)
{
	char **why = &f->why[o - f->objects];

	if (!*why)
		f->failed++;
	free(*why);
	*why = strdup(err_msg());
	return *why ? 0 : err_set(ERR_NOMEM, "out of memory");
}

static int take_check(struct fsck *f, struct transfer_object *o, uint64_t bytes)
{
	if (f->phase == PHASE_SIZES && o->state == TRANSFER_OK) { /* a push would send it */
		o->state = err_set(ERR_NOTFOUND,
			"it is not on remote '%s', or a pack that it lies in is missing or has "
			"another size",
			f->engine->spec->name);
	} else if (f->phase == PHASE_SIZES && o->state == TRANSFER_PRESENT && !f->quick) {
		return 0; /* still to be read */
	} else if (o->state == TRANSFER_PRESENT) {
		o->state = TRANSFER_OK;
	}
	if (o->state < 0 && f->repair)
		return hold_back(f, o);
	return f->answer(o, bytes, f->data);
}

/* Sent: it still has to pass the check.  Failed: the first failure is told, too. */
static int take_sent(struct fsck *f, struct transfer_object *copy, uint64_t bytes)
{
	struct transfer_object *o = &f->objects[f->number[copy - f->anew]];

	if (copy->state >= 0 && f->phase == PHASE_SEND)
		return 0;
	o->state = copy->state < 0 ? copy->state : TRANSFER_PRESENT;
	if (copy->state < 0)
		err_set(copy->state, "%s; it could not be repaired: %s",
			f->why[f->number[copy - f->anew]], err_msg());
	return f->answer(o, bytes, f->data);
}

static int take(struct transfer_object *o, uint64_t bytes, void *data)
{
	struct fsck *f = data;

	return f->phase <= PHASE_CHECK ? take_check(f, o, bytes) : take_sent(f, o, bytes);
}

/* The failed objects of which a good copy is here; the others are answered. */
static int choose(struct fsck *f)
{
	f->anew = calloc(f->failed + 1, sizeof(*f->anew));
	f->number = calloc(f->failed + 1, sizeof(*f->number));
	if (!f->anew || !f->number)
		return err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < f->n; i++) {
		struct transfer_object *o = &f->objects[i];

		if (!f->why[i])
			continue;
		if (store_verify(f->engine->store, &o->oid, o->size) < 0) {
			err_set(o->state,
				"%s; there is no good copy here: run 'git dvx fsck "
				"--remote --repair' where there is one",
				f->why[i]);
			if (f->answer(o, 0, f->data) < 0)
				return ERR_IO;
			continue;
		}
		f->number[f->n_anew] = i;
		f->anew[f->n_anew++] =
			(struct transfer_object){.oid = o->oid, .size = o->size, .path = o->path};
	}
	return 0;
}

/* What was sent is read again; what failed to be sent is left out. */
static int check_again(struct fsck *f)
{
	struct engine *e = f->engine;
	size_t n = 0;

	for (size_t i = 0; i < f->n_anew; i++) {
		if (f->anew[i].state < 0)
			continue;
		f->number[n] = f->number[i];
		f->anew[n] = f->anew[i];
		f->anew[n++].state = TRANSFER_OPEN;
	}
	f->phase = PHASE_AGAIN;
	e->check = 1;
	return n ? engine_run(e, ENGINE_DOWNLOAD, f->anew, n) : 0;
}

static int repair(struct fsck *f)
{
	struct engine *e = f->engine;
	int rc = choose(f);

	f->phase = PHASE_SEND;
	e->check = e->dry_run = e->verify = 0;
	e->anew = 1;
	if (rc == 0 && f->n_anew)
		rc = engine_run(e, ENGINE_UPLOAD, f->anew, f->n_anew);
	e->anew = 0;
	return rc == 0 ? check_again(f) : rc;
}

static int check(struct fsck *f)
{
	struct engine *e = f->engine;
	int rc;

	f->phase = PHASE_SIZES;
	e->verify = e->dry_run = 1;
	rc = engine_run(e, ENGINE_UPLOAD, f->objects, f->n);
	e->verify = e->dry_run = 0;
	if (rc < 0 || f->quick)
		return rc;
	for (size_t i = 0; i < f->n; i++)
		if (f->objects[i].state == TRANSFER_PRESENT)
			f->objects[i].state = TRANSFER_OPEN;
	f->phase = PHASE_CHECK;
	e->check = 1;
	return engine_run(e, ENGINE_DOWNLOAD, f->objects, f->n);
}

static int work(struct engine *e, struct transfer_object *objects, size_t n, void *data)
{
	struct fsck *f = data;
	int rc;

	f->engine = e;
	f->objects = objects;
	f->n = n;
	f->why = calloc(n + 1, sizeof(*f->why));
	if (!f->why)
		return err_set(ERR_NOMEM, "out of memory");
	f->answer = e->answer;
	f->progress = e->progress;
	f->data = e->data;
	e->answer = take;
	e->progress = forward_progress;
	e->data = f;
	rc = f->repair ? mend_names(e) : 0;
	if (rc == 0)
		rc = check(f);
	if (rc == 0 && f->failed)
		rc = repair(f);
	e->answer = f->answer;
	e->progress = f->progress;
	e->data = f->data;
	for (size_t i = 0; i < n; i++)
		free(f->why[i]);
	free(f->why);
	free(f->anew);
	free(f->number);
	return rc;
}

int fsck_main(int argc, char **argv)
{
	static const char usage[] = "git-dvx-transfer fsck [<options>]";
	struct frontend_options o = {.jobs = 0};
	struct fsck f = {.quick = 0};
	const struct opt table[] = {
		{'r', "remote", OPT_VALUE, &o.remote, "<name>",
			"remote to check instead of the default", 0},
		{'j', "jobs", OPT_INT, &o.jobs, "<n>", "use up to this many threads", 0},
		{0, "quick", OPT_FLAG, &f.quick, NULL, "compare sizes only, read nothing", 0},
		{0, "repair", OPT_FLAG, &f.repair, NULL,
			"send again what is damaged there and good here", 0},
		OPT_END,
	};
	int n = 0;
	int rc = opt_parse(argc, argv, table, usage, 0, &n);

	if (rc == 0 && n)
		rc = err_set(ERR_INVALID, "unexpected argument '%s'", argv[1]);
	if (rc < 0)
		fprintf(stderr, "error: %s\n", err_msg());
	if (rc != 0)
		return rc < 0 ? 129 : 0;
	return batch_serve(&o, work, &f);
}
