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
	int started, failed;
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

	if (m->started || m->failed)
		return m->started ? 0 : -1;
	rc = strvec_pushl(&m->git.argv, "git", "check-attr", "--stdin", "-z", attribute, NULL);
	m->git.in = RUN_PIPE;
	m->git.out = RUN_PIPE;
	if (rc == 0)
		rc = run_start(&m->git);
	m->started = rc == 0;
	m->failed = rc < 0;
	return rc;
}

/* "path NUL dvx-min-size NUL value NUL"; check-attr answers each question at once when it reads
 * from a pipe. */
static const char *ask(struct minsize *m, const char *path)
{
	int fields = 0;
	size_t value = 0;
	char c;

	buf_reset(&m->answer);
	if (start(m) < 0 || fs_write_full(m->git.in_fd, path, strlen(path) + 1) < 0)
		return NULL;
	while (fields < 3) {
		if (fs_read_full(m->git.out_fd, &c, 1) != 1 || buf_addch(&m->answer, c) < 0)
			return NULL;
		if (c == '\0' && ++fields == 2)
			value = m->answer.len;
	}
	return m->answer.p + value;
}

uint64_t minsize_of(struct minsize *m, const char *path)
{
	const char *value;

	if (!m)
		return 0;
	value = path ? ask(m, path) : NULL;
	if (!value || !strcmp(value, "unspecified") || !strcmp(value, "set"))
		return m->fallback;
	if (!strcmp(value, "unset"))
		return 0;
	return capped(value, m->fallback);
}
