/*
 * Deduplicates and packs.  A chunk that is known (this run, the object's base, a killed push of
 * this clone) becomes a reference; any other goes into the pack at hand, which is committed in the
 * background when full.  Objects that are complete wait until a fragment names them: at the end,
 * and after every 16 packs, so that a killed push does not begin from the start.
 */
#include "transfer/blob/packer.h"
#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "transfer/blob/committer.h"
#include "transfer/blob/fresh.h"
#include "transfer/blob/packtable.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

enum {
	PACKS_PER_FRAGMENT = 16,
	OBJECTS_PER_FRAGMENT = 100 * 1000, /* what waits is kept in memory */
	EXTENTS_PER_FRAGMENT = 8 * 1000 * 1000,
	SENT_KEEP_SECONDS = 7 * 24 * 3600,
	WRITEBACK_BYTES = 8 * 1024 * 1024
};

/* Bookkeeping of an object from its first chunk to its answer. */
struct packed_object {
	struct transfer_object *object;
	size_t first, n; /* in the packer's extents */
	uint64_t sent;
};

struct packer {
	struct blobstore *blobstore;
	struct committer *committer;
	struct packtable table;
	/* the pack at hand; put is NULL when there is none */
	struct remote_put *put;
	struct pack_writer *writer;
	uint32_t pack;
	uint64_t started; /* bytes of it whose writeback was started */
	size_t packs_since_fragment;
	struct packed_object current;
	struct packed_object *done; /* complete, named by no fragment yet */
	size_t n_done, cap_done;
	struct extents extents; /* of these, and of the current one behind them */
};

/* A pack that is on the remote: new objects may refer to it. */
static int know_pack(struct packer *p, const struct oid *name, uint64_t size,
	const struct pack_index *x, int ours)
{
	int rc = packtable_add(&p->table, name, size, x, ours);

	return rc < 0 ? rc : blobstore_rely(p->blobstore, REMOTE_PACK, name);
}

static int load_sent(const struct oid *name, int64_t age, void *data)
{
	struct packer *p = data;
	struct blobstore *b = p->blobstore;
	struct pack_index *x = NULL;
	struct buf tail = BUF_INIT;
	uint64_t size, need;
	int rc = 0;

	if (age < SENT_KEEP_SECONDS && !listing_condemned(&b->listing, REMOTE_PACK, name) &&
		b->remote->ops->size(b->remote, REMOTE_PACK, name, &size) == 0 &&
		cache_read(b->cache, CACHE_SENT_INDEX, name, &tail) == 0 &&
		pack_index_parse(&x, tail.p, tail.len, size, &need) == 0)
		rc = know_pack(p, name, size, x, 1);
	else
		cache_remove(b->cache, CACHE_SENT_INDEX, name);
	pack_index_free(x);
	buf_release(&tail);
	return rc < 0 ? rc : 0;
}

int packer_new(struct packer **out, struct blobstore *b)
{
	struct packer *p = calloc(1, sizeof(*p));
	int rc;

	*out = NULL;
	if (!p)
		return err_set(ERR_NOMEM, "out of memory");
	p->blobstore = b;
	rc = committer_new(&p->committer, b);
	if (rc == 0 && !b->engine->anew)
		rc = cache_each(b->cache, CACHE_SENT_INDEX, load_sent, p);
	if (rc < 0)
		packer_free(p);
	else
		*out = p;
	return rc;
}

static void drop_pack(struct packer *p)
{
	pack_writer_free(p->writer);
	if (p->put)
		p->put->remote->ops->put_free(p->put);
	p->writer = NULL;
	p->put = NULL;
}

void packer_free(struct packer *p)
{
	if (!p)
		return;
	drop_pack(p);
	committer_free(p->committer);
	free(p->done);
	extents_release(&p->extents);
	packtable_release(&p->table);
	free(p);
}

/* ---- packs ---- */

static int begin_pack(struct packer *p)
{
	struct remote *remote = p->blobstore->remote;
	int number = packtable_begin(&p->table);
	int rc;

	if (number < 0)
		return number;
	rc = remote->ops->put_begin(remote, REMOTE_PACK, &p->put);
	if (rc == 0)
		rc = pack_writer_new(&p->writer, p->put->fd);
	if (rc == 0)
		rc = fresh_pack(&p->blobstore->listing, p->writer);
	p->pack = (uint32_t)number;
	p->started = 0;
	if (rc < 0)
		drop_pack(p);
	return rc;
}

/* Index and trailer of the pack that was just finished, for the local cache. */
static int read_back_tail(const struct packer *p, uint64_t begin, uint64_t size, struct buf *tail)
{
	ssize_t n;
	int rc = buf_grow(tail, size - begin);

	if (rc < 0)
		return rc;
	n = fs_pread_full(p->put->fd, tail->p, size - begin, begin);
	if (n < 0)
		return (int)n;
	tail->len = (size_t)n;
	return 0;
}

static int end_pack(struct packer *p)
{
	struct buf tail = BUF_INIT;
	struct remote_put *put;
	struct oid name;
	uint64_t entries_end, size;
	int rc;

	if (!p->put)
		return 0;
	entries_end = pack_writer_size(p->writer);
	rc = pack_writer_finish(p->writer, &name, &size);
	if (rc == 0)
		rc = read_back_tail(p, entries_end, size, &tail);
	if (rc == 0)
		rc = packtable_name(&p->table, p->pack, &name, size);
	if (rc == 0)
		rc = blobstore_rely(p->blobstore, REMOTE_PACK, &name);
	if (rc == 0) {
		put = p->put;
		p->put = NULL;
		p->packs_since_fragment++;
		rc = committer_add(p->committer, put, &name, size, &tail);
	}
	drop_pack(p);
	buf_release(&tail);
	return rc < 0 ? err_prefix(rc, "cannot write to remote '%s'", p->blobstore->remote->name)
		      : 0;
}

/* The disk can begin while we go on: the flush at the end then has little to wait for. */
static void start_writeback(struct packer *p)
{
	uint64_t size = pack_writer_size(p->writer);

	if (!p->put->writeback || size - p->started < WRITEBACK_BYTES)
		return;
	sync_file_range(
		p->put->fd, (off_t)p->started, (off_t)(size - p->started), SYNC_FILE_RANGE_WRITE);
	p->started = size;
}

/* One entry into the pack at hand.  ERR_LIMIT: it is full. */
static int add_entry(
	struct packer *p, const struct oid *id, const void *data, size_t len, struct pack_entry *e)
{
	int rc = pack_writer_add(p->writer, id, data, len, e);

	if (rc < 0 && rc != ERR_LIMIT)
		err_prefix(rc, "cannot write to remote '%s'", p->blobstore->remote->name);
	return rc;
}

static int pack_chunk(struct packer *p, const struct oid *id, const void *data, size_t len,
	struct fragment_extent *at)
{
	struct pack_entry e;
	int rc = p->put ? 0 : begin_pack(p);

	if (rc == 0)
		rc = add_entry(p, id, data, len, &e);
	if (rc == ERR_LIMIT) {
		rc = end_pack(p);
		if (rc == 0)
			rc = begin_pack(p);
		if (rc == 0)
			rc = add_entry(p, id, data, len, &e);
	}
	if (rc < 0)
		return rc;
	start_writeback(p);
	*at = (struct fragment_extent){.pack = p->pack,
		.offset = (uint32_t)e.offset,
		.length = PACK_ENTRY_HEADER_LEN + e.stored_len};
	p->current.sent += at->length;
	/* an object that is one chunk is asked for once: a million of them need no remembering */
	if (p->current.object->size <= STORE_SMALL_MAX)
		return 0;
	return packtable_add_chunk(&p->table, id, at);
}

/* ---- objects ---- */

/* All chunks of a pack become known; once each.  A pack that is not there or cannot be read is not
 * used. */
static int learn_pack(struct packer *p, const struct oid *name, uint64_t size)
{
	struct blobstore *b = p->blobstore;
	struct pack_index *x = NULL;
	int rc = 0;

	if (packtable_has(&p->table, name) || listing_condemned(&b->listing, REMOTE_PACK, name) ||
		!blobstore_has_pack(b, name, size))
		return 0;
	if (blobstore_pack_index(b, name, size, &x) == 0)
		rc = know_pack(p, name, size, x, 0);
	pack_index_free(x);
	return rc < 0 ? rc : 0;
}

static int learn_base(struct packer *p, const struct oid *base)
{
	struct fragment_extent x;
	struct blob_hit hit;
	struct oid name;
	uint64_t size;
	int rc = 0;

	if (!blobstore_find(p->blobstore, base, &hit))
		return 0;
	for (uint32_t k = 0; rc == 0 && k < hit.at.n_extents; k++) {
		fragment_extent_at(&hit.at, k, &x);
		fragment_pack_at(hit.in->fragment, x.pack, &name, &size);
		rc = learn_pack(p, &name, size);
	}
	return rc;
}

int packer_begin(struct packer *p, struct transfer_object *o)
{
	p->current = (struct packed_object){.object = o, .first = p->extents.first};
	return o->base ? learn_base(p, o->base) : 0;
}

int packer_chunk(struct packer *p, const struct oid *id, const void *data, size_t len)
{
	struct fragment_extent at;
	int rc = 0;

	if (!packtable_find(&p->table, id, &at))
		rc = pack_chunk(p, id, data, len, &at);
	return rc < 0 ? rc : extents_add(&p->extents, &at);
}

void packer_drop(struct packer *p)
{
	p->current.object = NULL;
	p->extents.n = p->extents.first;
}

/* ---- fragments ---- */

/* The fragment's number for a pack of the table; `numbers` remembers (0: not yet). */
static int fragment_pack_number(struct packer *p, struct fragment_writer *w, uint32_t *numbers,
	uint32_t pack, uint32_t *number)
{
	struct known_pack *k = &p->table.packs[pack];
	int rc = 0;

	if (!numbers[pack]) {
		rc = fragment_writer_pack(w, &k->name, k->size, number);
		if (rc >= 0)
			numbers[pack] = *number + 1;
	}
	k->named = 1;
	*number = numbers[pack] - 1;
	return rc < 0 ? rc : 0;
}

static int build_fragment(struct packer *p, struct buf *bytes, struct oid *name)
{
	struct fragment_writer *w = NULL;
	uint32_t *numbers = calloc(p->table.n_packs + 1, sizeof(*numbers));
	int rc = numbers ? fragment_writer_new(&w) : err_set(ERR_NOMEM, "out of memory");

	for (size_t i = 0; rc == 0 && i < p->n_done; i++) {
		const struct packed_object *o = &p->done[i];
		struct fragment_extent *x = p->extents.v + o->first;

		for (size_t k = 0; rc == 0 && k < o->n; k++)
			rc = fragment_pack_number(p, w, numbers, x[k].pack, &x[k].pack);
		if (rc == 0)
			rc = fragment_writer_object(w, &o->object->oid, o->object->size, x, o->n);
		if (rc > 0)
			rc = 0;
	}
	if (rc == 0)
		rc = fresh_fragment(&p->blobstore->listing, w, bytes, name);
	fragment_writer_free(w);
	free(numbers);
	return rc;
}

static void answer_done(struct packer *p)
{
	for (size_t i = 0; i < p->n_done; i++)
		engine_answer(
			p->blobstore->engine, p->done[i].object, TRANSFER_OK, p->done[i].sent);
	for (size_t i = 0; i < p->table.n_packs; i++) {
		struct known_pack *k = &p->table.packs[i];

		if (k->ours && k->named)
			cache_sent_is_named(p->blobstore->cache, &k->name);
		k->named = 0;
	}
	p->n_done = p->extents.n = p->extents.first = 0;
	p->packs_since_fragment = 0;
}

/* The commit point: all packs durable, then the fragment, then the answers. */
static int put_fragment(struct packer *p)
{
	struct blobstore *b = p->blobstore;
	struct buf bytes = BUF_INIT;
	struct oid name;
	int rc;

	if (p->n_done == 0)
		return 0;
	rc = end_pack(p);
	if (rc == 0)
		rc = committer_wait(p->committer);
	if (rc == 0)
		rc = engine_check_stop(b->engine);
	if (rc == 0)
		rc = blobstore_check_relied(b);
	if (rc == 0)
		rc = build_fragment(p, &bytes, &name);
	if (rc == 0)
		rc = remote_put_bytes(b->remote, REMOTE_FRAGMENT, &name, bytes.p, bytes.len);
	if (rc >= 0)
		rc = blobstore_rely(b, REMOTE_FRAGMENT, &name);
	if (rc == 0)
		rc = blobstore_check_relied(b);
	if (rc == 0) {
		cache_write(b->cache, CACHE_FRAGMENT, &name, bytes.p, bytes.len);
		answer_done(p);
	}
	buf_release(&bytes);
	return rc < 0 ? rc : 0;
}

int packer_end(struct packer *p)
{
	if (array_room(&p->done, p->n_done, &p->cap_done, sizeof(*p->done)) < 0)
		return ERR_NOMEM;
	p->current.n = p->extents.n - p->current.first;
	p->done[p->n_done++] = p->current;
	p->extents.first = p->extents.n;
	if (p->packs_since_fragment >= PACKS_PER_FRAGMENT || p->n_done >= OBJECTS_PER_FRAGMENT ||
		p->extents.n >= EXTENTS_PER_FRAGMENT)
		return put_fragment(p);
	return 0;
}

int packer_finish(struct packer *p)
{
	return put_fragment(p);
}
