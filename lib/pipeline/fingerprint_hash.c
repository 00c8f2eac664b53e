/*
 * From files to ids: what the table or Git's index knows is taken from there, the rest is read, in
 * parallel.  A pointer that has not been rehydrated stands for the object that it names.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/workers.h"
#include "lib/pipeline/fingerprint_internal.h"
#include "lib/store/pointer.h"

enum { HASH_ATTEMPTS = 3 };
/* Files whose ctime is younger than this may be written again without a change of it; the coarse
 * one is for file systems that keep whole seconds. */
enum { CLOCK_NS = 20 * 1000 * 1000, SECOND_NS = 1000 * 1000 * 1000 };
enum { WORTH_WAITING = 1024 * 1024 }; /* bytes to read rather than to wait for CLOCK_NS */
enum { WORTH_THE_INDEX = 64 * 1024 }; /* bytes to hash rather than to read Git's index */

struct hashing {
	struct fingerprints *f;
	struct fp_file **v;
	int storing;
	int64_t start; /* when reading began */
};

/* Whether the file is still what it was when it was looked at. */
static int same_stat(const struct fp_file *e, const struct stat *st)
{
	return e->st.ino == (uint64_t)st->st_ino && e->st.bytes == (uint64_t)st->st_size &&
	       e->st.mtime == fs_mtime_ns(st) && e->st.ctime == fs_ctime_ns(st);
}

/* What a pointer says of the file in its place: with extensions, the file is not the object but
 * what the first of them was given. */
static int take_pointer(struct fp_file *e, const void *data, size_t len)
{
	struct pointer_extension ext[POINTER_EXTENSIONS_MAX];
	struct pointer p;

	if (len == 0 || pointer_parse(&p, data, len) < 0)
		return 0;
	e->oid = p.oid;
	e->size = p.size;
	if (p.extended && pointer_extensions(ext, data, len) > 0)
		e->oid = ext[0].before;
	e->pointer = 1;
	return 1;
}

static int hash_bytes(const struct hashing *h, struct fp_file *e, const void *data, size_t n)
{
	e->size = n;
	if (h->storing)
		return store_put(h->f->store, data, n, &e->oid);
	oid_of(&e->oid, data, n);
	return 0;
}

static int hash_small(const struct hashing *h, struct fp_file *e, int fd)
{
	char data[POINTER_MAX];
	ssize_t n = fs_pread_full(fd, data, sizeof(data), 0);

	if (n < 0)
		return (int)n;
	return take_pointer(e, data, (size_t)n) ? 0 : hash_bytes(h, e, data, (size_t)n);
}

/* Hash it whole, on its way into the store when that is wanted. */
static int hash_content(const struct hashing *h, struct fp_file *e, int fd)
{
	if (h->storing)
		return store_put_file(h->f->store, fd, NULL, &e->oid, &e->size);
	e->size = e->st.bytes;
	return oid_of_file(&e->oid, fd);
}

/* Whether a write after `now` might leave the file's times as they are. */
static int is_young(const struct fp_file *e, int64_t now)
{
	int whole_seconds = e->st.mtime % SECOND_NS == 0 && e->st.ctime % SECOND_NS == 0;

	return e->st.ctime + (whole_seconds ? (int64_t)2 * SECOND_NS : CLOCK_NS) > now;
}

enum { MOVED = 1 }; /* it was written while it was read */

static int hash_open(const struct hashing *h, struct fp_file *e, int fd)
{
	struct stat st;
	int rc;

	if (fstat(fd, &st) < 0)
		return err_sys("cannot look at it");
	if (!S_ISREG(st.st_mode))
		return err_set(ERR_CHANGED, "it is no longer a file");
	fp_file_stat(e, &st);
	e->pointer = 0;
	rc = e->st.bytes < POINTER_MAX ? hash_small(h, e, fd) : hash_content(h, e, fd);
	if (rc < 0)
		return rc;
	if (fstat(fd, &st) < 0)
		return err_sys("cannot look at it");
	e->young = is_young(e, h->start);
	return same_stat(e, &st) ? 0 : MOVED;
}

static int hash_link(const struct hashing *h, struct fp_file *e, const char *full)
{
	char target[PATH_MAX];
	ssize_t n = readlink(full, target, sizeof(target));

	if (n < 0)
		return err_sys("cannot read the link");
	e->young = is_young(e, h->start);
	return hash_bytes(h, e, target, (size_t)n);
}

static int hash_file(const struct hashing *h, struct fp_file *e, const char *full)
{
	int fd, rc;

	if (e->mode == 'l')
		return hash_link(h, e, full);
	fd = open(full, O_RDONLY | O_CLOEXEC | O_NONBLOCK | (e->follow ? 0 : O_NOFOLLOW));
	if (fd < 0)
		return err_sys("cannot open it");
	rc = hash_open(h, e, fd);
	for (int i = 1; rc == MOVED && i < HASH_ATTEMPTS; i++)
		rc = hash_open(h, e, fd);
	close(fd);
	if (rc == MOVED) {
		e->young = 1;
		rc = h->storing ? err_set(ERR_CHANGED, "it changes while it is read") : 0;
	}
	return rc;
}

static int hash_one(size_t i, void *data)
{
	struct hashing *h = data;
	struct fp_file *e = h->v[i];
	struct buf full = BUF_INIT;
	int rc = fp_full_path(&full, h->f, e->path);

	if (rc == 0)
		rc = hash_file(h, e, full.p);
	buf_release(&full);
	if (rc < 0)
		return err_prefix(rc, "cannot %s '%s'", h->storing ? "store" : "hash", e->path);
	e->known = e->learnt = 1;
	h->f->hashed++;
	return 0;
}

/* Whether there is nothing to read. */
static int is_done(const struct fingerprints *f, const struct fp_file *e, int storing)
{
	return e->known && (!storing || e->pointer || store_has(f->store, &e->oid, e->size));
}

static void ask_table(struct fingerprints *f, struct fp_file *v, size_t n)
{
	struct statcache_file known;

	pthread_mutex_lock(&f->mutex);
	for (size_t i = 0; i < n; i++) {
		if (v[i].known || !statcache_find(f->table, v[i].path, &v[i].st, &known))
			continue;
		v[i].oid = known.oid;
		v[i].size = known.size;
		v[i].pointer = known.pointer != 0;
		v[i].known = 1;
	}
	pthread_mutex_unlock(&f->mutex);
}

/* The files of h->v that are still to be read; their number. */
static size_t keep_unknown(struct hashing *h, size_t n, uint64_t *bytes)
{
	size_t kept = 0;

	*bytes = 0;
	for (size_t i = 0; i < n; i++) {
		if (is_done(h->f, h->v[i], h->storing))
			continue;
		*bytes += h->v[i]->known ? 0 : h->v[i]->st.bytes;
		h->v[kept++] = h->v[i];
	}
	return kept;
}

static uint64_t young_bytes(const struct hashing *h, size_t n)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < n; i++)
		if (is_young(h->v[i], h->start))
			bytes += h->v[i]->st.bytes;
	return bytes;
}

int fp_wait_for_clock(uint64_t bytes)
{
	const struct timespec t = {.tv_nsec = CLOCK_NS};

	if (bytes < WORTH_WAITING)
		return 0;
	nanosleep(&t, NULL);
	return 1;
}

int fp_identify(struct fingerprints *f, struct fp_file *v, size_t n, int storing)
{
	struct hashing h = {.f = f, .storing = storing};
	uint64_t bytes;
	int rc = 0;

	h.v = reallocarray(NULL, n + 1, sizeof(struct fp_file *));
	if (h.v == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	ask_table(f, v, n);
	for (size_t i = 0; i < n; i++)
		h.v[i] = &v[i];
	n = keep_unknown(&h, n, &bytes);
	if (bytes >= WORTH_THE_INDEX) {
		rc = fp_ask_index(f, h.v, n);
		n = keep_unknown(&h, n, &bytes);
	}
	h.start = fs_now_ns();
	if (fp_wait_for_clock(young_bytes(&h, n)))
		h.start = fs_now_ns();
	if (rc == 0)
		rc = workers_run(0, n, hash_one, &h);
	free(h.v);
	return rc;
}

int fp_remember(struct fingerprints *f, const struct fp_file *v, size_t n)
{
	int rc = 0;

	pthread_mutex_lock(&f->mutex);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		const struct statcache_file known = {v[i].oid, v[i].size, v[i].pointer};

		if (v[i].known && v[i].learnt && !v[i].young)
			rc = statcache_put(f->table, v[i].path, &v[i].st, &known);
	}
	pthread_mutex_unlock(&f->mutex);
	return rc;
}
