/*
 * Asking an S3 server what it can do, when its remote is added or moves.  git-dvx-transfer does it,
 * as it will do the first push; here is only the question and what is said of the answer.
 */
#include <stdio.h>
#include <string.h>

#include "commands/remote.h"
#include "lib/base/err.h"
#include "lib/base/run.h"
#include "lib/setup/remotes.h"

enum { NO_KEY = 1 }; /* the probe's exit status */

/* The last line of what it printed, which says most. */
static const char *last_line(struct buf *text)
{
	static const char error[] = "error: ";
	const char *line;

	buf_rtrim(text);
	if (text->len == 0)
		return "no answer";
	line = strrchr(text->p, '\n');
	line = line != NULL ? line + 1 : text->p;
	return strncmp(line, error, sizeof(error) - 1) == 0 ? line + sizeof(error) - 1 : line;
}

static void tell(int rc, struct buf *answer)
{
	if (rc == 0)
		fprintf(stderr, "%s\n", last_line(answer));
	else if (rc == NO_KEY)
		fprintf(stderr, "note: no access key yet; the server is asked at the first push\n");
	else if (rc != ERR_NOMEM)
		fprintf(stderr, "note: not reached: %s; asked again at the first push\n",
			rc < 0 ? err_msg() : last_line(answer));
}

int remote_probe(const struct remote_args *a, const char *name, const char *url, int tell_no_key)
{
	struct run run = RUN_INIT;
	struct buf program = BUF_INIT, text = {.max = 1 << 16};
	int rc;

	if (a->no_probe || url == NULL || remotes_kind_of_url(url) != REMOTE_S3)
		return 0;
	fflush(stdout);
	rc = run_resolve_sibling(&program, "git-dvx-transfer");
	if (rc == 0)
		rc = strvec_pushl(&run.argv, program.p, "probe", "--remote", name, NULL);
	if (rc == 0) {
		run.err = RUN_TO_STDOUT;
		rc = run_capture(&run, NULL, 0, &text);
	}
	if (!a->quiet && (rc != NO_KEY || tell_no_key))
		tell(rc, &text);
	run_release(&run);
	buf_release(&program);
	buf_release(&text);
	return rc == ERR_NOMEM ? rc : 0;
}
