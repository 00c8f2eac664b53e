/*
 * The parts of `git dvx diff`: the list of what differs, what is looked into, and how it is shown.
 */
#ifndef COMMANDS_DIFF_H
#define COMMANDS_DIFF_H

#include "commands/command.h"
#include "commands/select.h"
#include "lib/repo/datadiff.h"

/* How much of a modified object is new, by chunks. */
struct diff_share {
	int known;
	uint64_t changed; /* bytes */
};

struct diff {
	struct command_ctx *ctx;
	int json, md, name_only;
	int rows, tensors, chunks; /* look inside */
	const char *key;	   /* of rows; NULL: not given */
	int limit;		   /* 0: show all */
	const char *remote;
	struct select select;
	char revs[2][REPO_HEX_MAX + 1]; /* object names */
	int n_revs;
	struct datadiff data;
	/* filled by diff_look; one for each change */
	struct diff_share *shares;
	char **keys; /* as tablekey_find has it; NULL: no rows */
	int failed;  /* something could not be had or read, which was told */
};

/* Get what the options ask for and is not here, and measure how much of each modified object is
 * new.  0 or a negative error; what is missing is told, and no error. */
int diff_look(struct diff *d);
void diff_look_release(struct diff *d);
/* Print what changed inside of each file that is to be looked into. */
int diff_print_inside(struct diff *d);
/* The same of one change as JSON: 1 and *text, to be free()d, under *word; 0: nothing to be looked
 * into, or it could not be, and was told. */
int diff_inside_json(char **text, const char **word, struct diff *d, size_t i);

void diff_print_text(struct diff *d);
void diff_print_markdown(const struct diff *d);
void diff_print_names(const struct diff *d);
int diff_print_json(struct diff *d);

#endif
