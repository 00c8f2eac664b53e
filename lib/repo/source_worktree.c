/*
 * The worktree as a source: files are opened below its top without following any link (place_dir).
 * What is looked for by name is taken from Git's index - no directory is walked - and, for a file
 * that was just written and not added yet, from the top, the current directory and those that
 * source_places.c knows.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/repo/source_internal.h"
#include "lib/worktree/gitindex.h"
#include "lib/worktree/place.h"

int source_worktree(struct source **out, const struct repo *repo, struct store *store)
{
	struct source *s;
	int rc;

	if (repo->dir->worktree == NULL)
		return err_set(ERR_UNSUPPORTED, "this repository is bare: it has no worktree");
	if (!(s = calloc(1, sizeof *s)) || !(s->name = strdup("workspace"))) {
		free(s);
		return err_set(ERR_NOMEM, "out of memory");
	}
	s->repo = repo;
	s->store = store;
	s->dir.fd = open(repo->dir->worktree, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (s->dir.fd < 0) {
		rc = err_sys("cannot open '%s'", repo->dir->worktree);
		source_free(s);
		return rc;
	}
	*out = s;
	return 0;
}

/* Open a regular file: the descriptor, or a negative error. */
static int open_file(struct source *s, const char *path, struct stat *st)
{
	int fd;

	if (!place_path_ok(path))
		return source_no_file(s, path);
	fd = place_dir_open(&s->dir, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		if (errno == ENOENT || errno == ENOTDIR || errno == ENXIO || errno == ENAMETOOLONG)
			return source_no_file(s, path);
		if (errno == ELOOP)
			return err_set(ERR_NOTFOUND,
				"no file '%s' in %s: there is a symbolic link, and links are not "
				"followed",
				path, s->name);
		return err_sys("cannot open '%s'", path);
	}
	if (fstat(fd, st) < 0) {
		close(fd);
		return err_sys("cannot stat '%s'", path);
	}
	if (!S_ISREG(st->st_mode)) {
		close(fd);
		return source_no_file(s, path);
	}
	return fd;
}

int source_worktree_has(struct source *s, const char *path)
{
	struct stat st;
	int dir, rc;

	if (!place_path_ok(path))
		return 0;
	dir = place_dir_open_parent(&s->dir, path);
	if (dir < 0)
		return 0;
	rc = fstatat(dir, place_dir_base(path), &st, AT_SYMLINK_NOFOLLOW);
	close(dir);
	return rc == 0 && S_ISREG(st.st_mode);
}

/* Append at most `most` bytes of the file; it may have grown since it was asked for its size. */
static int read_all(int fd, const char *path, size_t most, struct buf *out)
{
	char piece[16384];
	size_t before = out->len;
	ssize_t n;
	int rc = 0;

	while (rc == 0 && (n = fs_read_full(fd, piece, sizeof piece)) != 0) {
		if (n < 0)
			return err_prefix((int)n, "'%s'", path);
		if (out->len - before + (size_t)n > most)
			return err_set(ERR_LIMIT, "'%s' has more than %zu bytes", path, most);
		rc = buf_add(out, piece, (size_t)n);
		if (n < (ssize_t)sizeof piece)
			break;
	}
	return rc;
}

int source_worktree_read(struct source *s, const char *path, size_t most, struct buf *out)
{
	struct pointer p;
	struct stat st = {0};
	size_t before = out->len;
	int fd = open_file(s, path, &st), rc;

	if (fd < 0)
		return fd;
	rc = read_all(fd, path, most > POINTER_MAX ? most : POINTER_MAX, out);
	close(fd);
	if (rc == 0 && out->len - before < POINTER_MAX && out->len > before &&
		pointer_parse(&p, out->p + before, out->len - before) == 0) {
		buf_truncate(out, before);
		return source_read_object(s, path, &p.oid, p.size, most, out);
	}
	if (rc == 0 && out->len - before > most)
		rc = err_set(ERR_LIMIT, "'%s' has more than %zu bytes", path, most);
	if (rc < 0)
		buf_truncate(out, before);
	return rc;
}

/* ---- by name ---- */

struct find {
	struct source *s;
	const char *const *basenames;
	size_t lens[16]; /* of the basenames */
	size_t n;
	struct strvec *out;
};

static int is_named(const struct find *f, const char *path, size_t len)
{
	for (size_t i = 0; i < f->n; i++) {
		size_t name = f->lens[i];

		if (len < name || (len > name && path[len - name - 1] != '/'))
			continue;
		if (memcmp(path + len - name, f->basenames[i], name) == 0)
			return 1;
	}
	return 0;
}

static int look_at_entry(const struct gitindex_entry *e, void *data)
{
	struct find *f = data;

	if ((e->mode & S_IFMT) != S_IFREG || !is_named(f, e->path, e->path_len))
		return 0;
	return source_worktree_has(f->s, e->path) ? strvec_push(f->out, e->path) : 0;
}

/* The names in one directory ("", "sub" or "sub/"). */
static int look_in(struct find *f, const char *dir)
{
	const size_t len = strlen(dir);
	const char *slash = len > 0 && dir[len - 1] != '/' ? "/" : "";
	struct buf path = BUF_INIT;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < f->n; i++) {
		buf_reset(&path);
		rc = buf_addf(&path, "%s%s%s", dir, slash, f->basenames[i]);
		if (rc == 0 && source_worktree_has(f->s, path.p))
			rc = strvec_push(f->out, path.p);
	}
	buf_release(&path);
	return rc;
}

/* Where files may be that Git does not know yet. */
static int look_beside_index(struct find *f)
{
	const struct repo *repo = f->s->repo;
	const char *prefix = repo->dir->prefix;
	struct strvec places = STRVEC_INIT;
	int rc = source_places(&places, repo);

	if (rc == 0)
		rc = look_in(f, "");
	if (rc == 0 && prefix != NULL && *prefix)
		rc = look_in(f, prefix);
	for (size_t i = 0; rc == 0 && i < places.n; i++)
		rc = look_in(f, places.v[i]);
	strvec_release(&places);
	return rc;
}

int source_worktree_find(struct source *s, const char *const *basenames, struct strvec *out)
{
	struct find f = {.s = s, .basenames = basenames, .out = out};
	struct gitindex *x = NULL;
	int rc;

	for (; basenames[f.n] != NULL; f.n++) {
		if (f.n == sizeof f.lens / sizeof f.lens[0])
			return err_set(ERR_LIMIT, "too many names to look for");
		f.lens[f.n] = strlen(basenames[f.n]);
	}
	rc = gitindex_read(&x, s->repo->dir->index, s->repo->hash_len);
	if (rc == 0)
		rc = gitindex_each(x, look_at_entry, &f);
	if (rc == 0)
		rc = look_beside_index(&f);
	gitindex_free(x);
	return rc;
}
