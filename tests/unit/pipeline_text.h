/*
 * Stages as text, for tests to compare: "name in wdir", then "$ command", "< dependency",
 * "? params file: keys", "> output kind flags", "! what else there is", a tab before each.
 */
#ifndef TESTS_UNIT_PIPELINE_TEXT_H
#define TESTS_UNIT_PIPELINE_TEXT_H

#include "lib/pipeline/pipeline.h"

/* A command on one line. */
static void print_command(struct buf *out, const char *cmd)
{
	buf_addstr(out, "\t$ ");
	for (; *cmd != '\0'; cmd++)
		if (*cmd == '\n')
			buf_addstr(out, "\\n");
		else
			buf_addch(out, *cmd);
	buf_addch(out, '\n');
}

static void print_words(struct buf *out, const char *title, const struct strvec *words)
{
	for (size_t i = 0; i < words->n; i++)
		buf_addf(out, "%s%s", i == 0 ? title : " ", words->v[i]);
	if (words->n > 0)
		buf_addch(out, '\n');
}

static void print_paths(struct buf *out, const struct stage *s)
{
	static const char *const kinds[] = {"", "", " metric", " plot"};

	for (size_t i = 0; i < s->n_deps; i++)
		buf_addf(out, "\t< %s%s%s\n", s->deps[i].path, s->deps[i].glob ? " glob" : "",
			s->deps[i].env ? " env" : "");
	for (size_t i = 0; i < s->n_params; i++) {
		buf_addf(out, "\t? %s:", s->params[i].file);
		for (size_t k = 0; k < s->params[i].keys.n; k++)
			buf_addf(out, " %s", s->params[i].keys.v[k]);
		buf_addch(out, '\n');
	}
	for (size_t i = 0; i < s->n_outs; i++)
		buf_addf(out, "\t> %s%s%s%s%s\n", s->outs[i].path, kinds[s->outs[i].kind],
			s->outs[i].cache ? "" : " no-cache", s->outs[i].persist ? " persist" : "",
			s->outs[i].push ? "" : " no-push");
}

static void print_stage(struct buf *out, const struct stage *s)
{
	buf_addf(out, "%s%s%s\n", s->name, s->wdir[0] != '\0' ? " in " : "", s->wdir);
	for (size_t i = 0; i < s->cmd.n; i++)
		print_command(out, s->cmd.v[i]);
	print_paths(out, s);
	print_words(out, "\t! set ", &s->env.set);
	print_words(out, "\t! vars ", &s->env.vars);
	print_words(out, "\t! facts ", &s->env.facts);
	for (size_t i = 0; i < s->n_resources; i++)
		buf_addf(out, "\t! %s=%ju\n", s->resources[i].name,
			(uintmax_t)s->resources[i].amount);
	print_words(out, "\t! mutex ", &s->mutex);
	if (s->frozen || s->always_changed)
		buf_addf(out, "\t!%s%s\n", s->frozen ? " frozen" : "",
			s->always_changed ? " always_changed" : "");
}

__attribute__((unused)) static void print_pipeline(struct buf *out, const struct pipeline *p)
{
	for (size_t i = 0; i < p->n; i++)
		print_stage(out, p->v[i]);
}

#endif
