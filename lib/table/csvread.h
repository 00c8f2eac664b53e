/*
 * Reading CSV and TSV (RFC 4180, libcsv behind it), row by row, in pieces.  (Not csv_*: these names
 * are libcsv's.)
 */
#ifndef LIB_TABLE_CSVREAD_H
#define LIB_TABLE_CSVREAD_H

#include <stddef.h>
#include <stdint.h>

struct csvread_row {
	const char *const *v; /* NUL-terminated fields; valid during the call */
	const size_t *len;
	size_t n;
	uint64_t line; /* of the file, from 1, at which the row begins */
};

struct csvread;
/* Non-zero stops the reading. */
typedef int csvread_row_fn(const struct csvread_row *row, void *data);

enum { CSVREAD_FIELD_MAX = 64 * 1024 * 1024, CSVREAD_FIELDS_MAX = 1000000 };

/* `delimiter` ',', '\t', ';' or '|'.  A quote that is not at the beginning of a field is a letter;
 * blanks around fields stay.  A byte order mark at the beginning is skipped, empty lines are.
 * `name` is for messages and copied. */
int csvread_new(
	struct csvread **out, const char *name, char delimiter, csvread_row_fn *fn, void *data);
void csvread_free(struct csvread *c);
/* Before the first bytes: they come from this line (from 1) in the midst of a file, where nothing
 * is a byte order mark. */
void csvread_at(struct csvread *c, uint64_t line);
/* Feed bytes, then end.  0; ERR_INVALID "<name>:<line>: …" (a quote without end), ERR_LIMIT, or
 * what fn returned. */
int csvread_feed(struct csvread *c, const void *bytes, size_t len);
int csvread_end(struct csvread *c);
/* All of these at once. */
int csvread_text(const char *name, char delimiter, const void *text, size_t len, csvread_row_fn *fn,
	void *data);

/* The delimiter that suits this file: by the extension (.tsv: TAB), else the one of ",", ";", TAB,
 * "|" that is most frequent in the first line (',' if none is). */
char csvread_delimiter_of(const char *name, const void *head, size_t len);

#endif
