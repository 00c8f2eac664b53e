/*
 * Thread-local error message behind err.h.  A fixed slot: reporting out-of-memory must not
 * allocate.
 */
#include "lib/base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { ERR_MSG_MAX = 2048 };

static _Thread_local char message[ERR_MSG_MAX];

char *err_printable(char *text)
{
	for (char *p = text; *p; p++) {
		unsigned char c = (unsigned char)*p;

		if ((c < ' ' && c != '\n' && c != '\t') || c == 0x7f)
			*p = '?';
		else if (c == 0xc2 && ((unsigned char)p[1] & 0xe0) == 0x80) /* U+0080 to U+009F */
			p[0] = p[1] = '?';
	}
	return text;
}

int err_set(int code, const char *fmt, ...)
{
	char text[ERR_MSG_MAX]; /* arguments may point into the present message */
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	memcpy(message, err_printable(text), sizeof message);
	return code;
}

static int code_of_errno(int e)
{
	switch (e) {
	case ENOENT:
	case ENOTDIR:
		return ERR_NOTFOUND;
	case EEXIST:
		return ERR_EXISTS;
	case EACCES:
	case EPERM:
	case EROFS:
		return ERR_DENIED;
	case ENOMEM:
		return ERR_NOMEM;
	default:
		return ERR_IO;
	}
}

int err_sys(const char *fmt, ...)
{
	int saved = errno;
	char text[ERR_MSG_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	snprintf(message, sizeof message, "%.1900s: %s", text, strerror(saved));
	err_printable(message);
	errno = saved;
	return code_of_errno(saved);
}

int err_no_memory(void)
{
	return err_set(ERR_NOMEM, "out of memory");
}

int err_prefix(int code, const char *fmt, ...)
{
	char text[ERR_MSG_MAX], old[ERR_MSG_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	memcpy(old, message, sizeof old);
	snprintf(message, sizeof message, "%.900s: %.1100s", text, old);
	err_printable(message);
	return code;
}

const char *err_msg(void)
{
	return message;
}

void err_clear(void)
{
	message[0] = '\0';
}
