/*
 * Moving objects over one connection to a git-lfs-transfer (see lfs_ssh_internal.h).  Requests go
 * out before the answers to earlier ones have come, so that small objects do not cost a turn on the
 * line each; there are few enough of them ahead that neither side waits for the other to read.
 */
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "transfer/blob/deliver.h"
#include "transfer/lfs/lfs_ssh_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIECE = 256 * 1024 };

/* A connection at work. */
struct move {
	struct lfs_ssh_link *link;
	struct engine *engine;
	struct lfs_ssh_job *jobs;
	int again; /* something is left that may be tried again: why is in `why` */
	struct buf why;
};

void lfs_ssh_fail(struct engine *e, struct lfs_ssh_job *j, int rc)
{
	struct buf who = BUF_INIT;

	engine_describe(j->object, &who);
	engine_answer(e, j->object, err_prefix(rc, "object %s", buf_str(&who)), 0);
	buf_release(&who);
	j->done = 1;
}

/* A command about an object, with what the server said about it. */
static int write_command(struct move *m, const char *command, const struct lfs_ssh_job *j)
{
	struct strvec args = STRVEC_INIT;
	struct buf line = BUF_INIT;
	char hex[OID_HEX_LEN + 1];
	int rc;

	oid_to_hex(hex, &j->object->oid);
	rc = buf_addf(&line, "%s %s", command, hex);
	if (rc == 0)
		rc = strvec_pushf(&args, "size=%llu", (unsigned long long)j->object->size);
	if (rc == 0 && j->id)
		rc = strvec_pushf(&args, "id=%s", j->id);
	if (rc == 0 && j->token)
		rc = strvec_pushf(&args, "token=%s", j->token);
	if (rc == 0)
		rc = pkt_write_line(&m->link->out, line.p);
	for (size_t i = 0; rc == 0 && i < args.n; i++)
		rc = pkt_write_line(&m->link->out, args.v[i]);
	buf_release(&line);
	strvec_release(&args);
	return rc;
}

/* What went wrong with one object while the connection stays: either it is answered, or it may be
 * tried again. */
static void settle_failure(struct move *m, struct lfs_ssh_job *j, int rc)
{
	if (rc != ERR_REMOTE) {
		lfs_ssh_fail(m->engine, j, rc);
		return;
	}
	m->again = 1;
	buf_reset(&m->why);
	buf_addstr(&m->why, err_msg());
}

/* ---- download ---- */

static int ask_for(struct move *m, const struct lfs_ssh_job *j)
{
	int rc = write_command(m, "get-object", j);

	if (rc == 0)
		rc = pkt_write_flush(&m->link->out);
	return rc < 0 ? lfs_ssh_link_lost(m->link, rc) : 0;
}

/* The bytes of the object.  0; negative: it failed, and then the connection is lost as well unless
 * all of them were read. */
static int receive(struct move *m, struct deliver *to)
{
	const uint8_t *data;
	size_t len;
	int rc = 0, local = 0;

	while (local == 0 && (rc = lfsssh_body_data(&m->link->in, &data, &len)) == 1) {
		engine_progress(m->engine, len);
		local = engine_check_stop(m->engine);
		if (local == 0)
			local = deliver_data(to, data, len);
	}
	if (local < 0) { /* cheaper than to read what may have no end */
		m->link->dead = 1;
		return local;
	}
	return rc < 0 ? lfs_ssh_link_lost(m->link, rc) : deliver_finish(to);
}

static int check_size(const struct lfsssh_head *h, const struct transfer_object *o)
{
	uint64_t size = 0;
	int rc = lfsssh_arg_number(&size, h, "size");

	if (rc == 1 && size != o->size)
		rc = err_set(ERR_CORRUPT, "the server has it with %llu bytes, not %llu",
			(unsigned long long)size, (unsigned long long)o->size);
	return rc < 0 ? rc : 0;
}

/* The object, from behind the head of its answer. */
static int take_object(struct move *m, struct lfs_ssh_job *j, const struct lfsssh_head *h)
{
	struct deliver to;
	int rc = check_size(h, j->object);

	if (rc == 0 && !h->has_body)
		rc = err_set(ERR_CORRUPT, "an answer without the object's bytes");
	if (rc == 0)
		rc = deliver_begin(&to, m->engine, j->object);
	if (rc < 0) {
		m->link->dead = 1;
		return rc;
	}
	rc = receive(m, &to);
	deliver_abort(&to);
	if (rc == 0) {
		engine_answer(m->engine, j->object, TRANSFER_OK, j->object->size);
		j->done = 1;
	}
	return rc;
}

/* The answer to get-object.  Negative: there is no use in reading the next one. */
static int take_answer(struct move *m, struct lfs_ssh_job *j)
{
	struct lfsssh_head h = {.line = NULL};
	int status = lfs_ssh_link_status(m->link, &h, 0), rc;

	if (status < 0)
		return status;
	if (lfs_ssh_is_success(status))
		rc = take_object(m, j, &h);
	else
		rc = lfs_ssh_link_refused(m->link, &h, status);
	lfsssh_head_release(&h);
	if (rc == ERR_NOTFOUND && !m->link->dead) {
		j->done = 1; /* left open: the engine says so */
		return 0;
	}
	if (rc == ERR_INTERRUPTED || (rc == ERR_REMOTE && m->link->dead))
		return rc;
	if (rc < 0)
		settle_failure(m, j, rc);
	return m->link->dead ? err_set(ERR_REMOTE, "the connection was given up") : 0;
}

static int download(struct move *m, size_t from, size_t to)
{
	int rc = 0;

	for (size_t i = from; rc == 0 && i < to; i++)
		if (!m->jobs[i].done)
			rc = ask_for(m, &m->jobs[i]);
	for (size_t i = from; rc == 0 && i < to; i++)
		if (!m->jobs[i].done)
			rc = take_answer(m, &m->jobs[i]);
	return rc;
}

/* ---- upload ---- */

/* Where bytes for the server go; what fails here has to do with the connection. */
struct sending {
	struct move *m;
	uint64_t left;
	int lost;
};

static int send_piece(const void *p, size_t len, void *data)
{
	struct sending *s = data;
	int rc = engine_check_stop(s->m->engine);

	if (rc == 0 && len > s->left)
		rc = err_set(ERR_CHANGED, "it is larger than it was");
	if (rc < 0)
		return rc;
	s->left -= len;
	engine_progress(s->m->engine, len);
	rc = pkt_write(&s->m->link->out, p, len);
	if (rc < 0)
		s->lost = 1;
	return rc;
}

static int send_file(struct sending *s, const char *path)
{
	uint8_t *piece = malloc(PIECE);
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc = 0;
	ssize_t n = 0;

	if (!piece)
		rc = err_set(ERR_NOMEM, "out of memory");
	else if (fd < 0)
		rc = err_sys("cannot open '%s'", path);
	while (rc == 0 && (n = fs_read_full(fd, piece, PIECE)) > 0)
		rc = send_piece(piece, (size_t)n, s);
	if (rc == 0 && n < 0)
		rc = (int)n;
	if (fd >= 0)
		close(fd);
	free(piece);
	return rc;
}

/* put-object with its bytes.  Negative: our own trouble with the object, or the connection's
 * (`lost`); in both cases the server must not take what it got for the whole. */
static int put(struct move *m, const struct lfs_ssh_job *j, int *lost)
{
	struct sending s = {.m = m, .left = j->object->size};
	const struct transfer_object *o = j->object;
	int rc = write_command(m, "put-object", j);

	if (rc == 0)
		rc = pkt_write_delim(&m->link->out);
	if (rc < 0)
		s.lost = 1;
	else if (o->file)
		rc = send_file(&s, o->file);
	else
		rc = store_stream(m->engine->store, &o->oid, o->size, send_piece, &s);
	if (rc == 0 && s.left)
		rc = err_set(ERR_CHANGED, "it is shorter than it was");
	if (rc == 0 && (rc = pkt_write_flush(&m->link->out)) < 0)
		s.lost = 1;
	*lost = s.lost;
	return rc;
}

/* Send it; what is wrong with the object here is answered, at the cost of the connection. */
static int send_object(struct move *m, struct lfs_ssh_job *j)
{
	int lost = 0, rc = put(m, j, &lost);

	if (rc == 0)
		return 0;
	if (lost)
		return lfs_ssh_link_lost(m->link, rc);
	m->link->dead = 1;
	if (rc == ERR_INTERRUPTED)
		return rc;
	lfs_ssh_fail(m->engine, j, rc);
	return err_set(ERR_REMOTE, "the connection was given up");
}

/* The answer to a put or a verification.  1: success; 0: not, and that is settled; negative: lost.
 */
static int take_status(struct move *m, struct lfs_ssh_job *j, uint64_t bytes)
{
	struct lfsssh_head h = {.line = NULL};
	int status = lfs_ssh_link_status(m->link, &h, bytes), rc;

	if (status < 0)
		return status;
	if (lfs_ssh_is_success(status))
		rc = lfs_ssh_link_skip(m->link, &h);
	else
		rc = lfs_ssh_link_refused(m->link, &h, status);
	lfsssh_head_release(&h);
	if (m->link->dead)
		return rc;
	if (rc < 0)
		settle_failure(m, j, rc);
	return rc == 0;
}

static int verify(struct move *m, const struct lfs_ssh_job *j)
{
	int rc = write_command(m, "verify-object", j);

	if (rc == 0)
		rc = pkt_write_flush(&m->link->out);
	return rc < 0 ? lfs_ssh_link_lost(m->link, rc) : 0;
}

static void answer_stored(struct move *m, struct lfs_ssh_job *j)
{
	struct transfer_object *o = j->object;

	if (j->present)
		engine_progress(m->engine, o->size);
	engine_answer(m->engine, o, j->present ? TRANSFER_PRESENT : TRANSFER_OK,
		j->present ? 0 : o->size);
	j->done = 1;
}

/* Put, and ask whether they are there, as Git LFS does. */
static int upload(struct move *m, size_t from, size_t to)
{
	uint8_t *arrived = calloc(to - from, 1);
	int rc = arrived ? 0 : err_set(ERR_NOMEM, "out of memory");

	for (size_t i = from; rc == 0 && i < to; i++)
		if (!m->jobs[i].done && !m->jobs[i].present)
			rc = send_object(m, &m->jobs[i]);
	for (size_t i = from; rc >= 0 && i < to; i++) {
		if (m->jobs[i].done)
			continue;
		rc = m->jobs[i].present ? 1 : take_status(m, &m->jobs[i], m->jobs[i].object->size);
		arrived[i - from] = rc == 1;
	}
	for (size_t i = from; rc >= 0 && i < to; i++)
		if (arrived[i - from])
			rc = verify(m, &m->jobs[i]);
	for (size_t i = from; rc >= 0 && i < to; i++) {
		if (!arrived[i - from])
			continue;
		rc = take_status(m, &m->jobs[i], m->jobs[i].object->size);
		if (rc == 1)
			answer_stored(m, &m->jobs[i]);
	}
	free(arrived);
	return rc < 0 ? rc : 0;
}

int lfs_ssh_move(struct lfs_ssh_link *l, struct engine *e, enum engine_direction d,
	struct lfs_ssh_job *jobs, size_t n, int ahead)
{
	struct move m = {.link = l, .engine = e, .jobs = jobs};
	size_t step = ahead ? n : 1;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i += step) {
		if (d == ENGINE_UPLOAD)
			rc = upload(&m, i, i + step);
		else
			rc = download(&m, i, i + step);
	}
	if (rc == 0 && m.again)
		rc = err_set(ERR_REMOTE, "%s", buf_str(&m.why));
	buf_release(&m.why);
	return rc;
}
