/*
 * A lock is a file; its name is made of its path's hash, so two processes that want one path meet
 * at one name.  A new one is written aside, flushed, and linked to its name, which fails when there
 * is one already; removing is done under a lock of the directory, so that nobody removes what
 * another has made anew meanwhile.
 */
#include "transfer/depot/lockbook.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/lockfile.h"
#include "lib/base/isotime.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

enum {
	NAME_LEN = 32,	 /* hex digits of the path's hash */
	RANDOM_LEN = 16, /* hex digits: a new lock on the same path has another id */
	ID_LEN = NAME_LEN + 1 + RANDOM_LEN,
	PATH_LEN_MAX = 4096,
	OWNER_LEN_MAX = 1024,
	FILE_MAX = 16 * 1024,
	PAGE_MAX = 1000,
	LOCK_MS = 10 * 1000
};
static const char magic[] = "dvx lock 1\n";

struct lockbook {
	struct buf dir, guard;
};

/* ---- one file: pure ---- */

static void name_of(char out[static NAME_LEN + 1], const char *path)
{
	char hex[OID_HEX_LEN + 1];
	struct oid hash;

	oid_of(&hash, path, strlen(path));
	oid_to_hex(hex, &hash);
	memcpy(out, hex, NAME_LEN);
	out[NAME_LEN] = '\0';
}

static int has_control(const char *s)
{
	for (; *s; s++) {
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return 1;
	}
	return 0;
}

/* A path of a worktree: no empty part, none of "." and "..". */
static int check_path(const char *path)
{
	size_t len = strlen(path);
	const char *part = path;

	if (len == 0 || len > PATH_LEN_MAX || has_control(path))
		return err_set(ERR_INVALID, "not a path that can be locked (empty, too long, or "
					    "with control characters)");
	for (;;) {
		size_t n = strcspn(part, "/");

		if (n == 0 || (n == 1 && part[0] == '.') || (n == 2 && !memcmp(part, "..", 2)))
			return err_set(
				ERR_INVALID, "'%s' is not the path of a file in a worktree", path);
		if (!part[n])
			return 0;
		part += n + 1;
	}
}

static int format(struct buf *out, const struct lfs_lock *l)
{
	return buf_addf(out, "%sid %s\ntime %s\nowner %s\npath %s\n", magic, l->id, l->locked_at,
		l->owner ? l->owner : "", l->path);
}

/* Take the line "<key> <value>" from *p: its value on the heap, NULL when there is none. */
static char *take_line(char **p, const char *key)
{
	size_t n = strlen(key);
	char *end = strchr(*p, '\n'), *value;

	if (!end || strncmp(*p, key, n) != 0 || (*p)[n] != ' ')
		return NULL;
	value = strndup(*p + n + 1, (size_t)(end - *p) - n - 1);
	*p = end + 1;
	return value;
}

/* `name` begins with the file's: what it holds must fit. */
static int parse(struct lfs_lock *l, char *text, const char *name)
{
	char right[NAME_LEN + 1];

	memset(l, 0, sizeof(*l));
	if (strncmp(text, magic, sizeof(magic) - 1) == 0) {
		text += sizeof(magic) - 1;
		l->id = take_line(&text, "id");
		l->locked_at = l->id ? take_line(&text, "time") : NULL;
		l->owner = l->locked_at ? take_line(&text, "owner") : NULL;
		l->path = l->owner ? take_line(&text, "path") : NULL;
	}
	if (l->path && check_path(l->path) == 0 && !*text && strlen(l->id) == ID_LEN &&
		strncmp(l->id, name, NAME_LEN) == 0) {
		name_of(right, l->path);
		if (strncmp(right, name, NAME_LEN) == 0)
			return 0;
	}
	lfs_lock_release(l);
	return err_set(ERR_CORRUPT, "not a lock of that name");
}

/* ---- files ---- */

static int file_path(const struct lockbook *b, const char *name, struct buf *out)
{
	return buf_addf(out, "%s/%.*s", b->dir.p, NAME_LEN, name);
}

static int read_lock(const struct lockbook *b, const char *name, struct lfs_lock *out)
{
	struct buf path = BUF_INIT, text = {.max = FILE_MAX};
	int rc = file_path(b, name, &path);

	if (rc == 0)
		rc = buf_read_file(&text, path.p);
	if (rc == 0 && strlen(buf_str(&text)) != text.len)
		rc = err_set(ERR_CORRUPT, "not a lock of that name");
	if (rc == 0)
		rc = parse(out, text.p, name);
	if (rc == ERR_CORRUPT || rc == ERR_LIMIT)
		rc = err_prefix(ERR_CORRUPT, "damaged lock '%s', remove it by hand", path.p);
	buf_release(&path);
	buf_release(&text);
	return rc;
}

/* 0; ERR_EXISTS when the name is taken. */
static int write_lock(const struct lockbook *b, const char *name, const struct lfs_lock *l)
{
	struct buf path = BUF_INIT, temp = BUF_INIT, prefix = BUF_INIT, text = BUF_INIT;
	int fd = -1, rc = file_path(b, name, &path);

	if (rc == 0)
		rc = buf_addf(&prefix, "%s/tmp-", b->dir.p);
	if (rc == 0)
		rc = format(&text, l);
	if (rc == 0)
		rc = fd = fs_tempfile(&temp, prefix.p);
	if (fd >= 0)
		rc = fs_write_full(fd, text.p, text.len);
	if (rc == 0)
		rc = fs_fsync(fd, temp.p);
	if (rc == 0)
		rc = fs_close(&fd, temp.p);
	if (rc == 0 && link(temp.p, path.p) < 0)
		rc = err_sys("cannot make '%s'", path.p);
	if (temp.len)
		unlink(temp.p);
	if (rc == 0)
		rc = fs_fsync_dir(b->dir.p);
	if (fd >= 0)
		close(fd);
	buf_release(&path);
	buf_release(&temp);
	buf_release(&prefix);
	buf_release(&text);
	return rc;
}

static int new_id(struct buf *id, const char *name)
{
	uint8_t bytes[RANDOM_LEN / 2];
	int rc = buf_addf(id, "%s-", name);

	if (rc == 0 && getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		rc = err_sys("cannot get random bytes");
	for (size_t i = 0; rc == 0 && i < sizeof(bytes); i++)
		rc = buf_addf(id, "%02x", bytes[i]);
	return rc;
}

/* One process at a time changes what is there.  The descriptor, or a negative error. */
static int take_guard(const struct lockbook *b)
{
	int fd = flock_take(b->guard.p, LOCK_MS);

	return fd < 0 ? err_prefix(fd, "locks") : fd;
}

/* ---- outside ---- */

int lockbook_open(struct lockbook **out, const char *directory)
{
	struct lockbook *b = calloc(1, sizeof(*b));
	int rc;

	*out = NULL;
	if (!b)
		return err_set(ERR_NOMEM, "out of memory");
	rc = buf_addstr(&b->dir, directory);
	if (rc == 0)
		rc = buf_addf(&b->guard, "%s/guard", directory);
	if (rc < 0)
		lockbook_close(b);
	else
		*out = b;
	return rc;
}

void lockbook_close(struct lockbook *b)
{
	if (!b)
		return;
	buf_release(&b->dir);
	buf_release(&b->guard);
	free(b);
}

static int fill(struct lfs_lock *l, const char *id, const char *path, const char *owner)
{
	char when[ISOTIME_LEN + 1];

	isotime_format(when, (int64_t)time(NULL));
	when[10] = 'T'; /* RFC 3339 */
	memset(l, 0, sizeof(*l));
	l->id = strdup(id);
	l->path = strdup(path);
	l->owner = strdup(owner);
	l->locked_at = strdup(when);
	if (l->id && l->path && l->owner && l->locked_at)
		return 0;
	lfs_lock_release(l);
	return err_set(ERR_NOMEM, "out of memory");
}

int lockbook_create(struct lockbook *b, const char *path, const char *owner, struct lfs_lock *out)
{
	char name[NAME_LEN + 1];
	struct buf id = BUF_INIT;
	int guard = -1, rc = check_path(path);

	memset(out, 0, sizeof(*out));
	if (rc == 0 && (!*owner || strlen(owner) > OWNER_LEN_MAX || has_control(owner)))
		rc = err_set(ERR_INVALID, "not a name that can own a lock");
	if (rc < 0)
		return rc;
	name_of(name, path);
	rc = new_id(&id, name);
	if (rc == 0)
		rc = fs_mkdirs(b->dir.p);
	if (rc == 0)
		rc = guard = take_guard(b);
	if (rc >= 0)
		rc = fill(out, id.p, path, owner);
	if (rc == 0)
		rc = write_lock(b, name, out);
	if (rc < 0)
		lfs_lock_release(out);
	if (rc == ERR_EXISTS && (rc = read_lock(b, name, out)) == 0)
		rc = err_set(ERR_EXISTS, "'%s' is locked already", path);
	if (guard >= 0)
		close(guard);
	buf_release(&id);
	return rc;
}

int lockbook_remove(
	struct lockbook *b, const struct lfs_lock_query *q, const char *owner, struct lfs_lock *out)
{
	struct buf path = BUF_INIT;
	int guard = -1, rc = 0;

	memset(out, 0, sizeof(*out));
	if (!q->id || strlen(q->id) != ID_LEN || strspn(q->id, "0123456789abcdef") != NAME_LEN ||
		!fs_exists(b->dir.p))
		return err_set(ERR_NOTFOUND, "there is no such lock");
	rc = guard = take_guard(b);
	if (rc >= 0)
		rc = read_lock(b, q->id, out);
	if (rc == ERR_NOTFOUND || (rc == 0 && strcmp(out->id, q->id) != 0)) {
		lfs_lock_release(out);
		rc = err_set(ERR_NOTFOUND, "there is no such lock");
	}
	if (rc == 0 && !q->force && strcmp(out->owner, owner) != 0)
		rc = err_set(ERR_DENIED, "'%s' is locked by %s", out->path, out->owner);
	if (rc == 0)
		rc = file_path(b, q->id, &path);
	if (rc == 0 && unlink(path.p) < 0)
		rc = err_sys("cannot remove '%s'", path.p);
	if (rc == 0)
		rc = fs_fsync_dir(b->dir.p);
	if (rc < 0 && rc != ERR_DENIED)
		lfs_lock_release(out);
	if (guard >= 0)
		close(guard);
	buf_release(&path);
	return rc;
}

/* ---- listing ---- */

static int compare_paths(const void *a, const void *b)
{
	const struct lfs_lock *x = a, *y = b;

	return strcmp(x->path, y->path);
}

/* Is it asked for? */
static int matches(const struct lfs_lock *l, const struct lfs_lock_query *q)
{
	return (!q->path || strcmp(l->path, q->path) == 0) &&
	       (!q->id || strcmp(l->id, q->id) == 0) &&
	       (!q->cursor || !*q->cursor || strcmp(l->path, q->cursor) >= 0);
}

static int read_all(struct lockbook *b, const struct lfs_lock_query *q, struct lfs_lock_list *out)
{
	DIR *dir = opendir(b->dir.p);
	struct dirent *e;
	struct lfs_lock l;
	int rc = 0;

	if (!dir)
		return errno == ENOENT ? 0 : err_sys("cannot open directory '%s'", b->dir.p);
	while (rc == 0 && (e = readdir(dir))) {
		if (strlen(e->d_name) != NAME_LEN ||
			strspn(e->d_name, "0123456789abcdef") != NAME_LEN)
			continue;
		rc = read_lock(b, e->d_name, &l);
		if (rc == ERR_NOTFOUND) { /* removed meanwhile */
			rc = 0;
			continue;
		}
		if (rc == 0 && matches(&l, q))
			rc = lfs_lock_list_add(out, &l);
		if (rc == 0)
			lfs_lock_release(&l);
	}
	closedir(dir);
	if (out->n)
		qsort(out->v, out->n, sizeof(*out->v), compare_paths);
	return rc;
}

/* The first `limit` of `all` go to the page; the cursor is the path of the next one. */
static int cut_page(const struct lfs_lock_list *all, const struct lfs_lock_query *q,
	const char *owner, struct lfs_lock_page *out)
{
	size_t limit = q->limit ? q->limit : LFS_LOCKS_LIMIT;
	int rc = 0;

	limit = limit < PAGE_MAX ? limit : PAGE_MAX;
	for (size_t i = 0; rc == 0 && i < all->n && i < limit; i++) {
		int theirs = owner && strcmp(all->v[i].owner, owner) != 0;

		rc = lfs_lock_list_add(theirs ? &out->theirs : &out->ours, &all->v[i]);
	}
	if (rc == 0 && all->n > limit && !(out->next_cursor = strdup(all->v[limit].path)))
		rc = err_set(ERR_NOMEM, "out of memory");
	return rc;
}

static int list(struct lockbook *b, const struct lfs_lock_query *q, const char *owner,
	struct lfs_lock_page *out)
{
	struct lfs_lock_page all = {.next_cursor = NULL};
	int rc = read_all(b, q, &all.ours);

	memset(out, 0, sizeof(*out));
	if (rc == 0)
		rc = cut_page(&all.ours, q, owner, out);
	lfs_lock_page_release(&all);
	if (rc < 0)
		lfs_lock_page_release(out);
	return rc;
}

int lockbook_list(struct lockbook *b, const struct lfs_lock_query *q, struct lfs_lock_page *out)
{
	return list(b, q, NULL, out);
}

int lockbook_verify(struct lockbook *b, const struct lfs_lock_query *q, const char *owner,
	struct lfs_lock_page *out)
{
	const struct lfs_lock_query all = {.cursor = q->cursor, .limit = q->limit};

	return list(b, &all, owner, out);
}
