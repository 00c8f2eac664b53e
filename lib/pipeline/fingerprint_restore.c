/*
 * Outputs out of the local store: what is right already stays, the rest is placed file by file,
 * each in one step; an interruption leaves a directory that is recognised as different and can be
 * restored again.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/workers.h"
#include "lib/pipeline/fingerprint_internal.h"
#include "lib/pipeline/listing.h"
#include "lib/worktree/place.h"

enum { LINK_TARGET_MAX = 4096 };

/* A file that has to be there. */
struct wanted {
	char *path; /* from the top */
	struct oid oid;
	uint64_t size;
	char mode;
	char right;	/* it is there already */
	struct stat st; /* as it was placed */
};

struct restoring {
	struct fingerprints *f;
	const char *path;
	struct wanted *v;
	size_t n, cap;
	struct wanted **todo;
	size_t n_todo;
	struct place *place;
};

static void release(struct restoring *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->v[i].path);
	free(r->v);
	free(r->todo);
	place_close(r->place);
}

/* ---- what there should be ---- */

static int add_wanted(struct restoring *r, const char *below, const struct oid *oid, char mode)
{
	struct buf path = BUF_INIT;
	int rc;

	if (array_room(&r->v, r->n, &r->cap, sizeof(*r->v)) < 0)
		return ERR_NOMEM;
	rc = buf_addstr(&path, r->path);
	if (rc == 0 && below != NULL)
		rc = buf_addf(&path, "/%s", below);
	if (rc == 0 && !place_path_ok(path.p))
		rc = err_set(ERR_DENIED, "'%s' is not a path that may be written", path.p);
	if (rc < 0) {
		buf_release(&path);
		return rc;
	}
	r->v[r->n++] = (struct wanted){
		.path = buf_detach(&path), .oid = *oid, .size = STORE_SIZE_UNKNOWN, .mode = mode};
	return 0;
}

static int add_listed(const struct listing_file *e, void *data)
{
	return add_wanted(data, e->path, &e->oid, e->mode);
}

/* The listing of a directory out of the store; ERR_NOTFOUND. */
static int read_listing(
	struct buf *out, struct fingerprints *f, const char *path, const struct oid *oid)
{
	char hex[OID_HEX_LEN + 1];
	uint64_t size;

	if (!store_find_size(f->store, oid, &size)) {
		oid_to_hex(hex, oid);
		return err_set(ERR_NOTFOUND, "the listing %.*s of '%s' is not in the local store",
			OID_SHOWN, hex, path);
	}
	return store_read(f->store, oid, size, out);
}

static int list_wanted(struct restoring *r, const struct fingerprint *want)
{
	struct buf listing = BUF_INIT;
	int rc;

	if (want->type == FP_FILE)
		return add_wanted(r, NULL, &want->oid, want->executable ? 'x' : 'f');
	if (want->type != FP_DIR)
		return err_set(ERR_INVALID, "'%s' had no content to restore", r->path);
	rc = read_listing(&listing, r->f, r->path, &want->oid);
	if (rc == 0)
		rc = listing_parse(buf_str(&listing), listing.len, add_listed, r);
	buf_release(&listing);
	return rc;
}

/* ---- what is there ---- */

/* Note which wanted files are right, and remove those that nobody wants.  Both are sorted. */
static int compare(struct restoring *r, const struct fp_files *there, struct strvec *superfluous)
{
	size_t i = 0, j = 0;
	int rc = 0;

	while (rc == 0 && (i < r->n || j < there->n)) {
		int order = i == r->n	    ? 1
			    : j == there->n ? -1
					    : strcmp(r->v[i].path, there->v[j].path);

		if (order > 0)
			rc = strvec_push(superfluous, there->v[j].path);
		else if (order == 0)
			r->v[i].right = oid_eq(&r->v[i].oid, &there->v[j].oid) &&
					r->v[i].mode == there->v[j].mode && !there->v[j].pointer;
		i += order <= 0;
		j += order >= 0;
	}
	return rc;
}

/* All objects of files that are to be written must be here. */
static int find_objects(struct restoring *r, int all)
{
	char hex[OID_HEX_LEN + 1];

	r->todo = calloc(r->n + 1, sizeof(struct wanted *));
	if (r->todo == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < r->n; i++) {
		struct wanted *w = &r->v[i];

		if (w->right && !all)
			continue;
		if (!store_find_size(r->f->store, &w->oid, &w->size)) {
			oid_to_hex(hex, &w->oid);
			return err_set(ERR_NOTFOUND,
				"the data %.*s of '%s' is not in the local store", OID_SHOWN, hex,
				w->path);
		}
		if (!w->right)
			r->todo[r->n_todo++] = w;
	}
	return 0;
}

/* ---- writing ---- */

static int put_link(struct restoring *r, struct wanted *w)
{
	struct buf target = {.max = LINK_TARGET_MAX};
	int rc = store_read(r->f->store, &w->oid, w->size, &target);

	if (rc == 0 && strlen(buf_str(&target)) != target.len)
		rc = err_set(ERR_CORRUPT, "the target of a link has a NUL in it");
	if (rc == 0)
		rc = place_put_link(r->place, w->path, buf_str(&target), &w->st);
	buf_release(&target);
	return rc;
}

static int put_file(struct restoring *r, struct wanted *w)
{
	struct place_file file = PLACE_FILE_INIT;
	int rc = place_begin(r->place, w->path, &file);

	if (rc < 0)
		return rc;
	rc = store_place(r->f->store, &w->oid, w->size, file.fd);
	if (rc < 0) {
		place_abort(r->place, &file);
		return rc;
	}
	return place_put(r->place, w->path, &file, w->mode == 'x', &w->st);
}

static int put_one(size_t i, void *data)
{
	struct restoring *r = data;
	struct wanted *w = r->todo[i];
	int rc = w->mode == 'l' ? put_link(r, w) : put_file(r, w);

	return rc < 0 ? err_prefix(rc, "cannot restore '%s'", w->path) : 0;
}

/* Remove files, and the directories that become empty, up to the restored one. */
static int remove_files(struct restoring *r, const struct strvec *paths)
{
	size_t top = strlen(r->path);
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < paths->n; i++) {
		char *path = paths->v[i], *slash;

		rc = place_remove(r->place, path);
		while (rc == 0 && (slash = strrchr(path, '/')) != NULL &&
			(size_t)(slash - path) > top) {
			*slash = '\0';
			if (place_remove(r->place, path) < 0)
				break; /* it has more in it */
		}
	}
	return rc;
}

static int make_parents(struct restoring *r)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < r->n_todo; i++)
		rc = place_parents(r->place, r->todo[i]->path);
	return rc;
}

/* A directory where a file will be, or the other way round: the walk has found its files. */
static int clear_the_way(
	struct restoring *r, const struct fingerprint *want, const struct fingerprint *now)
{
	if (now->type == FP_ABSENT || now->type == want->type)
		return 0;
	return place_remove(r->place, r->path);
}

/* An empty directory has no file that would make it. */
static int make_empty(struct restoring *r)
{
	struct buf inside = BUF_INIT;
	int rc = buf_addf(&inside, "%s/x", r->path);

	if (rc == 0)
		rc = place_parents(r->place, inside.p);
	buf_release(&inside);
	return rc;
}

/* What was placed is known without reading it again, if nobody else writes to it before the clock
 * has moved on. */
static int learn(struct restoring *r)
{
	struct fp_file *v = calloc(r->n_todo + 1, sizeof(*v));
	uint64_t bytes = 0;
	struct stat st;
	int rc = 0;

	for (size_t i = 0; i < r->n_todo; i++)
		bytes += r->todo[i]->size;
	if (v == NULL || !fp_wait_for_clock(bytes)) {
		free(v);
		return 0;
	}
	for (size_t i = 0; i < r->n_todo; i++) {
		const struct wanted *w = r->todo[i];

		v[i] = (struct fp_file){.path = w->path, .oid = w->oid, .size = w->size};
		fp_file_stat(&v[i], &w->st);
		v[i].known = v[i].learnt =
			place_lstat(r->place, w->path, &st) == 0 && st.st_ino == w->st.st_ino &&
			st.st_size == w->st.st_size && fs_ctime_ns(&st) == fs_ctime_ns(&w->st);
	}
	err_clear();
	rc = fp_remember(r->f, v, r->n_todo);
	free(v);
	return rc;
}

static int write_all(struct restoring *r, const struct fingerprint *want,
	const struct fingerprint *now, const struct strvec *superfluous)
{
	struct buf staging = BUF_INIT;
	int rc = buf_addf(&staging, "%s/dvx/tmp", r->f->repo->dir->git_dir);

	if (rc == 0)
		rc = place_open(&r->place, r->f->repo->dir->worktree, staging.p);
	if (rc == 0)
		rc = remove_files(r, superfluous);
	if (rc == 0)
		rc = clear_the_way(r, want, now);
	if (rc == 0 && want->type == FP_DIR && r->n == 0)
		rc = make_empty(r);
	if (rc == 0)
		rc = make_parents(r);
	if (rc == 0)
		rc = workers_run(0, r->n_todo, put_one, r);
	if (rc == 0)
		rc = learn(r);
	buf_release(&staging);
	return rc;
}

int fingerprints_restore(
	struct fingerprints *f, const char *path, const struct fingerprint *want, int dry_run)
{
	struct restoring r = {.f = f, .path = path};
	struct fp_files there = FP_FILES_INIT;
	struct strvec superfluous = STRVEC_INIT;
	struct fingerprint now;
	int rc = list_wanted(&r, want);

	if (rc == 0)
		rc = fp_look(&there, f, path, NULL, FP_LOOK_FILES, &now, NULL);
	if (rc == 0 && now.type == want->type)
		rc = compare(&r, &there, &superfluous);
	else
		for (size_t i = 0; rc == 0 && i < there.n; i++)
			rc = strvec_push(&superfluous, there.v[i].path);
	if (rc == 0)
		rc = find_objects(&r, dry_run);
	if (rc == 0 && !dry_run && (r.n_todo > 0 || superfluous.n > 0 || now.type != want->type)) {
		rc = write_all(&r, want, &now, &superfluous);
		fingerprints_forget(f, path);
	}
	fp_files_release(&there);
	strvec_release(&superfluous);
	release(&r);
	return rc;
}

/* ---- what is missing ---- */

static int missing_listing(
	const char *path, const struct oid *oid, struct fingerprint_object **out, size_t *n)
{
	*out = calloc(1, sizeof(**out));
	if (*out == NULL || ((*out)->path = strdup(path)) == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	(*out)->oid = *oid;
	(*out)->size = STORE_SIZE_UNKNOWN;
	*n = 1;
	return 0;
}

int fingerprints_missing(struct fingerprints *f, const char *path, const struct fingerprint *want,
	struct fingerprint_object **out, size_t *n)
{
	struct restoring r = {.f = f, .path = path};
	uint64_t size;
	int rc;

	*out = NULL;
	*n = 0;
	if (want->type == FP_DIR && !store_find_size(f->store, &want->oid, &size))
		return missing_listing(path, &want->oid, out, n);
	rc = list_wanted(&r, want);
	if (rc == 0 && (*out = calloc(r.n + 1, sizeof(**out))) == NULL)
		rc = err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; rc == 0 && i < r.n; i++) {
		struct wanted *w = &r.v[i];

		if (store_find_size(f->store, &w->oid, &size))
			continue;
		(*out)[*n].oid = w->oid;
		(*out)[*n].size = want->type == FP_FILE ? want->size : STORE_SIZE_UNKNOWN;
		(*out)[(*n)++].path = w->path;
		w->path = NULL;
	}
	release(&r);
	return rc;
}
