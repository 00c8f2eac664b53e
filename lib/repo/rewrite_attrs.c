/*
 * Patterns and lines of .gitattributes for a rewrite.
 */
#include "lib/repo/rewrite_attrs.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/pathmatch.h"
#include "lib/repo/attrs.h"

static const char any_space[] = "[[:space:]]";

/* ---- patterns ---- */

int attr_pattern_init(struct attr_pattern *p, const char *text)
{
	struct buf glob = BUF_INIT;
	int rc = attrs_unquote(&glob, text);

	memset(p, 0, sizeof *p);
	if (rc == 0 && !glob.len)
		rc = buf_addch(&glob, '\0'); /* matches nothing */
	if (rc < 0) {
		buf_release(&glob);
		return rc;
	}
	p->whole_path = strchr(glob.p, '/') != NULL;
	if (glob.p[0] == '/')
		buf_consume(&glob, 1);
	if (!p->whole_path && glob.p[0] == '*' && strpbrk(glob.p + 1, "*?[\\") == NULL)
		p->suffix = strlen(glob.p + 1);
	p->glob = buf_detach(&glob);
	return 0;
}

void attr_pattern_release(struct attr_pattern *p)
{
	free(p->glob);
	p->glob = NULL;
}

int attr_pattern_matches(const struct attr_pattern *p, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	size_t len;

	if (p->whole_path)
		return pathmatch_glob(p->glob, path);
	if (!p->suffix)
		return pathmatch_glob(p->glob, name);
	len = strlen(name);
	return len >= p->suffix && memcmp(name + len - p->suffix, p->glob + 1, p->suffix) == 0;
}

/* ---- -I and -X ---- */

static int add_pattern(
	struct attr_pattern **v, size_t *n, struct strvec *texts, const char *p, size_t len)
{
	struct attr_pattern *more;
	int rc;

	for (; len && isspace((unsigned char)*p); len--)
		p++;
	while (len && isspace((unsigned char)p[len - 1]))
		len--;
	if (len && (p[len - 1] == '/' || p[len - 1] == '\\'))
		len--;
	if (!len)
		return 0;
	if ((rc = strvec_pushn(texts, p, len)) < 0)
		return rc;
	if (!(more = reallocarray(*v, *n + 1, sizeof **v)))
		return err_set(ERR_NOMEM, "out of memory");
	*v = more;
	rc = attr_pattern_init(&more[*n], texts->v[texts->n - 1]);
	*n += rc == 0;
	return rc;
}

static int add_list(struct attr_pattern **v, size_t *n, struct strvec *texts, const char *list)
{
	size_t len;
	int rc = 0;

	while (rc == 0 && list) {
		len = strcspn(list, ",");
		rc = add_pattern(v, n, texts, list, len);
		list = list[len] ? list + len + 1 : NULL;
	}
	return rc;
}

int attr_filter_include(struct attr_filter *f, const char *list)
{
	return add_list(&f->include, &f->n_include, &f->include_text, list);
}

int attr_filter_exclude(struct attr_filter *f, const char *list)
{
	return add_list(&f->exclude, &f->n_exclude, &f->exclude_text, list);
}

static int any_matches(const struct attr_pattern *v, size_t n, const char *path)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (attr_pattern_matches(&v[i], path))
			return 1;
	return 0;
}

int attr_filter_wants(const struct attr_filter *f, const char *path)
{
	if (f->n_include && !any_matches(f->include, f->n_include, path))
		return 0;
	return !any_matches(f->exclude, f->n_exclude, path);
}

void attr_filter_release(struct attr_filter *f)
{
	size_t i;

	for (i = 0; i < f->n_include; i++)
		attr_pattern_release(&f->include[i]);
	for (i = 0; i < f->n_exclude; i++)
		attr_pattern_release(&f->exclude[i]);
	free(f->include);
	free(f->exclude);
	strvec_release(&f->include_text);
	strvec_release(&f->exclude_text);
	memset(f, 0, sizeof *f);
}

/* ---- lines ---- */

static int add_line(struct attr_lines *l, const char *line)
{
	int rc;

	if (strmap_has(&l->set, line))
		return 0;
	rc = strmap_put(&l->set, line, NULL);
	if (rc == 0)
		rc = strvec_push(&l->v, line);
	l->version++;
	return rc;
}

/* Append a pattern; `literal`: nothing in it is special. */
static int add_escaped(struct buf *out, const char *p, int literal)
{
	int rc = 0;

	for (; *p && rc == 0; p++) {
		if (isspace((unsigned char)*p)) {
			rc = buf_addstr(out, any_space);
			continue;
		}
		if (*p == '#' || (literal && strchr("*?[]\\", *p)))
			rc = buf_addch(out, '\\');
		if (rc == 0)
			rc = buf_addch(out, *p);
	}
	return rc;
}

static int add(struct attr_lines *l, const char *pattern, const char *attributes, int literal)
{
	struct buf line = BUF_INIT;
	int rc = literal ? buf_addch(&line, '/') : 0;

	if (rc == 0)
		rc = add_escaped(&line, pattern, literal);
	if (rc == 0)
		rc = buf_addstr(&line, attributes);
	if (rc == 0)
		rc = add_line(l, line.p);
	buf_release(&line);
	return rc;
}

int attr_lines_add(struct attr_lines *l, const char *pattern, const char *attributes)
{
	return add(l, pattern, attributes, 0);
}

int attr_lines_add_path(struct attr_lines *l, const char *path, const char *attributes)
{
	return add(l, path, attributes, 1);
}

void attr_lines_release(struct attr_lines *l)
{
	strvec_release(&l->v);
	strmap_release(&l->set, NULL);
}

/* Append a line of the old text, with its ending; with `once` unless it was there. */
static int merge_line(struct buf *out, struct attr_lines *seen, const char *line, size_t len,
	size_t end, int once)
{
	struct buf text = BUF_INIT;
	uint32_t before = seen->version;
	int rc;

	if (len && line[len - 1] == '\r')
		len--;
	rc = buf_add(&text, line, len);
	if (rc == 0)
		rc = add_line(seen, buf_str(&text));
	if (rc == 0 && !once)
		rc = buf_add(out, line, end);
	if (rc == 0 && once && seen->version != before) {
		rc = buf_add(out, line, len);
		if (rc == 0)
			rc = buf_addch(out, '\n');
	}
	buf_release(&text);
	return rc;
}

int attr_lines_merge(struct buf *out, const struct buf *old, const struct attr_lines *l, int once)
{
	struct attr_lines seen = {0};
	const char *p = old ? buf_str(old) : "", *end = p + (old ? old->len : 0), *nl;
	const char *eol = "\n";
	size_t i;
	int rc = 0;

	for (; rc == 0 && p < end; p = nl ? nl + 1 : end) {
		nl = memchr(p, '\n', (size_t)(end - p));
		if (!once && nl > p && nl[-1] == '\r')
			eol = "\r\n";
		rc = merge_line(out, &seen, p, (size_t)((nl ? nl : end) - p),
			(size_t)((nl ? nl + 1 : end) - p), once);
	}
	if (rc == 0 && out->len && out->p[out->len - 1] != '\n')
		rc = buf_addstr(out, out->p[out->len - 1] == '\r' ? "\n" : eol);
	for (i = 0; rc == 0 && i < l->v.n; i++)
		if (!strmap_has(&seen.set, l->v.v[i]))
			rc = buf_addf(out, "%s%s", l->v.v[i], eol);
	attr_lines_release(&seen);
	return rc;
}
