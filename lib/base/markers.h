/*
 * Conflict markers, as Git's text merge writes them: a line of seven (or more) '<', '|', '=' or '>'
 * and a label.
 */
#ifndef LIB_BASE_MARKERS_H
#define LIB_BASE_MARKERS_H

#include <stddef.h>

#include "lib/base/buf.h"

enum { MARKERS_SIZE = 7 };

/* Append the line: `size` times c (0: MARKERS_SIZE), " <label>" unless that is NULL, `eol`. */
int markers_add(struct buf *out, char c, int size, const char *label, const char *eol);

/* 1 if this line, of which `len` bytes are there, begins or ends a conflict: '<' or '>' at least
 * MARKERS_SIZE times, and then a blank. */
int markers_at(const char *line, size_t len);

#endif
