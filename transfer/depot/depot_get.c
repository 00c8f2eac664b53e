/*
 * An object goes out: from a file that lies here, or from one that is on its way.
 */
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "transfer/depot/depot_internal.h"

#include <stdlib.h>
#include <unistd.h>

struct depot_reader {
	uint64_t size;
	int fd;		     /* -1: nothing to read from yet */
	struct fetch *fetch; /* NULL: all of the file is there and was checked */
	unsigned attempt;    /* that `fd` is of */
	int given;	     /* bytes of it were given out */
};

/* What lies here: 1, or 0. */
static int open_local(struct depot_reader *r, struct depot *d, const struct oid *oid)
{
	if (oid_eq(oid, &oid_of_empty))
		return 1;
	r->fd = depot_open_incoming(d, oid, &r->size);
	if (r->fd < 0)
		r->fd = depot_cache_get(d->cache, oid, &r->size);
	return r->fd >= 0;
}

/* Not here: is it in the store, and how long is it? */
static int open_far(struct depot_reader *r, struct depot *d, const struct oid *oid)
{
	struct depot_object o = {.oid = *oid, .size = STORE_SIZE_UNKNOWN};
	char hex[OID_HEX_LEN + 1];
	int rc;

	if (fetcher_join(d->fetcher, oid, &r->fetch)) {
		r->size = r->fetch->size;
		return 0;
	}
	rc = depot_find(d, &o, 1);
	if (rc < 0)
		return rc;
	if (open_local(r, d, oid)) /* it has come meanwhile */
		return 0;
	oid_to_hex(hex, oid);
	if (!o.here)
		return err_set(ERR_NOTFOUND, "no object %s", hex);
	r->size = o.size;
	return fetcher_want(d->fetcher, oid, o.size, 1, &r->fetch);
}

int depot_get_begin(
	struct depot_reader **out, struct depot *d, const struct oid *oid, uint64_t *size)
{
	struct depot_reader *r = calloc(1, sizeof(*r));
	int rc = 0;

	*out = NULL;
	if (!r)
		return err_set(ERR_NOMEM, "out of memory");
	r->fd = -1;
	if (!open_local(r, d, oid))
		rc = open_far(r, d, oid);
	if (rc < 0) {
		depot_get_free(r);
		return rc;
	}
	*size = r->size;
	*out = r;
	return 0;
}

/* Another attempt writes another file, and what was given out of the first may have been wrong: how
 * that one ends tells why it was begun. */
static int lost(struct depot_reader *r, unsigned attempt, int fd)
{
	int another = -1;
	int64_t end = fetch_wait(r->fetch, r->size - 1, &attempt, &another);

	close(fd);
	if (another >= 0)
		close(another);
	return end < 0 ? (int)end
		       : err_set(ERR_REMOTE, "the object could not be read in one go; try again");
}

/* How many bytes there are from the start, at least one behind `offset`. */
static int64_t wait_for(struct depot_reader *r, uint64_t offset)
{
	unsigned attempt = r->attempt;
	int fd = -1;
	int64_t have = fetch_wait(r->fetch, offset, &attempt, &fd);

	if (have < 0)
		return have;
	if (attempt != r->attempt) {
		if (r->given)
			return lost(r, attempt, fd);
		if (r->fd >= 0)
			close(r->fd);
		r->fd = fd;
		r->attempt = attempt;
	}
	if ((uint64_t)have == r->size) {
		fetch_unref(r->fetch);
		r->fetch = NULL;
	}
	return have;
}

ssize_t depot_get_read(struct depot_reader *r, uint64_t offset, void *into, size_t len)
{
	uint64_t have = r->size;
	ssize_t n;

	if (offset >= r->size || len == 0)
		return 0;
	if (r->fetch) {
		int64_t there = wait_for(r, offset);

		if (there < 0)
			return (ssize_t)there;
		have = (uint64_t)there;
	}
	if (len > have - offset)
		len = (size_t)(have - offset);
	n = fs_pread_full(r->fd, into, len, offset);
	if (n >= 0 && (size_t)n < len)
		return err_set(ERR_CORRUPT, "a file of ours has become shorter");
	r->given |= n > 0;
	return n;
}

int depot_get_fd(struct depot_reader *r)
{
	return r->fetch ? -1 : r->fd;
}

void depot_get_free(struct depot_reader *r)
{
	if (!r)
		return;
	if (r->fetch)
		fetch_unref(r->fetch);
	if (r->fd >= 0)
		close(r->fd);
	free(r);
}

void depot_foretell(struct depot *d, const struct depot_object *objects, size_t n)
{
	uint64_t size;

	for (size_t i = 0; i < n; i++) {
		int fd;

		if (objects[i].size == STORE_SIZE_UNKNOWN ||
			oid_eq(&objects[i].oid, &oid_of_empty) ||
			depot_cache_has(d->cache, &objects[i].oid, &size))
			continue;
		fd = depot_open_incoming(d, &objects[i].oid, &size);
		if (fd >= 0)
			close(fd);
		else if (fetcher_want(d->fetcher, &objects[i].oid, objects[i].size, 0, NULL) < 0)
			break;
	}
	err_clear();
}
