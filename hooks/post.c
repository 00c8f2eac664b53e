/*
 * The hooks that run after Git changed the work tree.  Data that this very command brought is not
 * their business: the filter places it after Git has ended.  They mend what an earlier command
 * could not: killed, interrupted, or kept from the index.
 */
#include "hooks/post.h"

#include "lib/base/err.h"
#include "lib/repo/restore.h"
#include "lib/worktree/pending.h"

int post_run(const struct repo *repo, struct store *s)
{
	const struct restore_options o = {.pending_only = 1, .quiet = 1};
	struct scan_list l = SCAN_LIST_INIT;
	struct restore_result r = {0};
	struct pending_taken *journals = NULL;
	struct pointers *p = NULL;
	int rc = pending_take(&journals, repo->dir->git_dir); /* before looking at the index */
	int ended;

	if (rc == 0)
		rc = pointers_open(&p, repo);
	if (rc == 0)
		rc = scan_index(&l, repo, p, 1);
	pointers_close(p);
	if (rc == 0) {
		rc = restore_keep_pending(journals, &l);
		if (rc == ERR_CORRUPT)
			rc = 0; /* a damaged journal: look at everything */
	}
	if (rc == 0)
		rc = restore_run(repo, s, &l, &o, &r);
	ended = pending_taken_end(journals, rc == 0 && r.left == 0);
	restore_result_release(&r);
	scan_list_release(&l);
	return rc < 0 ? rc : ended;
}
