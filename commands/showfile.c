/*
 * Git names temporary files and files of the worktree.  Which of them are data is told by what they
 * hold (a pointer), by the object that Git says it is, or by the index.
 */
#include "commands/showfile.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands/inside.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/repo/datafile.h"
#include "lib/store/pointer.h"
#include "lib/worktree/gitindex.h"

/* What Git looks at to tell text from binary files. */
enum { HEAD = 8000, PIECE = 64 * 1024, TEXT_MAX = 16 << 20 };

int showfile_begin(struct command_ctx *ctx)
{
	int rc = 0;

	if (ctx->g == NULL)
		return command_config(ctx);
	if (ctx->c == NULL)
		rc = config_load_tolerant(&ctx->c, ctx->g);
	return rc == 0 ? command_repo(ctx) : rc;
}

static struct datafile object_of(const struct showfile *f)
{
	return (struct datafile){
		.kind = DATAFILE_OBJECT, .path = f->path, .oid = f->oid, .size = f->size};
}

/* It is a pointer: its file is of no more use. */
static int find_object(struct showfile *f, struct command_ctx *ctx, const struct pointer *p)
{
	struct datafile d;
	int rc = command_store(ctx);

	showfile_close(f);
	f->is_data = f->has_oid = 1;
	f->oid = p->oid;
	f->size = p->size;
	d = object_of(f);
	if (rc == 0 && !datafile_is_here(&d, ctx->s))
		f->lack = "not in the local store; 'git dvx fetch --all-commits' gets it";
	return rc;
}

int showfile_need(struct showfile *f, struct command_ctx *ctx)
{
	struct datafile d = object_of(f);
	uint64_t size;
	int rc;

	if (f->fd >= 0 || !f->is_data || f->lack != NULL)
		return 0;
	rc = datafile_open(&f->fd, &size, &d, &ctx->repo, ctx->s);
	if (rc < 0)
		f->lack = "damaged in the local store; 'git dvx fsck' says more";
	return rc == ERR_NOMEM ? rc : 0;
}

/* What Git has in this object. */
static int look_at_blob(struct showfile *f, struct command_ctx *ctx, const char *blob)
{
	struct datafile d;
	uint8_t id[REPO_ID_MAX];
	int rc = command_repo(ctx);

	if (rc < 0)
		return rc;
	rc = repo_id_parse(id, &ctx->repo, blob);
	if (rc == 0)
		rc = datafile_of_blob(&d, &ctx->repo, id, f->path);
	if (rc < 0) { /* Git has just read it: nothing to complain about */
		err_clear();
		return 0;
	}
	if (d.kind == DATAFILE_OBJECT) {
		f->is_data = 1;
		f->has_oid = f->size == d.size; /* else it is filtered some more */
		f->oid = d.oid;
	}
	return 0;
}

struct search {
	const char *path;
	struct stat st;
	uint32_t time; /* of the index */
	int unchanged;
	uint8_t id[REPO_ID_MAX];
};

static int look_at_entry(const struct gitindex_entry *e, void *data)
{
	struct search *s = data;

	if (e->stage != 0 || strcmp(e->path, s->path) != 0)
		return 0;
	/* one that is as young as the index may have changed since */
	s->unchanged = e->st.mtime_sec < s->time && gitindex_stat_match(&e->st, &s->st);
	memcpy(s->id, e->id, sizeof s->id);
	return 1;
}

/* What the index knows of a file of the worktree. */
static int look_at_index(struct showfile *f, struct command_ctx *ctx, const char *file)
{
	struct search s = {.path = file};
	struct gitindex *x = NULL;
	struct datafile d;
	int rc = command_repo(ctx);

	if (rc < 0 || *file == '/' || fstat(f->fd, &s.st) < 0)
		return rc;
	rc = gitindex_read(&x, ctx->g->index, ctx->repo.hash_len);
	if (rc == 0)
		s.time = gitindex_timestamp(x);
	if (rc == 0 && gitindex_each(x, look_at_entry, &s) == 1 &&
		datafile_of_blob(&d, &ctx->repo, s.id, f->path) == 0 && d.kind == DATAFILE_OBJECT) {
		f->is_data = 1;
		f->has_oid = s.unchanged && d.size == f->size;
		f->oid = d.oid;
	}
	gitindex_free(x);
	err_clear();
	return 0;
}

static int open_file(struct showfile *f, const char *file)
{
	struct stat st;

	f->fd = open(file, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (f->fd < 0 || fstat(f->fd, &st) < 0)
		return err_sys("cannot open '%s'", file);
	if (!S_ISREG(st.st_mode))
		return err_set(ERR_INVALID, "'%s' is not a file", file);
	f->size = (uint64_t)st.st_size;
	return 0;
}

int showfile_open(struct showfile *out, struct command_ctx *ctx, const char *file, const char *blob,
	const char *path)
{
	char text[POINTER_MAX];
	struct pointer p;
	ssize_t len;
	int rc;

	*out = (struct showfile){.path = path, .fd = -1};
	if (strcmp(file, "/dev/null") == 0)
		return 0;
	rc = open_file(out, file);
	if (rc < 0 || ctx->g == NULL)
		return rc;
	len = out->size < POINTER_MAX ? fs_pread_full(out->fd, text, sizeof text, 0) : 0;
	if (len > 0 && pointer_parse(&p, text, (size_t)len) == 0)
		return find_object(out, ctx, &p);
	if (blob != NULL && strspn(blob, "0") != strlen(blob))
		return look_at_blob(out, ctx, blob);
	return look_at_index(out, ctx, file);
}

void showfile_close(struct showfile *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}

int showfile_is_absent(const struct showfile *f)
{
	return f->fd < 0 && !f->is_data;
}

int showfile_identify(struct showfile *f)
{
	int rc = 0;

	if (f->has_oid || f->fd < 0)
		return 0;
	rc = oid_of_file(&f->oid, f->fd);
	f->has_oid = rc == 0;
	return rc;
}

/* Control characters that no text has; escapes are those of coloured logs. */
static int has_controls(const char *head, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)head[i] < ' ' && strchr("\t\n\r\f\x1b", head[i]) == NULL)
			return 1;
	return 0;
}

int showfile_is_text(const struct showfile *f)
{
	char head[HEAD];
	ssize_t len = f->fd >= 0 ? fs_pread_full(f->fd, head, sizeof head, 0) : -1;

	if (len < 0 || memchr(head, '\0', (size_t)len) != NULL)
		return 0;
	return !f->is_data || inside_kind_of(f->path) == INSIDE_ROWS ||
	       !has_controls(head, (size_t)len);
}

/* ---- as text ---- */

uint64_t showfile_text_max(const struct command_ctx *ctx)
{
	int64_t max = ctx->c != NULL ? config_int(ctx->c, "dvx.difftextmax", TEXT_MAX) : TEXT_MAX;

	return max < 0 ? TEXT_MAX : (uint64_t)max;
}

/* `last` is the byte before. */
static void disarm(char *p, size_t n, unsigned char last)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)p[i];
		int c1 = last == 0xc2 && c >= 0x80 && c < 0xa0; /* U+0080 to U+009F */

		if ((c < ' ' && c != '\n' && c != '\t' && c != '\r') || c == 0x7f || c1)
			p[i] = '?';
		if (c1 && i > 0)
			p[i - 1] = '?';
		last = c;
	}
}

int showfile_write(const struct showfile *f, int to, int as_it_is)
{
	unsigned char last = 0, next;
	char *piece = malloc(PIECE);
	uint64_t at = 0;
	ssize_t n = 1;
	int rc = piece != NULL ? 0 : err_no_memory();

	while (rc == 0 && (n = fs_pread_full(f->fd, piece, PIECE, at)) > 0) {
		at += (uint64_t)n;
		next = (unsigned char)piece[n - 1];
		if (!as_it_is)
			disarm(piece, (size_t)n, last);
		last = next;
		rc = fs_write_full(to, piece, (size_t)n);
	}
	free(piece);
	return rc < 0 ? rc : n < 0 ? (int)n : 0;
}
