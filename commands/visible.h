/*
 * Text from outside - cells, names of tensors, paths - as people see it: in one line, without
 * anything that a terminal would obey.
 */
#ifndef COMMANDS_VISIBLE_H
#define COMMANDS_VISIBLE_H

#include "lib/base/buf.h"

/* Longer text is cut, with an ellipsis. */
enum { VISIBLE_MOST = 2000 };

/* Append: a line end as "\n", other control characters as '?' (tabs stay), what is not UTF-8 as
 * U+FFFD. */
int visible_text(struct buf *out, const char *text);
/* The same for a value among others: in double quotes where it is empty, or could be taken for more
 * than one value.  NULL: "(none)". */
int visible_value(struct buf *out, const char *text);
/* Append a path, in double quotes and with escapes as Git writes it where that is needed; `escape`
 * (0: none) gets a backslash in any case. */
int visible_path(struct buf *out, const char *path, char escape);

#endif
