/*
 * What the two front ends share: options, and the repository they work in.
 */
#ifndef TRANSFER_FRONTEND_H
#define TRANSFER_FRONTEND_H

#include "lib/base/buf.h"
#include "transfer/engine.h"

/* Set by SIGINT and SIGTERM, once they are caught. */
extern volatile int frontend_stop;
/* Catch them, and ignore SIGPIPE.  A system call that waits for requests returns then. */
void frontend_catch_signals(void);

struct frontend_options {
	const char *remote;
	const char *git_remote;
	const char *ref;
	const char *store; /* agent: a blob store: directory, URL, or name of a configured remote */
	int jobs;
	int dry_run;
	int verify;
};

/* Find the repository, read its configuration, open its store: fills the engine (not yet spec). */
int frontend_open(struct engine *e, const struct frontend_options *o);
/* e->spec from the options; `fallback` (may be NULL) is the remote that the client named. */
int frontend_resolve(struct engine *e, const struct frontend_options *o, const char *fallback);
void frontend_close(struct engine *e);

/* Lines from a descriptor. */
struct line_reader {
	int fd;
	struct buf in;
	size_t start; /* of what is not handed out yet */
	size_t max;   /* longest line, LF included */
	int at_end;
};
/* Next line without its LF, NUL-terminated, changeable, valid until the next call.  1; 0 at end of
 * file; ERR_LIMIT; ERR_INTERRUPTED when told to stop; ERR_IO. */
int line_read(struct line_reader *r, char **line, size_t *len);
void line_reader_release(struct line_reader *r);

/* What is done with the requests of a batch, between the first line and the last. */
typedef int batch_work_fn(struct engine *e, struct transfer_object *objects, size_t n, void *data);
/* Requests in, answers out, as batch_front, for another command. */
int batch_serve(const struct frontend_options *o, batch_work_fn *work, void *data);

/* The two: exit status. */
int batch_front(enum engine_direction d, const struct frontend_options *o);
int agent_front(const struct frontend_options *o);

#endif
