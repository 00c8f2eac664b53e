/*
 * The planner of downloads: sort, then one pass.
 */
#include "transfer/blob/plan.h"

#include <stdlib.h>

static int compare(const void *a, const void *b)
{
	const struct plan_item *x = a, *y = b;
	int order = oid_cmp(&x->pack, &y->pack);

	if (order != 0)
		return order;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* Whether the item can join the run; then *end is where the run ends. */
static int joins(const struct plan_item *items, const struct plan_run *r,
	const struct plan_item *next, uint64_t gap, uint64_t max, uint64_t *end)
{
	uint64_t run_end = r->offset + r->length, next_end = next->offset + next->length;

	if (!oid_eq(&items[r->first].pack, &next->pack))
		return 0;
	if (next->offset > run_end && next->offset - run_end > gap)
		return 0;
	*end = next_end > run_end ? next_end : run_end;
	return *end - r->offset <= max;
}

size_t plan_runs(
	struct plan_item *items, size_t n, uint64_t gap, uint64_t max, struct plan_run *runs)
{
	size_t count = 0;
	uint64_t end;

	if (n)
		qsort(items, n, sizeof(*items), compare);
	for (size_t i = 0; i < n; i++) {
		struct plan_run *r = count ? &runs[count - 1] : NULL;

		if (r && joins(items, r, &items[i], gap, max, &end)) {
			r->n++;
			r->length = end - r->offset;
			continue;
		}
		runs[count++] = (struct plan_run){
			.first = i, .n = 1, .offset = items[i].offset, .length = items[i].length};
	}
	return count;
}
