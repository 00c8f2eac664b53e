/*
 * Setting filter.dvx.*, diff.dvx.*, merge.dvx.* and filter.lfs.* through `git config`, so that
 * Git's own locking, file choice and quoting apply.
 */
#include "commands/filter_config.h"

#include <stdio.h>
#include <string.h>

#include "commands/command.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/run.h"

/* `process` has no arguments: then Git starts it without a shell.  `skip` is the value that leaves
 * pointers in the work tree, `was` what earlier versions have written.  Paths that Git adds may
 * begin with a dash, hence "--". */
static const struct setting {
	int flag;
	const char *key, *value, *skip, *was;
} settings[] = {
	{FILTER_CONFIG_DVX, "filter.dvx.clean", "git-dvx-filter clean -- %f", NULL, NULL},
	{FILTER_CONFIG_DVX, "filter.dvx.smudge", "git-dvx-filter smudge -- %f",
		"git-dvx smudge --skip -- %f", NULL},
	{FILTER_CONFIG_DVX, "filter.dvx.process", "git-dvx-filter", "git-dvx filter-process --skip",
		NULL},
	{FILTER_CONFIG_DVX, "filter.dvx.required", "true", NULL, NULL},
	{FILTER_CONFIG_DVX, "diff.dvx.command", "git-dvx diff-driver --", NULL, NULL},
	{FILTER_CONFIG_DVX, "diff.dvx.textconv", "git-dvx textconv --", NULL, NULL},
	{FILTER_CONFIG_DVX, "merge.dvx.name", "git-dvx merge of tables, dvx.lock and data", NULL,
		"git-dvx pointer merge"},
	{FILTER_CONFIG_DVX, "merge.dvx.driver", "git-dvx merge-driver %O %A %B %L %P", NULL, NULL},
	/* several merge bases are merged for Git's own use: nothing to fetch or to tell */
	{FILTER_CONFIG_DVX, "merge.dvx.recursive", "binary", NULL, NULL},
	{FILTER_CONFIG_LFS, "filter.lfs.clean", "git-dvx-filter clean -- %f", NULL, NULL},
	{FILTER_CONFIG_LFS, "filter.lfs.smudge", "git-dvx-filter smudge -- %f",
		"git-dvx smudge --skip -- %f", NULL},
	{FILTER_CONFIG_LFS, "filter.lfs.process", "git-dvx-filter", "git-dvx filter-process --skip",
		NULL},
	{FILTER_CONFIG_LFS, "filter.lfs.required", "true", NULL, NULL},
};

enum { N_SETTINGS = sizeof settings / sizeof settings[0] };

/* What the versions of Git LFS have written there. */
static const char *const of_git_lfs[] = {"git-lfs clean %f", "git-lfs clean -- %f",
	"git lfs clean %f", "git lfs clean -- %f", "git-lfs smudge %f", "git-lfs smudge -- %f",
	"git lfs smudge %f", "git lfs smudge -- %f", "git-lfs smudge --skip %f",
	"git-lfs smudge --skip -- %f", "git lfs smudge --skip %f", "git lfs smudge --skip -- %f",
	"git-lfs filter", "git-lfs filter --skip", "git-lfs filter-process",
	"git-lfs filter-process --skip"};

/* 1 for what users may have set to something else, or do without. */
static int is_taste(const struct setting *s)
{
	return strncmp(s->key, "diff.", strlen("diff.")) == 0 || !strcmp(s->key, "merge.dvx.name");
}

static int is_outdated(const struct setting *s, const char *value)
{
	return s->was && !strcmp(value, s->was);
}

static const char *wanted_value(const struct setting *s, int flags)
{
	return (flags & FILTER_CONFIG_SKIP_SMUDGE) && s->skip ? s->skip : s->value;
}

/* 1 if nobody misses this value. */
static int may_replace(const struct setting *s, const char *value)
{
	size_t i;

	if (!strcmp(value, s->value) || (s->skip && !strcmp(value, s->skip)) ||
		is_outdated(s, value))
		return 1;
	for (i = 0; s->flag == FILTER_CONFIG_LFS && i < sizeof of_git_lfs / sizeof *of_git_lfs; i++)
		if (!strcmp(value, of_git_lfs[i]))
			return 1;
	return 0;
}

int filter_config_is_set(const struct config *c)
{
	const char *value;
	size_t i;

	for (i = 0; i < N_SETTINGS; i++) {
		if (settings[i].flag != FILTER_CONFIG_DVX || is_taste(&settings[i]))
			continue;
		value = config_get(c, settings[i].key);
		if (!value || !may_replace(&settings[i], value))
			return 0;
	}
	return 1;
}

int filter_config_owns_lfs(const struct config *c)
{
	const char *process = config_get(c, "filter.lfs.process");

	return process && !strncmp(process, "git-dvx", 7);
}

int filter_config_scope(struct buf *scope, int local, int system, int worktree, const char *file)
{
	if (local + system + worktree + (file != NULL) > 1)
		return command_usage(
			"only one of --local, --system, --worktree and --file can be given");
	if (file)
		return buf_addf(scope, "--file=%s", file);
	return buf_addstr(scope, local	    ? "--local"
				 : system   ? "--system"
				 : worktree ? "--worktree"
					    : "--global");
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

static int set_one(const char *scope, const struct setting *s, int flags)
{
	int rc = git_config(NULL, scope, "--replace-all", s->key, wanted_value(s, flags));

	return rc > 0 ? err_set(ERR_IO, "cannot write %s to the %s configuration", s->key,
				scope + 2)
		      : rc;
}

int filter_config_set(const char *scope, int flags)
{
	struct buf value = BUF_INIT;
	int wanted[N_SETTINGS] = {0}, rc = 0;
	size_t i;

	for (i = 0; i < N_SETTINGS; i++) {
		if (!(settings[i].flag & flags))
			continue;
		if ((rc = present_value(&value, scope, settings[i].key)) < 0)
			goto done;
		wanted[i] = !rc || strcmp(value.p, wanted_value(&settings[i], flags)) != 0;
		if (rc && wanted[i] && !(flags & FILTER_CONFIG_FORCE) &&
			!may_replace(&settings[i], value.p)) {
			wanted[i] = 0;
			if (is_taste(&settings[i]))
				continue;
			rc = err_set(ERR_EXISTS,
				"%s in the %s configuration is '%s', and should be '%s'; "
				"--force replaces it",
				settings[i].key, scope + 2, value.p,
				wanted_value(&settings[i], flags));
			goto done;
		}
	}
	for (i = 0, rc = 0; i < N_SETTINGS && rc == 0; i++)
		if (wanted[i])
			rc = set_one(scope, &settings[i], flags);
done:
	buf_release(&value);
	return rc;
}

int filter_config_renew(const char *scope, const struct config *c)
{
	struct buf present = BUF_INIT;
	int rc = 0;

	for (size_t i = 0; i < N_SETTINGS && rc >= 0; i++) {
		const char *value = config_get(c, settings[i].key);

		if (!value || !is_outdated(&settings[i], value))
			continue;
		rc = present_value(&present, scope, settings[i].key);
		if (rc > 0 && is_outdated(&settings[i], present.p))
			rc = set_one(scope, &settings[i], 0);
	}
	buf_release(&present);
	return rc < 0 ? rc : 0;
}

/* 1 if filter.lfs is ours in this scope. */
static int owns_lfs(const char *scope)
{
	struct buf value = BUF_INIT;
	int owns = present_value(&value, scope, "filter.lfs.process") == 1 &&
		   !strncmp(value.p, "git-dvx", 7);

	buf_release(&value);
	return owns;
}

int filter_config_unset(const char *scope, int flags)
{
	static const struct {
		int flag;
		const char *section, *pattern;
	} sections[] = {{FILTER_CONFIG_DVX, "filter.dvx", "^filter\\.dvx\\."},
		{FILTER_CONFIG_DVX, "diff.dvx", "^diff\\.dvx\\."},
		{FILTER_CONFIG_DVX, "merge.dvx", "^merge\\.dvx\\."},
		{FILTER_CONFIG_LFS, "filter.lfs", "^filter\\.lfs\\."}};
	struct buf value = BUF_INIT;
	int removed = 0, rc = 0;
	size_t i;

	for (i = 0; i < sizeof sections / sizeof *sections && rc >= 0; i++) {
		if (!(sections[i].flag & flags) ||
			(sections[i].flag == FILTER_CONFIG_LFS && !(flags & FILTER_CONFIG_FORCE) &&
				!owns_lfs(scope)))
			continue;
		buf_reset(&value);
		/* --remove-section complains about an absent one, so look first. */
		rc = git_config(&value, scope, "--get-regexp", sections[i].pattern, NULL);
		if (rc == 0)
			rc = git_config(NULL, scope, "--remove-section", sections[i].section, NULL);
		else if (rc == 1)
			continue;
		if (rc > 0)
			rc = err_set(ERR_IO, "cannot remove section %s of the %s configuration",
				sections[i].section, scope + 2);
		removed |= rc == 0;
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
