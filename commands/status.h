/*
 * What `git dvx status` has found: collected in status.c, told by status_print.c.
 */
#ifndef COMMANDS_STATUS_H
#define COMMANDS_STATUS_H

#include "commands/select.h"
#include "commands/status_stages.h"
#include "lib/repo/staged.h"

struct unstaged {
	const struct scan_item *item;
	char status;   /* 'M', 'D', or 'P': only the pointer is there */
	uint64_t size; /* of the file, 'M' */
	int here;      /* 'P': the local store has the object */
};

struct status {
	struct command_ctx *ctx;
	int json, porcelain;
	struct select select;
	struct buf branch; /* empty: detached */
	struct staged staged;
	struct scan_list index;
	struct unstaged *v;
	size_t n;
	size_t unpushed;
	uint64_t unpushed_bytes;
	struct status_stages stages;
	int only_stages;   /* no data was asked for */
	int stages_failed; /* enum err, and its message: the data is shown all the same */
	char *stages_error;
};

/* The branch, and what is to be said of data. */
void status_print_data(const struct status *s);
/* The stages, and that all is well where it is. */
void status_print_stages(const struct status *s);
void status_print_porcelain(const struct status *s);
int status_print_json(const struct status *s);

#endif
