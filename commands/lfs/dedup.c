/*
 * `git lfs dedup`: files of the work tree share their blocks with the store, where the file system
 * can.
 *
 * The kernel compares the bytes itself before it shares them (FIDEDUPERANGE,
 * ioctl_fideduperange(2)), and touches neither names nor times: no file can be damaged, and Git's
 * index stays right.
 */
#include "commands/lfs/lfs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/repo/scan.h"
#include "lib/setup/lfsext.h"
#include "lib/worktree/place.h"

enum { PIECE = 16 << 20 }; /* btrfs takes no more at once */

struct dedup {
	struct command_ctx *ctx;
	struct place *place;
	size_t files;
	uint64_t bytes;
};

/* Share one range.  1; 0 when the bytes differ; ERR_UNSUPPORTED. */
static int share(int from, int to, uint64_t at, uint64_t len)
{
	struct file_dedupe_range *r = calloc(1, sizeof(*r) + sizeof(r->info[0]));
	int rc;

	if (!r)
		return err_set(ERR_NOMEM, "out of memory");
	r->src_offset = r->info[0].dest_offset = at;
	r->src_length = len;
	r->dest_count = 1;
	r->info[0].dest_fd = to;
	if (ioctl(from, FIDEDUPERANGE, r) < 0)
		rc = errno == EINVAL || errno == ENOTTY || errno == EOPNOTSUPP || errno == EXDEV
			     ? err_set(ERR_UNSUPPORTED,
				       "this file system cannot share blocks between files")
			     : err_sys("cannot share blocks");
	else if (r->info[0].status < 0)
		rc = r->info[0].status == -EINVAL || r->info[0].status == -EOPNOTSUPP ||
				     r->info[0].status == -EXDEV
			     ? err_set(ERR_UNSUPPORTED,
				       "this file system cannot share blocks between files")
			     : err_set(ERR_IO, "cannot share blocks: %s",
				       strerror(-(int)r->info[0].status));
	else
		rc = r->info[0].status == FILE_DEDUPE_RANGE_SAME;
	free(r);
	return rc;
}

/* 1 when all of it is shared now. */
static int share_file(const char *object, int to, uint64_t size)
{
	int from = open(object, O_RDONLY | O_CLOEXEC), rc = 1;

	if (from < 0)
		return err_sys("cannot open '%s'", object);
	for (uint64_t at = 0; rc == 1 && at < size; at += PIECE)
		rc = share(from, to, at, size - at < PIECE ? size - at : PIECE);
	close(from);
	return rc;
}

static int dedup_one(struct dedup *d, const struct scan_item *item)
{
	struct buf object = BUF_INIT;
	int fd = -1, rc = 0;

	if (!store_whole_path(d->ctx->s, &item->oid, item->size, &object))
		goto done; /* small ones are packed: nothing to be shared */
	fd = place_open_read(d->place, item->path);
	if (fd < 0) {
		rc = fd;
		goto done;
	}
	rc = share_file(object.p, fd, item->size);
	if (rc > 0) {
		d->files++;
		d->bytes += item->size;
		rc = 0;
	}
	if (rc < 0)
		err_prefix(rc, "%s", item->path);
done:
	if (fd >= 0)
		close(fd);
	buf_release(&object);
	return rc;
}

static int dedup_all(struct dedup *d)
{
	struct scan_list l = SCAN_LIST_INIT;
	struct scan_found *found = NULL;
	struct pointers *p = NULL;
	int rc = pointers_open(&p, &d->ctx->repo);

	if (rc == 0)
		rc = scan_index(&l, &d->ctx->repo, p, 1);
	pointers_close(p);
	if (rc == 0)
		rc = scan_files(&found, &l, &d->ctx->repo);
	for (size_t i = 0; rc == 0 && i < l.n; i++)
		if (found[i].state == SCAN_FILE_DATA && l.v[i].size > 0)
			rc = dedup_one(d, &l.v[i]);
	free(found);
	scan_list_release(&l);
	return rc;
}

/* Can a file below the Git directory be cloned?  0 or ERR_UNSUPPORTED. */
static int try_out(const char *git_dir)
{
	int a = open(git_dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	int b = open(git_dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	int rc = a < 0 || b < 0 ? err_sys("cannot make a temporary file in '%s'", git_dir) : 0;

	if (rc == 0)
		rc = fs_write_full(a, "dedup", 5);
	if (rc == 0 && fs_reflink(b, a) < 0)
		rc = err_set(ERR_UNSUPPORTED, "this file system cannot share blocks between files");
	if (a >= 0)
		close(a);
	if (b >= 0)
		close(b);
	return rc;
}

static int refuse_extensions(const struct config *c)
{
	struct lfsext_list l;
	int rc = lfsext_load(&l, c);

	if (rc == 0 && l.n > 0)
		rc = lfs_fail(LFS_FAILED,
			"This platform supports file de-duplication, however, Git LFS extensions "
			"are "
			"configured and therefore de-duplication can not be used.");
	lfsext_release(&l);
	return rc;
}

int lfs_dedup(struct command_ctx *ctx, int argc, char **argv)
{
	struct dedup d = {.ctx = ctx};
	int test = 0, n, rc;
	const struct opt options[] = {
		{'t', "test", OPT_FLAG, &test, NULL, "only say if it can be done", 0}, OPT_END};
	struct buf staging = BUF_INIT;
	char size[16];

	if (command_options(&rc, argc, argv, options, "git lfs dedup [--test]", 0, &n))
		return rc;
	rc = command_store(ctx);
	if (rc == 0)
		rc = refuse_extensions(ctx->c);
	if (rc == 0)
		rc = fs_join(&staging, ctx->g->git_dir, "dvx/tmp");
	if (rc == 0)
		rc = place_open(&d.place, ctx->g->worktree, staging.p);
	if (rc == 0)
		rc = test ? try_out(ctx->g->git_dir) : dedup_all(&d);
	if (rc == ERR_UNSUPPORTED)
		rc = lfs_fail(
			LFS_FAILED, "This system does not support de-duplication: %s", err_msg());
	else if (rc == 0 && test)
		puts("OK: This platform and repository support file de-duplication.");
	else if (rc == 0)
		printf("dedup: %zu files (%s) share their blocks with the store\n", d.files,
			lfs_bytes(size, d.bytes));
	place_close(d.place);
	buf_release(&staging);
	return rc;
}
