/*
 * Commits of a partial clone without trees: what they changed cannot be asked, since Git would have
 * to fetch the directories.  Those whose directories are here - what was checked out - are listed
 * as a whole; of the others nothing is known, and answers say so.
 */
#include "lib/lineage/history_internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/repo/git.h"

/* So many commits are listed at most, the newest: each costs a process. */
enum { LISTED_MOST = 500 };

/* The trees of all commits from number `first` on. */
static int find_trees(const struct history *h, size_t first, struct git_object *trees)
{
	struct run run = RUN_INIT;
	struct git_reader *r = NULL;
	struct buf input = BUF_INIT;
	char hex[REPO_HEX_MAX + 1], *line;
	size_t i, len;
	int rc = 0, end;

	for (i = first; i < h->n_commits && rc == 0; i++) {
		repo_id_hex(hex, h->repo, h->commits[i].id);
		rc = buf_addf(&input, "%s\n", hex);
	}
	if (rc == 0)
		rc = git_prepare(&run, h->repo, "rev-list", "--no-walk=unsorted", "--stdin",
			"--format=%T", (char *)NULL);
	if (rc == 0)
		rc = git_reader_start(&r, &run, &input);
	/* Each has a line "commit <id>" before its own. */
	for (i = 0; rc == 0 && i < 2 * (h->n_commits - first); i++) {
		rc = git_reader_next(r, '\n', &line, &len);
		if (rc > 0)
			rc = i % 2 ? repo_id_parse(trees[i / 2].id, h->repo, line) : 0;
		else if (rc == 0)
			rc = err_set(ERR_CORRUPT, "'git rev-list' ended too early");
	}
	end = git_reader_finish(r);
	run_release(&run);
	buf_release(&input);
	return rc ? rc : end;
}

struct listing {
	const char **paths;
	struct pointers_query *q;
	size_t n, cap_paths, cap_q;
	struct pathpool *pool;
};

/* "100644 blob <id>\t<path>" */
static int add_entry(struct listing *l, const struct repo *repo, const char *entry)
{
	const char *id = strlen(entry) > 12 ? entry + 12 : "", *path = strchr(entry, '\t');

	if (!path || !S_ISREG(strtoul(entry, NULL, 8)))
		return 0;
	if (array_room(&l->paths, l->n, &l->cap_paths, sizeof *l->paths) < 0 ||
		array_room(&l->q, l->n, &l->cap_q, sizeof *l->q) < 0)
		return ERR_NOMEM;
	memset(&l->q[l->n], 0, sizeof *l->q);
	l->paths[l->n] = pathpool_keep(&l->pool, path + 1, strlen(path + 1));
	if (!l->paths[l->n])
		return err_no_memory();
	return repo_id_parse(l->q[l->n++].blob, repo, id);
}

/* Every file of a tree: 1, 0 if a directory of it is not here. */
static int list_tree(struct listing *l, const struct repo *repo, const uint8_t *tree)
{
	struct run run = RUN_INIT;
	struct buf out = BUF_INIT;
	char hex[REPO_HEX_MAX + 1];
	const char *entry;
	int status, rc;

	repo_id_hex(hex, repo, tree);
	rc = git_prepare(&run, repo, "ls-tree", "-r", "-z", "--full-tree", hex, (char *)NULL);
	if (rc == 0)
		rc = strvec_push(&run.env, "GIT_ALLOW_PROTOCOL=none");
	run.err = RUN_NULL;
	status = rc == 0 ? run_capture(&run, NULL, 0, &out) : rc;
	for (entry = buf_str(&out); status == 0 && rc == 0 && entry < out.p + out.len;
		entry += strlen(entry) + 1)
		rc = add_entry(l, repo, entry);
	run_release(&run);
	buf_release(&out);
	return status < 0 ? status : rc < 0 ? rc : status == 0;
}

static int add_listing(struct history *h, struct history_commit *commit, const struct listing *l)
{
	struct history_change change;
	size_t i;
	int rc = 0;

	for (i = 0; i < l->n && rc == 0; i++) {
		if (l->q[i].state == POINTERS_NO)
			continue;
		rc = history_add_path(h, l->paths[i], &change.path);
		if (rc == 0)
			rc = history_add_version(h, &l->q[i], &change.version);
		if (rc == 0)
			rc = history_add_change(h, commit, change);
	}
	return rc;
}

static int add_commit(
	struct history *h, struct history_commit *commit, const uint8_t *tree, struct pointers *p)
{
	struct listing l = {.n = 0};
	int rc = list_tree(&l, h->repo, tree);

	commit->flags = rc > 0 ? HISTORY_WHOLE : HISTORY_UNKNOWN;
	if (rc > 0)
		rc = l.n ? pointers_resolve(p, l.q, l.n) : 0;
	if (rc == 0 && commit->flags == HISTORY_WHOLE)
		rc = add_listing(h, commit, &l);
	free(l.paths);
	free(l.q);
	pathpool_free(&l.pool);
	return rc;
}

int history_add_whole(struct history *h, size_t first, struct pointers *p)
{
	struct git_object *trees = calloc(h->n_commits - first + 1, sizeof *trees);
	size_t i, present = 0, left_out;
	int rc = trees ? find_trees(h, first, trees) : err_no_memory();

	if (rc == 0)
		rc = git_objects_info(h->repo, trees, h->n_commits - first);
	for (i = first; rc == 0 && i < h->n_commits; i++)
		present += trees[i - first].type == GIT_TREE;
	left_out = present > LISTED_MOST ? present - LISTED_MOST : 0;
	for (i = first; rc == 0 && i < h->n_commits; i++) {
		h->commits[i].flags = HISTORY_UNKNOWN;
		if (trees[i - first].type != GIT_TREE)
			continue;
		if (left_out)
			left_out--;
		else
			rc = add_commit(h, &h->commits[i], trees[i - first].id, p);
	}
	free(trees);
	return rc;
}
