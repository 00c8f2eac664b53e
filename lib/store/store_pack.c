/*
 * The packs of one directory, for reading: sealed ones mapped and searched in place, open ones
 * known by the log beside them and a scan of what the log does not cover.  Other processes append
 * and seal meanwhile: before an object is called absent, packs_refresh looks again, which costs a
 * stat when nothing happened.
 */
#include "lib/store/store_internal.h"
#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* ---- one pack ---- */

static void forget_entries(struct pack_file *f)
{
	oidindex_release(&f->places);
	free(f->entries);
	f->entries = NULL;
	f->n = f->cap = 0;
}

static void pack_file_free(struct pack_file *f)
{
	if (!f)
		return;
	if (f->map)
		munmap(f->map, f->map_len);
	if (f->fd >= 0)
		close(f->fd);
	forget_entries(f);
	free(f->name);
	free(f);
}

int pack_file_note(struct pack_file *f, const struct pack_entry *e)
{
	int rc;

	if (array_room(&f->entries, f->n, &f->cap, sizeof(*f->entries)) < 0)
		return ERR_NOMEM;
	f->entries[f->n] = *e;
	/* a later copy replaces a damaged one */
	rc = oidindex_set(&f->places, OIDARRAY(f->entries), (uint32_t)f->n);
	if (rc < 0)
		return rc;
	f->n++;
	f->scanned = e->offset + PACK_ENTRY_HEADER_LEN + e->stored_len;
	return 0;
}

int pack_file_place(const struct pack_file *f, const struct oid *id, uint32_t *number)
{
	return oidindex_get(&f->places, OIDARRAY(f->entries), id, number);
}

static int note_scanned(const struct pack_entry *e, void *file)
{
	return pack_file_note(file, e);
}

/* The offset of the next intact entry behind `from`, or 0: no more. */
static int find_next(const struct pack_file *f, uint64_t from, uint64_t size, uint64_t *next)
{
	uint8_t *window;
	int rc = 0;

	*next = 0;
	if (size - from > PACK_MAX)
		return 0;
	window = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, f->fd, 0);
	if (window == MAP_FAILED)
		return err_sys("cannot map pack '%s'", f->name);
	for (uint64_t at = from + 1; at + PACK_ENTRY_HEADER_LEN < size; at++) {
		struct pack_entry e;

		if (window[at] != PACK_ENTRY_MAGIC ||
			pack_entry_parse(&e, window + at, PACK_ENTRY_HEADER_LEN) < 0 ||
			size - at - PACK_ENTRY_HEADER_LEN < e.stored_len ||
			!pack_entry_intact(&e, window + at + PACK_ENTRY_HEADER_LEN))
			continue;
		*next = at;
		break;
	}
	munmap(window, (size_t)size);
	return rc;
}

/* Read what was appended since the last look.  1 if there was something.  A damaged entry with
 * intact ones behind it is passed over; but not while somebody may still be writing it, unless that
 * somebody is us (`sure`). */
static int scan_on(struct pack_file *f, int sure)
{
	uint64_t before = f->scanned, end, next;
	struct stat st;
	int rc;

	if (fstat(f->fd, &st) < 0)
		return err_sys("cannot stat pack '%s'", f->name);
	if (!sure && (uint64_t)st.st_size == f->seen_size && fs_mtime_ns(&st) == f->seen_mtime)
		return 0;
	f->seen_size = (uint64_t)st.st_size;
	f->seen_mtime = fs_mtime_ns(&st);
	sure |= fs_now_ns() - f->seen_mtime > STORE_WRITE_NS;
	for (end = f->scanned; f->seen_size > end + PACK_ENTRY_HEADER_LEN; end = next) {
		rc = pack_scan(f->fd, end, 0, note_scanned, f, &end);
		if (rc < 0)
			return rc;
		if (!sure || f->seen_size <= end + PACK_ENTRY_HEADER_LEN)
			break;
		rc = find_next(f, end, f->seen_size, &next);
		if (rc < 0)
			return rc;
		if (next == 0)
			break;
	}
	return f->scanned > before;
}

int pack_file_settle(struct pack_file *f)
{
	int rc = scan_on(f, 1);

	return rc < 0 ? rc : 0;
}

/* Map a sealed pack.  1, or 0 when its end is damaged: then its entries are found by a scan. */
static int map_sealed(struct packs *p, struct pack_file *f, const struct stat *st)
{
	uint64_t need, size = (uint64_t)st->st_size;

	if (size > PACK_MAX)
		return 0;
	f->map_len = (size_t)size;
	f->map = mmap(NULL, f->map_len, PROT_READ, MAP_SHARED, f->fd, 0);
	if (f->map == MAP_FAILED) {
		f->map = NULL;
		return err_sys("cannot map pack '%s/%s'", p->dir, f->name);
	}
	if (pack_table_open(&f->table, f->map, f->map_len, size, &need) == 0)
		return 1;
	munmap(f->map, f->map_len);
	f->map = NULL;
	return 0;
}

void pack_file_sealed(struct packs *p, struct pack_file *f)
{
	struct stat st;

	if (fstat(f->fd, &st) == 0 && map_sealed(p, f, &st) == 1)
		forget_entries(f);
}

static int is_open_name(const char *name)
{
	return strncmp(name, "open-", 5) == 0;
}

static int load(struct packs *p, struct pack_file *f)
{
	uint8_t header[PACK_HEADER_LEN];
	struct stat st;
	ssize_t n;
	int rc;

	if (fstat(f->fd, &st) < 0)
		return err_sys("cannot stat pack '%s/%s'", p->dir, f->name);
	f->dev = st.st_dev;
	f->ino = st.st_ino;
	f->scanned = PACK_HEADER_LEN;
	n = fs_pread_full(f->fd, header, sizeof header, 0);
	if (n == 0 && is_open_name(f->name))
		return 0; /* just made: its writer has not come to the header yet */
	rc = n < 0 ? (int)n : pack_header_check(header, (size_t)n);
	if (rc == 0 && !is_open_name(f->name)) {
		rc = map_sealed(p, f, &st);
		if (rc)
			return rc < 0 ? rc : 0;
	}
	if (rc == 0 && is_open_name(f->name))
		rc = pack_log_load(p, f);
	if (rc == 0)
		rc = scan_on(f, 0);
	return rc < 0 ? err_prefix(rc, "pack '%s/%s'", p->dir, f->name) : 0;
}

int pack_file_confirms(const struct pack_file *f, const struct pack_entry *e)
{
	uint8_t header[PACK_ENTRY_HEADER_LEN];
	struct pack_entry found;

	return fs_pread_full(f->fd, header, sizeof header, e->offset) == sizeof header &&
	       pack_entry_parse(&found, header, sizeof header) == 0 && oid_eq(&found.id, &e->id) &&
	       found.raw_len == e->raw_len && found.stored_len == e->stored_len &&
	       found.codec == e->codec && found.check == e->check;
}

int pack_file_read(const struct packs *p, const struct pack_file *f, const struct pack_entry *e,
	struct buf *out)
{
	size_t len = PACK_ENTRY_HEADER_LEN + (size_t)e->stored_len;
	struct pack_entry found;
	ssize_t n;
	int rc = buf_grow(out, len);

	if (rc < 0)
		return rc;
	n = fs_pread_full(f->fd, out->p + out->len, len, e->offset);
	if (n < 0)
		return err_prefix((int)n, "pack '%s/%s'", p->dir, f->name);
	rc = pack_entry_parse(&found, out->p + out->len, (size_t)n);
	if (rc == 0 && ((size_t)n != len || !oid_eq(&found.id, &e->id) ||
			       found.raw_len != e->raw_len || found.stored_len != e->stored_len ||
			       found.codec != e->codec || found.check != e->check))
		rc = err_set(ERR_CORRUPT, "pack entry is not what the index says");
	if (rc == 0 && !pack_entry_intact(&found, out->p + out->len + PACK_ENTRY_HEADER_LEN))
		rc = err_set(ERR_CORRUPT, "damaged pack entry payload");
	if (rc < 0)
		return err_prefix(rc, "pack '%s/%s'", p->dir, f->name);
	out->len += len;
	return 0;
}

/* ---- all of them ---- */

void packs_release(struct packs *p)
{
	for (size_t i = 0; i < p->n; i++)
		pack_file_free(p->v[i]);
	free(p->v);
	free(p->dir);
	buf_release(&p->trouble);
	memset(p, 0, sizeof *p);
}

static void drop(struct packs *p, size_t i)
{
	pack_file_free(p->v[i]);
	p->v[i] = p->v[--p->n];
}

void packs_drop(struct packs *p, const struct pack_file *f)
{
	for (size_t i = p->n; i-- > 0;)
		if (p->v[i] == f)
			drop(p, i);
}

static int insert(struct packs *p, struct pack_file *f)
{
	if (array_room(&p->v, p->n, &p->cap, sizeof(*p->v)) < 0)
		return ERR_NOMEM;
	p->v[p->n++] = f;
	return 0;
}

/* The pack that is open under this name and still is that file. */
static struct pack_file *known(const struct packs *p, const char *name, int dir_fd)
{
	struct stat st;

	for (size_t i = 0; i < p->n; i++) {
		struct pack_file *f = p->v[i];

		if (strcmp(f->name, name) != 0)
			continue;
		if (!is_open_name(name)) /* named by content */
			return f;
		if (fstatat(dir_fd, name, &st, 0) == 0 && st.st_ino == f->ino &&
			st.st_dev == f->dev)
			return f;
	}
	return NULL;
}

/* Each pack keeps a descriptor, and a large store has more packs than the usual soft limit allows.
 * 1 if it could be raised. */
static int more_descriptors(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) < 0 || l.rlim_cur >= l.rlim_max)
		return 0;
	l.rlim_cur = l.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &l) == 0;
}

static int open_at(struct packs *p, int dir_fd, const char *name, struct pack_file **out)
{
	struct pack_file *f = known(p, name, dir_fd);
	int rc;

	*out = f;
	if (f)
		return 0;
	f = calloc(1, sizeof *f);
	if (!f)
		return err_set(ERR_NOMEM, "out of memory");
	f->fd = -1;
	f->name = strdup(name);
	if (!f->name) {
		rc = err_set(ERR_NOMEM, "out of memory");
		goto done;
	}
	f->fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (f->fd < 0 && errno == EMFILE && more_descriptors())
		f->fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (f->fd < 0) {
		rc = err_sys("cannot open pack '%s/%s'", p->dir, name);
		goto done;
	}
	rc = load(p, f);
	if (rc == 0)
		rc = insert(p, f);
	if (rc < 0)
		goto done;
	*out = f;
	f = NULL;
done:
	pack_file_free(f);
	return rc < 0 ? rc : 1;
}

int packs_open(struct packs *p, const char *name, struct pack_file **out)
{
	int dir_fd = open(p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc;

	if (dir_fd < 0)
		return err_sys("cannot open directory '%s'", p->dir);
	rc = open_at(p, dir_fd, name, out);
	close(dir_fd);
	return rc;
}

/* Forget packs that were deleted, and those that are open a second time under their new name.  (A
 * pack that merely was not in the listing stays: it may have been renamed while the directory was
 * read.) */
static void drop_gone(struct packs *p)
{
	for (size_t i = p->n; i-- > 0;) {
		struct stat st;
		int twice = 0;

		for (size_t k = 0; k < p->n; k++)
			twice |= k != i && p->v[k]->ino == p->v[i]->ino &&
				 p->v[k]->dev == p->v[i]->dev && p->v[k]->map && !p->v[i]->map;
		if (p->v[i]->pinned)
			continue;
		if (twice || (fstat(p->v[i]->fd, &st) == 0 && st.st_nlink == 0))
			drop(p, i);
	}
}

static int list_dir(struct packs *p)
{
	DIR *dir = opendir(p->dir);
	struct dirent *d;
	int fresh = 0;

	if (!dir)
		return errno == ENOENT ? 0 : err_sys("cannot open directory '%s'", p->dir);
	buf_reset(&p->trouble);
	while ((d = readdir(dir))) {
		size_t len = strlen(d->d_name);
		struct pack_file *f;
		int rc;

		if (len < 5 || strcmp(d->d_name + len - 5, ".pack") != 0)
			continue;
		rc = open_at(p, dirfd(dir), d->d_name, &f);
		if (rc == ERR_NOTFOUND) {
			fresh = 1; /* renamed just now: look once more */
		} else if (rc < 0) {
			buf_reset(&p->trouble);
			(void)buf_addstr(&p->trouble, err_msg());
		} else {
			fresh |= rc;
		}
	}
	closedir(dir);
	if (fresh)
		drop_gone(p);
	return fresh;
}

int packs_refresh(struct packs *p)
{
	int64_t now = fs_now_ns();
	int fresh = 0, rc;
	struct stat st;

	if (stat(p->dir, &st) < 0)
		return errno == ENOENT || errno == ENOTDIR
			       ? 0
			       : err_sys("cannot stat directory '%s'", p->dir);
	/* a directory that changed within a clock tick of the listing may have changed again unseen
	 */
	if (fs_mtime_ns(&st) != p->listed_mtime ||
		p->listed_at - p->listed_mtime < STORE_SETTLE_NS) {
		fresh = list_dir(p);
		if (fresh < 0)
			return fresh;
		p->listed_mtime = fs_mtime_ns(&st);
		p->listed_at = now;
	}
	for (size_t i = 0; i < p->n; i++) {
		if (p->v[i]->map || p->v[i]->pinned)
			continue;
		rc = scan_on(p->v[i], 0);
		if (rc < 0)
			return rc;
		fresh |= rc;
	}
	return fresh;
}

struct pack_file *packs_find(
	const struct packs *p, const struct oid *oid, size_t *from, struct pack_entry *e)
{
	for (; *from < p->n; ++*from) {
		struct pack_file *f = p->v[*from];
		uint32_t at;

		if (f->map ? pack_table_find(&f->table, oid, e) == 1
			   : pack_file_place(f, oid, &at)) {
			if (!f->map)
				*e = f->entries[at];
			++*from;
			return f;
		}
	}
	return NULL;
}
