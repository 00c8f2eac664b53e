/*
 * A real repository below the scratch directory, opened as the commands open theirs.
 */
#ifndef TESTS_UNIT_GIT_REPO_H
#define TESTS_UNIT_GIT_REPO_H

#include "lib/repo/git.h"
#include "lib/repo/repo.h"
#include "lib/store/pointer.h"
#include "tests/unit/scratch.h"

struct git_repo {
	struct gitdir *g;
	struct config *c;
	struct repo repo;
};

/* Enter "<scratch>/<name>" and open it. */
__attribute__((unused)) static void git_repo_open(struct git_repo *r, const char *name)
{
	if (chdir(scratch_path(name)) < 0 || gitdir_discover(&r->g) < 0 ||
		config_load(&r->c, r->g) < 0 || repo_init(&r->repo, r->g, r->c) < 0) {
		fprintf(stderr, "git_repo_open: %s\n", err_msg());
		abort();
	}
}

__attribute__((unused)) static void git_repo_close(struct git_repo *r)
{
	config_free(r->c);
	gitdir_free(r->g);
	if (chdir(scratch) < 0)
		abort();
}

/* Write the pointer of an object that consists of `text` to "<scratch>/<name>". */
__attribute__((unused)) static void git_repo_pointer(const char *name, const char *text)
{
	char ptr[POINTER_CANONICAL_MAX];
	struct oid oid;

	oid_of(&oid, text, strlen(text));
	pointer_format(ptr, &oid, strlen(text));
	scratch_write(name, ptr);
}

#endif
