/*
 * Lists of pointers into batches of git-dvx-transfer.  The order of the list is kept:
 * neighbours in the tree become neighbours in a pack.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/repo/sync.h"
#include "lib/store/oidmap.h"

void sync_release(struct sync *s)
{
	batch_objects_release(s->objects, s->n);
	free(s->objects);
	s->objects = NULL;
	s->n = 0;
}

/* The first item of each object that has bytes, and is not in `store` (NULL: any).  The count, or
 * ERR_NOMEM. */
static int pick(
	const struct scan_item **picked, size_t *n, const struct scan_list *l, struct store *store)
{
	struct oidmap seen = OIDMAP_INIT;
	int rc = oidmap_reserve(&seen, l->n);

	*n = 0;
	for (size_t i = 0; rc >= 0 && i < l->n; i++) {
		if (l->v[i].size == 0)
			continue;
		rc = oidmap_add(&seen, &l->v[i].oid, 0);
		if (rc > 0 && (store == NULL || !store_has(store, &l->v[i].oid, l->v[i].size)))
			picked[(*n)++] = &l->v[i];
	}
	oidmap_release(&seen);
	return rc < 0 ? err_set(rc, "out of memory") : 0;
}

static int run(struct sync *out, enum batch_direction d, const struct scan_list *l,
	struct store *store, const struct batch_options *o)
{
	const struct scan_item **picked;
	int rc;

	if (l->n == 0)
		return 0;
	picked = calloc(l->n, sizeof(*picked));
	if (picked == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	rc = pick(picked, &out->n, l, store);
	if (rc == 0) {
		out->objects = calloc(out->n > 0 ? out->n : 1, sizeof(*out->objects));
		if (out->objects == NULL)
			rc = err_set(ERR_NOMEM, "out of memory");
	}
	if (rc < 0)
		out->n = 0;
	for (size_t i = 0; i < out->n; i++) {
		out->objects[i].oid = picked[i]->oid;
		out->objects[i].size = picked[i]->size;
		out->objects[i].path = picked[i]->path;
		out->objects[i].has_base = picked[i]->has_base && d == BATCH_UPLOAD;
		out->objects[i].base = picked[i]->base;
	}
	free(picked);
	return rc == 0 && out->n > 0 ? batch_run(d, out->objects, out->n, o, &out->result) : rc;
}

int sync_upload(struct sync *out, const struct scan_list *l, const struct batch_options *o)
{
	return run(out, BATCH_UPLOAD, l, NULL, o);
}

int sync_download(struct sync *out, const struct scan_list *l, struct store *store,
	const struct batch_options *o)
{
	return run(out, BATCH_DOWNLOAD, l, store, o);
}

int sync_check(struct sync *out, const struct scan_list *l, const struct batch_options *o)
{
	return run(out, BATCH_CHECK, l, NULL, o);
}

size_t sync_count(const struct sync *s, int state, uint64_t *bytes)
{
	size_t n = 0;

	*bytes = 0;
	for (size_t i = 0; i < s->n; i++)
		if (s->objects[i].state == state) {
			n++;
			*bytes += s->objects[i].size;
		}
	return n;
}

size_t sync_failed(const struct sync *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		n += s->objects[i].state < 0;
	return n;
}

int sync_summary(struct buf *out, const struct sync *s, enum batch_direction d, int dry_run)
{
	uint64_t bytes, present_bytes;
	size_t done = sync_count(s, 1, &bytes), present = sync_count(s, 2, &present_bytes);
	char size[16];
	int rc;

	if (done == 0)
		return 0;
	rc = buf_addf(out, "%zu object%s, %s %s%s '%s'", done, done == 1 ? "" : "s",
		progress_bytes(size, bytes), dry_run ? "would be " : "",
		d == BATCH_UPLOAD ? "pushed to" : "fetched from", s->result.remote);
	if (rc == 0 && !dry_run && s->result.bytes < bytes)
		rc = buf_addf(out, ", %s travelled", progress_bytes(size, s->result.bytes));
	if (rc == 0 && present > 0)
		rc = buf_addf(
			out, " (%zu %s there already)", present, present == 1 ? "was" : "were");
	return rc < 0 ? rc : 1;
}

static const char *skip(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(text, prefix, len) == 0 ? text + len : NULL;
}

/* The error without "object <id> (<path>): " in front: a line starts with the path already. */
static const char *without_name(const char *error, const char *hex, const char *path)
{
	const char *p = skip(error, "object "), *named;

	p = p != NULL ? skip(p, hex) : NULL;
	named = p != NULL ? skip(p, " (") : NULL;
	named = named != NULL ? skip(named, path) : NULL;
	named = named != NULL ? skip(named, ")") : NULL;
	p = named != NULL ? named : p;
	p = p != NULL ? skip(p, ": ") : NULL;
	return p != NULL ? p : error;
}

static int add_failure(struct buf *out, const struct batch_object *o, enum batch_direction d)
{
	const char *path = o->path != NULL ? o->path : "";
	char hex[OID_HEX_LEN + 1];
	int rc;

	oid_to_hex(hex, &o->oid);
	rc = buf_addf(out, "  %s: %s", *path != '\0' ? path : hex,
		o->error != NULL ? without_name(o->error, hex, path) : "failed");
	if (rc == 0 && d == BATCH_UPLOAD && o->state == ERR_CORRUPT && *path != '\0')
		rc = buf_addf(out,
			"; put the right file in place and run 'git add --renormalize %s'", path);
	return rc == 0 ? buf_addstr(out, "\n") : rc;
}

int sync_failures(struct buf *out, const struct sync *s, enum batch_direction d, size_t most)
{
	size_t named = 0, failed = sync_failed(s);
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < s->n && named < most; i++) {
		if (s->objects[i].state >= 0)
			continue;
		rc = add_failure(out, &s->objects[i], d);
		named++;
	}
	if (rc == 0 && failed > named)
		rc = buf_addf(out, "  ... and %zu more\n", failed - named);
	return rc;
}
