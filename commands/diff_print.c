/*
 * The list of what differs, for people, for Markdown and for programs.  Sections and JSON follow
 * `dvc diff`.
 */
#include "commands/diff.h"

#include <stdio.h>
#include <stdlib.h>

#include "commands/json.h"
#include "commands/share.h"
#include "commands/visible.h"
#include "lib/base/err.h"
#include "lib/base/progress.h"

static const char *const status_names[DATADIFF_STATUSES] = {
	[DATADIFF_ADDED] = "added",
	[DATADIFF_DELETED] = "deleted",
	[DATADIFF_RENAMED] = "renamed",
	[DATADIFF_MODIFIED] = "modified",
};
static const char *const status_titles[DATADIFF_STATUSES] = {
	[DATADIFF_ADDED] = "Added:",
	[DATADIFF_DELETED] = "Deleted:",
	[DATADIFF_RENAMED] = "Renamed:",
	[DATADIFF_MODIFIED] = "Modified:",
};

/* ---- for people ---- */

static void print_path(const char *path, char escape)
{
	struct buf text = BUF_INIT;

	if (visible_path(&text, path, escape) == 0)
		fputs(buf_str(&text), stdout);
	buf_release(&text);
}

static void print_paths(const struct datadiff_change *c, char escape)
{
	print_path(c->old != NULL ? c->old->path : c->new->path, escape);
	if (c->status == DATADIFF_RENAMED) {
		fputs(" -> ", stdout);
		print_path(c->new->path, escape);
	}
}

static void print_size(const struct datadiff_file *f)
{
	char size[16];

	fputs(f->size == DATADIFF_NO_SIZE ? "unknown size" : progress_bytes(size, f->size), stdout);
	if (f->kind == DATADIFF_IN_GIT)
		fputs(" in Git", stdout);
}

static void print_share(const struct diff *d, const struct datadiff_change *c)
{
	const struct diff_share *s = d->shares != NULL ? &d->shares[c - d->data.v] : NULL;
	struct buf text = BUF_INIT;

	if (s != NULL && s->known && share_text(&text, s->changed, c->new->size) == 0)
		printf(", %s", buf_str(&text));
	buf_release(&text);
}

/* "1.0 GiB -> 1.0 GiB, 0.2 % changed" */
static void print_sizes(const struct diff *d, const struct datadiff_change *c)
{
	print_size(c->old != NULL ? c->old : c->new);
	if (c->status == DATADIFF_MODIFIED) {
		fputs(" -> ", stdout);
		print_size(c->new);
		print_share(d, c);
	}
}

void diff_print_text(struct diff *diff)
{
	const struct datadiff *d = &diff->data;

	if (d->n == 0)
		return;
	for (int s = 0; s < DATADIFF_STATUSES; s++) {
		if (d->count[s] > 0)
			puts(status_titles[s]);
		for (size_t i = 0; i < d->n; i++) {
			if ((int)d->v[i].status != s)
				continue;
			fputs("    ", stdout);
			print_paths(&d->v[i], 0);
			fputs(" (", stdout);
			print_sizes(diff, &d->v[i]);
			puts(")");
		}
		if (d->count[s] > 0)
			putchar('\n');
	}
	fputs("files summary: ", stdout);
	for (int s = 0; s < DATADIFF_STATUSES; s++)
		printf("%s%zu %s", s > 0 ? ", " : "", d->count[s], status_names[s]);
	putchar('\n');
}

void diff_print_markdown(const struct diff *diff)
{
	const struct datadiff *d = &diff->data;

	if (d->n > 0)
		puts("| Status   | Path | Size |\n|----------|------|------|");
	for (int s = 0; s < DATADIFF_STATUSES; s++) {
		for (size_t i = 0; i < d->n; i++) {
			if ((int)d->v[i].status != s)
				continue;
			printf("| %-8s | ", status_names[s]);
			print_paths(&d->v[i], '|');
			fputs(" | ", stdout);
			print_sizes(diff, &d->v[i]);
			puts(" |");
		}
	}
}

void diff_print_names(const struct diff *diff)
{
	const struct datadiff *d = &diff->data;

	for (size_t i = 0; i < d->n; i++) {
		print_path(d->v[i].new != NULL ? d->v[i].new->path : d->v[i].old->path, 0);
		putchar('\n');
	}
}

/* ---- for programs ---- */

static void json_oid(struct json *j, cJSON *o, const char *key, const struct datadiff_file *f)
{
	char hex[OID_HEX_LEN + 1];

	oid_to_hex(hex, &f->oid);
	json_string(j, o, key, f->kind == DATADIFF_DATA ? hex : NULL);
}

static void json_size(struct json *j, cJSON *o, const char *key, const struct datadiff_file *f)
{
	if (f->size == DATADIFF_NO_SIZE)
		json_string(j, o, key, NULL);
	else
		json_uint(j, o, key, f->size);
}

/* What is inside, and how much of it is new. */
static void json_inside(struct json *j, cJSON *o, struct diff *d, size_t i)
{
	const char *word;
	char *text;

	if (d->shares != NULL && d->shares[i].known)
		json_uint(j, o, "changed_bytes", d->shares[i].changed);
	if (diff_inside_json(&text, &word, d, i) > 0) {
		json_raw(j, o, word, text);
		free(text);
	}
}

static void json_change(struct json *j, cJSON *o, const struct datadiff_change *c)
{
	const struct datadiff_file *any = c->new != NULL ? c->new : c->old;
	cJSON *pair;

	if (c->status == DATADIFF_RENAMED) {
		pair = json_object(j, o, "path");
		json_string(j, pair, "old", c->old->path);
		json_string(j, pair, "new", c->new->path);
	} else {
		json_string(j, o, "path", any->path);
	}
	if (c->status != DATADIFF_MODIFIED) {
		json_oid(j, o, "oid", any);
		json_size(j, o, "size", any);
		return;
	}
	pair = json_object(j, o, "oid");
	json_oid(j, pair, "old", c->old);
	json_oid(j, pair, "new", c->new);
	pair = json_object(j, o, "size");
	json_size(j, pair, "old", c->old);
	json_size(j, pair, "new", c->new);
}

int diff_print_json(struct diff *d)
{
	cJSON *arrays[DATADIFF_STATUSES];
	struct json j;

	json_init(&j);
	for (int s = 0; s < DATADIFF_STATUSES; s++)
		arrays[s] = json_array(&j, j.root, status_names[s]);
	for (size_t i = 0; i < d->data.n; i++) {
		cJSON *o = json_item(&j, arrays[d->data.v[i].status]);

		json_change(&j, o, &d->data.v[i]);
		json_inside(&j, o, d, i);
	}
	return json_print(&j);
}
