/*
 * The syntax of Git's configuration files (git-config(1), "SYNTAX"), for the few questions that
 * must not cost a `git config`.  No includes, no conditions.
 */
#ifndef LIB_SETUP_GITCONF_H
#define LIB_SETUP_GITCONF_H

#include <stddef.h>

/* Call fn for each setting of the text, in order: key is "section.sub.key" with section and key in
 * lower case, value "true" for a key without "=".  0; the first negative return of fn; ERR_INVALID
 * with `name` and the line number. */
int gitconf_parse(const char *text, size_t len, const char *name,
	int (*fn)(const char *key, const char *value, void *data), void *data);

#endif
