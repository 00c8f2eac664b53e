/*
 * Late rehydration, docs/late-rehydration.md.  Pointer files become data in three steps: fetch what
 * is missing in one batch; write every object beside its final place, several at a time, verified,
 * without any lock; then take index.lock as Git does, swap the files in, and patch their entries'
 * stat fields in one rewrite of the index.
 *
 * Not obvious: the files are swapped in only while the lock is held, because a rehydrated file with
 * an unpatched entry looks modified to Git for ever.  The journal is written before anything else
 * and removed after the index is in place, so that a kill in between is repaired later.
 */
#include "lib/worktree/rehydrate.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/progressfile.h"
#include "lib/base/fs.h"
#include "lib/base/workers.h"
#include "lib/store/pointer.h"
#include "lib/wire/batch.h"
#include "lib/worktree/gitindex.h"
#include "lib/worktree/place.h"
#include "lib/worktree/rehydrate_journal.h"
#include "lib/worktree/settle.h"

enum { LOCK_WAIT_DEFAULT_MS = 3000 };

/* What one item needs between writing and swapping. */
struct prepared {
	struct place_file file;
	struct stat st; /* of the file in place */
	int foreign;	/* the index has another blob for the path */
	int in_place;	/* 1: st is to be patched into the index */
};

struct run_state {
	struct rehydrate_item *items;
	struct prepared *prepared;
	size_t n;
	struct store *store;
	struct place *place;
	const struct rehydrate_options *options;
	struct rehydrate_result *result;
	int hardlink;	    /* dvx.link */
	time_t racy_second; /* of the index: Git distrusts a file that is not older */
	pthread_mutex_t mutex;
};

static int stopped(const struct rehydrate_options *o)
{
	return o->stop && *o->stop;
}

/* Remember why, once; the caller's thread-local message is the reason. */
static void note_failure(struct run_state *s, struct rehydrate_item *item, int state)
{
	item->state = state;
	pthread_mutex_lock(&s->mutex);
	if (!s->result->first_error &&
		asprintf(&s->result->first_error, "%s: %s", item->path, err_msg()) < 0)
		s->result->first_error = NULL;
	pthread_mutex_unlock(&s->mutex);
}

static const void *item_text(const struct rehydrate_item *item,
	char canonical[static POINTER_CANONICAL_MAX], size_t *len)
{
	if (item->text) {
		*len = item->text_len;
		return item->text;
	}
	*len = pointer_format(canonical, &item->oid, item->size);
	return canonical;
}

/* ---- step 1: what is missing, in one batch ---- */

static int compare_batch(const void *a, const void *b)
{
	return oid_cmp(
		&((const struct batch_object *)a)->oid, &((const struct batch_object *)b)->oid);
}

static size_t collect_missing(struct run_state *s, struct batch_object *objects)
{
	size_t n = 0, unique = 0;

	for (size_t i = 0; i < s->n; i++) {
		struct rehydrate_item *item = &s->items[i];

		if (item->wish != REHYDRATE_DATA || store_has(s->store, &item->oid, item->size))
			continue;
		item->state = REHYDRATE_MISSING;
		objects[n++] = (struct batch_object){
			.oid = item->oid, .size = item->size, .path = item->path};
	}
	if (n > 1)
		qsort(objects, n, sizeof *objects, compare_batch);
	for (size_t i = 0; i < n; i++) {
		if (unique == 0 || !oid_eq(&objects[unique - 1].oid, &objects[i].oid))
			objects[unique++] = objects[i];
	}
	return unique;
}

/* ---- step 2: every file beside its place ---- */

struct link_source {
	struct store *store;
	const struct rehydrate_item *item;
};

static int link_object(int dir_fd, const char *name, void *data)
{
	const struct link_source *l = data;

	return store_link(l->store, &l->item->oid, l->item->size, dir_fd, name);
}

/* dvx.link = hardlink: executables, whose mode is another, and whatever cannot be linked are
 * copied. */
static int prepare_link(struct run_state *s, const struct rehydrate_item *item, struct prepared *p)
{
	struct link_source source = {s->store, item};
	struct stat st;

	if (!s->hardlink || place_lstat(s->place, item->path, &st) < 0 || (st.st_mode & 0111))
		return ERR_UNSUPPORTED;
	return place_begin_with(s->place, item->path, &p->file, link_object, &source);
}

static int prepare_copy(struct run_state *s, const struct rehydrate_item *item, struct prepared *p)
{
	int rc = place_begin(s->place, item->path, &p->file);

	if (rc < 0)
		return rc == ERR_NOTFOUND ? err_set(ERR_CHANGED, "'%s' is gone", item->path) : rc;
	rc = store_place(s->store, &item->oid, item->size, p->file.fd);
	/* Thousands of files may wait for the lock: keep names, not descriptors. */
	if (rc >= 0)
		rc = fs_close(&p->file.fd, item->path);
	if (rc < 0)
		place_abort(s->place, &p->file);
	return rc;
}

static int prepare_one(size_t i, void *data)
{
	struct run_state *s = data;
	struct rehydrate_item *item = &s->items[i];
	int rc;

	if (item->state != REHYDRATE_TODO || item->wish != REHYDRATE_DATA ||
		s->prepared[i].file.temp.len)
		return 0;
	if (stopped(s->options)) {
		item->state = REHYDRATE_LEFT;
		return 0;
	}
	rc = prepare_link(s, item, &s->prepared[i]);
	if (rc < 0)
		rc = prepare_copy(s, item, &s->prepared[i]);
	if (rc == ERR_CHANGED)
		item->state = REHYDRATE_CHANGED;
	else if (rc < 0)
		note_failure(s, item, rc == ERR_NOTFOUND ? REHYDRATE_MISSING : REHYDRATE_FAILED);
	return 0;
}

/* ---- steps 1 and 2 ---- */

static void *prepare_present(void *data)
{
	struct run_state *s = data;

	workers_run(
		s->options->jobs, s->n, prepare_one, s); /* never fails: each item has a state */
	return NULL;
}

/* Download, and prepare meanwhile what is here. */
static void fetch(struct run_state *s, struct batch_object *objects, size_t n)
{
	struct batch_result fetched = {0};
	struct batch_options how = {
		.remote = s->options->remote,
		.jobs = s->options->jobs,
		.stop = s->options->stop,
		.progress = s->options->quiet ? PROGRESS_OFF : PROGRESS_AUTO,
	};
	pthread_t beside;
	int threads = n < s->n && pthread_create(&beside, NULL, prepare_present, s) == 0;
	int rc = batch_run(BATCH_DOWNLOAD, objects, n, &how, &fetched);

	if (threads)
		pthread_join(beside, NULL);
	if (rc < 0 && !s->result->first_error)
		s->result->first_error = strdup(err_msg());
	for (size_t i = 0; i < n && !s->result->first_error; i++) {
		if (objects[i].state < 0 && objects[i].state != ERR_NOTFOUND && objects[i].error)
			s->result->first_error = strdup(objects[i].error);
	}
	/* The store decides what is there now, not what anybody said. */
	for (size_t i = 0; i < s->n; i++) {
		if (s->items[i].state == REHYDRATE_MISSING &&
			store_has(s->store, &s->items[i].oid, s->items[i].size))
			s->items[i].state = REHYDRATE_TODO;
	}
}

static int fetch_and_prepare(struct run_state *s)
{
	struct batch_object *objects = calloc(s->n, sizeof *objects);
	size_t n;

	if (!objects)
		return err_set(ERR_NOMEM, "out of memory");
	n = collect_missing(s, objects);
	if (n && s->options->fetch && !stopped(s->options))
		fetch(s, objects, n);
	batch_objects_release(objects, n);
	free(objects);
	return workers_run(s->options->jobs, s->n, prepare_one, s);
}

/* ---- step 3: under index.lock ---- */

/* A file for which the index has another blob ("git restore --worktree --source=…") must keep its
 * own time: with one before the index, an equal size and an inode number used again it could look
 * like the file that the entry was made for. */
static int find_entries(struct run_state *s, const char *index, int hash_len)
{
	struct gitindex_patch *patches = calloc(s->n, sizeof *patches);
	int rc;

	if (!patches)
		return err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < s->n; i++)
		patches[i] = (struct gitindex_patch){
			.path = s->items[i].path, .id = s->items[i].blob, .owner = &s->prepared[i]};
	rc = gitindex_match(index, hash_len, patches, s->n);
	for (size_t i = 0; i < s->n && rc >= 0; i++)
		((struct prepared *)patches[i].owner)->foreign = patches[i].applied < 0;
	free(patches);
	return rc < 0 ? rc : 0;
}

/* Make Git trust what is and stays in the worktree: small data that went inline, and pointers that
 * stay. */
static void settle_one(struct run_state *s, struct rehydrate_item *item, struct prepared *p)
{
	struct settle_expect expect = {.len = item->size, .oid = item->oid};
	char canonical[POINTER_CANONICAL_MAX];
	size_t text_len;

	if (p->foreign)
		return;
	if (item->wish != REHYDRATE_SETTLE_DATA) {
		expect.text = item_text(item, canonical, &text_len);
		expect.len = text_len;
	}
	p->in_place = settle_file(s->place, item->path, s->racy_second, &expect, &p->st) == 1;
}

static int swap_one(size_t i, void *data)
{
	struct run_state *s = data;
	struct rehydrate_item *item = &s->items[i];
	struct prepared *p = &s->prepared[i];
	char canonical[POINTER_CANONICAL_MAX];
	const void *text;
	size_t text_len;
	int rc;

	if (item->wish != REHYDRATE_DATA || item->state == REHYDRATE_MISSING ||
		item->state == REHYDRATE_FAILED) {
		settle_one(s, item, p);
		return 0;
	}
	if (item->state != REHYDRATE_TODO)
		return 0;
	if (stopped(s->options)) {
		place_abort(s->place, &p->file);
		item->state = REHYDRATE_LEFT;
		return 0;
	}
	text = item_text(item, canonical, &text_len);
	rc = place_swap(s->place, item->path, &p->file, text, text_len,
		p->foreign ? -1 : (int64_t)s->racy_second * 1000000000 - 1, &p->st);
	p->in_place = rc == 0;
	if (rc == 0) {
		item->state = REHYDRATE_DONE;
		progressfile_add(
			"checkout", (size_t)(item - s->items) + 1, s->n, item->size, item->path);
	} else if (rc == ERR_CHANGED || rc == ERR_NOTFOUND) {
		item->state = REHYDRATE_CHANGED;
	} else {
		note_failure(s, item, REHYDRATE_FAILED);
	}
	return 0;
}

/* Several links of one object may have come in: each changed the ctime of those before. */
static void look_again_at_links(struct run_state *s)
{
	struct stat st;

	for (size_t i = 0; i < s->n; i++) {
		struct prepared *p = &s->prepared[i];

		if (p->in_place && p->file.linked && p->st.st_nlink > 2 &&
			place_lstat(s->place, s->items[i].path, &st) == 0 &&
			st.st_ino == p->st.st_ino && st.st_dev == p->st.st_dev &&
			fs_mtime_ns(&st) == fs_mtime_ns(&p->st))
			p->st = st;
	}
}

static int patch_index(struct run_state *s, const char *index, int hash_len, struct lockfile *lock)
{
	struct gitindex_patch *patches = calloc(s->n, sizeof *patches);
	size_t n = 0;
	int rc = 0;

	if (!patches)
		return err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < s->n; i++) {
		if (!s->prepared[i].in_place)
			continue;
		patches[n].path = s->items[i].path;
		patches[n].id = s->items[i].blob;
		gitindex_stat_fill(&patches[n].st, &s->prepared[i].st);
		n++;
	}
	if (n)
		rc = gitindex_patch(index, hash_len, patches, n, lock);
	if (rc > 0)
		rc = lockfile_commit(lock);
	free(patches);
	return rc;
}

static void leave_the_rest(struct run_state *s)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->items[i].state != REHYDRATE_TODO || s->items[i].wish != REHYDRATE_DATA)
			continue;
		place_abort(s->place, &s->prepared[i].file);
		s->items[i].state = REHYDRATE_LEFT;
	}
}

static int take_index_lock(struct run_state *s, const char *index, struct lockfile *lock)
{
	int wait = s->options->lock_wait_ms ? s->options->lock_wait_ms : LOCK_WAIT_DEFAULT_MS;
	struct stat st = {0};
	mode_t mode = 0666;
	int rc;

	if (stat(index, &st) == 0)
		mode = st.st_mode & 0777;
	rc = lockfile_take(lock, index, (int)mode, wait);
	if (rc < 0)
		return rc;
	if (stat(index, &st) == 0) /* who had the lock may have written another one */
		s->racy_second = st.st_mtim.tv_sec;
	(void)!fchmod(lock->fd, mode); /* core.sharedRepository: as the index is */
	return 0;
}

/* Returns a negative error when files were put in place whose index entries could not be patched.
 */
static int swap_and_patch(struct run_state *s, const struct gitdir *g, int hash_len)
{
	struct lockfile lock = LOCKFILE_INIT;
	int rc = take_index_lock(s, g->index, &lock);

	if (rc < 0) {
		if (!s->result->first_error)
			s->result->first_error = strdup(err_msg());
		leave_the_rest(s);
		lockfile_rollback(&lock);
		return 0;
	}
	rc = find_entries(s, g->index, hash_len);
	if (rc == 0)
		rc = workers_run(s->options->jobs, s->n, swap_one, s);
	if (s->hardlink)
		look_again_at_links(s);
	if (rc == 0)
		rc = patch_index(s, g->index, hash_len, &lock);
	leave_the_rest(s);
	lockfile_rollback(&lock);
	return rc < 0 ? rc : 0;
}

/* ---- all of it ---- */

static void count(struct run_state *s)
{
	struct rehydrate_result *r = s->result;

	for (size_t i = 0; i < s->n; i++) {
		if (s->items[i].wish != REHYDRATE_DATA)
			continue;
		switch (s->items[i].state) {
		case REHYDRATE_DONE:
			r->done++;
			r->bytes += s->items[i].size;
			break;
		case REHYDRATE_MISSING:
			r->missing++;
			break;
		case REHYDRATE_CHANGED:
			r->changed++;
			break;
		case REHYDRATE_FAILED:
			r->failed++;
			break;
		default:
			r->left++;
			break;
		}
	}
}

int rehydrate_run(struct rehydrate_item *items, size_t n, const struct gitdir *g,
	const struct config *c, struct store *store, const struct rehydrate_options *o,
	struct rehydrate_result *r)
{
	struct run_state s = {.items = items, .n = n, .store = store, .options = o, .result = r};
	struct pending *journal = NULL;
	struct buf staging = BUF_INIT;
	const char *how = config_get(c, "dvx.link");
	int hash_len = config_hash_len(c), rc = 0, patched = 0;

	*r = (struct rehydrate_result){0};
	s.hardlink = how && strcmp(how, "hardlink") == 0;
	if (n == 0)
		return 0;
	if (hash_len < 0)
		return hash_len;
	if (!g->worktree)
		return err_set(ERR_INVALID, "this repository has no working tree");
	pthread_mutex_init(&s.mutex, NULL);
	s.prepared = calloc(n, sizeof *s.prepared);
	if (!s.prepared) {
		rc = err_set(ERR_NOMEM, "out of memory");
		goto done;
	}
	for (size_t i = 0; i < n; i++)
		s.prepared[i].file = (struct place_file)PLACE_FILE_INIT;
	if ((rc = buf_addf(&staging, "%s/dvx/tmp", g->git_dir)) < 0)
		goto done;
	if ((rc = place_open(&s.place, g->worktree, staging.p)) < 0)
		goto done;
	if ((rc = rehydrate_journal_begin(&journal, g->git_dir, items, n)) < 0)
		goto done;
	if ((rc = fetch_and_prepare(&s)) < 0)
		goto done;
	patched = swap_and_patch(&s, g, hash_len);
	rehydrate_journal_end(journal, items, n, patched < 0);
	journal = NULL;
	rc = patched;
done:
	count(&s);
	pending_free(journal);
	place_close(s.place);
	free(s.prepared);
	buf_release(&staging);
	pthread_mutex_destroy(&s.mutex);
	return rc;
}
