/*
 * States by name.  Branches and tags come from one `git for-each-ref` each, with the commits that
 * annotated tags mean, so that no process is needed for each of them.
 */
#include "commands/states.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/repo/git.h"
#include "lib/store/oidmap.h"

static const char WORKTREE_NAME[] = "workspace"; /* as DVC has it */

int states_is_worktree(const char *rev)
{
	return strcmp(rev, WORKTREE_NAME) == 0;
}

void states_options_release(struct states_options *o)
{
	strvec_release(&o->revs);
}

void states_release(struct states *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->v[i].name);
	free(s->v);
	memset(s, 0, sizeof(*s));
}

/* A new state, or NULL when out of memory. */
static struct state *add(struct states *s, const char *name)
{
	struct state *v;

	if (array_room(&s->v, s->n, &s->cap, sizeof(*s->v)) < 0)
		goto failed;
	v = &s->v[s->n];
	memset(v, 0, sizeof(*v));
	v->name = strdup(name);
	if (v->name == NULL)
		goto failed;
	s->n++;
	return v;
failed:
	err_set(ERR_NOMEM, "out of memory");
	return NULL;
}

static int add_worktree(struct states *s)
{
	struct state *v = add(s, WORKTREE_NAME);

	if (v == NULL)
		return ERR_NOMEM;
	v->is_worktree = 1;
	return 0;
}

static int add_revision(struct states *s, const struct repo *repo, const char *rev)
{
	uint8_t id[REPO_ID_MAX] = {0};
	struct state *v;
	int rc;

	if (states_is_worktree(rev) && repo->dir->worktree != NULL)
		return add_worktree(s);
	rc = git_resolve_state(repo, rev, id);
	if (rc < 0)
		return rc;
	v = add(s, rev);
	if (v == NULL)
		return ERR_NOMEM;
	memcpy(v->id, id, sizeof(id));
	return 0;
}

/* ---- branches and tags ---- */

/* Put "name,<more>" in the place of the state's name. */
static int join_name(struct state *v, const char *more)
{
	struct buf name = BUF_INIT;
	int rc = buf_addf(&name, "%s,%s", v->name, more);

	if (rc < 0)
		return rc;
	free(v->name);
	v->name = buf_detach(&name);
	return v->name != NULL ? 0 : err_set(ERR_NOMEM, "out of memory");
}

/* "<type> <id> <type> <id> <name>": of the ref, and of what an annotated tag means (else two empty
 * fields). */
static int add_ref(struct states *s, const struct repo *repo, struct oidmap *seen, char *line)
{
	char *field[5], *id;
	struct oid key = {{0}};
	struct state *v;
	uint32_t i;
	int rc;

	for (size_t k = 0; k < 5; k++) {
		field[k] = line;
		line += strcspn(line, " ");
		if (*line != '\0' && k < 4)
			*line++ = '\0';
	}
	id = *field[2] != '\0' ? field[3] : field[1];
	if (strcmp(*field[2] != '\0' ? field[2] : field[0], "commit") != 0)
		return 0; /* a tag of something else */
	rc = repo_id_parse(key.id, repo, id);
	if (rc < 0)
		return rc;
	if (oidmap_get(seen, &key, &i))
		return join_name(&s->v[i], field[4]);
	rc = oidmap_add(seen, &key, (uint32_t)s->n);
	if (rc < 0)
		return rc;
	v = add(s, field[4]);
	if (v == NULL)
		return ERR_NOMEM;
	memcpy(v->id, key.id, sizeof(v->id));
	return 0;
}

static int add_refs(struct states *s, const struct repo *repo, struct oidmap *seen,
	const char *where, const char *sort)
{
	static const char format[] = "--format=%(objecttype) %(objectname) %(*objecttype) "
				     "%(*objectname) %(refname:short)";
	struct buf out = BUF_INIT;
	char *line, *save = NULL;
	int rc = git_run(repo, NULL, 0, &out, "for-each-ref", sort, format, where, (char *)NULL);

	for (line = rc == 0 && out.len > 0 ? strtok_r(out.p, "\n", &save) : NULL;
		rc == 0 && line != NULL; line = strtok_r(NULL, "\n", &save))
		rc = add_ref(s, repo, seen, line);
	buf_release(&out);
	return rc;
}

/* ---- commits ---- */

static int add_commits(struct states *s, const struct repo *repo)
{
	struct buf out = BUF_INIT;
	char *line, *save = NULL;
	struct state *v;
	int rc;

	rc = git_run(repo, NULL, 0, &out, "rev-list", "--date-order", "--branches", "--tags",
		git_has_head(repo) == 1 ? "HEAD" : "--remotes", (char *)NULL);
	for (line = rc == 0 && out.len > 0 ? strtok_r(out.p, "\n", &save) : NULL;
		rc == 0 && line != NULL; line = strtok_r(NULL, "\n", &save)) {
		v = add(s, line);
		if (v == NULL)
			rc = ERR_NOMEM;
		else
			rc = repo_id_parse(v->id, repo, line);
		if (rc == 0)
			v->is_commit = 1;
	}
	buf_release(&out);
	return rc;
}

/* ---- all of it ---- */

int states_list(struct states *out, const struct repo *repo, const struct states_options *o)
{
	int everything = o->branches || o->tags || o->commits, bare = repo->dir->worktree == NULL;
	struct oidmap seen = OIDMAP_INIT;
	int rc = 0;

	out->named = everything || o->revs.n > 0;
	if (!bare && (everything || o->revs.n == 0))
		rc = add_worktree(out);
	else if (bare && !out->named)
		rc = add_revision(out, repo, "HEAD");
	for (size_t i = 0; rc == 0 && i < o->revs.n; i++)
		rc = add_revision(out, repo, o->revs.v[i]);
	if (rc == 0 && o->commits)
		rc = add_commits(out, repo);
	if (rc == 0 && o->branches && !o->commits)
		rc = add_refs(out, repo, &seen, "refs/heads", "--sort=refname");
	if (rc == 0 && o->tags && !o->commits)
		rc = add_refs(out, repo, &seen, "refs/tags", "--sort=version:refname");
	oidmap_release(&seen);
	if (rc < 0)
		states_release(out);
	return rc;
}

int states_branch(struct buf *out, const struct repo *repo)
{
	static const char prefix[] = "ref: refs/heads/";
	struct buf path = BUF_INIT, text = BUF_INIT;
	int rc = fs_join(&path, repo->dir->git_dir, "HEAD");

	if (rc == 0)
		rc = buf_read_file(&text, buf_str(&path));
	buf_rtrim(&text);
	if (rc == 0 && strncmp(buf_str(&text), prefix, sizeof(prefix) - 1) == 0 &&
		strcmp(text.p + sizeof(prefix) - 1, ".invalid") != 0)
		rc = buf_addstr(out, text.p + sizeof(prefix) - 1);
	buf_release(&path);
	buf_release(&text);
	return rc;
}
