/*
 * The parts of `git dvx merge-driver`: what it was given, and the ways to merge it.
 */
#ifndef COMMANDS_MERGE_DRIVER_H
#define COMMANDS_MERGE_DRIVER_H

#include "commands/command.h"
#include "lib/base/buf.h"
#include "lib/repo/datafile.h"
#include "lib/table/rows.h"

enum { MERGE_BASE, MERGE_OURS, MERGE_THEIRS, N_MERGE_SIDES };

struct merge_side {
	const char *file;     /* as Git gave it */
	struct buf text;      /* what it holds: a pointer, or content that Git has */
	struct datafile data; /* of a pointer: DATAFILE_OBJECT; else DATAFILE_NONE */
};

struct merge {
	struct command_ctx *ctx;
	struct merge_side side[N_MERGE_SIDES];
	const char *path; /* from the top of the worktree */
	int marker_size;
};

static inline int merge_side_is_pointer(const struct merge_side *s)
{
	return s->data.kind == DATAFILE_OBJECT;
}

/* Append the commands that end a conflict, a line each. */
int merge_way_out(struct buf *told, const struct merge *m);
/* Print what was told on stderr: nothing in it that a terminal would obey. */
void merge_print(struct buf *told);

/* Have the data of these sides in the local store: one batch.  0, or why it cannot be had. */
int merge_fetch(struct merge *m, int with_base);

enum merge_outcome { MERGE_DONE, MERGE_CONFLICTS, MERGE_IMPOSSIBLE };

/* A table, row by row: the result is stored and written to the file of ours.  MERGE_DONE;
 * MERGE_CONFLICTS: told, and marked in the result; MERGE_IMPOSSIBLE: nothing was written, `why`
 * says why not; or a negative error. */
int merge_table(struct merge *m, enum rows_format format, struct buf *why);
/* dvx.lock, stage by stage; the same values. */
int merge_lock(struct merge *m, struct buf *why);
/* Its lines were merged, because of `why`: never without a look at them.  MERGE_CONFLICTS or an
 * error. */
int merge_lock_lines(const struct merge *m, const char *why);

/* Put our and their version beside the file, where the merge has a worktree, and tell: there is a
 * conflict that only a person can decide.  `why` may be empty. */
int merge_beside(struct merge *m, const char *why);

#endif
