/*
 * Repository discovery (see gitdir.h): the rules of Git's setup.c, which t1510 of Git's own tests
 * spells out.  The filter runs this at every start, so it is a few stats and one read of the
 * repository's config (gitlayout.h).
 */
#include "lib/setup/gitdir.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/gitvalue.h"
#include "lib/setup/gitlayout.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SMALL_FILE_MAX = 1 << 16 };

/* An environment variable; NULL also when it is empty. */
static const char *env(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

/* realpath() on the heap. */
static int real_path(char **out, const char *path)
{
	*out = realpath(path, NULL);
	return *out ? 0 : err_sys("cannot resolve '%s'", path);
}

/* Where a relative path in a file or variable leads: `path` below `base`. */
static int real_below(char **out, const char *base, const char *path)
{
	struct buf joined = BUF_INIT;
	int rc = fs_join(&joined, base, path);

	if (rc == 0)
		rc = real_path(out, joined.p);
	buf_release(&joined);
	return rc;
}

/* Read "<dir>/<name>", without the line end.  ERR_NOTFOUND… */
static int read_small(struct buf *out, const char *dir, const char *name)
{
	struct buf path = BUF_INIT;
	int rc;

	out->max = SMALL_FILE_MAX;
	rc = fs_join(&path, dir, name);
	if (rc == 0)
		rc = buf_read_file(out, path.p);
	while (rc == 0 && out->len && memchr("\r\n", out->p[out->len - 1], 2))
		buf_truncate(out, out->len - 1);
	buf_release(&path);
	return rc;
}

static int copy(char **out, const char *text)
{
	*out = strdup(text);
	return *out ? 0 : err_set(ERR_NOMEM, "out of memory");
}

/* The common directory that belongs to a Git directory; absolute if that is. */
static int find_common(char **out, const char *git_dir, int use_env)
{
	const char *given = use_env ? env("GIT_COMMON_DIR") : NULL;
	struct buf text = BUF_INIT;
	int rc;

	if (given)
		return real_path(out, given);
	rc = read_small(&text, git_dir, "commondir");
	if (rc == 0)
		rc = real_below(out, git_dir, text.p);
	else if (rc == ERR_NOTFOUND)
		rc = copy(out, git_dir);
	buf_release(&text);
	return rc;
}

/* 1, 0, negative. */
static int is_usable_dir(const char *base, const char *name)
{
	struct buf path = BUF_INIT;
	int rc = fs_join(&path, base, name);

	if (rc == 0)
		rc = access(path.p, X_OK) == 0;
	buf_release(&path);
	return rc;
}

/* Out of memory or descriptors, a bad disk: it says nothing about what is there, so nobody may go
 * on and take the repository around this one. */
static int is_no_answer(int rc)
{
	return rc == ERR_IO || rc == ERR_NOMEM;
}

/* HEAD as Git accepts it: a link to refs/…, "ref: …", or an object name.  1, 0, negative. */
static int has_head(const char *git_dir)
{
	struct buf path = BUF_INIT, text = BUF_INIT;
	char target[PATH_MAX];
	ssize_t n;
	int rc = fs_join(&path, git_dir, "HEAD");

	if (rc < 0)
		goto done;
	n = readlink(path.p, target, sizeof target - 1);
	if (n >= 5 && memcmp(target, "refs/", 5) == 0) {
		rc = 1;
		goto done;
	}
	rc = read_small(&text, git_dir, "HEAD");
	if (rc == 0)
		rc = strncmp(text.p, "ref:", 4) == 0 || strspn(text.p, "0123456789abcdef") >= 40;
	else if (!is_no_answer(rc))
		rc = 0;
done:
	buf_release(&path);
	buf_release(&text);
	return rc;
}

/* Git's is_git_directory(): HEAD, objects and refs are there.  1, 0, negative. */
static int is_git_directory(const char *path, int use_env)
{
	char *common = NULL;
	const char *objects = use_env ? env("GIT_OBJECT_DIRECTORY") : NULL;
	int rc = has_head(path);

	if (rc <= 0)
		return rc;
	rc = find_common(&common, path, use_env);
	if (rc < 0)
		return is_no_answer(rc) ? rc : 0;
	rc = objects ? access(objects, X_OK) == 0 : is_usable_dir(common, "objects");
	if (rc > 0)
		rc = is_usable_dir(common, "refs");
	free(common);
	return rc;
}

/* Follow a ".git" file ("gitdir: <path>", relative to the file's directory `dir`). */
static int follow_git_file(char **out, const char *dir, const char *file, int use_env)
{
	static const char key[] = "gitdir: ";
	struct buf text = BUF_INIT;
	int rc = read_small(&text, dir, file);

	if (rc < 0)
		goto done;
	if (strncmp(text.p, key, sizeof key - 1) != 0) {
		rc = err_set(ERR_INVALID, "'%s/%s' is not a valid '.git' file", dir, file);
		goto done;
	}
	rc = real_below(out, dir, text.p + sizeof key - 1);
	if (rc == 0)
		rc = is_git_directory(*out, use_env);
	if (rc <= 0) {
		free(*out);
		*out = NULL;
	}
	if (rc <= 0 && !is_no_answer(rc))
		rc = err_set(ERR_INVALID, "not a git repository: '%s' (from '%s/%s')",
			text.p + sizeof key - 1, dir, file);
done:
	buf_release(&text);
	return rc < 0 ? rc : 0;
}

/* "<dir>/.git" as directory or file.  1 and *out, 0 if there is none, negative. */
static int try_dot_git(char **out, const char *dir, int use_env)
{
	struct buf path = BUF_INIT;
	struct stat st;
	int rc = fs_join(&path, dir, ".git");

	if (rc < 0)
		goto done;
	if (stat(path.p, &st) < 0) {
		rc = err_sys("cannot stat '%s'", path.p);
		rc = is_no_answer(rc) && errno != ELOOP ? rc : 0;
		goto done;
	}
	if (S_ISREG(st.st_mode)) {
		rc = follow_git_file(out, dir, ".git", use_env);
		rc = rc < 0 ? rc : 1;
	} else if ((rc = is_git_directory(path.p, use_env)) > 0) {
		rc = real_path(out, path.p);
		rc = rc < 0 ? rc : 1;
	}
done:
	buf_release(&path);
	return rc;
}

int gitdir_of_path(char **out, const char *path)
{
	char *git_dir = NULL;
	int rc = try_dot_git(&git_dir, path, 0);

	if (rc == 0 && (rc = is_git_directory(path, 0)) > 0)
		rc = real_path(&git_dir, path) < 0 ? 0 : 1;
	if (is_no_answer(rc))
		return rc;
	if (rc <= 0)
		return err_set(ERR_NOTFOUND, "no git repository at '%s'", path);
	rc = find_common(out, git_dir, 0);
	free(git_dir);
	return rc;
}

/* Length of the longest ancestor of `dir` in GIT_CEILING_DIRECTORIES: discovery does not look there
 * or above. 0: none.  Entries behind an empty one are not resolved. */
static size_t ceiling_length(const char *dir)
{
	const char *list = env("GIT_CEILING_DIRECTORIES");
	size_t best = 0;
	int resolve = 1;

	while (list && *list) {
		size_t len = strcspn(list, ":");
		char *entry = strndup(list, len), *real = NULL;
		size_t n;

		if (!len)
			resolve = 0;
		if (entry && *entry == '/') {
			real = resolve ? realpath(entry, NULL) : NULL;
			n = strlen(real ? real : entry);
			while (n > 1 && (real ? real : entry)[n - 1] == '/')
				n--;
			if (strncmp(dir, real ? real : entry, n) == 0 &&
				(dir[n] == '/' || n == 1) && n > best)
				best = n;
		}
		free(entry);
		free(real);
		list += len + (list[len] == ':');
	}
	return best;
}

/* What discovery found: a Git directory, and the directory that had its ".git" (NULL: it is bare,
 * or named by GIT_DIR). */
struct found {
	char *git_dir;
	char *top;
};

/* Is there a repository in this very directory?  1, 0, negative. */
static int look_here(struct found *f, const char *dir)
{
	int rc = try_dot_git(&f->git_dir, dir, 1);

	if (rc > 0) {
		rc = copy(&f->top, dir);
		return rc < 0 ? rc : 1;
	}
	if (rc == 0 && (rc = is_git_directory(dir, 1)) > 0) {
		rc = real_path(&f->git_dir, dir);
		return rc < 0 ? rc : 1;
	}
	return rc;
}

static int search_upwards(struct found *f, const char *cwd)
{
	int across = gitvalue_env("GIT_DISCOVERY_ACROSS_FILESYSTEM", 0);
	size_t ceiling = ceiling_length(cwd);
	char *dir = strdup(cwd);
	struct stat st;
	dev_t device = 0;
	int rc = 0;

	if (!dir)
		return err_set(ERR_NOMEM, "out of memory");
	if (stat(dir, &st) == 0)
		device = st.st_dev;
	while ((rc = look_here(f, dir)) == 0) {
		char *slash = strrchr(dir, '/');
		size_t len = slash == dir ? 1 : (size_t)(slash - dir);

		if (strcmp(dir, "/") == 0 || (ceiling && len <= ceiling))
			break;
		dir[len] = '\0';
		if (!across && (stat(dir, &st) < 0 || st.st_dev != device)) {
			rc = err_set(ERR_NOTFOUND,
				"not a git repository (or any parent up to the mount point; set "
				"GIT_DISCOVERY_ACROSS_FILESYSTEM to look beyond)");
			break;
		}
	}
	if (rc == 0)
		rc = err_set(
			ERR_NOTFOUND, "not a git repository (or any of the parent directories)");
	free(dir);
	return rc < 0 ? rc : 0;
}

/* GIT_DIR: a Git directory or a ".git" file. */
static int take_given(struct found *f, const char *given)
{
	struct stat st;
	int rc;

	if (stat(given, &st) == 0 && S_ISREG(st.st_mode)) {
		struct buf dir = BUF_INIT;
		const char *slash = strrchr(given, '/');

		rc = fs_dirname(&dir, given);
		if (rc == 0)
			rc = follow_git_file(&f->git_dir, dir.p, slash ? slash + 1 : given, 1);
		buf_release(&dir);
		return rc;
	}
	rc = is_git_directory(given, 1);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return err_set(ERR_NOTFOUND, "not a git repository: '%s' (from GIT_DIR)", given);
	return real_path(&f->git_dir, given);
}

/* Decide on the top of the worktree, in Git's order; NULL for a bare repository. */
static int find_worktree(struct gitdir *g, const struct found *f, const char *cwd)
{
	const char *given = getenv("GIT_WORK_TREE");
	struct gitlayout l = GITLAYOUT_INIT;
	int rc = gitlayout_read(&l, g->git_dir, g->common_dir);

	if (rc < 0)
		goto done;
	if (given)
		rc = real_path(&g->worktree, given);
	else if (l.bare > 0)
		; /* core.bare wins over core.worktree */
	else if (l.worktree)
		rc = real_below(&g->worktree, g->git_dir, l.worktree);
	else if (f->top)
		rc = copy(&g->worktree, f->top);
	else if (getenv("GIT_DIR") && gitvalue_env("GIT_IMPLICIT_WORK_TREE", 1))
		rc = copy(&g->worktree, cwd);
done:
	gitlayout_release(&l);
	return rc;
}

/* GIT_INDEX_FILE is relative to where Git works: the top of the worktree. */
static int find_index(struct gitdir *g, const char *cwd)
{
	const char *given = env("GIT_INDEX_FILE");
	struct buf path = BUF_INIT;
	int rc = given ? fs_join(&path, g->worktree ? g->worktree : cwd, given)
		       : fs_join(&path, g->git_dir, "index");

	if (rc == 0)
		g->index = buf_detach(&path);
	buf_release(&path);
	return rc;
}

static int find_prefix(struct gitdir *g, const char *cwd)
{
	size_t len;
	struct buf prefix = BUF_INIT;
	int rc = 0;

	if (!g->worktree)
		return 0;
	len = strlen(g->worktree);
	if (len == 1) /* "/" */
		len = 0;
	if (strncmp(cwd, g->worktree, len) != 0 || (cwd[len] && cwd[len] != '/'))
		return 0;
	if (cwd[len] && cwd[len + 1])
		rc = buf_addf(&prefix, "%s/", cwd + len + 1);
	if (rc == 0)
		g->prefix = buf_detach(&prefix);
	buf_release(&prefix);
	return rc;
}

static int complete(struct gitdir *g, struct found *f, const char *cwd)
{
	struct buf dvx = BUF_INIT;
	int rc;

	g->git_dir = f->git_dir;
	f->git_dir = NULL;
	if ((rc = find_common(&g->common_dir, g->git_dir, 1)) < 0 ||
		(rc = find_worktree(g, f, cwd)) < 0 || (rc = find_index(g, cwd)) < 0 ||
		(rc = find_prefix(g, cwd)) < 0)
		return rc;
	rc = fs_join(&dvx, g->common_dir, "dvx");
	if (rc == 0)
		g->dvx_dir = buf_detach(&dvx);
	buf_release(&dvx);
	return rc;
}

int gitdir_discover(struct gitdir **out)
{
	const char *given = getenv("GIT_DIR"); /* empty is an error, as for Git */
	struct gitdir *g = calloc(1, sizeof *g);
	struct found f = {NULL, NULL};
	char cwd[PATH_MAX];
	int rc;

	if (!g)
		return err_set(ERR_NOMEM, "out of memory");
	if (!getcwd(cwd, sizeof cwd)) {
		rc = err_sys("cannot find the current directory");
		goto done;
	}
	rc = given ? take_given(&f, given) : search_upwards(&f, cwd);
	if (rc == 0)
		rc = complete(g, &f, cwd);
done:
	free(f.git_dir);
	free(f.top);
	if (rc < 0)
		gitdir_free(g);
	else
		*out = g;
	return rc;
}

void gitdir_release(struct gitdir *g)
{
	free(g->git_dir);
	free(g->common_dir);
	free(g->worktree);
	free(g->index);
	free(g->prefix);
	free(g->dvx_dir);
	*g = (struct gitdir){0};
}

void gitdir_free(struct gitdir *g)
{
	if (g)
		gitdir_release(g);
	free(g);
}
