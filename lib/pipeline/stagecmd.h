/*
 * The command lines of a stage: each in a shell of its own, watched to their end.  Nothing of them
 * outlives us (guard.h), and nothing of them is left when they fail.
 */
#ifndef LIB_PIPELINE_STAGECMD_H
#define LIB_PIPELINE_STAGECMD_H

#include "lib/base/strvec.h"

struct stagecmd {
	const char *stage; /* address, for messages */
	const struct strvec *lines;
	const char *dir;	  /* where they start */
	const struct strvec *env; /* "NAME=value" to add or replace */
	int claim_fd;		  /* stays open in them; 0: none */
	/* With `output` each line that they print is handed over, without its newline, and they
	 * read from /dev/null; else they have our descriptors. */
	int (*output)(const char *line, void *data);
	int (*starting)(const char *line, void *data);
	void *data;
	const volatile int *stop;
};

/* Can commands start there?  0; ERR_NOTFOUND, ERR_INVALID "stage 'train' cannot start in …". */
int stagecmd_check_dir(const char *stage, const char *dir);
/* 0; ERR_INVALID "stage 'train' failed: 'python train.py' exited with status 1"; ERR_INTERRUPTED;
 * ERR_NOTFOUND (no shell, no directory). */
int stagecmd_run(const struct stagecmd *c);

#endif
