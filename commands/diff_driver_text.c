/*
 * What Git prints itself.  Two files are given to `git diff --no-index`, whose hunks are right but
 * whose header names temporary files; so of its output only what follows the header is passed on.
 *
 * Pointers are compared in the same way: it is the difference that Git has, so that the output of
 * `git diff`, kept in a file, can be applied.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands/diff_driver.h"
#include "commands/visible.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/run.h"
#include "lib/store/pointer.h"

enum { OUTPUT_MAX = 1 << 30 };

/* "@@", perhaps behind a colour. */
static int begins_hunks(const char *line)
{
	if (*line == '\x1b') {
		line = strchr(line, 'm');
		line = line != NULL ? line + 1 : "";
	}
	return strncmp(line, "@@ ", 3) == 0;
}

/* The hunks in Git's output; NULL: it has none. */
static const char *find_hunks(const char *text)
{
	while (*text != '\0' && !begins_hunks(text)) {
		text = strchr(text, '\n');
		if (text == NULL)
			return NULL;
		text++;
	}
	return *text != '\0' ? text : NULL;
}

/* 1 if it is there, and Git did not say what it is: a file of the worktree. */
static int is_unknown(const struct driver_side *s)
{
	return s->hex[0] != '.' && strspn(s->hex, "0") == strlen(s->hex);
}

static int print_index(const struct driver *d)
{
	enum { SHOWN = 10 };
	const char *none = "0000000000";
	const char *old = d->old.hex[0] == '.' ? none : d->old.hex;
	const char *now = d->now.hex[0] == '.' ? none : d->now.hex;

	if (d->renamed != NULL || is_unknown(&d->old) || is_unknown(&d->now))
		return 0; /* it is among those lines, or not worth a hash */
	printf("%sindex %.*s..%.*s", d->color ? "\x1b[1m" : "", SHOWN, old, SHOWN, now);
	if (strcmp(d->old.mode, d->now.mode) == 0)
		printf(" %s", d->now.mode);
	puts(d->color ? "\x1b[m" : "");
	return 0;
}

static int print_binary(const struct driver *d)
{
	struct buf line = BUF_INIT;
	int rc = print_index(d);

	if (rc == 0)
		rc = buf_addstr(&line, "Binary files ");
	if (rc == 0)
		rc = driver_name(&line, 'a', &d->old);
	if (rc == 0)
		rc = buf_addstr(&line, " and ");
	if (rc == 0)
		rc = driver_name(&line, 'b', &d->now);
	if (rc == 0)
		printf("%s differ\n", buf_str(&line));
	buf_release(&line);
	return rc;
}

/* Compare two files with Git, and print what it finds below our own header. */
static int compare(const struct driver *d, const char *old, const char *now)
{
	struct run r = RUN_INIT;
	struct buf out = {.max = OUTPUT_MAX};
	const char *hunks;
	int rc = strvec_pushl(&r.argv, "git", "diff", "--no-index", "--no-ext-diff",
		"--no-textconv", d->color ? "--color=always" : "--color=never", "--", old, now,
		(char *)NULL);

	if (rc == 0)
		rc = run_capture(&r, NULL, 0, &out);
	if (rc > 1)
		rc = err_set(ERR_INVALID, "'git diff' failed with exit status %d", rc);
	if (rc <= 0)
		goto done;
	hunks = find_hunks(buf_str(&out));
	if (hunks == NULL) {
		rc = out.len > 0 && strstr(out.p, "Binary files ") != NULL ? print_binary(d) : 0;
		goto done;
	}
	rc = print_index(d);
	if (rc == 0)
		rc = driver_print_names(d);
	if (rc == 0)
		fputs(hunks, stdout);
done:
	run_release(&r);
	buf_release(&out);
	return rc;
}

int driver_print_text(const struct driver *d)
{
	return compare(d, d->old.file, d->now.file);
}

/* ---- data ---- */

/* Make an empty temporary file: *fd is open, *name to be removed and freed. */
static int make_file(int *fd, char **name)
{
	const char *tmp = getenv("TMPDIR");
	struct buf prefix = BUF_INIT, path = BUF_INIT;
	int rc = fs_join(&prefix, tmp != NULL && *tmp ? tmp : "/tmp", "git-dvx-diff-");

	if (rc == 0)
		rc = fs_tempfile(&path, prefix.p);
	buf_release(&prefix);
	if (rc < 0) {
		buf_release(&path);
		return rc;
	}
	*fd = rc;
	if ((*name = buf_detach(&path)) != NULL)
		return 0;
	close(*fd);
	return err_no_memory();
}

static void remove_file(char *name)
{
	if (name != NULL)
		unlink(name);
	free(name);
}

/* 1 if Git has, or would have, a pointer of this side. */
static int has_pointer(const struct driver_side *s)
{
	int in_git = strspn(s->hex, "0") != strlen(s->hex);

	return s->show.is_data || (s->show.fd >= 0 && !in_git);
}

static int write_pointer(struct driver *d, const struct driver_side *s, int to)
{
	char text[POINTER_CANONICAL_MAX];
	struct oid oid = s->show.oid;
	uint64_t size = s->show.size;
	int rc = 0;

	if (!s->show.has_oid) { /* changed in the worktree: kept, as `git add` would */
		rc = command_store(d->ctx);
		if (rc == 0)
			rc = store_put_file(d->ctx->s, s->show.fd, NULL, &oid, &size);
	}
	return rc < 0 ? rc : fs_write_full(to, text, pointer_format(text, &oid, size));
}

/* Compare what `write` makes of both sides that `is_wanted`; Git's own files stand for others. */
static int compare_made(struct driver *d, int (*is_wanted)(const struct driver_side *s),
	int (*write)(struct driver *d, const struct driver_side *s, int to))
{
	const struct driver_side *side[2] = {&d->old, &d->now};
	char *made[2] = {NULL, NULL};
	int fd, rc = 0;

	for (int i = 0; rc == 0 && i < 2; i++) {
		if (!is_wanted(side[i]))
			continue;
		rc = make_file(&fd, &made[i]);
		if (rc < 0)
			break;
		rc = write(d, side[i], fd);
		close(fd);
	}
	if (rc == 0)
		rc = compare(d, made[0] != NULL ? made[0] : d->old.file,
			made[1] != NULL ? made[1] : d->now.file);
	remove_file(made[0]);
	remove_file(made[1]);
	return rc;
}

int driver_print_pointers(struct driver *d)
{
	return compare_made(d, has_pointer, write_pointer);
}

static int is_there(const struct driver_side *s)
{
	return s->show.fd >= 0;
}

static int write_content(struct driver *d, const struct driver_side *s, int to)
{
	(void)d;
	return showfile_write(&s->show, to, 0);
}

int driver_print_content(struct driver *d)
{
	return compare_made(d, is_there, write_content);
}
