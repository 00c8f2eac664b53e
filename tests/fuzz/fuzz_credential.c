/*
 * Any bytes as a .netrc and as what `git credential fill` answers: never a crash; no control byte
 * gets out.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "transfer/lfs/lfs_credential.h"
#include "transfer/lfs/lfs_netrc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct lfs_credential *c)
{
	const char *const both[] = {c->user, c->password};

	for (int i = 0; i < 2; i++) {
		if (!both[i])
			abort();
		for (const char *p = both[i]; *p; p++)
			if ((unsigned char)*p < 0x20 || *p == 0x7f)
				abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct lfs_credential c = {.user = NULL};

	if (lfs_netrc_find(&c, text, size, "example.com", NULL, size % 2) > 0)
		check(&c);
	lfs_credential_release(&c);
	if (lfs_netrc_find(&c, text, size, "a", "me", 1) > 0)
		check(&c);
	lfs_credential_release(&c);
	if (lfs_credential_parse(&c, text, size) == 0)
		check(&c);
	lfs_credential_release(&c);
	return 0;
}
