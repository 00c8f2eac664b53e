/*
 * The grammar of tag names (docs/registry.md), as GTO's one regular expression has it:
 *
 *   [dir=]name ( "#" stage ["!"] | "@" version ["!"] | "@deprecated" | "@created" ) ["#" counter]
 *
 * Where names are made, and not only read, Git's own rules for references are kept, too.
 */
#include "lib/registry/gtotag.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/err.h"

/* Git keeps a tag in a file of its name, and locks it by the same name with ".lock". */
enum { COMPONENT_MAX = 200, COUNTER_DIGITS_MAX = 18 };

static int is_alnum(char c)
{
	return isalnum((unsigned char)c) && (unsigned char)c < 0x80;
}

static int is_name_char(char c)
{
	return is_alnum(c) || c == '-' || c == '_' || c == '/';
}

/* Letters, digits, "-_/", the first and the last a letter or digit. */
static int is_name(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!is_name_char(p[i]))
			return 0;
	return len > 0 && is_alnum(p[0]) && is_alnum(p[len - 1]);
}

static int is_directory(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!is_name_char(p[i]) && p[i] != '.')
			return 0;
	return len > 0;
}

/* "[dir<separator>]name" */
static int is_model(const char *p, size_t len, char separator)
{
	const char *at = memchr(p, separator, len);

	if (!at)
		return is_name(p, len);
	return is_directory(p, (size_t)(at - p)) && is_name(at + 1, len - (size_t)(at + 1 - p));
}

static void copy(char *out, const char *p, size_t len)
{
	memcpy(out, p, len);
	out[len] = '\0';
}

/* ---- reading ---- */

/* "" or "#5" */
static int parse_counter(uint64_t *out, const char *p)
{
	size_t len;

	*out = 0;
	if (*p == '\0')
		return 1;
	if (*p++ != '#')
		return 0;
	len = strspn(p, "0123456789");
	if (len == 0 || len > COUNTER_DIGITS_MAX || p[len] != '\0')
		return 0;
	for (; *p; p++)
		*out = *out * 10 + (uint64_t)(*p - '0');
	return 1;
}

/* "stage", "stage!" and a counter behind it */
static int parse_stage(struct gtotag *t, const char *p)
{
	size_t len = strcspn(p, "!#");

	if (!is_name(p, len) || len >= sizeof(t->stage))
		return 0;
	copy(t->stage, p, len);
	t->kind = p[len] == '!' ? GTOTAG_UNASSIGN : GTOTAG_ASSIGN;
	return parse_counter(&t->counter, p + len + (p[len] == '!'));
}

/* "v1.2.3", "v1.2.3!", "deprecated", "created" and a counter behind it */
static int parse_version(struct gtotag *t, const char *p)
{
	char word[256];
	size_t len = strcspn(p, "!#");
	int cancel = p[len] == '!';

	if (len >= sizeof(word))
		return 0;
	copy(word, p, len);
	if (strcmp(word, "deprecated") == 0 || strcmp(word, "created") == 0) {
		t->kind = *word == 'd' ? GTOTAG_DEPRECATE : GTOTAG_CREATE;
		if (cancel)
			return 0;
	} else if (*word == 'v' && semver_parse(&t->version, word) == 0) {
		t->kind = cancel ? GTOTAG_DEREGISTER : GTOTAG_REGISTER;
	} else {
		err_clear();
		return 0;
	}
	return parse_counter(&t->counter, p + len + cancel);
}

static int parse(struct gtotag *t, const char *tag)
{
	size_t len = strcspn(tag, "@#");
	char *separator;

	if (tag[len] == '\0' || len >= sizeof(t->model) || !is_model(tag, len, '='))
		return 0;
	copy(t->model, tag, len);
	separator = strchr(t->model, '=');
	if (separator)
		*separator = ':';
	return tag[len] == '#' ? parse_stage(t, tag + len + 1) : parse_version(t, tag + len + 1);
}

void gtotag_parse(struct gtotag *out, const char *tag)
{
	memset(out, 0, sizeof(*out));
	if (!parse(out, tag))
		memset(out, 0, sizeof(*out));
}

/* ---- writing ---- */

static int add_action(struct buf *out, const struct gtotag *t)
{
	int rc;

	switch (t->kind) {
	case GTOTAG_REGISTER:
	case GTOTAG_DEREGISTER:
		rc = buf_addch(out, '@');
		if (rc == 0)
			rc = semver_format(out, &t->version);
		break;
	case GTOTAG_ASSIGN:
	case GTOTAG_UNASSIGN:
		rc = buf_addf(out, "#%s", t->stage);
		break;
	case GTOTAG_DEPRECATE:
		return buf_addstr(out, "@deprecated");
	case GTOTAG_CREATE:
		return buf_addstr(out, "@created");
	default:
		return err_set(ERR_INVALID, "there is no tag of this kind");
	}
	if (rc == 0 && (t->kind == GTOTAG_DEREGISTER || t->kind == GTOTAG_UNASSIGN))
		rc = buf_addch(out, '!');
	return rc;
}

int gtotag_format(struct buf *out, const struct gtotag *t)
{
	size_t start = out->len;
	int rc = buf_addstr(out, t->model);
	char *separator = rc == 0 ? strchr(out->p + start, ':') : NULL;

	if (separator)
		*separator = '=';
	if (rc == 0)
		rc = add_action(out, t);
	if (rc == 0 && t->counter)
		rc = buf_addf(out, "#%llu", (unsigned long long)t->counter);
	return rc;
}

/* ---- names that may be given ---- */

/* What Git would not take: a component that is empty, begins with a dot, ends in ".lock", is too
 * long for a file's name with the version behind it; or "..". */
static int is_ref(const char *name)
{
	if (strstr(name, ".."))
		return 0;
	for (;;) {
		size_t len = strcspn(name, "/:");

		if (len == 0 || len > COMPONENT_MAX || *name == '.' ||
			(len >= 5 && strncmp(name + len - 5, ".lock", 5) == 0))
			return 0;
		if (name[len] == '\0')
			return 1;
		name += len + 1;
	}
}

int gtotag_check_model(const char *name)
{
	size_t len = strlen(name);

	if (len >= sizeof(((struct gtotag *)0)->model) || !is_model(name, len, ':') ||
		!is_ref(name))
		return err_set(ERR_INVALID,
			"'%.80s' cannot be a model's name: letters, digits, '-', '_' and '/', the "
			"first and the last a letter or digit; in a subproject 'dir:name'",
			name);
	return 0;
}

int gtotag_check_stage(const char *name)
{
	size_t len = strlen(name);

	if (len >= sizeof(((struct gtotag *)0)->stage) || !is_name(name, len) || !is_ref(name))
		return err_set(ERR_INVALID,
			"'%.80s' cannot be a stage's name: letters, digits, '-', '_' and '/', the "
			"first and the last a letter or digit",
			name);
	return 0;
}
