/*
 * Which files the .gitattributes of a commit route to us, for --fixup.  The files from the top down
 * to a directory form a chain of levels, each made once; the last line that matches in the deepest
 * file that says something decides, as in Git.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/repo/rewrite_attrs.h"

struct rule {
	struct attr_pattern pattern;
	int ours;
};

struct level {
	uint32_t above;
	size_t dir_len; /* of the directory, with the slash behind it */
	struct rule *rules;
	size_t n;
};

struct attr_levels {
	struct level *v; /* number 0 is empty */
	size_t n;
	struct strmap numbers; /* by "<above> <blob> <dir>": number */
	struct strmap macros;  /* verdict + 1 */
};

int attr_levels_new(struct attr_levels **out)
{
	struct attr_levels *l = calloc(1, sizeof *l);

	if (l)
		l->v = calloc(1, sizeof *l->v);
	if (!l || !l->v) {
		free(l);
		return err_set(ERR_NOMEM, "out of memory");
	}
	l->n = 1;
	*out = l;
	return 0;
}

static void level_release(struct level *v)
{
	size_t i;

	for (i = 0; i < v->n; i++)
		attr_pattern_release(&v->rules[i].pattern);
	free(v->rules);
}

void attr_levels_free(struct attr_levels *l)
{
	size_t i;

	if (!l)
		return;
	for (i = 0; i < l->n; i++)
		level_release(&l->v[i]);
	free(l->v);
	strmap_release(&l->numbers, NULL);
	strmap_release(&l->macros, NULL);
	free(l);
}

/* ---- one line ---- */

/* What the attributes say of the filter: 1 ours, 0 not ours, -1 nothing.  Cuts `attrs` up. */
static int verdict(const struct attr_levels *l, char *attrs)
{
	int found = -1;
	char *save = NULL, *a;
	void *macro;

	for (a = strtok_r(attrs, " \t\r", &save); a; a = strtok_r(NULL, " \t\r", &save)) {
		macro = strmap_get(&l->macros, a);
		if (macro)
			found = (int)(intptr_t)macro - 1;
		else if (!strcmp(a, "filter=dvx") || !strcmp(a, "filter=lfs"))
			found = 1;
		else if (!strncmp(a, "filter=", 7) || !strcmp(a, "filter") ||
			 !strcmp(a, "-filter") || !strcmp(a, "!filter"))
			found = 0;
	}
	return found;
}

/* The pattern at the start of `line` goes to `out`; what follows it is returned. */
static char *take_pattern(char *line, struct buf *out, int *rc)
{
	char *p = line;

	if (*p != '"') {
		p += strcspn(p, " \t\r");
		*rc = buf_add(out, line, (size_t)(p - line));
		return p;
	}
	for (p++; *p && *p != '"' && *rc == 0; p++) {
		if (*p == '\\' && p[1] >= '0' && p[1] <= '3' && strspn(p + 2, "01234567") >= 2) {
			*rc = buf_addch(
				out, (char)((p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0')));
			p += 3;
			continue;
		}
		if (*p == '\\' && p[1])
			p++;
		*rc = buf_addch(out, *p);
	}
	return *p ? p + 1 : p;
}

static int add_rule(struct level *v, const char *pattern, int ours)
{
	struct rule *more = reallocarray(v->rules, v->n + 1, sizeof *more);
	int rc;

	if (!more)
		return err_set(ERR_NOMEM, "out of memory");
	v->rules = more;
	more[v->n].ours = ours;
	rc = attr_pattern_init(&more[v->n].pattern, pattern);
	v->n += rc == 0;
	return rc;
}

static int enter_line(struct attr_levels *l, struct level *v, char *line, int top)
{
	struct buf pattern = BUF_INIT;
	int rc = 0, ours;
	char *attrs;

	line += strspn(line, " \t\r");
	if (*line == '#' || *line == '!' || !*line)
		return 0;
	attrs = take_pattern(line, &pattern, &rc);
	ours = rc == 0 ? verdict(l, attrs) : -1;
	if (ours >= 0 && !strncmp(buf_str(&pattern), "[attr]", 6)) {
		if (top)
			rc = strmap_put(&l->macros, pattern.p + 6, (void *)(intptr_t)(ours + 1));
	} else if (ours >= 0 && pattern.len && pattern.p[pattern.len - 1] != '/') {
		rc = add_rule(v, pattern.p, ours);
	}
	buf_release(&pattern);
	return rc;
}

/* ---- levels ---- */

static int new_level(struct attr_levels *l, uint32_t state, const char *dir, const struct buf *text)
{
	struct level *more = reallocarray(l->v, l->n + 1, sizeof *more);
	char *copy = strdup(buf_str(text)), *save = NULL, *line;
	struct level *v;
	int rc = 0;

	if (more)
		l->v = more;
	if (!more || !copy) {
		free(copy);
		return err_set(ERR_NOMEM, "out of memory");
	}
	v = &l->v[l->n];
	*v = (struct level){.above = state, .dir_len = *dir ? strlen(dir) + 1 : 0};
	line = strncmp(copy, "\xef\xbb\xbf", 3) == 0 ? copy + 3 : copy;
	for (line = strtok_r(line, "\n", &save); line && rc == 0;
		line = strtok_r(NULL, "\n", &save))
		rc = enter_line(l, v, line, !*dir);
	free(copy);
	if (rc < 0) {
		level_release(v);
		return rc;
	}
	return (int)l->n++;
}

int attr_levels_enter(struct attr_levels *l, uint32_t state, const char *dir, const char *blob,
	const struct buf *text)
{
	struct buf key = BUF_INIT;
	int rc = buf_addf(&key, "%u %s %s", state, blob, dir), number;
	void *v;

	if (rc < 0)
		return rc;
	v = strmap_get(&l->numbers, key.p);
	number = v ? (int)(intptr_t)v : new_level(l, state, dir, text);
	if (!v && number > 0)
		rc = strmap_put(&l->numbers, key.p, (void *)(intptr_t)number);
	buf_release(&key);
	return rc < 0 ? rc : number;
}

int attr_levels_route(const struct attr_levels *l, uint32_t state, const char *path)
{
	const struct level *v;
	size_t i;

	for (; state; state = v->above) {
		v = &l->v[state];
		for (i = v->n; i-- > 0;)
			if (attr_pattern_matches(&v->rules[i].pattern, path + v->dir_len))
				return v->rules[i].ours;
	}
	return 0;
}
