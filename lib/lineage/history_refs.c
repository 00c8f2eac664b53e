/*
 * Where history begins today: refs, HEAD, the HEADs of linked worktrees, and the commits that they
 * lead to.
 *
 * One `git for-each-ref` that opens no object; which commit a tag object means never changes, so
 * the index remembers it.  HEAD is read from its file, as in lib/setup/gitdir.c, and only where
 * that does not say it plainly - reftable, linked worktrees - Git is asked.
 */
#include "lib/lineage/history_internal.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/repo/git.h"

enum { HEAD_FILE_MAX = 4096 };

static int add_ref(struct history *h, const char *name, const char *hex)
{
	struct history_ref *ref;

	if (array_room(&h->refs, h->n_refs, &h->cap_refs, sizeof *h->refs) < 0)
		return ERR_NOMEM;
	ref = &h->refs[h->n_refs];
	*ref = (struct history_ref){.commit = HISTORY_NONE};
	if (repo_id_parse(ref->id, h->repo, hex) < 0)
		return ERR_CORRUPT;
	if (name && !(ref->name = pathpool_keep(&h->ref_pool, name, strlen(name))))
		return err_no_memory();
	h->n_refs++;
	return 0;
}

static int is_replacement(const char *name)
{
	return strncmp(name, "refs/replace/", strlen("refs/replace/")) == 0;
}

static int list_refs(struct history *h)
{
	size_t hex = 2 * (size_t)h->repo->hash_len, len;
	struct run run = RUN_INIT;
	struct git_reader *r = NULL;
	char *line;
	int rc = git_prepare(
		&run, h->repo, "for-each-ref", "--format=%(objectname) %(refname)", (char *)NULL);
	int end;

	if (rc == 0)
		rc = git_reader_start(&r, &run, NULL);
	while (rc == 0 && (rc = git_reader_next(r, '\n', &line, &len)) > 0) {
		rc = len > hex && line[hex] == ' '
			     ? 0
			     : err_set(ERR_CORRUPT, "unexpected output of 'git for-each-ref'");
		if (rc == 0 && !is_replacement(line + hex + 1))
			rc = add_ref(h, line + hex + 1, line);
	}
	end = git_reader_finish(r);
	run_release(&run);
	return rc ? rc : end;
}

/* ---- HEAD ---- */

/* The HEADs of all worktrees. */
static int list_worktrees(struct history *h)
{
	static const char head[] = "HEAD ";
	struct run run = RUN_INIT;
	struct git_reader *r = NULL;
	char *line;
	size_t len, i;
	int rc = git_prepare(&run, h->repo, "worktree", "list", "--porcelain", (char *)NULL), end;

	if (rc == 0)
		rc = git_reader_start(&r, &run, NULL);
	while (rc == 0 && (rc = git_reader_next(r, '\n', &line, &len)) > 0) {
		rc = 0;
		if (strncmp(line, head, strlen(head)) != 0)
			continue;
		i = strspn(line + strlen(head), "0"); /* an unborn branch */
		if (i < 2 * (size_t)h->repo->hash_len)
			rc = add_ref(h, NULL, line + strlen(head));
	}
	end = git_reader_finish(r);
	run_release(&run);
	return rc ? rc : end;
}

/* Which of the refs HEAD is - one of its own where it is detached.  *head: its place in refs,
 * SIZE_MAX: unborn.  1 if that is all, 0: Git has to be asked. */
static int read_head(struct history *h, size_t *head)
{
	static const char symbolic[] = "ref: ";
	struct buf path = BUF_INIT, text = {.max = HEAD_FILE_MAX};
	size_t i;
	int rc = fs_join(&path, h->repo->dir->git_dir, "HEAD");

	*head = SIZE_MAX;
	if (rc == 0)
		rc = buf_read_file(&text, path.p);
	buf_rtrim(&text);
	if (rc == 0 && strncmp(buf_str(&text), symbolic, strlen(symbolic)) == 0) {
		const char *name = text.p + strlen(symbolic);

		rc = strcmp(name, "refs/heads/.invalid") != 0;
		for (i = 0; i < h->n_refs && *head == SIZE_MAX; i++)
			if (strcmp(h->refs[i].name, name) == 0)
				*head = i;
	} else if (rc == 0 && text.len == 2 * (size_t)h->repo->hash_len) {
		rc = add_ref(h, "HEAD", text.p);
		*head = h->n_refs - 1;
		rc = rc < 0 ? rc : 1;
	}
	buf_release(&path);
	buf_release(&text);
	return rc;
}

/* What reftable's HEAD is. */
static int ask_head(struct history *h, size_t *head)
{
	uint8_t id[REPO_ID_MAX];
	char hex[REPO_HEX_MAX + 1];
	int rc = git_resolve(h->repo, "HEAD", id);

	if (rc == ERR_NOTFOUND)
		return 0;
	if (rc == 0) {
		repo_id_hex(hex, h->repo, id);
		rc = add_ref(h, NULL, hex);
		*head = h->n_refs - 1;
	}
	return rc;
}

static int has_linked_worktrees(const struct repo *repo)
{
	struct buf path = BUF_INIT;
	int has = fs_join(&path, repo->dir->common_dir, "worktrees") == 0 && fs_exists(path.p);

	buf_release(&path);
	return has;
}

static int find_head(struct history *h)
{
	int rc = read_head(h, &h->head_ref);

	if (rc == 0)
		rc = ask_head(h, &h->head_ref);
	if (rc >= 0 && has_linked_worktrees(h->repo))
		rc = list_worktrees(h);
	return rc < 0 ? rc : 0;
}

/* ---- the commits that they name ---- */

static int cmp_tag(const void *a, const void *b)
{
	return memcmp(a, b, REPO_ID_MAX);
}

static const struct history_tag *find_tag(const struct history *h, const uint8_t *id)
{
	return h->n_tags ? bsearch(id, h->tags, h->n_tags, sizeof *h->tags, cmp_tag) : NULL;
}

struct peeling {
	struct history_ref **v; /* `peeled` is the object that is asked for next */
	const struct repo *repo;
	struct buf text;
};

static const uint8_t *wanted(void *data, size_t i, enum history_peeling state)
{
	const struct history_ref *ref = ((struct peeling *)data)->v[i];

	return ref->peeling == state ? ref->peeled : NULL;
}

static const uint8_t *wanted_type(size_t i, void *data)
{
	return wanted(data, i, HISTORY_PEEL_OBJECT);
}

static const uint8_t *wanted_tag(size_t i, void *data)
{
	return wanted(data, i, HISTORY_PEEL_TAG);
}

/* It names no commit. */
static void end_peeling(struct history_ref *ref, enum history_peeling end)
{
	ref->peeling = end;
	memset(ref->peeled, 0, REPO_ID_MAX);
}

/* A ref whose own object is not here, or damaged, is taken for a commit: that Git will report. */
static int take_type(struct catfile *cat, const struct catfile_head *head, void *data)
{
	struct history_ref *ref = ((struct peeling *)data)->v[head->i];
	int is_own = memcmp(ref->peeled, ref->id, REPO_ID_MAX) == 0;

	(void)cat;
	if (head->type == GIT_TAG)
		ref->peeling = HISTORY_PEEL_TAG;
	else if (head->type == GIT_COMMIT || (head->type == GIT_MISSING && is_own))
		ref->peeling = HISTORY_PEELED;
	else
		end_peeling(ref, head->type == GIT_MISSING ? HISTORY_PEEL_MISSING : HISTORY_PEELED);
	return 0;
}

/* Go on to what the tag names, if that may lead to a commit: "object <id>", "type <word>". */
static int take_tag(struct catfile *cat, const struct catfile_head *head, void *data)
{
	static const char object[] = "object ", commit[] = "\ntype commit\n",
			  tag[] = "\ntype tag\n";
	struct peeling *p = data;
	struct history_ref *ref = p->v[head->i];
	size_t type = strlen(object) + 2 * (size_t)p->repo->hash_len;
	const char *text;
	int rc;

	buf_reset(&p->text);
	rc = catfile_take(cat, type + strlen(commit), &p->text);
	text = buf_str(&p->text);
	end_peeling(ref, HISTORY_PEELED);
	if (rc < 0 || p->text.len < type || strncmp(text, object, strlen(object)) != 0 ||
		(strncmp(text + type, commit, strlen(commit)) != 0 &&
			strncmp(text + type, tag, strlen(tag)) != 0))
		return rc;
	if (repo_id_parse(ref->peeled, p->repo, text + strlen(object)) == 0) {
		ref->peeling = HISTORY_PEEL_OBJECT;
	} else {
		err_clear();
		end_peeling(ref, HISTORY_PEELED);
	}
	return 0;
}

/* Ask which commits the refs mean; those that are new are appended to `tips` (ids). */
static int peel(struct history *h, struct history_ref **refs, size_t n, struct buf *tips)
{
	struct catfile *cat = objcache_catfile(h->reader);
	struct peeling p = {.v = refs, .repo = h->repo};
	size_t i, left;
	int rc = 0;

	for (i = 0; i < n; i++)
		memcpy(refs[i]->peeled, refs[i]->id, REPO_ID_MAX);
	for (left = n; rc == 0 && left > 0;) {
		rc = catfile_info(cat, n, wanted_type, take_type, &p);
		if (rc == 0)
			rc = catfile_each(cat, n, wanted_tag, take_tag, &p);
		for (i = 0, left = 0; i < n; i++)
			left += refs[i]->peeling < HISTORY_PEELED;
	}
	for (i = 0; rc == 0 && i < n; i++)
		if (!repo_id_is_zero(refs[i]->peeled) &&
			!history_find(h, refs[i]->peeled, &refs[i]->commit))
			rc = buf_add(tips, refs[i]->peeled, REPO_ID_MAX);
	buf_release(&p.text);
	return rc;
}

int history_read_refs(struct history *h, struct buf *tips)
{
	struct history_ref **unknown = NULL;
	size_t i, n = 0;
	int rc = list_refs(h);

	if (rc == 0)
		rc = find_head(h);
	if (rc == 0 && !(unknown = calloc(h->n_refs + 1, sizeof *unknown)))
		rc = err_no_memory();
	for (i = 0; rc == 0 && i < h->n_refs; i++) {
		const struct history_tag *tag;

		if (history_find(h, h->refs[i].id, &h->refs[i].commit))
			continue;
		if ((tag = find_tag(h, h->refs[i].id)))
			h->refs[i].commit = tag->commit;
		else
			unknown[n++] = &h->refs[i];
	}
	if (rc == 0 && n)
		rc = peel(h, unknown, n, tips);
	free(unknown);
	return rc;
}

/* 1 if it names something else than a commit, which leads to one or never will. */
static int is_tag(const struct history *h, const struct history_ref *ref)
{
	return ref->commit == HISTORY_NONE
		       ? ref->peeling != HISTORY_PEEL_MISSING
		       : memcmp(h->commits[ref->commit].id, ref->id, REPO_ID_MAX) != 0;
}

/* Of today's refs alone: what was deleted is not kept. */
static int keep_tags(struct history *h)
{
	struct history_tag *tags = calloc(h->n_refs + 1, sizeof *tags);
	size_t i, n = 0, kept = 0;

	if (!tags)
		return err_no_memory();
	for (i = 0; i < h->n_refs; i++) {
		const struct history_ref *ref = &h->refs[i];

		if (!is_tag(h, ref))
			continue;
		memcpy(tags[n].id, ref->id, REPO_ID_MAX);
		tags[n++].commit = ref->commit;
	}
	qsort(tags, n, sizeof *tags, cmp_tag);
	for (i = 0; i < n; i++)
		if (!kept || cmp_tag(&tags[kept - 1], &tags[i]) != 0)
			tags[kept++] = tags[i];
	free(h->tags);
	h->tags = tags;
	h->n_tags = kept;
	return 0;
}

int history_number_refs(struct history *h)
{
	size_t i;
	int changed = 0, rc;

	for (i = 0; i < h->n_refs; i++) {
		struct history_ref *ref = &h->refs[i];

		if (ref->commit == HISTORY_NONE && !repo_id_is_zero(ref->peeled))
			(void)history_find(h, ref->peeled, &ref->commit);
		changed |= is_tag(h, ref) && !find_tag(h, ref->id);
	}
	h->head = h->head_ref == SIZE_MAX ? HISTORY_NONE : h->refs[h->head_ref].commit;
	if (!changed)
		return 0;
	rc = keep_tags(h);
	return rc < 0 ? rc : 1;
}
