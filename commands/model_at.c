/*
 * `git dvx model at`: what a stage held at some time, and what that was made of.  The data comes
 * from lineage; where it cannot be told, the answer is given without it, and says so.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "commands/model.h"
#include "commands/trace_print.h"
#include "commands/values.h"
#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/lineage/lineage.h"
#include "lib/registry/when.h"
#include "lib/repo/git.h"

struct at {
	struct model_args *a;
	const char *stage, *model; /* model NULL: all */
	int64_t when;		   /* REGISTRY_NOW: now, whatever a clock said */
	int whole_day;
	struct lineage *lineage;
	uint8_t (*commits)[REPO_ID_MAX]; /* of all that are found */
	size_t n_commits, cap_commits;
	struct node *models; /* JSON; NULL: text */
	size_t found;
};

/* ---- what it was made of ---- */

static int note_commit(const struct registry_event *assignment,
	const struct registry_event *registration, void *data)
{
	struct at *at = data;

	if (array_room(&at->commits, at->n_commits, &at->cap_commits, sizeof(*at->commits)) < 0)
		return ERR_NOMEM;
	memcpy(at->commits[at->n_commits++], (registration ? registration : assignment)->commit,
		sizeof(*at->commits));
	return 0;
}

/* Git is asked once for all commits that answers are about. */
static int start_lineage(struct at *at)
{
	struct model_args *a = at->a;
	int rc = registry_at(a->registry,
		&(struct registry_question){at->model, at->stage, at->when}, note_commit, at);

	if (rc == 0)
		rc = command_store(a->ctx);
	if (rc == 0)
		rc = lineage_new(&at->lineage, &a->ctx->repo, a->ctx->s);
	if (rc < 0)
		return rc;
	lineage_lend_registry(at->lineage, a->registry);
	return lineage_expect(
		at->lineage, (const uint8_t(*)[REPO_ID_MAX])at->commits, at->n_commits);
}

/* *out is the answer of lineage, or NULL with the reason as a warning. */
static int trace(struct node **out, struct at *at, const struct registry_event *e)
{
	struct lineage_target target = {0};
	struct buf spec = BUF_INIT;
	char hex[REPO_HEX_MAX + 1];
	int rc = 0;

	*out = NULL;
	repo_id_hex(hex, &at->a->ctx->repo, e->commit);
	target.rev = hex;
	if (e->what.kind == GTOTAG_REGISTER) {
		rc = buf_addf(&spec, "%s@", e->what.model);
		if (rc == 0)
			rc = semver_format(&spec, &e->what.version);
		target.rev = NULL;
		target.model = spec.p;
	}
	if (rc == 0 && !at->lineage)
		rc = start_lineage(at);
	if (rc == 0)
		rc = lineage_trace(out, at->lineage, &target);
	if (rc < 0 && rc != ERR_NOMEM) {
		fprintf(stderr, "warning: what '%s' was made of cannot be told: %s\n", e->tag,
			err_msg());
		err_clear();
		rc = 0;
	}
	buf_release(&spec);
	return rc;
}

/* Append what of a clock makes the answer doubtful; nothing where all is well. */
static int add_doubt(struct buf *out, const struct at *at, const struct registry_event *assignment)
{
	char hex[REPO_HEX_MAX + 1];
	int rc;

	if (at->when == REGISTRY_NOW || assignment->commit_when <= at->when)
		return 0;
	repo_id_hex(hex, &at->a->ctx->repo, assignment->commit);
	rc = buf_addf(out, "tag '%s' names commit %.10s, which is of ", assignment->tag, hex);
	if (rc == 0)
		rc = when_add_date(out, assignment->commit_when);
	return rc == 0 ? buf_addstr(out, ", later than what was asked for: a clock was wrong, or "
					 "the tag was dated back")
		       : rc;
}

/* ---- text ---- */

/* " v1.0.0 (since 2023-12-01 by Ann; code 3f2a91c" */
static int add_head(struct buf *out, const struct at *at, const struct registry_event *assignment,
	const struct registry_event *registration)
{
	char hex[REPO_HEX_MAX + 1];
	int rc = buf_addf(out, "%s ", assignment->what.model);

	repo_id_hex(hex, &at->a->ctx->repo, assignment->commit);
	if (rc == 0)
		rc = registration ? semver_format(out, &registration->what.version)
				  : buf_addstr(out, "(no version)");
	if (rc == 0)
		rc = buf_addstr(out, " (since ");
	if (rc == 0)
		rc = when_add_date(out, assignment->when);
	if (rc == 0)
		rc = buf_addstr(out, " by ");
	if (rc == 0)
		rc = model_add_who(out, assignment);
	return rc == 0 ? buf_addf(out, "; code %.7s", hex) : rc;
}

/* ", model models/churn.pkl sha256:2c26b46b68ff": as the tag says, else as the commit has it. */
static int add_file(
	struct buf *out, const struct registry_event *registration, const struct node *answer)
{
	const struct node *file = node_get(answer, "file"), *sha256 = node_get(file, "sha256");
	const struct node *path = node_get(file, "path");
	int rc = 0;

	if (registration && registration->path) {
		rc = buf_addf(out, ", model %s", registration->path);
		if (rc == 0 && registration->oid)
			rc = buf_addf(out, " %.19s", registration->oid);
	} else if (path && path->type == NODE_STRING) {
		rc = buf_addf(out, ", model %s", path->text);
		if (rc == 0 && sha256 && sha256->type == NODE_STRING)
			rc = buf_addf(out, " sha256:%.12s", sha256->text);
	}
	return rc == 0 ? buf_addstr(out, ")") : rc;
}

/* "    data data/customers.csv: 12.0 KiB, 1,000 rows, sha256:2c26b46b68ff" */
static int print_data(const struct node *answer)
{
	const struct node *data = node_get(answer, "data");
	struct buf text = BUF_INIT;
	int rc = 0;

	for (size_t i = 0; rc == 0 && data && i < data->n; i++) {
		buf_reset(&text);
		rc = trace_add(&text, data->items[i], "path", "");
		if (rc == 0)
			rc = buf_addstr(&text, ": ");
		if (rc == 0)
			rc = trace_facts(&text, data->items[i]);
		if (rc == 0)
			printf("    data %s\n", err_printable(text.p));
	}
	buf_release(&text);
	return rc;
}

static int tell_text(struct at *at, const struct registry_event *assignment,
	const struct registry_event *registration, const struct node *answer)
{
	struct buf text = BUF_INIT;
	int rc = add_head(&text, at, assignment, registration);

	if (rc == 0)
		rc = add_file(&text, registration, answer);
	if (rc == 0)
		puts(err_printable(text.p));
	if (rc == 0)
		rc = print_data(answer);
	buf_reset(&text);
	if (rc == 0)
		rc = add_doubt(&text, at, assignment);
	fflush(stdout);
	if (rc == 0 && text.len > 0)
		fprintf(stderr, "warning: %s\n", err_printable(text.p));
	buf_release(&text);
	return rc;
}

/* ---- JSON ---- */

/* The part of the answer under this key, null where there is none. */
static int put_part(struct node *map, const char *key, const struct node *answer, const char *part)
{
	const struct node *value = node_get(answer, part);

	return model_put(map, key, value ? node_dup(value) : node_null());
}

static int tell_json(struct at *at, const struct registry_event *assignment,
	const struct registry_event *registration, const struct node *answer)
{
	struct node *map = model_push_map(at->models),
		    *of = registration ? node_map() : node_null();
	struct buf doubt = BUF_INIT;
	int rc = map && of ? model_put_event(map, at->a, assignment) : err_no_memory();

	if (rc == 0 && registration)
		rc = model_put_event(of, at->a, registration);
	if (rc < 0) {
		node_free(of);
		return rc;
	}
	rc = model_put(map, "registration", of);
	if (rc == 0)
		rc = add_doubt(&doubt, at, assignment);
	if (rc == 0)
		rc = model_put_text(map, "doubt", doubt.p);
	buf_release(&doubt);
	if (rc == 0)
		rc = put_part(map, "file", answer, "file");
	if (rc == 0)
		rc = put_part(map, "data", answer, "data");
	return rc == 0 ? put_part(map, "unknown", answer, "unknown") : rc;
}

static int tell(const struct registry_event *assignment, const struct registry_event *registration,
	void *data)
{
	struct at *at = data;
	struct node *answer = NULL;
	int rc = trace(&answer, at, registration ? registration : assignment);

	at->found++;
	if (rc == 0)
		rc = at->models ? tell_json(at, assignment, registration, answer)
				: tell_text(at, assignment, registration, answer);
	node_free(answer);
	return rc;
}

/* ---- nothing ---- */

static int is_in(const struct at *at, const struct registry_event *e)
{
	return e->what.kind == GTOTAG_ASSIGN && e->annotated &&
	       strcmp(e->what.stage, at->stage) == 0 &&
	       (!at->model || strcmp(e->what.model, at->model) == 0);
}

/* What came into the stage next; NULL: nothing did. */
static const struct registry_event *next_one(
	const struct at *at, const struct registry_event **last)
{
	size_t n;
	const struct registry_event *v = registry_events(at->a->registry, &n);

	*last = NULL;
	for (size_t i = 0; i < n; i++) {
		if (!is_in(at, &v[i]))
			continue;
		if (at->when != REGISTRY_NOW && v[i].when > at->when)
			return &v[i];
		*last = &v[i];
	}
	return NULL;
}

/* "churn v1.0.0, on 2023-12-01" */
static int add_event(struct buf *out, const struct registry_event *e)
{
	int rc = buf_addf(out, "%s ", e->what.model);

	if (rc == 0 && e->has_version)
		rc = semver_format(out, &e->version);
	if (rc == 0)
		rc = buf_addstr(out, e->has_version ? ", since " : "since ");
	return rc == 0 ? when_add_date(out, e->when) : rc;
}

/* "nothing was in 'production' at the end of 2023-12-15; the first was churn v1.0.0, since …" */
static int tell_nothing(const struct at *at)
{
	const struct registry_event *last, *next = next_one(at, &last);
	struct buf text = BUF_INIT;
	int rc = buf_addf(
		&text, "nothing %s in '%s'", at->when == REGISTRY_NOW ? "is" : "was", at->stage);

	if (rc == 0 && at->when != REGISTRY_NOW)
		rc = buf_addstr(&text, at->whole_day ? " at the end of " : " at ");
	if (rc == 0 && at->when != REGISTRY_NOW)
		rc = at->whole_day ? when_add_date(&text, at->when)
				   : when_add_local(&text, at->when);
	if (rc == 0 && !last && !next)
		rc = buf_addstr(&text, ", nor ever before or after");
	if (rc == 0 && last) {
		rc = buf_addstr(&text, "; the last that came in was ");
		if (rc == 0)
			rc = add_event(&text, last);
	}
	if (rc == 0 && next) {
		rc = buf_addstr(&text, last ? "; the next was " : "; the first was ");
		if (rc == 0)
			rc = add_event(&text, next);
	}
	if (rc == 0 && git_is_shallow(&at->a->ctx->repo))
		rc = buf_addstr(&text,
			"; this clone is shallow, 'git fetch --unshallow --tags' brings the rest");
	if (rc == 0)
		fprintf(stderr, "%s\n", err_printable(text.p));
	buf_release(&text);
	return rc;
}

/* ---- the command ---- */

static int print_json(struct at *at, struct node *root)
{
	const struct registry_event *last, *next = at->found ? NULL : next_one(at, &last);
	int64_t when = at->when == REGISTRY_NOW ? (int64_t)time(NULL) : at->when;
	struct node *map = next ? node_map() : node_null();
	struct buf iso = BUF_INIT;
	int rc = when_add_iso(&iso, when, when_local_zone(when));

	if (rc == 0)
		rc = model_put_text(root, "at", iso.p);
	if (rc == 0)
		rc = model_put(root, "next", map);
	else
		node_free(map);
	if (rc == 0 && next)
		rc = model_put_event(map, at->a, next);
	if (rc == 0)
		rc = model_put_notes(root, at->a->registry, at->model, at->stage);
	if (rc == 0)
		rc = values_print_json(root);
	buf_release(&iso);
	return rc;
}

/* No such model: it may be a slip of the hand. */
static int wrong_model(const struct at *at)
{
	int64_t when;
	int whole_day;
	size_t n;

	if (registry_of_model(at->a->registry, at->stage, &n))
		return err_set(ERR_NOTFOUND,
			"no model '%s'; '%s' is one, and stands behind the stage: 'git dvx model "
			"at <stage> <name>'",
			at->model, at->stage);
	if (when_parse(&when, &whole_day, at->model, (int64_t)time(NULL)) == 0)
		return err_set(
			ERR_NOTFOUND, "no model '%s'; a date stands behind '--date'", at->model);
	err_clear();
	return registry_no_model(at->a->registry, at->model);
}

static int start(struct at *at)
{
	size_t n;
	int rc = gtotag_check_stage(at->stage);

	if (rc == 0 && at->model && !registry_of_model(at->a->registry, at->model, &n))
		rc = wrong_model(at);
	if (rc == 0 && at->a->date)
		rc = when_parse(&at->when, &at->whole_day, at->a->date, (int64_t)time(NULL));
	return rc;
}

int model_at(struct model_args *a)
{
	struct at at = {
		.a = a, .stage = a->v[0], .model = a->n > 1 ? a->v[1] : NULL, .when = REGISTRY_NOW};
	struct node *root = node_map();
	int rc = root ? start(&at) : err_no_memory();

	if (rc == 0)
		rc = model_put_text(root, "stage", at.stage);
	if (rc == 0 && a->json) {
		at.models = node_list();
		rc = model_put(root, "models", at.models);
	}
	if (rc == 0)
		rc = registry_at(a->registry,
			&(struct registry_question){at.model, at.stage, at.when}, tell, &at);
	if (rc == 0 && a->json)
		rc = print_json(&at, root);
	if (rc == 0 && !a->json) {
		model_tell_notes(a->registry, at.model, at.stage);
		rc = at.found ? 0 : tell_nothing(&at);
	}
	lineage_free(at.lineage);
	free(at.commits);
	node_free(root);
	return rc < 0 ? rc : at.found ? COMMAND_OK : COMMAND_NO;
}
