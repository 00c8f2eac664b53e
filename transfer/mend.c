/*
 * The part of a repair that needs no objects: what names them.
 */
#include "transfer/mend.h"
#include "lib/base/err.h"
#include "lib/base/workers.h"
#include "transfer/blobstore.h"
#include "transfer/gitdir_remote.h"

#include <stdlib.h>

struct mending {
	struct engine *engine;
	struct remote *remote;
	struct cache *cache;
	struct remote_entry *entries;
	size_t n, cap;
};

static int add_entry(const struct remote_entry *e, void *data)
{
	struct mending *m = data;

	if (m->n == m->cap) {
		size_t cap = m->cap ? m->cap * 2 : 64;
		struct remote_entry *v = reallocarray(m->entries, cap, sizeof(*v));

		if (!v)
			return err_set(ERR_NOMEM, "out of memory");
		m->entries = v;
		m->cap = cap;
	}
	m->entries[m->n++] = *e;
	return 0;
}

static int is_named_right(const struct buf *bytes, const struct oid *name)
{
	struct oid found;

	oid_of(&found, buf_str(bytes), bytes->len);
	return oid_eq(&found, name);
}

static void warn(struct mending *m, const struct remote_entry *e, const char *what)
{
	struct buf text = BUF_INIT;

	buf_addf(&text, "%s was damaged, and is %s: '",
		e->class == REMOTE_NOTICE ? "a notice of removal" : "a fragment", what);
	m->remote->ops->describe(m->remote, e->class, &e->name, &text);
	buf_addch(&text, '\'');
	engine_warn(m->engine, buf_str(&text));
	buf_release(&text);
}

static int mend(struct mending *m, const struct remote_entry *e)
{
	enum cache_kind kind = e->class == REMOTE_NOTICE ? CACHE_NOTICE : CACHE_FRAGMENT;
	struct buf copy = BUF_INIT;
	int good =
		cache_read(m->cache, kind, &e->name, &copy) == 0 && is_named_right(&copy, &e->name);
	int rc;

	if (good)
		rc = remote_put_bytes(m->remote, e->class, &e->name, copy.p, copy.len);
	else
		rc = m->remote->ops->remove(m->remote, e->class, &e->name);
	if (rc >= 0)
		warn(m, e, good ? "restored" : "removed");
	buf_release(&copy);
	return rc < 0 ? rc : 0;
}

static int mend_one(size_t i, void *data)
{
	struct mending *m = data;
	const struct remote_entry *e = &m->entries[i];
	struct buf bytes = BUF_INIT;
	int rc = engine_check_stop(m->engine);

	if (rc == 0)
		rc = remote_get_all(
			m->remote, e->class, &e->name, e->size, FRAGMENT_BYTES_MAX, &bytes);
	if (rc == ERR_CORRUPT || rc == ERR_LIMIT || (rc == 0 && !is_named_right(&bytes, &e->name)))
		rc = mend(m, e);
	buf_release(&bytes);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

int mend_names(struct engine *e)
{
	const struct remote_context context = {e->git, e->config, e->stop};
	struct mending m = {.engine = e};
	int rc = e->spec->kind == REMOTE_GITDIR ? gitdir_remote_blobs(e, &m.remote)
						: remote_open(&m.remote, e->spec, &context);

	if (rc == 0)
		rc = cache_open(&m.cache, e->git->dvx_dir, m.remote->url);
	if (rc == 0)
		rc = m.remote->ops->list(m.remote, REMOTE_LIST_FRAGMENTS, add_entry, &m, NULL);
	if (rc == 0)
		rc = workers_run(engine_jobs(e), m.n, mend_one, &m);
	cache_close(m.cache);
	remote_close(m.remote);
	free(m.entries);
	return rc > 0 || rc == ERR_NOTFOUND ? 0 : rc;
}
