/*
 * Lines of the batch protocol: fields separated by one space, the last one free text in which only
 * control characters and '%' are encoded.  Pure: bytes in, values out, so that it can be fuzzed;
 * the processes at both ends do the reading and writing.
 */
#include "lib/wire/batchline.h"
#include "lib/base/err.h"

#include <stdio.h>
#include <string.h>

static const char *const code_names[] = {
	[-ERR_IO] = "io",
	[-ERR_NOTFOUND] = "notfound",
	[-ERR_EXISTS] = "exists",
	[-ERR_CORRUPT] = "corrupt",
	[-ERR_INVALID] = "invalid",
	[-ERR_LIMIT] = "limit",
	[-ERR_NOMEM] = "nomem",
	[-ERR_LOCKED] = "locked",
	[-ERR_CHANGED] = "changed",
	[-ERR_UNSUPPORTED] = "unsupported",
	[-ERR_REMOTE] = "remote",
	[-ERR_DENIED] = "denied",
	[-ERR_INTERRUPTED] = "interrupted",
};
static const size_t n_codes = sizeof(code_names) / sizeof(code_names[0]);

const char *batch_code_name(int code)
{
	size_t i = code < 0 ? (size_t)-code : 0;

	return i < n_codes && code_names[i] ? code_names[i] : "remote";
}

int batch_code_of_name(const char *name, size_t len)
{
	for (size_t i = 1; i < n_codes; i++) {
		if (code_names[i] && strlen(code_names[i]) == len &&
			memcmp(code_names[i], name, len) == 0)
			return -(int)i;
	}
	return ERR_REMOTE;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Decode %XX in place.  A NUL, raw or encoded, is refused: texts are C strings. */
static int text_decode(char *s, size_t len)
{
	size_t out = 0;

	for (size_t i = 0; i < len; i++) {
		char c = s[i];

		if (c == '%') {
			int high = len - i > 2 ? hex_value(s[i + 1]) : -1;
			int low = len - i > 2 ? hex_value(s[i + 2]) : -1;

			if (high < 0 || low < 0)
				return err_set(ERR_INVALID, "bad '%%' sequence");
			c = (char)(high << 4 | low);
			i += 2;
		}
		if (c == '\0')
			return err_set(ERR_INVALID, "NUL in text");
		s[out++] = c;
	}
	s[out] = '\0';
	return 0;
}

static int text_encode(struct buf *out, const char *s, size_t room)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		int special = c < 32 || c == 127 || c == '%';
		size_t need = special ? 3 : 1;
		int rc;

		if (room < need)
			return err_set(
				ERR_LIMIT, "text is longer than a line of the batch protocol");
		room -= need;
		rc = special ? buf_addf(out, "%%%02X", c) : buf_addch(out, (char)c);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* One field: its start and length; *p moves behind the space.  0 at the end of the line. */
static size_t field(char **p, const char *end, const char **start)
{
	char *space = memchr(*p, ' ', (size_t)(end - *p));
	size_t len = (size_t)((space ? space : end) - *p);

	*start = *p;
	*p = space ? space + 1 : *p + len;
	return len;
}

static int parse_number(uint64_t *out, const char *s, size_t len)
{
	uint64_t v = 0;

	if (len == 0 || len > 19 || (len > 1 && s[0] == '0'))
		return err_set(ERR_INVALID, "bad number");
	for (size_t i = 0; i < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return err_set(ERR_INVALID, "bad number");
		v = v * 10 + (uint64_t)(s[i] - '0');
	}
	if (v > INT64_MAX)
		return err_set(ERR_INVALID, "number too large");
	*out = v;
	return 0;
}

static int parse_oid(struct oid *out, const char *s, size_t len)
{
	if (len != OID_HEX_LEN)
		return err_set(ERR_INVALID, "bad object id");
	return oid_from_hex(out, s);
}

int batch_request_parse(struct batch_request *out, char *line, size_t len)
{
	char *p = line;
	const char *end = line + len, *f;
	size_t n;
	int rc;

	memset(out, 0, sizeof(*out));
	if (memchr(line, '\0', len))
		return err_set(ERR_INVALID, "NUL in request");
	n = field(&p, end, &f);
	rc = parse_oid(&out->oid, f, n);
	if (rc < 0)
		return rc;
	n = field(&p, end, &f);
	if (n == 1 && *f == '-')
		out->size = BATCH_SIZE_UNKNOWN;
	else
		rc = parse_number(&out->size, f, n);
	if (rc < 0)
		return err_prefix(rc, "size");
	n = field(&p, end, &f);
	if (!(n == 1 && *f == '-')) {
		rc = parse_oid(&out->base, f, n);
		if (rc < 0)
			return err_prefix(rc, "base");
		out->has_base = 1;
	}
	if (p == end)
		return err_set(ERR_INVALID, "request without path");
	if (end - p == 1 && *p == '-')
		return 0;
	rc = text_decode(p, (size_t)(end - p));
	out->path = p;
	return rc;
}

int batch_request_format(struct buf *out, const struct batch_request *r)
{
	char hex[OID_HEX_LEN + 1], base[OID_HEX_LEN + 1] = "-", size[24] = "-";
	size_t start = out->len;
	int rc;

	oid_to_hex(hex, &r->oid);
	if (r->has_base)
		oid_to_hex(base, &r->base);
	if (r->size != BATCH_SIZE_UNKNOWN)
		snprintf(size, sizeof(size), "%llu", (unsigned long long)r->size);
	rc = buf_addf(out, "%s %s %s ", hex, size, base);
	if (rc == 0 && (!r->path || !*r->path))
		rc = buf_addch(out, '-');
	else if (rc == 0 && strcmp(r->path, "-") == 0)
		rc = buf_addstr(out, "%2D");
	else if (rc == 0)
		rc = text_encode(out, r->path, BATCH_LINE_MAX - 1 - (out->len - start));
	if (rc == 0)
		rc = buf_addch(out, '\n');
	if (rc < 0)
		buf_truncate(out, start);
	return rc;
}

static const struct {
	const char *word;
	enum batch_answer_kind kind;
} words[] = {
	{"remote", BATCH_ANSWER_REMOTE},
	{"ok", BATCH_ANSWER_OK},
	{"present", BATCH_ANSWER_PRESENT},
	{"error", BATCH_ANSWER_ERROR},
	{"progress", BATCH_ANSWER_PROGRESS},
	{"fatal", BATCH_ANSWER_FATAL},
	{"done", BATCH_ANSWER_DONE},
};
static const size_t n_words = sizeof(words) / sizeof(words[0]);

/* The fields behind the word, by kind: oid, code, numbers, text. */
static int parse_fields(struct batch_answer *a, char *p, const char *end)
{
	const char *f;
	size_t n;
	int rc = 0;

	if (a->kind == BATCH_ANSWER_OK || a->kind == BATCH_ANSWER_PRESENT ||
		a->kind == BATCH_ANSWER_ERROR) {
		n = field(&p, end, &f);
		rc = parse_oid(&a->oid, f, n);
	}
	if (rc == 0 && (a->kind == BATCH_ANSWER_ERROR || a->kind == BATCH_ANSWER_FATAL)) {
		n = field(&p, end, &f);
		a->code = batch_code_of_name(f, n);
	}
	if (rc == 0 && a->kind == BATCH_ANSWER_PROGRESS) {
		n = field(&p, end, &f);
		rc = parse_number(&a->objects, f, n);
	}
	if (rc == 0 && (a->kind == BATCH_ANSWER_OK || a->kind == BATCH_ANSWER_PROGRESS)) {
		n = field(&p, end, &f);
		rc = parse_number(&a->bytes, f, n);
	}
	if (rc == 0 && (a->kind == BATCH_ANSWER_ERROR || a->kind == BATCH_ANSWER_FATAL ||
			       a->kind == BATCH_ANSWER_REMOTE)) {
		rc = text_decode(p, (size_t)(end - p));
		a->text = p;
	}
	return rc;
}

int batch_answer_parse(struct batch_answer *out, char *line, size_t len)
{
	char *p = line;
	const char *f;
	size_t n;

	memset(out, 0, sizeof(*out));
	if (memchr(line, '\0', len))
		return err_set(ERR_INVALID, "NUL in answer");
	n = field(&p, line + len, &f);
	for (size_t i = 0; i < n_words; i++) {
		if (strlen(words[i].word) == n && memcmp(words[i].word, f, n) == 0)
			out->kind = words[i].kind;
	}
	return out->kind == BATCH_ANSWER_UNKNOWN ? 0 : parse_fields(out, p, line + len);
}

int batch_answer_format(struct buf *out, const struct batch_answer *a)
{
	char hex[OID_HEX_LEN + 1];
	unsigned long long objects = a->objects, bytes = a->bytes;
	size_t start = out->len;
	int rc = ERR_INVALID;

	oid_to_hex(hex, &a->oid);
	switch (a->kind) {
	case BATCH_ANSWER_REMOTE:
		rc = buf_addstr(out, "remote ");
		break;
	case BATCH_ANSWER_OK:
		rc = buf_addf(out, "ok %s %llu", hex, bytes);
		break;
	case BATCH_ANSWER_PRESENT:
		rc = buf_addf(out, "present %s", hex);
		break;
	case BATCH_ANSWER_ERROR:
		rc = buf_addf(out, "error %s %s ", hex, batch_code_name(a->code));
		break;
	case BATCH_ANSWER_PROGRESS:
		rc = buf_addf(out, "progress %llu %llu", objects, bytes);
		break;
	case BATCH_ANSWER_FATAL:
		rc = buf_addf(out, "fatal %s ", batch_code_name(a->code));
		break;
	case BATCH_ANSWER_DONE:
		rc = buf_addstr(out, "done");
		break;
	case BATCH_ANSWER_UNKNOWN:
		return err_set(ERR_INVALID, "an answer without kind");
	}
	if (rc == 0 && a->text)
		rc = text_encode(out, a->text, BATCH_LINE_MAX - 1 - (out->len - start));
	if (rc == ERR_LIMIT)
		rc = 0;
	return rc < 0 ? rc : buf_addch(out, '\n');
}
