/*
 * The text of `git dvx status`: for people, for scripts (--porcelain), and as JSON.
 */
#include <stdio.h>

#include "commands/status.h"
#include "lib/base/progress.h"
#include "lib/worktree/pending.h"

/* ---- for people ---- */

static const char *status_word(char status)
{
	switch (status) {
	case 'A':
		return "new:";
	case 'D':
		return "deleted:";
	case 'U':
		return "unmerged:";
	default:
		return "modified:";
	}
}

/* "3f2a91c04b, 1.2 GiB", "Git blob" or nothing. */
static void print_side(const struct pointers_query *q, uint32_t mode)
{
	char hex[OID_HEX_LEN + 1], size[16];

	if (pointers_is_pointer(q)) {
		oid_to_hex(hex, &q->oid);
		printf("%.*s, %s", OID_SHOWN, hex, progress_bytes(size, q->size));
	} else {
		fputs(mode != 0 ? "not a pointer" : "", stdout);
	}
}

static void print_staged(const struct status *s)
{
	if (s->staged.n > 0)
		puts("\nData to be committed:");
	for (size_t i = 0; i < s->staged.n; i++) {
		const struct staged_change *c = &s->staged.v[i];

		printf("\t%-10s %s (", status_word(c->status), c->path);
		print_side(&c->old, c->old_mode);
		if (c->old_mode != 0 && c->new_mode != 0)
			fputs(" -> ", stdout);
		print_side(&c->new, c->new_mode);
		puts(")");
	}
}

static void print_unstaged(const struct status *s)
{
	char hex[OID_HEX_LEN + 1], old[16], new[16];
	int any = 0;

	for (size_t i = 0; i < s->n; i++) {
		const struct unstaged *u = &s->v[i];

		if (u->status == 'P')
			continue;
		if (!any++)
			puts("\nData changed, not staged ('git add' or 'git dvx add'; 'git dvx "
			     "checkout' brings deleted files back):");
		oid_to_hex(hex, &u->item->oid);
		printf("\t%-10s %s (%.*s, %s", status_word(u->status), u->item->path, OID_SHOWN,
			hex, progress_bytes(old, u->item->size));
		if (u->status == 'M')
			printf(" -> %s", progress_bytes(new, u->size));
		puts(")");
	}
}

static void print_pointers(const struct status *s)
{
	size_t n = 0, here = 0;
	char size[16];

	for (size_t i = 0; i < s->n; i++) {
		if (s->v[i].status != 'P')
			continue;
		if (!n++)
			puts("\nOnly the pointer is in the work tree:");
		here += (size_t)s->v[i].here;
		printf("\t%s (%s%s)\n", s->v[i].item->path,
			progress_bytes(size, s->v[i].item->size),
			s->v[i].here ? ", data in the local store" : "");
	}
	if (n > 0)
		printf("  (%s places the data)\n",
			here == n ? "'git dvx checkout'" : "'git dvx pull'");
}

static void print_agreement(const struct status *s)
{
	if (s->staged.n + s->n + s->stages.n > 0)
		return;
	if (status_stages_any(&s->stages))
		printf("%sData and pipelines are up to date.\n", s->unpushed > 0 ? "\n" : "");
	else if (s->unpushed == 0)
		puts("Data and commits agree, nothing to do");
}

void status_print_stages(const struct status *s)
{
	if (s->stages.n > 0 && !s->only_stages)
		puts("\nStages that changed ('git dvx repro' brings them up to date):");
	status_stages_print(&s->stages);
	if (s->stages.n == 0 && s->only_stages)
		puts("Data and pipelines are up to date.");
	if (!s->only_stages)
		print_agreement(s);
}

void status_print_data(const struct status *s)
{
	char size[16];

	if (s->branch.len > 0)
		printf("On branch %s\n", buf_str(&s->branch));
	else
		puts("Not on a branch");
	print_staged(s);
	print_unstaged(s);
	print_pointers(s);
	if (s->unpushed > 0)
		printf("\n%zu object%s (%s) belong%s to commits that are not pushed to a Git "
		       "remote "
		       "yet; 'git push' brings both\n",
			s->unpushed, s->unpushed == 1 ? "" : "s",
			progress_bytes(size, s->unpushed_bytes), s->unpushed == 1 ? "s" : "");
	if (pending_any(s->ctx->g->git_dir) > 0)
		puts("\nA checkout was interrupted before all data was in place; 'git dvx "
		     "checkout' completes it");
}

void status_print_porcelain(const struct status *s)
{
	for (size_t i = 0; i < s->staged.n; i++)
		printf("%c  %s\n", s->staged.v[i].status, s->staged.v[i].path);
	for (size_t i = 0; i < s->n; i++)
		printf(" %c %s\n", s->v[i].status, s->v[i].item->path);
}

/* ---- for programs ---- */

static void json_side(struct json *j, cJSON *o, const char *key, const struct pointers_query *q)
{
	char hex[OID_HEX_LEN + 1];
	cJSON *side;

	if (!pointers_is_pointer(q))
		return;
	side = json_object(j, o, key);
	oid_to_hex(hex, &q->oid);
	json_string(j, side, "oid", hex);
	json_uint(j, side, "size", q->size);
}

static void json_unstaged(struct json *j, cJSON *list, const struct unstaged *u)
{
	const struct pointers_query old = {
		.state = POINTERS_YES, .oid = u->item->oid, .size = u->item->size};
	const char status[2] = {u->status, '\0'};
	cJSON *o = json_item(j, list);

	json_string(j, o, "path", u->item->path);
	if (u->status == 'P') {
		json_bool(j, o, "downloaded", u->here);
	} else {
		json_string(j, o, "status", status);
		if (u->status == 'M')
			json_uint(j, o, "size", u->size);
	}
	json_side(j, o, u->status == 'P' ? "pointer" : "old", &old);
}

int status_print_json(const struct status *s)
{
	struct json j;
	cJSON *files, *staged, *unstaged, *pointers;

	json_init(&j);
	json_string(&j, j.root, "branch", s->branch.len > 0 ? buf_str(&s->branch) : NULL);
	files = json_object(&j, j.root, "files"); /* what Git LFS prints */
	staged = json_array(&j, j.root, "staged");
	for (size_t i = 0; i < s->staged.n; i++) {
		const struct staged_change *c = &s->staged.v[i];
		const char status[2] = {c->status, '\0'};
		cJSON *o = json_item(&j, staged);

		json_string(&j, json_object(&j, files, c->path), "status", status);
		json_string(&j, o, "path", c->path);
		json_string(&j, o, "status", status);
		json_side(&j, o, "old", &c->old);
		json_side(&j, o, "new", &c->new);
	}
	unstaged = json_array(&j, j.root, "unstaged");
	pointers = json_array(&j, j.root, "pointers");
	for (size_t i = 0; i < s->n; i++) {
		const char status[2] = {s->v[i].status, '\0'};

		json_unstaged(&j, s->v[i].status == 'P' ? pointers : unstaged, &s->v[i]);
		if (s->v[i].status != 'P' &&
			cJSON_GetObjectItemCaseSensitive(files, s->v[i].item->path) == NULL)
			json_string(
				&j, json_object(&j, files, s->v[i].item->path), "status", status);
	}
	json_uint(&j, j.root, "unpushed", s->unpushed);
	json_uint(&j, j.root, "unpushed_bytes", s->unpushed_bytes);
	status_stages_json(&s->stages, &j, j.root);
	return json_print(&j);
}
