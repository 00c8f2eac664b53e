/*
 * Setting filter.dvx.* and merge.dvx.* through `git config`, so that Git's own locking, file choice
 * and quoting apply.
 */
#include "commands/filter_config.h"

#include <stdio.h>
#include <string.h>

#include "commands/command.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/run.h"

/* `process` has no arguments: then Git starts it without a shell. */
static const struct setting {
	const char *key, *value;
} settings[] = {
	{"filter.dvx.clean", "git-dvx-filter clean -- %f"},
	{"filter.dvx.smudge", "git-dvx-filter smudge -- %f"},
	{"filter.dvx.process", "git-dvx-filter"},
	{"filter.dvx.required", "true"},
	{"merge.dvx.name", "git-dvx pointer merge"},
	{"merge.dvx.driver", "git-dvx merge-driver %O %A %B %L %P"},
};

enum { N_SETTINGS = sizeof settings / sizeof settings[0] };

int filter_config_is_set(const struct config *c)
{
	const char *value;
	size_t i;

	for (i = 0; i < N_SETTINGS; i++) {
		value = config_get(c, settings[i].key);
		if (!value || strcmp(value, settings[i].value) != 0)
			return 0;
	}
	return 1;
}

int filter_config_scope(const char **scope, int local, int system, int worktree)
{
	if (local + system + worktree > 1)
		return command_usage("only one of --local, --system and --worktree can be given");
	*scope = local ? "--local" : system ? "--system" : worktree ? "--worktree" : "--global";
	return 0;
}

/* Run "git config <scope> <args>".  Its exit status, or a negative error. */
static int git_config(
	struct buf *out, const char *scope, const char *a, const char *b, const char *c)
{
	struct run r = RUN_INIT;
	struct buf discard = BUF_INIT;
	int rc = strvec_pushl(&r.argv, "git", "config", scope, a, (char *)NULL);

	if (rc == 0 && b)
		rc = strvec_push(&r.argv, b);
	if (rc == 0 && c)
		rc = strvec_push(&r.argv, c);
	if (rc == 0)
		rc = run_capture(&r, NULL, 0, out ? out : &discard);
	run_release(&r);
	buf_release(&discard);
	return rc;
}

/* What this scope has for the key (without the newline); 1, or 0 when unset. */
static int present_value(struct buf *out, const char *scope, const char *key)
{
	int rc;

	buf_reset(out);
	rc = git_config(out, scope, "--get", key, NULL);
	buf_rtrim(out);
	return rc < 0 ? rc : rc == 0;
}

static int set_one(const char *scope, const struct setting *s)
{
	int rc = git_config(NULL, scope, "--replace-all", s->key, s->value);

	return rc > 0 ? err_set(ERR_IO, "cannot write %s to the %s configuration", s->key,
				scope + 2)
		      : rc;
}

int filter_config_set(const char *scope, int force)
{
	struct buf value = BUF_INIT;
	int wanted[N_SETTINGS], rc = 0;
	size_t i;

	for (i = 0; i < N_SETTINGS; i++) {
		if ((rc = present_value(&value, scope, settings[i].key)) < 0)
			goto done;
		wanted[i] = !rc || strcmp(value.p, settings[i].value) != 0;
		if (rc && wanted[i] && !force) {
			rc = err_set(ERR_EXISTS,
				"%s in the %s configuration is '%s', and should be '%s'; "
				"--force replaces it",
				settings[i].key, scope + 2, value.p, settings[i].value);
			goto done;
		}
	}
	for (i = 0, rc = 0; i < N_SETTINGS && rc == 0; i++)
		if (wanted[i])
			rc = set_one(scope, &settings[i]);
done:
	buf_release(&value);
	return rc;
}

int filter_config_unset(const char *scope)
{
	static const char *const sections[] = {"filter.dvx", "merge.dvx"};
	struct buf value = BUF_INIT;
	int removed = 0, rc;
	size_t i;

	for (i = 0; i < 2; i++) {
		buf_reset(&value);
		/* --remove-section complains about an absent one, so look first. */
		rc = git_config(&value, scope, "--get-regexp",
			i ? "^merge\\.dvx\\." : "^filter\\.dvx\\.", NULL);
		if (rc == 0)
			rc = git_config(NULL, scope, "--remove-section", sections[i], NULL);
		else if (rc == 1)
			continue;
		if (rc > 0)
			rc = err_set(ERR_IO, "cannot remove section %s of the %s configuration",
				sections[i], scope + 2);
		if (rc < 0)
			break;
		removed = 1;
	}
	buf_release(&value);
	return rc < 0 ? rc : removed;
}

void filter_config_check_path(void)
{
	struct buf path = BUF_INIT;

	if (run_resolve(&path, "git-dvx-filter") < 0)
		fprintf(stderr,
			"warning: git-dvx-filter is not on the PATH; Git will refuse to check "
			"out tracked files until it is\n");
	buf_release(&path);
}
