/*
 * The frame of a directory blob store: its format file and folders, and the clearing of what dead
 * writers left in tmp/.  Everything made here is on disk when it returns, whoever else is making it
 * at the same time.
 */
#include "transfer/remote/dirlayout.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

static const char format_line[] = "git-dvx blob store 1\n";
static const char temp_prefix[] = DIRLAYOUT_TEMP_PREFIX;

enum { STALE_SECONDS = 3600 };

int dirlayout_check(const char *root)
{
	struct buf path = BUF_INIT, text = {.max = 256};
	int rc = buf_addf(&path, "%s/format", root);

	if (rc == 0)
		rc = buf_read_file(&text, path.p);
	if (rc == ERR_NOTFOUND) {
		err_clear();
		rc = 0;
	} else if (rc == 0 && strcmp(buf_str(&text), format_line) != 0) {
		buf_rtrim(&text);
		rc = err_set(ERR_UNSUPPORTED,
			"'%s' says '%s', which this version of git-dvx cannot use; a newer git-dvx "
			"may",
			path.p, buf_str(&text));
	}
	buf_release(&path);
	buf_release(&text);
	return rc;
}

int dirlayout_make_dir(const char *path)
{
	int rc = fs_mkdirs(path);

	return rc < 0 ? rc : fs_fsync_parent(path);
}

/* The root with the directories above that are missing, each made durable. */
static int make_root(const char *root)
{
	struct buf parent = BUF_INIT;
	int rc = 0;

	if (!fs_exists(root)) {
		rc = fs_dirname(&parent, root);
		if (rc == 0 && !fs_exists(parent.p))
			rc = make_root(parent.p);
		if (rc == 0)
			rc = dirlayout_make_dir(root);
	}
	buf_release(&parent);
	return rc;
}

/* Remove what dead writers left: old, and not locked by anybody. */
static void sweep_temp(const char *tmp)
{
	DIR *dir = opendir(tmp);
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		struct stat st;
		int fd;

		if (strncmp(e->d_name, temp_prefix, strlen(temp_prefix)) != 0)
			continue;
		if (fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
			!S_ISREG(st.st_mode))
			continue;
		if (time(NULL) - st.st_mtime < STALE_SECONDS)
			continue;
		fd = openat(dirfd(dir), e->d_name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			unlinkat(dirfd(dir), e->d_name, 0);
		close(fd);
	}
	if (dir)
		closedir(dir);
}

int dirlayout_make(const char *root)
{
	static const char *const folders[] = {"packs", "fragments", "tmp"};
	struct buf path = BUF_INIT;
	int rc = make_root(root);

	for (size_t i = 0; rc == 0 && i < sizeof(folders) / sizeof(folders[0]); i++) {
		buf_reset(&path);
		rc = buf_addf(&path, "%s/%s", root, folders[i]);
		if (rc == 0)
			rc = dirlayout_make_dir(path.p);
	}
	if (rc == 0)
		sweep_temp(path.p);
	buf_reset(&path);
	if (rc == 0)
		rc = buf_addf(&path, "%s/format", root);
	if (rc == 0 && !fs_exists(path.p))
		rc = fs_replace_file(path.p, format_line, strlen(format_line), 1);
	buf_release(&path);
	return rc;
}
