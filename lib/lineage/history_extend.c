/*
 * Making the index of history, and extending it by what is new.
 *
 * `git rev-list` lists the commits that are not indexed yet, parents first; `git diff-tree` says
 * what each changed against its first parent.  A few are read without them (history_few.c).
 */
#include "lib/lineage/history_internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/base/progress.h"
#include "lib/repo/git.h"

/* ---- elements ---- */

int history_find(const struct history *h, const uint8_t *id, uint32_t *number)
{
	struct oid key;
	uint32_t i;

	memcpy(key.id, id, sizeof key.id);
	if (h->by_id.n)
		return oidindex_get(&h->by_id, OIDARRAY(h->commits), &key, number);
	/* A table takes longer to make than to look through all of them for one or two. */
	for (i = 0; i < h->n_commits; i++) {
		if (memcmp(h->commits[i].id, id, REPO_ID_MAX) == 0) {
			*number = i;
			return 1;
		}
	}
	return 0;
}

int history_add_path(struct history *h, const char *path, uint32_t *number)
{
	void *known = strmap_get(&h->by_path, path);
	const char *copy;

	if (known) {
		*number = (uint32_t)((uintptr_t)known - 1);
		return 0;
	}
	if (h->n_paths >= HISTORY_NONE - 1)
		return err_set(ERR_LIMIT, "too many paths in history");
	copy = pathpool_keep(&h->path_pool, path, strlen(path));
	if (!copy || array_room(&h->paths, h->n_paths, &h->cap_paths, sizeof *h->paths) < 0)
		return err_no_memory();
	*number = (uint32_t)h->n_paths;
	h->paths[h->n_paths++] = copy;
	return strmap_put(&h->by_path, copy, (void *)((uintptr_t)*number + 1));
}

int history_add_version(struct history *h, const struct pointers_query *q, uint32_t *number)
{
	struct history_version *v;
	struct oid key;
	int rc;

	memcpy(key.id, q->blob, sizeof key.id);
	if (h->n_versions && oidindex_get(&h->by_blob, OIDARRAY(h->versions), &key, number))
		return 0;
	if (array_room(&h->versions, h->n_versions, &h->cap_versions, sizeof *h->versions) < 0)
		return ERR_NOMEM;
	*number = (uint32_t)h->n_versions;
	v = &h->versions[h->n_versions++];
	*v = (struct history_version){.state = q->state};
	memcpy(v->blob, q->blob, REPO_ID_MAX);
	if (pointers_is_pointer(q)) {
		v->oid = q->oid;
		v->size = q->size;
	}
	rc = oidindex_add(&h->by_blob, OIDARRAY(h->versions), *number);
	return rc < 0 ? rc : 0;
}

/* Refs are many: from now on commits are found by a table.  ERR_CORRUPT: one stands there twice. */
static int index_commits(struct history *h)
{
	uint32_t i;
	int rc = h->by_id.n ? 0 : oidindex_reserve(&h->by_id, h->n_commits);

	for (i = (uint32_t)h->by_id.n; i < h->n_commits && rc == 0; i++) {
		rc = oidindex_add(&h->by_id, OIDARRAY(h->commits), i);
		rc = rc < 0 ? rc : rc == 1 ? 0 : ERR_CORRUPT;
	}
	return rc;
}

/* Ready to be extended: what is there can be looked up. */
static int index_elements(struct history *h)
{
	uint32_t i;
	int rc = oidindex_reserve(&h->by_blob, h->n_versions);

	for (i = 0; i < h->n_versions && rc >= 0; i++)
		rc = oidindex_add(&h->by_blob, OIDARRAY(h->versions), i);
	for (i = 0; i < h->n_paths && rc >= 0; i++)
		rc = strmap_put(&h->by_path, h->paths[i], (void *)((uintptr_t)i + 1));
	return rc < 0 ? rc : 0;
}

/* ---- which commits are new ---- */

static int mark_reached(struct history *h)
{
	size_t i;
	uint32_t k;

	free(h->reach);
	if (!(h->reach = calloc(h->n_commits + 1, 1)))
		return err_no_memory();
	for (i = 0; i < h->n_refs; i++)
		if (h->refs[i].commit != HISTORY_NONE)
			h->reach[h->refs[i].commit] = 1;
	for (i = h->n_commits; i-- > 0;)
		for (k = 0; h->reach[i] && k < h->commits[i].n_parents; k++)
			h->reach[h->parents[h->commits[i].parents + k]] = 1;
	return 0;
}

/* "^<commit>" for each that is indexed and reached, and has no child that is both.  Where refs were
 * not asked for, all count as reached. */
static int exclude_known(const struct history *h, struct buf *input)
{
	uint8_t *has_child = calloc(h->n_commits + 1, 1);
	char hex[REPO_HEX_MAX + 1];
	size_t i;
	uint32_t k;
	int rc = has_child ? 0 : err_no_memory();

	for (i = h->n_commits; rc == 0 && i-- > 0;) {
		if (h->reach && !h->reach[i])
			continue;
		if (!has_child[i]) {
			repo_id_hex(hex, h->repo, h->commits[i].id);
			rc = buf_addf(input, "^%s\n", hex);
		}
		for (k = 0; k < h->commits[i].n_parents; k++)
			has_child[h->parents[h->commits[i].parents + k]] = 1;
	}
	free(has_child);
	return rc;
}

int history_add_commit(struct history *h, const uint8_t *id, int64_t when,
	const uint8_t (*parents)[REPO_ID_MAX], size_t n)
{
	struct history_commit *c;
	uint32_t known;
	int rc;

	if (array_room(&h->commits, h->n_commits, &h->cap_commits, sizeof *h->commits) < 0)
		return ERR_NOMEM;
	c = &h->commits[h->n_commits];
	*c = (struct history_commit){.when = when, .parents = (uint32_t)h->n_parents};
	memcpy(c->id, id, REPO_ID_MAX);
	for (; c->n_parents < n; c->n_parents++) {
		if (!history_find(h, parents[c->n_parents], &known))
			return err_set(ERR_CORRUPT, "a commit came before its parents");
		if (array_room(&h->parents, h->n_parents, &h->cap_parents, sizeof *h->parents) < 0)
			return ERR_NOMEM;
		h->parents[h->n_parents++] = known;
	}
	rc = oidindex_add(&h->by_id, OIDARRAY(h->commits), (uint32_t)h->n_commits++);
	return rc < 0 ? rc : 0;
}

/* Add the commit of a line "<time> <commit> <parent>…", and its question to diff-tree. */
static int add_commit(struct history *h, char *line, struct buf *questions)
{
	size_t hex = 2 * (size_t)h->repo->hash_len;
	struct buf parents = BUF_INIT;
	uint8_t id[REPO_ID_MAX], parent[REPO_ID_MAX];
	uint32_t known;
	char *p;
	int64_t when = strtoll(line, &p, 10);
	int rc = 0;

	if (*p++ != ' ' || repo_id_parse(id, h->repo, p) < 0)
		return err_set(ERR_CORRUPT, "unexpected output of 'git rev-list'");
	if (history_find(h, id, &known))
		return 0;
	if ((rc = buf_add(questions, p, p[hex] ? 2 * hex + 1 : hex)) < 0 ||
		(rc = buf_addch(questions, '\n')) < 0)
		return rc;
	for (p += hex; rc == 0 && *p == ' '; p += hex) {
		rc = repo_id_parse(parent, h->repo, ++p);
		if (rc == 0)
			rc = buf_add(&parents, parent, sizeof parent);
	}
	if (rc == 0)
		rc = history_add_commit(h, id, when, (const uint8_t(*)[REPO_ID_MAX])parents.p,
			parents.len / sizeof parent);
	buf_release(&parents);
	return rc;
}

static int list_commits(struct history *h, const struct buf *tips, struct buf *questions)
{
	struct run run = RUN_INIT;
	struct git_reader *r = NULL;
	struct buf input = BUF_INIT;
	char hex[REPO_HEX_MAX + 1], *line;
	size_t i, len;
	int rc = 0, end;

	for (i = 0; i < tips->len && rc == 0; i += REPO_ID_MAX) {
		repo_id_hex(hex, h->repo, (const uint8_t *)tips->p + i);
		rc = buf_addf(&input, "%s\n", hex);
	}
	if (rc == 0)
		rc = exclude_known(h, &input);
	if (rc == 0)
		rc = git_prepare(&run, h->repo, "rev-list", "--topo-order", "--reverse",
			"--parents", "--timestamp", (char *)NULL);
	if (rc == 0 && !h->reach) /* what nothing reaches any more may be gone */
		rc = strvec_push(&run.argv, "--ignore-missing");
	if (rc == 0)
		rc = strvec_push(&run.argv, "--stdin");
	if (rc == 0)
		rc = git_reader_start(&r, &run, &input);
	while (rc == 0 && (rc = git_reader_next(r, '\n', &line, &len)) > 0)
		rc = add_commit(h, line, questions);
	end = git_reader_finish(r);
	run_release(&run);
	buf_release(&input);
	return rc ? rc : end;
}

/* ---- what they changed, as diff-tree tells it ---- */

/* ":100644 100644 <old> <new> M" and the path. */
static int take_change(
	struct history_changes *changes, const char *rec, size_t len, const char *path)
{
	const struct repo *repo = changes->h->repo;
	size_t hex = 2 * (size_t)repo->hash_len;
	uint8_t before[REPO_ID_MAX], after[REPO_ID_MAX];

	if (len < 1 + 14 + 2 * (hex + 1) || repo_id_parse(before, repo, rec + 15) < 0 ||
		repo_id_parse(after, repo, rec + 15 + hex + 1) < 0)
		return err_set(ERR_CORRUPT, "unexpected output of 'git diff-tree'");
	return history_changes_add(changes, path,
		S_ISREG(strtoul(rec + 1, NULL, 8)) ? before : NULL,
		S_ISREG(strtoul(rec + 8, NULL, 8)) ? after : NULL);
}

/* A record of diff-tree: the name of a commit, or a change and, as the next record, its path. */
static int read_record(struct history_changes *c, struct git_reader *r, char *rec, size_t len)
{
	struct buf copy = BUF_INIT;
	uint8_t id[REPO_ID_MAX];
	char *path;
	size_t path_len;
	int rc;

	if (*rec != ':') {
		if (len != 2 * (size_t)c->h->repo->hash_len ||
			repo_id_parse(id, c->h->repo, rec) < 0 ||
			!history_find(c->h, id, &c->commit))
			return err_set(ERR_CORRUPT, "unexpected output of 'git diff-tree'");
		return 0;
	}
	if ((rc = buf_add(&copy, rec, len)) < 0)
		return rc;
	rc = git_reader_next(r, '\0', &path, &path_len);
	if (rc == 0)
		rc = err_set(ERR_CORRUPT, "'git diff-tree' ended too early");
	else if (rc > 0)
		rc = take_change(c, copy.p, len, path);
	buf_release(&copy);
	return rc;
}

/* `questions` is used up. */
static int diff_commits(struct history *h, size_t first, struct buf *questions, struct pointers *p)
{
	struct history_changes c;
	struct run run = RUN_INIT;
	struct git_reader *r = NULL;
	char *rec;
	size_t len;
	int rc, end;

	rc = git_prepare(&run, h->repo, "diff-tree", "--stdin", "-r", "--raw", "-z", "--root",
		"--no-renames", "--no-abbrev", "--ignore-submodules=all", (char *)NULL);
	if (rc == 0)
		rc = strvec_push(&run.env, "GIT_ALLOW_PROTOCOL=none");
	if (git_is_partial(h->repo))
		run.err = RUN_NULL; /* that it may not fetch */
	history_changes_begin(&c, h, p, first);
	if (rc == 0)
		rc = git_reader_start(&r, &run, questions);
	while (rc == 0 && (rc = git_reader_next(r, '\0', &rec, &len)) > 0)
		rc = read_record(&c, r, rec, len);
	rc = history_changes_end(&c, rc);
	end = git_reader_finish(r);
	run_release(&run);
	return rc ? rc : end;
}

/* ---- all together ---- */

/* What was not here when the file was written may be now. */
static int ask_again(struct history *h, struct pointers *p)
{
	struct pointers_query *q = calloc(h->n_versions + 1, sizeof *q);
	size_t i, n = 0;
	int rc = q ? 0 : err_no_memory();

	for (i = 0; rc == 0 && i < h->n_versions; i++)
		if (h->versions[i].state == POINTERS_MISSING)
			memcpy(q[n++].blob, h->versions[i].blob, REPO_ID_MAX);
	if (rc == 0 && n)
		rc = pointers_resolve(p, q, n);
	for (i = 0, n = 0; rc == 0 && i < h->n_versions; i++) {
		struct history_version *v = &h->versions[i];

		if (v->state != POINTERS_MISSING)
			continue;
		v->state = q[n].state;
		if (pointers_is_pointer(&q[n])) {
			v->oid = q[n].oid;
			v->size = q[n].size;
		}
		n++;
	}
	free(q);
	return rc;
}

/* Where diff-tree fails in a partial clone, trees are missing, and it was not let fetch them. */
static int add_many(struct history *h, const struct buf *tips, struct pointers *p)
{
	struct buf questions = BUF_INIT;
	size_t first = h->n_commits, n_changes = h->n_changes, i;
	int rc = list_commits(h, tips, &questions);

	if (rc == 0 && questions.len)
		rc = diff_commits(h, first, &questions, p);
	if (rc < 0 && rc != ERR_INTERRUPTED && rc != ERR_NOMEM && h->n_commits > first &&
		git_is_partial(h->repo)) {
		h->n_changes = n_changes;
		for (i = first; i < h->n_commits; i++)
			h->commits[i].n_changes = 0;
		rc = history_add_whole(h, first, p);
	}
	buf_release(&questions);
	return rc;
}

static int add_new(struct history *h, const struct buf *tips, struct pointers *p)
{
	int rc = index_elements(h);

	if (rc == 0)
		rc = history_add_few(h, tips, p);
	if (rc == 0)
		rc = add_many(h, tips, p);
	return rc < 0 ? rc : 0;
}

int history_extend_to(struct history *h, const uint8_t *tip)
{
	struct buf tips = BUF_INIT;
	struct pointers *p = NULL;
	size_t n = h->n_commits;
	int rc;

	if (!n || h->stale || h->has_refs)
		return history_extend(h);
	rc = index_commits(h);
	if (rc == 0)
		rc = buf_add(&tips, tip, REPO_ID_MAX);
	if (rc == 0)
		rc = pointers_open_on(&p, h->repo, objcache_catfile(h->reader));
	if (rc == 0)
		rc = add_new(h, &tips, p);
	if (rc == 0 && h->n_commits > n)
		history_save(h);
	else if (rc < 0)
		history_clear(h); /* half of it is of no use */
	pointers_close(p);
	buf_release(&tips);
	return rc == ERR_CORRUPT ? history_extend(h) : rc;
}

int history_extend(struct history *h)
{
	struct buf tips = BUF_INIT;
	struct pointers *p = NULL;
	int rc, changed = h->stale;

	if (h->has_refs)
		return 0;
	rc = index_commits(h);
	if (rc == ERR_CORRUPT) {
		history_clear(h);
		rc = 0;
	}
	if (rc == 0)
		rc = history_read_refs(h, &tips);
	if (rc == 0 && (tips.len || h->stale))
		rc = pointers_open_on(&p, h->repo, objcache_catfile(h->reader));
	if (rc == 0 && h->stale)
		rc = ask_again(h, p);
	if (rc == 0)
		rc = mark_reached(h);
	if (rc == 0 && tips.len)
		rc = add_new(h, &tips, p);
	if (rc == 0)
		rc = history_number_refs(h);
	if (rc > 0 || tips.len)
		changed = 1;
	if (rc >= 0)
		rc = mark_reached(h);
	if (rc == 0 && changed)
		history_save(h);
	if (rc == 0)
		h->has_refs = 1;
	else
		history_clear(h); /* half of it must not be saved by the next question */
	pointers_close(p);
	buf_release(&tips);
	return rc;
}
