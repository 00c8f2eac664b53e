/*
 * Semantic versions by the grammar and the rules of precedence of semver.org (2.0.0), and the 'v'
 * that tags put before them.  Numbers are bounded so that the next one is a number, too.
 */
#include "lib/registry/semver.h"

#include <string.h>

#include "lib/base/err.h"

enum { DIGITS_MAX = 18 };

static int is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int is_identifier(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
}

/* A number without zeros before it, at *text, which moves behind it.  1, or 0 if there is none. */
static int take_number(uint64_t *out, const char **text)
{
	const char *p = *text;
	size_t n = 0;

	*out = 0;
	for (; is_digit(p[n]) && n <= DIGITS_MAX; n++)
		*out = *out * 10 + (uint64_t)(p[n] - '0');
	*text += n;
	return n > 0 && n <= DIGITS_MAX && (n == 1 || *p != '0');
}

static int take_char(const char **text, char c)
{
	if (**text != c)
		return 0;
	(*text)++;
	return 1;
}

/* A number of an identifier must not begin with a zero (of a pre-release, rule 9). */
static int is_padded_number(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!is_digit(p[i]))
			return 0;
	return n > 1 && *p == '0';
}

/* Identifiers with dots between them into `out` of `size` bytes.  1, or 0. */
static int take_identifiers(char *out, size_t size, const char **text, int is_pre)
{
	const char *p = *text;
	size_t len = 0;

	do {
		size_t n = 0;

		while (is_identifier(p[len + n]))
			n++;
		if (n == 0 || (is_pre && is_padded_number(p + len, n)))
			return 0;
		len += n;
	} while (p[len] == '.' && ++len);
	if (len >= size)
		return 0;
	memcpy(out, p, len);
	out[len] = '\0';
	*text += len;
	return 1;
}

static int parse(struct semver *v, const char *p)
{
	take_char(&p, 'v');
	return take_number(&v->major, &p) && take_char(&p, '.') && take_number(&v->minor, &p) &&
	       take_char(&p, '.') && take_number(&v->patch, &p) &&
	       (!take_char(&p, '-') || take_identifiers(v->pre, sizeof(v->pre), &p, 1)) &&
	       (!take_char(&p, '+') || take_identifiers(v->build, sizeof(v->build), &p, 0)) &&
	       *p == '\0';
}

int semver_parse(struct semver *out, const char *text)
{
	struct semver v = {0};

	if (!parse(&v, text))
		return err_set(ERR_INVALID,
			"'%.80s' is no semantic version; one is '1.2.3' or '1.2.3-rc.1'", text);
	*out = v;
	return 0;
}

/* ---- order ---- */

static int cmp_u64(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* Of two identifiers: numbers by value and before words, words by their bytes. */
static int cmp_identifier(const char *a, size_t a_len, const char *b, size_t b_len)
{
	int a_is_number = strspn(a, "0123456789") >= a_len;
	int b_is_number = strspn(b, "0123456789") >= b_len;
	int rc;

	if (a_is_number != b_is_number)
		return a_is_number ? -1 : 1;
	if (a_is_number && a_len != b_len)
		return a_len < b_len ? -1 : 1;
	rc = memcmp(a, b, a_len < b_len ? a_len : b_len);
	return rc ? rc : cmp_u64(a_len, b_len);
}

static int cmp_pre(const char *a, const char *b)
{
	if (*a == '\0' || *b == '\0')
		return (*a == '\0') - (*b == '\0');
	for (;;) {
		size_t a_len = strcspn(a, "."), b_len = strcspn(b, ".");
		int rc = cmp_identifier(a, a_len, b, b_len);

		if (rc)
			return rc;
		a += a_len;
		b += b_len;
		if (*a == '\0' || *b == '\0')
			return (*a != '\0') - (*b != '\0');
		a++;
		b++;
	}
}

int semver_compare(const struct semver *a, const struct semver *b)
{
	int rc = cmp_u64(a->major, b->major);

	if (rc == 0)
		rc = cmp_u64(a->minor, b->minor);
	if (rc == 0)
		rc = cmp_u64(a->patch, b->patch);
	return rc ? rc : cmp_pre(a->pre, b->pre);
}

void semver_bump(struct semver *v, enum semver_bump which)
{
	/* "2.0.0-rc.1" is on its way to 2.0.0: that is the next major, minor and patch version. */
	int is_pre = v->pre[0] != '\0';

	if (which == SEMVER_MAJOR && !(is_pre && v->minor == 0 && v->patch == 0)) {
		v->major++;
		v->minor = v->patch = 0;
	} else if (which == SEMVER_MINOR && !(is_pre && v->patch == 0)) {
		v->minor++;
		v->patch = 0;
	} else if (which == SEMVER_PATCH && !is_pre) {
		v->patch++;
	}
	v->pre[0] = v->build[0] = '\0';
}

int semver_format(struct buf *out, const struct semver *v)
{
	return buf_addf(out, "v%llu.%llu.%llu%s%s%s%s", (unsigned long long)v->major,
		(unsigned long long)v->minor, (unsigned long long)v->patch, v->pre[0] ? "-" : "",
		v->pre, v->build[0] ? "+" : "", v->build);
}
