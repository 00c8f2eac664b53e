/*
 * What waits in the spool are symbolic links to the client's files.  One agent settles for all; the
 * others wait for their links to disappear, and try themselves when it gives up.  A link that an
 * agent left which was killed is sent by the next one, which does no harm.
 */
#include "transfer/agent_send.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "transfer/depot/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	GATHERED_MAX = 4 * 1024 * 1024, /* larger ones go by themselves */
	COMPANY_MS = 30,
	LOOK_MS = 2, /* whether it is gone */
	KEY_LEN = 32
};

struct agent_sender {
	struct engine *engine;
	struct similar *similar;
	struct spool *spool;
	struct buf state;
};

int agent_state_dir(const struct engine *e, struct buf *out)
{
	const struct remote_spec *spec = e->spec;
	const char *place = spec->path ? spec->path : spec->url;
	char hex[OID_HEX_LEN + 1];
	struct oid key;

	oid_of(&key, place, strlen(place));
	oid_to_hex(hex, &key);
	return buf_addf(out, "%s/agent/%.*s", e->git->dvx_dir, KEY_LEN, hex);
}

int agent_sender_new(struct agent_sender **out, struct engine *e, int alone)
{
	struct agent_sender *s = calloc(1, sizeof(*s));
	struct spool_options o = {.git = e->git,
		.config = e->config,
		.spec = e->spec,
		.remote = e->remote,
		.jobs = e->jobs,
		.stop = e->stop,
		.warn = e->warn,
		.data = e->data,
		.borrowed = 1,
		.company_ms = alone ? 0 : COMPANY_MS};
	struct buf sketches = BUF_INIT;
	int rc;

	*out = NULL;
	if (!s)
		return err_set(ERR_NOMEM, "out of memory");
	s->engine = e;
	rc = agent_state_dir(e, &s->state);
	if (rc == 0)
		rc = buf_addf(&sketches, "%s/sketches", s->state.p);
	if (rc == 0)
		rc = similar_open(&s->similar, sketches.p);
	o.state = s->state.p;
	o.similar = s->similar;
	if (rc == 0)
		rc = spool_open(&s->spool, &o);
	if (rc < 0)
		agent_sender_free(s);
	else
		*out = s;
	buf_release(&sketches);
	return rc;
}

void agent_sender_free(struct agent_sender *s)
{
	if (!s)
		return;
	spool_close(s->spool);
	similar_close(s->similar);
	buf_release(&s->state);
	free(s);
}

/* ---- by itself ---- */

static int send_alone(struct agent_sender *s, struct transfer_object *o)
{
	struct sketch sketch = {.n = 0};
	int rc;

	if (o->size > STORE_SMALL_MAX)
		similar_base(s->similar, o->file, &o->oid, &sketch, &o->base);
	rc = engine_run(s->engine, ENGINE_UPLOAD, o, 1);
	if (o->state > 0 && similar_add(s->similar, &o->oid, &sketch) < 0)
		err_clear(); /* a hint less */
	return rc;
}

/* ---- together ---- */

/* 1 when somebody has sent it. */
static int wait_for(struct agent_sender *s, const char *link)
{
	const struct timespec moment = {0, LOOK_MS * 1000000L};
	int rc;

	while ((rc = spool_settle(s->spool)) == ERR_LOCKED) {
		if (!fs_exists(link))
			return 1;
		rc = engine_check_stop(s->engine);
		if (rc < 0)
			return rc;
		nanosleep(&moment, NULL);
	}
	return !fs_exists(link) ? 1 : rc;
}

/* 1; 0 when there is somebody else's. */
static int make_link(const char *file, const char *link)
{
	if (symlink(file, link) == 0)
		return 1;
	return errno == EEXIST ? 0 : err_sys("cannot make '%s'", link);
}

/* That our link is gone means that it was sent.  Another agent's may be gone since that one gave
 * up: then it is our turn, and what was sent is found there. */
static int send_together(struct agent_sender *s, struct transfer_object *o)
{
	struct buf link = BUF_INIT;
	int is_ours = 0;
	int rc = spool_path(s->spool, &o->oid, &link);

	if (rc == 0)
		rc = fs_mkdirs_parent(link.p);
	while (rc == 0) {
		if (!is_ours)
			rc = is_ours = make_link(o->file, link.p);
		if (rc >= 0)
			rc = access(o->file, R_OK) < 0 ? err_sys("cannot open '%s'", o->file)
						       : wait_for(s, link.p);
		if (rc > 0 && !is_ours)
			rc = 0;
	}
	if (rc < 0 && is_ours > 0)
		unlink(link.p);
	buf_release(&link);
	if (rc == ERR_INTERRUPTED)
		return rc;
	if (rc > 0)
		engine_progress(s->engine, o->size);
	engine_answer(s->engine, o, rc < 0 ? rc : TRANSFER_OK, o->size);
	return 0;
}

int agent_send(struct agent_sender *s, struct transfer_object *o)
{
	if (o->size == 0 || o->size > GATHERED_MAX || o->file[0] != '/')
		return send_alone(s, o);
	return send_together(s, o);
}
