/*
 * Tables in files, as row diffs and row merges see them: CSV, TSV, JSON Lines (docs/row-diff.md).
 * Rows are read in pieces from a file descriptor; nothing is held but what the caller keeps.
 */
#ifndef LIB_TABLE_ROWS_H
#define LIB_TABLE_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/strvec.h"

enum rows_format {
	ROWS_CSV = 1, /* RFC 4180 with any of the delimiters of csvread_delimiter_of */
	ROWS_TSV,     /* the same with TAB */
	ROWS_JSONL    /* one JSON object a line; its keys are the columns */
};

/* By the extension: .csv .tsv .jsonl .ndjson (.tab as .tsv), of either case.  1 and *out, or 0: no
 * table. */
int rows_format_of(const char *path, enum rows_format *out);

/* A file to read from its start, by pread.  fd -1: there is no such file, which is no rows. */
struct rows_file {
	const char *name; /* for messages */
	int fd;
	uint64_t size;
};

/* Number of rows (without the header) and names of the columns (appended; may be NULL; of JSON
 * Lines in order of first appearance).  0; ERR_INVALID "<name>:<line>: …". */
int rows_count(
	uint64_t *rows, struct strvec *columns, const struct rows_file *f, enum rows_format format);

#endif
