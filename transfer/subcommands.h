/*
 * The subcommands of git-dvx-transfer besides the two front ends.  Each takes main()'s words from
 * its own name on, and returns the exit status.
 */
#ifndef TRANSFER_SUBCOMMANDS_H
#define TRANSFER_SUBCOMMANDS_H

int serve_main(int argc, char **argv); /* the other end of ssh:// */
int probe_main(int argc, char **argv); /* what can this remote do? */
int gc_main(int argc, char **argv);    /* remove what nobody needs */
int fsck_main(int argc, char **argv);  /* is all there, and right? */
int du_main(int argc, char **argv);    /* how much is there? */

#endif
