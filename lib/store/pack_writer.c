/*
 * Writes a sealed pack into a file: entries as they come, hashed on the way for the pack's
 * name, then index and trailer.  Where the file lies, when it is flushed and what it is called is
 * the caller's business (the store seals its open packs itself, a transfer builds new ones).
 */
#include "lib/store/pack.h"
#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"

#include <stdlib.h>

enum { WRITE_SIZE = 1 << 20 };

struct pack_writer {
	int fd;
	struct pack_codec_ctx *codec;
	struct oid_ctx hash;
	struct buf pending; /* bytes not yet hashed and written */
	struct buf encoded;
	uint64_t size; /* bytes so far, pending ones included */
	struct pack_entry *entries;
	size_t n, cap;
};

int pack_writer_new(struct pack_writer **out, int fd)
{
	struct pack_writer *w = calloc(1, sizeof *w);
	uint8_t header[PACK_HEADER_LEN];
	int rc;

	*out = NULL;
	if (!w)
		return err_set(ERR_NOMEM, "out of memory");
	w->fd = fd;
	oid_init(&w->hash);
	pack_header(header);
	rc = pack_codec_new(&w->codec);
	if (rc == 0)
		rc = buf_add(&w->pending, header, sizeof header);
	if (rc < 0) {
		pack_writer_free(w);
		return rc;
	}
	w->size = sizeof header;
	*out = w;
	return 0;
}

static int write_pending(struct pack_writer *w)
{
	int rc;

	oid_update(&w->hash, w->pending.p, w->pending.len);
	rc = fs_write_full(w->fd, w->pending.p, w->pending.len);
	buf_reset(&w->pending);
	return rc;
}

/* Whether a further entry of `len` bytes, header included, and the index still fit. */
static int fits(const struct pack_writer *w, size_t len)
{
	return w->size + len + (w->n + 1) * PACK_INDEX_ENTRY_LEN + PACK_TRAILER_LEN <= PACK_MAX;
}

static int remember(struct pack_writer *w, const struct pack_entry *e)
{
	if (array_room(&w->entries, w->n, &w->cap, sizeof(*w->entries)) < 0)
		return ERR_NOMEM;
	w->entries[w->n++] = *e;
	return 0;
}

int pack_writer_add_encoded(
	struct pack_writer *w, const void *entry, size_t len, struct pack_entry *at)
{
	struct pack_entry e;
	int rc = pack_entry_parse(&e, entry, len);

	if (rc < 0)
		return rc;
	if (len != PACK_ENTRY_HEADER_LEN + (size_t)e.stored_len)
		return err_set(ERR_INVALID, "not one whole pack entry");
	if (!fits(w, len))
		return err_set(ERR_LIMIT, "the pack is full");
	e.offset = w->size;
	rc = buf_add(&w->pending, entry, len);
	if (rc < 0)
		return rc;
	rc = remember(w, &e);
	if (rc < 0) {
		buf_truncate(&w->pending, w->pending.len - len);
		return rc;
	}
	w->size += len;
	if (at)
		*at = e;
	return w->pending.len >= WRITE_SIZE ? write_pending(w) : 0;
}

int pack_writer_add(struct pack_writer *w, const struct oid *id, const void *raw, size_t len,
	struct pack_entry *at)
{
	int rc;

	if (!fits(w, PACK_ENTRY_HEADER_LEN + len)) /* before the work; raw is the longest */
		return err_set(ERR_LIMIT, "the pack is full");
	buf_reset(&w->encoded);
	rc = pack_entry_encode(w->codec, &w->encoded, id, raw, len);
	if (rc < 0)
		return rc;
	return pack_writer_add_encoded(w, w->encoded.p, w->encoded.len, at);
}

uint64_t pack_writer_size(const struct pack_writer *w)
{
	return w->size;
}

int pack_writer_finish(struct pack_writer *w, struct oid *name, uint64_t *size)
{
	size_t before = w->pending.len;
	int rc = pack_index_encode(&w->pending, w->entries, w->n, w->size);

	if (rc < 0)
		return rc;
	w->size += w->pending.len - before;
	rc = write_pending(w);
	if (rc < 0)
		return rc;
	oid_final(&w->hash, name);
	*size = w->size;
	return 0;
}

void pack_writer_free(struct pack_writer *w)
{
	if (!w)
		return;
	pack_codec_free(w->codec);
	buf_release(&w->pending);
	buf_release(&w->encoded);
	free(w->entries);
	free(w);
}
