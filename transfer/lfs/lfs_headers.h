/*
 * What becomes a header of a request to a Git LFS server.  All append "Name: value" lines.
 */
#ifndef TRANSFER_LFS_HEADERS_H
#define TRANSFER_LFS_HEADERS_H

#include "lib/base/strvec.h"
#include "lib/setup/config.h"
#include "transfer/lfs/lfs_credential.h"

/* 1 if there is a header of that name; `headers` may be NULL. */
int lfs_headers_have(const struct strvec *headers, const char *name);
/* 0 or ERR_NOMEM; `from` may be NULL. */
int lfs_headers_add_all(struct strvec *to, const struct strvec *from);
/* http.<url>.extraHeader; http.extraHeader is for the server (`is_server`), not for wherever it
 * sends us.  0; ERR_INVALID: one has a control byte; ERR_NOMEM. */
int lfs_headers_add_extra(
	struct strvec *to, const struct config *c, const char *url, int is_server);
/* GIT_HTTP_USER_AGENT, http.<url>.userAgent; nothing if there is none.  0 or ERR_NOMEM. */
int lfs_headers_add_user_agent(struct strvec *to, const struct config *c, const char *url);
/* Authorization: Basic.  0 or ERR_NOMEM. */
int lfs_headers_add_basic(struct strvec *to, const struct lfs_credential *c);

#endif
