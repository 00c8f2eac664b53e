/*
 * Which tensors differ, and by how much.
 */
#include "tests/unit/tensor_pair.h"

#define T(name, shape, from, to)                                                                   \
	"\"" name "\":{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":[" from "," to "]}"

static void kinds(void **state)
{
	const float old[] = {1, 2, 3, 4, 5, 6, 7, 8, 9}, now[] = {1, 2, 3, 4, 5, 6.5F, 7, 8, 10};
	struct buf a = BUF_INIT, b = BUF_INIT;
	struct pair p;

	(void)state;
	make_safetensors(&a,
		"{\"__metadata__\":{\"epoch\":\"3\",\"gone\":\"x\",\"same\":\"s\"}," T(
			"same", "[2]", "0", "8") "," T("moved", "[2]", "8", "16") "," T("changed",
			"[2]", "16", "24") "," T("shape", "[2]", "24", "32") "," T("gone", "[1]",
			"32", "36") "}",
		old, sizeof old);
	make_safetensors(&b,
		"{\"__metadata__\":{\"epoch\":\"4\",\"new\":\"y\",\"same\":\"s\"}," T(
			"same", "[2]", "0", "8") "," T("moved.away", "[2]", "8",
			"16") "," T("changed", "[2]", "16", "24") "," T("shape", "[1,2]", "24",
			"32") "," T("new", "[1]", "32", "36") "}",
		now, sizeof now);
	pair_of(&p, "m.safetensors", &a, &b);
	changes_are(&p, "+new -gone >moved.away=moved !shape ~changed ");
	assert_int_equal(p.diff.same, 1);
	for (int i = 0; i < TENSORDIFF_KINDS; i++)
		assert_int_equal(p.diff.count[i], 1);
	assert_int_equal(p.diff.n_meta, 3);
	assert_string_equal(p.diff.meta[0].key, "epoch");
	assert_string_equal(p.diff.meta[0].old, "3");
	assert_string_equal(p.diff.meta[0].now, "4");
	assert_string_equal(p.diff.meta[1].key, "gone");
	assert_null(p.diff.meta[1].now);
	assert_string_equal(p.diff.meta[2].key, "new");
	assert_null(p.diff.meta[2].old);
	assert_true(p.diff.v[4].has_norms);
	assert_int_equal(p.diff.v[4].elements_changed, 1);
	near(p.diff.v[4].norm_old, sqrt(61));
	near(p.diff.v[4].norm_now, sqrt(25 + 6.5 * 6.5));
	near(p.diff.v[4].norm_diff, 0.5);
	near(p.diff.v[4].max_diff, 0.5);
	pair_release(&p);
	buf_release(&a);
	buf_release(&b);
}

/* Alike ones are paired one to one, by name; one that still has its name is not renamed. */
static void renamed(void **state)
{
	const float v[] = {1, 1, 1, 1};
	struct buf a = BUF_INIT, b = BUF_INIT;
	struct pair p;

	(void)state;
	make_safetensors(&a,
		"{" T("a", "[1]", "0", "4") "," T("b", "[1]", "4", "8") "," T(
			"c", "[1]", "8", "12") "}",
		v, 12);
	make_safetensors(&b,
		"{" T("c", "[1]", "0", "4") "," T("x", "[1]", "4", "8") "," T(
			"y", "[1]", "8", "12") "," T("z", "[1]", "12", "16") "}",
		v, 16);
	pair_of(&p, "m.safetensors", &a, &b);
	changes_are(&p, "+z >x=a >y=b ");
	pair_release(&p);
	buf_release(&a);
	buf_release(&b);
}

static void same(void **state)
{
	const double v[] = {1, NAN, -0.0};
	struct pair p;

	(void)state;
	npy_pair(&p, "<f8", v, "<f8", v, 3, 8, 8);
	changes_are(&p, "");
	assert_int_equal(p.diff.same, 1);
	pair_release(&p);
}

/* What is no number has elements, but no norms. */
static void no_numbers(void **state)
{
	struct pair p;

	(void)state;
	npy_pair(&p, "|S3", "abcdef", "|S3", "abcdeg", 2, 3, 3);
	changes_are(&p, "~array ");
	assert_false(p.diff.v->has_norms);
	assert_int_equal(p.diff.v->elements_changed, 1);
	pair_release(&p);
	npy_pair(&p, "|O", "abcdef", "|O", "abcdeg", 2, 3, 3);
	changes_are(&p, "~array ");
	assert_int_equal(p.diff.v->elements_changed, 0);
	pair_release(&p);
	npy_pair(&p, "|S3", "abcdef", "|S2", "abde", 2, 3, 2);
	changes_are(&p, "!array ");
	pair_release(&p);
}

/* Another type of the same shape: how much was lost. */
static void converted(void **state)
{
	const float old[] = {1, 0.1F, NAN};
	const double now[] = {1, 0.1, NAN};
	const uint32_t big_endian[] = {0x0000803f, 0xcdcccc3d, 0x0000c07f};
	struct pair p;

	(void)state;
	npy_pair(&p, "<f4", old, "<f8", now, 3, 4, 8);
	changes_are(&p, "!array ");
	assert_true(p.diff.v->has_norms);
	assert_int_equal(p.diff.v->elements_changed, 1);
	near(p.diff.v->max_diff, fabs((double)0.1F - 0.1));
	pair_release(&p);
	/* the same numbers in another byte order are the same */
	npy_pair(&p, "<f4", old, ">f4", big_endian, 3, 4, 4);
	changes_are(&p, "");
	assert_int_equal(p.diff.same, 1);
	pair_release(&p);
}

/* Rows first against columns first: what differs is found all the same. */
static void orders(void **state)
{
	const int16_t rows[2][3][2] = {{{0, 1}, {2, 3}, {4, 5}}, {{6, 7}, {8, 9}, {10, 11}}};
	int16_t columns[2][3][2];
	struct buf a = BUF_INIT, b = BUF_INIT;
	struct pair p;

	(void)state;
	for (int i = 0; i < 2; i++)
		for (int j = 0; j < 3; j++)
			for (int k = 0; k < 2; k++)
				((int16_t *)columns)[i + 2 * (j + 3 * k)] = rows[i][j][k];
	make_npy(&a, "{'descr': '<i2', 'fortran_order': False, 'shape': (2, 3, 2)}", rows,
		sizeof rows);
	make_npy(&b, "{'descr': '<i2', 'fortran_order': True, 'shape': (2, 3, 2)}", columns,
		sizeof columns);
	pair_of(&p, "m.npy", &a, &b);
	changes_are(&p, "");
	pair_release(&p);
	pair_of(&p, "m.npy", &b, &a);
	changes_are(&p, "");
	pair_release(&p);
	b.p[b.len - 2] = 100; /* 11 */
	pair_of(&p, "m.npy", &b, &a);
	changes_are(&p, "~array ");
	assert_int_equal(p.diff.v->elements_changed, 1);
	near(p.diff.v->max_diff, 89);
	pair_release(&p);
	buf_release(&a);
	buf_release(&b);
}

/* The same and other members, stored and deflated, many pieces long. */
static void archives(void **state)
{
	enum { N = 200000 };
	static float v[N];
	struct buf array = BUF_INIT, other = BUF_INIT;
	struct zip a = {.n = 0}, b = {.n = 0};
	struct pair p;
	const char *header = "{'descr': '<f4', 'fortran_order': False, 'shape': (200000,), }\n";

	(void)state;
	for (size_t i = 0; i < N; i++)
		v[i] = (float)(i % 1000);
	make_npy(&array, header, v, sizeof v);
	v[N - 1] += 1;
	make_npy(&other, header, v, sizeof v);
	zip_add(&a, "same.npy", 8, array.p, array.len);
	zip_add(&a, "x.npy", 8, array.p, array.len);
	zip_add(&a, "y.npy", 0, array.p, array.len);
	zip_end(&a);
	zip_add(&b, "x.npy", 8, other.p, other.len);
	zip_add(&b, "y.npy", 8, array.p, array.len);
	zip_add(&b, "same.npy", 0, array.p, array.len);
	zip_end(&b);
	pair_of(&p, "m.npz", &a.file, &b.file);
	changes_are(&p, "~x ");
	assert_int_equal(p.diff.same, 2);
	assert_int_equal(p.diff.v->elements_changed, 1);
	near(p.diff.v->norm_diff, 1);
	pair_release(&p);
	/* the checksum of what is read to its end */
	b.file.p[14] ^= 1;
	b.file.p[b.file.len - 22 - 3 * 46 - 5 - 5 - 8 + 16] ^= 1;
	open_file(&p.old, "old.npz", &a.file);
	open_file(&p.now, "now.npz", &b.file);
	assert_int_equal(tensordiff_run(&p.diff, p.old.file, p.now.file, NULL), ERR_INVALID);
	assert_non_null(strstr(err_msg(), "now.npz: the archive is damaged"));
	pair_release(&p);
	buf_release(&a.file);
	buf_release(&b.file);
	buf_release(&array);
	buf_release(&other);
}

/* Blocks of quantized types are counted by all of their elements. */
static void blocks(void **state)
{
	struct buf a = BUF_INIT, b = BUF_INIT;
	struct pair p;

	(void)state;
	make_gguf(&a, 3, 1, 0);
	put_tensor(&a, "w", 96, 2, 0);
	put_padding(&a, 32);
	for (int i = 0; i < 54; i++)
		put(&a, 0, 1);
	assert_int_equal(buf_add(&b, a.p, a.len), 0);
	b.p[b.len - 1] = 1;
	pair_of(&p, "m.gguf", &a, &b);
	changes_are(&p, "~w ");
	assert_false(p.diff.v->has_norms);
	assert_int_equal(p.diff.v->elements_changed, 32);
	pair_release(&p);
	buf_release(&a);
	buf_release(&b);
}

static void stopped(void **state)
{
	const volatile int stop = 1;
	struct buf a = BUF_INIT;
	struct opened old, now;
	struct tensordiff diff;

	(void)state;
	make_npy(&a, "{'descr': '|u1', 'fortran_order': False, 'shape': (1,)}", "x", 1);
	open_file(&old, "m.npy", &a);
	open_file(&now, "m.npy", &a);
	assert_int_equal(tensordiff_run(&diff, old.file, now.file, &stop), ERR_INTERRUPTED);
	tensordiff_release(&diff);
	close_file(&old);
	close_file(&now);
	buf_release(&a);
}

/* A file that becomes shorter below us. */
static void shrunk(void **state)
{
	struct buf a = BUF_INIT;
	struct opened old, now;
	struct tensordiff diff;

	(void)state;
	make_npy(&a, "{'descr': '|u1', 'fortran_order': False, 'shape': (9,)}", "xxxxxxxxx", 9);
	open_file(&old, "old.npy", &a);
	open_file(&now, "now.npy", &a);
	assert_int_equal(ftruncate(now.fd, (off_t)a.len - 3), 0);
	assert_int_equal(tensordiff_run(&diff, old.file, now.file, NULL), ERR_INVALID);
	assert_string_equal(err_msg(), "now.npy: the file became shorter");
	tensordiff_release(&diff);
	close_file(&old);
	close_file(&now);
	buf_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds),
		cmocka_unit_test(renamed),
		cmocka_unit_test(same),
		cmocka_unit_test(no_numbers),
		cmocka_unit_test(converted),
		cmocka_unit_test(orders),
		cmocka_unit_test(archives),
		cmocka_unit_test(blocks),
		cmocka_unit_test(stopped),
		cmocka_unit_test(shrunk),
	};

	return cmocka_run_group_tests_name("tensordiff", tests, NULL, NULL);
}
