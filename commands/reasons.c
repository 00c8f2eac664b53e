/*
 * Reasons of staleness for people and for programs.
 */
#include "commands/reasons.h"

#include "lib/base/buf.h"
#include "lib/base/err.h"

enum { FILES_SHOWN = 10 }; /* of a directory; JSON has a thousand */

static const char *what_word(enum stale_what what)
{
	switch (what) {
	case STALE_CMD:
		return "command";
	case STALE_DEP:
		return "dependency";
	case STALE_PARAM:
		return "parameter";
	case STALE_ENV:
		return "environment";
	case STALE_OUT:
		return "output";
	case STALE_NEVER_RUN:
		return "never run";
	default:
		return "always changed";
	}
}

static const char *how_word(enum stale_how how)
{
	switch (how) {
	case STALE_NEW:
		return "new";
	case STALE_DELETED:
		return "deleted";
	default:
		return "modified";
	}
}

/* Appends; when there is no memory for it, a part. */
static void add_reason(struct buf *out, const struct stale_reason *r, const char *indent)
{
	if (r->what == STALE_NEVER_RUN || r->what == STALE_ALWAYS) {
		buf_addf(out, "%s%s\n", indent,
			r->what == STALE_ALWAYS ? "is declared to change always"
						: "dvx.lock does not know it: it never ran");
		return;
	}
	buf_addf(out, "%s%s", indent, what_word(r->what));
	if (r->name != NULL)
		buf_addf(out, " '%s'", r->name);
	buf_addf(out, " %s", how_word(r->how));
	if (r->old != NULL && r->now != NULL)
		buf_addf(out, ": %s -> %s", r->old, r->now);
	else if (r->old != NULL || r->now != NULL)
		buf_addf(out, "%s%s", r->now != NULL ? ": " : ": was ",
			r->now != NULL ? r->now : r->old);
	buf_addch(out, '\n');
	for (size_t i = 0; i < r->files.n && i < FILES_SHOWN; i++)
		buf_addf(out, "%s    %s\n", indent, r->files.v[i]);
	if (r->n_files > FILES_SHOWN)
		buf_addf(out, "%s    … and %zu more\n", indent, r->n_files - FILES_SHOWN);
}

void reasons_print(FILE *out, const struct stale *why, const char *indent)
{
	struct buf text = BUF_INIT;

	for (size_t i = 0; i < why->n; i++)
		add_reason(&text, &why->v[i], indent);
	if (text.len > 0)
		fputs(err_printable(text.p), out);
	buf_release(&text);
}

void reasons_json(struct json *j, cJSON *object, const struct stale *why)
{
	cJSON *list = json_array(j, object, "reasons");

	for (size_t i = 0; i < why->n; i++) {
		const struct stale_reason *r = &why->v[i];
		cJSON *o = json_item(j, list), *files;

		json_string(j, o, "what", what_word(r->what));
		json_string(j, o, "how", r->how != 0 ? how_word(r->how) : NULL);
		json_string(j, o, "name", r->name);
		json_string(j, o, "old", r->old);
		json_string(j, o, "new", r->now);
		if (r->files.n == 0)
			continue;
		json_uint(j, o, "n_files", r->n_files);
		files = json_array(j, o, "files");
		for (size_t k = 0; k < r->files.n; k++) { /* "M a/b.png" */
			const char status[2] = {r->files.v[k][0], '\0'};
			cJSON *file = json_item(j, files);

			json_string(j, file, "status", status);
			json_string(j, file, "path", r->files.v[k] + 2);
		}
	}
}
