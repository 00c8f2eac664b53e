/*
 * When something was used is its modification time.  The bytes are counted as files come, and
 * counted anew from the directory when there seem to be too many: other processes have a hand in it
 * as well.
 */
#include "transfer/depot/depot_cache.h"
#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/store/oidmap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	FILE_COST = 4096, /* a small file takes as much of the disk */
	TOUCH_AGE = 60,	  /* seconds: used again within these is used once */
	CHECKED_MAX = 100 * 1000
};

struct depot_cache {
	struct buf dir;
	uint64_t max;
	pthread_mutex_t lock;
	uint64_t bytes;	       /* as far as we know */
	struct oidmap checked; /* files that this process has hashed, or made */
};

struct cached {
	struct oid oid;
	int64_t used;
	uint64_t cost;
};

struct cached_list {
	struct cached *v;
	size_t n, cap;
	uint64_t bytes;
};

static int file_path(const struct depot_cache *c, const struct oid *oid, struct buf *out)
{
	char hex[OID_HEX_LEN + 1];

	oid_to_hex(hex, oid);
	return buf_addf(out, "%s/%.2s/%s", c->dir.p, hex, hex);
}

static uint64_t cost_of(uint64_t size)
{
	return (size + FILE_COST - 1) / FILE_COST * FILE_COST;
}

/* ---- what an earlier process left ---- */

static int is_checked(struct depot_cache *c, const struct oid *oid)
{
	int is;

	pthread_mutex_lock(&c->lock);
	is = oidmap_get(&c->checked, oid, NULL);
	pthread_mutex_unlock(&c->lock);
	return is;
}

static void note_checked(struct depot_cache *c, const struct oid *oid)
{
	pthread_mutex_lock(&c->lock);
	if (c->checked.n >= CHECKED_MAX) /* they are hashed once more */
		oidmap_release(&c->checked);
	(void)oidmap_add(&c->checked, oid, 0);
	pthread_mutex_unlock(&c->lock);
}

static int holds(int fd, const struct oid *oid)
{
	struct oid found;

	return oid_of_file(&found, fd) == 0 && oid_eq(&found, oid);
}

/* ---- too much ---- */

static int list_add(struct cached_list *l, const struct oid *oid, const struct stat *st)
{
	if (array_room(&l->v, l->n, &l->cap, sizeof(*l->v)) < 0)
		return ERR_NOMEM;
	l->v[l->n] = (struct cached){*oid, fs_mtime_ns(st), cost_of((uint64_t)st->st_size)};
	l->bytes += l->v[l->n++].cost;
	return 0;
}

static int list_folder(struct cached_list *l, const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *e;
	struct stat st;
	struct oid oid;
	int rc = 0;

	while (rc == 0 && dir && (e = readdir(dir))) {
		if (strlen(e->d_name) == OID_HEX_LEN && oid_from_hex(&oid, e->d_name) == 0 &&
			fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			rc = list_add(l, &oid, &st);
	}
	if (dir)
		closedir(dir);
	return rc;
}

static int list_all(const struct depot_cache *c, struct cached_list *l)
{
	struct buf folder = BUF_INIT;
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < 256; i++) {
		buf_reset(&folder);
		rc = buf_addf(&folder, "%s/%02x", c->dir.p, i);
		if (rc == 0)
			rc = list_folder(l, folder.p);
	}
	buf_release(&folder);
	return rc;
}

static int compare_used(const void *a, const void *b)
{
	const struct cached *x = a, *y = b;

	return x->used < y->used ? -1 : x->used > y->used;
}

static void remove_one(const struct depot_cache *c, const struct oid *oid)
{
	struct buf path = BUF_INIT;

	if (file_path(c, oid, &path) == 0)
		unlink(path.p);
	buf_release(&path);
}

/* Under the lock: down to 7/8 of `max`, so that not every file that comes makes us look again. */
static void shrink(struct depot_cache *c, uint64_t max)
{
	struct cached_list l = {NULL, 0, 0, 0};
	int rc = list_all(c, &l);

	if (l.n)
		qsort(l.v, l.n, sizeof(*l.v), compare_used);
	for (size_t i = 0; rc == 0 && i < l.n && l.bytes > max - max / 8; i++) {
		remove_one(c, &l.v[i].oid);
		l.bytes -= l.v[i].cost;
	}
	c->bytes = l.bytes;
	free(l.v);
	err_clear();
}

/* ---- outside ---- */

/* After a start of the machine the names may be there and the bytes not. */
static int empty_after_boot(struct depot_cache *c)
{
	struct buf path = BUF_INIT, now = BUF_INIT, then = BUF_INIT;
	int rc = buf_addf(&path, "%s/boot", c->dir.p);

	if (rc == 0 && buf_read_file(&now, "/proc/sys/kernel/random/boot_id") < 0)
		buf_reset(&now);
	if (rc == 0 && buf_read_file(&then, path.p) < 0)
		buf_reset(&then);
	if (rc == 0 && (now.len == 0 || strcmp(buf_str(&now), buf_str(&then)) != 0)) {
		shrink(c, 0);
		rc = fs_mkdirs(c->dir.p);
		if (rc == 0)
			rc = fs_replace_file(path.p, buf_str(&now), now.len, 0);
	}
	buf_release(&path);
	buf_release(&now);
	buf_release(&then);
	return rc;
}

int depot_cache_open(struct depot_cache **out, const char *state, uint64_t max_bytes)
{
	struct depot_cache *c = calloc(1, sizeof(*c));
	int rc;

	*out = NULL;
	if (!c)
		return err_set(ERR_NOMEM, "out of memory");
	c->max = max_bytes;
	pthread_mutex_init(&c->lock, NULL);
	rc = buf_addf(&c->dir, "%s/cache", state);
	if (rc == 0)
		rc = empty_after_boot(c);
	if (rc == 0)
		shrink(c, c->max);
	if (rc < 0)
		depot_cache_close(c);
	else
		*out = c;
	return rc;
}

void depot_cache_close(struct depot_cache *c)
{
	if (!c)
		return;
	buf_release(&c->dir);
	oidmap_release(&c->checked);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

int depot_cache_get(struct depot_cache *c, const struct oid *oid, uint64_t *size)
{
	struct buf path = BUF_INIT;
	struct stat st;
	int fd = -1;

	if (file_path(c, oid, &path) == 0)
		fd = open(path.p, O_RDONLY | O_CLOEXEC);
	buf_release(&path);
	if (fd < 0)
		return ERR_NOTFOUND;
	if (!is_checked(c, oid)) {
		if (!holds(fd, oid)) { /* the store has it, too */
			remove_one(c, oid);
			close(fd);
			return ERR_NOTFOUND;
		}
		note_checked(c, oid);
	}
	if (fstat(fd, &st) < 0) {
		close(fd);
		return ERR_NOTFOUND;
	}
	if (time(NULL) - st.st_mtime > TOUCH_AGE)
		futimens(fd, NULL);
	*size = (uint64_t)st.st_size;
	return fd;
}

int depot_cache_has(struct depot_cache *c, const struct oid *oid, uint64_t *size)
{
	struct buf path = BUF_INIT;
	struct stat st;
	int has = is_checked(c, oid) && file_path(c, oid, &path) == 0 && stat(path.p, &st) == 0;

	if (has)
		*size = (uint64_t)st.st_size;
	buf_release(&path);
	return has;
}

void depot_cache_take(struct depot_cache *c, const struct oid *oid, uint64_t size, const char *file)
{
	struct buf path = BUF_INIT;
	int rc = cost_of(size) > c->max / 2 ? ERR_LIMIT : file_path(c, oid, &path);

	if (rc == 0)
		rc = fs_mkdirs_parent(path.p);
	if (rc == 0 && (utimensat(AT_FDCWD, file, NULL, 0) < 0 || rename(file, path.p) < 0))
		rc = ERR_IO;
	if (rc < 0)
		unlink(file);
	else
		note_checked(c, oid);
	pthread_mutex_lock(&c->lock);
	if (rc == 0)
		c->bytes += cost_of(size);
	if (c->bytes > c->max)
		shrink(c, c->max);
	pthread_mutex_unlock(&c->lock);
	buf_release(&path);
}
