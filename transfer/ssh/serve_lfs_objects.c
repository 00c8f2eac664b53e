/*
 * Objects over Git LFS's SSH protocol: which are here, one out, one in, is it here (see
 * serve_lfs_internal.h).  Bytes go between the connection and the depot packet by packet; what a
 * put's answer says is durable.
 */
#include "lib/base/err.h"
#include "lib/store/store.h"
#include "transfer/ssh/serve_lfs_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Opening it takes up what an earlier process left, which a client that only asks for locks does
 * not wait for. */
static int open_depot(struct lfs_server *s)
{
	const struct depot_options o = {
		.repository = s->repository, .state = s->state.p, .config = s->config};

	return s->depot ? 0 : depot_open(&s->depot, &o);
}

static int parse_oid(struct oid *out, const char *text)
{
	if (strlen(text) != OID_HEX_LEN || oid_from_hex(out, text) < 0)
		return err_set(ERR_INVALID, "'%.80s' is no object id", text);
	return 0;
}

/* ---- batch ---- */

struct batch {
	struct depot_object *objects;
	size_t n, cap;
};

static int add_object(struct batch *b, char *line)
{
	struct lfsssh_object o;
	int rc = lfsssh_object_parse(&o, line, 0);

	if (rc < 0)
		return rc;
	if (b->n == b->cap) {
		size_t cap = b->cap ? 2 * b->cap : LFS_BATCH_OBJECTS;
		struct depot_object *grown = reallocarray(b->objects, cap, sizeof(*grown));

		if (!grown)
			return err_set(ERR_NOMEM, "out of memory");
		b->objects = grown;
		b->cap = cap;
	}
	b->objects[b->n++] = (struct depot_object){.oid = o.oid, .size = o.size};
	return 0;
}

static int check_batch(const struct lfs_server *s, const struct lfsssh_head *h)
{
	const char *algorithm = lfsssh_arg(h, "hash-algo");

	if (algorithm && strcmp(algorithm, "sha256") != 0)
		return err_set(
			ERR_EXISTS, "objects here are named by sha256, not by '%.40s'", algorithm);
	return s->upload && !s->may_put ? serve_lfs_denied(s) : 0;
}

/* The objects of the request.  0; negative: the connection's end.  *refusal: what is wrong with
 * them, and then part of the body may be unread. */
static int read_batch(struct lfs_server *s, struct lfsssh_head *h, struct batch *b, int *refusal)
{
	struct buf line = BUF_INIT;
	int rc = 0;

	while (*refusal == 0 && h->has_body && (rc = lfsssh_body_line(&s->in, &line)) == 1) {
		*refusal = add_object(b, line.p);
		if (b->n > LFS_BATCH_OBJECTS_MAX)
			*refusal = err_set(ERR_LIMIT,
				"a batch of too many objects; at most %d are allowed",
				LFS_BATCH_OBJECTS_MAX);
	}
	if (*refusal == 0)
		h->has_body = 0;
	buf_release(&line);
	return rc < 0 ? rc : 0;
}

/* Which of them are here?  Negative also when that cannot be said of one of them. */
static int find(struct lfs_server *s, const struct batch *b)
{
	int rc = open_depot(s);

	if (rc == 0)
		rc = s->upload ? depot_find_kept(s->depot, b->objects, b->n)
			       : depot_find(s->depot, b->objects, b->n);
	for (size_t i = 0; rc == 0 && i < b->n; i++)
		if (b->objects[i].here < 0)
			rc = b->objects[i].here;
	return rc;
}

/* Download: those that are here, and are about to be asked for. */
static void foretell(struct lfs_server *s, const struct batch *b)
{
	struct batch here = {.objects = calloc(b->n, sizeof(*here.objects))};

	for (size_t i = 0; here.objects && i < b->n; i++)
		if (b->objects[i].here)
			here.objects[here.n++] = b->objects[i];
	if (here.n)
		depot_foretell(s->depot, here.objects, here.n);
	free(here.objects);
}

static int write_batch(struct lfs_server *s, const struct batch *b)
{
	int rc = lfsssh_head_write(&s->out, "status 200", "hash-algo=sha256", NULL);

	if (rc == 0)
		rc = pkt_write_delim(&s->out);
	for (size_t i = 0; rc == 0 && i < b->n; i++) {
		const struct depot_object *o = &b->objects[i];
		struct lfsssh_object line = {.oid = o->oid, .size = o->size, .action = "noop"};

		if (s->upload && !o->here)
			line.action = "upload";
		else if (!s->upload && o->here)
			line.action = "download";
		rc = lfsssh_object_write(&s->out, &line);
	}
	return rc < 0 ? rc : pkt_write_flush(&s->out);
}

int serve_lfs_batch(struct lfs_server *s, struct lfsssh_head *h)
{
	struct batch b = {.objects = NULL};
	int refusal = check_batch(s, h);
	int rc = refusal == 0 ? read_batch(s, h, &b, &refusal) : 0;

	if (rc < 0)
		goto done;
	if (refusal == ERR_LIMIT) {
		rc = serve_lfs_refuse_as(s, h, 413);
		goto done;
	}
	if (refusal == 0 && b.n)
		refusal = find(s, &b);
	if (refusal < 0) {
		rc = serve_lfs_refuse(s, h, refusal);
		goto done;
	}
	rc = write_batch(s, &b);
	if (rc == 0 && b.n && !s->upload)
		foretell(s, &b);
done:
	free(b.objects);
	return rc;
}

/* ---- get ---- */

/* The answer has begun: what goes wrong now can only be shown by its sudden end. */
static int send_object(
	struct lfs_server *s, struct depot_reader *r, uint8_t *piece, size_t first, uint64_t size)
{
	uint64_t done = first;
	char arg[40];
	int rc;

	snprintf(arg, sizeof(arg), "size=%llu", (unsigned long long)size);
	rc = lfsssh_head_write(&s->out, "status 200", arg, NULL);
	if (rc == 0)
		rc = pkt_write_delim(&s->out);
	if (rc == 0)
		rc = pkt_write(&s->out, piece, first);
	while (rc == 0 && done < size) {
		ssize_t n = depot_get_read(r, done, piece, PKT_PAYLOAD_MAX);

		if (n == 0)
			n = err_set(ERR_CORRUPT, "an object is shorter than it should be");
		rc = n < 0 ? (int)n : pkt_write(&s->out, piece, (size_t)n);
		done += n > 0 ? (uint64_t)n : 0;
	}
	return rc < 0 ? rc : pkt_write_flush(&s->out);
}

int serve_lfs_get(struct lfs_server *s, struct lfsssh_head *h, const char *oid)
{
	struct depot_reader *r = NULL;
	uint8_t *piece = malloc(PKT_PAYLOAD_MAX);
	uint64_t size = 0;
	struct oid name;
	ssize_t first = 0;
	int rc = piece ? parse_oid(&name, oid) : err_set(ERR_NOMEM, "out of memory");

	if (rc == 0)
		rc = open_depot(s);
	if (rc == 0)
		rc = depot_get_begin(&r, s->depot, &name, &size);
	if (rc == 0 && size) /* while an error can still be told */
		first = depot_get_read(r, 0, piece, PKT_PAYLOAD_MAX);
	if (rc == 0 && first < 0)
		rc = (int)first;
	if (rc < 0) {
		rc = serve_lfs_refuse(s, h, rc);
		goto done;
	}
	if (h->has_body)
		rc = lfsssh_body_skip(&s->in);
	if (rc == 0)
		rc = send_object(s, r, piece, (size_t)first, size);
done:
	depot_get_free(r);
	free(piece);
	return rc;
}

/* ---- put ---- */

static int check_put(struct lfs_server *s, struct lfsssh_head *h, const char *oid, struct oid *name,
	uint64_t *size)
{
	int rc = parse_oid(name, oid);

	if (rc == 0 && !s->may_put)
		rc = serve_lfs_denied(s);
	if (rc == 0) {
		rc = lfsssh_arg_number(size, h, "size");
		if (rc == 0)
			rc = err_set(ERR_INVALID, "put-object needs 'size=<bytes>'");
	}
	if (rc > 0 && !h->has_body)
		rc = err_set(ERR_INVALID, "put-object without data");
	return rc < 0 ? rc : 0;
}

/* The object's bytes, and its end.  0; negative: the connection's end.  *refusal: why they are not
 * taken, and then some may be unread. */
static int take_data(
	struct lfs_server *s, struct lfsssh_head *h, struct depot_writer *w, int *refusal)
{
	const uint8_t *data;
	size_t len;
	int rc;

	while ((rc = lfsssh_body_data(&s->in, &data, &len)) == 1) {
		*refusal = depot_put_data(w, data, len);
		if (*refusal < 0)
			return 0;
	}
	if (rc == 0) {
		h->has_body = 0;
		*refusal = depot_put_finish(w);
	}
	return rc;
}

static int say_stored(struct lfs_server *s)
{
	int rc = lfsssh_head_write(&s->out, "status 200", NULL);

	if (rc == 0)
		rc = pkt_write_delim(&s->out);
	return rc < 0 ? rc : pkt_write_flush(&s->out);
}

int serve_lfs_put(struct lfs_server *s, struct lfsssh_head *h, const char *oid)
{
	struct depot_writer *w = NULL;
	uint64_t size = 0;
	struct oid name;
	int refusal = check_put(s, h, oid, &name, &size), rc = 0;

	if (refusal == 0)
		refusal = open_depot(s);
	if (refusal == 0)
		refusal = depot_put_begin(&w, s->depot, &name, size);
	if (refusal == 0)
		rc = take_data(s, h, w, &refusal);
	if (rc == 0 && refusal == ERR_CORRUPT) /* not what was announced: as in the Batch API */
		rc = serve_lfs_refuse_as(s, h, 422);
	else if (rc == 0 && refusal < 0)
		rc = serve_lfs_refuse(s, h, refusal);
	else if (rc == 0)
		rc = say_stored(s);
	depot_put_free(w);
	return rc;
}

/* ---- verify ---- */

/* "verify-object OID" with size=, as Git LFS asks; "verify-object OID SIZE", as its specification
 * says. */
static int parse_verify(struct depot_object *o, const struct lfsssh_head *h, const char *operand)
{
	struct lfsssh_object words;
	char *line = strdup(operand);
	int rc =
		line ? lfsssh_arg_number(&o->size, h, "size") : err_set(ERR_NOMEM, "out of memory");

	if (rc == 1) {
		rc = parse_oid(&o->oid, operand);
	} else if (rc == 0) {
		rc = lfsssh_object_parse(&words, line, 0);
		if (rc == 0)
			*o = (struct depot_object){.oid = words.oid, .size = words.size};
	}
	free(line);
	return rc;
}

int serve_lfs_verify(struct lfs_server *s, struct lfsssh_head *h, const char *operand)
{
	struct depot_object o = {.here = 0};
	uint64_t size;
	int rc = parse_verify(&o, h, operand);

	size = o.size;
	o.size = STORE_SIZE_UNKNOWN;
	if (rc == 0)
		rc = open_depot(s);
	if (rc == 0)
		rc = depot_find(s->depot, &o, 1);
	if (rc == 0 && o.here < 0)
		rc = o.here;
	if (rc == 0 && !o.here)
		rc = err_set(ERR_NOTFOUND, "object '%.64s' is not here", operand);
	if (rc == 0 && o.size != size)
		rc = err_set(ERR_EXISTS, "object '%.64s' has %llu bytes, not %llu", operand,
			(unsigned long long)o.size, (unsigned long long)size);
	if (rc < 0)
		return serve_lfs_refuse(s, h, rc);
	if (h->has_body)
		rc = lfsssh_body_skip(&s->in);
	if (rc == 0)
		rc = lfsssh_head_write(&s->out, "status 200", NULL);
	return rc < 0 ? rc : pkt_write_flush(&s->out);
}
