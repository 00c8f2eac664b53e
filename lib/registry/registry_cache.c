/*
 * The cache of tags' content, and the questions to Git that fill it: tag objects first, then the
 * commits that they name, in rounds of one running `git cat-file --batch-command`.
 *
 * The file is read whole: it has some hundred bytes a tag, and nearly all of them are needed.
 */
#include "lib/registry/registry_cache.h"

#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/pathpool.h"
#include "lib/registry/tagtext.h"
#include "lib/repo/catfile.h"

enum {
	HEAD_LEN = 32, /* magic, version, hash length, count, checksum */
	SUM_AT = 24,
	FIXED_LEN = 28, /* of a record, without the commit's id: type, annotated, zone, times, size
			 */
	STRINGS = 7,
	NESTED_MAX = 5, /* tags of tags */
	FILE_MAX = 256 * 1024 * 1024
};

static const char magic[8] = "DVXREG";

struct registry_cache {
	const struct repo *repo;
	char *path;
	struct buf file;
	const uint8_t *index, *records; /* in it; NULL: no file, or no good one */
	size_t n, records_len;
	struct pathpool *strings; /* of what was asked of Git */
	size_t learnt;
};

static size_t index_width(const struct registry_cache *c)
{
	return (size_t)c->repo->hash_len + 4;
}

/* ---- the file ---- */

static uint64_t sum_of(const uint8_t *p, size_t len)
{
	XXH3_state_t st;

	XXH3_64bits_reset(&st);
	XXH3_64bits_update(&st, p, SUM_AT);
	XXH3_64bits_update(&st, p + HEAD_LEN, len - HEAD_LEN);
	return XXH3_64bits_digest(&st);
}

static void load(struct registry_cache *c)
{
	const uint8_t *p;
	uint64_t n;

	if (buf_read_file(&c->file, c->path) < 0 || c->file.len < HEAD_LEN) {
		err_clear();
		return;
	}
	p = (const uint8_t *)c->file.p;
	n = be64_get(p + 16);
	if (memcmp(p, magic, sizeof(magic)) != 0 || be32_get(p + 8) != 1 ||
		be32_get(p + 12) != (uint32_t)c->repo->hash_len ||
		n > (c->file.len - HEAD_LEN) / index_width(c) ||
		be64_get(p + SUM_AT) != sum_of(p, c->file.len))
		return;
	c->n = (size_t)n;
	c->index = p + HEAD_LEN;
	c->records = c->index + c->n * index_width(c);
	c->records_len = c->file.len - HEAD_LEN - c->n * index_width(c);
}

int registry_cache_open(struct registry_cache **out, const struct repo *repo)
{
	struct registry_cache *c = calloc(1, sizeof(*c));
	struct buf path = BUF_INIT;

	if (!c)
		return err_no_memory();
	if (fs_join(&path, repo->dir->dvx_dir, "registry") < 0 || !(c->path = buf_detach(&path))) {
		buf_release(&path);
		free(c);
		return err_no_memory();
	}
	c->repo = repo;
	c->file.max = FILE_MAX;
	load(c);
	*out = c;
	return 0;
}

void registry_cache_free(struct registry_cache *c)
{
	if (!c)
		return;
	pathpool_free(&c->strings);
	buf_release(&c->file);
	free(c->path);
	free(c);
}

/* The strings of an entry, in the order of the file. */
static void string_places(const char **places[static STRINGS], struct registry_cached *v)
{
	places[0] = &v->name;
	places[1] = &v->who;
	places[2] = &v->email;
	places[3] = &v->message;
	places[4] = &v->path;
	places[5] = &v->sha256;
	places[6] = &v->made_for;
}

/* The record at an offset.  1, or 0 where the file ends too early. */
static int read_record(struct registry_cached *v, const struct registry_cache *c, size_t at)
{
	const size_t h = (size_t)c->repo->hash_len;
	const char **places[STRINGS];
	const uint8_t *p;

	if (at > c->records_len || c->records_len - at < h + FIXED_LEN)
		return 0;
	p = c->records + at;
	memset(v->commit, 0, sizeof(v->commit));
	memcpy(v->commit, p, h);
	p += h;
	v->type = (enum git_type)p[0];
	v->annotated = p[1];
	v->zone = (int16_t)be16_get(p + 2);
	v->when = (int64_t)be64_get(p + 4);
	v->commit_when = (int64_t)be64_get(p + 12);
	v->size = be64_get(p + 20);
	at += h + FIXED_LEN;
	string_places(places, v);
	for (int i = 0; i < STRINGS; i++) {
		const char *text = (const char *)c->records + at;
		const char *end = memchr(text, '\0', c->records_len - at);

		if (!end)
			return 0;
		*places[i] = text;
		at += (size_t)(end - text) + 1;
	}
	return 1;
}

static int find(struct registry_cached *v, const struct registry_cache *c)
{
	size_t from = 0, to = c->n, width = index_width(c), h = (size_t)c->repo->hash_len;

	while (from < to) {
		size_t middle = from + (to - from) / 2;
		const uint8_t *p = c->index + middle * width;
		int rc = memcmp(v->id, p, h);

		if (rc == 0)
			return read_record(v, c, be32_get(p + h));
		if (rc < 0)
			to = middle;
		else
			from = middle + 1;
	}
	return 0;
}

static int by_id(const void *a, const void *b)
{
	const struct registry_cached *const *x = a, *const *y = b;

	return memcmp((*x)->id, (*y)->id, sizeof((*x)->id));
}

static int write_record(struct buf *records, const struct registry_cached *v, size_t h)
{
	struct registry_cached copy = *v;
	const char **places[STRINGS];
	int rc = buf_add(records, v->commit, h);

	if (rc == 0)
		rc = buf_addch(records, (char)v->type);
	if (rc == 0)
		rc = buf_addch(records, (char)v->annotated);
	if (rc == 0)
		rc = buf_add_be16(records, (uint16_t)v->zone);
	if (rc == 0)
		rc = buf_add_be64(records, (uint64_t)v->when);
	if (rc == 0)
		rc = buf_add_be64(records, (uint64_t)v->commit_when);
	if (rc == 0)
		rc = buf_add_be64(records, v->size);
	string_places(places, &copy);
	for (int i = 0; rc == 0 && i < STRINGS; i++)
		rc = buf_add(records, *places[i], strlen(*places[i]) + 1);
	return rc;
}

/* All that is known, sorted, each once. */
static int write_body(struct buf *index, struct buf *records, size_t *count,
	const struct registry_cached **sorted, size_t n, size_t h)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i++) {
		if (sorted[i]->type == GIT_MISSING ||
			(i > 0 && by_id(&sorted[i - 1], &sorted[i]) == 0))
			continue;
		rc = buf_add(index, sorted[i]->id, h);
		if (rc == 0)
			rc = buf_add_be32(index, (uint32_t)records->len);
		if (rc == 0)
			rc = write_record(records, sorted[i], h);
		*count += 1;
	}
	return rc;
}

void registry_cache_save(struct registry_cache *c, const struct registry_cached *v, size_t n)
{
	const struct registry_cached **sorted;
	struct buf out = {.max = FILE_MAX}, records = {.max = FILE_MAX};
	size_t h = (size_t)c->repo->hash_len, count = 0;
	int rc = 0;

	if (c->learnt == 0)
		return;
	sorted = calloc(n + 1, sizeof(*sorted));
	if (!sorted)
		return;
	for (size_t i = 0; i < n; i++)
		sorted[i] = &v[i];
	qsort(sorted, n, sizeof(*sorted), by_id);
	rc = buf_grow(&out, HEAD_LEN);
	if (rc == 0) {
		memset(out.p, 0, HEAD_LEN);
		out.len = HEAD_LEN;
		rc = write_body(&out, &records, &count, sorted, n, h);
	}
	if (rc == 0)
		rc = buf_add(&out, buf_str(&records), records.len);
	if (rc == 0) {
		memcpy(out.p, magic, sizeof(magic));
		be32_put(out.p + 8, 1);
		be32_put(out.p + 12, (uint32_t)h);
		be64_put(out.p + 16, count);
		be64_put(out.p + SUM_AT, sum_of((const uint8_t *)out.p, out.len));
		rc = fs_mkdirs_parent(c->path);
	}
	if (rc == 0)
		fs_replace_file(c->path, out.p, out.len, 0);
	err_clear(); /* it is only a cache */
	free(sorted);
	buf_release(&out);
	buf_release(&records);
}

/* ---- asking Git ---- */

/* One that is not known yet, and the object that it has led to so far. */
struct pending {
	struct registry_cached *v;
	uint8_t next[REPO_ID_MAX];
	int done, depth;
};

struct asking {
	struct registry_cache *c;
	struct pending *v;
	size_t n;
	struct buf content;
};

static const uint8_t *next_id(size_t i, void *data)
{
	const struct pending *p = &((struct asking *)data)->v[i];

	return p->done ? NULL : p->next;
}

static int keep(struct registry_cache *c, const char **out, const char *text)
{
	*out = text && *text ? pathpool_keep(&c->strings, text, strlen(text)) : "";
	return *out ? 0 : err_no_memory();
}

static int take_text(struct registry_cache *c, struct registry_cached *v, const struct tagtext *t)
{
	int rc = keep(c, &v->name, t->name);

	v->annotated = t->when > 0;
	v->when = t->when;
	v->zone = t->zone;
	v->size = t->size;
	if (rc == 0)
		rc = keep(c, &v->who, t->who);
	if (rc == 0)
		rc = keep(c, &v->email, t->email);
	if (rc == 0)
		rc = keep(c, &v->message, t->message);
	if (rc == 0)
		rc = keep(c, &v->path, t->path);
	if (rc == 0)
		rc = keep(c, &v->sha256, t->sha256);
	if (rc == 0)
		rc = keep(c, &v->made_for, t->commit);
	return rc;
}

/* A tag: what it says is that of the first one of a chain. */
static int take_tag(struct asking *a, struct pending *p)
{
	struct tagtext t;
	int rc;

	if (tagtext_parse(&t, a->content.p, a->content.len) < 0 ||
		repo_id_parse(p->next, a->c->repo, t.target) < 0) {
		err_clear();
		p->done = 1; /* GIT_TAG: one that cannot be understood */
		return 0;
	}
	rc = p->depth == 0 ? take_text(a->c, p->v, &t) : 0;
	p->done = ++p->depth > NESTED_MAX;
	return rc;
}

static int take_object(struct catfile *cat, const struct catfile_head *head, void *data)
{
	struct asking *a = data;
	struct pending *p = &a->v[head->i];
	int rc = 0;

	buf_reset(&a->content);
	p->v->type = head->type;
	if (head->type == GIT_TAG || head->type == GIT_COMMIT)
		rc = catfile_take(cat, TAGTEXT_MAX, &a->content);
	if (rc == 0 && head->type == GIT_TAG)
		return take_tag(a, p);
	p->done = 1;
	if (head->type == GIT_COMMIT || p->depth > 0)
		memcpy(p->v->commit, p->next, sizeof(p->next));
	if (rc == 0 && head->type == GIT_COMMIT)
		p->v->commit_when = tagtext_commit_time(buf_str(&a->content));
	return rc;
}

static int ask(struct asking *a, struct catfile *cat)
{
	size_t left = a->n;
	int rc = 0;

	while (rc == 0 && left > 0) {
		rc = catfile_each(cat, a->n, next_id, take_object, a);
		left = 0;
		for (size_t i = 0; i < a->n; i++)
			left += !a->v[i].done;
	}
	return rc;
}

int registry_cache_resolve(
	struct registry_cache *c, struct catfile *cat, struct registry_cached *v, size_t n)
{
	struct asking a = {.c = c};
	int rc = 0;

	a.v = calloc(n + 1, sizeof(*a.v));
	if (!a.v)
		return err_no_memory();
	for (size_t i = 0; i < n; i++) {
		const char **places[STRINGS];

		if (find(&v[i], c))
			continue;
		string_places(places, &v[i]);
		for (int k = 0; k < STRINGS; k++)
			*places[k] = "";
		a.v[a.n].v = &v[i];
		memcpy(a.v[a.n++].next, v[i].id, sizeof(v[i].id));
	}
	if (a.n > 0)
		rc = ask(&a, cat);
	for (size_t i = 0; rc == 0 && i < a.n; i++)
		c->learnt += a.v[i].v->type != GIT_MISSING;
	buf_release(&a.content);
	free(a.v);
	return rc;
}
