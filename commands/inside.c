/*
 * The choice between rows and tensors, made once.  Comparing is the work of lib/table and
 * lib/tensor, printing that of rows_print.c and tensors_print.c.
 */
#include "commands/inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "commands/rows_print.h"
#include "commands/tensors_print.h"
#include "lib/base/err.h"
#include "lib/repo/tablekey.h"

enum inside_kind inside_kind_of(const char *path)
{
	enum tensor_format tensors;
	enum rows_format rows;

	if (rows_format_of(path, &rows))
		return INSIDE_ROWS;
	if (tensor_format_of(path, NULL, 0, &tensors) && tensors != TENSOR_PICKLE)
		return INSIDE_TENSORS;
	return INSIDE_NOTHING;
}

const char *inside_word(enum inside_kind kind)
{
	return kind == INSIDE_TENSORS ? "tensors" : "rows";
}

/* ---- rows ---- */

static int compare_rows(struct rowdiff **out, const struct inside *i)
{
	const struct rowdiff_options o = {.key = i->key, .tmp_dir = i->tmp_dir, .stop = i->stop};
	enum rows_format format = ROWS_CSV;
	int rc;

	rows_format_of(i->path, &format);
	rc = rowdiff_new(out, &i->old, &i->now, format, &o);
	return rc == ERR_NOTFOUND && i->declared ? tablekey_blame(rc, i->declared, i->path) : rc;
}

static int with_rows(const struct inside *i,
	int (*print)(struct rowdiff *d, const struct rows_print *o), struct node **node)
{
	const struct rows_print o = {.most = i->most, .color = i->color, .path = i->path};
	struct rowdiff *d = NULL;
	int rc = compare_rows(&d, i);

	if (rc == 0 && i->apart)
		putchar('\n');
	if (rc == 0)
		rc = print != NULL ? print(d, &o) : rows_print_node(node, d, i->most);
	rowdiff_free(d);
	return rc;
}

/* ---- tensors ---- */

static int with_tensors(const struct inside *i,
	int (*print)(const struct tensordiff *d, const struct rows_print *o), struct node **node)
{
	const struct rows_print o = {.most = i->most, .color = i->color, .path = i->path};
	struct tensor_file *old = NULL, *now = NULL;
	struct tensordiff d = {0};
	int rc;

	if (i->old.fd < 0 || i->now.fd < 0)
		return err_set(ERR_INVALID, "'%s' has no other version to compare with", i->path);
	rc = tensor_open(&old, i->old.name, i->old.fd, i->old.size);
	if (rc == 0)
		rc = tensor_open(&now, i->now.name, i->now.fd, i->now.size);
	if (rc == 0)
		rc = tensordiff_run(&d, old, now, i->stop);
	if (rc == 0 && i->apart)
		putchar('\n');
	if (rc == 0)
		rc = print != NULL ? print(&d, &o) : tensors_print_node(node, &d, i->most);
	tensordiff_release(&d);
	tensor_close(old);
	tensor_close(now);
	return rc;
}

/* ---- either ---- */

int inside_print(const struct inside *i)
{
	return i->kind == INSIDE_TENSORS ? with_tensors(i, tensors_print_text, NULL)
					 : with_rows(i, rows_print_text, NULL);
}

int inside_print_markdown(const struct inside *i)
{
	return i->kind == INSIDE_TENSORS ? with_tensors(i, tensors_print_markdown, NULL)
					 : with_rows(i, rows_print_markdown, NULL);
}

int inside_node(struct node **out, const struct inside *i)
{
	return i->kind == INSIDE_TENSORS ? with_tensors(i, NULL, out) : with_rows(i, NULL, out);
}

/* ---- where and how ---- */

const char *inside_tmp_dir(const struct command_ctx *ctx)
{
	return access(ctx->g->git_dir, W_OK) == 0 ? ctx->g->git_dir : NULL;
}

int inside_color(const struct config *c)
{
	const char *when = config_get(c, "color.diff");
	const char *terminal = getenv("TERM");

	if (when == NULL)
		when = config_get(c, "color.ui");
	if (when != NULL && strcasecmp(when, "always") == 0)
		return 1;
	if (when != NULL && strcasecmp(when, "never") == 0)
		return 0;
	/* "auto" and every other "yes" */
	if (when != NULL && strcasecmp(when, "auto") != 0 &&
		!config_bool(c, config_get(c, "color.diff") != NULL ? "color.diff" : "color.ui", 1))
		return 0;
	if (terminal == NULL || strcmp(terminal, "dumb") == 0)
		return 0;
	return isatty(STDOUT_FILENO) ||
	       (getenv("GIT_PAGER_IN_USE") != NULL && config_bool(c, "color.pager", 1));
}
