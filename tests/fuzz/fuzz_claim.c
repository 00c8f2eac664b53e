/*
 * Any bytes as the journal of a claim: it is refused or understood, and what was understood is
 * sound; cut short it never says more.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/pipeline/claim_journal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct claim_journal whole = {0}, part = {0};
	int rc = claim_journal_parse(&whole, data, size);

	require(rc == 0 || rc == ERR_CORRUPT || rc == ERR_UNSUPPORTED);
	if (rc == 0) {
		require(!whole.ready || (whole.stage && whole.pid > 0));
		require(whole.ready || whole.n == 0);
		require(!whole.lock || whole.name);
		for (size_t i = 0; i < whole.n; i++)
			require(whole.items[i].path[0] && whole.items[i].how);
		require(claim_journal_parse(&part, data, size / 2) == 0);
		require(part.n <= whole.n && part.reads.n <= whole.reads.n);
	}
	claim_journal_release(&whole);
	claim_journal_release(&part);
	return 0;
}
