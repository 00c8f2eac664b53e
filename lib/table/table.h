/*
 * Tables for people and for Markdown: cells of text, columns as wide as they must be and, together,
 * not wider than the terminal.  Pure.
 */
#ifndef LIB_TABLE_TABLE_H
#define LIB_TABLE_TABLE_H

#include <stddef.h>

#include "lib/base/buf.h"

struct table;

enum table_align { TABLE_LEFT, TABLE_RIGHT };
enum table_format { TABLE_TEXT, TABLE_MARKDOWN, TABLE_CSV, TABLE_TSV };

int table_new(struct table **out);
void table_free(struct table *t);
/* All columns before the first cell. */
int table_column(struct table *t, const char *title, enum table_align align);
/* Cells of a row from the left; a row that is ended early has empty ones.  Control characters are
 * shown as '?', what is not UTF-8 as U+FFFD. */
int table_cell(struct table *t, const char *text);
int table_end_row(struct table *t);
size_t table_rows(const struct table *t);

/* Append.  TABLE_TEXT: two blanks between columns, no blanks at line ends; `width` > 0 is the most
 * columns of a terminal to use: then the widest columns are cut, in the middle, by an ellipsis,
 * never below 8 columns and never the numbers, and none where that is not enough.  East Asian wide
 * characters count two.  TABLE_CSV by RFC 4180. */
int table_print(const struct table *t, enum table_format format, size_t width, struct buf *out);

/* Columns of the terminal at `fd`; 0 when it is none (then nothing is cut). */
size_t table_terminal_width(int fd);

#endif
