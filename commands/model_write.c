/*
 * `git dvx model promote`, `demote` and `deprecate`; and what making a tag has in common: the tag,
 * the push, what it changed.
 */
#include <stdio.h>
#include <string.h>

#include "commands/model.h"
#include "commands/states.h"
#include "commands/values.h"
#include "lib/base/err.h"
#include "lib/base/words.h"
#include "lib/registry/registry_tag.h"
#include "lib/registry/when.h"
#include "lib/repo/git.h"

/* ---- pushing ---- */

/* The Git remote that `git push` would take.  Borrowed from the configuration. */
static const char *push_remote(struct model_args *a)
{
	struct buf branch = BUF_INIT, key = BUF_INIT;
	const char *remote = NULL;

	if (states_branch(&branch, &a->ctx->repo) == 0 && branch.len > 0 &&
		buf_addf(&key, "branch.%s.pushRemote", branch.p) == 0)
		remote = config_get_own(a->ctx->c, key.p);
	if (!remote)
		remote = config_get_own(a->ctx->c, "remote.pushDefault");
	buf_reset(&key);
	if (!remote && branch.len > 0 && buf_addf(&key, "branch.%s.remote", branch.p) == 0)
		remote = config_get_own(a->ctx->c, key.p);
	err_clear();
	buf_release(&branch);
	buf_release(&key);
	return remote && *remote != '-' && strcmp(remote, ".") != 0 ? remote : "origin";
}

static int has_url(struct model_args *a, const char *remote)
{
	struct buf key = BUF_INIT;
	int has = buf_addf(&key, "remote.%s.url", remote) == 0 &&
		  config_get_own(a->ctx->c, key.p) != NULL;

	buf_release(&key);
	return has;
}

/* What the tag says; NULL: the registry has no such tag.  Borrowed. */
static const struct registry_event *event_of(const struct registry *r, const char *tag)
{
	size_t n;
	const struct registry_event *v = registry_events(r, &n);

	for (size_t i = 0; i < n; i++)
		if (strcmp(v[i].tag, tag) == 0)
			return &v[i];
	return NULL;
}

/* The tag of the version that this stage's tag is about, without which others see a stage of what
 * they do not know.  NULL: it is about none, or is no stage's.  Borrowed. */
static const char *tag_of_version(const struct registry *r, const char *tag)
{
	const struct registry_event *e = event_of(r, tag), *registration = NULL;

	if (e && e->has_version)
		registration = registry_version(r, e->what.model, &e->version);
	return registration ? registration->tag : NULL;
}

/* This tag and no other, with `more` both or none; their data goes before them, by the pre-push
 * hook.  The exit status or a negative error. */
static int git_push(struct model_args *a, const char *remote, const char *tag, const char *more)
{
	struct run r = RUN_INIT;
	int rc = git_prepare(&r, &a->ctx->repo, "push", more ? "--atomic" : "--no-atomic", "--",
		remote, (char *)NULL);

	if (rc == 0)
		rc = strvec_pushf(&r.argv, "refs/tags/%s:refs/tags/%s", tag, tag);
	if (rc == 0 && more)
		rc = strvec_pushf(&r.argv, "refs/tags/%s:refs/tags/%s", more, more);
	r.out = RUN_TO_STDERR;
	if (rc == 0)
		rc = run_start(&r);
	if (rc == 0)
		rc = run_finish(&r);
	run_release(&r);
	return rc;
}

/* At once; where the remote cannot do so - Git dies then, as of other causes -, the version before
 * its stage. */
static int push_both(struct model_args *a, const char *remote, const char *version, const char *tag)
{
	int rc = git_push(a, remote, version, tag);

	if (rc != 128)
		return rc;
	rc = git_push(a, remote, version, NULL);
	return rc == 0 ? git_push(a, remote, tag, NULL) : rc;
}

/* Append "churn@v1.0.0 'churn#prod#1'", as a shell takes them. */
static int add_tags(struct buf *out, const char *version, const char *tag)
{
	int rc = version ? words_quote(out, version) : 0;

	if (rc == 0 && version)
		rc = buf_addch(out, ' ');
	return rc == 0 ? words_quote(out, tag) : rc;
}

/* What to do about a push that failed. */
static int not_taken(const char *remote, const char *version, const char *tag)
{
	struct buf words = BUF_INIT, word = BUF_INIT;
	int rc = add_tags(&words, version, tag);

	if (rc == 0 && version)
		rc = buf_addstr(&word, "<tag>");
	else if (rc == 0)
		rc = words_quote(&word, tag);
	if (rc == 0)
		rc = err_set(ERR_REMOTE,
			"tag '%s' was made here, but '%s' did not take it; 'git push %s %s' tries "
			"again, and if another tag of %s name is there, 'git tag -d %s' and 'git "
			"fetch --tags' make that one yours",
			tag, remote, remote, words.p, version ? "either" : "that", word.p);
	buf_release(&words);
	buf_release(&word);
	return rc;
}

static int push(struct model_args *a, const struct registry *r, const char *remote, const char *tag)
{
	const char *version = tag_of_version(r, tag);
	int rc = version ? push_both(a, remote, version, tag) : git_push(a, remote, tag, NULL);

	return rc > 0 ? not_taken(remote, version, tag) : rc;
}

/* ---- what it changed ---- */

/* Append "v1.0.0", or the commit where no version is registered. */
static int add_version(struct buf *out, const struct model_args *a,
	const struct registry_event *assignment, const struct registry_event *registration)
{
	char hex[REPO_HEX_MAX + 1];

	if (registration)
		return semver_format(out, &registration->what.version);
	repo_id_hex(hex, &a->ctx->repo, assignment->commit);
	return buf_addf(out, "commit %.10s", hex);
}

/* What the stage holds now: not always what was expected, for tags are ordered by their time. */
static int tell_stage(const struct model_args *a, const struct registry *r,
	const struct registry_tag *t, const char *tag)
{
	const struct registry_event *now, *registration;
	int taken = t->what.kind == GTOTAG_UNASSIGN;
	struct buf text = BUF_INIT;
	int rc = registry_holds(&now, &registration, r, t->what.model, t->what.stage);

	if (rc == 0)
		printf("No version of '%s' is in '%s' now.\n", t->what.model, t->what.stage);
	if (rc <= 0 || strcmp(now->tag, tag) == 0)
		return rc < 0 ? rc : 0;
	rc = add_version(&text, a, now, registration);
	if (rc == 0)
		rc = buf_addstr(&text, taken ? " again, since " : ", since ");
	if (rc == 0)
		rc = when_add_local(&text, now->when);
	if (rc == 0)
		printf("In '%s' is %s.\n", t->what.stage, err_printable(text.p));
	if (rc == 0 && !taken)
		fprintf(stderr,
			"warning: tag '%s' has an earlier time than tag '%s', which counts; is "
			"the clock right?\n",
			tag, now->tag);
	buf_release(&text);
	return rc;
}

static int tell_text(struct model_args *a, const struct registry *r, const struct registry_tag *t,
	const char *tag, const char *what)
{
	struct buf version = BUF_INIT, words = BUF_INIT;
	int rc = semver_format(&version, &t->what.version);

	if (rc == 0)
		rc = add_tags(&words, tag_of_version(r, tag), tag);
	if (rc == 0 && t->what.kind == GTOTAG_DEPRECATE)
		printf("Created git tag '%s' that %s\n", tag, what);
	else if (rc == 0)
		printf("Created git tag '%s' that %s '%s'\n", tag, what, version.p);
	if (rc == 0 && t->path)
		printf("    model: %s%s%.12s\n", t->path, t->sha256 ? " sha256:" : "",
			t->sha256 ? t->sha256 : "");
	if (rc == 0 && t->what.stage[0])
		rc = tell_stage(a, r, t, tag);
	if (rc == 0 && !a->push && has_url(a, push_remote(a)))
		printf("To push it: git push %s %s\n", push_remote(a), words.p);
	fflush(stdout);
	buf_release(&version);
	buf_release(&words);
	return rc;
}

static int tell_json(struct model_args *a, const struct registry *r, const char *tag)
{
	const struct registry_event *e = event_of(r, tag);
	struct node *root = node_map();
	int rc = root ? 0 : err_no_memory();

	if (rc == 0 && e)
		rc = model_put_event(root, a, e);
	if (rc == 0)
		rc = model_put_text(root, "pushed_to", a->push ? push_remote(a) : NULL);
	if (rc == 0)
		rc = values_print_json(root);
	node_free(root);
	return rc;
}

int model_make_tag(struct model_args *a, struct registry_tag *t, const char *what)
{
	struct registry *r = NULL;
	struct buf tag = BUF_INIT;
	int rc;

	t->message = a->message;
	rc = registry_tag_create(&tag, &a->ctx->repo, t);
	if (rc == 0) /* as everybody will read it */
		rc = registry_open(&r, &a->ctx->repo);
	if (rc == 0 && !a->json)
		rc = tell_text(a, r, t, tag.p, what);
	if (rc == 0 && a->push)
		rc = push(a, r, push_remote(a), tag.p);
	if (rc == 0 && a->json)
		rc = tell_json(a, r, tag.p);
	registry_free(r);
	buf_release(&tag);
	return rc;
}

/* ---- the commands ---- */

static int take_name(char *out, size_t size, const char *name, const char *what)
{
	if (strlen(name) >= size)
		return err_set(ERR_INVALID, "the %s's name is too long", what);
	memcpy(out, name, strlen(name) + 1);
	return 0;
}

static int start(struct registry_tag *t, enum gtotag_kind kind, const char *model,
	const char *stage, const char *version)
{
	int rc;

	t->what.kind = kind;
	rc = take_name(t->what.model, sizeof(t->what.model), model, "model");
	if (rc == 0 && stage)
		rc = take_name(t->what.stage, sizeof(t->what.stage), stage, "stage");
	return rc == 0 && version ? semver_parse(&t->what.version, version) : rc;
}

int model_promote(struct model_args *a)
{
	struct registry_tag t = {0};
	int rc = start(&t, GTOTAG_ASSIGN, a->v[0], a->v[2], a->v[1]);

	return rc == 0 ? model_make_tag(a, &t, "assigns stage to version") : rc;
}

int model_demote(struct model_args *a)
{
	struct registry_tag t = {.any_version = a->n == 2};
	int rc = start(&t, GTOTAG_UNASSIGN, a->v[0], a->v[1], a->n == 3 ? a->v[2] : NULL);

	return rc == 0 ? model_make_tag(a, &t, "unassigns stage from version") : rc;
}

int model_deprecate(struct model_args *a)
{
	struct registry_tag t = {0};
	int rc = start(&t, a->n == 2 ? GTOTAG_DEREGISTER : GTOTAG_DEPRECATE, a->v[0], NULL,
		a->n == 2 ? a->v[1] : NULL);

	if (rc < 0)
		return rc;
	return model_make_tag(a, &t, a->n == 2 ? "deregisters version" : "deprecates the model");
}
