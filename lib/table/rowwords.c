/*
 * The words in which row diffs are told: by `git dvx diff --rows`, in Git's own diff, and among the
 * causes that lineage finds.
 */
#include "lib/table/rowwords.h"

/* ", 3 changed"; the first one that is not 0 says "rows". */
static int add_part(struct buf *out, size_t start, uint64_t n, const char *what)
{
	int first = out->len == start, rc = 0;

	if (n == 0)
		return 0;
	if (!first)
		rc = buf_addstr(out, ", ");
	if (rc == 0)
		rc = buf_addcount(out, n);
	return rc < 0 ? rc : buf_addf(out, "%s %s", !first ? "" : n == 1 ? " row" : " rows", what);
}

int rowwords_counts(struct buf *out, uint64_t added, uint64_t removed, uint64_t changed)
{
	size_t start = out->len;
	int rc = add_part(out, start, added, "added");

	if (rc == 0)
		rc = add_part(out, start, removed, "removed");
	return rc == 0 ? add_part(out, start, changed, "changed") : rc;
}
