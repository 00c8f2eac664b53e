/*
 * An open model file: which format it is, and the list of tensors and metadata that the readers of
 * the formats (tensor_safetensors.c, tensor_npy.c, tensor_npz.c, tensor_gguf.c) fill.  Data are
 * read later, by tensor_data.c, for the tensors that are compared.
 */
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/tensor/tensor_internal.h"

enum { HEAD_LEN = 512, META_TEXT_MAX = 1024, SHORT_TEXT = 64 };

/* --- what the readers fill ---------------------------------------------------------------------
 */

const char *tensor_keep(struct tensor_file *t, const char *text, size_t len)
{
	const char *kept = pathpool_keep(&t->strings, text, len);

	if (!kept)
		err_no_memory();
	return kept;
}

/* "<len> bytes, hash <16 digits>": how long values are told apart. */
static int add_hash(struct buf *out, uint64_t len, uint64_t hash)
{
	return buf_addf(
		out, "%llu bytes, hash %016llx", (unsigned long long)len, (unsigned long long)hash);
}

const char *tensor_keep_short(struct tensor_file *t, const char *text, size_t len)
{
	struct buf b = BUF_INIT;
	const char *kept = NULL;
	size_t cut = SHORT_TEXT;

	if (len <= META_TEXT_MAX)
		return tensor_keep(t, text, len);
	while (cut > 0 && ((unsigned char)text[cut] & 0xc0) == 0x80) /* not inside a character */
		cut--;
	if (buf_add(&b, text, cut) == 0 && buf_addstr(&b, "... (") == 0 &&
		add_hash(&b, len, XXH3_64bits(text, len)) == 0 && buf_addch(&b, ')') == 0)
		kept = tensor_keep(t, b.p, b.len);
	buf_release(&b);
	return kept;
}

int tensor_add(struct tensor_file *t, const struct tensor *x, const struct tensor_place *place)
{
	if (t->n == TENSORS_MAX)
		return err_set(ERR_LIMIT, "more than %d tensors", TENSORS_MAX);
	if (array_room(&t->v, t->n, &t->cap, sizeof(*t->v)) < 0 ||
		array_room(&t->places, t->n, &t->places_cap, sizeof(*t->places)) < 0)
		return ERR_NOMEM;
	t->v[t->n] = *x;
	t->v[t->n].place = t->n;
	t->places[t->n++] = *place;
	return 0;
}

int tensor_add_meta(struct tensor_file *t, const char *key, const char *value)
{
	if (t->n_meta == TENSOR_META_MAX)
		return err_set(ERR_LIMIT, "more than %d pieces of metadata", TENSOR_META_MAX);
	if (array_room(&t->meta, t->n_meta, &t->meta_cap, sizeof(*t->meta)) < 0)
		return ERR_NOMEM;
	t->meta[t->n_meta++] = (struct tensor_meta){key, value};
	return 0;
}

int tensor_measure(struct tensor *x, const struct tensor_type *type)
{
	x->elements = 1;
	for (unsigned i = 0; i < x->n_dims; i++)
		if (__builtin_mul_overflow(x->elements, x->shape[i], &x->elements))
			return err_set(ERR_INVALID, "%s: its shape has too many elements", x->name);
	if (type->unit == 0)
		return 0;
	if (x->elements % type->unit_elements != 0)
		return err_set(ERR_INVALID, "%s: its shape is no whole number of %s's blocks of %u",
			x->name, x->dtype, (unsigned)type->unit_elements);
	if (__builtin_mul_overflow(x->elements / type->unit_elements, type->unit, &x->bytes))
		return err_set(ERR_INVALID, "%s: its shape has too many elements", x->name);
	return 0;
}

const struct tensor_place *tensor_place(const struct tensor_file *t, const struct tensor *x)
{
	return &t->places[x->place];
}

/* --- opening -----------------------------------------------------------------------------------
 */

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct tensor *)a)->name, ((const struct tensor *)b)->name);
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct tensor_meta *)a)->key, ((const struct tensor_meta *)b)->key);
}

static int sort(struct tensor_file *t)
{
	if (t->n > 0)
		qsort(t->v, t->n, sizeof(*t->v), by_name);
	if (t->n_meta > 0)
		qsort(t->meta, t->n_meta, sizeof(*t->meta), by_key);
	for (size_t i = 1; i < t->n; i++)
		if (strcmp(t->v[i - 1].name, t->v[i].name) == 0)
			return err_set(ERR_INVALID, "tensor '%s' is there twice", t->v[i].name);
	for (size_t i = 1; i < t->n_meta; i++)
		if (strcmp(t->meta[i - 1].key, t->meta[i].key) == 0)
			return err_set(
				ERR_INVALID, "metadata '%s' are there twice", t->meta[i].key);
	return 0;
}

static int refuse_pickle(void)
{
	return err_set(ERR_INVALID,
		"a pickle is a program that runs when it is opened, so it is compared as a whole "
		"only; save the tensors as safetensors (safetensors.torch.save_file) or .npz "
		"(numpy.savez) to see which changed");
}

int tensor_check_path(const char *path)
{
	enum tensor_format format;

	if (!tensor_format_of(path, NULL, 0, &format) || format != TENSOR_PICKLE)
		return 0;
	return err_prefix(refuse_pickle(), "%s", path);
}

static int read_header(struct tensor_file *t)
{
	switch (t->format) {
	case TENSOR_SAFETENSORS:
		return tensor_safetensors_read(t);
	case TENSOR_NPY:
		return tensor_npy_read(t);
	case TENSOR_NPZ:
		return tensor_npz_read(t);
	case TENSOR_GGUF:
		return tensor_gguf_read(t);
	case TENSOR_PICKLE:
		break;
	}
	return refuse_pickle();
}

static int identify(struct tensor_file *t)
{
	uint8_t head[HEAD_LEN];
	ssize_t n = fs_pread_full(t->fd, head, sizeof head, 0);

	if (n < 0)
		return (int)n;
	if (!tensor_format_of(t->name, head, (size_t)n, &t->format))
		return err_set(ERR_INVALID,
			"no model file that is known here (safetensors, .npy, .npz, GGUF)");
	return 0;
}

int tensor_open(struct tensor_file **out, const char *name, int fd, uint64_t size)
{
	struct tensor_file *t = calloc(1, sizeof(*t));
	int rc = 0;

	if (!t)
		return err_no_memory();
	t->fd = fd;
	t->size = size;
	t->name = strdup(name);
	if (!t->name)
		rc = err_no_memory();
	if (rc == 0)
		rc = identify(t);
	if (rc == 0)
		rc = read_header(t);
	if (rc == 0)
		rc = sort(t);
	if (rc < 0) {
		tensor_close(t);
		return err_prefix(rc, "%s", name);
	}
	*out = t;
	return 0;
}

void tensor_close(struct tensor_file *t)
{
	if (!t)
		return;
	tensor_npz_free(t->npz);
	pathpool_free(&t->strings);
	free(t->v);
	free(t->places);
	free(t->meta);
	free(t->name);
	free(t);
}

const struct tensor *tensor_list(const struct tensor_file *t, size_t *n)
{
	*n = t->n;
	return t->v;
}

const struct tensor_meta *tensor_metadata(const struct tensor_file *t, size_t *n)
{
	*n = t->n_meta;
	return t->meta;
}

int tensor_shape_format(struct buf *out, const struct tensor *t)
{
	int rc = buf_addch(out, '[');

	for (unsigned i = 0; rc == 0 && i < t->n_dims; i++)
		rc = buf_addf(out, "%s%llu", i ? ", " : "", (unsigned long long)t->shape[i]);
	return rc == 0 ? buf_addch(out, ']') : rc;
}
