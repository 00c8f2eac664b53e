/*
 * `git lfs push`: the objects of refs - what the remote's own branches do not reach, or with --all
 * everything that they reach - or single objects by their ids.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands/lfs/lfs.h"
#include "hooks/pre_push_locks.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/repo/git.h"

enum { INPUT_MAX = 64 << 20 };

struct push {
	struct command_ctx *ctx;
	struct batch_options batch;
	int dry_run, all, by_oid, use_stdin;
	struct strvec names; /* refs, or object ids */
	struct strvec refs;  /* the full names of those that have one */
};

/* Lines of standard input. */
static int read_names(struct strvec *names)
{
	struct buf text = {.max = INPUT_MAX};
	int rc = buf_read_fd(&text, STDIN_FILENO);
	const char *p = buf_str(&text);

	while (rc == 0 && *p != '\0') {
		size_t len = strcspn(p, "\n"), used = len;

		while (used > 0 && strchr(" \t\r", p[used - 1]) != NULL)
			used--;
		if (used > 0)
			rc = strvec_pushn(names, p, used);
		p += len + (p[len] == '\n');
	}
	buf_release(&text);
	return rc;
}

/* ---- what ---- */

/* 1 when one of the ids is none, or not here; told. */
static int list_objects(struct push *p, struct scan_list *l)
{
	struct scan_item item = {.path = ""};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < p->names.n; i++) {
		const char *hex = p->names.v[i];

		if (strlen(hex) != OID_HEX_LEN || oid_from_hex(&item.oid, hex) < 0)
			return lfs_fail(LFS_FAILED, "'%s' is not an object id", hex);
		if (!store_find_size(p->ctx->s, &item.oid, &item.size))
			return lfs_fail(LFS_FAILED, "object '%s' is not in the local store", hex);
		item.path = hex;
		rc = scan_list_add(l, &item);
	}
	return rc;
}

/* All branches and tags, of this repository. */
static int local_refs(struct strvec *refs, const struct repo *repo)
{
	struct buf out = BUF_INIT;
	int rc = git_run(repo, NULL, 0, &out, "for-each-ref", "--format=%(refname)", "refs/heads",
		"refs/tags", NULL);
	const char *p = buf_str(&out);

	while (rc == 0 && *p != '\0') {
		size_t len = strcspn(p, "\n");

		rc = strvec_pushn(refs, p, len);
		p += len + (p[len] == '\n');
	}
	buf_release(&out);
	return rc;
}

static int list_refs(struct push *p, struct scan_list *l)
{
	const struct repo *repo = &p->ctx->repo;
	const struct strvec none = STRVEC_INIT;
	struct pointers *pointers = NULL;
	int rc = pointers_open(&pointers, repo);

	if (rc == 0 && p->all && p->names.n == 0)
		rc = local_refs(&p->names, repo);
	if (rc == 0 && p->names.n > 0)
		rc = scan_range(
			l, repo, pointers, &p->names, &none, p->all ? NULL : p->batch.git_remote);
	pointers_close(pointers);
	if (rc == 0)
		rc = p->dry_run ? lfs_newest_first(l) : scan_list_unique_oid(l);
	return rc;
}

/* ---- telling ---- */

/* "  (missing) a.bin (3f2a…)" for each object of this state.  How many. */
static size_t print_state(const struct sync *sync, int state, const char *word)
{
	char hex[OID_HEX_LEN + 1];
	size_t n = 0;

	for (size_t i = 0; i < sync->n; i++) {
		if (sync->objects[i].state != state)
			continue;
		n++;
		if (word == NULL)
			continue;
		oid_to_hex(hex, &sync->objects[i].oid);
		fprintf(stderr, "  (%s) %s (%s)\n", word, sync->objects[i].path, hex);
	}
	return n;
}

static int judge(const struct push *p, const struct sync *sync)
{
	size_t failed = sync_failed(sync), missing, corrupt;

	if (failed == 0)
		return COMMAND_OK;
	fflush(stdout);
	missing = print_state(sync, ERR_NOTFOUND, NULL);
	corrupt = print_state(sync, ERR_CORRUPT, NULL);
	if (missing + corrupt > 0) {
		int allowed = failed == missing + corrupt &&
			      config_bool(p->ctx->c, "lfs.allowincompletepush", 0);

		fprintf(stderr,
			allowed ? "LFS upload missing objects:\n" : "Git LFS upload failed:\n");
		print_state(sync, ERR_NOTFOUND, "missing");
		print_state(sync, ERR_CORRUPT, "corrupt");
		if (allowed)
			return COMMAND_OK;
		fprintf(stderr,
			"hint: Your push was rejected due to missing or corrupt local objects.\n"
			"hint: You can disable this check with: `git config "
			"lfs.allowincompletepush true`\n");
	}
	for (size_t i = 0; i < sync->n; i++) {
		const struct batch_object *o = &sync->objects[i];

		if (o->state < 0 && o->state != ERR_NOTFOUND && o->state != ERR_CORRUPT)
			lfs_fail(0, "%s: %s", o->path, o->error != NULL ? o->error : "failed");
	}
	return LFS_FAILED;
}

static void print_plan(const struct scan_list *l)
{
	char hex[OID_HEX_LEN + 1];

	for (size_t i = 0; i < l->n; i++) {
		oid_to_hex(hex, &l->v[i].oid);
		printf("push %s => %s\n", hex, l->v[i].path);
	}
}

static int upload(struct push *p, const struct scan_list *l)
{
	const int64_t began = fs_now_ns();
	struct sync sync = SYNC_INIT;
	int rc = sync_upload(&sync, l, &p->batch);

	if (rc == 0)
		rc = judge(p, &sync);
	if (rc == 0)
		lfs_print_done("Uploading LFS objects", sync.n, sync.result.bytes, began);
	sync_release(&sync);
	return rc;
}

/* What somebody else has locked is not pushed. */
static int check_locks(const struct push *p)
{
	const struct pre_push wanted = {.include = p->names, .refs = p->refs};
	const char *remote = p->batch.git_remote;
	int rc = 0;

	if (remote != NULL && !p->by_oid)
		rc = pre_push_locks(&p->ctx->repo, &wanted, remote,
			strchr(remote, ':') != NULL ? NULL : remote, 1);
	return rc > 0 ? LFS_FAILED : rc;
}

static int push(struct push *p)
{
	struct scan_list l = SCAN_LIST_INIT;
	int rc = p->by_oid ? list_objects(p, &l) : list_refs(p, &l);

	if (rc == 0 && l.n > 0 && !p->dry_run)
		rc = check_locks(p);
	if (rc == 0 && p->dry_run)
		print_plan(&l);
	else if (rc == 0 && l.n > 0)
		rc = upload(p, &l);
	scan_list_release(&l);
	return rc;
}

/* The operands or lines behind the remote, and what the server is told of the ref. */
static int take_names(struct push *p, int n, char **names)
{
	struct buf ref = BUF_INIT;
	int rc = 0;

	for (int i = 0; rc == 0 && i < n; i++)
		rc = strvec_push(&p->names, names[i]);
	if (rc == 0 && p->use_stdin)
		rc = read_names(&p->names);
	if (rc < 0 || p->by_oid)
		return rc;
	for (size_t i = 0; rc == 0 && i < p->names.n; i++) {
		buf_reset(&ref);
		rc = lfs_full_ref(&ref, &p->ctx->repo, p->names.v[i]);
		if (rc == 0 && strncmp(buf_str(&ref), "refs/", 5) == 0)
			rc = strvec_push(&p->refs, ref.p);
	}
	if (p->refs.n == 1)
		p->batch.ref = p->refs.v[0];
	buf_release(&ref);
	return rc;
}

int lfs_push(struct command_ctx *ctx, int argc, char **argv)
{
	struct push p = {.ctx = ctx};
	const struct opt options[] = {
		{'d', "dry-run", OPT_FLAG, &p.dry_run, NULL, "only print what would be pushed", 0},
		{'a', "all", OPT_FLAG, &p.all, NULL, "all that the refs (or all local ones) reach",
			0},
		{'o', "object-id", OPT_FLAG, &p.by_oid, NULL, "the operands are object ids", 0},
		{0, "stdin", OPT_FLAG, &p.use_stdin, NULL,
			"read refs or object ids from standard input", 0},
		OPT_END};
	int n, rc;

	if (command_options(&rc, argc, argv, options,
		    "git lfs push [<options>] <remote> [<ref>...]\n"
		    "git lfs push [<options>] <remote> --stdin\n"
		    "git lfs push --object-id <remote> [<oid>...]",
		    0, &n))
		return rc;
	if (n == 0) {
		puts("Specify a remote and a remote branch name (`git lfs push origin main`)");
		return COMMAND_NO;
	}
	if (ctx->g == NULL)
		return lfs_fail(LFS_NO_REPOSITORY, "Not in a Git repository.");
	rc = lfs_mark_repository(ctx);
	if (rc == 0)
		rc = command_store(ctx);
	if (rc == 0)
		rc = lfs_use_remote(&p.batch, ctx, argv[1]);
	p.batch.stop = command_stop();
	if (rc == 0)
		rc = take_names(&p, n - 1, argv + 2);
	if (rc == 0 && p.by_oid && p.names.n == 0 && !p.use_stdin)
		rc = lfs_fail(
			COMMAND_NO, "At least one object ID must be supplied with --object-id");
	else if (rc == 0)
		rc = push(&p);
	strvec_release(&p.names);
	strvec_release(&p.refs);
	return rc;
}
