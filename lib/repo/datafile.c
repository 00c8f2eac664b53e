/*
 * From a path and a state to an open file.  What a path is, is asked of Git (one ls-tree, and the
 * pointer cache) or of the worktree (an open that follows no link); where its bytes are is the
 * store's or Git's to say.
 *
 * A large object is opened where it lies: a copy of 5 GB to look at 20 of its rows would be absurd.
 * So what is returned may be the store's own file, and is opened for reading only.
 */
#include "lib/repo/datafile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/repo/catfile.h"
#include "lib/repo/sync.h"
#include "lib/store/pointer.h"
#include "lib/worktree/place.h"
#include "lib/worktree/place_dir.h"

/* Up to this size an unnamed file is one in memory. */
enum { IN_MEMORY_MAX = 1024 * 1024, PIECE = 256 * 1024 };

static int not_cloned(const char *path)
{
	return err_set(ERR_NOTFOUND,
		"this partial clone does not have '%s' in that revision; any Git command that "
		"reads it fetches it, such as 'git log -p -- <path>'",
		path);
}

/* ---- what is there ---- */

int datafile_of_blob(
	struct datafile *out, const struct repo *repo, const uint8_t *blob, const char *path)
{
	struct pointers_query q = {.state = POINTERS_UNKNOWN};
	struct pointers *p = NULL;
	int rc;

	*out = (struct datafile){.kind = DATAFILE_GIT, .path = path};
	memcpy(out->blob, blob, (size_t)repo->hash_len);
	memcpy(q.blob, out->blob, sizeof q.blob);
	rc = pointers_open(&p, repo);
	if (rc == 0)
		rc = pointers_resolve(p, &q, 1);
	pointers_close(p);
	if (rc == 0 && q.state == POINTERS_MISSING)
		rc = not_cloned(path);
	if (rc == 0 && pointers_is_pointer(&q)) {
		out->kind = DATAFILE_OBJECT;
		out->oid = q.oid;
		out->size = q.size;
	}
	return rc;
}

static int no_file(const char *path, const char *what)
{
	return err_set(ERR_INVALID, "'%s' is %s, not a file", path, what);
}

/* "100644 blob <id>\t<path>": 1 and the blob, or a negative error. */
static int read_entry(uint8_t *blob, const struct repo *repo, const char *line, const char *path)
{
	if (strncmp(line, "040000 ", 7) == 0)
		return no_file(path, "a directory");
	if (strncmp(line, "120000 ", 7) == 0)
		return no_file(path, "a symbolic link");
	if (strncmp(line, "100", 3) != 0 || strlen(line) < 12)
		return no_file(path, "a submodule");
	return repo_id_parse(blob, repo, line + 12) < 0 ? ERR_INVALID : 1;
}

static int find_in_tree(
	struct datafile *out, const struct repo *repo, const char *rev, const char *path)
{
	char hex[REPO_HEX_MAX + 1];
	struct buf entry = BUF_INIT;
	uint8_t id[REPO_ID_MAX];
	int rc = git_resolve(repo, rev, id);

	if (rc == 0) {
		repo_id_hex(hex, repo, id);
		rc = git_run(repo, NULL, 0, &entry, "--literal-pathspecs", "ls-tree", "-z",
			"--full-tree", hex, "--", path, (char *)NULL);
	}
	if (rc == 0 && entry.len > 0)
		rc = read_entry(id, repo, entry.p, path);
	if (rc == 1)
		rc = datafile_of_blob(out, repo, id, path);
	buf_release(&entry);
	return rc;
}

/* What an open below the worktree failed for: 0, there is nothing at that path. */
static int why_not(const char *path)
{
	if (errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG)
		return 0;
	if (errno == ELOOP)
		return no_file(path, "a symbolic link, or behind one");
	return err_sys("cannot open '%s'", path);
}

/* The worktree's file; *fd is -1 when there is none. */
static int open_in_worktree(int *fd, const struct repo *repo, const char *path, struct stat *st)
{
	struct place_dir dir = {.fd = -1};
	int rc = 0;

	*fd = -1;
	if (repo->dir->worktree == NULL)
		return err_set(ERR_INVALID, "this repository is bare: it has no worktree");
	if (!place_path_ok(path))
		return 0;
	dir.fd = open(repo->dir->worktree, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir.fd >= 0)
		*fd = place_dir_open(&dir, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (*fd < 0)
		rc = why_not(path);
	if (dir.fd >= 0)
		close(dir.fd);
	if (*fd < 0)
		return rc;
	if (fstat(*fd, st) < 0)
		rc = err_sys("cannot stat '%s'", path);
	else if (!S_ISREG(st->st_mode))
		rc = no_file(path, S_ISDIR(st->st_mode) ? "a directory" : "a device");
	if (rc < 0) {
		close(*fd);
		*fd = -1;
	}
	return rc;
}

static int find_in_worktree(struct datafile *out, const struct repo *repo, const char *path)
{
	char text[POINTER_MAX];
	struct pointer p;
	struct stat st;
	ssize_t len = 0;
	int fd, rc = open_in_worktree(&fd, repo, path, &st);

	if (fd < 0)
		return rc;
	out->kind = DATAFILE_WORKTREE;
	out->size = (uint64_t)st.st_size;
	if (st.st_size < POINTER_MAX)
		len = fs_read_full(fd, text, sizeof text);
	close(fd);
	if (len > 0 && pointer_parse(&p, text, (size_t)len) == 0) {
		out->kind = DATAFILE_OBJECT;
		out->oid = p.oid;
		out->size = p.size;
	}
	return len < 0 ? (int)len : 0;
}

int datafile_find(struct datafile *out, const struct repo *repo, const char *rev, const char *path)
{
	*out = (struct datafile){.kind = DATAFILE_NONE, .path = path};
	return rev != NULL ? find_in_tree(out, repo, rev, path) : find_in_worktree(out, repo, path);
}

/* ---- its content ---- */

static int unnamed_file(int *fd, const struct repo *repo, uint64_t size)
{
	*fd = -1;
	if (size > IN_MEMORY_MAX)
		*fd = open(repo->dir->git_dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (*fd < 0) /* small, or no O_TMPFILE there */
		*fd = memfd_create("dvx-datafile", MFD_CLOEXEC);
	return *fd < 0 ? err_sys("cannot hold a file") : 0;
}

static int not_here(const struct datafile *f)
{
	char hex[OID_HEX_LEN + 1];

	oid_to_hex(hex, &f->oid);
	return err_set(ERR_NOTFOUND,
		"the data of '%s' (sha256 %.10s…) is not in the local store; run 'git dvx fetch "
		"--all-commits'",
		f->path, hex);
}

static int open_object(int *fd, const struct datafile *f, const struct repo *repo, struct store *s)
{
	struct buf path = BUF_INIT;
	int rc;

	if (!store_has(s, &f->oid, f->size))
		return not_here(f);
	if (store_whole_path(s, &f->oid, f->size, &path)) {
		*fd = open(path.p, O_RDONLY | O_CLOEXEC);
		rc = *fd < 0 ? err_sys("cannot open '%s'", path.p)
			     : store_check(s, &f->oid, f->size);
	} else {
		rc = unnamed_file(fd, repo, f->size);
		if (rc == 0)
			rc = store_place(s, &f->oid, f->size, *fd);
	}
	buf_release(&path);
	return rc < 0 ? err_prefix(rc, "'%s'", f->path) : 0; /* store_place: how it was copied */
}

struct blob_copy {
	const struct datafile *f;
	const struct repo *repo;
	int *fd;
};

static const uint8_t *blob_id(size_t i, void *data)
{
	(void)i;
	return ((struct blob_copy *)data)->f->blob;
}

static int copy_blob(struct catfile *c, const struct catfile_head *head, void *data)
{
	struct blob_copy *b = data;
	struct buf piece = BUF_INIT;
	uint64_t left = head->size;
	int rc;

	if (head->type != GIT_BLOB)
		return err_set(ERR_NOTFOUND, "Git does not have the content of '%s'", b->f->path);
	rc = unnamed_file(b->fd, b->repo, head->size);
	while (rc == 0 && left > 0) {
		buf_reset(&piece);
		rc = catfile_take(c, PIECE, &piece);
		if (rc == 0)
			rc = fs_write_full(*b->fd, piece.p, piece.len);
		left -= piece.len;
	}
	buf_release(&piece);
	return rc;
}

static int open_blob(int *fd, const struct datafile *f, const struct repo *repo)
{
	struct blob_copy b = {f, repo, fd};
	struct git_object o = {.type = GIT_BLOB};
	struct catfile *c = NULL;
	int rc = 0;

	if (git_is_partial(repo)) { /* catfile must not be asked for what is not here */
		memcpy(o.id, f->blob, sizeof o.id);
		rc = git_objects_info(repo, &o, 1);
	}
	if (rc == 0 && o.type == GIT_MISSING)
		rc = not_cloned(f->path);
	if (rc == 0)
		rc = catfile_open(&c, repo);
	if (rc == 0)
		rc = catfile_each(c, 1, blob_id, copy_blob, &b);
	catfile_close(c);
	return rc;
}

int datafile_open(
	int *fd, uint64_t *size, const struct datafile *f, const struct repo *repo, struct store *s)
{
	struct stat st;
	int rc;

	*fd = -1;
	if (f->kind == DATAFILE_OBJECT)
		rc = open_object(fd, f, repo, s);
	else if (f->kind == DATAFILE_GIT)
		rc = open_blob(fd, f, repo);
	else if (f->kind == DATAFILE_WORKTREE)
		rc = open_in_worktree(fd, repo, f->path, &st);
	else
		rc = err_set(ERR_INVALID, "there is no file '%s'", f->path);
	if (rc == 0 && *fd < 0)
		rc = err_set(ERR_CHANGED, "'%s' is gone", f->path);
	if (rc == 0 && (lseek(*fd, 0, SEEK_SET) < 0 || fstat(*fd, &st) < 0))
		rc = err_sys("cannot read '%s'", f->path);
	if (rc == 0) {
		*size = (uint64_t)st.st_size;
	} else if (*fd >= 0) {
		close(*fd);
		*fd = -1;
	}
	return rc;
}

/* ---- from the remote ---- */

int datafile_is_here(const struct datafile *f, struct store *s)
{
	return f->kind != DATAFILE_OBJECT || store_has(s, &f->oid, f->size);
}

/* The first object that could not be had. */
static int first_failure(const struct sync *sync)
{
	for (size_t i = 0; i < sync->n; i++) {
		const struct batch_object *o = &sync->objects[i];

		if (o->state <= 0)
			return err_set(o->state < 0 ? o->state : ERR_REMOTE, "%s: %s", o->path,
				o->error ? o->error : "the remote did not answer for it");
	}
	return 0;
}

int datafile_fetch(const struct datafile *v, size_t n, const struct repo *repo, struct store *s,
	const char *remote)
{
	const struct batch_options how = {.remote = remote,
		.jobs = (int)config_int(repo->config, "dvx.jobs", 0),
		.progress = PROGRESS_AUTO};
	struct scan_list missing = SCAN_LIST_INIT;
	struct sync sync = SYNC_INIT;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i++) {
		const struct scan_item item = {
			.path = v[i].path, .oid = v[i].oid, .size = v[i].size};

		if (!datafile_is_here(&v[i], s))
			rc = scan_list_add(&missing, &item);
	}
	if (rc == 0)
		rc = sync_download(&sync, &missing, s, &how);
	if (rc == 0)
		rc = first_failure(&sync);
	sync_release(&sync);
	scan_list_release(&missing);
	return rc;
}
