/*
 * Custom transfer agents (see lfs_custom.h).  Some threads, each with a process of its own, take
 * one object after the other.  What an agent fetched is a file somewhere: it is hashed before the
 * store takes it.
 */
#include "transfer/lfs/lfs_custom.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/gitvalue.h"
#include "lib/base/workers.h"
#include "lib/wire/lfsagent.h"
#include "transfer/blob/deliver.h"
#include "transfer/blob/upsource.h"
#include "transfer/lfs/lfs_custom_process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	DEFAULT_PROCESSES = 8, /* lfs.concurrenttransfers */
	PROCESSES_MAX = 64,
	DEATHS_MAX = 3, /* in turn; then nothing more is tried */
	COPY_BYTES = 256 * 1024
};

struct custom {
	struct engine *engine;
	enum lfs_operation operation;
	const struct lfs_custom_options *o;
	struct transfer_object **todo;
	const struct lfs_action **actions; /* NULL, or of todo[i] */
	size_t n;
	size_t next; /* atomic */
	int processes, concurrent;
};

/* ---- which ---- */

struct names {
	struct strvec *out;
	const struct config *c;
	enum lfs_operation op;
};

static int add_name(const char *key, const char *value, void *data)
{
	static const char head[] = "lfs.customtransfer.", tail[] = ".path";
	struct names *n = data;
	size_t len = strlen(key), skip = sizeof(head) - 1 + sizeof(tail) - 1;
	const char *direction;
	char *name;
	int rc = 0;

	if (len <= skip || strncmp(key, head, sizeof(head) - 1) != 0 || !*value ||
		strcmp(key + len - (sizeof(tail) - 1), tail) != 0)
		return 0;
	name = strndup(key + sizeof(head) - 1, len - skip);
	if (!name)
		return err_set(ERR_NOMEM, "out of memory");
	direction = lfs_custom_setting(n->c, name, "direction");
	if (!direction || strcasecmp(direction, "both") == 0 ||
		strcasecmp(direction, lfs_operation_name(n->op)) == 0)
		rc = strvec_push(n->out, name);
	for (size_t i = 0; rc == 0 && i + 1 < n->out->n; i++)
		if (strcmp(n->out->v[i], name) == 0) { /* set in two files */
			free(n->out->v[--n->out->n]);
			n->out->v[n->out->n] = NULL;
		}
	free(name);
	return rc;
}

int lfs_custom_names(struct strvec *out, const struct config *c, enum lfs_operation op)
{
	struct names n = {out, c, op};

	return config_each_own(c, add_name, &n);
}

/* ---- an upload's file ---- */

/* What an agent is told to send. */
struct upload {
	struct buf path;
	int temporary;
	int fd;
};

static int write_piece(const void *p, size_t len, void *data)
{
	return fs_write_full(((struct upload *)data)->fd, p, len);
}

static int make_temporary(struct upload *u, struct engine *e, const struct transfer_object *o)
{
	struct buf prefix = BUF_INIT;
	int rc = buf_addf(&prefix, "%s/lfs/tmp/", e->git->common_dir);

	if (rc == 0)
		rc = fs_mkdirs_parent(prefix.p);
	if (rc == 0)
		rc = buf_addstr(&prefix, "dvx-");
	if (rc == 0)
		rc = u->fd = fs_tempfile(&u->path, prefix.p);
	if (rc >= 0) {
		u->temporary = 1;
		rc = upsource_stream(e, o, write_piece, u);
		if (rc == 0)
			rc = fs_close(&u->fd, u->path.p);
	}
	if (u->fd >= 0)
		close(u->fd);
	u->fd = -1;
	buf_release(&prefix);
	return rc;
}

static int ignore(const void *p, size_t len, void *data)
{
	(void)p, (void)len, (void)data;
	return 0;
}

/* Checked before it is sent: agents need not. */
static int upload_begin(struct upload *u, struct engine *e, const struct transfer_object *o)
{
	int rc;

	u->fd = -1;
	if (o->file) {
		rc = upsource_stream(e, o, ignore, NULL);
		return rc < 0 ? rc : buf_addstr(&u->path, o->file);
	}
	if (store_whole_path(e->store, &o->oid, o->size, &u->path))
		return store_check(e->store, &o->oid, o->size);
	buf_reset(&u->path);
	return make_temporary(u, e, o);
}

static void upload_end(struct upload *u)
{
	if (u->temporary)
		unlink(u->path.p);
	buf_release(&u->path);
}

/* ---- a download's file ---- */

static int deliver_file(struct engine *e, struct transfer_object *o, int fd)
{
	struct deliver d;
	char *data = malloc(COPY_BYTES);
	int rc = data ? deliver_begin(&d, e, o) : err_set(ERR_NOMEM, "out of memory");
	ssize_t n = 1;

	if (!data)
		return rc;
	while (rc == 0 && n > 0) {
		n = fs_read_full(fd, data, COPY_BYTES);
		rc = n < 0 ? (int)n : n > 0 ? deliver_data(&d, data, (size_t)n) : 0;
		if (rc == 0)
			rc = engine_check_stop(e);
	}
	if (rc == 0)
		rc = deliver_finish(&d);
	deliver_abort(&d);
	free(data);
	return rc;
}

/* An agent may have put it where we keep it. */
static int is_ours(struct engine *e, const struct transfer_object *o, const char *path)
{
	struct buf own = BUF_INIT;
	char *a = realpath(path, NULL), *b = NULL;
	int is;

	if (e->store && store_whole_path(e->store, &o->oid, o->size, &own))
		b = realpath(own.p, NULL);
	is = a && b && strcmp(a, b) == 0;
	free(a);
	free(b);
	buf_release(&own);
	return is;
}

/* Into the store, by a link where the file is the agent's to give; or wherever the object goes. */
static int take_file(struct engine *e, struct transfer_object *o, const char *path)
{
	struct stat st;
	int fd, rc;

	if (!path)
		return err_set(ERR_REMOTE, "it names no file with the object");
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0) {
		err_sys("cannot open '%s', which it names", path);
		return ERR_REMOTE; /* the object may well be there */
	}
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		rc = err_set(ERR_REMOTE, "'%s', which it names, is no file", path);
	else if ((uint64_t)st.st_size != o->size)
		rc = err_set(ERR_CORRUPT, "the file that it names has %lld bytes, not %llu",
			(long long)st.st_size, (unsigned long long)o->size);
	else if (e->check || o->to_file)
		rc = deliver_file(e, o, fd);
	else
		rc = store_import_whole(e->store, path, st.st_uid == geteuid() && st.st_nlink == 1,
			&o->oid, o->size);
	close(fd);
	if (rc >= 0 && !is_ours(e, o, path))
		unlink(path); /* as with Git LFS: the file was given away */
	return rc < 0 ? rc : 0;
}

/* ---- one object ---- */

static int tell(struct custom *c, struct lfs_custom_process *p, size_t i, const char *path)
{
	struct transfer_object *o = c->todo[i];
	struct buf line = BUF_INIT;
	int rc = lfsagent_object_format(
		&line, c->operation, &o->oid, o->size, path, c->actions ? c->actions[i] : NULL);

	if (rc == 0)
		rc = lfs_custom_process_send(p, &line);
	buf_release(&line);
	return rc;
}

/* Lines until the object's last.  0 and *m, or the agent is not to be talked to any more. */
static int hear(struct custom *c, struct lfs_custom_process *p, const struct transfer_object *o,
	struct lfsagent_message *m, uint64_t *moved)
{
	for (;;) {
		const char *line;
		size_t len;
		int rc = lfs_custom_process_receive(p, &line, &len);

		if (rc == 0)
			rc = lfsagent_message_parse(m, line, len);
		if (rc == ERR_INVALID)
			rc = err_set(ERR_REMOTE, "%s", err_msg());
		if (rc == 0 && !oid_eq(&m->oid, &o->oid))
			rc = err_set(ERR_REMOTE, "it talks about another object");
		if (rc == 0 && m->event == LFSAGENT_COMPLETE)
			return 0;
		if (rc == 0 && (m->bytes <= *moved || m->bytes > o->size))
			rc = m->bytes > o->size || (*moved && m->bytes < *moved)
				     ? err_set(ERR_REMOTE, "its progress is impossible: %llu bytes",
					       (unsigned long long)m->bytes)
				     : 0;
		if (rc == 0) {
			engine_progress(c->engine, m->bytes - *moved);
			*moved = m->bytes;
			rc = engine_check_stop(c->engine);
		}
		if (rc < 0) {
			lfsagent_message_release(m);
			return rc;
		}
	}
}

/* Have it moved, and what came taken.  *broken: the agent is not to be used again. */
static int move(struct custom *c, struct lfs_custom_process *p, size_t i, int *broken)
{
	struct transfer_object *o = c->todo[i];
	struct lfsagent_message m = {.path = NULL};
	struct upload u = {.fd = -1};
	uint64_t moved = 0;
	int rc = 0;

	if (c->operation == LFS_UPLOAD)
		rc = upload_begin(&u, c->engine, o);
	if (rc == 0) {
		rc = tell(c, p, i, c->operation == LFS_UPLOAD ? u.path.p : NULL);
		if (rc == 0)
			rc = hear(c, p, o, &m, &moved);
		*broken = rc < 0;
	}
	if (rc == 0 && m.failed)
		rc = err_set(
			ERR_REMOTE, "%s", m.error ? m.error : "it failed, and does not say why");
	if (rc == 0 && c->operation == LFS_DOWNLOAD)
		rc = take_file(c->engine, o, m.path);
	if (rc == 0)
		engine_progress(c->engine, o->size - moved);
	lfsagent_message_release(&m);
	upload_end(&u);
	return rc;
}

static void answer(struct custom *c, struct transfer_object *o, int rc)
{
	struct buf who = BUF_INIT;

	if (rc == 0) {
		engine_answer(c->engine, o, TRANSFER_OK, o->size);
		return;
	}
	engine_describe(o, &who);
	engine_answer(c->engine, o,
		err_prefix(rc, "transfer agent '%s': object %s", c->o->name, buf_str(&who)), 0);
	buf_release(&who);
}

/* ---- one process after the other ---- */

static int start(struct custom *c, struct lfs_custom_process *p)
{
	struct buf line = BUF_INIT;
	const char *ready;
	size_t len;
	int rc = lfs_custom_process_start(p, c->engine->config, c->o->name, c->engine->stop);

	if (rc == 0)
		rc = lfsagent_init_format(&line, c->operation, c->o->endpoint->remote,
			c->concurrent, (unsigned)c->processes);
	if (rc == 0)
		rc = lfs_custom_process_send(p, &line);
	if (rc == 0)
		rc = lfs_custom_process_receive(p, &ready, &len);
	if (rc == 0)
		rc = lfsagent_ready_parse(ready, len);
	buf_release(&line);
	if (rc < 0) {
		err_prefix(rc, "transfer agent '%s'", c->o->name);
		lfs_custom_process_end(p, 0);
	}
	return rc;
}

/* A thread: objects, as long as there are any. */
static int work(size_t thread, void *data)
{
	struct custom *c = data;
	struct lfs_custom_process p = {.input = BUF_INIT};
	int deaths = 0, running = 0, rc = 0;

	(void)thread;
	for (;;) {
		size_t i = __atomic_fetch_add(&c->next, 1, __ATOMIC_RELAXED);
		int broken = 0;

		if (i >= c->n)
			break;
		rc = engine_check_stop(c->engine);
		if (rc == 0 && !running)
			rc = start(c, &p);
		if (rc < 0)
			break;
		running = 1;
		rc = move(c, &p, i, &broken);
		if (rc == ERR_INTERRUPTED)
			break;
		answer(c, c->todo[i], rc);
		if (broken) {
			lfs_custom_process_end(&p, 0);
			running = 0;
		}
		deaths = broken ? deaths + 1 : 0;
		if (deaths == DEATHS_MAX)
			break;
		rc = 0;
	}
	if (running)
		lfs_custom_process_end(&p, rc == 0);
	return rc;
}

/* ---- all of it ---- */

static int collect(struct custom *c, struct transfer_object *objects,
	const struct lfs_batch_object *actions, size_t n)
{
	const enum lfs_action_kind kind =
		c->operation == LFS_UPLOAD ? LFS_ACTION_UPLOAD : LFS_ACTION_DOWNLOAD;

	c->todo = calloc(n ? n : 1, sizeof(*c->todo));
	c->actions = actions ? calloc(n ? n : 1, sizeof(*c->actions)) : NULL;
	if (!c->todo || (actions && !c->actions))
		return err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < n; i++) {
		if (objects[i].state != TRANSFER_OPEN || (actions && !actions[i].actions[kind]))
			continue;
		if (actions)
			c->actions[c->n] = actions[i].actions[kind];
		c->todo[c->n++] = &objects[i];
	}
	return 0;
}

static void choose_processes(struct custom *c)
{
	const struct config *config = c->engine->config;
	const char *concurrent = lfs_custom_setting(config, c->o->name, "concurrent");
	int64_t n = config_int(config, "lfs.concurrenttransfers", DEFAULT_PROCESSES);

	if (c->engine->jobs > 0)
		n = c->engine->jobs;
	c->concurrent = !concurrent || gitvalue_bool(concurrent, 1);
	if (!c->concurrent || n < 1)
		n = 1;
	if (n > PROCESSES_MAX)
		n = PROCESSES_MAX;
	c->processes = (uint64_t)n < c->n ? (int)n : (int)c->n;
}

int lfs_custom_run(struct engine *e, enum engine_direction d, struct transfer_object *objects,
	const struct lfs_batch_object *actions, size_t n, const struct lfs_custom_options *o)
{
	struct custom c = {
		.engine = e, .operation = d == ENGINE_UPLOAD ? LFS_UPLOAD : LFS_DOWNLOAD, .o = o};
	int rc = collect(&c, objects, actions, n);

	if (rc == 0 && e->dry_run) {
		for (size_t i = 0; i < c.n; i++)
			engine_answer(e, c.todo[i], TRANSFER_OK, 0);
	} else if (rc == 0 && c.n) {
		choose_processes(&c);
		rc = workers_run(c.processes, (size_t)c.processes, work, &c);
	}
	free(c.todo);
	free(c.actions);
	return rc;
}
