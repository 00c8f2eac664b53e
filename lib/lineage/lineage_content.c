/*
 * What paths hold in the commit: pointers are told by the cache of pointers, what Git has itself is
 * hashed where it is small - dvx.lock names all files by their SHA-256, so both kinds can be
 * compared with what a stage was run with.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/lineage/lineage_internal.h"
#include "lib/table/rows.h"

/* Files of Git's that are larger are not read to be compared; all together. */
enum { HASHED_MAX = 1 << 20, HASHED_ALL_MAX = 64 << 20 };
/* What is larger, all tables of an answer together, is not counted. */
#define ROWS_BYTES_MAX ((uint64_t)1 << 30)

const struct lineage_content *lineage_content(const struct lineage_trace *t, const char *path)
{
	return strmap_get(&t->contents, path);
}

/* ---- many paths at once ---- */

struct look_up {
	struct lineage_trace *t;
	const char **paths; /* that the commit has, n of them */
	struct lineage_content **contents;
	struct pointers_query *queries;
	size_t n;
};

static int add_path(struct look_up *l, const char *path)
{
	struct lineage_content *c;
	int rc;

	if (strmap_has(&l->t->contents, path))
		return 0;
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return err_no_memory();
	rc = strmap_put(&l->t->contents, path, c);
	if (rc < 0) {
		free(c);
		return rc;
	}
	rc = source_blob(l->t->src, path, c->blob);
	if (rc == ERR_NOTFOUND) { /* a tree that a partial clone left out */
		c->missing = 1;
		return 0;
	}
	if (rc <= 0)
		return rc;
	memcpy(l->queries[l->n].blob, c->blob, REPO_ID_MAX);
	l->paths[l->n] = path;
	l->contents[l->n++] = c;
	return 0;
}

static int hash_file(struct lineage_content *c, struct source *src, const char *path, size_t *all)
{
	struct buf text = BUF_INIT;
	int rc = source_read(src, path, HASHED_MAX, &text);

	if (rc == 0) {
		oid_of(&c->oid, buf_str(&text), text.len);
		c->size = text.len;
		c->hashed = 1;
		*all += text.len;
	} else if (rc == ERR_LIMIT) {
		rc = 0;
	}
	buf_release(&text);
	return rc;
}

static int take_answers(struct look_up *l)
{
	size_t all = 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < l->n; i++) {
		struct lineage_content *c = l->contents[i];
		const struct pointers_query *q = &l->queries[i];

		c->kind = pointers_is_pointer(q) ? DATAFILE_OBJECT : DATAFILE_GIT;
		c->missing = q->state == POINTERS_MISSING;
		c->hashed = c->kind == DATAFILE_OBJECT;
		if (c->hashed) {
			c->oid = q->oid;
			c->size = q->size;
		} else if (!c->missing && all < HASHED_ALL_MAX) {
			rc = hash_file(c, l->t->src, l->paths[i], &all);
		}
	}
	return rc;
}

/* Git is asked for what has to be hashed in one go. */
static int prefetch(const struct look_up *l)
{
	const char **paths = calloc(l->n + 1, sizeof(*paths));
	size_t n = 0;
	int rc;

	if (paths == NULL)
		return err_no_memory();
	for (size_t i = 0; i < l->n; i++)
		if (l->queries[i].state == POINTERS_NO)
			paths[n++] = l->paths[i];
	rc = source_prefetch(l->t->src, paths, n);
	free(paths);
	return rc;
}

int lineage_look_up(struct lineage_trace *t, const struct strvec *paths)
{
	struct look_up l = {.t = t,
		.paths = calloc(paths->n + 1, sizeof(*l.paths)),
		.contents = calloc(paths->n + 1, sizeof(*l.contents)),
		.queries = calloc(paths->n + 1, sizeof(*l.queries))};
	int rc = l.paths != NULL && l.contents != NULL && l.queries != NULL ? 0 : err_no_memory();

	for (size_t i = 0; rc == 0 && i < paths->n; i++)
		rc = add_path(&l, paths->v[i]);
	if (rc == 0)
		rc = lineage_open_pointers(t->l);
	if (rc == 0)
		rc = pointers_resolve(t->l->pointers, l.queries, l.n);
	if (rc == 0)
		rc = prefetch(&l);
	if (rc == 0)
		rc = take_answers(&l);
	free(l.paths);
	free(l.contents);
	free(l.queries);
	return rc;
}

/* ---- tables ---- */

/* Count the rows of an object, or of what Git has.  1; 0: it is not here, or no table after all. */
static int count(struct rowcount_entry *out, const struct lineage *l, const struct datafile *f,
	enum rows_format format)
{
	struct rows_file file = {.name = f->path, .fd = -1};
	struct strvec columns = STRVEC_INIT;
	int rc = datafile_open(&file.fd, &file.size, f, l->repo, l->store);

	if (rc == 0)
		rc = rows_count(&out->rows, &columns, &file, format);
	out->columns = (uint32_t)columns.n;
	if (file.fd >= 0)
		close(file.fd);
	strvec_release(&columns);
	if (rc == 0)
		return 1;
	if (rc == ERR_NOMEM || rc == ERR_INTERRUPTED)
		return rc;
	err_clear();
	return 0;
}

/* What the commit has at the path counts where it is this content; else the store is asked. */
static int rows_of(struct rowcount_entry *out, struct lineage *l, const struct lineage_table *table,
	enum rows_format format)
{
	const struct lineage_content *c = table->content;
	struct datafile f = {.kind = DATAFILE_OBJECT,
		.path = table->path,
		.oid = *table->oid,
		.size = table->size};
	int rc = 0;

	if (l->rows == NULL)
		rc = rowcount_open(&l->rows, l->repo);
	if (rc < 0 || rowcount_find(l->rows, &out->oid, out))
		return rc < 0 ? rc : 1;
	if (c != NULL && c->kind == DATAFILE_GIT && c->hashed && oid_eq(&c->oid, &out->oid)) {
		f.kind = DATAFILE_GIT;
		memcpy(f.blob, c->blob, sizeof(f.blob));
	}
	if (f.size > ROWS_BYTES_MAX - l->counted ||
		(f.kind == DATAFILE_OBJECT && !datafile_is_here(&f, l->store)))
		return 0;
	l->counted += f.size;
	rc = count(out, l, &f, format);
	if (rc > 0 && rowcount_add(l->rows, out) < 0)
		return ERR_NOMEM;
	return rc;
}

int lineage_put_rows(struct lineage_trace *t, struct node *map, const struct lineage_table *table)
{
	struct rowcount_entry e = {.oid = *table->oid};
	enum rows_format format;
	int rc;

	if (!rows_format_of(table->path, &format))
		return 0;
	rc = rows_of(&e, t->l, table, format);
	if (rc < 0)
		return rc;
	if (rc == 0) {
		rc = node_append(map, "rows", node_null());
		return rc == 0 ? node_append(map, "columns", node_null()) : rc;
	}
	rc = lineage_put_size(map, "rows", e.rows);
	return rc == 0 ? lineage_put_size(map, "columns", e.columns) : rc;
}
