/*
 * Programs in a row, each from one unnamed file into the next (see extend.h).  Extensions are rare,
 * so simplicity counts for more here than the two extra copies.  As in Git LFS, a command is split
 * at spaces, "%f" is the path, and no shell is involved.
 */
#include "filter/extend.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/run.h"
#include "lib/setup/lfsext.h"
#include "lib/store/pointer.h"

enum { PIECE = 1 << 18 };

/* "word word %f" */
static int split(struct strvec *argv, const char *command, const char *path)
{
	const char *p = command;
	int rc = 0;

	while (rc == 0 && *p) {
		struct buf word = BUF_INIT;
		size_t len = strcspn(p, " ");

		for (size_t i = 0; rc == 0 && i < len; i++) {
			int is_path = argv->n > 0 && p[i] == '%' && i + 1 < len && p[i + 1] == 'f';

			rc = is_path ? buf_addstr(&word, path) : buf_addch(&word, p[i]);
			i += (size_t)is_path;
		}
		if (rc == 0 && len)
			rc = strvec_push(argv, word.p);
		buf_release(&word);
		p += len + (p[len] == ' ');
	}
	if (rc == 0 && argv->n == 0)
		rc = err_set(ERR_INVALID, "an empty command");
	return rc;
}

/* Feed the file `from` to the program and gather what it says in `to`, until it has said all. */
static int pump(struct run *r, int from, int to)
{
	char *piece = malloc(PIECE);
	size_t have = 0, done = 0;
	uint64_t at = 0;
	int rc = piece ? 0 : err_set(ERR_NOMEM, "out of memory");

	if (rc == 0)
		(void)fcntl(r->in_fd, F_SETFL, O_NONBLOCK);
	while (rc == 0) {
		struct pollfd fds[2] = {{r->out_fd, POLLIN, 0}, {r->in_fd, POLLOUT, 0}};
		ssize_t n;

		if (filter_stop)
			rc = err_set(ERR_INTERRUPTED, "interrupted");
		else if (poll(fds, 2, 100) < 0 && errno != EINTR)
			rc = err_sys("cannot wait for the program");
		if (rc == 0 && fds[1].revents && r->in_fd >= 0) {
			if (done == have) {
				n = fs_pread_full(from, piece, PIECE / 2, at);
				rc = n < 0 ? (int)n : 0;
				have = n > 0 ? (size_t)n : 0;
				done = 0;
				at += have;
			}
			n = rc == 0 && have ? write(r->in_fd, piece + done, have - done) : -1;
			if (n > 0)
				done += (size_t)n;
			if (rc == 0 && (!have || (n < 0 && errno != EAGAIN && errno != EINTR))) {
				close(r->in_fd); /* all of it, or it wants no more */
				r->in_fd = -1;
			}
		}
		if (rc == 0 && fds[0].revents) {
			n = read(r->out_fd, piece + PIECE / 2, PIECE / 2);
			if (n == 0)
				break;
			if (n > 0)
				rc = fs_write_full(to, piece + PIECE / 2, (size_t)n);
			else if (errno != EINTR)
				rc = err_sys("cannot read what the program says");
		}
	}
	free(piece);
	return rc;
}

/* One program; *fd is closed and replaced by its output. */
static int run_one(const struct filter *f, const struct lfsext *e, const char *command,
	const char *path, int *fd)
{
	struct run r = RUN_INIT;
	int to = -1, status = 0;
	int rc = command ? split(&r.argv, command, path ? path : "")
			 : err_set(ERR_INVALID, "it has no command for that");

	if (rc == 0)
		rc = to = filter_spool(f);
	r.in = r.out = RUN_PIPE;
	r.dir = f->git->worktree;
	if (rc >= 0)
		rc = run_start(&r);
	if (rc == 0) {
		rc = pump(&r, *fd, to);
		status = run_finish(&r);
	}
	if (rc == 0 && status != 0)
		rc = status < 0 ? status
				: err_set(ERR_INVALID, "'%s' ended with exit status %d", command,
					  status);
	run_release(&r);
	if (rc < 0) {
		if (to >= 0)
			close(to);
		return err_prefix(rc, "extension '%s'", e->name);
	}
	close(*fd);
	*fd = to;
	return 0;
}

static int take_all(int fd, const struct buf *head, struct source *in)
{
	const uint8_t *data;
	size_t len;
	int rc = fs_write_full(fd, head->p, head->len);

	while (rc == 0 && (rc = in->next(in, &data, &len)) > 0)
		rc = fs_write_full(fd, data, len);
	return rc;
}

/* The pointer's text: canonical, but for the lines of the extensions behind the first. */
static int format(struct buf *out, const struct buf *lines, const struct oid *oid, uint64_t size)
{
	char text[POINTER_CANONICAL_MAX];
	size_t len = pointer_format(text, oid, size);
	size_t first = (size_t)(strchr(text, '\n') + 1 - text);
	int rc = buf_add(out, text, first);

	if (rc == 0)
		rc = buf_add(out, buf_str(lines), lines->len);
	if (rc == 0)
		rc = buf_add(out, text + first, len - first);
	if (rc == 0 && out->len >= POINTER_MAX)
		rc = err_set(ERR_LIMIT, "the names of the extensions are too long for a pointer");
	return rc;
}

int extend_clean(struct filter *f, const char *path, const struct buf *head, struct source *in,
	struct buf *out)
{
	struct buf lines = BUF_INIT;
	struct oid before, after;
	uint64_t size;
	int fd = filter_spool(f), number = 0;
	int rc = fd < 0 ? fd : take_all(fd, head, in);

	if (rc == 0)
		rc = oid_of_file(&before, fd);
	for (int i = 0; rc == 0 && i < f->extensions.n; i++) {
		const struct lfsext *e = &f->extensions.v[i];
		char hex[OID_HEX_LEN + 1];

		rc = run_one(f, e, e->clean, path, &fd);
		if (rc == 0)
			rc = oid_of_file(&after, fd);
		if (rc < 0 || oid_eq(&before, &after))
			continue;
		oid_to_hex(hex, &before);
		rc = buf_addf(&lines, "ext-%d-%s sha256:%s\n", number++, e->name, hex);
		before = after;
	}
	if (rc == 0 && lseek(fd, 0, SEEK_SET) < 0)
		rc = err_sys("cannot read a temporary file");
	if (rc == 0)
		rc = store_put_file(f->store, fd, NULL, &after, &size);
	buf_reset(out);
	if (rc == 0)
		rc = format(out, &lines, &after, size);
	if (fd >= 0)
		close(fd);
	buf_release(&lines);
	return rc < 0 ? err_prefix(rc, "%s", path ? path : "clean") : 0;
}

/* Undo one: the program's, and what it gives back must be what there was. */
static int undo(
	const struct filter *f, const char *path, const struct pointer_extension *p, int *fd)
{
	const struct lfsext *e = lfsext_find(&f->extensions, p->name, p->name_len);
	struct oid got;
	int rc;

	if (!e)
		return err_set(ERR_NOTFOUND,
			"extension '%.*s' is not configured; set lfs.extension.%.*s.smudge, .clean "
			"and "
			".priority",
			(int)p->name_len, p->name, (int)p->name_len, p->name);
	rc = run_one(f, e, e->smudge, path, fd);
	if (rc == 0)
		rc = oid_of_file(&got, *fd);
	if (rc == 0 && !oid_eq(&got, &p->before))
		rc = err_set(ERR_CORRUPT, "extension '%s' gave back other bytes than there were",
			e->name);
	return rc;
}

static int to_fd(const void *data, size_t len, void *fd)
{
	return fs_write_full(*(const int *)fd, data, len);
}

int extend_smudge(struct filter *f, const char *path, const void *text, size_t len, int *fd)
{
	struct pointer_extension extensions[POINTER_EXTENSIONS_MAX];
	struct pointer p;
	int rc = pointer_parse(&p, text, len), n = 0, at;

	*fd = -1;
	if (rc == 0) {
		n = pointer_extensions(extensions, text, len);
		rc = at = filter_spool(f);
	}
	if (rc >= 0)
		rc = store_stream(f->store, &p.oid, p.size, to_fd, &at);
	while (rc == 0 && n > 0)
		rc = undo(f, path, &extensions[--n], &at);
	if (rc == 0)
		*fd = at;
	else if (at >= 0)
		close(at);
	return rc;
}
