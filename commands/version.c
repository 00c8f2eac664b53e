/*
 * `git dvx version`: one line with everything a bug report needs first.
 */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "commands/command.h"
#include "commands/version.h"
#include "lib/base/err.h"
#include "lib/base/run.h"

int version_git(struct buf *out)
{
	struct run r = RUN_INIT;
	struct buf text = BUF_INIT;
	const char *at;
	int rc;

	if (strvec_pushl(&r.argv, "git", "version", NULL) < 0)
		return ERR_NOMEM;
	rc = run_capture(&r, NULL, 0, &text);
	if (rc == 0 && strncmp(buf_str(&text), "git version ", 12) == 0) {
		at = buf_str(&text) + 12;
		rc = buf_add(out, at, strcspn(at, " \n"));
	} else {
		err_clear();
		rc = buf_addstr(out, "not found");
	}
	buf_release(&text);
	run_release(&r);
	return rc;
}

int version_line(struct buf *out)
{
	struct utsname u;
	struct buf git = BUF_INIT;
	int rc;

	if (uname(&u) < 0)
		return err_sys("cannot ask for the machine's name");
	rc = version_git(&git);
	if (rc == 0)
		rc = buf_addf(out, "git-dvx %s (git %s, linux %s)", DVX_VERSION, buf_str(&git),
			u.machine);
	buf_release(&git);
	return rc;
}

int cmd_version(struct command_ctx *ctx, int argc, char **argv)
{
	const struct opt options[] = {OPT_END};
	struct buf line = BUF_INIT;
	int n, rc;

	(void)ctx;
	if (command_options(&rc, argc, argv, options, "git dvx version", 0, &n))
		return rc;
	if (n > 0)
		return command_usage("'git dvx version' takes no arguments");
	rc = version_line(&line);
	if (rc == 0)
		puts(buf_str(&line));
	buf_release(&line);
	return rc;
}
