/*
 * The table of rows and columns: "dvxrows1", records in the order in which they were learnt, a
 * checksum.  It is read whole - a record is 44 bytes - and written whole, without those that came
 * first where there are too many.
 */
#include "lib/lineage/rowcount.h"

#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/store/oidmap.h"

static const char MAGIC[8] = {'d', 'v', 'x', 'r', 'o', 'w', 's', '1'};

enum { RECORD = OID_LEN + 8 + 4, CHECKSUM = 8, ENTRIES_MAX = 20000 };

struct rowcount {
	char *path;
	struct rowcount_entry *v;
	size_t n, cap;
	struct oidmap places; /* in v */
	int learnt;
};

int rowcount_parse(struct rowcount_entry **out, size_t *n, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	struct rowcount_entry *v;

	*out = NULL;
	*n = 0;
	if (len < sizeof(MAGIC) + CHECKSUM || (len - sizeof(MAGIC) - CHECKSUM) % RECORD != 0 ||
		memcmp(p, MAGIC, sizeof(MAGIC)) != 0 ||
		be64_get(p + len - CHECKSUM) != XXH3_64bits(p, len - CHECKSUM))
		return 0;
	*n = (len - sizeof(MAGIC) - CHECKSUM) / RECORD;
	v = calloc(*n + 1, sizeof(*v));
	if (v == NULL)
		return err_no_memory();
	p += sizeof(MAGIC);
	for (size_t i = 0; i < *n; i++, p += RECORD) {
		memcpy(v[i].oid.id, p, OID_LEN);
		v[i].rows = be64_get(p + OID_LEN);
		v[i].columns = be32_get(p + OID_LEN + 8);
	}
	*out = v;
	return 0;
}

static int read_table(struct rowcount *r)
{
	struct buf text = {.max = sizeof(MAGIC) + (size_t)ENTRIES_MAX * RECORD + CHECKSUM};
	int rc = buf_read_file(&text, r->path);

	if (rc == 0)
		rc = rowcount_parse(&r->v, &r->n, text.p, text.len);
	else
		rc = rc == ERR_NOMEM ? rc : 0; /* absent, or no file of ours */
	r->cap = r->n;
	for (size_t i = 0; rc == 0 && i < r->n; i++)
		if (oidmap_add(&r->places, &r->v[i].oid, (uint32_t)i) < 0)
			rc = ERR_NOMEM;
	buf_release(&text);
	return rc;
}

int rowcount_open(struct rowcount **out, const struct repo *repo)
{
	struct rowcount *r = calloc(1, sizeof(*r));
	struct buf path = BUF_INIT;
	int rc = r != NULL ? buf_addf(&path, "%s/rows", repo->dir->dvx_dir) : err_no_memory();

	if (rc == 0 && (r->path = buf_detach(&path)) == NULL)
		rc = err_no_memory();
	if (rc == 0)
		rc = read_table(r);
	buf_release(&path);
	if (rc < 0) {
		rowcount_close(r);
		return rc;
	}
	err_clear();
	*out = r;
	return 0;
}

int rowcount_find(const struct rowcount *r, const struct oid *oid, struct rowcount_entry *out)
{
	uint32_t at;

	if (!oidmap_get(&r->places, oid, &at))
		return 0;
	*out = r->v[at];
	return 1;
}

int rowcount_add(struct rowcount *r, const struct rowcount_entry *e)
{
	if (array_room(&r->v, r->n, &r->cap, sizeof(*r->v)) < 0)
		return ERR_NOMEM;
	if (oidmap_set(&r->places, &e->oid, (uint32_t)r->n) < 0)
		return ERR_NOMEM;
	r->v[r->n++] = *e;
	r->learnt = 1;
	return 0;
}

static int format(struct buf *out, const struct rowcount *r)
{
	size_t from = r->n > ENTRIES_MAX ? r->n - ENTRIES_MAX : 0;
	int rc = buf_add(out, MAGIC, sizeof(MAGIC));

	for (size_t i = from; rc == 0 && i < r->n; i++) {
		rc = buf_add(out, r->v[i].oid.id, OID_LEN);
		if (rc == 0)
			rc = buf_add_be64(out, r->v[i].rows);
		if (rc == 0)
			rc = buf_add_be32(out, r->v[i].columns);
	}
	return rc == 0 ? buf_add_be64(out, XXH3_64bits(out->p, out->len)) : rc;
}

void rowcount_close(struct rowcount *r)
{
	struct buf text = BUF_INIT;

	if (r == NULL)
		return;
	if (r->learnt && format(&text, r) == 0 && fs_mkdirs_parent(r->path) == 0)
		(void)fs_replace_file(r->path, text.p, text.len, 0);
	buf_release(&text);
	oidmap_release(&r->places);
	free(r->path);
	free(r->v);
	free(r);
}
