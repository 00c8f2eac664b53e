/*
 * Reading .netrc (see lfs_netrc.h): words between white space, in double quotes where they have
 * some (with backslashes, as curl reads them); "machine NAME login USER password SECRET", "account"
 * and its word skipped, "macdef" and its lines up to an empty one skipped, '#' at the beginning of
 * a word until the line ends a comment.
 */
#include "transfer/lfs/lfs_netrc.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { FILE_MAX = 1024 * 1024 };

struct reader {
	const char *at, *end;
	struct buf word;
	int quoted; /* the word was: it is no keyword */
};

/* An entry as far as it was read. */
struct entry {
	int fits; /* the host's, or "default" */
	struct lfs_credential c;
};

static int is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static int quoted_word(struct reader *r)
{
	static const char from[] = "nrt", to[] = "\n\r\t";
	int rc = 0;

	r->quoted = 1;
	for (r->at++; rc == 0 && r->at < r->end && *r->at != '"'; r->at++) {
		char c = *r->at;

		if (c == '\\' && r->at + 1 < r->end) {
			const char *special = strchr(from, *++r->at);

			c = *r->at && special ? to[special - from] : *r->at;
		}
		rc = buf_addch(&r->word, c);
	}
	r->at += r->at < r->end;
	return rc;
}

/* The next word.  1, 0 at the end, negative. */
static int next_word(struct reader *r)
{
	int rc = 0;

	buf_reset(&r->word);
	r->quoted = 0;
	for (;;) {
		while (r->at < r->end && is_space(*r->at))
			r->at++;
		if (r->at == r->end)
			return 0;
		if (*r->at != '#')
			break;
		while (r->at < r->end && *r->at != '\n')
			r->at++;
	}
	if (*r->at == '"')
		rc = quoted_word(r);
	else
		while (rc == 0 && r->at < r->end && !is_space(*r->at))
			rc = buf_addch(&r->word, *r->at++);
	return rc < 0 ? rc : 1;
}

/* A macro ends at an empty line. */
static void skip_macro(struct reader *r)
{
	while (r->at < r->end) {
		const char *nl = memchr(r->at, '\n', (size_t)(r->end - r->at));

		if (!nl) {
			r->at = r->end;
			return;
		}
		r->at = nl + 1;
		if (r->at < r->end && *r->at == '\n')
			return;
	}
}

static int is_word(const struct reader *r, const char *keyword)
{
	return !r->quoted && strcmp(buf_str(&r->word), keyword) == 0;
}

static int take_value(struct reader *r, char **out)
{
	int rc = next_word(r);

	if (rc <= 0)
		return rc;
	for (size_t i = 0; i < r->word.len; i++)
		if ((unsigned char)r->word.p[i] < 0x20 || r->word.p[i] == 0x7f)
			return err_set(ERR_INVALID, "a value in .netrc has a control character");
	free(*out);
	*out = strdup(buf_str(&r->word));
	return *out ? 1 : err_set(ERR_NOMEM, "out of memory");
}

static int is_match(const struct entry *e, const char *user)
{
	return e->fits && e->c.user && e->c.password && (!user || strcmp(user, e->c.user) == 0);
}

static int find(
	struct reader *r, struct entry *e, const char *host, const char *user, int use_default)
{
	int rc;

	while ((rc = next_word(r)) > 0) {
		int machine = is_word(r, "machine");

		if (machine || is_word(r, "default")) {
			if (is_match(e, user))
				return 1;
			lfs_credential_release(&e->c);
			e->fits = !machine && use_default;
			if (machine && (rc = next_word(r)) > 0)
				e->fits = strcasecmp(buf_str(&r->word), host) == 0;
		} else if (is_word(r, "login")) {
			rc = take_value(r, &e->c.user);
		} else if (is_word(r, "password")) {
			rc = take_value(r, &e->c.password);
		} else if (is_word(r, "account")) {
			rc = next_word(r);
		} else if (is_word(r, "macdef")) {
			skip_macro(r);
		}
		if (rc < 0)
			return rc;
	}
	return rc < 0 ? rc : is_match(e, user);
}

int lfs_netrc_find(struct lfs_credential *out, const char *text, size_t len, const char *host,
	const char *user, int use_default)
{
	struct reader r = {.at = text, .end = text + len};
	struct entry e = {0};
	int rc = find(&r, &e, host, user, use_default);

	memset(out, 0, sizeof(*out));
	if (rc > 0)
		*out = e.c;
	else
		lfs_credential_release(&e.c);
	if (r.word.p)
		explicit_bzero(r.word.p, r.word.cap);
	buf_release(&r.word);
	return rc;
}

static int read_netrc(struct buf *out)
{
	const char *given = getenv("NETRC"), *home = getenv("HOME");
	struct buf path = BUF_INIT;
	int rc;

	if (given && *given)
		return buf_read_file(out, given);
	if (!home || !*home)
		return ERR_NOTFOUND;
	rc = fs_join(&path, home, ".netrc");
	if (rc == 0)
		rc = buf_read_file(out, path.p);
	buf_release(&path);
	return rc;
}

int lfs_netrc_lookup(
	struct lfs_credential *out, const char *host, const char *user, int use_default)
{
	struct buf text = {.max = FILE_MAX};
	int rc = read_netrc(&text);

	memset(out, 0, sizeof(*out));
	if (rc < 0 && rc != ERR_NOMEM) {
		err_clear();
		rc = 0;
	} else if (rc == 0) {
		rc = lfs_netrc_find(out, buf_str(&text), text.len, host, user, use_default);
	}
	if (text.p)
		explicit_bzero(text.p, text.cap);
	buf_release(&text);
	return rc;
}
