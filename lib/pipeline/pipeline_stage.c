/*
 * One definition of a stage, its `${}` resolved, into a struct stage.
 */
#include "lib/pipeline/pipeline_internal.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/nearest.h"
#include "lib/pipeline/environ.h"

static int add_lines(struct stage *s, const char *text)
{
	int rc = 0;

	/* Each line is a command; one that ends in a backslash goes on in the next. */
	while (rc == 0 && *text != '\0') {
		size_t len = strcspn(text, "\n");

		while (len > 0 && text[len - 1] == '\\' && text[len] == '\n')
			len += 1 + strcspn(text + len + 1, "\n");
		if (strspn(text, " \t\r") < len)
			rc = strvec_pushn(&s->cmd, text, len);
		text += len + (text[len] == '\n');
	}
	return rc;
}

static int add_cmd(struct pipeline_build *b, struct stage *s, const struct node *cmd)
{
	int rc = cmd->type == NODE_LIST ? 0 : add_lines(s, cmd->text);

	for (size_t i = 0; rc == 0 && cmd->type == NODE_LIST && i < cmd->n; i++)
		rc = strvec_push(&s->cmd, cmd->items[i]->text);
	if (rc == 0 && s->cmd.n == 0)
		rc = template_complain(b->file, cmd,
			"stage '%s' has an empty command; write what is to be run", s->name);
	return rc;
}

/* A name or a list of names. */
static int add_names(struct strvec *out, const struct node *n)
{
	int rc = n != NULL && n->type < NODE_LIST ? strvec_push(out, n->text) : 0;

	for (size_t i = 0; rc == 0 && n != NULL && n->type == NODE_LIST && i < n->n; i++)
		rc = strvec_push(out, n->items[i]->text);
	return rc;
}

/* Names of facts are ours: a misspelled one would never count. */
static int check_facts(struct pipeline_build *b, const struct stage *s, const struct node *at)
{
	for (size_t i = 0; i < s->env.facts.n; i++) {
		const char *name = s->env.facts.v[i];
		struct nearest nearest;
		struct buf known = BUF_INIT;
		int rc = 0;

		nearest_init(&nearest, name);
		for (const char *const *fact = environ_facts; rc == 0 && *fact != NULL; fact++) {
			nearest_offer(&nearest, *fact);
			rc = buf_addf(&known, "%s%s", known.len > 0 ? ", " : "", *fact);
		}
		if (rc == 0 && nearest.best == NULL)
			rc = template_complain(b->file, at, "no fact is named '%s'; there are %s",
				name, buf_str(&known));
		else if (rc == 0 && nearest.distance > 0)
			rc = template_complain(b->file, at,
				"no fact is named '%s'; the most similar one is '%s'", name,
				nearest.best);
		buf_release(&known);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int add_env(struct pipeline_build *b, struct stage *s, const struct node *env)
{
	const struct node *set = node_get(env, "set");
	int rc = 0;

	for (size_t i = 0; rc == 0 && set != NULL && i < set->n; i++) {
		if (set->keys[i][0] == '\0' || strchr(set->keys[i], '=') != NULL)
			rc = template_complain_key(b->file, set->items[i],
				"'%s' is no name of a variable", set->keys[i]);
		else
			rc = strvec_pushf(&s->env.set, "%s=%s", set->keys[i], set->items[i]->text);
	}
	if (rc == 0)
		rc = add_names(&s->env.vars, node_get(env, "vars"));
	if (rc == 0)
		rc = add_names(&s->env.facts, node_get(env, "facts"));
	if (rc == 0)
		rc = check_facts(b, s, node_get(env, "facts"));
	if (rc == 0)
		rc = pipeline_deps(b, s, node_get(env, "files"), 1);
	return rc;
}

static int add_resources(struct pipeline_build *b, struct stage *s, const struct node *map)
{
	for (size_t i = 0; map != NULL && i < map->n; i++) {
		const struct node *n = map->items[i];
		struct stage_resource *r = pipeline_grow(s->resources, i, sizeof(*r));

		if (n->type != NODE_INT || n->i < 1) {
			if (r != NULL)
				s->resources = r;
			return template_complain(b->file, n,
				"resource '%s' of stage '%s' must be a whole number from 1, not "
				"'%s'",
				map->keys[i], s->name, n->text != NULL ? n->text : "");
		}
		if (r == NULL)
			return err_set(ERR_NOMEM, "out of memory");
		s->resources = r;
		r[i].amount = (uint64_t)n->i;
		r[i].name = strdup(map->keys[i]);
		if (r[i].name == NULL)
			return err_set(ERR_NOMEM, "out of memory");
		s->n_resources++;
	}
	return 0;
}

static int set_wdir(struct pipeline_build *b, struct stage *s, const struct node *wdir)
{
	int rc;

	if (wdir == NULL) {
		s->wdir = strdup(b->dir);
		return s->wdir != NULL ? 0 : err_set(ERR_NOMEM, "out of memory");
	}
	rc = pipeline_read_path(b, &s->wdir, b->dir, wdir, wdir->text);
	if (rc == 0 && s->wdir[0] == '/')
		rc = template_complain(b->file, wdir,
			"the working directory '%s' of stage '%s' lies outside of the project",
			wdir->text, s->name);
	return rc;
}

static int fill(struct pipeline_build *b, struct stage *s, const struct node *def)
{
	int rc = set_wdir(b, s, node_get(def, "wdir"));

	if (rc == 0)
		rc = add_cmd(b, s, node_get(def, "cmd"));
	if (rc == 0)
		rc = pipeline_deps(b, s, node_get(def, "deps"), 0);
	if (rc == 0)
		rc = pipeline_params(b, s, node_get(def, "params"));
	if (rc == 0)
		rc = pipeline_outs(b, s, STAGE_OUT, node_get(def, "outs"));
	if (rc == 0)
		rc = pipeline_outs(b, s, STAGE_METRIC, node_get(def, "metrics"));
	if (rc == 0)
		rc = pipeline_outs(b, s, STAGE_PLOT, node_get(def, "plots"));
	if (rc == 0)
		rc = add_env(b, s, node_get(def, "env"));
	if (rc == 0)
		rc = add_resources(b, s, node_get(def, "resources"));
	if (rc == 0)
		rc = add_names(&s->mutex, node_get(def, "mutex"));
	if (rc == 0)
		rc = pipeline_text(&s->desc, node_get(def, "desc"));
	if (rc == 0 && node_get(def, "meta") != NULL) {
		s->meta = pipeline_keep(b, node_get(def, "meta"));
		rc = s->meta != NULL ? 0 : ERR_NOMEM;
	}
	s->frozen = pipeline_flag(def, "frozen", 0);
	s->always_changed = pipeline_flag(def, "always_changed", 0);
	return rc == 0 ? pipeline_check_twice(b, s) : rc;
}

int pipeline_stage(
	struct pipeline_build *b, const char *name, unsigned line, const struct node *def)
{
	struct pipeline *p = b->p;
	struct stage **grown;
	struct stage *s;

	if (p->n >= PIPELINE_STAGES_MAX)
		return err_set(ERR_LIMIT, "%s:%u: more than %d stages", b->file, line,
			(int)PIPELINE_STAGES_MAX);
	grown = pipeline_grow(p->v, p->n, sizeof(*grown));
	if (grown == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	p->v = grown;
	s = p->v[p->n] = calloc(1, sizeof(*s));
	if (s == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	s->index = p->n++;
	s->line = line;
	s->name = strdup(name);
	s->file = strdup(b->file);
	if (s->name == NULL || s->file == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	return fill(b, s, def);
}
