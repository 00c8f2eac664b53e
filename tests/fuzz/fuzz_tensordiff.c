/*
 * Numbers of any two types: the elements that differ, and norms that are what a naive sum says.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/tensor/tensornorm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

static const char *const types[] = {"<f8", "<f4", "<f2", "|i1", "<i2", "<i4", "|u1", "<u2", "<u4",
	"|b1", "<c8", "<c16", ">f8", ">f4", ">f2", ">i2", ">u4", ">c8"};

static struct tensor_type type_of(uint8_t byte)
{
	const char *name = types[byte % (sizeof(types) / sizeof(*types))];
	struct tensor_type t;

	require(tensor_type_of_numpy(&t, name, strlen(name)));
	return t;
}

static void near(long double squares, long double expected)
{
	require(fabsl(squares - expected) <= 1e-12L * expected);
}

/* One element after the other, without lanes and blocks. */
static void check(const struct tensornorm *s, const uint8_t *old, const uint8_t *now, size_t n)
{
	size_t per = tensor_type_is_complex(&s->old) ? 2 : 1;
	long double squares_old = 0, squares_now = 0, squares_diff = 0;
	uint64_t odd_old = 0, odd_now = 0;

	for (size_t i = 0; i < n; i++) {
		double x[2] = {0}, y[2] = {0};
		int odd_x, odd_y;

		tensor_type_load(x, &s->old, old + i * s->old.unit, 1);
		tensor_type_load(y, &s->now, now + i * s->now.unit, 1);
		odd_x = !isfinite(x[0]) || !isfinite(x[1]);
		odd_y = !isfinite(y[0]) || !isfinite(y[1]);
		odd_old += (uint64_t)odd_x;
		odd_now += (uint64_t)odd_y;
		for (size_t k = 0; k < per; k++) {
			long double diff = y[k] - x[k];

			squares_old += odd_x ? 0 : (long double)x[k] * x[k];
			squares_now += odd_y ? 0 : (long double)y[k] * y[k];
			squares_diff += odd_x || odd_y || isinf(diff) ? 0 : diff * diff;
		}
	}
	require(s->odd_old == odd_old && s->odd_now == odd_now && s->changed <= n);
	near(s->squares_old, squares_old);
	near(s->squares_now, squares_now);
	if (isfinite(s->squares_diff))
		near(s->squares_diff, squares_diff);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tensor_type old, now;
	struct tensornorm s, parts;
	uint8_t *a, *b;
	size_t n, half;

	if (size < 2)
		return 0;
	old = type_of(data[0]);
	now = type_of(data[1]);
	n = (size - 2) / (old.unit + now.unit);
	if (!tensornorm_init(&s, &old, &now))
		return 0;
	/* in memory of just that size */
	a = malloc(n * old.unit + 1);
	b = malloc(n * now.unit + 1);
	require(a && b);
	memcpy(a, data + 2, n * old.unit);
	memcpy(b, data + 2 + n * old.unit, n * now.unit);
	tensornorm_add(&s, a, b, n);
	check(&s, a, b, n);
	/* the same in two parts */
	half = n / 2;
	tensornorm_init(&parts, &old, &now);
	tensornorm_add(&parts, a, b, half);
	tensornorm_add(&parts, a + half * old.unit, b + half * now.unit, n - half);
	require(parts.changed == s.changed && !(parts.max_diff != s.max_diff));
	free(a);
	free(b);
	return 0;
}
