/*
 * The part of a repair that needs no objects: what names them.  What is removed names nothing any
 * more, so a damaged blob has to read the same twice (what was damaged on the way does not), and
 * its bytes are kept in ".git/dvx/bad".
 */
#include "transfer/blob/mend.h"
#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/workers.h"
#include "lib/store/fragment.h"
#include "transfer/blob/blobstore.h"
#include "transfer/gitdir_remote.h"
#include "transfer/gc/notice.h"

#include <stdlib.h>
#include <string.h>

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

	if (array_room(&m->entries, m->n, &m->cap, sizeof(*m->entries)) < 0)
		return ERR_NOMEM;
	m->entries[m->n++] = *e;
	return 0;
}

static int is_named_right(const struct buf *bytes, const struct oid *name)
{
	struct oid found;

	oid_of(&found, buf_str(bytes), bytes->len);
	return oid_eq(&found, name);
}

/* 1 if whoever lists the store can do something with it, or may one day: other versions count. */
static int is_sound(const struct buf *bytes, const struct remote_entry *e)
{
	struct fragment *fragment = NULL;
	struct notice notice = {0};
	int rc = is_named_right(bytes, &e->name) ? 0 : ERR_CORRUPT;

	if (rc == 0 && e->class == REMOTE_NOTICE)
		rc = notice_parse(&notice, buf_str(bytes), bytes->len);
	else if (rc == 0)
		rc = fragment_parse(&fragment, buf_str(bytes), bytes->len);
	notice_release(&notice);
	fragment_free(fragment);
	err_clear();
	return rc != ERR_CORRUPT && rc != ERR_LIMIT;
}

/* A person may still read in it what was there. */
static int keep_bad(struct mending *m, const struct remote_entry *e, const struct buf *bytes)
{
	char hex[OID_HEX_LEN + 1];
	struct buf path = BUF_INIT;
	int rc;

	oid_to_hex(hex, &e->name);
	rc = buf_addf(&path, "%s/bad/%s.%s", m->engine->git->dvx_dir, hex,
		e->class == REMOTE_NOTICE ? "notice" : "idx");
	if (rc == 0)
		rc = fs_mkdirs_parent(path.p);
	if (rc == 0)
		rc = fs_replace_file(path.p, buf_str(bytes), bytes->len, 1);
	buf_release(&path);
	return rc;
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

static int mend(struct mending *m, const struct remote_entry *e, const struct buf *bad)
{
	enum cache_kind kind = e->class == REMOTE_NOTICE ? CACHE_NOTICE : CACHE_FRAGMENT;
	struct buf copy = BUF_INIT;
	int good = cache_read(m->cache, kind, &e->name, &copy) == 0 && is_sound(&copy, e);
	int rc = keep_bad(m, e, bad);

	if (rc == 0 && good)
		rc = remote_put_bytes(m->remote, e->class, &e->name, copy.p, copy.len);
	else if (rc == 0)
		rc = m->remote->ops->remove(m->remote, e->class, &e->name);
	if (rc >= 0)
		warn(m, e, good ? "restored" : "removed");
	buf_release(&copy);
	return rc < 0 ? rc : 0;
}

/* 1 if it is sound, 0 if it is damaged (`bytes` is what could be read), negative. */
static int look_at(struct mending *m, const struct remote_entry *e, struct buf *bytes)
{
	int rc = remote_get_all(m->remote, e->class, &e->name, e->size, FRAGMENT_BYTES_MAX, bytes);

	if (rc == ERR_CORRUPT || rc == ERR_LIMIT)
		return 0;
	return rc < 0 ? rc : is_sound(bytes, e);
}

static int mend_one(size_t i, void *data)
{
	struct mending *m = data;
	const struct remote_entry *e = &m->entries[i];
	struct buf first = BUF_INIT, second = BUF_INIT;
	int rc = engine_check_stop(m->engine);

	if (rc < 0)
		return rc;
	rc = look_at(m, e, &first);
	if (rc == 0)
		rc = look_at(m, e, &second);
	if (rc == 0 && (first.len != second.len ||
			       memcmp(buf_str(&first), buf_str(&second), first.len) != 0))
		rc = err_set(ERR_REMOTE,
			"remote '%s' gives other bytes each time; nothing was changed there: see "
			"that the line to it is sound, then run this again",
			m->engine->spec->name);
	if (rc == 0)
		rc = mend(m, e, &second);
	buf_release(&first);
	buf_release(&second);
	return rc > 0 || rc == ERR_NOTFOUND ? 0 : rc;
}

int mend_names(struct engine *e)
{
	const struct remote_context context = {e->git, e->config, e->stop};
	struct mending m = {.engine = e};
	int rc;

	if (e->spec->kind == REMOTE_LFS)
		return 0; /* its server's affair */
	rc = e->spec->kind == REMOTE_GITDIR ? gitdir_remote_blobs(e, &m.remote)
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
