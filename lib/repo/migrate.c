/*
 * The files of a migration: which ones are meant, what is told of them, and which lines the
 * .gitattributes get.
 */
#include "lib/repo/migrate.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/repo/migrate_internal.h"

static const char spare_import[] = " !text -filter -merge -diff";
static const char spare_export[] = " !text !filter !merge !diff";

const char *migrate_ending(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	const char *dot = strrchr(name, '.');

	return dot ? dot : "";
}

/* ---- what a rewrite asks ---- */

static int is_attributes(const char *path)
{
	const char *slash = strrchr(path, '/');

	return strcmp(slash ? slash + 1 : path, ".gitattributes") == 0;
}

static int wanted(const char *path, uint32_t state, void *data)
{
	const struct migrate *m = data;

	if ((m->o.mode != MIGRATE_INFO || m->o.fixup) && is_attributes(path))
		return 0;
	if (m->o.paths)
		return strmap_has(m->o.paths, path);
	if (m->o.fixup)
		return attr_levels_route(m->levels, state, path);
	return attr_filter_wants(m->o.filter, path);
}

static int enter(
	uint32_t state, const char *dir, const uint8_t *blob, const struct buf *text, void *data)
{
	struct migrate *m = data;
	char hex[REPO_HEX_MAX + 1];

	repo_id_hex(hex, m->repo, blob);
	return attr_levels_enter(m->levels, state, dir, hex, text);
}

static int attributes(const struct buf *old, struct buf *text, void *data)
{
	const struct migrate *m = data;
	int rc;

	if (m->lines.v.n == 0)
		return 0;
	rc = attr_lines_merge(text, old, &m->lines, m->o.lines_once);
	return rc < 0 ? rc : 1;
}

/* Where no pattern was given, each kind of file gets its line when its first file is met. */
static int track_kind(struct migrate *m, const char *path)
{
	const char *ending = m->o.above ? "" : migrate_ending(path);
	struct buf pattern = BUF_INIT;
	int rc;

	if (!*ending)
		return attr_lines_add_path(&m->lines, path, m->o.track);
	if (strmap_has(&m->endings, ending))
		return 0;
	rc = strmap_put(&m->endings, ending, NULL);
	if (rc == 0)
		rc = buf_addf(&pattern, "*%s", ending);
	if (rc == 0)
		rc = attr_lines_add(&m->lines, pattern.p, m->o.track);
	buf_release(&pattern);
	return rc;
}

static int tell(
	struct migrate *m, const uint8_t *commit, const char *path, const struct rewrite_blob *b)
{
	char hex[REPO_HEX_MAX + 1];
	struct buf key = BUF_INIT;
	int rc;

	repo_id_hex(hex, m->repo, b->id);
	rc = buf_addf(&key, "%s %s", hex, path);
	if (rc == 0 && !strmap_has(&m->told, key.p)) {
		rc = strmap_put(&m->told, key.p, NULL);
		repo_id_hex(hex, m->repo, commit);
		m->o.converted(hex, path);
	}
	buf_release(&key);
	return rc;
}

static int visit(const uint8_t *commit, const char *path, struct rewrite_blob *b, void *data)
{
	struct migrate *m = data;
	int rc = 0;

	if (m->o.mode == MIGRATE_INFO)
		return migrate_count_blob(m, path, b);
	if (b->tag & MIGRATE_SKIPPED)
		return 0;
	if (m->o.mode == MIGRATE_IMPORT && !m->o.fixup && !m->o.paths &&
		m->o.filter->n_include + m->o.filter->n_exclude == 0)
		rc = track_kind(m, path);
	if (rc == 0 && m->o.converted && memcmp(b->id, b->to, REPO_ID_MAX) != 0)
		rc = tell(m, commit, path, b);
	return rc;
}

/* ---- blobs ---- */

int migrate_sizes(struct rewrite *r, struct rewrite_blob *b, size_t n)
{
	struct git_object *o = calloc(n + 1, sizeof *o);
	size_t i;
	int rc;

	if (!o)
		return err_set(ERR_NOMEM, "out of memory");
	for (i = 0; i < n; i++)
		memcpy(o[i].id, b[i].id, REPO_ID_MAX);
	rc = git_objects_info(rewrite_repo(r), o, n);
	for (i = 0; rc == 0 && i < n; i++) {
		b[i].size = o[i].size;
		if (o[i].type != GIT_BLOB)
			rc = rewrite_lacks(r, &b[i]);
	}
	free(o);
	return rc;
}

struct search {
	struct rewrite *r;
	struct rewrite_blob *b;
	int (*found)(size_t i, const struct pointer *p, void *data);
	void *data;
};

static const uint8_t *small_id(size_t i, void *data)
{
	const struct search *s = data;

	return s->b[i].size && s->b[i].size < POINTER_MAX ? s->b[i].id : NULL;
}

static int look(struct catfile *c, const struct catfile_head *head, void *data)
{
	const struct search *s = data;
	struct buf text = BUF_INIT;
	struct pointer p;
	int rc;

	if (head->type != GIT_BLOB)
		return rewrite_lacks(s->r, &s->b[head->i]);
	rc = catfile_take(c, POINTER_MAX, &text);
	if (rc == 0 && pointer_parse(&p, text.p, text.len) == 0)
		rc = s->found(head->i, &p, s->data);
	buf_release(&text);
	return rc;
}

int migrate_find_pointers(struct rewrite *r, struct rewrite_blob *b, size_t n,
	int (*found)(size_t i, const struct pointer *p, void *data), void *data)
{
	struct search s = {r, b, found, data};

	return catfile_each(rewrite_catfile(r), n, small_id, look, &s);
}

/* ---- life ---- */

static int add_lines(struct migrate *m, const struct strvec *patterns, const char *attrs)
{
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < patterns->n; i++)
		rc = attr_lines_add(&m->lines, patterns->v[i], attrs);
	return rc;
}

static int prepare(struct migrate *m)
{
	static const struct rewrite_ops infos = {
		.wanted = wanted, .convert = migrate_size_blobs, .visit = visit};
	static const struct rewrite_ops imports = {
		.wanted = wanted, .convert = migrate_import_blobs, .visit = visit};
	static const struct rewrite_ops exports = {
		.wanted = wanted, .convert = migrate_export_blobs, .visit = visit};
	int import = m->o.mode == MIGRATE_IMPORT, rc = 0;

	m->ops = import ? imports : m->o.mode == MIGRATE_EXPORT ? exports : infos;
	if (m->o.fixup) {
		m->ops.enter = enter;
		rc = attr_levels_new(&m->levels);
	} else if (!m->o.paths && m->o.mode != MIGRATE_INFO) {
		m->ops.attributes = attributes;
		m->ops.version = &m->lines.version;
		rc = add_lines(m, &m->o.filter->include_text, import ? m->o.track : spare_export);
		if (rc == 0)
			rc = add_lines(
				m, &m->o.filter->exclude_text, import ? spare_import : m->o.track);
	}
	return rc < 0 ? rc : rewrite_new(&m->rewrite, m->repo, &m->ops, m);
}

int migrate_new(struct migrate **out, const struct repo *repo, struct store *s,
	const struct migrate_options *o)
{
	struct migrate *m = calloc(1, sizeof *m);
	int rc;

	if (!m)
		return err_set(ERR_NOMEM, "out of memory");
	m->repo = repo;
	m->store = s;
	m->o = *o;
	rc = prepare(m);
	if (rc < 0) {
		migrate_free(m);
		return rc;
	}
	*out = m;
	return 0;
}

void migrate_free(struct migrate *m)
{
	size_t i;

	if (!m)
		return;
	rewrite_free(m->rewrite);
	attr_lines_release(&m->lines);
	strmap_release(&m->endings, NULL);
	strmap_release(&m->told, NULL);
	attr_levels_free(m->levels);
	free(m->oids);
	for (i = 0; i < m->n_counts; i++)
		free(m->counts[i].name);
	free(m->counts);
	strmap_release(&m->count_numbers, NULL);
	free(m);
}

struct rewrite *migrate_rewrite(struct migrate *m)
{
	return m->rewrite;
}

int migrate_sync(struct migrate *m)
{
	return m->n_oids ? store_sync(m->store, m->oids, m->n_oids) : 0;
}
