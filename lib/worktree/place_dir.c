/*
 * Steps below a directory that never follow a link.  The kernel can do that in one call (openat2
 * with RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS, Linux 5.6); the fallback opens each directory by
 * itself with O_NOFOLLOW.
 */
#include "lib/worktree/place_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/openat2.h>

static int open_beneath(int dir_fd, const char *path, int flags)
{
	struct open_how how = {.flags = (uint64_t)(unsigned)flags,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
	long fd;

	do /* EAGAIN: a rename elsewhere made the kernel unsure */
		fd = syscall(SYS_openat2, dir_fd, path, &how, sizeof how);
	while (fd < 0 && (errno == EAGAIN || errno == EINTR));
	return (int)fd;
}

/* One component.  O_DIRECTORY makes a link ENOTDIR; say ELOOP as openat2 does. */
static int open_component(int dir_fd, const char *name, int flags)
{
	struct stat st;
	int fd;

	do
		fd = openat(dir_fd, name, flags);
	while (fd < 0 && errno == EINTR);
	if (fd < 0 && errno == ENOTDIR) {
		if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode))
			errno = ELOOP;
		else
			errno = ENOTDIR;
	}
	return fd;
}

static int open_by_walking(int dir_fd, const char *path, int flags)
{
	char name[NAME_MAX + 1];
	int at = dir_fd;

	for (;;) {
		size_t len = strcspn(path, "/");
		int last = !path[len], next, saved;

		if (len > NAME_MAX) {
			next = -1;
			errno = ENAMETOOLONG;
		} else {
			memcpy(name, path, len);
			name[len] = '\0';
			next = open_component(at, name,
				last ? flags : O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		}
		saved = errno;
		if (at != dir_fd)
			close(at);
		errno = saved;
		if (next < 0 || last)
			return next;
		at = next;
		path += len + 1;
	}
}

int place_dir_open(struct place_dir *d, const char *path, int flags)
{
	int fd;

	flags |= O_CLOEXEC;
	if (!atomic_load(&d->by_walking)) {
		/* With O_DIRECTORY, O_NOFOLLOW would turn a link's ELOOP into ENOTDIR. */
		fd = open_beneath(d->fd, path, flags & O_DIRECTORY ? flags : flags | O_NOFOLLOW);
		/* Seccomp filters that do not know the call say EPERM. */
		if (fd >= 0 || (errno != ENOSYS && errno != EPERM))
			return fd;
		atomic_store(&d->by_walking, 1);
	}
	return open_by_walking(d->fd, path, flags | O_NOFOLLOW);
}

int place_dir_open_parent(struct place_dir *d, const char *path)
{
	char parent[PATH_MAX];
	size_t len = (size_t)(place_dir_base(path) - path);

	if (len == 0)
		return openat(d->fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (len >= sizeof parent) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(parent, path, len - 1);
	parent[len - 1] = '\0';
	return place_dir_open(d, parent, O_PATH | O_DIRECTORY);
}

const char *place_dir_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}
