/*
 * Speed of the chunker in GB/s: the fast kernel beside the plain loop, on random bytes and on
 * zeros; and SHA-256 of the same buffer, which every chunk has to pass as well.  Medians of
 * interleaved runs.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/store/chunker.h"
#include "lib/store/oid.h"

enum { RUNS = 9, SIZE = 64 << 20 };

static size_t sink; /* keeps the work from being optimised away */

static void cut_fast(const uint8_t *data)
{
	for (size_t at = 0; at < SIZE; sink++)
		at += chunker_next(data + at, SIZE - at, 1);
}

static void cut_scalar(const uint8_t *data)
{
	for (size_t at = 0; at < SIZE; sink++)
		at += chunker_next_scalar(data + at, SIZE - at, 1);
}

static void hash(const uint8_t *data)
{
	struct oid o;

	oid_of(&o, data, SIZE);
	sink += o.id[0];
}

static const struct {
	const char *name;
	void (*run)(const uint8_t *data);
} contestants[] = {{"fast", cut_fast}, {"scalar", cut_scalar}, {"sha256", hash}};
enum { CONTESTANTS = sizeof contestants / sizeof contestants[0] };

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void measure(const char *input, const uint8_t *data)
{
	double took[CONTESTANTS][RUNS];

	for (int run = 0; run < RUNS; run++) {
		for (int c = 0; c < CONTESTANTS; c++) {
			double start = seconds();

			contestants[c].run(data);
			took[c][run] = seconds() - start;
		}
	}
	printf("%-8s", input);
	for (int c = 0; c < CONTESTANTS; c++) {
		qsort(took[c], RUNS, sizeof took[c][0], by_value);
		printf("%s%s %.2f GB/s", c ? ", " : "", contestants[c].name,
			SIZE / 1e9 / took[c][RUNS / 2]);
	}
	printf("\n");
}

int main(void)
{
	uint8_t *data = malloc(SIZE);
	uint64_t x = 1;

	if (!data)
		return 128;
	for (size_t i = 0; i < SIZE; i += sizeof x) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		memcpy(data + i, &x, sizeof x);
	}
	measure("random", data);
	memset(data, 0, SIZE);
	measure("zeros", data);
	free(data);
	return sink == 0;
}
