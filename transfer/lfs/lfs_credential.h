/*
 * User names and passwords from `git credential` (git-credential(1)): helpers, askpass, a question
 * on the terminal - as the user has it for Git.
 */
#ifndef TRANSFER_LFS_CREDENTIAL_H
#define TRANSFER_LFS_CREDENTIAL_H

#include "lib/base/url.h"

struct lfs_credential {
	char *user, *password;
	char *answer; /* all that `git credential fill` said, for approve and reject; NULL: these
		       * came from elsewhere */
};
/* Overwrites what is secret.  Fine on a zeroed struct. */
void lfs_credential_release(struct lfs_credential *c);

/* Ask for those of an https or http URL.  `user` (may be NULL) is the name they shall be for.  0;
 * ERR_NOTFOUND: nobody has any, or nobody can be asked; ERR_INVALID: control bytes, in what is
 * asked for or in the answer, or no password in it; ERR_NOMEM, ERR_IO. */
int lfs_credential_fill(struct lfs_credential *out, const struct url *url, const char *user);
/* Ask for the passphrase of a client certificate's key; the same results. */
int lfs_credential_fill_certificate(struct lfs_credential *out, const char *file);
/* They were good; they were not.  What goes wrong there is of no interest to anybody. */
void lfs_credential_approve(const struct lfs_credential *c);
void lfs_credential_reject(const struct lfs_credential *c);

/* Take what `git credential fill` answered.  0, ERR_INVALID, ERR_NOMEM.  Pure. */
int lfs_credential_parse(struct lfs_credential *out, const char *text, size_t len);
/* Append "key=value\n".  ERR_INVALID for a value with LF, CR or NUL-like control bytes.  Pure. */
int lfs_credential_line(struct buf *out, const char *key, const char *value);

#endif
