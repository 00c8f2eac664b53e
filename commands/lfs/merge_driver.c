/*
 * `git lfs merge-driver`: a three-way merge of the text behind pointers.  The contents go to files
 * in
 * ".git/lfs/tmp", `git merge-file` (or the user's own program) merges them, and the outcome is
 * stored and becomes a pointer.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands/lfs/lfs.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/run.h"
#include "lib/store/pointer.h"

enum { ANCESTOR, CURRENT, OTHER, OUTPUT, N_FILES };

static const char *const prefixes[N_FILES] = {
	"merge-driver-O", "merge-driver-A", "merge-driver-B", "merge-driver-D"};

struct merge {
	struct command_ctx *ctx;
	const char *names[N_FILES]; /* as given */
	struct buf temp[N_FILES];   /* what they hold, behind the pointers */
	const char *program;
	int marker_size;
};

/* ---- from pointers to contents and back ---- */

static int get_object(const struct merge *m, const struct pointer *p, const char *path)
{
	const struct batch_options o = {.stop = command_stop()};
	const struct scan_item item = {.path = path, .oid = p->oid, .size = p->size};
	struct scan_list l = SCAN_LIST_INIT;
	int rc = scan_list_add(&l, &item);

	if (rc == 0)
		rc = lfs_download(m->ctx, &l, &o);
	scan_list_release(&l);
	return rc > 0 ? err_set(ERR_NOTFOUND, "no data for the pointer in '%s'", path) : rc;
}

/* The content of one side in a file of its own; text that is no pointer is content itself. */
static int expand(struct merge *m, int side, const char *dir)
{
	struct buf text = BUF_INIT, prefix = BUF_INIT;
	struct pointer p;
	int rc = buf_addf(&prefix, "%s/%s", dir, prefixes[side]);
	int fd = rc == 0 ? fs_tempfile(&m->temp[side], prefix.p) : rc;

	if (fd < 0 || side == OUTPUT) {
		rc = fd < 0 ? fd : 0;
		goto done;
	}
	rc = buf_read_file(&text, m->names[side]);
	if (rc < 0)
		err_prefix(rc, "could not decode pointer when merging");
	else if (text.len >= POINTER_MAX || pointer_parse(&p, buf_str(&text), text.len) < 0)
		rc = fs_write_full(fd, buf_str(&text), text.len);
	else if ((rc = get_object(m, &p, m->names[side])) == 0)
		rc = store_place(m->ctx->s, &p.oid, p.size, fd);
done:
	if (fd >= 0)
		close(fd);
	buf_release(&text);
	buf_release(&prefix);
	return rc > 0 ? 0 : rc;
}

/* Store the outcome, write its pointer. */
static int collapse(const struct merge *m)
{
	char text[POINTER_CANONICAL_MAX];
	struct oid oid;
	uint64_t size;
	size_t len = 0;
	int fd = open(m->temp[OUTPUT].p, O_RDONLY | O_CLOEXEC), rc;

	if (fd < 0)
		return err_sys("cannot open '%s'", m->temp[OUTPUT].p);
	rc = store_put_file(m->ctx->s, fd, NULL, &oid, &size);
	close(fd);
	if (rc < 0)
		return rc;
	if (size > 0)
		len = pointer_format(text, &oid, size);
	return fs_replace_file(m->names[OUTPUT], text, len, 0);
}

/* ---- merging ---- */

/* In single quotes, for the shell. */
static int add_quoted(struct buf *out, const char *word)
{
	int rc = buf_addch(out, '\'');

	for (; rc == 0 && *word != '\0'; word++)
		rc = *word == '\'' ? buf_addstr(out, "'\\''") : buf_addch(out, *word);
	return rc == 0 ? buf_addch(out, '\'') : rc;
}

/* The user's program with %O %A %B %D %L %% filled in. */
static int fill_in(struct buf *out, const struct merge *m)
{
	static const char letters[] = "OABD";
	const char *side;
	int rc = 0;

	for (const char *p = m->program; rc == 0 && *p != '\0'; p++) {
		if (p[0] != '%' || p[1] == '\0') {
			rc = buf_addch(out, *p);
			continue;
		}
		side = strchr(letters, *++p);
		if (side != NULL)
			rc = add_quoted(out, m->temp[side - letters].p);
		else if (*p == 'L')
			rc = buf_addf(out, "%d", m->marker_size);
		else
			rc = buf_addch(out, *p);
	}
	return rc;
}

/* The merge's exit status. */
static int run_merge(const struct merge *m)
{
	static const char standard[] = "git merge-file --stdout --marker-size=%L %A %O %B >%D";
	struct merge with_program = *m;
	struct run r = RUN_INIT;
	struct buf command = BUF_INIT;
	int rc;

	if (m->program == NULL)
		with_program.program = standard;
	rc = fill_in(&command, &with_program);
	if (rc == 0) /* its own command line: the user writes it for a shell */
		rc = strvec_pushl(&r.argv, "sh", "-c", command.p, NULL);
	if (rc == 0)
		rc = run_start(&r);
	if (rc == 0)
		rc = run_finish(&r);
	run_release(&r);
	buf_release(&command);
	return rc;
}

static int merge(struct merge *m)
{
	struct buf dir = BUF_INIT;
	int rc = command_store(m->ctx), status = 0;

	if (rc == 0)
		rc = buf_addf(&dir, "%s/lfs/tmp", m->ctx->g->common_dir);
	if (rc == 0)
		rc = fs_mkdirs(dir.p);
	for (int i = 0; rc == 0 && i < N_FILES; i++)
		rc = expand(m, i, dir.p);
	if (rc == 0)
		rc = status = run_merge(m);
	if (rc >= 0)
		rc = collapse(m);
	for (int i = 0; i < N_FILES; i++) {
		if (m->temp[i].len > 0)
			unlink(m->temp[i].p);
		buf_release(&m->temp[i]);
	}
	buf_release(&dir);
	return rc < 0 ? rc : status;
}

int lfs_merge_driver(struct command_ctx *ctx, int argc, char **argv)
{
	struct merge m = {.ctx = ctx, .marker_size = 12};
	const struct opt options[] = {
		{0, "ancestor", OPT_VALUE, &m.names[ANCESTOR], "<path>", "the common ancestor", 0},
		{0, "current", OPT_VALUE, &m.names[CURRENT], "<path>", "our version", 0},
		{0, "other", OPT_VALUE, &m.names[OTHER], "<path>", "their version", 0},
		{0, "output", OPT_VALUE, &m.names[OUTPUT], "<path>", "where the pointer goes", 0},
		{0, "marker-size", OPT_INT, &m.marker_size, "<n>", "length of conflict markers", 0},
		{0, "program", OPT_VALUE, &m.program, "<command>",
			"merge with this, instead of git merge-file", 0},
		OPT_END};
	int n, rc;

	if (command_options(&rc, argc, argv, options,
		    "git lfs merge-driver --ancestor <path> --current <path> --other <path> "
		    "--output <path> [<options>]",
		    0, &n))
		return rc;
	for (int i = 0; i < N_FILES; i++)
		if (m.names[i] == NULL)
			return lfs_fail(LFS_FAILED, "the --ancestor, --current, --other, and "
						    "--output options are mandatory");
	if (ctx->g == NULL)
		return lfs_fail(LFS_NO_REPOSITORY, "Not in a Git repository.");
	return merge(&m);
}
