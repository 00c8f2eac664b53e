/*
 * The list that scans fill, and the scans of one state: index, tree, a file of the worktree.
 *
 * Each scan first collects candidates (path and blob), and then has the pointer cache answer for
 * all of them at once.
 */
#include "lib/repo/scan.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/base/pathmatch.h"
#include "lib/base/fs.h"
#include "lib/repo/git.h"
#include "lib/repo/scan_candidates.h"
#include "lib/repo/source.h"

/* ---- the list ---- */

static struct scan_item *list_push(struct scan_list *l, const char *path, size_t len)
{
	if (array_room(&l->v, l->n, &l->cap, sizeof(*l->v)) < 0)
		return NULL;
	memset(&l->v[l->n], 0, sizeof *l->v);
	if (!(l->v[l->n].path = pathpool_keep(&l->paths, path, len)))
		return NULL;
	return &l->v[l->n++];
}

int scan_list_add(struct scan_list *l, const struct scan_item *item)
{
	struct scan_item *fresh = list_push(l, item->path, strlen(item->path));
	const char *path;

	if (fresh == NULL)
		return ERR_NOMEM;
	path = fresh->path;
	*fresh = *item;
	fresh->path = path;
	return 0;
}

void scan_list_release(struct scan_list *l)
{
	pathpool_free(&l->paths);
	free(l->v);
	*l = (struct scan_list)SCAN_LIST_INIT;
}

struct numbered {
	const struct oid *oid;
	size_t i;
};

static int cmp_numbered(const void *a, const void *b)
{
	const struct numbered *x = a, *y = b;
	int c = oid_cmp(x->oid, y->oid);

	return c ? c : (x->i > y->i) - (x->i < y->i);
}

int scan_list_unique_oid(struct scan_list *l)
{
	struct numbered *order = calloc(l->n ? l->n : 1, sizeof *order);
	char *drop = calloc(l->n ? l->n : 1, 1);
	size_t i, n = 0;
	int rc = 0;

	if (!order || !drop) {
		rc = err_set(ERR_NOMEM, "out of memory");
		goto done;
	}
	for (i = 0; i < l->n; i++)
		order[i] = (struct numbered){&l->v[i].oid, i};
	qsort(order, l->n, sizeof *order, cmp_numbered);
	for (i = 1; i < l->n; i++)
		drop[order[i].i] = oid_eq(order[i - 1].oid, order[i].oid) != 0;
	for (i = 0; i < l->n; i++)
		if (!drop[i])
			l->v[n++] = l->v[i];
	l->n = n;
done:
	free(order);
	free(drop);
	return rc;
}

int scan_list_filter_paths(struct scan_list *l, const char *const *paths, size_t n)
{
	size_t i, k, kept = 0;

	if (!n)
		return 0;
	for (i = 0; i < l->n; i++) {
		for (k = 0; k < n && !pathmatch_within(l->v[i].path, paths[k]); k++)
			;
		if (k < n)
			l->v[kept++] = l->v[i];
	}
	l->n = kept;
	return 0;
}

/* ---- candidates ---- */

static int candidates_query(struct scan_candidates *c, const uint8_t *blob, int hash_len)
{
	if (array_room(&c->q, c->n_q, &c->cap_q, sizeof(*c->q)) < 0)
		return ERR_NOMEM;
	memset(&c->q[c->n_q], 0, sizeof *c->q);
	memcpy(c->q[c->n_q++].blob, blob, (size_t)hash_len);
	return 0;
}

int scan_candidates_add(struct scan_candidates *c, const struct repo *repo, const char *path,
	size_t path_len, uint32_t mode, const uint8_t *blob, const uint8_t *base)
{
	struct scan_item *item = list_push(&c->list, path, path_len);
	int rc;

	if (!item)
		return err_set(ERR_NOMEM, "out of memory");
	memcpy(item->blob, blob, (size_t)repo->hash_len);
	item->mode = mode;
	/* Until scan_candidates_resolve, the sizes hold the number of the query. */
	item->size = c->n_q;
	if ((rc = candidates_query(c, blob, repo->hash_len)) < 0 || !base)
		return rc;
	item->has_base = 1;
	item->base_size = c->n_q;
	return candidates_query(c, base, repo->hash_len);
}

int scan_candidates_resolve(struct scan_candidates *c, struct scan_list *out, struct pointers *p)
{
	const struct pointers_query *q;
	struct scan_item *item;
	size_t i;
	int rc;

	if ((rc = pointers_resolve(p, c->q, c->n_q)) < 0)
		return rc;
	for (i = 0; i < c->list.n; i++) {
		q = &c->q[c->list.v[i].size];
		if (!pointers_is_pointer(q))
			continue;
		item = list_push(out, c->list.v[i].path, strlen(c->list.v[i].path));
		if (!item)
			return err_set(ERR_NOMEM, "out of memory");
		c->list.v[i].path = item->path;
		*item = c->list.v[i];
		item->oid = q->oid;
		item->size = q->size;
		item->odd = q->state == POINTERS_ODD;
		if (!item->has_base)
			continue;
		q = &c->q[item->base_size];
		item->has_base = pointers_is_pointer(q);
		item->base = q->oid;
		item->base_size = q->size;
	}
	return 0;
}

void scan_candidates_release(struct scan_candidates *c)
{
	scan_list_release(&c->list);
	free(c->q);
	*c = (struct scan_candidates)SCAN_CANDIDATES_INIT;
}

/* ---- the index ---- */

struct index_scan {
	const struct repo *repo;
	struct scan_candidates c;
	int tracked_only;
};

static int add_entry(const struct gitindex_entry *e, void *data)
{
	struct index_scan *s = data;
	struct scan_item *item;
	int rc;

	if (!S_ISREG(e->mode) || e->intent_to_add || (s->tracked_only && e->stage))
		return 0;
	rc = scan_candidates_add(&s->c, s->repo, e->path, e->path_len, e->mode, e->id, NULL);
	if (rc < 0)
		return rc;
	item = &s->c.list.v[s->c.list.n - 1];
	item->st = e->st;
	item->stage = e->stage;
	item->skip_worktree = e->skip_worktree;
	return 0;
}

int scan_index(struct scan_list *l, const struct repo *repo, struct pointers *p, int tracked_only)
{
	struct index_scan s = {repo, SCAN_CANDIDATES_INIT, tracked_only};
	struct gitindex *x = NULL;
	int rc;

	if ((rc = gitindex_read(&x, repo->dir->index, repo->hash_len)) == 0 &&
		(rc = gitindex_each(x, add_entry, &s)) == 0)
		rc = scan_candidates_resolve(&s.c, l, p);
	gitindex_free(x);
	scan_candidates_release(&s.c);
	return rc;
}

/* ---- trees ---- */

/* "<mode> <type> <name>\t<path>" */
static int add_tree_record(
	struct scan_candidates *c, const struct repo *repo, char *rec, size_t len)
{
	uint8_t id[REPO_ID_MAX];
	char *tab = memchr(rec, '\t', len), *end;
	unsigned long mode = strtoul(rec, &end, 8);

	if (!tab || *end != ' ' || tab - rec < 2 * repo->hash_len)
		return err_set(ERR_CORRUPT, "unexpected output of 'git ls-tree'");
	if (!S_ISREG(mode))
		return 0;
	if (repo_id_parse(id, repo, tab - 2 * repo->hash_len) < 0)
		return ERR_CORRUPT;
	return scan_candidates_add(
		c, repo, tab + 1, len - (size_t)(tab + 1 - rec), (uint32_t)mode, id, NULL);
}

int scan_tree(struct scan_list *l, const struct repo *repo, struct pointers *p, const char *treeish)
{
	struct scan_candidates c = SCAN_CANDIDATES_INIT;
	struct run run = RUN_INIT;
	struct git_reader *r = NULL;
	uint8_t id[REPO_ID_MAX];
	char hex[REPO_HEX_MAX + 1], *rec;
	size_t len;
	int rc, end;

	if ((rc = git_resolve(repo, treeish, id)) < 0)
		return rc;
	repo_id_hex(hex, repo, id);
	rc = git_prepare(&run, repo, "ls-tree", "-r", "-z", "--full-tree", hex, (char *)NULL);
	if (rc == 0)
		rc = git_reader_start(&r, &run, NULL);
	while (rc == 0 && (rc = git_reader_next(r, '\0', &rec, &len)) > 0)
		rc = add_tree_record(&c, repo, rec, len);
	end = git_reader_finish(r);
	rc = rc ? rc : end;
	if (rc == 0)
		rc = scan_candidates_resolve(&c, l, p);
	scan_candidates_release(&c);
	run_release(&run);
	return rc;
}

struct source_scan {
	const struct repo *repo;
	struct scan_candidates c;
};

static int add_file(const char *path, size_t len, uint32_t mode, const uint8_t *blob, void *data)
{
	struct source_scan *s = data;

	return scan_candidates_add(&s->c, s->repo, path, len, mode, blob, NULL);
}

int scan_source(
	struct scan_list *l, struct source *src, const struct repo *repo, struct pointers *p)
{
	struct source_scan s = {repo, SCAN_CANDIDATES_INIT};
	int rc = source_each(src, add_file, &s);

	if (rc == 0)
		rc = scan_candidates_resolve(&s.c, l, p);
	scan_candidates_release(&s.c);
	return rc;
}
