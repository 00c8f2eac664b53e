/*
 * Merging dvx.lock: the three texts in, the merged one out, stages that both sides ran named.
 */
#include <stdio.h>

#include "commands/merge_driver.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/pipeline/lockmerge.h"
#include "lib/repo/conflicts.h"

static int tell_conflicts(const struct merge *m, const struct strvec *stages)
{
	struct buf told = BUF_INIT;
	int rc = buf_addf(
		&told, "conflict: both sides ran %s", stages->n == 1 ? "the stage" : "the stages");

	for (size_t i = 0; rc == 0 && i < stages->n; i++)
		rc = buf_addf(&told, "%s '%s'", i > 0 ? "," : "", stages->v[i]);
	if (rc == 0)
		rc = buf_addf(&told,
			" with different results; all other stages of '%s' are merged\n"
			"keep one version of what stands between the conflict markers, or take a "
			"whole side, and add it; 'git dvx repro' runs what then differs:\n",
			m->path);
	if (rc == 0)
		rc = merge_way_out(&told, m);
	merge_print(&told);
	buf_release(&told);
	return rc;
}

int merge_lock(struct merge *m, struct buf *why)
{
	const struct lockmerge_options o = {.marker_size = m->marker_size};
	const char *text[N_MERGE_SIDES];
	size_t len[N_MERGE_SIDES];
	struct strvec conflicts = STRVEC_INIT;
	struct buf out = BUF_INIT;
	int rc;

	for (int i = 0; i < N_MERGE_SIDES; i++) {
		text[i] = buf_str(&m->side[i].text);
		len[i] = m->side[i].text.len;
	}
	rc = lockmerge_run(&out, &conflicts, text, len, &o);
	if (rc < 0 && rc != ERR_NOMEM) { /* lines will have to do */
		rc = buf_addstr(why, err_msg()) < 0 ? ERR_NOMEM : MERGE_IMPOSSIBLE;
		goto done;
	}
	if (rc == 0)
		rc = fs_replace_file(m->side[MERGE_OURS].file, buf_str(&out), out.len, 0);
	if (rc < 0 || conflicts.n == 0)
		goto done;
	rc = tell_conflicts(m, &conflicts);
	if (rc == 0)
		rc = conflicts_note_marked(&m->ctx->repo, m->path);
	if (rc == 0)
		rc = MERGE_CONFLICTS;
done:
	strvec_release(&conflicts);
	buf_release(&out);
	return rc;
}

int merge_lock_lines(const struct merge *m, const char *why)
{
	struct buf told = BUF_INIT;
	int rc = buf_addf(&told,
		"conflict: the stages of '%s' cannot be merged: %s\n"
		"its lines are, which may join halves of two runs; look at it, or take a whole "
		"side, and add it:\n",
		m->path, why);

	if (rc == 0)
		rc = merge_way_out(&told, m);
	merge_print(&told);
	buf_release(&told);
	if (rc == 0)
		rc = conflicts_note_marked(&m->ctx->repo, m->path);
	return rc < 0 ? rc : MERGE_CONFLICTS;
}
