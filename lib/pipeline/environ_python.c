/*
 * What Python would import: the environment that an interpreter belongs to, and the distributions
 * installed there, by the names of their directories - pip would take a hundred times as long.
 */
#include "lib/pipeline/environ_internal.h"

#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"

enum { PACKAGES_MAX = 2000 };

/* ---- environments ---- */

static int has(const char *dir, const char *name)
{
	struct buf path = BUF_INIT;
	int found = buf_addf(&path, "%s/%s", dir, name) == 0 && access(path.p, F_OK) == 0;

	buf_release(&path);
	return found;
}

int environ_prefix(struct buf *out, const char *path)
{
	char *dir = strdup(path), *slash;
	int found = 0;

	for (int i = 0; dir && i < 2; i++) {
		slash = strrchr(dir, '/');
		if (slash)
			*slash = '\0';
	}
	found = dir && *dir && (has(dir, "pyvenv.cfg") || has(dir, "conda-meta")) &&
		buf_addstr(out, dir) == 0;
	free(dir);
	return found;
}

int environ_python_series(struct buf *out, const char *prefix)
{
	struct buf path = BUF_INIT;
	struct dirent *e;
	DIR *dir = NULL;
	int found = 0;

	if (buf_addf(&path, "%s/lib", prefix) == 0)
		dir = opendir(path.p);
	while (dir && !found && (e = readdir(dir))) {
		const char *series = e->d_name + 6;

		found = strncmp(e->d_name, "python", 6) == 0 && isdigit((unsigned char)*series) &&
			strspn(series, "0123456789.") == strlen(series) && strchr(series, '.') &&
			buf_addstr(out, series) == 0;
	}
	if (dir)
		closedir(dir);
	buf_release(&path);
	return found;
}

/* The environment as it is the same for everybody: below the project, or only its name. */
static int set_environment(struct node *map, const struct repo *repo,
	const struct environ_program *p, const char *prefix)
{
	char *top = realpath(repo->dir->worktree, NULL), *real = realpath(prefix, NULL);
	const char *slash = strrchr(real ? real : prefix, '/');
	size_t len = top ? strlen(top) : 0;
	struct buf name = BUF_INIT;
	int rc = 0;

	if (p->conda)
		rc = buf_addf(&name, "conda %s", p->conda);
	else if (real && top && strncmp(real, top, len) == 0 && real[len] == '/')
		rc = buf_addstr(&name, real + len + 1);
	else if (slash)
		rc = buf_addf(&name, "%s%s", has(prefix, "conda-meta") ? "conda " : "", slash + 1);
	if (rc == 0)
		rc = environ_set(map, "python-env", name.p);
	buf_release(&name);
	free(top);
	free(real);
	return rc;
}

/* ---- packages ---- */

/* "numpy-1.26.4.dist-info", "PyYAML-6.0.egg-info", "six-1.16.0-py3.11.egg-info". */
static int take_name(struct node *packages, const char *name)
{
	const char *end = strstr(name, ".dist-info"), *dash = strchr(name, '-'), *stop;
	struct buf key = BUF_INIT, version = BUF_INIT;
	int rc = 0;

	if (!end)
		end = strstr(name, ".egg-info");
	if (!end || !dash || dash >= end || packages->n >= PACKAGES_MAX)
		return 0;
	stop = strchr(dash + 1, '-');
	if (!stop || stop > end)
		stop = end;
	rc = buf_add(&key, name, (size_t)(dash - name));
	for (size_t i = 0; rc == 0 && i < key.len; i++)
		key.p[i] = key.p[i] == '_' ? '-' : (char)tolower((unsigned char)key.p[i]);
	if (rc == 0)
		rc = buf_add(&version, dash + 1, (size_t)(stop - dash - 1));
	if (rc == 0 && !node_get(packages, key.p)) /* the first directory is what is imported */
		rc = environ_set(packages, key.p, version.p);
	buf_release(&key);
	buf_release(&version);
	return rc;
}

static int by_name(const void *a, const void *b)
{
	const char *x = *(char *const *)a, *y = *(char *const *)b;
	int order = strcasecmp(x, y);

	return order ? order : strcmp(x, y);
}

/* In an order that the file system has no say in. */
static int take_directory(struct node *packages, const char *path)
{
	struct strvec names = STRVEC_INIT;
	DIR *dir = opendir(path);
	struct dirent *e;
	int rc = 0;

	while (dir && rc == 0 && (e = readdir(dir)))
		if (strstr(e->d_name, "-info"))
			rc = strvec_push(&names, e->d_name);
	if (dir)
		closedir(dir);
	if (names.n)
		qsort(names.v, names.n, sizeof(*names.v), by_name);
	for (size_t i = 0; rc == 0 && i < names.n; i++)
		rc = take_name(packages, names.v[i]);
	strvec_release(&names);
	return rc;
}

/* "include-system-site-packages = true" of a pyvenv.cfg. */
static int sees_system(const char *prefix)
{
	struct buf path = BUF_INIT, text = {.max = 64 * 1024};
	const char *at = NULL;
	int sees;

	if (buf_addf(&path, "%s/pyvenv.cfg", prefix) == 0 && buf_read_file(&text, path.p) == 0)
		at = strstr(text.p, "include-system-site-packages");
	sees = at && strncmp(at + strcspn(at, "=\n"), "= true", 6) == 0;
	err_clear();
	buf_release(&path);
	buf_release(&text);
	return sees;
}

/* "<prefix>" of "<prefix>/bin/python3", links resolved: where it was installed. */
static int own_prefix(struct buf *out, const char *path)
{
	char *real = realpath(path, NULL), *slash;
	int rc;

	for (int i = 0; real && i < 2; i++) {
		slash = strrchr(real, '/');
		if (slash)
			*slash = '\0';
	}
	rc = buf_addstr(out, real ? real : "");
	free(real);
	return rc;
}

/* Where the interpreter at `path` with this version looks, in its order; `prefix` is the
 * environment that it belongs to, or NULL. */
static int directories(
	struct strvec *out, const char *prefix, const char *version, const char *path)
{
	const char *home = getenv("HOME"), *dot = strchr(version, '.');
	size_t len = dot ? (size_t)(dot - version) + 1 + strspn(dot + 1, "0123456789") : 0;
	struct buf own = BUF_INIT, series = BUF_INIT;
	int rc = buf_addf(&series, "lib/python%.*s", (int)len, version);

	if (rc == 0 && prefix)
		rc = strvec_pushf(out, "%s/%s/site-packages", prefix, series.p);
	if (rc < 0 || len == 0 || (prefix && !sees_system(prefix)))
		goto done;
	if (home && *home == '/')
		rc = strvec_pushf(out, "%s/.local/%s/site-packages", home, series.p);
	if (rc == 0)
		rc = own_prefix(&own, path);
	if (rc == 0)
		rc = strvec_pushf(out, "%s/%s/site-packages", own.p, series.p);
	if (rc == 0 && strcmp(own.p, "/usr") == 0) { /* Debian's way */
		rc = strvec_pushf(out, "/usr/local/%s/dist-packages", series.p);
		if (rc == 0)
			rc = strvec_push(out, "/usr/lib/python3/dist-packages");
	}
done:
	buf_release(&own);
	buf_release(&series);
	return rc;
}

int environ_python(struct node *map, const struct repo *repo, const struct environ_program *p)
{
	const struct node *version = node_get(map, "python");
	struct node *packages = node_map();
	struct strvec dirs = STRVEC_INIT;
	struct buf prefix = BUF_INIT;
	int inside = environ_prefix(&prefix, p->path);
	int rc = packages ? 0 : err_set(ERR_NOMEM, "out of memory");

	if (rc == 0 && inside)
		rc = set_environment(map, repo, p, prefix.p);
	if (rc == 0 && version)
		rc = directories(&dirs, inside ? prefix.p : NULL, version->text, p->path);
	for (size_t i = 0; rc == 0 && i < dirs.n; i++)
		rc = take_directory(packages, dirs.v[i]);
	if (rc == 0 && packages->n) {
		rc = node_set(map, "python-packages", packages);
		packages = NULL;
	}
	node_free(packages);
	strvec_release(&dirs);
	buf_release(&prefix);
	return rc;
}
