/*
 * The file of the index of history (docs/history-index.md): read whole and checked, written whole.
 */
#include "lib/lineage/history_internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/lockfile.h"
#include "lib/repo/git.h"

enum {
	VERSION = 1,
	SUM_AT = 16,
	SUMMED = 24, /* the checksum is of all from here on */
	HEAD_LEN = SUMMED + 16 + 7 * 4,
	COMMIT_TAIL = 20,
	VERSION_TAIL = 41,
	ROOT_FILE_MAX = 64 << 20
};

static const char magic[8] = "DVXHIST";

/* ---- what the file has to agree with ---- */

static int add_root_file(struct buf *all, const struct repo *repo, const char *name)
{
	struct buf path = BUF_INIT;
	int rc = fs_join(&path, repo->dir->common_dir, name), there = 0;

	if (rc == 0 && fs_exists(path.p)) {
		rc = buf_addf(all, "%s\n", name);
		if (rc == 0)
			rc = buf_read_file(all, path.p);
		there = rc == 0;
	}
	buf_release(&path);
	return rc < 0 ? rc : there;
}

/* Which parents commits have, and in a partial clone which objects are here, may change. */
static int look_at_repository(struct history *h)
{
	struct buf all = {.max = ROOT_FILE_MAX};
	struct stat st;
	int rc = add_root_file(&all, h->repo, "shallow");

	h->has_shallow = rc > 0;
	if (rc >= 0)
		rc = add_root_file(&all, h->repo, "info/grafts");
	if (rc >= 0 && all.len)
		h->roots = XXH3_64bits(all.p, all.len);
	buf_reset(&all);
	if (rc >= 0 && git_is_partial(h->repo)) {
		rc = fs_join(&all, h->repo->dir->common_dir, "objects/pack");
		if (rc == 0 && stat(all.p, &st) == 0)
			h->objects = (uint64_t)fs_mtime_ns(&st);
	}
	buf_release(&all);
	return rc < 0 ? rc : 0;
}

/* ---- reading ---- */

/* Sections one after the other; `bad` once something is not as it should be. */
struct cursor {
	const uint8_t *p;
	size_t left;
	int bad;
};

static const uint8_t *take(struct cursor *c, size_t len)
{
	const uint8_t *p = c->p;

	if (c->bad || len > c->left) {
		c->bad = 1;
		return NULL;
	}
	c->p += len;
	c->left -= len;
	return p;
}

/* `n` records of `width` bytes of the file, and room for as many of `size` bytes in memory. */
static const uint8_t *take_section(
	struct cursor *c, size_t n, size_t width, void *array, size_t *cap, size_t size)
{
	const uint8_t *p = n > c->left / width ? take(c, SIZE_MAX) : take(c, n * width);
	void *v = p ? calloc(n + 1, size) : NULL;

	if (p && !v)
		c->bad = 1;
	memcpy(array, &v, sizeof v);
	*cap = v ? n + 1 : 0;
	return v ? p : NULL;
}

static void read_commits(struct history *h, struct cursor *c, size_t n)
{
	size_t len = (size_t)h->repo->hash_len, i, parents = 0, changes = 0;
	const uint8_t *p = take_section(
		c, n, len + COMMIT_TAIL, &h->commits, &h->cap_commits, sizeof *h->commits);

	for (i = 0; p && i < n; i++, p += len + COMMIT_TAIL) {
		struct history_commit *commit = &h->commits[i];

		memcpy(commit->id, p, len);
		commit->when = (int64_t)be64_get(p + len);
		commit->parents = (uint32_t)parents;
		commit->n_parents = be32_get(p + len + 8);
		commit->changes = (uint32_t)changes;
		commit->n_changes = be32_get(p + len + 12);
		commit->flags = be32_get(p + len + 16);
		parents += commit->n_parents;
		changes += commit->n_changes;
		if (parents > h->n_parents || changes > h->n_changes)
			break;
	}
	h->n_commits = n;
	c->bad |= i != n || parents != h->n_parents || changes != h->n_changes;
}

static void read_parents(struct history *h, struct cursor *c)
{
	const uint8_t *p =
		take_section(c, h->n_parents, 4, &h->parents, &h->cap_parents, sizeof *h->parents);
	size_t i, k, at = 0;

	for (i = 0; p && !c->bad && i < h->n_commits; i++) {
		for (k = 0; k < h->commits[i].n_parents; k++, at++) {
			h->parents[at] = be32_get(p + 4 * at);
			c->bad |= h->parents[at] >= i;
		}
	}
}

static void read_changes(struct history *h, struct cursor *c, size_t n_paths, size_t n_versions)
{
	const uint8_t *p =
		take_section(c, h->n_changes, 8, &h->changes, &h->cap_changes, sizeof *h->changes);
	size_t i;

	for (i = 0; p && i < h->n_changes; i++, p += 8) {
		h->changes[i] = (struct history_change){be32_get(p), be32_get(p + 4)};
		c->bad |= h->changes[i].path >= n_paths ||
			  (h->changes[i].version >= n_versions &&
				  h->changes[i].version != HISTORY_NONE);
	}
}

static void read_versions(struct history *h, struct cursor *c, size_t n)
{
	size_t len = (size_t)h->repo->hash_len, i;
	const uint8_t *p = take_section(
		c, n, len + VERSION_TAIL, &h->versions, &h->cap_versions, sizeof *h->versions);

	for (i = 0; p && i < n; i++, p += len + VERSION_TAIL) {
		struct history_version *v = &h->versions[i];

		memcpy(v->blob, p, len);
		v->state = p[len];
		v->size = be64_get(p + len + 1);
		memcpy(v->oid.id, p + len + 9, OID_LEN);
		c->bad |= v->state < POINTERS_NO || v->state > POINTERS_MISSING;
	}
	h->n_versions = n;
}

static void read_tags(struct history *h, struct cursor *c, size_t n)
{
	size_t len = (size_t)h->repo->hash_len, i;
	const uint8_t *p = take_section(c, n, len + 4, &h->tags, &h->cap_tags, sizeof *h->tags);

	for (i = 0; p && i < n; i++, p += len + 4) {
		memcpy(h->tags[i].id, p, len);
		h->tags[i].commit = be32_get(p + len);
		c->bad |= h->tags[i].commit >= h->n_commits && h->tags[i].commit != HISTORY_NONE;
	}
	h->n_tags = n;
}

static void read_paths(struct history *h, struct cursor *c, size_t n, size_t bytes)
{
	const char *p = (const char *)take(c, bytes), *end, *zero;

	if (!p || n > bytes) {
		c->bad = 1;
		return;
	}
	h->paths = calloc(n + 1, sizeof *h->paths);
	h->cap_paths = h->paths ? n + 1 : 0;
	for (end = p + bytes; h->paths && h->n_paths < n && p < end; p = zero + 1) {
		zero = memchr(p, '\0', (size_t)(end - p));
		if (!zero)
			break;
		h->paths[h->n_paths] = pathpool_keep(&h->path_pool, p, (size_t)(zero - p));
		if (!h->paths[h->n_paths])
			break;
		h->n_paths++;
	}
	c->bad |= h->n_paths != n || p != end;
}

/* 1 if it is whole and of today's repository; else 0, and what was read is to be forgotten. */
static int parse(struct history *h, const uint8_t *p, size_t len)
{
	struct cursor c = {p, len, 0};
	const uint8_t *head = take(&c, HEAD_LEN), *counts;
	size_t i;

	if (!head || memcmp(head, magic, sizeof magic) != 0 || be32_get(head + 8) != VERSION ||
		be32_get(head + 12) != (uint32_t)h->repo->hash_len ||
		be64_get(head + SUM_AT) != XXH3_64bits(p + SUMMED, len - SUMMED) ||
		be64_get(head + SUMMED) != h->roots)
		return 0;
	counts = head + SUMMED + 16;
	h->n_parents = be32_get(counts + 4);
	h->n_changes = be32_get(counts + 8);
	read_commits(h, &c, be32_get(counts));
	read_parents(h, &c);
	read_changes(h, &c, be32_get(counts + 16), be32_get(counts + 12));
	read_versions(h, &c, be32_get(counts + 12));
	read_tags(h, &c, be32_get(counts + 20));
	read_paths(h, &c, be32_get(counts + 16), be32_get(counts + 24));
	if (c.bad || c.left)
		return 0;
	h->stale = be64_get(head + SUMMED + 8) != h->objects;
	for (i = 0; i < h->n_commits && h->stale; i++)
		if (h->commits[i].flags & (HISTORY_UNKNOWN | HISTORY_WHOLE))
			return 0; /* more directories may be here now */
	return 1;
}

int history_load(struct history *h)
{
	struct buf path = BUF_INIT;
	struct stat st;
	void *map = MAP_FAILED;
	int fd = -1, rc = look_at_repository(h);

	if (rc == 0)
		rc = fs_join(&path, h->repo->dir->dvx_dir, "history");
	if (rc == 0)
		fd = open(path.p, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0)
		map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map != MAP_FAILED) {
		if (!parse(h, map, (size_t)st.st_size))
			history_clear(h);
		munmap(map, (size_t)st.st_size);
	}
	if (fd >= 0)
		close(fd);
	buf_release(&path);
	return rc;
}

/* ---- writing ---- */

static size_t bytes_of_paths(const struct history *h)
{
	size_t i, n = 0;

	for (i = 0; i < h->n_paths; i++)
		n += strlen(h->paths[i]) + 1;
	return n;
}

static uint8_t *put_id(uint8_t *p, const struct history *h, const uint8_t *id)
{
	memcpy(p, id, (size_t)h->repo->hash_len);
	return p + h->repo->hash_len;
}

static uint8_t *put32(uint8_t *p, uint32_t v)
{
	be32_put(p, v);
	return p + 4;
}

static uint8_t *put64(uint8_t *p, uint64_t v)
{
	be64_put(p, v);
	return p + 8;
}

static uint8_t *put_head(uint8_t *p, const struct history *h, size_t path_bytes)
{
	memcpy(p, magic, sizeof magic);
	p = put32(p + sizeof magic, VERSION);
	p = put32(p, (uint32_t)h->repo->hash_len);
	p = put64(p, 0);
	p = put64(p, h->roots);
	p = put64(p, h->objects);
	p = put32(p, (uint32_t)h->n_commits);
	p = put32(p, (uint32_t)h->n_parents);
	p = put32(p, (uint32_t)h->n_changes);
	p = put32(p, (uint32_t)h->n_versions);
	p = put32(p, (uint32_t)h->n_paths);
	p = put32(p, (uint32_t)h->n_tags);
	return put32(p, (uint32_t)path_bytes);
}

static uint8_t *put_commits(uint8_t *p, const struct history *h)
{
	size_t i;

	for (i = 0; i < h->n_commits; i++) {
		const struct history_commit *c = &h->commits[i];

		p = put64(put_id(p, h, c->id), (uint64_t)c->when);
		p = put32(put32(put32(p, c->n_parents), c->n_changes), c->flags);
	}
	/* Parents and changes stand in the order of their commits: only such are ever appended. */
	for (i = 0; i < h->n_parents; i++)
		p = put32(p, h->parents[i]);
	for (i = 0; i < h->n_changes; i++)
		p = put32(put32(p, h->changes[i].path), h->changes[i].version);
	return p;
}

static uint8_t *put_rest(uint8_t *p, const struct history *h)
{
	size_t i, len;

	for (i = 0; i < h->n_versions; i++) {
		const struct history_version *v = &h->versions[i];

		p = put_id(p, h, v->blob);
		*p++ = (uint8_t)v->state;
		p = put64(p, v->size);
		memcpy(p, v->oid.id, OID_LEN);
		p += OID_LEN;
	}
	for (i = 0; i < h->n_tags; i++)
		p = put32(put_id(p, h, h->tags[i].id), h->tags[i].commit);
	for (i = 0; i < h->n_paths; i++, p += len) {
		len = strlen(h->paths[i]) + 1;
		memcpy(p, h->paths[i], len);
	}
	return p;
}

/* Under a lock the temporary file always has the same name, so that a killed process leaves one at
 * most, and the next one overwrites it. */
static int replace(const char *path, const struct buf *content)
{
	struct buf temp = BUF_INIT, lock_path = BUF_INIT;
	int fd = -1, lock = -1, rc = buf_addf(&temp, "%s.new", path);

	if (rc == 0)
		rc = buf_addf(&lock_path, "%s.lock", path);
	if (rc == 0 && (lock = flock_take(lock_path.p, 0)) < 0)
		rc = lock;
	if (rc < 0)
		goto done;
	fd = open(temp.p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
	if (fd < 0) {
		rc = err_sys("cannot open '%s'", temp.p);
		goto done;
	}
	rc = fs_write_full(fd, content->p, content->len);
	if (rc == 0)
		rc = fs_close(&fd, temp.p);
	if (rc == 0 && rename(temp.p, path) < 0)
		rc = err_sys("cannot rename to '%s'", path);
	if (rc < 0)
		unlink(temp.p);
done:
	if (fd >= 0)
		close(fd);
	if (lock >= 0)
		close(lock);
	buf_release(&temp);
	buf_release(&lock_path);
	return rc;
}

void history_save(struct history *h)
{
	size_t id = (size_t)h->repo->hash_len, path_bytes = bytes_of_paths(h), len;
	struct buf out = BUF_INIT, path = BUF_INIT;
	uint8_t *p;

	if (path_bytes > UINT32_MAX)
		return;
	len = HEAD_LEN + h->n_commits * (id + COMMIT_TAIL) + h->n_parents * 4 + h->n_changes * 8 +
	      h->n_versions * (id + VERSION_TAIL) + h->n_tags * (id + 4) + path_bytes;
	if (buf_grow(&out, len) < 0 || fs_join(&path, h->repo->dir->dvx_dir, "history") < 0 ||
		fs_mkdirs_parent(path.p) < 0)
		goto done;
	p = put_rest(put_commits(put_head((uint8_t *)out.p, h, path_bytes), h), h);
	out.len = (size_t)(p - (uint8_t *)out.p);
	be64_put(out.p + SUM_AT, XXH3_64bits(out.p + SUMMED, out.len - SUMMED));
	(void)replace(path.p, &out); /* the next process asks Git again */
done:
	err_clear();
	buf_release(&out);
	buf_release(&path);
}
