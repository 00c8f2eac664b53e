/*
 * Staged changes, out of the raw format of `git diff-index` and `git diff-tree`: ":<old mode> <new
 * mode> <old id> <new id> <status>" NUL <path> NUL.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/err.h"
#include "lib/repo/git.h"
#include "lib/repo/scan_candidates.h"
#include "lib/repo/staged.h"

void staged_release(struct staged *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->v[i].path);
	free(s->v);
	*s = (struct staged)STAGED_INIT;
}

static int parse_side(uint32_t *mode, struct pointers_query *q, const struct repo *repo,
	const char *mode_text, const char *id_text)
{
	char *end;

	*mode = (uint32_t)strtoul(mode_text, &end, 8);
	q->state = S_ISREG(*mode) ? POINTERS_UNKNOWN : POINTERS_NO;
	return *end != ' ' ? err_set(ERR_CORRUPT, "bad mode in Git's list of changes")
			   : repo_id_parse(q->blob, repo, id_text);
}

/* `record` is the part before the path. */
static int parse_record(
	struct staged_change *c, const struct repo *repo, const char *record, size_t len)
{
	size_t hex = 2 * (size_t)repo->hash_len, ids = strlen(":100644 100644 ");
	int rc;

	if (len < ids + 2 * (hex + 1) + 1 || record[0] != ':')
		return err_set(ERR_CORRUPT, "unexpected record in Git's list of changes");
	rc = parse_side(&c->old_mode, &c->old, repo, record + 1, record + ids);
	if (rc == 0)
		rc = parse_side(&c->new_mode, &c->new, repo, record + 8, record + ids + hex + 1);
	c->status = record[ids + 2 * (hex + 1)];
	return rc;
}

static int append(struct staged *s, const struct staged_change *c)
{
	if (s->n == s->cap) {
		size_t cap = s->cap > 0 ? 2 * s->cap : 64;
		struct staged_change *v = realloc(s->v, cap * sizeof(*v));

		if (v == NULL)
			return err_set(ERR_NOMEM, "out of memory");
		s->v = v;
		s->cap = cap;
	}
	s->v[s->n++] = *c;
	return 0;
}

static int read_change(struct staged *s, const struct repo *repo, struct git_reader *r)
{
	struct staged_change c = {0};
	char *record;
	size_t len;
	int rc = git_reader_next(r, '\0', &record, &len);

	if (rc <= 0)
		return rc;
	rc = parse_record(&c, repo, record, len);
	if (rc < 0)
		return rc;
	rc = git_reader_next(r, '\0', &record, &len);
	if (rc == 0)
		rc = err_set(ERR_CORRUPT, "Git's list of changes ended inside a record");
	if (rc < 0)
		return rc;
	c.path = strdup(record);
	if (c.path == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	rc = append(s, &c);
	if (rc < 0)
		free(c.path);
	return rc < 0 ? rc : 1;
}

/* `new` NULL: the index.  `quiet`: a failure is expected. */
static int list_between(
	struct staged *s, const struct repo *repo, const char *old, const char *new, int quiet)
{
	struct run run = RUN_INIT;
	struct git_reader *r = NULL;
	int end, rc;

	run.err = quiet ? RUN_NULL : RUN_INHERIT;
	rc = git_prepare(&run, repo, new ? "diff-tree" : "diff-index", new ? "-r" : "--cached",
		"--raw", "-z", "--no-renames", "--no-abbrev", "--ignore-submodules", old, NULL);
	if (rc == 0 && new != NULL)
		rc = strvec_push(&run.argv, new);
	if (rc == 0)
		rc = strvec_push(&run.argv, "--");
	if (rc == 0)
		rc = git_reader_start(&r, &run, NULL);
	while (rc == 0 && (rc = read_change(s, repo, r)) > 0)
		rc = 0;
	end = git_reader_finish(r);
	run_release(&run);
	return rc < 0 ? rc : end;
}

int staged_list(struct staged *s, const struct repo *repo)
{
	int rc = list_between(s, repo, "HEAD", NULL, 1);

	if (rc == 0)
		return 0;
	/* no HEAD, most likely; else the second time Git may say why */
	err_clear();
	staged_release(s);
	s->unborn = !git_has_head(repo);
	return list_between(s, repo, s->unborn ? git_empty_tree(repo) : "HEAD", NULL, 0);
}

int staged_list_between(struct staged *s, const struct repo *repo, const char *old, const char *new)
{
	return list_between(s, repo, old, new, 0);
}

int staged_resolve(struct staged *s, struct pointers *p)
{
	struct pointers_query *q = calloc(s->n > 0 ? 2 * s->n : 1, sizeof(*q));
	int rc;

	if (q == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < s->n; i++) {
		q[2 * i] = s->v[i].old;
		q[2 * i + 1] = s->v[i].new;
	}
	rc = pointers_resolve(p, q, 2 * s->n);
	for (size_t i = 0; rc == 0 && i < s->n; i++) {
		s->v[i].old = q[2 * i];
		s->v[i].new = q[2 * i + 1];
	}
	free(q);
	return rc;
}

int staged_old_pointers(
	const struct staged *s, struct scan_list *l, const struct repo *repo, struct pointers *p)
{
	struct scan_candidates c = SCAN_CANDIDATES_INIT;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < s->n; i++)
		if (S_ISREG(s->v[i].old_mode))
			rc = scan_candidates_add(&c, repo, s->v[i].path, strlen(s->v[i].path),
				s->v[i].old_mode, s->v[i].old.blob, NULL);
	if (rc == 0)
		rc = scan_candidates_resolve(&c, l, p);
	scan_candidates_release(&c);
	return rc;
}
