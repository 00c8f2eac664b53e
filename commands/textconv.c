/*
 * `git dvx textconv FILE`: data as text, for `git show`, `git log -p`, `git blame` and `git grep
 * --textconv` (diff.dvx.textconv).  Git converts each version on its own and compares the texts, so
 * the same content must always give the same text, and nothing here can know about the other
 * version.
 *
 * It is called once for every version of every file of a history: it is quick, takes little memory,
 * fetches nothing, and does not fail for what is not here - Git would end the whole log.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands/command.h"
#include "commands/inside.h"
#include "commands/showfile.h"
#include "commands/tensors_print.h"
#include "commands/visible.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/lineage/rowcount.h"

enum { HASHED_MAX = 64 << 20 };

/* What cannot be written is main()'s to tell. */
static void put(const void *data, size_t len)
{
	fwrite(data, 1, len, stdout);
}

/* ---- in short ---- */

/* "data: 1,073,741,824 bytes, sha256 3f2a…" */
static int print_identity(struct showfile *f)
{
	char hex[OID_HEX_LEN + 1];
	struct buf line = BUF_INIT;
	int rc = showfile_identify(f);

	if (rc == 0)
		rc = buf_addstr(&line, "data: ");
	if (rc == 0)
		rc = buf_addcount(&line, f->size);
	oid_to_hex(hex, &f->oid);
	if (rc == 0)
		rc = buf_addf(&line, " bytes, sha256 %s\n", hex);
	if (rc == 0 && f->fd < 0)
		rc = buf_addstr(
			&line, "not in the local store; 'git dvx fetch --all-commits' gets it\n");
	if (rc == 0)
		put(line.p, line.len);
	buf_release(&line);
	return rc;
}

/* Counting reads all of it, so the number is remembered. */
static int count_rows(struct rowcount_entry *e, const struct showfile *f,
	const struct command_ctx *ctx, enum rows_format format)
{
	const struct rows_file table = {f->path, f->fd, f->size};
	struct strvec columns = STRVEC_INIT;
	struct rowcount *known = NULL;
	int rc = ctx->g != NULL ? rowcount_open(&known, &ctx->repo) : 0;

	if (rc == 0 && (known == NULL || !rowcount_find(known, &f->oid, e))) {
		rc = rows_count(&e->rows, &columns, &table, format);
		e->oid = f->oid;
		e->columns = (uint32_t)columns.n;
		if (rc == 0 && known != NULL)
			rc = rowcount_add(known, e);
	}
	rowcount_close(known);
	strvec_release(&columns);
	return rc;
}

static int add_first_line(struct buf *out, const struct showfile *f)
{
	char line[VISIBLE_MOST + 1];
	ssize_t n = fs_pread_full(f->fd, line, sizeof line - 1, 0);
	int rc;

	if (n < 0)
		return (int)n;
	line[n] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	rc = visible_text(out, line);
	return rc == 0 ? buf_addch(out, '\n') : rc;
}

/* What a large table is: how many rows and columns, and its header. */
static int print_table(const struct showfile *f, const struct command_ctx *ctx)
{
	enum rows_format format = ROWS_CSV;
	struct buf text = BUF_INIT;
	struct rowcount_entry e;
	int rc;

	rows_format_of(f->path, &format);
	rc = count_rows(&e, f, ctx, format);
	if (rc == 0)
		rc = buf_addstr(&text, "rows: ");
	if (rc == 0)
		rc = buf_addcount(&text, e.rows);
	if (rc == 0)
		rc = buf_addf(&text, "\ncolumns: %u\n", (unsigned)e.columns);
	if (rc == 0 && format != ROWS_JSONL)
		rc = add_first_line(&text, f);
	if (rc == 0)
		rc = buf_addstr(&text, "'git dvx diff --rows' shows which of them differ\n");
	if (rc == 0)
		put(text.p, text.len);
	buf_release(&text);
	return rc;
}

static int print_tensors(const struct showfile *f)
{
	struct tensor_file *t = NULL;
	struct buf text = BUF_INIT;
	int rc = tensor_open(&t, f->path, f->fd, f->size);

	if (rc == 0)
		rc = tensors_print_list(&text, t, f->size <= HASHED_MAX);
	if (rc == 0)
		put(buf_str(&text), text.len);
	tensor_close(t);
	buf_release(&text);
	return rc;
}

/* ---- which of them ---- */

static int print(struct showfile *f, struct command_ctx *ctx)
{
	enum inside_kind kind = inside_kind_of(f->path);
	int small = f->size <= showfile_text_max(ctx);
	int rc = small || kind != INSIDE_NOTHING ? showfile_need(f, ctx) : 0;

	if (rc == 0 && small && kind != INSIDE_TENSORS && showfile_is_text(f))
		return showfile_write(f, STDOUT_FILENO, !f->is_data && kind != INSIDE_ROWS);
	if (rc == 0)
		rc = print_identity(f);
	if (rc < 0 || f->fd < 0)
		return rc;
	if (kind == INSIDE_ROWS && showfile_is_text(f))
		rc = print_table(f, ctx);
	else if (kind == INSIDE_TENSORS)
		rc = print_tensors(f);
	if (rc == ERR_NOMEM || rc == ERR_IO)
		return rc;
	err_clear(); /* it is not what its name says */
	return 0;
}

int cmd_textconv(struct command_ctx *ctx, int argc, char **argv)
{
	const struct opt options[] = {OPT_END};
	struct showfile f = {.fd = -1};
	int n, rc;

	if (command_options(&rc, argc, argv, options, "git dvx textconv <file>", 0, &n))
		return rc;
	if (n != 1)
		return command_usage("one file, as Git names it; see 'git dvx textconv -h'");
	rc = showfile_begin(ctx);
	if (rc == 0)
		rc = showfile_open(&f, ctx, argv[1], NULL, argv[1]);
	if (rc == 0)
		rc = print(&f, ctx);
	showfile_close(&f);
	return rc;
}
