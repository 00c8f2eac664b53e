/*
 * What is said to rclone and what it says, as text: where a URL leads, lines of a listing, features
 * of a backend, errors.  Pure; docs/rclone.md.
 */
#ifndef TRANSFER_RCLONE_TEXT_H
#define TRANSFER_RCLONE_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"

struct rclone_place {
	char *remote; /* a section of rclone's configuration */
	char *path;   /* behind the colon, without '/' at its end; may be "" or "/" */
};

/* Take "rclone://REMOTE:PATH" apart.  0; ERR_INVALID with the reason. */
int rclone_place_parse(struct rclone_place *out, const char *url);
/* Fine on a zeroed struct. */
void rclone_place_release(struct rclone_place *p);
/* Append "REMOTE:PATH/<file>", as rclone understands it. */
int rclone_place_file(struct buf *out, const struct rclone_place *p, const char *file);

/* A file of `rclone lsjson`. */
struct rclone_item {
	char *path; /* seen from what was listed; free() */
	uint64_t size;
	int64_t mtime; /* seconds since 1970 */
};

enum { RCLONE_LINE_MAX = 64 * 1024 };

/* One line of a listing, or all that `lsjson --stat` printed.  1 and an item; 0 when it is no file:
 * a bracket, "null", a directory, a document without size; ERR_CORRUPT for what is not rclone's. */
int rclone_item_parse(struct rclone_item *out, const char *text, size_t len);

/* How a blob gets its name. */
enum rclone_class {
	RCLONE_WHOLE = 1, /* an object store: an upload appears whole or not at all */
	RCLONE_RENAME,	  /* files: uploaded under another name, then renamed */
	RCLONE_IN_PLACE	  /* neither: what was cut short stays, and is found to be damaged later */
};

/* The class, from what `rclone backend features` printed; ERR_CORRUPT. */
int rclone_class_parse(const char *text, size_t len);

/* Set the error for a run that ended with `status` and wrote `log` on standard error; `doing` says
 * what was tried.  Returns its code: never 0. */
int rclone_failure(const struct rclone_place *p, const char *doing, int status, const char *log);

#endif
