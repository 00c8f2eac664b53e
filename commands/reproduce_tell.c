/*
 * The words of `git dvx repro`: DVC's, where it has them.  On stdout, with --json on stderr; with
 * several jobs each line of a stage begins with its name.
 */
#include "commands/reproduce_tell.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/reasons.h"
#include "lib/base/err.h"

int telling_init(struct telling *t, const struct project *p, const struct reproduce *r)
{
	const size_t n = p->pipeline->n;

	*t = (struct telling){.project = p, .r = r};
	json_init(&t->json);
	t->list = json_array(&t->json, t->json.root, "stages");
	t->outcomes = calloc(n + 1, sizeof *t->outcomes);
	t->announced = calloc(n + 1, 1);
	t->objects = calloc(n + 1, sizeof *t->objects);
	t->names = calloc(n + 1, sizeof *t->names);
	if (t->outcomes == NULL || t->announced == NULL || t->objects == NULL || t->names == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	return 0;
}

void telling_release(struct telling *t)
{
	for (size_t i = 0; t->names != NULL && i < t->project->pipeline->n; i++)
		free(t->names[i]);
	free(t->names);
	free(t->outcomes);
	free(t->announced);
	free(t->objects);
	json_release(&t->json);
}

static const char *name_of(struct telling *t, const struct stage *s)
{
	struct buf address = BUF_INIT;

	if (t->names[s->index] == NULL && stage_address(&address, s, t->project->dir) == 0)
		t->names[s->index] = buf_detach(&address);
	buf_release(&address);
	return t->names[s->index] != NULL ? t->names[s->index] : s->name;
}

/* ---- outcomes ---- */

static struct outcome *outcome_of(struct telling *t, const struct stage *s)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->outcomes[i].stage == s)
			return &t->outcomes[i];
	t->outcomes[t->n].stage = s;
	t->objects[s->index] = json_item(&t->json, t->list);
	json_string(&t->json, t->objects[s->index], "stage", s->name);
	json_string(&t->json, t->objects[s->index], "file", s->file);
	return &t->outcomes[t->n++];
}

static void note(struct telling *t, const struct stage *s, const char *result)
{
	outcome_of(t, s)->result = result;
	json_string(&t->json, t->objects[s->index], "result", result);
}

int outcome_is_new(const struct outcome *o)
{
	return o->result != NULL &&
	       (strcmp(o->result, "ran") == 0 || strcmp(o->result, "cached") == 0);
}

/* ---- words ---- */

static FILE *stream_of(const struct telling *t)
{
	return t->r->json ? stderr : stdout;
}

static void say(const struct telling *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void say(const struct telling *t, const char *fmt, ...)
{
	va_list args;

	if (t->r->quiet)
		return;
	va_start(args, fmt);
	vfprintf(stream_of(t), fmt, args);
	va_end(args);
}

static void say_command(struct telling *t, const struct stage *s, const char *line)
{
	if (t->r->o.jobs > 1)
		say(t, "%s | > %s\n", name_of(t, s), line);
	else
		say(t, "> %s\n", line);
}

static void announce(struct telling *t, const struct stage *s)
{
	if (!t->announced[s->index])
		say(t, "Running stage '%s':\n", name_of(t, s));
	t->announced[s->index] = 1;
}

/* --dry-run: as if it ran. */
static void tell_would_run(
	struct telling *t, const struct stage *s, const struct stale *why, const char *above)
{
	note(t, s, "would run");
	if (why != NULL && why->only_outs && why->n > 0) {
		say(t, "Stage '%s': outputs are not what dvx.lock says, and would be put back\n",
			name_of(t, s));
		return;
	}
	announce(t, s);
	if (above != NULL && t->r->o.explain)
		say(t, "  it needs stage '%s'\n", above);
	for (size_t i = 0; i < s->cmd.n; i++)
		say_command(t, s, s->cmd.v[i]);
}

static void tell_stale(
	struct telling *t, const struct stage *s, const struct stale *why, const char *above)
{
	(void)outcome_of(t, s);
	if (why != NULL && t->r->json)
		reasons_json(&t->json, t->objects[s->index], why);
	if (why != NULL && t->r->o.explain && !t->r->quiet) {
		say(t, "Stage '%s' %s:\n", name_of(t, s),
			why->n > 0 ? "changed" : "did not change, but is to run");
		reasons_print(stream_of(t), why, "  ");
	}
	if (t->r->dry_run)
		tell_would_run(t, s, why, above);
}

static void tell_decision(struct telling *t, const struct stage *s, enum repro_event event,
	const struct stale *why, const char *text)
{
	switch (event) {
	case REPRO_UNCHANGED:
		note(t, s, "unchanged");
		say(t, "Stage '%s' didn't change, skipping\n", name_of(t, s));
		break;
	case REPRO_FROZEN:
		note(t, s, "frozen");
		say(t, "Stage '%s' is frozen. Its dependencies are not going to be reproduced.\n",
			name_of(t, s));
		break;
	case REPRO_STALE:
		tell_stale(t, s, why, text);
		break;
	case REPRO_RAN:
		note(t, s, text);
		break;
	case REPRO_FAILED:
		note(t, s, "failed");
		json_string(&t->json, t->objects[s->index], "error", text);
		/* of one failure the command's last words tell */
		if (t->r->o.jobs > 1 || t->r->o.keep_going)
			fprintf(stderr, "error: failed to reproduce '%s': %s\n", name_of(t, s),
				text);
		break;
	case REPRO_SKIPPED:
		note(t, s, "skipped");
		say(t, "Stage '%s' did not run, because '%s' failed\n", name_of(t, s), text);
		break;
	}
}

static void tell_execution(
	struct telling *t, const struct stage *s, enum execute_event event, const char *text)
{
	switch (event) {
	case EXECUTE_RECOVERED:
		say(t, "The outputs of stage '%s', which was killed while it ran, are back\n",
			text);
		break;
	case EXECUTE_WAITING:
		say(t, "Stage '%s' waits for another run: %s\n", name_of(t, s), text);
		break;
	case EXECUTE_COMMAND:
		announce(t, s);
		say_command(t, s, text);
		break;
	case EXECUTE_OUTPUT:
		say(t, "%s | %s\n", name_of(t, s), text);
		break;
	case EXECUTE_CACHED:
		say(t, "Stage '%s' is cached - skipping run, checking out outputs\n",
			name_of(t, s));
		break;
	case EXECUTE_RESTORED:
		say(t, "Stage '%s' didn't change, checking out outputs\n", name_of(t, s));
		break;
	case EXECUTE_KEPT:
		say(t, "Stage '%s': outputs that had been changed by hand are kept in '%s'\n",
			name_of(t, s), text);
		break;
	case EXECUTE_NOTE:
		fprintf(stderr, "warning: stage '%s': %s\n", name_of(t, s), text);
		break;
	}
}

void telling_tell(
	const struct stage *s, int event, const struct stale *why, const char *text, void *data)
{
	struct telling *t = data;

	if (event >= REPRO_UNCHANGED)
		tell_decision(t, s, (enum repro_event)event, why, text);
	else
		tell_execution(t, s, (enum execute_event)event, text);
	fflush(stream_of(t)); /* before a command writes to the same place */
}
