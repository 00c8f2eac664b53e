/*
 * Any bytes as a model file, of whichever format they are taken for: what is read lies within the
 * file, can be hashed, and compared with itself is the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/tensor/tensordiff.h"

enum { HEAD_LEN = 512 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

/* Of whatever is in the file there is not more than can be: of deflated data some 1,032 times as
 * much. */
static void check(const struct tensor_file *t, enum tensor_format format, size_t size)
{
	struct buf text = BUF_INIT;
	size_t n, n_meta;
	const struct tensor *v = tensor_list(t, &n);
	const struct tensor_meta *meta = tensor_metadata(t, &n_meta);
	uint64_t total = 0;

	for (size_t i = 0; i < n; i++) {
		require(i == 0 || strcmp(v[i - 1].name, v[i].name) < 0);
		require(v[i].n_dims <= TENSOR_DIMS_MAX && v[i].dtype != NULL);
		require(tensor_shape_format(&text, &v[i]) == 0);
		require(!__builtin_add_overflow(total, v[i].bytes, &total));
	}
	require(total <= (format == TENSOR_NPZ ? 1100 : 1) * (uint64_t)size);
	for (size_t i = 0; i < n_meta; i++)
		require(i == 0 || strcmp(meta[i - 1].key, meta[i].key) < 0);
	buf_release(&text);
}

/* The same file twice. */
static void compare(struct tensor_file *a, struct tensor_file *b)
{
	struct tensordiff d;
	size_t n;

	tensor_list(a, &n);
	if (tensordiff_run(&d, a, b, NULL) == 0)
		require(d.n == 0 && d.n_meta == 0 && d.same == n);
	tensordiff_release(&d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {"a.safetensors", "a.npy", "a.npz", "a.gguf"};
	int fd = memfd_create("model", MFD_CLOEXEC);

	require(fd >= 0 && fs_write_full(fd, data, size) == 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct tensor_file *a = NULL, *b = NULL;
		enum tensor_format format;

		require(tensor_format_of(
			names[i], data, size < HEAD_LEN ? size : HEAD_LEN, &format));
		if (tensor_open(&a, names[i], fd, size) == 0) {
			check(a, format, size);
			require(tensor_open(&b, names[i], fd, size) == 0);
			compare(a, b);
		} else {
			require(strncmp(err_msg(), names[i], strlen(names[i])) == 0);
		}
		tensor_close(a);
		tensor_close(b);
	}
	close(fd);
	return 0;
}
