/*
 * `migrate import` and `migrate export`.  The order is what makes it safe to be killed at any
 * moment (docs/migrate.md): data to the store and to disk, new objects to Git, then all refs in one
 * transaction, and the working copy last.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands/lfs/lfs.h"
#include "commands/lfs/migrate.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"

/* ---- the working copy ---- */

/* 1 for yes. */
static int asked(void)
{
	char line[64];

	for (;;) {
		fputs("migrate: override changes in your working copy?  All uncommitted changes "
		      "will be lost! [y/N] ",
			stderr);
		if (!fgets(line, sizeof line, stdin) || strchr("nN\n", line[0]))
			return 0;
		if (line[0] == 'y' || line[0] == 'Y')
			return 1;
	}
}

int migrate_ask(struct command_ctx *ctx, const struct migrate_args *a)
{
	struct buf status = BUF_INIT;
	int rc, dirty;

	if (!ctx->g->worktree)
		return 0;
	rc = git_run(&ctx->repo, NULL, 0, &status, "status", "--porcelain", (char *)NULL);
	dirty = status.len > 0;
	buf_release(&status);
	if (rc < 0 || !dirty)
		return rc;
	if (!a->yes && !asked())
		return err_set(ERR_DENIED, "migrate: working copy must not be dirty");
	fputs("migrate: changes in your working copy will be overridden ...\n", stderr);
	return 0;
}

int migrate_open_store(struct command_ctx *ctx, const struct migrate_args *a)
{
	int rc = command_store(ctx);

	if (rc == 0 && a->lfs)
		store_keep_small_whole(ctx->s);
	return rc;
}

int migrate_checkout(struct command_ctx *ctx)
{
	int rc;

	if (!ctx->g->worktree || !git_has_head(&ctx->repo))
		return 0;
	store_flush(ctx->s); /* the filter looks for the objects now */
	fputs("migrate: checkout: ..., ", stderr);
	rc = git_run(&ctx->repo, NULL, 0, NULL, "checkout", "--force", "--quiet", (char *)NULL);
	fputs(rc == 0 ? "done.\n" : "failed.\n", stderr);
	return rc < 0 ? err_prefix(rc, "the refs were moved, the files are not all there; run 'git "
				       "checkout --force' again")
		      : 0;
}

/* ---- the map of commits ---- */

struct object_map {
	const char *path;
	FILE *f;
	const struct repo *repo;
};

static int open_map(struct object_map *map)
{
	int fd;

	if (!map->path)
		return 0;
	fd = open(map->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0 || !(map->f = fdopen(fd, "w"))) {
		int rc = err_sys("could not create the object map '%s'", map->path);

		if (fd >= 0)
			close(fd);
		return rc;
	}
	return 0;
}

static int map_commit(const uint8_t *old, const uint8_t *now, void *data)
{
	struct object_map *map = data;
	char from[REPO_HEX_MAX + 1], to[REPO_HEX_MAX + 1];

	repo_id_hex(from, map->repo, old);
	repo_id_hex(to, map->repo, now);
	return fprintf(map->f, "%s,%s\n", from, to) < 0 ? ERR_IO : 0;
}

static int write_map(struct object_map *map, const struct rewrite *r)
{
	int rc;

	if (!map->f)
		return 0;
	rc = rewrite_each(r, map_commit, map);
	if (fflush(map->f) != 0 || (rc == 0 && fs_fsync(fileno(map->f), map->path) < 0))
		rc = ERR_IO;
	if (fclose(map->f) != 0)
		rc = ERR_IO;
	map->f = NULL;
	return rc < 0 ? err_sys("could not write the object map '%s'", map->path) : 0;
}

/* ---- all together ---- */

int migrate_rewrite_commits(struct migrate *m, const struct rewrite_ids *commits, const char *title)
{
	struct progress *p = progress_new(title, commits->n, 0, PROGRESS_AUTO);
	int rc = rewrite_run(migrate_rewrite(m), commits, p, command_stop());

	progress_free(p);
	if (rc == 0)
		fprintf(stderr, "%s: 100%% (%zu/%zu), done.\n", title, commits->n, commits->n);
	return rc;
}

static const char *short_name(const char *ref)
{
	if (!strncmp(ref, "refs/heads/", 11))
		return ref + 11;
	return strncmp(ref, "refs/tags/", 10) == 0 ? ref + 10 : ref;
}

static void print_moves(const struct rewrite_refs *refs, const struct repo *repo)
{
	char old[REPO_HEX_MAX + 1], now[REPO_HEX_MAX + 1];
	int width = 0;
	size_t i;

	for (i = 0; i < refs->n; i++) {
		int len = refs->v[i].moves ? (int)strlen(short_name(refs->v[i].name)) : 0;

		width = len > width ? len : width;
	}
	for (i = 0; i < refs->n; i++) {
		if (!refs->v[i].moves)
			continue;
		repo_id_hex(old, repo, refs->v[i].id);
		repo_id_hex(now, repo, refs->v[i].to);
		fprintf(stderr, "  %-*s\t%s -> %s\n", width, short_name(refs->v[i].name), old, now);
	}
}

/* Refs, then the working copy. */
static int conclude(struct command_ctx *ctx, const struct migrate_args *a, struct migrate *m,
	struct rewrite_refs *refs, struct object_map *map)
{
	struct buf why = BUF_INIT, undo = BUF_INIT;
	int rc = rewrite_refs_map(refs, migrate_rewrite(m));

	if (rc == 0)
		rc = migrate_sync(m);
	if (rc == 0)
		rc = write_map(map, migrate_rewrite(m));
	if (rc == 0)
		rc = buf_addf(&why, "git %s migrate %s", a->lfs ? "lfs" : "dvx", a->mode_name);
	if (rc == 0)
		rc = rewrite_refs_move(refs, &ctx->repo, why.p, &undo);
	if (rc == 0) {
		fputs("migrate: Updating refs: ..., done.\n", stderr);
		print_moves(refs, &ctx->repo);
		rc = migrate_checkout(ctx);
	}
	if (rc == 0 && undo.len)
		fprintf(stderr,
			"migrate: to go back: git update-ref --stdin <'%s' && git checkout "
			"--force\n",
			undo.p);
	buf_release(&why);
	buf_release(&undo);
	return rc;
}

int migrate_run(struct command_ctx *ctx, const struct migrate_args *a)
{
	struct migrate_options o = migrate_options_of(a);
	struct batch_options fetch = {.remote = a->remote, .stop = command_stop()};
	struct object_map map = {.path = a->object_map, .repo = &ctx->repo};
	struct rewrite_refs refs = {0};
	struct rewrite_ids commits = {0};
	struct migrate *m = NULL;
	int rc = migrate_ask(ctx, a);

	o.fetch = &fetch;
	if (rc == 0)
		rc = migrate_open_store(ctx, a);
	if (rc == 0 && a->lfs && a->mode == MIGRATE_EXPORT)
		rc = lfs_use_remote(&fetch, ctx, a->remote);
	if (rc == 0)
		rc = rewrite_refs_read(&refs, &ctx->repo);
	if (rc == 0)
		rc = migrate_commits(&commits, ctx, a, &refs);
	if (rc == 0)
		rc = open_map(&map);
	if (rc == 0)
		rc = migrate_new(&m, &ctx->repo, ctx->s, &o);
	if (rc == 0)
		rc = migrate_rewrite_commits(m, &commits, "migrate: Rewriting commits");
	if (rc == 0)
		rc = conclude(ctx, a, m, &refs, &map);
	if (map.f) {
		fclose(map.f);
		unlink(map.path);
	}
	migrate_free(m);
	rewrite_ids_release(&commits);
	rewrite_refs_release(&refs);
	return rc;
}
