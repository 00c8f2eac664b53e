/*
 * Reading JSON: cJSON says whether it is JSON and decodes its strings.
 *
 * cJSON keeps neither places nor the digits of numbers, and it refuses the NaN and Infinity that
 * Python writes.  So it gets a copy in which every number is a 0 and blanks; then the text is
 * walked along with cJSON's tree.  As it is known to be JSON by then, finding where each value
 * begins and ends only takes skipping of blanks, quotes and digits.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "lib/yaml/yaml_internal.h"
#include "lib/base/err.h"
#include "lib/base/utf8.h"

#define BOM	   "\xef\xbb\xbf"
#define WORD_BYTES "+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"

struct walk {
	const char *name;
	const char *text; /* NUL-terminated */
	size_t bom;	  /* bytes of the file before `text` */
	size_t at;
	unsigned first_line;
	unsigned line, column; /* of `at` */
	unsigned depth;
	size_t nodes;
};

/* --- the text, before cJSON --------------------------------------------------------------------
 */

static void advance(struct walk *w, size_t n)
{
	for (; n > 0 && w->text[w->at]; n--, w->at++) {
		if (w->text[w->at] == '\n') {
			w->line++;
			w->column = 1;
		} else {
			w->column += ((unsigned char)w->text[w->at] & 0xc0) != 0x80;
		}
	}
}

static int fail(const struct walk *w, const char *what)
{
	return err_set(ERR_INVALID, "%s:%u:%u: %s", w->name, w->line, w->column, what);
}

/* From the opening quote to behind the closing one. */
static int check_string(struct walk *w)
{
	struct walk start = *w;

	advance(w, 1);
	while (w->text[w->at] != '"') {
		const char *p = w->text + w->at;
		size_t n = utf8_len(p);

		if (*p == '\0')
			return fail(&start, "the quote that opens here is never closed");
		if (!n)
			return fail(w, "not UTF-8; save the file as UTF-8");
		if ((unsigned char)*p < 0x20)
			return fail(w, "a line end or control character in a string; write it as "
				       "an escape ('\\n'), or close the quote");
		if (!strncmp(p, "\\u0000", 6))
			return fail(w, "a NUL character in a string; remove it");
		advance(w, *p == '\\' && p[1] ? 2 : n);
	}
	advance(w, 1);
	return 0;
}

static int is_special(const char *word, size_t len)
{
	static const char *const words[] = {"NaN", "Infinity", "-Infinity"};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strlen(words[i]) == len && !strncmp(word, words[i], len))
			return 1;
	return 0;
}

/* A number in `copy` becomes 0 and blanks; true, false and null are left to cJSON. */
static int check_word(struct walk *w, char *copy)
{
	const char *word = w->text + w->at;
	size_t len = strspn(word, WORD_BYTES);

	if (strchr("-0123456789", *word) != NULL) {
		if (!node_is_json_number(word, len) && !is_special(word, len))
			return err_set(ERR_INVALID, "%s:%u:%u: '%.*s' is no number of JSON",
				w->name, w->line, w->column, (int)(len < 80 ? len : 80), word);
	} else if (!is_special(word, len)) {
		advance(w, len);
		return 0;
	}
	memset(copy + w->at, ' ', len);
	copy[w->at] = '0';
	advance(w, len);
	return 0;
}

static int check_text(struct walk *w, char *copy)
{
	int rc = 0;

	if (!strncmp(w->text, BOM, 3)) /* which cJSON would skip */
		return fail(w, "a second byte order mark; remove it");
	while (rc == 0 && w->text[w->at]) {
		char c = w->text[w->at];

		if (c == '"') {
			rc = check_string(w);
		} else if (strchr(WORD_BYTES, c) != NULL) {
			rc = check_word(w, copy);
		} else {
			if ((c == ',' || c == '[' || c == '{') && ++w->nodes > YAML_NODES_MAX)
				rc = err_set(ERR_LIMIT, "%s:%u:%u: more than %d values", w->name,
					w->line, w->column, YAML_NODES_MAX);
			advance(w, 1);
		}
	}
	return rc;
}

/* --- cJSON's opinion ---------------------------------------------------------------------------
 */

static int not_json(struct walk *w, size_t at)
{
	char c;

	/* where cJSON wants a string and finds something else, it points behind that */
	if (at > 0 && w->text[at] != '"' && strchr("'}/#", w->text[at - 1]) != NULL)
		at--;
	w->at = 0;
	w->line = w->first_line;
	w->column = 1;
	advance(w, at);
	c = w->text[w->at];
	if (c == '\0')
		return fail(w, "the text ends too early; a ']' or '}' is missing");
	if (c == '\'')
		return fail(w, "JSON has double quotes only");
	if (c == '/' || c == '#')
		return fail(w, "JSON has no comments; remove it");
	if (c == ']' || c == '}')
		return fail(w, "a value or key is expected before this bracket; remove the comma "
			       "behind the last one");
	return fail(
		w, "this is not JSON; check commas, colons and quotes before and at this place");
}

static int parse_copy(cJSON **out, struct walk *w, const char *copy, size_t len)
{
	const char *end = NULL;

	*out = cJSON_ParseWithLengthOpts(copy, len + 1, &end, 1);
	if (*out != NULL)
		return 0;
	return not_json(w, end != NULL ? (size_t)(end - copy) : 0);
}

/* --- the walk ----------------------------------------------------------------------------------
 */

static void skip_blanks(struct walk *w)
{
	while (w->text[w->at] && (unsigned char)w->text[w->at] <= ' ')
		advance(w, 1);
}

/* Over a mark that cJSON has seen there: '[', ',', ':'… */
static void skip_mark(struct walk *w)
{
	advance(w, 1);
	skip_blanks(w);
}

static void skip_string(struct walk *w)
{
	advance(w, 1);
	while (w->text[w->at] && w->text[w->at] != '"')
		advance(w, w->text[w->at] == '\\' ? 2 : 1);
	advance(w, 1);
}

static struct node *walk_scalar(struct walk *w, const cJSON *item)
{
	const char *word = w->text + w->at;
	size_t len = strspn(word, WORD_BYTES);
	char text[512], *longer = NULL;
	struct node *n;

	if (cJSON_IsString(item)) {
		n = node_string(item->valuestring);
		skip_string(w);
		return n;
	}
	advance(w, len);
	if (is_special(word, len))
		return node_float(*word == 'N' ? NAN : *word == '-' ? -INFINITY : INFINITY);
	if (len < sizeof(text)) {
		memcpy(text, word, len);
		text[len] = '\0';
		return node_of_plain(text);
	}
	longer = strndup(word, len);
	n = longer != NULL ? node_of_plain(longer) : NULL;
	free(longer);
	return n;
}

static int walk_value(struct walk *w, const cJSON *item, struct node **out);

static int walk_items(struct walk *w, const cJSON *parent, struct node **out)
{
	int is_map = cJSON_IsObject(parent);
	struct mapkeys m = {.map = is_map ? node_map() : node_list()};
	int rc = m.map == NULL ? err_set(ERR_NOMEM, "out of memory") : 0;

	skip_mark(w);
	for (const cJSON *item = parent->child; rc == 0 && item != NULL; item = item->next) {
		struct node *value = NULL;
		unsigned line = w->line, column = w->column;

		if (is_map) {
			skip_string(w);
			skip_blanks(w);
			skip_mark(w);
		}
		rc = walk_value(w, item, &value);
		if (rc == 0)
			rc = is_map ? mapkeys_add(&m, w->name, item->string, line, column, value)
				    : node_push(m.map, value);
		skip_blanks(w);
		if (item->next != NULL)
			skip_mark(w);
	}
	advance(w, 1);
	if (rc == 0) {
		*out = m.map;
		m.map = NULL;
	}
	mapkeys_release(&m);
	return rc;
}

static int walk_value(struct walk *w, const cJSON *item, struct node **out)
{
	struct walk start = *w;
	int rc = 0;

	if (++w->depth > YAML_DEPTH_MAX)
		return err_set(ERR_LIMIT, "%s:%u:%u: nested more than %d levels deep", w->name,
			w->line, w->column, YAML_DEPTH_MAX);
	if (cJSON_IsObject(item) || cJSON_IsArray(item))
		rc = walk_items(w, item, out);
	else if ((*out = walk_scalar(w, item)) == NULL)
		rc = err_set(ERR_NOMEM, "out of memory");
	w->depth--;
	if (rc < 0)
		return rc;
	(*out)->line = start.line;
	(*out)->column = start.column;
	(*out)->start = w->bom + start.at;
	(*out)->end = w->bom + w->at;
	return 0;
}

static int walk_document(struct walk *w, const cJSON *root, struct node **out)
{
	w->at = 0;
	w->line = w->first_line;
	w->column = 1;
	skip_blanks(w);
	return walk_value(w, root, out);
}

int json_parse(struct node **out, const char *name, const void *text, size_t len)
{
	return json_parse_at(out, name, 1, text, len);
}

int json_parse_at(struct node **out, const char *name, unsigned line, const void *text, size_t len)
{
	struct walk w = {.name = name, .first_line = line, .line = line, .column = 1};
	char *copy = NULL, *original = NULL;
	cJSON *tree = NULL;
	int rc = doc_check_size(name, len);

	if (rc < 0)
		return rc;
	if (len >= 3 && !memcmp(text, BOM, 3))
		w.bom = 3;
	len -= w.bom;
	original = malloc(len + 1);
	copy = malloc(len + 1);
	if (original == NULL || copy == NULL) {
		rc = err_set(ERR_NOMEM, "out of memory");
		goto done;
	}
	memcpy(original, (const char *)text + w.bom, len);
	original[len] = '\0';
	memcpy(copy, original, len + 1);
	w.text = original;
	rc = check_text(&w, copy);
	if (rc == 0 && w.at < len)
		rc = fail(&w, "a NUL character; this is not JSON");
	if (rc < 0)
		goto done;
	if (strspn(original, " \t\r\n") == len) {
		*out = node_null();
		rc = *out == NULL ? err_set(ERR_NOMEM, "out of memory") : 0;
		goto done;
	}
	rc = parse_copy(&tree, &w, copy, len);
	if (rc == 0)
		rc = walk_document(&w, tree, out);
done:
	cJSON_Delete(tree);
	free(original);
	free(copy);
	return rc;
}
