/*
 * Attributes are Git's to evaluate: one `git check-attr --stdin` runs beside the session and is
 * asked per path, but only when the attribute is used at all (the top .gitattributes or
 * info/attributes mention it, or dvx.minSize is set).
 */
#include "filter/minsize.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/opt.h"
#include "lib/base/run.h"

static const char attribute[] = "dvx-min-size";

struct minsize {
	uint64_t fallback; /* dvx.minSize */
	struct run git;	   /* check-attr, started at the first question */
	int started;
	struct buf answer;
};

static uint64_t capped(const char *text, uint64_t fallback)
{
	uint64_t size;

	if (opt_parse_size(&size, text) < 0)
		return fallback;
	return size > MINSIZE_MAX ? MINSIZE_MAX : size;
}

static int mentions(const char *dir, const char *file)
{
	struct buf path = BUF_INIT, text = BUF_INIT;
	int found;

	found = fs_join(&path, dir, file) == 0 && buf_read_file(&text, path.p) == 0 &&
		strstr(buf_str(&text), attribute);
	buf_release(&path);
	buf_release(&text);
	err_clear();
	return found;
}

int minsize_new(struct minsize **out, const struct gitdir *g, const struct config *c)
{
	const char *everywhere = config_get(c, "dvx.minsize");
	struct minsize *m;

	*out = NULL;
	if (!everywhere && !(g->worktree && mentions(g->worktree, ".gitattributes")) &&
		!mentions(g->common_dir, "info/attributes"))
		return 0;
	m = calloc(1, sizeof *m);
	if (!m)
		return err_set(ERR_NOMEM, "out of memory");
	m->git = (struct run)RUN_INIT;
	m->fallback = everywhere ? capped(everywhere, 0) : 0;
	*out = m;
	return 0;
}

void minsize_free(struct minsize *m)
{
	if (!m)
		return;
	if (m->started)
		run_finish(&m->git);
	run_release(&m->git);
	buf_release(&m->answer);
	free(m);
}

static int start(struct minsize *m)
{
	int rc;

	if (m->started)
		return 0;
	strvec_release(&m->git.argv); /* of a start that failed */
	rc = strvec_pushl(&m->git.argv, "git", "check-attr", "--stdin", "-z", attribute, NULL);
	m->git.in = RUN_PIPE;
	m->git.out = RUN_PIPE;
	if (rc == 0)
		rc = run_start(&m->git);
	m->started = rc == 0;
	return rc;
}

/* "path NUL dvx-min-size NUL value NUL"; check-attr answers each question at once when it reads
 * from a pipe.  0 and *value, borrowed until the next question, or a negative error. */
static int ask(struct minsize *m, const char *path, const char **value)
{
	size_t start_of_value = 0;
	int fields = 0, rc;
	char c;

	buf_reset(&m->answer);
	if ((rc = start(m)) < 0 || (rc = fs_write_full(m->git.in_fd, path, strlen(path) + 1)) < 0)
		return rc;
	while (fields < 3) {
		ssize_t n = fs_read_full(m->git.out_fd, &c, 1);

		if (n < 0)
			return (int)n;
		if (n == 0)
			return err_set(ERR_IO, "'git check-attr' ended without an answer");
		if ((rc = buf_addch(&m->answer, c)) < 0)
			return rc;
		if (c == '\0' && ++fields == 2)
			start_of_value = m->answer.len;
	}
	*value = m->answer.p + start_of_value;
	return 0;
}

int minsize_of(struct minsize *m, const char *path, uint64_t *bytes)
{
	const char *value = "unspecified";
	int rc;

	*bytes = 0;
	if (!m)
		return 0;
	if (path && (rc = ask(m, path, &value)) < 0)
		return err_prefix(rc, "cannot learn the minimum size of '%s'", path);
	if (!strcmp(value, "unspecified") || !strcmp(value, "set"))
		*bytes = m->fallback;
	else if (strcmp(value, "unset") != 0)
		*bytes = capped(value, m->fallback);
	return 0;
}
