/*
 * Opening the registry: the names and ids of all tags from one `git for-each-ref`, what their
 * objects say from the cache, and of both the events, by time.
 */
#include "lib/registry/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/registry/registry_internal.h"
#include "lib/repo/git.h"

static const char tag_refs[] = "refs/tags/";

void registry_free(struct registry *r)
{
	if (!r)
		return;
	free(r->tags);
	free(r->notes);
	free(r->by_model);
	free(r->by_commit);
	free(r->by_version);
	free(r->v);
	pathpool_free(&r->strings);
	registry_cache_free(r->cache);
	free(r);
}

const struct registry_event *registry_events(const struct registry *r, size_t *n)
{
	*n = r->n;
	return r->v;
}

int registry_tags_of(const struct registry *r, const uint8_t *commit,
	int (*fn)(const char *tag, void *data), void *data)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < r->n_tags; i++)
		if (memcmp(r->tags[i].commit, commit, sizeof(r->tags[i].commit)) == 0)
			rc = fn(r->tags[i].name, data);
	return rc;
}

const struct registry_note *registry_notes(const struct registry *r, size_t *n)
{
	*n = r->n_notes;
	return r->notes;
}

/* A copy that lives as long as the registry. */
static const char *keep(struct registry *r, const char *text)
{
	return pathpool_keep(&r->strings, text, strlen(text));
}

int registry_note_add(struct registry *r, const struct registry_event *e, const char *text)
{
	struct registry_note note = {.tag = e->tag};
	struct buf sentence = BUF_INIT;
	int rc;

	if (array_room(&r->notes, r->n_notes, &r->cap_notes, sizeof(*r->notes)) < 0)
		return ERR_NOMEM;
	rc = buf_addf(&sentence, "tag '%s' %s", e->tag, text);
	if (rc == 0) {
		note.model = keep(r, e->what.model);
		note.stage = keep(r, e->what.stage);
		note.text = keep(r, sentence.p);
		rc = note.model && note.stage && note.text ? 0 : err_no_memory();
	}
	if (rc == 0)
		r->notes[r->n_notes++] = note;
	buf_release(&sentence);
	return rc;
}

/* ---- tags ---- */

/* All tags, as the cache is asked for them. */
struct tags {
	struct registry *r;
	struct registry_cached *v;
	size_t n, cap;
};

static int add_tag(struct tags *t, const char *ref, const uint8_t *id)
{
	struct registry *r = t->r;
	struct registry_tag_name *tag;
	const char *name;

	if (strncmp(ref, tag_refs, strlen(tag_refs)) != 0)
		return 0;
	name = ref + strlen(tag_refs);
	if (array_room(&r->tags, r->n_tags, &r->cap_tags, sizeof(*r->tags)) < 0 ||
		array_room(&t->v, t->n, &t->cap, sizeof(*t->v)) < 0)
		return ERR_NOMEM;
	tag = &r->tags[r->n_tags];
	memset(tag, 0, sizeof(*tag));
	memset(&t->v[t->n], 0, sizeof(*t->v));
	tag->name = pathpool_keep(&r->strings, name, strlen(name));
	if (!tag->name)
		return err_no_memory();
	memcpy(t->v[t->n].id, id, REPO_ID_MAX);
	r->n_tags++;
	t->n++;
	return 0;
}

/* "<id> <ref>" */
static int add_line(struct tags *t, const char *line)
{
	const char *ref = strchr(line, ' ');
	uint8_t id[REPO_ID_MAX] = {0};

	if (!ref || repo_id_parse(id, t->r->repo, line) < 0)
		return err_set(ERR_CORRUPT, "unexpected output of 'git for-each-ref'");
	return add_tag(t, ref + 1, id);
}

static int list_tags(struct tags *t)
{
	struct buf out = BUF_INIT;
	char *line, *save = NULL;
	/* No field of an object is asked for, so Git opens none of them. */
	int rc = git_run(t->r->repo, NULL, 0, &out, "for-each-ref",
		"--format=%(objectname) %(refname)", "refs/tags", (char *)NULL);

	for (line = rc == 0 && out.len > 0 ? strtok_r(out.p, "\n", &save) : NULL; rc == 0 && line;
		line = strtok_r(NULL, "\n", &save))
		rc = add_line(t, line);
	buf_release(&out);
	return rc;
}

static int take_tags(struct tags *t, const struct registry_ref *refs, size_t n)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = add_tag(t, refs[i].name, refs[i].id);
	return rc;
}

/* ---- events ---- */

static const char *or_null(const char *text)
{
	return text && *text ? text : NULL;
}

static int fill(struct registry *r, struct registry_event *e, const struct registry_cached *c)
{
	struct buf oid = BUF_INIT;
	int rc = 0;

	memcpy(e->commit, c->commit, sizeof(e->commit));
	e->annotated = c->annotated;
	e->no_commit = c->type == GIT_MISSING;
	e->commit_when = c->commit_when;
	e->when = c->annotated ? c->when : c->commit_when;
	e->zone = c->annotated ? c->zone : 0;
	e->who = c->who;
	e->email = c->email;
	e->message = c->message;
	e->path = or_null(c->path);
	e->size = c->size;
	e->made_for = or_null(c->made_for);
	if (*c->sha256) {
		rc = buf_addf(&oid, "sha256:%s", c->sha256);
		e->oid = rc == 0 ? pathpool_keep(&r->strings, oid.p, oid.len) : NULL;
		if (rc == 0 && !e->oid)
			rc = err_no_memory();
	}
	buf_release(&oid);
	return rc;
}

static const char not_counted[] =
	"is lightweight: it says neither who made it nor when, and does not count";
static const char lightweight[] = "is lightweight: it says neither who registered it nor when";

/* What is odd about the tag itself.  1: the event stays, 0: it is none, or a negative error. */
static int look_at(
	struct registry *r, const struct registry_event *e, const struct registry_cached *c)
{
	char hex[REPO_HEX_MAX + 1];
	struct buf text = BUF_INIT;
	int rc = 0, is_event = c->type == GIT_COMMIT || c->type == GIT_MISSING;

	if (!is_event)
		rc = buf_addstr(&text, "does not name a commit, and does not count");
	else if (c->type == GIT_MISSING)
		rc = buf_addstr(&text, "names a commit that is not in this repository");
	else if (!e->annotated)
		rc = buf_addstr(&text, registry_counts(e) ? lightweight : not_counted);
	else if (strcmp(c->name, e->tag) != 0)
		rc = buf_addf(&text, "was made as '%s': it was renamed", c->name);
	else if (e->made_for) {
		repo_id_hex(hex, r->repo, e->commit);
		if (strcmp(hex, e->made_for) != 0)
			rc = buf_addf(&text,
				"was made for commit %.10s and names %.10s now: history was "
				"rewritten, or the tag was moved",
				e->made_for, hex);
	}
	if (rc == 0 && text.len > 0)
		rc = registry_note_add(r, e, text.p);
	buf_release(&text);
	return rc < 0 ? rc : is_event;
}

/* Make the event of a tag whose name is of the convention. */
static int add_event(
	struct registry *r, const struct registry_tag_name *tag, const struct registry_cached *c)
{
	struct gtotag what;
	struct registry_event *e;
	int rc;

	gtotag_parse(&what, tag->name);
	if (what.kind == GTOTAG_NONE)
		return 0;
	if (array_room(&r->v, r->n, &r->cap, sizeof(*r->v)) < 0)
		return ERR_NOMEM;
	e = &r->v[r->n];
	memset(e, 0, sizeof(*e));
	e->what = what;
	e->tag = tag->name;
	memcpy(e->tag_id, c->id, sizeof(e->tag_id));
	rc = fill(r, e, c);
	if (rc == 0)
		rc = look_at(r, e, c);
	if (rc > 0)
		r->n++;
	return rc < 0 ? rc : 0;
}

static int make_events(struct tags *t)
{
	struct registry *r = t->r;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < t->n; i++) {
		memcpy(r->tags[i].commit, t->v[i].commit, sizeof(r->tags[i].commit));
		rc = add_event(r, &r->tags[i], &t->v[i]);
	}
	return rc;
}

int registry_open(struct registry **out, const struct repo *repo)
{
	struct catfile *cat;
	int rc = catfile_open(&cat, repo);

	if (rc < 0)
		return rc;
	rc = registry_open_refs(out, repo, cat, NULL, 0);
	catfile_close(cat);
	return rc;
}

int registry_open_refs(struct registry **out, const struct repo *repo, struct catfile *cat,
	const struct registry_ref *refs, size_t n)
{
	struct registry *r = calloc(1, sizeof(*r));
	struct tags tags = {.r = r};
	int rc;

	if (!r)
		return err_no_memory();
	r->repo = repo;
	rc = registry_cache_open(&r->cache, repo);
	if (rc == 0)
		rc = refs ? take_tags(&tags, refs, n) : list_tags(&tags);
	if (rc == 0)
		rc = registry_cache_resolve(r->cache, cat, tags.v, tags.n);
	if (rc == 0)
		rc = make_events(&tags);
	if (rc == 0)
		rc = registry_index(r);
	if (rc == 0)
		rc = registry_doubts(r);
	if (rc == 0)
		registry_cache_save(r->cache, tags.v, tags.n);
	free(tags.v);
	if (rc < 0)
		registry_free(r);
	else
		*out = r;
	return rc < 0 ? err_prefix(rc, "cannot read the registry") : 0;
}
