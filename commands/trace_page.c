/*
 * Entries of a page, in both of its forms.
 */
#include "commands/trace_page.h"

#include <string.h>

#include "commands/visible.h"

const char *trace_page_string(const struct node *map, const char *key)
{
	const struct node *n = node_get(map, key);

	return n != NULL && node_is_scalar(n) && n->type != NODE_NULL ? n->text : NULL;
}

int64_t trace_page_number(const struct node *map, const char *key)
{
	const struct node *n = node_get(map, key);

	return n != NULL && n->type == NODE_INT ? n->i : 0;
}

int trace_page_section(struct trace_page *p, const char *title)
{
	return p->md ? buf_addf(p->out, "\n### %c%s\n\n", title[0] - 'a' + 'A', title + 1)
		     : buf_addf(p->out, "\n%s\n", title);
}

int trace_page_entry(struct trace_page *p)
{
	return buf_addstr(p->out, p->md ? "- " : "    ");
}
int trace_page_line(struct trace_page *p)
{
	return buf_addstr(p->out, p->md ? "  - " : "        ");
}

int trace_page_path(struct trace_page *p, const char *path)
{
	int rc = p->md ? buf_addch(p->out, '`') : 0;

	if (rc == 0)
		rc = visible_path(p->out, path, 0);
	return rc == 0 && p->md ? buf_addch(p->out, '`') : rc;
}

int trace_page_text(struct trace_page *p, const char *text)
{
	struct buf plain = BUF_INIT;
	int rc = visible_text(&plain, text);

	for (const char *c = buf_str(&plain); rc == 0 && *c != '\0'; c++) {
		if (p->md && strchr("\\`*_<>|[]#", *c) != NULL)
			rc = buf_addch(p->out, '\\');
		if (rc == 0)
			rc = buf_addch(p->out, *c);
	}
	buf_release(&plain);
	return rc;
}

int trace_page_rest(struct trace_page *p, size_t n, size_t shown)
{
	int rc;

	if (n <= shown)
		return 0;
	rc = trace_page_entry(p);
	return rc == 0 ? buf_addf(p->out, "... and %zu more\n", n - shown) : rc;
}
