/*
 * Paths as they come over SSH, on the side that serves them.
 */
#ifndef TRANSFER_FAR_PATH_H
#define TRANSFER_FAR_PATH_H

/* "~/…", "~user/…" and relative paths (below the current directory, which is the home directory
 * under sshd) made absolute, without slashes at the end.  *out is yours.  0; ERR_NOTFOUND: no such
 * user's home. */
int far_path_resolve(char **out, const char *path);

/* The common Git directory that a client means by `path`: as above, also as "/~/…" and in quotes
 * that nobody took off, with or without ".git" behind it.  *out is yours.  0; ERR_NOTFOUND: there
 * is no Git repository. */
int far_path_repository(char **out, const char *path);

#endif
