/*
 * `git dvx model show`: one model, or one version of it.
 */
#include <stdio.h>
#include <string.h>

#include "commands/model.h"
#include "commands/values.h"
#include "lib/base/err.h"
#include "lib/base/progress.h"
#include "lib/registry/when.h"
#include "lib/table/table.h"

/* The stages that a version is in now: as text, or as a list. */
struct stages {
	const struct registry_event *version; /* NULL: any */
	struct buf text;
	struct node *list, *map; /* may be NULL */
};

static int note_stage(const struct registry_event *assignment,
	const struct registry_event *registration, void *data)
{
	struct stages *s = data;
	int rc;

	if (s->map)
		return model_put_version(s->map, assignment->what.stage,
			registration ? &registration->what.version : NULL);
	if (registration != s->version)
		return 0;
	if (s->list)
		return node_push(s->list, node_string(assignment->what.stage));
	rc = s->text.len > 0 ? buf_addstr(&s->text, ", ") : 0;
	return rc == 0 ? buf_addstr(&s->text, assignment->what.stage) : rc;
}

static int find_stages(struct stages *s, const struct model_args *a, const char *model)
{
	return registry_stages(a->registry, model, REGISTRY_NOW, note_stage, s);
}

static int put_stage_list(
	struct node *map, const struct model_args *a, const struct registry_event *e)
{
	struct stages s = {.version = e, .list = node_list()};
	int rc = model_put(map, "stages", s.list);

	return rc == 0 ? find_stages(&s, a, e->what.model) : rc;
}

/* ---- a whole model ---- */

static int add_version_row(
	struct table *t, const struct model_args *a, const struct registry_event *e)
{
	struct stages s = {.version = e};
	char hex[REPO_HEX_MAX + 1];
	int rc = model_cell_version(t, &e->what.version);

	repo_id_hex(hex, &a->ctx->repo, e->commit);
	hex[10] = '\0';
	if (rc == 0 && registry_is_taken_back(a->registry, e, REGISTRY_NOW))
		rc = buf_addstr(&s.text, "(deregistered)");
	if (rc == 0)
		rc = find_stages(&s, a, e->what.model);
	if (rc == 0)
		rc = table_cell(t, s.text.len > 0 ? s.text.p : "-");
	if (rc == 0)
		rc = model_cell_date(t, e);
	if (rc == 0)
		rc = model_cell_who(t, e);
	if (rc == 0)
		rc = table_cell(t, e->no_commit ? "(missing)" : hex);
	if (rc == 0)
		rc = table_cell(t, e->path ? e->path : "-");
	buf_release(&s.text);
	return rc == 0 ? table_end_row(t) : rc;
}

static int put_version_map(
	struct node *list, const struct model_args *a, const struct registry_event *e)
{
	struct node *map = model_push_map(list);
	int rc = map ? model_put_event(map, a, e) : err_no_memory();

	if (rc == 0)
		rc = model_put(map, "active",
			node_bool(!registry_is_taken_back(a->registry, e, REGISTRY_NOW)));
	return rc == 0 ? put_stage_list(map, a, e) : rc;
}

/* The registrations, the latest first, into a table or a list. */
static int each_version(
	const struct model_args *a, const char *model, struct table *t, struct node *list)
{
	size_t n;
	const struct registry_event *const *v = registry_of_model(a->registry, model, &n);
	int rc = 0;

	for (size_t i = n; rc == 0 && i-- > 0;)
		if (v[i]->what.kind == GTOTAG_REGISTER)
			rc = list ? put_version_map(list, a, v[i]) : add_version_row(t, a, v[i]);
	return rc;
}

static int print_model_text(struct model_args *a, const char *model)
{
	static const char *const titles[] = {
		"Version", "Stages", "Registered", "By", "Commit", "Path", NULL};
	const struct registry_event *end = registry_deprecation(a->registry, model);
	struct buf text = BUF_INIT;
	struct table *t = NULL;
	int rc = table_new(&t);

	if (rc == 0)
		rc = model_columns(t, titles);
	if (rc == 0)
		rc = each_version(a, model, t, NULL);
	if (rc == 0 && end) {
		rc = buf_addf(&text, "%s is deprecated, by ", model);
		if (rc == 0)
			rc = model_add_who(&text, end);
		if (rc == 0)
			rc = buf_addstr(&text, " on ");
		if (rc == 0)
			rc = when_add_date(&text, end->when);
		if (rc == 0)
			printf("%s\n%s", err_printable(text.p), a->md ? "\n" : "");
	}
	if (rc == 0)
		rc = model_print_table(a, t);
	if (rc == 0 && table_rows(t) == 0)
		printf("%s has no registered version.\n", model);
	table_free(t);
	buf_release(&text);
	return rc;
}

static int print_model_json(struct model_args *a, const char *model)
{
	const struct registry_event *latest = registry_version(a->registry, model, NULL);
	struct node *root = node_map(), *list = node_list();
	struct stages s = {.map = node_map()};
	int rc = root && list && s.map ? model_put_text(root, "name", model) : err_no_memory();

	if (rc == 0)
		rc = model_put_version(root, "latest", latest ? &latest->what.version : NULL);
	if (rc == 0)
		rc = model_put(root, "deprecated",
			node_bool(registry_deprecation(a->registry, model) != NULL));
	if (rc == 0)
		rc = find_stages(&s, a, model);
	if (rc == 0) {
		rc = model_put(root, "stages", s.map);
		s.map = NULL;
	}
	if (rc == 0)
		rc = each_version(a, model, NULL, list);
	if (rc == 0) {
		rc = model_put(root, "versions", list);
		list = NULL;
	}
	if (rc == 0)
		rc = model_put_notes(root, a->registry, model, NULL);
	if (rc == 0)
		rc = values_print_json(root);
	node_free(root);
	node_free(list);
	node_free(s.map);
	return rc;
}

/* ---- one version ---- */

static int line(struct table *t, const char *key, const char *value)
{
	int rc = value && *value ? table_cell(t, key) : 0;

	if (rc == 0 && value && *value)
		rc = table_cell(t, value);
	return rc == 0 && value && *value ? table_end_row(t) : rc;
}

/* "Ann <ann@example.com>, 2023-12-01 10:00:00 +0100" */
static int add_origin(struct buf *out, const struct registry_event *e)
{
	int rc = model_add_who(out, e);

	if (rc == 0 && e->annotated)
		rc = buf_addf(out, " <%s>, ", e->email);
	return rc == 0 && e->annotated ? when_add_local(out, e->when) : rc;
}

/* "models/churn.pkl (1.2 MiB)" */
static int add_path(struct buf *out, const struct registry_event *e)
{
	char size[16];
	int rc = e->path ? buf_addstr(out, e->path) : 0;

	if (rc == 0 && e->path && e->oid)
		rc = buf_addf(out, " (%s)", progress_bytes(size, e->size));
	return rc;
}

static int add_version_lines(
	struct table *t, const struct model_args *a, const struct registry_event *e)
{
	struct buf version = BUF_INIT, origin = BUF_INIT, path = BUF_INIT;
	struct stages s = {.version = e};
	char hex[REPO_HEX_MAX + 1];
	int rc = semver_format(&version, &e->what.version);

	repo_id_hex(hex, &a->ctx->repo, e->commit);
	if (rc == 0)
		rc = add_origin(&origin, e);
	if (rc == 0)
		rc = add_path(&path, e);
	if (rc == 0)
		rc = find_stages(&s, a, e->what.model);
	if (rc == 0)
		rc = line(t, "model", e->what.model);
	if (rc == 0)
		rc = line(t, "version", version.p);
	if (rc == 0)
		rc = line(t, "stages", buf_str(&s.text));
	if (rc == 0)
		rc = line(t, "registered", origin.p);
	if (rc == 0)
		rc = line(t, "commit", hex);
	if (rc == 0)
		rc = line(t, "path", buf_str(&path));
	if (rc == 0)
		rc = line(t, "data", e->oid);
	if (rc == 0)
		rc = line(t, "tag", e->tag);
	buf_release(&version);
	buf_release(&origin);
	buf_release(&path);
	buf_release(&s.text);
	return rc;
}

/* Without a title and the line below it. */
static int print_lines(const struct model_args *a, const struct table *t)
{
	struct buf out = BUF_INIT;
	int rc = table_print(t, a->md ? TABLE_MARKDOWN : TABLE_TEXT, 0, &out);

	if (rc == 0)
		fputs(a->md ? out.p : strchr(out.p, '\n') + 1, stdout);
	buf_release(&out);
	return rc;
}

static int print_version_text(struct model_args *a, const struct registry_event *e)
{
	static const char *const titles[] = {"Key", "Value", NULL};
	struct table *t = NULL;
	int rc = table_new(&t);

	if (rc == 0)
		rc = model_columns(t, titles);
	if (rc == 0)
		rc = add_version_lines(t, a, e);
	if (rc == 0)
		rc = print_lines(a, t);
	if (rc == 0 && e->message && *e->message) {
		struct buf text = BUF_INIT;

		rc = buf_addstr(&text, e->message);
		if (rc == 0)
			printf("\n%s\n", err_printable(text.p));
		buf_release(&text);
	}
	table_free(t);
	return rc;
}

static int print_version_json(struct model_args *a, const struct registry_event *e)
{
	struct node *root = node_map();
	int rc = root ? model_put_event(root, a, e) : err_no_memory();

	if (rc == 0)
		rc = put_stage_list(root, a, e);
	if (rc == 0)
		rc = model_put_notes(root, a->registry, e->what.model, NULL);
	if (rc == 0)
		rc = values_print_json(root);
	node_free(root);
	return rc;
}

int model_show(struct model_args *a)
{
	const char *name = a->v[0];
	const struct registry_event *e = NULL;
	size_t n;
	int rc = 0, is_version = strpbrk(name, "@#") != NULL;

	if (is_version)
		rc = registry_resolve(&e, a->registry, name);
	else if (!registry_of_model(a->registry, name, &n))
		rc = registry_no_model(a->registry, name);
	if (rc < 0)
		return rc;
	if (is_version)
		rc = a->json ? print_version_json(a, e) : print_version_text(a, e);
	else
		rc = a->json ? print_model_json(a, name) : print_model_text(a, name);
	if (rc == 0 && !a->json)
		model_tell_notes(a->registry, e ? e->what.model : name, NULL);
	return rc;
}
