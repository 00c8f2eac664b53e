/*
 * Which files `git dvx add` is about: what the operands name, in the index or untracked and not
 * ignored, and what the index knows of each.
 */
#ifndef LIB_REPO_ADDLIST_H
#define LIB_REPO_ADDLIST_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/pathpool.h"
#include "lib/repo/attrs.h"
#include "lib/repo/repo.h"
#include "lib/store/oid.h"
#include "lib/worktree/gitindex.h"

/* One operand, as the command understood it. */
struct add_operand {
	const char *typed;
	char *path; /* from the top of the worktree; NULL for a pattern */
	int is_dir; /* path is a directory: all below it */
	int found;  /* out: some file belongs to it */
};

enum add_kind {
	ADD_TODO = 0,  /* not decided yet */
	ADD_UNCHANGED, /* the index has its pointer, and the file is as the index knows it */
	ADD_GONE,      /* in the index, not in the worktree */
	ADD_PLAIN, /* for `git add`: links, submodules, Git's own files, what is empty or too small
		    */
	ADD_DATA   /* to be stored and staged as a pointer */
};

struct add_file {
	const char *path;
	struct add_operand *operand;
	enum add_kind kind;
	int regular;	/* it is a regular file */
	int executable; /* for its owner */
	int is_pointer; /* the index has a pointer for it */
	int same;	/* the index calls it unchanged */
	int racy;	/* the same, but as young as the index: Git has to look */
	int keep_out;	/* the index says that the file is none of our business (sparse checkout) */
	uint32_t mode;	/* in the index; 0: not there, or unmerged */
	uint8_t index_blob[REPO_ID_MAX];
	struct gitindex_stat st; /* of the file now */
	uint64_t size;		 /* of the file now */
	int asked;		 /* attrs are known */
	struct attrs attrs;
	/* filled by addrun.h */
	uint8_t blob[REPO_ID_MAX];
	struct oid oid;
};

struct add_list {
	struct add_file *v;
	size_t n, cap;
	struct pathpool *paths;
	int trust_mode; /* core.fileMode */
};
#define ADD_LIST_INIT                                                                              \
	{                                                                                          \
		NULL, 0, 0, NULL, 1                                                                \
	}

void add_list_release(struct add_list *l);
void add_operands_release(struct add_operand *v, size_t n);
/* Make an operand of an argument.  ERR_INVALID for a path outside of the worktree or inside ".git".
 */
int add_operand_parse(struct add_operand *out, const struct repo *repo, const char *typed);

/* Collect the files, stat them, and settle ADD_UNCHANGED and ADD_GONE; the rest is ADD_TODO. */
int add_list_collect(
	struct add_list *l, const struct repo *repo, struct add_operand *operands, size_t n);
/* Ask for the attributes of all that is ADD_TODO; with `sample`, of one file or so for each
 * operand: where that one is not tracked, there is no need to ask for the others yet. */
int add_list_attrs(struct add_list *l, const struct repo *repo, int sample);
/* 1 if the file could be a pointer: a regular file that is not Git's own (.gitignore…), nor our
 * settings. */
int add_file_trackable(const struct add_file *f);

#endif
