/*
 * `git-dvx-transfer probe`: ask a remote what it can do, record that for the transfers to come, and
 * print one line about it.  It ends with 1 when there is no access key to ask with.
 */
#include "transfer/subcommands.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/opt.h"
#include "transfer/s3/aws_credentials.h"
#include "transfer/frontend.h"
#include "transfer/remote/remote.h"

static int ask(struct engine *e, struct buf *report)
{
	const struct remote_context context = {e->git, e->config, e->stop};
	struct remote *r = NULL;
	int rc;

	if (e->spec->kind == REMOTE_GITDIR)
		return buf_addf(report, "'%s' is a local Git repository", e->spec->path);
	rc = remote_open(&r, e->spec, &context);
	if (rc < 0)
		return rc;
	if (r->ops->probe)
		rc = r->ops->probe(r, report);
	if (rc >= 0 && report->len == 0)
		rc = buf_addf(report, "remote '%s': nothing to find out", e->spec->name);
	remote_close(r);
	return rc;
}

int probe_main(int argc, char **argv)
{
	static const char usage[] = "git-dvx-transfer probe [<options>]";
	struct frontend_options o = {.jobs = 0};
	const struct opt table[] = {
		{'r', "remote", OPT_VALUE, &o.remote, "<name>",
			"remote to use instead of the default", 0},
		OPT_END,
	};
	struct engine e;
	struct buf report = BUF_INIT;
	int n = 0, no_key = 0;
	int rc = opt_parse(argc, argv, table, usage, 0, &n);

	if (rc > 0)
		return 0;
	if (rc == 0 && n)
		rc = err_set(ERR_INVALID, "it takes no arguments; see 'git-dvx-transfer probe -h'");
	if (rc < 0) {
		fprintf(stderr, "error: %s\n", err_msg());
		return 129;
	}
	rc = frontend_open(&e, &o);
	if (rc == 0)
		rc = frontend_resolve(&e, &o, NULL);
	if (rc == 0)
		rc = ask(&e, &report);
	if (rc < 0)
		no_key = strstr(err_msg(), AWS_CREDENTIALS_NONE) != NULL;
	if (rc >= 0)
		printf("%s\n", buf_str(&report));
	else
		fprintf(stderr, "error: %s\n", err_msg());
	frontend_close(&e);
	buf_release(&report);
	if (rc < 0)
		return no_key ? 1 : 128;
	return fflush(stdout) == 0 ? 0 : 128;
}
