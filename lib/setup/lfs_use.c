/*
 * One rule for the local store and for the transfer to a Git remote (see lfs_use.h).  Costs one
 * read of the top .gitattributes.
 */
#include "lib/setup/lfs_use.h"

#include <string.h>
#include <strings.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"

static int attributes_name_lfs(const char *worktree)
{
	struct buf path = BUF_INIT, text = BUF_INIT;
	int found = fs_join(&path, worktree, ".gitattributes") == 0 &&
		    buf_read_file(&text, path.p) == 0 &&
		    strstr(buf_str(&text), "filter=lfs") != NULL;

	buf_release(&path);
	buf_release(&text);
	err_clear();
	return found;
}

int lfs_use_keeps_small_whole(const struct gitdir *g, const struct config *c)
{
	const char *how = config_get(c, "dvx.smallobjects");

	if (how)
		return strcasecmp(how, "whole") == 0;
	return config_get(c, "lfs.repositoryformatversion") != NULL ||
	       (g && g->worktree && attributes_name_lfs(g->worktree));
}
