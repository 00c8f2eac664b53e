/*
 * Ignore rules: who hides a path, and how to make just that path visible.
 *
 * Git does not look into an excluded directory, so a negated line for a file below it does nothing.
 * Such a directory is brought back first, and everything in it is excluded again, one level after
 * the other:
 *
 *     !/data/            the directory itself
 *     /data/ *           (without the blank) what it holds
 *     !/data/a.json      the file that is wanted
 */
#include "lib/repo/ignore.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/repo/git.h"
#include "lib/repo/textfile.h"

void ignore_hits_release(struct ignore_hit *hits, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		free(hits[i].source);
		free(hits[i].pattern);
		hits[i] = (struct ignore_hit){0};
	}
}

void ignore_fix_release(struct ignore_fix *f)
{
	free(f->file);
	strvec_release(&f->lines);
	*f = (struct ignore_fix)IGNORE_FIX_INIT;
}

/* ---- asking Git ---- */

/* The next NUL-terminated field of out, NULL behind the last. */
static const char *next_field(const struct buf *out, size_t *pos)
{
	const char *field = buf_str(out) + *pos;

	if (*pos >= out->len)
		return NULL;
	*pos += strlen(field) + 1;
	return field;
}

/* One record of check-ignore: source, line, pattern, path. */
static int take_record(struct ignore_hit *hit, const struct buf *out, size_t *pos)
{
	const char *source = next_field(out, pos), *line = next_field(out, pos);
	const char *pattern = next_field(out, pos), *path = next_field(out, pos);

	if (!path)
		return err_set(ERR_CORRUPT, "'git check-ignore' ended before its last answer");
	if (!*source || *pattern == '!')
		return 0;
	hit->hidden = 1;
	hit->line = strtol(line, NULL, 10);
	hit->source = strdup(source);
	hit->pattern = strdup(pattern);
	return hit->source && hit->pattern ? 0 : err_set(ERR_NOMEM, "out of memory");
}

int ignore_check(
	const struct repo *repo, const char *const *paths, size_t n, struct ignore_hit *hits)
{
	struct buf input = BUF_INIT, out = BUF_INIT;
	size_t i, pos = 0;
	int rc = 0;

	memset(hits, 0, n * sizeof *hits);
	for (i = 0; i < n && rc == 0; i++)
		rc = buf_add(&input, paths[i], strlen(paths[i]) + 1);
	if (rc == 0)
		rc = git_status_of(repo, input.p, input.len, &out, "check-ignore", "--no-index",
			"-v", "-n", "-z", "--stdin", (char *)NULL);
	if (rc > 1) /* 1: none is ignored */
		rc = err_set(ERR_INVALID, "'git check-ignore' failed with exit status %d", rc);
	for (i = 0; rc >= 0 && i < n; i++)
		rc = take_record(&hits[i], &out, &pos);
	if (rc < 0)
		ignore_hits_release(hits, n);
	buf_release(&input);
	buf_release(&out);
	return rc < 0 ? rc : 0;
}

/* ---- planning ---- */

/* Length of the directory of an in-tree .gitignore with its slash; 0 for the top one and for rules
 * from elsewhere. */
static size_t source_dir_len(const char *source)
{
	static const char name[] = ".gitignore";
	size_t len = strlen(source), n = sizeof name - 1;

	if (source[0] == '/' || len < n || strcmp(source + len - n, name) != 0)
		return 0;
	len -= n;
	return !len || source[len - 1] == '/' ? len : 0;
}

/* Add the line "<before>/<path><after>", the path's special characters escaped. */
static int add_rule(
	struct strvec *lines, const char *before, const char *path, size_t len, const char *after)
{
	struct buf b = BUF_INIT;
	size_t i;
	int rc = buf_addf(&b, "%s/", before);

	for (i = 0; i < len && rc == 0; i++) {
		if (strchr("*?[\\", path[i]) || (path[i] == ' ' && i + 1 == len))
			rc = buf_addch(&b, '\\');
		if (rc == 0)
			rc = buf_addch(&b, path[i]);
	}
	if (rc == 0)
		rc = buf_addstr(&b, after);
	if (rc == 0)
		rc = strvec_push(lines, b.p);
	buf_release(&b);
	return rc;
}

int ignore_plan(struct ignore_fix *out, const struct ignore_hit *hit, const char *path,
	size_t excluded_len, int is_dir)
{
	size_t dir = source_dir_len(hit->source), len;
	struct buf file = BUF_INIT;
	int rc;

	if (strchr(path, '\n'))
		return err_set(ERR_INVALID, "no ignore rule can name '%s': it has a newline", path);
	if (dir >= excluded_len || strncmp(path, hit->source, dir) != 0)
		dir = 0;
	if ((rc = buf_add(&file, path, dir)) < 0 || (rc = buf_addstr(&file, ".gitignore")) < 0)
		goto done;
	if (!(out->file = buf_detach(&file))) {
		rc = err_set(ERR_NOMEM, "out of memory");
		goto done;
	}
	path += dir;
	for (len = excluded_len - dir; path[len]; len += 1 + strcspn(path + len + 1, "/"))
		if ((rc = add_rule(&out->lines, "!", path, len, "/")) < 0 ||
			(rc = add_rule(&out->lines, "", path, len, "/*")) < 0)
			goto done;
	rc = add_rule(&out->lines, "!", path, len, is_dir ? "/" : "");
done:
	buf_release(&file);
	return rc;
}

int ignore_find(struct ignore_fix *fix, struct ignore_hit *hit, const struct repo *repo,
	const char *path, int is_dir)
{
	struct strvec prefixes = STRVEC_INIT;
	struct ignore_hit *hits = NULL;
	size_t len, i;
	int rc = 0;

	/* The first directory on the way that is hidden is what the rule excludes. */
	for (len = strcspn(path, "/"); rc == 0; len += 1 + strcspn(path + len + 1, "/")) {
		rc = strvec_pushn(&prefixes, path, len);
		if (!path[len])
			break;
	}
	if (rc < 0)
		goto done;
	if (!(hits = calloc(prefixes.n, sizeof *hits))) {
		rc = err_set(ERR_NOMEM, "out of memory");
		goto done;
	}
	rc = ignore_check(repo, (const char *const *)prefixes.v, prefixes.n, hits);
	for (i = 0; rc == 0 && i < prefixes.n; i++) {
		if (!hits[i].hidden)
			continue;
		rc = ignore_plan(fix, &hits[i], path, strlen(prefixes.v[i]), is_dir);
		if (rc == 0) {
			*hit = hits[i];
			hits[i] = (struct ignore_hit){0};
			rc = 1;
		}
	}
done:
	if (hits)
		ignore_hits_release(hits, prefixes.n);
	free(hits);
	strvec_release(&prefixes);
	return rc;
}

/* ---- applying ---- */

int ignore_apply(const struct repo *repo, const struct ignore_fix *fix,
	const struct ignore_hit *hit, const char *path)
{
	struct buf before = BUF_INIT, after = BUF_INIT;
	struct ignore_hit now = {0};
	size_t i;
	int rc;

	if ((rc = textfile_read(&before, repo, fix->file)) < 0 ||
		(rc = buf_add(&after, before.p, before.len)) < 0)
		goto done;
	for (i = 0; i < fix->lines.n; i++)
		if ((rc = textfile_add_line(&after, fix->lines.v[i])) < 0)
			goto done;
	if ((rc = textfile_write(&after, repo, fix->file)) < 0 ||
		(rc = ignore_check(repo, &path, 1, &now)) < 0)
		goto done;
	rc = !now.hidden || now.line != hit->line || strcmp(now.source, hit->source) != 0;
	if (!rc)
		rc = textfile_write(&before, repo, fix->file);
done:
	ignore_hits_release(&now, 1);
	buf_release(&before);
	buf_release(&after);
	return rc;
}
