/*
 * Patterns as users type them: `*.h5`, `models/big.bin`, `data/` (a directory: everything below
 * it), patterns of directories likewise.
 */
#include "commands/patterns.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/err.h"
#include "lib/repo/attrs.h"
#include "lib/repo/git.h"
#include "lib/repo/pointers.h"

void pattern_release(struct pattern *p)
{
	buf_release(&p->quoted);
	buf_release(&p->spare);
	buf_release(&p->path);
	buf_release(&p->pathspec);
}

/* By its slash, one that is not there yet is a directory, too. */
static int is_directory(const char *typed)
{
	size_t len = strlen(typed);
	struct stat st;

	return (len && typed[len - 1] == '/') || (lstat(typed, &st) == 0 && S_ISDIR(st.st_mode));
}

/* A path or directory: anchored, its special characters escaped. */
static int parse_path(struct pattern *p, const struct repo *repo, const char *typed)
{
	const char *prefix = repo->dir->prefix ? repo->dir->prefix : "", *below;
	size_t len = strlen(prefix);
	int rc = repo_path(&p->path, repo, typed);

	if (rc < 0)
		return rc;
	p->is_dir = is_directory(typed);
	below = buf_str(&p->path);
	if (len && !strncmp(below, prefix, len - 1) &&
		(below[len - 1] == '/' || below[len - 1] == '\0'))
		below += below[len - 1] ? len : len - 1;
	else if (len)
		return err_set(ERR_INVALID,
			"'%s' is not below the current directory; run this at the top of the "
			"repository",
			typed);
	if (!*below && !p->is_dir)
		return err_set(ERR_INVALID, "'%s' is not a file", typed);
	if ((rc = attrs_quote_path(&p->quoted, below, p->is_dir)) < 0)
		return rc;
	if (p->is_dir && ((rc = buf_add(&p->spare, p->quoted.p, p->quoted.len)) < 0 ||
				 (rc = buf_addstr(&p->spare, "/.git*")) < 0))
		return rc;
	return buf_addf(&p->pathspec, ":(top,literal)%s", buf_str(&p->path));
}

/* Directories that match: everything below them.  Attributes know no slash at the end. */
static int parse_directories(struct pattern *p, const struct repo *repo, const char *typed)
{
	const char *prefix = repo->dir->prefix ? repo->dir->prefix : "";
	struct buf below = BUF_INIT;
	int rc = buf_addstr(&below, typed);

	while (rc == 0 && below.len > 1 && below.p[below.len - 2] == '/')
		buf_truncate(&below, below.len - 1);
	if (rc == 0)
		rc = buf_addstr(&below, "**");
	if (rc == 0)
		rc = attrs_quote(&p->quoted, below.p);
	if (rc == 0)
		rc = buf_addf(&p->spare, "%s/.git*", p->quoted.p);
	if (rc == 0)
		rc = buf_addf(&p->pathspec, ":(top,glob)%s%s", prefix,
			below.p[0] == '/' ? below.p + 1 : below.p);
	buf_release(&below);
	return rc;
}

/* A pattern by the rules of attributes: without a slash it matches at any depth. */
static int parse_glob(struct pattern *p, const struct repo *repo, const char *typed)
{
	const char *prefix = repo->dir->prefix ? repo->dir->prefix : "";
	const char *slash = strchr(typed, '/');
	int rc;

	if (*typed && typed[strlen(typed) - 1] == '/')
		return parse_directories(p, repo, typed);
	if ((rc = attrs_quote(&p->quoted, typed)) < 0)
		return rc;
	return buf_addf(&p->pathspec, ":(top,glob)%s%s%s", prefix, slash ? "" : "**/",
		slash == typed ? typed + 1 : typed);
}

int pattern_parse(struct pattern *p, const struct repo *repo, const char *typed, int literal)
{
	int names_dir = is_directory(typed);

	while (!strncmp(typed, "./", 2))
		typed += 2;
	if (!*typed)
		typed = ".";
	/* "/x" is anchored in attributes; the rest of the world calls it an absolute path. */
	if (literal || (names_dir && !strpbrk(typed, "*?[")))
		return parse_path(p, repo, typed);
	if (strchr(typed, '/') && typed[0] != '/' && !strpbrk(typed, "*?[\\"))
		return parse_path(p, repo, typed);
	return parse_glob(p, repo, typed);
}

int pattern_file(struct buf *out, const struct repo *repo)
{
	return buf_addf(out, "%s.gitattributes", repo->dir->prefix ? repo->dir->prefix : "");
}

/* "<mode> <name> <stage>\t<path>" of each entry whose filter attribute is ours, or is not. */
static int list_entries(struct buf *ids, const struct repo *repo, int ours)
{
	struct run run = RUN_INIT;
	struct git_reader *r = NULL;
	uint8_t id[REPO_ID_MAX];
	char *rec;
	size_t len;
	int rc, end;

	rc = git_prepare(&run, repo, "ls-files", "-s", "-z", "--", (char *)NULL);
	if (rc == 0 && ours)
		rc = strvec_pushl(&run.argv, ":(top,attr:filter=dvx)", ":(top,attr:filter=lfs)",
			(char *)NULL);
	else if (rc == 0)
		rc = strvec_pushl(&run.argv, ":(top)", ":(top,exclude,attr:filter=dvx)",
			":(top,exclude,attr:filter=lfs)", (char *)NULL);
	if (rc == 0)
		rc = git_reader_start(&r, &run, NULL);
	while (rc == 0 && (rc = git_reader_next(r, '\0', &rec, &len)) > 0) {
		rc = 0;
		if (len > 7 && !strncmp(rec, "100", 3) &&
			(rc = repo_id_parse(id, repo, rec + 7)) == 0)
			rc = buf_add(ids, id, sizeof id);
	}
	end = git_reader_finish(r);
	run_release(&run);
	return rc ? rc : end;
}

int pattern_count_stale(const struct repo *repo, int pointers)
{
	struct buf ids = BUF_INIT;
	struct pointers *p = NULL;
	struct pointers_query *q = NULL;
	size_t n, i;
	int rc, count = 0;

	if ((rc = list_entries(&ids, repo, !pointers)) < 0)
		goto done;
	n = ids.len / REPO_ID_MAX;
	if (!(q = calloc(n ? n : 1, sizeof *q))) {
		rc = err_set(ERR_NOMEM, "out of memory");
		goto done;
	}
	for (i = 0; i < n; i++)
		memcpy(q[i].blob, ids.p + i * REPO_ID_MAX, REPO_ID_MAX);
	if ((rc = pointers_open(&p, repo)) < 0 || (rc = pointers_resolve(p, q, n)) < 0)
		goto done;
	for (i = 0; i < n; i++)
		count += pointers ? pointers_is_pointer(&q[i]) : q[i].state == POINTERS_NO;
done:
	pointers_close(p);
	free(q);
	buf_release(&ids);
	return rc < 0 ? rc : count;
}
