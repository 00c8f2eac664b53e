/*
 * The journal of files whose data still has to come; format and locking: docs/pending-journal.md.
 *
 * A journal is complete when it has its final name, and abandoned when nobody holds its lock; both
 * are properties of the file itself, so a kill at any moment leaves a state that a reader
 * understands.
 */
#include "lib/worktree/pending.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { MAGIC_LEN = 8, ITEM_FIXED = 32 + 32 + 8 + 4, PATH_LIMIT = 65535, JOURNAL_LIMIT = 1 << 30 };

static const char magic[MAGIC_LEN] = {'D', 'V', 'X', 'P', 'E', 'N', 'D', 1};
static const char suffix[] = ".journal";
static const char temp_suffix[] = ".tmp";

struct pending {
	struct buf path; /* with its final name */
	int fd;		 /* holds the lock */
};

static int directory_path(struct buf *out, const char *git_dir)
{
	return buf_addf(out, "%s/dvx/pending", git_dir);
}

/* ---- writing ---- */

static int encode(struct buf *out, const struct pending_item *items, size_t n)
{
	struct oid sum;
	int rc;

	out->max = JOURNAL_LIMIT;
	if (n > UINT32_MAX)
		return err_set(ERR_LIMIT, "too many files for one journal");
	rc = buf_add(out, magic, sizeof magic);
	if (rc == 0)
		rc = buf_add_be32(out, (uint32_t)n);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		size_t len = strlen(items[i].path);

		if (len > PATH_LIMIT)
			return err_set(ERR_LIMIT, "path of %zu bytes", len);
		if ((rc = buf_grow(out, ITEM_FIXED + len + 1)) < 0)
			break;
		buf_add(out, items[i].oid.id, OID_LEN);
		buf_add(out, items[i].blob, sizeof items[i].blob);
		buf_add_be64(out, items[i].size);
		buf_add_be32(out, (uint32_t)len);
		buf_add(out, items[i].path, len + 1);
	}
	if (rc == 0) {
		oid_of(&sum, out->p, out->len);
		rc = buf_add(out, sum.id, OID_LEN);
	}
	return rc;
}

/* Create and lock "<path>.tmp".  A reader that clears away may be between the two; then the file
 * has no name any more, and another is made. */
static int create_locked(const char *temp)
{
	struct stat ours, named;
	int fd, rc;

	for (;;) {
		fd = open(temp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (fd < 0)
			return err_sys("cannot create '%s'", temp);
		if (flock(fd, LOCK_EX) < 0 || fstat(fd, &ours) < 0)
			break;
		if (stat(temp, &named) == 0 && named.st_ino == ours.st_ino)
			return fd;
		close(fd);
	}
	rc = err_sys("cannot lock '%s'", temp);
	unlink(temp);
	close(fd);
	return rc;
}

/* Create "<path>.tmp", lock it, fill it, give it its name.  The descriptor with the lock. */
static int write_journal(const char *path, const struct pending_item *items, size_t n)
{
	struct buf temp = BUF_INIT, data = BUF_INIT;
	int fd = -1, rc;

	if ((rc = buf_addf(&temp, "%s%s", path, temp_suffix)) < 0 ||
		(rc = encode(&data, items, n)) < 0 || (rc = fd = create_locked(temp.p)) < 0)
		goto done;
	if ((rc = fs_write_full(fd, data.p, data.len)) < 0)
		err_prefix(rc, "'%s'", temp.p);
	else if (rename(temp.p, path) < 0)
		rc = err_sys("cannot rename '%s'", temp.p);
	if (rc < 0) {
		unlink(temp.p);
		close(fd);
	}
done:
	buf_release(&temp);
	buf_release(&data);
	return rc < 0 ? rc : fd;
}

int pending_begin(
	struct pending **out, const char *git_dir, const struct pending_item *items, size_t n)
{
	static atomic_uint counter;
	struct pending *p = calloc(1, sizeof *p);
	int rc;

	*out = NULL;
	if (!p)
		return err_set(ERR_NOMEM, "out of memory");
	p->fd = -1;
	if ((rc = directory_path(&p->path, git_dir)) < 0 || (rc = fs_mkdirs(p->path.p)) < 0)
		goto done;
	rc = buf_addf(&p->path, "/%ld-%lld-%u%s", (long)getpid(), (long long)fs_now_ns(),
		atomic_fetch_add(&counter, 1), suffix);
	if (rc < 0)
		goto done;
	rc = p->fd = write_journal(p->path.p, items, n);
done:
	if (rc < 0)
		pending_free(p);
	else
		*out = p;
	return rc < 0 ? rc : 0;
}

int pending_end(struct pending *p, const struct pending_item *left, size_t n)
{
	int fd = -1;

	if (n) {
		fd = write_journal(p->path.p, left, n);
		if (fd < 0)
			return fd;
	} else if (unlink(p->path.p) < 0 && errno != ENOENT) {
		return err_sys("cannot remove '%s'", p->path.p);
	}
	if (p->fd >= 0)
		close(p->fd);
	p->fd = fd;
	return 0;
}

void pending_free(struct pending *p)
{
	if (!p)
		return;
	if (p->fd >= 0)
		close(p->fd);
	buf_release(&p->path);
	free(p);
}

/* ---- reading ---- */

static int has_suffix(const char *name, const char *end)
{
	size_t len = strlen(name), end_len = strlen(end);

	return len > end_len && strcmp(name + len - end_len, end) == 0;
}

/* Lock a file that nobody owns.  The descriptor; ERR_LOCKED: its owner lives, or it is another file
 * by now. */
static int lock_abandoned(int dir_fd, const char *name)
{
	struct stat a, b;
	int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return errno == ENOENT ? ERR_LOCKED : err_sys("cannot open journal '%s'", name);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0 || fstat(fd, &a) < 0 ||
		fstatat(dir_fd, name, &b, AT_SYMLINK_NOFOLLOW) < 0 || a.st_ino != b.st_ino ||
		a.st_dev != b.st_dev) {
		close(fd);
		return ERR_LOCKED;
	}
	return fd;
}

/* Call fn(dir_fd, name, fd, data) for every abandoned file; fn does not close fd.  Stops at
 * non-zero. */
static int each_abandoned(const char *git_dir,
	int (*fn)(int dir_fd, const char *name, int fd, void *data), void *data)
{
	struct buf path = BUF_INIT;
	struct dirent *d;
	DIR *dir = NULL;
	int rc = directory_path(&path, git_dir);

	if (rc < 0)
		goto done;
	dir = opendir(path.p);
	if (!dir) {
		rc = errno == ENOENT ? 0 : err_sys("cannot read '%s'", path.p);
		goto done;
	}
	while (rc == 0 && (d = readdir(dir))) {
		int fd;

		if (!has_suffix(d->d_name, suffix) && !has_suffix(d->d_name, temp_suffix))
			continue;
		fd = lock_abandoned(dirfd(dir), d->d_name);
		if (fd == ERR_LOCKED)
			continue;
		rc = fd < 0 ? fd : fn(dirfd(dir), d->d_name, fd, data);
		if (fd >= 0)
			close(fd);
	}
done:
	if (dir)
		closedir(dir);
	buf_release(&path);
	return rc;
}

static int is_journal(int dir_fd, const char *name, int fd, void *data)
{
	(void)dir_fd, (void)fd, (void)data;
	return has_suffix(name, suffix);
}

int pending_any(const char *git_dir)
{
	return each_abandoned(git_dir, is_journal, NULL) > 0;
}

static int damaged(const char *name, const char *what)
{
	return err_set(ERR_CORRUPT, "journal '%s' of pending files is damaged: %s", name, what);
}

static int check(const struct buf *b, const char *name)
{
	struct oid sum;

	if (b->len < sizeof magic + 4 + OID_LEN || memcmp(b->p, magic, MAGIC_LEN - 1) != 0)
		return damaged(name, "too short, or something else");
	if (b->p[MAGIC_LEN - 1] != magic[MAGIC_LEN - 1])
		return err_set(ERR_CORRUPT, "journal '%s' of pending files has version %d", name,
			b->p[MAGIC_LEN - 1]);
	oid_of(&sum, b->p, b->len - OID_LEN);
	if (memcmp(sum.id, b->p + b->len - OID_LEN, OID_LEN) != 0)
		return damaged(name, "wrong checksum");
	return 0;
}

/* The bytes of one item at *at.  0 or ERR_CORRUPT. */
static int decode(const struct buf *b, size_t *at, struct pending_item *item, const char *name)
{
	const char *p = b->p + *at;
	size_t room = b->len - OID_LEN - *at, len;

	if (room < ITEM_FIXED + 1)
		return damaged(name, "too few items");
	memcpy(item->oid.id, p, OID_LEN);
	memcpy(item->blob, p + OID_LEN, sizeof item->blob);
	item->size = be64_get(p + 64);
	len = be32_get(p + 72);
	item->path = p + ITEM_FIXED;
	if (len > PATH_LIMIT || len > room - ITEM_FIXED - 1 || strnlen(item->path, len + 1) != len)
		return damaged(name, "bad path");
	*at += ITEM_FIXED + len + 1;
	return 0;
}

/* ---- taking over ---- */

enum { TAKEN_MAX = 128 }; /* journals, each with its descriptor */

struct taken_journal {
	char *name;
	int fd; /* holds the lock */
};

struct pending_taken {
	char *git_dir;
	size_t n;
	struct taken_journal v[TAKEN_MAX];
};

static int take_journal(int dir_fd, const char *name, int fd, void *data)
{
	struct pending_taken *t = data;
	struct taken_journal *j = &t->v[t->n];

	(void)dir_fd;
	if (!has_suffix(name, suffix))
		return 0;
	if (t->n == TAKEN_MAX)
		return 1;
	j->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0); /* the lock belongs to the open file: to both */
	if (j->fd < 0)
		return errno == EMFILE ? 1 : err_sys("cannot keep journal '%s'", name);
	j->name = strdup(name);
	t->n++;
	return j->name ? 0 : err_set(ERR_NOMEM, "out of memory");
}

int pending_take(struct pending_taken **out, const char *git_dir)
{
	struct pending_taken *t = calloc(1, sizeof *t);
	int rc;

	*out = NULL;
	if (!t || !(t->git_dir = strdup(git_dir))) {
		free(t);
		return err_set(ERR_NOMEM, "out of memory");
	}
	rc = each_abandoned(git_dir, take_journal, t);
	if (rc < 0)
		pending_taken_end(t, 0);
	else
		*out = t;
	return rc < 0 ? rc : 0;
}

static int visit_items(const struct buf *b, const char *name,
	int (*fn)(const struct pending_item *i, void *data), void *data)
{
	struct pending_item item;
	size_t at = MAGIC_LEN + 4;
	uint32_t n;
	int rc = check(b, name);

	if (rc < 0)
		return rc;
	n = be32_get(b->p + MAGIC_LEN);
	for (uint32_t i = 0; rc == 0 && i < n; i++) {
		rc = decode(b, &at, &item, name);
		if (rc == 0 && fn(&item, data) != 0)
			return 1;
	}
	return rc;
}

/* One journal by name; it may have ended meanwhile. */
static int visit_journal(int dir_fd, const char *name,
	int (*fn)(const struct pending_item *i, void *data), void *data)
{
	struct buf content = {.max = JOURNAL_LIMIT};
	int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	int rc;

	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys("cannot read journal '%s'", name);
	rc = buf_read_fd(&content, fd);
	if (rc == 0)
		rc = visit_items(&content, name, fn, data);
	close(fd);
	buf_release(&content);
	return rc;
}

int pending_each(
	const char *git_dir, int (*fn)(const struct pending_item *i, void *data), void *data)
{
	struct buf path = BUF_INIT;
	struct dirent *d;
	DIR *dir = NULL;
	int rc = directory_path(&path, git_dir);

	if (rc == 0)
		dir = opendir(path.p);
	if (rc == 0 && !dir && errno != ENOENT)
		rc = err_sys("cannot read '%s'", path.p);
	while (dir && rc == 0 && (d = readdir(dir)))
		if (has_suffix(d->d_name, suffix))
			rc = visit_journal(dirfd(dir), d->d_name, fn, data);
	if (dir)
		closedir(dir);
	buf_release(&path);
	return rc;
}

int pending_taken_each(
	struct pending_taken *t, int (*fn)(const struct pending_item *i, void *data), void *data)
{
	struct buf content = {.max = JOURNAL_LIMIT}, why = BUF_INIT;
	int failed = 0, rc = 0;

	for (size_t i = 0; i < t->n && rc != 1; i++) {
		buf_reset(&content);
		rc = lseek(t->v[i].fd, 0, SEEK_SET) < 0
			     ? err_sys("cannot read journal '%s'", t->v[i].name)
			     : buf_read_fd(&content, t->v[i].fd);
		if (rc == 0)
			rc = visit_items(&content, t->v[i].name, fn, data);
		if (rc < 0 && !failed) { /* the other journals are still worth reading */
			failed = rc;
			buf_addstr(&why, err_msg());
		}
	}
	if (rc != 1)
		rc = failed ? err_set(failed, "%s", buf_str(&why)) : 0;
	buf_release(&content);
	buf_release(&why);
	return rc;
}

static int of_a_later_version(int fd)
{
	char head[MAGIC_LEN];

	return pread(fd, head, sizeof head, 0) == MAGIC_LEN &&
	       memcmp(head, magic, MAGIC_LEN - 1) == 0 &&
	       head[MAGIC_LEN - 1] != magic[MAGIC_LEN - 1];
}

static int remove_unfinished(int dir_fd, const char *name, int fd, void *data)
{
	(void)fd, (void)data;
	if (has_suffix(name, temp_suffix))
		unlinkat(dir_fd, name, 0); /* only wasted space if that fails */
	return 0;
}

static int remove_taken(const struct pending_taken *t)
{
	struct buf path = BUF_INIT;
	int rc = 0;

	for (size_t i = 0; i < t->n && rc == 0; i++) {
		if (of_a_later_version(t->v[i].fd)) /* not ours to judge */
			continue;
		buf_reset(&path);
		if ((rc = directory_path(&path, t->git_dir)) == 0)
			rc = buf_addf(&path, "/%s", t->v[i].name);
		if (rc == 0 && unlink(path.p) < 0 && errno != ENOENT)
			rc = err_sys("cannot remove journal '%s'", path.p);
	}
	buf_release(&path);
	return rc < 0 ? rc : each_abandoned(t->git_dir, remove_unfinished, NULL);
}

int pending_taken_end(struct pending_taken *t, int done)
{
	int rc = 0;

	if (!t)
		return 0;
	if (done)
		rc = remove_taken(t);
	for (size_t i = 0; i < t->n; i++) {
		close(t->v[i].fd);
		free(t->v[i].name);
	}
	free(t->git_dir);
	free(t);
	return rc;
}
