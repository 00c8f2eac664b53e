/*
 * `git dvx model list` and `history`: all models, and all that happened to them, as tables.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands/model.h"
#include "commands/values.h"
#include "lib/base/err.h"
#include "lib/base/strvec.h"
#include "lib/registry/when.h"
#include "lib/table/table.h"

/* ---- tables ---- */

int model_print_table(const struct model_args *a, const struct table *t)
{
	struct buf out = BUF_INIT;
	int rc = 0;

	if (table_rows(t) > 0)
		rc = table_print(t, a->md ? TABLE_MARKDOWN : TABLE_TEXT,
			a->md ? 0 : table_terminal_width(STDOUT_FILENO), &out);
	if (rc == 0)
		fwrite(buf_str(&out), 1, out.len, stdout);
	buf_release(&out);
	return rc;
}

int model_columns(struct table *t, const char *const *titles)
{
	int rc = 0;

	for (; rc == 0 && *titles; titles++)
		rc = table_column(t, *titles, TABLE_LEFT);
	return rc;
}

int model_cell_version(struct table *t, const struct semver *version)
{
	struct buf text = BUF_INIT;
	int rc = version ? semver_format(&text, version) : 0;

	if (rc == 0)
		rc = table_cell(t, version ? text.p : "-");
	buf_release(&text);
	return rc;
}

int model_cell_date(struct table *t, const struct registry_event *e)
{
	struct buf text = BUF_INIT;
	int rc = e && e->annotated ? when_add_date(&text, e->when) : buf_addstr(&text, "-");

	if (rc == 0)
		rc = table_cell(t, text.p);
	buf_release(&text);
	return rc;
}

int model_cell_who(struct table *t, const struct registry_event *e)
{
	struct buf text = BUF_INIT;
	int rc = e ? model_add_who(&text, e) : buf_addstr(&text, "-");

	if (rc == 0)
		rc = table_cell(t, buf_str(&text));
	buf_release(&text);
	return rc;
}

/* ---- list ---- */

struct list {
	struct model_args *a;
	struct strvec stages; /* that anything was ever in, by name */
	struct table *t;
	struct node *models; /* for JSON */
};

/* What the stages of one model hold. */
struct held {
	struct list *l;
	const struct registry_event **registrations; /* one for each stage */
	const struct registry_event **assignments;
	struct node *map;
};

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int find_stages(struct list *l)
{
	struct strmap seen = STRMAP_INIT;
	size_t n;
	const struct registry_event *v = registry_events(l->a->registry, &n);
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i++) {
		const char *stage = v[i].what.stage;

		if (v[i].what.kind != GTOTAG_ASSIGN || !v[i].annotated || strmap_has(&seen, stage))
			continue;
		rc = strmap_put(&seen, stage, NULL);
		if (rc == 0)
			rc = strvec_push(&l->stages, stage);
	}
	if (l->stages.n > 0)
		qsort(l->stages.v, l->stages.n, sizeof(*l->stages.v), by_text);
	strmap_release(&seen, NULL);
	return rc;
}

static int note_stage(const struct registry_event *assignment,
	const struct registry_event *registration, void *data)
{
	struct held *h = data;

	for (size_t i = 0; i < h->l->stages.n; i++)
		if (strcmp(h->l->stages.v[i], assignment->what.stage) == 0) {
			h->assignments[i] = assignment;
			h->registrations[i] = registration;
		}
	return 0;
}

static int cell_stage(struct held *h, size_t i)
{
	char hex[REPO_HEX_MAX + 1];

	if (!h->assignments[i] || h->registrations[i])
		return model_cell_version(
			h->l->t, h->registrations[i] ? &h->registrations[i]->what.version : NULL);
	repo_id_hex(hex, &h->l->a->ctx->repo, h->assignments[i]->commit);
	hex[10] = '\0';
	return table_cell(h->l->t, hex); /* no version is registered there */
}

static int add_row(struct held *h, const char *model, const struct registry_event *latest)
{
	struct table *t = h->l->t;
	struct buf name = BUF_INIT;
	int rc = buf_addf(&name, "%s%s", model,
		registry_deprecation(h->l->a->registry, model) ? " (deprecated)" : "");

	if (rc == 0)
		rc = table_cell(t, name.p);
	if (rc == 0)
		rc = model_cell_version(t, latest ? &latest->what.version : NULL);
	for (size_t i = 0; rc == 0 && i < h->l->stages.n; i++)
		rc = cell_stage(h, i);
	if (rc == 0)
		rc = model_cell_date(t, latest);
	if (rc == 0)
		rc = model_cell_who(t, latest);
	if (rc == 0)
		rc = table_end_row(t);
	buf_release(&name);
	return rc;
}

static int add_json(struct held *h, const char *model, const struct registry_event *latest)
{
	struct node *map = model_push_map(h->l->models), *stages = node_map();
	int rc = map ? model_put_text(map, "name", model) : err_no_memory();

	if (rc == 0)
		rc = model_put_version(map, "latest", latest ? &latest->what.version : NULL);
	if (rc == 0)
		rc = model_put(map, "deprecated",
			node_bool(registry_deprecation(h->l->a->registry, model) != NULL));
	if (rc < 0) {
		node_free(stages);
		return rc;
	}
	rc = model_put(map, "stages", stages);
	for (size_t i = 0; rc == 0 && i < h->l->stages.n; i++)
		if (h->assignments[i])
			rc = model_put_version(stages, h->l->stages.v[i],
				h->registrations[i] ? &h->registrations[i]->what.version : NULL);
	return rc;
}

static int add_model(const char *model, const struct registry_event *const *v, size_t n, void *data)
{
	struct list *l = data;
	struct held h = {.l = l};
	const struct registry_event *latest = registry_version(l->a->registry, model, NULL);
	int rc = 0;

	(void)v;
	(void)n;
	h.registrations = calloc(l->stages.n + 1, sizeof(*h.registrations));
	h.assignments = calloc(l->stages.n + 1, sizeof(*h.assignments));
	if (!h.registrations || !h.assignments)
		rc = err_no_memory();
	if (rc == 0)
		rc = registry_stages(l->a->registry, model, REGISTRY_NOW, note_stage, &h);
	if (rc == 0)
		rc = l->a->json ? add_json(&h, model, latest) : add_row(&h, model, latest);
	free(h.registrations);
	free(h.assignments);
	return rc;
}

static int start_table(struct list *l)
{
	static const char *const first[] = {"Model", "Latest", NULL};
	static const char *const last[] = {"Registered", "By", NULL};
	int rc = table_new(&l->t);

	if (rc == 0)
		rc = model_columns(l->t, first);
	for (size_t i = 0; rc == 0 && i < l->stages.n; i++)
		rc = table_column(l->t, l->stages.v[i], TABLE_LEFT);
	return rc == 0 ? model_columns(l->t, last) : rc;
}

int model_list(struct model_args *a)
{
	struct list l = {.a = a};
	struct node *root = node_map();
	int rc = root ? find_stages(&l) : err_no_memory();

	if (rc == 0 && a->json) {
		l.models = node_list();
		rc = model_put(root, "models", l.models);
	} else if (rc == 0) {
		rc = start_table(&l);
	}
	if (rc == 0)
		rc = registry_each_model(a->registry, add_model, &l);
	if (rc == 0 && a->json)
		rc = model_put_notes(root, a->registry, NULL, NULL);
	if (rc == 0)
		rc = a->json ? values_print_json(root) : model_print_table(a, l.t);
	if (rc == 0 && !a->json && table_rows(l.t) == 0)
		fputs("No model is registered here; 'git fetch --tags' brings those of others, "
		      "'git dvx model register' makes one.\n",
			stderr);
	if (rc == 0 && !a->json)
		model_tell_notes(a->registry, NULL, NULL);
	table_free(l.t);
	node_free(root);
	strvec_release(&l.stages);
	return rc;
}

/* ---- history ---- */

/* Of one model alone its name is not repeated: the table is to fit a terminal. */
static int add_event_row(
	struct table *t, const struct model_args *a, const struct registry_event *e)
{
	int is_version = e->what.kind == GTOTAG_REGISTER || e->what.kind == GTOTAG_DEREGISTER;
	char hex[REPO_HEX_MAX + 1];
	struct buf time = BUF_INIT;
	int rc = e->annotated ? when_add_minute(&time, e->when) : buf_addstr(&time, "-");

	repo_id_hex(hex, &a->ctx->repo, e->commit);
	hex[10] = '\0';
	if (rc == 0)
		rc = table_cell(t, time.p);
	if (rc == 0 && a->n == 0)
		rc = table_cell(t, e->what.model);
	if (rc == 0)
		rc = table_cell(t, model_event_name(e));
	if (rc == 0)
		rc = model_cell_version(t, is_version	    ? &e->what.version
					   : e->has_version ? &e->version
							    : NULL);
	if (rc == 0)
		rc = table_cell(t, e->what.stage[0] ? e->what.stage : "-");
	if (rc == 0)
		rc = table_cell(t, e->no_commit ? "(missing)" : hex);
	if (rc == 0)
		rc = model_cell_who(t, e);
	buf_release(&time);
	return rc == 0 ? table_end_row(t) : rc;
}

/* The newest first. */
static int add_events(struct model_args *a, const char *model, struct table *t, struct node *list)
{
	size_t n;
	const struct registry_event *v = registry_events(a->registry, &n);
	int rc = 0;

	for (size_t i = n; rc == 0 && i-- > 0;) {
		struct node *map;

		if (model && strcmp(v[i].what.model, model) != 0)
			continue;
		if (!list) {
			rc = add_event_row(t, a, &v[i]);
			continue;
		}
		map = model_push_map(list);
		rc = map ? model_put_event(map, a, &v[i]) : err_no_memory();
	}
	return rc;
}

int model_history(struct model_args *a)
{
	static const char *const titles[] = {"Event", "Version", "Stage", "Commit", "By", NULL};
	const char *model = a->n > 0 ? a->v[0] : NULL;
	struct node *root = node_map(), *list = a->json ? node_list() : NULL;
	struct table *t = NULL;
	size_t n;
	int rc = root ? 0 : err_no_memory();

	if (rc == 0 && model && !registry_of_model(a->registry, model, &n))
		rc = registry_no_model(a->registry, model);
	if (rc == 0)
		rc = table_new(&t);
	if (rc == 0)
		rc = table_column(t, "Time", TABLE_LEFT);
	if (rc == 0 && !model)
		rc = table_column(t, "Model", TABLE_LEFT);
	if (rc == 0)
		rc = model_columns(t, titles);
	if (rc == 0)
		rc = add_events(a, model, t, list);
	if (rc == 0 && a->json) {
		rc = model_put(root, "events", list);
		list = NULL;
	}
	if (rc == 0 && a->json)
		rc = model_put_notes(root, a->registry, model, NULL);
	if (rc == 0)
		rc = a->json ? values_print_json(root) : model_print_table(a, t);
	if (rc == 0 && !a->json)
		model_tell_notes(a->registry, model, NULL);
	table_free(t);
	node_free(list);
	node_free(root);
	return rc;
}
