/*
 * `git dvx merge-driver %O %A %B %L %P`: Git's three-way merge of one path.  Git hands over what
 * its blobs hold, so for data these are pointers; a pointer that is left in %A becomes data again
 * when Git writes the worktree.
 *
 * Who alone changed a file wins.  When both did, a table is merged by its rows, dvx.lock by its
 * stages, text that is in Git itself by Git's text merge; for anything else both versions are put
 * beside the file, and Git is told about the conflict.
 */
#include "commands/merge_driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/run.h"
#include "lib/base/words.h"
#include "lib/store/pointer.h"

static int read_side(struct merge *m, int i, const char *file)
{
	struct merge_side *s = &m->side[i];
	struct pointer p;
	int rc = buf_read_file(&s->text, file);

	if (rc < 0)
		return rc;
	s->file = file;
	if (s->text.len >= POINTER_MAX || pointer_parse(&p, buf_str(&s->text), s->text.len) < 0) {
		err_clear();
		return 0;
	}
	s->data = (struct datafile){
		.kind = DATAFILE_OBJECT, .path = m->path, .oid = p.oid, .size = p.size};
	return 0;
}

static int same(const struct merge_side *a, const struct merge_side *b)
{
	if (merge_side_is_pointer(a) && merge_side_is_pointer(b))
		return oid_eq(&a->data.oid, &b->data.oid);
	return a->text.len == b->text.len &&
	       memcmp(buf_str(&a->text), buf_str(&b->text), a->text.len) == 0;
}

int merge_way_out(struct buf *told, const struct merge *m)
{
	struct buf path = BUF_INIT;
	int rc = words_quote(&path, m->path);

	if (rc == 0)
		rc = buf_addf(told,
			"  git dvx checkout --ours %s   # or --theirs, --base; --to <file> writes "
			"it "
			"elsewhere\n"
			"  git add %s\n",
			path.p, path.p);
	buf_release(&path);
	return rc;
}

void merge_print(struct buf *told)
{
	if (told->len > 0)
		fputs(err_printable(told->p), stderr);
}

int merge_fetch(struct merge *m, int with_base)
{
	struct datafile wanted[N_MERGE_SIDES];
	size_t n = 0;

	for (int i = with_base ? MERGE_BASE : MERGE_OURS; i < N_MERGE_SIDES; i++)
		if (merge_side_is_pointer(&m->side[i]) &&
			!datafile_is_here(&m->side[i].data, m->ctx->s))
			wanted[n++] = m->side[i].data;
	return n > 0 ? datafile_fetch(wanted, n, &m->ctx->repo, m->ctx->s, NULL) : 0;
}

/* Git's text merge into ours.  MERGE_CONFLICTS also when Git thinks that the files are binary. */
static int merge_text(const struct merge *m)
{
	struct run r = RUN_INIT;
	int rc = strvec_pushl(&r.argv, "git", "merge-file", "-L", "ours", "-L", "base", "-L",
		"theirs", (char *)NULL);

	if (rc == 0)
		rc = strvec_pushf(&r.argv, "--marker-size=%d", m->marker_size);
	if (rc == 0)
		rc = strvec_pushl(&r.argv, m->side[MERGE_OURS].file, m->side[MERGE_BASE].file,
			m->side[MERGE_THEIRS].file, (char *)NULL);
	if (rc == 0)
		rc = run_capture(&r, NULL, 0, NULL);
	run_release(&r);
	return rc > 0 ? MERGE_CONFLICTS : rc;
}

static int any_pointer(const struct merge *m)
{
	int any = 0;

	for (int i = 0; i < N_MERGE_SIDES; i++)
		any |= merge_side_is_pointer(&m->side[i]);
	return any;
}

static int is_lock(const char *path)
{
	const char *slash = strrchr(path, '/');

	return strcmp(slash != NULL ? slash + 1 : path, "dvx.lock") == 0;
}

/* Both sides changed it. */
static int merge_content(struct merge *m)
{
	struct buf why = BUF_INIT;
	enum rows_format format;
	const int pointers = any_pointer(m), lock = !pointers && is_lock(m->path);
	int rc = MERGE_IMPOSSIBLE;

	if (lock)
		rc = merge_lock(m, &why);
	else if (rows_format_of(m->path, &format) == 1)
		rc = merge_table(m, format, &why);
	if (rc == MERGE_IMPOSSIBLE && pointers) {
		rc = merge_beside(m, buf_str(&why));
	} else if (rc == MERGE_IMPOSSIBLE) {
		rc = merge_text(m);
		if (rc >= 0 && lock)
			rc = merge_lock_lines(m, buf_str(&why));
	}
	buf_release(&why);
	return rc;
}

static int merge(struct merge *m)
{
	struct merge_side *base = &m->side[MERGE_BASE], *ours = &m->side[MERGE_OURS],
			  *theirs = &m->side[MERGE_THEIRS];
	int rc;

	if (same(ours, theirs) || same(base, theirs))
		return MERGE_DONE;
	if (same(base, ours))
		return fs_replace_file(ours->file, theirs->text.p, theirs->text.len, 0);
	rc = command_store(m->ctx);
	return rc < 0 ? rc : merge_content(m);
}

int cmd_merge_driver(struct command_ctx *ctx, int argc, char **argv)
{
	struct merge m = {.ctx = ctx};
	int n, status, rc = 0;
	const struct opt table[] = {OPT_END};

	if (command_options(&status, argc, argv, table,
		    "git dvx merge-driver <base> <ours> <theirs> <marker-size> <path>",
		    OPT_STOP_AT_OPERAND, &n) != 0)
		return status;
	if (n != 5)
		return command_usage("'git dvx merge-driver' takes five arguments: %%O %%A %%B %%L "
				     "%%P");
	m.marker_size = (int)strtol(argv[4], NULL, 10);
	m.path = argv[5];
	for (int i = 0; i < N_MERGE_SIDES && rc == 0; i++)
		rc = read_side(&m, i, argv[1 + i]);
	if (rc == 0)
		rc = merge(&m);
	for (int i = 0; i < N_MERGE_SIDES; i++)
		buf_release(&m.side[i].text);
	return rc > 0 ? COMMAND_NO : rc;
}
