/*
 * Commands that differ, code that stages were run with, other files, and the commits in between.
 */
#include <string.h>

#include "commands/trace_page.h"
#include "commands/trace_print.h"

enum { COMMIT_SHOWN = 10, COMMITS_SHOWN = 10, FILES_SHOWN = 10 };

static int put_command(struct trace_page *p, const char *sign, const struct node *lines)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && lines->type == NODE_LIST && i < lines->n; i++) {
		rc = trace_page_line(p);
		if (rc == 0)
			rc = buf_addf(p->out, "%s ", sign);
		if (rc == 0)
			rc = trace_page_text(p, lines->items[i]->text);
		if (rc == 0)
			rc = buf_addch(p->out, '\n');
	}
	return rc;
}

int trace_diff_commands(struct trace_page *p)
{
	const struct node *list = node_get(p->answer, "stages");
	int rc = list->n > 0 ? trace_page_section(p, "commands") : 0;

	for (size_t i = 0; rc == 0 && i < list->n; i++) {
		const struct node *cmd = node_get(list->items[i], "cmd");

		rc = trace_page_entry(p);
		if (rc == 0)
			rc = trace_page_text(p, trace_page_string(list->items[i], "name"));
		if (rc == 0)
			rc = buf_addf(
				p->out, "  %s\n", trace_page_string(list->items[i], "status"));
		if (rc == 0)
			rc = put_command(p, p->md ? "old:" : "-", node_get(cmd, "old"));
		if (rc == 0)
			rc = put_command(p, p->md ? "new:" : "+", node_get(cmd, "new"));
	}
	return rc;
}

static int put_stage_code(struct trace_page *p, const struct node *list)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < list->n; i++) {
		rc = trace_page_entry(p);
		if (rc == 0)
			rc = trace_page_path(p, trace_page_string(list->items[i], "path"));
		if (rc == 0)
			rc = buf_addf(p->out, "  %s, run by ",
				trace_page_string(list->items[i], "status"));
		if (rc == 0)
			rc = trace_page_text(p, trace_page_string(list->items[i], "stage"));
		if (rc == 0)
			rc = buf_addch(p->out, '\n');
	}
	return rc;
}

/* A file that a stage ran was told of already. */
static int is_stage_code(const struct node *list, const char *path)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(trace_page_string(list->items[i], "path"), path) == 0)
			return 1;
	return 0;
}

static int put_files(struct trace_page *p, const struct node *code)
{
	const struct node *list = node_get(code, "files"), *ran = node_get(code, "stages");
	size_t n = 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < list->n; i++) {
		const char *path = trace_page_string(list->items[i], "path");

		if (is_stage_code(ran, path) || n++ >= FILES_SHOWN)
			continue;
		rc = trace_page_entry(p);
		if (rc == 0)
			rc = trace_page_path(p, path);
		if (rc == 0)
			rc = buf_addf(
				p->out, "  %s\n", trace_page_string(list->items[i], "status"));
	}
	return rc == 0 ? trace_page_rest(p, n, FILES_SHOWN) : rc;
}

static int put_commits(
	struct trace_page *p, const struct node *list, int64_t total, const char *more)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < list->n && i < COMMITS_SHOWN; i++) {
		const struct node *c = list->items[i];

		rc = trace_page_entry(p);
		if (rc == 0)
			rc = buf_addf(p->out, "%.*s %.10s ", COMMIT_SHOWN,
				trace_page_string(c, "id"), trace_page_string(c, "date"));
		if (rc == 0)
			rc = trace_page_text(p, trace_page_string(c, "author"));
		if (rc == 0)
			rc = buf_addstr(p->out, ": ");
		if (rc == 0)
			rc = trace_page_text(p, trace_page_string(c, "subject"));
		if (rc == 0)
			rc = buf_addf(p->out, "%s\n", more);
	}
	return rc == 0 ? trace_page_rest(p, (size_t)total, COMMITS_SHOWN) : rc;
}

int trace_diff_code(struct trace_page *p)
{
	const struct node *code = node_get(p->answer, "code");
	int rc = 0;

	if (node_get(code, "stages")->n > 0 || node_get(code, "files")->n > 0) {
		rc = trace_page_section(p, "code");
		if (rc == 0)
			rc = put_stage_code(p, node_get(code, "stages"));
		if (rc == 0)
			rc = put_files(p, code);
	}
	if (rc < 0 || trace_page_number(code, "commits_total") +
				      trace_page_number(code, "commits_only_old_total") ==
			      0)
		return rc;
	rc = trace_page_section(p, "commits");
	if (rc == 0)
		rc = put_commits(
			p, node_get(code, "commits"), trace_page_number(code, "commits_total"), "");
	return rc == 0 ? put_commits(p, node_get(code, "commits_only_old"),
				 trace_page_number(code, "commits_only_old_total"),
				 "  (not in the new one)")
		       : rc;
}
