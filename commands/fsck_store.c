/*
 * `git dvx fsck`, the store's own files: packs, records of sums, journals of pending files.
 */
#include "commands/fsck.h"

#include <string.h>

#include "lib/base/err.h"
#include "lib/repo/needed.h"
#include "lib/store/store_gc.h"
#include "lib/worktree/pending.h"

static int note_pack(const char *pack, const char *message, void *data)
{
	struct fsck *f = data;
	size_t n = f->bad_packs.n;

	fsck_problem(f, "damagedPack", NULL, NULL, "store: damagedPack: %s", message);
	if (*pack && (n == 0 || strcmp(f->bad_packs.v[n - 1], pack) != 0))
		return strvec_push(&f->bad_packs, pack);
	return 0;
}

static int note_sums(const char *path, void *data)
{
	struct fsck *f = data;

	fsck_problem(f, "damagedSums", NULL, NULL,
		"store: damagedSums: '%s' is damaged; it is not used, and made anew%s", path,
		f->repair ? "" : " by --repair");
	return 0;
}

static int no_item(const struct pending_item *i, void *data)
{
	(void)i, (void)data;
	return 0;
}

static int check_journals(struct fsck *f)
{
	int rc = pending_each(f->ctx->g->git_dir, no_item, NULL);

	if (rc != ERR_CORRUPT)
		return rc;
	fsck_problem(f, "damagedJournal", NULL, NULL,
		"store: damagedJournal: %s; 'git dvx checkout' mends it", err_msg());
	err_clear();
	return 0;
}

int fsck_store(struct fsck *f)
{
	size_t before = f->problems;
	int rc = store_check_packs(f->ctx->s, command_stop(), note_pack, f);

	if (rc == 0)
		rc = store_check_sums(f->ctx->s, f->repair, note_sums, f);
	if (rc == 0 && f->repair)
		f->problems = before; /* both are mended: the packs when the objects are */
	return rc == 0 ? check_journals(f) : rc;
}
