/*
 * Clearing a staging directory of what killed processes left there.  A temporary file "place-…-<n>"
 * belongs to the session whose lock file is "place-….lock"; a session makes its lock file before
 * any other and holds its lock as long as it lives.
 */
#include "lib/worktree/place.h"
#include "lib/base/err.h"
#include "lib/base/strmap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static const char prefix[] = "place-";
static const char lock_suffix[] = ".lock";

struct sweep {
	int dir;
	struct strmap known; /* session -> whether it lives */
	char alive, dead;    /* the addresses are the values */
};

static int has_suffix(const char *name, const char *end)
{
	size_t len = strlen(name), end_len = strlen(end);

	return len > end_len && strcmp(name + len - end_len, end) == 0;
}

/* 1 if nobody holds the lock (or there is no such file). */
static int lock_is_free(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), is_free;

	if (fd < 0)
		return errno == ENOENT;
	is_free = flock(fd, LOCK_EX | LOCK_NB) == 0;
	close(fd);
	return is_free;
}

static int session_lives(struct sweep *s, const char *session)
{
	void *known = strmap_get(&s->known, session);
	struct buf name = BUF_INIT;

	if (known)
		return known == &s->alive;
	known = &s->alive; /* when in doubt */
	if (buf_addf(&name, "%s%s", session, lock_suffix) == 0 && lock_is_free(s->dir, name.p))
		known = &s->dead;
	buf_release(&name);
	strmap_put(&s->known, session, known);
	return known == &s->alive;
}

static int sweep_temp(struct sweep *s, const char *name)
{
	const char *dash = strrchr(name, '-');
	struct buf session = BUF_INIT;
	int rc = buf_add(&session, name, (size_t)(dash - name));

	if (rc == 0 && !session_lives(s, session.p))
		unlinkat(s->dir, name, 0);
	buf_release(&session);
	return rc;
}

/* Held while it is removed, so that a session that just made it notices and makes another
 * (flock_take). */
static void sweep_lock(const struct sweep *s, const char *name)
{
	int fd = openat(s->dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		unlinkat(s->dir, name, 0);
	close(fd);
}

int place_sweep(const char *staging)
{
	struct sweep s = {.known = STRMAP_INIT};
	DIR *dir = opendir(staging);
	struct dirent *d;
	int rc = 0;

	if (!dir)
		return errno == ENOENT ? 0 : err_sys("cannot read '%s'", staging);
	s.dir = dirfd(dir);
	while (rc == 0 && (d = readdir(dir)))
		if (strncmp(d->d_name, prefix, sizeof prefix - 1) == 0 &&
			!has_suffix(d->d_name, lock_suffix))
			rc = sweep_temp(&s, d->d_name);
	rewinddir(dir);
	while (rc == 0 && (d = readdir(dir)))
		if (strncmp(d->d_name, prefix, sizeof prefix - 1) == 0 &&
			has_suffix(d->d_name, lock_suffix))
			sweep_lock(&s, d->d_name);
	strmap_release(&s.known, NULL);
	closedir(dir);
	return rc;
}
