/*
 * What lies in the worktree at the pointers of the index.  For many of them: relative to one open
 * directory, on several threads - the time goes into lstat, and a short path is half the time.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/workers.h"
#include "lib/repo/scan.h"
#include "lib/store/oid.h"

enum { JOB = 512 };

/* Errors that say something about the file; others say something about the system. */
static int is_answer(int error)
{
	return error == ENOENT || error == ENOTDIR || error == EACCES;
}

/* 1 if the file's content is this blob; an error if that cannot be found out and may be otherwise a
 * moment later. */
static int holds_blob(int dir, const char *path, const uint8_t *blob, int hash_len)
{
	char text[POINTER_MAX];
	uint8_t id[REPO_ID_MAX] = {0};
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	ssize_t n;

	if (fd < 0)
		return is_answer(errno) || errno == ELOOP ? 0 : err_sys("cannot open '%s'", path);
	n = fs_read_full(fd, text, sizeof text);
	close(fd);
	if (n < 0)
		return err_prefix((int)n, "'%s'", path);
	if ((size_t)n >= sizeof text)
		return 0;
	githash_blob(id, hash_len, text, (size_t)n);
	return !memcmp(id, blob, (size_t)hash_len);
}

/* An enum scan_file, or a negative error. */
static int state_at(int dir, const char *path, const struct scan_item *item, int hash_len,
	uint32_t index_time, struct stat *st)
{
	int racy = index_time && item->st.mtime_sec >= index_time, rc = 0;

	if (fstatat(dir, path, st, AT_SYMLINK_NOFOLLOW) < 0)
		return is_answer(errno) ? SCAN_FILE_ABSENT : err_sys("cannot stat '%s'", path);
	if (!S_ISREG(st->st_mode))
		return SCAN_FILE_ABSENT;
	if (!racy && (uint64_t)st->st_size == item->size && gitindex_stat_match(&item->st, st))
		return SCAN_FILE_DATA;
	if (st->st_size < POINTER_MAX)
		rc = holds_blob(dir, path, item->blob, hash_len);
	if (rc == 0 && item->odd && !racy && gitindex_stat_match(&item->st, st))
		return SCAN_FILE_DATA; /* an extension's: not of the object's size */
	if (rc < 0)
		return rc;
	return rc ? SCAN_FILE_POINTER : SCAN_FILE_CHANGED;
}

int scan_file_state(const struct repo *repo, const struct scan_item *item, uint32_t index_time,
	struct stat *st_out)
{
	struct buf path = BUF_INIT;
	struct stat st;
	int rc = fs_join(&path, repo->dir->worktree, item->path);

	if (rc == 0)
		rc = state_at(
			AT_FDCWD, path.p, item, repo->hash_len, index_time, st_out ? st_out : &st);
	buf_release(&path);
	return rc;
}

struct files_job {
	const struct scan_list *list;
	int dir, hash_len;
	uint32_t index_time;
	struct scan_found *found;
};

static int look_at_some(size_t job, void *data)
{
	struct files_job *j = data;
	size_t end = (job + 1) * JOB < j->list->n ? (job + 1) * JOB : j->list->n;

	for (size_t i = job * JOB; i < end; i++) {
		struct stat st = {0};

		int state = state_at(j->dir, j->list->v[i].path, &j->list->v[i], j->hash_len,
			j->index_time, &st);

		if (state < 0)
			return state;
		j->found[i].state = (enum scan_file)state;
		j->found[i].size = (uint64_t)st.st_size;
	}
	return 0;
}

int scan_files(struct scan_found **out, const struct scan_list *l, const struct repo *repo)
{
	struct files_job j = {.list = l, .hash_len = repo->hash_len};
	struct stat st;
	int rc;

	*out = j.found = calloc(l->n ? l->n : 1, sizeof *j.found);
	if (!j.found)
		return err_set(ERR_NOMEM, "out of memory");
	if (lstat(repo->dir->index, &st) == 0)
		j.index_time = (uint32_t)st.st_mtime;
	j.dir = open(repo->dir->worktree, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (j.dir < 0)
		rc = err_sys("cannot open '%s'", repo->dir->worktree);
	else
		rc = workers_run(0, (l->n + JOB - 1) / JOB, look_at_some, &j);
	if (j.dir >= 0)
		close(j.dir);
	if (rc < 0) {
		free(*out);
		*out = NULL;
	}
	return rc;
}

int scan_file_holds(const struct repo *repo, const char *path, const struct oid *oid)
{
	struct buf full = BUF_INIT;
	struct oid found;
	int fd = -1, yes = 0;

	if (fs_join(&full, repo->dir->worktree, path) == 0)
		fd = open(buf_str(&full), O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		yes = oid_of_file(&found, fd) == 0 && oid_eq(&found, oid);
		close(fd);
	}
	buf_release(&full);
	return yes;
}
