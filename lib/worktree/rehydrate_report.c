/*
 * What the user is told after a rehydration: one summary of what is not in place, and the command
 * that mends it.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/err.h"
#include "lib/worktree/rehydrate.h"

enum { NAMED_IN_REPORT = 10 };

void rehydrate_result_release(struct rehydrate_result *r)
{
	free(r->first_error);
	r->first_error = NULL;
}

static void name_items(const struct rehydrate_item *items, size_t n, int state)
{
	char hex[OID_HEX_LEN + 1], path[PATH_MAX];
	size_t named = 0, more = 0;

	for (size_t i = 0; i < n; i++) {
		if (items[i].state != state)
			continue;
		if (named == NAMED_IN_REPORT) {
			more++;
			continue;
		}
		oid_to_hex(hex, &items[i].oid);
		snprintf(path, sizeof path, "%s", items[i].path);
		fprintf(stderr, "  %s (%.10s…)\n", err_printable(path), hex);
		named++;
	}
	if (more)
		fprintf(stderr, "  … and %zu more\n", more);
}

void rehydrate_report(
	const struct rehydrate_item *items, size_t n, const struct rehydrate_result *r)
{
	size_t pointers = r->missing + r->failed + r->left;

	if (!pointers)
		return;
	fprintf(stderr, "git-dvx: %zu of %zu files still are pointers", pointers, n);
	fprintf(stderr, "%s%s\n", r->first_error ? ": " : "", r->first_error ? r->first_error : "");
	if (r->missing) {
		fprintf(stderr, "%zu whose object is not here:\n", r->missing);
		name_items(items, n, REHYDRATE_MISSING);
	}
	if (r->failed) {
		fprintf(stderr, "%zu that could not be written:\n", r->failed);
		name_items(items, n, REHYDRATE_FAILED);
	}
	if (r->left)
		fprintf(stderr, "%zu whose turn did not come\n", r->left);
	if (r->missing + r->failed == 0)
		fputs("run 'git dvx checkout' to place them\n", stderr);
	else
		fprintf(stderr, "run 'git dvx pull' to fetch and place them%s\n",
			r->missing ? " (and 'git dvx push' where they were committed, if it was "
				     "never run)"
				   : "");
}
