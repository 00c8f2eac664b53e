/*
 * How the far side is started: where a URL points, and which ssh is run with which words, as Git
 * does it (docs/ssh-protocol.md).
 */
#ifndef TRANSFER_SSH_COMMAND_H
#define TRANSFER_SSH_COMMAND_H

#include "lib/base/buf.h"
#include "lib/base/strvec.h"
#include "lib/setup/config.h"

struct ssh_target {
	char *host; /* "[user@]host", for ssh; never begins with '-' */
	char *port; /* decimal; NULL: ssh's own choice */
	char *path; /* absolute, "~…", or below the home directory; never begins with '-' */
};

/* Take apart "ssh://[user@]host[:port]/path" or "[user@]host:path" (scp's form; a host in brackets
 * may have colons, or a port behind one).  0; ERR_INVALID: malformed, or what ssh or the far shell
 * could mistake for something else.  Pure. */
int ssh_target_parse(struct ssh_target *out, const char *url);
/* Fine on a zeroed struct. */
void ssh_target_release(struct ssh_target *t);

/* Append a word as one of the far shell (sh, csh): in single quotes. */
int ssh_quote(struct buf *out, const char *word);

/* What decides about the program; all may be NULL. */
struct ssh_choice {
	const char *command_env; /* GIT_SSH_COMMAND: words of the user's shell */
	const char *command;	 /* core.sshCommand: the same */
	const char *program_env; /* GIT_SSH */
	const char *variant_env; /* GIT_SSH_VARIANT */
	const char *variant;	 /* ssh.variant */
};
void ssh_choice_init(struct ssh_choice *out, const struct config *c);

/* What options a program takes. */
enum ssh_variant {
	SSH_UNKNOWN = 0, /* nobody said: it is to be tried with -G */
	SSH_OPENSSH,
	SSH_PLINK, /* putty as well */
	SSH_TORTOISEPLINK,
	SSH_SIMPLE /* none */
};
enum ssh_variant ssh_variant_of(const struct ssh_choice *c);

/* Append the argument vector that runs `remote_command` there.  0; ERR_INVALID when the variant
 * cannot do it (a port for SSH_SIMPLE).  Pure. */
int ssh_argv(struct strvec *out, const struct ssh_choice *c, enum ssh_variant v,
	const struct ssh_target *t, const char *remote_command);
/* Append the argument vector that finds out whether the program knows -G, as OpenSSH does: it exits
 * with 0 then. */
int ssh_probe_argv(struct strvec *out, const struct ssh_choice *c, const struct ssh_target *t);

#endif
