/*
 * `git-dvx-transfer lfs-ssh PATH OPERATION`, also by the name git-lfs-transfer: the far side of Git
 * LFS over SSH (docs/lfs-ssh.md).  Standard input and output are the connection; behind it are a
 * depot and a book of locks beside the repository.
 *
 * Nothing of the repository is run, and its configuration names nothing that is: whoever may write
 * into it must not thereby become whoever reads from it.
 */
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/opt.h"
#include "transfer/frontend.h"
#include "transfer/ssh/far_path.h"
#include "transfer/ssh/serve_lfs_internal.h"
#include "transfer/subcommands.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LOOK_MS = 1000, OWNER_MAX = 255 };

/* ---- answers ---- */

/* The status that Git LFS's API has for an error. */
static int status_of(int rc)
{
	switch (rc) {
	case ERR_NOTFOUND:
		return 404;
	case ERR_EXISTS:
		return 409;
	case ERR_INVALID:
		return 400;
	case ERR_DENIED:
		return 403;
	case ERR_LIMIT:
		return 507;
	case ERR_UNSUPPORTED:
		return 501;
	case ERR_REMOTE:
	case ERR_LOCKED:
	case ERR_INTERRUPTED:
		return 503;
	default:
		return 500;
	}
}

/* "status <code>" with the message as body. */
static int say(struct lfs_server *s, int code, const char *message)
{
	char status[16];
	int rc;

	snprintf(status, sizeof(status), "status %d", code);
	rc = lfsssh_head_write(&s->out, status, NULL);
	if (rc == 0)
		rc = pkt_write_delim(&s->out);
	if (rc == 0)
		rc = pkt_write_line(&s->out, message);
	return rc < 0 ? rc : pkt_write_flush(&s->out);
}

int serve_lfs_refuse_as(struct lfs_server *s, struct lfsssh_head *h, int status)
{
	char *why = strdup(err_msg()); /* the rest of the request may be broken in its own way */
	int rc = h->has_body ? lfsssh_body_skip(&s->in) : 0;

	if (rc == 0)
		rc = say(s, status, why ? why : "out of memory");
	free(why);
	return rc;
}

int serve_lfs_refuse(struct lfs_server *s, struct lfsssh_head *h, int rc)
{
	return serve_lfs_refuse_as(s, h, status_of(rc));
}

int serve_lfs_denied(const struct lfs_server *s)
{
	return err_set(ERR_DENIED, "%s",
		s->read_only ? "this repository is served for reading only"
			     : "this connection is for downloads only");
}

static int say_ok(struct lfs_server *s)
{
	int rc = lfsssh_head_write(&s->out, "status 200", NULL);

	return rc < 0 ? rc : pkt_write_flush(&s->out);
}

static int take_version(struct lfs_server *s, struct lfsssh_head *h, const char *version)
{
	if (strcmp(version, "1") == 0)
		return say_ok(s);
	return serve_lfs_refuse(
		s, h, err_set(ERR_INVALID, "this server speaks version 1, not '%.20s'", version));
}

/* 0, 1 at the client's "quit", or what ends the connection. */
static int answer(struct lfs_server *s, struct lfsssh_head *h)
{
	const char *operand;
	int rc;

	switch (lfsssh_command_parse(&operand, h->line)) {
	case LFSSSH_VERSION:
		return take_version(s, h, operand);
	case LFSSSH_BATCH:
		return serve_lfs_batch(s, h);
	case LFSSSH_GET:
		return serve_lfs_get(s, h, operand);
	case LFSSSH_PUT:
		return serve_lfs_put(s, h, operand);
	case LFSSSH_VERIFY:
		return serve_lfs_verify(s, h, operand);
	case LFSSSH_LOCK:
		return serve_lfs_lock(s, h);
	case LFSSSH_LIST_LOCK:
		return serve_lfs_list_lock(s, h);
	case LFSSSH_UNLOCK:
		return serve_lfs_unlock(s, h, operand);
	case LFSSSH_QUIT:
		rc = say_ok(s);
		return rc < 0 ? rc : 1;
	case LFSSSH_UNKNOWN:
		break;
	}
	return serve_lfs_refuse(s, h, err_set(ERR_INVALID, "unknown command '%.40s'", h->line));
}

/* ---- the connection ---- */

/* For the packets: what has been answered goes before we wait for more. */
static int wait_for(int fd, short events, void *data)
{
	struct lfs_server *s = data;
	struct pollfd ready = {.fd = fd, .events = events};
	int rc = events == POLLIN ? pkt_out_flush(&s->out) : 0;

	while (rc == 0) {
		int n = poll(&ready, 1, LOOK_MS);

		if (frontend_stop)
			return err_set(ERR_INTERRUPTED, "interrupted");
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			rc = err_sys("cannot wait for the client");
	}
	return rc;
}

static int do_not_block(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return err_sys("cannot set up the connection");
	return 0;
}

static int open_connection(struct lfs_server *s)
{
	int rc = do_not_block(STDOUT_FILENO);

	if (rc == 0)
		rc = pkt_reader_init(&s->in, STDIN_FILENO);
	if (rc == 0)
		rc = pkt_writer_init(&s->out, STDOUT_FILENO);
	s->in.wait = s->out.wait = wait_for;
	s->in.wait_data = s->out.wait_data = s;
	if (rc == 0)
		rc = lfsssh_head_write(&s->out, "version=1", "locking", NULL);
	return rc < 0 ? rc : pkt_write_flush(&s->out);
}

/* Until the client is done.  0 or an error. */
static int take_requests(struct lfs_server *s)
{
	struct lfsssh_head h;
	int rc;

	while ((rc = lfsssh_head_read(&h, &s->in)) == 1) {
		rc = answer(s, &h);
		lfsssh_head_release(&h);
		if (rc != 0)
			break;
	}
	if (rc == ERR_CORRUPT || rc == ERR_LIMIT) { /* tell, if that costs nothing */
		char *why = strdup(err_msg());

		if (why && say(s, 400, why) == 0)
			pkt_out_flush(&s->out);
		err_set(rc, "%s", why ? why : "out of memory");
		free(why);
	}
	if (rc >= 0)
		rc = pkt_out_flush(&s->out);
	return rc;
}

/* ---- the program ---- */

struct options {
	const char *owner;
	int read_only;
};

/* Whoever starts us for many people says who it is; else it is the account's own name. */
static int find_owner(struct lfs_server *s, const struct options *o)
{
	static const char *const names[] = {"GIT_DVX_OWNER", "GL_USERNAME", "GL_USER", "GL_ID"};
	const char *fixed = getenv(names[0]);
	struct passwd *account;

	/* whoever set the variable may have left the options to the client */
	if (o->owner && fixed && *fixed && strcmp(o->owner, fixed) != 0)
		return err_set(ERR_DENIED, "--owner is not who GIT_DVX_OWNER says");
	s->owner = o->owner;
	for (size_t i = 0; !s->owner && i < sizeof(names) / sizeof(*names); i++) {
		s->owner = getenv(names[i]);
		if (s->owner && !*s->owner)
			s->owner = NULL;
	}
	if (!s->owner && (account = getpwuid(getuid())))
		s->owner = account->pw_name;
	if (!s->owner || !*s->owner)
		return err_set(
			ERR_INVALID, "nobody knows who you are; set GIT_DVX_OWNER, or use --owner");
	for (const char *p = s->owner; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f || p - s->owner >= OWNER_MAX)
			return err_set(ERR_INVALID, "the name of the owner of locks is too long, "
						    "or has control characters");
	return 0;
}

static int find_operation(struct lfs_server *s, const struct options *o, const char *operation)
{
	const char *limit = getenv("GIT_DVX_READ_ONLY");
	int upload = strcmp(operation, "upload") == 0;

	s->read_only = o->read_only || (limit && *limit && strcmp(limit, "0") != 0);
	if (!upload && strcmp(operation, "download") != 0 && strcmp(operation, "lock") != 0)
		return err_set(ERR_INVALID, "unknown operation '%s'; there are upload and download",
			operation);
	s->upload = upload;
	s->may_put = upload && !s->read_only;
	s->may_lock = strcmp(operation, "download") != 0 && !s->read_only;
	return 0;
}

static int serve(const struct options *o, const char *path, const char *operation)
{
	struct lfs_server s = {.in.fd = -1, .out.fd = -1};
	int rc = find_operation(&s, o, operation);

	if (rc == 0)
		rc = find_owner(&s, o);
	if (rc == 0)
		rc = far_path_repository(&s.repository, path);
	if (rc == 0)
		rc = buf_addf(&s.state, "%s/dvx/server", s.repository);
	if (rc == 0)
		rc = config_load_global(&s.config);
	if (rc == 0)
		rc = open_connection(&s);
	if (rc == 0)
		rc = take_requests(&s);
	if (rc < 0)
		fprintf(stderr, "error: %s\n", err_msg());
	if (s.depot && depot_close(s.depot) < 0)
		fprintf(stderr, "warning: some objects are not in their final place yet: %s\n",
			err_msg());
	lockbook_close(s.locks);
	pkt_reader_release(&s.in);
	pkt_writer_release(&s.out);
	config_free(s.config);
	buf_release(&s.state);
	free(s.repository);
	return rc == ERR_INTERRUPTED ? 130 : rc < 0 ? 128 : 0;
}

int serve_lfs_main(int argc, char **argv)
{
	static const char usage[] =
		"git-dvx-transfer lfs-ssh [<options>] <path> (upload | download)";
	struct options o = {.owner = NULL};
	const struct opt table[] = {
		{0, "owner", OPT_VALUE, &o.owner, "<name>", "whose locks are the client's", 0},
		{0, "read-only", OPT_FLAG, &o.read_only, NULL, "let nothing be written or locked",
			0},
		OPT_END,
	};
	int n = 0;
	int rc = opt_parse(argc, argv, table, usage, 0, &n);

	if (rc > 0)
		return 0;
	if (rc == 0 && n != 2)
		rc = err_set(ERR_INVALID, "say which repository to serve, and upload or download; "
					  "see 'git-dvx-transfer lfs-ssh -h'");
	if (rc < 0) {
		fprintf(stderr, "error: %s\n", err_msg());
		return 129;
	}
	return serve(&o, argv[1], argv[2]);
}
