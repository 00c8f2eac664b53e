/*
 * `git dvx model`: what its parts are given, and what they have in common.
 */
#ifndef COMMANDS_MODEL_H
#define COMMANDS_MODEL_H

#include "commands/command.h"
#include "lib/registry/registry.h"
#include "lib/yaml/node.h"

struct model_args {
	struct command_ctx *ctx;
	const char *version, *bump, *rev, *message, *date;
	int push, force, json, md;
	char *const *v; /* operands behind the subcommand */
	int n;
	struct registry *registry; /* of those that read */
};

/* Those that write open the registry when it is locked. */
int model_register(struct model_args *a);
int model_promote(struct model_args *a);
int model_demote(struct model_args *a);
int model_deprecate(struct model_args *a);
/* Those that read. */
int model_list(struct model_args *a);
int model_show(struct model_args *a);
int model_history(struct model_args *a);
int model_at(struct model_args *a);

/* ---- model_write.c ---- */

struct registry_tag;
/* Make the tag, push it if that is asked for, and say what became of it: `what` is "registers
 * version". */
int model_make_tag(struct model_args *a, struct registry_tag *t, const char *what);

/* ---- model_common.c ---- */

/* Put a map's value; NULL, or a NULL `text`, is null. */
int model_put(struct node *map, const char *key, struct node *value);
int model_put_text(struct node *map, const char *key, const char *text);
int model_put_version(struct node *map, const char *key, const struct semver *version);
/* All that an event says, in `map`. */
int model_put_event(struct node *map, const struct model_args *a, const struct registry_event *e);
/* A new map at the list's end, NULL: out of memory. */
struct node *model_push_map(struct node *list);
/* The registry's notes about this model and this stage of it (NULL: about all), as a list in
 * `map`... */
int model_put_notes(
	struct node *map, const struct registry *r, const char *model, const char *stage);
/* ... and as warnings on stderr, not too many of them. */
void model_tell_notes(const struct registry *r, const char *model, const char *stage);
/* "registration", "assignment", …, as GTO calls them. */
const char *model_event_name(const struct registry_event *e);
/* Append "Ann", or what a lightweight tag leaves to be said. */
int model_add_who(struct buf *out, const struct registry_event *e);

/* ---- model_list.c: tables ---- */

struct table;
int model_print_table(const struct model_args *a, const struct table *t);
/* Columns, their titles ended by NULL. */
int model_columns(struct table *t, const char *const *titles);
/* One cell each; what is NULL is "-". */
int model_cell_version(struct table *t, const struct semver *version);
int model_cell_date(struct table *t, const struct registry_event *e);
int model_cell_who(struct table *t, const struct registry_event *e);

#endif
