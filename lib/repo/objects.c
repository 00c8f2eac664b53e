/*
 * Type, size and content of Git objects through `git cat-file --batch…`: all questions in one
 * process.
 *
 * Git before 2.44 has no switch against lazy fetching in cat-file, and one question for a promised
 * object would start a fetch per object.  In a partial clone the names are therefore passed through
 * `git rev-list --missing=allow-any` first, which never fetches; only what it lets through is asked
 * for.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/repo/git.h"

static int add_hex_line(struct buf *b, const struct repo *repo, const uint8_t *id)
{
	char hex[REPO_HEX_MAX + 2];

	repo_id_hex(hex, repo, id);
	hex[2 * repo->hash_len] = '\n';
	return buf_add(b, hex, 2 * (size_t)repo->hash_len + 1);
}

static int cmp_id(const void *a, const void *b)
{
	return memcmp(a, b, REPO_ID_MAX);
}

struct id_set {
	uint8_t (*v)[REPO_ID_MAX];
	size_t n;
};

static int id_set_has(const struct id_set *s, const uint8_t *id)
{
	return bsearch(id, s->v, s->n, REPO_ID_MAX, cmp_id) != NULL;
}

/* Sorted copy of the names. */
static int id_set_of(struct id_set *out, const struct git_object *o, size_t n)
{
	size_t i;

	if (!(out->v = calloc(n ? n : 1, REPO_ID_MAX)))
		return err_set(ERR_NOMEM, "out of memory");
	for (i = 0; i < n; i++)
		memcpy(out->v[i], o[i].id, REPO_ID_MAX);
	out->n = n;
	qsort(out->v, n, REPO_ID_MAX, cmp_id);
	return 0;
}

/* Add each name that `r` prints and that is among the `asked`: trees bring along what nobody asked
 * for. */
static int read_present(struct id_set *out, const struct repo *repo, struct git_reader *r,
	const struct id_set *asked)
{
	uint8_t id[REPO_ID_MAX];
	char *line;
	size_t len;
	int rc;

	if (!(out->v = calloc(asked->n ? asked->n : 1, REPO_ID_MAX)))
		return err_set(ERR_NOMEM, "out of memory");
	while ((rc = git_reader_next(r, '\n', &line, &len)) > 0)
		if (len == 2 * (size_t)repo->hash_len && repo_id_parse(id, repo, line) == 0 &&
			id_set_has(asked, id) && out->n < asked->n)
			memcpy(out->v[out->n++], id, REPO_ID_MAX);
	qsort(out->v, out->n, REPO_ID_MAX, cmp_id);
	return rc;
}

/* Of these objects, those that are in the repository. */
static int present_set(
	struct id_set *out, const struct repo *repo, const struct git_object *o, size_t n)
{
	struct id_set asked = {NULL, 0};
	struct run run = RUN_INIT;
	struct git_reader *r = NULL;
	struct buf input = BUF_INIT;
	size_t i;
	int rc, end;

	rc = id_set_of(&asked, o, n);
	for (i = 0; i < n && rc == 0; i++)
		rc = add_hex_line(&input, repo, o[i].id);
	if (rc == 0)
		rc = git_prepare(&run, repo, "rev-list", "--no-walk=unsorted", "--objects",
			"--no-object-names", "--missing=allow-any", "--ignore-missing", "--stdin",
			(char *)NULL);
	if (rc == 0)
		rc = git_reader_start(&r, &run, &input);
	if (rc == 0)
		rc = read_present(out, repo, r, &asked);
	end = git_reader_finish(r);
	run_release(&run);
	buf_release(&input);
	free(asked.v);
	return rc && end != ERR_INTERRUPTED ? rc : end;
}

static enum git_type type_of(const char *word, size_t len)
{
	static const char *const words[] = {"commit", "tree", "blob", "tag"};
	size_t i;

	for (i = 0; i < 4; i++)
		if (strlen(words[i]) == len && !memcmp(words[i], word, len))
			return (enum git_type)(GIT_COMMIT + i);
	return GIT_MISSING;
}

/* "blob 123"; "<name> missing" or "… ambiguous" yields GIT_MISSING. */
static enum git_type parse_answer(const char *line, uint64_t *size)
{
	const char *space = strchr(line, ' ');
	enum git_type t = space ? type_of(line, (size_t)(space - line)) : GIT_MISSING;

	*size = t == GIT_MISSING ? 0 : strtoull(space + 1, NULL, 10);
	return t;
}

/* Start cat-file on the objects that `present` has (NULL: on all). */
static int start_cat_file(struct git_reader **out, const struct repo *repo, const char *mode,
	const struct git_object *o, size_t n, const struct id_set *present)
{
	struct run run = RUN_INIT;
	struct buf input = BUF_INIT;
	size_t i;
	int rc = 0;

	for (i = 0; i < n && rc == 0; i++)
		if (!present || id_set_has(present, o[i].id))
			rc = add_hex_line(&input, repo, o[i].id);
	if (rc == 0)
		rc = git_prepare(&run, repo, "cat-file", "--buffer", mode, (char *)NULL);
	if (rc == 0)
		rc = git_reader_start(out, &run, &input);
	run_release(&run);
	buf_release(&input);
	return rc;
}

/* Of a partial clone: what may be asked for.  *p stays NULL otherwise. */
static int limit_to_present(struct id_set *set, const struct id_set **p, const struct repo *repo,
	const struct git_object *o, size_t n)
{
	if (!git_is_partial(repo))
		return 0;
	*p = set;
	return present_set(set, repo, o, n);
}

int git_objects_info(const struct repo *repo, struct git_object *objects, size_t n)
{
	struct id_set set = {NULL, 0};
	const struct id_set *present = NULL;
	struct git_reader *r = NULL;
	char *line;
	size_t i, len;
	int rc, end;

	if (!n)
		return 0;
	rc = limit_to_present(&set, &present, repo, objects, n);
	if (rc == 0)
		rc = start_cat_file(
			&r, repo, "--batch-check=%(objecttype) %(objectsize)", objects, n, present);
	for (i = 0; rc == 0 && i < n; i++) {
		objects[i].type = GIT_MISSING;
		objects[i].size = 0;
		if (present && !id_set_has(present, objects[i].id))
			continue;
		rc = git_reader_next(r, '\n', &line, &len);
		if (rc == 0)
			rc = err_set(ERR_CORRUPT, "'git cat-file' ended before its last answer");
		if (rc > 0) {
			objects[i].type = parse_answer(line, &objects[i].size);
			rc = 0;
		}
	}
	end = git_reader_finish(r);
	free(set.v);
	return rc && end != ERR_INTERRUPTED ? rc : end;
}

/* Read one answer of --batch: header line, content, newline. */
static int read_answer(struct git_reader *r, struct buf *content, enum git_type *type)
{
	char *line;
	size_t len;
	uint64_t size;
	int rc = git_reader_next(r, '\n', &line, &len);

	if (rc <= 0)
		return rc < 0 ? rc : err_set(ERR_CORRUPT, "'git cat-file' ended too early");
	buf_reset(content);
	*type = parse_answer(line, &size);
	if (*type == GIT_MISSING)
		return 0;
	if (size > BUF_MAX_DEFAULT - 1)
		return err_set(ERR_LIMIT, "a Git object of %llu bytes is too large to read",
			(unsigned long long)size);
	if ((rc = git_reader_bytes(r, (size_t)size + 1, content)) < 0)
		return rc;
	buf_truncate(content, (size_t)size);
	return 0;
}

int git_objects_read(const struct repo *repo, const struct git_object *objects, size_t n,
	int (*fn)(size_t i, enum git_type type, const void *data, size_t len, void *arg), void *arg)
{
	struct id_set set = {NULL, 0};
	const struct id_set *present = NULL;
	struct git_reader *r = NULL;
	struct buf content = BUF_INIT;
	enum git_type type;
	size_t i;
	int rc, end;

	if (!n)
		return 0;
	rc = limit_to_present(&set, &present, repo, objects, n);
	if (rc == 0)
		rc = start_cat_file(
			&r, repo, "--batch=%(objecttype) %(objectsize)", objects, n, present);
	for (i = 0; rc == 0 && i < n; i++) {
		type = GIT_MISSING;
		buf_reset(&content);
		if (!present || id_set_has(present, objects[i].id))
			rc = read_answer(r, &content, &type);
		if (rc == 0)
			rc = fn(i, type, type == GIT_MISSING ? NULL : buf_str(&content),
				content.len, arg);
	}
	end = git_reader_finish(r);
	free(set.v);
	buf_release(&content);
	return rc && end != ERR_INTERRUPTED ? rc : end;
}
