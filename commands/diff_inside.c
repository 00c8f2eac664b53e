/*
 * Looking into what differs: how much of it is new by chunks, which rows, which tensors.  Only this
 * part of `git dvx diff` reads data, and only what the options ask for is fetched - in one batch,
 * before anything is read.
 *
 * How much is new is also told without being asked for, where both versions are here and reading
 * them takes no noticeable time.
 */
#include "commands/diff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands/inside.h"
#include "commands/share.h"
#include "lib/base/err.h"
#include "lib/repo/datafile.h"
#include "lib/repo/tablekey.h"
#include "lib/store/chunkshare.h"
#include "lib/tensor/tensor.h"

/* Unasked, so many bytes are read for how much is new. */
enum { UNASKED_TOTAL = 512 << 20 };

/* Where the content of one side is; NULL: it is not there. */
static struct datafile file_of(const struct datadiff_file *side, const char *path)
{
	struct datafile f = {.kind = DATAFILE_NONE, .path = path};

	if (side == NULL)
		return f;
	f.path = side->path;
	f.size = side->size;
	f.oid = side->oid;
	memcpy(f.blob, side->blob, sizeof f.blob);
	if (side->kind == DATADIFF_DATA)
		f.kind = DATAFILE_OBJECT;
	else if (side->kind == DATADIFF_IN_GIT && !repo_id_is_zero(side->blob))
		f.kind = DATAFILE_GIT;
	else
		f.kind = DATAFILE_WORKTREE;
	return f;
}

static const char *path_of(const struct datadiff_change *c)
{
	return c->new != NULL ? c->new->path : c->old->path;
}

/* Both sides of change number i. */
static void files_of(struct datafile out[static 2], const struct diff *d, size_t i)
{
	const struct datadiff_change *c = &d->data.v[i];

	out[0] = file_of(c->old, path_of(c));
	out[1] = file_of(c->new, path_of(c));
}

static int is_data(const struct datadiff_file *f)
{
	return f->kind != DATADIFF_IN_GIT;
}

/* 1 if chunks of this change can be compared. */
static int has_chunks(const struct diff *d, size_t i)
{
	const struct datadiff_change *c = &d->data.v[i];

	return c->status == DATADIFF_MODIFIED && is_data(c->old) && is_data(c->new);
}

/* Of a table that is new, or gone, all rows are; of a model file there is nothing to compare. */
static enum inside_kind kind_of(const struct diff *d, size_t i)
{
	const struct datadiff_change *c = &d->data.v[i];
	enum inside_kind kind = inside_kind_of(path_of(c));

	if (kind == INSIDE_ROWS && d->rows && c->status != DATADIFF_RENAMED)
		return kind;
	return kind == INSIDE_TENSORS && d->tensors && c->status == DATADIFF_MODIFIED
		       ? kind
		       : INSIDE_NOTHING;
}

/* The message of a failure that concerns one file, or only the remote. */
static void tell(struct diff *d)
{
	fflush(stdout);
	fprintf(stderr, "error: %s\n", err_msg());
	d->failed = 1;
}

/* ---- what is fetched ---- */

static int fetch(struct diff *d)
{
	struct datafile *v = calloc(2 * d->data.n + 1, sizeof *v);
	size_t n = 0;
	int rc;

	if (v == NULL)
		return err_no_memory();
	for (size_t i = 0; i < d->data.n; i++) {
		int inside =
			kind_of(d, i) != INSIDE_NOTHING && d->data.v[i].status == DATADIFF_MODIFIED;

		if (!inside && !(d->chunks && has_chunks(d, i)))
			continue;
		files_of(v + n, d, i);
		n += 2;
	}
	rc = datafile_fetch(v, n, &d->ctx->repo, d->ctx->s, d->remote);
	free(v);
	if (rc == ERR_NOMEM || rc == ERR_INTERRUPTED)
		return rc;
	if (rc < 0) /* what is here can be shown all the same */
		tell(d);
	return 0;
}

/* Open both sides; one that is not there has fd -1. */
static int open_both(struct rows_file out[static 2], const struct diff *d, size_t i)
{
	struct datafile f[2];
	int rc = 0;

	files_of(f, d, i);
	for (int k = 0; k < 2; k++)
		out[k] = (struct rows_file){.name = f[k].path, .fd = -1};
	for (int k = 0; rc == 0 && k < 2; k++)
		if (f[k].kind != DATAFILE_NONE)
			rc = datafile_open(
				&out[k].fd, &out[k].size, &f[k], &d->ctx->repo, d->ctx->s);
	return rc;
}

static void close_both(const struct rows_file f[static 2])
{
	for (int k = 0; k < 2; k++)
		if (f[k].fd >= 0)
			close(f[k].fd);
}

/* ---- how much is new ---- */

static int is_measured(const struct diff *d, size_t i, uint64_t *budget)
{
	struct datafile f[2];
	uint64_t size;

	if (!has_chunks(d, i))
		return 0;
	files_of(f, d, i);
	if (!datafile_is_here(&f[0], d->ctx->s) || !datafile_is_here(&f[1], d->ctx->s))
		return 0;
	size = f[0].size + f[1].size;
	if (d->chunks)
		return 1;
	if (!share_is_cheap(f[0].size, f[1].size) || size > *budget)
		return 0;
	*budget -= size;
	return 1;
}

static int measure(struct diff *d, size_t i)
{
	struct diff_share *s = &d->shares[i];
	struct rows_file f[2];
	int rc = open_both(f, d, i);

	if (rc == 0)
		rc = chunkshare_changed(&s->changed, (struct chunkshare_file){f[0].fd, f[0].size},
			(struct chunkshare_file){f[1].fd, f[1].size}, command_stop());
	s->known = rc == 0;
	close_both(f);
	if (rc == ERR_NOMEM || rc == ERR_INTERRUPTED)
		return rc;
	if (rc < 0)
		tell(d);
	return 0;
}

/* ---- all of it ---- */

static int find_keys(struct diff *d)
{
	const char **paths = calloc(d->data.n, sizeof *paths);
	char **found = calloc(d->data.n, sizeof *found);
	size_t n = 0;
	int rc = 0;

	d->keys = calloc(d->data.n, sizeof *d->keys);
	if (paths == NULL || found == NULL || d->keys == NULL)
		rc = err_no_memory();
	for (size_t i = 0; rc == 0 && i < d->data.n; i++)
		if (kind_of(d, i) == INSIDE_ROWS)
			paths[n++] = path_of(&d->data.v[i]);
	if (rc == 0 && d->key == NULL)
		rc = tablekey_find(found, &d->ctx->repo, paths, n);
	for (size_t i = 0, k = 0; rc == 0 && i < d->data.n; i++)
		if (kind_of(d, i) == INSIDE_ROWS)
			d->keys[i] = found[k++];
	free(paths);
	free(found);
	return rc;
}

int diff_look(struct diff *d)
{
	uint64_t budget = UNASKED_TOTAL;
	int rc = 0;

	if (d->data.n == 0)
		return 0;
	rc = command_store(d->ctx);
	if (rc == 0 && (d->rows || d->tensors || d->chunks))
		rc = fetch(d);
	if (rc == 0)
		rc = find_keys(d);
	if (rc == 0 && !(d->shares = calloc(d->data.n, sizeof *d->shares)))
		rc = err_no_memory();
	for (size_t i = 0; rc == 0 && i < d->data.n; i++)
		if (is_measured(d, i, &budget))
			rc = measure(d, i);
	return rc;
}

void diff_look_release(struct diff *d)
{
	for (size_t i = 0; d->keys != NULL && i < d->data.n; i++)
		free(d->keys[i]);
	free(d->keys);
	free(d->shares);
}

/* Who asked for tensors hears why there are none. */
static void tell_pickle(const struct diff *d, size_t i)
{
	const struct datadiff_change *c = &d->data.v[i];

	if (!d->tensors || c->status != DATADIFF_MODIFIED || tensor_check_path(path_of(c)) == 0)
		return;
	fflush(stdout);
	fprintf(stderr, "warning: %s\n", err_msg());
	err_clear();
}

/* Call fn for what is inside of change number i.  1 if it was looked into; 0 if not, or if it could
 * not be, which is told then. */
static int look_inside(
	struct diff *d, size_t i, int (*fn)(const struct inside *in, void *data), void *data)
{
	struct inside in = {.kind = kind_of(d, i), .path = path_of(&d->data.v[i])};
	struct rows_file f[2];
	struct datafile at[2];
	int rc;

	if (in.kind == INSIDE_NOTHING) {
		tell_pickle(d, i);
		return 0;
	}
	files_of(at, d, i);
	if (d->data.v[i].status != DATADIFF_MODIFIED && /* not worth a download */
		!(datafile_is_here(&at[0], d->ctx->s) && datafile_is_here(&at[1], d->ctx->s)))
		return 0;
	in.key = d->key != NULL ? d->key : d->keys[i];
	in.declared = d->key != NULL ? NULL : &d->ctx->repo;
	in.most = d->limit > 0 ? (size_t)d->limit : SIZE_MAX;
	in.color = inside_color(d->ctx->c);
	in.apart = !d->json;
	in.tmp_dir = inside_tmp_dir(d->ctx);
	in.stop = command_stop();
	rc = open_both(f, d, i);
	in.old = f[0];
	in.now = f[1];
	if (rc == 0)
		rc = fn(&in, data);
	close_both(f);
	if (rc == ERR_NOMEM || rc == ERR_INTERRUPTED)
		return rc;
	if (rc < 0)
		tell(d);
	return rc == 0;
}

static int print_one(const struct inside *in, void *data)
{
	const struct diff *d = data;

	return d->md ? inside_print_markdown(in) : inside_print(in);
}

int diff_print_inside(struct diff *d)
{
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < d->data.n; i++)
		rc = look_inside(d, i, print_one, d);
	return rc < 0 ? rc : 0;
}

static int json_one(const struct inside *in, void *data)
{
	struct node *root = NULL;
	struct buf text = BUF_INIT;
	int rc = inside_node(&root, in);

	if (rc == 0 && (rc = node_json(&text, root, 0)) < 0)
		err_prefix(
			rc, "the JSON of '%s' is too large; show fewer rows (--limit)", in->path);
	node_free(root);
	if (rc == 0 && !(*(char **)data = buf_detach(&text)))
		rc = err_no_memory();
	buf_release(&text);
	return rc;
}

int diff_inside_json(char **text, const char **word, struct diff *d, size_t i)
{
	*word = inside_word(kind_of(d, i));
	return look_inside(d, i, json_one, text);
}
