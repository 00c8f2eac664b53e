/*
 * Asking Git which blobs are pointers: their sizes first, then the content of the small ones.
 *
 * A few - what came since the last command - are asked of a `git cat-file` that keeps running;
 * many, and those of a partial clone, go through git_objects_info(), which feeds Git as fast as it
 * reads and fetches nothing.
 */
#include "lib/repo/pointers_ask.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"

enum { FEW = 4096 };

static void take_text(struct pointers_query *q, const void *text, size_t len)
{
	struct pointer ptr;

	q->state = POINTERS_NO;
	if (pointer_parse(&ptr, text, len) == 0) {
		q->state = ptr.canonical ? POINTERS_YES : POINTERS_ODD;
		q->oid = ptr.oid;
		q->size = ptr.size;
	}
}

/* What an object's size says: POINTERS_UNKNOWN, if it has to be read. */
static int state_of(enum git_type type, uint64_t size)
{
	if (type == GIT_MISSING)
		return POINTERS_MISSING;
	return type == GIT_BLOB && size < POINTER_MAX ? POINTERS_UNKNOWN : POINTERS_NO;
}

/* ---- many ---- */

struct read_state {
	struct pointers_query *asked;
	const size_t *which; /* index into asked of the i-th object that is read */
};

static int read_one(size_t i, enum git_type type, const void *data, size_t len, void *arg)
{
	struct read_state *s = arg;
	struct pointers_query *q = &s->asked[s->which[i]];

	if (type == GIT_BLOB)
		take_text(q, data, len);
	else
		q->state = POINTERS_MISSING;
	return 0;
}

static int ask_many(const struct repo *repo, struct pointers_query *asked, size_t n)
{
	struct git_object *objects = calloc(n, sizeof *objects);
	size_t *which = calloc(n, sizeof *which), n_read = 0, i;
	struct read_state state = {asked, which};
	int rc = ERR_OK;

	if (!objects || !which) {
		rc = err_set(ERR_NOMEM, "out of memory");
		goto done;
	}
	for (i = 0; i < n; i++)
		memcpy(objects[i].id, asked[i].blob, REPO_ID_MAX);
	if ((rc = git_objects_info(repo, objects, n)) < 0)
		goto done;
	for (i = 0; i < n; i++) {
		asked[i].state = state_of(objects[i].type, objects[i].size);
		if (asked[i].state == POINTERS_UNKNOWN) {
			objects[n_read] = objects[i];
			which[n_read++] = i;
		}
	}
	rc = git_objects_read(repo, objects, n_read, read_one, &state);
done:
	free(objects);
	free(which);
	return rc;
}

/* ---- a few ---- */

struct few {
	struct pointers_query *asked;
	struct buf text;
};

static const uint8_t *unknown_id(size_t i, void *data)
{
	const struct pointers_query *q = &((struct few *)data)->asked[i];

	return q->state == POINTERS_UNKNOWN ? q->blob : NULL;
}

static int take_info(struct catfile *c, const struct catfile_head *head, void *data)
{
	(void)c;
	((struct few *)data)->asked[head->i].state = state_of(head->type, head->size);
	return 0;
}

static int take_content(struct catfile *c, const struct catfile_head *head, void *data)
{
	struct few *f = data;
	int rc;

	buf_reset(&f->text);
	rc = catfile_take(c, POINTER_MAX, &f->text);
	if (rc == 0)
		take_text(&f->asked[head->i], buf_str(&f->text), f->text.len);
	return rc;
}

static int ask_few(struct catfile *c, struct pointers_query *asked, size_t n)
{
	struct few f = {asked, BUF_INIT};
	int rc = catfile_info(c, n, unknown_id, take_info, &f);

	if (rc == 0)
		rc = catfile_each(c, n, unknown_id, take_content, &f);
	buf_release(&f.text);
	return rc;
}

int pointers_ask(
	struct catfile *cat, const struct repo *repo, struct pointers_query *asked, size_t n)
{
	return n > FEW || git_is_partial(repo) ? ask_many(repo, asked, n) : ask_few(cat, asked, n);
}
