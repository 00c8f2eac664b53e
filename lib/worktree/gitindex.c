/*
 * Reading Git's index: one list of entries, whatever the file's version and whether it is split.
 * The decoder is gitindex_file.c, the split index gitindex_split.c, patching gitindex_patch.c.
 */
#include "lib/worktree/gitindex.h"
#include "lib/base/err.h"
#include "lib/worktree/gitindex_file.h"
#include "lib/worktree/gitindex_split.h"

#include <stdlib.h>
#include <string.h>

struct gitindex {
	struct gitindex_file own;
	struct gitindex_split *split;
	size_t count;
	uint32_t timestamp;
};

static int count_entries(struct gitindex *x)
{
	struct gitindex_walk w;
	struct gitindex_walk_entry e;
	int rc;

	if (!x->split) {
		x->count = x->own.count;
		return 0;
	}
	gitindex_walk_init(&w, &x->own, x->split);
	while ((rc = gitindex_walk_next(&w, &e)) > 0)
		x->count++;
	gitindex_walk_release(&w);
	return rc;
}

int gitindex_read(struct gitindex **out, const char *path, int hash_len)
{
	struct gitindex *x = calloc(1, sizeof *x);
	struct stat st;
	int rc;

	*out = NULL;
	if (!x)
		return err_set(ERR_NOMEM, "out of memory");
	/* Before reading: an index replaced in between only makes more entries racy. */
	if (stat(path, &st) == 0)
		x->timestamp = (uint32_t)st.st_mtim.tv_sec;
	rc = gitindex_file_load(&x->own, path, hash_len);
	if (rc == ERR_NOTFOUND)
		rc = 0;
	if (rc == 0)
		rc = gitindex_split_open(&x->split, &x->own, path);
	if (rc == 0 && (rc = count_entries(x)) < 0)
		err_prefix(rc, "'%s'", path);
	if (rc < 0)
		gitindex_free(x);
	else
		*out = x;
	return rc;
}

int gitindex_parse(struct gitindex **out, const void *data, size_t len, int hash_len)
{
	struct gitindex *x = calloc(1, sizeof *x);
	int rc;

	*out = NULL;
	if (!x)
		return err_set(ERR_NOMEM, "out of memory");
	rc = gitindex_file_parse(&x->own, data, len, hash_len);
	if (rc == 0 && x->own.link)
		rc = err_set(ERR_UNSUPPORTED, "a split index is more than one file");
	if (rc == 0)
		rc = count_entries(x);
	if (rc < 0)
		gitindex_free(x);
	else
		*out = x;
	return rc;
}

void gitindex_free(struct gitindex *x)
{
	if (!x)
		return;
	gitindex_file_release(&x->own);
	gitindex_split_free(x->split);
	free(x);
}

size_t gitindex_count(const struct gitindex *x)
{
	return x->count;
}

uint32_t gitindex_timestamp(const struct gitindex *x)
{
	return x->timestamp;
}

static void fill_entry(struct gitindex_entry *e, const struct gitindex_raw *raw, int hash_len)
{
	const uint8_t *p = raw->p;

	e->path = raw->path;
	e->path_len = raw->path_len;
	e->mode = raw->mode;
	memcpy(e->id, p + GITINDEX_ID_AT, (size_t)hash_len);
	e->stage = gitindex_raw_stage(raw);
	e->assume_valid = !!(raw->flags & GITINDEX_ASSUME_VALID);
	e->skip_worktree = !!(raw->flags_ext & GITINDEX_SKIP_WORKTREE);
	e->intent_to_add = !!(raw->flags_ext & GITINDEX_INTENT_TO_ADD);
	e->st = (struct gitindex_stat){.ctime_sec = be32_get(p),
		.ctime_nsec = be32_get(p + 4),
		.mtime_sec = be32_get(p + 8),
		.mtime_nsec = be32_get(p + 12),
		.dev = be32_get(p + 16),
		.ino = be32_get(p + 20),
		.uid = be32_get(p + 28),
		.gid = be32_get(p + 32),
		.size = be32_get(p + 36)};
}

int gitindex_each(
	struct gitindex *x, int (*fn)(const struct gitindex_entry *e, void *data), void *data)
{
	struct gitindex_entry entry = {0};
	struct gitindex_walk_entry e;
	struct gitindex_walk w;
	int rc;

	gitindex_walk_init(&w, &x->own, x->split);
	while ((rc = gitindex_walk_next(&w, &e)) > 0) {
		fill_entry(&entry, &e.raw, x->own.hash_len);
		if ((rc = fn(&entry, data)) != 0)
			break;
	}
	gitindex_walk_release(&w);
	return rc;
}
