/*
 * New tags.  The registry is read under a lock of its own, and the tag is made by `git tag` before
 * the lock is given back: counters are unique in this repository, and nobody's tag is ever moved -
 * Git itself refuses a name that is there, whoever made it.  `git tag` also knows who the user is
 * and how tags are signed.
 */
#include "lib/registry/registry_tag.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/lockfile.h"
#include "lib/registry/registry_internal.h"
#include "lib/registry/tagtext.h"
#include "lib/registry/when.h"
#include "lib/repo/git.h"

enum { LOCK_WAIT_MS = 20000 };

struct making {
	const struct registry *r;
	const struct repo *repo;
	struct registry_tag *t;
	const char *version; /* in words */
	uint8_t commit[REPO_ID_MAX];
	struct buf name;
};

/* Append "by Ann on 2023-12-01". */
static int add_origin(struct buf *out, const struct registry_event *e)
{
	int rc = 0;

	if (!e->annotated)
		return buf_addf(out, "by the lightweight tag '%s'", e->tag);
	if (*e->who)
		rc = buf_addf(out, "by %s ", e->who);
	if (rc == 0)
		rc = buf_addstr(out, "on ");
	return rc == 0 ? when_add_date(out, e->when) : rc;
}

/* ERR_EXISTS "<what> (by Ann on 2023-12-01)" and a hint. */
static int exists(const struct registry_event *e, const char *hint, const char *what)
{
	struct buf origin = BUF_INIT;

	add_origin(&origin, e);
	err_set(ERR_EXISTS, "%s (%s)%s", what, buf_str(&origin), hint);
	buf_release(&origin);
	return ERR_EXISTS;
}

/* ---- registrations ---- */

static void choose_version(struct making *m)
{
	static const enum semver_bump bumps[] = {[REGISTRY_NEXT_MAJOR] = SEMVER_MAJOR,
		[REGISTRY_NEXT_MINOR] = SEMVER_MINOR,
		[REGISTRY_NEXT_PATCH] = SEMVER_PATCH};
	struct registry_tag *t = m->t;
	const struct registry_event *e;

	if (t->bump == REGISTRY_AS_GIVEN)
		return;
	memset(&t->what.version, 0, sizeof(t->what.version));
	for (size_t i = 0; i < m->r->n_by_version; i++) { /* also what was deregistered */
		e = m->r->by_version[i];
		if (strcmp(e->what.model, t->what.model) == 0 &&
			semver_compare(&e->what.version, &t->what.version) > 0)
			t->what.version = e->what.version;
	}
	semver_bump(&t->what.version, bumps[t->bump]);
}

/* The same version, whatever became of it, or another one at the same commit. */
static int check_registration(struct making *m)
{
	const struct gtotag *what = &m->t->what;
	struct buf text = BUF_INIT;
	char hex[REPO_HEX_MAX + 1];
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < m->r->n_by_version; i++) {
		const struct registry_event *e = m->r->by_version[i];
		int here = memcmp(e->commit, m->commit, sizeof(e->commit)) == 0;
		int same = registry_cmp_version(&e->what.version, &what->version) == 0;

		if (e->what.kind != GTOTAG_REGISTER || strcmp(e->what.model, what->model) != 0 ||
			(!same && !here))
			continue;
		if (same && here && registry_is_taken_back(m->r, e, REGISTRY_NOW))
			continue; /* again the same */
		buf_reset(&text);
		repo_id_hex(hex, m->repo, e->commit);
		if (same) {
			buf_addf(&text, "version '%s' of '%s' is registered already, at %.10s",
				m->version, what->model, hex);
			rc = exists(e, "; a version stays what it is: choose the next one",
				buf_str(&text));
		} else {
			buf_addf(&text, "commit %.10s is a version of '%s' already, ", hex,
				what->model);
			semver_format(&text, &e->what.version);
			rc = exists(e,
				"; a commit has one version of a model: commit what is new first",
				buf_str(&text));
		}
	}
	buf_release(&text);
	return rc;
}

/* ---- stages ---- */

/* The registration of the version that is asked for. */
static int find_version(struct making *m, const struct registry_event **out)
{
	const struct gtotag *what = &m->t->what;
	struct buf spec = BUF_INIT;
	int rc = buf_addf(&spec, "%s@%s", what->model, m->version);

	if (rc == 0)
		rc = registry_resolve(out, m->r, spec.p);
	if (rc == 0)
		memcpy(m->commit, (*out)->commit, sizeof(m->commit));
	buf_release(&spec);
	return rc;
}

static int prepare_assignment(struct making *m)
{
	const struct gtotag *what = &m->t->what;
	const struct registry_event *registration, *now, *holds;
	struct buf text = BUF_INIT;
	int rc = find_version(m, &registration);

	if (rc == 0)
		rc = registry_holds(&now, &holds, m->r, what->model, what->stage);
	if (rc == 1) {
		rc = 0;
		if (memcmp(now->commit, m->commit, sizeof(m->commit)) == 0) {
			buf_addf(&text, "'%s' %s is in '%s' already", what->model, m->version,
				what->stage);
			rc = exists(now, "", buf_str(&text));
		}
	}
	buf_release(&text);
	return rc;
}

/* 1 if the version's last event in the stage is that it came in. */
static int is_assigned(const struct making *m)
{
	const struct gtotag *what = &m->t->what;
	size_t n;
	const struct registry_event *const *v = registry_of_model(m->r, what->model, &n);

	while (n-- > 0)
		if ((v[n]->what.kind == GTOTAG_ASSIGN || v[n]->what.kind == GTOTAG_UNASSIGN) &&
			registry_counts(v[n]) && strcmp(v[n]->what.stage, what->stage) == 0 &&
			memcmp(v[n]->commit, m->commit, sizeof(m->commit)) == 0)
			return v[n]->what.kind == GTOTAG_ASSIGN;
	return 0;
}

/* What the stage holds, whatever it is. */
static int take_holder(struct making *m)
{
	struct gtotag *what = &m->t->what;
	const struct registry_event *now, *registration;
	int rc = registry_holds(&now, &registration, m->r, what->model, what->stage);

	if (rc == 0)
		return err_set(
			ERR_NOTFOUND, "no version of '%s' is in '%s'", what->model, what->stage);
	if (rc < 0)
		return rc;
	memcpy(m->commit, now->commit, sizeof(m->commit));
	if (registration)
		what->version = registration->what.version;
	return 0;
}

static int prepare_unassignment(struct making *m)
{
	const struct gtotag *what = &m->t->what;
	const struct registry_event *registration;
	size_t n;
	int rc;

	if (!registry_of_model(m->r, what->model, &n))
		return registry_no_model(m->r, what->model);
	if (m->t->any_version)
		return take_holder(m);
	rc = find_version(m, &registration);
	if (rc == 0 && !is_assigned(m))
		rc = err_set(ERR_NOTFOUND, "'%s' %s is not in '%s'", what->model, m->version,
			what->stage);
	return rc;
}

static int prepare_deprecation(struct making *m)
{
	const char *model = m->t->what.model;
	const struct registry_event *ended = registry_deprecation(m->r, model);
	struct buf text = BUF_INIT;
	size_t n;
	const struct registry_event *const *v = registry_of_model(m->r, model, &n);
	int rc = 0;

	if (!v)
		return registry_no_model(m->r, model);
	if (ended) {
		buf_addf(&text, "'%s' is deprecated already", model);
		rc = exists(ended, "", buf_str(&text));
	}
	memcpy(m->commit, v[n - 1]->commit, sizeof(m->commit));
	buf_release(&text);
	return rc;
}

/* ---- the tag ---- */

/* Of an artifact's tags, whatever they are, the greatest. */
static uint64_t last_counter(const struct making *m)
{
	size_t n;
	const struct registry_event *const *v = registry_of_model(m->r, m->t->what.model, &n);
	uint64_t greatest = 0;

	for (size_t i = 0; i < n; i++)
		if (v[i]->what.counter > greatest)
			greatest = v[i]->what.counter;
	return greatest;
}

static int is_taken(const struct making *m)
{
	size_t n;
	const struct registry_event *const *v = registry_of_model(m->r, m->t->what.model, &n);

	for (size_t i = 0; i < n; i++)
		if (strcmp(v[i]->tag, m->name.p) == 0)
			return 1;
	return 0;
}

/* Stages have a counter in any case, the others where the name is taken. */
static int choose_name(struct making *m)
{
	struct gtotag *what = &m->t->what;
	int rc, counts = what->kind == GTOTAG_ASSIGN || what->kind == GTOTAG_UNASSIGN;

	what->counter = counts ? last_counter(m) + 1 : 0;
	rc = gtotag_format(&m->name, what);
	if (rc == 0 && !counts && is_taken(m)) {
		what->counter = last_counter(m) + 1;
		buf_reset(&m->name);
		rc = gtotag_format(&m->name, what);
	}
	return rc;
}

/* GTO's words. */
static int default_message(struct buf *out, const struct making *m)
{
	const struct gtotag *what = &m->t->what;

	switch (what->kind) {
	case GTOTAG_REGISTER:
		return buf_addf(out, "Registering artifact %s version %s", what->model, m->version);
	case GTOTAG_DEREGISTER:
		return buf_addf(
			out, "Deregistering artifact %s version %s", what->model, m->version);
	case GTOTAG_ASSIGN:
		return buf_addf(out, "Assigning stage %s to artifact %s version %s", what->stage,
			what->model, m->version);
	case GTOTAG_UNASSIGN:
		return buf_addf(out, "Unassigning stage %s from artifact %s version %s",
			what->stage, what->model, m->version);
	default:
		return buf_addf(out, "Deprecating artifact %s", what->model);
	}
}

static int make_tag(struct making *m)
{
	char hex[REPO_HEX_MAX + 1];
	struct buf words = BUF_INIT, text = BUF_INIT;
	struct tagtext trailers = {
		.path = m->t->path, .sha256 = m->t->sha256, .size = m->t->size, .commit = hex};
	int rc = m->t->message ? 0 : default_message(&words, m);

	repo_id_hex(hex, m->repo, m->commit);
	if (rc == 0)
		rc = tagtext_format(&text, m->t->message ? m->t->message : words.p, &trailers);
	if (rc == 0)
		rc = git_status_of(m->repo, text.p, text.len, NULL, "tag", "--annotate",
			"--cleanup=verbatim", "--file=-", "--", m->name.p, hex, (char *)NULL);
	if (rc > 0)
		rc = err_set(ERR_INVALID, "Git did not make the tag '%s'; see above", m->name.p);
	buf_release(&words);
	buf_release(&text);
	return rc;
}

static int prepare(struct making *m)
{
	const struct registry_event *registration;

	switch (m->t->what.kind) {
	case GTOTAG_REGISTER:
		memcpy(m->commit, m->t->commit, sizeof(m->commit));
		return check_registration(m);
	case GTOTAG_DEREGISTER:
		return find_version(m, &registration);
	case GTOTAG_ASSIGN:
		return prepare_assignment(m);
	case GTOTAG_UNASSIGN:
		return prepare_unassignment(m);
	case GTOTAG_DEPRECATE:
		return prepare_deprecation(m);
	default:
		return err_set(ERR_INVALID, "there is no tag of this kind");
	}
}

static int check_names(const struct gtotag *what)
{
	int rc = gtotag_check_model(what->model);

	if (rc == 0 && (what->kind == GTOTAG_ASSIGN || what->kind == GTOTAG_UNASSIGN))
		rc = gtotag_check_stage(what->stage);
	return rc;
}

static int create(struct making *m)
{
	struct buf version = BUF_INIT;
	int rc;

	choose_version(m);
	rc = semver_format(&version, &m->t->what.version);
	m->version = version.p;
	if (rc == 0)
		rc = prepare(m);
	buf_reset(&version); /* of a stage what it holds is known now */
	if (rc == 0)
		rc = semver_format(&version, &m->t->what.version);
	m->version = version.p;
	if (rc == 0)
		rc = choose_name(m);
	if (rc == 0)
		rc = make_tag(m);
	buf_release(&version);
	return rc;
}

int registry_tag_create(struct buf *name, const struct repo *repo, struct registry_tag *t)
{
	struct making m = {.repo = repo, .t = t};
	struct registry *r = NULL;
	struct buf lock = BUF_INIT;
	int fd = -1, rc = check_names(&t->what);

	if (rc == 0)
		rc = fs_join(&lock, repo->dir->dvx_dir, "registry.lock");
	if (rc == 0)
		rc = fd = flock_take_mkdirs(lock.p, LOCK_WAIT_MS);
	if (rc >= 0)
		rc = registry_open(&r, repo);
	m.r = r;
	if (rc == 0)
		rc = create(&m);
	if (rc == 0)
		rc = buf_add(name, m.name.p, m.name.len);
	if (fd >= 0)
		close(fd);
	registry_free(r);
	buf_release(&m.name);
	buf_release(&lock);
	return rc;
}
