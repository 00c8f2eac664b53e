/*
 * Counting files by their kind: each blob once, as the kind of the first path that history has for
 * it.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/repo/migrate_internal.h"

static int note_pointer(size_t i, const struct pointer *p, void *data)
{
	struct rewrite_blob *b = data;

	b[i].tag |= MIGRATE_POINTER;
	b[i].size = p->size;
	return 0;
}

int migrate_size_blobs(struct rewrite *r, struct rewrite_blob *b, size_t n, void *data)
{
	const struct migrate *m = data;
	int rc = migrate_sizes(r, b, n);
	size_t i;

	if (rc < 0 || m->o.pointers == MIGRATE_NO_FOLLOW)
		return rc;
	for (i = 0; i < n; i++) /* the empty file is its own pointer */
		if (!b[i].size)
			b[i].tag |= MIGRATE_POINTER;
	return migrate_find_pointers(r, b, n, note_pointer, b);
}

static int add_count(struct migrate *m, const char *name, struct migrate_count **out)
{
	void *v = strmap_get(&m->count_numbers, name);
	int rc;

	if (v) {
		*out = &m->counts[(size_t)(uintptr_t)v - 1];
		return 0;
	}
	if (m->n_counts == m->cap_counts) {
		m->cap_counts = m->cap_counts ? 2 * m->cap_counts : 64;
		v = reallocarray(m->counts, m->cap_counts, sizeof *m->counts);
		if (!v)
			return err_set(ERR_NOMEM, "out of memory");
		m->counts = v;
	}
	*out = &m->counts[m->n_counts];
	**out = (struct migrate_count){.name = strdup(name)};
	if (!(*out)->name)
		return err_set(ERR_NOMEM, "out of memory");
	m->n_counts++;
	rc = strmap_put(&m->count_numbers, name, (void *)(uintptr_t)m->n_counts);
	return rc;
}

/* "*.ext", or the file's name if it has none. */
static int count_of(struct migrate *m, const char *path, struct migrate_count **out)
{
	const char *ending = migrate_ending(path), *slash = strrchr(path, '/');
	struct buf name = BUF_INIT;
	int rc = *ending ? buf_addf(&name, "*%s", ending)
			 : buf_addstr(&name, slash ? slash + 1 : path);

	if (rc == 0)
		rc = add_count(m, name.p, out);
	buf_release(&name);
	return rc;
}

int migrate_count_blob(struct migrate *m, const char *path, struct rewrite_blob *b)
{
	struct migrate_count *c = &m->pointers;
	int rc = 0;

	if (b->tag & MIGRATE_COUNTED)
		return 0;
	b->tag |= MIGRATE_COUNTED;
	if (b->tag & MIGRATE_POINTER && m->o.pointers == MIGRATE_IGNORE)
		return 0;
	if (!(b->tag & MIGRATE_POINTER))
		rc = count_of(m, path, &c);
	if (rc < 0)
		return rc;
	c->total++;
	if (b->size > m->o.above) {
		c->above++;
		c->bytes += b->size;
	}
	return 0;
}

const struct migrate_count *migrate_counts(
	const struct migrate *m, size_t *n, const struct migrate_count **pointers)
{
	*n = m->n_counts;
	*pointers = &m->pointers;
	return m->counts;
}
