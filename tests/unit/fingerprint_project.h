/*
 * A project of its own for each test of fingerprints; paths are below it.
 */
#ifndef TESTS_UNIT_FINGERPRINT_PROJECT_H
#define TESTS_UNIT_FINGERPRINT_PROJECT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/pipeline/fingerprint.h"
#include "tests/unit/git_repo.h"

struct project {
	struct git_repo r;
	struct store *s;
	struct fingerprints *f;
};

static struct project p;

__attribute__((unused)) static void reopen(void)
{
	fingerprints_close(p.f);
	assert_int_equal(fingerprints_open(&p.f, &p.r.repo, p.s), 0);
}

/* A repository of its own for each test; its paths are below it. */
__attribute__((unused)) static int enter(void **state)
{
	__attribute__((unused)) static int n;
	char name[32];

	(void)state;
	snprintf(name, sizeof(name), "project%d", n++);
	memset(&p, 0, sizeof(p));
	scratch_git(".", "init", "-q", name, (char *)NULL);
	git_repo_open(&p.r, name);
	assert_int_equal(store_open(&p.s, p.r.g, p.r.c), 0);
	reopen();
	return 0;
}

__attribute__((unused)) static int leave(void **state)
{
	(void)state;
	fingerprints_close(p.f);
	store_close(p.s);
	git_repo_close(&p.r);
	return 0;
}

__attribute__((unused)) static void put(const char *path, const char *text)
{
	if (fs_mkdirs_parent(path) < 0 || fs_replace_file(path, text, strlen(text), 0) < 0)
		fail_msg("%s", err_msg());
}

#define git(...) scratch_git(strrchr(p.r.g->worktree, '/') + 1, __VA_ARGS__, (char *)NULL)

__attribute__((unused)) static struct fingerprint of(const char *path)
{
	struct fingerprint fp;

	fingerprints_forget(p.f, ""); /* the tests write as others would */
	if (fingerprints_of(p.f, path, &fp) < 0)
		fail_msg("%s", err_msg());
	return fp;
}

__attribute__((unused)) static void assert_content(const char *path, const char *text)
{
	struct buf b = BUF_INIT;

	if (buf_read_file(&b, path) < 0)
		fail_msg("%s", err_msg());
	assert_string_equal(buf_str(&b), text);
	buf_release(&b);
}

#endif
