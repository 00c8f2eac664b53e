/*
 * Who may do what (docs/lfs-server.md, "Accounts"): an htpasswd file, a file of tokens, or both.
 * They are read again when they change.  May be used from many threads.
 */
#ifndef SERVER_ACCOUNTS_H
#define SERVER_ACCOUNTS_H

#include "server/accounts_file.h"
#include "server/httptext.h"

struct accounts;

/* Either file may be NULL.  0; what accounts_file_parse says, ERR_NOTFOUND, ERR_IO. */
int accounts_open(struct accounts **out, const char *htpasswd, const char *tokens);
void accounts_close(struct accounts *a);

/* Who is it?  A token may be a Bearer's or take a password's place.  0, and the name and what is
 * allowed in `out`; ERR_DENIED: nobody; ERR_NOMEM.  A file that has become unreadable since is told
 * to `warn` (may be NULL), and what was read before counts on. */
struct accounts_answer {
	char user[ACCOUNT_NAME_MAX + 1];
	enum access access;
};
int accounts_check(struct accounts *a, const struct httptext_credentials *c,
	struct accounts_answer *out, void (*warn)(const char *message));

#endif
