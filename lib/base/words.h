/*
 * A line of arguments taken apart as a shell would (POSIX shell, 2.2 and 2.6.2), without one; and
 * the other way round.
 */
#ifndef LIB_BASE_WORDS_H
#define LIB_BASE_WORDS_H

#include "lib/base/buf.h"
#include "lib/base/strvec.h"

/* Append the words: blanks separate them; '…', "…" and backslashes quote; $NAME, ${NAME} (not in
 * '…') and a leading "~/" are replaced by the environment.  Wildcards are letters.  0; ERR_INVALID:
 * a quote without end; ERR_UNSUPPORTED: what only a shell can do (|, &, ;, <, >, backquotes, $(…),
 * ${…} with an operator); ERR_NOMEM.  Pure but for the environment. */
int words_split(struct strvec *out, const char *line);

/* Append a word so that a shell takes it for just that: as it is where nothing in it is special,
 * else in single quotes. */
int words_quote(struct buf *out, const char *word);

#endif
