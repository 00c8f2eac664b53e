/*
 * Models in an answer: the one that was asked for, and all whose versions are tagged at the commit.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/lineage/lineage_internal.h"
#include "lib/registry/when.h"

int lineage_registry(struct lineage *l)
{
	return l->registry != NULL ? 0 : registry_open(&l->registry, l->repo);
}

int lineage_find_model(struct lineage_trace *t)
{
	int rc = lineage_registry(t->l);

	return rc == 0 ? registry_resolve(&t->model, t->l->registry, t->target->model) : rc;
}

/* ---- which file it is ---- */

/* `artifacts:` of the file of stages in the model's directory, by its name there. */
static const struct node *find_artifact(const struct lineage_trace *t, const char *model)
{
	const char *name = strpbrk(model, ":="), *dir = model;
	size_t dir_len = name != NULL ? (size_t)(name - model) : 0;

	name = name != NULL ? name + 1 : model;
	for (size_t i = 0; i < t->pipeline->n_files; i++) {
		const struct pipefile *f = &t->pipeline->files[i];
		const struct node *a = node_get(node_get(f->root, "artifacts"), name);

		if (a != NULL && strlen(f->dir) == dir_len && strncmp(f->dir, dir, dir_len) == 0)
			return a;
	}
	return NULL;
}

int lineage_model_path(struct lineage_trace *t)
{
	const char *model = t->model->what.model;
	const char *path = t->model->path;

	if (path == NULL)
		path = lineage_text(find_artifact(t, model), "path");
	if (path == NULL)
		return lineage_unknown(t->unknown, model,
			"which file the model is: neither its tag has a path, nor has dvx.yaml an "
			"artifact '%s'; told is the whole commit",
			model);
	t->artifact = strdup(path);
	t->path = t->artifact;
	return t->artifact != NULL ? 0 : err_no_memory();
}

/* ---- into the answer ---- */

static int put_time(struct node *map, const char *key, const struct registry_event *e)
{
	struct buf text = BUF_INIT;
	int rc = when_add_iso(&text, e->when, e->zone);

	if (rc == 0)
		rc = lineage_put_text(map, key, text.p);
	buf_release(&text);
	return rc;
}

struct stages {
	const struct registry_event *version;
	struct node *list;
};

static int note_stage(const struct registry_event *assignment,
	const struct registry_event *registration, void *data)
{
	struct stages *s = data;

	if (registration != s->version)
		return 0;
	return node_push(s->list, node_string(assignment->what.stage));
}

/* The stages that a version is in now. */
static int put_stages(struct node *map, const struct registry *r, const struct registry_event *e)
{
	struct stages s = {.version = e, .list = lineage_put_list(map, "stages")};

	return s.list != NULL ? registry_stages(r, e->what.model, REGISTRY_NOW, note_stage, &s)
			      : ERR_NOMEM;
}

static int put_version(struct node *map, const struct registry *r, const struct registry_event *e)
{
	struct buf version = BUF_INIT;
	struct node *by;
	int rc = semver_format(&version, &e->what.version);

	if (rc == 0)
		rc = lineage_put_text(map, "name", e->what.model);
	if (rc == 0)
		rc = lineage_put_text(map, "version", version.p);
	if (rc == 0)
		rc = lineage_put_text(map, "tag", e->tag);
	if (rc == 0)
		rc = node_append(map, "annotated", node_bool(e->annotated));
	if (rc == 0)
		rc = put_time(map, "registered", e);
	if (rc == 0 && (by = lineage_put_map(map, "by")) != NULL) {
		rc = lineage_put_text(by, "name", e->who);
		if (rc == 0)
			rc = lineage_put_text(by, "email", e->email);
	} else if (rc == 0) {
		rc = ERR_NOMEM;
	}
	if (rc == 0)
		rc = lineage_put_text(map, "message", e->message);
	if (rc == 0)
		rc = lineage_put_text(map, "path", e->path);
	if (rc == 0)
		rc = put_stages(map, r, e);
	buf_release(&version);
	return rc;
}

/* What the registry has to say about the model's tags, and what its tag says otherwise than the
 * commit. */
static int doubt(struct lineage_trace *t)
{
	const struct registry_event *e = t->model;
	const struct lineage_content *c = t->path != NULL ? lineage_content(t, t->path) : NULL;
	const struct registry_note *notes;
	char hex[OID_HEX_LEN + 1];
	size_t n = 0;
	int rc = 0;

	notes = registry_notes(t->l->registry, &n);
	for (size_t i = 0; rc == 0 && i < n; i++)
		if (strcmp(notes[i].model, e->what.model) == 0)
			rc = lineage_unknown(t->unknown, notes[i].tag, "%s", notes[i].text);
	if (rc < 0 || e->oid == NULL || t->target->path != NULL || c == NULL || !c->hashed)
		return rc;
	oid_to_hex(hex, &c->oid);
	if (strcmp(e->oid + (strncmp(e->oid, "sha256:", 7) == 0 ? 7 : 0), hex) == 0)
		return 0;
	return lineage_unknown(t->unknown, e->tag,
		"which bytes were registered: the tag says %s, its commit has sha256:%s at '%s'",
		e->oid, hex, t->path);
}

int lineage_put_models(struct lineage_trace *t)
{
	const struct registry_event *v;
	struct node *list, *map;
	size_t n = 0;
	int rc = lineage_registry(t->l);

	if (rc < 0)
		return rc;
	if (t->model != NULL) {
		map = lineage_put_map(t->root, "model");
		rc = map != NULL ? put_version(map, t->l->registry, t->model) : ERR_NOMEM;
		if (rc == 0)
			rc = doubt(t);
	}
	list = lineage_put_list(t->root, "models");
	v = registry_events(t->l->registry, &n);
	for (size_t i = 0; rc == 0 && list != NULL && i < n; i++) {
		if (v[i].what.kind != GTOTAG_REGISTER || v[i].no_commit ||
			memcmp(v[i].commit, t->commit, (size_t)t->l->repo->hash_len) != 0 ||
			registry_version(t->l->registry, v[i].what.model, &v[i].what.version) !=
				&v[i])
			continue;
		map = lineage_push_map(list);
		rc = map != NULL ? put_version(map, t->l->registry, &v[i]) : ERR_NOMEM;
	}
	return list == NULL ? ERR_NOMEM : rc;
}
