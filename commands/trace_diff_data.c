/*
 * Data that differs: each file with its sizes; of a table, columns and rows.
 */
#include <string.h>

#include "commands/trace_page.h"
#include "commands/trace_print.h"
#include "lib/base/progress.h"
#include "lib/table/rowwords.h"

enum { FILES_SHOWN = 20, HASH_SHOWN = 12 };

static int put_column(struct trace_page *p, const struct node *c)
{
	const char *old = trace_page_string(c, "old"), *now = trace_page_string(c, "new");
	int rc = trace_page_line(p);

	if (rc == 0)
		rc = buf_addf(p->out, "column %s: ", trace_page_string(c, "change"));
	if (rc == 0)
		rc = trace_page_text(p, old != NULL ? old : now);
	if (rc == 0 && strcmp(trace_page_string(c, "change"), "renamed") == 0) {
		rc = buf_addstr(p->out, " -> ");
		if (rc == 0)
			rc = trace_page_text(p, now);
	}
	return rc == 0 ? buf_addch(p->out, '\n') : rc;
}

/* "200 rows added, 3 changed (of 1,000 -> 1,200)" */
static int put_rows(struct trace_page *p, const struct node *table)
{
	const struct node *rows = node_get(table, "rows");
	int rc = trace_page_line(p);
	size_t start = p->out->len;

	if (rc == 0)
		rc = rowwords_counts(p->out, (uint64_t)trace_page_number(table, "added"),
			(uint64_t)trace_page_number(table, "removed"),
			(uint64_t)trace_page_number(table, "changed"));
	if (rc == 0)
		rc = buf_addstr(p->out,
			p->out->len > start ? " (of " : "the same rows in the columns of both (");
	if (rc == 0)
		rc = buf_addcount(p->out, (uint64_t)trace_page_number(rows, "old"));
	if (rc == 0 && trace_page_number(rows, "old") != trace_page_number(rows, "new")) {
		rc = buf_addstr(p->out, " -> ");
		if (rc == 0)
			rc = buf_addcount(p->out, (uint64_t)trace_page_number(rows, "new"));
	}
	return rc == 0 ? buf_addstr(p->out, ")\n") : rc;
}

static int is_known(const struct node *map, const char *key)
{
	const struct node *n = node_get(map, key);

	return n != NULL && n->type == NODE_INT; /* null: what is not here cannot be counted */
}

/* ", 800 -> 1,000 rows", where both sides have it and it differs. */
static int add_numbers(struct trace_page *p, const struct node *old, const struct node *now,
	const char *key, const char *word)
{
	const int64_t was = trace_page_number(old, key), is = trace_page_number(now, key);
	int rc;

	if (was == is || !is_known(old, key) || !is_known(now, key))
		return 0;
	rc = buf_addstr(p->out, ", ");
	if (rc == 0)
		rc = buf_addcount(p->out, (uint64_t)was);
	if (rc == 0)
		rc = buf_addstr(p->out, " -> ");
	if (rc == 0)
		rc = buf_addcount(p->out, (uint64_t)is);
	return rc == 0 ? buf_addf(p->out, " %s", word) : rc;
}

static const char *size_of(char out[static 16], const struct node *file)
{
	return is_known(file, "size")
		       ? progress_bytes(out, (uint64_t)trace_page_number(file, "size"))
		       : "size unknown";
}

/* "10.9 KiB -> 15.6 KiB, sha256:03830873bc63 -> sha256:bb5a4d4c73d5"; rows are told below where the
 * tables were compared. */
static int add_modification(
	struct trace_page *p, const struct node *old, const struct node *now, int compared)
{
	const char *kind = trace_page_string(now, "sha256") != NULL ? "sha256" : "md5";
	const char *was = trace_page_string(old, kind), *is = trace_page_string(now, kind);
	char a[16], b[16];
	int rc = buf_addf(p->out, "%s -> %s", size_of(a, old), size_of(b, now));

	if (rc == 0)
		rc = add_numbers(p, old, now, "nfiles", "files");
	if (rc == 0 && !compared)
		rc = add_numbers(p, old, now, "rows", "rows");
	if (rc == 0 && !compared)
		rc = add_numbers(p, old, now, "columns", "columns");
	if (rc == 0 && was != NULL && is != NULL)
		rc = buf_addf(p->out, ", %s:%.*s -> %s:%.*s", kind, HASH_SHOWN, was, kind,
			HASH_SHOWN, is);
	return rc;
}

static int put_file(struct trace_page *p, const struct node *entry)
{
	const struct node *old = node_get(entry, "old"), *now = node_get(entry, "new");
	const struct node *table = node_get(entry, "table");
	const char *status = trace_page_string(entry, "status"),
		   *made_by = trace_page_string(entry, "made_by");
	int rc = trace_page_entry(p);

	if (rc == 0)
		rc = trace_page_path(p, trace_page_string(entry, "path"));
	if (rc == 0)
		rc = buf_addf(p->out, "  %s", status);
	if (rc == 0 && strcmp(status, "renamed") == 0) {
		rc = buf_addstr(p->out, " from ");
		if (rc == 0)
			rc = trace_page_path(p, trace_page_string(old, "path"));
	}
	if (rc == 0)
		rc = buf_addstr(p->out, ": ");
	if (rc == 0)
		rc = strcmp(status, "modified") == 0
			     ? add_modification(p, old, now, table != NULL)
			     : trace_facts(p->out, now->type == NODE_MAP ? now : old);
	if (rc == 0 && made_by != NULL) {
		rc = buf_addstr(p->out, "  <- ");
		if (rc == 0)
			rc = trace_page_text(p, made_by);
	}
	if (rc == 0)
		rc = buf_addch(p->out, '\n');
	for (size_t i = 0; rc == 0 && table != NULL && i < node_get(table, "columns")->n; i++)
		rc = put_column(p, node_get(table, "columns")->items[i]);
	return rc == 0 && table != NULL ? put_rows(p, table) : rc;
}

int trace_diff_data(struct trace_page *p)
{
	const struct node *list = node_get(p->answer, "data");
	int rc = list->n > 0 ? trace_page_section(p, "data") : 0;

	for (size_t i = 0; rc == 0 && i < list->n && i < FILES_SHOWN; i++)
		rc = put_file(p, list->items[i]);
	return rc == 0 ? trace_page_rest(p, list->n, FILES_SHOWN) : rc;
}
