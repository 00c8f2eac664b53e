/*
 * The work of `git dvx add`, in this order: content into the store, pointer blobs into Git, what is
 * not ours by `git add`, index entries, stat data.  A crash between two steps leaves objects that
 * nobody refers to, or entries that Git looks into once more - nothing wrong.
 *
 * Stat data are taken before and after a file is read, and must be equal; so an entry never claims
 * that content is clean which was not the one hashed.
 */
#include "lib/repo/addrun.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/lockfile.h"
#include "lib/base/workers.h"
#include "lib/repo/git.h"
#include "lib/repo/gitpack.h"
#include "lib/repo/pointers.h"
#include "lib/setup/lfsext.h"
#include "lib/store/pointer.h"
#include "lib/worktree/place.h"

enum { TRIES = 3, LOCK_WAIT_MS = 3000 };

struct job {
	struct add_list *list;
	const struct repo *repo;
	struct store *store;
	const struct add_options *o;
	struct add_file **data; /* the ADD_DATA files */
	size_t n;
	struct place *place;
	uint32_t began; /* seconds; no file was read before */
	int extended;	/* extensions are configured: only the filter runs them */
};

/* ---- content ---- */

/* Store the content of a small file; a pointer is taken for what it says. */
static int store_small(const struct job *j, struct add_file *f, int fd)
{
	char *text = malloc(STORE_SMALL_MAX + 1);
	struct pointer ptr;
	ssize_t n;
	int rc = 0;

	if (!text)
		return err_set(ERR_NOMEM, "out of memory");
	n = fs_read_full(fd, text, STORE_SMALL_MAX + 1);
	if (n < 0) {
		rc = (int)n;
	} else if ((uint64_t)n != f->size) {
		rc = ERR_CHANGED;
	} else if (n < POINTER_MAX && pointer_parse(&ptr, text, (size_t)n) == 0) {
		/* Another spelling than ours must keep its bytes: Git's own way does that. */
		f->kind = ptr.canonical ? ADD_DATA : ADD_PLAIN;
		f->oid = ptr.oid;
		f->size = ptr.size;
	} else {
		rc = store_put(j->store, text, (size_t)n, &f->oid);
	}
	free(text);
	return rc;
}

/* One attempt.  ERR_CHANGED when the file did not hold still. */
static int store_once(const struct job *j, struct add_file *f)
{
	struct stat before, after;
	uint64_t size;
	int fd = place_open_read(j->place, f->path), rc;

	if (fd < 0)
		return fd;
	if (fstat(fd, &before) < 0) {
		rc = err_sys("cannot stat '%s'", f->path);
		goto done;
	}
	f->size = (uint64_t)before.st_size;
	if (!S_ISREG(before.st_mode) || !f->size || j->extended) {
		f->kind = ADD_PLAIN;
		rc = 0;
		goto done;
	}
	if (f->size <= STORE_SMALL_MAX) {
		rc = store_small(j, f, fd);
	} else {
		rc = store_put_file(j->store, fd, NULL, &f->oid, &size);
		if (rc == 0 && size != f->size)
			rc = ERR_CHANGED;
	}
	if (rc < 0)
		goto done;
	if (fstat(fd, &after) < 0)
		rc = err_sys("cannot stat '%s'", f->path);
	else if (after.st_size != before.st_size || fs_mtime_ns(&after) != fs_mtime_ns(&before) ||
		 fs_ctime_ns(&after) != fs_ctime_ns(&before))
		rc = ERR_CHANGED;
	gitindex_stat_fill(&f->st, &before);
done:
	close(fd);
	return rc;
}

static int store_file(size_t i, void *data)
{
	struct job *j = data;
	struct add_file *f = j->data[i];
	char text[POINTER_CANONICAL_MAX];
	int rc, tries = 0;
	size_t len;

	if (j->o->stop && *j->o->stop)
		return err_set(ERR_INTERRUPTED, "interrupted");
	do
		rc = store_once(j, f);
	while (rc == ERR_CHANGED && ++tries < TRIES);
	if (rc == ERR_CHANGED)
		return err_set(
			rc, "'%s' changes while it is read; add it when it is finished", f->path);
	if (rc < 0)
		return err_prefix(rc, "cannot add '%s'", f->path);
	if (f->kind == ADD_DATA) {
		len = pointer_format(text, &f->oid, f->size);
		githash_blob(f->blob, j->repo->hash_len, text, len);
	}
	progress_add(j->o->progress, 1, f->size);
	return 0;
}

static int store_all(struct job *j)
{
	struct buf staging = BUF_INIT;
	size_t i;
	int rc;

	if (!(j->data = calloc(j->list->n ? j->list->n : 1, sizeof(struct add_file *))))
		return err_set(ERR_NOMEM, "out of memory");
	for (i = 0; i < j->list->n; i++)
		if (j->list->v[i].kind == ADD_DATA)
			j->data[j->n++] = &j->list->v[i];
	if (!j->n)
		return 0;
	if ((rc = fs_join(&staging, j->repo->dir->git_dir, "dvx/tmp")) == 0 &&
		(rc = place_open(&j->place, j->repo->dir->worktree, staging.p)) == 0)
		rc = workers_run(j->o->jobs, j->n, store_file, j);
	buf_release(&staging);
	return rc;
}

/* ---- blobs ---- */

static int cmp_blob(const void *a, const void *b)
{
	const struct add_file *const *x = a, *const *y = b;

	return memcmp((*x)->blob, (*y)->blob, REPO_ID_MAX);
}

static int staged_already(const struct add_file *f)
{
	return f->is_pointer && !memcmp(f->blob, f->index_blob, REPO_ID_MAX);
}

/* The files whose blobs Git may lack, one for each blob, sorted; on the heap. */
static struct add_file **new_blobs(const struct job *j, size_t *n_out)
{
	struct add_file **v = calloc(j->n ? j->n : 1, sizeof *v);
	size_t i, n = 0, kept = 0;

	if (!v)
		return NULL;
	for (i = 0; i < j->n; i++)
		if (j->data[i]->kind == ADD_DATA && !staged_already(j->data[i]))
			v[n++] = j->data[i];
	qsort(v, n, sizeof *v, cmp_blob);
	for (i = 0; i < n; i++)
		if (!kept || cmp_blob(&v[kept - 1], &v[i]) != 0)
			v[kept++] = v[i];
	*n_out = kept;
	return v;
}

/* The next `add`s and pushes need not ask Git what we know. */
static int remember(const struct repo *repo, struct add_file *const *v, size_t n)
{
	struct pointers *p = NULL;
	struct pointers_query q;
	size_t i;
	int rc = pointers_open(&p, repo);

	for (i = 0; i < n && rc == 0; i++) {
		memset(&q, 0, sizeof q);
		memcpy(q.blob, v[i]->blob, sizeof q.blob);
		q.state = POINTERS_YES;
		q.oid = v[i]->oid;
		q.size = v[i]->size;
		rc = pointers_add(p, &q);
	}
	pointers_close(p);
	return rc;
}

static int write_blobs(const struct job *j)
{
	struct gitpack *pack = NULL;
	const struct buf *bytes;
	char text[POINTER_CANONICAL_MAX];
	struct add_file **v;
	size_t n, i, len;
	int rc;

	if (!(v = new_blobs(j, &n)))
		return err_set(ERR_NOMEM, "out of memory");
	if (!n) {
		rc = 0;
		goto done;
	}
	if ((rc = gitpack_new(&pack, (uint32_t)n, j->repo->hash_len)) < 0)
		goto done;
	for (i = 0; i < n; i++) {
		len = pointer_format(text, &v[i]->oid, v[i]->size);
		if ((rc = gitpack_add(pack, text, len)) < 0)
			goto done;
	}
	if ((rc = gitpack_finish(pack, &bytes)) < 0 ||
		(rc = gitpack_store(j->repo, bytes, (uint32_t)n)) < 0)
		goto done;
	rc = remember(j->repo, v, n);
done:
	gitpack_free(pack);
	free(v);
	return rc;
}

/* ---- index ---- */

/* Leave the rest to Git. */
static int add_plain(const struct job *j, struct add_result *r)
{
	const struct strvec *also = j->o->also;
	struct buf input = BUF_INIT;
	struct run run = RUN_INIT;
	size_t i;
	int rc = 0;

	for (i = 0; i < j->list->n && rc == 0; i++) {
		if (j->list->v[i].kind != ADD_PLAIN)
			continue;
		r->plain += !j->list->v[i].racy; /* most likely nothing new */
		rc = buf_add(&input, j->list->v[i].path, strlen(j->list->v[i].path) + 1);
	}
	for (i = 0; also && i < also->n && rc == 0; i++)
		rc = buf_add(&input, also->v[i], strlen(also->v[i]) + 1);
	if (rc == 0 && input.len) {
		if ((rc = git_prepare(&run, j->repo, "--literal-pathspecs", "add",
			     "--pathspec-from-file=-", "--pathspec-file-nul", (char *)NULL)) == 0)
			rc = run_capture(&run, input.p, input.len, NULL);
		if (rc > 0)
			rc = err_set(ERR_INVALID, "'git add' failed with exit status %d", rc);
	}
	run_release(&run);
	buf_release(&input);
	return rc;
}

static uint32_t mode_of(const struct job *j, const struct add_file *f)
{
	if (!j->list->trust_mode && S_ISREG(f->mode))
		return f->mode;
	return j->list->trust_mode && f->executable ? 0100755 : 0100644;
}

/* New and removed entries, without stat data. */
static int write_entries(const struct job *j, struct add_result *r)
{
	char hex[REPO_HEX_MAX + 1];
	static const uint8_t zero[REPO_ID_MAX];
	struct buf input = BUF_INIT;
	size_t i;
	int rc = 0;

	for (i = 0; i < j->list->n && rc == 0; i++) {
		const struct add_file *f = &j->list->v[i];

		if (f->kind == ADD_GONE) {
			repo_id_hex(hex, j->repo, zero);
			rc = buf_addf(&input, "0 %s\t", hex);
			r->gone++;
		} else if (f->kind == ADD_DATA &&
			   !(staged_already(f) && f->mode == mode_of(j, f))) {
			repo_id_hex(hex, j->repo, f->blob);
			rc = buf_addf(&input, "%o %s\t", (unsigned)mode_of(j, f), hex);
			r->pointers++;
			r->bytes += f->size;
		} else {
			continue;
		}
		if (rc == 0)
			rc = buf_add(&input, f->path, strlen(f->path) + 1);
	}
	if (rc == 0 && input.len)
		rc = git_run(j->repo, input.p, input.len, NULL, "update-index", "-z",
			"--index-info", (char *)NULL);
	buf_release(&input);
	return rc;
}

/* Git distrusts an entry whose file was modified in the second in which the index is written, and
 * cleans that file once more.  When that costs more than what is left of the second, wait for its
 * end. */
static void outwait_racy(const struct job *j)
{
	enum { START_US = 3000, FILE_US = 130, BYTES_PER_US = 700, CLOCK_TICK_US = 10000 };
	uint64_t cost = START_US, wait;
	struct timespec now, pause;
	size_t i, racy = 0;

	clock_gettime(CLOCK_REALTIME, &now);
	for (i = 0; i < j->n; i++) {
		if (j->data[i]->kind != ADD_DATA ||
			j->data[i]->st.mtime_sec != (uint32_t)now.tv_sec)
			continue;
		racy++;
		cost += FILE_US + j->data[i]->st.size / BYTES_PER_US;
	}
	/* The kernel stamps files with a clock that ticks a few milliseconds late. */
	wait = (uint64_t)(1000000000 - now.tv_nsec) / 1000 + CLOCK_TICK_US;
	if (!racy || cost <= wait)
		return;
	pause.tv_sec = (time_t)(wait / 1000000);
	pause.tv_nsec = (long)(wait % 1000000) * 1000;
	nanosleep(&pause, NULL);
}

/* An entry is trusted once the index is younger than the second of its file.  So a file that was
 * modified in or after the second in which we began must be the one that was read, to the
 * nanosecond; later edits show in the second. */
static int still_as_read(const struct job *j, const struct add_file *f)
{
	struct gitindex_stat now;
	struct stat st;

	if (f->st.mtime_sec < j->began)
		return 1;
	if (place_lstat(j->place, f->path, &st) < 0) {
		err_clear();
		return 0;
	}
	gitindex_stat_fill(&now, &st);
	return memcmp(&now, &f->st, sizeof now) == 0;
}

/* Tell the index what the files look like.  An index that somebody else holds is left: Git finds
 * out by itself. */
static int write_stats(const struct job *j)
{
	struct gitindex_patch *p = calloc(j->n ? j->n : 1, sizeof *p);
	struct lockfile lock = LOCKFILE_INIT;
	size_t i, n = 0;
	int rc = 0;

	if (!p)
		return err_set(ERR_NOMEM, "out of memory");
	for (i = 0; i < j->n; i++) {
		if (j->data[i]->kind != ADD_DATA || !still_as_read(j, j->data[i]))
			continue;
		p[n].path = j->data[i]->path;
		p[n].id = j->data[i]->blob;
		p[n++].st = j->data[i]->st;
	}
	if (!n)
		goto done;
	rc = lockfile_take(&lock, j->repo->dir->index, 0666, LOCK_WAIT_MS);
	if (rc == ERR_LOCKED) {
		rc = 0;
		goto done;
	}
	if (rc == 0 &&
		(rc = gitindex_patch(j->repo->dir->index, j->repo->hash_len, p, n, &lock)) > 0)
		rc = lockfile_commit(&lock);
done:
	lockfile_rollback(&lock);
	free(p);
	return rc;
}

int add_run(struct add_list *l, const struct repo *repo, struct store *store,
	const struct add_options *o, struct add_result *r)
{
	struct job j = {l, repo, store, o, NULL, 0, NULL, (uint32_t)time(NULL), 0};
	struct lfsext_list extensions;
	int rc;

	memset(r, 0, sizeof *r);
	if ((rc = lfsext_load(&extensions, repo->config)) < 0)
		return rc;
	j.extended = extensions.n > 0;
	lfsext_release(&extensions);
	if ((rc = store_all(&j)) < 0 || (rc = write_blobs(&j)) < 0)
		goto done;
	r->staging = 1;
	if ((rc = add_plain(&j, r)) < 0)
		goto done;
	outwait_racy(&j); /* before the index is written: it keeps the time that it gets there */
	if ((rc = write_entries(&j, r)) < 0)
		goto done;
	rc = write_stats(&j);
done:
	place_close(j.place);
	free(j.data);
	return rc;
}
