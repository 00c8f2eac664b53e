/*
 * Calls one operation of a remote (transfer/remote/remote.h) for shell tests: what kind it is and
 * what is around it is chosen as for a push, by the repository it runs in.
 *
 *   remote-tool REMOTE list fragments|packs|runs a line "CLASS NAME SIZE MTIME" each, then "now
 * TIME" remote-tool REMOTE size CLASS NAME           the size remote-tool REMOTE get CLASS NAME
 * FROM LEN   the bytes remote-tool REMOTE put CLASS FILE            0, or 1 when it was there
 *   remote-tool REMOTE put-again CLASS FILE      stopped first, then again with the same file
 *   remote-tool REMOTE remove CLASS NAME
 *   remote-tool REMOTE describe CLASS NAME       its place, for messages
 *   remote-tool REMOTE crowd THREADS             blobs of their own and one of all, all at once
 *   remote-tool REMOTE stopped CLASS FILE        what each operation says when it is asked to stop
 *   remote-tool REMOTE stop-soon CLASS NAME      read until the flag that another thread sets is
 * seen
 *
 * CLASS is pack, fragment, notice or runs.  Failures: "error: <code>: <message>" and exit status
 * 128.
 */
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/workers.h"
#include "transfer/frontend.h"
#include "transfer/remote/remote.h"

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CROWD_BYTES = 300 * 1000, PIECE = 1024 * 1024 };

static const char *const classes[] = {
	[REMOTE_PACK] = "pack",
	[REMOTE_FRAGMENT] = "fragment",
	[REMOTE_NOTICE] = "notice",
	[REMOTE_RUNS] = "runs",
};

static const char *code_name(int rc)
{
	static const char *const names[] = {"ok", "io", "notfound", "exists", "corrupt", "invalid",
		"limit", "nomem", "locked", "changed", "unsupported", "remote", "denied",
		"interrupted"};

	return rc <= 0 && -rc < (int)(sizeof(names) / sizeof(*names)) ? names[-rc] : "odd";
}

static int parse_class(const char *text, enum remote_class *c)
{
	for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++) {
		if (strcmp(text, classes[i]) == 0) {
			*c = (enum remote_class)i;
			return 0;
		}
	}
	return err_set(ERR_INVALID, "no class '%s'", text);
}

/* ---- one operation each ---- */

static int print_entry(const struct remote_entry *e, void *data)
{
	char hex[OID_HEX_LEN + 1];

	(void)data;
	oid_to_hex(hex, &e->name);
	printf("%s %s %" PRIu64 " %" PRId64 "\n", classes[e->class], hex, e->size, e->mtime);
	return 0;
}

static int list(struct remote *r, char **argv)
{
	int64_t now = 0;
	enum remote_listing what = REMOTE_LIST_FRAGMENTS;
	int rc;

	while (what < REMOTE_LIST_RUNS && strcmp(argv[0], remote_listing_folder(what)) != 0)
		what++;
	rc = r->ops->list(r, what, print_entry, NULL, &now);
	if (rc == 0)
		printf("now %" PRId64 "\n", now);
	return rc;
}

static int size(struct remote *r, enum remote_class c, const struct oid *name)
{
	uint64_t n = 0;
	int rc = r->ops->size(r, c, name, &n);

	if (rc == 0)
		printf("%" PRIu64 "\n", n);
	return rc;
}

static int get(struct remote *r, enum remote_class c, const struct oid *name, char **argv)
{
	uint64_t from = strtoull(argv[0], NULL, 10);
	size_t len = strtoull(argv[1], NULL, 10);
	char *bytes = malloc(len + 1);
	ssize_t n =
		bytes ? r->ops->get(r, c, name, from, bytes, len) : err_set(ERR_NOMEM, "memory");
	int rc = n < 0 ? (int)n : fs_write_full(STDOUT_FILENO, bytes, (size_t)n);

	free(bytes);
	return rc;
}

/* Fill the put with the file; *name and *len say what it is. */
static int fill(struct remote_put *put, const char *path, struct oid *name, uint64_t *len)
{
	struct oid_ctx hash;
	char *piece = malloc(PIECE);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 || !piece ? err_sys("cannot open '%s'", path) : 1;

	*len = 0;
	oid_init(&hash);
	while (n > 0 && (n = fs_read_full(fd, piece, PIECE)) > 0) {
		oid_update(&hash, piece, (size_t)n);
		*len += (uint64_t)n;
		if (fs_write_full(put->fd, piece, (size_t)n) < 0)
			n = ERR_IO;
	}
	oid_final(&hash, name);
	if (fd >= 0)
		close(fd);
	free(piece);
	return (int)n;
}

static int put(struct remote *r, enum remote_class c, const char *path, int again)
{
	struct remote_put *p = NULL;
	struct oid name;
	uint64_t len;
	int rc = r->ops->put_begin(r, c, &p);

	if (rc == 0)
		rc = fill(p, path, &name, &len);
	if (rc == 0 && again) {
		frontend_stop = 1;
		printf("%s ", code_name(r->ops->put_commit(r, p, &name, len)));
		frontend_stop = 0;
	}
	if (rc == 0)
		rc = r->ops->put_commit(r, p, &name, len);
	if (rc >= 0)
		printf("%d\n", rc);
	r->ops->put_free(p);
	return rc < 0 ? rc : 0;
}

static int describe(struct remote *r, enum remote_class c, const struct oid *name)
{
	struct buf place = BUF_INIT;
	int rc = r->ops->describe(r, c, name, &place);

	if (rc == 0)
		puts(buf_str(&place));
	buf_release(&place);
	return rc;
}

/* ---- many at once ---- */

static void make_bytes(char *bytes, unsigned seed)
{
	uint64_t x = 88172645463325252u + seed;

	for (size_t i = 0; i < CROWD_BYTES; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		bytes[i] = (char)x;
	}
}

static int find_entry(const struct remote_entry *e, void *data)
{
	struct remote_entry *wanted = data;

	if (oid_eq(&e->name, &wanted->name))
		*wanted = *e;
	return 0;
}

/* Put, and find it by every other operation. */
static int put_and_look(struct remote *r, unsigned seed, char *bytes, char *back)
{
	struct remote_entry e = {.size = 0};
	uint64_t n = 0;
	int rc;

	make_bytes(bytes, seed);
	oid_of(&e.name, bytes, CROWD_BYTES);
	rc = remote_put_bytes(r, REMOTE_FRAGMENT, &e.name, bytes, CROWD_BYTES);
	if (rc >= 0)
		rc = r->ops->size(r, REMOTE_FRAGMENT, &e.name, &n);
	if (rc == 0 && n != CROWD_BYTES)
		rc = err_set(ERR_CORRUPT, "wrong size");
	if (rc == 0)
		rc = (int)r->ops->get(r, REMOTE_FRAGMENT, &e.name, seed, back, CROWD_BYTES - seed);
	if (rc >= 0)
		rc = (size_t)rc == CROWD_BYTES - seed &&
				     memcmp(bytes + seed, back, CROWD_BYTES - seed) == 0
			     ? 0
			     : err_set(ERR_CORRUPT, "wrong bytes");
	if (rc == 0)
		rc = r->ops->list(r, REMOTE_LIST_FRAGMENTS, find_entry, &e, NULL);
	if (rc == 0 && e.size != CROWD_BYTES)
		rc = err_set(ERR_CORRUPT, "it is not listed");
	return rc;
}

static int crowd_member(size_t i, void *data)
{
	char *bytes = malloc(2 * CROWD_BYTES);
	int rc = bytes ? 0 : err_set(ERR_NOMEM, "out of memory");

	if (rc == 0)
		rc = put_and_look(data, 0, bytes, bytes + CROWD_BYTES);
	if (rc == 0)
		rc = put_and_look(data, 1 + (unsigned)i, bytes, bytes + CROWD_BYTES);
	free(bytes);
	return rc;
}

/* ---- asked to stop ---- */

static int stopped(struct remote *r, enum remote_class c, const char *path)
{
	struct remote_put *p = NULL;
	struct oid name;
	uint64_t len, n;
	char byte;
	int rc = r->ops->put_begin(r, c, &p);

	if (rc == 0)
		rc = fill(p, path, &name, &len);
	if (rc < 0)
		return rc;
	frontend_stop = 1;
	printf("put %s\n", code_name(r->ops->put_commit(r, p, &name, len)));
	printf("size %s\n", code_name(r->ops->size(r, c, &name, &n)));
	printf("get %s\n", code_name((int)r->ops->get(r, c, &name, 0, &byte, 1)));
	printf("list %s\n",
		code_name(r->ops->list(r, REMOTE_LIST_FRAGMENTS, print_entry, NULL, NULL)));
	printf("remove %s\n", code_name(r->ops->remove(r, c, &name)));
	frontend_stop = 0;
	r->ops->put_free(p);
	return 0;
}

static void *stop_after_a_while(void *data)
{
	usleep(100 * 1000);
	frontend_stop = 1;
	return data;
}

static int stop_soon(struct remote *r, enum remote_class c, const struct oid *name)
{
	pthread_t stopper;
	char *bytes = malloc(PIECE);
	ssize_t n = 0;

	if (!bytes || pthread_create(&stopper, NULL, stop_after_a_while, NULL) != 0) {
		free(bytes);
		return err_set(ERR_NOMEM, "out of memory");
	}
	while (n >= 0)
		n = r->ops->get(r, c, name, 0, bytes, PIECE);
	pthread_join(stopper, NULL);
	frontend_stop = 0;
	puts(code_name((int)n));
	free(bytes);
	return 0;
}

/* ---- which ---- */

static int run(struct remote *r, int argc, char **argv)
{
	const char *what = argv[0];
	enum remote_class c = REMOTE_PACK;
	struct oid name;
	int rc;

	if (argc == 2 && strcmp(what, "list") == 0)
		return list(r, argv + 1);
	if (argc == 2 && strcmp(what, "crowd") == 0)
		return workers_run(atoi(argv[1]), (size_t)atoi(argv[1]), crowd_member, r);
	if (argc < 3)
		return err_set(ERR_INVALID, "usage: see tests/tools/remote-tool.c");
	rc = parse_class(argv[1], &c);
	if (rc == 0 && strncmp(what, "put", 3) == 0)
		return put(r, c, argv[2], strcmp(what, "put-again") == 0);
	if (rc == 0 && strcmp(what, "stopped") == 0)
		return stopped(r, c, argv[2]);
	if (rc == 0)
		rc = oid_from_hex(&name, argv[2]);
	if (rc < 0)
		return rc;
	if (strcmp(what, "size") == 0)
		return size(r, c, &name);
	if (argc == 5 && strcmp(what, "get") == 0)
		return get(r, c, &name, argv + 3);
	if (strcmp(what, "remove") == 0)
		return r->ops->remove(r, c, &name);
	if (strcmp(what, "describe") == 0)
		return describe(r, c, &name);
	if (strcmp(what, "stop-soon") == 0)
		return stop_soon(r, c, &name);
	return err_set(ERR_INVALID, "no operation '%s'", what);
}

int main(int argc, char **argv)
{
	struct frontend_options o = {.remote = argc > 1 ? argv[1] : NULL};
	struct engine e;
	struct remote *r = NULL;
	int rc = frontend_open(&e, &o);

	if (rc == 0 && argc < 3)
		rc = err_set(ERR_INVALID, "usage: see tests/tools/remote-tool.c");
	if (rc == 0)
		rc = frontend_resolve(&e, &o, NULL);
	if (rc == 0) {
		const struct remote_context context = {e.git, e.config, e.stop};

		rc = remote_open(&r, e.spec, &context);
	}
	if (rc == 0)
		rc = run(r, argc - 2, argv + 2);
	if (fflush(stdout) != 0 && rc == 0)
		rc = err_sys("cannot write");
	if (rc < 0)
		fprintf(stderr, "error: %s: %s\n", code_name(rc), err_msg());
	remote_close(r);
	frontend_close(&e);
	return rc < 0 ? 128 : 0;
}
