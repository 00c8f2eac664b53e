/*
 * `git dvx fsck --remote`: has git-dvx-transfer read what is on the remote, and with --repair send
 * anew what is damaged there.
 */
#include "commands/fsck.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/repo/sync.h"

/* The error without the name of what could not be had: the line begins with that. */
static const char *reason(const struct batch_object *o)
{
	const char *p = o->error ? strstr(o->error, " from remote '") : NULL;

	p = p ? strstr(p, "': ") : NULL;
	return p ? p + 3 : o->error ? o->error : "failed";
}

static void tell(struct fsck *f, const struct sync *sync)
{
	uint64_t bytes;
	size_t repaired = sync_count(sync, 2, &bytes);
	char hex[OID_HEX_LEN + 1];

	for (size_t i = 0; i < sync->n; i++) {
		const struct batch_object *o = &sync->objects[i];

		if (o->state >= 0)
			continue;
		oid_to_hex(hex, &o->oid);
		fsck_problem(f, o->state == ERR_NOTFOUND ? "missing" : "damaged", o->path, hex,
			"remote: %s: %s (%s): %s", o->state == ERR_NOTFOUND ? "missing" : "damaged",
			o->path && *o->path ? o->path : "(no path)", hex, reason(o));
	}
	if (repaired)
		fsck_say(f, "remote: repaired: %zu object%s sent again to '%s'", repaired,
			repaired == 1 ? "" : "s", sync->result.remote);
	if (!f->as_json)
		return;
	json_string(&f->json, f->json.root, "remote",
		sync->result.remote[0] ? sync->result.remote : NULL);
	json_uint(&f->json, f->json.root, "checked", sync->n);
	json_uint(&f->json, f->json.root, "repaired", repaired);
}

int fsck_remote(struct fsck *f)
{
	const struct batch_options o = {.remote = f->remote,
		.jobs = f->jobs,
		.quick = f->quick,
		.repair = f->repair,
		.progress = f->as_json ? PROGRESS_OFF : PROGRESS_AUTO,
		.stop = command_stop()};
	struct scan_list l = SCAN_LIST_INIT;
	struct sync sync = SYNC_INIT;
	int rc = fsck_list(f, &l, 1);

	if (rc == 0)
		rc = sync_check(&sync, &l, &o);
	if (rc == 0)
		tell(f, &sync);
	sync_release(&sync);
	scan_list_release(&l);
	return rc;
}
