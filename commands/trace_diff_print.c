/*
 * `git dvx trace --diff` for people: first what most likely explains the difference, then each
 * section that has one, at last what is the same on both sides - which rules it out.  In Markdown
 * the sections are headings, values are tables.
 */
#include <stdio.h>
#include <string.h>

#include "commands/trace_page.h"
#include "commands/trace_print.h"
#include "lib/metrics/valuediff.h"

enum { COMMIT_SHOWN = 10, CAUSES_SHOWN = 3, FACTS_SHOWN = 12 };

/* ---- both sides ---- */

static int put_side(struct trace_page *p, const char *key)
{
	const struct node *side = node_get(p->answer, key), *commit = node_get(side, "commit");
	int rc = buf_addf(p->out, p->md ? "- %s: " : "    %s  ", key);

	if (rc == 0)
		rc = buf_addf(p->out, "%.*s  ", COMMIT_SHOWN, trace_page_string(commit, "id"));
	if (rc == 0)
		rc = trace_date(p->out, trace_page_string(commit, "date"));
	if (rc == 0)
		rc = buf_addstr(p->out, "  ");
	if (rc == 0)
		rc = trace_page_text(p, trace_page_string(node_get(commit, "author"), "name"));
	if (rc == 0)
		rc = buf_addstr(p->out, ": ");
	if (rc == 0)
		rc = trace_page_text(p, trace_page_string(commit, "subject"));
	return rc == 0 ? buf_addch(p->out, '\n') : rc;
}

static int put_title(struct trace_page *p)
{
	int rc = p->md ? buf_addstr(p->out, "## ") : 0;

	if (rc == 0)
		rc = trace_page_text(p, trace_page_string(node_get(p->answer, "old"), "name"));
	if (rc == 0)
		rc = buf_addstr(p->out, " -> ");
	if (rc == 0)
		rc = trace_page_text(p, trace_page_string(node_get(p->answer, "new"), "name"));
	if (rc == 0)
		rc = buf_addstr(p->out, p->md ? "\n\n" : "\n");
	if (rc == 0)
		rc = put_side(p, "old");
	return rc == 0 ? put_side(p, "new") : rc;
}

static int put_causes(struct trace_page *p)
{
	const struct node *list = node_get(p->answer, "causes");
	int rc = list->n > 0 ? trace_page_section(p, "most likely") : 0;

	for (size_t i = 0; rc == 0 && i < list->n && i < CAUSES_SHOWN; i++) {
		rc = trace_page_entry(p);
		if (rc == 0)
			rc = trace_page_path(p, trace_page_string(list->items[i], "what"));
		if (rc == 0)
			rc = buf_addstr(p->out, ": ");
		if (rc == 0)
			rc = trace_page_text(p, trace_page_string(list->items[i], "text"));
		if (rc == 0)
			rc = buf_addch(p->out, '\n');
	}
	return rc;
}

/* ---- values ---- */

static int add_value(struct trace_page *p, const struct node *n)
{
	struct buf text = BUF_INIT;
	int rc = n->type == NODE_NULL ? buf_addstr(&text, "(none)") : trace_value(&text, n);

	if (rc == 0)
		rc = trace_page_text(p, buf_str(&text));
	buf_release(&text);
	return rc;
}

/* " (+0.02)" of a number. */
static int add_delta(struct trace_page *p, const struct node *pair)
{
	const struct node *diff = node_get(pair, "diff");
	int rc;

	if (diff == NULL)
		return 0;
	rc = buf_addf(p->out, p->md ? " %s" : "  (%s", diff->f > 0 ? "+" : "");
	if (rc == 0)
		rc = value_format(p->out, diff, 0);
	return rc == 0 && !p->md ? buf_addch(p->out, ')') : rc;
}

static int put_pair(
	struct trace_page *p, const char *group, const char *name, const struct node *pair)
{
	int rc = p->md ? buf_addstr(p->out, "| ") : trace_page_entry(p);

	if (rc == 0)
		rc = trace_page_text(p, group);
	if (rc == 0)
		rc = buf_addstr(p->out, p->md ? " | " : "  ");
	if (rc == 0)
		rc = trace_page_text(p, name);
	if (rc == 0)
		rc = buf_addstr(p->out, p->md ? " | " : "  ");
	if (rc == 0)
		rc = add_value(p, node_get(pair, "old"));
	if (rc == 0)
		rc = buf_addstr(p->out, p->md ? " | " : " -> ");
	if (rc == 0)
		rc = add_value(p, node_get(pair, "new"));
	if (rc == 0 && p->md)
		rc = buf_addstr(p->out, " |");
	if (rc == 0)
		rc = add_delta(p, pair);
	return rc == 0 ? buf_addstr(p->out, p->md ? " |\n" : "\n") : rc;
}

/* A section of maps of pairs. */
static int put_pairs(struct trace_page *p, const char *key, const char *group, size_t most)
{
	const struct node *map = node_get(p->answer, key);
	size_t n = 0;
	int rc = map->n > 0 ? trace_page_section(p, key) : 0;

	if (rc == 0 && map->n > 0 && p->md)
		rc = buf_addf(
			p->out, "| %s | | old | new | change |\n|---|---|---|---|---|\n", group);
	for (size_t i = 0; rc == 0 && i < map->n; i++)
		for (size_t k = 0; rc == 0 && k < map->items[i]->n; k++)
			if (n++ < most)
				rc = put_pair(p, map->keys[i], map->items[i]->keys[k],
					map->items[i]->items[k]);
	if (rc == 0 && n > most && p->md)
		rc = buf_addch(p->out, '\n');
	return rc == 0 ? trace_page_rest(p, n, most) : rc;
}

/* ---- what is ruled out ---- */

static int put_same(struct trace_page *p)
{
	static const struct {
		const char *key, *name;
	} sections[] = {{"data", "data"}, {"params", "params"}, {"stages", "commands"},
		{"environment", "environment"}, {"metrics", "metrics"}};
	const struct node *code = node_get(p->answer, "code");
	size_t n = 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(sections) / sizeof(sections[0]); i++)
		if (node_get(p->answer, sections[i].key)->n == 0)
			rc = buf_addf(p->out, "%s%s", n++ == 0 ? "\nno difference in " : ", ",
				sections[i].name);
	if (rc == 0 && node_get(code, "stages")->n == 0 && node_get(code, "files")->n == 0)
		rc = buf_addf(p->out, "%scode", n++ == 0 ? "\nno difference in " : ", ");
	return rc == 0 && n > 0 ? buf_addch(p->out, '\n') : rc;
}

static int print(struct trace_page *p)
{
	int rc = put_title(p);

	if (rc == 0)
		rc = put_causes(p);
	if (rc == 0)
		rc = put_pairs(p, "metrics", "file", SIZE_MAX);
	if (rc == 0)
		rc = trace_diff_data(p);
	if (rc == 0)
		rc = put_pairs(p, "params", "file", SIZE_MAX);
	if (rc == 0)
		rc = trace_diff_commands(p);
	if (rc == 0)
		rc = trace_diff_code(p);
	if (rc == 0)
		rc = put_pairs(p, "environment", "stage", FACTS_SHOWN);
	if (rc == 0)
		rc = put_same(p);
	return rc == 0 ? trace_unknown(p->out, p->answer, p->md ? "- " : "    ") : rc;
}

int trace_diff_text(struct buf *out, const struct node *answer)
{
	struct trace_page p = {.out = out, .answer = answer};

	return print(&p);
}

int trace_diff_markdown(struct buf *out, const struct node *answer)
{
	struct trace_page p = {.out = out, .answer = answer, .md = 1};

	return print(&p);
}
