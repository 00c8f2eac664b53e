/*
 * What all kinds of remote share: choosing the kind, where blobs are named, files that wait to be
 * sent, and whole blobs in terms of the operations.
 */
#include "transfer/remote/remote.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "transfer/remote/remote_wrap.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int open_kind(
	struct remote **out, const struct remote_spec *spec, const struct remote_context *context)
{
	switch (spec->kind) {
	case REMOTE_DIR:
		return remote_dir_open(out, spec->name, spec->path);
	case REMOTE_S3:
		return remote_s3_open(out, spec, context);
	case REMOTE_SSH:
		return remote_ssh_open(out, spec, context);
	case REMOTE_RCLONE:
		return remote_rclone_open(out, spec, context);
	case REMOTE_GITDIR:
	case REMOTE_LFS:
		break;
	}
	return err_set(ERR_UNSUPPORTED,
		"remote '%s' (%s) is no blob store: it keeps whole objects, and cleans up by "
		"itself; this works "
		"with a directory, s3://, ssh:// and rclone://",
		spec->name, spec->url);
}

int remote_open(
	struct remote **out, const struct remote_spec *spec, const struct remote_context *context)
{
	struct remote *bare = NULL;
	int rc;

	*out = NULL;
	rc = open_kind(&bare, spec, context);
	if (rc < 0)
		return rc;
	bare->context = *context;
	return remote_wrap_configured(out, bare);
}

int remote_init(struct remote *r, const struct remote_ops *ops, const struct remote_spec *spec,
	const struct remote_context *context)
{
	r->ops = ops;
	r->context = *context;
	r->name = strdup(spec->name);
	r->url = strdup(spec->url);
	return r->name && r->url ? 0 : err_set(ERR_NOMEM, "out of memory");
}

void remote_close(struct remote *r)
{
	if (!r)
		return;
	while (r->n_spare)
		close(r->spare[--r->n_spare]);
	free(r->name);
	free(r->url);
	r->ops->close(r);
}

int remote_check_stop(const struct remote *r)
{
	if (r->context.stop && *r->context.stop)
		return err_set(ERR_INTERRUPTED, "interrupted");
	return 0;
}

/* ---- names ---- */

static const struct {
	const char *suffix;
	enum remote_listing listing;
} classes[] = {
	[REMOTE_PACK] = {".pack", REMOTE_LIST_PACKS},
	[REMOTE_FRAGMENT] = {".idx", REMOTE_LIST_FRAGMENTS},
	[REMOTE_NOTICE] = {".notice", REMOTE_LIST_FRAGMENTS},
	[REMOTE_RUNS] = {".runs", REMOTE_LIST_RUNS},
};

const char *remote_listing_folder(enum remote_listing what)
{
	static const char *const folders[] = {
		[REMOTE_LIST_FRAGMENTS] = "fragments",
		[REMOTE_LIST_PACKS] = "packs",
		[REMOTE_LIST_RUNS] = "runs",
	};

	return folders[what];
}

enum remote_listing remote_listing_of(enum remote_class c)
{
	return classes[c].listing;
}

enum { PLACE_MAX = OID_HEX_LEN + 32 };

static void format_place(char out[PLACE_MAX], enum remote_class c, const struct oid *name)
{
	char hex[OID_HEX_LEN + 1];

	oid_to_hex(hex, name);
	if (c == REMOTE_PACK)
		snprintf(out, PLACE_MAX, "packs/%.2s/%s%s", hex, hex, classes[c].suffix);
	else
		snprintf(out, PLACE_MAX, "%s/%s%s", remote_listing_folder(classes[c].listing), hex,
			classes[c].suffix);
}

int remote_blob_path(struct buf *out, enum remote_class c, const struct oid *name)
{
	char place[PLACE_MAX];

	format_place(place, c, name);
	return buf_addf(out, "%s", place);
}

/* Without an allocation: one that failed would make a blob a stranger, and a listing incomplete. */
int remote_blob_parse(const char *path, enum remote_class *c, struct oid *name)
{
	const char *file = strrchr(path, '/');
	char hex[OID_HEX_LEN + 1], right[PLACE_MAX];

	if (!file || strlen(++file) <= OID_HEX_LEN)
		return 0;
	for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++) {
		if (strcmp(file + OID_HEX_LEN, classes[i].suffix) != 0)
			continue;
		memcpy(hex, file, OID_HEX_LEN);
		hex[OID_HEX_LEN] = '\0';
		if (oid_from_hex(name, hex) < 0) {
			err_clear();
			return 0;
		}
		*c = (enum remote_class)i;
		format_place(right, *c, name);
		return strcmp(right, path) == 0;
	}
	return 0;
}

/* ---- hints ---- */

static __thread unsigned hint;

void remote_retry_hint(unsigned milliseconds)
{
	hint = milliseconds;
}

unsigned remote_take_retry_hint(void)
{
	unsigned taken = hint;

	hint = 0;
	return taken;
}

/* ---- files that wait to be sent ---- */

/* Over the spare files of all remotes. */
static pthread_mutex_t spare_lock = PTHREAD_MUTEX_INITIALIZER;

/* A page that was never touched costs several times the copying into it, so files are kept. */
void remote_spool_free(struct remote_put *p)
{
	struct remote *r;

	if (!p)
		return;
	r = p->remote;
	pthread_mutex_lock(&spare_lock);
	if (p->fd >= 0 && r->n_spare < (int)(sizeof(r->spare) / sizeof(*r->spare))) {
		r->spare[r->n_spare++] = p->fd;
		p->fd = -1;
	}
	pthread_mutex_unlock(&spare_lock);
	if (p->fd >= 0)
		close(p->fd);
	free(p);
}

/* A file that served before, rewound; -1: none. */
static int take_spare(struct remote *r)
{
	int fd = -1;

	pthread_mutex_lock(&spare_lock);
	if (r->n_spare)
		fd = r->spare[--r->n_spare];
	pthread_mutex_unlock(&spare_lock);
	if (fd >= 0 && lseek(fd, 0, SEEK_SET) < 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

int remote_spool(struct remote *r, enum remote_class c, struct remote_put **out)
{
	struct buf dir = BUF_INIT;
	struct remote_put *p = calloc(1, sizeof(*p));
	int rc;

	*out = NULL;
	if (!p)
		return err_set(ERR_NOMEM, "out of memory");
	p->remote = r;
	p->class = c;
	p->fd = take_spare(r);
	if (p->fd >= 0) {
		*out = p;
		return 0;
	}
	rc = buf_addf(&dir, "%s/tmp", r->context.git->dvx_dir);
	if (rc == 0)
		rc = fs_mkdirs(dir.p);
	if (rc == 0)
		rc = p->fd = fs_unnamed_file(dir.p);
	buf_release(&dir);
	if (rc < 0) {
		remote_spool_free(p);
		return err_prefix(rc, "cannot prepare what goes to remote '%s'", r->name);
	}
	*out = p;
	return 0;
}

/* ---- whole blobs ---- */

int remote_put_bytes(
	struct remote *r, enum remote_class c, const struct oid *name, const void *data, size_t len)
{
	struct remote_put *put = NULL;
	int rc = r->ops->put_begin(r, c, &put);

	if (rc < 0)
		return rc;
	rc = fs_write_full(put->fd, data, len);
	if (rc < 0)
		err_prefix(rc, "cannot write to remote '%s'", r->name);
	else
		rc = r->ops->put_commit(r, put, name, len);
	r->ops->put_free(put);
	return rc;
}

int remote_get_all(struct remote *r, enum remote_class c, const struct oid *name, uint64_t size,
	uint64_t max, struct buf *out)
{
	ssize_t n;
	int rc;

	if (size > max)
		return err_set(
			ERR_LIMIT, "a blob of %llu bytes is too large", (unsigned long long)size);
	rc = buf_grow(out, (size_t)size);
	if (rc < 0)
		return rc;
	n = r->ops->get(r, c, name, 0, out->p + out->len, (size_t)size);
	if (n < 0)
		return (int)n;
	out->len += (size_t)n;
	out->p[out->len] = '\0';
	return (uint64_t)n == size ? 0 : err_set(ERR_CORRUPT, "shorter than it was listed");
}
