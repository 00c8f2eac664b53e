/*
 * `git dvx merge-driver %O %A %B %L %P`: Git's three-way merge of one path, when the blobs are
 * pointers.
 *
 * Data has no lines to merge.  Who alone changed it wins; when both did, ours stays and Git is told
 * about the conflict.  Files that are no pointers (below the minimum size, or from before they were
 * tracked) are merged by Git's own text merge.
 */
#include <stdio.h>
#include <string.h>

#include "commands/command.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/progress.h"
#include "lib/base/run.h"
#include "lib/store/pointer.h"

enum { SIDE_BASE, SIDE_OURS, SIDE_THEIRS, N_SIDES };

struct side {
	const char *file;
	struct buf text;
	int is_pointer;
	struct pointer pointer;
};

static int read_side(struct side *s, const char *file)
{
	int rc = buf_read_file(&s->text, file);

	if (rc < 0)
		return rc;
	s->file = file;
	s->is_pointer = s->text.len < POINTER_MAX &&
			pointer_parse(&s->pointer, buf_str(&s->text), s->text.len) == 0;
	return 0;
}

static int same(const struct side *a, const struct side *b)
{
	if (a->is_pointer && b->is_pointer)
		return oid_eq(&a->pointer.oid, &b->pointer.oid);
	return a->text.len == b->text.len &&
	       !memcmp(buf_str(&a->text), buf_str(&b->text), a->text.len);
}

/* Git's text merge into ours.  1 on conflicts (or when Git thinks that the files are binary). */
static int merge_text(const struct side *s, const char *marker_size)
{
	struct run r = RUN_INIT;
	int rc = strvec_pushl(&r.argv, "git", "merge-file", "-L", "ours", "-L", "base", "-L",
		"theirs", (char *)NULL);

	if (rc == 0)
		rc = strvec_pushf(&r.argv, "--marker-size=%s", marker_size);
	if (rc == 0)
		rc = strvec_pushl(&r.argv, s[SIDE_OURS].file, s[SIDE_BASE].file,
			s[SIDE_THEIRS].file, (char *)NULL);
	if (rc == 0)
		rc = run_capture(&r, NULL, 0, NULL);
	run_release(&r);
	return rc > 0 ? COMMAND_NO : rc;
}

/* "1.2 MiB, 3f2a51c8", "text" or "empty". */
static const char *describe(char out[static 64], const struct side *s)
{
	char hex[OID_HEX_LEN + 1], bytes[16];

	if (s->is_pointer) {
		oid_to_hex(hex, &s->pointer.oid);
		snprintf(out, 64, "%s, %.8s", progress_bytes(bytes, s->pointer.size), hex);
	} else {
		snprintf(out, 64, "%s", s->text.len ? "no pointer" : "empty");
	}
	return out;
}

static void tell_conflict(const struct side *s, const char *path)
{
	char ours[64], theirs[64];

	fprintf(stderr,
		"conflict: both sides changed the data of '%s': ours (%s), theirs (%s); ours is "
		"kept "
		"for now. Choose with 'git checkout --ours -- %s' or 'git checkout --theirs -- "
		"%s', "
		"then 'git add -- %s'\n",
		path, describe(ours, &s[SIDE_OURS]), describe(theirs, &s[SIDE_THEIRS]), path, path,
		path);
}

static int merge(const struct side *s, const char *marker_size, const char *path)
{
	const struct side *base = &s[SIDE_BASE], *ours = &s[SIDE_OURS], *theirs = &s[SIDE_THEIRS];

	if (same(ours, theirs) || same(base, theirs))
		return 0;
	if (same(base, ours))
		return fs_replace_file(ours->file, theirs->text.p, theirs->text.len, 0);
	if (!base->is_pointer && !ours->is_pointer && !theirs->is_pointer)
		return merge_text(s, marker_size);
	tell_conflict(s, path);
	return COMMAND_NO;
}

int cmd_merge_driver(struct command_ctx *ctx, int argc, char **argv)
{
	struct side s[N_SIDES] = {{0}};
	int n, i, status, rc = 0;
	const struct opt table[] = {OPT_END};

	(void)ctx;
	if (command_options(&status, argc, argv, table,
		    "git dvx merge-driver <base> <ours> <theirs> <marker-size> <path>",
		    OPT_STOP_AT_OPERAND, &n) != 0)
		return status;
	if (n != 5)
		return command_usage("'git dvx merge-driver' takes five arguments: %%O %%A %%B %%L "
				     "%%P");
	for (i = 0; i < N_SIDES && rc == 0; i++)
		rc = read_side(&s[i], argv[1 + i]);
	if (rc == 0)
		rc = merge(s, argv[4], argv[5]);
	for (i = 0; i < N_SIDES; i++)
		buf_release(&s[i].text);
	return rc;
}
