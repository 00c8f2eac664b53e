/*
 * Files named by content in four folders.  Written by rename, never flushed: a torn copy fails its
 * checksum and is fetched again.
 */
#include "transfer/blob/cache.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { KEY_LEN = 32 };

struct cache {
	char *dir;
	char *url;
};

static const char *const folders[] = {
	[CACHE_FRAGMENT] = "fragments",
	[CACHE_PACK_INDEX] = "packs",
	[CACHE_SENT_INDEX] = "sent",
	[CACHE_NOTICE] = "notices",
};

int cache_open(struct cache **out, const char *dvx_dir, const char *url)
{
	struct cache *c = calloc(1, sizeof(*c));
	struct buf dir = BUF_INIT;
	char hex[OID_HEX_LEN + 1];
	struct oid key;
	int rc;

	*out = NULL;
	if (!c)
		return err_set(ERR_NOMEM, "out of memory");
	oid_of(&key, url, strlen(url));
	oid_to_hex(hex, &key);
	rc = buf_addf(&dir, "%s/remotes/%.*s", dvx_dir, KEY_LEN, hex);
	if (rc == 0) {
		c->dir = buf_detach(&dir);
		c->url = strdup(url);
		if (!c->dir || !c->url)
			rc = err_set(ERR_NOMEM, "out of memory");
	}
	if (rc < 0)
		cache_close(c);
	else
		*out = c;
	return rc;
}

void cache_close(struct cache *c)
{
	if (!c)
		return;
	free(c->dir);
	free(c->url);
	free(c);
}

const char *cache_dir(const struct cache *c)
{
	return c->dir;
}

int cache_path(const struct cache *c, enum cache_kind k, const struct oid *name, struct buf *out)
{
	char hex[OID_HEX_LEN + 1];

	oid_to_hex(hex, name);
	return buf_addf(out, "%s/%s/%s.idx", c->dir, folders[k], hex);
}

int cache_read(const struct cache *c, enum cache_kind k, const struct oid *name, struct buf *out)
{
	struct buf path = BUF_INIT;
	int rc = cache_path(c, k, name, &path);

	if (rc == 0)
		rc = buf_read_file(out, path.p);
	buf_release(&path);
	return rc;
}

/* The folder, and beside it a line that says which remote this is. */
static int make_folder(const struct cache *c, const char *path)
{
	struct buf note = BUF_INIT, text = BUF_INIT;
	int rc = fs_mkdirs_parent(path);

	if (rc == 0)
		rc = buf_addf(&note, "%s/url", c->dir);
	if (rc == 0 && !fs_exists(note.p)) {
		rc = buf_addf(&text, "%s\n", c->url);
		if (rc == 0)
			rc = fs_replace_file(note.p, text.p, text.len, 0);
	}
	buf_release(&note);
	buf_release(&text);
	return rc;
}

void cache_write(const struct cache *c, enum cache_kind k, const struct oid *name, const void *data,
	size_t len)
{
	struct buf path = BUF_INIT;
	int rc = cache_path(c, k, name, &path);

	if (rc == 0)
		rc = make_folder(c, path.p);
	if (rc == 0)
		rc = fs_replace_file(path.p, data, len, 0);
	if (rc < 0)
		err_clear();
	buf_release(&path);
}

void cache_remove(const struct cache *c, enum cache_kind k, const struct oid *name)
{
	struct buf path = BUF_INIT;

	if (cache_path(c, k, name, &path) == 0)
		unlink(path.p);
	buf_release(&path);
}

void cache_sent_is_named(const struct cache *c, const struct oid *name)
{
	struct buf from = BUF_INIT, to = BUF_INIT;

	if (cache_path(c, CACHE_SENT_INDEX, name, &from) == 0 && fs_exists(from.p) &&
		cache_path(c, CACHE_PACK_INDEX, name, &to) == 0 && make_folder(c, to.p) == 0 &&
		rename(from.p, to.p) < 0)
		unlink(from.p);
	buf_release(&from);
	buf_release(&to);
}

int cache_each(const struct cache *c, enum cache_kind k,
	int (*fn)(const struct oid *name, int64_t age, void *data), void *data)
{
	struct buf path = BUF_INIT;
	struct dirent *e;
	struct stat st;
	struct oid name;
	DIR *dir = NULL;
	int rc = buf_addf(&path, "%s/%s", c->dir, folders[k]);

	if (rc == 0)
		dir = opendir(path.p);
	while (rc == 0 && dir && (e = readdir(dir))) {
		if (strlen(e->d_name) != OID_HEX_LEN + 4 || oid_from_hex(&name, e->d_name) < 0)
			continue;
		if (fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			rc = fn(&name, (int64_t)(time(NULL) - st.st_mtime), data);
	}
	if (dir)
		closedir(dir);
	buf_release(&path);
	return rc;
}
