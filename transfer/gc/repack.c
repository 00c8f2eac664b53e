/*
 * Reads the live ranges of packs in windows and copies whole entries; an entry that was copied
 * already is not copied again.  Remembers for each old place the new one.
 */
#include "transfer/gc/repack.h"
#include "lib/base/array.h"
#include "lib/base/err.h"
#include "transfer/blob/fresh.h"

#include <stdlib.h>
#include <string.h>

enum { WINDOW = 8 * 1024 * 1024 };

struct moved {
	uint32_t pack, offset; /* where it was */
	uint32_t length;
	struct fragment_extent to;
};

struct new_pack {
	struct oid name;
	uint64_t size;
};

struct repack {
	struct gcview *view;
	struct pack_codec_ctx *codec;
	uint8_t *raw, *window;
	struct remote_put *put; /* the pack at hand; NULL: none */
	struct pack_writer *writer;
	struct new_pack *packs;
	size_t n_packs, cap_packs; /* finished ones */
	struct moved *moved;	   /* sorted: packs are copied in ascending order */
	size_t n_moved, cap_moved;
	struct oidmap entries; /* id → number in `moved` of its first copy */
	uint64_t bytes;
};

int repack_new(struct repack **out, struct gcview *v)
{
	struct repack *r = calloc(1, sizeof(*r));
	int rc;

	*out = NULL;
	if (!r)
		return err_set(ERR_NOMEM, "out of memory");
	r->view = v;
	rc = pack_codec_new(&r->codec);
	r->raw = malloc(PACK_ENTRY_RAW_MAX);
	r->window = malloc(WINDOW);
	if (rc == 0 && (!r->raw || !r->window))
		rc = err_set(ERR_NOMEM, "out of memory");
	if (rc < 0)
		repack_free(r);
	else
		*out = r;
	return rc;
}

static void drop_pack(struct repack *r)
{
	pack_writer_free(r->writer);
	if (r->put)
		r->put->remote->ops->put_free(r->put);
	r->writer = NULL;
	r->put = NULL;
}

void repack_free(struct repack *r)
{
	if (!r)
		return;
	drop_pack(r);
	pack_codec_free(r->codec);
	free(r->raw);
	free(r->window);
	free(r->packs);
	free(r->moved);
	oidmap_release(&r->entries);
	free(r);
}

size_t repack_packs(const struct repack *r, uint64_t *bytes)
{
	*bytes = r->bytes;
	return r->n_packs;
}

void repack_pack_at(const struct repack *r, size_t i, struct oid *name, uint64_t *size)
{
	*name = r->packs[i].name;
	*size = r->packs[i].size;
}

/* ---- writing ---- */

static int begin_pack(struct repack *r)
{
	struct blobstore *b = r->view->blobstore;
	int rc = b->remote->ops->put_begin(b->remote, REMOTE_PACK, &r->put);

	if (rc == 0)
		rc = pack_writer_new(&r->writer, r->put->fd);
	if (rc == 0)
		rc = fresh_pack(&b->listing, r->writer);
	if (rc < 0)
		drop_pack(r);
	return rc;
}

static int remember_pack(struct repack *r, const struct new_pack *p)
{
	if (array_room(&r->packs, r->n_packs, &r->cap_packs, sizeof(*r->packs)) < 0)
		return ERR_NOMEM;
	r->packs[r->n_packs++] = *p;
	return 0;
}

int repack_finish(struct repack *r)
{
	struct remote *remote = r->view->blobstore->remote;
	struct new_pack p;
	int rc;

	if (!r->put)
		return 0;
	rc = pack_writer_finish(r->writer, &p.name, &p.size);
	if (rc == 0)
		rc = remote->ops->put_commit(remote, r->put, &p.name, p.size);
	if (rc >= 0)
		rc = remember_pack(r, &p);
	drop_pack(r);
	return rc;
}

static int add_entry(struct repack *r, const uint8_t *entry, size_t len, struct pack_entry *at)
{
	int rc = r->put ? 0 : begin_pack(r);

	if (rc == 0)
		rc = pack_writer_add_encoded(r->writer, entry, len, at);
	if (rc != ERR_LIMIT)
		return rc;
	rc = repack_finish(r);
	if (rc == 0)
		rc = begin_pack(r);
	return rc < 0 ? rc : pack_writer_add_encoded(r->writer, entry, len, at);
}

/* ---- entries ---- */

static int remember(struct repack *r, const struct oid *id, const struct moved *m)
{
	if (array_room(&r->moved, r->n_moved, &r->cap_moved, sizeof(*r->moved)) < 0)
		return ERR_NOMEM;
	r->moved[r->n_moved] = *m;
	return oidmap_add(&r->entries, id, (uint32_t)r->n_moved++) < 0 ? ERR_NOMEM : 0;
}

static int copy_entry(struct repack *r, uint32_t pack, uint32_t offset, const uint8_t *p,
	const struct pack_entry *e)
{
	struct moved m = {
		.pack = pack, .offset = offset, .length = PACK_ENTRY_HEADER_LEN + e->stored_len};
	struct pack_entry at;
	uint32_t first;
	int rc;

	if (oidmap_get(&r->entries, &e->id, &first)) {
		m.to = r->moved[first].to;
		return remember(r, &e->id, &m);
	}
	rc = pack_entry_decode(r->codec, e, p + PACK_ENTRY_HEADER_LEN, r->raw, 1);
	if (rc == 0)
		rc = add_entry(r, p, m.length, &at);
	if (rc < 0)
		return rc;
	m.to = (struct fragment_extent){(uint32_t)r->n_packs, (uint32_t)at.offset, m.length};
	r->bytes += m.length;
	return remember(r, &e->id, &m);
}

/* The entries that are whole in the window; *used is how far that went. */
static int copy_window(struct repack *r, const struct gcview_range *at, size_t len, size_t *used)
{
	struct pack_entry e;
	int rc = 0;

	*used = 0;
	while (rc == 0 && len - *used >= PACK_ENTRY_HEADER_LEN) {
		const uint8_t *p = r->window + *used;

		rc = pack_entry_parse(&e, p, len - *used);
		if (rc == 0 && len - *used - PACK_ENTRY_HEADER_LEN < e.stored_len)
			break;
		if (rc == 0)
			rc = copy_entry(r, at->pack, at->offset + (uint32_t)*used, p, &e);
		if (rc == 0)
			*used += PACK_ENTRY_HEADER_LEN + e.stored_len;
	}
	return rc;
}

/* The error names the pack. */
static int explain(struct repack *r, const struct gcview_range *at, int rc)
{
	struct remote *remote = r->view->blobstore->remote;
	struct buf where = BUF_INIT;

	remote->ops->describe(remote, REMOTE_PACK, &r->view->packs[at->pack].name, &where);
	rc = err_set(rc,
		"'%s' cannot be copied, near byte %u: %s; run 'git dvx fsck --remote --repair'",
		buf_str(&where), at->offset, err_msg());
	buf_release(&where);
	return rc;
}

static int copy_range(struct repack *r, struct gcview_range at)
{
	struct blobstore *b = r->view->blobstore;
	int rc = 0;

	while (rc == 0 && at.length) {
		size_t want = at.length < WINDOW ? at.length : WINDOW, used = 0;
		ssize_t n = b->remote->ops->get(b->remote, REMOTE_PACK,
			&r->view->packs[at.pack].name, at.offset, r->window, want);

		rc = n < 0 ? (int)n : engine_check_stop(b->engine);
		if (rc == 0 && (size_t)n < want)
			rc = err_set(ERR_CORRUPT, "it is truncated");
		if (rc == 0)
			rc = copy_window(r, &at, want, &used);
		if (rc == 0 && used == 0)
			rc = err_set(ERR_CORRUPT, "a fragment's range ends inside an entry");
		if (rc == ERR_CORRUPT || rc == ERR_UNSUPPORTED)
			return explain(r, &at, rc);
		at.offset += (uint32_t)used;
		at.length -= (uint32_t)used;
	}
	return rc;
}

int repack_copy(struct repack *r, uint32_t pack)
{
	const struct gcview *v = r->view;
	size_t low = 0, high = v->n_live;
	int rc = 0;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (v->live[mid].pack < pack)
			low = mid + 1;
		else
			high = mid;
	}
	for (; rc == 0 && low < v->n_live && v->live[low].pack == pack; low++)
		rc = copy_range(r, v->live[low]);
	return rc;
}

/* ---- old places to new ones ---- */

static int compare_moved(const struct moved *m, uint32_t pack, uint32_t offset)
{
	if (m->pack != pack)
		return m->pack < pack ? -1 : 1;
	return m->offset < offset ? -1 : m->offset > offset;
}

int repack_translate(const struct repack *r, const struct gcview_range *from, struct extents *out)
{
	uint32_t at = from->offset, end = from->offset + from->length;
	size_t low = 0, high = r->n_moved;
	int rc = 0;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (compare_moved(&r->moved[mid], from->pack, at) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	for (; rc == 0 && at < end; low++) {
		if (low == r->n_moved || compare_moved(&r->moved[low], from->pack, at) != 0)
			return err_set(ERR_CORRUPT, "a fragment's range begins inside an entry");
		rc = extents_add(out, &r->moved[low].to);
		at += r->moved[low].length;
	}
	return rc;
}
