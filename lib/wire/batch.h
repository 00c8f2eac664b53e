/*
 * The batch protocol between our own programs and git-dvx-transfer (docs/agent-protocol.md): lines,
 * any number of requests ahead of the answers.  (Foreign programs speak Git LFS's JSON agent
 * protocol to the same git-dvx-transfer; Debian has no static cJSON, and the filter needs only libc
 * at run time, so ours is one that needs no JSON.)
 */
#ifndef LIB_WIRE_BATCH_H
#define LIB_WIRE_BATCH_H

#include "lib/base/progress.h"
#include "lib/store/oid.h"

enum batch_direction {
	BATCH_DOWNLOAD,
	BATCH_UPLOAD,
	BATCH_CHECK /* is each of them on the remote, and whole?  1: yes; 2: it is again, after a
		       repair */
};

struct batch_object {
	struct oid oid;
	uint64_t size;	 /* download: UINT64_MAX: not known; a Git LFS server cannot find it then */
	struct oid base; /* upload: the previous version of the same path, to deduplicate against */
	int has_base;
	const char *path; /* for messages; may be NULL; borrowed */
	int state;   /* out: 0 not answered, 1 done, 2 was there already (upload), negative enum err
		      */
	char *error; /* out: message when state < 0; heap, freed by batch_objects_release */
};

struct batch_options {
	const char *remote;	/* name or URL; NULL: the default */
	const char *git_remote; /* Git remote of the push at hand, or NULL */
	const char *ref;	/* full name of the Git ref at hand, or NULL */
	int jobs;		/* 0: default */
	int dry_run;
	int verify; /* upload: "there already" only after the remote was asked for the packs now */
	int quick;  /* check: sizes only */
	int repair; /* check: send anew what is damaged there and good here */
	enum progress_mode progress;
	const volatile int *stop; /* may be NULL */
};

struct batch_result {
	uint64_t bytes; /* that travelled */
	size_t done, present, failed;
	char remote[256]; /* the remote's name, as the agent resolved it */
};

/* Start git-dvx-transfer, hand it all objects, collect the answers.  Downloads land in the local
 * store by themselves. 0 when the agent answered for every object (look at each state); negative
 * when it could not do its work at all (no remote, no such directory…; message). */
int batch_run(enum batch_direction d, struct batch_object *objects, size_t n,
	const struct batch_options *o, struct batch_result *r);
void batch_objects_release(struct batch_object *objects, size_t n);

#endif
