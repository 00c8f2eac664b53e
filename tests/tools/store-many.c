/*
 * Puts many small objects into the store of the repository it runs in, all different, and prints a
 * request line of the batch protocol for each: what a hundred thousand files would leave there,
 * without the files.
 *
 *   store-many COUNT
 */
#include "lib/base/err.h"
#include "lib/setup/config.h"
#include "lib/store/store.h"

#include <stdio.h>
#include <stdlib.h>

static int put_many(struct store *s, unsigned long count)
{
	char text[128], hex[OID_HEX_LEN + 1];
	struct oid oid;
	int rc = 0;

	for (unsigned long i = 0; rc == 0 && i < count; i++) {
		int len =
			snprintf(text, sizeof(text), "object %lu of %lu, no two alike\n", i, count);

		rc = store_put(s, text, (size_t)len, &oid);
		oid_to_hex(hex, &oid);
		if (rc == 0)
			printf("%s %d - many/%lu/%lu.txt\n", hex, len, i / 1000, i);
	}
	return rc;
}

int main(int argc, char **argv)
{
	struct gitdir *git = NULL;
	struct config *config = NULL;
	struct store *store = NULL;
	int rc = gitdir_discover(&git);

	if (rc == 0)
		rc = config_load(&config, git);
	if (rc == 0)
		rc = store_open(&store, git, config);
	if (rc == 0)
		rc = put_many(store, argc == 2 ? strtoul(argv[1], NULL, 10) : 0);
	if (rc == 0)
		rc = store_flush(store);
	if (rc < 0)
		fprintf(stderr, "error: %s\n", err_msg());
	store_close(store);
	config_free(config);
	gitdir_free(git);
	return rc < 0 || fflush(stdout) != 0;
}
