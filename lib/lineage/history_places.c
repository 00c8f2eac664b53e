/*
 * Which commits brought an object, to which paths: the versions whose ids begin as asked, the paths
 * that ever had them, and for each of these one pass over all commits.
 */
#include "lib/lineage/history_internal.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/array.h"
#include "lib/base/err.h"

enum { PREFIX_LEAST = 4 };

struct pair {
	uint32_t path, version, first; /* `first`: the oldest commit that made it so */
	const struct oid *oid;
};
struct places {
	struct history *h;
	struct pair *pairs;
	size_t n_pairs, cap_pairs;
	struct history_place *v;
	size_t n, cap;
};

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A prefix as bytes and the mask of what they have to say. */
static int parse_prefix(struct oid *want, struct oid *mask, const char *prefix)
{
	size_t i, len = strlen(prefix);

	memset(want, 0, sizeof *want);
	memset(mask, 0, sizeof *mask);
	if (len < PREFIX_LEAST || len > OID_HEX_LEN)
		goto bad;
	for (i = 0; i < len; i++) {
		int digit = hex_digit(prefix[i]), shift = i % 2 ? 0 : 4;

		if (digit < 0)
			goto bad;
		want->id[i / 2] |= (uint8_t)(digit << shift);
		mask->id[i / 2] |= (uint8_t)(0xf << shift);
	}
	return 0;
bad:
	return err_set(ERR_INVALID,
		"'%s' is no beginning of a SHA-256: it takes %d to %d of the digits 0-9 and a-f",
		prefix, PREFIX_LEAST, OID_HEX_LEN);
}

static int begins_with(const struct oid *oid, const struct oid *want, const struct oid *mask)
{
	size_t i;

	for (i = 0; i < OID_LEN && mask->id[i]; i++)
		if ((oid->id[i] & mask->id[i]) != want->id[i])
			return 0;
	return 1;
}

static int by_place(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	int c = oid_cmp(x->oid, y->oid);

	if (!c)
		c = (x->path > y->path) - (x->path < y->path);
	return c ? c : (x->first > y->first) - (x->first < y->first);
}

/* Which objects of this beginning were ever at which path. */
static int collect_pairs(struct places *p, const struct oid *want, const struct oid *mask)
{
	const struct history *h = p->h;
	uint32_t c, i;
	size_t kept = 0, k;

	for (c = 0; c < h->n_commits; c++) {
		const struct history_commit *commit = &h->commits[c];

		for (i = commit->changes; i < commit->changes + commit->n_changes; i++) {
			uint32_t version = h->changes[i].version;

			if (version == HISTORY_NONE || !history_is_pointer(&h->versions[version]) ||
				!begins_with(&h->versions[version].oid, want, mask))
				continue;
			if (array_room(&p->pairs, p->n_pairs, &p->cap_pairs, sizeof *p->pairs) < 0)
				return ERR_NOMEM;
			p->pairs[p->n_pairs++] = (struct pair){
				h->changes[i].path, version, c, &h->versions[version].oid};
		}
	}
	if (p->n_pairs)
		qsort(p->pairs, p->n_pairs, sizeof *p->pairs, by_place);
	for (k = 0; k < p->n_pairs; k++)
		if (!kept || p->pairs[k].path != p->pairs[kept - 1].path ||
			!oid_eq(p->pairs[k].oid, p->pairs[kept - 1].oid))
			p->pairs[kept++] = p->pairs[k];
	p->n_pairs = kept;
	return 0;
}

/* The places of one object at one path; `origin` and `count` have room for an entry per commit. */
static int add_places(struct places *p, const struct pair *pair, uint32_t *origin, uint32_t *count)
{
	const struct history *h = p->h;
	struct history_place *place;
	uint32_t c;

	history_find_origins(h, pair->first, pair->path, pair->oid, origin);
	memset(count, 0, h->n_commits * sizeof *count);
	for (c = pair->first; c < h->n_commits; c++)
		if (origin[c] != HISTORY_NONE && h->reach[c])
			count[origin[c]]++;
	for (c = pair->first; c < h->n_commits; c++) {
		if (!count[c])
			continue;
		if (array_room(&p->v, p->n, &p->cap, sizeof *p->v) < 0)
			return ERR_NOMEM;
		place = &p->v[p->n++];
		*place = (struct history_place){.oid = *pair->oid,
			.size = h->versions[pair->version].size,
			.path = h->paths[pair->path],
			.since_when = h->commits[c].when,
			.commits = count[c],
			.at_head = h->head != HISTORY_NONE && origin[h->head] == c};
		memcpy(place->since, h->commits[c].id, REPO_ID_MAX);
	}
	return 0;
}

static int newest_first(const void *a, const void *b)
{
	const struct history_place *x = a, *y = b;
	int c = (x->since_when < y->since_when) - (x->since_when > y->since_when);

	return c ? c : strcmp(x->path, y->path);
}

int history_places(struct history *h, const char *prefix,
	int (*fn)(const struct history_place *p, void *data), void *data)
{
	struct places p = {.h = h};
	struct oid want, mask;
	uint32_t *origin = NULL, *count = NULL;
	size_t i;
	int rc = parse_prefix(&want, &mask, prefix);

	if (rc == 0)
		rc = history_extend(h);
	if (rc == 0)
		rc = collect_pairs(&p, &want, &mask);
	if (rc < 0 || p.n_pairs == 0)
		goto done;
	origin = calloc(h->n_commits, sizeof *origin);
	count = calloc(h->n_commits, sizeof *count);
	if (!origin || !count) {
		rc = err_no_memory();
		goto done;
	}
	for (i = 0; i < p.n_pairs && rc == 0; i++)
		rc = add_places(&p, &p.pairs[i], origin, count);
	if (p.n)
		qsort(p.v, p.n, sizeof *p.v, newest_first);
	for (i = 0; i < p.n && rc == 0; i++)
		rc = fn(&p.v[i], data);
done:
	free(origin);
	free(count);
	free(p.pairs);
	free(p.v);
	return rc;
}
