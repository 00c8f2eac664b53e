/*
 * Passwords as htpasswd files keep them: what crypt(3) knows and is salted and slow (bcrypt
 * "$2y$", SHA-crypt "$5$" "$6$", yescrypt "$y$"…), Apache's own "$apr1$" (htpasswd's default), and
 * "{SHA}", which is neither but common.  Plain text and the old DES are not taken.
 */
#ifndef SERVER_PASSHASH_H
#define SERVER_PASSHASH_H

/* 1 if it is one of these. */
int passhash_is_known(const char *hash);
/* 1: this is the password; 0: it is not; ERR_UNSUPPORTED: not one of these; ERR_NOMEM. */
int passhash_check(const char *hash, const char *password);

#endif
