/*
 * How a run of stages is told, for reproduce.c alone.
 */
#ifndef COMMANDS_REPRODUCE_TELL_H
#define COMMANDS_REPRODUCE_TELL_H

#include "commands/json.h"
#include "commands/reproduce.h"

/* What became of a stage. */
struct outcome {
	const struct stage *stage;
	const char *result; /* "ran", "cached", "restored", "unchanged", "frozen", "failed",
			       "skipped", "would run"; NULL: not known yet */
};

struct telling {
	const struct project *project;
	const struct reproduce *r;
	struct outcome *outcomes; /* in the order in which stages were looked at */
	size_t n;
	char **names;	 /* by stage: its address from the current directory */
	char *announced; /* by stage: "Running stage" was said */
	struct json json;
	cJSON **objects; /* by stage: its object in json; NULL: none yet */
	cJSON *list;
};

int telling_init(struct telling *t, const struct project *p, const struct reproduce *r);
void telling_release(struct telling *t);
/* repro_watcher.tell; `data` is the struct telling. */
void telling_tell(
	const struct stage *s, int event, const struct stale *why, const char *text, void *data);
/* 1 if the stage has new outputs. */
int outcome_is_new(const struct outcome *o);

#endif
