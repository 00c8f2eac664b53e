/*
 * Any bytes as a tree object and as a .gitattributes: never a crash, entries stay within the tree,
 * and lines that are there are not added again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/repo/rewrite_attrs.h"
#include "lib/repo/treeread.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

static void as_tree(const struct buf *b, int hash_len)
{
	struct treeread_entry e;
	size_t at = 0, before = 0;

	while (at < b->len && treeread_next(&e, hash_len, b, &at) == 0) {
		require(at > before && at <= b->len);
		require(e.name + strlen(e.name) < b->p + b->len && e.name[0]);
		before = at;
	}
}

static void as_lines(const struct buf *b, int once)
{
	struct attr_lines l = {0};
	struct buf first = BUF_INIT, second = BUF_INIT;

	require(attr_lines_add(&l, "*.bin", " filter=dvx") == 0);
	require(attr_lines_merge(&first, b, &l, once) == 0);
	require(attr_lines_merge(&second, &first, &l, once) == 0);
	require(first.p[first.len - 1] == '\n');
	/* (With `once` each run takes a carriage return from the end of a line, as Git LFS does.)
	 */
	require(once ? second.len <= first.len
		     : first.len == second.len && memcmp(first.p, second.p, first.len) == 0);
	buf_release(&first);
	buf_release(&second);
	attr_lines_release(&l);
}

static void as_level(const struct buf *b)
{
	struct attr_levels *l = NULL;
	int top, sub;

	require(attr_levels_new(&l) == 0);
	top = attr_levels_enter(l, 0, "", "1", b);
	require(top > 0);
	sub = attr_levels_enter(l, (uint32_t)top, "a", "2", b);
	require(sub > 0);
	require(attr_levels_route(l, (uint32_t)sub, "a/b c.bin") >= 0);
	attr_levels_free(l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf b = BUF_INIT;

	if (size == 0 || buf_add(&b, data, size) < 0)
		return 0;
	as_tree(&b, 20);
	as_tree(&b, 32);
	as_lines(&b, 0);
	as_lines(&b, 1);
	as_level(&b);
	buf_release(&b);
	return 0;
}
