/*
 * The cache of blob id -> pointer (docs/pointer-cache.md).  What it does not know is asked of Git
 * by pointers_ask.c.
 *
 * Lookups go into the mapped file by interpolation: ids are uniformly distributed, so the first
 * guess is nearly right. New answers stay in memory until the cache is closed.
 */
#include "lib/repo/pointers.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/lockfile.h"
#include "lib/repo/pointers_ask.h"

enum {
	HEAD_LEN = 40,	  /* magic, version, hash length, counts, checksum */
	SUM_AT = 32,	  /* of the checksum */
	POINTER_TAIL = 41 /* spelling, size, oid */
};
enum { SEGMENTS_MAX = 8, SMALLEST_APPEND_SHARE = 4 };

static const char magic[8] = "DVXPTRS";

struct segment {
	const uint8_t *yes, *no;
	size_t n_yes, n_no;
};

struct pointers {
	const struct repo *repo;
	char *path;
	uint8_t *map;
	size_t map_len;
	size_t good_len; /* up to the end of the last good segment */
	struct segment seg[SEGMENTS_MAX];
	size_t n_seg;
	struct pointers_query *added; /* new answers; sorted by blob up to n_sorted */
	size_t n_added, n_sorted, cap_added;
	struct catfile *cat; /* is asked */
	struct catfile *own; /* the same, if it is to be closed */
};

/* ---- the file ---- */

static uint64_t segment_sum(const uint8_t *head, const uint8_t *body, size_t body_len)
{
	XXH3_state_t st;

	XXH3_64bits_reset(&st);
	XXH3_64bits_update(&st, head + sizeof magic, SUM_AT - sizeof magic);
	XXH3_64bits_update(&st, body, body_len);
	return XXH3_64bits_digest(&st);
}

/* Look at the segment at `p`; its length, or 0 when it is none. */
static size_t parse_segment(struct segment *s, const uint8_t *p, size_t left, int hash_len)
{
	size_t h = (size_t)hash_len, body;
	uint64_t yes, no;

	if (left < HEAD_LEN || memcmp(p, magic, sizeof magic) != 0 || be32_get(p + 8) != 1 ||
		be32_get(p + 12) != h)
		return 0;
	yes = be64_get(p + 16);
	no = be64_get(p + 24);
	left -= HEAD_LEN;
	if (yes > left / (h + POINTER_TAIL) || no > left / h)
		return 0;
	body = (size_t)yes * (h + POINTER_TAIL) + (size_t)no * h;
	if (body > left || be64_get(p + SUM_AT) != segment_sum(p, p + HEAD_LEN, body))
		return 0;
	s->yes = p + HEAD_LEN;
	s->n_yes = (size_t)yes;
	s->no = s->yes + (size_t)yes * (h + POINTER_TAIL);
	s->n_no = (size_t)no;
	return HEAD_LEN + body;
}

static void load(struct pointers *p)
{
	struct stat st;
	size_t len;
	int fd = open(p->path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && st.st_size > 0) {
		void *m = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);

		if (m != MAP_FAILED) {
			p->map = m;
			p->map_len = (size_t)st.st_size;
		}
	}
	close(fd);
	while (p->n_seg < SEGMENTS_MAX && p->good_len < p->map_len) {
		len = parse_segment(&p->seg[p->n_seg], p->map + p->good_len,
			p->map_len - p->good_len, p->repo->hash_len);
		if (!len)
			break;
		p->good_len += len;
		p->n_seg++;
	}
}

int pointers_open_on(struct pointers **out, const struct repo *repo, struct catfile *cat)
{
	struct pointers *p = calloc(1, sizeof *p);
	struct buf path = BUF_INIT;

	if (!p || fs_join(&path, repo->dir->dvx_dir, "pointers") < 0 ||
		!(p->path = buf_detach(&path))) {
		buf_release(&path);
		free(p);
		return err_set(ERR_NOMEM, "out of memory");
	}
	p->repo = repo;
	p->cat = cat;
	load(p);
	*out = p;
	return 0;
}

int pointers_open(struct pointers **out, const struct repo *repo)
{
	struct catfile *own;
	int rc = catfile_open(&own, repo);

	if (rc < 0)
		return rc;
	rc = pointers_open_on(out, repo, own);
	if (rc == 0)
		(*out)->own = own;
	else
		catfile_close(own);
	return rc;
}

/* ---- looking up ---- */

/* The record with this id in a table of `n` records of `width` bytes sorted by their first `h`
 * bytes, or NULL. */
static const uint8_t *table_find(
	const uint8_t *table, size_t n, size_t width, const uint8_t *id, size_t h)
{
	size_t guess = (size_t)(((uint64_t)be32_get(id) * n) >> 32);
	size_t slack = 8, low, high, mid;
	int c;

	/* Nearly all records lie within 2 * sqrt(n) of the guess. */
	while (slack * slack / 4 < n)
		slack *= 2;
	low = guess > slack ? guess - slack : 0;
	high = n - guess > slack ? guess + slack : n;
	if (low && memcmp(table + (low - 1) * width, id, h) >= 0)
		low = 0;
	if (high < n && memcmp(table + high * width, id, h) <= 0)
		high = n;
	while (low < high) {
		mid = low + (high - low) / 2;
		c = memcmp(table + mid * width, id, h);
		if (!c)
			return table + mid * width;
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

static int cmp_blob(const void *a, const void *b)
{
	const struct pointers_query *x = a, *y = b;

	return memcmp(x->blob, y->blob, sizeof x->blob);
}

static void take_answer(struct pointers_query *q, const struct pointers_query *from)
{
	q->state = from->state;
	q->oid = from->oid;
	q->size = from->size;
}

int pointers_cached(const struct pointers *p, struct pointers_query *q)
{
	size_t h = (size_t)p->repo->hash_len, i;
	const struct pointers_query *known;
	const uint8_t *rec;

	for (i = p->n_seg; i-- > 0;) {
		const struct segment *s = &p->seg[i];

		rec = table_find(s->yes, s->n_yes, h + POINTER_TAIL, q->blob, h);
		if (rec) {
			q->state = rec[h] ? POINTERS_ODD : POINTERS_YES;
			q->size = be64_get(rec + h + 1);
			memcpy(q->oid.id, rec + h + 9, OID_LEN);
			return 1;
		}
		if (table_find(s->no, s->n_no, h, q->blob, h)) {
			q->state = POINTERS_NO;
			return 1;
		}
	}
	if (p->n_sorted) {
		known = bsearch(q, p->added, p->n_sorted, sizeof *p->added, cmp_blob);
		if (known) {
			take_answer(q, known);
			return 1;
		}
	}
	return 0;
}

/* ---- learning ---- */

int pointers_add(struct pointers *p, const struct pointers_query *known)
{
	if (array_room(&p->added, p->n_added, &p->cap_added, sizeof(*p->added)) < 0)
		return ERR_NOMEM;
	p->added[p->n_added++] = *known;
	return 0;
}

static void sort_added(struct pointers *p)
{
	size_t i, n = 0;

	if (p->n_sorted == p->n_added)
		return;
	qsort(p->added, p->n_added, sizeof *p->added, cmp_blob);
	for (i = 0; i < p->n_added; i++)
		if (!n || cmp_blob(&p->added[n - 1], &p->added[i]) != 0)
			p->added[n++] = p->added[i];
	p->n_added = p->n_sorted = n;
}

/* The distinct unanswered blobs of q, on the heap (NULL when there are none). */
static int collect_unknown(struct pointers_query **out, size_t *n_out, const struct pointers *p,
	struct pointers_query *q, size_t n)
{
	struct pointers_query *u;
	size_t i, count = 0, kept = 0;

	*out = NULL;
	*n_out = 0;
	for (i = 0; i < n; i++)
		if (q[i].state == POINTERS_UNKNOWN && !pointers_cached(p, &q[i]))
			count++;
	if (!count)
		return 0;
	if (!(u = calloc(count, sizeof *u)))
		return err_set(ERR_NOMEM, "out of memory");
	for (i = 0, count = 0; i < n; i++)
		if (q[i].state == POINTERS_UNKNOWN)
			u[count++] = q[i];
	qsort(u, count, sizeof *u, cmp_blob);
	for (i = 0; i < count; i++)
		if (!kept || cmp_blob(&u[kept - 1], &u[i]) != 0)
			u[kept++] = u[i];
	*out = u;
	*n_out = kept;
	return 0;
}

int pointers_resolve(struct pointers *p, struct pointers_query *q, size_t n)
{
	struct pointers_query *asked, *answer;
	size_t n_asked, i;
	int rc;

	sort_added(p);
	rc = collect_unknown(&asked, &n_asked, p, q, n);
	if (rc < 0 || !n_asked)
		return rc;
	rc = pointers_ask(p->cat, p->repo, asked, n_asked);
	for (i = 0; i < n_asked && rc == 0; i++)
		if (asked[i].state != POINTERS_MISSING)
			rc = pointers_add(p, &asked[i]);
	for (i = 0; i < n && rc == 0; i++) {
		if (q[i].state != POINTERS_UNKNOWN)
			continue;
		answer = bsearch(&q[i], asked, n_asked, sizeof *asked, cmp_blob);
		if (answer)
			take_answer(&q[i], answer);
	}
	sort_added(p);
	free(asked);
	return rc;
}

/* ---- saving ---- */

static int put_yes(struct buf *b, size_t h, const struct pointers_query *q)
{
	int rc;

	if ((rc = buf_add(b, q->blob, h)) < 0 ||
		(rc = buf_addch(b, q->state == POINTERS_ODD)) < 0 ||
		(rc = buf_add_be64(b, q->size)) < 0)
		return rc;
	return buf_add(b, q->oid.id, OID_LEN);
}

/* Append the new answers as a segment. */
static int make_segment(struct buf *out, const struct pointers_query *v, size_t n, size_t h)
{
	size_t start = out->len, yes = 0, i;
	int rc;

	for (i = 0; i < n; i++)
		yes += v[i].state != POINTERS_NO;
	if ((rc = buf_add(out, magic, sizeof magic)) < 0 || (rc = buf_add_be32(out, 1)) < 0 ||
		(rc = buf_add_be32(out, (uint32_t)h)) < 0 || (rc = buf_add_be64(out, yes)) < 0 ||
		(rc = buf_add_be64(out, n - yes)) < 0 || (rc = buf_add_be64(out, 0)) < 0)
		return rc;
	for (i = 0; i < n && rc == 0; i++)
		if (v[i].state != POINTERS_NO)
			rc = put_yes(out, h, &v[i]);
	for (i = 0; i < n && rc == 0; i++)
		if (v[i].state == POINTERS_NO)
			rc = buf_add(out, v[i].blob, h);
	if (rc < 0)
		return rc;
	be64_put(out->p + start + SUM_AT,
		segment_sum((const uint8_t *)out->p + start,
			(const uint8_t *)out->p + start + HEAD_LEN, out->len - start - HEAD_LEN));
	return 0;
}

/* Make the old segments' entries part of `added`, so that one segment holds all. */
static int merge_old(struct pointers *p)
{
	size_t h = (size_t)p->repo->hash_len, i, k;
	struct pointers_query q;
	int rc;

	for (i = 0; i < p->n_seg; i++) {
		for (k = 0; k < p->seg[i].n_yes + p->seg[i].n_no; k++) {
			int yes = k < p->seg[i].n_yes;
			const uint8_t *rec = yes ? p->seg[i].yes + k * (h + POINTER_TAIL)
						 : p->seg[i].no + (k - p->seg[i].n_yes) * h;

			memset(&q, 0, sizeof q);
			memcpy(q.blob, rec, h);
			q.state = !yes ? POINTERS_NO : rec[h] ? POINTERS_ODD : POINTERS_YES;
			if (yes) {
				q.size = be64_get(rec + h + 1);
				memcpy(q.oid.id, rec + h + 9, OID_LEN);
			}
			if ((rc = pointers_add(p, &q)) < 0)
				return rc;
		}
	}
	sort_added(p);
	return 0;
}

/* 0 if it was appended; negative when the file is not what was read. */
static int append(const struct pointers *p, const struct buf *segment)
{
	struct stat st;
	int fd = open(p->path, O_WRONLY | O_APPEND | O_CLOEXEC), rc;

	if (fd < 0)
		return err_sys("cannot open '%s'", p->path);
	if (fstat(fd, &st) < 0 || (uint64_t)st.st_size != p->map_len) {
		close(fd);
		return err_set(ERR_CHANGED, "'%s' was written by another process", p->path);
	}
	rc = fs_write_full(fd, segment->p, segment->len);
	close(fd);
	return rc;
}

static int save(struct pointers *p)
{
	size_t h = (size_t)p->repo->hash_len;
	struct buf lock_path = BUF_INIT, segment = BUF_INIT;
	int lock = -1, rc;

	sort_added(p);
	if ((rc = fs_mkdirs_parent(p->path)) < 0 ||
		(rc = buf_addf(&lock_path, "%s.lock", p->path)) < 0)
		goto done;
	if ((lock = flock_take(lock_path.p, 0)) < 0) {
		rc = lock;
		goto done;
	}
	if ((rc = make_segment(&segment, p->added, p->n_added, h)) < 0)
		goto done;
	if (p->n_seg && p->n_seg < SEGMENTS_MAX && p->good_len == p->map_len &&
		segment.len < p->map_len / SMALLEST_APPEND_SHARE) {
		rc = append(p, &segment);
		goto done;
	}
	buf_reset(&segment);
	if ((rc = merge_old(p)) < 0 || (rc = make_segment(&segment, p->added, p->n_added, h)) < 0)
		goto done;
	rc = fs_replace_file(p->path, segment.p, segment.len, 0);
done:
	if (lock >= 0)
		close(lock);
	buf_release(&segment);
	buf_release(&lock_path);
	return rc;
}

void pointers_close(struct pointers *p)
{
	if (!p)
		return;
	catfile_close(p->own);
	if (p->n_added)
		(void)save(p); /* the next process asks Git again */
	if (p->map)
		munmap(p->map, p->map_len);
	free(p->added);
	free(p->path);
	free(p);
}
