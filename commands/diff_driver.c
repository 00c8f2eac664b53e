/*
 * `git dvx diff-driver`: what `git diff` (and `git show` and `git log` with --ext-diff) calls for a
 * file with the attribute diff=dvx (diff.dvx.command).  It prints what `git dvx diff --rows
 * --tensors` prints for the file, below the header lines of a Git diff; text that Git itself keeps
 * is shown as Git does it (diff_driver_text.c).
 *
 * Git ends its whole output when a driver fails, so what cannot be compared is told in a line
 * instead.  Nothing is fetched: the pointers say enough to name what would be needed.
 */
#include "commands/diff_driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands/inside.h"
#include "commands/rows_print.h"
#include "commands/share.h"
#include "commands/visible.h"
#include "lib/base/err.h"
#include "lib/base/progress.h"
#include "lib/base/run.h"
#include "lib/repo/tablekey.h"
#include "lib/store/chunkshare.h"
#include "lib/worktree/place.h"

/* What Git passes: path, then file, hex and mode of each side; of a rename the new path and its
 * lines of the header, too. */
enum { UNMERGED = 1, USUAL = 7, RENAMED = 9 };

static const char bold[] = "\x1b[1m", plain[] = "\x1b[m";

/* ---- somebody else's driver ---- */

/* GIT_EXTERNAL_DIFF, which `git difftool` sets, is meant for all files; but Git prefers the driver
 * of the attribute.  It is a command for the shell, as Git has it. */
static int delegate(const char *command, char **args, int n)
{
	struct run r = RUN_INIT;
	int rc = strvec_pushl(&r.argv, "sh", "-c", (char *)NULL);

	if (rc == 0)
		rc = strvec_pushf(&r.argv, "%s \"$@\"", command);
	if (rc == 0)
		rc = strvec_push(&r.argv, command);
	for (int i = 0; rc == 0 && i < n; i++)
		rc = strvec_push(&r.argv, args[i]);
	if (rc == 0)
		rc = run_start(&r);
	if (rc == 0)
		rc = run_finish(&r);
	run_release(&r);
	return rc;
}

/* ---- header lines ---- */

int driver_name(struct buf *out, char prefix, const struct driver_side *s)
{
	struct buf name = BUF_INIT;
	int rc;

	if (strcmp(s->file, "/dev/null") == 0)
		return buf_addstr(out, "/dev/null");
	rc = buf_addf(&name, "%c/%s", prefix, s->path);
	if (rc == 0)
		rc = visible_path(out, name.p, 0);
	buf_release(&name);
	return rc;
}

static void print_line(const struct driver *d, const struct buf *line)
{
	printf("%s%s%s\n", d->color ? bold : "", buf_str(line), d->color ? plain : "");
}

int driver_print_names(const struct driver *d)
{
	struct buf line = BUF_INIT;
	int rc = buf_addstr(&line, "--- ");

	if (rc == 0)
		rc = driver_name(&line, 'a', &d->old);
	if (rc == 0 && strchr(buf_str(&line) + 4, ' ') != NULL)
		rc = buf_addch(&line, '\t'); /* as Git ends names with blanks */
	if (rc == 0)
		print_line(d, &line);
	buf_reset(&line);
	if (rc == 0)
		rc = buf_addstr(&line, "+++ ");
	if (rc == 0)
		rc = driver_name(&line, 'b', &d->now);
	if (rc == 0 && strchr(buf_str(&line) + 4, ' ') != NULL)
		rc = buf_addch(&line, '\t');
	if (rc == 0)
		print_line(d, &line);
	buf_release(&line);
	return rc;
}

static int is_there(const struct driver_side *s)
{
	return strcmp(s->file, "/dev/null") != 0;
}

static int print_mode(const struct driver *d, const char *what, const char *mode)
{
	struct buf line = BUF_INIT;
	int rc = buf_addf(&line, "%s %s", what, mode);

	if (rc == 0)
		print_line(d, &line);
	buf_release(&line);
	return rc;
}

/* "diff --git a/x b/x" and, where they apply, lines about modes and a rename. */
static int print_header(const struct driver *d)
{
	const struct driver_side old = {.path = d->old.path, .file = ""};
	const struct driver_side now = {.path = d->now.path, .file = ""};
	struct buf line = BUF_INIT;
	int rc = buf_addstr(&line, "diff --git ");

	if (rc == 0)
		rc = driver_name(&line, 'a', &old);
	if (rc == 0)
		rc = buf_addch(&line, ' ');
	if (rc == 0)
		rc = driver_name(&line, 'b', &now);
	if (rc == 0)
		print_line(d, &line);
	buf_release(&line);
	if (rc == 0 && !is_there(&d->old))
		rc = print_mode(d, "new file mode", d->now.mode);
	else if (rc == 0 && !is_there(&d->now))
		rc = print_mode(d, "deleted file mode", d->old.mode);
	else if (rc == 0 && strcmp(d->old.mode, d->now.mode) != 0) {
		rc = print_mode(d, "old mode", d->old.mode);
		if (rc == 0)
			rc = print_mode(d, "new mode", d->now.mode);
	}
	if (rc == 0 && d->renamed != NULL)
		fputs(d->renamed, stdout);
	return rc;
}

/* ---- data ---- */

static int add_size(struct buf *out, const struct showfile *f)
{
	char size[16];

	return buf_addstr(out, progress_bytes(size, f->size));
}

static int open_both(struct driver *d)
{
	int rc = showfile_need(&d->old.show, d->ctx);

	return rc == 0 ? showfile_need(&d->now.show, d->ctx) : rc;
}

static int add_share(struct buf *out, struct driver *d)
{
	const struct showfile *old = &d->old.show, *now = &d->now.show;
	uint64_t changed;
	int rc;

	if (!share_is_cheap(old->size, now->size))
		return 0;
	rc = open_both(d);
	if (rc < 0 || old->fd < 0 || now->fd < 0)
		return rc;
	rc = chunkshare_changed(&changed, (struct chunkshare_file){old->fd, old->size},
		(struct chunkshare_file){now->fd, now->size}, NULL);
	if (rc == 0)
		rc = buf_addstr(out, ", ");
	return rc == 0 ? share_text(out, changed, now->size) : rc;
}

/* "data/model.bin: 1.0 GiB -> 1.0 GiB, 0.2 % changed"; `why` (may be NULL) says why there is not
 * more to be seen. */
static int print_sizes(struct driver *d, const char *why)
{
	const struct showfile *old = &d->old.show, *now = &d->now.show;
	struct buf line = BUF_INIT;
	int rc = visible_path(&line, d->now.path, 0);

	if (rc == 0)
		rc = buf_addstr(&line, ": ");
	if (rc == 0 && !showfile_is_absent(old))
		rc = add_size(&line, old);
	if (rc == 0 && !showfile_is_absent(old) && !showfile_is_absent(now))
		rc = buf_addstr(&line, " -> ");
	if (rc == 0 && !showfile_is_absent(now))
		rc = add_size(&line, now);
	if (rc == 0)
		rc = add_share(&line, d);
	if (rc == 0 && why != NULL)
		rc = buf_addf(&line, "\n    %s", why);
	if (rc == 0)
		print_line(d, &line);
	buf_release(&line);
	return rc;
}

static int print_inside(const struct driver *d, enum inside_kind kind)
{
	const struct showfile *old = &d->old.show, *now = &d->now.show;
	const char *path = d->now.path;
	char *key = NULL;
	struct inside in = {.path = path,
		.kind = kind,
		.old = {path, old->fd, old->size},
		.now = {path, now->fd, now->size},
		.most = ROWS_PRINT_MOST,
		.color = d->color};
	int rc = 0;

	if (d->ctx->g != NULL) {
		in.tmp_dir = inside_tmp_dir(d->ctx);
		if (kind == INSIDE_ROWS && place_path_ok(path)) { /* "../x": git diff --no-index */
			in.declared = &d->ctx->repo;
			rc = tablekey_find(&key, &d->ctx->repo, &path, 1);
		}
	}
	in.key = key;
	if (rc == 0)
		rc = inside_print(&in);
	free(key);
	return rc;
}

/* 1 if this is data that can be shown by its lines. */
static int is_small_text(struct driver *d)
{
	struct showfile *f[2] = {&d->old.show, &d->now.show};

	for (int i = 0; i < 2; i++) {
		if (showfile_is_absent(f[i]))
			continue;
		if (f[i]->size > showfile_text_max(d->ctx) || showfile_need(f[i], d->ctx) < 0 ||
			!showfile_is_text(f[i]))
			return 0;
	}
	return 1;
}

static int print_data(struct driver *d)
{
	enum inside_kind kind = inside_kind_of(d->now.path);
	int both = !showfile_is_absent(&d->old.show) && !showfile_is_absent(&d->now.show);
	char why[512];
	int rc;

	/* hunks behind those of the pointers would be taken for theirs */
	if (kind == INSIDE_NOTHING && !d->patch && is_small_text(d))
		return driver_print_content(d);
	if (kind == INSIDE_NOTHING || (kind == INSIDE_TENSORS && !both))
		return print_sizes(d, NULL);
	rc = open_both(d);
	if (rc < 0)
		return rc;
	if (d->old.show.lack != NULL || d->now.show.lack != NULL) {
		snprintf(why, sizeof why, "%s cannot be compared: the %s version is %s",
			inside_word(kind), d->old.show.lack != NULL ? "older" : "newer",
			d->old.show.lack != NULL ? d->old.show.lack : d->now.show.lack);
		return print_sizes(d, why);
	}
	rc = print_inside(d, kind);
	if (rc == 0 || rc == ERR_NOMEM || rc == ERR_INTERRUPTED)
		return rc;
	snprintf(why, sizeof why, "%s cannot be compared: %s", inside_word(kind), err_msg());
	return print_sizes(d, why);
}

/* ---- all of it ---- */

static int open_side(struct driver *d, struct driver_side *s)
{
	const char *hex = strcmp(s->hex, ".") == 0 ? NULL : s->hex;

	if (strncmp(s->mode, "100", 3) != 0) /* a link, a submodule: Git's text */
		return showfile_open(&s->show, d->ctx, s->file, NULL, s->path);
	return showfile_open(&s->show, d->ctx, s->file, hex, s->path);
}

static int same_content(const struct driver *d)
{
	const struct showfile *a = &d->old.show, *b = &d->now.show;

	if (strcmp(d->old.hex, d->now.hex) == 0 && strspn(d->old.hex, "0") != strlen(d->old.hex))
		return 1;
	return a->has_oid && b->has_oid && oid_eq(&a->oid, &b->oid);
}

/* 1 if it is data rather than something that Git keeps and can show. */
static int shows_data(const struct driver *d)
{
	if (strncmp(d->old.mode, "12", 2) == 0 || strncmp(d->now.mode, "12", 2) == 0 ||
		strncmp(d->old.mode, "16", 2) == 0 || strncmp(d->now.mode, "16", 2) == 0)
		return 0;
	return d->old.show.is_data || d->now.show.is_data ||
	       inside_kind_of(d->now.path) == INSIDE_ROWS;
}

static int print_difference(struct driver *d)
{
	int rc = 0;

	if (same_content(d))
		return 0;
	if (!shows_data(d))
		return driver_print_text(d);
	if (d->patch)
		rc = d->old.show.is_data || d->now.show.is_data ? driver_print_pointers(d)
								: driver_print_text(d);
	return rc == 0 ? print_data(d) : rc;
}

static int show(struct driver *d)
{
	int rc = open_side(d, &d->old);

	if (rc == 0)
		rc = open_side(d, &d->now);
	if (rc == 0)
		rc = print_header(d);
	return rc == 0 ? print_difference(d) : rc;
}

static int drive(struct command_ctx *ctx, char **args, int n)
{
	struct driver d = {.ctx = ctx,
		.old = {args[0], args[1], args[2], args[3], {.fd = -1}},
		.now = {n >= RENAMED ? args[7] : args[0], args[4], args[5], args[6], {.fd = -1}},
		.renamed = n >= RENAMED ? args[8] : NULL,
		.patch = !isatty(STDOUT_FILENO) && getenv("GIT_PAGER_IN_USE") == NULL};
	int rc = showfile_begin(ctx);

	if (rc < 0)
		return rc;
	d.color = inside_color(ctx->c);
	rc = show(&d);
	showfile_close(&d.old.show);
	showfile_close(&d.now.show);
	if (rc == ERR_NOMEM)
		return rc;
	if (rc < 0) { /* the other files are to be shown all the same */
		fflush(stdout);
		fprintf(stderr, "warning: cannot show '%s': %s\n", d.now.path, err_msg());
	}
	return 0;
}

static int print_unmerged(const char *path)
{
	struct buf text = BUF_INIT;
	int rc = visible_path(&text, path, 0);

	if (rc == 0)
		printf("* Unmerged path %s\n", buf_str(&text));
	buf_release(&text);
	return rc;
}

int cmd_diff_driver(struct command_ctx *ctx, int argc, char **argv)
{
	const char *other = getenv("GIT_EXTERNAL_DIFF");
	const struct opt options[] = {OPT_END};
	int n, rc;

	if (command_options(&rc, argc, argv, options,
		    "git dvx diff-driver <path> [<old-file> <old-hex> <old-mode> <new-file> "
		    "<new-hex> <new-mode> [<new-path> <lines>]]",
		    0, &n))
		return rc;
	if (n != UNMERGED && n != USUAL && n != RENAMED)
		return command_usage("this is called by Git; see 'git dvx diff-driver -h'");
	if (other != NULL && *other != '\0')
		return delegate(other, argv + 1, n);
	if (n == UNMERGED)
		return print_unmerged(argv[1]);
	return drive(ctx, argv + 1, n);
}
