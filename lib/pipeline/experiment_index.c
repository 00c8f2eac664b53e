/*
 * Trees of the worktree as it is, without touching the user's index: a copy of it is brought up to
 * date by Git, so data goes through the filter into the store, as with `git add`.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/pipeline/experiment_internal.h"
#include "lib/repo/git.h"

/* Run what was prepared, with these arguments behind. */
static int run_with(
	struct run *r, const void *input, size_t input_len, struct buf *out, va_list arguments)
{
	const char *arg, *word = NULL;
	int rc = 0;

	while (rc == 0 && (arg = va_arg(arguments, const char *)) != NULL) {
		if (!word && arg[0] != '-' && !strchr(arg, '='))
			word = arg;
		rc = strvec_push(&r->argv, arg);
	}
	if (rc == 0)
		rc = run_capture(r, input, input_len, out);
	if (rc == 128 + SIGINT)
		rc = err_set(ERR_INTERRUPTED, "interrupted");
	if (rc > 0)
		rc = err_set(ERR_INVALID, "'git %s' failed with exit status %d", word, rc);
	return rc;
}

int exp_git(const struct repo *repo, const char *index, const void *input, size_t input_len,
	struct buf *out, ...)
{
	struct run r = RUN_INIT;
	va_list ap;
	int rc = git_prepare(&r, repo, (char *)NULL);

	if (rc == 0 && index)
		rc = strvec_pushf(&r.env, "GIT_INDEX_FILE=%s", index);
	va_start(ap, out);
	if (rc == 0)
		rc = run_with(&r, input, input_len, out, ap);
	va_end(ap);
	run_release(&r);
	return rc;
}

int exp_git_whole(const struct repo *repo, int lock, const void *input, size_t input_len, ...)
{
	struct run r = RUN_INIT;
	va_list ap;
	int rc = git_prepare(&r, repo, (char *)NULL);

	r.own_session = 1;
	r.keep_fd = lock;
	va_start(ap, input_len);
	if (rc == 0)
		rc = run_with(&r, input, input_len, NULL, ap);
	va_end(ap);
	run_release(&r);
	return rc;
}

int exp_split(struct strvec *out, const struct buf *text)
{
	const char *at = buf_str(text), *end = at + text->len;
	int rc = 0;

	for (; rc == 0 && at < end; at += strlen(at) + 1)
		rc = strvec_push(out, at);
	return rc;
}

/* Copy the file with its time: entries that are as young as the index are those that Git looks
 * into, and with a younger index it would trust them. */
static int copy_with_time(const char *from, const char *to_prefix, struct buf *to)
{
	int fd = open(from, O_RDONLY | O_CLOEXEC), copy = -1, rc = 0;
	struct timespec times[2];
	struct stat st;

	if (fd < 0)
		return err_sys("cannot open '%s'", from);
	if (fstat(fd, &st) < 0)
		rc = err_sys("cannot stat '%s'", from);
	if (rc == 0)
		rc = copy = fs_tempfile(to, to_prefix);
	if (rc >= 0)
		rc = fs_clone_or_copy(copy, fd, 0, (uint64_t)st.st_size);
	if (rc >= 0) {
		times[0] = st.st_atim;
		times[1] = st.st_mtim;
		rc = futimens(copy, times) < 0 ? err_sys("cannot set the time of '%s'", to->p) : 0;
	}
	if (copy >= 0)
		close(copy);
	close(fd);
	return rc < 0 ? rc : 0;
}

static int refuse_unmerged(const struct repo *repo)
{
	struct buf out = BUF_INIT;
	int rc = git_run(repo, NULL, 0, &out, "ls-files", "--unmerged", "-z", (char *)NULL);

	if (rc == 0 && out.len > 0)
		rc = err_set(ERR_INVALID,
			"'%s' is not merged; finish the merge, or 'git merge --abort'",
			strchr(out.p, '\t') ? strchr(out.p, '\t') + 1 : "a file");
	buf_release(&out);
	return rc;
}

int exp_index_copy(struct buf *path, const struct repo *repo)
{
	struct buf prefix = BUF_INIT, ignored = BUF_INIT;
	int rc = refuse_unmerged(repo);

	if (rc == 0)
		rc = exp_work_root(&prefix, repo);
	if (rc == 0)
		rc = fs_mkdirs(prefix.p);
	if (rc == 0)
		rc = buf_addstr(&prefix, "/.index-");
	if (rc == 0)
		rc = copy_with_time(repo->dir->index, prefix.p, path);
	if (rc == 0)
		rc = exp_git(repo, path->p, NULL, 0, &ignored, "add", "--update", "--", ":/",
			(char *)NULL);
	buf_release(&prefix);
	buf_release(&ignored);
	return rc;
}

void exp_index_remove(struct buf *path)
{
	if (path->len > 0)
		unlink(path->p);
	buf_release(path);
}

int exp_index_add(const struct repo *repo, const char *index, const struct strvec *paths)
{
	struct buf input = BUF_INIT, ignored = BUF_INIT;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < paths->n; i++)
		rc = buf_add(&input, paths->v[i], strlen(paths->v[i]) + 1);
	if (rc == 0 && paths->n > 0)
		rc = exp_git(repo, index, input.p, input.len, &ignored, "--literal-pathspecs",
			"add", "--force", "--pathspec-from-file=-", "--pathspec-file-nul",
			(char *)NULL);
	buf_release(&input);
	buf_release(&ignored);
	return rc;
}

int exp_index_add_pipeline(const struct repo *repo, const char *index)
{
	struct buf out = BUF_INIT;
	struct strvec paths = STRVEC_INIT;
	int rc = exp_git(repo, index, NULL, 0, &out, "ls-files", "-z", "--others",
		"--exclude-standard", "--", ":(top,glob)**/dvx.yaml", ":(top,glob)**/dvc.yaml",
		":(top,glob)**/dvx.lock", ":(top,glob)**/params.yaml",
		":(top,glob)**/.gitattributes", ":(top).dvxconfig", (char *)NULL);

	if (rc == 0)
		rc = exp_split(&paths, &out);
	if (rc == 0)
		rc = exp_index_add(repo, index, &paths);
	strvec_release(&paths);
	buf_release(&out);
	return rc;
}

int exp_index_tree(struct buf *out, const struct repo *repo, const char *index)
{
	int rc = exp_git(repo, index, NULL, 0, out, "write-tree", (char *)NULL);

	buf_rtrim(out);
	return rc;
}
