/*
 * The ssh that leads to the far side of a remote: started, listened to, and, when it ends before
 * there was a connection, understood.
 */
#ifndef TRANSFER_SSH_PROCESS_H
#define TRANSFER_SSH_PROCESS_H

#include "lib/base/run.h"
#include "lib/setup/config.h"
#include "transfer/ssh/ssh_command.h"

struct ssh_process {
	struct run run;
	int err_fd;	 /* its standard error, read end; -1: ended */
	int show;	 /* pass what it says on to our standard error */
	int by_shell;	 /* a shell runs the user's words */
	struct buf said; /* the beginning of it */
};

struct ssh_process_options {
	const struct config *config;
	const struct ssh_target *target;
	const char *command; /* of the far shell; NULL: git-dvx-transfer */
	const char *line;    /* all of the far command, ready for that shell; NULL: "<command>
				serve <path>" */
	int show;
};

/* 0; ERR_NOTFOUND (no such program), ERR_INVALID, ERR_IO.  Standard input and output of ssh are
 * run.in_fd and run.out_fd. */
int ssh_process_start(struct ssh_process *p, const struct ssh_process_options *o);
/* How long a far side may be silent, in milliseconds: dvx.stallSeconds. */
int ssh_process_stall_ms(const struct config *c);
/* 1 if nobody can be asked for a password or a touch: then that holds from the start. */
int ssh_process_unattended(void);
/* Take what it has to say (err_fd is readable). */
void ssh_process_hear(struct ssh_process *p);
/* It has closed its output or is to go: wait for its end, for a while also for an end of its own,
 * and free everything.  The exit status, or a negative error. */
int ssh_process_end(struct ssh_process *p, int let_it_finish);

/* What is known of a process that ended before the far side said hello. */
struct ssh_ending {
	int status;	  /* of ssh_process_end */
	const char *said; /* on its standard error */
	int by_shell;
	const char *host;
	const char *command; /* as in the options */
	const char *remote;  /* its name, for what to do */
};
/* The error it stands for, with a sentence for the user. */
int ssh_process_explain(const struct ssh_ending *e);

#endif
