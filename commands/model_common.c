/*
 * Events of the registry as JSON, and the registry's doubts as warnings: what all subcommands of
 * `git dvx model` tell alike.
 */
#include <stdio.h>
#include <string.h>

#include "commands/model.h"
#include "lib/base/err.h"
#include "lib/base/utf8.h"
#include "lib/registry/when.h"

enum { NOTES_TOLD = 5 };

int model_put(struct node *map, const char *key, struct node *value)
{
	return value ? node_append(map, key, value) : err_no_memory();
}

int model_put_text(struct node *map, const char *key, const char *text)
{
	struct buf clean = BUF_INIT;
	int rc = text ? utf8_add(&clean, text) : 0;

	if (rc == 0)
		rc = model_put(map, key, text ? node_string(buf_str(&clean)) : node_null());
	buf_release(&clean);
	return rc;
}

int model_put_version(struct node *map, const char *key, const struct semver *version)
{
	struct buf text = BUF_INIT;
	int rc = version ? semver_format(&text, version) : 0;

	if (rc == 0)
		rc = model_put_text(map, key, version ? text.p : NULL);
	buf_release(&text);
	return rc;
}

struct node *model_push_map(struct node *list)
{
	struct node *map = node_map();

	return map && node_push(list, map) == 0 ? map : NULL;
}

const char *model_event_name(const struct registry_event *e)
{
	static const char *const names[] = {[GTOTAG_REGISTER] = "registration",
		[GTOTAG_DEREGISTER] = "deregistration",
		[GTOTAG_ASSIGN] = "assignment",
		[GTOTAG_UNASSIGN] = "unassignment",
		[GTOTAG_DEPRECATE] = "deprecation",
		[GTOTAG_CREATE] = "creation"};

	return names[e->what.kind];
}

int model_add_who(struct buf *out, const struct registry_event *e)
{
	if (!e->annotated)
		return buf_addstr(out, "(lightweight tag)");
	return buf_addstr(out, *e->who ? e->who : e->email);
}

static int put_time(struct node *map, const struct registry_event *e)
{
	struct buf text = BUF_INIT;
	int rc = when_add_iso(&text, e->when, e->zone);

	if (rc == 0)
		rc = model_put_text(map, "time", e->annotated ? text.p : NULL);
	buf_release(&text);
	return rc;
}

static int put_by(struct node *map, const struct registry_event *e)
{
	struct node *by = e->annotated ? node_map() : node_null();
	int rc = model_put(map, "by", by);

	if (rc == 0 && e->annotated)
		rc = model_put_text(by, "name", e->who);
	if (rc == 0 && e->annotated)
		rc = model_put_text(by, "email", e->email);
	return rc;
}

/* What of a tag of ours says which file it is about. */
static int put_file(struct node *map, const struct registry_event *e)
{
	int rc = model_put_text(map, "path", e->path);

	if (rc == 0)
		rc = model_put_text(map, "sha256", e->oid ? strchr(e->oid, ':') + 1 : NULL);
	if (rc == 0)
		rc = model_put(map, "size", e->oid ? node_int((int64_t)e->size) : node_null());
	return rc;
}

int model_put_event(struct node *map, const struct model_args *a, const struct registry_event *e)
{
	int is_stage = e->what.kind == GTOTAG_ASSIGN || e->what.kind == GTOTAG_UNASSIGN;
	int is_version = e->what.kind == GTOTAG_REGISTER || e->what.kind == GTOTAG_DEREGISTER;
	const struct semver *version = is_version	? &e->what.version
				       : e->has_version ? &e->version
							: NULL;
	char hex[REPO_HEX_MAX + 1];
	int rc = model_put_text(map, "event", model_event_name(e));

	repo_id_hex(hex, &a->ctx->repo, e->commit);
	if (rc == 0)
		rc = model_put_text(map, "name", e->what.model);
	if (rc == 0)
		rc = model_put_version(map, "version", version);
	if (rc == 0 && is_stage)
		rc = model_put_text(map, "stage", e->what.stage);
	if (rc == 0)
		rc = model_put_text(map, "tag", e->tag);
	if (rc == 0)
		rc = model_put(map, "annotated", node_bool(e->annotated));
	if (rc == 0)
		rc = put_time(map, e);
	if (rc == 0)
		rc = put_by(map, e);
	if (rc == 0)
		rc = model_put_text(map, "commit", hex);
	if (rc == 0)
		rc = model_put_text(map, "message", e->message);
	return rc == 0 && e->what.kind == GTOTAG_REGISTER ? put_file(map, e) : rc;
}

/* Those about the model itself and its versions are about each of its stages, too. */
static int is_about(const struct registry_note *note, const char *model, const char *stage)
{
	return (!model || strcmp(note->model, model) == 0) &&
	       (!stage || !*note->stage || strcmp(note->stage, stage) == 0);
}

int model_put_notes(
	struct node *map, const struct registry *r, const char *model, const char *stage)
{
	struct node *list = node_list();
	size_t n;
	const struct registry_note *v = registry_notes(r, &n);
	int rc = model_put(map, "notes", list);

	for (size_t i = 0; rc == 0 && i < n; i++)
		if (is_about(&v[i], model, stage))
			rc = node_push(list, node_string(v[i].text));
	return rc;
}

void model_tell_notes(const struct registry *r, const char *model, const char *stage)
{
	struct buf text = BUF_INIT;
	size_t n, told = 0;
	const struct registry_note *v = registry_notes(r, &n);

	fflush(stdout);
	for (size_t i = 0; i < n; i++) {
		if (!is_about(&v[i], model, stage))
			continue;
		buf_reset(&text);
		if (told++ < NOTES_TOLD && buf_addstr(&text, v[i].text) == 0)
			fprintf(stderr, "warning: %s\n", err_printable(text.p));
	}
	if (told > NOTES_TOLD)
		fprintf(stderr, "warning: ... and %zu more tags; --json has them all\n",
			told - NOTES_TOLD);
	buf_release(&text);
}
