/*
 * Merging a table: rows in (from the store, or from the files that Git gave), the merged table out
 * (into the store, its pointer into the file of ours), and the rows that both sides changed told on
 * stderr.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands/merge_driver.h"
#include "commands/visible.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/repo/attrs.h"
#include "lib/repo/conflicts.h"
#include "lib/repo/tablekey.h"
#include "lib/store/pointer.h"
#include "lib/table/rowmerge.h"

enum { ROWS_TOLD = 10, CELLS_TOLD = 200 };

struct output {
	struct merge *m;
	struct store_writer *w;
	struct buf told; /* the rows in conflict, for people */
	uint64_t conflicts;
};

static int take_piece(const void *p, size_t len, void *data)
{
	struct output *o = data;

	return store_writer_add(o->w, p, len);
}

/* ---- conflicts for people ---- */

static int tell_version(struct buf *out, const char *name, const char *row)
{
	int rc = buf_addf(out, "    %-7s ", name);
	struct buf text = BUF_INIT;

	if (rc == 0)
		rc = row != NULL ? visible_text(&text, row) : buf_addstr(&text, "(no such row)");
	if (rc == 0 && text.len > CELLS_TOLD) {
		buf_truncate(&text, CELLS_TOLD);
		rc = buf_addstr(&text, "...");
	}
	if (rc == 0)
		rc = buf_addf(out, "%s\n", text.p);
	buf_release(&text);
	return rc;
}

static int take_conflict(const struct rowmerge_conflict *c, void *data)
{
	struct output *o = data;
	int rc;

	if (o->conflicts++ >= ROWS_TOLD)
		return 0;
	rc = buf_addstr(&o->told, "  ");
	if (rc == 0)
		rc = visible_text(&o->told, c->key);
	if (rc == 0)
		rc = buf_addch(&o->told, '\n');
	if (rc == 0)
		rc = tell_version(&o->told, "base:", c->base);
	if (rc == 0)
		rc = tell_version(&o->told, "ours:", c->ours);
	return rc == 0 ? tell_version(&o->told, "theirs:", c->theirs) : rc;
}

static int tell_conflicts(const struct output *o)
{
	const uint64_t n = o->conflicts;
	struct buf told = BUF_INIT;
	int rc = buf_addf(&told,
		"conflict: %" PRIu64 " row%s of '%s' %s changed on both sides:\n%s", n,
		n == 1 ? "" : "s", o->m->path, n == 1 ? "was" : "were", buf_str(&o->told));

	if (rc == 0 && n > ROWS_TOLD)
		rc = buf_addf(&told, "  ... and %" PRIu64 " more\n", n - ROWS_TOLD);
	if (rc == 0)
		rc = buf_addstr(&told,
			"all other rows are merged; edit what stands between the conflict markers, "
			"or take a whole version, and add it:\n");
	if (rc == 0)
		rc = merge_way_out(&told, o->m);
	merge_print(&told);
	buf_release(&told);
	return rc;
}

static int tell_merged(const struct merge *m, const struct rowmerge_result *r)
{
	struct buf told = BUF_INIT;
	int rc = buf_addf(&told,
		"'%s' merged by rows: %" PRIu64 " added, %" PRIu64 " removed, %" PRIu64
		" changed by theirs\n",
		m->path, r->added, r->removed, r->changed);

	merge_print(&told);
	buf_release(&told);
	return rc;
}

/* ---- the result ---- */

/* A file below the minimum size is Git's own, as `git add` would have it. */
static int is_for_git(int *out, const struct merge *m, uint64_t size)
{
	struct attrs a = {0};
	int rc = attrs_check(&m->ctx->repo, &m->path, 1, &a), any = 0;

	for (int i = 0; i < N_MERGE_SIDES; i++)
		any |= merge_side_is_pointer(&m->side[i]);
	*out = a.ours ? size < a.min_size : !any;
	return rc;
}

static int write_result(const struct merge *m, const struct oid *oid, uint64_t size)
{
	const char *file = m->side[MERGE_OURS].file;
	char pointer[POINTER_CANONICAL_MAX];
	struct buf text = BUF_INIT;
	int raw = 0, rc = is_for_git(&raw, m, size);

	if (rc == 0 && raw) {
		rc = store_read(m->ctx->s, oid, size, &text);
		if (rc == 0)
			rc = fs_replace_file(file, buf_str(&text), text.len, 0);
	} else if (rc == 0) {
		rc = fs_replace_file(file, pointer, pointer_format(pointer, oid, size), 0);
	}
	buf_release(&text);
	return rc;
}

/* ---- rows in ---- */

static int open_side(struct rows_file *out, char name[static 1024], const struct merge *m, int i,
	const char *word)
{
	const struct merge_side *s = &m->side[i];

	snprintf(name, 1024, "%s (%s)", m->path, word);
	*out = (struct rows_file){.name = name, .fd = -1, .size = s->text.len};
	if (merge_side_is_pointer(s))
		return datafile_open(&out->fd, &out->size, &s->data, &m->ctx->repo, m->ctx->s);
	if (s->text.len == 0)
		return 0;
	out->fd = open(s->file, O_RDONLY | O_CLOEXEC);
	return out->fd >= 0 ? 0 : err_sys("cannot open '%s'", s->file);
}

static int run(struct output *o, struct rowmerge_result *r, enum rows_format format)
{
	static const char *const words[] = {"base", "ours", "theirs"};
	struct rowmerge_options options = {
		.marker_size = o->m->marker_size, .rows.stop = command_stop()};
	const struct rowmerge_sink sink = {take_piece, take_conflict, o};
	char *key = NULL;
	struct rows_file f[N_MERGE_SIDES] = {{.fd = -1}, {.fd = -1}, {.fd = -1}};
	char names[N_MERGE_SIDES][1024];
	int rc = tablekey_find(&key, &o->m->ctx->repo, &o->m->path, 1);

	options.rows.key = key;
	if (rc == 0)
		rc = merge_fetch(o->m, 1);
	for (int i = 0; rc == 0 && i < N_MERGE_SIDES; i++)
		rc = open_side(&f[i], names[i], o->m, i, words[i]);
	if (rc == 0)
		rc = store_writer_new(&o->w, o->m->ctx->s, -1);
	if (rc == 0)
		rc = rowmerge_run(r, f, format, &options, &sink);
	for (int i = 0; i < N_MERGE_SIDES; i++)
		if (f[i].fd >= 0)
			close(f[i].fd);
	free(key);
	return rc;
}

static int keep_result(const struct output *o)
{
	struct oid oid;
	uint64_t size;
	int rc = store_writer_finish(o->w, NULL, &oid, &size);

	return rc == 0 ? write_result(o->m, &oid, size) : rc;
}

static int tell_result(const struct output *o, const struct rowmerge_result *r)
{
	int rc;

	if (r->outcome == ROWMERGE_MERGED)
		return tell_merged(o->m, r) < 0 ? ERR_NOMEM : MERGE_DONE;
	rc = tell_conflicts(o);
	if (rc == 0)
		rc = conflicts_note_marked(&o->m->ctx->repo, o->m->path);
	return rc < 0 ? rc : MERGE_CONFLICTS;
}

int merge_table(struct merge *m, enum rows_format format, struct buf *why)
{
	struct output o = {.m = m};
	struct rowmerge_result r = {0};
	int rc = run(&o, &r, format);

	if (rc == 0 && r.outcome != ROWMERGE_UNMERGEABLE)
		rc = keep_result(&o);
	if (rc == 0 && r.outcome != ROWMERGE_UNMERGEABLE)
		rc = tell_result(&o, &r);
	else if (rc != ERR_INTERRUPTED && rc != ERR_NOMEM) /* it is for a person to decide then */
		rc = buf_addstr(why, rc < 0 ? err_msg() : r.why) < 0 ? ERR_NOMEM : MERGE_IMPOSSIBLE;
	rowmerge_result_release(&r);
	store_writer_free(o.w);
	buf_release(&o.told);
	return rc;
}
