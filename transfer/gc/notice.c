/*
 * The text format of notices, strict: what one writer does not write, no reader takes, so that
 * nobody can read a damaged one as a shorter one.
 */
#include "transfer/gc/notice.h"
#include "lib/base/array.h"
#include "lib/base/err.h"

#include <stdlib.h>
#include <string.h>

static const char magic[] = "git-dvx notice ";
static const char *const words[NOTICE_KINDS] = {
	[NOTICE_FRAGMENT] = "fragment ",
	[NOTICE_PACK] = "pack ",
	[NOTICE_SPENT] = "spent ",
};

void notice_release(struct notice *n)
{
	for (int k = 0; k < NOTICE_KINDS; k++)
		free(n->names[k].v);
	memset(n, 0, sizeof(*n));
}

size_t notice_count(const struct notice *n)
{
	size_t count = 0;

	for (int k = 0; k < NOTICE_KINDS; k++)
		count += n->names[k].n;
	return count;
}

int notice_add(struct notice *n, enum notice_kind kind, const struct oid *name)
{
	struct notice_names *names = &n->names[kind];

	if (notice_count(n) >= NOTICE_LINES_MAX)
		return err_set(ERR_LIMIT, "a notice names at most %d blobs", NOTICE_LINES_MAX);
	if (array_room(&names->v, names->n, &names->cap, sizeof(*names->v)) < 0)
		return ERR_NOMEM;
	names->v[names->n++] = *name;
	return 0;
}

/* ---- writing ---- */

static int add_names(const struct notice_names *names, const char *word, struct buf *text)
{
	char hex[OID_HEX_LEN + 1];
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < names->n; i++) {
		oid_to_hex(hex, &names->v[i]);
		rc = buf_addf(text, "%s%s\n", word, hex);
	}
	return rc;
}

int notice_build(const struct notice *n, int64_t created,
	const uint8_t random[static NOTICE_RANDOM_LEN], struct buf *text, struct oid *name)
{
	size_t begin = text->len;
	int rc = buf_addf(text, "%s1\ncreated %lld ", magic, (long long)created);

	for (int i = 0; rc == 0 && i < NOTICE_RANDOM_LEN; i++)
		rc = buf_addf(text, "%02x", random[i]);
	if (rc == 0)
		rc = buf_addch(text, '\n');
	for (int k = 0; rc == 0 && k < NOTICE_KINDS; k++)
		rc = add_names(&n->names[k], words[k], text);
	if (rc == 0)
		rc = buf_addstr(text, "end\n");
	if (rc == 0)
		oid_of(name, text->p + begin, text->len - begin);
	return rc;
}

/* ---- reading ---- */

struct reader {
	const char *p, *end;
};

static int corrupt(void)
{
	return err_set(ERR_CORRUPT, "not a notice as git-dvx writes them");
}

/* Pass `word` by: 1, or 0 when something else comes. */
static int take(struct reader *r, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(r->end - r->p) < len || memcmp(r->p, word, len) != 0)
		return 0;
	r->p += len;
	return 1;
}

static int take_digits(struct reader *r, const char *digits, size_t min, size_t max)
{
	size_t n = 0;

	while (r->p < r->end && n <= max && *r->p && strchr(digits, *r->p)) {
		r->p++;
		n++;
	}
	return n >= min && n <= max;
}

static int take_header(struct reader *r)
{
	if (!take(r, magic))
		return corrupt();
	if (!take(r, "1\n")) {
		if (!take_digits(r, "0123456789", 1, 9) || !take(r, "\n"))
			return corrupt();
		return err_set(ERR_UNSUPPORTED,
			"a notice of a version that this git-dvx does not know; install a newer "
			"one");
	}
	if (!take(r, "created "))
		return corrupt();
	take(r, "-");
	if (!take_digits(r, "0123456789", 1, 19) || !take(r, " ") ||
		!take_digits(r, "0123456789abcdef", 2 * NOTICE_RANDOM_LEN, 2 * NOTICE_RANDOM_LEN) ||
		!take(r, "\n"))
		return corrupt();
	return 0;
}

static int take_name(struct reader *r, struct notice *out)
{
	struct oid name;

	for (int k = 0; k < NOTICE_KINDS; k++) {
		if (!take(r, words[k]))
			continue;
		if (r->end - r->p <= OID_HEX_LEN || oid_from_hex(&name, r->p) < 0)
			return corrupt();
		r->p += OID_HEX_LEN;
		return take(r, "\n") ? notice_add(out, (enum notice_kind)k, &name) : corrupt();
	}
	return corrupt();
}

int notice_parse(struct notice *out, const char *text, size_t len)
{
	struct reader r = {text, text + len};
	int rc = take_header(&r);

	while (rc == 0 && !take(&r, "end\n"))
		rc = take_name(&r, out);
	if (rc == 0 && r.p != r.end)
		rc = corrupt();
	return rc;
}
