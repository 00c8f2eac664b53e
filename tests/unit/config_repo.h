/*
 * A repository in a scratch directory, and what its configuration says: for tests of lib/setup.
 */
#ifndef TESTS_UNIT_CONFIG_REPO_H
#define TESTS_UNIT_CONFIG_REPO_H

#include <stdio.h>

#include "lib/base/err.h"
#include "lib/setup/config.h"
#include "tests/unit/scratch.h"

__attribute__((unused)) static struct gitdir *repo;

__attribute__((unused)) static int build(void **state)
{
	if (scratch_enter(state) < 0)
		return -1;
	scratch_git(".", "init", "-q", "r", NULL);
	return chdir("r") < 0 ? -1 : gitdir_discover(&repo);
}

__attribute__((unused)) static int tear_down(void **state)
{
	gitdir_free(repo);
	return scratch_leave(state);
}

/* The value now, in a static buffer; "(unset)". */
__attribute__((unused)) static const char *value_of(const char *key)
{
	static char value[4096];
	struct config *c;

	if (config_load(&c, repo) < 0) {
		snprintf(value, sizeof value, "error: %s", err_msg());
		return value;
	}
	snprintf(value, sizeof value, "%s", config_get(c, key) ? config_get(c, key) : "(unset)");
	config_free(c);
	return value;
}

#endif
