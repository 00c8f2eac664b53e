/*
 * `git dvx whence`: which commits brought these bytes, to which paths, and which branches, tags and
 * versions of models hold them.
 *
 * The bytes are named by (the beginning of) their SHA-256 or by a file that has them.  The index of
 * history knows where pointers stood, the registry which tags are models; Git is asked for refs,
 * and for the commits that are new or shown.
 */
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands/whence.h"
#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/strmap.h"
#include "lib/lineage/committext.h"
#include "lib/pipeline/fingerprint.h"
#include "lib/repo/datafile.h"
#include "lib/repo/git.h"

/* ---- what is looked for ---- */

/* 1 if it reads as an id, whose digits are then appended in lower case. */
static int take_id(struct whence *w, const char *operand)
{
	static const char type[] = "sha256:";
	int typed = strncmp(operand, type, strlen(type)) == 0, rc = 0;
	const char *digits = typed ? operand + strlen(type) : operand;
	size_t len = strspn(digits, "0123456789abcdefABCDEF"), i;

	if (!typed && (digits[len] || len < WHENCE_PREFIX_LEAST || len > OID_HEX_LEN))
		return 0;
	for (i = 0; rc == 0 && digits[i]; i++)
		rc = buf_addch(&w->prefix, (char)tolower((unsigned char)digits[i]));
	return rc < 0 ? rc : 1;
}

/* A file that the index or the table of stat data knows is not read. */
static int hash_worktree(struct whence *w, const char *path, struct oid *oid)
{
	struct fingerprints *known = NULL;
	struct fingerprint fp = {0};
	int rc = command_store(w->ctx);

	if (rc == 0)
		rc = fingerprints_open(&known, &w->ctx->repo, w->ctx->s);
	if (rc == 0)
		rc = fingerprints_of(known, path, &fp);
	fingerprints_close(known);
	*oid = fp.oid;
	return rc;
}

static int hash_content(struct whence *w, const struct datafile *f, struct oid *oid)
{
	uint64_t size;
	int fd = -1, rc = command_store(w->ctx);

	if (rc == 0)
		rc = datafile_open(&fd, &size, f, &w->ctx->repo, w->ctx->s);
	if (rc == 0)
		rc = oid_of_file(oid, fd);
	if (fd >= 0)
		close(fd);
	return rc;
}

/* The file as it is in the worktree, else in HEAD; of "REV:PATH" in that revision. */
static int find_file(struct whence *w, const char *operand, struct buf *path, struct datafile *f)
{
	const struct repo *repo = &w->ctx->repo;
	const char *colon = strchr(operand, ':');
	struct buf rev = BUF_INIT;
	int in_revision = colon && colon != operand && !fs_exists(operand), rc;

	if (in_revision) {
		rc = buf_add(&rev, operand, (size_t)(colon - operand));
		if (rc == 0)
			rc = buf_addstr(path, colon + 1);
		if (rc == 0)
			rc = datafile_find(f, repo, rev.p, path->p);
	} else {
		rc = repo_path(path, repo, operand);
		*f = (struct datafile){.kind = DATAFILE_NONE};
		if (rc == 0 && repo->dir->worktree)
			rc = datafile_find(f, repo, NULL, path->p);
		if (rc == 0 && f->kind == DATAFILE_NONE && git_has_head(repo))
			rc = datafile_find(f, repo, "HEAD", path->p);
	}
	if (rc == 0 && f->kind == DATAFILE_NONE)
		rc = err_set(ERR_NOTFOUND,
			"no file '%s'%s; an id has %d to 64 of the digits 0-9 and a-f",
			in_revision ? path->p : operand,
			in_revision ? " in that revision" : ", neither here nor in HEAD",
			WHENCE_PREFIX_LEAST);
	buf_release(&rev);
	return rc;
}

/* A file outside of the worktree: 1 and its id, 0 if it is none. */
static int take_foreign(const struct repo *repo, const char *operand, struct oid *oid)
{
	struct buf path = BUF_INIT;
	struct stat st;
	int rc, fd = -1, inside = repo->dir->worktree && repo_path(&path, repo, operand) == 0;

	buf_release(&path);
	err_clear();
	if (!inside)
		fd = open(operand, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return 0;
	rc = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
	if (rc && oid_of_file(oid, fd) < 0)
		rc = err_prefix(ERR_IO, "'%s'", operand);
	close(fd);
	return rc;
}

static int take_file(struct whence *w, const char *operand)
{
	struct buf path = BUF_INIT;
	struct datafile f;
	struct oid oid;
	char hex[OID_HEX_LEN + 1];
	int rc = take_foreign(&w->ctx->repo, operand, &oid);

	if (rc == 0 && (rc = find_file(w, operand, &path, &f)) == 0 && f.kind == DATAFILE_OBJECT) {
		oid = f.oid;
	} else if (rc == 0) {
		rc = f.kind == DATAFILE_WORKTREE ? hash_worktree(w, path.p, &oid)
						 : hash_content(w, &f, &oid);
	}
	if (rc >= 0) {
		oid_to_hex(hex, &oid);
		rc = buf_addstr(&w->prefix, hex);
	}
	buf_release(&path);
	return rc;
}

/* ---- where it is ---- */

static int same_place(const struct whence_place *p, const struct history_place *h)
{
	return oid_eq(&p->oid, &h->oid) && strcmp(p->path, h->path) == 0;
}

/* Places of one object and path belong together, whenever it came there. */
static int add_place(const struct history_place *h, void *data)
{
	struct whence *w = data;
	struct whence_place *p = NULL;
	struct whence_commit *c;
	size_t i;

	for (i = 0; i < w->n && !p; i++)
		if (same_place(&w->v[i], h))
			p = &w->v[i];
	if (!p) {
		if (array_room(&w->v, w->n, &w->cap, sizeof *w->v) < 0)
			return ERR_NOMEM;
		p = &w->v[w->n++];
		*p = (struct whence_place){.oid = h->oid, .size = h->size, .path = h->path};
	}
	p->at_head |= h->at_head;
	if (array_room(&p->since, p->n_since, &p->cap_since, sizeof *p->since) < 0)
		return ERR_NOMEM;
	c = &p->since[p->n_since++];
	*c = (struct whence_commit){.when = h->since_when,
		.commits = h->commits,
		.date = "",
		.author = "",
		.subject = ""};
	memcpy(c->id, h->since, sizeof c->id);
	return 0;
}

static int cmp_place(const void *a, const void *b)
{
	const struct whence_place *x = a, *y = b;
	int c = oid_cmp(&x->oid, &y->oid);

	if (!c)
		c = (x->since[0].when < y->since[0].when) - (x->since[0].when > y->since[0].when);
	return c ? c : strcmp(x->path, y->path);
}

struct ref_list {
	struct whence_place *place;
	int models;
};

/* "refs/remotes/origin/HEAD": it only says which of its branches the remote prefers. */
static int is_remote_head(const char *ref)
{
	const char *last = strrchr(ref, '/');

	return strncmp(ref, "refs/remotes/", strlen("refs/remotes/")) == 0 &&
	       strcmp(last, "/HEAD") == 0;
}

static int add_ref(const char *ref, void *data)
{
	static const char *const folders[] = {"refs/heads/", "refs/remotes/", "refs/tags/"};
	struct ref_list *l = data;
	struct gtotag tag;
	size_t i;

	if (is_remote_head(ref))
		return 0;
	for (i = 0; i < 3 && strncmp(ref, folders[i], strlen(folders[i])) != 0; i++)
		;
	if (i == 3)
		return strvec_push(&l->place->others, ref);
	ref += strlen(folders[i]);
	if (i < 2)
		return strvec_push(&l->place->branches, ref);
	gtotag_parse(&tag, ref);
	l->models |= tag.kind == GTOTAG_REGISTER;
	return strvec_push(&l->place->tags, ref);
}

static int cmp_event(const void *a, const void *b)
{
	const struct registry_event *const *x = a, *const *y = b;
	int c = strcmp((*x)->what.model, (*y)->what.model);

	return c ? c : semver_compare(&(*y)->what.version, &(*x)->what.version);
}

/* The registered versions among the tags of a place. */
static int find_models(struct whence *w, struct whence_place *p)
{
	const struct registry_event *events, *now;
	size_t n, i, k;

	events = registry_events(w->registry, &n);
	for (i = 0; i < n; i++) {
		if (events[i].what.kind != GTOTAG_REGISTER)
			continue;
		for (k = 0; k < p->tags.n && strcmp(p->tags.v[k], events[i].tag) != 0; k++)
			;
		now = k < p->tags.n ? registry_version(w->registry, events[i].what.model,
					      &events[i].what.version)
				    : NULL;
		if (!now || strcmp(now->tag, events[i].tag) != 0)
			continue;
		if (array_room(&p->models, p->n_models, &p->cap_models, sizeof *p->models) < 0)
			return ERR_NOMEM;
		p->models[p->n_models++] = now;
	}
	if (p->n_models)
		qsort(p->models, p->n_models, sizeof *p->models, cmp_event);
	return 0;
}

struct ref_copies {
	struct registry_ref *v;
	size_t n, cap;
};

static int copy_ref(const char *name, const uint8_t *id, void *data)
{
	struct ref_copies *c = data;

	if (array_room(&c->v, c->n, &c->cap, sizeof *c->v) < 0)
		return ERR_NOMEM;
	c->v[c->n].name = name;
	memcpy(c->v[c->n++].id, id, REPO_ID_MAX);
	return 0;
}

/* Git listed the refs for history already. */
static int open_registry(struct whence *w)
{
	struct ref_copies c = {NULL, 0, 0};
	int rc = history_each_ref(w->history, copy_ref, &c);

	if (rc == 0)
		rc = registry_open_refs(
			&w->registry, &w->ctx->repo, objcache_catfile(w->objects), c.v, c.n);
	free(c.v);
	return rc;
}

static int find_refs(struct whence *w)
{
	struct ref_list l = {NULL, 0};
	size_t i;
	int rc = 0;

	for (i = 0; i < w->n && rc == 0; i++) {
		l.place = &w->v[i];
		rc = history_refs(w->history, w->v[i].path, &w->v[i].oid, add_ref, &l);
	}
	if (rc == 0 && l.models)
		rc = open_registry(w);
	for (i = 0; i < w->n && rc == 0 && w->registry; i++)
		rc = find_models(w, &w->v[i]);
	return rc;
}

/* Find the texts of commits by the id that each begins with. */
static int index_texts(struct strmap *by_id, struct buf *texts)
{
	const char *field[COMMITTEXT_FIELDS], *next;
	char *text = texts->p, *end = text + texts->len;
	int rc = 0;

	while (rc == 0 && text < end && (next = committext_split(field, text, end))) {
		rc = strmap_put(by_id, text, text);
		text += next - text;
	}
	return rc;
}

static void describe(const struct whence *w, const struct strmap *by_id, struct whence_commit *c)
{
	const char *field[COMMITTEXT_FIELDS], *text, *end = w->described.p + w->described.len;
	char hex[REPO_HEX_MAX + 1];

	repo_id_hex(hex, &w->ctx->repo, c->id);
	text = strmap_get(by_id, hex);
	if (!text || !committext_split(field, text, end))
		return;
	c->date = field[COMMITTEXT_COMMITTED];
	c->author = field[COMMITTEXT_AUTHOR];
	c->subject = field[COMMITTEXT_SUBJECT];
}

/* What the commit's object says: 1; 0: only `git log` can tell. */
static int read_commit(struct whence *w, const uint8_t *id, const char *hex)
{
	struct objcache_object *o;
	int rc = objcache_get(w->objects, id, &o);

	if (rc < 0 || o->type != GIT_COMMIT || !o->data.len)
		return rc;
	return committext_fields(&w->described, hex, &o->data);
}

/* Have all commits that are named read in one go. */
static int load_commits(struct whence *w)
{
	struct buf ids = BUF_INIT;
	size_t i, k;
	int rc = 0;

	for (i = 0; i < w->n; i++)
		for (k = 0; rc == 0 && k < w->v[i].n_since; k++)
			rc = buf_add(&ids, w->v[i].since[k].id, REPO_ID_MAX);
	if (rc == 0)
		rc = objcache_load(
			w->objects, (const uint8_t(*)[REPO_ID_MAX])ids.p, ids.len / REPO_ID_MAX);
	buf_release(&ids);
	return rc;
}

/* Dates, authors and subjects of all commits that are named. */
static int describe_commits(struct whence *w)
{
	const struct repo *repo = &w->ctx->repo;
	struct strmap by_id = STRMAP_INIT;
	struct buf odd = BUF_INIT;
	char hex[REPO_HEX_MAX + 1];
	size_t i, k;
	int rc = load_commits(w);

	for (i = 0; i < w->n; i++) {
		for (k = 0; rc >= 0 && k < w->v[i].n_since; k++) {
			repo_id_hex(hex, repo, w->v[i].since[k].id);
			rc = read_commit(w, w->v[i].since[k].id, hex);
			if (rc == 0)
				rc = buf_addf(&odd, "%s\n", hex);
		}
	}
	if (rc >= 0 && odd.len)
		rc = git_run(repo, odd.p, odd.len, &w->described, "log", "--no-walk=unsorted",
			"--stdin", "-z", "--no-show-signature", "--encoding=UTF-8",
			"--format=tformat:" COMMITTEXT_LOG_FORMAT, (char *)NULL);
	if (rc >= 0)
		rc = index_texts(&by_id, &w->described);
	for (i = 0; rc == 0 && i < w->n; i++)
		for (k = 0; k < w->v[i].n_since; k++)
			describe(w, &by_id, &w->v[i].since[k]);
	strmap_release(&by_id, NULL);
	buf_release(&odd);
	return rc;
}

/* ---- the command ---- */

static int answer(struct whence *w)
{
	int rc = objcache_new(&w->objects, &w->ctx->repo);

	if (rc == 0)
		rc = history_open(&w->history, &w->ctx->repo, w->objects, 1);
	if (rc == 0)
		rc = history_places(w->history, w->prefix.p, add_place, w);
	if (rc == 0 && w->n)
		qsort(w->v, w->n, sizeof *w->v, cmp_place);
	if (rc == 0)
		rc = history_searched(w->history, &w->searched);
	if (rc == 0)
		rc = find_refs(w);
	if (rc == 0)
		rc = describe_commits(w);
	if (rc == 0)
		rc = w->json ? whence_print_json(w) : whence_print_text(w);
	return rc < 0 ? rc : w->n ? COMMAND_OK : COMMAND_NO;
}

static void release(struct whence *w)
{
	for (size_t i = 0; i < w->n; i++) {
		free(w->v[i].since);
		free(w->v[i].models);
		strvec_release(&w->v[i].branches);
		strvec_release(&w->v[i].tags);
		strvec_release(&w->v[i].others);
	}
	free(w->v);
	buf_release(&w->prefix);
	buf_release(&w->described);
	registry_free(w->registry);
	history_close(w->history);
	objcache_free(w->objects);
}

int cmd_whence(struct command_ctx *ctx, int argc, char **argv)
{
	struct whence w = {.ctx = ctx};
	const struct opt options[] = {
		{0, "json", OPT_FLAG, &w.json, NULL, "print JSON", 0}, OPT_END};
	int n, rc;

	if (command_options(&rc, argc, argv, options,
		    "git dvx whence [--json] <sha256>|<file>|<rev>:<file>", 0, &n))
		return rc;
	if (n != 1)
		return command_usage("which bytes? name a file, or the beginning of their SHA-256");
	w.operand = argv[1];
	rc = command_repo(ctx);
	if (rc == 0)
		rc = take_id(&w, w.operand);
	if (rc == 0)
		rc = take_file(&w, w.operand);
	if (rc >= 0)
		rc = answer(&w);
	release(&w);
	return rc;
}
