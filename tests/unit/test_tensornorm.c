/*
 * By how much tensors differ: every type's numbers, and sums that must not go wrong.
 */
#include "tests/unit/tensor_pair.h"

static void not_finite(void **state)
{
	const double old[] = {3, NAN, INFINITY, 1, INFINITY, 0.0};
	const double now[] = {4, NAN, INFINITY, NAN, -INFINITY, -0.0};
	const struct tensordiff_change *x;
	struct pair p;

	(void)state;
	npy_pair(&p, "<f8", old, "<f8", now, 6, 8, 8);
	changes_are(&p, "~array ");
	x = p.diff.v;
	assert_int_equal(x->elements_changed, 4); /* 3, 1, inf, and 0 by its sign */
	assert_int_equal(x->odd_old, 3);
	assert_int_equal(x->odd_now, 4);
	near(x->norm_old, sqrt(10));
	near(x->norm_now, 4);
	near(x->norm_diff, 1);
	near(x->max_diff, 1);
	pair_release(&p);
}

/* Squares of very large and very small doubles. */
static void range(void **state)
{
	const double old[] = {3e300, 4e300}, now[] = {3e300, 4.5e300};
	const double tiny[] = {3e-300, 4e-300}, zero[] = {0, 0};
	struct pair p;

	(void)state;
	npy_pair(&p, "<f8", old, "<f8", now, 2, 8, 8);
	near(p.diff.v->norm_old, 5e300);
	near(p.diff.v->norm_diff, 0.5e300);
	pair_release(&p);
	npy_pair(&p, "<f8", zero, "<f8", tiny, 2, 8, 8);
	near(p.diff.v->norm_old, 0);
	near(p.diff.v->norm_now, 5e-300);
	near(p.diff.v->max_diff, 4e-300);
	pair_release(&p);
}

/* Every type's numbers: {old, now} are 1 and 3, or -2 in the last. */
static void types(void **state)
{
	static const struct {
		const char *type;
		size_t size;
		const void *old, *now;
		double expected[2];
	} cases[] = {
		{"|i1", 1, "\1", "\xfe", {1, 2}},
		{"|u1", 1, "\1", "\xfe", {1, 254}},
		{"<i2", 2, "\1\0", "\xfe\xff", {1, 2}},
		{">i2", 2, "\0\1", "\xff\xfe", {1, 2}},
		{"<u2", 2, "\1\0", "\xfe\xff", {1, 65534}},
		{"<i4", 4, "\1\0\0\0", "\3\0\0\0", {1, 3}},
		{">u4", 4, "\0\0\0\1", "\0\0\0\3", {1, 3}},
		{"<i8", 8, "\1\0\0\0\0\0\0\0", "\xfe\xff\xff\xff\xff\xff\xff\xff", {1, 2}},
		{">i8", 8, "\0\0\0\0\0\0\0\1", "\0\0\0\0\0\0\0\3", {1, 3}},
		{"<u8", 8, "\1\0\0\0\0\0\0\0", "\3\0\0\0\0\0\0\0", {1, 3}},
		{"<f2", 2, "\0\x3c", "\0\x42", {1, 3}},
		{">f2", 2, "\x3c\0", "\1\0", {1, 0x1p-16}}, /* a subnormal */
		{"<f4", 4, "\0\0\x80\x3f", "\0\0\x40\x40", {1, 3}},
		{">f4", 4, "\x3f\x80\0\0", "\x40\x40\0\0", {1, 3}},
		{">f8", 8, "\x3f\xf0\0\0\0\0\0\0", "\x40\x08\0\0\0\0\0\0", {1, 3}},
		{"|b1", 1, "\1", "\0", {1, 0}},
		{"<c8", 8, "\0\0\x80\x3f\0\0\0\0", "\0\0\x40\x40\0\0\x80\x40", {1, 5}},
		{">c8", 8, "\x3f\x80\0\0\0\0\0\0", "\x40\x40\0\0\x40\x80\0\0", {1, 5}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct pair p;

		npy_pair(&p, cases[i].type, cases[i].old, cases[i].type, cases[i].now, 1,
			cases[i].size, cases[i].size);
		assert_int_equal(p.diff.n, 1);
		assert_true(p.diff.v->has_norms);
		assert_int_equal(p.diff.v->elements_changed, 1);
		near(p.diff.v->norm_old, cases[i].expected[0]);
		if (i != 11)
			near(p.diff.v->norm_now, cases[i].expected[1]);
		pair_release(&p);
	}
}

/* One byte each, in safetensors alone. */
static void small_floats(void **state)
{
	static const struct {
		const char *dtype;
		uint8_t old, now;
		double expected[2];
	} cases[] = {
		{"F8_E4M3", 0x38, 0x7e, {1, 448}},
		{"F8_E4M3", 0x01, 0x07, {0x1p-9, 0x7p-9}},
		{"F8_E5M2", 0x3c, 0x7b, {1, 57344}},
		{"F8_E5M2", 0x01, 0x03, {0x1p-16, 0x3p-16}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct buf a = BUF_INIT, b = BUF_INIT, header = BUF_INIT;
		struct pair p;

		assert_int_equal(
			buf_addf(&header,
				"{\"w\":{\"dtype\":\"%s\",\"shape\":[1],\"data_offsets\":[0,1]}}",
				cases[i].dtype),
			0);
		make_safetensors(&a, header.p, &cases[i].old, 1);
		make_safetensors(&b, header.p, &cases[i].now, 1);
		pair_of(&p, "m.safetensors", &a, &b);
		near(p.diff.v->norm_old, cases[i].expected[0]);
		near(p.diff.v->norm_now, cases[i].expected[1]);
		pair_release(&p);
		buf_release(&a);
		buf_release(&b);
		buf_release(&header);
	}
}

/* Integers that are the same as doubles. */
static void words(void **state)
{
	const int64_t old[] = {INT64_MAX, INT64_MIN}, now[] = {INT64_MAX - 1, INT64_MIN};
	const int64_t ends[] = {INT64_MIN, INT64_MIN};
	struct pair p;

	(void)state;
	npy_pair(&p, "<i8", old, "<i8", now, 2, 8, 8);
	near(p.diff.v->max_diff, 1);
	near(p.diff.v->norm_diff, 1);
	pair_release(&p);
	npy_pair(&p, "<i8", old, "<i8", ends, 2, 8, 8);
	near(p.diff.v->max_diff, 0x1p64);
	pair_release(&p);
}

/* Sums over many pieces, against sums in a wider type. */
static void large(void **state)
{
	enum { N = 300001 };
	static float old[N], now[N];
	long double squares[3] = {0};
	uint64_t changed = 0;
	uint32_t x = 1;
	double most = 0;
	struct pair p;

	(void)state;
	for (int i = 0; i < N; i++) {
		x = x * 1664525 + 1013904223;
		old[i] = (float)(x >> 8) / 1e5F - 50;
		x = x * 1664525 + 1013904223;
		now[i] = i % 3 ? old[i] : old[i] + (float)(x >> 8) / 1e9F;
		changed += old[i] != now[i];
		squares[0] += (long double)old[i] * old[i];
		squares[1] += (long double)now[i] * now[i];
		squares[2] += ((long double)now[i] - old[i]) * ((long double)now[i] - old[i]);
		most = fmax(most, fabs((double)now[i] - old[i]));
	}
	npy_pair(&p, "<f4", old, "<f4", now, N, 4, 4);
	assert_int_equal(p.diff.v->elements_changed, changed);
	near(p.diff.v->norm_old, (double)sqrtl(squares[0]));
	near(p.diff.v->norm_now, (double)sqrtl(squares[1]));
	near(p.diff.v->norm_diff, (double)sqrtl(squares[2]));
	near(p.diff.v->max_diff, most);
	pair_release(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(not_finite),
		cmocka_unit_test(range),
		cmocka_unit_test(types),
		cmocka_unit_test(small_floats),
		cmocka_unit_test(words),
		cmocka_unit_test(large),
	};

	return cmocka_run_group_tests_name("tensornorm", tests, NULL, NULL);
}
