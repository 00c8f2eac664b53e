/*
 * `git dvx untrack`: removes lines from .gitattributes that `git dvx track` wrote.
 */
#include <stdio.h>

#include "commands/command.h"
#include "commands/patterns.h"
#include "lib/repo/attrs.h"
#include "lib/repo/textfile.h"

/* 1 if the pattern was there. */
static int untrack_one(struct buf *text, const struct repo *repo, const char *typed, int literal)
{
	struct pattern p = PATTERN_INIT;
	struct buf verbatim = BUF_INIT;
	int rc, spared;

	if ((rc = pattern_parse(&p, repo, typed, literal)) < 0 ||
		(rc = attrs_quote(&verbatim, typed)) < 0)
		goto done;
	rc = attrs_text_untrack(text, p.quoted.p);
	/* Git LFS writes a path as it was typed, without the leading slash. */
	if (rc == 0)
		rc = attrs_text_untrack(text, verbatim.p);
	if (rc == 1 && p.spare.len && (spared = attrs_text_unspare(text, p.spare.p)) < 0)
		rc = spared;
done:
	buf_release(&verbatim);
	pattern_release(&p);
	return rc;
}

static int untrack_all(const struct repo *repo, int n, char *const *patterns, int literal)
{
	struct buf file = BUF_INIT, text = BUF_INIT;
	int i, rc, removed = 0, stale;

	if ((rc = pattern_file(&file, repo)) < 0 || (rc = textfile_read(&text, repo, file.p)) < 0)
		goto done;
	for (i = 0; i < n; i++) {
		if ((rc = untrack_one(&text, repo, patterns[i], literal)) < 0)
			goto done;
		if (rc)
			printf("Untracking \"%s\"\n", patterns[i]);
		else
			fprintf(stderr, "warning: '%s' has no line for \"%s\"\n", file.p,
				patterns[i]);
		removed += rc;
	}
	rc = removed ? textfile_write(&text, repo, file.p) : COMMAND_NO;
	if (rc == 0 && (stale = pattern_count_stale(repo, 1)) > 0)
		printf("%d file%s still pointer%s in the index; to give the content back to Git: "
		       "git "
		       "add --renormalize .\n",
			stale, stale == 1 ? " is" : "s are", stale == 1 ? "" : "s");
done:
	buf_release(&file);
	buf_release(&text);
	return rc;
}

int cmd_untrack(struct command_ctx *ctx, int argc, char **argv)
{
	int literal = 0, n, status, rc;
	const struct opt table[] = {
		{0, "filename", OPT_FLAG, &literal, NULL, "arguments are file names, not patterns",
			0},
		OPT_END,
	};

	if (command_options(&status, argc, argv, table, "git dvx untrack [<options>] <pattern>...",
		    0, &n) != 0)
		return status;
	if (!n)
		return command_usage("which pattern? 'git dvx track' lists them");
	if ((rc = command_repo(ctx)) < 0)
		return rc;
	return untrack_all(&ctx->repo, n, argv + 1, literal);
}
