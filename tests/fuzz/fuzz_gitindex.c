/*
 * Git's index from hostile bytes: parse, walk, and patch; as a split index, read with a shared one,
 * rebuild, and read the result.  The first byte chooses: bit 0 SHA-256, bit 1 split index (two
 * bytes follow, how long the first file is).
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/worktree/gitindex.h"
#include "lib/worktree/gitindex_file.h"
#include "lib/worktree/gitindex_split.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { REPLACEMENTS_MAX = 4 };

static int count(const struct gitindex_entry *e, void *data)
{
	if (strlen(e->path) != e->path_len || e->stage > 3)
		abort();
	++*(size_t *)data;
	return 0;
}

static void plain(const uint8_t *data, size_t size, int hash_len)
{
	struct gitindex *x = NULL;
	size_t n = 0;

	if (gitindex_parse(&x, data, size, hash_len) == 0 && gitindex_each(x, count, &n) == 0 &&
		n != gitindex_count(x))
		abort();
	gitindex_free(x);
}

/* Walk; collect the first entries of the shared file as replacements. */
static int walk(const struct gitindex_file *own, const struct gitindex_split *split,
	struct gitindex_replacement *add, size_t *n_add, size_t *entries)
{
	struct gitindex_walk_entry e;
	struct gitindex_walk w;
	int rc;

	gitindex_walk_init(&w, own, split);
	for (*entries = 0; (rc = gitindex_walk_next(&w, &e)) > 0; ++*entries) {
		struct gitindex_replacement *a = &add[*n_add];

		if (!e.shared || *n_add == REPLACEMENTS_MAX)
			continue;
		a->position = e.position;
		a->base_at = (size_t)(e.raw.p - split->base.data);
		a->fixed_len = e.raw.fixed_len;
		memcpy(a->fields, e.raw.p, sizeof a->fields);
		++*n_add;
	}
	gitindex_walk_release(&w);
	return rc;
}

/* What was rebuilt must be a good index with the same number of entries. */
static void rebuild(const struct gitindex_file *own, const struct gitindex_split *split)
{
	struct gitindex_replacement add[REPLACEMENTS_MAX + 1];
	struct gitindex_split again = *split;
	struct gitindex_file file = {0};
	struct buf out = BUF_INIT;
	static const uint8_t zero[32];
	size_t n_add = 0, entries, same;

	if (walk(own, split, add, &n_add, &entries) < 0)
		return;
	if (gitindex_split_rebuild(split, own, add, n_add, &out) < 0)
		abort();
	buf_add(&out, zero, (size_t)own->hash_len);
	if (gitindex_file_parse(&file, out.p, out.len, own->hash_len) < 0)
		abort();
	again.deleted = again.replaced = (struct ewah)EWAH_INIT;
	if (gitindex_split_bitmaps(&again, &file) < 0)
		abort();
	n_add = REPLACEMENTS_MAX;
	if (walk(&file, &again, add, &n_add, &same) < 0 || same != entries)
		abort();
	ewah_release(&again.deleted);
	ewah_release(&again.replaced);
	gitindex_file_release(&file);
	buf_release(&out);
}

static void split(const uint8_t *data, size_t size, int hash_len)
{
	struct gitindex_split s = {.deleted = EWAH_INIT, .replaced = EWAH_INIT};
	struct gitindex_file own;
	size_t first;

	if (size < 2)
		return;
	first = be16_get(data);
	data += 2;
	size -= 2;
	if (first > size)
		first = size;
	if (gitindex_file_parse(&own, data, first, hash_len) < 0)
		return;
	if (own.link && gitindex_file_parse(&s.base, data + first, size - first, hash_len) == 0) {
		if (!s.base.link && gitindex_split_bitmaps(&s, &own) == 0)
			rebuild(&own, &s);
		gitindex_file_release(&s.base);
	}
	ewah_release(&s.deleted);
	ewah_release(&s.replaced);
	gitindex_file_release(&own);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int hash_len;

	if (!size)
		return 0;
	hash_len = data[0] & 1 ? 32 : 20;
	if (data[0] & 2)
		split(data + 1, size - 1, hash_len);
	else
		plain(data + 1, size - 1, hash_len);
	return 0;
}
