/*
 * Model files for the tests of lib/tensor, made in memory; opened by way of unnamed files.
 */
#ifndef TESTS_UNIT_TENSOR_FILES_H
#define TESTS_UNIT_TENSOR_FILES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include <zlib.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/tensor/tensor.h"

static inline int memory_file(const void *data, size_t len)
{
	int fd = memfd_create("model", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(fs_write_full(fd, data, len), 0);
	return fd;
}

/* A model file and the descriptor below it. */
struct opened {
	struct tensor_file *file;
	int fd;
};

static inline int try_open(struct opened *o, const char *name, const void *data, size_t len)
{
	*o = (struct opened){.fd = memory_file(data, len)};
	return tensor_open(&o->file, name, o->fd, len);
}

static inline void close_file(struct opened *o)
{
	tensor_close(o->file);
	close(o->fd);
}

static inline void open_file(struct opened *o, const char *name, const struct buf *b)
{
	int rc = try_open(o, name, b->p, b->len);

	if (rc < 0)
		print_error("%s\n", err_msg());
	assert_int_equal(rc, 0);
}

/* It is refused, with this in the message. */
__attribute__((unused)) static void refused(
	const char *name, const void *data, size_t len, int code, const char *message)
{
	struct opened o;

	assert_int_equal(try_open(&o, name, data, len), code);
	if (!strstr(err_msg(), message))
		print_error("'%s' is not in '%s'\n", message, err_msg());
	assert_non_null(strstr(err_msg(), message));
	assert_null(o.file);
	close_file(&o);
}

/* --- little-endian numbers --- */

__attribute__((unused)) static void put(struct buf *b, uint64_t value, size_t len)
{
	assert_int_equal(buf_add(b, &value, len), 0);
}

__attribute__((unused)) static void put_text(struct buf *b, const char *text)
{
	assert_int_equal(buf_addstr(b, text), 0);
}

/* --- formats --- */

__attribute__((unused)) static void make_safetensors(
	struct buf *b, const char *header, const void *data, size_t len)
{
	put(b, strlen(header), 8);
	put_text(b, header);
	assert_int_equal(buf_add(b, data, len), 0);
}

__attribute__((unused)) static void make_npy(
	struct buf *b, const char *header, const void *data, size_t len)
{
	assert_int_equal(buf_add(b, "\x93NUMPY\x01\0", 8), 0);
	put(b, strlen(header), 2);
	put_text(b, header);
	assert_int_equal(buf_add(b, data, len), 0);
}

/* A zip archive, member by member. */
struct zip {
	struct buf file, directory;
	unsigned n;
};

/* `method` 0 stores, 8 deflates. */
__attribute__((unused)) static void zip_add(
	struct zip *z, const char *name, unsigned method, const void *data, size_t len)
{
	static uint8_t packed[1 << 20];
	z_stream s = {.next_in = (Bytef *)(uintptr_t)data, .avail_in = (uInt)len};
	size_t at = z->file.len, size = len;
	struct buf common = BUF_INIT;

	if (method == 8) {
		s.next_out = packed;
		s.avail_out = sizeof packed;
		assert_int_equal(
			deflateInit2(&s, 9, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY), Z_OK);
		assert_int_equal(deflate(&s, Z_FINISH), Z_STREAM_END);
		size = s.total_out;
		deflateEnd(&s);
	}
	put(&common, 20, 2);
	put(&common, 0, 2);
	put(&common, method, 2);
	put(&common, 0, 4);
	put(&common, crc32(0, data, (uInt)len), 4);
	put(&common, size, 4);
	put(&common, len, 4);
	put(&common, strlen(name), 2);
	put(&common, 0, 2);
	put_text(&z->file, "PK\3\4");
	assert_int_equal(buf_add(&z->file, common.p, common.len), 0);
	put_text(&z->file, name);
	assert_int_equal(buf_add(&z->file, method == 8 ? packed : data, size), 0);
	put_text(&z->directory, "PK\1\2");
	put(&z->directory, 20, 2);
	assert_int_equal(buf_add(&z->directory, common.p, common.len), 0);
	put(&z->directory, 0, 8);
	put(&z->directory, 0, 2);
	put(&z->directory, at, 4);
	put_text(&z->directory, name);
	z->n++;
	buf_release(&common);
}

/* The archive is in z->file then. */
__attribute__((unused)) static void zip_end(struct zip *z)
{
	size_t at = z->file.len;

	assert_int_equal(buf_add(&z->file, buf_str(&z->directory), z->directory.len), 0);
	put_text(&z->file, "PK\5\6");
	put(&z->file, 0, 4);
	put(&z->file, z->n, 2);
	put(&z->file, z->n, 2);
	put(&z->file, z->directory.len, 4);
	put(&z->file, at, 4);
	put(&z->file, 0, 2);
	buf_release(&z->directory);
}

/* GGUF: strings have their length in front. */
__attribute__((unused)) static void put_string(struct buf *b, const char *text)
{
	put(b, strlen(text), 8);
	put_text(b, text);
}

__attribute__((unused)) static void make_gguf(
	struct buf *b, unsigned version, unsigned tensors, unsigned pairs)
{
	put_text(b, "GGUF");
	put(b, version, 4);
	put(b, tensors, 8);
	put(b, pairs, 8);
}

/* Of one dimension. */
__attribute__((unused)) static void put_tensor(
	struct buf *b, const char *name, uint64_t elements, unsigned type, uint64_t offset)
{
	put_string(b, name);
	put(b, 1, 4);
	put(b, elements, 8);
	put(b, type, 4);
	put(b, offset, 8);
}

__attribute__((unused)) static void put_padding(struct buf *b, size_t alignment)
{
	while (b->len % alignment)
		put(b, 0, 1);
}

/* Its tensors, one a line. */
__attribute__((unused)) static void lists(const struct opened *o, const char *expected)
{
	struct buf out = BUF_INIT;
	size_t n;
	const struct tensor *v = tensor_list(o->file, &n);

	for (size_t i = 0; i < n; i++) {
		put_text(&out, v[i].name);
		put_text(&out, " ");
		put_text(&out, v[i].dtype);
		put_text(&out, " ");
		assert_int_equal(tensor_shape_format(&out, &v[i]), 0);
		assert_int_equal(buf_addf(&out, " %llu %llu\n", (unsigned long long)v[i].elements,
					 (unsigned long long)v[i].bytes),
			0);
	}
	assert_string_equal(buf_str(&out), expected);
	buf_release(&out);
}

/* Cut anywhere, or with any byte of its header another one, a file is read or refused, and what was
 * read can be hashed. */
__attribute__((unused)) static void survives(const char *name, const struct buf *b, size_t header)
{
	struct buf copy = BUF_INIT;

	assert_int_equal(buf_add(&copy, b->p, b->len), 0);
	for (size_t len = 0; len < b->len; len++) {
		struct opened o;

		assert_true(try_open(&o, name, b->p, len) < 0);
		assert_memory_equal(err_msg(), name, strlen(name));
		close_file(&o);
	}
	for (size_t at = 0; at < header * 8; at++) {
		struct opened o;
		size_t n = 0;
		const struct tensor *v;
		uint64_t hash[2];

		copy.p[at / 8] ^= (char)(1 << at % 8);
		if (try_open(&o, name, copy.p, copy.len) == 0) {
			v = tensor_list(o.file, &n);
			for (size_t i = 0; i < n; i++)
				tensor_hash(hash, o.file, &v[i]);
		} else {
			assert_memory_equal(err_msg(), name, strlen(name));
		}
		close_file(&o);
		copy.p[at / 8] ^= (char)(1 << at % 8);
	}
	buf_release(&copy);
}

#endif
