/*
 * One side of a file as Git hands it to its diff drivers: the name of a file that holds the
 * content, or - thanks to the filter - only the pointer.
 */
#ifndef COMMANDS_SHOWFILE_H
#define COMMANDS_SHOWFILE_H

#include "commands/command.h"
#include "lib/store/oid.h"

struct showfile {
	const char *path; /* for messages and by its extension; borrowed */
	int fd;		  /* the content from its start, unless it is not there, not opened yet, or
			     not to be had: -1 */
	const char *lack; /* why data is not to be had, and what to do; static, or NULL */
	uint64_t size;
	int is_data; /* Git has a pointer, as far as can be known */
	int has_oid;
	struct oid oid; /* of the content, with has_oid */
};

/* Load the configuration, of a repository if there is one; a broken .dvxconfig (in the middle of a
 * merge) counts as absent. */
int showfile_begin(struct command_ctx *ctx);

/* `file` is what Git names ("/dev/null": there is none), `blob` its object in hex (NULL or zeros:
 * not known), `path` where it belongs.  Outside of a repository (ctx->g is NULL) pointers stay
 * text. 0, also where the data is not in the local store (`lack` says so): nothing is fetched. */
int showfile_open(struct showfile *out, struct command_ctx *ctx, const char *file, const char *blob,
	const char *path);
/* Open the content, which of a pointer is its object.  0, also where that is not to be had: then fd
 * is -1 and `lack` says why. */
int showfile_need(struct showfile *f, struct command_ctx *ctx);
void showfile_close(struct showfile *f);
/* 1 if this is no file at all. */
int showfile_is_absent(const struct showfile *f);
/* Find out the SHA-256 by reading the file, unless Git's index knew it. */
int showfile_identify(struct showfile *f);
/* 1 if the content was opened and looks like text: without NUL, as Git decides it; of data that is
 * no table, which is shown without its control characters, also without those. */
int showfile_is_text(const struct showfile *f);
/* Write the content that was opened; unless it is to be left as it is, '?' stands for what a
 * terminal would obey: all control characters but tabs and line ends. */
int showfile_write(const struct showfile *f, int to, int as_it_is);
/* The most bytes of a text that is shown by its lines (dvx.diffTextMax). */
uint64_t showfile_text_max(const struct command_ctx *ctx);

#endif
