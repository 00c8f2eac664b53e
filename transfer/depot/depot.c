/*
 * The life of a depot, and the thread that settles: it wakes when something was put, waits a little
 * for company, and hands all that waits to the spool.  A failure is tried again after a pause that
 * grows; nothing is lost meanwhile, and everything stays readable.
 */
#include "transfer/depot/depot_internal.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "transfer/blob/listing.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	SETTLE_MS = 1000,
	SETTLE_OBJECTS = 1000, /* company enough */
	PAUSE_MIN_MS = 1000,
	PAUSE_MAX_MS = 60 * 1000,
	LOCKED_MS = 100, /* somebody else settles: look again after */
	TEMP_AGE = 24 * 3600
};
static const uint64_t settle_bytes = (uint64_t)256 * 1024 * 1024;
static const uint64_t cache_bytes = (uint64_t)4 * 1024 * 1024 * 1024;

void depot_engine(struct depot *d, struct engine *e)
{
	engine_init(e);
	e->git = &d->git;
	e->config = d->config;
	e->spec = d->spec;
	e->remote = d->remote;
	e->jobs = d->jobs;
	e->stop = &d->leaving;
}

/* ---- settling ---- */

static void warn(const char *message, void *data)
{
	struct depot *d = data;

	if (d->warn)
		d->warn(message, d->data);
}

static void settled(const struct oid *oid, uint64_t size, const char *file, void *data)
{
	struct depot *d = data;

	depot_cache_take(d->cache, oid, size, file);
}

void depot_note_put(struct depot *d, uint64_t size)
{
	pthread_mutex_lock(&d->lock);
	if (d->waiting++ == 0)
		d->waiting_since = listing_clock();
	d->waiting_bytes += size;
	pthread_cond_signal(&d->wake);
	pthread_mutex_unlock(&d->lock);
}

static struct timespec after_ms(unsigned ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += (long)(ms % 1000) * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	return t;
}

/* Under the lock: milliseconds until a round is due; 0: now; -1: nothing waits. */
static int due_in(const struct depot *d)
{
	int64_t waited;

	if (d->hurry)
		return 0;
	if (d->waiting == 0)
		return -1;
	waited = (listing_clock() - d->waiting_since) / 1000000;
	if (d->pause_ms)
		return waited >= d->pause_ms ? 0 : (int)(d->pause_ms - waited);
	if (d->waiting >= SETTLE_OBJECTS || d->waiting_bytes >= settle_bytes)
		return 0;
	return waited >= d->settle_ms ? 0 : (int)(d->settle_ms - waited);
}

/* Under the lock. */
static void wait_until_due(struct depot *d)
{
	int ms;

	while (!d->closing && (ms = due_in(d)) != 0) {
		struct timespec until;

		if (ms < 0) {
			pthread_cond_wait(&d->wake, &d->lock);
			continue;
		}
		until = after_ms((unsigned)ms);
		pthread_cond_timedwait(&d->wake, &d->lock, &until);
	}
}

/* Under the lock. */
static void note_failure(struct depot *d, int rc)
{
	if (rc != ERR_LOCKED)
		warn(err_msg(), d);
	if (rc == ERR_LOCKED)
		d->pause_ms = LOCKED_MS;
	else if (d->pause_ms < PAUSE_MIN_MS)
		d->pause_ms = PAUSE_MIN_MS;
	else
		d->pause_ms = d->pause_ms * 2 < PAUSE_MAX_MS ? d->pause_ms * 2 : PAUSE_MAX_MS;
	snprintf(d->last_message, sizeof(d->last_message), "%s", err_msg());
	d->waiting++; /* again */
	d->waiting_since = listing_clock();
}

static void settle_round(struct depot *d)
{
	int rc;

	d->begun++;
	d->hurry = 0;
	d->waiting = 0;
	d->waiting_bytes = 0;
	pthread_mutex_unlock(&d->lock);
	rc = spool_settle(d->spool);
	pthread_mutex_lock(&d->lock);
	d->ended = d->begun;
	d->last_rc = rc;
	if (rc < 0)
		note_failure(d, rc);
	else
		d->pause_ms = 0;
	pthread_cond_broadcast(&d->done);
}

static void *settle(void *data)
{
	struct depot *d = data;

	pthread_mutex_lock(&d->lock);
	while (!d->closing) {
		wait_until_due(d);
		if (!d->closing)
			settle_round(d);
	}
	if (d->waiting)
		settle_round(d);
	pthread_mutex_unlock(&d->lock);
	return NULL;
}

/* One round that begins after now. */
static int settle_now(struct depot *d)
{
	uint64_t round;
	int rc;

	pthread_mutex_lock(&d->lock);
	round = d->begun + 1;
	d->hurry = 1;
	pthread_cond_signal(&d->wake);
	while (d->ended < round && !d->closing)
		pthread_cond_wait(&d->done, &d->lock);
	rc = d->last_rc;
	if (rc < 0)
		err_set(rc, "%s", d->last_message);
	pthread_mutex_unlock(&d->lock);
	return rc;
}

int depot_settle(struct depot *d)
{
	const struct timespec moment = {0, LOCKED_MS * 1000000L};
	int rc;

	while ((rc = settle_now(d)) == ERR_LOCKED && !d->closing)
		nanosleep(&moment, NULL);
	return rc;
}

/* ---- life ---- */

static int set_place(struct depot *d, const struct depot_options *o)
{
	char *cwd = NULL;
	int rc = 0;

	if (o->state[0] != '/' && !(cwd = getcwd(NULL, 0)))
		rc = err_sys("cannot find the current directory");
	if (rc == 0)
		rc = fs_join(&d->state, cwd ? cwd : "/", o->state);
	if (rc == 0)
		rc = buf_addf(&d->dvx_dir, "%s/dvx", d->state.p);
	d->git.git_dir = d->git.common_dir = d->state.p;
	d->git.dvx_dir = d->dvx_dir.p;
	if (rc == 0)
		rc = fs_mkdirs(d->state.p);
	if (rc == 0 && access(d->state.p, R_OK | W_OK | X_OK) < 0)
		rc = err_sys("cannot write to '%s'", d->state.p);
	free(cwd);
	return rc;
}

/* The store need not exist, but it must be possible to make it. */
static int check_directory(const char *path)
{
	struct buf at = BUF_INIT, up = BUF_INIT;
	int rc = buf_addstr(&at, path);

	while (rc == 0 && !fs_exists(at.p) && strcmp(at.p, "/") != 0) {
		buf_reset(&up);
		rc = fs_dirname(&up, at.p);
		buf_reset(&at);
		if (rc == 0)
			rc = buf_addstr(&at, up.p);
	}
	if (rc == 0 && access(at.p, W_OK | X_OK) < 0)
		rc = err_sys("cannot write to the store '%s'", path);
	buf_release(&at);
	buf_release(&up);
	return rc;
}

static int rename_spec(struct remote_spec *spec, const char *name)
{
	char *copy = strdup(name);

	if (!copy)
		return err_set(ERR_NOMEM, "out of memory");
	free(spec->name);
	spec->name = copy;
	return 0;
}

static int find_store(struct depot *d, const struct depot_options *o)
{
	const struct remote_context context = {&d->git, d->config, NULL};
	int rc;

	if (!o->store == !o->repository)
		return err_set(ERR_INVALID, "either a store or a repository is needed");
	rc = remotes_spec_of_url(&d->spec, o->store ? o->store : o->repository);
	if (rc == 0 && o->name)
		rc = rename_spec(d->spec, o->name);
	if (rc < 0)
		return rc;
	if (o->repository && d->spec->kind != REMOTE_DIR)
		return err_set(ERR_INVALID, "'%s' is no directory", o->repository);
	if (d->spec->kind == REMOTE_LFS)
		return err_set(ERR_INVALID,
			"'%s' is a Git LFS server; a store is a directory, s3://, ssh:// or "
			"rclone://",
			o->store);
	if (d->spec->path && (rc = check_directory(d->spec->path)) < 0)
		return rc;
	if (o->repository)
		d->spec->kind = REMOTE_GITDIR;
	return o->repository ? 0 : remote_open(&d->remote, d->spec, &context);
}

/* Downloads that a killed process left. */
static void remove_old_temps(const struct depot *d)
{
	struct buf path = BUF_INIT;
	struct dirent *e;
	struct stat st;
	DIR *dir = buf_addf(&path, "%s/lfs/tmp", d->state.p) == 0 ? opendir(path.p) : NULL;

	while (dir && (e = readdir(dir))) {
		if (strncmp(e->d_name, "dvx-", 4) == 0 &&
			fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			time(NULL) - st.st_mtime > TEMP_AGE)
			unlinkat(dirfd(dir), e->d_name, 0);
	}
	if (dir)
		closedir(dir);
	buf_release(&path);
}

static int open_parts(struct depot *d, const struct depot_options *o)
{
	struct spool_options spool = {.state = d->state.p,
		.git = &d->git,
		.config = d->config,
		.spec = d->spec,
		.remote = d->remote,
		.jobs = d->jobs,
		.settled = settled,
		.warn = warn,
		.data = d};
	struct buf sketches = BUF_INIT;
	int rc = buf_addf(&sketches, "%s/sketches", d->state.p);

	if (rc == 0)
		rc = similar_open(&d->similar, sketches.p);
	spool.similar = d->similar;
	if (rc == 0)
		rc = spool_open(&d->spool, &spool);
	if (rc == 0)
		rc = depot_cache_open(
			&d->cache, d->state.p, o->cache_bytes ? o->cache_bytes : cache_bytes);
	if (rc == 0)
		rc = finder_new(&d->finder, d);
	if (rc == 0)
		rc = fetcher_new(&d->fetcher, d);
	buf_release(&sketches);
	return rc;
}

static int start_settling(struct depot *d)
{
	if (spool_waits(d->spool)) {
		d->waiting = 1;
		d->waiting_since = listing_clock();
	}
	if (pthread_create(&d->settler, NULL, settle, d) != 0)
		return err_set(ERR_NOMEM, "cannot start a thread");
	d->settling = 1;
	return 0;
}

int depot_open(struct depot **out, const struct depot_options *o)
{
	struct depot *d = calloc(1, sizeof(*d));
	pthread_condattr_t attr;
	int rc;

	*out = NULL;
	if (!d)
		return err_set(ERR_NOMEM, "out of memory");
	pthread_mutex_init(&d->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&d->wake, &attr);
	pthread_cond_init(&d->done, &attr);
	pthread_condattr_destroy(&attr);
	/* the engine's members are not const; it does not change what they point to */
	memcpy(&d->config, &o->config, sizeof(d->config));
	d->jobs = o->jobs;
	d->settle_ms = o->settle_ms ? o->settle_ms : SETTLE_MS;
	d->warn = o->warn;
	d->data = o->data;
	rc = set_place(d, o);
	if (rc == 0)
		rc = find_store(d, o);
	if (rc == 0)
		remove_old_temps(d);
	if (rc == 0)
		rc = open_parts(d, o);
	if (rc == 0)
		rc = start_settling(d);
	if (rc < 0) {
		char *why = strdup(err_msg());

		depot_close(d);
		err_set(rc, "%s", why ? why : "out of memory");
		free(why);
	} else {
		*out = d;
	}
	return rc;
}

static void depot_free(struct depot *d)
{
	finder_free(d->finder);
	depot_cache_close(d->cache);
	spool_close(d->spool);
	similar_close(d->similar);
	remote_close(d->remote);
	remote_spec_free(d->spec);
	buf_release(&d->state);
	buf_release(&d->dvx_dir);
	pthread_cond_destroy(&d->wake);
	pthread_cond_destroy(&d->done);
	pthread_mutex_destroy(&d->lock);
	free(d);
}

int depot_close(struct depot *d)
{
	char message[sizeof(d->last_message)];
	int rc = 0;

	if (!d)
		return 0;
	d->leaving = 1;
	fetcher_free(d->fetcher);
	if (d->settling) {
		pthread_mutex_lock(&d->lock);
		d->closing = 1;
		pthread_cond_signal(&d->wake);
		pthread_cond_broadcast(&d->done);
		pthread_mutex_unlock(&d->lock);
		pthread_join(d->settler, NULL);
		rc = d->last_rc == ERR_LOCKED ? 0 : d->last_rc; /* who settles takes ours along */
	}
	snprintf(message, sizeof(message), "%s", d->last_message);
	depot_free(d);
	return rc < 0 ? err_set(rc, "%s", message) : 0;
}
