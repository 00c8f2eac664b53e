/*
 * git-dvx-transfer gc: reads what is needed, runs the steps, says what came of it
 * (docs/remote-gc.md).
 */
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/opt.h"
#include "lib/wire/batchline.h"
#include "transfer/frontend.h"
#include "transfer/gc/gc.h"
#include "transfer/gitdir_remote.h"
#include "transfer/subcommands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const keys[GC_COUNTS] = {
	[GC_FRAGMENTS] = "fragments",
	[GC_PACKS] = "packs",
	[GC_BYTES] = "bytes",
	[GC_OBJECTS] = "objects",
	[GC_MISSING] = "missing",
	[GC_LIVE_BYTES] = "live-bytes",
	[GC_NOTICED_FRAGMENTS] = "noticed-fragments",
	[GC_NOTICED_PACKS] = "noticed-packs",
	[GC_NOTICED_BYTES] = "noticed-bytes",
	[GC_REMOVED_FRAGMENTS] = "removed-fragments",
	[GC_REMOVED_PACKS] = "removed-packs",
	[GC_REMOVED_BYTES] = "removed-bytes",
	[GC_RESCUED_FRAGMENTS] = "rescued-fragments",
	[GC_MERGED_FRAGMENTS] = "merged-fragments",
	[GC_REPACKED_BYTES] = "repacked-bytes",
	[GC_DUE] = "due",
};

/* ---- what is needed ---- */

static int add_needed(struct oidmap *needed, char *line, size_t len)
{
	struct batch_request r;
	int rc = batch_request_parse(&r, line, len);

	if (rc == 0 && r.size)
		rc = oidmap_add(needed, &r.oid, (uint32_t)needed->n);
	if (rc > 0 && needed->n > BATCH_REQUESTS_MAX)
		rc = err_set(ERR_LIMIT, "more than %d needed objects", BATCH_REQUESTS_MAX);
	return rc < 0 ? rc : 0;
}

static int read_needed(struct oidmap *needed)
{
	struct line_reader in = {.fd = STDIN_FILENO, .max = BATCH_LINE_MAX};
	size_t number = 0, len;
	char *line;
	int rc, done = 0;

	while ((rc = line_read(&in, &line, &len)) > 0) {
		number++;
		done = len == 4 && memcmp(line, "done", 4) == 0;
		if (done)
			break;
		rc = add_needed(needed, line, len);
		if (rc < 0) {
			err_prefix(rc, "line %zu of the needed objects", number);
			break;
		}
	}
	line_reader_release(&in);
	if (rc >= 0 && !done)
		rc = err_set(
			ERR_INVALID, "the list of needed objects has no end; nothing was removed");
	return rc < 0 ? rc : 0;
}

/* ---- one run ---- */

/* The blob store of the remote: 0, or 1 when it has none. */
static int open_store(struct engine *e, struct remote **out)
{
	const struct remote_context context = {e->git, e->config, e->stop};

	if (e->spec->kind == REMOTE_GITDIR)
		return gitdir_remote_blobs(e, out);
	return remote_open(out, e->spec, &context);
}

/* What cannot be read may be all that names a needed object. */
static int check_readable(const struct blobstore *b)
{
	int rc = listing_check(&b->listing);

	if (rc == 0 && b->n_damaged)
		rc = err_set(ERR_CORRUPT,
			"%zu fragment%s of remote '%s' cannot be read, so it is not known what "
			"they "
			"hold; nothing was removed, run 'git dvx fsck --remote --repair' first",
			b->n_damaged, b->n_damaged == 1 ? "" : "s", b->remote->name);
	return rc;
}

static void count_store(struct gc *g)
{
	const struct gcview *v = &g->view;
	const struct listing *l = &g->blobstore->listing;

	g->count[GC_FRAGMENTS] = l->n_fragments;
	g->count[GC_PACKS] = v->n_packs;
	for (size_t i = 0; i < l->n_fragments; i++)
		g->count[GC_BYTES] += l->fragments[i].size;
	for (size_t i = 0; i < v->n_packs; i++) {
		g->count[GC_BYTES] += v->packs[i].size;
		g->count[GC_LIVE_BYTES] += v->packs[i].live;
	}
	for (size_t i = 0; i < v->needed->n; i++) {
		int there = v->places[i].fragment != GCVIEW_NOWHERE || v->places[i].condemned;

		g->count[there ? GC_OBJECTS : GC_MISSING]++;
	}
}

static int run_steps(struct gc *g, const struct oidmap *needed)
{
	struct blobstore *b = g->blobstore;
	int rc;

	b->wants_now = 1;
	rc = blobstore_load(b);
	if (rc == ERR_NOTFOUND) { /* nobody pushed yet */
		err_clear();
		g->count[GC_MISSING] = needed->n;
		return 0;
	}
	if (rc == 0)
		rc = blobstore_load_condemned(b);
	if (rc == 0)
		rc = check_readable(b);
	if (rc == 0)
		rc = gcview_open(&g->view, b, needed);
	if (rc < 0)
		return rc;
	count_store(g);
	rc = gc_sweep(g);
	if (rc == 0)
		rc = gc_compact(g);
	return rc == 0 ? gc_mark(g) : rc;
}

static int run(struct gc *g, struct engine *e, const struct frontend_options *o, const char *grace)
{
	struct oidmap needed = OIDMAP_INIT;
	struct remote *remote = NULL;
	uint64_t seconds = 0;
	int rc = frontend_open(e, o);

	if (rc == 0)
		rc = frontend_resolve(e, o, NULL);
	if (rc == 0)
		rc = read_needed(&needed);
	if (rc == 0)
		rc = open_store(e, &remote);
	if (rc == 0)
		rc = blobstore_open(&g->blobstore, e, remote);
	if (rc == 0 && grace)
		rc = opt_parse_size(&seconds, grace);
	if (rc == 0 && grace && seconds > INT32_MAX)
		rc = err_set(ERR_INVALID, "a grace period of '%s' seconds", grace);
	if (rc == 0) {
		g->grace = g->blobstore->grace = grace ? (int64_t)seconds : g->blobstore->grace;
		rc = run_steps(g, &needed);
	}
	gcview_release(&g->view);
	blobstore_close(g->blobstore);
	remote_close(remote);
	oidmap_release(&needed);
	return rc < 0 ? rc : 0;
}

static int report(const struct gc *g, int rc)
{
	const struct batch_answer end = {.kind = rc < 0 ? BATCH_ANSWER_FATAL : BATCH_ANSWER_DONE,
		.code = rc,
		.text = rc < 0 ? err_msg() : NULL};
	struct buf out = BUF_INIT;
	int status = rc == ERR_INTERRUPTED ? 130 : rc < 0 ? 128 : 0;

	for (int i = 0; rc == 0 && i < GC_COUNTS; i++)
		rc = buf_addf(&out, "%s %llu\n", keys[i], (unsigned long long)g->count[i]);
	if (batch_answer_format(&out, &end) < 0 ||
		fs_write_full(STDOUT_FILENO, buf_str(&out), out.len) < 0) {
		fprintf(stderr, "error: the answer could not be delivered: %s\n", err_msg());
		status = 128;
	}
	buf_release(&out);
	return status;
}

int gc_main(int argc, char **argv)
{
	static const char usage[] = "git-dvx-transfer gc [<options>]";
	struct gc g = {.begun = listing_clock()};
	struct frontend_options o = {.jobs = 0};
	struct engine e;
	const char *grace = NULL;
	const struct opt table[] = {
		{'r', "remote", OPT_VALUE, &o.remote, "<name>",
			"remote to use instead of the default", 0},
		{0, "grace", OPT_VALUE, &grace, "<seconds>", "grace period instead of dvx.gcGrace",
			0},
		{0, "repack", OPT_FLAG, &g.repack, NULL, "copy what is needed out of worn packs",
			0},
		{'j', "jobs", OPT_INT, &o.jobs, "<n>", "use up to this many threads", 0},
		{'n', "dry-run", OPT_FLAG, &o.dry_run, NULL,
			"change nothing, say what would be done", 0},
		OPT_END,
	};
	int n = 0, status;
	int rc = opt_parse(argc, argv, table, usage, 0, &n);

	if (rc == 0 && n)
		rc = err_set(ERR_INVALID, "unexpected '%s'; see 'git-dvx-transfer gc -h'", argv[1]);
	if (rc != 0) {
		if (rc < 0)
			fprintf(stderr, "error: %s\n", err_msg());
		return rc < 0 ? 129 : 0;
	}
	memset(&e, 0, sizeof(e));
	g.dry_run = o.dry_run;
	status = report(&g, run(&g, &e, &o, grace));
	frontend_close(&e);
	return status;
}
