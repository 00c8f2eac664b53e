/*
 * Scans of history: what a range of commits brought in, with the version before it; and what refs
 * hold.
 *
 * `git diff-tree -c` lists for a merge only what differs from every parent - anything else came in
 * by one of the parents, and is listed (or excluded) there.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/err.h"
#include "lib/repo/git.h"
#include "lib/repo/scan.h"
#include "lib/repo/scan_candidates.h"

/* Where a scan of history starts. */
struct tips {
	struct buf commits; /* hex names, a line each */
	struct strvec trees;
	struct scan_candidates blobs;
};

#define TIPS_INIT                                                                                  \
	{                                                                                          \
		BUF_INIT, STRVEC_INIT, SCAN_CANDIDATES_INIT                                        \
	}

static void tips_release(struct tips *t)
{
	buf_release(&t->commits);
	strvec_release(&t->trees);
	scan_candidates_release(&t->blobs);
}

/* File "<type> <name>", the answer about a peeled revision. */
static int tips_add(struct tips *t, const struct repo *repo, const char *answer, const char *rev)
{
	uint8_t id[REPO_ID_MAX];
	int rc;

	if (!strncmp(answer, "commit ", 7))
		return buf_addf(&t->commits, "%s\n", answer + 7);
	if (!strncmp(answer, "tree ", 5))
		return strvec_push(&t->trees, answer + 5);
	if (strncmp(answer, "blob ", 5) != 0)
		return err_set(ERR_NOTFOUND, "unknown revision '%s'", rev);
	if ((rc = repo_id_parse(id, repo, answer + 5)) < 0)
		return rc;
	return scan_candidates_add(&t->blobs, repo, "", 0, S_IFREG | 0644, id, NULL);
}

/* Peel each revision to the commit, tree or blob it means. */
static int tips_of(struct tips *t, const struct repo *repo, const struct strvec *revs)
{
	struct run run = RUN_INIT;
	struct git_reader *r = NULL;
	struct buf input = BUF_INIT;
	char *line;
	size_t i, len;
	int rc = 0, end;

	for (i = 0; i < revs->n && rc == 0; i++) {
		if (strchr(revs->v[i], '\n'))
			rc = err_set(ERR_NOTFOUND, "unknown revision '%s'", revs->v[i]);
		else
			/* What stands behind a colon is a path, and needs no peeling. */
			rc = buf_addf(
				&input, "%s%s\n", revs->v[i], strchr(revs->v[i], ':') ? "" : "^{}");
	}
	if (rc == 0)
		rc = git_prepare(&run, repo, "cat-file", "--buffer",
			"--batch-check=%(objecttype) %(objectname)", (char *)NULL);
	if (rc == 0)
		rc = git_reader_start(&r, &run, &input);
	for (i = 0; i < revs->n && rc == 0; i++) {
		rc = git_reader_next(r, '\n', &line, &len);
		if (rc == 0)
			rc = err_set(ERR_CORRUPT, "'git cat-file' ended before its last answer");
		else if (rc > 0)
			rc = tips_add(t, repo, line, revs->v[i]);
	}
	end = git_reader_finish(r);
	run_release(&run);
	buf_release(&input);
	return rc ? rc : end;
}

/* Append the commits of "git rev-list <args>" with `input` on its stdin to `out`, oldest first. */
static int list_commits(
	struct buf *out, const struct repo *repo, const struct buf *input, const char *remote)
{
	struct run run = RUN_INIT;
	int rc;

	rc = git_prepare(
		&run, repo, "rev-list", "--reverse", "--ignore-missing", "--stdin", (char *)NULL);
	if (rc == 0 && remote)
		rc = strvec_push(&run.argv, "--not");
	if (rc == 0 && remote)
		rc = strvec_pushf(&run.argv, "--remotes=%s", remote);
	if (rc == 0)
		rc = run_capture(&run, buf_str(input), input->len, out);
	if (rc > 0)
		rc = err_set(ERR_INVALID, "'git rev-list' failed with exit status %d", rc);
	run_release(&run);
	return rc;
}

/* One raw record: ":100644 100644 <old> <new> M", or with n colons n old modes and names ("-c" of a
 * merge). */
struct raw {
	uint32_t mode;
	uint8_t old_blob[REPO_ID_MAX], new_blob[REPO_ID_MAX];
	int has_old; /* the path was a regular file before */
};

static int parse_raw(struct raw *out, const struct repo *repo, const char *rec, size_t len)
{
	size_t parents = strspn(rec, ":"), hex = 2 * (size_t)repo->hash_len, k;
	const char *ids, *p = rec + parents;

	/* parents + 1 modes of 6 digits, as many names, a blank behind each */
	if (!parents || len < parents + (parents + 1) * (7 + hex + 1))
		return err_set(ERR_CORRUPT, "unexpected output of 'git diff-tree'");
	ids = p + (parents + 1) * 7;
	out->mode = (uint32_t)strtoul(p + parents * 7, NULL, 8);
	if (repo_id_parse(out->new_blob, repo, ids + parents * (hex + 1)) < 0)
		return ERR_CORRUPT;
	out->has_old = 0;
	for (k = 0; k < parents && !out->has_old; k++) {
		out->has_old = S_ISREG(strtoul(p + k * 7, NULL, 8));
		if (out->has_old && repo_id_parse(out->old_blob, repo, ids + k * (hex + 1)) < 0)
			return ERR_CORRUPT;
	}
	return 0;
}

/* What each of these commits changed, as candidates. */
static int diff_commits(struct scan_candidates *c, const struct repo *repo, struct buf *commits)
{
	struct run run = RUN_INIT;
	struct git_reader *r = NULL;
	struct raw raw;
	char *rec;
	size_t len;
	int rc, end;

	if (!commits->len)
		return 0;
	rc = git_prepare(&run, repo, "diff-tree", "--stdin", "-r", "-c", "--raw", "-z", "--root",
		"--no-renames", "--no-commit-id", "--no-abbrev", "--ignore-submodules=all",
		(char *)NULL);
	if (rc == 0)
		rc = git_reader_start(&r, &run, commits);
	while (rc == 0 && (rc = git_reader_next(r, '\0', &rec, &len)) > 0) {
		if ((rc = parse_raw(&raw, repo, rec, len)) < 0)
			break;
		if ((rc = git_reader_next(r, '\0', &rec, &len)) <= 0) {
			rc = rc < 0 ? rc : err_set(ERR_CORRUPT, "'git diff-tree' ended too early");
			break;
		}
		rc = 0;
		if (S_ISREG(raw.mode))
			rc = scan_candidates_add(c, repo, rec, len, raw.mode, raw.new_blob,
				raw.has_old ? raw.old_blob : NULL);
	}
	end = git_reader_finish(r);
	run_release(&run);
	return rc ? rc : end;
}

/* Trees and blobs that were named directly. */
static int scan_named(
	struct scan_list *l, const struct repo *repo, struct pointers *p, struct tips *t)
{
	size_t i;
	int rc = scan_candidates_resolve(&t->blobs, l, p);

	for (i = 0; i < t->trees.n && rc == 0; i++)
		rc = scan_tree(l, repo, p, t->trees.v[i]);
	return rc;
}

int scan_range(struct scan_list *l, const struct repo *repo, struct pointers *p,
	const struct strvec *include, const struct strvec *exclude, const char *exclude_remote)
{
	struct tips tips = TIPS_INIT;
	struct scan_candidates c = SCAN_CANDIDATES_INIT;
	struct buf commits = BUF_INIT;
	size_t i;
	int rc;

	if ((rc = tips_of(&tips, repo, include)) < 0)
		goto done;
	if (tips.commits.len) {
		for (i = 0; exclude && i < exclude->n; i++)
			if ((rc = buf_addf(&tips.commits, "^%s\n", exclude->v[i])) < 0)
				goto done;
		if ((rc = list_commits(&commits, repo, &tips.commits, exclude_remote)) < 0 ||
			(rc = diff_commits(&c, repo, &commits)) < 0 ||
			(rc = scan_candidates_resolve(&c, l, p)) < 0)
			goto done;
	}
	rc = scan_named(l, repo, p, &tips);
done:
	buf_release(&commits);
	scan_candidates_release(&c);
	tips_release(&tips);
	return rc;
}

/* ---- refs ---- */

/* The names of the objects that the chosen refs point at. */
static int ref_targets(struct strvec *out, const struct repo *repo, int which)
{
	struct run run = RUN_INIT;
	struct git_reader *r = NULL;
	char *line;
	size_t len;
	int rc, end;

	rc = git_prepare(&run, repo, "for-each-ref", "--format=%(objectname)", (char *)NULL);
	if (rc == 0 && (which & SCAN_TAGS))
		rc = strvec_push(&run.argv, "refs/tags");
	if (rc == 0 && (which & SCAN_BRANCHES))
		rc = strvec_pushl(&run.argv, "refs/heads", "refs/remotes", (char *)NULL);
	if (rc == 0)
		rc = git_reader_start(&r, &run, NULL);
	while (rc == 0 && (rc = git_reader_next(r, '\n', &line, &len)) > 0)
		rc = strvec_push(out, line);
	end = git_reader_finish(r);
	run_release(&run);
	return rc ? rc : end;
}

/* "<name> <path>" of each blob below these commits, each blob once: Git itself skips trees it has
 * seen. */
static int list_blobs(struct scan_candidates *c, const struct repo *repo, struct buf *commits)
{
	struct run run = RUN_INIT;
	struct git_reader *r = NULL;
	uint8_t id[REPO_ID_MAX];
	size_t len, hex = 2 * (size_t)repo->hash_len;
	char *line;
	int rc, end;

	if (!commits->len)
		return 0;
	rc = git_prepare(&run, repo, "rev-list", "--no-walk=unsorted", "--objects",
		"--filter=object:type=blob", "--filter-provided-objects", "--missing=allow-any",
		"--stdin", (char *)NULL);
	if (rc == 0)
		rc = git_reader_start(&r, &run, commits);
	while (rc == 0 && (rc = git_reader_next(r, '\n', &line, &len)) > 0) {
		rc = 0;
		if (len > hex && line[hex] == ' ' && repo_id_parse(id, repo, line) == 0)
			rc = scan_candidates_add(
				c, repo, line + hex + 1, len - hex - 1, S_IFREG | 0644, id, NULL);
	}
	end = git_reader_finish(r);
	run_release(&run);
	return rc ? rc : end;
}

int scan_refs(struct scan_list *l, const struct repo *repo, struct pointers *p, int which)
{
	struct strvec targets = STRVEC_INIT;
	struct tips tips = TIPS_INIT;
	struct scan_candidates c = SCAN_CANDIDATES_INIT;
	int rc;

	if ((rc = ref_targets(&targets, repo, which)) < 0 ||
		(rc = tips_of(&tips, repo, &targets)) < 0 ||
		(rc = list_blobs(&c, repo, &tips.commits)) < 0 ||
		(rc = scan_candidates_resolve(&c, l, p)) < 0)
		goto done;
	rc = scan_named(l, repo, p, &tips);
done:
	strvec_release(&targets);
	scan_candidates_release(&c);
	tips_release(&tips);
	return rc;
}

int scan_all_commits(struct scan_list *l, const struct repo *repo, struct pointers *p)
{
	struct scan_candidates c = SCAN_CANDIDATES_INIT;
	struct buf commits = BUF_INIT;
	int rc;

	/* --all covers HEAD, and the HEADs of linked worktrees. */
	if ((rc = git_run(repo, NULL, 0, &commits, "rev-list", "--reverse", "--all",
		     (char *)NULL)) < 0 ||
		(rc = diff_commits(&c, repo, &commits)) < 0)
		goto done;
	rc = scan_candidates_resolve(&c, l, p);
done:
	buf_release(&commits);
	scan_candidates_release(&c);
	return rc;
}
