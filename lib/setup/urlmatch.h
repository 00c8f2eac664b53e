/*
 * Settings for a URL: "<section>.<url>.<key>" as Git looks them up (git-config(1), "http.<url>.*",
 * and `git config --get-urlmatch`): scheme, host ("*" stands for one label) and port must agree,
 * the path must be a prefix that ends at a slash, a user name in the pattern must be the URL's. The
 * closest wins: longest host, then longest path, then one with a user name; of equals the last;
 * without any, "<section>.<key>".
 */
#ifndef LIB_SETUP_URLMATCH_H
#define LIB_SETUP_URLMATCH_H

#include "lib/setup/config.h"

enum urlmatch_from {
	URLMATCH_ANY, /* files of the tree count */
	URLMATCH_OWN  /* only the user's own configuration */
};

/* The value for this URL, NULL when unset or a URL that is none.  `section` and `key` in lower
 * case. Borrowed from `c`. */
const char *urlmatch_get(const struct config *c, const char *section, const char *url,
	const char *key, enum urlmatch_from from);
/* Every value for this URL of a key that may be given several times (http.extraHeader): those of
 * the closest pattern, in order; an empty value forgets the ones before.  Stops at the first
 * non-zero return of fn, and returns it. */
int urlmatch_each(const struct config *c, const char *section, const char *url, const char *key,
	enum urlmatch_from from, int (*fn)(const char *value, void *data), void *data);

#endif
