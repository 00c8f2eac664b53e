/*
 * The starting commit of an experiment: HEAD, the worktree's changes, the pipeline's own files even
 * if Git does not know them yet, and the new values of parameters - made with a copy of the index.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/pipeline/experiment_internal.h"
#include "lib/repo/git.h"

enum { PARAMS_MAX = 64 * 1024 * 1024, NAME_TRIES = 8 };

static const char default_params[] = "params.yaml";

/* Starting commits in the making. */
struct starting {
	const struct repo *repo;
	struct store *store;
	const struct experiment_request *request;
	struct experiment_recipe recipe;
	struct buf index, tree, commit, message;
	char base[REPO_HEX_MAX + 1];
};

/* ---- the tree ---- */

/* 1 and the mode if the index has the file. */
static int index_has(struct starting *x, const char *path, char mode[static 7])
{
	struct buf out = BUF_INIT;
	int rc = exp_git(x->repo, x->index.p, NULL, 0, &out, "--literal-pathspecs", "ls-files",
		"-z", "--stage", "--", path, (char *)NULL);

	if (rc == 0 && out.len > 6) {
		memcpy(mode, out.p, 6);
		mode[6] = '\0';
		rc = 1;
	}
	buf_release(&out);
	return rc;
}

/* The text of a parameter file as the experiment has it; a file that Git does not know is added. */
static int read_params(struct starting *x, const char *path, char mode[static 7], struct buf *text)
{
	struct buf spec = BUF_INIT;
	struct strvec one = STRVEC_INIT;
	int rc = index_has(x, path, mode);

	if (rc == 0) {
		rc = buf_addf(&spec, "%s/%s", x->repo->dir->worktree, path);
		if (rc == 0 && !fs_exists(spec.p))
			rc = err_set(ERR_NOTFOUND,
				"no file '%s' to set parameters in; -S <file>:<key>=<value> names "
				"another one",
				path);
		if (rc == 0)
			rc = strvec_push(&one, path);
		if (rc == 0)
			rc = exp_index_add(x->repo, x->index.p, &one);
		if (rc == 0)
			rc = index_has(x, path, mode);
	}
	buf_reset(&spec);
	if (rc > 0)
		rc = buf_addf(&spec, ":%s", path);
	text->max = PARAMS_MAX;
	if (rc == 0)
		rc = exp_git(x->repo, x->index.p, NULL, 0, text, "cat-file", "blob", spec.p,
			(char *)NULL);
	strvec_release(&one);
	buf_release(&spec);
	return rc;
}

static int write_params(
	struct starting *x, const char *path, const char *mode, const struct buf *text)
{
	struct buf id = BUF_INIT, line = BUF_INIT;
	int rc = git_run(x->repo, buf_str(text), text->len, &id, "hash-object", "-w", "--stdin",
		(char *)NULL);

	buf_rtrim(&id);
	if (rc == 0)
		rc = buf_addf(&line, "%s %s\t%s", mode, buf_str(&id), path);
	if (rc == 0)
		rc = exp_git(x->repo, x->index.p, line.p, line.len + 1, NULL, "update-index", "-z",
			"--index-info", (char *)NULL);
	buf_release(&id);
	buf_release(&line);
	return rc;
}

/* The file of a `-S` that names none: that of the current directory, else the top's. */
static int default_file(struct buf *out, const struct repo *repo)
{
	struct buf path = BUF_INIT;
	int rc = repo_path(out, repo, default_params);

	if (rc == 0)
		rc = buf_addf(&path, "%s/%s", repo->dir->worktree, out->p);
	if (rc == 0 && !fs_exists(path.p)) {
		buf_reset(out);
		rc = buf_addstr(out, default_params);
	}
	buf_release(&path);
	return rc;
}

/* One `-S`: "[file:]key=value" with the file as it was typed. */
static int set_parameter(struct starting *x, const char *set)
{
	size_t len = exp_set_file_length(set);
	struct buf path = BUF_INIT, text = BUF_INIT;
	char *typed = strndup(set, len), mode[7] = "100644";
	const char *assignment = len ? set + len + 1 : set;
	int rc = typed ? 0 : err_set(ERR_NOMEM, "out of memory");

	if (rc == 0)
		rc = len ? repo_path(&path, x->repo, typed) : default_file(&path, x->repo);
	if (rc == 0)
		rc = read_params(x, path.p, mode, &text);
	if (rc == 0)
		rc = exp_set_apply(&text, path.p, assignment);
	if (rc == 0)
		rc = write_params(x, path.p, mode, &text);
	if (rc == 0)
		rc = strvec_pushf(&x->recipe.set, "%s:%s", path.p, assignment);
	free(typed);
	buf_release(&path);
	buf_release(&text);
	return rc;
}

static int make_tree(struct starting *x)
{
	const struct strvec *set = x->request->set;
	int rc = exp_index_copy(&x->index, x->repo);

	if (rc == 0)
		rc = exp_index_add_pipeline(x->repo, x->index.p);
	if (rc == 0)
		rc = exp_index_tree(&x->tree, x->repo, x->index.p);
	if (rc == 0)
		x->recipe.start = buf_detach(&x->tree);
	for (size_t i = 0; rc == 0 && set && i < set->n; i++)
		rc = set_parameter(x, set->v[i]);
	return rc == 0 ? exp_index_tree(&x->tree, x->repo, x->index.p) : rc;
}

/* ---- the recipe ---- */

static int copy_strings(struct strvec *out, const struct strvec *from)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && from && i < from->n; i++)
		rc = strvec_push(out, from->v[i]);
	return rc;
}

static int copy_paths(struct strvec *out, const struct repo *repo, const struct strvec *from)
{
	struct buf path = BUF_INIT, file = BUF_INIT;
	int rc = 0;

	for (size_t i = 0; rc == 0 && from && i < from->n; i++) {
		buf_reset(&path);
		buf_reset(&file);
		rc = repo_path(&path, repo, from->v[i]);
		if (rc == 0)
			rc = buf_addf(&file, "%s/%s", repo->dir->worktree, path.p);
		if (rc == 0 && !fs_exists(file.p))
			rc = err_set(ERR_NOTFOUND, "no '%s' to copy", from->v[i]);
		if (rc == 0)
			rc = strvec_push(out, path.p);
	}
	buf_release(&path);
	buf_release(&file);
	return rc;
}

static int make_recipe(struct starting *x)
{
	const char *prefix = x->repo->dir->prefix;
	uint8_t head[REPO_ID_MAX];
	int rc = git_resolve(x->repo, "HEAD^{commit}", head);

	if (rc == ERR_NOTFOUND)
		return err_set(ERR_INVALID, "there is no commit yet that experiments could start "
					    "from; 'git commit' first");
	repo_id_hex(x->base, x->repo, head);
	x->recipe.made = fs_now_ns();
	x->recipe.force = x->request->repro_force;
	x->recipe.dir = strdup(prefix ? prefix : "");
	if (rc == 0 && !x->recipe.dir)
		rc = err_set(ERR_NOMEM, "out of memory");
	if (rc == 0 && *x->recipe.dir) /* without the slash that Git's prefixes end in */
		x->recipe.dir[strlen(x->recipe.dir) - 1] = '\0';
	if (rc == 0)
		rc = copy_strings(&x->recipe.targets, x->request->targets);
	return rc == 0 ? copy_paths(&x->recipe.copies, x->repo, x->request->copies) : rc;
}

/* ---- the name ---- */

/* Take the lock of a name, and then look who has it: others do the same at this moment.  1 if an
 * experiment has it, 0 if none. */
static int lock_name(struct exp_work *w, const struct starting *x, const char *name)
{
	struct experiment_list l = {0};
	int rc = exp_work_lock(w, x->repo, name);

	if (rc == 0)
		rc = experiment_list_load(&l, x->repo);
	if (rc == 0)
		rc = experiment_find(&l, name, NULL, x->repo->hash_len) != NULL;
	experiment_list_release(&l);
	return rc;
}

static int take_name(struct exp_work *w, const struct starting *x, const char *name)
{
	int rc = lock_name(w, x, name);

	if (rc > 0 && !x->request->replace)
		return err_set(ERR_EXISTS,
			"there is an experiment '%s'; --force replaces it, 'git dvx exp remove %s' "
			"forgets it",
			name, name);
	return rc < 0 ? rc : 0;
}

/* Two words; when these are taken again and again, with a number behind. */
static int invent_name(struct buf *name, struct exp_work *w, const struct starting *x)
{
	int rc = 1;

	for (unsigned i = 1; rc > 0; i++) {
		exp_work_end(w, x->repo);
		buf_reset(name);
		rc = exp_name_invent(name);
		if (rc == 0 && i > NAME_TRIES)
			rc = buf_addf(name, "-%u", i);
		if (rc == 0)
			rc = lock_name(w, x, name->p);
		if (rc == ERR_LOCKED)
			rc = 1;
	}
	return rc;
}

/* A result of that name stays until there is a new one; what waits or failed goes.  One
 * transaction, under the lock of the name. */
static int write_ref(const struct starting *x, const struct exp_work *w, const char *name)
{
	struct experiment_list l = {0};
	struct buf input = BUF_INIT, own = BUF_INIT;
	const char *verb = "create";
	int rc = experiment_list_load(&l, x->repo);

	if (rc == 0)
		rc = buf_addf(&own, EXP_REFS_QUEUE "%s/%s", x->base, name);
	for (size_t i = 0; rc == 0 && i < l.n; i++) {
		if (strcmp(l.v[i].ref, own.p) == 0)
			verb = "update";
		else if (strcmp(l.v[i].name, name) == 0 && l.v[i].state != EXPERIMENT_DONE)
			rc = buf_addf(&input, "delete %s\n", l.v[i].ref);
	}
	if (rc == 0)
		rc = buf_addf(&input, "%s %s %s\n", verb, own.p, x->commit.p);
	if (rc == 0)
		rc = exp_git_whole(
			x->repo, w->log, input.p, input.len, "update-ref", "--stdin", (char *)NULL);
	experiment_list_release(&l);
	buf_release(&input);
	buf_release(&own);
	return rc;
}

static void starting_release(struct starting *x)
{
	exp_index_remove(&x->index);
	exp_recipe_release(&x->recipe);
	buf_release(&x->tree);
	buf_release(&x->commit);
	buf_release(&x->message);
}

int experiment_queue(
	char **name, const struct repo *repo, struct store *s, const struct experiment_request *r)
{
	struct starting x = {.repo = repo, .store = s, .request = r};
	struct exp_work w = EXP_WORK_INIT;
	struct buf chosen = BUF_INIT;
	int rc = r->name ? exp_name_check(repo, r->name) : 0;

	if (rc == 0)
		rc = make_recipe(&x);
	if (rc == 0 && r->name)
		rc = buf_addstr(&chosen, r->name);
	if (rc == 0)
		rc = r->name ? take_name(&w, &x, r->name) : invent_name(&chosen, &w, &x);
	if (rc == 0)
		rc = make_tree(&x);
	if (rc == 0)
		rc = exp_recipe_format(&x.message, chosen.p, r->message, &x.recipe);
	if (rc == 0)
		rc = exp_commit(&x.commit, repo, s, x.tree.p, x.base, &x.message);
	if (rc == 0)
		rc = write_ref(&x, &w, chosen.p);
	if (rc == 0)
		*name = buf_detach(&chosen);
	exp_work_end(&w, repo);
	starting_release(&x);
	buf_release(&chosen);
	return rc;
}
