/*
 * Any bytes as a stat cache, as they are and with the checksum made right: look-ups stay inside of
 * it, and what is learnt is found in the table that is written.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "lib/pipeline/statcache.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SUM_AT = 40, HEAD_LEN = 48 };

static void require(int condition)
{
	if (!condition)
		abort();
}

static void learn_and_write(struct statcache *c)
{
	const struct statcache_stat st = {1, 2, 3, 4};
	const struct statcache_file file = {.size = 5, .pointer = 1};
	struct statcache_group group = {.size = 6, .nfiles = 7}, found = {.size = 0};
	struct statcache_file out;
	struct statcache *again;
	struct buf text = BUF_INIT;

	require(statcache_put(c, "d/b", &st, &file) == 0);
	require(statcache_put_group(c, "d", &group) == 0);
	require(statcache_settle(c, "e") == 0);
	require(statcache_format(&text, c) == 0);
	require(statcache_parse(&again, text.p, text.len) == 0);
	require(statcache_find(again, "d/b", &st, &out) == 1);
	require(out.size == 5 && out.pointer == 1);
	require(statcache_find_group(again, "d", &found) == 1 && found.nfiles == 7);
	statcache_free(again);
	buf_release(&text);
}

static void use(const void *data, size_t size)
{
	const struct statcache_stat st = {1, 2, 3, 4};
	struct statcache_group group = {.size = 0};
	struct statcache_file file;
	struct statcache *c;

	if (statcache_parse(&c, data, size) < 0)
		return;
	(void)statcache_find(c, "a", &st, &file);
	(void)statcache_find(c, "d/b", &st, &file);
	(void)statcache_find(c, "zzz", &st, &file);
	(void)statcache_find_group(c, "d", &group);
	learn_and_write(c);
	statcache_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	XXH3_state_t sum;
	uint8_t *copy;

	use(data, size);
	if (size < HEAD_LEN)
		return 0;
	copy = malloc(size);
	require(copy != NULL);
	memcpy(copy, data, size);
	XXH3_64bits_reset(&sum);
	XXH3_64bits_update(&sum, copy, SUM_AT);
	XXH3_64bits_update(&sum, copy + HEAD_LEN, size - HEAD_LEN);
	be64_put(copy + SUM_AT, XXH3_64bits_digest(&sum));
	use(copy, size);
	free(copy);
	return 0;
}
