/*
 * Who made a commit, when, and what it is called: its object says it, which the `git cat-file` that
 * reads the commit's files gives as well.  `git log -1` is asked only for what is not plain.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/lineage/committext.h"
#include "lib/lineage/lineage_internal.h"
#include "lib/repo/git.h"

struct told {
	struct buf text;
	const char *field[COMMITTEXT_FIELDS];
};

/* The fields that the text has. */
static int split(struct told *t)
{
	if (!committext_split(t->field, t->text.p, t->text.p + t->text.len))
		return err_set(ERR_CORRUPT, "'git log' told less than it was asked for");
	return 1;
}

/* What Git says of one commit; `path`: of the last one that changed it, seen from there.  1; 0:
 * there is no such commit. */
static int ask_log(struct told *t, const struct repo *repo, const char *rev, const char *path)
{
	struct run r = RUN_INIT;
	int rc = git_prepare(&r, repo, "log", "--no-show-signature", "--no-color",
		"--encoding=UTF-8", "--format=" COMMITTEXT_LOG_FORMAT, "-1", "--end-of-options",
		rev, "--", path, (char *)NULL);

	r.err = RUN_NULL;
	if (rc == 0)
		rc = run_capture(&r, NULL, 0, &t->text);
	run_release(&r);
	if (rc != 0 || t->text.len == 0)
		return rc < 0 ? rc : 0;
	buf_rtrim(&t->text);
	return split(t);
}

/* The same of one commit, as its object has it.  0 also where only Git can tell. */
static int ask_object(struct told *t, struct lineage *l, const char *rev)
{
	const struct buf *text;
	uint8_t id[REPO_ID_MAX] = {0};
	char hex[REPO_HEX_MAX + 1];
	int rc = 1;

	if (strlen(rev) != 2 * (size_t)l->repo->hash_len || repo_id_parse(id, l->repo, rev) < 0)
		rc = source_cache_find_commit(l->sources, rev, id);
	if (rc > 0)
		rc = source_cache_commit(&text, l->sources, id);
	if (rc <= 0)
		return rc;
	repo_id_hex(hex, l->repo, id);
	rc = committext_fields(&t->text, hex, text);
	return rc > 0 ? split(t) : rc;
}

static int ask_commit(struct told *t, struct lineage *l, const char *rev)
{
	int rc = ask_object(t, l, rev);

	return rc == 0 ? ask_log(t, l->repo, rev, NULL) : rc;
}

int lineage_expect(struct lineage *l, const uint8_t (*commits)[REPO_ID_MAX], size_t n)
{
	return source_cache_load(l->sources, commits, n);
}

/* ---- into the answer ---- */

static int put_commit(struct node *map, const struct told *t)
{
	struct node *author;
	int rc = lineage_put_text(map, "id", t->field[COMMITTEXT_ID]);

	if (rc < 0 || (author = lineage_put_map(map, "author")) == NULL)
		return ERR_NOMEM;
	rc = lineage_put_text(author, "name", t->field[COMMITTEXT_AUTHOR]);
	if (rc == 0)
		rc = lineage_put_text(author, "email", t->field[COMMITTEXT_EMAIL]);
	if (rc == 0)
		rc = lineage_put_text(map, "date", t->field[COMMITTEXT_DATE]);
	if (rc == 0)
		rc = lineage_put_text(map, "committed", t->field[COMMITTEXT_COMMITTED]);
	return rc == 0 ? lineage_put_text(map, "subject", t->field[COMMITTEXT_SUBJECT]) : rc;
}

int lineage_put_brief(struct lineage *l, struct node *map, const uint8_t *commit)
{
	static const struct {
		const char *key;
		enum committext_field field;
	} keys[] = {{"id", COMMITTEXT_ID}, {"author", COMMITTEXT_AUTHOR}, {"date", COMMITTEXT_DATE},
		{"subject", COMMITTEXT_SUBJECT}};
	struct told told = {.text = BUF_INIT};
	char hex[REPO_HEX_MAX + 1];
	int rc;

	repo_id_hex(hex, l->repo, commit);
	rc = ask_commit(&told, l, hex);
	if (rc == 0)
		rc = err_set(ERR_NOTFOUND, "commit %s is not in this repository", hex);
	for (size_t i = 0; rc >= 0 && i < sizeof(keys) / sizeof(keys[0]); i++)
		rc = lineage_put_text(map, keys[i].key, told.field[keys[i].field]);
	buf_release(&told.text);
	return rc < 0 ? rc : 0;
}

static int put_tag(const char *tag, void *tags)
{
	return node_push(tags, node_string(tag));
}

/* Of the registry, which remembers what tags name: Git's own decoration opens each one. */
static int put_tags(struct lineage_trace *t)
{
	struct node *tags = lineage_put_list(t->root, "tags");
	int rc = tags != NULL ? lineage_registry(t->l) : ERR_NOMEM;

	return rc == 0 ? registry_tags_of(t->l->registry, t->commit, put_tag, tags) : rc;
}

/* ---- revisions ---- */

/* 1 if `git log` takes this for what `git rev-parse --verify` takes it for: not for a range. */
static int is_plain(const char *rev)
{
	return strstr(rev, "..") == NULL && strstr(rev, "^@") == NULL &&
	       strstr(rev, "^!") == NULL && strstr(rev, "^-") == NULL && rev[0] != '^';
}

/* A revision that Git itself does not know as a commit: an experiment, or the reason why not. */
static int ask_state(struct told *t, const struct lineage_trace *trace, const char *rev)
{
	uint8_t id[REPO_ID_MAX] = {0};
	char hex[REPO_HEX_MAX + 1];
	int rc = git_resolve_state(trace->l->repo, rev, id);

	if (rc < 0)
		return rc;
	repo_id_hex(hex, trace->l->repo, id);
	rc = ask_commit(t, trace->l, hex);
	if (rc == 0)
		rc = err_set(ERR_NOTFOUND, "'%s' is no commit; name one, or a tag of one", rev);
	return rc < 0 ? rc : 0;
}

int lineage_commit(struct lineage_trace *t, const char *rev)
{
	struct told told = {.text = BUF_INIT};
	struct node *commit;
	int rc = is_plain(rev) ? ask_commit(&told, t->l, rev) : 0;

	if (rc == 0 && rev[0] == '^')
		rc = err_set(ERR_NOTFOUND, "unknown revision '%s'", rev);
	if (rc == 0)
		rc = ask_state(&told, t, rev);
	if (rc < 0)
		goto done;
	rc = repo_id_parse(t->commit, t->l->repo, told.field[COMMITTEXT_ID]);
	if (rc < 0)
		goto done;
	repo_id_hex(t->hex, t->l->repo, t->commit);
	commit = lineage_put_map(t->root, "commit");
	rc = commit != NULL ? put_commit(commit, &told) : ERR_NOMEM;
	if (rc == 0)
		rc = put_tags(t);
done:
	buf_release(&told.text);
	return rc;
}

/* ---- who changed a file ---- */

/* The index of history knows data files; Git is asked for others. */
static int find_change(struct lineage_trace *t, struct told *told, const char *path)
{
	uint8_t id[REPO_ID_MAX] = {0};
	char hex[REPO_HEX_MAX + 1];
	struct buf spec = BUF_INIT;
	int rc;

	if (t->l->history == NULL && history_open(&t->l->history, t->l->repo,
					     source_cache_objects(t->l->sources), 1) < 0)
		err_clear();
	if (t->l->history != NULL && history_last_change(t->l->history, t->commit, path, id) == 1) {
		repo_id_hex(hex, t->l->repo, id);
		return ask_commit(told, t->l, hex);
	}
	err_clear();
	rc = buf_addf(&spec, ":(top,literal)%s", path);
	if (rc == 0)
		rc = ask_log(told, t->l->repo, t->hex, spec.p);
	buf_release(&spec);
	return rc;
}

/* 1 if history ends at this commit because nothing older was cloned. */
static int is_boundary(const struct repo *repo, const char *hex)
{
	struct buf path = BUF_INIT, text = BUF_INIT;
	int is = buf_addf(&path, "%s/shallow", repo->dir->common_dir) == 0 &&
		 buf_read_file(&text, path.p) == 0 && strstr(buf_str(&text), hex) != NULL;

	err_clear();
	buf_release(&path);
	buf_release(&text);
	return is;
}

int lineage_last_change(struct lineage_trace *t, struct node *file, const char *path)
{
	struct told told = {.text = BUF_INIT};
	struct node *changed = NULL;
	int rc = find_change(t, &told, path);

	if (rc > 0 && is_boundary(t->l->repo, told.field[COMMITTEXT_ID])) {
		rc = node_append(file, "changed", node_null());
		if (rc == 0)
			rc = lineage_unknown(t->unknown, path,
				"which commit changed it last: this clone is shallow and begins "
				"with %.10s; 'git fetch --unshallow' brings the rest",
				told.field[COMMITTEXT_ID]);
	} else if (rc > 0) {
		changed = lineage_put_map(file, "changed");
		rc = changed != NULL ? put_commit(changed, &told) : ERR_NOMEM;
	} else if (rc == 0) {
		rc = node_append(file, "changed", node_null());
	}
	buf_release(&told.text);
	return rc;
}
