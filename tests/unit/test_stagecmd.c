/*
 * The commands of a stage: lines of output whole and in order, failures told, nothing left running
 * when they fail or when we are killed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lib/base/guard.h"
#include "lib/pipeline/stagecmd.h"
#include "tests/unit/scratch.h"

struct heard {
	struct buf text; /* every line, each with a '|' behind it */
	size_t lines, longest;
};

static int hear(const char *line, void *data)
{
	struct heard *h = data;
	size_t n = strlen(line);

	h->lines++;
	h->longest = n > h->longest ? n : h->longest;
	return n < 1000 ? buf_addf(&h->text, "%s|", line) : 0;
}

/* Run up to two lines with their output captured. */
static int run(struct heard *h, const char *first, const char *second)
{
	struct strvec lines = STRVEC_INIT, env = STRVEC_INIT;
	struct stagecmd c = {.stage = "s",
		.lines = &lines,
		.env = &env,
		.dir = scratch,
		.output = hear,
		.data = h};
	int rc;

	memset(h, 0, sizeof *h);
	assert_int_equal(strvec_push(&env, "COLOUR=red"), 0);
	assert_int_equal(strvec_push(&lines, first), 0);
	if (second)
		assert_int_equal(strvec_push(&lines, second), 0);
	rc = stagecmd_run(&c);
	strvec_release(&lines);
	strvec_release(&env);
	return rc;
}

static void output_comes_in_lines(void **state)
{
	static const struct {
		const char *cmd, *text;
	} cases[] = {{"echo a; echo b >&2; echo c", "a|b|c|"}, {"printf 'x\\n\\ny'", "x||y|"},
		{"printf '10%%\\r20%%\\r100%%\\ndone\\r\\n'", "100%|done|"}, {"true", ""},
		{"echo $COLOUR", "red|"}, {"cat", ""}, {"printf 'a\\000b'", "a b|"}};
	struct heard h;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(run(&h, cases[i].cmd, NULL), 0);
		assert_string_equal(buf_str(&h.text), cases[i].text);
		buf_release(&h.text);
	}
}

static void the_tail_is_not_lost(void **state)
{
	struct heard h;

	(void)state;
	for (int i = 0; i < 20; i++) {
		assert_int_equal(run(&h, "seq 30000; printf end", NULL), 0);
		assert_int_equal(h.lines, 30001);
		assert_string_equal(h.text.p + h.text.len - 10, "30000|end|");
		buf_release(&h.text);
	}
}

static void long_lines_come_in_pieces(void **state)
{
	struct heard h;

	(void)state;
	assert_int_equal(run(&h, "head -c 200000 /dev/zero | tr '\\0' x; echo; echo end", NULL), 0);
	assert_int_equal(h.lines, 5);
	assert_int_equal(h.longest, 65536);
	assert_string_equal(buf_str(&h.text) + h.text.len - 4, "end|");
	buf_release(&h.text);
}

static void failures_say_which_line(void **state)
{
	static const struct {
		const char *cmd, *message;
	} cases[] = {{"exit 3", "stage 's' failed: 'exit 3' exited with status 3"},
		{"nosuchprogram", "'nosuchprogram' exited with status 127 (command not found)"},
		{"kill -SEGV $$", "'kill -SEGV $$' was killed by SIGSEGV (status 139)"}};
	struct heard h;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(run(&h, cases[i].cmd, "echo not reached"), ERR_INVALID);
		assert_non_null(strstr(err_msg(), cases[i].message));
		assert_null(strstr(buf_str(&h.text), "not reached"));
		buf_release(&h.text);
	}
	assert_int_equal(run(&h, "echo one", "echo two; exit 1"), ERR_INVALID);
	assert_string_equal(buf_str(&h.text), "one|two|");
	buf_release(&h.text);
}

/* A daemon has the pipe open: it is neither waited for nor killed. */
static void what_is_left_behind_is_not_waited_for(void **state)
{
	struct heard h;
	struct buf pid = BUF_INIT;

	(void)state;
	assert_int_equal(run(&h, "sleep 100 & echo $! >daemon; echo started", NULL), 0);
	assert_string_equal(buf_str(&h.text), "started|");
	assert_int_equal(buf_read_file(&pid, "daemon"), 0);
	assert_int_equal(kill(atoi(pid.p), SIGKILL), 0);
	buf_release(&h.text);
	buf_release(&pid);
}

/* A FIFO that a process opens for writing: its other end tells when that process is gone. */
static int fifo_new(const char *path)
{
	int fd;

	assert_int_equal(mkfifo(path, 0666), 0);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

/* Whoever had it open is gone; a minute is enough for that. */
static void assert_writer_ends(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	assert_int_equal(poll(&p, 1, 60000), 1);
	assert_int_equal(p.revents, POLLHUP);
	close(fd);
}

static void a_failure_kills_the_rest(void **state)
{
	struct heard h;
	int alive = fifo_new("rest");

	(void)state;
	assert_int_equal(run(&h,
				 "(: >begun; exec sleep 1000) >rest & "
				 "until test -e begun; do sleep 0.01; done; exit 1",
				 NULL),
		ERR_INVALID);
	buf_release(&h.text);
	assert_writer_ends(alive);
}

static void a_missing_directory(void **state)
{
	struct strvec lines = STRVEC_INIT, env = STRVEC_INIT;
	struct stagecmd c = {
		.stage = "s", .lines = &lines, .env = &env, .dir = scratch_path("nowhere")};

	(void)state;
	assert_int_equal(stagecmd_run(&c), ERR_NOTFOUND);
	assert_non_null(strstr(err_msg(), "stage 's' cannot start in its wdir"));
}

/* In a child that is killed: its commands end with it, at once and all of them. */
static void nobody_outlives_us(void **state)
{
	struct heard h;
	int fd, status;
	pid_t pid;

	(void)state;
	fd = open("lock", O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	assert_true(fd > 2);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct strvec lines = STRVEC_INIT, env = STRVEC_INIT;
		struct stagecmd c = {.stage = "s",
			.lines = &lines,
			.env = &env,
			.dir = scratch,
			.claim_fd = fd,
			.output = hear,
			.data = &h};

		memset(&h, 0, sizeof h);
		if (flock(fd, LOCK_EX) < 0)
			_exit(1);
		strvec_push(&lines, "sleep 100 & echo >up; sleep 100; true");
		_exit(stagecmd_run(&c) < 0);
	}
	close(fd);
	while (!fs_exists("up"))
		poll(NULL, 0, 10);
	fd = open("lock", O_RDWR | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), -1);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	/* two sleeps of 100 seconds had it */
	assert_int_equal(flock(fd, LOCK_EX), 0);
	close(fd);
}

static void guards_without_a_group(void **state)
{
	struct guard g;
	int status, alive = fifo_new("victim");
	pid_t us = fork(), victim;

	(void)state;
	assert_true(us >= 0);
	if (us == 0) { /* starts a child, tells the guard, and is gone */
		if (guard_start(&g, 0, 0) < 0)
			_exit(1);
		victim = fork();
		if (victim == 0) {
			/* say that we are here, then wait for the end */
			close(g.fd);
			if (open("victim", O_WRONLY | O_CLOEXEC) < 0 ||
				fs_replace_file("watched", "", 0, 0) < 0)
				_exit(1);
			poll(NULL, 0, 1000000);
			_exit(0);
		}
		guard_watch(&g, victim);
		while (!fs_exists("watched"))
			poll(NULL, 0, 10);
		raise(SIGKILL);
	}
	assert_int_equal(waitpid(us, &status, 0), us);
	assert_true(WIFSIGNALED(status));
	assert_writer_ends(alive);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(output_comes_in_lines),
		cmocka_unit_test(the_tail_is_not_lost), cmocka_unit_test(long_lines_come_in_pieces),
		cmocka_unit_test(failures_say_which_line),
		cmocka_unit_test(what_is_left_behind_is_not_waited_for),
		cmocka_unit_test(a_failure_kills_the_rest), cmocka_unit_test(a_missing_directory),
		cmocka_unit_test(nobody_outlives_us), cmocka_unit_test(guards_without_a_group)};

	setenv("SHELL", "/bin/sh", 1);
	return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
