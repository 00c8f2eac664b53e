/*
 * From lists of pointers to transfers: one object once, nothing that needs no transfer, and the
 * outcome of each.
 */
#ifndef LIB_REPO_SYNC_H
#define LIB_REPO_SYNC_H

#include "lib/repo/scan.h"
#include "lib/store/store.h"
#include "lib/wire/batch.h"

struct sync {
	struct batch_object *objects; /* paths borrowed from the list */
	size_t n;
	struct batch_result result;
};
#define SYNC_INIT                                                                                  \
	{                                                                                          \
		NULL, 0,                                                                           \
		{                                                                                  \
			0                                                                          \
		}                                                                                  \
	}

void sync_release(struct sync *s);
/* Upload what the list names (one item per object is taken, the first).  The list must outlive
 * `out`.  0 when each object was answered for - see objects[].state -, or a negative error of
 * batch_run.  Nothing is started for an empty list. */
int sync_upload(struct sync *out, const struct scan_list *l, const struct batch_options *o);
/* Download those that are not in the store. */
int sync_download(struct sync *out, const struct scan_list *l, struct store *store,
	const struct batch_options *o);

/* Have the remote checked for what the list names: states 1 sound, 2 repaired. */
int sync_check(struct sync *out, const struct scan_list *l, const struct batch_options *o);

/* How many objects ended in this state (1 done, 2 present, 0 unanswered), and their bytes. */
size_t sync_count(const struct sync *s, int state, uint64_t *bytes);
/* How many failed. */
size_t sync_failed(const struct sync *s);
/* Append "3 objects, 1.2 GiB pushed to 'storage' (2 were there already)".  1; 0 when nothing
 * travelled, and nothing is appended. */
int sync_summary(struct buf *out, const struct sync *s, enum batch_direction d, int dry_run);
/* Append a line "  <path>: <why>" for each of the first `most` failed objects, for a damaged one
 * that was to be uploaded with what mends it. */
int sync_failures(struct buf *out, const struct sync *s, enum batch_direction d, size_t most);

#endif
