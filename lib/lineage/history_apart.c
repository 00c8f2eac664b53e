/*
 * What lies between two commits: the parents are in the index, so no walk of Git's is needed.
 */
#include "lib/lineage/history_internal.h"

#include <stdlib.h>

#include "lib/base/err.h"

struct apart {
	int64_t when;
	uint32_t commit;
	int side;
};

static int by_time(const void *a, const void *b)
{
	const struct apart *x = a, *y = b;
	int c = (x->when < y->when) - (x->when > y->when);

	return c ? c : (x->commit < y->commit) - (x->commit > y->commit);
}

/* How many commits only one of the two has; room for one per commit is in `v`. */
static size_t find_apart(
	const struct history *h, uint32_t a, uint32_t b, uint8_t *behind, struct apart *v)
{
	enum { BEHIND_A = 1, BEHIND_B = 2 };
	uint32_t c, k;
	size_t n = 0;

	behind[a] |= BEHIND_A;
	behind[b] |= BEHIND_B;
	for (c = (a > b ? a : b) + 1; c-- > 0;) {
		const struct history_commit *commit = &h->commits[c];

		for (k = 0; behind[c] && k < commit->n_parents; k++)
			behind[h->parents[commit->parents + k]] |= behind[c];
		if (behind[c] == BEHIND_A || behind[c] == BEHIND_B)
			v[n++] = (struct apart){commit->when, c, behind[c] == BEHIND_B};
	}
	if (n)
		qsort(v, n, sizeof *v, by_time);
	return n;
}

int history_apart(struct history *h, const uint8_t *a, const uint8_t *b,
	int (*fn)(const uint8_t *id, int side, void *data), void *data)
{
	uint32_t from[2];
	uint8_t *behind;
	struct apart *v;
	size_t n, i;
	int rc;

	if (h->n_commits == 0)
		return 0;
	rc = history_find_tip(h, a, &from[0]);
	if (rc > 0)
		rc = history_find_tip(h, b, &from[1]);
	if (rc <= 0)
		return rc;
	behind = calloc(h->n_commits, 1);
	v = calloc(h->n_commits, sizeof *v);
	rc = behind && v ? 0 : err_no_memory();
	n = rc == 0 ? find_apart(h, from[0], from[1], behind, v) : 0;
	for (i = 0; i < n && rc == 0; i++)
		rc = fn(h->commits[v[i].commit].id, v[i].side, data);
	free(behind);
	free(v);
	return rc != 0 ? rc : 1;
}
