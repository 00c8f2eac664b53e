/*
 * Values as YAML on one line.  Strings are plain where every reader, also one of YAML 1.1, sees a
 * string; else in double quotes.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/err.h"
#include "lib/base/utf8.h"
#include "lib/yaml/yaml.h"

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS	"0123456789"

/* Words that YAML 1.1 takes for booleans; and dates, "0b1" and "1_000", which it takes for others.
 */
static int is_old_yaml_value(const char *text)
{
	static const char *const words[] = {"y", "n", "yes", "no", "on", "off", NULL};

	for (const char *const *w = words; *w != NULL; w++)
		if (!strcasecmp(text, *w))
			return 1;
	if (*text == '0' && strspn(text, DIGITS "abcdefABCDEFxX_") == strlen(text))
		return text[1] == 'b' || strchr(text, '_') != NULL;
	return strspn(text, DIGITS "-+_.eE") == strlen(text) && strpbrk(text, "-_") != NULL;
}

/* 1: plain, 0: not, ERR_NOMEM. */
static int is_plain(const char *text, size_t len)
{
	struct node *read;
	int is_string;

	if (!len || !strchr(LETTERS DIGITS "/._$", *text) || text[len - 1] == ' ' ||
		strspn(text, LETTERS DIGITS "/._-+=@$%^~() ") != len || is_old_yaml_value(text) ||
		!strncmp(text, "...", 3))
		return 0;
	read = node_of_plain(text);
	if (read == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	is_string = read->type == NODE_STRING;
	node_free(read);
	return is_string;
}

/* Characters that double quotes cannot hold as they are; 0: any other. */
static int add_escape(struct buf *out, const char *p, size_t n)
{
	unsigned char c = (unsigned char)*p;

	if (c == '"' || c == '\\')
		return buf_addf(out, "\\%c", c);
	if (c == '\n')
		return buf_addstr(out, "\\n");
	if (c == '\t')
		return buf_addstr(out, "\\t");
	if (c < 0x20 || c == 0x7f)
		return buf_addf(out, "\\x%02x", c);
	if (n == 2 && c == 0xc2 && (unsigned char)p[1] < 0xa0)
		return buf_addf(out, "\\x%02x", (unsigned char)p[1]);
	if (n == 3 && (!memcmp(p, "\xe2\x80\xa8", 3) || !memcmp(p, "\xe2\x80\xa9", 3)))
		return buf_addf(out, "\\u20%02x", (unsigned char)p[2] - 0x80);
	if (n == 3 && !memcmp(p, "\xef\xbb\xbf", 3))
		return buf_addstr(out, "\\uFEFF");
	if (n == 3 && !memcmp(p, "\xef\xbf", 2) && (unsigned char)p[2] >= 0xbe)
		return buf_addf(out, "\\uFF%02x", 0xc0 | ((unsigned char)p[2] & 0x3f));
	return buf_add(out, p, n);
}

int yaml_quote_bytes(struct buf *out, const char *text, size_t len)
{
	const size_t start = out->len;
	int rc = is_plain(text, len);

	if (rc != 0)
		return rc < 0 ? rc : buf_addstr(out, text);
	rc = buf_addch(out, '"');
	for (size_t i = 0, n; rc == 0 && i < len; i += n) {
		n = utf8_len(text + i);
		if (n == 0) {
			buf_truncate(out, start);
			return err_set(ERR_INVALID,
				"'%s' is not UTF-8, which YAML must be; rename it", text);
		}
		rc = add_escape(out, text + i, n);
	}
	return rc < 0 ? rc : buf_addch(out, '"');
}

int yaml_quote(struct buf *out, const char *text)
{
	return yaml_quote_bytes(out, text, strlen(text));
}

int yaml_put_value(struct buf *out, const struct node *n)
{
	const int is_map = n->type == NODE_MAP;
	int rc;

	if (n->type == NODE_STRING)
		return yaml_quote_bytes(out, n->text, n->len);
	if (n->type == NODE_NULL)
		return buf_addstr(out, "null");
	if (node_is_scalar(n))
		return buf_add(out, n->text, n->len);
	rc = buf_addch(out, is_map ? '{' : '[');
	for (size_t i = 0; rc == 0 && i < n->n; i++) {
		if (i > 0)
			rc = buf_addstr(out, ", ");
		if (rc == 0 && is_map)
			rc = yaml_quote(out, n->keys[i]);
		if (rc == 0 && is_map)
			rc = buf_addstr(out, ": ");
		if (rc == 0)
			rc = yaml_put_value(out, n->items[i]);
	}
	return rc == 0 ? buf_addch(out, is_map ? '}' : ']') : rc;
}
