/*
 * The front end for Git LFS: its custom transfer protocol, one JSON object a line, with our
 * capability "pipelining" (docs/agent-protocol.md, "agent").  Requests are queued; without the
 * capability the queue is worked on after each.
 */
#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/strvec.h"
#include "lib/store/oidmap.h"
#include "transfer/agent_fetch.h"
#include "transfer/agent_send.h"
#include "transfer/frontend.h"
#include "transfer/remote/remote.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	LINE_MAX_BYTES = 65536,
	QUEUE_MAX = 1000000,
	CODE_INIT = 32, /* what Git LFS's own agents use */
	CODE_OTHER = 2
};
static const double size_max = 9007199254740991.0; /* exact in a double, as JSON numbers are */

struct agent {
	const struct frontend_options *options;
	struct engine engine;
	enum engine_direction direction;
	int ready; /* init was answered well */
	int pipelining;
	int ended;
	struct transfer_object *queue;
	size_t n, cap;
	struct oidmap queued;
	struct strvec temps;	       /* files that the client should have moved away */
	struct remote *remote;	       /* a blob store; opened once for all requests */
	struct agent_sender *sender;   /* to it, one object at a time */
	struct agent_fetcher *fetcher; /* from it */
	uint64_t before; /* bytes that the engine had done when the object at hand began */
	uint64_t said;	 /* of the object at hand, to the client */
};

/* ---- writing events ---- */

/* An event under way.  What could not be added (out of memory) is noticed once, when it is sent. */
struct event {
	cJSON *root;
	int failed;
};

static struct event event_new(const char *name)
{
	struct event e = {.root = cJSON_CreateObject()};

	e.failed = !e.root || (name && !cJSON_AddStringToObject(e.root, "event", name));
	return e;
}

static void add_string(struct event *e, const char *key, const char *value)
{
	e->failed |= !cJSON_AddStringToObject(e->root, key, value);
}

static void add_number(struct event *e, const char *key, double value)
{
	e->failed |= !cJSON_AddNumberToObject(e->root, key, value);
}

static void add_oid(struct event *e, const struct oid *oid)
{
	char hex[OID_HEX_LEN + 1];

	oid_to_hex(hex, oid);
	add_string(e, "oid", hex);
}

static void add_error(struct event *e, int code, const char *message)
{
	struct event error = {.root = cJSON_AddObjectToObject(e->root, "error")};

	add_number(&error, "code", code);
	add_string(&error, "message", message);
	e->failed |= error.failed;
}

/* Write the line, and free the event. */
static int event_send(struct event *e)
{
	char *text = e->failed ? NULL : cJSON_PrintUnformatted(e->root);
	struct buf line = BUF_INIT;
	int rc = text ? buf_addf(&line, "%s\n", text) : err_set(ERR_NOMEM, "out of memory");

	if (rc == 0)
		rc = fs_write_full(STDOUT_FILENO, line.p, line.len);
	cJSON_free(text);
	cJSON_Delete(e->root);
	buf_release(&line);
	return rc;
}

/* `so_far` bytes of the object; what had been said before is known for one at a time only. */
static int send_progress(struct agent *a, const struct transfer_object *o, uint64_t so_far)
{
	struct event e = event_new("progress");

	add_oid(&e, &o->oid);
	add_number(&e, "bytesSoFar", (double)so_far);
	add_number(&e, "bytesSinceLast", (double)(so_far - a->said));
	return event_send(&e);
}

/* The engine's progress: while one object is at hand, it is that one's. */
static int on_progress(uint64_t objects, uint64_t bytes, void *data)
{
	struct agent *a = data;
	uint64_t so_far = bytes > a->before ? bytes - a->before : 0;
	int rc;

	(void)objects;
	if (a->pipelining || a->n != 1 || a->queue[0].state != TRANSFER_OPEN)
		return 0;
	if (so_far > a->queue[0].size)
		so_far = a->queue[0].size;
	if (so_far <= a->said)
		return 0;
	rc = send_progress(a, &a->queue[0], so_far);
	a->said = so_far;
	return rc;
}

/* As a server of Git LFS would say it. */
static int code_of(int rc)
{
	switch (rc) {
	case ERR_NOTFOUND:
		return 404;
	case ERR_DENIED:
		return 403;
	case ERR_CORRUPT:
	case ERR_INVALID:
		return 422;
	case ERR_LIMIT:
		return 507;
	case ERR_REMOTE:
		return 503;
	default:
		return CODE_OTHER;
	}
}

static int send_complete(struct transfer_object *o, uint64_t bytes, void *data)
{
	struct agent *a = data;
	struct event e;
	int rc = o->state > 0 && a->said < o->size ? send_progress(a, o, o->size) : 0;

	(void)bytes;
	if (rc < 0)
		return rc;
	e = event_new("complete");
	add_oid(&e, &o->oid);
	if (o->state < 0)
		add_error(&e, code_of(o->state), err_msg());
	if (o->to_file && o->file) {
		add_string(&e, "path", o->file);
		e.failed |= strvec_push(&a->temps, o->file) < 0;
	}
	return event_send(&e);
}

/* The session is over: {"error":{…}} for the client. */
static void send_failure(const char *message)
{
	struct event e = event_new(NULL);

	add_error(&e, CODE_INIT, message);
	event_send(&e);
}

/* ---- reading members ---- */

/* A string member, or NULL when it is absent, null or something else. */
static const char *member(const cJSON *event, const char *name)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(event, name));
}

static int member_oid(const cJSON *event, const char *name, struct oid *out)
{
	const char *hex = member(event, name);

	if (!hex || strlen(hex) != OID_HEX_LEN || oid_from_hex(out, hex) < 0)
		return err_set(ERR_INVALID, "'%s' is not an object id", name);
	return 0;
}

static int member_size(const cJSON *event, uint64_t *out)
{
	const cJSON *size = cJSON_GetObjectItemCaseSensitive(event, "size");
	double v = cJSON_IsNumber(size) ? size->valuedouble : -1;

	if (!(v >= 0 && v <= size_max) || (double)(uint64_t)v < v)
		return err_set(ERR_INVALID, "'size' is not a number of bytes");
	*out = (uint64_t)v;
	return 0;
}

static int has_capability(const cJSON *event, const char *name)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(event, "capabilities");
	const cJSON *item;

	cJSON_ArrayForEach(item, list)
	{
		const char *have = cJSON_GetStringValue(item);

		if (have && strcmp(have, name) == 0)
			return 1;
	}
	return 0;
}

/* ---- events ---- */

/* A blob store is opened once; other remotes look after themselves. */
static int open_remote(struct agent *a, int alone)
{
	struct engine *e = &a->engine;
	const struct remote_context context = {e->git, e->config, e->stop};
	int rc;

	if (e->spec->kind == REMOTE_GITDIR || e->spec->kind == REMOTE_LFS)
		return 0;
	rc = remote_open(&a->remote, e->spec, &context);
	e->remote = a->remote;
	if (rc == 0 && a->direction == ENGINE_UPLOAD)
		rc = agent_sender_new(&a->sender, e, alone);
	else if (rc == 0)
		rc = agent_fetcher_new(&a->fetcher, e);
	return rc;
}

static int on_init(struct agent *a, const cJSON *event)
{
	const char *operation = member(event, "operation");
	const char *remote = member(event, "remote");
	struct event answer;
	int rc;

	if (a->ready)
		return err_set(ERR_INVALID, "a second 'init'");
	if (!operation || (strcmp(operation, "upload") != 0 && strcmp(operation, "download") != 0))
		return err_set(ERR_INVALID, "'operation' must be 'upload' or 'download'");
	a->direction = strcmp(operation, "upload") == 0 ? ENGINE_UPLOAD : ENGINE_DOWNLOAD;
	rc = frontend_resolve(&a->engine, a->options, remote);
	if (rc == 0)
		rc = open_remote(
			a, cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(event, "concurrent")));
	if (rc < 0)
		return rc;
	a->ready = 1;
	a->pipelining = has_capability(event, "pipelining");
	answer = event_new(NULL);
	if (a->pipelining) {
		static const char *const known[] = {"pipelining"};
		cJSON *list = cJSON_CreateStringArray(known, 1);

		if (!cJSON_AddItemToObject(answer.root, "capabilities", list)) {
			cJSON_Delete(list);
			answer.failed = 1;
		}
	}
	return event_send(&answer);
}

static int transfer(struct agent *a)
{
	a->before = a->engine.bytes_done;
	a->said = 0;
	if (a->n == 1 && !a->pipelining && a->sender)
		return agent_send(a->sender, &a->queue[0]);
	if (a->n == 1 && !a->pipelining && a->fetcher)
		return agent_fetch(a->fetcher, &a->queue[0]);
	return engine_run(&a->engine, a->direction, a->queue, a->n);
}

/* Work on what is queued. */
static int run_queue(struct agent *a)
{
	int rc = a->n ? transfer(a) : 0;

	if (rc < 0 && rc != ERR_INTERRUPTED && !a->engine.deaf) {
		char *why = strdup(err_msg()); /* a failure of all is the failure of each */

		for (size_t i = 0; i < a->n; i++) {
			if (a->queue[i].state == TRANSFER_OPEN)
				engine_answer(&a->engine, &a->queue[i],
					err_set(rc, "%s", why ? why : ""), 0);
		}
		free(why);
		rc = 0;
	}
	for (size_t i = 0; i < a->n; i++)
		transfer_object_release(&a->queue[i]);
	a->n = 0;
	oidmap_release(&a->queued);
	return rc;
}

static int new_slot(struct agent *a, struct transfer_object **out)
{
	if (a->n == QUEUE_MAX)
		return err_set(ERR_LIMIT, "more than %d requests are queued", QUEUE_MAX);
	if (array_room(&a->queue, a->n, &a->cap, sizeof(*a->queue)) < 0)
		return ERR_NOMEM;
	*out = &a->queue[a->n];
	memset(*out, 0, sizeof(**out));
	return 0;
}

static int on_request(struct agent *a, const cJSON *event, enum engine_direction d)
{
	const char *path = member(event, "path");
	struct transfer_object *o = NULL;
	int with_base = a->pipelining && member(event, "base");
	struct oid base;
	int rc = new_slot(a, &o);

	if (rc < 0)
		return rc;
	if (!a->ready || d != a->direction)
		return err_set(ERR_INVALID, "a request that does not fit 'init'");
	if ((rc = member_oid(event, "oid", &o->oid)) < 0 || (rc = member_size(event, &o->size)) < 0)
		return rc;
	if (with_base && (rc = member_oid(event, "base", &base)) < 0)
		return rc;
	if (d == ENGINE_DOWNLOAD)
		o->to_file = !(a->pipelining &&
			       cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(event, "store")));
	else if (!(path && *path) && !a->pipelining)
		return err_set(ERR_INVALID, "an upload without 'path'");
	rc = oidmap_add(&a->queued, &o->oid, 0);
	if (rc <= 0) /* asked for twice before a flush: answered once */
		return rc < 0 ? err_set(rc, "out of memory") : 0;
	a->n++;
	if (d == ENGINE_UPLOAD && path && *path && !(o->file = strdup(path)))
		return err_set(ERR_NOMEM, "out of memory");
	if (with_base && (rc = transfer_object_base(o, &base)) < 0)
		return rc;
	return a->pipelining ? 0 : run_queue(a);
}

static int on_flush(struct agent *a)
{
	struct event e;
	int rc;

	if (!a->pipelining)
		return err_set(ERR_INVALID, "'flush' without the capability 'pipelining'");
	rc = run_queue(a);
	if (rc < 0)
		return rc;
	e = event_new("flushed");
	return event_send(&e);
}

static int handle_line(struct agent *a, const char *line, size_t len)
{
	cJSON *event = cJSON_ParseWithLength(line, len);
	const char *kind = cJSON_IsObject(event) ? member(event, "event") : NULL;
	int rc;

	if (!cJSON_IsObject(event))
		rc = err_set(ERR_INVALID, "a line that is no JSON object");
	else if (!kind)
		rc = err_set(ERR_INVALID, "an object without 'event'");
	else if (strcmp(kind, "init") == 0)
		rc = on_init(a, event);
	else if (strcmp(kind, "upload") == 0)
		rc = on_request(a, event, ENGINE_UPLOAD);
	else if (strcmp(kind, "download") == 0)
		rc = on_request(a, event, ENGINE_DOWNLOAD);
	else if (strcmp(kind, "flush") == 0)
		rc = on_flush(a);
	else if (strcmp(kind, "terminate") == 0)
		a->ended = 1, rc = 0;
	else
		rc = err_set(ERR_INVALID, "unknown event '%.40s'", kind);
	cJSON_Delete(event);
	return rc;
}

static int converse(struct agent *a)
{
	struct line_reader in = {.fd = STDIN_FILENO, .max = LINE_MAX_BYTES};
	char *line;
	size_t len;
	int rc = 0;

	while (!a->ended && (rc = line_read(&in, &line, &len)) > 0) {
		if (len == 0)
			continue;
		rc = handle_line(a, line, len);
		if (rc < 0)
			break;
	}
	line_reader_release(&in);
	return rc < 0 ? rc : run_queue(a);
}

int agent_front(const struct frontend_options *o)
{
	struct agent a = {.options = o};
	int rc = frontend_open(&a.engine, o);

	a.engine.answer = send_complete;
	a.engine.progress = on_progress;
	a.engine.data = &a;
	if (rc == 0)
		rc = converse(&a);
	if (rc < 0 && rc != ERR_INTERRUPTED) {
		send_failure(err_msg());
		fprintf(stderr, "error: git-dvx-transfer: %s\n", err_msg());
	}
	for (size_t i = 0; i < a.temps.n; i++)
		unlink(a.temps.v[i]);
	agent_sender_free(a.sender);
	agent_fetcher_free(a.fetcher);
	remote_close(a.remote);
	frontend_close(&a.engine);
	for (size_t i = 0; i < a.n; i++)
		transfer_object_release(&a.queue[i]);
	free(a.queue);
	oidmap_release(&a.queued);
	strvec_release(&a.temps);
	if (rc == ERR_INTERRUPTED)
		return 130;
	return rc < 0 ? 128 : 0;
}
