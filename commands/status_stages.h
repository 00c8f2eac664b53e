/*
 * The stages' part of `git dvx status`: which would run, and why.
 */
#ifndef COMMANDS_STATUS_STAGES_H
#define COMMANDS_STATUS_STAGES_H

#include "commands/json.h"
#include "commands/project.h"
#include "lib/pipeline/stagelocks.h"

struct status_stage {
	const struct stage *stage;
	struct stale why;
};

struct status_stages {
	int explain; /* --explain: from what to what */
	struct project project;
	struct stage_list wanted;
	struct stagelocks *locks;
	struct status_stage *v; /* those that changed */
	size_t n;
};

/* Note the stages that operands name, argv[1..n], and take those out that name no path besides.
 * *paths is the number of operands that are left, in front.  0 or a negative error. */
int status_stages_operands(
	struct status_stages *s, struct command_ctx *ctx, char **argv, int n, int *paths);
/* Look at the stages that operands named, else at all; a frozen one is not looked at. */
int status_stages_collect(struct status_stages *s, struct command_ctx *ctx);
/* 1 if the project has stages at all. */
int status_stages_any(const struct status_stages *s);
/* In DVC's layout. */
void status_stages_print(const struct status_stages *s);
/* A list "stages" in `object`. */
void status_stages_json(const struct status_stages *s, struct json *j, cJSON *object);
void status_stages_release(struct status_stages *s);

#endif
