/*
 * Who may run which stage now (docs/running-stages.md).  Claims are files with a lock that ends
 * with the last process that inherited it; looking at all of them, clearing away the dead ones and
 * adding one is one step under a short lock for all.  What happens to the outputs is in
 * claim_undo.c.
 */
#include "lib/pipeline/claim.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/lockfile.h"
#include "lib/base/pathmatch.h"
#include "lib/pipeline/claim_internal.h"

enum { JOURNAL_MAX = 64 * 1024 * 1024, POLL_FIRST_MS = 10, POLL_LAST_MS = 100, TELL_AFTER = 5 };

static const char suffix[] = ".claim";

static int running_dir(struct buf *out, const struct repo *repo)
{
	return buf_addf(out, "%s/dvx/running", repo->dir->git_dir);
}

/* ---- one claim ---- */

void claim_free(struct claim *c)
{
	if (!c)
		return;
	if (c->fd >= 0)
		close(c->fd);
	claim_journal_release(&c->journal);
	buf_release(&c->path);
	free(c->id);
	free(c);
}

int claim_end(struct claim *c)
{
	int rc = 0;

	if (unlink(c->path.p) < 0 && errno != ENOENT)
		rc = err_sys("cannot remove '%s'", c->path.p);
	/* the lock belongs to every copy of the descriptor: closing ours would leave it to those */
	flock(c->fd, LOCK_UN);
	claim_free(c);
	return rc;
}

int claim_fd(const struct claim *c)
{
	return c->fd;
}

static const char claims_variable[] = "DVX_CLAIMS";

int claim_environment(struct strvec *env, const struct claim *c)
{
	const char *outer = getenv(claims_variable);

	return strvec_pushf(env, "%s=%s%s%s", claims_variable, outer ? outer : "",
		outer && *outer ? ":" : "", c->id);
}

/* Does a stage with this claim wait for us: are we part of its command? */
static int is_ours(const struct claim *c)
{
	const char *p = getenv(claims_variable);
	const size_t len = strlen(c->id);

	while (p && *p) {
		size_t n = strcspn(p, ":");

		if (n == len && strncmp(p, c->id, n) == 0)
			return 1;
		p += n + (p[n] == ':');
	}
	return 0;
}

int claim_was_delayed(const struct claim *c)
{
	return c->delayed;
}

/* `name` without its suffix is the id. */
static struct claim *claim_of_file(
	const struct repo *repo, const char *dir, const char *name, size_t id_len)
{
	struct claim *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	c->repo = repo;
	c->fd = -1;
	c->id = strndup(name, id_len);
	if (!c->id || buf_addf(&c->path, "%s/%s%s", dir, c->id, suffix) < 0) {
		claim_free(c);
		return NULL;
	}
	return c;
}

/* ---- the claims of others ---- */

/* Equal, or one above the other, by whole components. */
static int paths_overlap(const char *a, const char *b)
{
	return pathmatch_within(a, b) || pathmatch_within(b, a);
}

/* The member of `theirs` that overlaps with one of `mine`; NULL: none. */
static const char *overlap(const struct strvec *mine, const struct strvec *theirs)
{
	for (size_t i = 0; mine && i < mine->n; i++)
		for (size_t k = 0; k < theirs->n; k++)
			if (paths_overlap(mine->v[i], theirs->v[k]))
				return theirs->v[k];
	return NULL;
}

static const char *shared_name(const struct strvec *mine, const struct strvec *theirs)
{
	for (size_t i = 0; mine && i < mine->n; i++)
		for (size_t k = 0; k < theirs->n; k++)
			if (strcmp(mine->v[i], theirs->v[k]) == 0)
				return theirs->v[k];
	return NULL;
}

/* A process that has the file open, for the message: the run is dead, and something of it lives.
 * 0: not found (it is another user's). */
static long holder_of(const char *path)
{
	struct stat want, st;
	struct dirent *process, *entry;
	DIR *proc, *fds;
	char name[64];
	long found = 0;

	if (stat(path, &want) < 0 || !(proc = opendir("/proc")))
		return 0;
	while (!found && (process = readdir(proc))) {
		long pid = strtol(process->d_name, NULL, 10);

		snprintf(name, sizeof name, "/proc/%ld/fd", pid);
		if (pid <= 0 || pid == (long)getpid() || !(fds = opendir(name)))
			continue;
		while (!found && (entry = readdir(fds)))
			if (fstatat(dirfd(fds), entry->d_name, &st, 0) == 0 &&
				st.st_ino == want.st_ino && st.st_dev == want.st_dev)
				found = pid;
		closedir(fds);
	}
	closedir(proc);
	return found;
}

static int describe(struct buf *out, const struct claim *c, const char *verb, const char *what)
{
	const struct claim_journal *j = &c->journal;
	long holder;
	int rc = buf_addf(out, "stage '%s' (", j->stage);

	if (rc < 0)
		return rc;
	if (kill((pid_t)j->pid, 0) == 0 || errno != ESRCH)
		rc = buf_addf(out, "process %ld), which %s '%s'", j->pid, verb, what);
	else if ((holder = holder_of(c->path.p)) > 0)
		rc = buf_addf(out, "process %ld, left behind by a killed run), which %s '%s'",
			holder, verb, what);
	else
		rc = buf_addf(out, "left behind by a killed run), which %s '%s'", verb, what);
	return rc;
}

/* Does it conflict with what is wanted?  1 and who it is; 0; or an error. */
static int conflicts(const struct claim *c, const struct claim_wants *w, struct buf *who)
{
	const struct claim_journal *j = &c->journal;
	const char *what, *verb = "writes";
	int rc;

	if (!j->ready)
		return 0; /* a run that just ended, or never began */
	what = overlap(w->writes, &j->writes);
	if (!what)
		what = overlap(w->reads, &j->writes);
	if (!what && (what = overlap(w->writes, &j->reads)))
		verb = "reads";
	if (!what && (what = shared_name(w->mutex, &j->mutex)))
		verb = "has the mutex";
	if (!what)
		return 0;
	buf_reset(who);
	rc = describe(who, c, verb, what);
	if (rc == 0 && is_ours(c))
		rc = err_set(ERR_LOCKED, "stage '%s' cannot run: this command is part of %s",
			w->stage, who->p);
	return rc < 0 ? rc : 1;
}

/* Open, read, and lock if nobody lives who holds it.  1: dead, ours now; 0: alive; ERR_NOTFOUND:
 * gone meanwhile; another error. */
static int open_claim(struct claim *c)
{
	struct buf text = BUF_INIT;
	struct stat st;
	int dead, rc;

	c->fd = open(c->path.p, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (c->fd < 0)
		return err_sys("cannot open '%s'", c->path.p);
	dead = flock(c->fd, LOCK_EX | LOCK_NB) == 0;
	if (!dead && errno != EWOULDBLOCK)
		return err_sys("cannot lock '%s'", c->path.p);
	if (fstat(c->fd, &st) < 0)
		return err_sys("cannot look at '%s'", c->path.p);
	if (st.st_nlink == 0) /* it ended between our open and our lock */
		return err_set(ERR_NOTFOUND, "'%s' is gone", c->path.p);
	text.max = JOURNAL_MAX;
	rc = buf_read_fd(&text, c->fd);
	if (rc == 0)
		rc = claim_journal_parse(&c->journal, text.p, text.len);
	if (rc < 0)
		err_prefix(rc,
			"'%s', the record of a running stage, cannot be understood; remove it "
			"when no stage is running",
			c->path.p);
	buf_release(&text);
	return rc < 0 ? rc : dead;
}

struct scan {
	const struct repo *repo;
	const struct claim_wants *wants; /* NULL: only recover */
	struct buf *who;
	void (*told)(const char *stage, void *data);
	void *data;
	int recovered, blocked;
};

static int scan_one(struct scan *s, const char *dir, const char *name, size_t id_len)
{
	struct claim *c = claim_of_file(s->repo, dir, name, id_len);
	int rc;

	if (!c)
		return err_set(ERR_NOMEM, "out of memory");
	rc = open_claim(c);
	if (rc == ERR_NOTFOUND) {
		rc = 0;
	} else if (rc == 1) {
		int touched = c->journal.n > 0;

		if ((rc = claim_settle(c)) == 0 && touched) {
			s->recovered++;
			if (s->told)
				s->told(c->journal.stage, s->data);
		}
	} else if (rc == 0 && s->wants && !s->blocked) {
		rc = conflicts(c, s->wants, s->who);
		s->blocked = rc == 1;
	}
	claim_free(c);
	return rc < 0 ? rc : 0;
}

/* 0 with the length of the id if it is the name of a claim; else -1. */
static int is_claim_name(const char *name, size_t *id_len)
{
	size_t n = strlen(name), m = sizeof suffix - 1;

	*id_len = n > m ? n - m : 0;
	return n > m && strcmp(name + n - m, suffix) == 0;
}

/* Look at all claims; the lock for all is held. */
static int scan_all(struct scan *s, const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	size_t id_len;
	int rc = 0;

	if (!d)
		return err_sys("cannot read '%s'", dir);
	while (rc == 0 && (e = readdir(d)))
		if (is_claim_name(e->d_name, &id_len))
			rc = scan_one(s, dir, e->d_name, id_len);
	closedir(d);
	return rc;
}

static int stopped(const volatile int *stop)
{
	return stop && *stop ? err_set(ERR_INTERRUPTED, "interrupted") : 0;
}

/* The short lock for all.  The descriptor or an error. */
static int lock_all(const char *dir, const volatile int *stop)
{
	struct buf path = BUF_INIT;
	int fd = buf_addf(&path, "%s/lock", dir);

	if (fd == 0)
		do
			fd = flock_take(path.p, POLL_LAST_MS);
		while (fd == ERR_LOCKED && !stopped(stop));
	buf_release(&path);
	return fd == ERR_LOCKED ? stopped(stop) : fd;
}

/* ---- a claim of ours ---- */

/* Create, lock and fill the file; nobody looks at it before the lock for all is given up. */
static int write_claim(struct claim *c, const struct claim_wants *w)
{
	struct buf text = BUF_INIT;
	int rc = claim_journal_begin(&text, w, (long)getpid());

	if (rc == 0)
		rc = claim_journal_parse(&c->journal, text.p, text.len);
	if (rc < 0)
		goto done;
	c->fd = open(c->path.p, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (c->fd < 0) {
		rc = err_sys("cannot create '%s'", c->path.p);
		goto done;
	}
	if (c->fd <= STDERR_FILENO || flock(c->fd, LOCK_EX | LOCK_NB) < 0)
		rc = err_sys("cannot lock '%s'", c->path.p);
	if (rc == 0 && (rc = fs_write_full(c->fd, text.p, text.len)) < 0)
		err_prefix(rc, "'%s'", c->path.p);
	if (rc < 0)
		unlink(c->path.p);
done:
	buf_release(&text);
	return rc;
}

static int new_claim(
	struct claim **out, const struct repo *repo, const char *dir, const struct claim_wants *w)
{
	static atomic_uint counter;
	struct claim *c;
	char id[96];
	int n = snprintf(id, sizeof id, "%ld-%lld-%u", (long)getpid(), (long long)fs_now_ns(),
		atomic_fetch_add(&counter, 1));
	int rc;

	c = claim_of_file(repo, dir, id, (size_t)n);
	if (!c)
		return err_set(ERR_NOMEM, "out of memory");
	rc = write_claim(c, w);
	if (rc < 0)
		claim_free(c);
	else
		*out = c;
	return rc;
}

/* One look: 1 and the claim; 0: somebody is in the way (`who`); or an error. */
static int try_to_take(struct claim **out, const struct repo *repo, const char *dir,
	const struct claim_wants *w, struct scan *s)
{
	int fd = lock_all(dir, w->stop), rc;

	if (fd < 0)
		return fd;
	s->blocked = 0;
	rc = scan_all(s, dir);
	if (rc == 0 && !s->blocked && (rc = new_claim(out, repo, dir, w)) == 0)
		rc = 1;
	close(fd);
	return rc;
}

static void pause_ms(long ms)
{
	const struct timespec t = {ms / 1000, ms % 1000 * 1000000};

	nanosleep(&t, NULL);
}

int claim_take(struct claim **out, const struct repo *repo, const struct claim_wants *w)
{
	struct buf dir = BUF_INIT, who = BUF_INIT;
	struct scan s = {
		.repo = repo, .wants = w, .who = &who, .told = w->recovered, .data = w->data};
	long wait = POLL_FIRST_MS;
	int looks = 0, rc;

	*out = NULL;
	if ((rc = running_dir(&dir, repo)) < 0 || (rc = fs_mkdirs(dir.p)) < 0)
		goto done;
	for (;;) {
		if ((rc = stopped(w->stop)) < 0 || (rc = try_to_take(out, repo, dir.p, w, &s)) != 0)
			break;
		if (w->no_wait) {
			rc = err_set(ERR_LOCKED, "stage '%s' would have to wait for %s", w->stage,
				who.p);
			break;
		}
		/* processes of a run that was killed just now are about to end */
		if (++looks == TELL_AFTER && w->waiting)
			w->waiting(who.p, w->data);
		pause_ms(wait);
		wait = wait < POLL_LAST_MS ? wait * 2 : POLL_LAST_MS;
	}
	if (rc == 1)
		(*out)->delayed = looks > 0 || s.recovered > 0;
done:
	buf_release(&dir);
	buf_release(&who);
	return rc < 0 ? rc : 0;
}

/* 1 if there is any file of a claim; 0; or an error. */
static int any_claim(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	size_t id_len;
	int found = 0;

	if (!d)
		return errno == ENOENT ? 0 : err_sys("cannot read '%s'", dir);
	while (!found && (e = readdir(d)))
		found = is_claim_name(e->d_name, &id_len);
	closedir(d);
	return found;
}

int claim_recover(const struct repo *repo, void (*told)(const char *stage, void *data), void *data)
{
	struct buf dir = BUF_INIT;
	struct scan s = {.repo = repo, .told = told, .data = data};
	int fd, rc = running_dir(&dir, repo);

	if (rc == 0 && (rc = any_claim(dir.p)) == 1) {
		rc = fd = lock_all(dir.p, NULL);
		if (fd >= 0) {
			rc = scan_all(&s, dir.p);
			close(fd);
		}
	}
	buf_release(&dir);
	return rc < 0 ? rc : s.recovered;
}
