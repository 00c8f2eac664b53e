/*
 * The clean-up of the local store, in the order that docs/local-store.md gives: wait for writers
 * and note the time; (the caller reads Git's references;) prepare new packs; take the lock against
 * writers and see that none has relied on anything old since; put the new packs in place, remove
 * objects and old packs.  A kill at any moment leaves at most a pack twice, or temporary files.
 */
#include "lib/store/store_gc.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/store/store_merge.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

enum { POLL_MS = 20, SWEEP_WAIT_MS = 60 * 1000, TEMP_SECONDS = 3600, DAY = 24 * 3600 };

struct store_gc {
	struct store *s;
	int fd; /* of the lock file */
	int wait_ms;
	int64_t begun; /* its time, as store_gc_begin set it */
};

/* ---- the lock against writers ---- */

static int lock_out(struct store_gc *g)
{
	const struct timespec pause = {0, POLL_MS * 1000 * 1000};

	for (int waited = 0;; waited += POLL_MS) {
		if (flock(g->fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno == ENOLCK || errno == EOPNOTSUPP)
			return err_set(ERR_UNSUPPORTED,
				"the file system of '%s' has no locks; nothing was removed",
				g->s->dvx_dir);
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_sys("cannot lock '%s/store.lock'", g->s->dvx_dir);
		if (waited >= g->wait_ms)
			return err_set(ERR_LOCKED,
				"another process is storing data in this repository; run again "
				"when it has finished");
		nanosleep(&pause, NULL);
	}
}

int store_gc_begin(struct store_gc **out, struct store *s, int wait_ms)
{
	struct store_gc *g = calloc(1, sizeof *g);
	struct stat st;
	int rc;

	*out = NULL;
	if (!g)
		return err_set(ERR_NOMEM, "out of memory");
	g->s = s;
	g->wait_ms = wait_ms;
	pthread_mutex_lock(&s->lock);
	rc = store_ready(s);
	pthread_mutex_unlock(&s->lock);
	g->fd = rc == 0 ? store_open_lock(s) : -1;
	if (rc == 0)
		rc = g->fd < 0 ? g->fd : lock_out(g);
	if (rc == 0 && (futimens(g->fd, NULL) < 0 || fstat(g->fd, &st) < 0))
		rc = err_sys("cannot set the time of '%s/store.lock'", s->dvx_dir);
	if (rc == 0 && flock(g->fd, LOCK_UN) < 0)
		rc = err_sys("cannot unlock '%s/store.lock'", s->dvx_dir);
	if (rc < 0) {
		store_gc_free(g);
		return rc;
	}
	g->begun = fs_mtime_ns(&st);
	*out = g;
	return 0;
}

int64_t store_gc_time(const struct store_gc *g)
{
	return g->begun;
}

void store_gc_free(struct store_gc *g)
{
	if (!g)
		return;
	if (g->fd >= 0)
		close(g->fd);
	free(g);
}

/* Whoever relied on an old object has changed the lock file's time. */
static int nobody_came(const struct store_gc *g)
{
	struct stat st;

	if (fstat(g->fd, &st) < 0)
		return err_sys("cannot stat '%s/store.lock'", g->s->dvx_dir);
	return fs_mtime_ns(&st) == g->begun
		       ? 0
		       : err_set(ERR_CHANGED,
				 "data was added again meanwhile; nothing was removed, run again");
}

/* ---- whole objects ---- */

struct sweep {
	struct store_gc *g;
	const struct store_gc_options *o;
	struct store_gc_result *r;
	int foreign;
};

/* 1 if `path` lies in the repository itself: what lies elsewhere may be shared with others. */
static int is_inside(const char *path, const char *dir)
{
	char *p = realpath(path, NULL), *d = realpath(dir, NULL);
	size_t len = d ? strlen(d) : 0;
	int inside = p && d && strncmp(p, d, len) == 0 && p[len] == '/';

	free(p);
	free(d);
	return inside;
}

static int sweep_one(const char *path, const struct oid *oid, const struct stat *st, void *data)
{
	struct sweep *w = data;
	enum verdict v = gc_judge(w->o, w->g->begun, oid, fs_mtime_ns(st));

	if (w->o->stop && *w->o->stop)
		return err_set(ERR_INTERRUPTED, "interrupted");
	if (v == VERDICT_YOUNG) {
		w->r->young++;
		w->r->young_bytes += (uint64_t)st->st_size;
	}
	if (v != VERDICT_DROP)
		return 0;
	if (w->foreign) {
		w->r->foreign = 1;
		return 0;
	}
	if (!w->o->dry_run && unlink(path) < 0 && errno != ENOENT)
		return err_sys("cannot remove '%s'", path);
	if (!w->o->dry_run)
		sums_forget(w->g->s, oid);
	w->r->dropped++;
	w->r->dropped_bytes += (uint64_t)st->st_size;
	w->r->freed += st->st_nlink > 1 ? 0 : (uint64_t)st->st_size;
	return 0;
}

static int sweep_whole(struct sweep *w)
{
	struct store *s = w->g->s;

	w->foreign = !is_inside(s->roots[0].objects, s->common_dir);
	return store_each_whole(s, sweep_one, w);
}

/* ---- temporary files ---- */

/* Of a dead writer: old, and nobody holds its lock. */
static int is_stale(int dir_fd, const char *name, int64_t seconds)
{
	struct stat st;
	int fd, stale;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode) ||
		st.st_nlink > 1 || time(NULL) - st.st_ctime < seconds)
		return 0;
	fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return 0;
	stale = flock(fd, LOCK_EX | LOCK_NB) == 0;
	close(fd);
	return stale;
}

static void sweep_temps(
	const struct sweep *w, const char *path, const char *prefix, int64_t seconds)
{
	DIR *dir = opendir(path);
	struct dirent *d;

	while (dir && (d = readdir(dir))) {
		if (strncmp(d->d_name, prefix, strlen(prefix)) != 0 ||
			!is_stale(dirfd(dir), d->d_name, seconds))
			continue;
		w->r->temps += w->o->dry_run || unlinkat(dirfd(dir), d->d_name, 0) == 0;
	}
	if (dir)
		closedir(dir);
}

/* Those that are ours to clear: Git LFS's own are its business. */
static void sweep_all_temps(const struct sweep *w)
{
	struct store *s = w->g->s;
	struct buf path = BUF_INIT;

	sweep_temps(w, s->roots[0].packs.dir, "gc-", TEMP_SECONDS);
	if (fs_join(&path, s->lfs_dir, "tmp") == 0)
		sweep_temps(w, path.p, "dvx-", DAY);
	buf_release(&path);
}

/* ---- the whole ---- */

int store_gc_run(struct store_gc *g, const struct store_gc_options *o, struct store_gc_result *r)
{
	struct sweep w = {.g = g, .o = o, .r = r};
	struct merge *m = NULL;
	int locked = 0, rc;

	memset(r, 0, sizeof *r);
	rc = merge_prepare(&m, g->s, o, g->begun, r);
	if (rc == 0 && !o->dry_run) {
		g->wait_ms = SWEEP_WAIT_MS;
		rc = lock_out(g);
		locked = rc == 0;
		if (rc == 0)
			rc = nobody_came(g);
	}
	if (rc == 0)
		rc = sweep_whole(&w);
	if (rc == 0 && !o->dry_run)
		rc = merge_commit(m, r);
	if (rc == 0)
		sweep_all_temps(&w);
	if (locked)
		(void)flock(g->fd, LOCK_UN);
	merge_free(m);
	return rc;
}
