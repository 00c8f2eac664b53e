/*
 * Waiting before something is tried again (see backoff.h): in slices, so that whoever wants to stop
 * is not kept.
 */
#include "lib/base/backoff.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"

#include <sys/random.h>
#include <time.h>

enum { FIRST_MS = 250, SLICE_MS = 50 };

uint64_t backoff_ms(unsigned tries, uint64_t longest)
{
	uint64_t all = FIRST_MS;
	uint32_t chance = 0;

	while (tries-- > 0 && all < longest)
		all *= 2;
	if (all > longest)
		all = longest;
	if (getrandom(&chance, sizeof(chance), 0) < 0)
		chance = (uint32_t)fs_now_ns();
	return all / 2 + chance % (all / 2 + 1);
}

int backoff_wait(uint64_t ms, const volatile int *stop)
{
	for (;;) {
		uint64_t part = ms < SLICE_MS ? ms : SLICE_MS;
		struct timespec t = {0, (long)part * 1000000};

		if (stop && *stop)
			return err_set(ERR_INTERRUPTED, "interrupted");
		if (!ms)
			return 0;
		nanosleep(&t, NULL);
		ms -= part;
	}
}
