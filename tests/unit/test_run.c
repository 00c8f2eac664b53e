/*
 * Running programs: where they are found, what they inherit, how they end, full pipes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include "tests/unit/scratch.h"

/* Run `sh -c script`; its exit status, output in `out` (may be NULL). */
static int shell(const char *script, const void *input, size_t len, struct buf *out)
{
	struct run r = RUN_INIT;
	int rc;

	assert_int_equal(strvec_pushl(&r.argv, "sh", "-c", script, NULL), 0);
	rc = run_capture(&r, input, len, out);
	run_release(&r);
	return rc;
}

static void make_program(const char *name, const char *text)
{
	scratch_write(name, text);
	assert_int_equal(chmod(scratch_path(name), 0755), 0);
}

static void test_resolve_uses_absolute_entries_only(void **state)
{
	char *old = strdup(getenv("PATH")), path[16384];
	struct buf b = BUF_INIT;

	(void)state;
	make_program("bin/tool", "#!/bin/sh\n");
	make_program("here", "#!/bin/sh\n");
	scratch_write("first/tool", "not executable");
	assert_int_equal(fs_mkdirs("second/tool"), 0);
	setenv("PATH", "", 1);
	assert_int_equal(run_resolve(&b, "here"), ERR_NOTFOUND);
	setenv("PATH", ".::bin:", 1);
	assert_int_equal(run_resolve(&b, "here"), ERR_NOTFOUND);
	assert_int_equal(run_resolve(&b, "tool"), ERR_NOTFOUND);
	assert_non_null(strstr(err_msg(), "'tool'"));
	snprintf(path, sizeof path, ".:%s/first:%s/second:%s/bin", scratch, scratch, scratch);
	setenv("PATH", path, 1);
	assert_int_equal(run_resolve(&b, "tool"), 0);
	assert_string_equal(b.p, scratch_path("bin/tool"));
	buf_reset(&b);
	assert_int_equal(run_resolve(&b, "./here"), 0);
	assert_string_equal(b.p, "./here");
	assert_int_equal(run_resolve(&b, ""), ERR_NOTFOUND);
	setenv("PATH", old, 1);
	free(old);
	buf_release(&b);
}

static void test_sibling_is_found_beside_us(void **state)
{
	struct buf b = BUF_INIT;
	char self[4096], *slash;
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

	(void)state;
	assert_true(n > 0);
	self[n] = '\0';
	slash = strrchr(self, '/');
	assert_int_equal(run_resolve_sibling(&b, slash + 1), 0);
	assert_string_equal(b.p, self);
	buf_reset(&b);
	assert_int_equal(run_resolve_sibling(&b, "sh"), 0); /* from PATH */
	assert_int_equal(b.p[0], '/');
	assert_int_equal(run_resolve_sibling(&b, "no-such-program-anywhere"), ERR_NOTFOUND);
	buf_release(&b);
}

static void test_exit_status(void **state)
{
	struct run r = RUN_INIT;

	(void)state;
	assert_int_equal(shell("exit 0", NULL, 0, NULL), 0);
	assert_int_equal(shell("exit 37", NULL, 0, NULL), 37);
	assert_int_equal(shell("kill -KILL $$", NULL, 0, NULL), 128 + SIGKILL);
	assert_int_equal(strvec_push(&r.argv, "no-such-program-anywhere"), 0);
	assert_int_equal(run_start(&r), ERR_NOTFOUND);
	assert_int_equal(run_finish(&r), ERR_INVALID);
	run_release(&r);
	assert_int_equal(strvec_push(&r.argv, "/no/such/program"), 0);
	assert_int_equal(run_start(&r), ERR_NOTFOUND);
	run_release(&r);
	assert_int_equal(run_start(&r), ERR_INVALID);
	run_release(&r);
}

static void test_a_text_file_is_not_given_to_a_shell(void **state)
{
	struct run r = RUN_INIT;

	(void)state;
	make_program("noshebang", "touch was-run\n");
	assert_int_equal(strvec_push(&r.argv, "./noshebang"), 0);
	assert_true(run_start(&r) < 0);
	run_release(&r);
	assert_false(fs_exists("was-run"));
}

static void test_environment(void **state)
{
	struct run r = RUN_INIT;
	struct buf out = BUF_INIT;

	(void)state;
	setenv("DVX_A", "old", 1);
	setenv("DVX_AB", "other", 1);
	setenv("DVX_GONE", "x", 1);
	strvec_pushl(&r.argv, "sh", "-c",
		"echo $DVX_A $DVX_AB ${DVX_GONE-unset} $DVX_NEW; env | grep -c '^DVX_A='", NULL);
	strvec_pushl(&r.env, "DVX_NEW=1", "DVX_A=new", "DVX_GONE", "DVX_NEW=2", NULL);
	assert_int_equal(run_capture(&r, NULL, 0, &out), 0);
	assert_string_equal(out.p, "new other unset 2\n1\n");
	assert_string_equal(getenv("DVX_A"), "old");
	run_release(&r);
	buf_release(&out);
}

static void test_directory(void **state)
{
	struct run r = RUN_INIT;
	struct buf out = BUF_INIT;

	(void)state;
	assert_int_equal(fs_mkdirs("elsewhere"), 0);
	make_program("show", "#!/bin/sh\npwd -P\n");
	strvec_push(&r.argv, "./show"); /* relative to where we are, not to where it runs */
	r.dir = "elsewhere";
	assert_int_equal(run_capture(&r, NULL, 0, &out), 0);
	buf_rtrim(&out);
	assert_string_equal(out.p, scratch_path("elsewhere"));
	r.dir = "nowhere";
	assert_true(run_capture(&r, NULL, 0, &out) < 0);
	run_release(&r);
	buf_release(&out);
}

static void test_big_data_both_ways(void **state)
{
	enum { SIZE = 5000000 };
	char *data = malloc(SIZE);
	struct buf out = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < SIZE; i++)
		data[i] = (char)(i * 31 >> 5);
	assert_int_equal(shell("cat", data, SIZE, &out), 0);
	assert_int_equal(out.len, SIZE);
	assert_memory_equal(out.p, data, SIZE);
	/* a child that writes all before it reads */
	buf_reset(&out);
	assert_int_equal(shell("head -c 3000000 /dev/zero; cat >/dev/null", data, SIZE, &out), 0);
	assert_int_equal(out.len, 3000000);
	buf_release(&out);
	free(data);
}

static void test_child_that_does_not_read(void **state)
{
	static char data[1000000];
	struct buf out = BUF_INIT;
	sigset_t pending;

	(void)state;
	/* SIGPIPE has its default, deadly, action here */
	assert_int_equal(shell("exec <&-; echo done; exit 3", data, sizeof data, &out), 3);
	assert_string_equal(out.p, "done\n");
	assert_int_equal(sigpending(&pending), 0);
	assert_false(sigismember(&pending, SIGPIPE));
	assert_int_equal(shell("read x || exit 4", "", 0, NULL), 4); /* empty input ends at once */
	buf_release(&out);
}

static void test_output_limit_ends_the_child(void **state)
{
	struct buf out = BUF_INIT;

	(void)state;
	out.max = 1000;
	assert_int_equal(shell("while :; do echo y; done", NULL, 0, &out), ERR_LIMIT);
	buf_release(&out);
}

static void test_signals_are_reset(void **state)
{
	struct buf out = BUF_INIT;
	sigset_t set, old;

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, &old);
	assert_int_equal(shell("grep '^SigBlk' /proc/self/status", NULL, 0, &out), 0);
	sigprocmask(SIG_SETMASK, &old, NULL);
	signal(SIGPIPE, SIG_DFL);
	assert_non_null(strstr(out.p, "SigBlk:\t0000000000000000"));
	buf_reset(&out);
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(shell("kill -PIPE $$; echo survived", NULL, 0, &out), 128 + SIGPIPE);
	signal(SIGPIPE, SIG_DFL);
	buf_release(&out);
}

static void test_no_descriptor_leaks_into_a_sibling(void **state)
{
	struct run one = RUN_INIT;
	struct buf out = BUF_INIT;
	int before;

	(void)state;
	assert_int_equal(shell("ls /proc/self/fd | wc -l", NULL, 0, &out), 0);
	before = atoi(out.p);
	buf_reset(&out);
	strvec_push(&one.argv, "cat");
	one.in = one.out = RUN_PIPE;
	assert_int_equal(run_start(&one), 0);
	assert_true(fcntl(one.in_fd, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(one.out_fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(shell("ls /proc/self/fd | wc -l", NULL, 0, &out), 0);
	assert_int_equal(atoi(out.p), before);
	assert_int_equal(fs_write_full(one.in_fd, "ping", 4), 0);
	close(one.in_fd);
	one.in_fd = -1;
	buf_reset(&out);
	assert_int_equal(buf_read_fd(&out, one.out_fd), 0);
	assert_string_equal(out.p, "ping");
	assert_int_equal(run_finish(&one), 0);
	run_release(&one);
	buf_release(&out);
}

static void test_redirections(void **state)
{
	struct run r = RUN_INIT;
	struct buf out = BUF_INIT;

	(void)state;
	strvec_pushl(&r.argv, "sh", "-c", "echo out; echo err >&2", NULL);
	r.err = RUN_TO_STDOUT;
	assert_int_equal(run_capture(&r, NULL, 0, &out), 0);
	assert_string_equal(out.p, "out\nerr\n");
	buf_reset(&out);
	r.err = RUN_NULL;
	assert_int_equal(run_capture(&r, NULL, 0, &out), 0);
	assert_string_equal(out.p, "out\n");
	r.err = RUN_PIPE;
	assert_int_equal(run_start(&r), ERR_INVALID);
	run_release(&r);
	buf_reset(&out);
	assert_int_equal(shell("cat; echo end", NULL, 0, &out), 0); /* stdin is /dev/null */
	assert_string_equal(out.p, "end\n");
	buf_release(&out);
}

static void test_works_with_closed_standard_descriptors(void **state)
{
	struct buf out = BUF_INIT;
	int in = fcntl(0, F_DUPFD_CLOEXEC, 10), rc;

	(void)state;
	close(0);
	rc = shell("cat", "through 0", 9, &out);
	dup2(in, 0);
	close(in);
	assert_int_equal(rc, 0);
	assert_string_equal(out.p, "through 0");
	buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_resolve_uses_absolute_entries_only),
		cmocka_unit_test(test_sibling_is_found_beside_us),
		cmocka_unit_test(test_exit_status),
		cmocka_unit_test(test_a_text_file_is_not_given_to_a_shell),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_directory),
		cmocka_unit_test(test_big_data_both_ways),
		cmocka_unit_test(test_child_that_does_not_read),
		cmocka_unit_test(test_output_limit_ends_the_child),
		cmocka_unit_test(test_signals_are_reset),
		cmocka_unit_test(test_no_descriptor_leaks_into_a_sibling),
		cmocka_unit_test(test_redirections),
		cmocka_unit_test(test_works_with_closed_standard_descriptors),
	};

	return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
