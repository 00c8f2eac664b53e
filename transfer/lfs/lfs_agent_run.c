/*
 * Between the flow and an agent (see lfs_agent_run.h): the agent works on copies of the objects, so
 * that an upload is verified before it is answered for.
 */
#include "transfer/lfs/lfs_agent_run.h"
#include "lib/base/err.h"
#include "transfer/lfs/lfs_basic.h"
#include "transfer/lfs/lfs_custom.h"

#include <stdlib.h>
#include <string.h>

struct agent_run {
	const struct lfs_asker *asker;
	struct transfer_object *const *objects;
	struct transfer_object *copies;
	struct lfs_batch *answers;
	uint64_t moved; /* of what was reported */
};

static int verify(struct agent_run *r, size_t i)
{
	struct lfs_job j = {.asker = r->asker, .object = r->objects[i]};
	int rc = lfs_batch_take(&j.answer, r->answers, i);

	if (rc == 0)
		rc = lfs_basic_verify(&j);
	lfs_batch_release(&j.answer);
	return rc;
}

static int on_answer(struct transfer_object *copy, uint64_t bytes, void *data)
{
	struct agent_run *r = data;
	size_t i = (size_t)(copy - r->copies);
	struct transfer_object *o = r->objects[i];
	int state = copy->state;

	o->file = copy->file;
	if (state == TRANSFER_OK && r->asker->endpoint->operation == LFS_UPLOAD) {
		state = verify(r, i);
		if (state == 0)
			state = TRANSFER_OK;
	}
	engine_answer(r->asker->engine, o, state, bytes);
	return engine_check_stop(r->asker->engine);
}

static int on_progress(uint64_t objects, uint64_t bytes, void *data)
{
	struct agent_run *r = data;

	(void)objects;
	engine_progress(r->asker->engine, bytes - r->moved);
	r->moved = bytes;
	return 0;
}

static void on_warning(const char *message, void *data)
{
	struct agent_run *r = data;

	engine_warn(r->asker->engine, message);
}

/* What needs no agent: errors, and what the server has. */
static void answer_others(struct agent_run *r, size_t n)
{
	int up = r->asker->endpoint->operation == LFS_UPLOAD;
	enum lfs_action_kind kind = up ? LFS_ACTION_UPLOAD : LFS_ACTION_DOWNLOAD;
	struct engine *e = r->asker->engine;

	for (size_t i = 0; i < n; i++) {
		const struct lfs_batch_object *a = &r->answers->objects[i];
		int state = TRANSFER_OPEN;

		if (a->error_code)
			state = lfs_batch_error(a);
		else if (!a->actions[kind])
			state = up ? TRANSFER_PRESENT
				   : err_set(ERR_REMOTE, "the server names no way to fetch it");
		else if (e->dry_run)
			state = TRANSFER_OK;
		r->copies[i] = *r->objects[i];
		r->copies[i].state = state;
		if (state != TRANSFER_OPEN)
			engine_answer(e, r->objects[i], state, 0);
	}
}

int lfs_agent_run(const struct lfs_asker *a, struct transfer_object *const *objects,
	struct lfs_batch *answers, size_t n)
{
	struct agent_run r = {.asker = a, .objects = objects, .answers = answers};
	const struct lfs_custom_options options = {
		.name = answers->transfer, .endpoint = a->endpoint};
	struct engine e = *a->engine;
	int rc;

	r.copies = calloc(n ? n : 1, sizeof(*r.copies));
	if (!r.copies)
		return err_set(ERR_NOMEM, "out of memory");
	answer_others(&r, n);
	pthread_mutex_init(&e.lock, NULL); /* its own: answers go through the other one */
	e.answer = on_answer;
	e.progress = on_progress;
	e.warn = on_warning;
	e.data = &r;
	e.objects_done = e.bytes_done = 0;
	rc = lfs_custom_run(&e,
		a->endpoint->operation == LFS_UPLOAD ? ENGINE_UPLOAD : ENGINE_DOWNLOAD, r.copies,
		answers->objects, n, &options);
	pthread_mutex_destroy(&e.lock);
	free(r.copies);
	return rc;
}
