/*
 * The SSH kind of blob store: the operations of remote.h in terms of requests over a connection
 * (ssh_link.h) that is made when the first of them is asked for, and made again when it was lost.
 * A blob to be put waits in a local file until its name is known, and is then streamed.
 */
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "transfer/remote/remote.h"
#include "transfer/ssh/ssh_link.h"
#include "transfer/ssh/wireclass.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
	PARALLEL = 16,
	PIECE = 64 * 1024 /* of a put: on a slow line something still gets through every second */
};

struct remote_ssh {
	struct remote base;
	struct ssh_target target;
	pthread_mutex_t lock;
	struct ssh_link *link; /* NULL: none yet, or lost */
	unsigned users;	       /* of the link */
	unsigned attempts;     /* connections begun */
	int rc;		       /* of the last attempt */
	char *message;	       /* and its error */
};

static struct remote_ssh *ssh_of(struct remote *r)
{
	return (struct remote_ssh *)r;
}

/* ---- the connection ---- */

/* Under the lock: connect, and remember how it went. */
static int connect_far(struct remote_ssh *s)
{
	struct ssh_link_options o = {
		.process = {.config = s->base.context.config,
			.target = &s->target,
			.command = remotes_setting(
				s->base.context.config, s->base.name, "servecommand"),
			.show = s->attempts == 0}, /* what ssh says is shown once */
		.remote = &s->base};

	s->rc = ssh_link_open(&s->link, &o);
	__atomic_add_fetch(&s->attempts, 1, __ATOMIC_RELAXED);
	free(s->message);
	s->message = s->rc < 0 ? strdup(err_msg()) : NULL;
	return s->rc;
}

/* A link that is alive, until release_link.  Threads that waited while another failed to connect
 * have failed with it. */
static int acquire_link(struct remote_ssh *s, struct ssh_link **out)
{
	unsigned seen = __atomic_load_n(&s->attempts, __ATOMIC_RELAXED);
	int rc = remote_check_stop(&s->base);

	if (rc < 0)
		return rc;
	pthread_mutex_lock(&s->lock);
	if (s->link && ssh_link_is_dead(s->link) && s->users == 0) {
		ssh_link_close(s->link);
		s->link = NULL;
	}
	if (!s->link && s->attempts != seen && s->rc < 0)
		rc = err_set(s->rc, "%s", s->message ? s->message : "out of memory");
	else if (!s->link)
		rc = connect_far(s);
	if (rc == 0) {
		s->users++;
		*out = s->link;
	}
	pthread_mutex_unlock(&s->lock);
	return rc;
}

static void release_link(struct remote_ssh *s)
{
	pthread_mutex_lock(&s->lock);
	s->users--;
	pthread_mutex_unlock(&s->lock);
}

static struct blobwire_request request_for(
	uint8_t type, enum remote_class c, const struct oid *name)
{
	return (struct blobwire_request){.type = type, .class = wireclass_of(c), .name = *name};
}

/* A request with nothing but a last answer; *value (may be NULL) is DONE's. */
static int ask(struct remote_ssh *s, struct blobwire_request *r, uint64_t *value)
{
	struct ssh_call call = {.type = r->type};
	struct ssh_link *link;
	int rc = acquire_link(s, &link);

	if (rc < 0)
		return rc;
	rc = ssh_link_begin(link, &call, r);
	if (rc == 0) {
		rc = ssh_link_wait(link, &call, SSH_DONE);
		if (rc > 0)
			rc = ssh_link_result(link, &call);
		if (rc == 0 && value)
			*value = call.value;
		ssh_link_end(link, &call);
	}
	release_link(s);
	return rc;
}

/* ---- listing ---- */

static int ssh_describe(
	struct remote *r, enum remote_class c, const struct oid *name, struct buf *out)
{
	size_t len = strlen(r->url);
	int rc;

	while (len && r->url[len - 1] == '/')
		len--;
	rc = buf_addf(out, "%.*s/", (int)len, r->url);
	return rc < 0 ? rc : remote_blob_path(out, c, name);
}

static int class_of(enum remote_class *out, uint8_t c, enum remote_listing what)
{
	*out = wireclass_parse(c);
	return remote_listing_of(*out) == what
		       ? 0
		       : err_set(ERR_REMOTE, "a listing of something else than was asked for");
}

/* Hand a batch of entries on.  0, what fn returned, or an error. */
static int hand_on(
	const struct buf *entries, enum remote_listing what, remote_list_fn *fn, void *data)
{
	int rc = 0;

	for (size_t at = 0; rc == 0 && at < entries->len; at += BLOBWIRE_ENTRY_LEN) {
		struct blobwire_entry wire;
		struct remote_entry e;

		rc = blobwire_entry_parse(&wire, (const uint8_t *)entries->p + at);
		if (rc < 0)
			return err_set(ERR_REMOTE, "a malformed listing");
		e = (struct remote_entry){
			.name = wire.name, .size = wire.size, .mtime = wire.mtime};
		rc = class_of(&e.class, wire.class, what);
		if (rc == 0)
			rc = fn(&e, data);
	}
	return rc;
}

/* Until the last answer; what comes after fn has had enough is dropped. */
static int take_listing(struct ssh_link *link, struct ssh_call *call, enum remote_listing what,
	remote_list_fn *fn, void *data)
{
	struct buf entries = BUF_INIT;
	int rc, stopped = 0;

	while ((rc = ssh_link_wait(link, call, SSH_ENTRIES)) == 0) {
		ssh_link_take(link, call, &entries);
		if (stopped == 0)
			stopped = hand_on(&entries, what, fn, data);
		buf_release(&entries);
		if (stopped < 0)
			return stopped;
	}
	if (rc < 0)
		return rc;
	return stopped ? stopped : ssh_link_result(link, call);
}

static int ssh_list(
	struct remote *r, enum remote_listing what, remote_list_fn *fn, void *data, int64_t *now)
{
	struct remote_ssh *s = ssh_of(r);
	struct blobwire_request request = {
		.type = BLOBWIRE_LIST, .listing = wireclass_of_listing(what)};
	struct ssh_call call = {.type = BLOBWIRE_LIST};
	struct ssh_link *link;
	int rc = acquire_link(s, &link);

	if (rc < 0)
		return rc;
	rc = ssh_link_begin(link, &call, &request);
	if (rc == 0) {
		rc = take_listing(link, &call, what, fn, data);
		if (rc == 0 && now)
			*now = (int64_t)call.value;
		if (rc == ERR_NOTFOUND && call.rc == ERR_NOTFOUND)
			err_set(rc,
				"remote '%s' does not exist yet: no directory '%s' on host '%s'; "
				"'git dvx push' creates it, or correct it by 'git dvx remote "
				"modify %s url <url>'",
				r->name, s->target.path, s->target.host, r->name);
		ssh_link_end(link, &call);
	}
	release_link(s);
	return rc;
}

/* ---- reading ---- */

static int ssh_size(struct remote *r, enum remote_class c, const struct oid *name, uint64_t *size)
{
	struct blobwire_request request = request_for(BLOBWIRE_SIZE, c, name);

	return ask(ssh_of(r), &request, size);
}

/* One GET, at most BLOBWIRE_GET_MAX bytes. */
static ssize_t get_piece(struct remote_ssh *s, struct blobwire_request *request, void *into)
{
	struct ssh_call call = {.type = BLOBWIRE_GET, .into = into, .room = request->length};
	struct ssh_link *link;
	ssize_t n = acquire_link(s, &link);

	if (n < 0)
		return n;
	n = ssh_link_begin(link, &call, request);
	if (n == 0) {
		n = ssh_link_wait(link, &call, SSH_DONE);
		if (n > 0)
			n = ssh_link_result(link, &call);
		if (n == 0)
			n = (ssize_t)call.got;
		ssh_link_end(link, &call);
	}
	release_link(s);
	return n;
}

static ssize_t ssh_get(struct remote *r, enum remote_class c, const struct oid *name,
	uint64_t offset, void *into, size_t len)
{
	struct blobwire_request request = request_for(BLOBWIRE_GET, c, name);
	size_t got = 0;

	while (got < len) {
		size_t want = len - got < BLOBWIRE_GET_MAX ? len - got : BLOBWIRE_GET_MAX;
		ssize_t n;

		request.offset = offset + got;
		request.length = (uint32_t)want;
		n = get_piece(ssh_of(r), &request, (char *)into + got);
		if (n < 0)
			return n;
		got += (size_t)n;
		if ((size_t)n < want)
			break;
	}
	return (ssize_t)got;
}

/* ---- writing ---- */

/* The far side wants it: its bytes, then COMMIT.  0; 1 when the last answer came before; an error.
 */
static int stream_file(struct ssh_link *link, struct ssh_call *call, int fd, uint64_t size)
{
	uint8_t *frame = malloc(BLOBWIRE_HEADER_LEN + PIECE);
	uint64_t at = 0;
	int rc = frame ? 0 : err_set(ERR_NOMEM, "out of memory");

	while (rc == 0 && at < size) {
		size_t want = size - at < PIECE ? (size_t)(size - at) : PIECE;
		ssize_t n;

		rc = ssh_link_wait(link, call, SSH_ROOM);
		if (rc != 0)
			break; /* it does not want the rest */
		n = fs_pread_full(fd, frame + BLOBWIRE_HEADER_LEN, want, at);
		if (n >= 0 && (size_t)n < want)
			n = err_set(ERR_CORRUPT, "the file to be sent was cut short");
		rc = n < 0 ? (int)n : ssh_link_data(link, call, frame, want);
		at += want;
	}
	free(frame);
	return rc == 0 ? ssh_link_commit(link, call) : rc;
}

static int send_put(struct ssh_link *link, struct ssh_call *call, int fd, uint64_t size)
{
	int rc = ssh_link_wait(link, call, SSH_READY);

	if (rc == 0)
		rc = stream_file(link, call, fd, size);
	if (rc == 0)
		rc = ssh_link_wait(link, call, SSH_DONE);
	return rc < 0 ? rc : ssh_link_result(link, call);
}

static int ssh_put_commit(
	struct remote *r, struct remote_put *p, const struct oid *name, uint64_t size)
{
	struct remote_ssh *s = ssh_of(r);
	struct blobwire_request request = request_for(BLOBWIRE_PUT, p->class, name);
	struct ssh_call call = {.type = BLOBWIRE_PUT};
	struct ssh_link *link;
	int rc = acquire_link(s, &link);

	if (rc < 0)
		return rc;
	request.size = size;
	rc = ssh_link_begin(link, &call, &request);
	if (rc == 0) {
		rc = send_put(link, &call, p->fd, size);
		if (rc == 0)
			rc = call.value > 0;
		ssh_link_end(link, &call);
	}
	release_link(s);
	/* the far side may have said so already */
	if (rc < 0 && !strstr(err_msg(), "cannot write to remote"))
		err_prefix(rc, "cannot write to remote '%s'", r->name);
	return rc;
}

static int ssh_remove(struct remote *r, enum remote_class c, const struct oid *name)
{
	struct blobwire_request request = request_for(BLOBWIRE_REMOVE, c, name);

	return ask(ssh_of(r), &request, NULL);
}

/* ---- the kind ---- */

static void ssh_close(struct remote *r)
{
	struct remote_ssh *s = ssh_of(r);

	ssh_link_close(s->link);
	ssh_target_release(&s->target);
	pthread_mutex_destroy(&s->lock);
	free(s->message);
	free(s);
}

static const struct remote_ops ssh_ops = {
	.kind = "ssh",
	.list = ssh_list,
	.size = ssh_size,
	.get = ssh_get,
	.put_begin = remote_spool,
	.put_commit = ssh_put_commit,
	.put_free = remote_spool_free,
	.remove = ssh_remove,
	.describe = ssh_describe,
	.close = ssh_close,
};

int remote_ssh_open(
	struct remote **out, const struct remote_spec *spec, const struct remote_context *context)
{
	struct remote_ssh *s = calloc(1, sizeof(*s));
	int rc;

	*out = NULL;
	if (!s)
		return err_set(ERR_NOMEM, "out of memory");
	pthread_mutex_init(&s->lock, NULL);
	rc = remote_init(&s->base, &ssh_ops, spec, context);
	s->base.parallel = PARALLEL;
	if (rc == 0)
		rc = ssh_target_parse(&s->target, spec->url);
	if (rc < 0)
		remote_close(&s->base);
	else
		*out = &s->base;
	return rc;
}
