/*
 * What Git LFS calls recent: refs that were committed to in the last days, and what their latest
 * commits replaced.
 */
#ifndef COMMANDS_LFS_RECENT_H
#define COMMANDS_LFS_RECENT_H

#include "lib/base/strvec.h"
#include "lib/repo/scan.h"
#include "lib/setup/config.h"

struct recent_config {
	int always;	  /* lfs.fetchrecentalways */
	int refs_days;	  /* lfs.fetchrecentrefsdays, 7 */
	int commits_days; /* lfs.fetchrecentcommitsdays, 0 */
	int remote_refs;  /* lfs.fetchrecentremoterefs, 1 */
	int prune_offset; /* lfs.pruneoffsetdays, 3 */
};

/* Read all of it; what is not set, or is no number, has the default named above. */
void recent_config_read(struct recent_config *r, const struct config *c);
/* Append to `refs` the full names of the refs whose commit is not older than `days`, newest first;
 * remote-tracking ones only with `remote`: those of this Git remote ("*": of all). */
int recent_refs(struct strvec *refs, const struct repo *repo, int days, const char *remote);
/* Append to `l` the pointers that commits of `rev` not older than `days` before its latest one
 * replaced, and those that they brought. */
int recent_changes(struct scan_list *l, const struct repo *repo, struct pointers *p,
	const char *rev, int days);

#endif
