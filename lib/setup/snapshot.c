/*
 * The configuration snapshot (see snapshot.h): what makes the start of the filter cheap.  Trusting
 * a stale one would be a silent error, so the rule is: same environment, same places, every source
 * unchanged - and old enough, when the snapshot was made, that a later write must show in its time
 * stamps.
 */
#include "lib/setup/snapshot.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char first_line[] = "git-dvx config snapshot 1";
static const char last_line[] = "end";

enum { SNAPSHOT_MAX = 16 << 20, COUNT_MAX = 1 << 20 };
/* A write this long before the reading may carry the same time stamp as one after it: the kernel's
 * clock ticks every 1-10 ms, and some file systems count in seconds. */
enum { RACY_NS = 20 * 1000 * 1000 };
#define RACY_COARSE_NS ((int64_t)2000000000)

int snapshot_possible(void)
{
	const char *count = getenv("GIT_CONFIG_COUNT");
	const char *parameters = getenv("GIT_CONFIG_PARAMETERS");

	return !(parameters && *parameters) && !(count && *count && strcmp(count, "0") != 0);
}

/* Everything besides files that Git's answer depends on. */
static int add_surroundings(struct buf *out, const struct gitdir *g)
{
	static const char *const names[] = {"HOME", "XDG_CONFIG_HOME", "GIT_CONFIG_GLOBAL",
		"GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM"};
	int rc = buf_addf(out, "%s\n%s\n", g->git_dir, g->worktree ? g->worktree : "");

	for (size_t i = 0; i < sizeof names / sizeof *names && rc == 0; i++) {
		const char *value = getenv(names[i]);

		if (value)
			rc = buf_addf(out, "%s=%s\n", names[i], value);
	}
	return rc < 0 ? rc : buf_addch(out, '\0');
}

/* What is remembered of a file: "-" when absent, else times, size and inode. */
static int add_state(struct buf *out, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return buf_add(out, "-", 2);
	return buf_addf(out, "%" PRId64 " %" PRId64 " %lld %llu%c", fs_mtime_ns(&st),
		fs_ctime_ns(&st), (long long)st.st_size, (unsigned long long)st.st_ino, 0);
}

static int add_field(struct buf *out, const char *text)
{
	return buf_add(out, text, strlen(text) + 1);
}

int snapshot_compose(struct buf *text, const struct gitdir *g, const struct snapshot_parts *parts)
{
	int rc;

	if ((rc = add_field(text, first_line)) < 0 ||
		(rc = buf_addf(text, "%" PRId64 "%c", parts->created_ns, 0)) < 0 ||
		(rc = add_surroundings(text, g)) < 0 ||
		(rc = add_field(text, buf_str(&parts->refused))) < 0 ||
		(rc = buf_addf(text, "%zu%c", parts->sources.n, 0)) < 0)
		return rc;
	for (size_t i = 0; i < parts->sources.n; i++)
		if ((rc = add_field(text, parts->sources.v[i])) < 0 ||
			(rc = add_state(text, parts->sources.v[i])) < 0)
			return rc;
	if ((rc = buf_addf(text, "%zu%c", parts->pairs.n / 2, 0)) < 0)
		return rc;
	for (size_t i = 0; i < parts->pairs.n; i++)
		if ((rc = add_field(text, parts->pairs.v[i])) < 0)
			return rc;
	return add_field(text, last_line);
}

/* A position in the text; every field ends with NUL. */
struct cursor {
	const char *p, *end;
};

/* The next field, NULL at the end. */
static const char *field(struct cursor *c)
{
	const char *start = c->p;
	const char *nul = c->p < c->end ? memchr(c->p, 0, (size_t)(c->end - c->p)) : NULL;

	if (!nul)
		return NULL;
	c->p = nul + 1;
	return start;
}

/* A field that is a number up to `max`; -1 if it is none. */
static int64_t number(struct cursor *c, int64_t max)
{
	const char *text = field(c);
	char *end;
	long long n;

	if (!text || *text < '0' || *text > '9')
		return -1;
	errno = 0;
	n = strtoll(text, &end, 10);
	return *end || errno || n > max ? -1 : n;
}

static int bad_snapshot(void)
{
	return err_set(ERR_CORRUPT, "the configuration snapshot is damaged");
}

/* Behind the counted fields of a list, `per` each.  0 or ERR_CORRUPT. */
static int skip_list(struct cursor *c, int per)
{
	int64_t n = number(c, COUNT_MAX);

	if (n < 0)
		return bad_snapshot();
	for (n *= per; n > 0; n--)
		if (!field(c))
			return bad_snapshot();
	return 0;
}

int snapshot_parse(struct snapshot_view *v, const struct buf *text)
{
	struct cursor c = {text->p, text->p + text->len};
	const char *first = field(&c), *last;
	int64_t n;

	*v = (struct snapshot_view){NULL, NULL, 0};
	if (!first || strcmp(first, first_line) != 0)
		return err_set(ERR_UNSUPPORTED, "unknown configuration snapshot");
	if (number(&c, INT64_MAX) < 0 || !field(&c))
		return bad_snapshot();
	v->refused = field(&c);
	if (!v->refused || skip_list(&c, 2) < 0)
		return bad_snapshot();
	n = number(&c, COUNT_MAX);
	if (n < 0)
		return bad_snapshot();
	v->pairs = malloc((size_t)(n ? n : 1) * sizeof *v->pairs);
	if (!v->pairs)
		return err_set(ERR_NOMEM, "out of memory");
	v->n_pairs = (size_t)n;
	for (size_t i = 0; i < v->n_pairs; i++) {
		v->pairs[i].key = field(&c);
		v->pairs[i].value = field(&c);
	}
	last = field(&c);
	if (last && strcmp(last, last_line) == 0 && c.p == c.end)
		return 0;
	free(v->pairs);
	v->pairs = NULL;
	return bad_snapshot();
}

/* Was the file, as recorded, touched so shortly before the snapshot that a later change could look
 * the same? */
static int is_racy(const char *state, int64_t created_ns)
{
	char *end;
	int64_t mtime = strtoll(state, &end, 10);
	int64_t ctime = strtoll(end, NULL, 10);
	int64_t window = ctime % 1000000000 == 0 ? RACY_COARSE_NS : RACY_NS;

	return mtime >= created_ns - window || ctime >= created_ns - window;
}

/* 1 if the environment and every source are as they were. */
static int is_current(const struct buf *text, const struct gitdir *g)
{
	struct cursor c = {text->p, text->p + text->len};
	struct buf now = BUF_INIT;
	const char *surroundings;
	int64_t created, n;
	int ok = 0;

	field(&c); /* snapshot_parse() knows it */
	created = number(&c, INT64_MAX);
	surroundings = field(&c);
	field(&c);
	n = number(&c, COUNT_MAX);
	if (!surroundings || add_surroundings(&now, g) < 0 || strcmp(now.p, surroundings) != 0)
		goto done;
	for (ok = 1; n > 0 && ok; n--) {
		const char *path = field(&c), *state = field(&c);

		buf_reset(&now);
		ok = path && state && add_state(&now, path) == 0 && strcmp(now.p, state) == 0 &&
		     (*state == '-' || !is_racy(state, created));
	}
done:
	buf_release(&now);
	return ok;
}

static int snapshot_path(struct buf *out, const struct gitdir *g)
{
	return fs_join(out, g->git_dir, "dvx/config-snapshot");
}

int snapshot_load(struct buf *text, const struct gitdir *g)
{
	struct snapshot_view v = {NULL, NULL, 0};
	struct buf path = BUF_INIT;
	struct stat st;
	int fd = -1;
	int rc = snapshot_path(&path, g);

	if (rc < 0)
		goto done;
	fd = open(path.p, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st) < 0) {
		rc = err_sys("cannot open '%s'", path.p);
		goto done;
	}
	if (st.st_uid != geteuid()) {
		rc = err_set(ERR_DENIED, "'%s' belongs to somebody else", path.p);
		goto done;
	}
	text->max = SNAPSHOT_MAX;
	if ((rc = buf_read_fd(text, fd)) < 0 || (rc = snapshot_parse(&v, text)) < 0)
		goto done;
	if (!is_current(text, g))
		rc = err_set(ERR_CHANGED, "'%s' is out of date", path.p);
done:
	if (fd >= 0)
		close(fd);
	free(v.pairs);
	buf_release(&path);
	return rc;
}

int snapshot_save(const struct gitdir *g, const struct buf *text)
{
	struct buf path = BUF_INIT, prefix = BUF_INIT, temp = BUF_INIT;
	int fd = -1, rc;

	if ((rc = snapshot_path(&path, g)) < 0 || (rc = fs_mkdirs_parent(path.p)) < 0 ||
		(rc = buf_addf(&prefix, "%s.tmp-", path.p)) < 0)
		goto done;
	fd = fs_tempfile(&temp, prefix.p);
	if (fd < 0) {
		rc = fd;
		goto done;
	}
	/* before the first byte: a user's ~/.gitconfig may be private, its copy must be too */
	if (fchmod(fd, 0600) < 0)
		rc = err_sys("cannot protect '%s'", temp.p);
	if (rc == 0)
		rc = fs_write_full(fd, text->p, text->len);
	if (rc == 0)
		rc = fs_close(&fd, temp.p);
	if (rc == 0 && rename(temp.p, path.p) < 0)
		rc = err_sys("cannot rename to '%s'", path.p);
	if (rc < 0)
		unlink(temp.p);
done:
	if (fd >= 0)
		close(fd);
	buf_release(&path);
	buf_release(&prefix);
	buf_release(&temp);
	return rc;
}
