/*
 * Every object of our own store (alternates belong to others): the packed ones, then the whole
 * ones.  One that is there twice is told twice.
 */
#include "lib/store/store_internal.h"
#include "lib/base/err.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

typedef int (*object_fn)(const struct oid *oid, uint64_t size, int whole, void *data);

struct listed {
	struct oid oid;
	uint32_t size;
};

/* The packed objects as a copy: fn may call the store again. */
static int list_packed(struct store *s, struct buf *out)
{
	const struct packs *p;
	int rc = store_ready(s);

	if (rc == 0)
		rc = packs_refresh(&s->roots[0].packs);
	if (rc < 0)
		return rc;
	p = &s->roots[0].packs;
	for (size_t i = 0; i < p->n; i++) {
		const struct pack_file *f = p->v[i];
		size_t n = f->map ? f->table.n : f->n;

		for (size_t k = 0; k < n; k++) {
			struct pack_entry e;
			struct listed o;

			if (!f->map)
				e = f->entries[k];
			else if (pack_table_at(&f->table, k, &e) < 0)
				continue;
			o = (struct listed){e.id, e.raw_len};
			rc = buf_add(out, &o, sizeof o);
			if (rc < 0)
				return rc;
		}
	}
	return 0;
}

static int each_packed(struct store *s, object_fn fn, void *data)
{
	struct buf all = BUF_INIT;
	int rc;

	pthread_mutex_lock(&s->lock);
	rc = list_packed(s, &all);
	pthread_mutex_unlock(&s->lock);
	for (size_t at = 0; rc == 0 && at < all.len; at += sizeof(struct listed)) {
		struct listed o;

		memcpy(&o, all.p + at, sizeof o);
		rc = fn(&o.oid, o.size, 0, data);
	}
	buf_release(&all);
	return rc;
}

static int one_whole(int dir_fd, const char *name, object_fn fn, void *data)
{
	struct stat st;
	struct oid oid;

	if (strlen(name) != OID_HEX_LEN || oid_from_hex(&oid, name) < 0 ||
		fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		return 0;
	return fn(&oid, (uint64_t)st.st_size, 1, data);
}

/* Directories "aa", "aa/bb", then the objects; `depth` is how many levels of directories follow. */
static int each_whole(int parent, const char *name, int depth, object_fn fn, void *data)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;
	int rc = 0;

	if (!dir) {
		rc = errno == ENOENT ? 0 : err_sys("cannot open directory '%s'", name);
		if (fd >= 0)
			close(fd);
		return rc;
	}
	while (rc == 0 && (d = readdir(dir))) {
		if (depth == 0)
			rc = one_whole(dirfd(dir), d->d_name, fn, data);
		else if (strlen(d->d_name) == 2 && d->d_name[0] != '.')
			rc = each_whole(dirfd(dir), d->d_name, depth - 1, fn, data);
	}
	closedir(dir);
	return rc;
}

int store_each(struct store *s, object_fn fn, void *data)
{
	int rc = each_packed(s, fn, data);

	if (rc == 0)
		rc = each_whole(AT_FDCWD, s->roots[0].objects, 2, fn, data);
	return rc;
}
