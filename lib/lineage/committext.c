/*
 * Taking commit objects apart.  Git is lenient to broken ones in ways of its own, so only what is
 * exactly as Git writes it is read here, and all else left to it.
 */
#include "lib/lineage/committext.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/registry/when.h"

/* Times that have as many digits, and zones that there are. */
enum { DIGITS_LEAST = 6, DIGITS_MOST = 10, ZONE_LEN = 5, ZONE_HOURS_MAX = 14 };

struct person {
	const char *name, *email;
	int name_len, email_len;
	int64_t when;
	int zone; /* minutes east of UTC */
};

/* What Git takes for white space. */
static int is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* "+0530" and the end of the line. */
static int take_zone(int *zone, const char *p)
{
	int n;

	if ((*p != '+' && *p != '-') || strspn(p + 1, "0123456789") != ZONE_LEN - 1 ||
		p[ZONE_LEN] != '\n')
		return 0;
	n = (int)strtol(p + 1, NULL, 10);
	*zone = n / 100 * 60 + n % 100;
	if (*p == '-')
		*zone = -*zone;
	return n / 100 <= ZONE_HOURS_MAX && n % 100 < 60;
}

/* "Ann <ann@example.com> 1700000000 +0100" */
static int take_person(struct person *out, const char *line)
{
	size_t name = strcspn(line, "<>\n"), email, digits;
	const char *p = line + name + 1;

	if (name < 2 || line[name] != '<' || line[name - 1] != ' ' || is_space(line[name - 2]) ||
		is_space(*line))
		return 0;
	email = strcspn(p, "<>\n");
	*out = (struct person){line, p, (int)name - 1, (int)email, 0, 0};
	p += email;
	if (strncmp(p, "> ", 2) != 0)
		return 0;
	p += 2;
	digits = strspn(p, "0123456789");
	if (digits < DIGITS_LEAST || digits > DIGITS_MOST || p[digits] != ' ')
		return 0;
	out->when = strtoll(p, NULL, 10);
	return take_zone(&out->zone, p + digits + 1);
}

/* The value of the next header line that begins so, which ends at a line feed; NULL: there is none.
 */
static const char *header(const char *text, const char *end, const char *key)
{
	const char *at = strstr(text, key);

	return at != NULL && at < end ? at + strlen(key) : NULL;
}

/* The person in the header line that begins so; of two lines Git may take either. */
static int find_person(struct person *out, const char *text, const char *end, const char *key)
{
	const char *line = header(text, end, key);

	return line != NULL && header(line, end, key) == NULL && take_person(out, line);
}

/* The first paragraph of a message as one line. */
static int add_subject(struct buf *out, const char *p)
{
	int rc = 0, any = 0;

	while (rc == 0 && *p != '\0') {
		size_t line = strcspn(p, "\n"), len = line;

		while (len > 0 && is_space(p[len - 1]))
			len--;
		if (len == 0 && any)
			break;
		if (len > 0 && any)
			rc = buf_addch(out, ' ');
		if (rc == 0 && len > 0)
			rc = buf_add(out, p, len);
		any |= len > 0;
		p += line + (p[line] == '\n');
	}
	return rc;
}

static int add_text(struct buf *out, const char *text, int len)
{
	int rc = buf_add(out, text, (size_t)len);

	return rc == 0 ? buf_addch(out, '\0') : rc;
}

static int add_time(struct buf *out, const struct person *p)
{
	int rc = when_add_iso(out, p->when, p->zone);

	return rc == 0 ? buf_addch(out, '\0') : rc;
}

int committext_fields(struct buf *out, const char *hex, const struct buf *commit)
{
	const char *text = commit->p, *end = strstr(text, "\n\n");
	struct person author, committer;
	int rc;

	if (end == NULL || strlen(text) != commit->len || header(text, end, "\nencoding ") != NULL)
		return 0;
	if (!find_person(&author, text, end, "\nauthor ") ||
		!find_person(&committer, text, end, "\ncommitter "))
		return 0;
	rc = add_text(out, hex, (int)strlen(hex));
	if (rc == 0)
		rc = add_text(out, author.name, author.name_len);
	if (rc == 0)
		rc = add_text(out, author.email, author.email_len);
	if (rc == 0)
		rc = add_time(out, &author);
	if (rc == 0)
		rc = add_time(out, &committer);
	if (rc == 0)
		rc = add_subject(out, end + 2);
	if (rc == 0)
		rc = buf_addch(out, '\0');
	return rc < 0 ? rc : 1;
}

const char *committext_split(
	const char *field[static COMMITTEXT_FIELDS], const char *p, const char *end)
{
	for (int i = 0; i < COMMITTEXT_FIELDS; i++) {
		if (p > end)
			return NULL;
		field[i] = p;
		p += strlen(p) + 1;
	}
	return p;
}
