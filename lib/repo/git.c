/*
 * Running Git: one place that decides where and in which environment plumbing commands run, a
 * reader for their output, and the object look-ups built on it.
 *
 * The reader feeds the command's input from a thread.  So the caller may ask 100,000 things in one
 * go and take the answers at leisure, and neither side ever waits for the other on a full pipe.
 */
#include "lib/repo/git.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"

enum { READ_STEP = 64 * 1024 };

/* ---- starting ---- */

static int prepare(struct run *r, const struct repo *repo, const char *first, va_list ap)
{
	const struct gitdir *g = repo->dir;
	const char *arg;
	int rc;

	/* Hooks and `git -c` callers may have GIT_DIR relative to a directory that is not
	 * ours.  Without them it stays unset, so that Git's safe.directory rule applies. */
	if (getenv("GIT_DIR")) {
		if ((rc = strvec_pushf(&r->env, "GIT_DIR=%s", g->git_dir)) < 0 ||
			(g->worktree &&
				(rc = strvec_pushf(&r->env, "GIT_WORK_TREE=%s", g->worktree)) < 0))
			return rc;
	}
	if (getenv("GIT_INDEX_FILE") &&
		(rc = strvec_pushf(&r->env, "GIT_INDEX_FILE=%s", g->index)) < 0)
		return rc;
	if ((rc = strvec_pushl(&r->env, "GIT_NO_REPLACE_OBJECTS=1", "GIT_OPTIONAL_LOCKS=0",
		     "GIT_NO_LAZY_FETCH=1", "GIT_PREFIX", (char *)NULL)) < 0)
		return rc;
	if ((rc = strvec_push(&r->argv, "git")) < 0)
		return rc;
	for (arg = first; arg; arg = va_arg(ap, const char *))
		if ((rc = strvec_push(&r->argv, arg)) < 0)
			return rc;
	r->dir = g->worktree ? g->worktree : g->git_dir;
	r->keep_fd = repo->keep_fd;
	return 0;
}

int git_prepare(struct run *r, const struct repo *repo, ...)
{
	const char *first;
	va_list ap;
	int rc;

	va_start(ap, repo);
	first = va_arg(ap, const char *);
	rc = prepare(r, repo, first, ap);
	va_end(ap);
	return rc;
}

/* The subcommand, for messages: the first argument that is no option ("-c name=value" skipped). */
static const char *command_word(const struct run *r)
{
	size_t i;

	for (i = 1; i < r->argv.n; i++) {
		if (!strcmp(r->argv.v[i], "-c"))
			i++;
		else if (r->argv.v[i][0] != '-')
			return r->argv.v[i];
	}
	return "git";
}

static int failed(const struct run *r, int status)
{
	if (status == 128 + SIGINT) /* Ctrl-C is for it as well as for us */
		return err_set(ERR_INTERRUPTED, "interrupted");
	return err_set(ERR_INVALID, "'git %s' failed with exit status %d", command_word(r), status);
}

/* The exit status or a negative error; with `must_succeed` a status other than 0 is one. */
static int capture(const struct repo *repo, const void *input, size_t input_len, struct buf *out,
	int must_succeed, va_list ap)
{
	struct run r = RUN_INIT;
	const char *first = va_arg(ap, const char *);
	int rc = prepare(&r, repo, first, ap);

	if (rc == 0)
		rc = run_capture(&r, input, input_len, out);
	if (rc > 0 && must_succeed)
		rc = failed(&r, rc);
	run_release(&r);
	return rc;
}

int git_status_of(
	const struct repo *repo, const void *input, size_t input_len, struct buf *out, ...)
{
	va_list ap;
	int rc;

	va_start(ap, out);
	rc = capture(repo, input, input_len, out, 0, ap);
	va_end(ap);
	return rc;
}

int git_run(const struct repo *repo, const void *input, size_t input_len, struct buf *out, ...)
{
	va_list ap;
	int rc;

	va_start(ap, out);
	rc = capture(repo, input, input_len, out, 1, ap);
	va_end(ap);
	return rc;
}

/* ---- the reader ---- */

struct git_reader {
	struct run run;
	struct buf input;
	pthread_t feeder;
	int feeding;	/* the thread was started and not joined */
	int feed_error; /* errno of a write that failed: the command has seen less than it should */
	struct buf buf; /* read and not yet handed out: from `at` on */
	size_t at;
	int eof;
};

static void *feed(void *arg)
{
	struct git_reader *r = arg;

	if (fs_write_full(r->run.in_fd, r->input.p, r->input.len) < 0)
		r->feed_error = errno;
	close(r->run.in_fd);
	r->run.in_fd = -1;
	return NULL;
}

/* As git_reader_start; `in`: what its standard input is. */
static int start(struct git_reader **out, struct run *run, enum run_stdio in, struct buf *input)
{
	struct git_reader *r = calloc(1, sizeof *r);
	int rc;

	if (!r) {
		run_release(run);
		return err_set(ERR_NOMEM, "out of memory");
	}
	r->run = *run;
	*run = (struct run)RUN_INIT;
	if (input) {
		r->input = *input;
		*input = (struct buf)BUF_INIT;
	}
	r->run.in = in;
	r->run.out = RUN_PIPE;
	if ((rc = run_start(&r->run)) < 0)
		goto done;
	if (input) {
		sigset_t all, old;

		/* All blocked in that thread: a SIGPIPE stays pending there and goes with it. */
		sigfillset(&all);
		pthread_sigmask(SIG_SETMASK, &all, &old);
		rc = pthread_create(&r->feeder, NULL, feed, r);
		pthread_sigmask(SIG_SETMASK, &old, NULL);
		if (rc) {
			errno = rc;
			rc = err_sys("cannot start a thread");
			goto done;
		}
		r->feeding = 1;
	}
	*out = r;
	r = NULL;
done:
	if (r) {
		if (r->run.pid > 0) {
			kill(r->run.pid, SIGTERM);
			(void)!run_finish(&r->run);
		}
		run_release(&r->run);
		buf_release(&r->input);
		free(r);
	}
	return rc;
}

int git_reader_start(struct git_reader **out, struct run *run, struct buf *input)
{
	return start(out, run, input ? RUN_PIPE : RUN_NULL, input);
}

int git_reader_open(struct git_reader **out, struct run *run)
{
	return start(out, run, RUN_PIPE, NULL);
}

int git_reader_ask(struct git_reader *r, const void *data, size_t len)
{
	int rc = fs_write_full(r->run.in_fd, data, len);

	if (rc < 0 && errno == EPIPE) /* it has ended; git_reader_finish says why */
		r->eof = 1;
	return rc < 0 ? err_prefix(rc, "cannot ask 'git %s'", command_word(&r->run)) : 0;
}

/* Read more behind what is there.  1, 0 at the end, negative error. */
static int fill(struct git_reader *r)
{
	ssize_t n;
	int rc;

	if (r->eof)
		return 0;
	if (r->at) {
		buf_consume(&r->buf, r->at);
		r->at = 0;
	}
	if ((rc = buf_grow(&r->buf, READ_STEP)) < 0)
		return rc;
	do
		n = read(r->run.out_fd, r->buf.p + r->buf.len, READ_STEP);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys("cannot read from 'git %s'", command_word(&r->run));
	r->buf.len += (size_t)n;
	r->buf.p[r->buf.len] = '\0';
	r->eof = n == 0;
	return n > 0;
}

int git_reader_next(struct git_reader *r, int delim, char **record, size_t *len)
{
	size_t seen = 0, left;
	char *end;
	int rc;

	for (;;) {
		left = r->buf.len - r->at;
		end = left > seen ? memchr(r->buf.p + r->at + seen, delim, left - seen) : NULL;
		if (end)
			break;
		seen = left;
		if ((rc = fill(r)) < 0)
			return rc;
		if (rc == 0)
			return left ? err_set(ERR_CORRUPT, "output of 'git %s' ends in a record",
					      command_word(&r->run))
				    : 0;
	}
	*end = '\0';
	*record = r->buf.p + r->at;
	*len = (size_t)(end - *record);
	r->at += *len + 1;
	return 1;
}

int git_reader_bytes(struct git_reader *r, size_t n, struct buf *out)
{
	size_t take;
	int rc;

	while (n) {
		take = r->buf.len - r->at;
		if (take > n)
			take = n;
		if ((rc = buf_add(out, r->buf.p + r->at, take)) < 0)
			return rc;
		r->at += take;
		n -= take;
		if (n && (rc = fill(r)) < 0)
			return rc;
		if (n && !rc)
			return err_set(ERR_CORRUPT, "output of 'git %s' ends too early",
				command_word(&r->run));
	}
	return 0;
}

int git_reader_finish(struct git_reader *r)
{
	int stopped, rc;

	if (!r)
		return 0;
	stopped = !r->eof;
	if (stopped && r->run.pid > 0)
		kill(r->run.pid, SIGTERM);
	if (r->feeding)
		pthread_join(r->feeder, NULL);
	rc = run_finish(&r->run);
	if (rc > 0)
		rc = stopped ? 0 : failed(&r->run, rc);
	if (rc == 0 && !stopped && r->feed_error) {
		errno = r->feed_error;
		rc = err_sys("cannot write to 'git %s'", command_word(&r->run));
	}
	run_release(&r->run);
	buf_release(&r->input);
	buf_release(&r->buf);
	free(r);
	return rc;
}

/* ---- small questions ---- */

int git_is_shallow(const struct repo *repo)
{
	struct buf path = BUF_INIT;
	int yes = fs_join(&path, repo->dir->common_dir, "shallow") == 0 && fs_exists(path.p);

	buf_release(&path);
	return yes;
}

int git_resolve(const struct repo *repo, const char *rev, uint8_t id[static REPO_ID_MAX])
{
	size_t hex = 2 * (size_t)repo->hash_len;
	struct run r = RUN_INIT;
	struct buf out = BUF_INIT;
	int rc;

	/* A whole object name is what it says, for Git as well: whether it is there is not asked.
	 */
	if (strlen(rev) == hex && strspn(rev, "0123456789abcdef") == hex)
		return repo_id_parse(id, repo, rev);
	/* --end-of-options: a revision that begins with a dash is no option. */
	rc = git_prepare(&r, repo, "rev-parse", "--verify", "--quiet", "--end-of-options", rev,
		(char *)NULL);
	r.err = RUN_NULL;
	if (rc == 0)
		rc = run_capture(&r, NULL, 0, &out);
	if (rc > 0 && git_is_shallow(repo))
		rc = err_set(ERR_NOTFOUND,
			"unknown revision '%s'; this clone is shallow, 'git fetch --unshallow "
			"--tags' brings the rest",
			rev);
	else if (rc > 0)
		rc = err_set(ERR_NOTFOUND, "unknown revision '%s'%s", rev,
			strcmp(rev, "HEAD") == 0 ? "; there is no commit yet" : "");
	if (rc == 0)
		rc = repo_id_parse(id, repo, buf_str(&out));
	buf_release(&out);
	run_release(&r);
	return rc;
}

int git_resolve_state(const struct repo *repo, const char *rev, uint8_t id[static REPO_ID_MAX])
{
	struct buf pattern = BUF_INIT, out = BUF_INIT;
	int found, rc = git_resolve(repo, rev, id);

	if (rc != ERR_NOTFOUND || strpbrk(rev, "/*?[\\^~:@{"))
		return rc;
	found = strcmp(rev, "HEAD") != 0 && buf_addf(&pattern, "refs/dvx/exps/*/%s", rev) == 0 &&
		git_status_of(repo, NULL, 0, &out, "for-each-ref", "--count=1",
			"--sort=-committerdate", "--format=%(objectname)", pattern.p,
			(char *)NULL) == 0 &&
		out.len > 0;
	if (found)
		rc = repo_id_parse(id, repo, out.p);
	buf_release(&pattern);
	buf_release(&out);
	return rc;
}

int git_has_head(const struct repo *repo)
{
	uint8_t id[REPO_ID_MAX];

	return git_resolve(repo, "HEAD^{commit}", id) == 0;
}

const char *git_empty_tree(const struct repo *repo)
{
	return repo->hash_len == 20
		       ? "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
		       : "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321";
}

static int is_promisor(const char *key, const char *value, void *data)
{
	size_t len = strlen(key);

	(void)data;
	if (!strcasecmp(key, "extensions.partialclone"))
		return 1;
	return len > 9 && !strcasecmp(key + len - 9, ".promisor") &&
	       !strncasecmp(key, "remote.", 7) && strcasecmp(value, "false") != 0;
}

int git_is_partial(const struct repo *repo)
{
	return config_each(repo->config, is_promisor, NULL) != 0;
}
