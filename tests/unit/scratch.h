/*
 * A scratch directory for a test program: temporary, with a home of its own and no configuration or
 * variables of the machine, removed afterwards.  The process's current directory is in it.
 */
#ifndef TESTS_UNIT_SCRATCH_H
#define TESTS_UNIT_SCRATCH_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/run.h"
#include "tests/unit/remove_tree.h"

static char scratch[4096]; /* absolute, without symbolic links */

/* "<scratch>/<name>", in one of four buffers that are used in turn. */
__attribute__((unused)) static const char *scratch_path(const char *name)
{
	static char paths[4][8192];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof paths[0], "%s/%s", scratch, name);
	return path;
}

/* cmocka's group set-up and tear-down. */
__attribute__((unused)) static int scratch_enter(void **state)
{
	static const char *const variables[] = {"GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR",
		"GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_CEILING_DIRECTORIES", "GIT_PREFIX",
		"GIT_CONFIG", "GIT_CONFIG_COUNT", "GIT_CONFIG_PARAMETERS", "GIT_CONFIG_GLOBAL",
		"GIT_CONFIG_SYSTEM", "XDG_CONFIG_HOME"};
	const char *tmp = getenv("TMPDIR");
	char name[2048];

	(void)state;
	snprintf(name, sizeof name, "%s/dvx-unit-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(name) || !realpath(name, scratch) || chdir(scratch) < 0)
		return -1;
	for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
		unsetenv(variables[i]);
	setenv("HOME", scratch_path("home"), 1);
	setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
	setenv("GIT_AUTHOR_NAME", "A", 1);
	setenv("GIT_AUTHOR_EMAIL", "a@example.com", 1);
	setenv("GIT_COMMITTER_NAME", "A", 1);
	setenv("GIT_COMMITTER_EMAIL", "a@example.com", 1);
	return fs_mkdirs(scratch_path("home"));
}

__attribute__((unused)) static int scratch_leave(void **state)
{
	(void)state;
	return chdir("/") < 0 ? -1 : remove_tree(scratch);
}

/* Write a file below the scratch directory, directories made as needed.  Aborts on failure. */
__attribute__((unused)) static void scratch_write(const char *name, const char *text)
{
	const char *path = scratch_path(name);

	if (fs_mkdirs_parent(path) < 0 || fs_replace_file(path, text, strlen(text), 0) < 0) {
		fprintf(stderr, "scratch_write: %s\n", err_msg());
		abort();
	}
}

/* Run git with these arguments (NULL at the end) in <scratch>/<dir>; quiet, must succeed. */
__attribute__((unused, sentinel)) static void scratch_git(const char *dir, ...)
{
	struct run r = RUN_INIT;
	struct buf out = BUF_INIT;
	const char *arg;
	va_list ap;
	int rc = strvec_pushl(&r.argv, "git", "-c", "init.defaultBranch=main", "-c",
		"protocol.file.allow=always", NULL);

	va_start(ap, dir);
	while (rc == 0 && (arg = va_arg(ap, const char *)))
		rc = strvec_push(&r.argv, arg);
	va_end(ap);
	r.dir = scratch_path(dir);
	r.err = RUN_TO_STDOUT;
	if (rc == 0)
		rc = run_capture(&r, NULL, 0, &out);
	if (rc != 0) {
		fprintf(stderr, "git failed (%d): %s%s\n", rc, rc < 0 ? err_msg() : "",
			buf_str(&out));
		abort();
	}
	run_release(&r);
	buf_release(&out);
}

#endif
