/*
 * Errors of the library: a negative code as return value, and the message, set where the
 * failure happened and prefixed on its way up, in one slot per thread.  Nothing in lib/ prints or
 * exits; each program's main() prints err_msg() once, behind "error: ".
 */
#ifndef LIB_BASE_ERR_H
#define LIB_BASE_ERR_H

/* What kind of failure.  All are negative, so that `if (foo() < 0)` finds each of them. */
enum err {
	ERR_OK = 0,
	ERR_IO = -1,	       /* the operating system said no; errno is in the message */
	ERR_NOTFOUND = -2,     /* the thing asked for does not exist */
	ERR_EXISTS = -3,       /* it exists already and must not be replaced */
	ERR_CORRUPT = -4,      /* stored bytes are not what they should be */
	ERR_INVALID = -5,      /* the caller's or user's input is wrong */
	ERR_LIMIT = -6,	       /* larger than a documented maximum */
	ERR_NOMEM = -7,	       /* out of memory */
	ERR_LOCKED = -8,       /* somebody else holds the lock */
	ERR_CHANGED = -9,      /* a file changed under us; it was left alone */
	ERR_UNSUPPORTED = -10, /* a format version or feature that this program does not know */
	ERR_REMOTE = -11,      /* the other end failed or refused; may be worth another try */
	ERR_DENIED = -12,      /* permission or policy forbids it */
	ERR_INTERRUPTED = -13  /* stopped on request (SIGINT, SIGTERM) */
};

/* Set the message and return `code`: `return err_set(ERR_INVALID, "bad size '%s'", s);` */
int err_set(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The same with ": <strerror(errno)>" added; picks ERR_NOTFOUND, ERR_EXISTS, ERR_DENIED, ERR_NOMEM
 * or ERR_IO by errno.  errno is kept. */
int err_sys(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* err_set(ERR_NOMEM, "out of memory"), the commonest of all. */
int err_no_memory(void);

/* Put "<text>: " before the present message; returns `code` unchanged. */
int err_prefix(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The message of the last failure in this thread ("" if none).  Borrowed, valid until the next
 * err_*. */
const char *err_msg(void);

/* Replace what a terminal would obey (control characters, also U+0080 to U+009F, but not newline
 * and tab) by '?', in place; returns `text`.  Every message has gone through it: names in it come
 * from anywhere. */
char *err_printable(char *text);

/* Forget the message. */
void err_clear(void);

#endif
