/*
 * `git dvx gc --remote`: collects what every ref, reflog and worktree of this repository and of the
 * given projects needs, and has git-dvx-transfer remove the rest (docs/remote-gc.md).  Refuses when
 * it cannot know: when a Git remote has commits that are not here, or history is cut off.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "commands/gc.h"
#include "lib/base/err.h"
#include "lib/base/progress.h"
#include "lib/base/run.h"
#include "lib/repo/git.h"
#include "lib/repo/needed.h"
#include "lib/wire/batchline.h"

/* ---- what is needed ---- */

struct project {
	const char *path; /* for messages; NULL: the repository at hand */
	const struct repo *repo;
	struct oidmap *seen;
	struct buf *requests;
};

/* A clone that does not have all of history cannot tell what nobody needs. */
static int refuse_partial(const struct project *p)
{
	struct buf out = BUF_INIT;
	int rc = git_run(
		p->repo, NULL, 0, &out, "rev-parse", "--is-shallow-repository", (char *)NULL);

	if (rc == 0 && !strncmp(buf_str(&out), "true", 4))
		rc = err_set(ERR_INVALID,
			"this is a shallow clone, which does not know what older commits need; run "
			"'git fetch --unshallow' first");
	if (rc == 0 && git_is_partial(p->repo))
		rc = err_set(ERR_INVALID,
			"this is a partial clone, which does not have all pointers; run 'git dvx "
			"gc --remote' in a full clone");
	buf_release(&out);
	return rc;
}

/* The first of a Git remote's refs whose object is not here. */
static int refuse_unknown(const struct project *p, const char *remote, char *refs, const char *ids)
{
	struct buf out = BUF_INIT;
	char *save, *save_ref, *line, *ref;
	int rc = git_run(p->repo, ids, strlen(ids), &out, "cat-file", "--batch-check=%(objecttype)",
		(char *)NULL);

	line = rc == 0 && out.len ? strtok_r(out.p, "\n", &save) : NULL;
	ref = strtok_r(refs, "\n", &save_ref);
	for (; rc == 0 && line && ref; line = strtok_r(NULL, "\n", &save)) {
		if (strstr(line, " missing"))
			rc = err_set(ERR_NOTFOUND,
				"Git remote '%s' has '%s' with commits that are not here, and "
				"what they need is not known; run 'git fetch --all --tags' first, "
				"and 'git fetch %s %s' where that does not bring it",
				remote, ref, remote, ref);
		ref = strtok_r(NULL, "\n", &save_ref);
	}
	buf_release(&out);
	return rc;
}

/* The objects at the tips of all refs of a Git remote, a line each: data may be pushed with any. */
static int add_remote(struct buf *tips, const struct project *p, const char *remote)
{
	size_t hex = 2 * (size_t)p->repo->hash_len, before = tips->len;
	struct buf out = BUF_INIT, refs = BUF_INIT;
	char *save, *line;
	int rc = git_run(
		p->repo, NULL, 0, &out, "ls-remote", "--refs", "--quiet", remote, (char *)NULL);

	if (rc < 0)
		rc = err_prefix(rc, "Git remote '%s' cannot be asked for its refs", remote);
	for (line = rc == 0 && out.len ? strtok_r(out.p, "\n", &save) : NULL; line && rc == 0;
		line = strtok_r(NULL, "\n", &save)) {
		if (strlen(line) <= hex + 1)
			continue;
		rc = buf_addf(tips, "%.*s\n", (int)hex, line);
		if (rc == 0)
			rc = buf_addf(&refs, "%s\n", line + hex + 1);
	}
	if (rc == 0 && refs.len)
		rc = refuse_unknown(p, remote, refs.p, buf_str(tips) + before);
	buf_release(&out);
	buf_release(&refs);
	return rc;
}

static int collect_tips(struct buf *tips, const struct project *p)
{
	struct buf names = BUF_INIT;
	char *save, *name;
	int rc = git_run(p->repo, NULL, 0, &names, "remote", (char *)NULL);

	for (name = rc == 0 && names.len ? strtok_r(names.p, "\n", &save) : NULL; name && rc == 0;
		name = strtok_r(NULL, "\n", &save))
		rc = add_remote(tips, p, name);
	buf_release(&names);
	return rc;
}

static int add_requests(const struct project *p, const struct scan_list *l)
{
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < l->n; i++) {
		const struct batch_request r = {.oid = l->v[i].oid, .size = l->v[i].size};

		if (r.size == 0)
			continue;
		rc = oidmap_add(p->seen, &r.oid, 0);
		if (rc > 0)
			rc = batch_request_format(p->requests, &r);
	}
	return rc < 0 ? rc : 0;
}

static int add_project(const struct project *p)
{
	struct needed needed = NEEDED_INIT;
	struct pointers *pointers = NULL;
	struct buf tips = BUF_INIT;
	int rc = refuse_partial(p);

	if (rc == 0)
		rc = collect_tips(&tips, p);
	if (rc == 0)
		rc = pointers_open(&pointers, p->repo);
	if (rc == 0)
		rc = needed_collect(&needed, p->repo, pointers, NEEDED_ALL, &tips);
	if (rc == 0)
		rc = add_requests(p, &needed.kept);
	pointers_close(pointers);
	needed_release(&needed);
	buf_release(&tips);
	return rc < 0 && p->path ? err_prefix(rc, "project '%s'", p->path) : rc;
}

/* Another repository, seen from its Git directory. */
static int add_other(struct gc *gc, const char *path, struct oidmap *seen, struct buf *requests)
{
	struct gitdir g = {0};
	struct buf dvx = BUF_INIT, index = BUF_INIT;
	struct config *c = NULL;
	struct repo repo;
	const struct project p = {path, &repo, seen, requests};
	int rc = gitdir_of_path(&g.common_dir, path);

	(void)gc;
	if (rc < 0)
		rc = err_set(rc, "project '%s' is no Git repository", path);
	g.git_dir = g.common_dir;
	if (rc == 0)
		rc = buf_addf(&dvx, "%s/dvx", g.common_dir);
	if (rc == 0)
		rc = buf_addf(&index, "%s/index", g.common_dir);
	g.dvx_dir = dvx.p;
	g.index = index.p;
	if (rc == 0)
		rc = config_load(&c, &g);
	if (rc == 0)
		rc = repo_init(&repo, &g, c);
	if (rc == 0)
		rc = add_project(&p);
	config_free(c);
	free(g.common_dir);
	buf_release(&dvx);
	buf_release(&index);
	return rc;
}

static int collect_all(struct gc *gc, struct buf *requests)
{
	struct oidmap seen = OIDMAP_INIT;
	const struct project own = {NULL, &gc->ctx->repo, &seen, requests};
	int rc = add_project(&own);

	for (size_t i = 0; rc == 0 && i < gc->projects.n; i++)
		rc = add_other(gc, gc->projects.v[i], &seen, requests);
	if (rc == 0) /* without this line nothing is removed: a caller that died says less */
		rc = buf_addstr(requests, "done\n");
	oidmap_release(&seen);
	return rc;
}

/* ---- what came of it ---- */

static const char *const keys[] = {"fragments", "packs", "bytes", "objects", "missing",
	"live-bytes", "noticed-fragments", "noticed-packs", "noticed-bytes", "removed-fragments",
	"removed-packs", "removed-bytes", "rescued-fragments", "merged-fragments", "repacked-bytes",
	"due"};
enum {
	FRAGMENTS,
	PACKS,
	BYTES,
	OBJECTS,
	MISSING,
	LIVE_BYTES,
	NOTICED_FRAGMENTS,
	NOTICED_PACKS,
	NOTICED_BYTES,
	REMOVED_FRAGMENTS,
	REMOVED_PACKS,
	REMOVED_BYTES,
	RESCUED,
	MERGED,
	REPACKED,
	DUE,
	KEYS
};

struct answer {
	uint64_t v[KEYS];
	int done, fatal;
};

static int read_line(struct answer *a, char *line)
{
	struct batch_answer b;
	char *space = strchr(line, ' ');

	if (!strcmp(line, "done"))
		a->done = 1;
	if (!strncmp(line, "fatal ", 6) && batch_answer_parse(&b, line, strlen(line)) == 0 &&
		b.kind == BATCH_ANSWER_FATAL)
		return err_set(b.code, "%s", b.text);
	for (int k = 0; space && k < KEYS; k++)
		if (strlen(keys[k]) == (size_t)(space - line) &&
			!strncmp(keys[k], line, strlen(keys[k])))
			a->v[k] = strtoull(space + 1, NULL, 10);
	return 0;
}

static int read_answer(struct answer *a, struct buf *out, int status)
{
	char *save, *line;
	int rc = 0;

	for (line = out->len ? strtok_r(out->p, "\n", &save) : NULL; line && rc == 0;
		line = strtok_r(NULL, "\n", &save))
		rc = read_line(a, line);
	if (rc == 0 && (!a->done || status != 0))
		rc = err_set(ERR_REMOTE,
			"git-dvx-transfer gc ended with exit status %d before it was done", status);
	return rc;
}

static void print_due(uint64_t due)
{
	time_t t = (time_t)due;
	struct tm tm;
	char text[64];

	if (due && localtime_r(&t, &tm) && strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &tm))
		printf("  what is under notice can be removed from %s on, by running this again\n",
			text);
}

static void print_answer(const struct gc *gc, const struct answer *a)
{
	const char *would = gc->dry_run ? "would be " : "";
	char size[16], live[16];

	printf("Remote: %llu pack%s, %s, of which %s is needed by %llu object%s\n",
		(unsigned long long)a->v[PACKS], a->v[PACKS] == 1 ? "" : "s",
		progress_bytes(size, a->v[BYTES]), progress_bytes(live, a->v[LIVE_BYTES]),
		(unsigned long long)a->v[OBJECTS], a->v[OBJECTS] == 1 ? "" : "s");
	if (a->v[REMOVED_PACKS] + a->v[REMOVED_FRAGMENTS] > 0)
		printf("  %llu pack%s and %llu fragment%s %sremoved, %s freed\n",
			(unsigned long long)a->v[REMOVED_PACKS],
			a->v[REMOVED_PACKS] == 1 ? "" : "s",
			(unsigned long long)a->v[REMOVED_FRAGMENTS],
			a->v[REMOVED_FRAGMENTS] == 1 ? "" : "s", would,
			progress_bytes(size, a->v[REMOVED_BYTES]));
	if (a->v[NOTICED_PACKS] + a->v[NOTICED_FRAGMENTS] > 0)
		printf("  %llu pack%s and %llu fragment%s (%s) %sput under notice\n",
			(unsigned long long)a->v[NOTICED_PACKS],
			a->v[NOTICED_PACKS] == 1 ? "" : "s",
			(unsigned long long)a->v[NOTICED_FRAGMENTS],
			a->v[NOTICED_FRAGMENTS] == 1 ? "" : "s",
			progress_bytes(size, a->v[NOTICED_BYTES]), would);
	if (a->v[RESCUED] > 0)
		printf("  %llu fragment%s needed again, not removed\n",
			(unsigned long long)a->v[RESCUED], a->v[RESCUED] == 1 ? "" : "s");
	if (a->v[MERGED] > 0)
		printf("  %llu fragments %smerged\n", (unsigned long long)a->v[MERGED], would);
	if (a->v[MISSING] > 0)
		printf("  %llu needed object%s not on the remote; 'git dvx push -A' sends what is "
		       "here\n",
			(unsigned long long)a->v[MISSING], a->v[MISSING] == 1 ? " is" : "s are");
	print_due(a->v[DUE]);
}

static void fill_json(struct gc *gc, const struct answer *a)
{
	cJSON *o = json_object(&gc->json, gc->json.root, "remote");

	for (int k = 0; k < KEYS; k++) {
		char name[32];

		snprintf(name, sizeof(name), "%s", keys[k]);
		for (char *p = name; *p; p++)
			*p = *p == '-' ? '_' : *p;
		json_uint(&gc->json, o, name, a->v[k]);
	}
}

static int prepare_run(struct run *r, const struct gc *gc)
{
	struct buf program = BUF_INIT;
	int rc = run_resolve_sibling(&program, "git-dvx-transfer");

	if (rc == 0)
		rc = strvec_pushl(&r->argv, buf_str(&program), "gc", (char *)NULL);
	if (rc == 0 && gc->remote)
		rc = strvec_pushf(&r->argv, "--remote=%s", gc->remote);
	if (rc == 0 && gc->grace)
		rc = strvec_pushf(&r->argv, "--grace=%s", gc->grace);
	if (rc == 0 && gc->repack)
		rc = strvec_push(&r->argv, "--repack");
	if (rc == 0 && gc->dry_run)
		rc = strvec_push(&r->argv, "--dry-run");
	buf_release(&program);
	return rc;
}

int gc_remote(struct gc *gc)
{
	struct buf requests = BUF_INIT, out = BUF_INIT;
	struct run r = RUN_INIT;
	struct answer a = {.done = 0};
	int rc = collect_all(gc, &requests);

	if (rc == 0)
		rc = prepare_run(&r, gc);
	if (rc == 0)
		rc = run_capture(&r, buf_str(&requests), requests.len, &out);
	if (rc >= 0)
		rc = read_answer(&a, &out, rc);
	if (rc == 0 && gc->as_json)
		fill_json(gc, &a);
	else if (rc == 0)
		print_answer(gc, &a);
	run_release(&r);
	buf_release(&requests);
	buf_release(&out);
	return rc;
}
