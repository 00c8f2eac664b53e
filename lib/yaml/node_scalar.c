/*
 * Scalars: which type a plain text has (YAML 1.2, section 10.3.2), and numbers as text.
 *
 * Numbers keep the text they were written with, because a double does not hold every integer and
 * people want to see what they wrote.  Two numbers are equal when their canonical texts are.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/yaml/yaml_internal.h"
#include "lib/base/err.h"

#define TWO_TO_63 9223372036854775808.0
#define DIGITS	  "0123456789"

enum { NUMBER_LEN = 40 };

static int one_of(const char *text, const char *const *words)
{
	for (; *words != NULL; words++)
		if (!strcmp(text, *words))
			return 1;
	return 0;
}

static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
static const char *const trues[] = {"true", "True", "TRUE", NULL};
static const char *const falses[] = {"false", "False", "FALSE", NULL};
static const char *const infinities[] = {".inf", ".Inf", ".INF", NULL};
static const char *const nans[] = {".nan", ".NaN", ".NAN", NULL};

/* 10 for [-+]?[0-9]+, 8 for 0o[0-7]+, 16 for 0x[0-9a-fA-F]+, else 0. */
static int integer_base(const char *text)
{
	const char *sign = text + (*text == '-' || *text == '+');

	if (!strncmp(text, "0o", 2) && text[2] && strspn(text + 2, "01234567") == strlen(text + 2))
		return 8;
	if (!strncmp(text, "0x", 2) && text[2] &&
		strspn(text + 2, "0123456789abcdefABCDEF") == strlen(text + 2))
		return 16;
	return *sign && strspn(sign, DIGITS) == strlen(sign) ? 10 : 0;
}

/* [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )? */
static int is_float(const char *text)
{
	const char *p = text + (*text == '-' || *text == '+');
	size_t whole = strspn(p, DIGITS), part = 0;

	p += whole;
	if (*p == '.') {
		part = strspn(p + 1, DIGITS);
		p += 1 + part;
	}
	if (!whole && !part)
		return 0;
	if (*p == 'e' || *p == 'E') {
		p++;
		p += *p == '-' || *p == '+';
		if (!strspn(p, DIGITS))
			return 0;
		p += strspn(p, DIGITS);
	}
	return *p == '\0';
}

/* Fills the number in.  1 if the text is one. */
static int read_number(struct node *n)
{
	const char *text = n->text, *sign = text + (*text == '-' || *text == '+');
	int base = integer_base(text);

	if (base) {
		errno = 0;
		n->i = strtoll(base == 8 ? text + 2 : text, NULL, base);
		if (errno == 0) {
			n->type = NODE_INT;
			n->f = (double)n->i;
			return 1;
		}
		n->i = 0;
		n->f = base == 8 ? (double)strtoull(text + 2, NULL, 8) : strtod(text, NULL);
	} else if (is_float(text)) {
		n->f = strtod(text, NULL);
	} else if (one_of(sign, infinities)) {
		n->f = *text == '-' ? -INFINITY : INFINITY;
	} else if (one_of(text, nans)) {
		n->f = NAN;
	} else {
		return 0;
	}
	n->type = NODE_FLOAT;
	return 1;
}

struct node *node_of_plain(const char *text)
{
	struct node *n = node_string(text);

	if (n == NULL)
		return NULL;
	if (one_of(text, nulls))
		n->type = NODE_NULL;
	else if (one_of(text, trues) || one_of(text, falses))
		n->type = NODE_BOOL;
	else
		read_number(n);
	if (n->type == NODE_BOOL)
		n->i = one_of(text, trues);
	return n;
}

/* The fewest digits that read back as the same double. */
static void shortest(char text[static NUMBER_LEN], double value)
{
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, NUMBER_LEN, "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			return;
	}
}

struct node *node_float(double value)
{
	char text[NUMBER_LEN];
	struct node *n;

	if (isnan(value)) {
		snprintf(text, sizeof(text), ".nan");
	} else if (isinf(value)) {
		snprintf(text, sizeof(text), "%s", value < 0 ? "-.inf" : ".inf");
	} else {
		shortest(text, value);
		if (strcspn(text, ".e") == strlen(text))
			snprintf(text + strlen(text), sizeof(text) - strlen(text), ".0");
	}
	n = node_new(NODE_FLOAT, text, strlen(text));
	if (n != NULL)
		n->f = value;
	return n;
}

int node_is_big(const struct node *n)
{
	return n->type == NODE_FLOAT && integer_base(n->text) == 10;
}

int node_add_number(struct buf *out, const struct node *n)
{
	char text[NUMBER_LEN];

	if (n->type == NODE_INT)
		return buf_addf(out, "%" PRId64, n->i);
	if (isnan(n->f))
		return buf_addstr(out, "NaN");
	if (isinf(n->f) && !node_is_big(n))
		return buf_addstr(out, n->f < 0 ? "-Infinity" : "Infinity");
	if (node_is_big(n)) {
		const char *digits = n->text + (*n->text == '-' || *n->text == '+');

		digits += strspn(digits, "0");
		return buf_addf(out, "%s%s", *n->text == '-' ? "-" : "", digits);
	}
	if (n->f == floor(n->f) && fabs(n->f) < TWO_TO_63)
		return buf_addf(out, "%" PRId64, (int64_t)n->f);
	shortest(text, n->f);
	return buf_addstr(out, text);
}

int node_is_json_number(const char *text, size_t len)
{
	const char *end = text + len, *p = text + (len && *text == '-');
	size_t digits;

	digits = strspn(p, DIGITS);
	if (!digits || (digits > 1 && *p == '0'))
		return 0;
	p += digits;
	if (p < end && *p == '.') {
		p++;
		digits = strspn(p, DIGITS);
		if (!digits)
			return 0;
		p += digits;
	}
	if (p < end && (*p == 'e' || *p == 'E')) {
		p++;
		p += *p == '-' || *p == '+';
		digits = strspn(p, DIGITS);
		if (!digits)
			return 0;
		p += digits;
	}
	return p == end;
}
