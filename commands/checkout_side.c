/*
 * `git dvx checkout --ours|--theirs|--base`: one side of a conflict, with its data, in place of the
 * file or beside it.  The index is not touched: it is `git add` that ends a conflict.
 */
#include "commands/checkout_side.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/pathmatch.h"
#include "lib/base/progress.h"
#include "lib/worktree/gitindex.h"
#include "lib/worktree/place.h"

static const char *const side_names[] = {"", "base", "ours", "theirs"};

/* ---- the stages of the index ---- */

struct version {
	char *path;
	uint32_t mode;
	struct datafile file;
};

struct versions {
	const struct repo *repo;
	const char *wanted; /* a path, or a directory */
	int side;
	int unmerged; /* something there is in conflict */
	struct version *v;
	size_t n, cap;
};

static void release(struct versions *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i].path);
	free(l->v);
}

static int take_entry(const struct gitindex_entry *e, void *data)
{
	struct versions *l = data;
	struct version *new;

	if (e->stage == 0 || !pathmatch_within(e->path, l->wanted))
		return 0;
	l->unmerged = 1;
	if (e->stage != l->side)
		return 0;
	if (!S_ISREG(e->mode))
		return err_set(ERR_INVALID, "'%s' is no regular file there; 'git checkout --%s %s'",
			e->path, side_names[l->side], e->path);
	if (array_room(&l->v, l->n, &l->cap, sizeof(*l->v)) < 0)
		return err_no_memory();
	new = &l->v[l->n];
	*new = (struct version){.path = strdup(e->path), .mode = e->mode};
	if (new->path == NULL)
		return err_no_memory();
	l->n++;
	memcpy(new->file.blob, e->id, sizeof new->file.blob);
	return 0;
}

/* Append what this side has at and below `wanted`. */
static int find_versions(struct versions *l, const char *wanted)
{
	struct gitindex *index = NULL;
	uint8_t blob[REPO_ID_MAX];
	const size_t before = l->n;
	int rc = gitindex_read(&index, l->repo->dir->index, l->repo->hash_len);

	l->wanted = wanted;
	l->unmerged = 0;
	if (rc == 0)
		rc = gitindex_each(index, take_entry, l);
	gitindex_free(index);
	for (size_t i = before; rc == 0 && i < l->n; i++) {
		memcpy(blob, l->v[i].file.blob, sizeof blob);
		rc = datafile_of_blob(&l->v[i].file, l->repo, blob, l->v[i].path);
	}
	return rc;
}

int checkout_side_find(struct datafile *out, const struct repo *repo, const char *path, int side)
{
	struct versions l = {.repo = repo, .side = side};
	int rc = find_versions(&l, path), found = 0;

	for (size_t i = 0; rc == 0 && i < l.n; i++)
		if (strcmp(l.v[i].path, path) == 0) {
			*out = l.v[i].file;
			out->path = path;
			found = 1;
		}
	release(&l);
	return rc < 0 ? rc : found;
}

/* ---- writing ---- */

static int copy_data(struct command_ctx *ctx, const struct datafile *version, int to)
{
	uint64_t size;
	int fd = -1, rc = datafile_open(&fd, &size, version, &ctx->repo, ctx->s);

	if (rc == 0 && size > 0)
		rc = fs_clone_or_copy(to, fd, 0, size);
	if (fd >= 0)
		close(fd);
	return rc < 0 ? rc : 0;
}

int checkout_side_write(struct command_ctx *ctx, const struct datafile *version, const char *to)
{
	struct buf temp = BUF_INIT;
	int fd = fs_tempfile(&temp, to), rc = fd < 0 ? fd : 0;

	if (rc == 0)
		rc = copy_data(ctx, version, fd);
	if (fd >= 0 && rc == 0)
		rc = fs_close(&fd, to);
	if (rc == 0 && rmdir(to) < 0 && errno != ENOTDIR && errno != ENOENT)
		rc = err_sys("cannot replace '%s'", to);
	if (rc == 0 && rename(temp.p, to) < 0)
		rc = err_sys("cannot write '%s'", to);
	if (fd >= 0)
		close(fd);
	if (rc < 0 && temp.len > 0)
		unlink(temp.p);
	buf_release(&temp);
	return rc;
}

static int write_in_place(struct command_ctx *ctx, struct place *place, const struct version *v)
{
	struct place_file f = PLACE_FILE_INIT;
	struct stat st;
	int rc = place_parents(place, v->path);

	if (rc == 0)
		rc = place_begin(place, v->path, &f);
	if (rc < 0)
		return rc;
	rc = copy_data(ctx, &v->file, f.fd);
	if (rc == 0)
		return place_put(place, v->path, &f, (v->mode & 0111) != 0, &st);
	place_abort(place, &f);
	return rc;
}

/* ---- the command ---- */

static int no_version(const struct versions *l, const char *path, const char *typed)
{
	if (!l->unmerged)
		return err_set(
			ERR_NOTFOUND, "'%s' is not in conflict; 'git status' lists what is", path);
	return err_set(ERR_NOTFOUND,
		"'%s' has no version '%s': that side does not have the file; 'git rm %s' if it is "
		"to "
		"be gone",
		path, side_names[l->side], typed);
}

static int fetch(struct command_ctx *ctx, const struct versions *l, const char *remote)
{
	struct datafile *missing = calloc(l->n, sizeof(*missing));
	size_t n = 0;
	int rc = 0;

	if (missing == NULL)
		return err_no_memory();
	for (size_t i = 0; i < l->n; i++)
		if (!datafile_is_here(&l->v[i].file, ctx->s))
			missing[n++] = l->v[i].file;
	if (n > 0)
		rc = datafile_fetch(missing, n, &ctx->repo, ctx->s, remote);
	free(missing);
	return rc;
}

static int put_all(struct command_ctx *ctx, const struct versions *l)
{
	struct place *place = NULL;
	struct buf staging = BUF_INIT;
	int rc = buf_addf(&staging, "%s/dvx/tmp", ctx->g->git_dir);

	if (rc == 0)
		rc = place_open(&place, ctx->g->worktree, staging.p);
	for (size_t i = 0; rc == 0 && i < l->n; i++) {
		rc = write_in_place(ctx, place, &l->v[i]);
		if (rc == 0)
			printf("'%s' is the version '%s' now; 'git add' ends the conflict\n",
				l->v[i].path, side_names[l->side]);
	}
	place_close(place);
	buf_release(&staging);
	return rc;
}

int checkout_side_run(struct command_ctx *ctx, const struct checkout_side_request *r)
{
	struct versions l = {.repo = &ctx->repo, .side = r->side};
	struct buf path = BUF_INIT;
	int rc = 0;

	for (int i = 0; rc == 0 && i < r->n; i++) {
		const size_t before = l.n;

		buf_reset(&path);
		rc = repo_path(&path, &ctx->repo, r->paths[i]);
		if (rc == 0)
			rc = find_versions(&l, buf_str(&path));
		if (rc == 0 && l.n == before)
			rc = no_version(&l, buf_str(&path), r->paths[i]);
	}
	if (rc == 0 && r->to != NULL && l.n != 1)
		rc = err_set(
			ERR_INVALID, "--to is for one file, and %zu are in conflict there", l.n);
	if (rc == 0)
		rc = fetch(ctx, &l, r->remote);
	if (rc == 0)
		rc = r->to != NULL ? checkout_side_write(ctx, &l.v[0].file, r->to)
				   : put_all(ctx, &l);
	release(&l);
	buf_release(&path);
	return rc;
}
