/*
 * The measure itself is lib/store/chunkshare.
 */
#include "commands/share.h"

enum { SMALLEST = 1 << 20, LARGEST = 64 << 20 };

int share_is_cheap(uint64_t old_size, uint64_t now_size)
{
	if (old_size < SMALLEST && now_size < SMALLEST)
		return 0;
	return old_size <= LARGEST && now_size <= LARGEST;
}

int share_text(struct buf *out, uint64_t changed, uint64_t size)
{
	double percent = size > 0 ? 100.0 * (double)changed / (double)size : 0;

	if (changed > 0 && percent < 0.1)
		return buf_addstr(out, "< 0.1 % changed");
	return buf_addf(out, "%.*f %% changed", percent > 0 && percent < 9.95 ? 1 : 0, percent);
}
