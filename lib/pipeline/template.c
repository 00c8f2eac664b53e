/*
 * `${…}` in a file of stages.  An expression is a path through the variables: names and indices
 * behind dots, or in brackets ("models.us", "list[0]", "list.0").  What it names is put into the
 * text as Python would print it, since these are the commands that DVC would run; a string that is
 * nothing but one expression keeps the value's type.
 */
#include "lib/pipeline/template.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/nearest.h"

/* --- expressions ------------------------------------------------------------------------------ */

struct match {
	const char *start; /* at "${" */
	const char *inner; /* between the braces */
	size_t len;	   /* of inner */
	const char *end;   /* behind "}" */
};

/* The next "${…}" on one line that no backslash precedes, at or behind `from`.  1 or 0. */
static int find_match(struct match *m, const char *text, const char *from)
{
	while ((from = strstr(from, "${")) != NULL) {
		size_t len = strcspn(from + 2, "}\n");

		if ((from == text || from[-1] != '\\') && from[2 + len] == '}') {
			m->start = from;
			m->inner = from + 2;
			m->len = len;
			m->end = from + 2 + len + 1;
			return 1;
		}
		from += 2;
	}
	return 0;
}

int template_is(const struct node *n)
{
	struct match m;

	if (n->type == NODE_STRING)
		return find_match(&m, n->text, n->text);
	for (size_t i = 0; i < n->n; i++)
		if ((n->keys != NULL && find_match(&m, n->keys[i], n->keys[i])) ||
			template_is(n->items[i]))
			return 1;
	return 0;
}

/* The words of "a.b[0].c", blanks around each dropped.  0; ERR_INVALID without a message of its
 * own; ERR_NOMEM. */
static int split(struct strvec *words, const char *p, size_t len)
{
	const char *end = p + len;
	char opener = '.';

	for (;;) {
		size_t word = 0;
		const char *next;
		int rc;

		while (p + word < end && strchr(".[]", p[word]) == NULL)
			word++;
		next = p + word;
		if (word == 0)
			return ERR_INVALID;
		while (word > 0 && (*p == ' ' || *p == '\t'))
			p++, word--;
		while (word > 0 && (p[word - 1] == ' ' || p[word - 1] == '\t'))
			word--;
		rc = strvec_pushn(words, p, word);
		if (rc < 0)
			return rc;
		if (opener == '[' && (next == end || *next++ != ']'))
			return ERR_INVALID;
		if (next == end)
			return 0;
		if (*next != '.' && *next != '[')
			return ERR_INVALID;
		opener = *next;
		p = next + 1;
	}
}

static struct node *list_item(const struct node *list, const char *word)
{
	char *end;
	long i = strtol(word, &end, 10);

	if (*end != '\0' || end == word)
		return NULL;
	if (i < 0)
		i += (long)list->n; /* from its end, as in Python */
	return i >= 0 && (size_t)i < list->n ? list->items[i] : NULL;
}

static const struct node *step(const struct node *n, const char *word)
{
	return n->type == NODE_LIST ? list_item(n, word) : node_get(n, word);
}

/* Nothing has the name words->v[at] in `in` (NULL: the top). */
static int complain_unknown(const struct template *t, const struct node *at, const struct match *m,
	const char *word, const struct node *in)
{
	struct nearest nearest;

	nearest_init(&nearest, word);
	for (size_t i = 0; in != NULL && in->type == NODE_MAP && i < in->n; i++)
		nearest_offer(&nearest, in->keys[i]);
	if (in == t->context && t->item != NULL)
		nearest_offer(&nearest, "item");
	if (in == t->context && t->key != NULL)
		nearest_offer(&nearest, "key");
	if (nearest.best != NULL)
		return template_complain(t->file, at,
			"'%.*s': there is no '%s'; the most similar name is '%s'", (int)m->len + 3,
			m->start, word, nearest.best);
	if (in == t->context)
		return template_complain(t->file, at,
			"'%.*s': no parameter or variable '%s'; add it to params.yaml or 'vars', "
			"or "
			"write '\\${' where the shell is meant to expand it",
			(int)m->len + 3, m->start, word);
	return template_complain(t->file, at, "'%.*s': there is no '%s' in %s", (int)m->len + 3,
		m->start, word, node_type_name(in));
}

static int note(const struct template *t, const struct strvec *words)
{
	struct buf path = BUF_INIT;
	int rc = 0;

	if (t->item != NULL && strcmp(words->v[0], "item") == 0)
		return 0;
	for (size_t i = 0; rc == 0 && i < words->n; i++)
		rc = buf_addf(&path, "%s%s", i > 0 ? "." : "", words->v[i]);
	if (rc == 0)
		rc = template_note(t, buf_str(&path));
	buf_release(&path);
	return rc;
}

/* What the expression names; a key becomes a node in *made (the caller's).  0 and *out. */
static int select_value(const struct node **out, struct node **made, const struct template *t,
	const struct node *at, const struct match *m)
{
	struct strvec words = STRVEC_INIT;
	const struct node *n = t->context;
	size_t i = 0;
	int rc = split(&words, m->inner, m->len);

	if (rc == ERR_INVALID)
		rc = template_complain(t->file, at,
			"'%.*s' is no expression; write a name, as '${train.lr}' or '${list[0]}'",
			(int)m->len + 3, m->start);
	if (rc < 0)
		goto done;
	if (t->item != NULL && strcmp(words.v[0], "item") == 0) {
		n = t->item;
		i = 1;
	} else if (t->key != NULL && strcmp(words.v[0], "key") == 0) {
		n = *made = node_string(t->key);
		i = 1;
		if (n == NULL)
			rc = err_set(ERR_NOMEM, "out of memory");
	}
	for (; rc == 0 && i < words.n; i++) {
		const struct node *in = n;

		n = in != NULL ? step(in, words.v[i]) : NULL;
		if (n == NULL)
			rc = complain_unknown(t, at, m, words.v[i], in);
	}
	*out = n;
	if (rc == 0 && t->used != NULL && *made == NULL && n->type != NODE_MAP)
		rc = note(t, &words);
done:
	strvec_release(&words);
	return rc;
}

/* --- values as text --------------------------------------------------------------------------- */

/* As Python's repr() of a float: the fewest digits, "1e-05", "1e+16", "1.0". */
static int add_float(struct buf *out, double value)
{
	char digits[40];
	int precision = 1, exponent;

	if (isnan(value) || isinf(value))
		return buf_addstr(out, isnan(value) ? "nan" : value < 0 ? "-inf" : "inf");
	do {
		snprintf(digits, sizeof(digits), "%.*e", precision - 1, value);
	} while (strtod(digits, NULL) != value && precision++ < 17);
	exponent = (int)strtol(strchr(digits, 'e') + 1, NULL, 10);
	if (exponent < -4 || exponent >= 16)
		return buf_addstr(out, digits);
	precision = precision - 1 - exponent;
	return buf_addf(out, "%.*f", precision > 1 ? precision : 1, value);
}

int template_scalar(struct buf *out, const struct node *n)
{
	switch (n->type) {
	case NODE_NULL:
		return buf_addstr(out, "None");
	case NODE_BOOL:
		return buf_addstr(out, n->i ? "true" : "false");
	case NODE_INT:
		return buf_addf(out, "%" PRId64, n->i);
	case NODE_FLOAT:
		/* An integer too large for us, which Python has not rounded. */
		if (n->text[strspn(n->text, "+-0123456789")] == '\0')
			return buf_addstr(out, n->text + (*n->text == '+'));
		return add_float(out, n->f);
	default:
		return buf_add(out, n->text, n->len);
	}
}

/* One word for the shell. */
static int add_word(struct buf *out, const struct node *n)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_@%+=:,./-";
	int rc;

	if (n->type != NODE_STRING)
		return template_scalar(out, n);
	if (n->len > 0 && strspn(n->text, plain) == n->len)
		return buf_addstr(out, n->text);
	rc = buf_addch(out, '\'');
	for (const char *p = n->text; rc == 0 && *p != '\0'; p++)
		rc = *p == '\'' ? buf_addstr(out, "'\"'\"'") : buf_addch(out, *p);
	return rc == 0 ? buf_addch(out, '\'') : rc;
}

struct unpack {
	const struct template *t;
	const struct node *at;
	struct buf *out;
};

static int add_option_list(struct unpack *u, const char *key, const struct node *list)
{
	int rc = list->n > 0 ? buf_addf(u->out, " --%s", key) : 0;

	for (size_t i = 0; rc == 0 && i < list->n; i++) {
		const struct node *item = list->items[i];

		if (item->type >= NODE_LIST)
			return template_complain(u->t->file, u->at,
				"'%s' is a list of lists or maps, which no command line can have",
				key);
		rc = buf_addch(u->out, ' ');
		if (rc == 0 && item->type == NODE_BOOL)
			rc = buf_addstr(u->out, item->i ? "True" : "False"); /* as DVC has it */
		else if (rc == 0)
			rc = add_word(u->out, item);
	}
	return rc;
}

/* " --key value" for each leaf; a true is " --key", a false nothing. */
static int add_option(const char *key, const struct node *value, void *data)
{
	struct unpack *u = data;
	int rc;

	if (value->type == NODE_MAP || (value->type == NODE_BOOL && !value->i))
		return 0;
	if (value->type == NODE_LIST)
		return add_option_list(u, key, value);
	rc = buf_addf(u->out, " --%s", key);
	if (rc < 0 || value->type == NODE_BOOL)
		return rc;
	rc = buf_addch(u->out, ' ');
	return rc == 0 ? add_word(u->out, value) : rc;
}

static int add_options(
	struct buf *out, const struct template *t, const struct node *at, const struct node *map)
{
	struct buf text = BUF_INIT;
	struct unpack u = {t, at, &text};
	int rc = node_each(map, 1, add_option, &u);

	if (rc == 0 && text.len > 0)
		rc = buf_add(out, text.p + 1, text.len - 1);
	buf_release(&text);
	return rc;
}

/* --- substitution ----------------------------------------------------------------------------- */

static int check_type(const struct template *t, const struct node *at, const struct match *m,
	const struct node *value, enum template_mode mode)
{
	if (node_is_scalar(value) || (mode == TEMPLATE_CMD && value->type == NODE_MAP))
		return 0;
	return template_complain(t->file, at,
		"'%.*s' is %s; only a string, number or bool can be put in here%s", (int)m->len + 3,
		m->start, node_type_name(value),
		value->type == NODE_LIST ? ": name one of its elements, as in ${list[0]}" : "");
}

/* However often a variable is put in, and a stage repeated, what comes out is bounded. */
static int count(const struct template *t, const struct node *at, size_t bytes)
{
	if (t->made == NULL)
		return 0;
	*t->made += bytes;
	if (*t->made <= TEMPLATE_BYTES_MAX)
		return 0;
	return err_set(ERR_LIMIT, "%s:%u: templates make more than %d MiB here; repeat less",
		t->file, at->line, TEMPLATE_BYTES_MAX >> 20);
}

static size_t size_of(const struct node *n)
{
	size_t size = sizeof(*n) + n->len;

	for (size_t i = 0; i < n->n; i++)
		size += size_of(n->items[i]) + (n->type == NODE_MAP ? strlen(n->keys[i]) : 0);
	return size;
}

static int add_value(struct buf *out, const struct template *t, const struct node *at,
	const struct match *m, enum template_mode mode)
{
	const struct node *value;
	struct node *made = NULL;
	size_t before = out->len;
	int rc = select_value(&value, &made, t, at, m);

	if (rc == 0)
		rc = check_type(t, at, m, value, mode);
	if (rc == 0)
		rc = value->type == NODE_MAP ? add_options(out, t, at, value)
					     : template_scalar(out, value);
	node_free(made);
	return rc == 0 ? count(t, at, out->len - before) : rc;
}

/* Append text without the backslashes before "${". */
static int add_literal(struct buf *out, const char *text, size_t len)
{
	const char *end = text + len;
	int rc = 0;

	while (rc == 0 && text < end) {
		const char *escape = memmem(text, (size_t)(end - text), "\\${", 3);
		size_t n = (size_t)((escape != NULL ? escape : end) - text);

		rc = buf_add(out, text, n);
		text += n + (escape != NULL);
	}
	return rc;
}

static int add_text(struct buf *out, const struct template *t, const struct node *at,
	const char *text, size_t len, enum template_mode mode)
{
	const char *from = text;
	struct match m;
	int rc = 0;

	while (rc == 0 && find_match(&m, text, from)) {
		rc = add_literal(out, from, (size_t)(m.start - from));
		if (rc == 0)
			rc = add_value(out, t, at, &m, mode);
		from = m.end;
	}
	return rc == 0 ? add_literal(out, from, len - (size_t)(from - text)) : rc;
}

static void place_as(struct node *n, const struct node *at)
{
	n->line = at->line;
	n->column = at->column;
	n->key_line = at->key_line;
	n->start = at->start;
	n->end = at->end;
}

/* A string that is one expression and nothing else: the value itself. */
static int resolve_whole(struct node **out, const struct template *t, const struct node *n,
	const struct match *m, enum template_mode mode)
{
	const struct node *value;
	struct node *made = NULL;
	int rc = select_value(&value, &made, t, n, m);

	if (rc == 0 && mode != TEMPLATE_COLLECTION)
		rc = check_type(t, n, m, value, mode);
	if (rc == 0)
		rc = count(t, n, size_of(value));
	if (rc == 0) {
		*out = node_dup(value);
		if (*out == NULL)
			rc = err_set(ERR_NOMEM, "out of memory");
		else
			place_as(*out, n);
	}
	node_free(made);
	return rc;
}

static int resolve_string(
	struct node **out, const struct template *t, const struct node *n, enum template_mode mode)
{
	struct buf text = BUF_INIT;
	struct match m;
	int rc;

	if (find_match(&m, n->text, n->text) && m.start == n->text && *m.end == '\0' &&
		mode != TEMPLATE_CMD)
		return resolve_whole(out, t, n, &m, mode);
	rc = add_text(&text, t, n, n->text, n->len, mode);
	if (rc == 0) {
		*out = node_string(buf_str(&text));
		if (*out == NULL)
			rc = err_set(ERR_NOMEM, "out of memory");
		else
			place_as(*out, n);
	}
	buf_release(&text);
	return rc;
}

static int resolve_entry(struct node *to, const struct template *t, const struct node *from,
	size_t i, enum template_mode mode)
{
	struct buf key = BUF_INIT;
	struct node *value = NULL;
	int rc = template_resolve(&value, t, from->items[i], mode);

	if (rc == 0 && from->type == NODE_LIST) {
		rc = node_push(to, value);
		value = NULL;
	} else if (rc == 0) {
		rc = add_text(&key, t, from->items[i], from->keys[i], strlen(from->keys[i]),
			TEMPLATE_PLAIN);
		if (rc == 0 && node_get(to, buf_str(&key)) != NULL)
			rc = template_complain_key(t->file, from->items[i],
				"two keys are '%s' once their '${}' are resolved", buf_str(&key));
		if (rc == 0) {
			rc = node_set(to, buf_str(&key), value);
			value = NULL;
		}
	}
	node_free(value);
	buf_release(&key);
	return rc;
}

int template_resolve(
	struct node **out, const struct template *t, const struct node *n, enum template_mode mode)
{
	int rc = count(t, n, sizeof(*n) + n->len);

	if (rc < 0)
		return rc;
	if (n->type == NODE_STRING && strstr(n->text, "${") != NULL)
		return resolve_string(out, t, n, mode);
	if (node_is_scalar(n)) {
		*out = node_dup(n);
		return *out != NULL ? 0 : err_set(ERR_NOMEM, "out of memory");
	}
	*out = n->type == NODE_LIST ? node_list() : node_map();
	if (*out == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	place_as(*out, n);
	for (size_t i = 0; rc == 0 && i < n->n; i++)
		rc = resolve_entry(*out, t, n, i, mode);
	if (rc < 0) {
		node_free(*out);
		*out = NULL;
	}
	return rc;
}
