/*
 * What stagelock.c (the file) and lockedstage.c (one entry of it) share.
 */
#ifndef LIB_PIPELINE_STAGELOCK_INTERNAL_H
#define LIB_PIPELINE_STAGELOCK_INTERNAL_H

#include "lib/base/strmap.h"
#include "lib/pipeline/stagelock.h"

#define STAGELOCK_SCHEMA "dvx/1"
enum { ENVIRONMENT_ID_LEN = 12, STAGELOCK_BYTES_MAX = 64 * 1024 * 1024 };

/* A stage, an environment, or a top-level key that this version does not know. */
struct lock_block {
	char *name;
	char *text; /* its lines, as they stand in the file or will; NULL: not as we write them */
	const struct node *value; /* what was read; borrowed from a `root`, or from a change */
	const struct locked_stage *changed; /* what a stage says instead of that; borrowed */
	struct locked_stage *stage;
	char *environment; /* of a stage: the id that it names; NULL: none */
};

struct lock_blocks {
	struct lock_block *v;
	size_t n, cap;
};

struct stagelock {
	struct node *root;
	char *head; /* comments in front of the first key; NULL: none */
	struct lock_blocks stages, environments, others;
	struct strmap by_name; /* name -> locked_stage, borrowed */
};

/* A new block without text; NULL: out of memory. */
struct lock_block *lock_block_add(struct lock_blocks *b, const char *name);
/* Borrowed; NULL: there is none of that name. */
struct lock_block *lock_block_find(const struct lock_blocks *b, const char *name);

/* For messages: which file, and what to do with it. */
struct lock_place {
	const char *file, *mend;
};

/* 1 if a value counts as text: numbers and "true" are what they are written like, null is none. */
int lock_is_text(const struct node *n);

/* From the nodes of an entry.  `environments`: id -> node. */
int locked_stage_read(struct locked_stage **out, const struct lock_place *at, const char *name,
	const struct node *n, const struct strmap *environments);
/* The lines of an entry of dvx.lock: as locked_stage_format, but the environment is an id that
 * stands for one below `environments:`. */
int locked_stage_format_entry(struct buf *out, const char *name, const struct locked_stage *s);
void locked_paths_sort(struct locked_path *v, size_t n);

/* The name of a captured environment: the beginning of its hash. */
int environment_id(char out[static ENVIRONMENT_ID_LEN + 1], const struct node *environment);
/* Its lines below `environments:`. */
int environment_format(struct buf *out, const char *id, const struct node *environment);

/* The lines of an entry that says more than a locked_stage does: one for each of its keys. */
int unknown_entry_format(struct buf *out, const char *name, const struct node *value);
/* The line of a top-level key that this version does not know. */
int unknown_key_format(struct buf *out, const char *key, const struct node *value);

/* Give a text to each block that has none: it was not as we write it. */
int stagelock_format_blocks(struct stagelock *l);
/* Append the whole file; blocks are sorted, and environments that no stage names are forgotten. */
int stagelock_format(struct buf *out, struct stagelock *l);

/* What was written and read again: the name of a block that does not say any more what it said;
 * NULL: there is none. */
const char *stagelock_difference(const struct stagelock *written, const struct stagelock *read);

/* stagelock_update on the text of a file (pure); the result has been parsed. */
int stagelock_edit(struct buf *text, const char *name, const struct stagelock_change *v, size_t n);

#endif
