/*
 * One transfer: a list of objects, a direction, a remote (docs/transfer.md).  Both front ends
 * (batch lines, Git LFS's JSON) fill a list, call engine_run, and turn answers into their own
 * words.
 */
#ifndef TRANSFER_ENGINE_H
#define TRANSFER_ENGINE_H

#include <pthread.h>

#include "lib/setup/config.h"
#include "lib/setup/gitdir.h"
#include "lib/setup/remotes.h"
#include "lib/store/oid.h"
#include "lib/store/store.h"

struct remote;

enum engine_direction { ENGINE_DOWNLOAD, ENGINE_UPLOAD };

enum transfer_state {
	TRANSFER_OPEN = 0,
	TRANSFER_OK = 1,
	TRANSFER_PRESENT = 2 /* negative: enum err */
};

/* Looks at the file of a download while it grows (the server sends an object on before the last
 * byte of it has come).  Called by the thread that writes. */
struct transfer_watch {
	/* An attempt begins with the empty file `fd`: to be duplicated by who wants to keep it. */
	void (*begun)(struct transfer_watch *w, int fd);
	/* So many bytes of it are there; whether they are right is known in the end only. */
	void (*grown)(struct transfer_watch *w, uint64_t size);
};

/* There may be a million. */
struct transfer_object {
	struct oid oid;
	uint64_t size;	  /* STORE_SIZE_UNKNOWN: a download's, until it was found */
	struct oid *base; /* upload: what to deduplicate against; may be NULL */
	const char *path; /* for messages; borrowed; may be NULL */
	char *file;	  /* upload: read from this file, not from the store; download: out */
	int to_file;	  /* download: to a temporary file, not to the store */
	struct transfer_watch *watch; /* download to a file: borrowed; may be NULL */
	int state;		      /* out: enum transfer_state, or negative enum err */
};

/* Set the base; for an object so small that it is sent whole in any case: nothing. */
int transfer_object_base(struct transfer_object *o, const struct oid *base);
/* Free what it owns (not the temporary file). */
void transfer_object_release(struct transfer_object *o);

struct engine {
	/* set by the front end */
	struct gitdir *git;
	struct config *config;
	struct store *store;
	struct remote_spec *spec;
	struct remote *remote; /* the blob store of `spec`, open already; NULL: opened for a run */
	const char *ref;       /* full name of the Git ref that the transfer is for; NULL: none in
				  particular */
	int jobs;	       /* threads; 0: as many as fit */
	int dry_run;
	int verify; /* upload: ask the remote for every pack that an object is said to lie in */
	int check;  /* download: to nowhere; every object is read and hashed */
	int anew;   /* upload: send all, and refer to nothing that the remote has: it is damaged */
	const volatile int *stop;
	/* An object has its state; `bytes` travelled for it; when it failed, err_msg() is why.  One
	 * call at a time.  Negative: nobody listens. */
	int (*answer)(struct transfer_object *o, uint64_t bytes, void *data);
	int (*progress)(uint64_t objects, uint64_t bytes, void *data);
	void (*warn)(const char *message, void *data);
	void *data;
	/* private */
	pthread_mutex_t lock;
	uint64_t objects_done, bytes_done;
	int64_t last_progress;
	int deaf; /* an answer could not be delivered: stop */
	char why_deaf[256];
};

void engine_init(struct engine *e);
void engine_release(struct engine *e);

/* Move all objects (of distinct ids).  0 when every object has an answer; negative when the rest
 * could not be attempted. */
int engine_run(
	struct engine *e, enum engine_direction d, struct transfer_object *objects, size_t n);

/* ---- for the parts of the engine; thread-safe ---- */

/* Record and report.  `state` negative: the message is this thread's err_msg(). */
void engine_answer(struct engine *e, struct transfer_object *o, int state, uint64_t bytes);
/* So many more bytes of objects were worked on. */
void engine_progress(struct engine *e, uint64_t bytes);
/* Something is wrong that fails no object by itself. */
void engine_warn(struct engine *e, const char *message);
/* 0, or ERR_INTERRUPTED when it is time to leave. */
int engine_check_stop(const struct engine *e);
int engine_jobs(const struct engine *e);
/* ": (path)" for messages: "<hex> (<path>)" appended. */
int engine_describe(const struct transfer_object *o, struct buf *out);

#endif
