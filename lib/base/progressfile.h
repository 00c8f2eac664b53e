/*
 * The file that GIT_LFS_PROGRESS names (git-lfs-config(5)): one line for each object that was moved
 * or placed, "<direction> <current>/<files> <bytes>/<size> <name>", for programs that watch Git.
 */
#ifndef LIB_BASE_PROGRESSFILE_H
#define LIB_BASE_PROGRESSFILE_H

#include <stddef.h>
#include <stdint.h>

/* Append a line about the `current`th of `files` (from 1), which has arrived whole.  `direction` is
 * "download", "upload" or "checkout".  Nothing when the variable is unset or no absolute path; that
 * the file cannot be written is no error.  From any thread. */
void progressfile_add(
	const char *direction, size_t current, size_t files, uint64_t size, const char *name);

#endif
