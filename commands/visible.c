/*
 * What comes from outside may hold escape sequences, line ends and broken UTF-8; whoever prints it
 * for people goes through here, so that all of git-dvx's output looks alike.
 */
#include "commands/visible.h"

#include <string.h>

#include "lib/base/utf8.h"

/* U+0080 to U+009F, which terminals obey, too. */
static int is_c1(const char *p, size_t n)
{
	return n == 2 && (unsigned char)p[0] == 0xc2 && (unsigned char)p[1] < 0xa0;
}

static int add_char(struct buf *out, const char *p, size_t n)
{
	if (n == 0)
		return buf_addstr(out, "\xef\xbf\xbd");
	if (*p == '\n' || *p == '\r')
		return buf_addstr(out, *p == '\n' ? "\\n" : "\\r");
	if (((unsigned char)*p < ' ' && *p != '\t') || *p == '\x7f' || is_c1(p, n))
		return buf_addch(out, '?');
	return buf_add(out, p, n);
}

int visible_text(struct buf *out, const char *text)
{
	size_t start = out->len;
	int rc = 0;

	while (rc == 0 && *text != '\0') {
		size_t n = utf8_len(text);

		if (out->len - start >= VISIBLE_MOST)
			return buf_addstr(out, "\xe2\x80\xa6");
		rc = add_char(out, text, n);
		text += n > 0 ? n : 1;
	}
	return rc;
}

/* "1", a string that has its quotes already, to be told from a number (docs/row-diff.md). */
static int has_quotes(const char *text, size_t len)
{
	return len > 1 && text[0] == '"' && strcspn(text + 1, ",\"\t") == len - 2 &&
	       text[len - 1] == '"';
}

static int is_plain(const char *text)
{
	size_t len = strlen(text);

	if (has_quotes(text, len))
		return 1;
	return len > 0 && text[0] != ' ' && text[len - 1] != ' ' &&
	       strpbrk(text, ",\"\t") == NULL && strstr(text, " -> ") == NULL &&
	       strcmp(text, "(none)") != 0;
}

int visible_value(struct buf *out, const char *text)
{
	int rc;

	if (text == NULL)
		return buf_addstr(out, "(none)");
	if (is_plain(text))
		return visible_text(out, text);
	rc = buf_addch(out, '"');
	if (rc == 0)
		rc = visible_text(out, text);
	return rc == 0 ? buf_addch(out, '"') : rc;
}

static int is_odd(char c)
{
	return (unsigned char)c < ' ' || c == '\x7f' || c == '"' || c == '\\';
}

static int add_path_char(struct buf *out, char c, char escape)
{
	if (c == '"' || c == '\\')
		return buf_addf(out, "\\%c", c);
	if (c == '\n' || c == '\t')
		return buf_addf(out, "\\%c", c == '\n' ? 'n' : 't');
	if (is_odd(c))
		return buf_addf(out, "\\%03o", (unsigned char)c);
	return buf_addf(out, "%s%c", c == escape ? "\\" : "", c);
}

int visible_path(struct buf *out, const char *path, char escape)
{
	int quote = 0, rc;

	for (const char *c = path; *c != '\0'; c++)
		quote |= is_odd(*c);
	rc = quote ? buf_addch(out, '"') : 0;
	for (const char *c = path; rc == 0 && *c != '\0'; c++)
		rc = add_path_char(out, *c, escape);
	return rc == 0 && quote ? buf_addch(out, '"') : rc;
}
