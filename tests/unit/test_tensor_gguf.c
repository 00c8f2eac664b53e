/*
 * Reading GGUF: metadata, tensors, and what is refused.
 */
#include "tests/unit/tensor_files.h"

/* One of each kind of metadata. */
static void put_pairs(struct buf *b)
{
	static const struct {
		unsigned type;
		uint64_t bits;
		size_t size;
	} v[] = {{0, 200, 1}, {1, 200, 1}, {2, 65535, 2}, {3, 65535, 2}, {4, 4294967295, 4},
		{5, 4294967295, 4}, {6, 0x3dcccccd, 4}, {7, 1, 1}, {10, UINT64_MAX, 8},
		{11, UINT64_MAX, 8}, {12, 0x3fb999999999999a, 8}};

	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++) {
		char key[] = "k.a";

		key[2] = (char)('a' + i);
		put_string(b, key);
		put(b, v[i].type, 4);
		put(b, v[i].bits, v[i].size);
	}
	put_string(b, "list");
	put(b, 9, 4);
	put(b, 5, 4);
	put(b, 3, 8);
	put(b, 1, 4);
	put(b, 2, 4);
	put(b, 3, 4);
	put_string(b, "nested");
	put(b, 9, 4);
	put(b, 9, 4);
	put(b, 1, 8);
	put(b, 8, 4);
	put(b, 2, 8);
	put_string(b, "x");
	put_string(b, "y");
	put_string(b, "words");
	put(b, 9, 4);
	put(b, 8, 4);
	put(b, 9, 8);
	for (int i = 0; i < 9; i++)
		put_string(b, "word");
	put_string(b, "name");
	put(b, 8, 4);
	put_string(b, "tiny");
}

static void metadata_are(const struct opened *o, const char *expected)
{
	struct buf out = BUF_INIT;
	size_t n;
	const struct tensor_meta *v = tensor_metadata(o->file, &n);

	for (size_t i = 0; i < n; i++)
		assert_int_equal(buf_addf(&out, "%s=%s\n", v[i].key, v[i].value), 0);
	assert_string_equal(buf_str(&out), expected);
	buf_release(&out);
}

static void gguf(void **state)
{
	struct buf b = BUF_INIT;
	struct opened o;

	(void)state;
	for (unsigned version = 2; version < 4; version++) {
		buf_reset(&b);
		make_gguf(&b, version, 3, 15);
		put_pairs(&b);
		put_tensor(&b, "w", 64, 2, 32);
		put_tensor(&b, "b", 3, 0, 0);
		put_tensor(&b, "q", 7, 99, 96);
		put_padding(&b, 32);
		for (int i = 0; i < 100; i++)
			put(&b, 0, 1);
		open_file(&o, "m.gguf", &b);
		lists(&o, "b F32 [3] 3 12\nq type 99 [7] 7 4\nw Q4_0 [64] 64 36\n");
		metadata_are(&o,
			"k.a=200\nk.b=-56\nk.c=65535\nk.d=-1\nk.e=4294967295\nk.f=-1\nk.g=0.1\n"
			"k.h=true\nk.i=18446744073709551615\nk.j=-1\nk.k=0.1\n"
			"list=[1, 2, 3]\nname=tiny\nnested=[[x, y]]\n"
			"words=[string; 9] hash 603016e0a227a65d\n");
		close_file(&o);
	}
	buf_release(&b);
}

static void gguf_alignment(void **state)
{
	struct buf b = BUF_INIT;
	struct opened o;

	(void)state;
	make_gguf(&b, 3, 2, 1);
	put_string(&b, "general.alignment");
	put(&b, 4, 4);
	put(&b, 8, 4);
	put_tensor(&b, "a", 2, 0, 0);
	put_tensor(&b, "b", 2, 0, 8);
	put_padding(&b, 8);
	put(&b, 0, 8);
	put(&b, 0, 8);
	open_file(&o, "m.gguf", &b);
	lists(&o, "a F32 [2] 2 8\nb F32 [2] 2 8\n");
	close_file(&o);
	buf_release(&b);
}

/* A file of two tensors, at these offsets, of 32 bytes each. */
static void gguf_of_two(struct buf *b, uint64_t first, uint64_t second)
{
	buf_reset(b);
	make_gguf(b, 3, 2, 0);
	put_tensor(b, "a", 8, 0, first);
	put_tensor(b, "b", 8, 0, second);
	put_padding(b, 32);
	for (int i = 0; i < 8; i++)
		put(b, 0, 8);
}

static void gguf_damaged(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	refused("m.gguf", "GGUF", 4, ERR_INVALID, "m.gguf: its header says more");
	refused("m.gguf", "hello, hello", 12, ERR_INVALID, "m.gguf: no GGUF file");
	refused("m.gguf", "GGUF\4\0\0\0", 8, ERR_UNSUPPORTED, "version 4");
	refused("m.gguf", "GGUF\1\0\0\0", 8, ERR_UNSUPPORTED, "version 1");
	refused("m.gguf", "GGUF\0\0\0\3", 8, ERR_UNSUPPORTED, "big-endian");
	gguf_of_two(&b, 0, 0);
	refused("m.gguf", b.p, b.len, ERR_INVALID, "a: its data overlap");
	gguf_of_two(&b, 0, 33);
	refused("m.gguf", b.p, b.len, ERR_INVALID, "not aligned");
	gguf_of_two(&b, 0, 64);
	refused("m.gguf", b.p, b.len, ERR_INVALID, "b: its data begin behind the file");
	gguf_of_two(&b, 0, UINT64_MAX - 31);
	refused("m.gguf", b.p, b.len, ERR_INVALID, "b: its data end behind the file");
	gguf_of_two(&b, 0, 32);
	refused("m.gguf", b.p, b.len - 1, ERR_INVALID, "b: its data end behind the file");
	b.p[8] = 3;
	refused("m.gguf", b.p, b.len, ERR_INVALID, "damaged");
	b.p[15] = 127;
	refused("m.gguf", b.p, b.len, ERR_INVALID, "damaged");
	buf_reset(&b);
	make_gguf(&b, 3, 0, 1);
	put_string(&b, "k");
	put(&b, 9, 4);
	put(&b, 8, 4);
	put(&b, UINT64_MAX, 8);
	refused("m.gguf", b.p, b.len, ERR_INVALID, "metadata 'k': its header says more");
	b.p[b.len - 12] = 13;
	refused("m.gguf", b.p, b.len, ERR_UNSUPPORTED, "kind of metadata that is not known");
	buf_reset(&b);
	make_gguf(&b, 3, 1, 0);
	put_tensor(&b, "a", 33, 2, 0);
	refused("m.gguf", b.p, b.len, ERR_INVALID, "no whole number of Q4_0's blocks");
	buf_release(&b);
}

static void any_damage(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	make_gguf(&b, 3, 3, 15);
	put_pairs(&b);
	put_tensor(&b, "w", 64, 2, 64);
	put_tensor(&b, "b", 3, 0, 32);
	put_tensor(&b, "q", 7, 99, 0);
	put_padding(&b, 32);
	for (int i = 0; i < 100; i++)
		put(&b, 0, 1);
	survives("m.gguf", &b, b.len);
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gguf),
		cmocka_unit_test(gguf_alignment),
		cmocka_unit_test(gguf_damaged),
		cmocka_unit_test(any_damage),
	};

	return cmocka_run_group_tests_name("tensor_gguf", tests, NULL, NULL);
}
