/*
 * Bytes of one file to values (docs/metrics.md, "Formats"): documents by lib/yaml, tables and plain
 * text here.  Pure: the bytes come from any commit of anybody.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/err.h"
#include "lib/base/strmap.h"
#include "lib/metrics/values.h"
#include "lib/table/csvread.h"
#include "lib/yaml/yaml.h"

enum { RAW_MAX = 64 * 1024 };

/* ---- tables ---- */

struct reading {
	const char *name;
	struct strvec header;
	int always_header; /* the first row is one, whatever it holds */
	int seen_first;
	struct node *rows;
	size_t n_values;
};

static int is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

/* A copy without white space around it, or NULL when out of memory. */
static char *trimmed(const char *text, size_t len)
{
	char *copy;

	for (; len > 0 && is_space(text[len - 1]); len--)
		;
	for (; len > 0 && is_space(*text); text++)
		len--;
	copy = strndup(len > 0 ? text : "", len);
	if (!copy)
		err_set(ERR_NOMEM, "out of memory");
	return copy;
}

/* The text as a plain YAML scalar, or NULL when out of memory. */
static struct node *scalar_of(const char *text, size_t len)
{
	char *copy = trimmed(text, len);
	struct node *n = copy ? node_of_plain(copy) : NULL;

	free(copy);
	if (!n)
		err_set(ERR_NOMEM, "out of memory");
	return n;
}

static int is_number(const char *field, size_t len, int *yes)
{
	struct node *n = scalar_of(field, len);

	if (!n)
		return ERR_NOMEM;
	*yes = node_is_number(n);
	node_free(n);
	return 0;
}

/* Make the row the header; no two columns have one name. */
static int keep_header(struct reading *r, const struct csvread_row *row)
{
	struct strmap names = STRMAP_INIT;
	char *name;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < row->n; i++) {
		if (!(name = trimmed(row->v[i], row->len[i]))) {
			rc = ERR_NOMEM;
			break;
		}
		if (strmap_has(&names, name))
			rc = err_set(ERR_INVALID, "%s:%llu: two columns have the name '%s'",
				r->name, (unsigned long long)row->line, name);
		if (rc == 0)
			rc = strmap_put(&names, name, NULL);
		if (rc == 0)
			rc = strvec_push(&r->header, name);
		free(name);
	}
	strmap_release(&names, NULL);
	return rc;
}

/* 1 if the first row names the columns: then it is kept. */
static int take_header(struct reading *r, const struct csvread_row *row)
{
	int number = 0, rc = 0;

	for (size_t i = 0; rc == 0 && !r->always_header && !number && i < row->n; i++)
		rc = is_number(row->v[i], row->len[i], &number);
	if (rc == 0 && !number)
		rc = keep_header(r, row);
	return rc < 0 ? rc : !number;
}

static int add_row(struct reading *r, const struct csvread_row *row)
{
	struct node *map = node_map();
	char place[24];
	int rc = map ? 0 : err_set(ERR_NOMEM, "out of memory");

	for (size_t i = 0; rc == 0 && i < row->n; i++) {
		struct node *value = scalar_of(row->v[i], row->len[i]);

		if (!value) {
			rc = ERR_NOMEM;
			break;
		}
		snprintf(place, sizeof place, "%zu", i);
		rc = node_append(map, i < r->header.n ? r->header.v[i] : place, value);
	}
	r->n_values += row->n + 1;
	if (rc == 0 && r->n_values > YAML_NODES_MAX)
		rc = err_set(ERR_LIMIT, "%s: more than %d values", r->name, YAML_NODES_MAX);
	if (rc < 0) {
		node_free(map);
		return rc;
	}
	map->line = (unsigned)row->line;
	return node_push(r->rows, map);
}

static int take_row(const struct csvread_row *row, void *data)
{
	struct reading *r = data;
	int rc;

	if (!r->seen_first) {
		r->seen_first = 1;
		rc = take_header(r, row);
		if (rc != 0)
			return rc < 0 ? rc : 0;
	}
	return add_row(r, row);
}

static int parse_table(struct node **out, const char *name, char delimiter, int always_header,
	const void *text, size_t len)
{
	struct reading r = {.name = name, .always_header = always_header};
	int rc;

	if (!(r.rows = node_list()))
		return err_set(ERR_NOMEM, "out of memory");
	rc = csvread_text(name, delimiter ? delimiter : csvread_delimiter_of("", text, len), text,
		len, take_row, &r);
	strvec_release(&r.header);
	if (rc < 0)
		node_free(r.rows);
	else
		*out = r.rows;
	return rc;
}

/* ---- text ---- */

static int parse_raw(struct node **out, const char *name, const void *data, size_t len)
{
	const char *text = data;

	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		len -= 3;
	}
	if (len > RAW_MAX)
		return err_set(ERR_LIMIT,
			"%s: more than %d bytes of plain text; which format it has says 'git dvx "
			"metrics modify --type'",
			name, RAW_MAX);
	if (len > 0 && memchr(text, '\0', len))
		return err_set(ERR_INVALID, "%s: neither text nor a format that is known", name);
	*out = scalar_of(text, len);
	return *out ? 0 : ERR_NOMEM;
}

/* ---- by type ---- */

static const char *type_of_name(const char *name)
{
	const char *slash = strrchr(name, '/'), *dot = strrchr(slash ? slash : name, '.');

	return dot ? dot + 1 : "raw";
}

static const struct {
	const char *type;
	/* NULL: a table */
	int (*parse)(struct node **out, const char *name, const void *text, size_t len);
	char delimiter; /* NUL: whatever the first line is divided by */
	int always_header;
} types[] = {{"json", json_parse, '\0', 0}, {"yaml", yaml_parse, '\0', 0},
	{"yml", yaml_parse, '\0', 0}, {"toml", toml_parse, '\0', 0}, {"raw", parse_raw, '\0', 0},
	{"csv", NULL, '\0', 0}, {"tsv", NULL, '\t', 0}, {"hcsv", NULL, '\0', 1},
	{"htsv", NULL, '\t', 1}};

enum { N_TYPES = sizeof types / sizeof *types };

static size_t find_type(const char *type)
{
	size_t i = 0;

	while (i < N_TYPES && strcasecmp(type, types[i].type) != 0)
		i++;
	return i;
}

int values_check_type(const char *type)
{
	if (find_type(type) < N_TYPES)
		return 0;
	return err_set(ERR_INVALID,
		"unknown type '%s'; there are json, yaml, toml, csv, tsv, hcsv, htsv and raw",
		type);
}

int values_parse(
	struct node **out, const char *name, const char *type, const void *text, size_t len)
{
	const size_t i = find_type(type ? type : type_of_name(name));

	if (i == N_TYPES)
		return type ? values_check_type(type) : parse_raw(out, name, text, len);
	if (types[i].parse != NULL)
		return types[i].parse(out, name, text, len);
	return parse_table(out, name, types[i].delimiter, types[i].always_header, text, len);
}
