/*
 * What `git dvx whence` says: for each object, for each path that it had, the commits that brought
 * it there and who holds it now.
 */
#include <stdio.h>
#include <string.h>

#include "commands/json.h"
#include "commands/visible.h"
#include "commands/whence.h"
#include "lib/base/progress.h"

enum { SHORT_HEX = 10, DATE_LEN = 10, NAMES_SHOWN = 8, COMMITS_SHOWN = 10 };

static const char *const cannot_know[] = {
	"this clone is shallow: what is older than its oldest commits is not known; 'git fetch "
	"--unshallow' brings it",
	"this partial clone has not got the directories of all commits; what is in those is not "
	"known",
	"this partial clone has not got all files of older commits; those that are not here are "
	"not known"};

static size_t count_of_reasons(void)
{
	return sizeof cannot_know / sizeof *cannot_know;
}

/* ---- text ---- */

static void print_with(int (*visible)(struct buf *out, const char *text), const char *text)
{
	struct buf b = BUF_INIT;

	if (visible(&b, text) == 0)
		fputs(buf_str(&b), stdout);
	buf_release(&b);
}

static void print_safely(const char *text)
{
	print_with(visible_text, text);
}

static int whole_path(struct buf *out, const char *path)
{
	return visible_path(out, path, 0);
}

static void print_names(const char *title, const struct strvec *names)
{
	size_t i;

	if (!names->n)
		return;
	printf("  %s: ", title);
	for (i = 0; i < names->n && i < NAMES_SHOWN; i++) {
		if (i)
			fputs(", ", stdout);
		print_safely(names->v[i]);
	}
	if (i < names->n)
		printf(" and %zu more", names->n - i);
	putchar('\n');
}

/* 1 if the registered version is these bytes, and does not only have them beside it. */
static int is_the_model(const struct registry_event *e, const struct whence_place *p)
{
	char hex[OID_HEX_LEN + 1];

	oid_to_hex(hex, &p->oid);
	if (e->oid)
		return strcmp(e->oid + strcspn(e->oid, ":") + (strchr(e->oid, ':') != NULL), hex) ==
		       0;
	return e->path && strcmp(e->path, p->path) == 0;
}

static void print_models(const struct whence_place *p, int own, const char *title)
{
	size_t i, n = 0, more = 0;

	for (i = 0; i < p->n_models; i++) {
		if (is_the_model(p->models[i], p) != own)
			continue;
		if (n++ >= NAMES_SHOWN) {
			more++;
			continue;
		}
		printf("%s", n == 1 ? title : ", ");
		print_safely(p->models[i]->tag);
	}
	if (more)
		printf(" and %zu more", more);
	if (n)
		putchar('\n');
}

static void print_commit(const struct whence_commit *c, const struct repo *repo)
{
	char hex[REPO_HEX_MAX + 1];

	repo_id_hex(hex, repo, c->id);
	printf("  since %.*s %.*s ", SHORT_HEX, hex, DATE_LEN, c->date);
	print_safely(c->author);
	fputs(": ", stdout);
	print_safely(c->subject);
	printf(" (%llu commit%s)\n", (unsigned long long)c->commits, c->commits == 1 ? "" : "s");
}

static void print_place(const struct whence *w, const struct whence_place *p)
{
	size_t i;

	print_with(whole_path, p->path);
	puts(p->at_head ? " (in HEAD)" : "");
	for (i = 0; i < p->n_since && i < COMMITS_SHOWN; i++)
		print_commit(&p->since[i], &w->ctx->repo);
	if (i < p->n_since)
		printf("  and %zu earlier times\n", p->n_since - i);
	print_models(p, 1, "  is model: ");
	print_models(p, 0, "  beside model: ");
	print_names("branches", &p->branches);
	print_names("tags", &p->tags);
	print_names("other refs", &p->others);
}

static void print_object(const struct whence_place *p)
{
	char hex[OID_HEX_LEN + 1], size[16];

	oid_to_hex(hex, &p->oid);
	printf("sha256:%s %s\n", hex, progress_bytes(size, p->size));
}

/* An object that no commit names may still be here: staged, or left by an amended commit. */
static int is_stored(struct whence *w)
{
	struct oid oid;
	uint64_t size;

	return w->prefix.len == OID_HEX_LEN && oid_from_hex(&oid, w->prefix.p) == 0 &&
	       command_store(w->ctx) == 0 && store_find_size(w->ctx->s, &oid, &size);
}

static void print_nothing(struct whence *w)
{
	fprintf(stderr,
		"no data file has the SHA-256 '%s': looked at %zu commit%s that %zu ref%s, HEAD "
		"and "
		"worktrees reach\n",
		w->prefix.p, w->searched.commits, w->searched.commits == 1 ? "" : "s",
		w->searched.refs, w->searched.refs == 1 ? "" : "s");
	if (is_stored(w))
		fputs("the local store has these bytes: staged, or of a commit that was replaced\n",
			stderr);
	fputs("files that Git itself stores are found by 'git log --all --find-object=$(git "
	      "hash-object FILE)'\n",
		stderr);
}

int whence_print_text(struct whence *w)
{
	int cut = history_is_cut(w->history);
	size_t i;

	for (i = 0; i < w->n; i++) {
		if (!i || !oid_eq(&w->v[i].oid, &w->v[i - 1].oid)) {
			if (i)
				putchar('\n');
			print_object(&w->v[i]);
		}
		print_place(w, &w->v[i]);
	}
	if (!w->n)
		print_nothing(w);
	for (i = 0; i < count_of_reasons(); i++)
		if (cut & 1 << i)
			fprintf(stderr, "note: %s\n", cannot_know[i]);
	return 0;
}

/* ---- JSON ---- */

static void json_names(struct json *j, cJSON *object, const char *key, const struct strvec *v)
{
	cJSON *list = json_array(j, object, key);

	for (size_t i = 0; i < v->n; i++)
		json_item_string(j, list, v->v[i]);
}

static void json_place(struct json *j, cJSON *o, const struct whence *w, struct whence_place *p)
{
	char hex[REPO_HEX_MAX + 1];
	cJSON *list, *x;
	size_t i;

	json_string(j, o, "path", p->path);
	json_bool(j, o, "at_head", p->at_head);
	list = json_array(j, o, "since");
	for (i = 0; i < p->n_since; i++) {
		x = json_item(j, list);
		repo_id_hex(hex, &w->ctx->repo, p->since[i].id);
		json_string(j, x, "commit", hex);
		json_string(j, x, "date", p->since[i].date);
		json_string(j, x, "author", p->since[i].author);
		json_string(j, x, "subject", p->since[i].subject);
		json_uint(j, x, "commits", p->since[i].commits);
	}
	list = json_array(j, o, "models");
	for (i = 0; i < p->n_models; i++) {
		x = json_item(j, list);
		json_string(j, x, "model", p->models[i]->what.model);
		json_string(j, x, "tag", p->models[i]->tag);
		json_bool(j, x, "is_model", is_the_model(p->models[i], p));
	}
	json_names(j, o, "branches", &p->branches);
	json_names(j, o, "tags", &p->tags);
	json_names(j, o, "refs", &p->others);
}

int whence_print_json(struct whence *w)
{
	int cut = history_is_cut(w->history);
	char hex[OID_HEX_LEN + 1];
	cJSON *objects, *object = NULL, *places = NULL, *list;
	struct json j;
	size_t i;

	json_init(&j);
	json_string(&j, j.root, "schema", "dvx-whence/1");
	json_string(&j, j.root, "asked", w->operand);
	json_string(&j, j.root, "sha256", w->prefix.p);
	objects = json_array(&j, j.root, "objects");
	for (i = 0; i < w->n; i++) {
		if (!i || !oid_eq(&w->v[i].oid, &w->v[i - 1].oid)) {
			object = json_item(&j, objects);
			oid_to_hex(hex, &w->v[i].oid);
			json_string(&j, object, "sha256", hex);
			json_uint(&j, object, "size", w->v[i].size);
			places = json_array(&j, object, "places");
		}
		json_place(&j, json_item(&j, places), w, &w->v[i]);
	}
	object = json_object(&j, j.root, "searched");
	json_uint(&j, object, "commits", w->searched.commits);
	json_uint(&j, object, "refs", w->searched.refs);
	list = json_array(&j, j.root, "unknown");
	for (i = 0; i < count_of_reasons(); i++)
		if (cut & 1 << i)
			json_item_string(&j, list, cannot_know[i]);
	return json_print(&j);
}
