/*
 * Versions of interpreters.  Asking a program costs as much as all the rest of a capture, so what
 * it said is remembered beside its stat data in "<common_dir>/dvx/programs".
 *
 * A program in the worktree, or that a command names by a path from there, is never started: `git
 * dvx status` asks for versions, too, and runs nothing that a repository brought along or chose.
 * Virtual and conda environments say their versions in files.
 */
#include "lib/pipeline/environ_internal.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/run.h"

enum { VERSION_MAX = 64, SAID_MAX = 64 * 1024, TABLE_MAX = 256 * 1024 };

/* ---- what they say ---- */

int environ_version_text(struct buf *out, const char *text)
{
	for (const char *p = text; *p; p++) {
		size_t len;

		if (!isdigit((unsigned char)*p) ||
			(p > text && (isalnum((unsigned char)p[-1]) && p[-1] != 'v')))
			continue;
		len = strspn(p, "0123456789.");
		if (!memchr(p, '.', len)) {
			p += len - 1;
			continue;
		}
		len += strspn(p + len, "0123456789.abcdefghijklmnopqrstuvwxyz_+-");
		while (len && strchr(".-_+", p[len - 1]))
			len--;
		return buf_add(out, p, len < VERSION_MAX ? len : VERSION_MAX) == 0;
	}
	return 0;
}

/* Append what the prepared program says; 1 if it succeeded. */
static int listen(struct buf *out, struct run *r)
{
	int rc = run_capture(r, NULL, 0, out);

	err_clear();
	run_release(r);
	return rc == 0;
}

static int ask(struct buf *out, const char *fact, const char *path)
{
	struct run r = RUN_INIT;
	struct buf said = {.max = SAID_MAX};
	int found;

	r.err = RUN_TO_STDOUT; /* Java and old Pythons */
	r.dir = "/";
	found = strvec_pushl(&r.argv, path, strcmp(fact, "java") == 0 ? "-version" : "--version",
			(char *)NULL) == 0 &&
		listen(&said, &r) && environ_version_text(out, buf_str(&said));
	buf_release(&said);
	return found;
}

/* ---- what is remembered ---- */

/* A line: "<version>\t<size> <mtime> <ctime> <inode>\t<path>\n".  The part behind the version. */
static int format_key(struct buf *out, const struct stat *st, const char *path)
{
	return buf_addf(out, "\t%lld %lld %lld %llu\t%s\n", (long long)st->st_size,
		(long long)fs_mtime_ns(st), (long long)fs_ctime_ns(st),
		(unsigned long long)st->st_ino, path);
}

static int table_path(struct buf *out, const struct repo *repo)
{
	return buf_addf(out, "%s/programs", repo->dir->dvx_dir);
}

static int remembered(struct buf *out, const struct repo *repo, const struct buf *key)
{
	struct buf path = BUF_INIT, table = {.max = TABLE_MAX};
	const char *at = NULL, *line;
	int found = 0;

	if (table_path(&path, repo) == 0 && buf_read_file(&table, path.p) == 0)
		at = strstr(table.p, key->p);
	if (at) {
		for (line = at; line > table.p && line[-1] != '\n';)
			line--;
		found = at > line && at - line <= VERSION_MAX &&
			!memchr(line, '\t', (size_t)(at - line)) &&
			buf_add(out, line, (size_t)(at - line)) == 0;
	}
	err_clear();
	buf_release(&path);
	buf_release(&table);
	return found;
}

/* A table that is too long begins anew; what cannot be written is asked for again. */
static void remember(const struct repo *repo, const struct buf *key, const char *version)
{
	struct buf path = BUF_INIT, table = {.max = TABLE_MAX};

	if (table_path(&path, repo) == 0) {
		if (buf_read_file(&table, path.p) < 0)
			buf_reset(&table);
		if (table.len + key->len + VERSION_MAX >= TABLE_MAX)
			buf_reset(&table);
		if (buf_addf(&table, "%s%s", version, key->p) == 0 &&
			fs_mkdirs(repo->dir->dvx_dir) == 0)
			(void)fs_replace_file(path.p, table.p, table.len, 0);
	}
	err_clear();
	buf_release(&path);
	buf_release(&table);
}

/* ---- what files say ---- */

/* "version = 3.11.2" of a virtual environment's pyvenv.cfg. */
static int venv_version(struct buf *out, const char *prefix)
{
	struct buf path = BUF_INIT, text = {.max = SAID_MAX};
	const char *at = NULL;
	int found = 0;

	if (buf_addf(&path, "%s/pyvenv.cfg", prefix) == 0 && buf_read_file(&text, path.p) == 0)
		at = strstr(text.p, "\nversion");
	if (at)
		found = environ_version_text(out, at);
	err_clear();
	buf_release(&path);
	buf_release(&text);
	return found;
}

/* "conda-meta/python-3.11.2-h2755cc3_0.json" of a conda environment. */
static int conda_version(struct buf *out, const char *prefix, const char *package)
{
	struct buf path = BUF_INIT;
	size_t len = strlen(package);
	struct dirent *e;
	DIR *dir = NULL;
	int found = 0;

	if (buf_addf(&path, "%s/conda-meta", prefix) == 0)
		dir = opendir(path.p);
	while (dir && !found && (e = readdir(dir))) {
		const char *v = e->d_name + len + 1, *end;

		if (strncmp(e->d_name, package, len) != 0 || e->d_name[len] != '-' ||
			!isdigit((unsigned char)*v))
			continue;
		end = strchr(v, '-');
		found = end && end - v < VERSION_MAX && buf_add(out, v, (size_t)(end - v)) == 0;
	}
	if (dir)
		closedir(dir);
	buf_release(&path);
	return found;
}

static int environment_version(struct buf *out, const char *fact, const char *path)
{
	struct buf prefix = BUF_INIT;
	int found = 0, python = strcmp(fact, "python") == 0;

	if (environ_prefix(&prefix, path))
		found = (python && venv_version(out, prefix.p)) ||
			conda_version(out, prefix.p,
				python			    ? "python"
				: strcmp(fact, "R") == 0    ? "r-base"
				: strcmp(fact, "node") == 0 ? "nodejs"
				: strcmp(fact, "java") == 0 ? "openjdk"
							    : fact) ||
			(python && environ_python_series(out, prefix.p));
	buf_release(&prefix);
	return found;
}

/* ---- all of it ---- */

static int is_below(const char *top, const char *path)
{
	size_t len = strlen(top);

	return strncmp(path, top, len) == 0 && path[len] == '/';
}

/* In the worktree, or reached through it: "../python" of a submodule is the outer repository's, a
 * link says what is started as well as a file does.  `real`: `path` without links. */
static int is_of_repository(const struct repo *repo, const char *path, const char *real)
{
	char *top = repo->dir->worktree ? realpath(repo->dir->worktree, NULL) : NULL;
	int is = top && (is_below(top, real) || is_below(top, path) ||
				is_below(repo->dir->worktree, path));

	free(top);
	return is;
}

static int is_script(const char *path)
{
	char head[2] = {0, 0};
	FILE *f = fopen(path, "re");
	int script = f && fread(head, 1, 2, f) == 2 && head[0] == '#' && head[1] == '!';

	if (f)
		fclose(f);
	return script;
}

/* The version that the nearest ".python-version" or ".tool-versions" from `dir` upwards names, for
 * the manager's variable: 1, or 0.  Only a plain name: asdf would start "path:./x". */
static int pinned_version(struct buf *out, const char *dir, const char *file, const char *key)
{
	static const char plain[] = "0123456789.-_+"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	struct buf place = BUF_INIT, path = BUF_INIT, text = {.max = SAID_MAX};
	const char *at = NULL;
	size_t len = 0;
	int rc = buf_addstr(&place, dir);

	while (rc == 0 && !text.len && place.len) {
		buf_reset(&path);
		rc = buf_addf(&path, "%s/%s", place.p, file);
		if (rc == 0 && buf_read_file(&text, path.p) < 0)
			buf_reset(&text);
		buf_truncate(&place, (size_t)(strrchr(place.p, '/') - place.p));
	}
	for (at = text.len ? text.p : NULL; at && strncmp(at, key, strlen(key)) != 0;)
		at = (at = strchr(at, '\n')) ? at + 1 : NULL;
	if (at) {
		at += strlen(key);
		at += strspn(at, " \t");
		len = strspn(at, plain);
	}
	len = len && len < VERSION_MAX && isalnum((unsigned char)*at) && strchr(" \t\r\n", at[len])
		      ? len
		      : 0;
	err_clear();
	rc = len && buf_add(out, at, len) == 0;
	buf_release(&place);
	buf_release(&path);
	buf_release(&text);
	return rc;
}

/* Version managers look into the directory where they are started, and may start what its files
 * say; so they are started elsewhere, and told only the version. */
static int pin(struct strvec *env, const char *dir)
{
	static const char *const managers[][3] = {{"PYENV_VERSION", ".python-version", ""},
		{"ASDF_PYTHON_VERSION", ".tool-versions", "python "}};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(managers) / sizeof(*managers); i++) {
		struct buf version = BUF_INIT;

		if (!getenv(managers[i][0]) &&
			pinned_version(&version, dir, managers[i][1], managers[i][2]))
			rc = strvec_pushf(env, "%s=%s", managers[i][0], version.p);
		buf_release(&version);
	}
	return rc;
}

int environ_unshim(struct buf *path, const struct repo *repo, const char *fact, const char *wdir)
{
	struct run r = RUN_INIT;
	struct buf said = {.max = SAID_MAX}, dir = BUF_INIT;
	char *real = realpath(path->p, NULL);
	int rc = 0;

	if (!real || strcmp(fact, "python") != 0 || !is_script(real) ||
		is_of_repository(repo, path->p, real))
		goto done;
	rc = buf_addf(&dir, "%s/%s", repo->dir->worktree, wdir);
	r.dir = "/";
	r.err = RUN_NULL;
	if (rc == 0)
		rc = pin(&r.env, dir.p);
	if (rc == 0)
		rc = strvec_pushl(&r.argv, path->p, "-I", "-c", "import sys; print(sys.executable)",
			(char *)NULL);
	if (rc == 0 && listen(&said, &r) && said.len && said.p[0] == '/') {
		buf_rtrim(&said);
		buf_reset(path);
		rc = buf_add(path, said.p, said.len);
	}
done:
	free(real);
	run_release(&r);
	buf_release(&dir);
	buf_release(&said);
	return rc;
}

int environ_version(struct buf *out, const struct repo *repo, const char *fact, const char *path)
{
	char *real = realpath(path, NULL);
	struct buf key = BUF_INIT;
	struct stat st;
	int found = 0, shim;

	if (!real || stat(real, &st) < 0 || !S_ISREG(st.st_mode))
		goto done;
	if (environment_version(out, fact, path)) {
		found = 1;
		goto done;
	}
	if (is_of_repository(repo, path, real) || access(real, X_OK) < 0)
		goto done;
	shim = is_script(real); /* of a version manager: what it starts is elsewhere */
	if (format_key(&key, &st, real) < 0)
		goto done;
	if (!shim && remembered(out, repo, &key)) {
		found = 1;
		goto done;
	}
	found = ask(out, fact, path);
	if (found && !shim)
		remember(repo, &key, out->p);
done:
	free(real);
	buf_release(&key);
	return found;
}
