/*
 * The local store: where it is (our own directories, and those of Git's alternates for reading),
 * what is in it, and the little that all its parts need.  Nothing is opened before it is asked for.
 */
#include "lib/setup/lfs_use.h"
#include "lib/store/store_internal.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- opening ---- */

/* core.sharedRepository as bits to add to a file's mode. */
static int shared_mode(const struct config *c)
{
	const char *v = config_get(c, "core.sharedrepository");
	char *end;
	long octal;

	if (!v || !*v || !strcmp(v, "umask"))
		return 0;
	if (!strcmp(v, "group"))
		return 0660;
	if (!strcmp(v, "all") || !strcmp(v, "world") || !strcmp(v, "everybody"))
		return 0664;
	octal = strtol(v, &end, 8);
	if (*end)
		return config_bool(c, "core.sharedrepository", 0) ? 0660 : 0;
	if (octal == 0 || octal == 1)
		return octal ? 0660 : 0;
	if (octal == 2)
		return 0664;
	return (octal & 0600) == 0600 ? STORE_SHARED_EXACT | (int)(octal & 0666) : 0;
}

/* dup or joined copy as a heap string; NULL: out of memory. */
static char *joined(const char *a, const char *b)
{
	struct buf path = BUF_INIT;

	if (fs_join(&path, a, b) < 0)
		buf_release(&path);
	return path.p;
}

int store_open(struct store **out, const struct gitdir *g, const struct config *c)
{
	const char *storage = config_get(c, "lfs.storage");
	struct store *s = calloc(1, sizeof *s);

	*out = NULL;
	if (!s)
		return err_set(ERR_NOMEM, "out of memory");
	pthread_mutex_init(&s->lock, NULL);
	s->session.fd = -1;
	s->hold_fd = -1;
	s->common_dir = strdup(g->common_dir);
	s->dvx_dir = strdup(g->dvx_dir);
	s->lfs_dir = joined(g->common_dir, storage && *storage ? storage : "lfs");
	s->small_whole = lfs_use_keeps_small_whole(g, c);
	s->shared = shared_mode(c);
	if (!s->common_dir || !s->dvx_dir || !s->lfs_dir) {
		store_close(s);
		return err_set(ERR_NOMEM, "out of memory");
	}
	*out = s;
	return 0;
}

void store_keep_small_whole(struct store *s)
{
	s->small_whole = 1;
}

static void drop_roots(struct store *s)
{
	for (size_t i = 0; i < s->n_roots; i++) {
		free(s->roots[i].objects);
		packs_release(&s->roots[i].packs);
	}
	s->n_roots = 0;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	(void)session_flush(s, 1); /* without its log the pack is scanned: slower, not wrong */
	drop_roots(s);
	if (s->hold_fd >= 0)
		close(s->hold_fd);
	for (size_t i = 0; i < s->n_codecs; i++)
		pack_codec_free(s->codecs[i]);
	free(s->codecs);
	free(s->roots);
	free(s->common_dir);
	free(s->dvx_dir);
	free(s->lfs_dir);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

int store_flush(struct store *s)
{
	int rc;

	pthread_mutex_lock(&s->lock);
	rc = session_flush(s, 0);
	pthread_mutex_unlock(&s->lock);
	return rc;
}

/* ---- roots ---- */

int store_add_root(struct store *s, const char *objects, const char *packs)
{
	struct store_root *roots = realloc(s->roots, (s->n_roots + 1) * sizeof *roots), *r;

	if (!roots)
		return err_set(ERR_NOMEM, "out of memory");
	s->roots = roots;
	r = &roots[s->n_roots];
	memset(r, 0, sizeof *r);
	r->objects = strdup(objects);
	r->packs.dir = strdup(packs);
	if (!r->objects || !r->packs.dir) {
		free(r->objects);
		free(r->packs.dir);
		return err_set(ERR_NOMEM, "out of memory");
	}
	s->n_roots++;
	return 0;
}

int store_ready(struct store *s)
{
	struct buf objects = BUF_INIT, packs = BUF_INIT;
	int rc;

	if (s->ready)
		return 0;
	rc = fs_join(&objects, s->lfs_dir, "objects");
	if (rc == 0)
		rc = fs_join(&packs, s->dvx_dir, "packs");
	if (rc == 0)
		rc = store_add_root(s, objects.p, packs.p);
	if (rc == 0)
		rc = store_add_alternates(s);
	s->ready = rc == 0;
	if (rc < 0)
		drop_roots(s); /* the next call begins anew */
	buf_release(&objects);
	buf_release(&packs);
	return rc;
}

static int ready_locked(struct store *s)
{
	int rc;

	pthread_mutex_lock(&s->lock);
	rc = store_ready(s);
	pthread_mutex_unlock(&s->lock);
	return rc;
}

/* ---- what the parts need ---- */

int store_object_path(const struct store_root *r, const struct oid *oid, struct buf *out)
{
	char hex[OID_HEX_LEN + 1];

	oid_to_hex(hex, oid);
	return buf_addf(out, "%s/%.2s/%.2s/%s", r->objects, hex, hex + 2, hex);
}

static mode_t shared_file_mode(int shared, mode_t mode)
{
	if (shared & STORE_SHARED_EXACT)
		return (mode_t)(shared & 0666);
	return (mode & 0666) | (mode_t)shared;
}

int store_share_file(const struct store *s, int fd, const char *path)
{
	struct stat st;

	if (!s->shared)
		return 0;
	if (fstat(fd, &st) < 0)
		return err_sys("cannot stat '%s'", path);
	if (fchmod(fd, shared_file_mode(s->shared, st.st_mode)) < 0)
		return err_sys("cannot share '%s'", path);
	return 0;
}

static int share_dir(const struct store *s, const char *path)
{
	struct stat st;
	mode_t mode;

	if (!s->shared)
		return 0;
	if (stat(path, &st) < 0)
		return err_sys("cannot stat '%s'", path);
	mode = shared_file_mode(s->shared, st.st_mode);
	mode |= (mode & 0444) >> 2 | S_ISGID; /* who may read may enter */
	if (chmod(path, mode) < 0)
		return err_sys("cannot share '%s'", path);
	return 0;
}

int store_mkdirs(const struct store *s, const char *path)
{
	struct buf parent = BUF_INIT;
	int rc;

	if (mkdir(path, 0777) == 0)
		return share_dir(s, path);
	if (errno == EEXIST)
		return 0;
	if (errno != ENOENT)
		return err_sys("cannot create directory '%s'", path);
	rc = fs_dirname(&parent, path);
	if (rc == 0)
		rc = store_mkdirs(s, parent.p);
	buf_release(&parent);
	if (rc < 0)
		return rc;
	if (mkdir(path, 0777) == 0)
		return share_dir(s, path);
	return errno == EEXIST ? 0 : err_sys("cannot create directory '%s'", path);
}

int store_codec_take(struct store *s, struct pack_codec_ctx **out)
{
	*out = NULL;
	pthread_mutex_lock(&s->lock);
	if (s->n_codecs)
		*out = s->codecs[--s->n_codecs];
	pthread_mutex_unlock(&s->lock);
	return *out ? 0 : pack_codec_new(out);
}

void store_codec_give(struct store *s, struct pack_codec_ctx *c)
{
	if (!c)
		return;
	pthread_mutex_lock(&s->lock);
	if (s->n_codecs == s->cap_codecs) {
		size_t cap = s->cap_codecs ? s->cap_codecs * 2 : 4;
		struct pack_codec_ctx **p = realloc(s->codecs, cap * sizeof(*p));

		if (p) {
			s->codecs = p;
			s->cap_codecs = cap;
		}
	}
	if (s->n_codecs < s->cap_codecs) {
		s->codecs[s->n_codecs++] = c;
		c = NULL;
	}
	pthread_mutex_unlock(&s->lock);
	pack_codec_free(c);
}

int store_same_stat(const struct stat *st, int fd)
{
	struct stat now;

	return fstat(fd, &now) == 0 && now.st_size == st->st_size &&
	       fs_mtime_ns(&now) == fs_mtime_ns(st) && fs_ctime_ns(&now) == fs_ctime_ns(st);
}

int store_expected(const struct oid *expect, const struct oid *oid)
{
	char want[OID_HEX_LEN + 1], got[OID_HEX_LEN + 1];

	if (!expect || oid_eq(expect, oid))
		return 0;
	oid_to_hex(want, expect);
	oid_to_hex(got, oid);
	return err_set(ERR_CORRUPT, "content is object %s, not %s", got, want);
}

/* ---- asking ---- */

/* One round over the known packs: what fn returned if not 0. */
static int try_copies(
	struct store *s, const struct oid *oid, uint64_t size, store_copy_fn fn, void *data)
{
	for (size_t i = 0; i < s->n_roots; i++) {
		struct packs *p = &s->roots[i].packs;
		struct pack_file *f;
		struct pack_entry e;
		size_t from = 0;

		while ((f = packs_find(p, oid, &from, &e))) {
			int rc = 0;

			if (size == STORE_SIZE_UNKNOWN || size == e.raw_len)
				rc = fn(p, f, &e, data);
			if (rc)
				return rc;
		}
	}
	return 0;
}

int store_packed_copies(
	struct store *s, const struct oid *oid, uint64_t size, store_copy_fn fn, void *data)
{
	int rc = store_ready(s), fresh = 1;

	if (rc < 0 || (size != STORE_SIZE_UNKNOWN && size > PACK_ENTRY_RAW_MAX))
		return rc;
	while (fresh) {
		rc = try_copies(s, oid, size, fn, data);
		if (rc)
			return rc;
		fresh = 0;
		for (size_t i = 0; i < s->n_roots; i++) {
			rc = packs_refresh(&s->roots[i].packs);
			if (rc < 0)
				return rc;
			fresh |= rc;
		}
	}
	return 0;
}

static int confirm_copy(
	const struct packs *p, const struct pack_file *f, const struct pack_entry *e, void *data)
{
	(void)p;
	(void)data;
	return pack_file_confirms(f, e);
}

/* Packs are where small objects are; to learn that none has a large one means to look whether there
 * are new ones. */
int store_large_is_whole(struct store *s, const struct oid *oid, uint64_t size)
{
	struct buf path = BUF_INIT;
	int whole = size != STORE_SIZE_UNKNOWN && size > STORE_SMALL_MAX &&
		    store_whole_path(s, oid, size, &path);

	buf_release(&path);
	return whole;
}

int store_has(struct store *s, const struct oid *oid, uint64_t size)
{
	struct buf path = BUF_INIT;
	int has;

	if (oid_eq(oid, &oid_of_empty))
		return size == 0 || size == STORE_SIZE_UNKNOWN;
	if (store_large_is_whole(s, oid, size))
		return 1;
	pthread_mutex_lock(&s->lock);
	has = store_packed_copies(s, oid, size, confirm_copy, NULL) == 1;
	pthread_mutex_unlock(&s->lock);
	if (!has)
		has = store_whole_path(s, oid, size, &path);
	buf_release(&path);
	return has;
}

static int note_size(
	const struct packs *p, const struct pack_file *f, const struct pack_entry *e, void *data)
{
	int has = confirm_copy(p, f, e, NULL);

	if (has == 1)
		*(uint64_t *)data = e->raw_len;
	return has;
}

int store_find_size(struct store *s, const struct oid *oid, uint64_t *size)
{
	struct buf path = BUF_INIT;
	struct stat st;
	int has;

	*size = 0;
	if (oid_eq(oid, &oid_of_empty))
		return 1;
	pthread_mutex_lock(&s->lock);
	has = store_packed_copies(s, oid, STORE_SIZE_UNKNOWN, note_size, size) == 1;
	pthread_mutex_unlock(&s->lock);
	if (!has && store_whole_path(s, oid, STORE_SIZE_UNKNOWN, &path) && stat(path.p, &st) == 0) {
		*size = (uint64_t)st.st_size;
		has = 1;
	}
	buf_release(&path);
	return has;
}

int store_whole_path(struct store *s, const struct oid *oid, uint64_t size, struct buf *path)
{
	size_t before = path->len;
	struct stat st;

	if (ready_locked(s) < 0)
		return 0;
	for (size_t i = 0; i < s->n_roots; i++) {
		buf_truncate(path, before);
		if (store_object_path(&s->roots[i], oid, path) == 0 && stat(path->p, &st) == 0 &&
			S_ISREG(st.st_mode) &&
			(size == STORE_SIZE_UNKNOWN || (uint64_t)st.st_size == size) &&
			access(path->p, R_OK) == 0)
			return 1;
	}
	buf_truncate(path, before);
	return 0;
}

/* Says what else was wrong: a pack that could not be read may be the one that has it. */
static int not_found(struct store *s, const struct oid *oid)
{
	char hex[OID_HEX_LEN + 1];
	int rc;

	oid_to_hex(hex, oid);
	rc = err_set(ERR_NOTFOUND, "object %s is not in the store", hex);
	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < s->n_roots; i++)
		if (s->roots[i].packs.trouble.len)
			rc = err_set(rc,
				"object %s is not in the store, which cannot be read completely: "
				"%s",
				hex, s->roots[i].packs.trouble.p);
	pthread_mutex_unlock(&s->lock);
	return rc;
}

int store_open_whole(
	struct store *s, const struct oid *oid, uint64_t size, struct buf *path, struct stat *st)
{
	int rc = ready_locked(s);

	if (rc < 0)
		return rc;
	rc = not_found(s, oid);
	for (size_t i = 0; i < s->n_roots; i++) {
		int fd;

		buf_reset(path);
		if (store_object_path(&s->roots[i], oid, path) < 0)
			return ERR_NOMEM;
		fd = open(path->p, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0) {
			rc = err_sys("cannot open '%s'", path->p);
			continue;
		}
		if (fstat(fd, st) == 0 && S_ISREG(st->st_mode) &&
			(size == STORE_SIZE_UNKNOWN || (uint64_t)st->st_size == size))
			return fd;
		rc = err_set(ERR_CORRUPT, "'%s' is damaged: it has %lld bytes", path->p,
			(long long)st->st_size);
		close(fd);
	}
	return rc;
}
