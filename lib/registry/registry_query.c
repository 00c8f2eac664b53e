/*
 * Questions to the registry: a version of a model, a name as people write it, what a stage held at
 * some time.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/nearest.h"
#include "lib/base/strmap.h"
#include "lib/registry/registry_internal.h"
#include "lib/store/oidmap.h"

const struct registry_event *registry_version(
	const struct registry *r, const char *model, const struct semver *version)
{
	const struct registry_event *best = NULL;
	size_t n;
	const struct registry_event *const *v = registry_of_model(r, model, &n);

	for (size_t i = 0; i < n; i++) {
		if (v[i]->what.kind != GTOTAG_REGISTER ||
			(version && registry_cmp_version(&v[i]->what.version, version) != 0) ||
			(best && registry_cmp_version(&v[i]->what.version, &best->what.version) <
					 0) ||
			registry_is_taken_back(r, v[i], REGISTRY_NOW))
			continue;
		best = v[i];
	}
	return best;
}

/* ---- stages ---- */

static const struct oid *commit_key(struct oid *key, const uint8_t *commit)
{
	memcpy(key->id, commit, sizeof(key->id));
	return key;
}

static int is_in_stage(const struct registry_event *e, const char *stage, int64_t when)
{
	return (e->what.kind == GTOTAG_ASSIGN || e->what.kind == GTOTAG_UNASSIGN) &&
	       strcmp(e->what.stage, stage) == 0 && registry_counts(e) &&
	       (when == REGISTRY_NOW || e->when <= when);
}

/* From the latest back: what was taken back later does not count.  *registration may become NULL.
 * 1 and *found; 0: nothing; or a negative error. */
static int held(const struct registry_event **found, const struct registry_event **registration,
	const struct registry *r, const struct registry_question *q)
{
	size_t n;
	const struct registry_event *const *v = registry_of_model(r, q->model, &n);
	struct oidmap gone = OIDMAP_INIT;
	struct oid key;
	int rc = 0;

	for (size_t i = n; rc == 0 && i-- > 0;) {
		if (!is_in_stage(v[i], q->stage, q->when) ||
			oidmap_get(&gone, commit_key(&key, v[i]->commit), NULL))
			continue;
		*found = v[i];
		*registration = registry_registration_at(r, v[i]->what.model, v[i]->commit);
		rc = v[i]->what.kind == GTOTAG_ASSIGN &&
		     !(*registration && registry_is_taken_back(r, *registration, q->when));
		if (rc == 0 && oidmap_add(&gone, &key, 0) < 0)
			rc = ERR_NOMEM;
	}
	oidmap_release(&gone);
	return rc;
}

int registry_holds(const struct registry_event **assignment,
	const struct registry_event **registration, const struct registry *r, const char *model,
	const char *stage)
{
	const struct registry_question q = {model, stage, REGISTRY_NOW};

	return held(assignment, registration, r, &q);
}

int registry_each_model(const struct registry *r,
	int (*fn)(const char *model, const struct registry_event *const *events, size_t n,
		void *data),
	void *data)
{
	size_t n;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < r->n; i += n) {
		const struct registry_event *const *v = r->by_model + i;

		for (n = 1; i + n < r->n && strcmp(v[n]->what.model, v[0]->what.model) == 0;)
			n++;
		rc = fn(v[0]->what.model, v, n, data);
	}
	return rc;
}

/* registry_at() and registry_stages(). */
struct asked {
	const struct registry *r;
	struct registry_question q;
	int (*fn)(const struct registry_event *assignment,
		const struct registry_event *registration, void *data);
	void *data;
};

static int ask(const struct asked *a, const struct registry_question *q)
{
	const struct registry_event *found, *registration;
	int rc = held(&found, &registration, a->r, q);

	return rc == 1 ? a->fn(found, registration, a->data) : rc;
}

static int ask_model(const char *model, const struct registry_event *const *v, size_t n, void *data)
{
	const struct asked *a = data;
	struct registry_question q = a->q;

	(void)v;
	(void)n;
	q.model = model;
	return ask(a, &q);
}

int registry_at(const struct registry *r, const struct registry_question *q,
	int (*fn)(const struct registry_event *assignment,
		const struct registry_event *registration, void *data),
	void *data)
{
	struct asked a = {r, *q, fn, data};

	return q->model ? ask(&a, q) : registry_each_model(r, ask_model, &a);
}

static int ask_stage(const char *stage, void *value, void *data)
{
	struct asked *a = data;

	(void)value;
	a->q.stage = stage;
	return ask(a, &a->q);
}

int registry_stages(const struct registry *r, const char *model, int64_t when,
	int (*fn)(const struct registry_event *assignment,
		const struct registry_event *registration, void *data),
	void *data)
{
	struct asked a = {r, {.model = model, .when = when}, fn, data};
	struct strmap stages = STRMAP_INIT;
	size_t n;
	const struct registry_event *const *v = registry_of_model(r, model, &n);
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i++)
		if (v[i]->what.kind == GTOTAG_ASSIGN && registry_counts(v[i]))
			rc = strmap_put(&stages, v[i]->what.stage, NULL);
	if (rc == 0)
		rc = strmap_each(&stages, ask_stage, &a);
	strmap_release(&stages, NULL);
	return rc;
}

const struct registry_event *registry_deprecation(const struct registry *r, const char *model)
{
	size_t n;
	const struct registry_event *const *v = registry_of_model(r, model, &n);

	while (n > 0 && !registry_counts(v[n - 1]))
		n--;
	return n > 0 && v[n - 1]->what.kind == GTOTAG_DEPRECATE ? v[n - 1] : NULL;
}

/* ---- names ---- */

enum spec_kind { SPEC_NONE = 0, SPEC_VERSION, SPEC_LATEST, SPEC_STAGE, SPEC_TAG };

/* The parts of "churn@v1.0.0", "churn@latest", "churn#prod", "churn#prod#3". */
static enum spec_kind parse_spec(struct gtotag *t, const char *spec)
{
	struct buf text = BUF_INIT;
	size_t len = strcspn(spec, "@#");
	enum spec_kind kind = SPEC_NONE;
	int rc = buf_add(&text, spec, len);

	if (rc == 0 && (strcmp(spec + len, "@latest") == 0 || strcmp(spec + len, "@greatest") == 0))
		rc = buf_addstr(&text, "@created");
	else if (rc == 0 && spec[len] == '@' && spec[len + 1] != 'v')
		rc = buf_addf(&text, "@v%s", spec + len + 1);
	else if (rc == 0)
		rc = buf_addstr(&text, spec + len);
	for (char *p = rc == 0 ? strchr(text.p, ':') : NULL; p; p = NULL)
		*p = '='; /* as in a tag's name */
	memset(t, 0, sizeof(*t));
	if (rc == 0)
		gtotag_parse(t, text.p);
	if (t->counter > 0)
		kind = SPEC_TAG;
	else if (t->kind == GTOTAG_CREATE)
		kind = SPEC_LATEST;
	else if (t->kind == GTOTAG_REGISTER)
		kind = SPEC_VERSION;
	else if (t->kind == GTOTAG_ASSIGN)
		kind = SPEC_STAGE;
	err_clear();
	buf_release(&text);
	return kind;
}

int registry_is_spec(const char *spec)
{
	struct gtotag t;

	return parse_spec(&t, spec) != SPEC_NONE;
}

int registry_no_model(const struct registry *r, const char *model)
{
	struct nearest near;

	nearest_init(&near, model);
	for (size_t i = 0; i < r->n; i++)
		nearest_offer(&near, r->v[i].what.model);
	if (r->n == 0)
		return err_set(ERR_NOTFOUND,
			"no model '%s': no model is registered here; where it was elsewhere, 'git "
			"fetch --tags' brings it",
			model);
	if (near.best)
		return err_set(ERR_NOTFOUND, "no model '%s'; the most similar one is '%s'", model,
			near.best);
	return err_set(
		ERR_NOTFOUND, "no model '%s'; 'git dvx model list' shows those that are", model);
}

/* Append ": <what it has>": its versions, the greatest first. */
static int add_versions(struct buf *out, const struct registry *r, const char *model)
{
	enum { NAMED = 8 };
	const struct registry_event *last = NULL;
	size_t shown = 0;
	int rc = 0;

	for (size_t i = r->n_by_version; rc == 0 && i-- > 0;) {
		const struct registry_event *e = r->by_version[i];

		if (strcmp(e->what.model, model) != 0 || e->what.kind != GTOTAG_REGISTER ||
			(last &&
				registry_cmp_version(&last->what.version, &e->what.version) == 0) ||
			registry_is_taken_back(r, e, REGISTRY_NOW))
			continue;
		last = e;
		if (++shown > NAMED)
			return buf_addstr(out, ", ...");
		rc = buf_addstr(out, shown == 1 ? "; it has " : ", ");
		if (rc == 0)
			rc = semver_format(out, &e->what.version);
	}
	return rc == 0 && shown == 0 ? buf_addstr(out, "; it has none") : rc;
}

static int no_version(const struct registry *r, const char *spec, const char *model)
{
	struct buf text = BUF_INIT;

	if (add_versions(&text, r, model) == 0)
		err_set(ERR_NOTFOUND, "no version '%s' is registered%s", spec, buf_str(&text));
	buf_release(&text);
	return ERR_NOTFOUND;
}

struct names {
	struct buf text;
	size_t n;
};

static int add_stage(const struct registry_event *assignment,
	const struct registry_event *registration, void *data)
{
	struct names *names = data;

	(void)registration;
	return buf_addf(
		&names->text, "%s'%s'", names->n++ ? ", " : "; it is in ", assignment->what.stage);
}

static int resolve_stage(
	const struct registry_event **out, const struct registry *r, const struct gtotag *t)
{
	const struct registry_event *assignment;
	struct names names = {BUF_INIT, 0};
	int rc = registry_holds(&assignment, out, r, t->model, t->stage);

	if (rc == 0)
		rc = registry_stages(r, t->model, REGISTRY_NOW, add_stage, &names);
	if (rc == 0)
		rc = err_set(ERR_NOTFOUND, "no version of '%s' is in '%s'%s", t->model, t->stage,
			buf_str(&names.text));
	else if (rc > 0 && !*out)
		rc = err_set(ERR_NOTFOUND,
			"what is in '%s' of '%s' has no version: tag '%s' names a commit that is "
			"not registered",
			t->stage, t->model, assignment->tag);
	buf_release(&names.text);
	return rc < 0 ? rc : 0;
}

/* By the whole name of a tag: of a stage's the registration at its commit. */
static int resolve_tag(const struct registry_event **out, const struct registry *r,
	const char *spec, const struct registry_event *const *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(v[i]->tag, spec) != 0)
			continue;
		*out = v[i]->what.kind == GTOTAG_REGISTER
			       ? v[i]
			       : registry_registration_at(r, v[i]->what.model, v[i]->commit);
		if (!*out)
			return err_set(ERR_NOTFOUND, "no version is registered at tag '%s'", spec);
		return 0;
	}
	return err_set(ERR_NOTFOUND, "no tag '%s'", spec);
}

int registry_resolve(const struct registry_event **out, const struct registry *r, const char *spec)
{
	const struct registry_event *const *v;
	struct gtotag t;
	enum spec_kind kind = parse_spec(&t, spec);
	size_t n;

	if (kind == SPEC_NONE)
		return err_set(ERR_INVALID,
			"'%s' is no model's name; one is 'churn@v1.0.0', 'churn@latest' or "
			"'churn#production'",
			spec);
	v = registry_of_model(r, t.model, &n);
	if (!v)
		return registry_no_model(r, t.model);
	if (kind == SPEC_STAGE)
		return resolve_stage(out, r, &t);
	if (kind == SPEC_TAG)
		return resolve_tag(out, r, spec, v, n);
	*out = registry_version(r, t.model, kind == SPEC_LATEST ? NULL : &t.version);
	return *out ? 0 : no_version(r, spec, t.model);
}

/* Append ", 'churn#production' is v1.0.0". */
static int add_stage_version(const struct registry_event *assignment,
	const struct registry_event *registration, void *data)
{
	enum { NAMED = 8 };
	struct names *names = data;
	int rc;

	if (!registration || names->n++ >= NAMED)
		return 0;
	rc = buf_addf(
		&names->text, ", '%s#%s' is ", assignment->what.model, assignment->what.stage);
	return rc == 0 ? semver_format(&names->text, &registration->what.version) : rc;
}

int registry_bare_model(const struct registry *r, const char *model)
{
	const struct registry_event *latest = registry_version(r, model, NULL);
	struct names names = {BUF_INIT, 0};
	int rc;

	if (!latest)
		return err_set(ERR_NOTFOUND, "'%s' is a model that has no version", model);
	rc = semver_format(&names.text, &latest->what.version);
	if (rc == 0)
		rc = registry_stages(r, model, REGISTRY_NOW, add_stage_version, &names);
	if (rc == 0)
		rc = err_set(ERR_NOTFOUND,
			"'%s' is a model; name a version of it: '%s@latest' is %s", model, model,
			names.text.p);
	buf_release(&names.text);
	return rc;
}
