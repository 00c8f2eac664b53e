/*
 * Norms, right to 1e-9 for tensors of any size: numbers become doubles a block at a time; the
 * squares of a block are summed in eight lanes, which keeps rounding small and is what compilers
 * make vectors of; the sums of blocks go into a long double, whose exponents hold the square of any
 * double (x86-64, AArch64).
 *
 * A block whose sum says that something was lost - not finite, or tiny - is summed again with care.
 */
#include "lib/tensor/tensornorm.h"

#include <math.h>
#include <string.h>

enum { BLOCK = 512, LANES = 8 };
/* Below this sum of squares some of them may have become zeros. */
#define SUM_SURE 1e-280

/* Numbers of a block, of complex types two for an element; behind the last one come zeros. */
struct block {
	double old[BLOCK], now[BLOCK], diff[BLOCK];
};

int tensornorm_init(
	struct tensornorm *s, const struct tensor_type *old, const struct tensor_type *now)
{
	*s = (struct tensornorm){.old = *old, .now = *now};
	return old->kind != TENSOR_BYTES && now->kind != TENSOR_BYTES &&
	       tensor_type_is_complex(old) == tensor_type_is_complex(now);
}

/* --- what differs ------------------------------------------------------------------------------
 */

#define COUNT(ctype)                                                                               \
	do {                                                                                       \
		for (size_t i = 0; i < n; i++) {                                                   \
			ctype x, y;                                                                \
			memcpy(&x, a + i * sizeof x, sizeof x);                                    \
			memcpy(&y, b + i * sizeof y, sizeof y);                                    \
			count += x != y;                                                           \
		}                                                                                  \
	} while (0)

static uint64_t count_bytes(const uint8_t *a, const uint8_t *b, size_t n, size_t width)
{
	uint64_t count = 0;

	switch (width) {
	case 1:
		COUNT(uint8_t);
		break;
	case 2:
		COUNT(uint16_t);
		break;
	case 4:
		COUNT(uint32_t);
		break;
	case 8:
		COUNT(uint64_t);
		break;
	default:
		for (size_t i = 0; i < n; i++)
			count += memcmp(a + i * width, b + i * width, width) != 0;
	}
	return count;
}

/* By value, NaN being NaN; n numbers, `per` of them an element. */
static uint64_t count_values(const double *a, const double *b, size_t n, size_t per)
{
	uint64_t count = 0;

	for (size_t i = 0; i < n; i += per) {
		int differs = 0;

		for (size_t k = i; k < i + per; k++)
			differs |= a[k] != b[k] && !(isnan(a[k]) && isnan(b[k]));
		count += (uint64_t)differs;
	}
	return count;
}

/* --- sums --------------------------------------------------------------------------------------
 */

static long double sum_with_care(const double v[static BLOCK])
{
	long double sum = 0;

	for (size_t i = 0; i < BLOCK; i++)
		sum += (long double)v[i] * (long double)v[i];
	return sum;
}

static double sum_of_squares(const double v[static BLOCK])
{
	double lanes[LANES] = {0}, sum = 0;

	for (size_t i = 0; i < BLOCK; i += LANES)
		for (size_t k = 0; k < LANES; k++)
			lanes[k] += v[i + k] * v[i + k];
	for (size_t k = 0; k < LANES; k++)
		sum += lanes[k];
	return sum;
}

static void add_squares(long double *total, const double v[static BLOCK])
{
	double sum = sum_of_squares(v);

	*total += isfinite(sum) && sum >= SUM_SURE ? (long double)sum : sum_with_care(v);
}

static double largest(const double v[static BLOCK])
{
	double lanes[LANES] = {0}, most = 0;

	for (size_t i = 0; i < BLOCK; i += LANES) {
		for (size_t k = 0; k < LANES; k++) {
			double x = fabs(v[i + k]);

			lanes[k] = x > lanes[k] ? x : lanes[k];
		}
	}
	for (size_t k = 0; k < LANES; k++)
		most = lanes[k] > most ? lanes[k] : most;
	return most;
}

static double largest_modulus(const double v[static BLOCK])
{
	double most = 0;

	for (size_t i = 0; i < BLOCK; i += 2) {
		double x = hypot(v[i], v[i + 1]);

		most = x > most ? x : most;
	}
	return most;
}

/* 1 if none of the numbers is NaN or infinite. */
static int all_finite(const double v[static BLOCK])
{
	double lanes[LANES] = {0}, sum = 0;

	for (size_t i = 0; i < BLOCK; i += LANES)
		for (size_t k = 0; k < LANES; k++)
			lanes[k] += v[i + k] * 0.0; /* NaN of what is not finite */
	for (size_t k = 0; k < LANES; k++)
		sum += lanes[k];
	return sum == 0.0;
}

/* Elements that are not finite become zeros, and so does the difference. */
static uint64_t clear_odd(double *v, double *diff, size_t n, size_t per)
{
	uint64_t count = 0;

	for (size_t i = 0; i < n; i += per) {
		int odd = 0;

		for (size_t k = i; k < i + per; k++)
			odd |= !isfinite(v[k]);
		for (size_t k = i; odd && k < i + per; k++)
			v[k] = diff[k] = 0;
		count += (uint64_t)odd;
	}
	return count;
}

/* --- blocks ------------------------------------------------------------------------------------
 */

static int is_word(const struct tensor_type *t)
{
	return t->kind == TENSOR_I64 || t->kind == TENSOR_U64;
}

/* 64-bit integers are subtracted as such: as doubles, large ones that are near would be equal. */
static void subtract_words(
	struct block *b, const struct tensor_type *t, const void *old, const void *now, size_t n)
{
	uint64_t x[BLOCK], y[BLOCK];

	tensor_type_load_words(x, t, old, n);
	tensor_type_load_words(y, t, now, n);
	for (size_t i = 0; i < n; i++) {
		int grows = t->kind == TENSOR_I64 ? (int64_t)y[i] > (int64_t)x[i] : y[i] > x[i];

		b->diff[i] = grows ? (double)(y[i] - x[i]) : -(double)(x[i] - y[i]);
	}
}

static int same_type(const struct tensornorm *s)
{
	return s->old.kind == s->now.kind && s->old.unit == s->now.unit &&
	       s->old.swapped == s->now.swapped;
}

/* At most as many elements as the block has room for. */
static void add_block(
	struct tensornorm *s, struct block *b, const void *old, const void *now, size_t elements)
{
	size_t per = tensor_type_is_complex(&s->old) ? 2 : 1, n = elements * per;

	tensor_type_load(b->old, &s->old, old, elements);
	tensor_type_load(b->now, &s->now, now, elements);
	for (size_t i = n; i < BLOCK; i++)
		b->old[i] = b->now[i] = 0;
	for (size_t i = 0; i < BLOCK; i++)
		b->diff[i] = b->now[i] - b->old[i];
	if (is_word(&s->old) && same_type(s))
		subtract_words(b, &s->old, old, now, elements);
	if (!same_type(s))
		s->changed += count_values(b->old, b->now, n, per);
	if (!all_finite(b->old))
		s->odd_old += clear_odd(b->old, b->diff, n, per);
	if (!all_finite(b->now))
		s->odd_now += clear_odd(b->now, b->diff, n, per);
	add_squares(&s->squares_old, b->old);
	add_squares(&s->squares_now, b->now);
	add_squares(&s->squares_diff, b->diff);
	s->max_diff = fmax(s->max_diff, per == 2 ? largest_modulus(b->diff) : largest(b->diff));
}

void tensornorm_add(struct tensornorm *s, const void *old, const void *now, size_t n)
{
	int numbers = s->old.kind != TENSOR_BYTES && s->now.kind != TENSOR_BYTES;
	size_t room = tensor_type_is_complex(&s->old) ? BLOCK / 2 : BLOCK;
	const uint8_t *a = old, *b = now;
	struct block block;

	if (same_type(s))
		s->changed += s->old.unit_elements * count_bytes(a, b, n, s->old.unit);
	for (size_t done = 0, part; numbers && done < n; done += part) {
		part = n - done < room ? n - done : room;
		add_block(s, &block, a + done * s->old.unit, b + done * s->now.unit, part);
	}
}
