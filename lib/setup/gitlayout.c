/*
 * See gitlayout.h.  Part of finding the repository, before the configuration as a whole is read:
 * one file, of which three keys matter.
 */
#include "lib/setup/gitlayout.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/gitvalue.h"
#include "lib/setup/gitconf.h"

#include <stdlib.h>
#include <string.h>

enum { CONFIG_FILE_MAX = 1 << 24 };

static int note(const char *key, const char *value, void *data)
{
	struct gitlayout *l = data;

	if (strcmp(key, "core.bare") == 0) {
		l->bare = gitvalue_bool(value, -1);
	} else if (strcmp(key, "extensions.worktreeconfig") == 0) {
		l->per_worktree = gitvalue_bool(value, 0);
	} else if (strcmp(key, "core.worktree") == 0) {
		free(l->worktree);
		l->worktree = strdup(value);
		if (!l->worktree)
			return err_set(ERR_NOMEM, "out of memory");
	}
	return 0;
}

static int read_file(struct gitlayout *l, const char *dir, const char *name)
{
	struct buf path = BUF_INIT, text = BUF_INIT;
	int rc = fs_join(&path, dir, name);

	text.max = CONFIG_FILE_MAX;
	if (rc == 0)
		rc = buf_read_file(&text, path.p);
	if (rc == 0)
		rc = gitconf_parse(buf_str(&text), text.len, path.p, note, l);
	else if (rc == ERR_NOTFOUND)
		rc = 0;
	buf_release(&path);
	buf_release(&text);
	return rc;
}

/* In a linked worktree core.bare and core.worktree of the shared config are about the main one;
 * only a config of its own (extensions.worktreeConfig) speaks for it. */
int gitlayout_read(struct gitlayout *l, const char *git_dir, const char *common_dir)
{
	int rc = read_file(l, common_dir, "config");

	if (rc < 0)
		return rc;
	if (l->per_worktree)
		return read_file(l, git_dir, "config.worktree");
	if (strcmp(git_dir, common_dir) != 0) {
		free(l->worktree);
		l->worktree = NULL;
		l->bare = -1;
	}
	return 0;
}

void gitlayout_release(struct gitlayout *l)
{
	free(l->worktree);
	l->worktree = NULL;
}
