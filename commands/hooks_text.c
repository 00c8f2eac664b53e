/*
 * Installing hooks, in words.
 */
#include "commands/hooks_text.h"

#include <stdio.h>

#include "hooks/install.h"
#include "lib/base/err.h"

int hooks_text_install(const struct repo *repo, int flags, int quiet)
{
	struct hooks_result r = HOOKS_RESULT_INIT;
	struct buf text = BUF_INIT, dir = BUF_INIT;
	size_t i;
	int rc;

	if ((rc = hooks_install(repo, flags, &r)) < 0 || (rc = hooks_dir(&dir, repo)) < 0)
		goto done;
	if (r.installed && !quiet)
		printf("Hooks installed in '%s'.\n", dir.p);
	else if (!r.foreign.n && !quiet)
		printf("Hooks are up to date.\n");
	for (i = 0; i < r.foreign.n; i++) {
		buf_reset(&text);
		if ((rc = hooks_chain_text(&text, r.foreign.v[i])) < 0)
			goto done;
		fprintf(stderr,
			"warning: '%s' is not ours and was left alone; to have git-dvx run, too, "
			"add "
			"to it:\n%s",
			r.foreign.v[i], text.p);
	}
done:
	hooks_result_release(&r);
	buf_release(&text);
	buf_release(&dir);
	return rc;
}

int hooks_text_manual(void)
{
	struct buf text = BUF_INIT;
	const char *const *name;
	int rc = 0;

	for (name = hooks_names; *name && rc == 0; name++) {
		buf_reset(&text);
		if ((rc = hooks_chain_text(&text, *name)) == 0)
			printf("Add to the hook '%s':\n%s\n", *name, text.p);
	}
	buf_release(&text);
	return rc;
}
