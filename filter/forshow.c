/*
 * Git does not tell a filter what the content is for.  So its command line is looked at - Git is
 * our parent -, once a process: a command that shows differences smudges for external drivers and
 * for textconv only.  Which of those a path goes to is asked of its attributes.
 *
 * Being wrong here would put a pointer where content belongs.  Therefore each test is for what is
 * known to be right, and all else - another system, another parent, `git difftool`, drivers that
 * are not ours - gets content.
 */
#include "filter/forshow.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"

enum { CMDLINE_MAX = 64 * 1024 };

void forshow_release(struct forshow *s)
{
	attrask_release(&s->ask);
}

static enum gitcommand parent_command(void)
{
	enum gitcommand command = GITCOMMAND_OTHER;
	struct buf cmdline = {.max = CMDLINE_MAX};
	char path[64];
	int fd;

	snprintf(path, sizeof path, "/proc/%d/cmdline", (int)getppid());
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return command;
	/* a longer one is cut: the command comes first */
	if (buf_read_fd(&cmdline, fd) == 0 || cmdline.len > 0)
		command = gitcommand_of(buf_str(&cmdline), cmdline.len);
	close(fd);
	buf_release(&cmdline);
	err_clear();
	return command;
}

static int is_ours(const struct config *c, const char *key)
{
	const char *value = config_get(c, key);

	return value != NULL && strncmp(value, "git-dvx ", strlen("git-dvx ")) == 0;
}

/* Git prefers the command of the path's driver to diff.external, and that to textconv. */
static int drivers_are_ours(const struct config *c)
{
	if (getenv("GIT_EXTERNAL_DIFF") != NULL || !is_ours(c, "diff.dvx.textconv"))
		return 0;
	return is_ours(c, "diff.dvx.command") || (config_get(c, "diff.dvx.command") == NULL &&
							 config_get(c, "diff.external") == NULL);
}

/* 1 if our drivers get this path. */
static int is_shown_by_us(struct forshow *s, const struct config *c, const char *path)
{
	const char *value;

	if (!s->decided) {
		s->decided = 1;
		if (drivers_are_ours(c))
			s->command = parent_command();
	}
	if (s->command == GITCOMMAND_OTHER || path == NULL)
		return 0;
	if (attrask_value(&s->ask, "diff", path, &value) == 0)
		return strcmp(value, "dvx") == 0;
	err_clear();
	s->command = GITCOMMAND_OTHER;
	return 0;
}

int forshow_wants_pointer(struct forshow *s, const struct config *c, const char *path)
{
	return is_shown_by_us(s, c, path);
}

int forshow_wants_text(struct forshow *s, const struct config *c, const char *path)
{
	return is_shown_by_us(s, c, path) && s->command == GITCOMMAND_BLAMES;
}
