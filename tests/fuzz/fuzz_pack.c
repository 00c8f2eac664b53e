/*
 * Packs from outside: header, index and every entry that the index or a scan offers.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/store/pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void try_entry(struct pack_codec_ctx *c, const uint8_t *data, size_t len, uint64_t offset)
{
	static uint8_t raw[PACK_ENTRY_RAW_MAX];
	struct pack_entry e;

	if (offset > len || pack_entry_parse(&e, data + offset, len - offset) < 0)
		return;
	if (len - offset - PACK_ENTRY_HEADER_LEN < e.stored_len)
		return;
	(void)pack_entry_decode(c, &e, data + offset + PACK_ENTRY_HEADER_LEN, raw, 1);
}

static void try_scan(const uint8_t *data, size_t len)
{
	int fd = memfd_create("fuzz", 0);
	uint64_t end;

	if (fd < 0)
		abort();
	if (fs_write_full(fd, data, len) == 0 &&
		pack_scan(fd, PACK_HEADER_LEN, 1, NULL, NULL, &end) == 0 && len >= end)
		lseek(fd, 0, SEEK_SET);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct pack_codec_ctx *c;
	struct pack_index *x;
	uint64_t need;

	if (pack_codec_new(&c) < 0)
		abort();
	(void)pack_header_check(data, len);
	if (pack_index_parse(&x, data, len, len, &need) == 0) {
		for (size_t i = 0; i < pack_index_count(x); i++)
			try_entry(c, data, len, pack_index_at(x, i)->offset);
		pack_index_free(x);
	}
	try_entry(c, data, len, PACK_HEADER_LEN);
	try_scan(data, len);
	pack_codec_free(c);
	return 0;
}
