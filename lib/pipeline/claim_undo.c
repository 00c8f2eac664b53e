/*
 * What happens to the outputs of a stage while it runs (docs/running-stages.md): the old ones are
 * moved aside, and in the end come back or go.  Every step is announced in the journal before, and
 * what a step did is seen from the files: the old content of item i is in one of its two places or
 * it is not.  So the same functions end a live run and one that was killed, as often as needed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/fstree.h"
#include "lib/pipeline/claim_internal.h"
#include "lib/pipeline/stagelock.h"
#include "lib/worktree/place.h"

/* A killed run's commands may write a little longer than the run gives signs of life. */
static const int64_t GRACE_NS = 5000000000;

/* ---- where things are ---- */

static int output_path(struct buf *out, const struct claim *c, const char *path)
{
	buf_reset(out);
	return fs_join(out, c->repo->dir->worktree, path);
}

/* "<git_dir>/dvx/aside/<id>" */
static int aside_dir(struct buf *out, const struct claim *c)
{
	buf_reset(out);
	return buf_addf(out, "%s/dvx/aside/%s", c->repo->dir->git_dir, c->id);
}

/* The second choice, when the Git directory is on another file system than the output: a directory
 * beside it, which Git does not see for the ".gitignore" in it. */
static int sibling_dir(struct buf *out, const struct claim *c, const char *path)
{
	struct buf full = BUF_INIT;
	int rc = output_path(&full, c, path);

	buf_reset(out);
	if (rc == 0 && (rc = fs_dirname(out, full.p)) == 0)
		rc = buf_addf(out, "/.dvx-aside-%s", c->id);
	buf_release(&full);
	return rc;
}

/* Where the old content of item i is: 1 and the path, 0: nowhere; or an error. */
static int find_old(struct buf *out, const struct claim *c, size_t i)
{
	int rc = aside_dir(out, c);

	if (rc == 0 && (rc = buf_addf(out, "/%zu", i)) == 0 && fs_exists(out->p))
		return 1;
	if (rc == 0 && (rc = sibling_dir(out, c, c->journal.items[i].path)) == 0)
		rc = buf_addf(out, "/%zu", i);
	return rc < 0 ? rc : fs_exists(out->p);
}

static int make_sibling_dir(struct buf *out, const struct claim *c, const char *path)
{
	struct buf ignore = BUF_INIT;
	int rc = sibling_dir(out, c, path);

	if (rc == 0 && (rc = fs_mkdirs(out->p)) == 0 &&
		(rc = buf_addf(&ignore, "%s/.gitignore", out->p)) == 0)
		rc = fs_replace_file(ignore.p, "*\n", 2, 0);
	buf_release(&ignore);
	return rc;
}

/* ---- setting aside ---- */

static int append(struct claim *c, const struct buf *records)
{
	off_t before = lseek(c->fd, 0, SEEK_END);
	int rc = before < 0 ? err_sys("cannot seek")
			    : fs_write_full(c->fd, records->p, records->len);

	if (rc == 0)
		rc = fs_fsync(c->fd, c->path.p);
	/* half a record must not be completed by the next one */
	if (rc < 0 && before >= 0 && ftruncate(c->fd, before) < 0)
		return err_prefix(rc, "'%s'", c->path.p);
	return rc < 0 ? err_prefix(rc, "'%s'", c->path.p) : 0;
}

static int on_one_device(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev;
}

/* rename(), also of a directory of ours that is write-protected: it has an entry "..", which
 * changes.  0, or -1 with errno. */
static int rename_any(const char *from, const char *to)
{
	struct stat st;
	int rc = rename(from, to), error = errno;

	if (rc == 0 || error != EACCES)
		return rc;
	if (lstat(from, &st) == 0 && S_ISDIR(st.st_mode) && !(st.st_mode & S_IWUSR) &&
		chmod(from, (st.st_mode & 07777) | S_IWUSR) == 0) {
		rc = rename(from, to);
		error = errno;
		(void)chmod(rc == 0 ? to : from, st.st_mode & 07777);
	}
	errno = error;
	return rc;
}

/* Rename, or copy, the output to the old content's place in `dir`. */
static int move_or_copy(const char *from, const struct buf *dir, size_t i, int copy)
{
	struct buf to = BUF_INIT;
	int rc = buf_addf(&to, "%s/%zu", dir->p, i);

	if (rc == 0 && copy)
		rc = fstree_copy(from, to.p);
	else if (rc == 0 && rename_any(from, to.p) < 0)
		rc = errno == EXDEV ? ERR_UNSUPPORTED
				    : err_sys("cannot move '%s' aside, to '%s'", from, to.p);
	buf_release(&to);
	return rc;
}

static int set_aside_one(struct claim *c, const struct buf *dir, size_t i)
{
	const struct claim_item *item = &c->journal.items[i];
	struct buf from = BUF_INIT, parent = BUF_INIT, beside = BUF_INIT;
	int copy = item->how == CLAIM_COPIED;
	int rc = output_path(&from, c, item->path);

	if (rc < 0 || item->how == CLAIM_ABSENT || (rc = fs_dirname(&parent, from.p)) < 0)
		goto done;
	/* a copy goes where it can be renamed back from; of a rename one sees */
	rc = copy && !on_one_device(dir->p, parent.p) ? ERR_UNSUPPORTED
						      : move_or_copy(from.p, dir, i, copy);
	if (rc == ERR_UNSUPPORTED && (rc = make_sibling_dir(&beside, c, item->path)) == 0)
		rc = move_or_copy(from.p, &beside, i, copy);
	if (rc == ERR_UNSUPPORTED)
		rc = err_set(
			ERR_IO, "cannot move '%s' aside: it is a file system of its own", from.p);
done:
	buf_release(&from);
	buf_release(&parent);
	buf_release(&beside);
	return rc;
}

/* Announce all items at once: one fsync. */
static int announce(struct claim *c, const struct claim_old *v, size_t n)
{
	struct buf records = BUF_INIT, text = BUF_INIT, path = BUF_INIT;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i++) {
		if (!place_path_ok(v[i].path)) {
			rc = err_set(ERR_DENIED, "'%s' cannot be an output", v[i].path);
		} else if ((rc = output_path(&path, c, v[i].path)) == 0) {
			rc = claim_journal_item(&records, i,
				!fs_exists(path.p) ? CLAIM_ABSENT
				: v[i].copy	   ? CLAIM_COPIED
						   : CLAIM_ASIDE,
				v[i].keep, v[i].path);
		}
	}
	if (rc == 0 && (rc = append(c, &records)) == 0 && (rc = fs_fsync_parent(c->path.p)) == 0 &&
		lseek(c->fd, 0, SEEK_SET) == 0) {
		claim_journal_release(&c->journal);
		if ((rc = buf_read_fd(&text, c->fd)) == 0)
			rc = claim_journal_parse(&c->journal, text.p, text.len);
	}
	buf_release(&records);
	buf_release(&text);
	buf_release(&path);
	return rc;
}

int claim_set_aside(struct claim *c, const struct claim_old *v, size_t n)
{
	struct buf dir = BUF_INIT, record = BUF_INIT;
	int copies = 0, rc;

	if (!n)
		return 0;
	if ((rc = aside_dir(&dir, c)) < 0 || (rc = fs_mkdirs(dir.p)) < 0 ||
		(rc = announce(c, v, n)) < 0)
		goto done;
	for (size_t i = 0; rc == 0 && i < c->journal.n; i++)
		rc = set_aside_one(c, &dir, i);
	for (size_t i = 0; i < n; i++)
		copies |= v[i].copy;
	if (rc == 0 && copies && (rc = claim_journal_copied(&record)) == 0 &&
		(rc = append(c, &record)) == 0)
		c->journal.copied = 1;
done:
	buf_release(&dir);
	buf_release(&record);
	return rc;
}

/* ---- the commit point ---- */

/* What the outputs are, in one hash. */
static int hash_outs(struct oid *out, const struct locked_stage *s)
{
	struct buf text = BUF_INIT;
	char hex[OID_HEX_LEN + 1];
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < s->n_outs; i++) {
		const struct locked_path *p = &s->outs[i];

		oid_to_hex(hex, &p->fp.oid);
		rc = buf_addf(&text, "%s %d %s%c", hex, p->fp.executable, p->path, '\0');
	}
	if (rc == 0)
		oid_of(out, buf_str(&text), text.len);
	buf_release(&text);
	return rc;
}

int claim_made(struct claim *c, const char *lock, const struct locked_stage *now)
{
	struct buf records = BUF_INIT;
	struct oid made;
	off_t at = lseek(c->fd, 0, SEEK_END);
	int rc = hash_outs(&made, now);

	if (rc == 0 && (rc = claim_journal_made(&records, lock, now->name, &made)) == 0 &&
		(rc = append(c, &records)) == 0)
		c->made_at = at;
	buf_release(&records);
	return rc;
}

/* Does the lock file name the new outputs?  1, 0, or an error. */
static int is_committed(const struct claim *c)
{
	const struct claim_journal *j = &c->journal;
	const struct locked_stage *entry;
	struct buf path = BUF_INIT, text = BUF_INIT;
	struct stagelock *lock = NULL;
	struct oid found;
	int rc;

	if (!j->lock)
		return 0;
	if ((rc = output_path(&path, c, j->lock)) < 0)
		goto done;
	rc = buf_read_file(&text, path.p);
	if (rc == ERR_NOTFOUND) {
		rc = 0;
		goto done;
	}
	if (rc < 0 || (rc = stagelock_parse(&lock, j->lock, text.p, text.len)) < 0)
		goto done;
	entry = stagelock_get(lock, j->name);
	if (entry && (rc = hash_outs(&found, entry)) == 0)
		rc = oid_eq(&found, &j->made);
done:
	stagelock_free(lock);
	buf_release(&path);
	buf_release(&text);
	return rc;
}

/* ---- the end ---- */

static int remove_aside(const struct claim *c)
{
	struct buf dir = BUF_INIT;
	int rc = aside_dir(&dir, c);

	if (rc == 0)
		rc = fstree_remove(dir.p);
	for (size_t i = 0; rc == 0 && i < c->journal.n; i++)
		if ((rc = sibling_dir(&dir, c, c->journal.items[i].path)) == 0)
			rc = fstree_remove(dir.p);
	buf_release(&dir);
	return rc;
}

/* Rename; a copy where that cannot be. */
static int move_tree(const char *from, const char *to)
{
	int rc = fs_mkdirs_parent(to);

	if (rc < 0 || rename_any(from, to) == 0)
		return rc;
	if (errno != EXDEV)
		return err_sys("cannot move '%s' to '%s'", from, to);
	rc = fstree_copy(from, to);
	return rc < 0 ? rc : fstree_remove(from);
}

/* The last moment at which the run of this claim was alive, as far as is known: it touches the file
 * all the time (stagecmd.c), but what was not on the disk yet when the machine went down is lost.
 */
static int64_t last_sign_of_life(const struct claim *c)
{
	struct timespec up;
	struct stat st;
	int64_t sign = INT64_MAX - GRACE_NS, boot;

	if (fstat(c->fd, &st) == 0)
		sign = fs_mtime_ns(&st);
	if (clock_gettime(CLOCK_BOOTTIME, &up) == 0) {
		boot = fs_now_ns() - up.tv_sec * 1000000000LL - up.tv_nsec;
		sign = sign > boot ? sign : boot;
	}
	return sign;
}

/* A new directory for what the user had changed. */
static int overwritten_dir(struct buf *out, const struct claim *c)
{
	size_t start = out->len, len;
	int rc = buf_addf(out, "%s/dvx/overwritten/", c->repo->dir->git_dir);

	if (rc == 0 && (rc = fs_mkdirs(out->p + start)) == 0) {
		len = out->len;
		rc = buf_addstr(out, c->journal.stage);
		for (char *p = out->p + len; rc == 0 && *p; p++)
			if (*p == '/')
				*p = '_';
		len = out->len;
	}
	for (unsigned n = 1; rc == 0; n++) {
		buf_truncate(out, len);
		if ((rc = buf_addf(out, ".%u", n)) < 0 || mkdir(out->p + start, 0777) == 0)
			break;
		/* an empty one was made just before a kill */
		if (errno == EEXIST && rmdir(out->p + start) == 0)
			n--;
		else if (errno != EEXIST && errno != ENOTEMPTY)
			rc = err_sys("cannot make directory '%s'", out->p + start);
	}
	return rc < 0 ? rc : 0;
}

/* Remove what stands where an old output was.  What was written there after the run was killed is
 * the user's: it goes to "overwritten". */
static int clear(const struct claim *c, const struct claim_item *item, const char *path)
{
	struct buf to = BUF_INIT;
	int64_t newest;
	int rc;

	/* what cannot be looked at was made so by the stage */
	if (!c->dead || fstree_newest(path, &newest) < 0 ||
		newest <= last_sign_of_life(c) + GRACE_NS) {
		err_clear();
		return fstree_remove(path);
	}
	rc = overwritten_dir(&to, c);
	if (rc == 0 && (rc = buf_addf(&to, "/%s", item->path)) == 0)
		rc = move_tree(path, to.p);
	buf_release(&to);
	return rc;
}

/* Make the output what it was. */
static int put_back(const struct claim *c, size_t i)
{
	const struct claim_item *item = &c->journal.items[i];
	struct buf path = BUF_INIT, old = BUF_INIT;
	int rc = output_path(&path, c, item->path);

	if (rc < 0)
		goto done;
	if (item->how == CLAIM_ABSENT) {
		rc = clear(c, item, path.p);
	} else if ((item->how == CLAIM_ASIDE || c->journal.copied) &&
		   (rc = find_old(&old, c, i)) == 1) {
		/* nowhere to be found: it was not moved yet, or it is back already */
		if ((rc = clear(c, item, path.p)) == 0 && (rc = move_tree(old.p, path.p)) == 0)
			rc = fs_fsync_parent(path.p);
	}
done:
	buf_release(&path);
	buf_release(&old);
	return rc < 0 ? err_prefix(rc, "cannot put back '%s' of stage '%s'", item->path,
				c->journal.stage)
		      : 0;
}

static int undo(struct claim *c)
{
	int rc = 0;

	for (size_t i = c->journal.n; rc == 0 && i > 0; i--)
		rc = put_back(c, i - 1);
	return rc == 0 ? remove_aside(c) : rc;
}

static int keep_changed(const struct claim *c, struct buf *kept)
{
	struct buf dir = BUF_INIT, old = BUF_INIT, to = BUF_INIT;
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < c->journal.n; i++) {
		if (!c->journal.items[i].keep || (rc = find_old(&old, c, i)) != 1)
			continue;
		if (!dir.len && (rc = overwritten_dir(&dir, c)) < 0)
			break;
		buf_reset(&to);
		if ((rc = fs_join(&to, dir.p, c->journal.items[i].path)) == 0)
			rc = move_tree(old.p, to.p);
	}
	if (rc >= 0 && dir.len && kept)
		rc = buf_addstr(kept, dir.p);
	buf_release(&dir);
	buf_release(&old);
	buf_release(&to);
	return rc < 0 ? rc : 0;
}

static int finish(struct claim *c, struct buf *kept)
{
	int rc = keep_changed(c, kept);

	return rc == 0 ? remove_aside(c) : rc;
}

int claim_settle(struct claim *c)
{
	int rc = is_committed(c);

	c->dead = 1;
	if (rc >= 0)
		rc = rc ? finish(c, NULL) : undo(c);
	if (rc == 0 && unlink(c->path.p) < 0 && errno != ENOENT)
		rc = err_sys("cannot remove '%s'", c->path.p);
	return rc;
}

/* On failure the file stays for the next command to try again, but not the lock. */
static int end(struct claim *c, int rc)
{
	if (rc == 0)
		return claim_end(c);
	flock(c->fd, LOCK_UN);
	claim_free(c);
	return rc;
}

int claim_roll_back(struct claim *c)
{
	/* a crash from here on must not end in the other way, should the lock file happen to say
	 * the same of the outputs as before */
	if (c->made_at && ftruncate(c->fd, c->made_at) < 0)
		return end(c, err_sys("cannot write to '%s'", c->path.p));
	return end(c, undo(c));
}

int claim_commit(struct claim *c, struct buf *kept)
{
	return end(c, finish(c, kept));
}
