/*
 * Outputs into the local store: contents, and for a directory its listing as an object of its own.
 * All of it is on disk before dvx.lock may name it.
 */
#include <stdlib.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/pipeline/fingerprint_internal.h"

#define SAVE_NS ((int64_t)5 * 1000 * 1000 * 1000)

/* Make sure that the objects are on disk: those of the files, and the listing. */
static int sync_all(struct fingerprints *f, const struct fp_files *l, const struct fingerprint *fp)
{
	struct oid *v = calloc(l->n + 1, sizeof(*v));
	size_t n = 0;
	int rc;

	if (v == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < l->n; i++)
		if (!l->v[i].pointer)
			v[n++] = l->v[i].oid;
	if (fp->type == FP_DIR)
		v[n++] = fp->oid;
	rc = store_sync(f->store, v, n);
	free(v);
	return rc;
}

/* A run of many stages may take days, and be killed: what it has learnt is kept now and then. */
static void save_table(struct fingerprints *f)
{
	int64_t now = fs_now_ns();

	pthread_mutex_lock(&f->mutex);
	if (now - f->saved > SAVE_NS || now < f->saved) {
		f->saved = now;
		if (statcache_save(f->table) < 0)
			err_clear(); /* it is a cache */
	}
	pthread_mutex_unlock(&f->mutex);
}

int fingerprints_store(struct fingerprints *f, const char *path, struct fingerprint *out)
{
	struct fp_files l = FP_FILES_INIT;
	struct buf listing = BUF_INIT;
	struct oid oid;
	int rc = fp_look(&l, f, path, NULL, FP_LOOK_STORE, out, &listing);

	if (rc == 0 && out->type == FP_DIR)
		rc = store_put(f->store, buf_str(&listing), listing.len, &oid);
	if (rc == 0 && out->type != FP_ABSENT)
		rc = sync_all(f, &l, out);
	if (rc == 0)
		save_table(f);
	fp_files_release(&l);
	buf_release(&listing);
	return rc;
}

int fingerprints_store_listing(struct fingerprints *f, const struct stage_path *p)
{
	struct buf listing = BUF_INIT;
	struct oid oid;
	int rc = fingerprints_listing(f, p, &listing);

	if (rc == 0 && listing.len > 0)
		rc = store_put(f->store, listing.p, listing.len, &oid);
	buf_release(&listing);
	return rc;
}
