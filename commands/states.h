/*
 * Which states of the project a command shows: the worktree, revisions that were named, all
 * branches, tags or commits; with the names by which they are shown.
 */
#ifndef COMMANDS_STATES_H
#define COMMANDS_STATES_H

#include "commands/command.h"
#include "lib/repo/source.h"

struct states_options {
	int branches, tags, commits; /* -a, -T, -A */
	struct strvec revs;	     /* --rev */
};
/* 1 for "workspace", the name that stands for the worktree among revisions. */
int states_is_worktree(const char *rev);
void states_options_release(struct states_options *o);

/* The rows of an option table. */
#define STATES_OPTIONS(o, only)                                                                    \
	{'a', "all-branches", OPT_FLAG, &(o)->branches, NULL,                                      \
		only "the work tree and all branches", 0},                                         \
		{'T', "all-tags", OPT_FLAG, &(o)->tags, NULL, only "the work tree and all tags",   \
			0},                                                                        \
		{'A', "all-commits", OPT_FLAG, &(o)->commits, NULL,                                \
			only "the work tree and all commits", 0},                                  \
	{                                                                                          \
		0, "rev", OPT_LIST, &(o)->revs, "<revision>",                                      \
			only "this revision; may be given again", 0                                \
	}

struct state {
	char *name;		 /* "workspace", "v1.0", "main,v1.0", a whole object name */
	int is_worktree;	 /* `id` is of no meaning then */
	int is_commit;		 /* named by its id: to be abbreviated where people read */
	uint8_t id[REPO_ID_MAX]; /* of a commit, tag or tree */
};
struct states {
	struct state *v;
	size_t n, cap;
	int named; /* some were asked for, it is not the worktree (or HEAD) alone */
};
/* The worktree first - in a bare repository, where nothing else is asked for, HEAD -, branches by
 * name, tags as versions, commits the newest first. Branches and tags of one commit are one state.
 */
int states_list(struct states *out, const struct repo *repo, const struct states_options *o);
void states_release(struct states *s);

/* Append the branch that HEAD is on; nothing when it is on none, or says so in a form that we do
 * not know. */
int states_branch(struct buf *out, const struct repo *repo);

#endif
