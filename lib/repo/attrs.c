/*
 * Asking Git for attributes, and reading and writing the files that hold them.  The text of such a
 * file is the business of attrs_text.c.
 */
#include "lib/repo/attrs.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/opt.h"
#include "lib/repo/git.h"

/* Apply one answer "<attribute> <value>". */
static int apply(size_t i, const char *name, const char *value, void *data)
{
	struct attrs *a = (struct attrs *)data + i;

	if (!strcmp(name, "filter")) {
		a->lfs = !strcmp(value, "lfs");
		a->ours = a->lfs || !strcmp(value, "dvx");
		a->other = !a->ours && strcmp(value, "unspecified") != 0 &&
			   strcmp(value, "unset") != 0 && strcmp(value, "set") != 0;
		return 0;
	}
	if (!strcmp(name, "dvx-guard")) {
		a->guard = !strcmp(value, "immutable") ? ATTRS_GUARD_IMMUTABLE
			   : !strcmp(value, "never")   ? ATTRS_GUARD_NEVER
						       : ATTRS_GUARD_NONE;
		return 0;
	}
	if (!strcmp(value, "unspecified") || !strcmp(value, "unset") || !strcmp(value, "set"))
		return 0;
	return opt_parse_size(&a->min_size, value);
}

/* One record of check-attr is path, attribute, value. */
static int read_answer(struct git_reader *r, size_t i,
	int (*fn)(size_t i, const char *name, const char *value, void *data), void *data)
{
	struct buf name = BUF_INIT;
	char *field;
	size_t len;
	int rc;

	if ((rc = git_reader_next(r, '\0', &field, &len)) > 0 &&
		(rc = git_reader_next(r, '\0', &field, &len)) > 0 &&
		(rc = buf_add(&name, field, len)) == 0 &&
		(rc = git_reader_next(r, '\0', &field, &len)) > 0)
		rc = fn(i, name.p, field, data);
	else if (rc == 0)
		rc = err_set(ERR_CORRUPT, "'git check-attr' ended before its last answer");
	buf_release(&name);
	return rc;
}

/* Ask for attributes of many paths, and hand over each answer: the number of the path, the
 * attribute's name, its value. */
static int ask(const struct repo *repo, const char *const *paths, size_t n,
	const char *const *attributes, int cached,
	int (*fn)(size_t i, const char *name, const char *value, void *data), void *data)
{
	struct run run = RUN_INIT;
	struct git_reader *r = NULL;
	struct buf input = BUF_INIT;
	size_t i, per_path = 0;
	int rc = 0, end;

	for (i = 0; i < n && rc == 0; i++)
		rc = buf_add(&input, paths[i], strlen(paths[i]) + 1);
	if (rc == 0)
		rc = git_prepare(&run, repo, "check-attr", "-z", "--stdin", (char *)NULL);
	if (rc == 0 && cached)
		rc = strvec_push(&run.argv, "--cached");
	for (; rc == 0 && attributes[per_path]; per_path++)
		rc = strvec_push(&run.argv, attributes[per_path]);
	if (rc == 0)
		rc = git_reader_start(&r, &run, &input);
	for (i = 0; i < per_path * n && rc == 0; i++)
		if ((rc = read_answer(r, i / per_path, fn, data)) < 0)
			err_prefix(rc, "attributes of '%s'", paths[i / per_path]);
	end = git_reader_finish(r);
	run_release(&run);
	buf_release(&input);
	return rc ? rc : end;
}

static int check(
	const struct repo *repo, const char *const *paths, size_t n, struct attrs *out, int cached)
{
	static const char *const attributes[] = {"filter", "dvx-min-size", "dvx-guard", NULL};
	int64_t min_size = config_int(repo->config, "dvx.minsize", 0);

	if (!n)
		return 0;
	for (size_t i = 0; i < n; i++) {
		memset(&out[i], 0, sizeof out[i]);
		out[i].min_size = min_size > 0 ? (uint64_t)min_size : 0;
	}
	return ask(repo, paths, n, attributes, cached, apply, out);
}

int attrs_check(const struct repo *repo, const char *const *paths, size_t n, struct attrs *out)
{
	return check(repo, paths, n, out, 0);
}

int attrs_check_cached(
	const struct repo *repo, const char *const *paths, size_t n, struct attrs *out)
{
	return check(repo, paths, n, out, 1);
}

static int apply_lockable(size_t i, const char *name, const char *value, void *data)
{
	(void)name;
	((char *)data)[i] = strcmp(value, "unspecified") != 0 && strcmp(value, "unset") != 0 &&
			    strcmp(value, "false") != 0;
	return 0;
}

int attrs_lockable(const struct repo *repo, const char *const *paths, size_t n, char *out)
{
	static const char *const attributes[] = {"lockable", NULL};

	return n ? ask(repo, paths, n, attributes, 0, apply_lockable, out) : 0;
}

static int keep_value(size_t i, const char *name, const char *value, void *data)
{
	char **out = data;

	(void)name;
	if (strcmp(value, "unspecified") == 0)
		return 0;
	out[i] = strdup(strcmp(value, "unset") == 0 ? "" : value);
	return out[i] != NULL ? 0 : err_no_memory();
}

int attrs_values(const struct repo *repo, const char *attribute, const char *const *paths, size_t n,
	char **out)
{
	const char *const attributes[] = {attribute, NULL};
	int rc;

	if (n == 0)
		return 0;
	memset(out, 0, n * sizeof *out);
	rc = ask(repo, paths, n, attributes, 0, keep_value, out);
	for (size_t i = 0; rc < 0 && i < n; i++) {
		free(out[i]);
		out[i] = NULL;
	}
	return rc;
}

/* ---- files ---- */

int attrs_files(struct strvec *out, const struct repo *repo)
{
	struct run run = RUN_INIT;
	struct git_reader *r = NULL;
	struct buf info = BUF_INIT;
	char *path;
	size_t len;
	int rc, end;

	rc = git_prepare(&run, repo, "--glob-pathspecs", "ls-files", "-z", "-c", "-o",
		"--deduplicate", "--exclude-standard", "--", ".gitattributes", "**/.gitattributes",
		(char *)NULL);
	if (rc == 0)
		rc = git_reader_start(&r, &run, NULL);
	while (rc == 0 && (rc = git_reader_next(r, '\0', &path, &len)) > 0)
		rc = strvec_push(out, path);
	end = git_reader_finish(r);
	rc = rc ? rc : end;
	if (rc == 0)
		rc = fs_join(&info, repo->dir->common_dir, "info/attributes");
	if (rc == 0 && fs_exists(info.p))
		rc = strvec_push(out, info.p);
	run_release(&run);
	buf_release(&info);
	return rc;
}
