/*
 * The stat cache.  The file is read as it lies in memory: fixed-size records sorted by name, found
 * by a binary search - or at once, when they are asked for in order, as a walk does.
 */
#include "lib/pipeline/statcache.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/lockfile.h"
#include "lib/base/strmap.h"
#include "lib/base/strvec.h"

enum {
	HEAD_LEN = 48, /* magic, version, 0, counts of files, groups, bytes of names, checksum */
	SUM_AT = 40,
	FILE_LEN = 88, /* offset and length of its name, flags, stat data, size, oid */
	GROUP_LEN = 80 /* offset and length of its name, 0, signature, size, nfiles, oid */
};
enum { FILES_MAX = 8 * 1000 * 1000 };
enum { FLAG_POINTER = 1 };

static const char magic[8] = "DVXSTAT";

struct part {
	const uint8_t *records;
	size_t n, width;
	size_t next; /* probably the one that is asked for next */
	char *used;  /* n flags */
};

struct statcache {
	char *path;
	uint8_t *map; /* by mmap when mapped, else by malloc */
	size_t map_len;
	int mapped;
	struct part files, groups;
	const char *names;
	size_t names_len;
	struct strmap new_files, new_groups; /* name -> a record, without the name in it */
	struct strvec settled;
	int changed;
};

/* ---- the file ---- */

static uint64_t sum_of(const uint8_t *head, const uint8_t *body, size_t body_len)
{
	XXH3_state_t st;

	XXH3_64bits_reset(&st);
	XXH3_64bits_update(&st, head, SUM_AT);
	XXH3_64bits_update(&st, body, body_len);
	return XXH3_64bits_digest(&st);
}

static int init_part(struct part *p, const uint8_t *records, uint64_t n, size_t width)
{
	p->records = records;
	p->n = (size_t)n;
	p->width = width;
	p->used = calloc(p->n + 1, 1);
	return p->used != NULL ? 0 : err_set(ERR_NOMEM, "out of memory");
}

static int read_table(struct statcache *c, const uint8_t *p, size_t len)
{
	uint64_t files, groups, names;
	int rc;

	if (len < HEAD_LEN || memcmp(p, magic, sizeof(magic)) != 0 || be32_get(p + 8) != 1)
		return err_set(ERR_CORRUPT, "not a stat cache of version 1");
	files = be64_get(p + 16);
	groups = be64_get(p + 24);
	names = be64_get(p + 32);
	if (files > len / FILE_LEN || groups > len / GROUP_LEN || names > len ||
		HEAD_LEN + files * FILE_LEN + groups * GROUP_LEN + names != len ||
		be64_get(p + SUM_AT) != sum_of(p, p + HEAD_LEN, len - HEAD_LEN))
		return err_set(ERR_CORRUPT, "a damaged stat cache");
	rc = init_part(&c->files, p + HEAD_LEN, files, FILE_LEN);
	if (rc == 0)
		rc = init_part(&c->groups, c->files.records + files * FILE_LEN, groups, GROUP_LEN);
	c->names = (const char *)(c->groups.records + groups * GROUP_LEN);
	c->names_len = (size_t)names;
	return rc;
}

static void load(struct statcache *c)
{
	struct stat st;
	int fd = open(c->path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && st.st_size > 0) {
		void *m = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);

		if (m != MAP_FAILED) {
			c->map = m;
			c->map_len = (size_t)st.st_size;
			c->mapped = 1;
		}
	}
	close(fd);
}

int statcache_open(struct statcache **out, const char *path)
{
	struct statcache *c = calloc(1, sizeof(*c));

	*out = NULL;
	if (c == NULL || (c->path = strdup(path)) == NULL) {
		free(c);
		return err_set(ERR_NOMEM, "out of memory");
	}
	load(c);
	if (c->map != NULL && read_table(c, c->map, c->map_len) < 0) {
		c->files.n = c->groups.n = 0;
		err_clear();
	}
	*out = c;
	return 0;
}

int statcache_parse(struct statcache **out, const void *data, size_t len)
{
	struct statcache *c = calloc(1, sizeof(*c));
	int rc;

	*out = NULL;
	if (c == NULL || (c->map = malloc(len + 1)) == NULL) {
		free(c);
		return err_set(ERR_NOMEM, "out of memory");
	}
	memcpy(c->map, data, len);
	rc = read_table(c, c->map, len);
	if (rc < 0)
		statcache_free(c);
	else
		*out = c;
	return rc;
}

void statcache_free(struct statcache *c)
{
	if (c == NULL)
		return;
	if (c->mapped)
		munmap(c->map, c->map_len);
	else
		free(c->map);
	free(c->files.used);
	free(c->groups.used);
	strmap_release(&c->new_files, free);
	strmap_release(&c->new_groups, free);
	strvec_release(&c->settled);
	free(c->path);
	free(c);
}

/* ---- looking up ---- */

/* The name of a record; NULL when it points out of the table. */
static const char *name_of(const struct statcache *c, const struct part *p, size_t i, size_t *len)
{
	const uint8_t *rec = p->records + i * p->width;
	uint64_t at = be64_get(rec);

	*len = be32_get(rec + 8);
	return at <= c->names_len && *len <= c->names_len - at ? c->names + at : NULL;
}

static int cmp_name(const struct statcache *c, const struct part *p, size_t i, const char *name,
	size_t name_len)
{
	size_t len;
	const char *own = name_of(c, p, i, &len);
	int order = own == NULL ? -1 : memcmp(own, name, len < name_len ? len : name_len);

	return order != 0 ? order : len < name_len ? -1 : len > name_len;
}

/* The record of this name, or NULL. */
static const uint8_t *find(const struct statcache *c, struct part *p, const char *name)
{
	size_t low = 0, high = p->n, len = strlen(name);

	if (p->next < p->n && cmp_name(c, p, p->next, name, len) == 0)
		low = high = p->next;
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (cmp_name(c, p, mid, name, len) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (low >= p->n || cmp_name(c, p, low, name, len) != 0)
		return NULL;
	p->used[low] = 1;
	p->next = low + 1;
	return p->records + low * p->width;
}

int statcache_find(struct statcache *c, const char *path, const struct statcache_stat *st,
	struct statcache_file *out)
{
	const uint8_t *rec = strmap_get(&c->new_files, path);

	if (rec == NULL)
		rec = find(c, &c->files, path);
	if (rec == NULL || be64_get(rec + 16) != st->ino || be64_get(rec + 24) != st->bytes ||
		be64_get(rec + 32) != (uint64_t)st->mtime ||
		be64_get(rec + 40) != (uint64_t)st->ctime)
		return 0;
	out->pointer = (be32_get(rec + 12) & FLAG_POINTER) != 0;
	out->size = be64_get(rec + 48);
	memcpy(out->oid.id, rec + 56, OID_LEN);
	return 1;
}

int statcache_find_group(struct statcache *c, const char *name, struct statcache_group *out)
{
	const uint8_t *rec = strmap_get(&c->new_groups, name);

	if (rec == NULL)
		rec = find(c, &c->groups, name);
	if (rec == NULL || memcmp(rec + 16, out->signature, STATCACHE_SIGNATURE_LEN) != 0)
		return 0;
	out->size = be64_get(rec + 32);
	out->nfiles = be64_get(rec + 40);
	memcpy(out->listing.id, rec + 48, OID_LEN);
	return 1;
}

/* ---- learning ---- */

/* The record for `name` in a map, made zeroed when it is not there; NULL: out of memory. */
static uint8_t *new_record(struct strmap *m, const char *name, size_t width)
{
	uint8_t *rec = strmap_get(m, name);

	if (rec != NULL)
		return rec;
	rec = calloc(1, width);
	if (rec == NULL || strmap_put(m, name, rec) < 0) {
		free(rec);
		return NULL;
	}
	return rec;
}

int statcache_put(struct statcache *c, const char *path, const struct statcache_stat *st,
	const struct statcache_file *file)
{
	uint8_t *rec = new_record(&c->new_files, path, FILE_LEN);

	if (rec == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	be32_put(rec + 12, file->pointer ? FLAG_POINTER : 0);
	be64_put(rec + 16, st->ino);
	be64_put(rec + 24, st->bytes);
	be64_put(rec + 32, (uint64_t)st->mtime);
	be64_put(rec + 40, (uint64_t)st->ctime);
	be64_put(rec + 48, file->size);
	memcpy(rec + 56, file->oid.id, OID_LEN);
	c->changed = 1;
	return 0;
}

int statcache_put_group(struct statcache *c, const char *name, const struct statcache_group *group)
{
	uint8_t *rec = new_record(&c->new_groups, name, GROUP_LEN);

	if (rec == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	memcpy(rec + 16, group->signature, STATCACHE_SIGNATURE_LEN);
	be64_put(rec + 32, group->size);
	be64_put(rec + 40, group->nfiles);
	memcpy(rec + 48, group->listing.id, OID_LEN);
	c->changed = 1;
	return 0;
}

/* ---- writing ---- */

struct entry {
	const char *name;
	size_t len;
	const uint8_t *rec;
};

struct entries {
	struct entry *v;
	size_t n;
};

static int take_new(const char *key, void *value, void *data)
{
	struct entries *e = data;

	e->v[e->n++] = (struct entry){key, strlen(key), value};
	return 0;
}

static int is_settled(const struct statcache *c, const char *name, size_t len)
{
	for (size_t i = 0; i < c->settled.n; i++) {
		size_t dir = strlen(c->settled.v[i]);

		if (dir == 0 ||
			(len > dir && name[dir] == '/' && memcmp(name, c->settled.v[i], dir) == 0))
			return 1;
	}
	return 0;
}

int statcache_settle(struct statcache *c, const char *dir)
{
	return is_settled(c, dir, strlen(dir)) ? 0 : strvec_push(&c->settled, dir);
}

static int cmp_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int order = memcmp(x->name, y->name, x->len < y->len ? x->len : y->len);

	return order != 0 ? order : x->len < y->len ? -1 : x->len > y->len;
}

/* What stays of the old records, and the new ones, sorted.  The new ones come first, so that of
 * two with one name the new one is kept. */
static int collect(struct entries *e, struct statcache *c, struct part *p, const struct strmap *new)
{
	size_t n_new = strmap_count(new), kept = 0;
	int all = p->n + n_new <= FILES_MAX;

	e->n = 0;
	e->v = calloc(p->n + n_new + 1, sizeof(*e->v));
	if (e->v == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	(void)strmap_each(new, take_new, e);
	for (size_t i = 0; i < p->n; i++) {
		struct entry old = {.rec = p->records + i * p->width};

		old.name = name_of(c, p, i, &old.len);
		if (old.name == NULL || memchr(old.name, '\0', old.len) != NULL ||
			(!p->used[i] &&
				(!all || (p == &c->files && is_settled(c, old.name, old.len)))))
			continue;
		e->v[e->n++] = old;
	}
	qsort(e->v, e->n, sizeof(*e->v), cmp_entries);
	for (size_t i = 0; i < e->n; i++) {
		if (kept > 0 && cmp_entries(&e->v[kept - 1], &e->v[i]) == 0) {
			if (e->v[i].rec < p->records || e->v[i].rec >= p->records + p->n * p->width)
				e->v[kept - 1] = e->v[i];
			continue;
		}
		e->v[kept++] = e->v[i];
	}
	e->n = kept;
	return 0;
}

static int put_records(struct buf *out, const struct entries *e, size_t width, uint64_t *names)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < e->n; i++) {
		rc = buf_add_be64(out, *names);
		if (rc == 0)
			rc = buf_add_be32(out, (uint32_t)e->v[i].len);
		if (rc == 0)
			rc = buf_add(out, e->v[i].rec + 12, width - 12);
		*names += e->v[i].len;
	}
	return rc;
}

static int put_names(struct buf *out, const struct entries *e)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < e->n; i++)
		rc = buf_add(out, e->v[i].name, e->v[i].len);
	return rc;
}

int statcache_format(struct buf *out, struct statcache *c)
{
	struct entries files = {NULL, 0}, groups = {NULL, 0};
	size_t start = out->len;
	uint64_t names = 0;
	uint8_t *head;
	int rc = collect(&files, c, &c->files, &c->new_files);

	if (rc == 0)
		rc = collect(&groups, c, &c->groups, &c->new_groups);
	if (rc == 0)
		rc = buf_grow(out, HEAD_LEN);
	if (rc < 0)
		goto done;
	memset(out->p + start, 0, HEAD_LEN);
	out->len += HEAD_LEN;
	rc = put_records(out, &files, FILE_LEN, &names);
	if (rc == 0)
		rc = put_records(out, &groups, GROUP_LEN, &names);
	if (rc == 0)
		rc = put_names(out, &files);
	if (rc == 0)
		rc = put_names(out, &groups);
	if (rc < 0)
		goto done;
	head = (uint8_t *)out->p + start;
	memcpy(head, magic, sizeof(magic));
	be32_put(head + 8, 1);
	be64_put(head + 16, files.n);
	be64_put(head + 24, groups.n);
	be64_put(head + 32, names);
	be64_put(head + SUM_AT, sum_of(head, head + HEAD_LEN, out->len - start - HEAD_LEN));
done:
	free(files.v);
	free(groups.v);
	return rc;
}

int statcache_save(struct statcache *c)
{
	struct buf lock_path = BUF_INIT, text = BUF_INIT;
	int lock = -1, rc;

	if (!c->changed || c->path == NULL)
		return 0;
	rc = fs_mkdirs_parent(c->path);
	if (rc == 0)
		rc = buf_addf(&lock_path, "%s.lock", c->path);
	if (rc == 0 && (lock = flock_take(lock_path.p, 0)) < 0)
		rc = lock;
	if (rc == 0)
		rc = statcache_format(&text, c);
	if (rc == 0)
		rc = fs_replace_file(c->path, text.p, text.len, 0);
	if (rc == 0)
		c->changed = 0;
	if (lock >= 0)
		close(lock);
	buf_release(&lock_path);
	buf_release(&text);
	return rc;
}
