/*
 * The log beside an open pack ("open-3.idx"): one fixed record an entry, in the order of the pack,
 * so that opening a store does not read all of the pack.  It is a hint and never more: what it says
 * is used only as far as its records continue each other, their checks are right, and the pack
 * really has the first and the last of them.
 */
#include "lib/store/store_internal.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { LOG_VERSION = 1, LOG_LEN_MAX = PACK_MAX };

void pack_log_header(uint8_t out[static PACK_LOG_HEADER_LEN])
{
	memset(out, 0, PACK_LOG_HEADER_LEN);
	memcpy(out, "DVXL", 4);
	be32_put(out + 4, LOG_VERSION);
}

int pack_log_name(struct buf *out, const char *pack_name)
{
	return buf_addf(out, "%.*s.idx", (int)(strlen(pack_name) - strlen(".pack")), pack_name);
}

int pack_log_add(struct buf *out, const struct pack_entry *e)
{
	uint8_t r[PACK_LOG_RECORD_LEN];

	memcpy(r, e->id.id, OID_LEN);
	be32_put(r + 32, (uint32_t)e->offset);
	be32_put(r + 36, (uint32_t)e->codec << 24 | e->raw_len);
	be32_put(r + 40, e->stored_len);
	be32_put(r + 44, e->check);
	be32_put(r + 48, (uint32_t)XXH3_64bits(r, 48));
	return buf_add(out, r, sizeof r);
}

static int parse_record(struct pack_entry *e, const uint8_t *r)
{
	if (be32_get(r + 48) != (uint32_t)XXH3_64bits(r, 48))
		return 0;
	memcpy(e->id.id, r, OID_LEN);
	e->offset = be32_get(r + 32);
	e->codec = (enum pack_codec)r[36];
	e->raw_len = be32_get(r + 36) & 0xffffff;
	e->stored_len = be32_get(r + 40);
	e->check = be32_get(r + 44);
	return e->stored_len > 0 && e->stored_len <= PACK_ENTRY_RAW_MAX;
}

/* How many records, from the first on, describe ascending entries of a pack of `size` bytes. */
static size_t count_good(const struct buf *log, uint64_t size)
{
	const uint8_t *r = (const uint8_t *)log->p + PACK_LOG_HEADER_LEN;
	size_t all = (log->len - PACK_LOG_HEADER_LEN) / PACK_LOG_RECORD_LEN, n;
	uint64_t end = PACK_HEADER_LEN;
	struct pack_entry e;

	for (n = 0; n < all; n++, r += PACK_LOG_RECORD_LEN) {
		if (!parse_record(&e, r) || e.offset < end)
			break;
		end = e.offset + PACK_ENTRY_HEADER_LEN + e.stored_len;
		if (end > size)
			break;
	}
	return n;
}

static int read_log(const struct packs *p, const struct pack_file *f, struct buf *log)
{
	struct buf path = BUF_INIT;
	uint8_t header[PACK_LOG_HEADER_LEN];
	int rc = buf_addf(&path, "%s/", p->dir);

	if (rc == 0)
		rc = pack_log_name(&path, f->name);
	if (rc == 0) {
		log->max = LOG_LEN_MAX;
		rc = buf_read_file(log, path.p);
	}
	buf_release(&path);
	if (rc == ERR_NOMEM)
		return rc;
	pack_log_header(header);
	if (rc < 0 || log->len < sizeof header || memcmp(log->p, header, sizeof header) != 0)
		buf_reset(log); /* no log, or one that we do not know: scan */
	return 0;
}

int pack_log_load(const struct packs *p, struct pack_file *f)
{
	struct buf log = BUF_INIT;
	const uint8_t *r;
	struct pack_entry e;
	struct stat st;
	size_t n;
	int rc;

	if (fstat(f->fd, &st) < 0)
		return err_sys("cannot stat pack '%s'", f->name);
	rc = read_log(p, f, &log);
	if (rc < 0 || log.len == 0)
		goto done;
	n = count_good(&log, (uint64_t)st.st_size);
	r = (const uint8_t *)log.p + PACK_LOG_HEADER_LEN;
	if (n == 0 || !parse_record(&e, r) || !pack_file_confirms(f, &e) ||
		!parse_record(&e, r + (n - 1) * PACK_LOG_RECORD_LEN) || !pack_file_confirms(f, &e))
		goto done; /* the log of another pack */
	rc = oidindex_reserve(&f->places, n);
	for (size_t i = 0; i < n && rc == 0; i++) {
		(void)parse_record(&e, r + i * PACK_LOG_RECORD_LEN);
		rc = pack_file_note(f, &e);
	}
	f->logged = n;
done:
	buf_release(&log);
	return rc;
}
