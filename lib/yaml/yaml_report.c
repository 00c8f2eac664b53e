/*
 * libyaml's complaints for people who have never heard of tokens: where, what is wrong, what to do.
 * Its texts are matched by their beginning; one that is not known here is passed on as it is.
 */
#include <stdio.h>
#include <string.h>

#include <yaml.h>

#include "lib/yaml/yaml_internal.h"
#include "lib/base/err.h"

/* %zu: the line where the thing began that libyaml was reading (its "context"). */
static const struct {
	const char *problem, *meaning;
} meanings[] = {
	{"mapping values are not allowed",
		"a ':' where no key can be; put a text that holds ': ' in quotes, or mend the "
		"indentation"},
	{"did not find expected key",
		"a key is expected here; check the indentation against the block that begins at "
		"line %zu"},
	{"did not find expected '-' indicator",
		"an item ('- …') is expected here; check the indentation against the list that "
		"begins at line %zu"},
	{"could not find expected ':'",
		"a key without ':'; check the text that begins at line %zu (quotes, indentation)"},
	{"did not find expected ',' or ']'",
		"the list '[…' that begins at line %zu lacks a ',' or its ']'; put a text that "
		"holds '{' or '}' in quotes: [\"a-${item}\"]"},
	{"did not find expected ',' or '}'",
		"the map '{…' that begins at line %zu lacks a ',' or its '}'"},
	{"found unexpected end of stream", "the quote that opens at line %zu is never closed"},
	{"found unexpected document indicator",
		"the quote that opens at line %zu is not closed before this '---' or '...'"},
	{"found unknown escape character",
		"no escape of double quotes; write '\\\\' for a backslash, or use single quotes"},
	{"did not find expected hexdecimal number", "hexadecimal digits are missing behind '\\'"},
	{"found undefined tag handle", "a tag that nothing defines; remove it, or quote the text"},
	{"did not find expected alphabetic or numeric character",
		"a name is missing behind '&' or '*'; put a text that begins so in quotes"},
	{"found unknown directive name", "a text cannot begin with '%'; put it in quotes"},
	{"block sequence entries are not allowed",
		"a '-' where no list can begin; put it on a line of its own, or in quotes"},
	{"block mapping entries are not allowed", "a key cannot stand here; mend the indentation"},
	{"did not find expected <document start>",
		"text behind the end of the document; check the indentation of this line"},
	{"found a tab character that violates indentation",
		"a tab where blanks are needed; indent with blanks"},
	{"found a tab character where an indentation space is expected",
		"a tab where blanks are needed; indent with blanks"},
	{"control characters are not allowed", "a control character; remove it or write it as an "
					       "escape in double quotes"},
};

/* What the character at the mark has to do with it. */
static const char *bad_beginning(const char *text, size_t len, const yaml_mark_t *at)
{
	size_t i = 0;

	/* the mark counts characters, but a wrong guess only costs the hint */
	for (size_t line = 0; line < at->line && i < len; i++)
		line += text[i] == '\n';
	for (size_t column = 0; column < at->column && i < len; i++)
		column += ((unsigned char)text[i] & 0xc0) != 0x80;
	if (i < len && text[i] == '\t')
		return "a tab where blanks are needed; indent with blanks";
	if (i < len && strchr("@`%", text[i]) != NULL)
		return "a value cannot begin with '@', '`' or '%'; put it in quotes";
	return "a value cannot begin like this; put it in quotes";
}

static const char *meaning_of(
	const yaml_parser_t *parser, const char *text, size_t len, const char *problem)
{
	if (!strncmp(problem, "found character that cannot start", 33))
		return bad_beginning(text, len, &parser->problem_mark);
	for (size_t i = 0; i < sizeof(meanings) / sizeof(*meanings); i++)
		if (!strncmp(problem, meanings[i].problem, strlen(meanings[i].problem)))
			return meanings[i].meaning;
	return NULL;
}

/* Errors of the characters have a byte instead of a line. */
static int report_character(
	const yaml_parser_t *parser, const char *name, const char *text, size_t len)
{
	size_t line = 1, column = 1;

	for (size_t i = 0; i < len && i < parser->problem_offset; i++) {
		column += ((unsigned char)text[i] & 0xc0) != 0x80;
		if (text[i] == '\n') {
			line++;
			column = 1;
		}
	}
	if (parser->problem != NULL && !strncmp(parser->problem, "control", 7))
		return err_set(ERR_INVALID,
			"%s:%zu:%zu: control character 0x%02x; remove it, or write it as an escape "
			"in double quotes",
			name, line, column, (unsigned)parser->problem_value);
	return err_set(ERR_INVALID, "%s:%zu:%zu: not UTF-8 (%s); save the file as UTF-8", name,
		line, column, parser->problem != NULL ? parser->problem : "bad character");
}

/* The line of the first mark that a merge left, 0 without one. */
static size_t conflict_line(const char *text, size_t len)
{
	static const char mark[] = "<<<<<<< ";
	size_t line = 1;

	for (const char *at = text, *end = text + len; at != NULL && at < end; line++) {
		if ((size_t)(end - at) >= sizeof(mark) - 1 && !memcmp(at, mark, sizeof(mark) - 1))
			return line;
		at = memchr(at, '\n', (size_t)(end - at));
		at = at != NULL ? at + 1 : NULL;
	}
	return 0;
}

int yaml_report(const yaml_parser_t *parser, const char *name, const char *text, size_t len)
{
	const char *problem = parser->problem != NULL ? parser->problem : "not YAML";
	const char *meaning = meaning_of(parser, text, len, problem);
	size_t line = parser->problem_mark.line + 1, column = parser->problem_mark.column + 1;
	const char *number = meaning != NULL ? strstr(meaning, "%zu") : NULL;
	size_t conflict = conflict_line(text, len);

	if (parser->error == YAML_MEMORY_ERROR)
		return err_set(ERR_NOMEM, "out of memory");
	if (parser->error == YAML_READER_ERROR)
		return report_character(parser, name, text, len);
	if (conflict > 0)
		return err_set(ERR_INVALID,
			"%s:%zu: a merge left a conflict here; decide it, then 'git add' the file",
			name, conflict);
	if (meaning == NULL)
		return err_set(ERR_INVALID, "%s:%zu:%zu: %s%s%s", name, line, column,
			parser->context != NULL ? parser->context : "",
			parser->context != NULL ? ", " : "", problem);
	if (number == NULL)
		return err_set(ERR_INVALID, "%s:%zu:%zu: %s", name, line, column, meaning);
	return err_set(ERR_INVALID, "%s:%zu:%zu: %.*s%zu%s", name, line, column,
		(int)(number - meaning), meaning, parser->context_mark.line + 1, number + 3);
}
