/*
 * Connections to the hosts that a Git LFS client talks to: one struct http for all URLs of an
 * origin that have the same settings.  Threads may share the table.
 */
#ifndef TRANSFER_LFS_HOSTS_H
#define TRANSFER_LFS_HOSTS_H

#include "lib/base/url.h"
#include "lib/setup/config.h"
#include "transfer/http/http.h"

struct lfs_hosts;

/* `c` is borrowed.  0, ERR_NOMEM. */
int lfs_hosts_new(struct lfs_hosts **out, const struct config *c);
/* No request may be in the making.  NULL is fine. */
void lfs_hosts_free(struct lfs_hosts *h);
/* The connections for a URL (`text` and its parts); *http is borrowed.  May ask for the passphrase
 * of the user's certificate; `anonymous`: with neither certificate nor cookies.  0, ERR_UNSUPPORTED
 * (no libcurl), ERR_DENIED, ERR_NOMEM. */
int lfs_hosts_get(struct lfs_hosts *h, const char *text, const struct url *url, int anonymous,
	struct http **http);

#endif
