/*
 * The text of a .gitattributes file: quoting patterns, finding, adding and removing lines.
 * Everything that is not ours stays byte for byte.  Pure: text in, text out.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/repo/attrs.h"
#include "lib/repo/textfile.h"

static const char blanks[] = " \t\r\n";
static const char any_space[] = "[[:space:]]";
static const char size_key[] = "dvx-min-size=";
static const char spared[] = " !filter !diff !merge !text";

/* ---- patterns ---- */

/* One character of a pattern or path; Git's attributes files know no quoting for blanks but the
 * class. */
static int add_char(struct buf *out, char c)
{
	return strchr(blanks, c) ? buf_addstr(out, any_space) : buf_addch(out, c);
}

int attrs_quote(struct buf *out, const char *pattern)
{
	int rc;

	if (!*pattern)
		return err_set(ERR_INVALID, "the empty pattern matches nothing");
	if (*pattern == '!')
		return err_set(ERR_INVALID,
			"'%s': negated patterns are not allowed in attributes; to match a name "
			"that "
			"begins with '!', write '\\%s'",
			pattern, pattern);
	if (strchr("#\"", *pattern) && (rc = buf_addch(out, '\\')) < 0)
		return rc;
	for (; *pattern; pattern++)
		if ((rc = add_char(out, *pattern)) < 0)
			return rc;
	return 0;
}

int attrs_quote_path(struct buf *out, const char *path, int all_below)
{
	int rc;

	if ((rc = buf_addch(out, '/')) < 0)
		return rc;
	for (; *path; path++) {
		if (strchr("*?[\\", *path) && (rc = buf_addch(out, '\\')) < 0)
			return rc;
		if ((rc = add_char(out, *path)) < 0)
			return rc;
	}
	if (!all_below)
		return 0;
	return buf_addstr(out, out->p[out->len - 1] == '/' ? "**" : "/**");
}

int attrs_unquote(struct buf *out, const char *pattern)
{
	size_t len = sizeof any_space - 1;
	int rc = 0;

	if (pattern[0] == '\\' && pattern[1] && strchr("#\"!", pattern[1]))
		pattern++;
	while (*pattern && rc == 0) {
		if (!strncmp(pattern, any_space, len)) {
			rc = buf_addch(out, ' ');
			pattern += len;
		} else {
			rc = buf_addch(out, *pattern++);
		}
	}
	return rc;
}

/* ---- lines ---- */

/* A line taken apart; borrowed from the text. */
struct line {
	const char *start;
	size_t len;  /* without its ending */
	size_t full; /* with it */
	const char *pattern;
	size_t pattern_len;
	const char *attrs; /* what follows the pattern */
	size_t attrs_len;
};

/* Length of the pattern at the start of a line: C-quoted, or up to a blank. */
static size_t pattern_length(const char *p, size_t len)
{
	size_t i;

	if (len && p[0] == '"') {
		for (i = 1; i < len; i++) {
			if (p[i] == '\\')
				i++;
			else if (p[i] == '"')
				return i + 1;
		}
	}
	for (i = 0; i < len && !strchr(blanks, p[i]); i++)
		;
	return i;
}

/* The line that starts at `pos`; 0 at the end of the text. */
static int line_at(struct line *l, const struct buf *text, size_t pos)
{
	const char *p = buf_str(text) + pos, *nl, *end;

	if (pos >= text->len)
		return 0;
	nl = memchr(p, '\n', text->len - pos);
	l->start = p;
	l->full = nl ? (size_t)(nl - p) + 1 : text->len - pos;
	l->len = nl ? l->full - 1 : l->full;
	if (l->len && p[l->len - 1] == '\r')
		l->len--;
	end = p + l->len;
	while (p < end && strchr(blanks, *p))
		p++;
	l->pattern = p;
	l->pattern_len =
		*p == '#' || !strncmp(p, "[attr]", 6) ? 0 : pattern_length(p, (size_t)(end - p));
	l->attrs = p + l->pattern_len;
	l->attrs_len = l->pattern_len ? (size_t)(end - l->attrs) : 0;
	return 1;
}

/* Walk the attributes of a line: the next word in [*p, end), 0 when there is none. */
static size_t next_word(const char **p, const char *end)
{
	const char *w = *p;
	size_t n = 0;

	while (w < end && strchr(blanks, *w))
		w++;
	while (w + n < end && !strchr(blanks, w[n]))
		n++;
	*p = w;
	return n;
}

static int word_is(const char *word, size_t len, const char *expect)
{
	return len == strlen(expect) && !memcmp(word, expect, len);
}

static int word_begins(const char *word, size_t len, const char *prefix)
{
	return len >= strlen(prefix) && !memcmp(word, prefix, strlen(prefix));
}

enum filter_kind { FILTER_NONE, FILTER_OURS, FILTER_OTHER, FILTER_OFF };

/* What a line says about the filter; its dvx-min-size, if any, in *min_size (borrowed, min_len
 * bytes). */
static enum filter_kind line_filter(const struct line *l, const char **min_size, size_t *min_len)
{
	const char *p = l->attrs, *end = p + l->attrs_len;
	enum filter_kind kind = FILTER_NONE;
	size_t len;

	*min_size = NULL;
	*min_len = 0;
	for (; (len = next_word(&p, end)) > 0; p += len) {
		if (word_is(p, len, "filter=dvx") || word_is(p, len, "filter=lfs"))
			kind = FILTER_OURS;
		else if (word_is(p, len, "-filter") || word_is(p, len, "!filter"))
			kind = FILTER_OFF;
		else if (len > 7 && !memcmp(p, "filter=", 7))
			kind = FILTER_OTHER;
		if (len >= sizeof size_key && word_begins(p, len, size_key)) {
			*min_size = p + sizeof size_key - 1;
			*min_len = len - (sizeof size_key - 1);
		}
	}
	return kind;
}

static int has_pattern(const struct line *l, const char *quoted)
{
	return l->pattern_len && word_is(l->pattern, l->pattern_len, quoted);
}

/* Replace text[at, at + old_len) by `with`. */
static int splice(struct buf *text, size_t at, size_t old_len, const struct buf *with)
{
	struct buf rest = BUF_INIT;
	int rc;

	rc = buf_add(&rest, text->p + at + old_len, text->len - at - old_len);
	if (rc == 0) {
		buf_truncate(text, at);
		if (with)
			rc = buf_add(text, buf_str(with), with->len);
	}
	if (rc == 0)
		rc = buf_add(text, buf_str(&rest), rest.len);
	buf_release(&rest);
	return rc;
}

/* ---- editing ---- */

/* Rewrite a line without the words that begin with one of these, and with another word at its end
 * (NULL: none). */
static int replace_words(
	struct buf *text, const struct line *l, const char *const *prefixes, const char *word)
{
	const char *p = l->attrs, *end = p + l->attrs_len;
	struct buf fresh = BUF_INIT;
	size_t len, at = (size_t)(l->start - text->p);
	int rc = buf_add(&fresh, l->pattern, l->pattern_len);

	for (; rc == 0 && (len = next_word(&p, end)) > 0; p += len) {
		const char *const *prefix = prefixes;

		while (*prefix && !word_begins(p, len, *prefix))
			prefix++;
		if (!*prefix)
			rc = buf_addf(&fresh, " %.*s", (int)len, p);
	}
	if (rc == 0 && word)
		rc = buf_addf(&fresh, " %s", word);
	if (rc == 0)
		rc = splice(text, at, l->len, &fresh);
	buf_release(&fresh);
	return rc < 0 ? rc : 1;
}

/* Rewrite a line's dvx-min-size. */
static int set_min_size(struct buf *text, const struct line *l, const char *min_size)
{
	static const char *const prefixes[] = {size_key, NULL};
	struct buf word = BUF_INIT;
	int rc = buf_addf(&word, "%s%s", size_key, min_size);

	if (rc == 0)
		rc = replace_words(text, l, prefixes, strcmp(min_size, "0") != 0 ? word.p : NULL);
	buf_release(&word);
	return rc;
}

/* The last word about it counts. */
static int line_lockable(const struct line *l)
{
	const char *p = l->attrs, *end = p + l->attrs_len;
	int lockable = 0;
	size_t len;

	for (; (len = next_word(&p, end)) > 0; p += len) {
		if (word_is(p, len, "-lockable") || word_is(p, len, "!lockable") ||
			word_is(p, len, "lockable=false"))
			lockable = 0;
		else if (word_begins(p, len, "lockable"))
			lockable = 1;
	}
	return lockable;
}

/* The line that makes the pattern ours: the last one about the filter, if it does.  1 or 0. */
static int find_ours(struct line *found, const struct buf *text, const char *quoted)
{
	const char *size;
	size_t pos, len;
	struct line l;
	int ours = 0;

	for (pos = 0; line_at(&l, text, pos); pos += l.full) {
		enum filter_kind kind =
			has_pattern(&l, quoted) ? line_filter(&l, &size, &len) : FILTER_NONE;

		if (kind == FILTER_NONE)
			continue;
		ours = kind == FILTER_OURS;
		*found = l;
	}
	return ours;
}

static int add_tracked(
	struct buf *text, const char *quoted, const char *filter, const char *min_size)
{
	struct buf line = BUF_INIT;
	int rc = buf_addf(
		&line, "%s filter=%s diff=%s merge=%s -text", quoted, filter, filter, filter);

	if (rc == 0 && min_size && strcmp(min_size, "0") != 0)
		rc = buf_addf(&line, " %s%s", size_key, min_size);
	if (rc == 0)
		rc = textfile_add_line(text, line.p);
	buf_release(&line);
	return rc < 0 ? rc : 1;
}

int attrs_text_track(struct buf *text, const char *quoted, const char *min_size)
{
	struct line found;
	const char *size;
	size_t len;

	if (find_ours(&found, text, quoted)) {
		line_filter(&found, &size, &len);
		if (!min_size || (size ? word_is(size, len, min_size) : !strcmp(min_size, "0")))
			return 0;
		return set_min_size(text, &found, min_size);
	}
	return add_tracked(text, quoted, "dvx", min_size);
}

int attrs_text_track_lfs(struct buf *text, const char *quoted)
{
	struct line found;

	return find_ours(&found, text, quoted) ? 0 : add_tracked(text, quoted, "lfs", NULL);
}

int attrs_text_lockable(struct buf *text, const char *quoted, int lockable)
{
	static const char *const words[] = {"lockable", "-lockable", "!lockable", NULL};
	struct line found;

	if (!find_ours(&found, text, quoted) || line_lockable(&found) == lockable)
		return 0;
	return replace_words(text, &found, words, lockable ? "lockable" : NULL);
}

/* A line at the end: 1, or a negative error. */
static int add_line(struct buf *text, const char *quoted, const char *attrs)
{
	struct buf line = BUF_INIT;
	int rc = buf_addf(&line, "%s %s", quoted, attrs);

	if (rc == 0)
		rc = textfile_add_line(text, line.p);
	buf_release(&line);
	return rc < 0 ? rc : 1;
}

int attrs_text_spare(struct buf *text, const char *quoted)
{
	struct line l;

	for (size_t pos = 0; line_at(&l, text, pos); pos += l.full)
		if (has_pattern(&l, quoted))
			return 0;
	return add_line(text, quoted, spared + 1); /* add_line() puts the blank */
}

static int has_word(const struct line *l, const char *word)
{
	const char *p = l->attrs, *end = p + l->attrs_len;
	size_t len;

	for (; (len = next_word(&p, end)) > 0; p += len)
		if (word_is(p, len, word))
			return 1;
	return 0;
}

int attrs_text_give(struct buf *text, const char *quoted, const char *word)
{
	struct line l;

	for (size_t pos = 0; line_at(&l, text, pos); pos += l.full)
		if (has_pattern(&l, quoted) && has_word(&l, word))
			return 0;
	return add_line(text, quoted, word);
}

int attrs_text_speaks_of(const struct buf *text, const char *quoted, const char *name)
{
	struct line l;

	for (size_t pos = 0; line_at(&l, text, pos); pos += l.full) {
		const char *p = l.attrs, *end = p + l.attrs_len;
		size_t len;

		for (; has_pattern(&l, quoted) && (len = next_word(&p, end)) > 0; p += len) {
			const size_t sign = *p == '-' || *p == '!';
			const char *equals = memchr(p, '=', len);

			if (word_is(p + sign, (equals ? (size_t)(equals - p) : len) - sign, name))
				return 1;
		}
	}
	return 0;
}

/* Remove the lines of this pattern about which `is_it` says yes. */
static int remove_lines(struct buf *text, const char *quoted, int (*is_it)(const struct line *l))
{
	struct line l;
	size_t pos;
	int rc, removed = 0;

	for (pos = 0; line_at(&l, text, pos);) {
		if (!has_pattern(&l, quoted) || !is_it(&l)) {
			pos += l.full;
			continue;
		}
		if ((rc = splice(text, pos, l.full, NULL)) < 0)
			return rc;
		removed = 1;
	}
	return removed;
}

static int is_spared(const struct line *l)
{
	return word_is(l->attrs, l->attrs_len, spared);
}

static int is_ours(const struct line *l)
{
	const char *size;
	size_t len;

	return line_filter(l, &size, &len) == FILTER_OURS;
}

int attrs_text_unspare(struct buf *text, const char *quoted)
{
	return remove_lines(text, quoted, is_spared);
}

int attrs_text_untrack(struct buf *text, const char *quoted)
{
	return remove_lines(text, quoted, is_ours);
}

int attrs_text_each(
	const struct buf *text, int (*fn)(const struct attrs_line *line, void *data), void *data)
{
	struct buf pattern = BUF_INIT, size = BUF_INIT;
	struct attrs_line out;
	struct line l;
	const char *min_size;
	size_t pos, len;
	int rc = 0;

	for (pos = 0; rc == 0 && line_at(&l, text, pos); pos += l.full) {
		enum filter_kind kind =
			l.pattern_len ? line_filter(&l, &min_size, &len) : FILTER_NONE;

		if (kind != FILTER_OURS && kind != FILTER_OFF)
			continue;
		buf_reset(&pattern);
		buf_reset(&size);
		if ((rc = buf_add(&pattern, l.pattern, l.pattern_len)) < 0 ||
			(min_size && (rc = buf_add(&size, min_size, len)) < 0))
			break;
		out.pattern = pattern.p;
		out.ours = kind == FILTER_OURS;
		out.min_size = min_size ? size.p : NULL;
		out.lockable = line_lockable(&l);
		rc = fn(&out, data);
	}
	buf_release(&pattern);
	buf_release(&size);
	return rc;
}
