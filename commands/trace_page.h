/*
 * A page that tells what differs, as text or as Markdown: sections of entries, entries with lines
 * below them.
 */
#ifndef COMMANDS_TRACE_PAGE_H
#define COMMANDS_TRACE_PAGE_H

#include "lib/base/buf.h"
#include "lib/yaml/node.h"

struct trace_page {
	struct buf *out;
	int md;
	const struct node *answer; /* of lineage_diff */
};

/* The beginning of a section ("data"), of an entry, of a line below an entry. */
int trace_page_section(struct trace_page *p, const char *title);
int trace_page_entry(struct trace_page *p);
int trace_page_line(struct trace_page *p);
/* "... and 3 more", if more than were shown. */
int trace_page_rest(struct trace_page *p, size_t n, size_t shown);
/* Append a path; text from outside, of which Markdown takes nothing for its own. */
int trace_page_path(struct trace_page *p, const char *path);
int trace_page_text(struct trace_page *p, const char *text);

/* Of a map: the text of a scalar or NULL, an integer or 0. */
const char *trace_page_string(const struct node *map, const char *key);
int64_t trace_page_number(const struct node *map, const char *key);

/* ---- trace_diff_data.c, trace_diff_code.c: sections; nothing where they are empty ---- */

int trace_diff_data(struct trace_page *p);
/* Commands, code, commits. */
int trace_diff_commands(struct trace_page *p);
int trace_diff_code(struct trace_page *p);

#endif
