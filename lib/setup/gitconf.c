/*
 * A reader of Git's configuration syntax (see gitconf.h): one pass over the bytes, no I/O.
 */
#include "lib/setup/gitconf.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reader {
	const char *start, *p, *end;
	const char *name;
	int line;
	struct buf section; /* "core." or "remote.origin.", empty before the first header */
	struct buf key, value;
};

static int bad_line(const struct reader *r)
{
	int line =
		r->line - (r->p > r->start && r->p[-1] == '\n'); /* its end may be read already */

	return err_set(ERR_INVALID, "bad configuration line %d in '%s'", line, r->name);
}

/* The next byte with CRLF read as LF; EOF at the end. */
static int next(struct reader *r)
{
	if (r->p == r->end)
		return EOF;
	if (*r->p == '\r' && r->p + 1 < r->end && r->p[1] == '\n')
		r->p++;
	if (*r->p == '\n')
		r->line++;
	return (unsigned char)*r->p++;
}

static int peek(const struct reader *r)
{
	return r->p == r->end ? EOF : (unsigned char)*r->p;
}

static void skip_line(struct reader *r)
{
	int c;

	do
		c = next(r);
	while (c != '\n' && c != EOF);
}

static int is_key_char(int c)
{
	return c != EOF && (isalnum(c) || c == '-');
}

/* The quoted subsection of [section "sub"]; `r` is behind the first quote. */
static int read_subsection(struct reader *r)
{
	for (;;) {
		int c = next(r), rc;

		if (c == '"')
			break;
		if (c == '\\')
			c = next(r);
		if (c == '\n' || c == EOF || c == '\0')
			return bad_line(r);
		if ((rc = buf_addch(&r->section, (char)c)) < 0)
			return rc;
	}
	return next(r) == ']' ? 0 : bad_line(r);
}

/* A header; `r` is behind the '['. */
static int read_section(struct reader *r)
{
	int rc = 0;

	buf_reset(&r->section);
	while (rc == 0) {
		int c = next(r);

		if (c == ']')
			break;
		if (c == ' ' || c == '\t') {
			while (c == ' ' || c == '\t')
				c = next(r);
			if (c != '"')
				return bad_line(r);
			rc = buf_addch(&r->section, '.');
			if (rc == 0)
				rc = read_subsection(r);
			break;
		}
		if (!is_key_char(c) && c != '.')
			return bad_line(r);
		rc = buf_addch(&r->section, (char)tolower(c));
	}
	if (rc == 0 && !r->section.len)
		return bad_line(r);
	return rc < 0 ? rc : buf_addch(&r->section, '.');
}

/* What stands behind a backslash in a value; a line end continues the value and is EOF here.  -2:
 * not allowed. */
static int unescape(int c)
{
	switch (c) {
	case 'n':
		return '\n';
	case 't':
		return '\t';
	case 'b':
		return '\b';
	case '\\':
	case '"':
		return c;
	case '\n':
	case EOF:
		return EOF;
	default:
		return -2;
	}
}

/* A value, up to the end of its line; `r` is behind the '='.  Unquoted white space is kept only
 * between words. */
static int read_value(struct reader *r)
{
	size_t keep = 0; /* up to here it does not count as trailing space */
	int quoted = 0, rc = 0;

	buf_reset(&r->value);
	while (rc == 0) {
		int c = next(r), space = c == ' ' || c == '\t' || c == '\r';

		if (c == EOF || c == '\n') {
			if (quoted)
				return bad_line(r);
			break;
		}
		if (c == '\0')
			return bad_line(r);
		if (!quoted && (c == '#' || c == ';')) {
			skip_line(r);
			break;
		}
		if (c == '"') {
			quoted = !quoted;
			keep = r->value.len;
			continue;
		}
		if (!quoted && space && !r->value.len)
			continue;
		if (c == '\\') {
			c = unescape(next(r));
			if (c == -2)
				return bad_line(r);
			if (c == EOF)
				continue;
			space = 0;
		}
		rc = buf_addch(&r->value, (char)c);
		if (quoted || !space)
			keep = r->value.len;
	}
	buf_truncate(&r->value, keep);
	return rc;
}

/* "key", "key = value"; `first` is its first letter. */
static int read_setting(struct reader *r, int first)
{
	int c, rc;

	if (!isalpha(first))
		return bad_line(r);
	buf_reset(&r->key);
	rc = buf_addstr(&r->key, buf_str(&r->section)); /* none yet: Git accepts that */
	for (c = first; rc == 0; c = next(r)) {
		rc = buf_addch(&r->key, (char)tolower(c));
		if (!is_key_char(peek(r)))
			break;
	}
	c = next(r);
	while (c == ' ' || c == '\t')
		c = next(r);
	if (rc < 0)
		return rc;
	if (c == '=')
		return read_value(r);
	buf_reset(&r->value);
	if (c != '\n' && c != EOF) /* as in Git, not even a comment may follow */
		return bad_line(r);
	return buf_addstr(&r->value, "true");
}

int gitconf_parse(const char *text, size_t len, const char *name,
	int (*fn)(const char *key, const char *value, void *data), void *data)
{
	struct reader r = {.start = text, .p = text, .end = text + len, .name = name, .line = 1};
	int rc = 0;

	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) /* a byte order mark */
		r.p += 3;
	while (rc == 0) {
		int c = next(&r);

		if (c == EOF)
			break;
		if (isspace(c))
			continue;
		if (c == '#' || c == ';') {
			skip_line(&r);
		} else if (c == '[') {
			rc = read_section(&r);
		} else {
			rc = read_setting(&r, c);
			if (rc == 0)
				rc = fn(r.key.p, buf_str(&r.value), data);
		}
	}
	buf_release(&r.section);
	buf_release(&r.key);
	buf_release(&r.value);
	return rc < 0 ? rc : 0;
}
