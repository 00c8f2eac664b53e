/*
 * What Git's index says of files: that they are tracked though a rule hides them, and - where an
 * entry is a clean pointer - what they hold.  Entries are believed more carefully than by Git: to
 * the nanosecond.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/pipeline/fingerprint_internal.h"

enum { NS = 1000000000 };

static int open_index(struct fingerprints *f)
{
	int rc = 0;

	if (f->index == NULL)
		rc = gitindex_read(&f->index, f->repo->dir->index, f->repo->hash_len);
	if (rc == 0 && f->pointers == NULL)
		rc = pointers_open(&f->pointers, f->repo);
	return rc;
}

/* ---- contents ---- */

struct asking {
	struct fp_file **v;
	size_t n, at;
	uint32_t timestamp;
	struct pointers_query *q; /* of the files below, in their order */
	struct fp_file **clean;
	size_t n_clean;
};

/* Whether the file is what the entry was made from, and was not written after that. */
static int is_clean(const struct asking *a, const struct fp_file *e, const struct gitindex_entry *x)
{
	return x->stage == 0 && !x->intent_to_add && (x->mode & 0170000) == 0100000 &&
	       e->mode != 'l' && x->st.mtime_sec < a->timestamp &&
	       x->st.ino == (uint32_t)e->st.ino && x->st.size == (uint32_t)e->st.bytes &&
	       x->st.mtime_sec == (uint32_t)(e->st.mtime / NS) &&
	       x->st.mtime_nsec == (uint32_t)(e->st.mtime % NS) &&
	       x->st.ctime_sec == (uint32_t)(e->st.ctime / NS) &&
	       x->st.ctime_nsec == (uint32_t)(e->st.ctime % NS);
}

static int take_entry(const struct gitindex_entry *x, void *data)
{
	struct asking *a = data;
	int order = -1;

	while (a->at < a->n && (order = strcmp(a->v[a->at]->path, x->path)) < 0)
		a->at++;
	if (a->at == a->n)
		return 1;
	if (order != 0 || !is_clean(a, a->v[a->at], x))
		return 0;
	memcpy(a->q[a->n_clean].blob, x->id, sizeof(x->id));
	a->clean[a->n_clean++] = a->v[a->at++];
	return 0;
}

static int take_answers(const struct fingerprints *f, struct asking *a)
{
	int rc = pointers_resolve(f->pointers, a->q, a->n_clean);

	for (size_t i = 0; rc == 0 && i < a->n_clean; i++) {
		struct fp_file *e = a->clean[i];

		if (a->q[i].state != POINTERS_YES || a->q[i].size != e->st.bytes)
			continue; /* no pointer, or the file is the pointer itself */
		e->oid = a->q[i].oid;
		e->size = a->q[i].size;
		e->known = e->learnt = 1;
	}
	return rc;
}

int fp_ask_index(struct fingerprints *f, struct fp_file **v, size_t n)
{
	struct asking a = {.v = v, .n = n};
	int rc;

	a.q = calloc(n + 1, sizeof(*a.q));
	a.clean = calloc(n + 1, sizeof(*a.clean));
	if (a.q == NULL || a.clean == NULL) {
		rc = err_set(ERR_NOMEM, "out of memory");
		goto done;
	}
	pthread_mutex_lock(&f->mutex);
	rc = open_index(f);
	if (rc == 0) {
		a.timestamp = gitindex_timestamp(f->index);
		rc = gitindex_each(f->index, take_entry, &a);
	}
	if (rc >= 0)
		rc = take_answers(f, &a);
	pthread_mutex_unlock(&f->mutex);
done:
	free(a.q);
	free(a.clean);
	return rc;
}

/* ---- names ---- */

static int take_name(const struct gitindex_entry *x, void *data)
{
	struct fingerprints *f = data;

	if (f->n_tracked > 0 && strcmp(f->tracked[f->n_tracked - 1], x->path) == 0)
		return 0; /* another stage */
	if (array_room(&f->tracked, f->n_tracked, &f->cap_tracked, sizeof(*f->tracked)) < 0)
		return ERR_NOMEM;
	f->tracked[f->n_tracked] = pathpool_keep(&f->tracked_paths, x->path, x->path_len);
	if (f->tracked[f->n_tracked] == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	f->n_tracked++;
	return 0;
}

static int search(const struct fingerprints *f, const char *path, int below)
{
	size_t low = 0, high = f->n_tracked, len = strlen(path);

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = strncmp(f->tracked[mid], path, len);

		if (order == 0 && below) /* "a/" comes behind "a-b" and before "ab" */
			order = (unsigned char)f->tracked[mid][len] < '/' ? -1 : 0;
		else if (order == 0 && f->tracked[mid][len] != '\0')
			order = 1;
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low < f->n_tracked && strncmp(f->tracked[low], path, len) == 0 &&
	       f->tracked[low][len] == (below ? '/' : '\0');
}

int fp_is_tracked(struct fingerprints *f, const char *path, int below)
{
	int rc = 0;

	pthread_mutex_lock(&f->mutex);
	if (!f->have_tracked) {
		rc = open_index(f);
		if (rc == 0)
			rc = gitindex_each(f->index, take_name, f);
		f->have_tracked = rc == 0;
	}
	if (rc == 0)
		rc = search(f, path, below);
	pthread_mutex_unlock(&f->mutex);
	return rc;
}
