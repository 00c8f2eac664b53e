/*
 * Bringing the working tree in line with the index.  Each pointer of the index is looked at once
 * and falls into one class; then missing objects are fetched in one batch, deleted files are
 * written by `git checkout` (whose own late rehydration places the data), pointer files go through
 * the rehydration engine, and stale entries are patched.
 *
 * A file that is deleted and whose object can't be had comes back as its pointer: Git is then asked
 * to pass pointers through.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/strmap.h"
#include "lib/base/workers.h"
#include "lib/repo/git.h"
#include "lib/repo/restore.h"
#include "lib/repo/sync.h"
#include "lib/store/pointer.h"
#include "lib/worktree/place.h"
#include "lib/worktree/rehydrate.h"

enum { LOCK_WAIT_MS = 3000 };

enum kind {
	FINE = 0,
	POINTER,  /* holds its pointer text */
	DELETED,  /* not there, or to be overwritten on request */
	SUSPECT,  /* right size, but not as the index has it: hash it */
	RIGHT,	  /* was SUSPECT, holds the data */
	MODIFIED, /* the user's */
};

struct entry {
	const struct scan_item *item;
	enum kind kind;
	struct stat st;	 /* of SUSPECT and RIGHT */
	struct buf text; /* of POINTER: an odd spelling; else empty, the canonical one */
	int extended;	 /* the filter makes its content of the object (lib/setup/lfsext.h) */
};

struct restore {
	const struct repo *repo;
	struct store *store;
	const struct restore_options *o;
	struct restore_result *r;
	struct place *place;
	struct entry *v;
	size_t n;
};

/* ---- looking ---- */

/* An enum kind, or a negative error. */
static int classify(
	const struct restore *w, const struct scan_item *item, const struct scan_found *found)
{
	struct stat st;
	int rc;

	switch (found->state) {
	case SCAN_FILE_DATA:
		return FINE;
	case SCAN_FILE_POINTER:
		return POINTER;
	case SCAN_FILE_CHANGED:
		if (found->size == item->size)
			return SUSPECT;
		return w->o->force ? DELETED : MODIFIED;
	case SCAN_FILE_ABSENT:
		break;
	}
	rc = place_lstat(w->place, item->path, &st);
	if (rc == ERR_IO || rc == ERR_NOMEM || rc == ERR_LIMIT)
		return rc;
	err_clear();
	if (rc != ERR_NOTFOUND && !w->o->force)
		return MODIFIED; /* a link, a directory… */
	return w->o->pending_only ? MODIFIED : DELETED;
}

static int collect(struct restore *w, const struct scan_list *l)
{
	struct scan_found *found = NULL;
	int rc = scan_files(&found, l, w->repo);

	if (rc < 0)
		return rc;
	w->v = calloc(l->n > 0 ? l->n : 1, sizeof(*w->v));
	for (size_t i = 0; w->v != NULL && i < l->n; i++) {
		struct entry *e = &w->v[w->n];

		if (l->v[i].skip_worktree || l->v[i].stage != 0 || l->v[i].size == 0)
			continue;
		e->item = &l->v[i];
		rc = classify(w, e->item, &found[i]);
		if (rc < 0)
			break;
		e->kind = (enum kind)rc;
		if (e->kind != FINE)
			w->n++;
	}
	free(found);
	if (w->v == NULL)
		rc = err_set(ERR_NOMEM, "out of memory");
	return rc < 0 ? rc : 0;
}

static int same_stat(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
	       fs_mtime_ns(a) == fs_mtime_ns(b) && fs_ctime_ns(a) == fs_ctime_ns(b);
}

/* A file of the right size: RIGHT if it holds the object and nobody wrote to it meanwhile. */
static int hash_one(size_t i, void *data)
{
	enum { PIECE = 1 << 18 };
	struct restore *w = data;
	struct entry *e = &w->v[i];
	struct stat before, after;
	struct oid_ctx ctx;
	struct oid oid;
	ssize_t n = -1;
	char *piece = NULL;
	int fd;

	if (e->kind != SUSPECT || (w->o->stop != NULL && *w->o->stop))
		return 0;
	e->kind = MODIFIED;
	fd = place_open_read(w->place, e->item->path);
	if (fd < 0 || fstat(fd, &before) < 0 || (piece = malloc(PIECE)) == NULL)
		goto done;
	oid_init(&ctx);
	while ((n = fs_read_full(fd, piece, PIECE)) > 0)
		oid_update(&ctx, piece, (size_t)n);
	if (n < 0 || place_lstat(w->place, e->item->path, &after) < 0)
		goto done;
	oid_final(&ctx, &oid);
	if (oid_eq(&oid, &e->item->oid) && same_stat(&before, &after)) {
		e->st = after;
		e->kind = gitindex_stat_match(&e->item->st, &after) ? FINE : RIGHT;
	}
done:
	if (e->kind == MODIFIED && w->o->force)
		e->kind = DELETED;
	err_clear();
	free(piece);
	if (fd >= 0)
		close(fd);
	return 0;
}

/* ---- fetching ---- */

/* Why objects did not come, though the remote has them: one reason stands for all.  (What it has
 * not shows in the report of what still is a pointer.) */
static char *first_failure(const struct sync *sync)
{
	for (size_t i = 0; i < sync->n; i++) {
		const struct batch_object *o = &sync->objects[i];

		if (o->state < 0 && o->state != ERR_NOTFOUND && o->error != NULL)
			return strdup(o->error);
	}
	return NULL;
}

static int fetch(struct restore *w)
{
	struct batch_options bo = {.remote = w->o->remote,
		.jobs = w->o->jobs,
		.progress = w->o->quiet ? PROGRESS_OFF : PROGRESS_AUTO,
		.stop = w->o->stop};
	struct scan_list wanted = SCAN_LIST_INIT; /* borrows everything but the array */
	struct sync sync = SYNC_INIT;
	int rc;

	wanted.v = calloc(w->n > 0 ? w->n : 1, sizeof(*wanted.v));
	if (wanted.v == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < w->n; i++)
		if (w->v[i].kind == POINTER || w->v[i].kind == DELETED)
			wanted.v[wanted.n++] = *w->v[i].item;
	rc = sync_download(&sync, &wanted, w->store, &bo);
	if (rc < 0 && rc != ERR_INTERRUPTED && rc != ERR_NOMEM) {
		w->r->fetch_error = strdup(err_msg()); /* what is here can still be placed */
		rc = 0;
	} else if (rc == 0) {
		w->r->fetch_error = first_failure(&sync);
	}
	w->r->fetched = sync_count(&sync, 1, &w->r->fetched_bytes);
	memcpy(w->r->remote, sync.result.remote, sizeof(w->r->remote));
	sync_release(&sync);
	free(wanted.v);
	return rc;
}

/* ---- placing ---- */

/* Let Git write these paths from the index, overwriting what is there. */
static int git_checkout(const struct restore *w, const struct buf *paths, int as_pointers)
{
	struct run run = RUN_INIT;
	int rc;

	if (paths->len == 0)
		return 0;
	rc = git_prepare(&run, w->repo, "--literal-pathspecs", "-c", "core.hooksPath=/dev/null",
		"checkout", "--quiet", "--pathspec-from-file=-", "--pathspec-file-nul", NULL);
	if (rc == 0 && as_pointers)
		rc = strvec_push(&run.env, "GIT_LFS_SKIP_SMUDGE=1");
	if (rc == 0)
		rc = run_capture(&run, buf_str(paths), paths->len, NULL);
	run_release(&run);
	return rc > 0 ? err_set(ERR_IO, "'git checkout' of deleted files failed (exit status %d)",
				rc)
		      : rc;
}

/* Deleted files come back, with their data if it is here. */
static int write_deleted(struct restore *w)
{
	struct buf with_data = BUF_INIT, as_pointer = BUF_INIT;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < w->n; i++) {
		const struct scan_item *item = w->v[i].item;

		if (w->v[i].kind == DELETED)
			rc = buf_add(store_has(w->store, &item->oid, item->size) ? &with_data
										 : &as_pointer,
				item->path, strlen(item->path) + 1);
	}
	if (rc == 0)
		rc = git_checkout(w, &with_data, 0);
	if (rc == 0)
		rc = git_checkout(w, &as_pointer, 1);
	buf_release(&with_data);
	buf_release(&as_pointer);
	for (size_t i = 0; rc == 0 && i < w->n; i++) {
		struct entry *e = &w->v[i];
		struct stat st;

		if (e->kind != DELETED)
			continue;
		rc = scan_file_state(w->repo, e->item, 0, &st);
		if (rc < 0)
			break;
		if (rc == SCAN_FILE_POINTER) {
			e->kind = POINTER;
			rc = 0;
			continue;
		}
		rc = 0;
		e->kind = FINE;
		w->r->placed++;
		w->r->bytes += e->item->size;
	}
	return rc;
}

/* The pointer's text where it is not the canonical one: what the file holds.  With extensions, Git
 * is to write the file anew, through the filter; it does so only where the stat data differ. */
static int read_odd_text(const struct restore *w, struct entry *e)
{
	static const struct timespec long_ago[2] = {{1, 0}, {1, 0}};
	struct pointer p;
	int fd, rc;

	fd = place_open_read(w->place, e->item->path);
	if (fd < 0)
		return fd;
	rc = buf_read_fd(&e->text, fd);
	if (rc == 0 && pointer_parse(&p, buf_str(&e->text), e->text.len) == 0 && p.extended) {
		e->extended = 1;
		e->kind = DELETED;
		if (futimens(fd, long_ago) < 0)
			rc = err_sys("cannot touch '%s'", e->item->path);
	}
	close(fd);
	return rc;
}

static int read_odd_texts(struct restore *w)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < w->n; i++)
		if (w->v[i].kind == POINTER && w->v[i].item->odd)
			rc = read_odd_text(w, &w->v[i]);
	return rc;
}

static int rehydrate(struct restore *w)
{
	struct rehydrate_options ro = {.jobs = w->o->jobs,
		.lock_wait_ms = LOCK_WAIT_MS,
		.stop = w->o->stop,
		.quiet = w->o->quiet};
	struct rehydrate_result rr = {0};
	struct rehydrate_item *items = calloc(w->n > 0 ? w->n : 1, sizeof(*items));
	size_t n = 0;
	int rc = 0;

	if (items == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; rc == 0 && i < w->n; i++) {
		struct entry *e = &w->v[i];

		if (e->kind != POINTER)
			continue;
		if (e->extended) { /* the filter has said why */
			w->r->pointers++;
			continue;
		}
		items[n] = (struct rehydrate_item){.path = e->item->path,
			.text = e->text.len > 0 ? e->text.p : NULL,
			.text_len = e->text.len,
			.oid = e->item->oid,
			.size = e->item->size};
		memcpy(items[n++].blob, e->item->blob, sizeof(items[0].blob));
	}
	if (rc == 0)
		rc = rehydrate_run(items, n, w->repo->dir, w->repo->config, w->store, &ro, &rr);
	if (rc == 0 && !w->o->quiet)
		rehydrate_report(items, n, &rr);
	w->r->placed += rr.done;
	w->r->bytes += rr.bytes;
	w->r->modified += rr.changed;
	w->r->left = rr.left;
	w->r->pointers += rr.missing + rr.failed + rr.left;
	rehydrate_result_release(&rr);
	free(items);
	return rc;
}

/* ---- entries whose file was right all along ---- */

static int patch_right(struct restore *w)
{
	struct gitindex_patch *patches = calloc(w->n > 0 ? w->n : 1, sizeof(*patches));
	struct lockfile lock = LOCKFILE_INIT;
	const char *index = w->repo->dir->index;
	size_t n = 0;
	int rc = 0;

	if (patches == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < w->n; i++) {
		if (w->v[i].kind != RIGHT)
			continue;
		patches[n].path = w->v[i].item->path;
		patches[n].id = w->v[i].item->blob;
		gitindex_stat_fill(&patches[n++].st, &w->v[i].st);
	}
	if (n == 0)
		goto done;
	rc = lockfile_take(&lock, index, 0666, LOCK_WAIT_MS);
	if (rc == 0)
		rc = gitindex_patch(index, w->repo->hash_len, patches, n, &lock);
	if (rc > 0) {
		w->r->repaired = (size_t)rc;
		rc = lockfile_commit(&lock);
	}
done:
	lockfile_rollback(&lock);
	free(patches);
	return rc;
}

static int work(struct restore *w)
{
	int rc = workers_run(w->o->jobs, w->n, hash_one, w);

	if (rc == 0)
		rc = read_odd_texts(w);
	if (rc == 0 && w->o->fetch)
		rc = fetch(w);
	if (rc == 0)
		rc = write_deleted(w);
	if (rc == 0)
		rc = rehydrate(w);
	if (rc == 0)
		rc = patch_right(w);
	for (size_t i = 0; i < w->n; i++)
		w->r->modified += w->v[i].kind == MODIFIED;
	if (rc == 0 && w->o->stop != NULL && *w->o->stop)
		rc = err_set(ERR_INTERRUPTED, "interrupted");
	return rc;
}

int restore_run(const struct repo *repo, struct store *s, const struct scan_list *l,
	const struct restore_options *o, struct restore_result *r)
{
	struct restore w = {.repo = repo, .store = s, .o = o, .r = r};
	struct buf staging = BUF_INIT;
	int rc;

	*r = (struct restore_result){0};
	rc = fs_join(&staging, repo->dir->git_dir, "dvx/tmp");
	if (rc == 0)
		rc = place_open(&w.place, repo->dir->worktree, buf_str(&staging));
	if (rc == 0)
		rc = collect(&w, l);
	if (rc == 0 && w.n > 0)
		rc = work(&w);
	for (size_t i = 0; i < w.n; i++)
		buf_release(&w.v[i].text);
	free(w.v);
	place_close(w.place);
	buf_release(&staging);
	return rc;
}

void restore_result_release(struct restore_result *r)
{
	free(r->fetch_error);
	r->fetch_error = NULL;
}

/* ---- journals ---- */

static int note_path(const struct pending_item *i, void *data)
{
	return strmap_put(data, i->path, NULL);
}

int restore_keep_pending(struct pending_taken *journals, struct scan_list *l)
{
	struct strmap paths = STRMAP_INIT;
	size_t kept = 0;
	int rc = pending_taken_each(journals, note_path, &paths);

	if (rc == 0) {
		for (size_t i = 0; i < l->n; i++)
			if (strmap_has(&paths, l->v[i].path))
				l->v[kept++] = l->v[i];
		l->n = kept;
	}
	strmap_release(&paths, NULL);
	return rc;
}
