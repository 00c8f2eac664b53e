/*
 * A vector of owned strings, always NULL-terminated, so that `v.v` can be handed to execv().
 */
#ifndef LIB_BASE_STRVEC_H
#define LIB_BASE_STRVEC_H

#include <stddef.h>

struct strvec {
	char **v; /* n strings and a NULL; NULL while empty */
	size_t n;
	size_t cap;
};

#define STRVEC_INIT                                                                                \
	{                                                                                          \
		.v = NULL                                                                          \
	}

/* Free the strings and the vector.  Fine on a zeroed struct. */
void strvec_release(struct strvec *s);
/* Append a copy.  0 or ERR_NOMEM. */
int strvec_push(struct strvec *s, const char *str);
/* Likewise of at most `len` bytes, which need not end with a NUL. */
int strvec_pushn(struct strvec *s, const char *str, size_t len);
int strvec_pushf(struct strvec *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Append copies of several, ended by NULL: strvec_pushl(&v, "git", "status", NULL). */
int strvec_pushl(struct strvec *s, ...) __attribute__((sentinel));
/* 1 if both hold the same strings in the same order, else 0. */
int strvec_eq(const struct strvec *a, const struct strvec *b);

#endif
