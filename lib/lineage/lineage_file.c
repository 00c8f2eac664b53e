/*
 * The file that was asked for: what it is, whether it is what its stage made, who reads it, who
 * changed it last.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/pathmatch.h"
#include "lib/lineage/lineage_internal.h"

static int add_user(struct node *list, const struct stage *s)
{
	struct buf name = BUF_INIT;
	int rc = stage_address(&name, s, "");

	if (rc == 0)
		rc = node_push(list, node_string(name.p));
	buf_release(&name);
	return rc;
}

/* The stages that read a path: by what they declare. */
static int put_users(struct node *map, const struct lineage_trace *t, const char *path)
{
	struct node *list = lineage_put_list(map, "used_by");
	int rc = list != NULL ? 0 : ERR_NOMEM;

	for (size_t i = 0; rc == 0 && i < t->pipeline->n; i++) {
		const struct stage *s = t->pipeline->v[i];
		int uses = 0;

		for (size_t k = 0; !uses && k < s->n_deps; k++)
			uses = s->deps[k].glob ? pathmatch_glob(s->deps[k].path, path)
					       : pathmatch_within(path, s->deps[k].path) ||
							 pathmatch_within(s->deps[k].path, path);
		if (uses)
			rc = add_user(list, s);
	}
	return rc;
}

/* ---- what its stage made ---- */

/* What a run of the maker left at this very path; NULL: nothing, or it never ran. */
static const struct node *locked_output(const struct lineage_trace *t)
{
	const struct node *run, *outs;

	if (t->maker == NULL)
		return NULL;
	run = t->runs[t->maker->index];
	if (!node_get(run, "ran")->i)
		return NULL;
	outs = node_get(run, "outs");
	for (size_t i = 0; i < outs->n; i++)
		if (strcmp(t->path, lineage_text(outs->items[i], "path")) == 0)
			return outs->items[i];
	return NULL;
}

/* What the commit has at the path. */
struct found {
	int is_known; /* `oid` is */
	struct oid oid;
	uint64_t size, nfiles;
};

/* 1: it is what the stage made, 0: it is not, -1: nobody can tell. */
static int is_as_made(const struct found *f, const struct node *out)
{
	const char *made = lineage_text(out, "sha256");
	struct oid oid;

	if (made == NULL || !f->is_known || oid_from_hex(&oid, made) < 0)
		return -1;
	return oid_eq(&oid, &f->oid);
}

static int put_made(struct lineage_trace *t, struct node *map, const struct found *f)
{
	const struct node *out = locked_output(t);
	int same = is_as_made(f, out), rc;
	struct buf name = BUF_INIT;

	if (t->maker == NULL)
		return node_append(map, "stage", node_null());
	rc = stage_address(&name, t->maker, "");
	if (rc == 0)
		rc = node_append(map, "stage", node_string(name.p));
	if (rc == 0)
		rc = node_append(map, "as_made", same < 0 ? node_null() : node_bool(same));
	if (rc == 0 && same == 0)
		rc = lineage_unknown(t->unknown, t->path,
			"how it became what it is: stage '%s' made sha256:%s, it was changed "
			"afterwards",
			name.p, lineage_text(out, "sha256"));
	buf_release(&name);
	return rc;
}

/* ---- a file ---- */

static int put_object(
	struct lineage_trace *t, struct node *map, struct found *f, const struct lineage_content *c)
{
	int rc =
		c->hashed ? lineage_put_oid(map, &c->oid) : node_append(map, "sha256", node_null());

	f->is_known = c->hashed;
	f->oid = c->oid;
	f->size = c->size;
	if (rc == 0)
		rc = c->hashed ? lineage_put_size(map, "size", c->size)
			       : node_append(map, "size", node_null());
	if (rc == 0)
		rc = node_append(
			map, "storage", node_string(c->kind == DATAFILE_GIT ? "git" : "object"));
	if (rc == 0 && c->kind == DATAFILE_OBJECT)
		rc = node_append(map, "here",
			node_bool(t->l->store != NULL && store_has(t->l->store, &c->oid, c->size)));
	if (rc == 0 && c->hashed)
		rc = lineage_put_rows(
			t, map, &(struct lineage_table){t->path, &c->oid, c->size, c});
	return rc;
}

/* What the work tree has may be another thing; only looked at where no revision was named. */
static int compare_worktree(struct lineage_trace *t, const struct found *f)
{
	struct fingerprints *known = NULL;
	struct fingerprint now;
	struct buf path = BUF_INIT;
	struct stat st;
	int rc = fs_join(&path, t->l->repo->dir->worktree, t->path), changed = 0;

	if (rc == 0 && lstat(path.p, &st) < 0)
		changed = 1;
	if (rc == 0 && !changed && S_ISREG(st.st_mode)) {
		rc = fingerprints_open(&known, t->l->repo, t->l->store);
		if (rc == 0)
			rc = fingerprints_of(known, t->path, &now);
		changed = rc == 0 && !oid_eq(&now.oid, &f->oid);
		fingerprints_close(known);
	}
	if (rc == 0 && changed)
		rc = lineage_unknown(t->unknown, t->path,
			"what the work tree has there: it is not committed; told is what HEAD has");
	buf_release(&path);
	return rc;
}

/* ---- a directory, as dvc.yaml and .dvc files have it, or nothing ---- */

/* The listing of the pointers below it: that of the directory, if all of its files are pointers. */
static int add_listing(struct buf *listing, const struct scan_item *item, size_t skip)
{
	char hex[OID_HEX_LEN + 1];
	int rc;

	oid_to_hex(hex, &item->oid);
	rc = buf_addf(listing, "%s %c %s", hex, (item->mode & 0111) ? 'x' : 'f', item->path + skip);
	return rc == 0 ? buf_addch(listing, '\0') : rc;
}

static int read_directory(struct lineage_trace *t, struct found *f)
{
	const struct scan_item *items;
	struct buf listing = BUF_INIT;
	size_t n;
	int rc = lineage_tree(t);

	if (rc < 0)
		return rc;
	items = lineage_below(t, t->path, &n);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		rc = add_listing(&listing, &items[i], strlen(t->path) + 1);
		f->size += items[i].size;
	}
	f->nfiles = n;
	if (rc == 0)
		oid_of(&f->oid, buf_str(&listing), listing.len);
	buf_release(&listing);
	return rc;
}

/* What DVC has of it - in dvc.lock, else in "x.dvc" beside it -: its MD5.  1; 0: nothing. */
static int put_dvc_file(struct lineage_trace *t, struct node *map)
{
	static const char *const kept[] = {"md5", "size", "nfiles"};
	const struct node *document = NULL, *outs, *from = locked_output(t);
	struct buf path = BUF_INIT;
	int rc = buf_addf(&path, "%s.dvc", t->path);

	if (rc == 0 && node_get(from, "md5") == NULL)
		rc = lineage_document(&document, t, path.p);
	outs = node_get(document, "outs");
	if (outs != NULL && outs->type == NODE_LIST && outs->n == 1)
		from = outs->items[0];
	buf_release(&path);
	if (rc < 0 || node_get(from, "md5") == NULL)
		return rc;
	for (size_t i = 0; rc == 0 && i < sizeof(kept) / sizeof(kept[0]); i++)
		if (node_get(from, kept[i]) != NULL)
			rc = node_append(map, kept[i], node_dup(node_get(from, kept[i])));
	return rc < 0 ? rc : 1;
}

/* Of what Git has not, its record counts. */
static int put_change(struct lineage_trace *t, struct node *map)
{
	struct buf path = BUF_INIT;
	int rc = buf_addstr(&path, t->path);

	if (rc == 0 && node_get(map, "md5") != NULL) {
		rc = buf_addstr(&path, ".dvc");
		if (rc == 0 && source_has(t->src, path.p) <= 0) {
			buf_reset(&path);
			rc = buf_addstr(&path, "dvc.lock");
		}
	}
	if (rc == 0)
		rc = lineage_last_change(t, map, path.p);
	buf_release(&path);
	return rc;
}

/* What a tag or dvx.yaml says of a model may be wrong; whoever names a path is told so. */
static int no_file(struct lineage_trace *t)
{
	const int head = t->target->rev == NULL && t->target->model == NULL;

	if (t->artifact != NULL)
		return lineage_unknown(t->unknown, t->path,
			"what the model is: the commit of '%s' has no such file", t->model->tag);
	return err_set(ERR_NOTFOUND, "no file '%s' in %s%s", t->path, source_name(t->src),
		head ? "; what was never committed has no history" : "");
}

static int put_directory(struct lineage_trace *t, struct node *map, struct found *f)
{
	const struct node *out = locked_output(t), *nfiles = node_get(out, "nfiles");
	int rc = put_dvc_file(t, map);

	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = read_directory(t, f);
	if (rc == 0 && f->nfiles == 0 && strmap_get(&t->outs, t->path) == NULL)
		return no_file(t);
	/* with files of Git's in it, the listing is another one */
	f->is_known =
		nfiles != NULL && nfiles->type == NODE_INT && (uint64_t)nfiles->i == f->nfiles;
	if (rc == 0 && (f->nfiles > 0 || nfiles != NULL))
		rc = node_append(map, "directory", node_bool(1));
	if (rc == 0 && f->is_known)
		rc = lineage_put_oid(map, &f->oid);
	else if (rc == 0)
		rc = node_append(map, "sha256", node_null());
	if (rc == 0)
		rc = lineage_put_size(map, "size", f->size);
	if (rc == 0)
		rc = lineage_put_size(map, "nfiles", f->nfiles);
	if (rc == 0 && f->nfiles == 0)
		rc = lineage_unknown(t->unknown, t->path,
			"what it holds: it is an output of stage '%s' that this commit does not "
			"have",
			t->maker->name);
	return rc;
}

int lineage_put_file(struct lineage_trace *t)
{
	static const struct lineage_content none = {.kind = DATAFILE_NONE};
	const struct lineage_content *c = lineage_content(t, t->path);
	struct node *map = lineage_put_map(t->root, "file");
	struct found found = {.is_known = 0};
	int rc = map != NULL ? lineage_put_text(map, "path", t->path) : ERR_NOMEM;

	if (c == NULL)
		c = &none;
	if (rc == 0 && c->missing)
		rc = lineage_unknown(t->unknown, t->path,
			"what it holds: this partial clone has not got it; 'git show %s:%s' "
			"fetches it",
			source_name(t->src), t->path);
	else if (rc == 0 && c->kind == DATAFILE_NONE)
		rc = put_directory(t, map, &found);
	else if (rc == 0)
		rc = put_object(t, map, &found, c);
	if (rc == 0 && c->hashed && t->target->rev == NULL && t->target->model == NULL &&
		t->l->repo->dir->worktree != NULL)
		rc = compare_worktree(t, &found);
	if (rc == 0)
		rc = put_made(t, map, &found);
	if (rc == 0)
		rc = put_users(map, t, t->path);
	return rc == 0 ? put_change(t, map) : rc;
}
