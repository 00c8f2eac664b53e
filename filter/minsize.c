/*
 * Git is asked for the attribute (attrask.h) only when it is used at all: the top .gitattributes or
 * info/attributes mention it, or dvx.minSize is set.
 */
#include "filter/minsize.h"

#include <stdlib.h>
#include <string.h>

#include "filter/attrask.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/opt.h"

static const char attribute[] = "dvx-min-size";

struct minsize {
	uint64_t fallback; /* dvx.minSize */
	struct attrask ask;
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
	m->ask = (struct attrask)ATTRASK_INIT;
	m->fallback = everywhere ? capped(everywhere, 0) : 0;
	*out = m;
	return 0;
}

void minsize_free(struct minsize *m)
{
	if (!m)
		return;
	attrask_release(&m->ask);
	free(m);
}

int minsize_of(struct minsize *m, const char *path, uint64_t *bytes)
{
	const char *value = "unspecified";
	int rc;

	*bytes = 0;
	if (!m)
		return 0;
	if (path && (rc = attrask_value(&m->ask, attribute, path, &value)) < 0)
		return err_prefix(rc, "cannot learn the minimum size of '%s'", path);
	if (!strcmp(value, "unspecified") || !strcmp(value, "set"))
		*bytes = m->fallback;
	else if (strcmp(value, "unset") != 0)
		*bytes = capped(value, m->fallback);
	return 0;
}
