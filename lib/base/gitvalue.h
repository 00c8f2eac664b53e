/*
 * Values as Git and Git LFS write them, in configuration files and in the environment: switches and
 * numbers are read the same everywhere.
 */
#ifndef LIB_BASE_GITVALUE_H
#define LIB_BASE_GITVALUE_H

/* true/yes/on/t, false/no/off/f and "", integers; `fallback` for anything else. */
int gitvalue_bool(const char *value, int fallback);
/* An environment variable of Git's as a switch; `fallback` when it is unset or none. */
int gitvalue_env(const char *name, int fallback);
/* One of Git LFS's (GIT_LFS_…): `fallback` when it is unset or empty; true, 1, on, yes and t are 1,
 * anything else is 0, as Git LFS has it. */
int gitvalue_lfs_env(const char *name, int fallback);
/* Integers with k, m, g.  0 or ERR_INVALID (no message). */
int gitvalue_int(long long *out, const char *value);

#endif
