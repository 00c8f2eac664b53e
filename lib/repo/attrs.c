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
static int apply(struct attrs *a, const char *name, const char *value)
{
	if (!strcmp(name, "filter")) {
		a->ours = !strcmp(value, "dvx") || !strcmp(value, "lfs");
		a->other = !a->ours && strcmp(value, "unspecified") != 0 &&
			   strcmp(value, "unset") != 0 && strcmp(value, "set") != 0;
		return 0;
	}
	if (!strcmp(value, "unspecified") || !strcmp(value, "unset") || !strcmp(value, "set"))
		return 0;
	return opt_parse_size(&a->min_size, value);
}

/* One record of check-attr is path, attribute, value. */
static int read_answer(struct git_reader *r, struct attrs *a)
{
	struct buf name = BUF_INIT;
	char *field;
	size_t len;
	int rc;

	if ((rc = git_reader_next(r, '\0', &field, &len)) > 0 &&
		(rc = git_reader_next(r, '\0', &field, &len)) > 0 &&
		(rc = buf_add(&name, field, len)) == 0 &&
		(rc = git_reader_next(r, '\0', &field, &len)) > 0)
		rc = apply(a, name.p, field);
	else if (rc == 0)
		rc = err_set(ERR_CORRUPT, "'git check-attr' ended before its last answer");
	buf_release(&name);
	return rc;
}

static int check(
	const struct repo *repo, const char *const *paths, size_t n, struct attrs *out, int cached)
{
	struct run run = RUN_INIT;
	struct git_reader *r = NULL;
	struct buf input = BUF_INIT;
	int64_t min_size = config_int(repo->config, "dvx.minsize", 0);
	size_t i;
	int rc = 0, end;

	if (!n)
		return 0;
	for (i = 0; i < n && rc == 0; i++) {
		memset(&out[i], 0, sizeof out[i]);
		out[i].min_size = min_size > 0 ? (uint64_t)min_size : 0;
		rc = buf_add(&input, paths[i], strlen(paths[i]) + 1);
	}
	if (rc == 0)
		rc = git_prepare(&run, repo, "check-attr", "-z", "--stdin", (char *)NULL);
	if (rc == 0 && cached)
		rc = strvec_push(&run.argv, "--cached");
	if (rc == 0)
		rc = strvec_pushl(&run.argv, "filter", "dvx-min-size", (char *)NULL);
	if (rc == 0)
		rc = git_reader_start(&r, &run, &input);
	for (i = 0; i < 2 * n && rc == 0; i++)
		if ((rc = read_answer(r, &out[i / 2])) < 0)
			err_prefix(rc, "attributes of '%s'", paths[i / 2]);
	end = git_reader_finish(r);
	run_release(&run);
	buf_release(&input);
	return rc ? rc : end;
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
