/*
 * Making the worktree what an experiment is, without losing what is only there.
 *
 * The worktree as it is becomes a tree first; Git then goes from that tree to the experiment's with
 * the copy of the index that the tree was made of.  So the user's own index is not even opened for
 * writing.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/strmap.h"
#include "lib/pipeline/experiment_internal.h"
#include "lib/repo/git.h"
#include "lib/repo/restore.h"
#include "lib/repo/staged.h"

enum { HEX_SHOWN = 10 };

struct applying {
	const struct repo *repo;
	struct store *store;
	const struct experiment *e;
	struct buf index, tree;
	char head[REPO_HEX_MAX + 1], base[REPO_HEX_MAX + 1], commit[REPO_HEX_MAX + 1];
	struct staged dirty; /* HEAD against the worktree */
	struct buf spared;   /* update-index's lines of what stays as it is */
	struct buf target;   /* tree that the worktree becomes */
	int overwrites;	     /* something goes that no ref holds */
};

void experiment_applied_release(struct experiment_applied *a)
{
	strvec_release(&a->lost);
	free(a->kept);
	a->kept = NULL;
}

/* ---- what is there ---- */

/* Files that the experiment has, that Git does not know here, and that are in the way. */
static int add_files_in_the_way(struct applying *x)
{
	struct buf out = BUF_INIT, path = BUF_INIT;
	struct strvec absent = STRVEC_INIT, there = STRVEC_INIT;
	int rc = exp_git(x->repo, x->index.p, NULL, 0, &out, "diff-index", "--cached", "-z",
		"--name-only", "--diff-filter=D", "--no-renames", x->commit, (char *)NULL);

	if (rc == 0)
		rc = exp_split(&absent, &out);
	for (size_t i = 0; rc == 0 && i < absent.n; i++) {
		struct stat st;

		buf_reset(&path);
		rc = buf_addf(&path, "%s/%s", x->repo->dir->worktree, absent.v[i]);
		if (rc == 0 && lstat(path.p, &st) == 0 && !S_ISDIR(st.st_mode))
			rc = strvec_push(&there, absent.v[i]);
	}
	if (rc == 0)
		rc = exp_index_add(x->repo, x->index.p, &there);
	strvec_release(&absent);
	strvec_release(&there);
	buf_release(&path);
	buf_release(&out);
	return rc;
}

static int take_stock(struct applying *x)
{
	int rc = exp_index_copy(&x->index, x->repo);

	if (rc == 0)
		rc = add_files_in_the_way(x);
	if (rc == 0)
		rc = exp_index_tree(&x->tree, x->repo, x->index.p);
	return rc == 0 ? staged_list_between(&x->dirty, x->repo, x->head, x->tree.p) : rc;
}

/* ---- what would be lost ---- */

/* The user's own change of a file that the experiment did not change stays. */
static int spare(struct applying *x, const struct staged_change *c)
{
	char hex[REPO_HEX_MAX + 1];
	int rc;

	repo_id_hex(hex, x->repo, c->new.blob);
	rc = buf_addf(&x->spared, "%o %s\t%s", c->new_mode, hex, c->path);
	return rc == 0 ? buf_add(&x->spared, "", 1) : rc;
}

/* Ask Git for "<tree>:<path>" of all experiments and of what this one started from. */
static int ask(struct buf *input, const struct repo *repo, const struct experiment_list *l,
	const struct experiment *e, const char *path)
{
	char hex[REPO_HEX_MAX + 1];
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < l->n; i++) {
		repo_id_hex(hex, repo, l->v[i].commit);
		rc = buf_addf(input, "%s:%s\n", hex, path);
	}
	if (rc == 0 && e->recipe.start)
		rc = buf_addf(input, "%s:%s\n", e->recipe.start, path);
	return rc;
}

enum held {
	HELD_NOWHERE,
	HELD_IN_START, /* but perhaps by nothing that refs reach */
	HELD_IN_EXPERIMENT
};

/* Where else the file's content is: `answers` (n of them, the start's last) are the blobs that the
 * others have at its path. */
static enum held find_holder(const struct applying *x, const struct staged_change *c,
	char *const *answers, size_t n, size_t experiments)
{
	char hex[REPO_HEX_MAX + 1];
	enum held held = HELD_NOWHERE;

	repo_id_hex(hex, x->repo, c->new.blob);
	for (size_t k = 0; k < n; k++)
		if (strcmp(answers[k], hex) == 0 && held != HELD_IN_EXPERIMENT)
			held = k < experiments ? HELD_IN_EXPERIMENT : HELD_IN_START;
	return held;
}

/* Of the user's changed files that the experiment has otherwise (n of them), find those that
 * nothing else holds. */
static int sort_changes(struct applying *x, const struct staged_change *const *v, size_t n,
	const struct strmap *made, struct strvec *lost)
{
	struct experiment_list l = {0};
	struct buf input = BUF_INIT, out = BUF_INIT;
	struct strvec answers = STRVEC_INIT;
	char *save = NULL, *line;
	size_t at = 0, per_path;
	int rc = experiment_list_load(&l, x->repo);

	per_path = l.n + (x->e->recipe.start != NULL);
	for (size_t i = 0; rc == 0 && i < n; i++)
		if (!strchr(v[i]->path, '\n'))
			rc = ask(&input, x->repo, &l, x->e, v[i]->path);
	if (rc == 0 && input.len > 0)
		rc = git_run(x->repo, input.p, input.len, &out, "cat-file",
			"--batch-check=%(objectname)", (char *)NULL);
	for (line = out.len ? strtok_r(out.p, "\n", &save) : NULL; rc == 0 && line;
		line = strtok_r(NULL, "\n", &save))
		rc = strvec_push(&answers, line);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		size_t asked = strchr(v[i]->path, '\n') ? 0 : per_path;
		enum held held = at + asked <= answers.n
					 ? find_holder(x, v[i], answers.v + at, asked, l.n)
					 : HELD_NOWHERE;

		at += asked;
		if (held == HELD_NOWHERE && !strmap_has(made, v[i]->path)) {
			rc = spare(x, v[i]);
			continue;
		}
		x->overwrites |= held != HELD_IN_EXPERIMENT;
		if (held == HELD_NOWHERE)
			rc = strvec_push(lost, v[i]->path);
	}
	strvec_release(&answers);
	buf_release(&input);
	buf_release(&out);
	experiment_list_release(&l);
	return rc;
}

/* The paths at which two trees differ, as keys. */
static int differing(
	struct strmap *out, const struct repo *repo, const char *one, const char *other)
{
	struct buf text = BUF_INIT;
	struct strvec paths = STRVEC_INIT;
	int rc = git_run(repo, NULL, 0, &text, "diff-tree", "-r", "-z", "--name-only",
		"--no-renames", one, other, (char *)NULL);

	if (rc == 0)
		rc = exp_split(&paths, &text);
	for (size_t i = 0; rc == 0 && i < paths.n; i++)
		rc = strmap_put(out, paths.v[i], NULL);
	strvec_release(&paths);
	buf_release(&text);
	return rc;
}

/* Look at the files that have to be written and are not as in HEAD. */
static int find_lost(struct applying *x, struct strvec *lost)
{
	struct strmap written = STRMAP_INIT, made = STRMAP_INIT;
	const struct staged_change **v = calloc(x->dirty.n + 1, sizeof(struct staged_change *));
	size_t n = 0;
	int rc = v ? 0 : err_set(ERR_NOMEM, "out of memory");

	if (rc == 0)
		rc = differing(&written, x->repo, x->tree.p, x->commit);
	if (rc == 0)
		rc = differing(&made, x->repo, x->base, x->commit);
	/* a deleted file that comes back is no loss */
	for (size_t i = 0; rc == 0 && i < x->dirty.n; i++)
		if (x->dirty.v[i].new_mode != 0 && strmap_has(&written, x->dirty.v[i].path))
			v[n++] = &x->dirty.v[i];
	if (rc == 0 && n > 0)
		rc = sort_changes(x, v, n, &made, lost);
	free(v);
	strmap_release(&written, NULL);
	strmap_release(&made, NULL);
	return rc;
}

/* The experiment's tree, but with the user's changes that have nothing to do with it. */
static int make_target(struct applying *x)
{
	struct buf index = BUF_INIT;
	int rc = 0;

	if (x->spared.len == 0)
		return buf_addstr(&x->target, x->commit);
	rc = buf_addf(&index, "%s.target", x->index.p);
	if (rc == 0)
		rc = exp_git(x->repo, index.p, NULL, 0, NULL, "read-tree", x->commit, (char *)NULL);
	if (rc == 0)
		rc = exp_git(x->repo, index.p, x->spared.p, x->spared.len, NULL, "update-index",
			"-z", "--index-info", (char *)NULL);
	if (rc == 0)
		rc = exp_index_tree(&x->target, x->repo, index.p);
	exp_index_remove(&index);
	return rc;
}

/* Keep the worktree as it was, as a commit. */
static int keep_overwritten(struct applying *x, char **kept)
{
	struct buf message = BUF_INIT, commit = BUF_INIT, ref = BUF_INIT;
	int rc = buf_addf(&message, "work tree before 'git dvx exp apply %s'\n", x->e->name);

	if (rc == 0)
		rc = exp_commit(&commit, x->repo, x->store, x->tree.p, x->head, &message);
	if (rc == 0)
		rc = buf_addf(&ref, EXP_REFS_OVERWRITTEN "%.*s", HEX_SHOWN, commit.p);
	if (rc == 0)
		rc = exp_git_whole(
			x->repo, 0, NULL, 0, "update-ref", ref.p, commit.p, (char *)NULL);
	if (rc == 0)
		*kept = buf_detach(&ref);
	buf_release(&message);
	buf_release(&commit);
	buf_release(&ref);
	return rc;
}

/* Pointers that an earlier try had to leave are what the target says, so Git does not look at them:
 * their data comes now, if it is to be had. */
static int place_data(struct applying *x, size_t *left)
{
	const struct restore_options o = {.fetch = 1, .quiet = 1};
	struct restore_result result = {0};
	struct gitdir g = *x->repo->dir;
	struct repo there = *x->repo;
	struct scan_list l = SCAN_LIST_INIT;
	struct pointers *p = NULL;
	int rc;

	g.index = x->index.p;
	there.dir = &g;
	rc = pointers_open(&p, &there);
	if (rc == 0)
		rc = scan_index(&l, &there, p, 1);
	if (rc == 0)
		rc = restore_run(&there, x->store, &l, &o, &result);
	*left = result.pointers;
	restore_result_release(&result);
	scan_list_release(&l);
	pointers_close(p);
	return rc;
}

/* ---- the whole ---- */

static int check(struct applying *x, int force)
{
	uint8_t head[REPO_ID_MAX];
	int rc = git_resolve(x->repo, "HEAD^{commit}", head);

	if (rc < 0)
		return rc;
	repo_id_hex(x->head, x->repo, head);
	repo_id_hex(x->commit, x->repo, x->e->commit);
	repo_id_hex(x->base, x->repo, x->e->base);
	if (x->e->state != EXPERIMENT_DONE)
		return err_set(ERR_INVALID, "experiment '%s' is %s and has no result", x->e->name,
			experiment_state_name(x->e->state));
	if (!force && strcmp(x->base, x->head) != 0)
		return err_set(ERR_CHANGED,
			"experiment '%s' was made from commit %.*s, and HEAD is %.*s; 'git dvx "
			"exp branch %s <branch>' makes a branch to merge, --force applies it all "
			"the same",
			x->e->name, REPO_HEX_SHOWN, x->base, REPO_HEX_SHOWN, x->head, x->e->name);
	return 0;
}

int experiment_apply(struct experiment_applied *out, const struct repo *repo, struct store *s,
	const struct experiment *e, int force)
{
	struct applying x = {.repo = repo, .store = s, .e = e, .dirty = STAGED_INIT};
	struct buf ignored = BUF_INIT;
	int rc = check(&x, force);

	if (rc == 0)
		rc = take_stock(&x);
	if (rc == 0)
		rc = find_lost(&x, &out->lost);
	if (rc == 0 && out->lost.n > 0 && !force)
		rc = err_set(ERR_CHANGED,
			"changes that are in no commit would be lost; commit or stash them, or use "
			"--force, which keeps them aside");
	if (rc == 0)
		rc = make_target(&x);
	if (rc == 0 && x.overwrites)
		rc = keep_overwritten(&x, &out->kept);
	if (rc == 0)
		rc = exp_git(repo, x.index.p, NULL, 0, &ignored, "-c", "core.hooksPath=/dev/null",
			"read-tree", "-m", "-u", x.tree.p, x.target.p, (char *)NULL);
	if (rc == 0)
		rc = place_data(&x, &out->pointers);
	exp_index_remove(&x.index);
	staged_release(&x.dirty);
	buf_release(&x.tree);
	buf_release(&x.spared);
	buf_release(&x.target);
	buf_release(&ignored);
	return rc;
}
