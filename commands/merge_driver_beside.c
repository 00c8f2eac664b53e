/*
 * What nobody but a person can merge: ours stays, and both versions are put beside the file, as
 * "model.bin.ours" and "model.bin.theirs", to be looked at.  They appear whole or not at all, and
 * over nothing that is there.
 *
 * Git also merges where it must not touch the worktree (`git merge-tree`, a bare repository); which
 * command is at work is known from the process that started us.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands/merge_driver.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/gitcommand.h"
#include "lib/base/progress.h"
#include "lib/repo/conflicts.h"
#include "lib/worktree/place.h"
#include "lib/worktree/place_dir.h"

/* ---- which command merges ---- */

enum { ANCESTORS_MAX = 2, STAT_MAX = 4096 };

/* The parent of a process, by the fourth field of its stat: behind the name, which may hold
 * anything.  0: not known. */
static pid_t parent_of(pid_t pid)
{
	char path[64];
	struct buf stat = {.max = STAT_MAX};
	const char *end;
	int parent = 0;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	if (buf_read_file(&stat, path) == 0 && (end = strrchr(stat.p, ')')) != NULL)
		sscanf(end, ") %*c %d", &parent);
	buf_release(&stat);
	err_clear();
	return parent;
}

/* 1 if the merge is one that ends in the worktree.  Git starts us by a shell, which may be there
 * still. */
static int merges_into_worktree(const struct merge *m)
{
	pid_t pid = getppid();
	int into = 0;

	if (m->ctx->g->worktree == NULL)
		return 0;
	for (int i = 0; !into && i < ANCESTORS_MAX && pid > 1; i++, pid = parent_of(pid)) {
		char path[64];
		struct buf line = BUF_INIT;

		snprintf(path, sizeof path, "/proc/%d/cmdline", (int)pid);
		if (buf_read_file(&line, path) == 0)
			into = gitcommand_merges(buf_str(&line), line.len);
		buf_release(&line);
	}
	err_clear();
	return into;
}

/* ---- files beside ---- */

/* Fill a file that has no name yet, and give it one that is free.  0; ERR_EXISTS: it is taken. */
static int put_unnamed(const struct merge *m, const struct merge_side *s, int dir, const char *name)
{
	char self[64];
	int fd = openat(dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0666), rc;

	if (fd < 0)
		return err_set(ERR_UNSUPPORTED, "no unnamed files here");
	rc = merge_side_is_pointer(s) ? store_place(m->ctx->s, &s->data.oid, s->data.size, fd)
				      : fs_write_full(fd, buf_str(&s->text), s->text.len);
	snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
	if (rc >= 0)
		rc = linkat(AT_FDCWD, self, dir, name, AT_SYMLINK_FOLLOW) < 0
			     ? err_sys("cannot make '%s'", name)
			     : 0;
	close(fd);
	return rc;
}

/* The same where the file system has no unnamed files. */
static int put_named(const struct merge *m, const struct merge_side *s, int dir, const char *name)
{
	struct buf temp = BUF_INIT;
	int fd = -1, rc = buf_addf(&temp, ".%s.%d.tmp", name, (int)getpid());

	if (rc == 0)
		fd = openat(dir, temp.p, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	if (fd < 0) {
		buf_release(&temp);
		return rc < 0 ? rc : err_sys("cannot make '%s'", name);
	}
	rc = merge_side_is_pointer(s) ? store_place(m->ctx->s, &s->data.oid, s->data.size, fd)
				      : fs_write_full(fd, buf_str(&s->text), s->text.len);
	if (rc >= 0)
		rc = linkat(dir, temp.p, dir, name, 0) < 0 ? err_sys("cannot make '%s'", name) : 0;
	close(fd);
	unlinkat(dir, temp.p, 0);
	buf_release(&temp);
	return rc;
}

/* The directory of a path of the worktree, to be closed; or an error. */
static int open_parent(const struct merge *m, const char *path)
{
	struct place_dir top = {.fd = -1};
	int dir = -1;

	if (!place_path_ok(path))
		return err_set(ERR_DENIED, "'%s' is not a path that may be written", path);
	top.fd = open(m->ctx->g->worktree, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (top.fd >= 0)
		dir = place_dir_open_parent(&top, path);
	if (dir < 0)
		dir = err_sys("cannot open the directory of '%s'", path);
	if (top.fd >= 0)
		close(top.fd);
	return dir;
}

/* Put it there, and note that it is: a file that nobody knows of would be committed by mistake. */
static int put_version(const struct merge *m, int side, const char *path)
{
	const struct merge_side *s = &m->side[side];
	const char *name = place_dir_base(path);
	int dir = open_parent(m, path), rc;

	if (dir < 0)
		return dir;
	rc = put_unnamed(m, s, dir, name);
	if (rc == ERR_UNSUPPORTED)
		rc = put_named(m, s, dir, name);
	if (rc == 0) {
		rc = conflicts_note_beside(&m->ctx->repo, path);
		if (rc < 0)
			unlinkat(dir, name, 0);
	}
	close(dir);
	return rc;
}

/* ---- telling ---- */

/* "1.2 MiB, 3f2a51c8", "no pointer" or "empty". */
static const char *describe(char out[static 64], const struct merge_side *s)
{
	char hex[OID_HEX_LEN + 1], bytes[16];

	if (merge_side_is_pointer(s)) {
		oid_to_hex(hex, &s->data.oid);
		snprintf(out, 64, "%s, %.8s", progress_bytes(bytes, s->data.size), hex);
	} else {
		snprintf(out, 64, "%s", s->text.len > 0 ? "no pointer" : "empty");
	}
	return out;
}

/* Append what has become of one version to the sentence. */
static int put_and_tell(struct buf *told, const struct merge *m, int side, const char *word)
{
	struct buf path = BUF_INIT;
	int rc = buf_addf(&path, "%s.%s", m->path, word);

	if (rc < 0)
		return rc;
	/* `git merge --abort` runs no hook: what it left is no version of this merge */
	rc = conflicts_remove_beside(&m->ctx->repo, path.p);
	if (rc == 0)
		rc = put_version(m, side, path.p);
	if (rc == 0)
		rc = buf_addf(told, "  %s version: %s\n", word, path.p);
	else if (rc == ERR_EXISTS)
		rc = buf_addf(
			told, "  %s version: not put beside it, for '%s' exists\n", word, path.p);
	else if (rc != ERR_NOMEM)
		rc = buf_addf(told, "  %s version: not put beside it: %s\n", word, err_msg());
	buf_release(&path);
	return rc;
}

int merge_beside(struct merge *m, const char *why)
{
	char ours[64], theirs[64];
	struct buf told = BUF_INIT;
	int rc = buf_addf(&told,
		"conflict: both sides changed the data of '%s': ours (%s), theirs (%s)%s%s; ours "
		"is "
		"kept for now\n",
		m->path, describe(ours, &m->side[MERGE_OURS]),
		describe(theirs, &m->side[MERGE_THEIRS]), *why != '\0' ? "; " : "", why);

	if (rc == 0 && merges_into_worktree(m)) {
		rc = merge_fetch(m, 0);
		if (rc < 0 && rc != ERR_NOMEM)
			rc = buf_addf(&told, "  %s\n", err_msg());
		if (rc == 0)
			rc = put_and_tell(&told, m, MERGE_OURS, "ours");
		if (rc == 0)
			rc = put_and_tell(&told, m, MERGE_THEIRS, "theirs");
	}
	if (rc == 0)
		rc = buf_addstr(&told,
			"choose a version, or make one of both, and add it (versions "
			"beside go when the merge is over):\n");
	if (rc == 0)
		rc = merge_way_out(&told, m);
	merge_print(&told);
	buf_release(&told);
	return rc < 0 ? rc : MERGE_CONFLICTS;
}
