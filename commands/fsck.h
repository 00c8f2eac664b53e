/*
 * The parts of `git dvx fsck`.
 */
#ifndef COMMANDS_FSCK_H
#define COMMANDS_FSCK_H

#include "commands/command.h"
#include "commands/json.h"
#include "commands/select.h"
#include "lib/repo/pointers.h"

struct fsck {
	struct command_ctx *ctx;
	int only_pointers, only_objects, repair, as_json;
	int move_aside;	     /* without repair: damaged objects go to `bad_dir` */
	const char *bad_dir; /* NULL: ".git/dvx/bad" */
	const char *head;    /* the name of HEAD for people; NULL: "HEAD" */
	struct strvec range; /* A, B: what the commits of A..B brought in, instead of all else */
	int tags, branches, commits;
	int on_remote, quick, jobs;
	const char *remote;
	struct select select;
	struct pointers *pointers;
	size_t problems; /* that remain */
	size_t aside;	 /* files that were moved away */
	struct strvec bad_packs;
	struct json json;
	cJSON *list;
};

/* Something is wrong: a line for people, or an item of the JSON.  `oid`, `path` and `kind` as they
 * are printed; path and oid may be NULL. */
void fsck_problem(struct fsck *f, const char *kind, const char *path, const char *oid,
	const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* Something was done. */
void fsck_say(struct fsck *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The objects that are asked about.  With `all`, those of every commit when nothing was chosen. */
int fsck_list(struct fsck *f, struct scan_list *l, int all);

int fsck_objects(struct fsck *f);  /* each is here and whole; repaired when asked to */
int fsck_pointers(struct fsck *f); /* pointers are canonical, and where they should be */
int fsck_store(struct fsck *f);	   /* packs, sums, journals, pointer cache */
int fsck_remote(struct fsck *f);   /* each is on the remote and whole */

#endif
