/*
 * Reading a tensor's data: from their place in the file, or through the archive that they are
 * compressed in.
 */
#include "lib/tensor/tensor_data.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <stdlib.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"

int tensor_data_open(struct tensor_data *d, struct tensor_file *file, const struct tensor *x)
{
	int rc = 0;

	*d = (struct tensor_data){file, tensor_place(file, x), 0, x->bytes};
	if (d->place->compressed)
		rc = tensor_npz_open(file->npz, d->place);
	return rc < 0 ? err_prefix(rc, "%s", file->name) : 0;
}

static int read_plain(struct tensor_data *d, void *out, size_t len)
{
	ssize_t n = fs_pread_full(d->file->fd, out, len, d->place->offset + d->at);

	if (n < 0)
		return (int)n;
	return (size_t)n == len ? 0 : err_set(ERR_INVALID, "the file became shorter");
}

static int read_member(struct tensor_data *d, void *out, size_t len)
{
	int rc = tensor_npz_next(d->file->npz, out, len);

	if (rc == 0 && d->at + len == d->size)
		rc = tensor_npz_end(d->file->npz);
	return rc;
}

int tensor_data_next(struct tensor_data *d, void *out, size_t len)
{
	int rc = d->place->compressed ? read_member(d, out, len) : read_plain(d, out, len);

	if (rc < 0)
		return err_prefix(rc, "%s", d->file->name);
	d->at += len;
	return 0;
}

int tensor_hash(uint64_t hash[static 2], struct tensor_file *t, const struct tensor *x)
{
	enum { PIECE = 256 * 1024 };
	XXH3_state_t *state = XXH3_createState();
	uint8_t *piece = malloc(PIECE);
	struct tensor_data d;
	XXH128_hash_t h;
	int rc = state && piece ? tensor_data_open(&d, t, x) : err_no_memory();

	if (rc == 0)
		XXH3_128bits_reset(state);
	while (rc == 0 && tensor_data_left(&d) > 0) {
		size_t n = tensor_data_left(&d) < PIECE ? tensor_data_left(&d) : PIECE;

		rc = tensor_data_next(&d, piece, n);
		if (rc == 0)
			XXH3_128bits_update(state, piece, n);
	}
	if (rc == 0) {
		h = XXH3_128bits_digest(state);
		hash[0] = h.low64;
		hash[1] = h.high64;
	}
	free(piece);
	XXH3_freeState(state);
	return rc;
}
