/*
 * Argument vectors and path lists (see strvec.h).
 */
#include "lib/base/strvec.h"
#include "lib/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void strvec_release(struct strvec *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->v[i]);
	free(s->v);
	*s = (struct strvec)STRVEC_INIT;
}

static int push_owned(struct strvec *s, char *str)
{
	if (!str)
		return err_set(ERR_NOMEM, "out of memory");
	if (s->n + 2 > s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 16;
		char **v = reallocarray(s->v, cap, sizeof *v);

		if (!v) {
			free(str);
			return err_set(ERR_NOMEM, "out of memory");
		}
		s->v = v;
		s->cap = cap;
	}
	s->v[s->n++] = str;
	s->v[s->n] = NULL;
	return 0;
}

int strvec_push(struct strvec *s, const char *str)
{
	return push_owned(s, strdup(str));
}

/* Not by strndup: the sanitizers take its text for one that ends with a NUL. */
int strvec_pushn(struct strvec *s, const char *str, size_t len)
{
	size_t n = strnlen(str, len);
	char *copy = malloc(n + 1);

	if (copy) {
		memcpy(copy, str, n);
		copy[n] = '\0';
	}
	return push_owned(s, copy);
}

int strvec_pushf(struct strvec *s, const char *fmt, ...)
{
	char *str = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&str, fmt, ap);
	va_end(ap);
	return push_owned(s, n < 0 ? NULL : str);
}

int strvec_pushl(struct strvec *s, ...)
{
	const char *str;
	va_list ap;
	int rc = 0;

	va_start(ap, s);
	while (rc == 0 && (str = va_arg(ap, const char *)))
		rc = strvec_push(s, str);
	va_end(ap);
	return rc;
}

int strvec_eq(const struct strvec *a, const struct strvec *b)
{
	if (a->n != b->n)
		return 0;
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->v[i], b->v[i]) != 0)
			return 0;
	return 1;
}
