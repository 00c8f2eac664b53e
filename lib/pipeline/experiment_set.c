/*
 * What `-S [file:]key=value` means: a list of combinations when values are several, and a change in
 * the text of a parameter file.  Pure.
 *
 * The forms are those that DVC took over from Hydra: "0.1,0.01" and choice(…) are alternatives,
 * range(a,b,step) counts, "+key" adds, "++key" adds or changes.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/pipeline/experiment_internal.h"
#include "lib/yaml/yaml.h"

/* ---- values ---- */

/* Length of the first of a list's values: to the next comma that is outside of quotes and
 * brackets. ERR_INVALID when one of these is not closed. */
static int value_length(size_t *out, const char *text)
{
	size_t i, depth = 0;
	char quote = '\0';

	for (i = 0; text[i]; i++) {
		if (quote) {
			if (text[i] == quote)
				quote = '\0';
			else if (quote == '"' && text[i] == '\\' && text[i + 1])
				i++;
		} else if (text[i] == '"' || text[i] == '\'') {
			quote = text[i];
		} else if (strchr("[{(", text[i])) {
			depth++;
		} else if (strchr("]})", text[i]) && depth > 0) {
			depth--;
		} else if (text[i] == ',' && depth == 0) {
			break;
		}
	}
	*out = i;
	return quote || depth ? ERR_INVALID : 0;
}

static int split_values(struct strvec *out, const char *text, const char *arg)
{
	size_t len;

	for (;;) {
		while (*text == ' ')
			text++;
		if (value_length(&len, text) < 0)
			return err_set(ERR_INVALID,
				"'%s': a quote or bracket is not closed; quote the value for YAML",
				arg);
		if (strvec_pushn(out, text, len) < 0)
			return ERR_NOMEM;
		if (!text[len])
			return 0;
		text += len + 1;
	}
}

/* The text between the brackets of "<name>(…)", or NULL. */
static char *call_arguments(const char *value, const char *name)
{
	size_t n = strlen(name), len = strlen(value);

	if (strncmp(value, name, n) != 0 || value[n] != '(' || value[len - 1] != ')')
		return NULL;
	return strndup(value + n + 1, len - n - 2);
}

static int is_number(const char *text, double *out)
{
	char *end;

	errno = 0;
	*out = strtod(text, &end);
	return end != text && *end == '\0' && errno == 0 && isfinite(*out);
}

/* range(start,stop[,step]): from start on, before stop. */
static int range_values(struct strvec *out, const char *text, const char *arg)
{
	struct strvec parts = STRVEC_INIT;
	double v[3] = {0, 0, 1};
	int rc = split_values(&parts, text, arg);

	if (rc == 0 && parts.n == 1) /* range(stop) */
		rc = is_number(parts.v[0], &v[1]) ? 0 : ERR_INVALID;
	else
		for (size_t i = 0; rc == 0 && i < parts.n; i++)
			rc = i < 3 && is_number(parts.v[i], &v[i]) ? 0 : ERR_INVALID;
	if (rc == 0 && (v[2] == 0 || (v[1] - v[0]) / v[2] > EXPERIMENT_COMBINATIONS_MAX))
		rc = ERR_INVALID;
	if (rc == ERR_INVALID)
		err_set(rc, "'%s': write range(start,stop[,step]) with numbers, at most %d of them",
			arg, EXPERIMENT_COMBINATIONS_MAX);
	for (int i = 0; rc == 0; i++) {
		double x = v[0] + i * v[2];

		/* what is as good as `stop` for its rounding is not before it */
		if ((v[1] - x) / v[2] < 1e-9)
			break;
		rc = strvec_pushf(out, "%.12g", x);
	}
	strvec_release(&parts);
	if (rc == 0 && out->n == 0)
		rc = err_set(ERR_INVALID, "'%s' is an empty range", arg);
	return rc;
}

/* All values that the text behind "=" stands for. */
static int expand_value(struct strvec *out, const char *value, const char *arg)
{
	char *choice = call_arguments(value, "choice");
	char *range = choice ? NULL : call_arguments(value, "range");
	int rc = range ? range_values(out, range, arg)
		       : split_values(out, choice ? choice : value, arg);

	free(choice);
	free(range);
	return rc;
}

/* ---- combinations ---- */

size_t exp_set_file_length(const char *set)
{
	size_t key_end = strcspn(set, "="), at = key_end;

	while (at > 0 && set[at - 1] != ':')
		at--;
	return at > 0 ? at - 1 : 0;
}

static int check_argument(const char *arg)
{
	const char *equals = strchr(arg, '=');
	size_t file = exp_set_file_length(arg), key = file ? file + 1 : 0;

	if (arg[key] == '~')
		return err_set(ERR_UNSUPPORTED, "'%s': a parameter cannot be removed here", arg);
	key += strspn(arg + key, "+");
	if (!equals || arg + key >= equals || strchr(arg, '\n'))
		return err_set(ERR_INVALID, "'%s' is no parameter; write [file:]key=value", arg);
	return 0;
}

/* Every list so far, once for each of the values. */
static int multiply(struct strvec **lists, size_t *n, const char *arg, size_t key_len,
	const struct strvec *values)
{
	struct strvec *more = NULL;
	size_t total;
	int rc = 0;

	if (*n > EXPERIMENT_COMBINATIONS_MAX / values->n)
		return err_set(ERR_LIMIT, "more than %d combinations of parameters",
			EXPERIMENT_COMBINATIONS_MAX);
	total = *n * values->n;
	more = calloc(total, sizeof(*more));
	if (!more)
		return err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; rc == 0 && i < total; i++) {
		const struct strvec *old = &(*lists)[i / values->n];

		for (size_t k = 0; rc == 0 && k < old->n; k++)
			rc = strvec_push(&more[i], old->v[k]);
		if (rc == 0)
			rc = strvec_pushf(
				&more[i], "%.*s=%s", (int)key_len, arg, values->v[i % values->n]);
	}
	for (size_t i = 0; i < *n; i++)
		strvec_release(&(*lists)[i]);
	free(*lists);
	*lists = more;
	*n = total;
	return rc;
}

int experiment_combine(struct strvec **out, size_t *n, const struct strvec *args)
{
	struct strvec values = STRVEC_INIT;
	struct strvec *lists = calloc(1, sizeof(*lists));
	size_t count = 1;
	int rc = lists ? 0 : err_set(ERR_NOMEM, "out of memory");

	for (size_t i = 0; rc == 0 && i < args->n; i++) {
		const char *arg = args->v[i];
		size_t key_len = strcspn(arg, "=");

		rc = check_argument(arg);
		if (rc == 0)
			rc = expand_value(&values, arg + key_len + 1, arg);
		if (rc == 0)
			rc = multiply(&lists, &count, arg, key_len, &values);
		strvec_release(&values);
	}
	if (rc < 0) {
		for (size_t i = 0; lists && i < count; i++)
			strvec_release(&lists[i]);
		free(lists);
		return rc;
	}
	*out = lists;
	*n = count;
	return 0;
}

/* ---- changing the text ---- */

/* "[1, 2]" and "'quoted'" as YAML reads them, everything else as a plain scalar. */
static int parse_value(struct node **out, const char *text, const char *assignment)
{
	int rc;

	if (!*text || !strchr("[{\"'", *text)) {
		*out = node_of_plain(text);
		return *out ? 0 : err_set(ERR_NOMEM, "out of memory");
	}
	rc = yaml_parse(out, "value", text, strlen(text));
	return rc < 0 ? err_prefix(rc, "'%s'", assignment) : 0;
}

/* "a.b.c" where there is not even an "a.b": the key of what has to be made is cut to "a.b" (or
 * "a"), and the value becomes a map. */
static int wrap(const struct node *root, char *key, struct node **value)
{
	for (;;) {
		char *dot = strrchr(key, '.');
		struct node *map;
		int there;

		if (!dot)
			return 0;
		*dot = '\0';
		there = node_at(root, key) != NULL;
		if (there) { /* its parent is there */
			*dot = '.';
			return 0;
		}
		map = node_map();
		if (!map)
			return err_set(ERR_NOMEM, "out of memory");
		if (node_set(map, dot + 1, *value) < 0) {
			node_free(map);
			*value = NULL;
			return ERR_NOMEM;
		}
		*value = map;
	}
}

int exp_set_apply(struct buf *text, const char *file, const char *assignment)
{
	size_t plus = strspn(assignment, "+"), len = strcspn(assignment + plus, "=");
	char *key = strndup(assignment + plus, len);
	struct node *root = NULL, *value = NULL;
	int there = 0, rc = key ? 0 : err_set(ERR_NOMEM, "out of memory");

	if (rc == 0)
		rc = doc_parse(&root, file, buf_str(text), text->len);
	if (rc < 0)
		goto done;
	there = node_at(root, key) != NULL;
	if (!there && plus == 0)
		rc = err_set(ERR_NOTFOUND, "no parameter '%s' in '%s'; -S '+%s' adds it", key, file,
			assignment);
	else if (there && plus == 1)
		rc = err_set(ERR_EXISTS, "'%s' has a parameter '%s'; -S '%s' changes it", file, key,
			assignment + 1);
	if (rc == 0)
		rc = parse_value(&value, assignment + plus + len + 1, assignment);
	if (rc == 0 && !there)
		rc = wrap(root, key, &value);
	if (rc == 0)
		rc = doc_set(text, file, key, value);
done:
	node_free(root);
	node_free(value);
	free(key);
	return rc;
}
