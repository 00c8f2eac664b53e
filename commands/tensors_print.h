/*
 * What changed inside of a model file, as text, Markdown and JSON, and what is in one; see
 * rows_print.h, whose options and style these have.
 */
#ifndef COMMANDS_TENSORS_PRINT_H
#define COMMANDS_TENSORS_PRINT_H

#include "commands/rows_print.h"
#include "lib/tensor/tensordiff.h"

/* The summary, the metadata, then the first `most` tensors, to stdout.  0 or a negative error. */
int tensors_print_text(const struct tensordiff *d, const struct rows_print *o);
/* The same in a fenced block of Markdown; `color` and `indent` are not looked at. */
int tensors_print_markdown(const struct tensordiff *d, const struct rows_print *o);
/* The word for a kind of change, "added".  Static. */
const char *tensors_print_kind(enum tensordiff_kind kind);
/* As docs/tensor-diff.md has it; *out is yours. */
int tensors_print_node(struct node **out, const struct tensordiff *d, size_t most);

/* Append what is in a file, one line each, so that lines of two versions can be compared: its
 * metadata, then its tensors; `hashes` reads all data and adds their hashes.  0 or a negative
 * error. */
int tensors_print_list(struct buf *out, struct tensor_file *t, int hashes);

#endif
