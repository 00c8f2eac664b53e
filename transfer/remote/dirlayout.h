/*
 * The directories and the format file of a blob store in a directory (docs/blob-store.md).
 */
#ifndef TRANSFER_DIRLAYOUT_H
#define TRANSFER_DIRLAYOUT_H

/* Files in tmp/ that are blobs being written; tmp/ may be shared with a local store's. */
#define DIRLAYOUT_TEMP_PREFIX "put-"

/* 0 if this version may use the store at `root`, also when there is none, or only part of one;
 * ERR_UNSUPPORTED. */
int dirlayout_check(const char *root);
/* Make what is missing, durable; clear tmp/ of old files without a living writer. */
int dirlayout_make(const char *root);
/* One directory (its parent exists), durable. */
int dirlayout_make_dir(const char *path);

#endif
