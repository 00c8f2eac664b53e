/*
 * Git's alternates as further places to read from: beside "<other>/objects" lie
 * "<other>/lfs/objects" and
 * "<other>/dvx/packs".  From objects/info/alternates, theirs in turn, and
 * GIT_ALTERNATE_OBJECT_DIRECTORIES.
 */
#include "lib/store/store_internal.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"

#include <stdlib.h>
#include <string.h>

enum { ALTERNATE_DEPTH = 5, ALTERNATES_LEN_MAX = 1 << 20 };

static int add_alternates_of(struct store *s, const char *objects, int depth);

/* Is that directory a root already? */
static int is_root(const struct store *s, const char *objects)
{
	for (size_t i = 0; i < s->n_roots; i++)
		if (!strcmp(s->roots[i].objects, objects))
			return 1;
	return 0;
}

/* `objects` is a Git object directory, absolute. */
static int add_alternate(struct store *s, const char *objects, int depth)
{
	struct buf whole = BUF_INIT, packs = BUF_INIT, git = BUF_INIT;
	size_t len = strlen(objects);
	int rc;

	while (len > 1 && objects[len - 1] == '/')
		len--;
	rc = buf_add(&whole, objects, len);
	if (rc == 0)
		rc = fs_dirname(&git, whole.p);
	buf_reset(&whole);
	if (rc == 0)
		rc = buf_addf(&whole, "%s/lfs/objects", git.p);
	if (rc == 0)
		rc = buf_addf(&packs, "%s/dvx/packs", git.p);
	if (rc == 0 && !is_root(s, whole.p)) {
		rc = store_add_root(s, whole.p, packs.p);
		if (rc == 0 && depth < ALTERNATE_DEPTH)
			rc = add_alternates_of(s, objects, depth + 1);
	}
	buf_release(&whole);
	buf_release(&packs);
	buf_release(&git);
	return rc;
}

/* Undo Git's C-style quotes in place; only what Git writes for paths. */
static char *unquote(char *line)
{
	char *from = line + 1, *to = line;
	size_t len = strlen(line);

	if (line[0] != '"' || len < 2 || line[len - 1] != '"')
		return line;
	for (line[len - 1] = '\0'; *from; from++) {
		if (*from != '\\' || !from[1]) {
			*to++ = *from;
		} else if (from[1] >= '0' && from[1] <= '3' && from[2] && from[3]) {
			*to++ = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 |
				       (from[3] - '0'));
			from += 3;
		} else {
			from++;
			*to++ = *from == 'n' ? '\n' : *from == 't' ? '\t' : *from;
		}
	}
	*to = '\0';
	return line;
}

/* One entry per line of `text`, or per `separator`; relative ones start at `base`. */
static int add_list(struct store *s, char *text, const char *separator, const char *base, int depth)
{
	char *save, *line = strtok_r(text, separator, &save);
	int rc = 0;

	for (; line && rc == 0; line = strtok_r(NULL, separator, &save)) {
		struct buf path = BUF_INIT;

		if (*line == '#')
			continue;
		rc = fs_join(&path, base, unquote(line));
		if (rc == 0)
			rc = add_alternate(s, path.p, depth);
		buf_release(&path);
	}
	return rc;
}

static int add_alternates_of(struct store *s, const char *objects, int depth)
{
	struct buf path = BUF_INIT, text = {.max = ALTERNATES_LEN_MAX};
	int rc = fs_join(&path, objects, "info/alternates");

	if (rc == 0) {
		rc = buf_read_file(&text, path.p);
		if (rc == 0 && text.len)
			rc = add_list(s, text.p, "\n", objects, depth);
		else if (rc == ERR_NOTFOUND)
			rc = 0;
	}
	buf_release(&path);
	buf_release(&text);
	return rc;
}

int store_add_alternates(struct store *s)
{
	const char *env = getenv("GIT_ALTERNATE_OBJECT_DIRECTORIES");
	struct buf path = BUF_INIT;
	int rc = fs_join(&path, s->common_dir, "objects");

	if (rc == 0)
		rc = add_alternates_of(s, path.p, 1);
	if (rc == 0 && env && *env) {
		buf_reset(&path);
		rc = buf_addstr(&path, env);
		if (rc == 0)
			rc = add_list(s, path.p, ":", ".", 1);
	}
	buf_release(&path);
	return rc;
}
