/*
 * The statuses of Git LFS's API, which are HTTP's also where SSH carries them (Git LFS's
 * docs/api/batch.md, docs/proposals/ssh_adapter.md).
 */
#ifndef TRANSFER_LFS_STATUS_H
#define TRANSFER_LFS_STATUS_H

/* The enum err that a status stands for which is no 2xx. */
int lfs_status_error(int status);

#endif
