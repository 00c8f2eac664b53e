/*
 * The threads of `git-dvx-transfer serve`: each takes a job that the reader made of a request, does
 * it on the blob store in the directory, and writes the answers.  Names come as hashes and become
 * paths in remote_blob_path alone.
 */
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "transfer/ssh/serve_internal.h"
#include "transfer/ssh/wireclass.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A thread, and room for a frame. */
struct worker {
	struct server *server;
	struct queue *queue;
	uint8_t *frame;
	size_t used; /* bytes of entries in the frame */
	uint32_t id; /* of the listing at hand */
};

void serve_put_free(struct serve_put *p)
{
	if (!p)
		return;
	if (p->file)
		p->file->remote->ops->put_free(p->file);
	free(p);
}

/* ---- answers ---- */

/* Send what was formatted.  When that fails the connection is gone, which the reader notices. */
static void send_frame(struct server *s, struct buf *frame, int rc)
{
	if (rc == 0)
		rc = frame_output_send(&s->out, frame->p, frame->len);
	if (rc < 0)
		frame_output_close(&s->out);
	buf_release(frame);
}

/* The last answer to a request: DONE with `value`, or, when rc is negative, the error at hand. */
static void answer(struct server *s, const struct blobwire_request *r, int rc, uint64_t value)
{
	struct buf frame = BUF_INIT;

	if (rc < 0)
		rc = blobwire_error_format(&frame, r->id, rc, err_msg());
	else
		rc = blobwire_value_format(&frame, BLOBWIRE_DONE, r->id, value);
	pthread_mutex_lock(&s->lock);
	s->outstanding--;
	s->n_puts -= r->type == BLOBWIRE_PUT;
	pthread_mutex_unlock(&s->lock);
	send_frame(s, &frame, rc);
}

static int send_payload(struct worker *w, uint8_t type, uint32_t id, size_t len)
{
	blobwire_header(w->frame, type, id, len);
	return frame_output_send(&w->server->out, w->frame, BLOBWIRE_HEADER_LEN + len);
}

/* ---- reading ---- */

static int flush_entries(struct worker *w)
{
	size_t len = w->used;

	w->used = 0;
	return len ? send_payload(w, BLOBWIRE_ENTRIES, w->id, len) : 0;
}

static int add_entry(const struct remote_entry *e, void *data)
{
	struct worker *w = data;
	struct blobwire_entry entry = {.class = wireclass_of(e->class),
		.name = e->name,
		.size = e->size,
		.mtime = e->mtime};

	blobwire_entry_format(w->frame + BLOBWIRE_HEADER_LEN + w->used, &entry);
	w->used += BLOBWIRE_ENTRY_LEN;
	if (w->used + BLOBWIRE_ENTRY_LEN > BLOBWIRE_PAYLOAD_MAX)
		return flush_entries(w);
	return 0;
}

static void do_list(struct worker *w, const struct blobwire_request *r)
{
	struct remote *store = w->server->store;
	int64_t now = 0;
	int rc;

	w->id = r->id;
	w->used = 0;
	rc = store->ops->list(store, wireclass_parse_listing(r->listing), add_entry, w, &now);
	if (rc == 0)
		rc = flush_entries(w);
	answer(w->server, r, rc, now > 0 ? (uint64_t)now : 0);
}

static void do_size(struct worker *w, const struct blobwire_request *r)
{
	struct remote *store = w->server->store;
	uint64_t size = 0;
	int rc = store->ops->size(store, wireclass_parse(r->class), &r->name, &size);

	answer(w->server, r, rc, size);
}

static void do_get(struct worker *w, const struct blobwire_request *r)
{
	struct remote *store = w->server->store;
	uint32_t sent = 0;
	ssize_t n = 0;
	int rc = 0;

	while (rc == 0 && sent < r->length) {
		size_t want = r->length - sent;

		if (want > BLOBWIRE_PAYLOAD_MAX)
			want = BLOBWIRE_PAYLOAD_MAX;
		n = store->ops->get(store, wireclass_parse(r->class), &r->name, r->offset + sent,
			w->frame + BLOBWIRE_HEADER_LEN, want);
		if (n > 0)
			rc = send_payload(w, BLOBWIRE_DATA, r->id, (size_t)n);
		sent += n > 0 ? (uint32_t)n : 0;
		if (n < (ssize_t)want)
			break;
	}
	answer(w->server, r, n < 0 ? (int)n : rc, sent);
}

/* ---- writing ---- */

/* Flush a blob that somebody else may just have written, and its directory entry. */
static int make_durable(struct server *s, const struct blobwire_request *r)
{
	struct buf path = BUF_INIT;
	int fd = -1;
	int rc = buf_addf(&path, "%s/", s->root);

	if (rc == 0)
		rc = remote_blob_path(&path, wireclass_parse(r->class), &r->name);
	if (rc < 0)
		goto done;
	fd = open(path.p, O_RDONLY | O_CLOEXEC);
	rc = fd < 0 ? err_sys("cannot open '%s'", path.p) : fs_fsync(fd, path.p);
	if (rc == 0)
		rc = fs_fsync_parent(path.p);
done:
	if (fd >= 0)
		close(fd);
	buf_release(&path);
	return rc;
}

/* Is the blob there with the right bytes?  1 and durable, 0, or an error. */
static int is_there(struct worker *w, const struct blobwire_request *r)
{
	struct server *s = w->server;
	struct oid_ctx hash;
	struct oid found;
	uint64_t size = 0;
	ssize_t n = 1;
	int rc = s->store->ops->size(s->store, wireclass_parse(r->class), &r->name, &size);

	if (rc == ERR_NOTFOUND || (rc == 0 && size != r->size))
		return 0;
	oid_init(&hash);
	for (uint64_t at = 0; rc == 0 && n > 0; at += n > 0 ? (uint64_t)n : 0) {
		n = s->store->ops->get(s->store, wireclass_parse(r->class), &r->name, at, w->frame,
			BLOBWIRE_PAYLOAD_MAX);
		if (n > 0)
			oid_update(&hash, w->frame, (size_t)n);
	}
	if (rc < 0 || n < 0)
		return rc < 0 ? rc : (int)n;
	oid_final(&hash, &found);
	if (!oid_eq(&found, &r->name))
		return 0;
	rc = make_durable(s, r);
	return rc < 0 ? rc : 1;
}

/* From here on the reader finds the put. */
static void publish(struct server *s, struct serve_put *p)
{
	size_t i = 0;

	pthread_mutex_lock(&s->lock);
	while (s->puts[i])
		i++; /* n_puts is not above BLOBWIRE_PUTS_MAX, so one is free */
	s->puts[i] = p;
	pthread_mutex_unlock(&s->lock);
}

static void do_put(struct worker *w, const struct blobwire_request *r)
{
	struct server *s = w->server;
	struct buf frame = BUF_INIT;
	struct serve_put *p;
	int rc = is_there(w, r);

	if (rc != 0) {
		answer(s, r, rc, 1);
		return;
	}
	p = calloc(1, sizeof(*p));
	if (!p)
		rc = err_set(ERR_NOMEM, "out of memory");
	else
		rc = s->store->ops->put_begin(s->store, wireclass_parse(r->class), &p->file);
	if (rc < 0) {
		serve_put_free(p);
		answer(s, r, rc, 0);
		return;
	}
	p->id = r->id;
	p->name = r->name;
	p->size = r->size;
	oid_init(&p->hash);
	publish(s, p);
	rc = blobwire_ready_format(&frame, r->id);
	send_frame(s, &frame, rc);
}

static int check_content(struct serve_put *p)
{
	struct oid found;

	oid_final(&p->hash, &found);
	if (p->received != p->size)
		return err_set(ERR_CORRUPT, "%llu bytes arrived instead of %llu",
			(unsigned long long)p->received, (unsigned long long)p->size);
	if (!oid_eq(&found, &p->name))
		return err_set(ERR_CORRUPT, "the bytes that arrived do not hash to their name");
	return 0;
}

static void do_commit(struct worker *w, struct serve_job *j)
{
	struct serve_put *p = j->put;
	struct remote *store = w->server->store;
	int rc = check_content(p);

	if (rc == 0)
		rc = store->ops->put_commit(store, p->file, &p->name, p->size);
	serve_put_free(p);
	j->put = NULL;
	answer(w->server, &j->request, rc, rc > 0);
}

static void do_remove(struct worker *w, const struct blobwire_request *r)
{
	struct remote *store = w->server->store;

	answer(w->server, r, store->ops->remove(store, wireclass_parse(r->class), &r->name), 0);
}

/* ---- jobs ---- */

static void do_request(struct worker *w, const struct blobwire_request *r)
{
	switch (r->type) {
	case BLOBWIRE_LIST:
		do_list(w, r);
		break;
	case BLOBWIRE_SIZE:
		do_size(w, r);
		break;
	case BLOBWIRE_GET:
		do_get(w, r);
		break;
	case BLOBWIRE_PUT:
		do_put(w, r);
		break;
	case BLOBWIRE_REMOVE:
		do_remove(w, r);
		break;
	default: /* PING */
		answer(w->server, r, 0, 0);
	}
}

static void say_received(struct server *s, uint32_t id)
{
	struct buf frame = BUF_INIT;
	uint64_t received = 0;
	int open = 0;

	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < BLOBWIRE_PUTS_MAX; i++) {
		if (s->puts[i] && s->puts[i]->id == id) {
			received = s->puts[i]->received;
			s->puts[i]->told = 0;
			open = 1;
		}
	}
	pthread_mutex_unlock(&s->lock);
	if (open)
		send_frame(
			s, &frame, blobwire_value_format(&frame, BLOBWIRE_RECEIVED, id, received));
}

static void do_job(struct worker *w, struct serve_job *j)
{
	switch (j->task) {
	case SERVE_REQUEST:
		do_request(w, &j->request);
		break;
	case SERVE_COMMIT:
		do_commit(w, j);
		break;
	case SERVE_REFUSE:
		err_set(j->code, "%s", j->message ? j->message : "out of memory");
		answer(w->server, &j->request, j->code, 0);
		break;
	case SERVE_RECEIVED:
		say_received(w->server, j->request.id);
		break;
	}
}

static void *work(void *data)
{
	struct worker *w = data;
	struct serve_job *j;

	while ((j = queue_pop(w->queue))) {
		if (!__atomic_load_n(&w->server->ending, __ATOMIC_ACQUIRE))
			do_job(w, j);
		serve_put_free(j->put);
		free(j->message);
		free(j);
	}
	free(w->frame);
	free(w);
	return NULL;
}

static int start_thread(struct server *s, struct queue *queue)
{
	struct worker *w = calloc(1, sizeof(*w));

	if (w) {
		w->server = s;
		w->queue = queue;
		w->frame = malloc(BLOBWIRE_FRAME_MAX);
	}
	if (!w || !w->frame || pthread_create(&s->threads[s->n_threads], NULL, work, w) != 0) {
		if (w)
			free(w->frame);
		free(w);
		return err_set(ERR_NOMEM, "cannot start a thread");
	}
	s->n_threads++;
	return 0;
}

int serve_work_start(struct server *s)
{
	/* Jobs are bounded by the requests; RECEIVED by the puts.  So no push ever waits. */
	int rc = queue_new(&s->work, BLOBWIRE_REQUESTS_MAX + 1);

	if (rc == 0)
		rc = queue_new(&s->express, BLOBWIRE_REQUESTS_MAX + BLOBWIRE_PUTS_MAX + 1);
	if (rc == 0)
		rc = start_thread(s, s->express);
	for (int i = 0; rc == 0 && i < SERVE_THREADS; i++) {
		rc = start_thread(s, s->work);
		if (rc < 0 && i > 0) /* fewer will do */
			return 0;
	}
	return rc;
}

void serve_work_stop(struct server *s)
{
	__atomic_store_n(&s->ending, 1, __ATOMIC_RELEASE);
	frame_output_close(&s->out);
	if (s->work)
		queue_close(s->work);
	if (s->express)
		queue_close(s->express);
	for (int i = 0; i < s->n_threads; i++)
		pthread_join(s->threads[i], NULL);
	queue_free(s->work);
	queue_free(s->express);
}
