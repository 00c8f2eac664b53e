/*
 * UTF-8 (RFC 3629), where JSON demands it: paths may hold any bytes, JSON may not.
 */
#ifndef LIB_BASE_UTF8_H
#define LIB_BASE_UTF8_H

#include <stddef.h>

#include "lib/base/buf.h"

/* Bytes of the well-formed sequence at `p` (NUL-terminated text), 0 if there is none. */
size_t utf8_len(const char *p);
/* 1 if all of this NUL-terminated text is well-formed, else 0. */
int utf8_valid(const char *text);
/* Append; what is not UTF-8 becomes U+FFFD.  0, ERR_LIMIT, ERR_NOMEM. */
int utf8_add(struct buf *out, const char *text);

#endif
