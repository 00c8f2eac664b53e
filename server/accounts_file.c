/*
 * The lines of the two kinds of account files.  A line that cannot be read is an error of the whole
 * file: an account that is missing or has other rights than somebody believes is worse.
 */
#include "server/accounts_file.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/store/oid.h"
#include "server/passhash.h"

/* A part of a line. */
struct word {
	const char *p;
	size_t len;
};

static int is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

int access_parse(enum access *out, const char *word, size_t len)
{
	static const char *const names[] = {"none", "read", "write"};

	for (int i = 0; i < 3; i++) {
		if (strlen(names[i]) == len && memcmp(names[i], word, len) == 0) {
			*out = (enum access)i;
			return 0;
		}
	}
	return err_set(ERR_INVALID, "'%.*s' is no access; say 'read' or 'write'",
		len < 40 ? (int)len : 40, word);
}

static int check_user(const struct word *user)
{
	if (user->len == 0 || user->len > ACCOUNT_NAME_MAX)
		return err_set(
			ERR_INVALID, "a user name of no or more than %d bytes", ACCOUNT_NAME_MAX);
	for (size_t i = 0; i < user->len; i++)
		if ((unsigned char)user->p[i] < ' ' || user->p[i] == 0x7f)
			return err_set(ERR_INVALID, "a user name with control bytes");
	return 0;
}

static int add(struct accounts_file *f, const struct word *user, const struct word *hash,
	const struct word *access)
{
	struct account a = {.access = ACCESS_WRITE};
	int rc = check_user(user);

	if (rc == 0 && access->len)
		rc = access_parse(&a.access, access->p, access->len);
	if (rc < 0)
		return rc;
	if (f->n == f->cap) {
		size_t cap = f->cap ? 2 * f->cap : 16;
		struct account *v = reallocarray(f->v, cap, sizeof(*v));

		if (!v)
			return err_set(ERR_NOMEM, "out of memory");
		f->v = v;
		f->cap = cap;
	}
	a.user = strndup(user->p, user->len);
	a.hash = strndup(hash->p, hash->len);
	if (!a.user || !a.hash) {
		free(a.user);
		free(a.hash);
		return err_set(ERR_NOMEM, "out of memory");
	}
	f->v[f->n++] = a;
	return 0;
}

/* The bytes up to `end` or a separator; *p moves behind that. */
static struct word next_field(const char **p, const char *end)
{
	const char *colon = memchr(*p, ':', (size_t)(end - *p));
	struct word w = {*p, (size_t)((colon ? colon : end) - *p)};

	*p = colon ? colon + 1 : end;
	return w;
}

static struct word next_word(const char **p, const char *end)
{
	struct word w;

	while (*p < end && is_blank(**p))
		(*p)++;
	w = (struct word){*p, 0};
	while (*p < end && !is_blank(**p))
		(*p)++;
	w.len = (size_t)(*p - w.p);
	return w;
}

static int take_htpasswd(struct accounts_file *f, const char *p, const char *end)
{
	struct word user = next_field(&p, end), hash = next_field(&p, end),
		    access = next_field(&p, end);
	int rc = add(f, &user, &hash, &access);

	if (rc == 0 && !passhash_is_known(f->v[f->n - 1].hash))
		rc = err_set(ERR_INVALID,
			"the password of '%s' is plain text or hashed in an unknown way; set it "
			"with 'htpasswd -B'",
			f->v[f->n - 1].user);
	return rc;
}

static int take_token(struct accounts_file *f, const char *p, const char *end)
{
	struct word hash = next_word(&p, end), user = next_word(&p, end),
		    access = next_word(&p, end);
	struct oid unused;

	if (hash.len != OID_HEX_LEN || oid_from_hex(&unused, hash.p) < 0 || user.len == 0 ||
		next_word(&p, end).len)
		return err_set(ERR_INVALID,
			"not '<SHA-256 of the token> <user> [read|write]' with 64 digits [0-9a-f]");
	return add(f, &user, &hash, &access);
}

int accounts_file_parse(
	struct accounts_file *out, enum accounts_kind kind, const char *text, size_t len)
{
	const char *p = text, *all = text + len;
	int rc = 0;

	if (memchr(text, '\0', len))
		return err_set(ERR_INVALID, "not a text file");
	for (unsigned line = 1; rc == 0 && p < all; line++) {
		const char *lf = memchr(p, '\n', (size_t)(all - p));
		const char *next = lf ? lf + 1 : all, *end = lf ? lf : all;

		while (end > p && is_blank(end[-1]))
			end--;
		if (end > p && *p != '#')
			rc = kind == ACCOUNTS_HTPASSWD ? take_htpasswd(out, p, end)
						       : take_token(out, p, end);
		if (rc < 0)
			err_prefix(rc, "line %u", line);
		p = next;
	}
	return rc;
}

void accounts_file_release(struct accounts_file *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->v[i].user);
		free(f->v[i].hash);
	}
	free(f->v);
	memset(f, 0, sizeof(*f));
}
