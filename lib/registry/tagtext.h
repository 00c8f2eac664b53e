/*
 * What a tag object of Git says, and the trailers that a tag of ours has at its message's end
 * (docs/registry.md).  Pure.
 */
#ifndef LIB_REGISTRY_TAGTEXT_H
#define LIB_REGISTRY_TAGTEXT_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/store/oid.h"

enum {
	TAGTEXT_MAX = 64 * 1024, /* of a tag object, no more is looked at */
	TAGTEXT_MESSAGE_MAX = 4096
};

struct tagtext {
	const char *target; /* the object's name in hex, as it is written */
	const char *type;   /* "commit", "tag", … */
	const char *name;   /* the name that the tag was made by */
	int64_t when;	    /* seconds since 1970; 0: there is no tagger, or no time */
	int zone;	    /* minutes east of UTC */
	const char *who, *email;
	const char *message; /* without signature and trailers, cut at TAGTEXT_MESSAGE_MAX */
	/* trailers: NULL and 0 where there are none */
	const char *path, *sha256, *commit; /* the latter in hex */
	uint64_t size;
};

/* Take a tag object's content apart, in place: data[len] must be a NUL.  Strings are pointers into
 * it, never NULL but of trailers.  0, or ERR_CORRUPT. */
int tagtext_parse(struct tagtext *out, char *data, size_t len);
/* Committer time of a commit's content (NUL-terminated), 0 where it cannot be told. */
int64_t tagtext_commit_time(const char *commit);
/* Append the text of a new tag: the message, and a paragraph of what `t` has of trailers.
 * ERR_LIMIT: the message is too long to be read again; ERR_INVALID: a path that does not fit into
 * one line. */
int tagtext_format(struct buf *out, const char *message, const struct tagtext *t);

#endif
