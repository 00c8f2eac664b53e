/*
 * Secrets of remotes go to `.git/config`, but not by `git config <key> <value>`: the arguments of a
 * process are there for everybody to read.
 *
 * Git still finds the place in the file, whose syntax it knows best:
 *   config.lock is taken, as Git does ─► a copy beside it ─► `git config --file <copy> <key>
 * <mark>` ─► the mark, a random word, is replaced by the quoted secret ─► into the lock, and
 * renamed
 */
#include "commands/remote_secret.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/lockfile.h"
#include "lib/repo/git.h"

enum { WAIT_MS = 1000, MARK_LEN = 32 };

static int make_mark(char mark[static MARK_LEN + 1])
{
	uint64_t random[2];

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return err_sys("cannot get random bytes");
	snprintf(mark, MARK_LEN + 1, "%016llx%016llx", (unsigned long long)random[0],
		(unsigned long long)random[1]);
	return 0;
}

/* As git-config(1) has it: within quotes, blanks, '#' and ';' are themselves. */
static int add_quoted(struct buf *out, const char *value)
{
	int rc = buf_addch(out, '"');

	for (; rc == 0 && *value != '\0'; value++) {
		if (*value == '"' || *value == '\\')
			rc = buf_addch(out, '\\');
		if (rc == 0)
			rc = buf_addch(out, *value);
	}
	return rc < 0 ? rc : buf_addch(out, '"');
}

/* Secrets were in it. */
static void wipe(struct buf *text)
{
	if (text->len > 0)
		explicit_bzero(text->p, text->len);
	buf_release(text);
}

/* `text` with the mark replaced. */
static int put_value(struct buf *out, const struct buf *text, const char *mark, const char *value)
{
	const char *at = strstr(buf_str(text), mark);
	int rc;

	if (at == NULL)
		return err_set(ERR_CORRUPT, "'git config' did not write what it was given");
	rc = buf_add(out, text->p, (size_t)(at - text->p));
	if (rc == 0)
		rc = add_quoted(out, value);
	return rc < 0 ? rc : buf_addstr(out, at + MARK_LEN);
}

/* `text` becomes what Git makes of it when `key` is set to `mark`. */
static int let_git_edit(const struct repo *repo, struct buf *text, const char *path,
	const char *key, const char *mark)
{
	struct buf copy = BUF_INIT, option = BUF_INIT;
	int fd = fs_tempfile(&copy, path), rc = fd < 0 ? fd : 0;

	if (fd < 0)
		goto done;
	if (fchmod(fd, 0600) < 0) /* older secrets are in it */
		rc = err_sys("cannot change the mode of '%s'", copy.p);
	if (rc == 0)
		rc = fs_write_full(fd, buf_str(text), text->len);
	close(fd);
	if (rc == 0)
		rc = buf_addf(&option, "--file=%s", copy.p);
	if (rc == 0)
		rc = git_run(
			repo, NULL, 0, NULL, "config", option.p, "--replace-all", key, mark, NULL);
	wipe(text);
	if (rc == 0)
		rc = buf_read_file(text, copy.p);
	unlink(copy.p);
done:
	buf_release(&copy);
	buf_release(&option);
	return rc;
}

/* 1 if Git gives others access to its files. */
static int is_shared(const struct config *c)
{
	static const char *const no[] = {"umask", "false", "no", "off", "0", ""};
	const char *value = config_get(c, "core.sharedrepository");

	for (size_t i = 0; value != NULL && i < sizeof(no) / sizeof(no[0]); i++)
		if (strcasecmp(value, no[i]) == 0)
			return 0;
	return value != NULL;
}

static mode_t mode_of(const struct config *c, const char *path)
{
	struct stat st;

	if (!is_shared(c) || stat(path, &st) < 0)
		return 0600;
	if (st.st_mode & 077)
		fprintf(stderr,
			"warning: core.sharedRepository lets others read '%s', and the secret in "
			"it\n",
			path);
	return st.st_mode & 0777;
}

static int fill(struct lockfile *lock, const struct buf *text, mode_t mode)
{
	int rc = fs_write_full(lock->fd, text->p, text->len);

	if (rc == 0 && fchmod(lock->fd, mode) < 0)
		rc = err_sys("cannot change the mode of '%s'", lock->path.p);
	return rc < 0 ? rc : fs_fsync(lock->fd, lock->path.p);
}

int remote_secret_set(
	const struct repo *repo, const struct config *c, const char *key, const char *value)
{
	struct lockfile lock = LOCKFILE_INIT;
	struct buf path = BUF_INIT, text = BUF_INIT, changed = BUF_INIT, prefix = BUF_INIT;
	char mark[MARK_LEN + 1];
	int rc = fs_join(&path, repo->dir->common_dir, "config");

	if (rc == 0)
		rc = lockfile_take(&lock, path.p, 0600, WAIT_MS);
	if (rc == 0)
		rc = make_mark(mark);
	if (rc == 0)
		rc = buf_read_file(&text, path.p);
	if (rc == 0)
		rc = buf_addf(&prefix, "%s.dvx-", path.p);
	if (rc == 0)
		rc = let_git_edit(repo, &text, prefix.p, key, mark);
	if (rc == 0)
		rc = put_value(&changed, &text, mark, value);
	if (rc == 0)
		rc = fill(&lock, &changed, mode_of(c, path.p));
	if (rc == 0)
		rc = lockfile_commit(&lock);
	if (rc == 0)
		rc = fs_fsync_parent(path.p);
	lockfile_rollback(&lock);
	wipe(&text);
	wipe(&changed);
	buf_release(&path);
	buf_release(&prefix);
	return rc;
}
