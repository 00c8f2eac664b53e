/*
 * The orders in which events are looked up, and what contradicts itself in them.  A registry is
 * read whole each time: three sorted lists cost less than any map.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/strmap.h"
#include "lib/registry/registry_internal.h"

int registry_cmp_version(const struct semver *a, const struct semver *b)
{
	int rc = semver_compare(a, b);

	return rc ? rc : strcmp(a->build, b->build);
}

static int is_of_version(const struct registry_event *e)
{
	return e->what.kind == GTOTAG_REGISTER || e->what.kind == GTOTAG_DEREGISTER;
}

static int is_of_stage(const struct registry_event *e)
{
	return e->what.kind == GTOTAG_ASSIGN || e->what.kind == GTOTAG_UNASSIGN;
}

int registry_counts(const struct registry_event *e)
{
	return e->annotated || e->what.kind == GTOTAG_REGISTER;
}

/* ---- orders ---- */

static int cmp_time(const struct registry_event *a, const struct registry_event *b)
{
	if (a->when != b->when)
		return a->when < b->when ? -1 : 1;
	if (a->what.counter != b->what.counter)
		return a->what.counter < b->what.counter ? -1 : 1;
	if (a->what.kind != b->what.kind) /* a script registers and deprecates in one second */
		return a->what.kind < b->what.kind ? -1 : 1;
	return strcmp(a->tag, b->tag);
}

static int events_by_time(const void *a, const void *b)
{
	return cmp_time(a, b);
}

static int cmp_by_model(const void *a, const void *b)
{
	const struct registry_event *x = *(const struct registry_event *const *)a;
	const struct registry_event *y = *(const struct registry_event *const *)b;
	int rc = strcmp(x->what.model, y->what.model);

	return rc ? rc : cmp_time(x, y);
}

static int cmp_by_commit(const void *a, const void *b)
{
	const struct registry_event *x = *(const struct registry_event *const *)a;
	const struct registry_event *y = *(const struct registry_event *const *)b;
	int rc = strcmp(x->what.model, y->what.model);

	if (rc == 0)
		rc = memcmp(x->commit, y->commit, sizeof(x->commit));
	return rc ? rc : cmp_time(x, y);
}

static int cmp_by_version(const void *a, const void *b)
{
	const struct registry_event *x = *(const struct registry_event *const *)a;
	const struct registry_event *y = *(const struct registry_event *const *)b;
	int rc = strcmp(x->what.model, y->what.model);

	if (rc == 0)
		rc = registry_cmp_version(&x->what.version, &y->what.version);
	return rc ? rc : cmp_time(x, y);
}

/* The version of each assignment is the one that is registered at its commit. */
static void set_versions(struct registry *r)
{
	for (size_t i = 0; i < r->n; i++) {
		struct registry_event *e = &r->v[i];
		const struct registry_event *at;

		if (!is_of_stage(e))
			continue;
		at = registry_registration_at(r, e->what.model, e->commit);
		e->has_version = at != NULL;
		if (at)
			e->version = at->what.version;
	}
}

int registry_index(struct registry *r)
{
	if (r->n > 0)
		qsort(r->v, r->n, sizeof(*r->v), events_by_time);
	r->by_model = calloc(r->n + 1, sizeof(*r->by_model));
	r->by_commit = calloc(r->n + 1, sizeof(*r->by_commit));
	r->by_version = calloc(r->n + 1, sizeof(*r->by_version));
	if (!r->by_model || !r->by_commit || !r->by_version)
		return err_no_memory();
	for (size_t i = 0; i < r->n; i++) {
		r->by_model[i] = &r->v[i];
		if (r->v[i].what.kind == GTOTAG_REGISTER)
			r->by_commit[r->n_by_commit++] = &r->v[i];
		if (is_of_version(&r->v[i]))
			r->by_version[r->n_by_version++] = &r->v[i];
	}
	qsort(r->by_model, r->n, sizeof(*r->by_model), cmp_by_model);
	qsort(r->by_commit, r->n_by_commit, sizeof(*r->by_commit), cmp_by_commit);
	qsort(r->by_version, r->n_by_version, sizeof(*r->by_version), cmp_by_version);
	set_versions(r);
	return 0;
}

/* ---- look-ups ---- */

/* The last one of a sorted list for which cmp() <= 0. */
static const struct registry_event *last_until(const struct registry_event **v, size_t n,
	const struct registry_event *key, int (*cmp)(const void *a, const void *b))
{
	size_t from = 0, to = n;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (cmp(&v[middle], &key) <= 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from > 0 ? v[from - 1] : NULL;
}

/* A key that is behind all events of the same model (and commit, and version). */
static void key_of(struct registry_event *key, const char *model)
{
	memset(key, 0, sizeof(*key));
	snprintf(key->what.model, sizeof(key->what.model), "%s", model);
	key->when = INT64_MAX;
	key->what.counter = UINT64_MAX;
	key->tag = "\xff";
}

const struct registry_event *registry_registration_at(
	const struct registry *r, const char *model, const uint8_t *commit)
{
	struct registry_event key;
	const struct registry_event *found;

	key_of(&key, model);
	memcpy(key.commit, commit, sizeof(key.commit));
	found = last_until(r->by_commit, r->n_by_commit, &key, cmp_by_commit);
	return found && strcmp(found->what.model, model) == 0 &&
			       memcmp(found->commit, commit, sizeof(key.commit)) == 0
		       ? found
		       : NULL;
}

int registry_is_taken_back(
	const struct registry *r, const struct registry_event *registration, int64_t when)
{
	struct registry_event key;
	const struct registry_event *last;

	key_of(&key, registration->what.model);
	key.what.version = registration->what.version;
	if (when != REGISTRY_NOW)
		key.when = when;
	last = last_until(r->by_version, r->n_by_version, &key, cmp_by_version);
	return last && last->what.kind == GTOTAG_DEREGISTER &&
	       strcmp(last->what.model, key.what.model) == 0 &&
	       registry_cmp_version(&last->what.version, &key.what.version) == 0;
}

const struct registry_event *const *registry_of_model(
	const struct registry *r, const char *model, size_t *n)
{
	struct registry_event key;
	const struct registry_event *last;
	size_t end = 0, from = 0, to = r->n;

	key_of(&key, model);
	last = last_until(r->by_model, r->n, &key, cmp_by_model);
	*n = 0;
	if (!last || strcmp(last->what.model, model) != 0)
		return NULL;
	while (from < to) { /* the first one */
		size_t middle = from + (to - from) / 2;

		if (strcmp(r->by_model[middle]->what.model, model) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	for (end = from; end < r->n && strcmp(r->by_model[end]->what.model, model) == 0;)
		end++;
	*n = end - from;
	return r->by_model + from;
}

/* ---- contradictions ---- */

static int doubt_time(struct registry *r, const struct registry_event *e, const char *other)
{
	struct buf text = BUF_INIT;
	int rc = buf_addf(&text,
		"has a later time than tag '%s', though a smaller number: a clock was wrong; the "
		"times are what counts",
		other);

	if (rc == 0)
		rc = registry_note_add(r, e, text.p);
	buf_release(&text);
	return rc;
}

/* Counters grow with each assignment: in one stage a later one must not have a smaller one. */
static int doubt_times(struct registry *r)
{
	struct strmap stages = STRMAP_INIT; /* -> the event with the greatest counter so far */
	struct buf key = BUF_INIT;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < r->n; i++) {
		struct registry_event *e = &r->v[i], *greatest;

		if (!is_of_stage(e) || !registry_counts(e))
			continue;
		buf_reset(&key);
		rc = buf_addf(&key, "%s#%s", e->what.model, e->what.stage);
		greatest = rc == 0 ? strmap_get(&stages, key.p) : NULL;
		if (greatest && e->what.counter > 0 && e->what.counter < greatest->what.counter)
			rc = doubt_time(r, e, greatest->tag);
		else if (rc == 0)
			rc = strmap_put(&stages, key.p, e);
	}
	strmap_release(&stages, NULL);
	buf_release(&key);
	return rc;
}

/* Two versions of one commit: which of them an assignment means cannot be told. */
static int doubt_commits(struct registry *r)
{
	int rc = 0;

	for (size_t i = 1; rc == 0 && i < r->n_by_commit; i++) {
		const struct registry_event *a = r->by_commit[i - 1], *b = r->by_commit[i];

		if (strcmp(a->what.model, b->what.model) == 0 &&
			memcmp(a->commit, b->commit, sizeof(a->commit)) == 0 &&
			registry_cmp_version(&a->what.version, &b->what.version) != 0)
			rc = registry_note_add(r, b,
				"names a commit that has another version already: stages at this "
				"commit are shown with the later one");
	}
	return rc;
}

/* One version of two commits. */
static int doubt_versions(struct registry *r)
{
	int rc = 0;

	for (size_t i = 1; rc == 0 && i < r->n_by_version; i++) {
		const struct registry_event *a = r->by_version[i - 1], *b = r->by_version[i];

		if (b->what.kind == GTOTAG_REGISTER && strcmp(a->what.model, b->what.model) == 0 &&
			registry_cmp_version(&a->what.version, &b->what.version) == 0 &&
			memcmp(a->commit, b->commit, sizeof(a->commit)) != 0)
			rc = registry_note_add(r, b,
				"registers a version that another tag has for another commit");
	}
	return rc;
}

int registry_doubts(struct registry *r)
{
	int rc = doubt_times(r);

	if (rc == 0)
		rc = doubt_commits(r);
	return rc == 0 ? doubt_versions(r) : rc;
}
