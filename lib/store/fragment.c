/*
 * Reads index fragments (docs/fragment-format.md): bytes from a remote, so all of it is
 * checked once at the beginning, and the look-ups then work on the bytes in place.
 */
#include "lib/store/fragment.h"
#include "lib/base/err.h"
#include "lib/store/fragment_format.h"
#include "lib/store/pack.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

struct fragment {
	const uint8_t *data;
	size_t len;
	void *mapped; /* to unmap, or NULL */
	void *copy;   /* to free, or NULL */
	uint32_t n_packs, n_objects, n_extents;
	const uint8_t *packs, *ids, *records, *extents;
};

/* ---- checks ---- */

static int check_header(struct fragment *f)
{
	uint64_t need;

	if (f->len > FRAGMENT_LEN_MAX)
		return err_set(ERR_LIMIT, "an index fragment of %zu bytes", f->len);
	if (f->len < FRAGMENT_HEADER_LEN + FRAGMENT_SUM_LEN ||
		memcmp(f->data, FRAGMENT_MAGIC, 4) != 0)
		return err_set(ERR_CORRUPT, "not an index fragment");
	if (be32_get(f->data + 4) != FRAGMENT_VERSION)
		return err_set(ERR_UNSUPPORTED,
			"index fragment version %u is newer than this program",
			be32_get(f->data + 4));
	f->n_packs = be32_get(f->data + 8);
	f->n_objects = be32_get(f->data + 12);
	f->n_extents = be32_get(f->data + 16);
	need = FRAGMENT_HEADER_LEN + FRAGMENT_SUM_LEN + (uint64_t)f->n_packs * FRAGMENT_PACK_LEN +
	       (uint64_t)f->n_objects * (OID_LEN + FRAGMENT_RECORD_LEN) +
	       (uint64_t)f->n_extents * FRAGMENT_EXTENT_LEN;
	if (be32_get(f->data + 20) != 0 || need != f->len || be64_get(f->data + 24) != need)
		return err_set(ERR_CORRUPT, "index fragment has a wrong length");
	return 0;
}

static int check_sum(const struct fragment *f)
{
	size_t covered = f->len - FRAGMENT_SUM_LEN;
	XXH128_canonical_t sum;

	XXH128_canonicalFromHash(&sum, XXH3_128bits(f->data, covered));
	if (memcmp(f->data + covered, sum.digest, sizeof sum.digest) != 0)
		return err_set(ERR_CORRUPT, "damaged index fragment");
	return 0;
}

static uint32_t first_extent(const struct fragment *f, size_t i)
{
	if (i == f->n_objects)
		return f->n_extents;
	return be32_get(f->records + i * FRAGMENT_RECORD_LEN + 8);
}

static int check_objects(const struct fragment *f)
{
	uint32_t expected = 0;

	for (size_t i = 0; i < f->n_objects; i++) {
		uint64_t size = be64_get(f->records + i * FRAGMENT_RECORD_LEN);
		uint32_t next = first_extent(f, i + 1);

		if (i && memcmp(f->ids + (i - 1) * OID_LEN, f->ids + i * OID_LEN, OID_LEN) >= 0)
			return err_set(ERR_CORRUPT, "index fragment is not in order");
		if (size > INT64_MAX || first_extent(f, i) != expected || next < expected ||
			next > f->n_extents || (size && next == expected))
			return err_set(ERR_CORRUPT, "impossible object in an index fragment");
		expected = next;
	}
	if (expected != f->n_extents)
		return err_set(ERR_CORRUPT, "index fragment has extents of no object");
	return 0;
}

static int check_extents(const struct fragment *f)
{
	for (size_t i = 0; i < f->n_extents; i++) {
		const uint8_t *x = f->extents + i * FRAGMENT_EXTENT_LEN;
		uint64_t size, offset = be32_get(x + 4), length = be32_get(x + 8);

		if (be32_get(x) >= f->n_packs)
			return err_set(ERR_CORRUPT, "index fragment names an unknown pack");
		size = be64_get(f->packs + be32_get(x) * (size_t)FRAGMENT_PACK_LEN + OID_LEN);
		if (offset < PACK_HEADER_LEN || length <= PACK_ENTRY_HEADER_LEN ||
			offset + length > size)
			return err_set(ERR_CORRUPT, "index fragment points outside of a pack");
	}
	return 0;
}

static int check_all(struct fragment *f)
{
	int rc = check_header(f);

	if (rc < 0)
		return rc;
	f->packs = f->data + FRAGMENT_HEADER_LEN;
	f->ids = f->packs + (size_t)f->n_packs * FRAGMENT_PACK_LEN;
	f->records = f->ids + (size_t)f->n_objects * OID_LEN;
	f->extents = f->records + (size_t)f->n_objects * FRAGMENT_RECORD_LEN;
	rc = check_sum(f);
	if (rc == 0)
		rc = check_objects(f);
	if (rc == 0)
		rc = check_extents(f);
	return rc;
}

/* ---- opening ---- */

int fragment_parse(struct fragment **out, const void *data, size_t len)
{
	struct fragment *f = calloc(1, sizeof *f);
	int rc;

	*out = NULL;
	if (!f)
		return err_set(ERR_NOMEM, "out of memory");
	f->copy = malloc(len ? len : 1);
	if (!f->copy) {
		rc = err_set(ERR_NOMEM, "out of memory");
		goto done;
	}
	if (len)
		memcpy(f->copy, data, len);
	f->data = f->copy;
	f->len = len;
	rc = check_all(f);
	if (rc < 0)
		goto done;
	*out = f;
	f = NULL;
done:
	fragment_free(f);
	return rc;
}

static int map_file(struct fragment *f, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	int rc = 0;

	if (fd < 0)
		return err_sys("cannot open '%s'", path);
	if (fstat(fd, &st) < 0) {
		rc = err_sys("cannot stat '%s'", path);
	} else if (st.st_size <= 0) {
		rc = err_set(ERR_CORRUPT, "'%s' is empty", path);
	} else if (st.st_size > FRAGMENT_LEN_MAX) {
		rc = err_set(ERR_LIMIT, "'%s' is too large for an index fragment", path);
	} else {
		f->len = (size_t)st.st_size;
		f->mapped = mmap(NULL, f->len, PROT_READ, MAP_PRIVATE, fd, 0);
		if (f->mapped == MAP_FAILED) {
			f->mapped = NULL;
			rc = err_sys("cannot map '%s'", path);
		}
		f->data = f->mapped;
	}
	close(fd);
	return rc;
}

int fragment_open(struct fragment **out, const char *path)
{
	struct fragment *f = calloc(1, sizeof *f);
	int rc;

	*out = NULL;
	if (!f)
		return err_set(ERR_NOMEM, "out of memory");
	rc = map_file(f, path);
	if (rc < 0)
		goto done;
	rc = check_all(f);
	if (rc < 0) {
		err_prefix(rc, "'%s'", path);
		goto done;
	}
	*out = f;
	f = NULL;
done:
	fragment_free(f);
	return rc;
}

void fragment_free(struct fragment *f)
{
	if (!f)
		return;
	if (f->mapped)
		munmap(f->mapped, f->len);
	free(f->copy);
	free(f);
}

/* ---- asking ---- */

size_t fragment_count(const struct fragment *f)
{
	return f->n_objects;
}

void fragment_at(const struct fragment *f, size_t i, struct fragment_object *out)
{
	uint32_t first = first_extent(f, i);

	memcpy(out->oid.id, f->ids + i * OID_LEN, OID_LEN);
	out->size = be64_get(f->records + i * FRAGMENT_RECORD_LEN);
	out->extents = f->extents + (size_t)first * FRAGMENT_EXTENT_LEN;
	out->n_extents = first_extent(f, i + 1) - first;
}

int fragment_find(const struct fragment *f, const struct oid *oid, struct fragment_object *out)
{
	size_t low = 0, high = f->n_objects;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int c = memcmp(f->ids + mid * OID_LEN, oid->id, OID_LEN);

		if (c == 0) {
			fragment_at(f, mid, out);
			return 1;
		}
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return 0;
}

void fragment_extent_at(const struct fragment_object *o, uint32_t i, struct fragment_extent *out)
{
	const uint8_t *x = o->extents + (size_t)i * FRAGMENT_EXTENT_LEN;

	out->pack = be32_get(x);
	out->offset = be32_get(x + 4);
	out->length = be32_get(x + 8);
}

size_t fragment_packs(const struct fragment *f)
{
	return f->n_packs;
}

void fragment_pack_at(const struct fragment *f, uint32_t i, struct oid *name, uint64_t *size)
{
	const uint8_t *p = f->packs + (size_t)i * FRAGMENT_PACK_LEN;

	memcpy(name->id, p, OID_LEN);
	*size = be64_get(p + OID_LEN);
}
