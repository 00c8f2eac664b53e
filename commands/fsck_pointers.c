/*
 * `git dvx fsck`, pointers: each in the one canonical spelling, each file that is to be a pointer
 * one, and the pointer cache saying what the blobs say.
 */
#include "commands/fsck.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/repo/attrs.h"
#include "lib/repo/git.h"
#include "lib/repo/scan.h"
#include "lib/repo/staged.h"
#include "lib/store/pointer.h"

/* ---- pointers that are some ---- */

struct reading {
	struct fsck *f;
	const struct scan_list *list;
};

static int compare(size_t i, enum git_type type, const void *data, size_t len, void *arg)
{
	const struct reading *r = arg;
	const struct scan_item *item = &r->list->v[i];
	char hex[OID_HEX_LEN + 1], blob[REPO_HEX_MAX + 1];
	struct pointer p;

	oid_to_hex(hex, &item->oid);
	repo_id_hex(blob, &r->f->ctx->repo, item->blob);
	if (type == GIT_MISSING)
		return 0;
	if (pointer_parse(&p, data, len) < 0 || !oid_eq(&p.oid, &item->oid) || p.size != item->size)
		fsck_problem(r->f, "pointerCache", item->path, hex,
			"store: the pointer cache is wrong about blob %s (%s); remove "
			"'%s/pointers'",
			blob, item->path, r->f->ctx->g->dvx_dir);
	return 0;
}

/* What the cache says against the blobs themselves. */
static int check_cache(struct fsck *f, const struct scan_list *l)
{
	struct git_object *o = calloc(l->n + 1, sizeof(*o));
	struct reading r = {f, l};
	int rc;

	if (!o)
		return err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < l->n; i++)
		memcpy(o[i].id, l->v[i].blob, sizeof(o[i].id));
	rc = git_objects_read(&f->ctx->repo, o, l->n, compare, &r);
	free(o);
	return rc;
}

static int check_spelling(struct fsck *f)
{
	struct scan_list l = SCAN_LIST_INIT;
	char hex[OID_HEX_LEN + 1], blob[REPO_HEX_MAX + 1];
	int rc = fsck_list(f, &l, 0);

	for (size_t i = 0; rc == 0 && i < l.n; i++) {
		if (!l.v[i].odd)
			continue;
		oid_to_hex(hex, &l.v[i].oid);
		repo_id_hex(blob, &f->ctx->repo, l.v[i].blob);
		fsck_problem(f, "nonCanonicalPointer", l.v[i].path, hex,
			"pointer: nonCanonicalPointer: Pointer for %s (blob %s) was not canonical",
			hex, blob);
	}
	if (rc == 0)
		rc = check_cache(f, &l);
	scan_list_release(&l);
	return rc;
}

/* ---- files that should be some ---- */

struct file {
	char *path;
	uint64_t size;
	const char *where; /* "HEAD", a revision; NULL: the index */
	struct pointers_query q;
};

struct files {
	struct fsck *f;
	struct file *v;
	size_t n, cap;
};

static int add_file(struct files *l, const char *path, const char *where, const uint8_t *blob)
{
	if (array_room(&l->v, l->n, &l->cap, sizeof(*l->v)) < 0)
		return ERR_NOMEM;
	l->v[l->n] = (struct file){.path = strdup(path), .where = where};
	if (!l->v[l->n].path)
		return err_set(ERR_NOMEM, "out of memory");
	memcpy(l->v[l->n++].q.blob, blob, (size_t)l->f->ctx->repo.hash_len);
	return 0;
}

/* "<mode> blob <name>\t<path>" */
static int add_tree(struct files *l, const char *revision)
{
	const struct repo *repo = &l->f->ctx->repo;
	struct run run = RUN_INIT;
	struct git_reader *r = NULL;
	uint8_t id[REPO_ID_MAX];
	char *record, *tab;
	size_t len;
	int rc, end;

	rc = git_prepare(&run, repo, "ls-tree", "-r", "-z", "--full-tree", revision, (char *)NULL);
	if (rc == 0)
		rc = git_reader_start(&r, &run, NULL);
	while (rc == 0 && (rc = git_reader_next(r, '\0', &record, &len)) > 0) {
		tab = memchr(record, '\t', len);
		if (!tab || tab - record < 2 * repo->hash_len) {
			rc = err_set(ERR_CORRUPT, "unexpected output of 'git ls-tree'");
			break;
		}
		rc = 0;
		if (S_ISREG(strtoul(record, NULL, 8)) && select_wants(&l->f->select, tab + 1) &&
			repo_id_parse(id, repo, tab - 2 * repo->hash_len) == 0)
			rc = add_file(l, tab + 1, revision, id);
	}
	end = git_reader_finish(r);
	run_release(&run);
	return rc ? rc : end;
}

static int add_staged(struct files *l)
{
	struct staged staged = STAGED_INIT;
	int rc = staged_list(&staged, &l->f->ctx->repo);

	for (size_t i = 0; rc == 0 && i < staged.n; i++) {
		const struct staged_change *c = &staged.v[i];

		if (S_ISREG(c->new_mode) && select_wants(&l->f->select, c->path))
			rc = add_file(l, c->path, NULL, c->new.blob);
	}
	staged_release(&staged);
	return rc;
}

static int collect(struct files *l)
{
	const struct strvec *revs = &l->f->select.revs;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < revs->n; i++)
		rc = add_tree(l, revs->v[i]);
	if (rc == 0 && revs->n == 0 && git_has_head(&l->f->ctx->repo))
		rc = add_tree(l, l->f->head ? l->f->head : "HEAD");
	if (rc == 0 && revs->n == 0)
		rc = add_staged(l);
	return rc;
}

/* Keep the files whose attributes name our filter. */
static int keep_ours(struct files *l, struct attrs *attrs)
{
	const char **paths = calloc(l->n + 1, sizeof(*paths));
	size_t kept = 0;
	int rc = paths ? 0 : err_set(ERR_NOMEM, "out of memory");

	for (size_t i = 0; rc == 0 && i < l->n; i++)
		paths[i] = l->v[i].path;
	if (rc == 0)
		rc = attrs_check(&l->f->ctx->repo, paths, l->n, attrs);
	for (size_t i = 0; rc == 0 && i < l->n; i++) {
		if (!attrs[i].ours) {
			free(l->v[i].path);
			continue;
		}
		attrs[kept] = attrs[i];
		l->v[kept++] = l->v[i];
	}
	if (rc == 0)
		l->n = kept;
	free(paths);
	return rc;
}

static int tell_unexpected(struct files *l, const struct attrs *attrs)
{
	struct pointers_query *q = calloc(l->n + 1, sizeof(*q));
	struct git_object *o = calloc(l->n + 1, sizeof(*o));
	int rc = q && o ? 0 : err_set(ERR_NOMEM, "out of memory");

	for (size_t i = 0; rc == 0 && i < l->n; i++) {
		q[i] = l->v[i].q;
		memcpy(o[i].id, q[i].blob, sizeof(o[i].id));
	}
	if (rc == 0)
		rc = pointers_resolve(l->f->pointers, q, l->n);
	if (rc == 0)
		rc = git_objects_info(&l->f->ctx->repo, o, l->n);
	for (size_t i = 0; rc == 0 && i < l->n; i++) {
		const struct file *x = &l->v[i];

		if (q[i].state != POINTERS_NO || o[i].type != GIT_BLOB || o[i].size == 0 ||
			o[i].size < attrs[i].min_size)
			continue;
		fsck_problem(l->f, "unexpectedGitObject", x->path, NULL,
			"pointer: unexpectedGitObject: \"%s\" (%s%s) should have been a pointer "
			"but was not",
			x->path, x->where ? "treeish " : "in the index", x->where ? x->where : "");
	}
	free(q);
	free(o);
	return rc;
}

static int check_unexpected(struct fsck *f)
{
	struct files l = {.f = f};
	struct attrs *attrs = NULL;
	int rc = collect(&l);

	if (rc == 0 && l.n) {
		attrs = calloc(l.n, sizeof(*attrs));
		rc = attrs ? keep_ours(&l, attrs) : err_set(ERR_NOMEM, "out of memory");
	}
	if (rc == 0 && l.n)
		rc = tell_unexpected(&l, attrs);
	for (size_t i = 0; i < l.n; i++)
		free(l.v[i].path);
	free(l.v);
	free(attrs);
	return rc;
}

int fsck_pointers(struct fsck *f)
{
	int rc = check_spelling(f);

	/* a bare repository has no attributes to go by */
	return rc == 0 && f->ctx->g->worktree ? check_unexpected(f) : rc;
}
