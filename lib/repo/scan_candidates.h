/*
 * Shared by the scans (scan.c, scan_history.c) only: paths and blobs that may be pointers, to be
 * decided all at once.
 */
#ifndef LIB_REPO_SCAN_CANDIDATES_H
#define LIB_REPO_SCAN_CANDIDATES_H

#include "lib/repo/scan.h"

struct scan_candidates {
	struct scan_list list;
	struct pointers_query *q;
	size_t n_q, cap_q;
};

#define SCAN_CANDIDATES_INIT                                                                       \
	{                                                                                          \
		SCAN_LIST_INIT, NULL, 0, 0                                                         \
	}

void scan_candidates_release(struct scan_candidates *c);
/* Add one; `base` (may be NULL) is the blob that the path had before. */
int scan_candidates_add(struct scan_candidates *c, const struct repo *repo, const char *path,
	size_t path_len, uint32_t mode, const uint8_t *blob, const uint8_t *base);
/* Append those that are pointers to `out`.  The candidates are used up. */
int scan_candidates_resolve(struct scan_candidates *c, struct scan_list *out, struct pointers *p);

#endif
