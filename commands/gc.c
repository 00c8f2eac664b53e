/*
 * `git dvx gc`: removes from the local store what nobody needs, and merges small packs.
 *
 * What no ref, reflog, index, worktree or journal reaches goes when it is old.  With a scope (-w,
 * -a, -T) older versions go too, but only those of which the remote's copy was read and hashed just
 * now (--quick: its packs were there with their sizes). The order of steps, and why nothing is lost
 * beside a running `git add`, is in docs/local-store.md.
 */
#include "commands/gc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/progress.h"
#include "lib/repo/git.h"
#include "lib/repo/needed.h"
#include "lib/repo/sync.h"
#include "lib/store/store_gc.h"

enum { WRITERS_WAIT_MS = 10 * 1000, TRIES = 5, DAMAGED_NAMED = 20 };

static const char default_age[] = "2.weeks.ago";

struct local {
	struct gc *gc;
	struct needed needed;
	unsigned scope;
	int64_t older_than;
	struct scan_list asked; /* older versions that are here */
	struct sync sync;	/* what the remote said of them */
	struct oidmap verified; /* found whole there; also by an earlier try */
	size_t unverified;	/* of those asked: kept for want of a copy */
	size_t damaged;		/* kept, for the copy cannot be read or is another */
	char *why;		/* the remote could not be asked */
	struct store_gc_result result;
	size_t runs; /* entries of the run cache that were removed */
};

/* ---- what may go ---- */

/* "2.weeks.ago", "now", "never" as Git reads them, in ns. */
static int parse_age(struct local *l)
{
	const char *age = l->gc->prune ? l->gc->prune : default_age;
	struct buf setting = BUF_INIT, out = BUF_INIT;
	struct run git = RUN_INIT;
	unsigned long long seconds;
	int rc = buf_addf(&setting, "dvx.pruneage=%s", age);

	if (rc == 0)
		rc = git_prepare(&git, &l->gc->ctx->repo, "-c", buf_str(&setting), "config",
			"--type=expiry-date", "dvx.pruneage", (char *)NULL);
	git.err = RUN_NULL; /* it speaks of a setting that nobody made */
	if (rc == 0)
		rc = run_capture(&git, NULL, 0, &out);
	if (rc > 0)
		rc = command_usage("bad age '%s' for --prune; say now, never, or 2.weeks.ago", age);
	if (rc == 0) {
		seconds = strtoull(buf_str(&out), NULL, 10);
		l->older_than = seconds > INT64_MAX / 1000000000 ? INT64_MAX
								 : (int64_t)seconds * 1000000000;
	}
	run_release(&git);
	buf_release(&setting);
	buf_release(&out);
	return rc;
}

static enum store_fate decide(const struct local *l, const struct oid *oid)
{
	if (l->gc->no_prune || oidmap_get(&l->needed.is_kept, oid, NULL))
		return STORE_KEEP;
	if (oidmap_get(&l->needed.is_older, oid, NULL))
		return oidmap_get(&l->verified, oid, NULL) ? STORE_DROP : STORE_KEEP;
	return STORE_DROP_OLD;
}

static enum store_fate fate(const struct oid *oid, void *data)
{
	struct local *l = data;
	enum store_fate f = decide(l, oid);

	if (f != STORE_KEEP && l->gc->dropped)
		l->gc->dropped(l->gc, oid);
	return f;
}

/* What the caller keeps besides. */
static int keep_more(struct local *l, struct pointers *p)
{
	struct scan_list more = SCAN_LIST_INIT;
	int rc = l->gc->keep ? l->gc->keep(l->gc, p, &more) : 0;

	if (rc == 0)
		rc = gc_keep_locked(l->gc->ctx, &more);
	for (size_t i = 0; rc >= 0 && l->gc->force && i < l->needed.kept.n; i++)
		rc = scan_list_add(&l->needed.older, &l->needed.kept.v[i]);
	if (rc == 0 && l->gc->force)
		oidmap_release(&l->needed.is_kept);
	for (size_t i = 0; rc >= 0 && l->gc->force && i < l->needed.older.n; i++)
		rc = oidmap_add(&l->needed.is_older, &l->needed.older.v[i].oid, 0);
	for (size_t i = 0; rc >= 0 && i < more.n; i++)
		rc = oidmap_add(&l->needed.is_kept, &more.v[i].oid, 0);
	scan_list_release(&more);
	return rc < 0 ? rc : 0;
}

static int refuse_locks(struct local *l)
{
	struct strvec locks = STRVEC_INIT;
	int rc = needed_index_locks(&locks, &l->gc->ctx->repo);

	if (rc == 0 && locks.n)
		rc = err_set(ERR_LOCKED,
			"'%s' exists: a Git command is at work, or was killed; run again when it "
			"has finished, or remove the file",
			locks.v[0]);
	strvec_release(&locks);
	return rc;
}

/* ---- asking the remote ---- */

/* Older versions that are here, not kept by another name, and not yet found whole there. */
static int pick_older(struct local *l)
{
	size_t kept = 0;

	l->asked = l->needed.older;
	l->needed.older = (struct scan_list)SCAN_LIST_INIT;
	for (size_t i = 0; i < l->asked.n; i++) {
		const struct scan_item *item = &l->asked.v[i];

		if (item->size > 0 && !oidmap_get(&l->needed.is_kept, &item->oid, NULL) &&
			!oidmap_get(&l->verified, &item->oid, NULL) &&
			store_has(l->gc->ctx->s, &item->oid, item->size))
			l->asked.v[kept++] = *item;
	}
	l->asked.n = kept;
	return 0;
}

static int is_damaged(const struct batch_object *o)
{
	return o->state < 0 && o->state != ERR_NOTFOUND;
}

static int verify_older(struct local *l)
{
	const struct batch_options o = {.remote = l->gc->remote,
		.jobs = l->gc->jobs,
		.quick = l->gc->quick,
		.progress = l->gc->as_json ? PROGRESS_OFF : PROGRESS_AUTO,
		.stop = command_stop()};
	int rc;

	if (l->scope & NEEDED_ALL || l->gc->no_prune)
		return 0;
	rc = pick_older(l);
	if (rc == 0 && l->asked.n)
		rc = sync_check(&l->sync, &l->asked, &o);
	if (rc < 0 && rc != ERR_INTERRUPTED && rc != ERR_NOMEM) {
		l->why = strdup(err_msg()); /* without a remote all of them stay */
		l->unverified = l->asked.n;
		err_clear();
		return 0;
	}
	for (size_t i = 0; rc >= 0 && i < l->sync.n; i++) {
		if (l->sync.objects[i].state == 1)
			rc = oidmap_add(&l->verified, &l->sync.objects[i].oid, 0);
		else if (is_damaged(&l->sync.objects[i]))
			l->damaged++;
		else
			l->unverified++;
	}
	return rc < 0 ? rc : 0;
}

/* ---- one try ---- */

static void forget(struct local *l)
{
	sync_release(&l->sync);
	needed_release(&l->needed);
	scan_list_release(&l->asked);
	free(l->why);
	l->needed = (struct needed)NEEDED_INIT;
	l->sync = (struct sync)SYNC_INIT;
	l->why = NULL;
	l->unverified = l->damaged = 0;
}

static int try_once(struct local *l)
{
	struct command_ctx *ctx = l->gc->ctx;
	const struct store_gc_options o = {.fate = fate,
		.data = l,
		.older_than = l->older_than,
		.dry_run = l->gc->dry_run,
		.stop = command_stop()};
	struct store_gc *g = NULL;
	struct pointers *p = NULL;
	int rc = store_gc_begin(&g, ctx->s, WRITERS_WAIT_MS);

	forget(l);
	if (rc == 0 && !l->gc->dry_run)
		rc = refuse_locks(l);
	if (rc == 0)
		rc = pointers_open(&p, &ctx->repo);
	if (rc == 0)
		rc = needed_collect(&l->needed, &ctx->repo, p, l->scope, NULL);
	if (rc == 0)
		rc = keep_more(l, p);
	pointers_close(p);
	if (rc == 0)
		rc = verify_older(l);
	if (rc == 0)
		rc = store_gc_run(g, &o, &l->result);
	store_gc_free(g);
	return rc;
}

/* ---- telling ---- */

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

static void print_damaged(const struct local *l)
{
	char hex[OID_HEX_LEN + 1], line[1024];
	size_t named = 0;

	if (l->damaged == 0)
		return;
	printf("%zu object%s could not be read whole from '%s': kept; 'git dvx fsck --remote "
	       "--repair' sends %s again\n",
		l->damaged, plural(l->damaged), l->sync.result.remote,
		l->damaged == 1 ? "it" : "them");
	for (size_t i = 0; i < l->sync.n && named < DAMAGED_NAMED; i++) {
		const struct batch_object *o = &l->sync.objects[i];

		if (!is_damaged(o))
			continue;
		oid_to_hex(hex, &o->oid);
		snprintf(line, sizeof(line), "%s (%s)", o->path && *o->path ? o->path : "(no path)",
			hex);
		printf("  %s\n", err_printable(line));
		named++;
	}
	if (l->damaged > named)
		printf("  ... and %zu more\n", l->damaged - named);
}

static void print_kept(const struct local *l)
{
	const struct store_gc_result *r = &l->result;
	char size[16];

	if (r->young > 0)
		printf("%zu object%s (%s) that nothing refers to kept, younger than %s; "
		       "'git dvx gc --prune=now' removes them\n",
			r->young, plural(r->young), progress_bytes(size, r->young_bytes),
			l->gc->prune ? l->gc->prune : "2 weeks");
	if (l->why)
		printf("%zu older object%s kept, for the remote could not be asked: %s\n",
			l->unverified, plural(l->unverified), l->why);
	else if (l->unverified > 0)
		printf("%zu object%s %s not on '%s': kept; run 'git dvx push -A'\n", l->unverified,
			plural(l->unverified), l->unverified == 1 ? "is" : "are",
			l->sync.result.remote);
	print_damaged(l);
	if (r->foreign)
		puts("whole objects were left alone: lfs.storage lies outside of this repository, "
		     "and others may use it");
	if (r->busy_packs > 0)
		printf("%zu pack%s left alone, being written\n", r->busy_packs,
			plural(r->busy_packs));
	if (r->damaged_packs > 0)
		printf("%zu pack%s left alone, damaged; run 'git dvx fsck --repair'\n",
			r->damaged_packs, plural(r->damaged_packs));
}

static void print_text(const struct local *l)
{
	const struct store_gc_result *r = &l->result;
	char size[16], freed[16];

	if (r->dropped > 0)
		printf("%zu object%s (%s) %sremoved, %s freed\n", r->dropped, plural(r->dropped),
			progress_bytes(size, r->dropped_bytes), l->gc->dry_run ? "would be " : "",
			progress_bytes(freed, r->freed));
	else
		puts("No objects to remove");
	print_kept(l);
	if (r->packs_after < r->packs_before)
		printf("%zu packs merged into %zu\n", r->packs_before, r->packs_after);
	if (l->runs > 0)
		printf("%zu entr%s of the run cache without %s objects removed\n", l->runs,
			l->runs == 1 ? "y" : "ies", l->runs == 1 ? "its" : "their");
	if (r->temps > 0)
		printf("%zu stale temporary file%s %sremoved\n", r->temps, plural(r->temps),
			l->gc->dry_run ? "would be " : "");
	fflush(stdout);
}

static void tell(const struct local *l)
{
	const struct gc_outcome o = {
		&l->result, l->unverified, l->damaged, l->sync.result.remote, l->why};

	if (l->gc->told)
		l->gc->told(l->gc, &o);
	else
		print_text(l);
}

static void list_damaged(const struct local *l, struct json *j, cJSON *local)
{
	cJSON *list = json_array(j, local, "damaged_on_remote");
	char hex[OID_HEX_LEN + 1];

	for (size_t i = 0; i < l->sync.n; i++) {
		const struct batch_object *o = &l->sync.objects[i];
		cJSON *item = is_damaged(o) ? json_item(j, list) : NULL;

		if (!item)
			continue;
		oid_to_hex(hex, &o->oid);
		json_string(j, item, "oid", hex);
		json_string(j, item, "path", o->path);
		json_string(j, item, "error", o->error ? o->error : "failed");
	}
}

static void fill_json(struct local *l)
{
	const struct store_gc_result *r = &l->result;
	struct json *j = &l->gc->json;
	cJSON *o = json_object(j, j->root, "local");

	json_bool(j, o, "dry_run", l->gc->dry_run);
	json_uint(j, o, "removed", r->dropped);
	json_uint(j, o, "removed_bytes", r->dropped_bytes);
	json_uint(j, o, "freed_bytes", r->freed);
	json_uint(j, o, "young", r->young);
	json_uint(j, o, "young_bytes", r->young_bytes);
	json_uint(j, o, "not_on_remote", l->unverified);
	list_damaged(l, j, o);
	json_string(j, o, "remote", l->sync.result.remote[0] ? l->sync.result.remote : NULL);
	json_uint(j, o, "packs_before", r->packs_before);
	json_uint(j, o, "packs_after", r->packs_after);
	json_uint(j, o, "temporary_files", r->temps);
	json_uint(j, o, "damaged_packs", r->damaged_packs);
	json_bool(j, o, "storage_outside", r->foreign);
}

int gc_local(struct gc *gc)
{
	struct local l = {.gc = gc,
		.needed = NEEDED_INIT,
		.sync = SYNC_INIT,
		.asked = SCAN_LIST_INIT,
		.verified = OIDMAP_INIT};
	int rc;

	l.scope = (gc->workspace ? NEEDED_WORKSPACE : 0u) | (gc->branches ? NEEDED_BRANCHES : 0u) |
		  (gc->tags ? NEEDED_TAGS : 0u);
	if (l.scope == 0 || gc->commits)
		l.scope = NEEDED_ALL;
	rc = parse_age(&l);
	for (int i = 0; rc == 0 && i < TRIES; i++) {
		rc = try_once(&l);
		if (rc != ERR_CHANGED)
			break;
		rc = i + 1 < TRIES ? 0 : rc;
	}
	if (rc == 0)
		rc = gc_runs(gc, l.older_than, &l.runs);
	if (rc == 0 && gc->as_json)
		fill_json(&l);
	else if (rc == 0)
		tell(&l);
	forget(&l);
	oidmap_release(&l.verified);
	return rc;
}

/* ---- the command ---- */

/* What cannot be done is told before anything is. */
static int check_words(const struct gc *gc, int n_operands, char **argv)
{
	size_t digits = gc->grace ? strspn(gc->grace, "0123456789") : 0;

	if (n_operands > 0)
		return command_usage("unexpected argument '%s'; see 'git dvx gc -h'", argv[1]);
	if (!gc->on_remote && (gc->grace || gc->repack || gc->projects.n > 0))
		return command_usage("--grace, --repack and --project go with --remote");
	if (gc->grace && (digits == 0 || digits > 9 || gc->grace[digits]))
		return command_usage("bad --grace '%s'; say how many seconds", gc->grace);
	return 0;
}

int cmd_gc(struct command_ctx *ctx, int argc, char **argv)
{
	struct gc gc = {.ctx = ctx, .projects = STRVEC_INIT};
	const struct opt options[] = {
		{'w', "workspace", OPT_FLAG, &gc.workspace, NULL,
			"keep only what the worktrees, stash and reflogs hold, and what is not on "
			"the remote",
			0},
		{'a', "all-branches", OPT_FLAG, &gc.branches, NULL,
			"the same, and keep the data of all branches", 0},
		{'T', "all-tags", OPT_FLAG, &gc.tags, NULL,
			"the same, and keep the data of all tags", 0},
		{'A', "all-commits", OPT_FLAG, &gc.commits, NULL,
			"keep the data of all commits (the default)", 0},
		{0, "prune", OPT_VALUE, &gc.prune, "<age>",
			"remove what nothing refers to when it is older (default 2.weeks.ago)", 0},
		{0, "no-prune", OPT_FLAG, &gc.no_prune, NULL, "remove no objects", 0},
		{0, "quick", OPT_FLAG, &gc.quick, NULL,
			"trust the sizes on the remote, do not read the copies there", 0},
		{'n', "dry-run", OPT_FLAG, &gc.dry_run, NULL, "only say what would be done", 0},
		{0, "json", OPT_FLAG, &gc.as_json, NULL, "print JSON", 0},
		{0, "remote", OPT_FLAG, &gc.on_remote, NULL, "also clean up the remote", 0},
		{'c', "cloud", OPT_FLAG, &gc.on_remote, NULL, NULL, 0},
		{'r', NULL, OPT_VALUE, &gc.remote, "<name>", "blob remote, instead of the default",
			0},
		{'p', "project", OPT_LIST, &gc.projects, "<path>",
			"on the remote, also keep what this repository needs", 0},
		{0, "grace", OPT_VALUE, &gc.grace, "<seconds>",
			"remove from the remote what has been under notice for so long", 0},
		{0, "repack", OPT_FLAG, &gc.repack, NULL,
			"also rewrite packs on the remote that are mostly unused", 0},
		{'j', "jobs", OPT_INT, &gc.jobs, "<n>", "how many transfers at once", 0}, OPT_END};
	int n, rc;

	if (command_options(&rc, argc, argv, options, "git dvx gc [<options>]", 0, &n))
		goto done;
	rc = check_words(&gc, n, argv);
	if (rc != 0)
		goto done;
	json_init(&gc.json);
	rc = command_store(ctx);
	if (rc == 0)
		rc = gc_local(&gc);
	if (rc == 0 && gc.on_remote)
		rc = gc_remote(&gc);
	if (rc >= 0 && gc.as_json)
		rc = json_print(&gc.json) < 0 ? ERR_NOMEM : rc;
done:
	json_release(&gc.json);
	strvec_release(&gc.projects);
	return rc;
}
