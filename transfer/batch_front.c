/*
 * The front end for our own programs: request lines in, answer lines out (docs/agent-protocol.md,
 * "batch").
 */
#include "transfer/frontend.h"
#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/pathpool.h"
#include "lib/store/oidindex.h"
#include "lib/wire/batchline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OUT_FLUSH = 32 * 1024 };

struct batch {
	struct engine engine;
	struct transfer_object *objects;
	size_t n, cap;
	struct oidindex seen;
	struct pathpool *paths;
	struct buf out;
	size_t failed;
};

static int flush(struct batch *b)
{
	int rc = fs_write_full(STDOUT_FILENO, b->out.p, b->out.len);

	buf_reset(&b->out);
	return rc;
}

/* Answers for objects are gathered; whatever else there is to say takes them along. */
static int say(struct batch *b, const struct batch_answer *a)
{
	int may_wait = a->kind == BATCH_ANSWER_OK || a->kind == BATCH_ANSWER_PRESENT ||
		       a->kind == BATCH_ANSWER_ERROR;
	int rc = batch_answer_format(&b->out, a);

	if (rc == 0 && (b->out.len >= OUT_FLUSH || !may_wait))
		rc = flush(b);
	return rc;
}

static int answer(struct transfer_object *o, uint64_t bytes, void *data)
{
	struct batch *b = data;
	struct batch_answer a = {.oid = o->oid, .bytes = bytes};

	if (o->state < 0) {
		a.kind = BATCH_ANSWER_ERROR;
		a.code = o->state;
		a.text = err_msg();
		b->failed++;
	} else {
		a.kind = o->state == TRANSFER_PRESENT ? BATCH_ANSWER_PRESENT : BATCH_ANSWER_OK;
	}
	return say(b, &a);
}

static int progress(uint64_t objects, uint64_t bytes, void *data)
{
	struct batch_answer a = {.kind = BATCH_ANSWER_PROGRESS, .objects = objects, .bytes = bytes};

	return say(data, &a);
}

static int add_request(struct batch *b, const struct batch_request *r)
{
	struct transfer_object *o;
	int rc = 0;

	if (oidindex_get(&b->seen, OIDARRAY(b->objects), &r->oid, NULL))
		return 0;
	if (b->n == BATCH_REQUESTS_MAX)
		return err_set(ERR_LIMIT, "more than %d requests", BATCH_REQUESTS_MAX);
	if (array_room(&b->objects, b->n, &b->cap, sizeof(*b->objects)) < 0)
		return ERR_NOMEM;
	o = &b->objects[b->n++];
	*o = (struct transfer_object){.oid = r->oid, .size = r->size};
	if (r->has_base)
		rc = transfer_object_base(o, &r->base);
	if (r->path && !(o->path = pathpool_keep(&b->paths, r->path, strlen(r->path))))
		rc = err_set(ERR_NOMEM, "out of memory");
	if (rc == 0)
		rc = oidindex_add(&b->seen, OIDARRAY(b->objects), (uint32_t)b->n - 1);
	return rc < 0 ? rc : 0;
}

static int read_requests(struct batch *b)
{
	struct line_reader in = {.fd = STDIN_FILENO, .max = BATCH_LINE_MAX};
	struct batch_request r;
	size_t line_number = 0, len;
	char *line;
	int rc;

	while ((rc = line_read(&in, &line, &len)) > 0) {
		line_number++;
		rc = batch_request_parse(&r, line, len);
		if (rc == 0)
			rc = add_request(b, &r);
		if (rc < 0) {
			err_prefix(rc, "request %zu", line_number);
			break;
		}
	}
	line_reader_release(&in);
	return rc;
}

static int run(struct batch *b, const struct frontend_options *o, batch_work_fn *work, void *data)
{
	struct engine *e = &b->engine;
	struct batch_answer a = {.kind = BATCH_ANSWER_REMOTE};
	int rc = frontend_open(e, o);

	e->answer = answer;
	e->progress = progress;
	e->data = b;
	if (rc == 0)
		rc = frontend_resolve(e, o, NULL);
	if (rc == 0) {
		a.text = e->spec->name;
		rc = say(b, &a);
	}
	if (rc == 0)
		rc = read_requests(b);
	oidindex_release(&b->seen); /* a million objects need the room */
	if (rc == 0)
		rc = work(e, b->objects, b->n, data);
	if (rc == 0)
		rc = say(b, &(struct batch_answer){.kind = BATCH_ANSWER_DONE});
	return rc;
}

int batch_serve(const struct frontend_options *o, batch_work_fn *work, void *data)
{
	struct batch b = {.n = 0};
	int rc = run(&b, o, work, data);
	int status = rc < 0 ? 128 : b.failed ? 1 : 0;

	if (rc < 0) {
		struct batch_answer a = {.kind = BATCH_ANSWER_FATAL, .code = rc, .text = err_msg()};

		say(&b, &a); /* the client says it to the user; alone we are seldom */
	}
	if (rc == ERR_INTERRUPTED)
		status = 130;
	frontend_close(&b.engine);
	for (size_t i = 0; i < b.n; i++)
		transfer_object_release(&b.objects[i]);
	free(b.objects);
	pathpool_free(&b.paths);
	oidindex_release(&b.seen);
	buf_release(&b.out);
	return status;
}

static int move(struct engine *e, struct transfer_object *objects, size_t n, void *data)
{
	return engine_run(e, *(const enum engine_direction *)data, objects, n);
}

int batch_front(enum engine_direction d, const struct frontend_options *o)
{
	return batch_serve(o, move, &d);
}
