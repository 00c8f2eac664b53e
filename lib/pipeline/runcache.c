/*
 * The run cache of this machine: one file for each run, named by what went in and by what its text
 * is, so that writers need no lock and a reader can check all of it.  Stages look here before they
 * are run (execute.c); runcache_remote.c brings entries to and from the team's blob remote.
 */
#include "lib/pipeline/runcache.h"
#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/pipeline/runcache_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* An entry is a dvx.lock of one stage: this, and what stagelock.c writes of it. */
static const char head[] = "schema: dvx/1\nstages:\n";

int runcache_allows(const struct stage *s)
{
	if (s->always_changed || s->cmd.n == 0 || s->n_outs == 0 ||
		(s->n_deps == 0 && s->n_params == 0))
		return 0;
	for (size_t i = 0; i < s->n_outs; i++) {
		if (s->outs[i].persist || s->outs[i].path[0] == '/')
			return 0;
	}
	return 1;
}

/* ---- places ---- */

static int name_cmp(const struct runcache_name *a, const struct runcache_name *b)
{
	int order = oid_cmp(&a->key, &b->key);

	return order ? order : oid_cmp(&a->value, &b->value);
}

int runcache_dir(struct buf *out, const struct repo *repo)
{
	return buf_addf(out, "%s/runs", repo->dir->dvx_dir);
}

static int key_dir(struct buf *out, const struct repo *repo, const struct oid *key)
{
	char hex[OID_HEX_LEN + 1];
	int rc = runcache_dir(out, repo);

	oid_to_hex(hex, key);
	return rc < 0 ? rc : buf_addf(out, "/%.2s/%s", hex, hex);
}

int runcache_path(struct buf *out, const struct repo *repo, const struct runcache_name *name)
{
	char hex[OID_HEX_LEN + 1];
	int rc = key_dir(out, repo, &name->key);

	oid_to_hex(hex, &name->value);
	return rc < 0 ? rc : buf_addf(out, "/%s", hex);
}

/* 1 if a file or directory of this name is one of ours. */
static int is_id(const char *name, struct oid *id)
{
	if (strlen(name) == OID_HEX_LEN && oid_from_hex(id, name) == 0)
		return 1;
	err_clear();
	return 0;
}

/* ---- texts ---- */

static int take_first(const struct locked_stage *s, void *data)
{
	*(const struct locked_stage **)data = s;
	return 1;
}

int runcache_parse(struct stagelock **lock, const struct locked_stage **out,
	const struct runcache_name *name, const void *text, size_t len)
{
	struct oid id;
	int rc;

	*lock = NULL;
	*out = NULL;
	oid_of(&id, text, len);
	if (!oid_eq(&id, &name->value))
		return err_set(ERR_CORRUPT, "its text is not what its name says");
	rc = stagelock_parse(lock, "run", text, len);
	if (rc == ERR_NOMEM)
		return rc;
	if (rc == 0)
		stagelock_each(*lock, take_first, out);
	if (!*out)
		return err_set(ERR_CORRUPT, "it names no stage");
	rc = locked_stage_key(&id, *out);
	if (rc == 0 && !oid_eq(&id, &name->key))
		rc = err_set(ERR_CORRUPT, "it is the run of other inputs");
	return rc;
}

int runcache_read(const struct repo *repo, const struct runcache_name *name, struct buf *text)
{
	struct buf path = BUF_INIT, read = {.max = RUNCACHE_ENTRY_MAX};
	int rc = runcache_path(&path, repo, name);

	if (rc == 0)
		rc = buf_read_file(&read, path.p);
	if (rc == 0)
		rc = buf_add(text, read.p, read.len);
	buf_release(&path);
	buf_release(&read);
	return rc;
}

/* The directory of a key with those above it, so that they outlive a loss of power. */
static int make_dirs(const struct repo *repo, const char *dir, int durable)
{
	struct buf path = BUF_INIT;
	int rc = fs_mkdirs(dir);

	if (rc < 0 || !durable)
		return rc;
	rc = fs_fsync_parent(dir); /* runs/<aa> */
	if (rc == 0)
		rc = runcache_dir(&path, repo);
	if (rc == 0)
		rc = fs_fsync_dir(path.p);
	if (rc == 0)
		rc = fs_fsync_dir(repo->dir->dvx_dir);
	buf_release(&path);
	return rc;
}

int runcache_write(const struct repo *repo, const struct runcache_name *name, const void *text,
	size_t len, int durable)
{
	struct buf dir = BUF_INIT, path = BUF_INIT;
	int rc = key_dir(&dir, repo, &name->key);

	if (rc == 0)
		rc = runcache_path(&path, repo, name);
	if (rc < 0)
		goto done;
	if (!fs_exists(dir.p))
		rc = make_dirs(repo, dir.p, durable);
	if (rc == 0)
		rc = fs_replace_file(path.p, text, len, durable);
	if (rc == ERR_NOTFOUND) { /* gc took the empty directory meanwhile */
		rc = make_dirs(repo, dir.p, durable);
		if (rc == 0)
			rc = fs_replace_file(path.p, text, len, durable);
	}
done:
	buf_release(&dir);
	buf_release(&path);
	return rc < 0 ? err_prefix(rc, "cannot write to the run cache") : rc;
}

/* ---- looking ---- */

struct candidate {
	struct runcache_name name;
	int64_t mtime;
};
struct candidates {
	struct candidate *v;
	size_t n, cap;
};

static int add_candidate(struct candidates *c, const struct runcache_name *name, int64_t mtime)
{
	if (array_room(&c->v, c->n, &c->cap, sizeof(*c->v)) < 0)
		return ERR_NOMEM;
	c->v[c->n++] = (struct candidate){*name, mtime};
	return 0;
}

static int newest_first(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->mtime != y->mtime)
		return x->mtime > y->mtime ? -1 : 1;
	return name_cmp(&x->name, &y->name);
}

/* The entries below one key.  A directory that is not there has none. */
static int list_key(struct candidates *out, const char *dir, const struct oid *key)
{
	struct runcache_name name = {.key = *key};
	struct dirent *e;
	struct stat st;
	DIR *d = opendir(dir);
	int rc = 0;

	if (!d)
		return errno == ENOENT || errno == ENOTDIR ? 0 : err_sys("cannot read '%s'", dir);
	while (rc == 0 && (e = readdir(d))) {
		if (is_id(e->d_name, &name.value) &&
			fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			S_ISREG(st.st_mode))
			rc = add_candidate(out, &name, fs_mtime_ns(&st));
	}
	closedir(d);
	return rc;
}

/* What is done with entries, and the last one that it was done with. */
struct found {
	int (*fn)(const struct locked_stage *entry, void *data);
	void *data;
	struct runcache_name name;
};

static int find(const struct repo *repo, const struct locked_stage *now, struct found *with)
{
	struct candidates found = {NULL, 0, 0};
	const struct locked_stage *entry;
	struct stagelock *lock;
	struct buf dir = BUF_INIT, text = BUF_INIT;
	struct oid key;
	int rc = locked_stage_key(&key, now);

	if (rc == 0)
		rc = key_dir(&dir, repo, &key);
	if (rc == 0)
		rc = list_key(&found, dir.p, &key);
	if (rc == 0 && found.n)
		qsort(found.v, found.n, sizeof(*found.v), newest_first);
	for (size_t i = 0; rc == 0 && i < found.n; i++) {
		buf_reset(&text);
		if (runcache_read(repo, &found.v[i].name, &text) < 0)
			continue;
		with->name = found.v[i].name;
		if (runcache_parse(&lock, &entry, &with->name, text.p, text.len) == 0)
			rc = with->fn(entry, with->data);
		stagelock_free(lock);
	}
	if (rc == 0)
		err_clear(); /* what was skipped is no failure */
	free(found.v);
	buf_release(&dir);
	buf_release(&text);
	return rc;
}

/* From now on it is the newest of its key. */
static int touch(const struct repo *repo, const struct runcache_name *name)
{
	struct buf path = BUF_INIT;
	int rc = runcache_path(&path, repo, name);

	if (rc == 0 && utimensat(AT_FDCWD, path.p, NULL, 0) < 0)
		rc = err_sys("cannot touch '%s'", path.p);
	buf_release(&path);
	return rc;
}

int runcache_find(const struct repo *repo, const struct locked_stage *now,
	int (*fn)(const struct locked_stage *entry, void *data), void *data)
{
	struct found with = {.fn = fn, .data = data};
	int rc = find(repo, now, &with);

	if (rc > 0 && touch(repo, &with.name) < 0) /* it is used: gc leaves it alone */
		err_clear();
	return rc;
}

/* ---- remembering ---- */

static int has_outs_of(const struct locked_stage *entry, void *data)
{
	const struct locked_stage *s = data;

	if (entry->n_outs != s->n_outs)
		return 0;
	for (size_t i = 0; i < s->n_outs; i++) {
		if (strcmp(entry->outs[i].path, s->outs[i].path) != 0 ||
			!fingerprint_eq(&entry->outs[i].fp, &s->outs[i].fp))
			return 0;
	}
	return 1;
}

/* The same result in another environment is no news. */
int runcache_put(const struct repo *repo, const struct locked_stage *s)
{
	struct found first = {.fn = has_outs_of};
	struct runcache_name name;
	struct buf text = {.max = RUNCACHE_ENTRY_MAX};
	int rc;

	first.data = &(struct locked_stage){.outs = s->outs, .n_outs = s->n_outs};
	rc = find(repo, s, &first);
	if (rc > 0) {
		rc = touch(repo, &first.name);
		goto done;
	}
	if (rc == 0)
		rc = locked_stage_key(&name.key, s);
	if (rc == 0)
		rc = buf_addstr(&text, head);
	if (rc == 0)
		rc = locked_stage_format(&text, s);
	if (rc == 0) {
		oid_of(&name.value, text.p, text.len);
		rc = runcache_write(repo, &name, text.p, text.len, 1);
	}
done:
	buf_release(&text);
	return rc;
}

/* ---- all of them ---- */

/* Call fn for each directory below `dir` whose name is as `len` hex digits long as they have to be.
 */
static int each_directory(
	const char *dir, size_t len, int (*fn)(const char *path, void *data), void *data)
{
	struct buf path = BUF_INIT;
	struct dirent *e;
	DIR *d = opendir(dir);
	int rc = 0;

	if (!d)
		return errno == ENOENT || errno == ENOTDIR ? 0 : err_sys("cannot read '%s'", dir);
	while (rc == 0 && (e = readdir(d))) {
		if (strlen(e->d_name) != len || strspn(e->d_name, "0123456789abcdef") != len)
			continue;
		buf_reset(&path);
		rc = buf_addf(&path, "%s/%s", dir, e->d_name);
		if (rc == 0)
			rc = fn(path.p, data);
	}
	closedir(d);
	buf_release(&path);
	return rc;
}

static int list_key_dir(const char *path, void *data)
{
	struct oid key;

	return is_id(strrchr(path, '/') + 1, &key) ? list_key(data, path, &key) : 0;
}

static int list_shard(const char *path, void *data)
{
	return each_directory(path, OID_HEX_LEN, list_key_dir, data);
}

int runcache_each(const struct repo *repo,
	int (*fn)(const struct runcache_name *name, int64_t mtime, void *data), void *data)
{
	struct candidates found = {NULL, 0, 0};
	struct buf dir = BUF_INIT;
	int rc = runcache_dir(&dir, repo);

	if (rc == 0)
		rc = each_directory(dir.p, 2, list_shard, &found);
	for (size_t i = 0; rc == 0 && i < found.n; i++)
		rc = fn(&found.v[i].name, found.v[i].mtime, data);
	free(found.v);
	buf_release(&dir);
	return rc;
}
