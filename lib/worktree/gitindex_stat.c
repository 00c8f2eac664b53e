/*
 * Stat data as the index stores it: nine fields of 32 bits, truncated.  Whether Git calls a file
 * clean hangs on these rules, so they are those of its fill_stat_data and match_stat_data, built
 * without USE_NSEC and USE_STDEV.
 *
 * Sizes that are multiples of 4 GiB truncate to 0, which Git also uses for "never looked at".
 * Git 2.43 and later store 0x80000000 for them; older ones would take that for another size and
 * call the file modified for ever.  A 0 is right for both: they compare the content once (and the
 * newer store their own value then).
 */
#include "lib/worktree/gitindex.h"

static uint32_t low32(int64_t v)
{
	return (uint32_t)((uint64_t)v & UINT32_MAX);
}

void gitindex_stat_fill(struct gitindex_stat *out, const struct stat *st)
{
	out->ctime_sec = low32(st->st_ctim.tv_sec);
	out->ctime_nsec = low32(st->st_ctim.tv_nsec);
	out->mtime_sec = low32(st->st_mtim.tv_sec);
	out->mtime_nsec = low32(st->st_mtim.tv_nsec);
	out->dev = low32((int64_t)st->st_dev);
	out->ino = low32((int64_t)st->st_ino);
	out->uid = st->st_uid;
	out->gid = st->st_gid;
	out->size = low32(st->st_size);
}

static int size_matches(uint32_t stored, int64_t size)
{
	return stored == low32(size) || (size && !low32(size) && stored == 0x80000000u);
}

int gitindex_stat_match(const struct gitindex_stat *a, const struct stat *st)
{
	return a->mtime_sec == low32(st->st_mtim.tv_sec) &&
	       a->ctime_sec == low32(st->st_ctim.tv_sec) && a->uid == st->st_uid &&
	       a->gid == st->st_gid && a->ino == low32((int64_t)st->st_ino) &&
	       size_matches(a->size, st->st_size);
}
