/*
 * The pre-commit hook.  Only staged changes are looked at (GIT_INDEX_FILE is honoured: `git commit
 * -a` and partial commits have an index of their own), so a commit without data costs two short Git
 * commands.
 *
 * An object that is not here is no reason to refuse when nothing gets lost by it: the same object
 * was in HEAD, is on the blob remote, or is in some commit already (a merge, a revert, a moved
 * pointer file).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "hooks/pre_commit.h"
#include "hooks/pre_commit_conflicts.h"
#include "hooks/pre_commit_guard.h"
#include "lib/base/err.h"
#include "lib/base/progress.h"
#include "lib/base/workers.h"
#include "lib/repo/attrs.h"
#include "lib/repo/git.h"
#include "lib/repo/scan.h"
#include "lib/repo/staged.h"
#include "lib/store/oidmap.h"
#include "lib/wire/batch.h"

enum { NAMED = 20, UNROUTED_NAMED = 3, LOOK_AT_MAX = 4096 };

/* ---- staged pointers and their objects ---- */

/* A staged pointer whose object is not in the local store, or not whole there. */
struct absent {
	const struct staged_change *change;
	int damaged, excused;
};

static void excuse(struct absent *a, size_t n, const struct oidmap *known)
{
	for (size_t i = 0; i < n; i++)
		a[i].excused |= oidmap_get(known, &a[i].change->new.oid, NULL);
}

/* Objects that HEAD had: the other side of any change. */
static int excuse_known_in_head(struct absent *a, size_t n, const struct staged *s)
{
	struct oidmap known = OIDMAP_INIT;
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < s->n; i++)
		if (pointers_is_pointer(&s->v[i].old))
			rc = oidmap_add(&known, &s->v[i].old.oid, 0);
	if (rc >= 0)
		excuse(a, n, &known);
	oidmap_release(&known);
	return rc < 0 ? err_set(rc, "out of memory") : 0;
}

/* Objects that the blob remote has: asked by an upload that stays dry. */
static int excuse_on_remote(struct absent *a, size_t n)
{
	struct batch_options o = {.dry_run = 1, .progress = PROGRESS_OFF};
	struct batch_object *objects = calloc(n, sizeof(*objects));
	struct batch_result r = {0};

	if (objects == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < n; i++) {
		objects[i].oid = a[i].change->new.oid;
		objects[i].size = a[i].change->new.size;
		objects[i].path = a[i].change->path;
	}
	if (batch_run(BATCH_UPLOAD, objects, n, &o, &r) == 0)
		for (size_t i = 0; i < n; i++)
			a[i].excused |= objects[i].state == 2;
	err_clear(); /* no remote yet, or not reachable: then it knows nothing */
	batch_objects_release(objects, n);
	free(objects);
	return 0;
}

/* Objects that some commit names. */
static int excuse_in_history(
	struct absent *a, size_t n, const struct repo *repo, struct pointers *p)
{
	struct scan_list l = SCAN_LIST_INIT;
	struct oidmap known = OIDMAP_INIT;
	int rc = scan_all_commits(&l, repo, p);

	for (size_t i = 0; rc >= 0 && i < l.n; i++) {
		rc = oidmap_add(&known, &l.v[i].oid, 0);
		if (rc < 0)
			err_set(rc, "out of memory");
	}
	if (rc >= 0)
		excuse(a, n, &known);
	oidmap_release(&known);
	scan_list_release(&l);
	return rc < 0 ? rc : 0;
}

static size_t count_unexcused(const struct absent *a, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += !a[i].excused;
	return count;
}

/* 1 when something is lost, printed. */
static int judge_absent(struct absent *a, size_t n, const struct staged *s, const struct repo *repo,
	struct pointers *p)
{
	char hex[OID_HEX_LEN + 1];
	size_t lost, named = 0;
	int rc = excuse_known_in_head(a, n, s);

	if (rc == 0 && count_unexcused(a, n) > 0)
		rc = excuse_on_remote(a, n);
	if (rc == 0 && count_unexcused(a, n) > 0 && git_has_head(repo))
		rc = excuse_in_history(a, n, repo, p);
	lost = count_unexcused(a, n);
	if (rc < 0 || lost == 0)
		return rc;
	fprintf(stderr,
		"error: %zu staged pointer%s without data, neither here nor on the remote:\n", lost,
		lost == 1 ? "" : "s");
	for (size_t i = 0; i < n && named < NAMED; i++) {
		if (a[i].excused)
			continue;
		oid_to_hex(hex, &a[i].change->new.oid);
		fprintf(stderr, "  %s (%.10s, %" PRIu64 " bytes%s)\n", a[i].change->path, hex,
			a[i].change->new.size, a[i].damaged ? ", damaged in the local store" : "");
		named++;
	}
	if (lost > named)
		fprintf(stderr, "  ... and %zu more\n", lost - named);
	fprintf(stderr, "run 'git add --renormalize' on the file that has the data, or 'git commit "
			"--no-verify' to commit the pointer alone\n");
	return 1;
}

/* Staged objects that are in the local store, to be read once before they count as safe. */
struct present {
	struct store *store;
	const struct staged_change **changes;
	int *damaged; /* an answer for each */
	size_t n;
};

static int check_one(size_t i, void *data)
{
	struct present *x = data;
	const struct staged_change *c = x->changes[i];
	int rc = store_check(x->store, &c->new.oid, c->new.size);

	x->damaged[i] = rc == ERR_CORRUPT || rc == ERR_NOTFOUND;
	if (x->damaged[i])
		err_clear();
	return x->damaged[i] ? 0 : rc;
}

/* Sort the staged pointers into objects that are here and whole, and the others. */
static int sort_objects(const struct staged *s, struct present *x, struct oid *here, size_t *n_here,
	struct absent *absent, size_t *n_absent)
{
	int rc;

	for (size_t i = 0; i < s->n; i++) {
		const struct staged_change *c = &s->v[i];

		if (!pointers_is_pointer(&c->new) || c->new.size == 0)
			continue;
		if (store_has(x->store, &c->new.oid, c->new.size))
			x->changes[x->n++] = c;
		else
			absent[(*n_absent)++] = (struct absent){.change = c};
	}
	rc = workers_run(0, x->n, check_one, x);
	for (size_t i = 0; rc == 0 && i < x->n; i++) {
		if (x->damaged[i])
			absent[(*n_absent)++] = (struct absent){x->changes[i], .damaged = 1};
		else
			here[(*n_here)++] = x->changes[i]->new.oid;
	}
	return rc;
}

/* 0 when each staged object is whole and durable or excused, 1 when one is lost. */
static int check_objects(
	const struct staged *s, const struct repo *repo, struct store *store, struct pointers *p)
{
	struct present x = {.store = store,
		.changes = calloc(s->n, sizeof(struct staged_change *)),
		.damaged = calloc(s->n, sizeof(int))};
	struct oid *here = calloc(s->n, sizeof(*here));
	struct absent *absent = calloc(s->n, sizeof(*absent));
	size_t n_here = 0, n_absent = 0;
	int rc;

	if (here == NULL || absent == NULL || x.changes == NULL || x.damaged == NULL) {
		rc = err_set(ERR_NOMEM, "out of memory");
		goto done;
	}
	rc = sort_objects(s, &x, here, &n_here, absent, &n_absent);
	if (rc == 0 && n_absent > 0)
		rc = judge_absent(absent, n_absent, s, repo, p);
	if (rc == 0 && n_here > 0)
		rc = store_sync(store, here, n_here);
done:
	free(x.changes);
	free(x.damaged);
	free(here);
	free(absent);
	return rc;
}

/* ---- files and attributes that do not fit ---- */

/* A pointer that no attribute of the commit sends to us stays text in every clone, and here after
 * the next checkout.  It may be meant that way, so this is no error. */
static void warn_unrouted(
	const struct staged_change *const *changes, const struct attrs *attrs, size_t n)
{
	size_t named = 0, more = 0;

	for (size_t i = 0; i < n; i++) {
		if (!pointers_is_pointer(&changes[i]->new) || attrs[i].ours)
			continue;
		if (named == UNROUTED_NAMED) {
			more++;
			continue;
		}
		fprintf(stderr,
			"warning: '%s' is staged as a pointer, but no staged or committed "
			".gitattributes routes it; run 'git add .gitattributes'\n",
			changes[i]->path);
		named++;
	}
	if (more > 0)
		fprintf(stderr, "warning: ... and %zu more such pointer%s\n", more,
			more == 1 ? "" : "s");
}

/* A staged blob whose path has our filter. */
struct raw_file {
	const char *path;
	uint64_t size;
	int conflict; /* a pointer with conflict markers */
};

/* Only what is as small as a pointer with markers can be one. */
static int look_for_conflict(size_t i, enum git_type type, const void *data, size_t len, void *arg)
{
	struct raw_file *files = arg;

	(void)type;
	files[i].conflict = data != NULL && memmem(data, len, "<<<<<<<", 7) != NULL &&
			    memmem(data, len, "\noid sha256:", 12) != NULL;
	return 0;
}

static void print_raw_files(const struct raw_file *files, size_t n)
{
	char size[16];
	size_t conflicts = 0;

	for (size_t i = 0; i < n; i++)
		conflicts += (size_t)files[i].conflict;
	if (conflicts > 0)
		fputs("error: pointers with conflict markers are staged:\n", stderr);
	for (size_t i = 0; i < n; i++)
		if (files[i].conflict)
			fprintf(stderr, "  %s\n", files[i].path);
	if (conflicts > 0)
		fputs("choose a side with 'git checkout --ours <path>' or '--theirs', then 'git "
		      "add' it\n",
			stderr);
	if (conflicts == n)
		return;
	fprintf(stderr,
		"error: %zu file%s should be a pointer, but the whole content is "
		"staged:\n",
		n - conflicts, n - conflicts == 1 ? "" : "s");
	for (size_t i = 0, named = 0; i < n && named < NAMED; i++)
		if (!files[i].conflict) {
			fprintf(stderr, "  %s (%s)\n", files[i].path,
				progress_bytes(size, files[i].size));
			named++;
		}
	if (n - conflicts > NAMED)
		fprintf(stderr, "  ... and %zu more\n", n - conflicts - NAMED);
	fputs("run 'git add --renormalize <path>', or 'git commit --no-verify' to commit them as "
	      "they are\n",
		stderr);
}

/* Keep the files that attributes make ours and that are no pointers, however small. */
static size_t keep_raw(struct git_object *objects, struct raw_file *files, struct attrs *attrs,
	const struct staged_change *const *changes, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		if (pointers_is_pointer(&changes[i]->new) || !attrs[i].ours)
			continue;
		memcpy(objects[kept].id, changes[i]->new.blob, sizeof(objects[kept].id));
		files[kept] = (struct raw_file){.path = changes[i]->path};
		attrs[kept++] = attrs[i];
	}
	return kept;
}

/* Git LFS was never installed here, nor git-dvx in its place: 'git add' finds no filter. */
static int lfs_is_missing(const struct repo *repo, const struct attrs *attrs, size_t n)
{
	size_t i = 0;

	while (i < n && !attrs[i].lfs)
		i++;
	return i < n && config_get_own(repo->config, "filter.lfs.process") == NULL &&
	       config_get_own(repo->config, "filter.lfs.clean") == NULL;
}

/* 1 and printed when any of these blobs should have been a pointer. */
static int judge_raw(const struct repo *repo, struct git_object *objects, struct raw_file *files,
	const struct attrs *attrs, size_t n)
{
	size_t kept = 0;
	int rc = git_objects_info(repo, objects, n);

	for (size_t i = 0; rc == 0 && i < n; i++) {
		if (objects[i].size == 0 || objects[i].size < attrs[i].min_size)
			continue;
		files[kept] = (struct raw_file){files[i].path, objects[i].size, 0};
		objects[kept++] = objects[i];
	}
	for (size_t i = 0; rc == 0 && i < kept; i++)
		if (objects[i].size <= LOOK_AT_MAX)
			rc = git_objects_read(repo, &objects[i], 1, look_for_conflict, &files[i]);
	if (rc < 0 || kept == 0)
		return rc;
	print_raw_files(files, kept);
	if (lfs_is_missing(repo, attrs, n))
		fputs("nothing is set up for filter=lfs: run 'git dvx install --lfs' before that\n",
			stderr);
	return 1;
}

/* What the attributes that the commit will have say of the staged files. */
static int check_attributes(const struct staged *s, const struct repo *repo)
{
	const struct staged_change **changes = calloc(s->n, sizeof(*changes));
	const char **paths = calloc(s->n, sizeof(*paths));
	struct attrs *attrs = calloc(s->n, sizeof(*attrs));
	struct git_object *objects = calloc(s->n, sizeof(*objects));
	struct raw_file *files = calloc(s->n, sizeof(*files));
	size_t n = 0;
	int rc, guarded = 0;

	if (changes == NULL || paths == NULL || attrs == NULL || objects == NULL || files == NULL) {
		rc = err_set(ERR_NOMEM, "out of memory");
		goto done;
	}
	for (size_t i = 0; i < s->n; i++)
		paths[i] = s->v[i].path;
	rc = attrs_check_cached(repo, paths, s->n, attrs);
	if (rc == 0)
		guarded = pre_commit_guard(repo, s, attrs);
	for (size_t i = 0; i < s->n; i++)
		if (S_ISREG(s->v[i].new_mode)) {
			changes[n] = &s->v[i];
			attrs[n++] = attrs[i];
		}
	if (rc == 0) {
		warn_unrouted(changes, attrs, n);
		n = keep_raw(objects, files, attrs, changes, n);
	}
	if (rc == 0 && n > 0)
		rc = judge_raw(repo, objects, files, attrs, n);
	if (rc == 0)
		rc = guarded;
done:
	free(changes);
	free(paths);
	free(attrs);
	free(objects);
	free(files);
	return rc;
}

int pre_commit_run(const struct repo *repo, struct store *s)
{
	struct staged staged = STAGED_INIT;
	struct pointers *p = NULL;
	int rc, raw, left;

	rc = staged_list(&staged, repo);
	if (rc < 0 || staged.n == 0)
		goto done;
	rc = pointers_open(&p, repo);
	if (rc == 0)
		rc = staged_resolve(&staged, p);
	if (rc == 0)
		rc = check_objects(&staged, repo, s, p);
	if (rc >= 0) {
		raw = check_attributes(&staged, repo);
		rc = raw != 0 ? raw : rc;
	}
	if (rc >= 0) {
		left = pre_commit_conflicts(&staged, repo, s);
		rc = left != 0 ? left : rc;
	}
done:
	pointers_close(p);
	staged_release(&staged);
	return rc;
}
