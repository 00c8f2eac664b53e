/*
 * `git lfs fetch` and `git lfs pull`: the pointers of refs, one ref after the other, and their
 * objects from one remote.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "commands/checkout.h"
#include "commands/lfs/lfs.h"
#include "commands/lfs/recent.h"
#include "lib/base/err.h"
#include "lib/repo/git.h"
#include "lib/store/store_gc.h"

struct fetch {
	struct command_ctx *ctx;
	struct pointers *pointers;
	struct lfs_patterns patterns;
	struct select select;
	struct batch_options batch;
	int recent, all, prune, dry_run, as_json, refetch;
	struct scan_list told; /* what --dry-run and --json tell of */
	int failed;
};

/* ---- objects ---- */

int lfs_select(
	struct select *s, const struct repo *repo, const struct lfs_patterns *p, int defaults)
{
	const char *include = p->include, *exclude = p->exclude;
	int rc;

	if (include == NULL && defaults)
		include = config_get(repo->config, "lfs.fetchinclude");
	if (exclude == NULL && defaults)
		exclude = config_get(repo->config, "lfs.fetchexclude");
	rc = pathmatch_add(&s->match.include, include);
	return rc == 0 ? pathmatch_add(&s->match.exclude, exclude) : rc;
}

int lfs_download(struct command_ctx *ctx, const struct scan_list *l, const struct batch_options *o)
{
	char hex[OID_HEX_LEN + 1];
	struct sync sync = SYNC_INIT;
	int failed = 0, rc = sync_download(&sync, l, ctx->s, o);

	for (size_t i = 0; rc == 0 && i < sync.n; i++) {
		const struct batch_object *b = &sync.objects[i];

		if (b->state >= 0)
			continue;
		oid_to_hex(hex, &b->oid);
		lfs_fail(0, "error transferring \"%s\": %s", hex,
			b->error != NULL ? b->error : "it did not come");
		failed = 1;
	}
	sync_release(&sync);
	if (rc < 0 && rc != ERR_INTERRUPTED) {
		lfs_fail(0, "%s", err_msg());
		err_clear();
		return 1;
	}
	return rc < 0 ? rc : failed;
}

/* --refetch: an object that is here counts as such when its bytes are right; a damaged one is moved
 * aside. */
static int recheck(const struct fetch *f, const struct scan_list *l)
{
	struct buf aside = BUF_INIT;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < l->n; i++) {
		if (!store_has(f->ctx->s, &l->v[i].oid, l->v[i].size))
			continue;
		rc = store_verify(f->ctx->s, &l->v[i].oid, l->v[i].size);
		if (rc == ERR_CORRUPT)
			rc = store_set_aside(f->ctx->s, &l->v[i].oid, &aside);
	}
	buf_release(&aside);
	return rc;
}

/* Note what is going to travel. */
static int note_missing(struct fetch *f, const struct scan_list *l)
{
	char hex[OID_HEX_LEN + 1];
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < l->n; i++) {
		const struct scan_item *item = &l->v[i];

		if (store_has(f->ctx->s, &item->oid, item->size))
			continue;
		rc = scan_list_add(&f->told, item);
		oid_to_hex(hex, &item->oid);
		if (f->dry_run && !f->as_json)
			printf("fetch %s => %s\n", hex, item->path);
	}
	return rc;
}

static int get(struct fetch *f, struct scan_list *l)
{
	int rc = select_filter(&f->select, l);

	if (rc == 0)
		rc = scan_list_unique_oid(l);
	if (rc == 0 && f->refetch)
		rc = recheck(f, l);
	if (rc == 0 && (f->dry_run || f->as_json))
		rc = note_missing(f, l);
	if (rc == 0 && !f->dry_run)
		rc = lfs_download(f->ctx, l, &f->batch);
	f->failed |= rc > 0;
	return rc < 0 ? rc : 0;
}

/* What happens, for people: out of the way of --json. */
__attribute__((format(printf, 2, 3))) static void tell(const struct fetch *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(f->as_json ? stderr : stdout, fmt, ap);
	va_end(ap);
	fflush(stdout);
}

/* ---- refs ---- */

static int fetch_ref(struct fetch *f, const char *ref, const char *shown)
{
	struct scan_list l = SCAN_LIST_INIT;
	int rc;

	tell(f, "fetch: Fetching reference %s\n", shown);
	rc = scan_tree(&l, &f->ctx->repo, f->pointers, ref);
	if (rc == 0)
		rc = get(f, &l);
	scan_list_release(&l);
	return rc;
}

/* "main" of "refs/heads/main". */
static const char *short_name(const char *ref)
{
	static const char *const prefixes[] = {"refs/heads/", "refs/tags/", "refs/remotes/"};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (strncmp(ref, prefixes[i], strlen(prefixes[i])) == 0)
			return ref + strlen(prefixes[i]);
	return ref;
}

static int fetch_changes(struct fetch *f, const char *ref, int days)
{
	struct scan_list l = SCAN_LIST_INIT;
	int rc;

	tell(f, "fetch: Fetching changes within %d days of %s\n", days, short_name(ref));
	rc = recent_changes(&l, &f->ctx->repo, f->pointers, ref, days);
	if (rc == 0)
		rc = get(f, &l);
	scan_list_release(&l);
	return rc;
}

/* One commit once, by the name that came first. */
static int is_new_commit(const struct fetch *f, struct strvec *seen, const char *ref)
{
	char hex[REPO_HEX_MAX + 1], commit[256];
	uint8_t id[REPO_ID_MAX];

	snprintf(commit, sizeof(commit), "%s^{commit}", ref);
	if (git_resolve(&f->ctx->repo, commit, id) < 0) {
		err_clear();
		return 0; /* a tag of something else */
	}
	repo_id_hex(hex, &f->ctx->repo, id);
	for (size_t i = 0; i < seen->n; i++)
		if (strcmp(seen->v[i], hex) == 0)
			return 0;
	return strvec_push(seen, hex) == 0;
}

static int fetch_recent(struct fetch *f, const struct recent_config *r, const struct strvec *refs)
{
	const char *remote = f->batch.git_remote != NULL ? f->batch.git_remote : "*";
	struct strvec recent = STRVEC_INIT, seen = STRVEC_INIT, all = STRVEC_INIT;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < refs->n; i++)
		if (is_new_commit(f, &seen, refs->v[i]))
			rc = strvec_push(&all, refs->v[i]);
	if (rc == 0 && r->refs_days > 0) {
		tell(f, "fetch: Fetching recent branches within %d days\n", r->refs_days);
		rc = recent_refs(
			&recent, &f->ctx->repo, r->refs_days, r->remote_refs ? remote : NULL);
	}
	for (size_t i = 0; rc == 0 && i < recent.n; i++) {
		if (!is_new_commit(f, &seen, recent.v[i]))
			continue;
		rc = fetch_ref(f, recent.v[i], short_name(recent.v[i]));
		if (rc == 0)
			rc = strvec_push(&all, recent.v[i]);
	}
	for (size_t i = 0; rc == 0 && r->commits_days > 0 && i < all.n; i++)
		rc = fetch_changes(f, all.v[i], r->commits_days);
	strvec_release(&recent);
	strvec_release(&seen);
	strvec_release(&all);
	return rc;
}

/* --all: everything that the refs (none: any ref) reach. */
static int fetch_all(struct fetch *f, const struct strvec *refs)
{
	const struct strvec none = STRVEC_INIT;
	struct scan_list l = SCAN_LIST_INIT;
	int rc;

	if (config_get(f->ctx->c, "lfs.fetchinclude") != NULL ||
		config_get(f->ctx->c, "lfs.fetchexclude") != NULL)
		tell(f, "Ignoring global include / exclude paths to fulfil --all\n");
	rc = refs->n > 0 ? scan_range(&l, &f->ctx->repo, f->pointers, refs, &none, NULL)
			 : scan_all_commits(&l, &f->ctx->repo, f->pointers);
	if (rc == 0)
		rc = scan_list_unique_oid(&l);
	if (rc == 0) {
		tell(f, "fetch: %zu objects found, done.\n", l.n);
		tell(f, "fetch: Fetching all references...\n");
		rc = get(f, &l);
	}
	scan_list_release(&l);
	return rc;
}

static int fetch_refs(struct fetch *f, const struct strvec *refs)
{
	struct recent_config recent;
	int rc = lfs_select(&f->select, &f->ctx->repo, &f->patterns, 1);

	for (size_t i = 0; rc == 0 && i < refs->n; i++)
		rc = fetch_ref(f, refs->v[i], refs->v[i]);
	recent_config_read(&recent, f->ctx->c);
	if (rc == 0 && (f->recent || recent.always))
		rc = fetch_recent(f, &recent, refs);
	return rc;
}

/* ---- the commands ---- */

/* {"transfers": [{"name", "oid", "size", "path"}]} */
static int print_transfers(const struct fetch *f)
{
	struct buf path = BUF_INIT;
	char hex[OID_HEX_LEN + 1];
	struct json j;
	cJSON *list, *o;

	json_init(&j);
	list = json_array(&j, j.root, "transfers");
	for (size_t i = 0; i < f->told.n; i++) {
		const struct scan_item *item = &f->told.v[i];

		o = json_item(&j, list);
		oid_to_hex(hex, &item->oid);
		json_string(&j, o, "name", item->path);
		json_string(&j, o, "oid", hex);
		json_uint(&j, o, "size", item->size);
		buf_reset(&path);
		if (store_whole_path(f->ctx->s, &item->oid, item->size, &path) == 1)
			json_string(&j, o, "path", buf_str(&path));
	}
	buf_release(&path);
	return lfs_print_json(&j, 0);
}

static int resolve_refs(struct strvec *refs, const struct fetch *f, int n, char **names)
{
	struct buf full = BUF_INIT;
	int rc = 0;

	for (int i = 0; rc == 0 && i < n; i++) {
		buf_reset(&full);
		rc = lfs_full_ref(&full, &f->ctx->repo, names[i]);
		if (rc == ERR_NOTFOUND)
			rc = err_set(rc, "Invalid ref argument: [%s]", names[i]);
		if (rc == 0)
			rc = strvec_push(refs, buf_str(&full));
	}
	buf_release(&full);
	return rc;
}

static int current_ref(struct strvec *refs, const struct fetch *f, const char *verb)
{
	char head[] = "HEAD", *names[] = {head};

	if (!git_has_head(&f->ctx->repo))
		return err_set(ERR_NOTFOUND, "Could not %s", verb);
	return resolve_refs(refs, f, 1, names);
}

static int prepare(struct fetch *f, const char *remote)
{
	int rc = command_store(f->ctx);

	if (rc == 0)
		rc = lfs_use_remote(&f->batch, f->ctx, remote);
	f->batch.stop = command_stop();
	if (f->as_json)
		f->batch.progress = PROGRESS_OFF;
	return rc == 0 ? pointers_open(&f->pointers, &f->ctx->repo) : rc;
}

static void release(struct fetch *f)
{
	pointers_close(f->pointers);
	select_release(&f->select);
	scan_list_release(&f->told);
}

static int tell_failed(const struct fetch *f, const char *words)
{
	struct buf url = BUF_INIT;
	int rc;

	if (lfs_remote_url(&url, f->ctx, &f->batch) < 0)
		err_clear();
	rc = lfs_fail(LFS_FAILED, "%s some objects from '%s'", words, buf_str(&url));
	buf_release(&url);
	return rc;
}

int lfs_fetch(struct command_ctx *ctx, int argc, char **argv)
{
	struct fetch f = {.ctx = ctx};
	struct strvec refs = STRVEC_INIT;
	const struct opt options[] = {LFS_PATTERN_OPTIONS(&f.patterns),
		{0, "recent", OPT_FLAG, &f.recent, NULL, "also recent branches and changes", 0},
		{'a', "all", OPT_FLAG, &f.all, NULL, "all that the refs (or any ref) reach", 0},
		{'p', "prune", OPT_FLAG, &f.prune, NULL, "prune afterwards", 0},
		{0, "refetch", OPT_FLAG, &f.refetch, NULL,
			"read what is here, too, and replace what is damaged", 0},
		{'d', "dry-run", OPT_FLAG, &f.dry_run, NULL, "only say what would be fetched", 0},
		{'j', "json", OPT_FLAG, &f.as_json, NULL, "print the transfers as JSON", 0},
		OPT_END};
	char *prune[] = {(char *)"prune", NULL};
	int n, rc;

	if (command_options(&rc, argc, argv, options,
		    "git lfs fetch [<options>] [<remote> [<ref>...]]", 0, &n))
		return rc;
	rc = prepare(&f, n > 0 ? argv[1] : NULL);
	if (rc == 0 && n > 1)
		rc = resolve_refs(&refs, &f, n - 1, argv + 2);
	else if (rc == 0 && !f.all)
		rc = current_ref(&refs, &f, "fetch");
	if (rc == 0 && f.all && f.recent)
		rc = lfs_fail(LFS_FAILED, "Cannot combine --all with --recent");
	else if (rc == 0 && f.all && (f.patterns.include != NULL || f.patterns.exclude != NULL))
		rc = lfs_fail(LFS_FAILED, "Cannot combine --all with --include or --exclude");
	if (rc == 0)
		rc = f.all ? fetch_all(&f, &refs) : fetch_refs(&f, &refs);
	if (rc == 0 && f.as_json)
		rc = print_transfers(&f);
	if (rc == 0 && f.prune && !f.dry_run)
		rc = lfs_prune(ctx, 1, prune);
	if (rc == 0 && f.failed)
		rc = tell_failed(&f, "error: failed to fetch");
	strvec_release(&refs);
	release(&f);
	return rc;
}

int lfs_pull(struct command_ctx *ctx, int argc, char **argv)
{
	struct restore_options restore = {.quiet = 1};
	struct fetch f = {.ctx = ctx};
	struct strvec refs = STRVEC_INIT;
	struct scan_list l = SCAN_LIST_INIT;
	const struct opt options[] = {LFS_PATTERN_OPTIONS(&f.patterns), OPT_END};
	int n, rc;

	if (command_options(&rc, argc, argv, options, "git lfs pull [<options>] [<remote>]", 0, &n))
		return rc;
	rc = prepare(&f, n > 0 ? argv[1] : NULL);
	if (rc == 0)
		rc = current_ref(&refs, &f, "pull");
	if (rc == 0)
		rc = lfs_select(&f.select, &ctx->repo, &f.patterns, 1);
	if (rc == 0)
		rc = scan_tree(&l, &ctx->repo, f.pointers, "HEAD");
	if (rc == 0 && ctx->g->worktree != NULL)
		rc = scan_index(&l, &ctx->repo, f.pointers, 1);
	if (rc == 0)
		rc = get(&f, &l);
	restore.stop = command_stop();
	if (rc == 0 && ctx->g->worktree != NULL)
		rc = checkout_run(ctx, &f.select, &restore, CHECKOUT_SILENT);
	if (rc == 0 && f.failed)
		rc = tell_failed(&f, "Failed to fetch");
	else if (rc == COMMAND_NO)
		rc = f.failed ? tell_failed(&f, "Failed to fetch") : COMMAND_OK;
	scan_list_release(&l);
	strvec_release(&refs);
	release(&f);
	return rc;
}
