/*
 * Logs of failures in ".git/lfs/logs", and `git lfs logs`, which shows them.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "commands/lfs/lfs.h"
#include "commands/version.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/setup/intree.h"

static int logs_dir(struct buf *out, const struct command_ctx *ctx)
{
	return buf_addf(out, "%s/lfs/logs", ctx->g->common_dir);
}

/* ---- writing ---- */

/* An argument, without the password of a URL. */
static int add_argument(struct buf *text, const char *arg)
{
	size_t at, len = intree_url_secret(arg, &at);

	if (len == 0)
		return buf_addf(text, " %s", arg);
	return buf_addf(text, " %.*s***%s", (int)at, arg, arg + at + len);
}

static int compose(struct buf *text, struct command_ctx *ctx, int argc, char **argv,
	const struct tm *now, const char *message)
{
	char date[32];
	int rc = lfs_version(text);

	strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", now);
	if (rc == 0)
		rc = buf_addstr(text, "\ngit version ");
	if (rc == 0)
		rc = version_git(text);
	if (rc == 0)
		rc = buf_addstr(text, "\n\n$ git-lfs");
	for (int i = 0; rc == 0 && i < argc; i++)
		rc = add_argument(text, argv[i]);
	if (rc == 0)
		rc = buf_addf(
			text, "\n%s\n\nCurrent time in UTC:\n%s\n\nEnvironment:\n", message, date);
	return rc == 0 ? lfs_environment(text, ctx) : rc;
}

int lfs_log_write(
	struct buf *path, struct command_ctx *ctx, int argc, char **argv, const char *message)
{
	struct buf text = BUF_INIT;
	struct timespec ts;
	struct tm now;
	char name[32];
	int rc;

	if (ctx->g == NULL)
		return 0;
	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &now);
	strftime(name, sizeof(name), "%Y%m%dT%H%M%S", &now);
	rc = logs_dir(path, ctx);
	if (rc == 0)
		rc = fs_mkdirs(path->p);
	if (rc == 0)
		rc = buf_addf(path, "/%s.%09ld.log", name, ts.tv_nsec);
	if (rc == 0)
		rc = compose(&text, ctx, argc, argv, &now, message);
	if (rc == 0)
		rc = fs_replace_file(path->p, text.p, text.len, 0);
	buf_release(&text);
	if (rc < 0)
		buf_reset(path);
	return rc;
}

/* ---- showing ---- */

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Their names, oldest first. */
static int list_logs(struct strvec *names, const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int rc = 0;

	if (d == NULL)
		return errno == ENOENT ? 0 : err_sys("cannot read '%s'", dir);
	while (rc == 0 && (e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			rc = strvec_push(names, e->d_name);
	closedir(d);
	if (names->n > 0)
		qsort(names->v, names->n, sizeof(*names->v), by_name);
	return rc;
}

static int show(const char *dir, const char *name)
{
	struct buf path = BUF_INIT, text = BUF_INIT;
	int rc = fs_join(&path, dir, name);

	if (rc == 0 && (strchr(name, '/') != NULL || buf_read_file(&text, path.p) < 0))
		rc = lfs_fail(LFS_FAILED, "Error reading log: %s", name);
	if (rc == 0)
		fputs(buf_str(&text), stdout);
	buf_release(&path);
	buf_release(&text);
	return rc;
}

static int clear(const char *dir, const struct strvec *names)
{
	struct buf path = BUF_INIT;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < names->n; i++) {
		buf_reset(&path);
		rc = fs_join(&path, dir, names->v[i]);
		if (rc == 0 && unlink(path.p) < 0 && errno != ENOENT)
			rc = err_sys("cannot remove '%s'", path.p);
	}
	if (rc == 0 && rmdir(dir) < 0 && errno != ENOENT)
		rc = err_sys("cannot remove '%s'", dir);
	if (rc == 0)
		printf("Cleared %s\n", dir);
	buf_release(&path);
	return rc;
}

static int do_logs(const char *dir, const struct strvec *names, int n, char **v)
{
	if (n > 0 && strcmp(v[0], "last") == 0) {
		if (names->n > 0)
			return show(dir, names->v[names->n - 1]);
		puts("No logs to show");
	} else if (n > 0 && strcmp(v[0], "show") == 0) {
		if (n > 1)
			return show(dir, v[1]);
		puts("Supply a log name.");
	} else if (n > 0 && strcmp(v[0], "clear") == 0) {
		return clear(dir, names);
	} else if (n > 0 && strcmp(v[0], "boomtown") == 0) {
		return err_set(ERR_CORRUPT, "Sample panic message");
	} else {
		for (size_t i = 0; i < names->n; i++)
			puts(names->v[i]);
	}
	return 0;
}

int lfs_logs(struct command_ctx *ctx, int argc, char **argv)
{
	const struct opt options[] = {OPT_END};
	struct strvec names = STRVEC_INIT;
	struct buf dir = BUF_INIT;
	int n, rc;

	if (command_options(&rc, argc, argv, options,
		    "git lfs logs [last | show <log> | clear | boomtown]", 0, &n))
		return rc;
	if (ctx->g == NULL)
		return COMMAND_OK;
	rc = logs_dir(&dir, ctx);
	if (rc == 0)
		rc = list_logs(&names, dir.p);
	if (rc == 0)
		rc = do_logs(dir.p, &names, n, argv + 1);
	strvec_release(&names);
	buf_release(&dir);
	return rc;
}
