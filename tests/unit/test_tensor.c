/*
 * Reading model files: what is in them, and what is refused.
 */
#include "tests/unit/tensor_files.h"

/* A file of this header (and zeros) lists so. */
static void safetensors_lists(const char *header, size_t data, const char *expected)
{
	uint8_t zeros[4096] = {0};
	struct buf b = BUF_INIT;
	struct opened o;

	make_safetensors(&b, header, zeros, data);
	open_file(&o, "m.safetensors", &b);
	lists(&o, expected);
	close_file(&o);
	buf_release(&b);
}

static void npy_lists(const char *header, size_t data, const char *expected)
{
	uint8_t zeros[4096] = {0};
	struct buf b = BUF_INIT;
	struct opened o;

	make_npy(&b, header, zeros, data);
	open_file(&o, "m.npy", &b);
	lists(&o, expected);
	close_file(&o);
	buf_release(&b);
}

static void safetensors_refused(const char *header, size_t data, int code, const char *message)
{
	uint8_t zeros[4096] = {0};
	struct buf b = BUF_INIT;

	make_safetensors(&b, header, zeros, data);
	refused("m.safetensors", b.p, b.len, code, message);
	buf_release(&b);
}

static void npy_refused(const char *header, size_t data, int code, const char *message)
{
	uint8_t zeros[4096] = {0};
	struct buf b = BUF_INIT;

	make_npy(&b, header, zeros, data);
	refused("m.npy", b.p, b.len, code, message);
	buf_release(&b);
}

static void safetensors(void **state)
{
	(void)state;
	safetensors_lists("{}", 0, "");
	safetensors_lists("{}   ", 0, "");
	safetensors_lists("{\"b\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[2,26]},"
			  "\"a\":{\"dtype\":\"BF16\",\"shape\":[],\"data_offsets\":[0,2]}}",
		26, "a BF16 [] 1 2\nb F32 [2, 3] 6 24\n");
	/* empty tensors, a type that is not known, keys that are not known */
	safetensors_lists(
		"{\"e\":{\"dtype\":\"I64\",\"shape\":[0,7],\"data_offsets\":[0,0]},"
		"\"q\":{\"dtype\":\"F4\",\"shape\":[8],\"data_offsets\":[0,4],\"new\":1}}",
		4, "e I64 [0, 7] 0 0\nq F4 [8] 8 4\n");
}

static void safetensors_metadata(void **state)
{
	struct buf b = BUF_INIT;
	struct opened o;
	size_t n;
	const struct tensor_meta *meta;

	(void)state;
	put_text(&b, "{\"__metadata__\":{\"z\":\"pt\",\"a\":\"");
	for (int i = 0; i < 2000; i++)
		put_text(&b, i == 63 ? "\xc3\xa9" : "x");
	put_text(&b, "\"}}");
	{
		struct buf file = BUF_INIT;

		make_safetensors(&file, b.p, "", 0);
		open_file(&o, "m.safetensors", &file);
		buf_release(&file);
	}
	meta = tensor_metadata(o.file, &n);
	assert_int_equal(n, 2);
	assert_string_equal(meta[0].key, "a");
	assert_string_equal(meta[1].key, "z");
	assert_string_equal(meta[1].value, "pt");
	/* shortened between characters */
	assert_memory_equal(meta[0].value + 60, "xxx... (2001 bytes, hash ", 25);
	close_file(&o);
	buf_release(&b);
}

static void safetensors_damaged(void **state)
{
	(void)state;
#define A "\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}"
	refused("m.safetensors", "", 0, ERR_INVALID, "m.safetensors: no safetensors file");
	refused("m.safetensors", "\xff\0\0\0\0\0\0\0{}", 10, ERR_INVALID, "cut short");
	safetensors_refused(
		"{" A "}", 7, ERR_INVALID, "m.safetensors: a: its data end at byte 8 of 7");
	safetensors_refused("{" A "}", 9, ERR_INVALID, "1 bytes at its end");
	safetensors_refused("{" A "," A "}", 8, ERR_INVALID, "a: its data overlap");
	safetensors_refused("{" A ",\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[7,8]}}",
		8, ERR_INVALID, "b: its data overlap");
	safetensors_refused("{" A
			    ",\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[9,10]}}",
		10, ERR_INVALID, "b: its data begin behind a gap");
	safetensors_refused("{" A ",\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[8,9]}}",
		9, ERR_INVALID, "'a' is there twice");
	safetensors_refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", 8,
		ERR_INVALID, "a: 8 bytes of data, where its shape takes 12");
	safetensors_refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296,2],"
			    "\"data_offsets\":[0,0]}}",
		0, ERR_INVALID, "too many elements");
	safetensors_refused("{\"a\":{\"dtype\":\"U8\",\"shape\":[1.5],\"data_offsets\":[0,1]}}", 1,
		ERR_INVALID, "its shape is none");
	safetensors_refused("{\"a\":{\"dtype\":\"U8\",\"shape\":[-1],\"data_offsets\":[0,1]}}", 1,
		ERR_INVALID, "its shape is none");
	safetensors_refused("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,0]}}", 1,
		ERR_INVALID, "data_offsets");
	safetensors_refused(
		"{\"a\":{\"dtype\":\"U8\",\"shape\":[1]}}", 1, ERR_INVALID, "data_offsets");
	safetensors_refused("{\"a\":{\"shape\":[1]}}", 1, ERR_INVALID, "a: it has no dtype");
	safetensors_refused("{\"a\":1}", 1, ERR_INVALID, "a: it has no dtype");
	safetensors_refused("{\"__metadata__\":{\"a\":1}}", 0, ERR_INVALID, "'a' is no string");
	safetensors_refused("{\"__metadata__\":7}", 0, ERR_INVALID, "__metadata__");
	safetensors_refused("{\"a\\u0000b\":{}}", 0, ERR_INVALID, "NUL");
	safetensors_refused("{\"\xff\":{}}", 0, ERR_INVALID, "UTF-8");
	safetensors_refused("{} x", 0, ERR_INVALID, "behind the JSON");
	safetensors_refused("{\"a\":", 0, ERR_INVALID, "not JSON (at byte");
	safetensors_refused("[1]", 0, ERR_INVALID, "no JSON object");
#undef A
}

static void npy(void **state)
{
	(void)state;
	npy_lists("{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }   \n", 96,
		"array <f8 [3, 4] 12 96\n");
	npy_lists(
		"{\"shape\": (), 'fortran_order': True, 'descr': '|b1'}", 1, "array |b1 [] 1 1\n");
	npy_lists(
		"{'descr':'<U5','fortran_order':False,'shape':(2L,)}", 40, "array <U5 [2] 2 40\n");
	npy_lists("{'descr': '<M8[25s]', 'fortran_order': False, 'shape': (0,)}", 0,
		"array <M8[25s] [0] 0 0\n");
	/* Python objects are bytes of any number */
	npy_lists("{'descr': '|O', 'fortran_order': False, 'shape': (3,)}", 77,
		"array |O [3] 3 77\n");
	npy_lists("{'descr': [('x', '<f4'), (('title', 'y'), '|S3', (2, 2)), ('z', [('w', "
		  "'<i8')])], 'fortran_order': False, 'shape': (2,)}",
		48,
		"array [('x', '<f4'), (('title', 'y'), '|S3', (2, 2)), ('z', [('w', '<i8')])] [2] "
		"2 48\n");
	npy_lists("{'descr': [('x', '<f4'), ('o', '|O')], 'fortran_order': False, 'shape': (2,)}",
		50, "array [('x', '<f4'), ('o', '|O')] [2] 2 50\n");
}

static void npy_versions(void **state)
{
	struct buf b = BUF_INIT;
	const char *header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}";
	struct opened o;

	(void)state;
	for (int version = 2; version < 4; version++) {
		buf_reset(&b);
		put_text(&b, "\x93NUMPY");
		put(&b, (uint64_t)version, 2);
		put(&b, strlen(header), 4);
		put_text(&b, header);
		put(&b, 0, 4);
		open_file(&o, "m.npy", &b);
		lists(&o, "array <f4 [1] 1 4\n");
		close_file(&o);
	}
	b.p[6] = 4;
	refused("m.npy", b.p, b.len, ERR_UNSUPPORTED, "m.npy: version 4.0");
	buf_release(&b);
}

static void npy_damaged(void **state)
{
#define END ", 'fortran_order': False, 'shape': (1,)}"
	static const char *const headers[] = {"", "{", "{}", "{'descr': '<f4'" END "x",
		"{'descr': '<f4', 'descr': '<f4'" END, "{'descr': '<f4', 'more': 1" END,
		"{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}",
		"{'descr': '<f4', 'fortran_order': False, 'shape': [1]}",
		"{'descr': '<f4', 'fortran_order': False, 'shape': (1 2)}",
		"{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
		"{'descr': '<f4', 'fortran_order': False, 'shape': (1,)",
		"{'descr': [('a' '<f4')]" END, "{'descr': [('a', '<f4'" END,
		"{'descr': __import__('os')" END};

	(void)state;
	for (size_t i = 0; i < sizeof(headers) / sizeof(*headers); i++)
		npy_refused(headers[i], 4, ERR_INVALID, "m.npy: the header is not as NumPy");
	npy_refused("{'descr': '<f4, 'fortran_order': False, 'shape': (1,)}", 4, ERR_UNSUPPORTED,
		"the type '<f4, ' is not known");
	npy_refused("{'descr': '<q9'" END, 4, ERR_UNSUPPORTED, "'<q9'");
	npy_refused("{'descr': '<f99999999999'" END, 4, ERR_UNSUPPORTED, "'<f99999999999'");
	npy_refused(
		"{'descr': '<f4'" END, 3, ERR_INVALID, "3 bytes of data, where its shape takes 4");
	npy_refused("{'descr': '<f4'" END, 5, ERR_INVALID, "1 bytes behind the array");
	npy_refused("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967297)}",
		4, ERR_INVALID, "too many elements");
	npy_refused("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}", 4,
		ERR_INVALID, "too many elements");
	refused("m.npy", "\x93NUMPY\1\0\xff\xff", 10, ERR_INVALID, "cut short");
	refused("m.npy", "\x93NUM", 4, ERR_INVALID, "no .npy file");
#undef END
}

static void any_damage(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	make_safetensors(&b,
		"{\"__metadata__\":{\"k\":\"v\"},\"a\":{\"dtype\":\"F32\",\"shape\":[2],"
		"\"data_offsets\":[0,8]},\"b\":{\"dtype\":\"I8\",\"shape\":[],\"data_offsets\":[8,"
		"9]}}",
		"123456789", 9);
	survives("m.safetensors", &b, b.len);
	buf_reset(&b);
	make_npy(&b, "{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (2, 1), }",
		"12345678", 8);
	survives("m.npy", &b, b.len);
	buf_release(&b);
}

static void format_is(const char *path, const void *head, size_t len, int expected)
{
	enum tensor_format format = 0;

	assert_int_equal(tensor_format_of(path, head, len, &format), expected != 0);
	assert_int_equal(format, expected);
}

static void formats(void **state)
{
	(void)state;
	format_is("a/b.SafeTensors", NULL, 0, TENSOR_SAFETENSORS);
	format_is("b.npz", NULL, 0, TENSOR_NPZ);
	format_is("b.pth", NULL, 0, TENSOR_PICKLE);
	format_is("b.joblib", NULL, 0, TENSOR_PICKLE);
	format_is("b.csv", NULL, 0, 0);
	format_is("npy", NULL, 0, 0);
	/* content says more */
	format_is("b.bin", "GGUF\3\0\0\0", 8, TENSOR_GGUF);
	format_is("b.bin", "\x93NUMPY\1\0", 8, TENSOR_NPY);
	format_is("b", "\2\0\0\0\0\0\0\0{}", 10, TENSOR_SAFETENSORS);
	format_is("b.bin", "\x80\4\x95", 3, TENSOR_PICKLE);
	format_is("b.bin", "\x80\2}q", 4, TENSOR_PICKLE);
	format_is("b.bin", "\x80\2\0\0", 4, 0);
	format_is("b.bin",
		"PK\3\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x10\0\0\0archive/data.pkl", 46,
		TENSOR_PICKLE);
	format_is("b.zip", "PK\3\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\5\0\0\0w.npy", 35,
		TENSOR_NPZ);
	format_is(
		"b.zip", "PK\3\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\5\0\0\0w.txt", 35, 0);
	format_is("b.npy", "hello", 5, TENSOR_NPY);
}

static void refusals(void **state)
{
	(void)state;
	refused("m.pkl", "\x80\4\x95", 3, ERR_INVALID, "m.pkl: a pickle is a program");
	refused("m.pkl", "", 0, ERR_INVALID, "save the tensors as safetensors");
	assert_int_equal(tensor_check_path("models/m.PKL"), ERR_INVALID);
	assert_memory_equal(err_msg(), "models/m.PKL: a pickle is", 25);
	assert_int_equal(tensor_check_path("m.npz"), 0);
	assert_int_equal(tensor_check_path("m.txt"), 0);
	refused("m.bin", "hello", 5, ERR_INVALID, "no model file");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(safetensors),
		cmocka_unit_test(safetensors_metadata),
		cmocka_unit_test(safetensors_damaged),
		cmocka_unit_test(npy),
		cmocka_unit_test(npy_versions),
		cmocka_unit_test(npy_damaged),
		cmocka_unit_test(any_damage),
		cmocka_unit_test(formats),
		cmocka_unit_test(refusals),
	};

	return cmocka_run_group_tests_name("tensor", tests, NULL, NULL);
}
