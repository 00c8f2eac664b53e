/*
 * New stat data for some entries of the index, everything else byte for byte: the last step of a
 * rehydration, after which Git calls the files clean.  Both lists are sorted, so one pass finds
 * all.  A plain index is changed in memory, hashed and written in one go; only when a patch hits an
 * entry of a shared index is the (small) index file rebuilt.
 */
#include "lib/worktree/gitindex.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/store/oid.h"
#include "lib/worktree/gitindex_file.h"
#include "lib/worktree/gitindex_split.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct patch_run {
	struct gitindex_file own;
	struct gitindex_split *split;
	struct gitindex_replacement *added; /* patched entries of the shared index */
	size_t n_added, cap_added;
};

static int compare_patches(const void *a, const void *b)
{
	return strcmp(
		((const struct gitindex_patch *)a)->path, ((const struct gitindex_patch *)b)->path);
}

static void sort_patches(struct gitindex_patch *patches, size_t n)
{
	size_t i = 1;

	while (i < n && compare_patches(&patches[i - 1], &patches[i]) <= 0)
		i++;
	if (i < n)
		qsort(patches, n, sizeof *patches, compare_patches);
}

/* The mode lies among the stat fields and is not one of ours. */
static void put_stat(uint8_t *p, const struct gitindex_stat *st)
{
	be32_put(p, st->ctime_sec);
	be32_put(p + 4, st->ctime_nsec);
	be32_put(p + 8, st->mtime_sec);
	be32_put(p + 12, st->mtime_nsec);
	be32_put(p + 16, st->dev);
	be32_put(p + 20, st->ino);
	be32_put(p + 28, st->uid);
	be32_put(p + 32, st->gid);
	be32_put(p + 36, st->size);
}

static int add_replacement(
	struct patch_run *r, const struct gitindex_walk_entry *e, const struct gitindex_stat *st)
{
	struct gitindex_replacement *a;

	if (r->n_added == r->cap_added) {
		size_t cap = r->cap_added ? 2 * r->cap_added : 64;
		void *p = reallocarray(r->added, cap, sizeof *r->added);

		if (!p)
			return err_set(ERR_NOMEM, "out of memory");
		r->added = p;
		r->cap_added = cap;
	}
	a = &r->added[r->n_added++];
	a->position = e->position;
	a->base_at = (size_t)(e->raw.p - r->split->base.data);
	a->fixed_len = e->raw.fixed_len;
	memcpy(a->fields, e->raw.p, sizeof a->fields);
	put_stat(a->fields, st);
	return 0;
}

static int apply(struct patch_run *r, const struct gitindex_walk_entry *e, struct gitindex_patch *p)
{
	if (e->shared)
		return add_replacement(r, e, &p->st);
	put_stat(r->own.data + (e->raw.p - r->own.data), &p->st);
	return 0;
}

/* Stage 0, a regular file, and the very blob: only then the new file is what the entry speaks of.
 */
static int is_meant(const struct gitindex_raw *e, const struct gitindex_patch *p, int hash_len)
{
	return gitindex_raw_stage(e) == 0 && S_ISREG(e->mode) &&
	       memcmp(e->p + GITINDEX_ID_AT, p->id, (size_t)hash_len) == 0;
}

/* The number of entries found, and patched in memory if `change`. */
static int apply_all(struct patch_run *r, struct gitindex_patch *patches, size_t n, int change)
{
	struct gitindex_walk_entry e;
	struct gitindex_walk w;
	size_t next = 0;
	int rc, count = 0;

	for (size_t i = 0; i < n; i++)
		patches[i].applied = 0;
	gitindex_walk_init(&w, &r->own, r->split);
	while ((rc = gitindex_walk_next(&w, &e)) > 0 && next < n) {
		while (next < n && strcmp(patches[next].path, e.raw.path) < 0)
			next++;
		for (size_t i = next; i < n && strcmp(patches[i].path, e.raw.path) == 0; i++) {
			if (!is_meant(&e.raw, &patches[i], r->own.hash_len)) {
				if (!change && gitindex_raw_stage(&e.raw) == 0)
					patches[i].applied = -1;
				continue;
			}
			if (change && (rc = apply(r, &e, &patches[i])) < 0)
				goto done;
			patches[i].applied = 1;
			count++;
			break;
		}
	}
done:
	gitindex_walk_release(&w);
	return rc < 0 ? rc : count;
}

static void put_trailer(uint8_t *out, const struct gitindex_file *own, const void *data, size_t len)
{
	struct githash_ctx h;

	if (gitindex_file_unhashed(own)) {
		memset(out, 0, (size_t)own->hash_len);
		return;
	}
	githash_init(&h, own->hash_len);
	githash_update(&h, data, len);
	githash_final(&h, out);
}

static int write_in_place(struct patch_run *r, int fd)
{
	struct gitindex_file *own = &r->own;

	put_trailer(own->data + own->trailer, own, own->data, own->trailer);
	return fs_write_full(fd, own->data, own->len);
}

static int write_rebuilt(struct patch_run *r, int fd)
{
	struct buf out = BUF_INIT;
	uint8_t trailer[32];
	int rc;

	rc = gitindex_file_verify(&r->split->base);
	if (rc == 0)
		rc = gitindex_split_rebuild(r->split, &r->own, r->added, r->n_added, &out);
	if (rc == 0) {
		put_trailer(trailer, &r->own, out.p, out.len);
		rc = buf_add(&out, trailer, (size_t)r->own.hash_len);
	}
	if (rc == 0)
		rc = fs_write_full(fd, out.p, out.len);
	buf_release(&out);
	return rc;
}

/* See "Racy entries" in docs/late-rehydration.md: entries that we did not look at must stay as racy
 * as they were, and whether one is racy hangs on the index file's own time. */
static int keep_mtime(const char *path, const struct lockfile *lock)
{
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}};
	struct stat st;

	if (stat(path, &st) < 0)
		return err_sys("cannot stat '%s'", path);
	times[1] = st.st_mtim;
	return futimens(lock->fd, times) < 0 ? err_sys("cannot set the time of '%s'", lock->path.p)
					     : 0;
}

static int open_index(struct patch_run *r, const char *path, int hash_len)
{
	int rc = gitindex_file_load(&r->own, path, hash_len);

	if (rc == 0)
		rc = gitindex_file_verify(&r->own);
	return rc == 0 ? gitindex_split_open(&r->split, &r->own, path) : rc;
}

static void release(struct patch_run *r)
{
	gitindex_file_release(&r->own);
	gitindex_split_free(r->split);
	free(r->added);
}

int gitindex_match(const char *path, int hash_len, struct gitindex_patch *patches, size_t n)
{
	struct patch_run r = {0};
	int rc = open_index(&r, path, hash_len);

	if (rc == 0) {
		sort_patches(patches, n);
		rc = apply_all(&r, patches, n, 0);
	}
	release(&r);
	if (rc == ERR_NOTFOUND && access(path, F_OK) < 0)
		return 0;
	return rc < 0 ? err_prefix(rc, "cannot read '%s'", path) : rc;
}

int gitindex_patch(const char *path, int hash_len, struct gitindex_patch *patches, size_t n,
	struct lockfile *lock)
{
	struct patch_run r = {0};
	int rc, count = 0;

	if ((rc = open_index(&r, path, hash_len)) < 0)
		goto done;
	sort_patches(patches, n);
	if ((rc = count = apply_all(&r, patches, n, 1)) < 0)
		goto done;
	rc = r.n_added ? write_rebuilt(&r, lock->fd) : write_in_place(&r, lock->fd);
	if (rc == 0)
		rc = keep_mtime(path, lock);
done:
	if (rc < 0)
		err_prefix(rc, "cannot patch '%s'", path);
	release(&r);
	return rc < 0 ? rc : count;
}
