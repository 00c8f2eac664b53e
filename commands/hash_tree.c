/*
 * A directory outside of any worktree: walked, sorted, hashed file by file.
 */
#include "commands/hash_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"

enum { DEPTH_MAX = 200, LINK_MAX = 4096 };

struct tree {
	const char *top;
	struct strvec paths; /* below top */
};

/* ---- which files ---- */

static int walk(struct tree *t, const char *below, int depth);

static int take(struct tree *t, const char *path, int depth)
{
	struct buf full = BUF_INIT;
	struct stat st;
	int rc = fs_join(&full, t->top, path);

	if (rc == 0 && lstat(full.p, &st) < 0)
		rc = err_sys("cannot look at '%s'", full.p);
	if (rc == 0 && S_ISDIR(st.st_mode))
		rc = walk(t, path, depth + 1);
	else if (rc == 0 && (S_ISREG(st.st_mode) || S_ISLNK(st.st_mode)))
		rc = strvec_push(&t->paths, path);
	buf_release(&full);
	return rc;
}

static int walk(struct tree *t, const char *below, int depth)
{
	struct buf full = BUF_INIT, path = BUF_INIT;
	struct dirent *e;
	DIR *dir = NULL;
	int rc = *below != '\0' ? fs_join(&full, t->top, below) : buf_addstr(&full, t->top);

	if (rc == 0 && depth > DEPTH_MAX)
		rc = err_set(ERR_LIMIT, "'%s' is too deep", full.p);
	if (rc == 0 && (dir = opendir(full.p)) == NULL)
		rc = err_sys("cannot open '%s'", full.p);
	while (rc == 0 && (e = readdir(dir)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
			strcmp(e->d_name, ".git") == 0)
			continue;
		buf_reset(&path);
		rc = buf_addf(&path, "%s%s%s", below, *below != '\0' ? "/" : "", e->d_name);
		if (rc == 0)
			rc = take(t, path.p, depth);
	}
	if (dir != NULL)
		closedir(dir);
	buf_release(&full);
	buf_release(&path);
	return rc;
}

/* ---- what they hold ---- */

static int hash_link(struct oid *out, uint64_t *size, const char *path)
{
	char target[LINK_MAX];
	ssize_t n = readlink(path, target, sizeof(target));

	if (n < 0)
		return err_sys("cannot read '%s'", path);
	oid_of(out, target, (size_t)n);
	*size = (uint64_t)n;
	return 0;
}

static int hash_file(struct oid *out, uint64_t *size, char *mode, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), rc = 0;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		rc = err_sys("cannot open '%s'", path);
	if (rc == 0) {
		*mode = (st.st_mode & S_IXUSR) ? 'x' : 'f';
		*size = (uint64_t)st.st_size;
		rc = oid_of_file(out, fd);
	}
	if (fd >= 0)
		close(fd);
	return rc;
}

static int add_file(struct buf *listing, struct fingerprint *out, const char *top, const char *path)
{
	char hex[OID_HEX_LEN + 1], mode = 'l';
	struct buf full = BUF_INIT;
	struct stat st;
	struct oid oid;
	uint64_t size = 0;
	int rc = fs_join(&full, top, path);

	if (rc == 0 && lstat(full.p, &st) < 0)
		rc = err_sys("cannot look at '%s'", full.p);
	if (rc == 0)
		rc = S_ISLNK(st.st_mode) ? hash_link(&oid, &size, full.p)
					 : hash_file(&oid, &size, &mode, full.p);
	if (rc == 0) {
		oid_to_hex(hex, &oid);
		rc = buf_addf(listing, "%s %c %s", hex, mode, path);
	}
	out->size += size;
	buf_release(&full);
	return rc == 0 ? buf_addch(listing, '\0') : rc;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int hash_tree(const char *path, struct fingerprint *out)
{
	struct tree t = {.top = path};
	struct buf listing = BUF_INIT;
	int rc = walk(&t, "", 0);

	*out = (struct fingerprint){.type = FP_DIR, .nfiles = t.paths.n};
	if (rc == 0 && t.paths.n > 1)
		qsort(t.paths.v, t.paths.n, sizeof(*t.paths.v), by_bytes);
	for (size_t i = 0; rc == 0 && i < t.paths.n; i++)
		rc = add_file(&listing, out, path, t.paths.v[i]);
	if (rc == 0)
		oid_of(&out->oid, buf_str(&listing), listing.len);
	strvec_release(&t.paths);
	buf_release(&listing);
	return rc;
}
