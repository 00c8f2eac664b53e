/*
 * Tag objects come from anybody who may push: nothing in them is trusted, and what does not look
 * like our trailers in every line of the last paragraph belongs to the message.
 */
#include "lib/registry/tagtext.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/utf8.h"

enum { PATH_LEN_MAX = 4096, SIZE_DIGITS_MAX = 18, YEAR_10000_DIGITS = 12 };

static const char hex_digits[] = "0123456789abcdef";

/* ---- the header ---- */

/* The value of the line "<key> value" at *p, which moves to the next one; NULL: another line. */
static char *header(char **p, const char *key)
{
	size_t len = strlen(key);
	char *value, *end;

	if (strncmp(*p, key, len) != 0 || (*p)[len] != ' ')
		return NULL;
	value = *p + len + 1;
	end = strchr(value, '\n');
	if (!end)
		return NULL;
	*end = '\0';
	*p = end + 1;
	return value;
}

/* "+0530" in minutes, 0 for what is none. */
static int parse_zone(const char *p)
{
	int n;

	if ((*p != '+' && *p != '-') || strspn(p + 1, "0123456789") != 4)
		return 0;
	n = (int)strtol(p + 1, NULL, 10);
	n = n / 100 * 60 + n % 100;
	if (n >= 24 * 60)
		return 0;
	return *p == '-' ? -n : n;
}

/* "Ann <ann@example.com> 1700000000 +0100" */
static void parse_tagger(struct tagtext *t, char *p)
{
	char *open = strchr(p, '<'), *close = open ? strchr(open, '>') : NULL;
	size_t digits;

	if (!close)
		return;
	*close = '\0';
	t->email = open + 1;
	while (open > p && open[-1] == ' ')
		open--;
	*open = '\0';
	t->who = p;
	p = close + 1 + (close[1] == ' ');
	digits = strspn(p, "0123456789");
	if (digits == 0 || digits >= YEAR_10000_DIGITS)
		return;
	t->when = strtoll(p, &p, 10);
	if (*p == ' ')
		t->zone = parse_zone(p + 1);
}

/* ---- the message ---- */

/* Signatures stand behind the message, from a line on that begins so. */
static void cut_signature(char *message)
{
	static const char *const begin[] = {"-----BEGIN PGP SIGNATURE-----",
		"-----BEGIN PGP MESSAGE-----", "-----BEGIN SSH SIGNATURE-----",
		"-----BEGIN SIGNED MESSAGE-----"};

	for (char *p = message; *p; p = strchr(p, '\n') ? strchr(p, '\n') + 1 : p + strlen(p))
		for (size_t i = 0; i < sizeof(begin) / sizeof(begin[0]); i++)
			if (strncmp(p, begin[i], strlen(begin[i])) == 0) {
				*p = '\0';
				return;
			}
}

static void trim_end(char *text)
{
	size_t len = strlen(text);

	while (len > 0 && isspace((unsigned char)text[len - 1]))
		len--;
	text[len] = '\0';
}

static int is_hex(const char *p, size_t len)
{
	return strlen(p) == len && strspn(p, hex_digits) == len;
}

static int is_path(const char *p)
{
	size_t len = strlen(p);

	if (len == 0 || len > PATH_LEN_MAX || *p == '/')
		return 0;
	for (; *p; p += strcspn(p, "/"), p += *p == '/') {
		size_t n = strcspn(p, "/");

		if (n == 0 || (n == 1 && *p == '.') || (n == 2 && strncmp(p, "..", 2) == 0))
			return 0;
	}
	return 1;
}

static int has_control(const char *p)
{
	for (; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return 1;
	return 0;
}

/* One line of the last paragraph.  1 if it is a trailer. */
static int take_trailer(struct tagtext *t, const char *line)
{
	if (strncmp(line, "path: ", 6) == 0 && !t->path && is_path(line + 6) &&
		!has_control(line + 6)) {
		t->path = line + 6;
	} else if (strncmp(line, "sha256: ", 8) == 0 && !t->sha256 &&
		   is_hex(line + 8, OID_HEX_LEN)) {
		t->sha256 = line + 8;
	} else if (strncmp(line, "size: ", 6) == 0 && t->size == 0 && line[6] &&
		   strspn(line + 6, "0123456789") == strlen(line + 6) &&
		   strlen(line + 6) <= SIZE_DIGITS_MAX) {
		t->size = strtoull(line + 6, NULL, 10);
	} else if (strncmp(line, "commit: ", 8) == 0 && !t->commit &&
		   (is_hex(line + 8, 40) || is_hex(line + 8, 64))) {
		t->commit = line + 8;
	} else {
		return 0;
	}
	return 1;
}

/* Where the last paragraph begins, if there is one behind another. */
static char *last_paragraph(char *message)
{
	char *found = NULL;

	for (char *p = strstr(message, "\n\n"); p; p = strstr(p + 1, "\n\n"))
		found = p;
	return found;
}

/* All lines of the last paragraph are trailers, and one of them is the commit, or it is text. */
static void take_trailers(struct tagtext *t, char *message)
{
	char *paragraph = last_paragraph(message), *line, *end, *stop;
	struct tagtext found = *t;
	int good = 1;

	if (!paragraph)
		return;
	stop = paragraph + strlen(paragraph);
	for (line = paragraph + 2; good && line; line = end ? end + 1 : NULL) {
		end = strchr(line, '\n');
		if (end)
			*end = '\0';
		good = take_trailer(&found, line);
	}
	if (good && found.commit) {
		*paragraph = '\0';
		*t = found;
		return;
	}
	for (char *p = paragraph; p < stop; p++) /* as it was */
		if (*p == '\0')
			*p = '\n';
}

/* At most so many bytes, not within a character. */
static void cut_message(char *message)
{
	size_t len = TAGTEXT_MESSAGE_MAX;

	if (strlen(message) <= len)
		return;
	while (len > 0 && ((unsigned char)message[len] & 0xc0) == 0x80)
		len--;
	message[len] = '\0';
}

int tagtext_parse(struct tagtext *out, char *data, size_t len)
{
	struct tagtext t = {.who = "", .email = ""};
	char *p = data, *tagger;

	data[len] = '\0';
	t.target = header(&p, "object");
	t.type = t.target ? header(&p, "type") : NULL;
	t.name = t.type ? header(&p, "tag") : NULL;
	if (!t.name)
		return err_set(ERR_CORRUPT, "a tag that cannot be understood; see 'git fsck'");
	tagger = header(&p, "tagger");
	if (tagger)
		parse_tagger(&t, tagger);
	while (*p && *p != '\n') /* headers that are not known */
		p = strchr(p, '\n') ? strchr(p, '\n') + 1 : p + strlen(p);
	while (*p == '\n')
		p++;
	cut_signature(p);
	trim_end(p);
	take_trailers(&t, p);
	trim_end(p);
	cut_message(p);
	t.message = p;
	*out = t;
	return 0;
}

int64_t tagtext_commit_time(const char *commit)
{
	const char *p = strstr(commit, "\ncommitter "), *body = strstr(commit, "\n\n"), *end;
	size_t digits;

	if (!p || (body && p > body))
		return 0;
	end = p + 1 + strcspn(p + 1, "\n");
	while (end > p && *end != '>')
		end--;
	if (end == p || end[1] != ' ')
		return 0;
	digits = strspn(end + 2, "0123456789");
	return digits > 0 && digits < YEAR_10000_DIGITS ? strtoll(end + 2, NULL, 10) : 0;
}

/* ---- writing ---- */

int tagtext_format(struct buf *out, const char *message, const struct tagtext *t)
{
	size_t len = strlen(message);
	int rc;

	while (len > 0 && isspace((unsigned char)message[len - 1]))
		len--;
	if (len > TAGTEXT_MESSAGE_MAX)
		return err_set(ERR_LIMIT, "the message has %zu bytes; %d is the most", len,
			TAGTEXT_MESSAGE_MAX);
	if (len == 0)
		return err_set(ERR_INVALID, "the message is empty");
	if (t->path && (!is_path(t->path) || has_control(t->path)))
		return err_set(ERR_INVALID, "'%s' cannot be written into a tag", t->path);
	rc = buf_add(out, message, len);
	if (rc == 0)
		rc = buf_addstr(out, "\n\n");
	if (rc == 0 && t->path)
		rc = buf_addf(out, "path: %s\n", t->path);
	if (rc == 0 && t->sha256)
		rc = buf_addf(out, "sha256: %s\n", t->sha256);
	if (rc == 0 && t->size)
		rc = buf_addf(out, "size: %llu\n", (unsigned long long)t->size);
	if (rc == 0 && t->commit)
		rc = buf_addf(out, "commit: %s\n", t->commit);
	return rc;
}
