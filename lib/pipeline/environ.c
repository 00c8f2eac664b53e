/*
 * The environment of a stage's run: what is captured for the record, and the part of it that is
 * declared and therefore makes a stage stale (docs/environment.md).
 */
#include "lib/pipeline/environ.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/pathmatch.h"
#include "lib/base/run.h"
#include "lib/pipeline/environ_internal.h"

enum { LOCK_FILE_MAX = 64 * 1024 * 1024, HASH_SHOWN = 16 };

const char *const environ_facts[] = {"R", "arch", "bash", "cpu", "cpus", "cuda", "git-dvx", "gpu",
	"gpu-driver", "java", "julia", "kernel", "libc", "memory", "node", "os", "perl", "python",
	"ruby", NULL};

/* What results depend on although no file says so. */
static const char *const variables[] = {"CUBLAS_WORKSPACE_CONFIG", "CUDA_VISIBLE_DEVICES", "LANG",
	"LC_ALL", "MKL_NUM_THREADS", "NVIDIA_TF32_OVERRIDE", "OMP_NUM_THREADS",
	"OPENBLAS_NUM_THREADS", "PYTHONHASHSEED", "RANDOM_SEED", "SEED", "TF_DETERMINISTIC_OPS",
	"TZ", NULL};

/* Files that pin versions. */
static const char *const lock_files[] = {"requirements*.txt", "environment*.yml",
	"environment*.yaml", "conda-lock.yml", "uv.lock", "poetry.lock", "Pipfile.lock", "pdm.lock",
	"pixi.lock", "pyproject.toml", "package-lock.json", "yarn.lock", "pnpm-lock.yaml",
	"renv.lock", "Manifest.toml", NULL};

int environ_set(struct node *map, const char *name, const char *value)
{
	struct node *n;

	if (!value || !*value)
		return 0;
	n = node_string(value);
	return n ? node_set(map, name, n) : err_set(ERR_NOMEM, "out of memory");
}

/* ---- variables ---- */

static int ends_in(const char *text, const char *end)
{
	size_t len = strlen(text), n = strlen(end);

	return len >= n && strcasecmp(text + len - n, end) == 0;
}

/* "postgres://user:password@host/db" */
static int has_password(const char *value)
{
	const char *at = strstr(value, "://"), *host, *colon;

	if (!at)
		return 0;
	at += 3;
	host = at + strcspn(at, "/?# ");
	colon = memchr(at, ':', (size_t)(host - at));
	return colon && memchr(colon, '@', (size_t)(host - colon)) != NULL;
}

static int is_secret(const char *name, const char *value)
{
	static const char *const words[] = {
		"KEY", "TOKEN", "SECRET", "PASS", "PWD", "AUTH", "COOKIE", "SESSION", "CREDENTIAL"};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strcasestr(name, words[i]))
			return 1;
	}
	return ends_in(name, "_PAT") || ends_in(name, "DSN") || has_password(value);
}

/* The value as it may stand in a file that is committed; NULL: unset, which is null. */
static struct node *variable(const char *name, const char *value)
{
	char hex[OID_HEX_LEN + 1], text[sizeof("sha256:") + HASH_SHOWN] = "sha256:";
	struct oid hash;

	if (!value)
		return node_null();
	if (!is_secret(name, value))
		return node_string(value);
	oid_of(&hash, value, strlen(value));
	oid_to_hex(hex, &hash);
	memcpy(text + strlen(text), hex, HASH_SHOWN);
	return node_string(text);
}

static int set_variable(struct node *map, const char *name, const char *value)
{
	struct node *n = variable(name, value);

	return n ? node_set(map, name, n) : err_set(ERR_NOMEM, "out of memory");
}

/* `env: set:`. */
static int set_declared(struct node *map, const struct strvec *set)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < set->n; i++) {
		size_t len = strcspn(set->v[i], "=");
		char *name = strndup(set->v[i], len);

		if (!name)
			return err_set(ERR_NOMEM, "out of memory");
		rc = set_variable(map, name, set->v[i] + len + (set->v[i][len] == '='));
		free(name);
	}
	return rc;
}

static int capture_variables(struct node *map, const struct stage *s)
{
	struct node *v = node_map();
	int rc = v ? 0 : err_set(ERR_NOMEM, "out of memory");

	for (size_t i = 0; rc == 0 && variables[i]; i++) {
		if (getenv(variables[i]))
			rc = set_variable(v, variables[i], getenv(variables[i]));
	}
	for (size_t i = 0; rc == 0 && i < s->env.vars.n; i++) {
		if (getenv(s->env.vars.v[i]))
			rc = set_variable(v, s->env.vars.v[i], getenv(s->env.vars.v[i]));
	}
	if (rc == 0)
		rc = set_declared(v, &s->env.set);
	if (rc == 0 && v->n) {
		rc = node_set(map, "variables", v);
		v = NULL;
	}
	node_free(v);
	return rc;
}

/* ---- lock files ---- */

static int is_lock_file(const char *name)
{
	for (size_t i = 0; lock_files[i]; i++) {
		if (pathmatch_glob(lock_files[i], name))
			return 1;
	}
	return 0;
}

static int set_file(struct node *map, const char *top, const char *path)
{
	struct buf full = BUF_INIT;
	char hex[OID_HEX_LEN + 1];
	struct oid hash;
	struct stat st;
	int fd = -1, rc = buf_addf(&full, "%s/%s", top, path);

	if (rc == 0)
		fd = open(full.p, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= LOCK_FILE_MAX &&
		oid_of_file(&hash, fd) == 0) {
		oid_to_hex(hex, &hash);
		rc = environ_set(map, path, hex);
	}
	err_clear();
	if (fd >= 0)
		close(fd);
	buf_release(&full);
	return rc;
}

/* Those in one directory from the top ("": the top itself). */
static int capture_directory(struct node *files, const struct repo *repo, const char *dir)
{
	const char *top = repo->dir->worktree;
	struct buf path = BUF_INIT;
	struct dirent *e;
	DIR *d = NULL;
	int rc = buf_addf(&path, "%s/%s", top, dir);

	if (rc == 0)
		d = opendir(path.p);
	while (d && rc == 0 && (e = readdir(d))) {
		if (!is_lock_file(e->d_name))
			continue;
		buf_reset(&path);
		rc = buf_addf(&path, "%s%s%s", dir, *dir ? "/" : "", e->d_name);
		if (rc == 0)
			rc = set_file(files, top, path.p);
	}
	if (d)
		closedir(d);
	buf_release(&path);
	return rc;
}

static int capture_files(struct node *map, const struct repo *repo, const struct stage *s)
{
	const char *slash = strrchr(s->file, '/');
	char *dir = strndup(s->file, slash ? (size_t)(slash - s->file) : 0);
	struct node *files = node_map();
	int rc = files && dir ? 0 : err_set(ERR_NOMEM, "out of memory");

	if (rc == 0)
		rc = capture_directory(files, repo, "");
	if (rc == 0 && *s->wdir)
		rc = capture_directory(files, repo, s->wdir);
	if (rc == 0 && *dir && strcmp(dir, s->wdir) != 0)
		rc = capture_directory(files, repo, dir);
	if (rc == 0 && files->n) {
		rc = node_set(map, "files", files);
		files = NULL;
	}
	node_free(files);
	free(dir);
	return rc;
}

/* ---- interpreters ---- */

static int set_version(
	struct node *map, const struct repo *repo, const char *fact, const char *path)
{
	struct buf version = BUF_INIT;
	int rc = 0;

	if (environ_version(&version, repo, fact, path) > 0)
		rc = environ_set(map, fact, version.p);
	buf_release(&version);
	return rc;
}

static int capture_programs(struct node *map, const struct repo *repo, const struct stage *s)
{
	struct environ_programs p = {NULL, 0, 0};
	int rc = environ_find_programs(&p, repo, s);

	for (size_t i = 0; rc == 0 && i < p.n; i++) {
		if (node_get(map, p.v[i].fact)) /* the first one of a kind */
			continue;
		rc = set_version(map, repo, p.v[i].fact, p.v[i].path);
		if (rc == 0 && strcmp(p.v[i].fact, "python") == 0)
			rc = environ_python(map, repo, &p.v[i]);
	}
	environ_programs_release(&p);
	return rc;
}

/* ---- the two maps ---- */

static int capture_machine(struct node *map)
{
	struct buf value = BUF_INIT;
	int rc = 0;

	for (size_t i = 0; rc == 0 && environ_machine_facts[i]; i++) {
		buf_reset(&value);
		rc = environ_machine(&value, environ_machine_facts[i]);
		if (rc > 0)
			rc = environ_set(map, environ_machine_facts[i], value.p);
	}
	buf_release(&value);
	return rc;
}

int environ_capture(struct node **out, const struct repo *repo, const struct stage *s)
{
	struct node *map = node_map();
	int rc = map ? 0 : err_set(ERR_NOMEM, "out of memory");

	*out = NULL;
	if (rc == 0)
		rc = capture_machine(map);
	if (rc == 0)
		rc = capture_programs(map, repo, s);
	if (rc == 0)
		rc = capture_files(map, repo, s);
	if (rc == 0)
		rc = capture_variables(map, s);
	if (rc < 0)
		node_free(map);
	else
		*out = map;
	return rc;
}

/* The fact of the stage's own interpreter, else of the one that PATH has; null: not known. */
static int declared_fact(struct node *map, const struct repo *repo, const struct stage *s,
	const struct environ_programs *p, const char *fact)
{
	const char *program = environ_default_program(fact);
	struct buf value = BUF_INIT, path = BUF_INIT;
	struct node *n;
	int found = 0;

	if (!program) {
		found = environ_machine(&value, fact);
	} else {
		size_t i = 0;

		while (i < p->n && strcmp(p->v[i].fact, fact) != 0)
			i++;
		if (i < p->n)
			found = environ_version(&value, repo, fact, p->v[i].path);
		else if (run_resolve(&path, program) == 0 &&
			 environ_unshim(&path, repo, fact, s->wdir) == 0)
			found = environ_version(&value, repo, fact, path.p);
	}
	err_clear();
	n = found > 0 ? node_string(value.p) : node_null();
	buf_release(&value);
	buf_release(&path);
	return n ? node_set(map, fact, n) : err_set(ERR_NOMEM, "out of memory");
}

static int declared_facts(struct node *map, const struct repo *repo, const struct stage *s)
{
	struct environ_programs p = {NULL, 0, 0};
	int rc = s->env.facts.n ? environ_find_programs(&p, repo, s) : 0;

	for (size_t i = 0; rc == 0 && i < s->env.facts.n; i++)
		rc = declared_fact(map, repo, s, &p, s->env.facts.v[i]);
	environ_programs_release(&p);
	return rc;
}

int environ_declared(struct node **out, const struct repo *repo, const struct stage *s)
{
	struct node *map = node_map();
	int rc = map ? 0 : err_set(ERR_NOMEM, "out of memory");

	*out = NULL;
	for (size_t i = 0; rc == 0 && i < s->env.vars.n; i++)
		rc = set_variable(map, s->env.vars.v[i], getenv(s->env.vars.v[i]));
	if (rc == 0)
		rc = set_declared(map, &s->env.set);
	if (rc == 0)
		rc = declared_facts(map, repo, s);
	if (rc < 0)
		node_free(map);
	else
		*out = map;
	return rc;
}

/* ---- differences ---- */

typedef int diff_fn(const char *name, const struct node *old, const struct node *now, void *data);

static int diff_maps(
	const char *above, const struct node *old, const struct node *now, diff_fn *fn, void *data);

/* One name of both; maps inside are descended into, "variables.TZ". */
static int diff_one(const char *above, const char *key, const struct node *old,
	const struct node *now, diff_fn *fn, void *data)
{
	const struct node *any = now ? now : old;
	struct buf name = BUF_INIT;
	int rc;

	if (old && now && node_equal(old, now))
		return 0;
	rc = buf_addf(&name, "%s%s%s", above, *above ? "." : "", key);
	if (rc == 0 && any->type == NODE_MAP && (!old || old->type == NODE_MAP))
		rc = diff_maps(name.p, old, now, fn, data);
	else if (rc == 0)
		rc = fn(name.p, old, now, data);
	buf_release(&name);
	return rc;
}

static int diff_maps(
	const char *above, const struct node *old, const struct node *now, diff_fn *fn, void *data)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && old && i < old->n; i++)
		rc = diff_one(
			above, old->keys[i], old->items[i], node_get(now, old->keys[i]), fn, data);
	for (size_t i = 0; rc == 0 && now && i < now->n; i++) {
		if (!node_get(old, now->keys[i]))
			rc = diff_one(above, now->keys[i], NULL, now->items[i], fn, data);
	}
	return rc;
}

int environ_diff(const struct node *old, const struct node *now,
	int (*fn)(const char *name, const struct node *old, const struct node *now, void *data),
	void *data)
{
	if ((old && old->type != NODE_MAP) || (now && now->type != NODE_MAP))
		return err_set(ERR_INVALID, "an environment is a map");
	return diff_maps("", old, now, fn, data);
}
