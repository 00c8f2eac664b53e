/*
 * A conversation of the agent protocol: lines of JSON from a client that may send anything.  What
 * lies behind the front end - engine, repository, remote - is played here; what is queued must be
 * what a request may ask for.
 */
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

static int answers = -1; /* where answers go: a replay speaks TAP on standard output */
#undef STDOUT_FILENO
#define STDOUT_FILENO answers
#include "transfer/agent.c" /* programs have no archive to link against */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* ---- what the front end stands on ---- */

int frontend_open(struct engine *e, const struct frontend_options *o)
{
	(void)o;
	memset(e, 0, sizeof(*e));
	return 0;
}

int frontend_resolve(struct engine *e, const struct frontend_options *o, const char *fallback)
{
	static struct remote_spec spec = {.kind = REMOTE_DIR};

	(void)o;
	e->spec = &spec;
	return fallback ? 0 : err_set(ERR_NOTFOUND, "no remote");
}

void frontend_close(struct engine *e)
{
	(void)e;
}

void transfer_object_release(struct transfer_object *o)
{
	free(o->base);
	free(o->file);
	memset(o, 0, sizeof(*o));
}

int transfer_object_base(struct transfer_object *o, const struct oid *base)
{
	free(o->base);
	o->base = malloc(sizeof(*o->base));
	if (!o->base)
		abort();
	*o->base = *base;
	return 0;
}

void engine_answer(struct engine *e, struct transfer_object *o, int state, uint64_t bytes)
{
	o->state = state;
	if (e->answer(o, bytes, e->data) < 0)
		abort();
}

/* Each third object fails; a size that is odd fails the rest. */
int engine_run(struct engine *e, enum engine_direction d, struct transfer_object *objects, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct transfer_object *o = &objects[i];

		if (o->size > (uint64_t)size_max || (d == ENGINE_DOWNLOAD && o->file) ||
			(d == ENGINE_UPLOAD && o->to_file))
			abort();
		if (o->size % 2)
			return err_set(ERR_REMOTE, "the remote is gone");
		if (o->to_file)
			o->file = strdup("/nonexistent/agent");
		engine_answer(e, o,
			i % 3 == 2 ? err_set(ERR_NOTFOUND, "no such object") : TRANSFER_OK, 1);
	}
	return 0;
}

int remote_open(
	struct remote **out, const struct remote_spec *spec, const struct remote_context *context)
{
	(void)spec;
	(void)context;
	*out = NULL;
	return 0;
}

void remote_close(struct remote *r)
{
	(void)r;
}

int agent_sender_new(struct agent_sender **out, struct engine *e, int alone)
{
	(void)alone;
	*out = (struct agent_sender *)e;
	return 0;
}

void agent_sender_free(struct agent_sender *s)
{
	(void)s;
}

int agent_send(struct agent_sender *s, struct transfer_object *o)
{
	return engine_run((struct engine *)s, ENGINE_UPLOAD, o, 1);
}

int agent_fetcher_new(struct agent_fetcher **out, struct engine *e)
{
	*out = (struct agent_fetcher *)e;
	return 0;
}

void agent_fetcher_free(struct agent_fetcher *f)
{
	(void)f;
}

int agent_fetch(struct agent_fetcher *f, struct transfer_object *o)
{
	return engine_run((struct engine *)f, ENGINE_DOWNLOAD, o, 1);
}

int line_read(struct line_reader *r, char **line, size_t *len)
{
	(void)r;
	(void)line;
	(void)len;
	return 0;
}

void line_reader_release(struct line_reader *r)
{
	(void)r;
}

/* ---- the conversation ---- */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const struct frontend_options options = {.jobs = 1};
	struct agent a = {.options = &options};
	int rc = 0;

	if (answers < 0)
		answers = open("/dev/null", O_WRONLY | O_CLOEXEC);
	frontend_open(&a.engine, &options);
	a.engine.answer = send_complete;
	a.engine.data = &a;
	while (len && rc == 0 && !a.ended) {
		const uint8_t *end = memchr(data, '\n', len);
		size_t n = end ? (size_t)(end - data) : len;
		char *line = malloc(n + 1); /* exactly as long, so that reading past it shows */

		if (!line)
			abort();
		memcpy(line, data, n);
		line[n] = '\0';
		rc = handle_line(&a, line, n);
		free(line);
		data += end ? n + 1 : n;
		len -= end ? n + 1 : n;
	}
	if (rc == 0)
		rc = run_queue(&a);
	if (rc < 0 && !*err_msg())
		abort();
	for (size_t i = 0; i < a.n; i++)
		transfer_object_release(&a.queue[i]);
	free(a.queue);
	oidmap_release(&a.queued);
	strvec_release(&a.temps);
	return 0;
}
