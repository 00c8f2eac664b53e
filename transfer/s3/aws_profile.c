/*
 * The shared files of AWS (see aws_profile.h).  Lines are few and simple, but their rules are not
 * those of Git's configuration: comments only at the start of a line or behind a blank, values
 * without quotes, indented lines continue or nest.  Every value lands in one map, under
 * "<file>\n<section>\n<key>".
 */
#include "transfer/s3/aws_profile.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/strmap.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX = 1 << 20 };

struct aws_profile {
	struct strmap values; /* and "<file>\n<section>" itself, with NULL */
};

int aws_profile_new(struct aws_profile **out)
{
	*out = calloc(1, sizeof **out);
	return *out ? 0 : err_set(ERR_NOMEM, "out of memory");
}

void aws_profile_free(struct aws_profile *p)
{
	if (!p)
		return;
	strmap_release(&p->values, free);
	free(p);
}

/* ---- the map ---- */

static int map_key(
	struct buf *out, enum aws_profile_file kind, const char *section, const char *key)
{
	int rc = buf_addf(out, "%d\n%s", (int)kind, section);

	return rc < 0 || !key ? rc : buf_addf(out, "\n%s", key);
}

static int put(struct aws_profile *p, enum aws_profile_file kind, const char *section,
	const char *key, const char *value)
{
	struct buf name = BUF_INIT;
	char *copy = NULL;
	int rc = map_key(&name, kind, section, key);

	if (rc == 0 && value) {
		copy = strdup(value);
		if (!copy)
			rc = err_set(ERR_NOMEM, "out of memory");
	}
	if (rc == 0) {
		free(strmap_get(&p->values, name.p));
		rc = strmap_put(&p->values, name.p, copy);
	}
	if (rc < 0)
		free(copy);
	buf_release(&name);
	return rc;
}

static const char *get(const struct aws_profile *p, enum aws_profile_file kind, const char *section,
	const char *key)
{
	struct buf name = BUF_INIT;
	const char *value = NULL;

	if (map_key(&name, kind, section, key) == 0)
		value = strmap_get(&p->values, name.p);
	buf_release(&name);
	return value && *value ? value : NULL;
}

/* ---- lines ---- */

struct parser {
	struct aws_profile *profile;
	enum aws_profile_file kind;
	const char *name; /* of the file */
	int line;
	struct buf section; /* "" before the first, or in one that is none of ours */
	struct buf key;	    /* that an indented line continues; "" for none */
	int nested;	    /* key has no value of its own: what follows is nested in it */
};

static int is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Cut blanks at both ends, in place. */
static char *trim(char *s)
{
	size_t n;

	while (is_blank(*s))
		s++;
	for (n = strlen(s); n && (is_blank(s[n - 1]) || s[n - 1] == '\r'); n--)
		;
	s[n] = '\0';
	return s;
}

/* A value ends at a comment sign that stands behind a blank: secrets may contain '#'. */
static void cut_comment(char *s)
{
	for (char *p = s; *p; p++)
		if ((*p == '#' || *p == ';') && (p == s || is_blank(p[-1]))) {
			*p = '\0';
			return;
		}
}

static int bad_line(const struct parser *ps, const char *why)
{
	return err_set(ERR_INVALID, "%s:%d: %s", ps->name, ps->line, why);
}

/* What [text] is called in our map: "name" for profiles, "services\n\nname"… for others of the
 * config file; "" for what no tool would take as a profile. */
static int section_name(struct parser *ps, char *text)
{
	char *rest = text + strcspn(text, " \t");

	buf_reset(&ps->section);
	if (ps->kind == AWS_PROFILE_CREDENTIALS || strcmp(text, "default") == 0)
		return buf_addstr(&ps->section, text);
	if (!*rest)
		return 0; /* [name] in the config file is no profile */
	*rest++ = '\0';
	rest = trim(rest);
	if ((*rest == '"' || *rest == '\'') && strlen(rest) > 1 &&
		rest[strlen(rest) - 1] == *rest) {
		rest[strlen(rest) - 1] = '\0';
		rest++;
	}
	if (strcmp(text, "profile") == 0)
		return buf_addstr(&ps->section, rest);
	return buf_addf(&ps->section, "%s\n\n%s", text, rest);
}

static int parse_section(struct parser *ps, char *line)
{
	char *end = strchr(line, ']');
	int rc;

	if (!end)
		return bad_line(ps, "a section without its ']'");
	*end = '\0';
	buf_reset(&ps->key);
	rc = section_name(ps, trim(line + 1));
	if (rc < 0 || !ps->section.len)
		return rc;
	return put(ps->profile, ps->kind, ps->section.p, NULL, NULL);
}

/* "key = value" at the start of a line. */
static int parse_key(struct parser *ps, char *line)
{
	char *equals = strchr(line, '='), *key, *value;
	int rc;

	if (!equals)
		return bad_line(ps, "neither a section nor 'key = value'");
	*equals = '\0';
	key = trim(line);
	cut_comment(equals + 1);
	value = trim(equals + 1);
	if (!*key)
		return bad_line(ps, "a value without a key");
	for (char *p = key; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	buf_reset(&ps->key);
	if (!ps->section.len)
		return 0;
	rc = buf_addstr(&ps->key, key);
	ps->nested = !*value;
	return rc < 0 ? rc : put(ps->profile, ps->kind, ps->section.p, key, value);
}

/* An indented line below "key =" is "sub = value"; below "key = value" it continues the value. */
static int parse_indented(struct parser *ps, char *line)
{
	struct buf text = BUF_INIT;
	char *equals = strchr(line, '=');
	const char *old;
	int rc;

	if (!ps->key.len)
		return ps->section.len ? parse_key(ps, line) : 0;
	if (ps->nested && equals) {
		*equals = '\0';
		cut_comment(equals + 1);
		rc = buf_addf(&text, "%s.%s", ps->key.p, trim(line));
		for (size_t i = 0; rc == 0 && i < text.len; i++)
			text.p[i] = (char)tolower((unsigned char)text.p[i]);
		if (rc == 0)
			rc = put(ps->profile, ps->kind, ps->section.p, text.p, trim(equals + 1));
	} else {
		old = get(ps->profile, ps->kind, ps->section.p, ps->key.p);
		rc = buf_addf(&text, "%s%s%s", old ? old : "", old ? "\n" : "", line);
		if (rc == 0)
			rc = put(ps->profile, ps->kind, ps->section.p, ps->key.p, text.p);
	}
	buf_release(&text);
	return rc;
}

static int parse_line(struct parser *ps, char *line)
{
	int indented = is_blank(*line);

	line = trim(line);
	if (!*line || *line == '#' || *line == ';')
		return 0;
	if (indented)
		return parse_indented(ps, line);
	return *line == '[' ? parse_section(ps, line) : parse_key(ps, line);
}

/* The byte order mark of an editor on Windows. */
static size_t mark_length(const char *text, size_t len)
{
	return len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

int aws_profile_parse(struct aws_profile *p, const char *text, size_t len,
	enum aws_profile_file kind, const char *name)
{
	struct parser ps = {.profile = p, .kind = kind, .name = name};
	struct buf line = BUF_INIT;
	size_t pos = mark_length(text, len);
	int rc = 0;

	if (len > FILE_MAX)
		return err_set(ERR_LIMIT, "%s: more than %d bytes", name, FILE_MAX);
	if (memchr(text, '\0', len))
		return err_set(ERR_INVALID, "%s: a NUL byte in it; is it a text file?", name);
	while (pos < len && rc == 0) {
		const char *end = memchr(text + pos, '\n', len - pos);
		size_t n = end ? (size_t)(end - text) - pos : len - pos;

		ps.line++;
		buf_reset(&line);
		rc = buf_add(&line, text + pos, n);
		if (rc == 0)
			rc = parse_line(&ps, line.p);
		pos += n + 1;
	}
	if (line.p)
		explicit_bzero(line.p, line.cap);
	buf_release(&line);
	buf_release(&ps.section);
	buf_release(&ps.key);
	return rc;
}

int aws_profile_read(struct aws_profile *p, enum aws_profile_file kind, const char *path)
{
	struct buf text = {.max = FILE_MAX};
	int rc = buf_read_file(&text, path);

	if (rc == ERR_NOTFOUND)
		rc = 0;
	else if (rc == 0)
		rc = aws_profile_parse(p, buf_str(&text), text.len, kind, path);
	if (text.p)
		explicit_bzero(text.p, text.cap);
	buf_release(&text);
	return rc;
}

/* ---- questions ---- */

int aws_profile_has(const struct aws_profile *p, const char *profile)
{
	for (int kind = AWS_PROFILE_CREDENTIALS; kind <= AWS_PROFILE_CONFIG; kind++) {
		struct buf name = BUF_INIT;
		int has = map_key(&name, (enum aws_profile_file)kind, profile, NULL) == 0 &&
			  strmap_has(&p->values, name.p);

		buf_release(&name);
		if (has)
			return 1;
	}
	return 0;
}

const char *aws_profile_get_from(const struct aws_profile *p, enum aws_profile_file kind,
	const char *profile, const char *key)
{
	return get(p, kind, profile, key);
}

const char *aws_profile_get(const struct aws_profile *p, const char *profile, const char *key)
{
	const char *value = get(p, AWS_PROFILE_CREDENTIALS, profile, key);

	return value ? value : get(p, AWS_PROFILE_CONFIG, profile, key);
}

const char *aws_profile_service(const struct aws_profile *p, const char *services, const char *key)
{
	struct buf section = BUF_INIT;
	const char *value = NULL;

	if (buf_addf(&section, "services\n\n%s", services) == 0)
		value = get(p, AWS_PROFILE_CONFIG, section.p, key);
	buf_release(&section);
	return value;
}
