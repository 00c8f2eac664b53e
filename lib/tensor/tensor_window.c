/*
 * A window onto the header of a file, read with few calls in order; little-endian.
 */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "lib/tensor/tensor_window.h"

#include <endian.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/tensor/tensor.h"

uint64_t tensor_window_left(const struct tensor_window *w)
{
	return w->size - w->start - w->at;
}

int tensor_window_ends(const struct tensor_window *w)
{
	return w->size == TENSOR_HEADER_MAX
		       ? err_set(ERR_LIMIT, "a header of more than %d MiB", TENSOR_HEADER_MAX >> 20)
		       : err_set(ERR_INVALID,
				 "its header says more than the file has; it is damaged, "
				 "or was cut short");
}

int tensor_window_hash(struct tensor_window *w)
{
	w->hash = XXH3_createState();
	if (!w->hash)
		return err_no_memory();
	XXH3_64bits_reset(w->hash);
	return 0;
}

uint64_t tensor_window_hashed(struct tensor_window *w)
{
	uint64_t hash = w->hash ? XXH3_64bits_digest(w->hash) : 0;

	XXH3_freeState(w->hash);
	w->hash = NULL;
	return hash;
}

/* Make at least one byte available. */
static int fill(struct tensor_window *w)
{
	ssize_t n;

	if (w->at < w->len)
		return 0;
	w->start += w->len;
	w->at = w->len = 0;
	n = fs_pread_full(w->fd, w->bytes,
		w->size - w->start < TENSOR_WINDOW ? w->size - w->start : TENSOR_WINDOW, w->start);
	if (n < 0)
		return (int)n;
	w->len = (size_t)n;
	return n > 0 ? 0 : tensor_window_ends(w);
}

/* Step over up to `len` bytes of the window, which are at *p. */
static int step(struct tensor_window *w, const uint8_t **p, uint64_t *n, uint64_t len)
{
	int rc = fill(w);

	if (rc < 0)
		return rc;
	*p = w->bytes + w->at;
	*n = w->len - w->at < len ? w->len - w->at : len;
	w->at += *n;
	if (w->hash)
		XXH3_64bits_update(w->hash, *p, *n);
	return 0;
}

int tensor_window_get(struct tensor_window *w, void *out, size_t len)
{
	uint8_t *to = out;
	const uint8_t *p;

	for (uint64_t n; len > 0; to += n, len -= n) {
		int rc = step(w, &p, &n, len);

		if (rc < 0)
			return rc;
		memcpy(to, p, n);
	}
	return 0;
}

int tensor_window_u32(struct tensor_window *w, uint32_t *out)
{
	int rc = tensor_window_get(w, out, sizeof(*out));

	*out = le32toh(*out);
	return rc;
}

int tensor_window_u64(struct tensor_window *w, uint64_t *out)
{
	int rc = tensor_window_get(w, out, sizeof(*out));

	*out = le64toh(*out);
	return rc;
}

int tensor_window_skip(struct tensor_window *w, uint64_t len)
{
	const uint8_t *p;

	if (len > tensor_window_left(w))
		return tensor_window_ends(w);
	for (uint64_t n; len > 0; len -= n) {
		int rc = step(w, &p, &n, len);

		if (rc < 0)
			return rc;
	}
	return 0;
}

int tensor_window_string(struct tensor_window *w, struct buf *out, size_t most)
{
	uint64_t len;
	int rc = tensor_window_u64(w, &len);

	if (rc < 0)
		return rc;
	if (len > tensor_window_left(w))
		return tensor_window_ends(w);
	if (len > most)
		return err_set(ERR_LIMIT, "a string of more than %zu bytes in the header", most);
	rc = buf_grow(out, len + 1);
	if (rc == 0)
		rc = tensor_window_get(w, out->p + out->len, len);
	if (rc < 0)
		return rc;
	out->len += len;
	out->p[out->len] = '\0';
	return 0;
}
