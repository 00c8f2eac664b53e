/*
 * How much of a file is new, as people read it, and when it is told unasked.
 */
#ifndef COMMANDS_SHARE_H
#define COMMANDS_SHARE_H

#include <stdint.h>

#include "lib/base/buf.h"

/* 1 if two files of these sizes may be read for it without being asked: not so small that a comma
 * makes all of the file new, not so large that it takes noticeable time. */
int share_is_cheap(uint64_t old_size, uint64_t now_size);
/* Append "0.2 % changed". */
int share_text(struct buf *out, uint64_t changed, uint64_t size);

#endif
