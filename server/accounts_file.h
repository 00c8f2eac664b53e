/*
 * The files of accounts, a line each; empty lines and "#…" do not count.
 *
 *   htpasswd   user:hash[:read|write]               hash: what passhash.h takes
 *   tokens     sha256-of-the-token user [read|write]
 *
 * Pure: text in, a table out.
 */
#ifndef SERVER_ACCOUNTS_FILE_H
#define SERVER_ACCOUNTS_FILE_H

#include <stddef.h>

enum { ACCOUNT_NAME_MAX = 128, ACCOUNTS_FILE_MAX = 4 * 1024 * 1024 };

enum access { ACCESS_NONE, ACCESS_READ, ACCESS_WRITE };
/* "none", "read", "write".  0 or ERR_INVALID. */
int access_parse(enum access *out, const char *word, size_t len);

enum accounts_kind { ACCOUNTS_HTPASSWD, ACCOUNTS_TOKENS };

struct account {
	char *user;
	char *hash; /* of the password; of the token in 64 hex digits */
	enum access access;
};
struct accounts_file {
	struct account *v;
	size_t n, cap;
};

/* Append what the text says.  0; ERR_INVALID: a line that is none ("line 3: …", without its hash);
 * ERR_NOMEM. */
int accounts_file_parse(
	struct accounts_file *out, enum accounts_kind kind, const char *text, size_t len);
void accounts_file_release(struct accounts_file *f);

#endif
