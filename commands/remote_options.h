/*
 * The settings of a blob remote as `git dvx remote modify` knows them: names (DVC's), where each
 * may be kept, and which values make sense.  Pure but for paths, which are made absolute.
 */
#ifndef COMMANDS_REMOTE_OPTIONS_H
#define COMMANDS_REMOTE_OPTIONS_H

#include <stddef.h>

#include "lib/base/buf.h"

enum remote_option_place {
	REMOTE_OPTION_SHARED, /* `.dvxconfig`, unless --local was said */
	REMOTE_OPTION_OWN,    /* `.git/config` only: committed files may not set it */
	REMOTE_OPTION_SECRET  /* the same, and it is never shown */
};

enum remote_option_type {
	REMOTE_OPTION_URL,
	REMOTE_OPTION_TEXT, /* one word of printable characters */
	REMOTE_OPTION_ENDPOINT,
	REMOTE_OPTION_BOOL,
	REMOTE_OPTION_PATH,
	REMOTE_OPTION_BOOL_OR_PATH,
	REMOTE_OPTION_WORDS, /* one of `words` */
	REMOTE_OPTION_ANY    /* whatever has no control characters */
};

struct remote_option {
	const char *name;     /* "access_key_id" */
	const char *variable; /* of "dvx-remote.<name>.": "accessKeyId" */
	enum remote_option_place place;
	enum remote_option_type type;
	const char *words; /* separated by '|' */
};

/* By DVC's name or by the configuration's, without case; NULL for an unknown one. */
const struct remote_option *remote_option_find(const char *name);
/* All of them. */
const struct remote_option *remote_option_table(size_t *n);
/* Append the names of all, for messages. */
int remote_option_names(struct buf *out);
/* Append the value as it is to be written.  0; ERR_INVALID says what would be right. */
int remote_option_value(struct buf *out, const struct remote_option *o, const char *typed);

#endif
