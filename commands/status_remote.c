/*
 * `git dvx status --remote`, in DVC's words: "new" is here and not there, "deleted" is there and
 * not here, "missing" is in neither place.  What the remote has is asked by a push that is only
 * planned.
 */
#include "commands/status_remote.h"

#include <stdio.h>
#include <stdlib.h>

#include "commands/json.h"
#include "lib/base/err.h"
#include "lib/base/progress.h"
#include "lib/repo/git.h"
#include "lib/repo/staged.h"
#include "lib/repo/sync.h"

enum place { BOTH = 0, HERE = 1, THERE = 2, NOWHERE = 3, PLACES };

static const char *const words[PLACES] = {
	[BOTH] = "present", [HERE] = "new", [THERE] = "deleted", [NOWHERE] = "missing"};

/* HEAD and the index, and what else was asked for. */
static int list(struct scan_list *l, struct command_ctx *ctx, const struct status_remote *o)
{
	int which = (o->tags ? SCAN_TAGS : 0) | (o->branches ? SCAN_BRANCHES : 0);
	struct staged staged = STAGED_INIT;
	struct pointers *p = NULL;
	int rc = pointers_open(&p, &ctx->repo);

	if (rc == 0)
		rc = scan_index(l, &ctx->repo, p, 0);
	if (rc == 0)
		rc = staged_list(&staged, &ctx->repo);
	if (rc == 0)
		rc = staged_old_pointers(&staged, l, &ctx->repo, p);
	if (rc == 0 && o->commits)
		rc = scan_all_commits(l, &ctx->repo, p);
	else if (rc == 0 && which)
		rc = scan_refs(l, &ctx->repo, p, which);
	staged_release(&staged);
	pointers_close(p);
	return rc;
}

static enum place place_of(struct store *s, const struct batch_object *o)
{
	int here = store_has(s, &o->oid, o->size);

	if (o->state == 2)
		return here ? BOTH : THERE;
	return here ? HERE : NOWHERE;
}

struct count {
	size_t n;
	uint64_t bytes;
};

static void print_text(const struct sync *sync, const enum place *places, const struct count *c)
{
	char size[16];

	for (size_t i = 0; i < sync->n; i++) {
		const struct batch_object *o = &sync->objects[i];

		if (places[i] != BOTH)
			printf("\t%-10s %s (%s)\n",
				places[i] == HERE    ? "new:"
				: places[i] == THERE ? "deleted:"
						     : "missing:",
				o->path, progress_bytes(size, o->size));
	}
	if (c[HERE].n)
		printf("%zu object%s, %s not on '%s' ('git dvx push' sends %s)\n", c[HERE].n,
			c[HERE].n == 1 ? "" : "s", progress_bytes(size, c[HERE].bytes),
			sync->result.remote, c[HERE].n == 1 ? "it" : "them");
	if (c[THERE].n)
		printf("%zu object%s, %s on '%s' and not here ('git dvx fetch' brings %s)\n",
			c[THERE].n, c[THERE].n == 1 ? "" : "s",
			progress_bytes(size, c[THERE].bytes), sync->result.remote,
			c[THERE].n == 1 ? "it" : "them");
	if (c[NOWHERE].n)
		printf("%zu object%s, %s neither here nor on '%s'; push from a clone that has "
		       "%s\n",
			c[NOWHERE].n, c[NOWHERE].n == 1 ? "" : "s",
			progress_bytes(size, c[NOWHERE].bytes), sync->result.remote,
			c[NOWHERE].n == 1 ? "it" : "them");
	if (c[HERE].n + c[THERE].n + c[NOWHERE].n == 0 && sync->n > 0)
		printf("Local store and '%s' agree\n", sync->result.remote);
	else if (sync->n == 0)
		puts("There is no data to compare");
}

static int print_json(const struct sync *sync, const enum place *places, const struct count *c)
{
	char hex[OID_HEX_LEN + 1];
	struct json j;
	cJSON *objects, *o;

	json_init(&j);
	json_string(&j, j.root, "remote", sync->result.remote[0] ? sync->result.remote : NULL);
	for (int k = 0; k < PLACES; k++) {
		o = json_object(&j, j.root, words[k]);
		json_uint(&j, o, "objects", c[k].n);
		json_uint(&j, o, "bytes", c[k].bytes);
	}
	objects = json_array(&j, j.root, "objects");
	for (size_t i = 0; i < sync->n; i++) {
		if (places[i] == BOTH)
			continue;
		o = json_item(&j, objects);
		oid_to_hex(hex, &sync->objects[i].oid);
		json_string(&j, o, "oid", hex);
		json_uint(&j, o, "size", sync->objects[i].size);
		json_string(&j, o, "path", sync->objects[i].path);
		json_string(&j, o, "state", words[places[i]]);
	}
	return json_print(&j);
}

static int tell(struct store *s, const struct sync *sync, int as_json)
{
	enum place *places = calloc(sync->n + 1, sizeof(*places));
	struct count c[PLACES] = {{0, 0}};
	int rc = 0;

	if (!places)
		return err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < sync->n; i++) {
		places[i] = place_of(s, &sync->objects[i]);
		c[places[i]].n++;
		c[places[i]].bytes += sync->objects[i].size;
	}
	if (as_json)
		rc = print_json(sync, places, c);
	else
		print_text(sync, places, c);
	free(places);
	return rc < 0 ? rc : c[NOWHERE].n ? COMMAND_NO : COMMAND_OK;
}

int status_remote(
	struct command_ctx *ctx, const struct status_remote *o, const struct select *select)
{
	const struct batch_options batch = {.remote = o->remote,
		.jobs = o->jobs,
		.dry_run = 1,
		.progress = PROGRESS_OFF,
		.stop = command_stop()};
	struct scan_list l = SCAN_LIST_INIT;
	struct sync sync = SYNC_INIT;
	int rc = list(&l, ctx, o);

	if (rc == 0)
		rc = select_filter(select, &l);
	if (rc == 0)
		rc = sync_upload(&sync, &l, &batch);
	if (rc == 0)
		rc = tell(ctx->s, &sync, o->as_json);
	sync_release(&sync);
	scan_list_release(&l);
	return rc;
}
