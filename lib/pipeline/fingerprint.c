/*
 * Fingerprints of files, directories and globs: the walk (fingerprint_walk.c) says which files
 * there are, fingerprint_hash.c what they hold; here that becomes one hash.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/pipeline/fingerprint_internal.h"

int fingerprints_open(struct fingerprints **out, const struct repo *repo, struct store *s)
{
	struct fingerprints *f = calloc(1, sizeof(*f));
	struct buf path = BUF_INIT;
	int rc;

	*out = NULL;
	if (f == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	f->repo = repo;
	f->store = s;
	pthread_mutex_init(&f->mutex, NULL);
	pthread_mutex_init(&f->documents_mutex, NULL);
	rc = buf_addf(&path, "%s/dvx/stat-cache", repo->dir->git_dir);
	if (rc == 0)
		rc = statcache_open(&f->table, path.p);
	buf_release(&path);
	if (rc < 0)
		fingerprints_close(f);
	else
		*out = f;
	return rc;
}

/* What cannot be saved the next process reads again; the message in the slot is about something
 * else, and yet to be told. */
static void save_quietly(struct statcache *table)
{
	char *message = strdup(err_msg());

	(void)statcache_save(table);
	if (message != NULL && message[0] != '\0')
		(void)err_set(ERR_IO, "%s", message);
	free(message);
}

void fingerprints_close(struct fingerprints *f)
{
	if (f == NULL)
		return;
	if (f->table != NULL)
		save_quietly(f->table);
	statcache_free(f->table);
	excludes_free(f->repo_rules);
	excludes_free(f->user_rules);
	gitindex_free(f->index);
	pointers_close(f->pointers);
	free(f->tracked);
	pathpool_free(&f->tracked_paths);
	strmap_release(&f->documents, fp_document_free);
	strmap_release(&f->seen, free);
	pthread_mutex_destroy(&f->documents_mutex);
	pthread_mutex_destroy(&f->mutex);
	free(f);
}

size_t fingerprints_hashed(const struct fingerprints *f)
{
	return f->hashed;
}

int fp_full_path(struct buf *out, const struct fingerprints *f, const char *path)
{
	if (path[0] == '\0')
		return buf_addstr(out, f->repo->dir->worktree);
	return fs_join(out, f->repo->dir->worktree, path);
}

/* ---- listings ---- */

/* Of sorted files whose paths begin with `skip` bytes that are left out; the sum of their sizes. */
static int put_listing(struct buf *out, uint64_t *size, const struct fp_files *l, size_t skip)
{
	char head[OID_HEX_LEN + 4];
	int rc = 0;

	*size = 0;
	for (size_t i = 0; rc == 0 && i < l->n; i++) {
		oid_to_hex(head, &l->v[i].oid);
		head[OID_HEX_LEN] = ' ';
		head[OID_HEX_LEN + 1] = l->v[i].mode;
		head[OID_HEX_LEN + 2] = ' ';
		rc = buf_add(out, head, OID_HEX_LEN + 3);
		if (rc == 0)
			rc = buf_add(out, l->v[i].path + skip, strlen(l->v[i].path + skip) + 1);
		*size += l->v[i].size;
	}
	return rc;
}

/* ---- directories that did not change ---- */

/* A hash over path and stat data of each file, added up: the same for any order. */
static void sign(struct statcache_group *out, const struct fp_files *l)
{
	struct buf text = BUF_INIT;
	uint64_t low = 0, high = 0;

	for (size_t i = 0; i < l->n; i++) {
		const struct fp_file *e = &l->v[i];
		XXH128_hash_t hash;

		buf_reset(&text);
		if (buf_add(&text, &e->st, sizeof(e->st)) < 0 || buf_addch(&text, e->mode) < 0 ||
			buf_addstr(&text, e->path) < 0) {
			low = high = 0; /* no memory: what is signed so is never found */
			break;
		}
		hash = XXH3_128bits(text.p, text.len);
		low += hash.low64;
		high += hash.high64;
	}
	be64_put(out->signature, high);
	be64_put(out->signature + 8, low);
	buf_release(&text);
}

static int find_group(
	struct fingerprints *f, const char *name, const struct fp_files *l, struct fingerprint *out)
{
	struct statcache_group g;
	int found;

	sign(&g, l);
	pthread_mutex_lock(&f->mutex);
	found = statcache_find_group(f->table, name, &g) && g.nfiles == l->n;
	pthread_mutex_unlock(&f->mutex);
	if (!found)
		return 0;
	*out = (struct fingerprint){
		.type = FP_DIR, .oid = g.listing, .size = g.size, .nfiles = g.nfiles};
	return 1;
}

/* Remember the files and what they are together, unless one is too young. */
static int learn(struct fingerprints *f, const char *name, int is_dir, const struct fp_files *l,
	const struct fingerprint *fp)
{
	struct statcache_group g = {.listing = fp->oid, .size = fp->size, .nfiles = fp->nfiles};
	int rc = fp_remember(f, l->v, l->n);

	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].young)
			return rc;
	sign(&g, l);
	pthread_mutex_lock(&f->mutex);
	if (rc == 0 && !statcache_find_group(f->table, name, &g))
		rc = statcache_put_group(f->table, name, &g);
	if (rc == 0 && is_dir)
		rc = statcache_settle(f->table, name);
	pthread_mutex_unlock(&f->mutex);
	return rc;
}

/* ---- what there is ---- */

static int look_at_file(struct fp_files *l, struct fingerprints *f, const char *path,
	const struct stat *st, int how, struct fingerprint *out)
{
	int rc = fp_files_add(l, path, strlen(path), st);

	if (rc < 0)
		return rc;
	l->v[0].follow = 1;
	rc = fp_identify(f, l->v, 1, how & FP_LOOK_STORE);
	if (rc == 0)
		rc = fp_remember(f, l->v, 1);
	if (rc < 0)
		return rc;
	out->type = FP_FILE;
	out->oid = l->v[0].oid;
	out->size = l->v[0].size;
	out->executable = l->v[0].mode == 'x';
	return 0;
}

static int read_files(struct fp_files *l, struct fingerprints *f, const char *name, size_t skip,
	int how, struct fingerprint *out, struct buf *listing)
{
	struct buf own = BUF_INIT;
	int rc;

	if (listing == NULL)
		listing = &own;
	fp_files_sort(l);
	rc = fp_identify(f, l->v, l->n, how & FP_LOOK_STORE);
	if (rc == 0)
		rc = put_listing(listing, &out->size, l, skip);
	if (rc == 0) {
		out->type = FP_DIR;
		out->nfiles = l->n;
		oid_of(&out->oid, buf_str(listing), listing->len);
		rc = learn(f, name, name[0] != ':', l, out);
	}
	buf_release(&own);
	return rc;
}

/* What the table calls a directory or a pattern. */
static int group_name(struct buf *out, const char *path, const char *pattern)
{
	return pattern != NULL ? buf_addf(out, ":(glob)%s", pattern) : buf_addstr(out, path);
}

/* `pattern` NULL: all files of the directory `path`. */
static int look_at_files(struct fp_files *l, struct fingerprints *f, const char *path,
	const char *pattern, int how, struct fingerprint *out, struct buf *listing)
{
	size_t skip = pattern != NULL || path[0] == '\0' ? 0 : strlen(path) + 1;
	struct buf name = BUF_INIT;
	int rc = fp_walk(l, f, path, pattern);

	if (rc == 0)
		rc = group_name(&name, path, pattern);
	if (rc == 0 && (l->n > 0 || pattern == NULL) &&
		(how != 0 || listing != NULL || !find_group(f, name.p, l, out)))
		rc = read_files(l, f, name.p, skip, how, out, listing);
	buf_release(&name);
	return rc;
}

/* The longest directory in front of a pattern's first wildcard; "" when that is the top. */
static int glob_top(struct buf *out, const char *pattern)
{
	size_t plain = strcspn(pattern, "*?[\\");

	if (strchr(pattern, '/') == NULL)
		return 0; /* at any depth */
	while (plain > 0 && pattern[plain] != '/')
		plain--;
	return buf_add(out, pattern, plain);
}

int fp_look(struct fp_files *l, struct fingerprints *f, const char *path, const char *pattern,
	int how, struct fingerprint *out, struct buf *listing)
{
	struct buf full = BUF_INIT;
	struct stat st;
	int rc;

	memset(out, 0, sizeof(*out));
	if (pattern != NULL) {
		rc = glob_top(&full, pattern);
		if (rc == 0)
			rc = look_at_files(l, f, buf_str(&full), pattern, how, out, listing);
		goto done;
	}
	rc = fp_full_path(&full, f, path);
	if (rc < 0)
		goto done;
	if (stat(full.p, &st) < 0) {
		if (errno != ENOENT && errno != ENOTDIR)
			rc = err_sys("cannot look at '%s'", path);
		goto done;
	}
	if (S_ISREG(st.st_mode))
		rc = look_at_file(l, f, path, &st, how, out);
	else if (S_ISDIR(st.st_mode))
		rc = look_at_files(l, f, path, NULL, how, out, listing);
	else
		rc = err_set(ERR_UNSUPPORTED, "'%s' is neither a file nor a directory", path);
done:
	buf_release(&full);
	return rc;
}

static int of(struct fingerprints *f, const char *path, const char *pattern,
	struct fingerprint *out, struct buf *listing)
{
	struct fp_files l = FP_FILES_INIT;
	struct buf name = BUF_INIT;
	struct fp_sight sight;
	int rc = group_name(&name, path, pattern);

	if (rc < 0 || (listing == NULL && fp_seen_find(f, name.p, &sight, out)))
		goto done;
	rc = fp_look(&l, f, path, pattern, 0, out, listing);
	if (rc == 0 && listing == NULL && out->type == FP_DIR)
		fp_seen_add(f, name.p, &sight, out);
done:
	fp_files_release(&l);
	buf_release(&name);
	return rc;
}

int fingerprints_of(struct fingerprints *f, const char *path, struct fingerprint *out)
{
	return of(f, path, NULL, out, NULL);
}

int fingerprints_of_path(
	struct fingerprints *f, const struct stage_path *p, struct fingerprint *out)
{
	return of(f, p->path, p->glob ? p->path : NULL, out, NULL);
}

int fingerprints_listing(struct fingerprints *f, const struct stage_path *p, struct buf *listing)
{
	struct fingerprint fp;

	return of(f, p->path, p->glob ? p->path : NULL, &fp, listing);
}
