/*
 * Places and style in the text of a file of stages, for stageedit.c alone.  Pure.
 */
#ifndef LIB_PIPELINE_STAGEEDIT_TEXT_H
#define LIB_PIPELINE_STAGEEDIT_TEXT_H

#include "lib/base/buf.h"
#include "lib/yaml/node.h"

/* How a file is written, so that what is added looks like the rest. */
struct stageedit_style {
	size_t step;	 /* columns from a key to the keys of its map */
	size_t dash;	 /* columns from a key to the "-" of its list */
	int blank_lines; /* stages are separated by an empty line */
	const char *eol; /* "\n" or "\r\n" */
};
/* By the first stages that there are; DVC's own where they say nothing.  `stages` may be NULL. */
void stageedit_style(
	struct stageedit_style *out, const struct buf *text, const struct node *stages);

/* Whole lines of the text. */
struct stageedit_lines {
	size_t start, end; /* bytes; `end` is behind the line ending, if there is one */
	size_t indent;	   /* columns before the key */
};
/* The lines of an entry of a block map, found by its value: key and all that belongs to it. */
void stageedit_entry(struct stageedit_lines *out, const struct buf *text, const struct node *value);
/* Let `l` begin with the comment lines directly above it, as far as they are not indented more. */
void stageedit_take_comments(struct stageedit_lines *l, const struct buf *text);
/* 1 if the line that begins at `pos` has nothing but white space. */
int stageedit_is_blank(const struct buf *text, size_t pos);
/* Begin of the line before the one that begins at `pos` (> 0). */
size_t stageedit_line_before(const struct buf *text, size_t pos);
/* 1 if a map or list is written in braces or brackets. */
int stageedit_is_flow(const struct buf *text, const struct node *n);

/* Replace bytes [start, end) of the text. */
int stageedit_splice(struct buf *text, size_t start, size_t end, const void *data, size_t len);
/* Put an entry before the closing brace of a flow map. */
int stageedit_flow_add(
	struct buf *text, const struct node *map, const char *key, const struct node *value);
/* Cut the entry at `i`, and one comma. */
int stageedit_flow_remove(struct buf *text, const struct node *map, size_t i);
/* Append a map as block text, each line with this indentation. */
int stageedit_emit(struct buf *out, const struct node *map, size_t indent,
	const struct stageedit_style *style);

#endif
