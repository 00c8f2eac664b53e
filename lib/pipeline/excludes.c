/*
 * Ignore rules.  Most patterns are a name or "*.ext"; those are compared as what they are, so that
 * some hundred rules cost little over 20,000 files.
 */
#include "lib/pipeline/excludes.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/base/pathmatch.h"

enum kind {
	RULE_NAME,	/* the last component is this */
	RULE_SUFFIX,	/* the last component ends in this */
	RULE_NAME_GLOB, /* the last component matches */
	RULE_PATH,	/* the path below the file's directory is this */
	RULE_PATH_GLOB	/* the path matches */
};

struct rule {
	char *text;
	size_t len;
	size_t plain; /* RULE_PATH_GLOB: how many bytes come before the first wildcard */
	enum kind kind;
	int shows; /* "!" */
	int only_dirs;
};

struct excludes {
	const struct excludes *parent;
	char *dir;
	size_t dir_len; /* with its slash */
	struct rule *v;
	size_t n, cap;
};

void excludes_free(struct excludes *e)
{
	if (e == NULL)
		return;
	for (size_t i = 0; i < e->n; i++)
		free(e->v[i].text);
	free(e->v);
	free(e->dir);
	free(e);
}

/* ---- reading ---- */

/* Length of a line without the blanks at its end, but for one that a backslash keeps. */
static size_t trim(const char *line, size_t len)
{
	size_t keep = 0;

	for (size_t i = 0; i < len; i++) {
		if (line[i] == '\\' && i + 1 < len)
			keep = ++i + 1;
		else if (line[i] != ' ')
			keep = i + 1;
	}
	return keep;
}

static int has_wildcard(const char *text)
{
	return strpbrk(text, "*?[\\") != NULL;
}

static void classify(struct rule *r)
{
	if (strchr(r->text, '/') != NULL) {
		r->kind = has_wildcard(r->text) ? RULE_PATH_GLOB : RULE_PATH;
		if (r->text[0] == '/')
			memmove(r->text, r->text + 1, r->len--);
		r->plain = strcspn(r->text, "*?[\\");
	} else if (!has_wildcard(r->text)) {
		r->kind = RULE_NAME;
	} else if (r->text[0] == '*' && !has_wildcard(r->text + 1)) {
		r->kind = RULE_SUFFIX;
		memmove(r->text, r->text + 1, r->len--);
	} else {
		r->kind = RULE_NAME_GLOB;
	}
}

static int add_rule(struct excludes *e, const char *line, size_t len)
{
	struct rule r = {.shows = len > 0 && line[0] == '!'};

	line += r.shows;
	len = trim(line, len - (size_t)r.shows);
	if (len > 0 && line[len - 1] == '/') {
		r.only_dirs = 1;
		len--;
	}
	if (len == 0)
		return 0;
	if (array_room(&e->v, e->n, &e->cap, sizeof(*e->v)) < 0)
		return ERR_NOMEM;
	r.text = strndup(line, len);
	if (r.text == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	r.len = strlen(r.text);
	classify(&r);
	e->v[e->n++] = r;
	return 0;
}

static int add_rules(struct excludes *e, const char *p, size_t left)
{
	int rc = 0;

	if (left >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) {
		p += 3;
		left -= 3;
	}
	while (rc == 0 && left > 0) {
		const char *end = memchr(p, '\n', left);
		size_t len = end != NULL ? (size_t)(end - p) : left;
		size_t next = len + (end != NULL);

		if (len > 0 && p[0] != '#')
			rc = add_rule(e, p, len - (end != NULL && p[len - 1] == '\r'));
		p += next;
		left -= next;
	}
	return rc;
}

int excludes_new(struct excludes **out, const struct excludes *parent, const char *dir,
	const void *text, size_t len)
{
	struct excludes *e = calloc(1, sizeof(*e));
	int rc = 0;

	*out = NULL;
	if (e == NULL || (e->dir = strdup(dir)) == NULL) {
		free(e);
		return err_set(ERR_NOMEM, "out of memory");
	}
	e->parent = parent;
	e->dir_len = dir[0] != '\0' ? strlen(dir) + 1 : 0;
	rc = add_rules(e, text, len);
	if (rc < 0)
		excludes_free(e);
	else
		*out = e;
	return rc;
}

/* ---- asking ---- */

struct subject {
	const char *path, *name;
	size_t path_len, name_len;
	int is_dir;
};

static int rule_matches(const struct rule *r, const struct subject *s, size_t dir_len)
{
	const char *below = s->path + dir_len;

	if (r->only_dirs && !s->is_dir)
		return 0;
	switch (r->kind) {
	case RULE_NAME:
		return s->name_len == r->len && memcmp(s->name, r->text, r->len) == 0;
	case RULE_SUFFIX:
		return s->name_len >= r->len &&
		       memcmp(s->name + s->name_len - r->len, r->text, r->len) == 0;
	case RULE_NAME_GLOB:
		return pathmatch_glob(r->text, s->name);
	case RULE_PATH:
		return s->path_len - dir_len == r->len && memcmp(below, r->text, r->len) == 0;
	default:
		return strncmp(below, r->text, r->plain) == 0 && pathmatch_glob(r->text, below);
	}
}

int excludes_hide(const struct excludes *e, const char *path, int is_dir)
{
	const char *slash = strrchr(path, '/');
	struct subject s = {.path = path, .path_len = strlen(path), .is_dir = is_dir};

	s.name = slash != NULL ? slash + 1 : path;
	s.name_len = strlen(s.name);
	for (; e != NULL; e = e->parent) {
		if (e->dir_len > 0 && (s.path_len <= e->dir_len || path[e->dir_len - 1] != '/' ||
					      memcmp(path, e->dir, e->dir_len - 1) != 0))
			continue;
		for (size_t i = e->n; i-- > 0;)
			if (rule_matches(&e->v[i], &s, e->dir_len))
				return !e->v[i].shows;
	}
	return 0;
}
