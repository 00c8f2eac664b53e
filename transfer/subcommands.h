/*
 * The subcommands of git-dvx-transfer besides the two front ends.  Each takes main()'s words from
 * its own name on, and returns the exit status.
 */
#ifndef TRANSFER_SUBCOMMANDS_H
#define TRANSFER_SUBCOMMANDS_H

int serve_main(int argc, char **argv); /* the other end of ssh:// */
int locks_main(int argc, char **argv); /* ask a Git LFS server about locks */
int probe_main(int argc, char **argv); /* what can this remote do? */
int gc_main(int argc, char **argv);    /* remove what nobody needs */
int fsck_main(int argc, char **argv);  /* is all there, and right? */
int du_main(int argc, char **argv);    /* how much is there? */
int runs_main(int argc, char **argv);  /* bundles of the run cache */

/* the other end of Git LFS over SSH, also by the name git-lfs-transfer */
int serve_lfs_main(int argc, char **argv);

#endif
