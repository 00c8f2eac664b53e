/*
 * Why a stage has to run, in words: `repro --explain`, `status`.
 */
#ifndef COMMANDS_REASONS_H
#define COMMANDS_REASONS_H

#include <stdio.h>

#include "commands/json.h"
#include "lib/pipeline/stale.h"

/* A line for each reason, from what to what where that is known, each line behind `indent`. */
void reasons_print(FILE *out, const struct stale *why, const char *indent);
/* A list "reasons" in `object`: what, how, name, old, new, files. */
void reasons_json(struct json *j, cJSON *object, const struct stale *why);

#endif
