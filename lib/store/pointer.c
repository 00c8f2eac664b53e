/*
 * Reading and writing pointers: the text that Git keeps in place of the data.  Clean asks whether
 * a small file already is one, smudge and the hooks learn from it which object to fetch.
 *
 * The text comes from outside and may be any bytes, so the parser works on slices of it and never
 * needs a terminator.  It is as strict as docs/pointer.md says: what is wrongly taken for a pointer
 * would replace the user's content.
 */
#include "lib/store/pointer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/err.h"

struct slice {
	const char *p;
	size_t len;
};

static int slice_is(struct slice s, const char *text)
{
	return s.len == strlen(text) && memcmp(s.p, text, s.len) == 0;
}

static int slice_cut_prefix(struct slice *s, const char *prefix)
{
	size_t n = strlen(prefix);

	if (s->len < n || memcmp(s->p, prefix, n) != 0)
		return 0;
	s->p += n;
	s->len -= n;
	return 1;
}

static int is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct slice slice_trim(struct slice s)
{
	while (s.len > 0 && is_space(s.p[0])) {
		s.p++;
		s.len--;
	}
	while (s.len > 0 && is_space(s.p[s.len - 1]))
		s.len--;
	return s;
}

/* Take the next line that is not empty off `text`, without its LF or CRLF; 0 at the end. */
static int next_line(struct slice *text, struct slice *line)
{
	while (text->len > 0) {
		const char *lf = memchr(text->p, '\n', text->len);
		size_t n = lf ? (size_t)(lf - text->p) : text->len;

		*line = (struct slice){text->p, n};
		n += lf != NULL;
		text->p += n;
		text->len -= n;
		if (line->len > 0 && line->p[line->len - 1] == '\r')
			line->len--;
		if (line->len > 0)
			return 1;
	}
	return 0;
}

static int is_known_version(struct slice v)
{
	return slice_is(v, "https://git-lfs.github.com/spec/v1") ||
	       slice_is(v, "https://hawser.github.com/spec/v1") ||
	       slice_is(v, "http://git-media.io/v/2");
}

static int parse_oid(struct oid *out, struct slice v)
{
	if (!slice_cut_prefix(&v, "sha256:") || v.len != OID_HEX_LEN || oid_from_hex(out, v.p) < 0)
		return err_set(
			ERR_INVALID, "not a pointer: its oid is not sha256 and 64 hex digits");
	return 0;
}

static int parse_size(uint64_t *out, struct slice v)
{
	uint64_t n = 0;

	for (size_t i = 0; i < v.len; i++) {
		unsigned digit = (unsigned char)v.p[i] - (unsigned)'0';

		if (digit > 9 || n > ((uint64_t)INT64_MAX - digit) / 10)
			return err_set(ERR_INVALID, "not a pointer: bad size");
		n = n * 10 + digit;
	}
	if (v.len == 0)
		return err_set(ERR_INVALID, "not a pointer: empty size");
	*out = n;
	return 0;
}

/* "ext-<digit>-<name>": the digit, or -1 when the key is something else. */
static int extension_priority(struct slice key)
{
	int digit;

	if (!slice_cut_prefix(&key, "ext-") || key.len < 3 || key.p[1] != '-')
		return -1;
	digit = key.p[0] - '0';
	return digit >= 0 && digit <= 9 ? digit : -1;
}

static int parse_extension(unsigned *seen, int priority, struct slice v)
{
	struct oid ignored;

	if (*seen & 1u << priority)
		return err_set(ERR_INVALID, "not a pointer: extension %d twice", priority);
	*seen |= 1u << priority;
	return parse_oid(&ignored, v);
}

/* The lines in the order that is required; extensions may stand between version and size. */
static int parse_lines(struct pointer *out, struct slice text)
{
	enum { WANT_VERSION, WANT_OID, WANT_SIZE, WANT_NOTHING } want = WANT_VERSION;
	unsigned extensions = 0;
	struct slice line;
	int rc = 0;

	while (rc == 0 && next_line(&text, &line)) {
		const char *space = memchr(line.p, ' ', line.len);
		struct slice key, value;
		int priority;

		if (!space)
			return err_set(ERR_INVALID, "not a pointer: a line without value");
		key = (struct slice){line.p, (size_t)(space - line.p)};
		value = (struct slice){space + 1, line.len - key.len - 1};
		priority = extension_priority(key);

		if (want == WANT_VERSION && slice_is(key, "version") && is_known_version(value)) {
			want = WANT_OID;
		} else if (want == WANT_VERSION) {
			return err_set(ERR_INVALID, "not a pointer: no known version line");
		} else if (priority >= 0 && want != WANT_NOTHING) {
			rc = parse_extension(&extensions, priority, value);
			out->extended++;
		} else if (want == WANT_OID && slice_is(key, "oid")) {
			rc = parse_oid(&out->oid, value);
			want = WANT_SIZE;
		} else if (want == WANT_SIZE && slice_is(key, "size")) {
			rc = parse_size(&out->size, value);
			want = WANT_NOTHING;
		} else {
			return err_set(ERR_INVALID, "not a pointer: unexpected line");
		}
	}
	if (rc == 0 && want != WANT_NOTHING)
		rc = err_set(ERR_INVALID, "not a pointer: lines are missing");
	return rc;
}

int pointer_parse(struct pointer *out, const void *data, size_t len)
{
	struct slice text = {data, len};
	struct pointer p = {0};
	char canonical[POINTER_CANONICAL_MAX];
	int rc;

	if (len == 0 || len >= POINTER_MAX)
		return err_set(ERR_INVALID, "not a pointer: %zu bytes", len);
	rc = parse_lines(&p, slice_trim(text));
	if (rc < 0)
		return rc;
	p.canonical = pointer_format(canonical, &p.oid, p.size) == len &&
		      memcmp(canonical, data, len) == 0;
	*out = p;
	return 0;
}

int pointer_extensions(
	struct pointer_extension out[static POINTER_EXTENSIONS_MAX], const void *data, size_t len)
{
	struct pointer_extension by_number[POINTER_EXTENSIONS_MAX] = {{0}};
	struct slice text = slice_trim((struct slice){data, len}), line;
	int n = 0;

	while (next_line(&text, &line)) {
		const char *space = memchr(line.p, ' ', line.len);
		struct slice key = {line.p, space ? (size_t)(space - line.p) : 0};
		int number = extension_priority(key);
		struct pointer_extension *e = number < 0 ? NULL : &by_number[number];

		if (!e || parse_oid(&e->before, (struct slice){space + 1, line.len - key.len - 1}) <
				  0)
			continue;
		e->number = number;
		e->name = key.p + sizeof("ext-0-") - 1;
		e->name_len = key.len - (sizeof("ext-0-") - 1);
	}
	for (int i = 0; i < POINTER_EXTENSIONS_MAX; i++)
		if (by_number[i].name)
			out[n++] = by_number[i];
	return n;
}

size_t pointer_format(char out[static POINTER_CANONICAL_MAX], const struct oid *oid, uint64_t size)
{
	char hex[OID_HEX_LEN + 1];

	oid_to_hex(hex, oid);
	return (size_t)snprintf(out, POINTER_CANONICAL_MAX,
		"version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize %" PRIu64 "\n",
		hex, size);
}
