/*
 * git-dvx-filter: clean, smudge, filter-process and late rehydration.  Started by Git for every
 * command that touches tracked data, so it must start like an empty program: nothing is looked up
 * before the first request needs it.
 *
 *   git-dvx-filter                     the long-running process (filter.dvx.process)
 *   git-dvx-filter clean [--] [PATH]   one file, stdin to stdout
 *   git-dvx-filter smudge [--] [PATH]
 *
 * filter.dvx.process is one word, so that Git needs no shell to start it.
 */
#include "filter/filter.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/gitvalue.h"
#include "lib/base/fs.h"
#include "lib/base/run.h"
#include "lib/store/pointer.h"

volatile sig_atomic_t filter_stop;

static void on_signal(int number)
{
	filter_stop = number;
}

static void catch_signals(void)
{
	struct sigaction stop = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	struct sigaction ignore = {.sa_handler = SIG_IGN};

	/* Ctrl-C reaches the whole group.  Git closes the pipe and waits; we leave things in order.
	 */
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGHUP, &stop, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
}

int filter_open_repository(struct filter *f)
{
	const char *rehydrate;
	int rc;

	if (f->store)
		return 0;
	if (!f->git && (rc = gitdir_discover(&f->git)) < 0)
		return rc;
	if (!f->config && (rc = config_load_tolerant(&f->config, f->git)) < 0)
		return rc;
	if ((f->hash_len = config_hash_len(f->config)) < 0)
		return f->hash_len;
	rehydrate = config_get(f->config, "dvx.rehydrate");
	f->inline_only = rehydrate && !strcmp(rehydrate, "inline");
	f->skip_smudge = gitvalue_lfs_env("GIT_LFS_SKIP_SMUDGE", 0);
	f->pointers_on_error = gitvalue_lfs_env("GIT_LFS_SKIP_DOWNLOAD_ERRORS", 0) ||
			       config_bool(f->config, "lfs.skipdownloaderrors", 0);
	if ((rc = pathmatch_add(&f->wanted.include, config_get(f->config, "lfs.fetchinclude"))) <
			0 ||
		(rc = pathmatch_add(
			 &f->wanted.exclude, config_get(f->config, "lfs.fetchexclude"))) < 0)
		return rc;
	if ((rc = minsize_new(&f->minsize, f->git, f->config)) < 0)
		return rc;
	if ((rc = lfsext_load(&f->extensions, f->config)) < 0)
		return rc;
	return store_open(&f->store, f->git, f->config);
}

int filter_spool(const struct filter *f)
{
	int fd = open(f->git->git_dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0) /* no O_TMPFILE there */
		fd = memfd_create("dvx-filter", MFD_CLOEXEC);
	return fd < 0 ? err_sys("cannot hold a large file") : fd;
}

void filter_release(struct filter *f)
{
	store_close(f->store);
	late_free(f->late);
	minsize_free(f->minsize);
	forshow_release(&f->forshow);
	pathmatch_release(&f->wanted);
	lfsext_release(&f->extensions);
	config_free(f->config);
	gitdir_free(f->git);
}

/* ---- one file, stdin to stdout ---- */

struct fd_source {
	struct source base;
	uint8_t *data;
};

enum { FD_PIECE = 1 << 18 };

static int fd_next(struct source *base, const uint8_t **data, size_t *len)
{
	struct fd_source *s = (struct fd_source *)base;
	ssize_t n = fs_read_full(STDIN_FILENO, s->data, FD_PIECE);

	*data = s->data;
	*len = n > 0 ? (size_t)n : 0;
	return n < 0 ? (int)n : n > 0;
}

static int fd_put(struct sink *s, const void *data, size_t len)
{
	(void)s;
	return fs_write_full(STDOUT_FILENO, data, len);
}

static int copy_source(struct source *in)
{
	const uint8_t *data;
	size_t len;
	int rc;

	while ((rc = in->next(in, &data, &len)) > 0) {
		if ((rc = fs_write_full(STDOUT_FILENO, data, len)) < 0)
			return rc;
	}
	return rc;
}

static int clean_stdin(struct filter *f, const char *path, struct source *in)
{
	struct buf answer = BUF_INIT;
	int rc = clean_content(f, path, in, &answer);

	if (rc == 0)
		rc = fs_write_full(STDOUT_FILENO, buf_str(&answer), answer.len);
	buf_release(&answer);
	return rc;
}

static int smudge_stdin(struct filter *f, const char *path, struct source *in)
{
	struct smudge_request r = {.path = path};
	struct sink out = {fd_put};
	struct buf text = BUF_INIT;
	const uint8_t *data;
	size_t len;
	int rc;

	while ((rc = in->next(in, &data, &len)) > 0 && text.len < POINTER_MAX) {
		if ((rc = buf_add(&text, data, len)) < 0)
			break;
	}
	if (rc > 0) { /* too long for a pointer: as it is */
		rc = fs_write_full(STDOUT_FILENO, text.p, text.len);
		if (rc == 0)
			rc = fs_write_full(STDOUT_FILENO, data, len);
		if (rc == 0)
			rc = copy_source(in);
	} else if (rc == 0) {
		r.text = buf_str(&text);
		r.text_len = text.len;
		rc = smudge_decide(f, &r);
		if (rc == SMUDGE_STREAM)
			rc = smudge_stream(f, &r, &out);
		else if (rc == SMUDGE_CONTENT)
			rc = fs_write_full(STDOUT_FILENO, r.content.p, r.content.len);
		else if (rc == SMUDGE_TEXT)
			rc = fs_write_full(STDOUT_FILENO, r.text, r.text_len);
	}
	buf_release(&r.content);
	buf_release(&text);
	return rc;
}

static int one_file(struct filter *f, int (*work)(struct filter *, const char *, struct source *),
	const char *path)
{
	struct fd_source in = {.base = {fd_next}, .data = malloc(FD_PIECE)};
	int rc;

	if (!in.data)
		rc = err_set(ERR_NOMEM, "out of memory");
	else if ((rc = filter_open_repository(f)) == 0)
		rc = work(f, path, &in.base);
	free(in.data);
	if (rc >= 0)
		return 0;
	fprintf(stderr, "error: %s\n", err_msg());
	return 128;
}

/* ---- after a session ---- */

/* A clone has the filter but not yet the hooks, and a push without them would leave the data
 * behind.  Git LFS installs its hooks at this moment too. */
static void install_hooks_if_absent(const struct filter *f)
{
	struct run update = RUN_INIT;
	struct buf hook = BUF_INIT, program = BUF_INIT;

	if (!f->git || !f->git->worktree || !f->config || config_get(f->config, "core.hookspath") ||
		!config_bool(f->config, "dvx.hooks", 1))
		return;
	if (buf_addf(&hook, "%s/hooks/pre-push", f->git->common_dir) == 0 && !fs_exists(hook.p) &&
		run_resolve_sibling(&program, "git-dvx") == 0 &&
		strvec_pushl(&update.argv, program.p, "update", NULL) == 0) {
		update.in = update.out = update.err = RUN_NULL;
		if (run_start(&update) == 0)
			run_finish(&update);
	}
	run_release(&update);
	buf_release(&hook);
	buf_release(&program);
}

static const char usage[] = "usage: git-dvx-filter [filter-process]\n"
			    "   or: git-dvx-filter clean [--] [<path>]\n"
			    "   or: git-dvx-filter smudge [--] [<path>]\n";

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "filter-process";
	int operand = argc > 2 && !strcmp(argv[2], "--") ? 3 : 2;
	const char *path = argc > operand ? argv[operand] : NULL;
	struct filter f = {.forshow = FORSHOW_INIT};
	int exit_code;

	catch_signals();
	if (argc > operand + 1)
		verb = "";
	if (!strcmp(verb, "filter-process")) {
		if (late_new(&f.late) < 0) {
			fprintf(stderr, "error: %s\n", err_msg());
			return 128;
		}
		exit_code = session_run(&f);
		install_hooks_if_absent(&f);
	} else if (!strcmp(verb, "clean")) {
		exit_code = one_file(&f, clean_stdin, path);
	} else if (!strcmp(verb, "smudge")) {
		exit_code = one_file(&f, smudge_stdin, path);
	} else if (!strcmp(verb, "--version")) {
		printf("git-dvx-filter %s\n", DVX_VERSION);
		exit_code = 0;
	} else if (!strcmp(verb, "-h") || !strcmp(verb, "--help")) {
		fputs(usage, stdout);
		exit_code = 0;
	} else {
		fprintf(stderr, "error: unknown or superfluous argument\n%s", usage);
		exit_code = 129;
	}
	filter_release(&f);
	return exit_code;
}
