/*
 * `git dvx pointer`: make the pointer of a file, look at one, or compare the two.  Words, streams
 * and exit statuses are those of Git LFS's command, which scripts rely on: the pointer itself on
 * stdout, everything around it on stderr.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands/command.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/store/oid.h"
#include "lib/store/pointer.h"

enum { NOT_CANONICAL = 2 }; /* exit status of --check --strict */

struct pointer_options {
	const char *file, *pointer;
	int use_stdin, check, strict, no_strict;
};

/* Read at most one byte more than a pointer may have: what is longer is none. */
static int read_pointer_text(struct buf *out, const char *path)
{
	int fd = STDIN_FILENO, rc;
	ssize_t n;

	if (path != NULL) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return err_sys("cannot open '%s'", path);
	}
	rc = buf_grow(out, POINTER_MAX);
	if (rc == 0) {
		n = fs_read_full(fd, out->p, POINTER_MAX);
		if (n < 0)
			rc = err_prefix(
				(int)n, "cannot read '%s'", path != NULL ? path : "standard input");
		else
			out->p[out->len = (size_t)n] = '\0';
	}
	if (path != NULL)
		close(fd);
	return rc;
}

static int hash_file(const char *path, struct oid *oid, uint64_t *size)
{
	enum { PIECE = 1 << 17 };
	static char piece[PIECE];
	struct oid_ctx ctx;
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_sys("cannot open '%s'", path);
	oid_init(&ctx);
	while ((n = fs_read_full(fd, piece, sizeof(piece))) > 0) {
		oid_update(&ctx, piece, (size_t)n);
		*size += (uint64_t)n;
	}
	close(fd);
	if (n < 0)
		return err_prefix((int)n, "cannot read '%s'", path);
	oid_final(&ctx, oid);
	return 0;
}

static void print_blob_id(const struct command_ctx *ctx, const void *text, size_t len)
{
	int hash_len = ctx->g != NULL ? ctx->repo.hash_len : 20;
	uint8_t id[32];

	githash_blob(id, hash_len, text, len);
	fputs("\nGit blob OID: ", stderr);
	for (int i = 0; i < hash_len; i++)
		fprintf(stderr, "%02x", id[i]);
	fputs("\n", stderr);
}

static int check(const struct pointer_options *o)
{
	struct buf text = BUF_INIT;
	struct pointer p;
	int rc;

	if (o->pointer != NULL)
		return command_usage("--check cannot be combined with --pointer");
	if (o->file != NULL && o->use_stdin)
		return command_usage("with --check, --file cannot be combined with --stdin");
	if (o->file == NULL && !o->use_stdin)
		return command_usage("--check needs --file or --stdin");
	rc = read_pointer_text(&text, o->file);
	if (rc == 0) {
		if (text.len == 0)
			rc = COMMAND_OK; /* the empty file stands for itself */
		else if (pointer_parse(&p, buf_str(&text), text.len) < 0)
			rc = COMMAND_NO;
		else if (o->strict && !p.canonical)
			rc = NOT_CANONICAL;
	}
	buf_release(&text);
	return rc;
}

/* The pointer of o->file, appended to `out`. */
static int build(const struct pointer_options *o, struct buf *out)
{
	char text[POINTER_CANONICAL_MAX];
	struct oid oid;
	uint64_t size = 0;
	int rc = hash_file(o->file, &oid, &size);

	if (rc < 0)
		return rc;
	fprintf(stderr, "Git LFS pointer for %s\n\n", o->file);
	if (size == 0) /* the empty file is its own pointer */
		return 0;
	rc = buf_add(out, text, pointer_format(text, &oid, size));
	fflush(stderr);
	fputs(buf_str(out), stdout);
	fflush(stdout);
	return rc;
}

/* Show the pointer given with --pointer or --stdin, appended to `out`. */
static int show(const struct pointer_options *o, struct buf *out)
{
	struct pointer p;
	int rc = read_pointer_text(out, o->use_stdin ? NULL : o->pointer);

	if (rc < 0)
		return rc;
	fprintf(stderr, "Pointer from %s\n\n", o->use_stdin ? "STDIN" : o->pointer);
	if (pointer_parse(&p, buf_str(out), out->len) < 0) {
		fprintf(stderr, "error: %s\n", err_msg());
		return COMMAND_NO;
	}
	fputs(buf_str(out), stderr);
	return 0;
}

static int build_and_compare(const struct command_ctx *ctx, const struct pointer_options *o)
{
	int given = o->pointer != NULL || o->use_stdin;
	struct buf built = BUF_INIT, shown = BUF_INIT;
	int rc = 0;

	if (o->file != NULL) {
		rc = build(o, &built);
		if (rc != 0)
			goto done;
		if (given) {
			print_blob_id(ctx, buf_str(&built), built.len);
			fputs("\n", stderr);
		}
	}
	if (given) {
		rc = show(o, &shown);
		if (rc != 0)
			goto done;
	}
	if (o->file != NULL && given) {
		print_blob_id(ctx, buf_str(&shown), shown.len);
		if (built.len != shown.len ||
			memcmp(buf_str(&built), buf_str(&shown), built.len) != 0) {
			fputs("\nPointers do not match\n", stderr);
			rc = COMMAND_NO;
		}
	}
done:
	buf_release(&built);
	buf_release(&shown);
	return rc;
}

int cmd_pointer(struct command_ctx *ctx, int argc, char **argv)
{
	struct pointer_options o = {0};
	const struct opt options[] = {
		{'f', "file", OPT_VALUE, &o.file, "<file>", "make the pointer of this file", 0},
		{'p', "pointer", OPT_VALUE, &o.pointer, "<pointer>",
			"show this pointer file; compare it with --file", 0},
		{0, "stdin", OPT_FLAG, &o.use_stdin, NULL,
			"the same with the pointer on standard input", 0},
		{0, "check", OPT_FLAG, &o.check, NULL,
			"only say by the exit status whether it is a pointer (1: it is not)", 0},
		{0, "strict", OPT_FLAG, &o.strict, NULL,
			"with --check: exit 2 when it is not written canonically", 0},
		OPT_END};
	int n, rc;

	if (command_options(&rc, argc, argv, options,
		    "git dvx pointer --file=<file> [--pointer=<pointer> | --stdin]\n"
		    "git dvx pointer --check [--strict] (--file=<file> | --stdin)",
		    0, &n))
		return rc;
	if (n > 0)
		return command_usage("unexpected argument '%s'; see 'git dvx pointer -h'", argv[1]);
	if (o.use_stdin && o.pointer != NULL)
		return command_usage("--stdin cannot be combined with --pointer");
	if (o.check)
		return check(&o);
	if (o.file == NULL && o.pointer == NULL && !o.use_stdin)
		return command_usage("nothing to do; see 'git dvx pointer -h'");
	if (ctx->g != NULL && (rc = command_repo(ctx)) < 0)
		return rc;
	return build_and_compare(ctx, &o);
}
