/*
 * How many columns of a terminal a text takes: independent of the locale, because git-dvx sets
 * none.
 */
#ifndef LIB_TABLE_WIDTH_H
#define LIB_TABLE_WIDTH_H

#include <stddef.h>

/* Columns of the well-formed UTF-8 character of `n` bytes at `p`: 0 (combining marks, joiners), 2
 * (East Asian wide characters, emoji) or 1. */
size_t width_of_char(const char *p, size_t n);
/* Of well-formed UTF-8 text without control characters. */
size_t width_of(const char *text);

#endif
