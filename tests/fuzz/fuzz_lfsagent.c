/*
 * Any bytes as a line of a transfer agent, and as the answer of git-lfs-authenticate: never a
 * crash; what is read has no control byte in it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/wire/lfsagent.h"
#include "lib/wire/lfsauth.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void no_control(const char *text)
{
	for (; text && *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct lfsagent_message m;
	struct lfs_action a;

	if (lfsagent_message_parse(&m, text, size) == 0)
		no_control(m.path);
	lfsagent_message_release(&m);
	lfsagent_ready_parse(text, size);
	if (lfsauth_parse(&a, text, size, 1000) == 0) {
		no_control(a.href);
		for (size_t i = 0; i < a.headers.n; i++)
			no_control(a.headers.v[i]);
	}
	lfsauth_release(&a);
	return 0;
}
