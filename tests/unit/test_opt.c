/*
 * Option tables: spellings, errors, operands, sizes, help; and the progress line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/opt.h"
#include "lib/base/progress.h"

static int all, quiet, jobs, mode;
static const char *remote;
static uint64_t limit;
static struct strvec include;

static const struct opt table[] = {
	{'a', "all", OPT_FLAG, &all, NULL, "everything", 0},
	{'q', "quiet", OPT_FLAG, &quiet, NULL, NULL, 0},
	{'j', "jobs", OPT_INT, &jobs, "<n>", "threads", 0},
	{'r', "remote", OPT_VALUE, &remote, "<name>", "which remote", 0},
	{0, "min-size", OPT_SIZE, &limit, "<size>", "smaller files stay in Git", 0},
	{'I', "include", OPT_LIST, &include, "<pattern>", "only these paths", 0},
	{0, "a-rather-long-name-for-it", OPT_SET, &mode, NULL, "long", 3},
	{'T', NULL, OPT_SET, &mode, NULL, "tags", 2},
	OPT_END,
};
static const char usage[] = "git dvx thing [<options>] <path>...\ngit dvx thing --all";

static char *words[32];
static int n_words, n_operands;

/* Parse these words (NULL at the end), from a clean state. */
static int parse(int flags, ...)
{
	static char name[] = "thing";
	va_list ap;

	all = quiet = jobs = mode = 0;
	remote = NULL;
	limit = 0;
	strvec_release(&include);
	n_operands = -1;
	n_words = 1;
	words[0] = name;
	va_start(ap, flags);
	while ((words[n_words] = va_arg(ap, char *)))
		n_words++;
	va_end(ap);
	return opt_parse(n_words, words, table, usage, flags, &n_operands);
}

static void test_spellings(void **state)
{
	(void)state;
	assert_int_equal(parse(0, "-aj4", "--remote=storage", "--min-size", "1M", NULL), 0);
	assert_int_equal(all, 1);
	assert_int_equal(jobs, 4);
	assert_string_equal(remote, "storage");
	assert_true(limit == 1 << 20);
	assert_int_equal(n_operands, 0);
	assert_int_equal(parse(0, "-r", "-x", "-j", "12", "-T", NULL), 0);
	assert_string_equal(remote, "-x"); /* a value may look like an option */
	assert_int_equal(jobs, 12);
	assert_int_equal(mode, 2);
	assert_int_equal(parse(0, "--all", "--no-all", "--a-rather-long-name-for-it", NULL), 0);
	assert_int_equal(all, 0);
	assert_int_equal(mode, 3);
	assert_int_equal(parse(0, "-I", "a", "--include=b", "-Ic", NULL), 0);
	assert_int_equal(include.n, 3);
	assert_string_equal(include.v[2], "c");
	assert_int_equal(parse(0, "--remote=", NULL), 0);
	assert_string_equal(remote, "");
	assert_int_equal(parse(0, NULL), 0);
	strvec_release(&include);
}

static void test_operands(void **state)
{
	(void)state;
	assert_int_equal(parse(0, "one", "-a", "-", "two", "--", "-q", "--", NULL), 0);
	assert_int_equal(n_operands, 5);
	assert_string_equal(words[1], "one");
	assert_string_equal(words[2], "-");
	assert_string_equal(words[3], "two");
	assert_string_equal(words[4], "-q");
	assert_string_equal(words[5], "--");
	assert_int_equal(all, 1);
	assert_int_equal(quiet, 0);
	assert_int_equal(parse(OPT_STOP_AT_OPERAND, "-a", "python", "-q", "x", NULL), 0);
	assert_int_equal(n_operands, 3);
	assert_string_equal(words[2], "-q");
	assert_int_equal(quiet, 0);
}

static void assert_refused(int rc, const char *message)
{
	assert_int_equal(rc, ERR_INVALID);
	assert_string_equal(err_msg(), message);
}

static void test_errors(void **state)
{
	(void)state;
	assert_refused(parse(0, "--frob", NULL), "unknown option '--frob'; see 'git dvx thing -h'");
	assert_refused(
		parse(0, "--frob=1", NULL), "unknown option '--frob'; see 'git dvx thing -h'");
	assert_refused(parse(0, "-ax", NULL), "unknown option '-x'; see 'git dvx thing -h'");
	assert_refused(parse(0, "--al", NULL), "unknown option '--al'; see 'git dvx thing -h'");
	assert_refused(
		parse(0, "--no-jobs", NULL), "unknown option '--no-jobs'; see 'git dvx thing -h'");
	assert_refused(
		parse(0, "--jobs", NULL), "option '--jobs' needs a value; see 'git dvx thing -h'");
	assert_refused(parse(0, "-aj", NULL), "option '-j' needs a value; see 'git dvx thing -h'");
	assert_refused(
		parse(0, "--all=1", NULL), "option '--all' takes no value; see 'git dvx thing -h'");
	assert_refused(parse(0, "-jx", NULL), "option '-j' wants a number; see 'git dvx thing -h'");
	assert_refused(parse(0, "--jobs=-1", NULL),
		"option '--jobs' wants a number; see 'git dvx thing -h'");
	assert_refused(parse(0, "--jobs=99999999999", NULL),
		"option '--jobs' wants a number; see 'git dvx thing -h'");
	assert_refused(parse(0, "--min-size=big", NULL),
		"option '--min-size': 'big' is not a size; write it like 500, 64K, 10M or 2G");
}

static void test_sizes(void **state)
{
	static const struct {
		const char *text;
		uint64_t size;
	} good[] = {{"0", 0}, {"10", 10}, {"10B", 10}, {"64K", 65536}, {"64k", 65536},
		{"1MiB", 1 << 20}, {"1mb", 1 << 20}, {"2 GB", (uint64_t)2 << 30},
		{"3T", (uint64_t)3 << 40}, {"9223372036854775807", INT64_MAX},
		{"8388607T", (uint64_t)8388607 << 40}};
	static const char *const bad[] = {"", "K", "-1", " 1", "1.5G", "1X", "1KK", "1Kx", "1iB",
		"1  K ", "9223372036854775808", "8388608T", "99999999999999999999", "0x10", "1B B"};
	uint64_t n;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		assert_int_equal(opt_parse_size(&n, good[i].text), 0);
		assert_true(n == good[i].size);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(opt_parse_size(&n, bad[i]), ERR_INVALID);
}

static void test_help(void **state)
{
	static const char expected[] = "usage: git dvx thing [<options>] <path>...\n"
				       "   or: git dvx thing --all\n"
				       "\n"
				       "    -a, --all                 everything\n"
				       "    -j, --jobs <n>            threads\n"
				       "    -r, --remote <name>       which remote\n"
				       "    --min-size <size>         smaller files stay in Git\n"
				       "    -I, --include <pattern>   only these paths\n"
				       "    --a-rather-long-name-for-it\n"
				       "                              long\n"
				       "    -T                        tags\n";
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	opt_help(out, table, usage);
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
}

static void test_progress_bytes(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} rows[] = {{0, "0 B"}, {712, "712 B"}, {1023, "1023 B"}, {1024, "1.0 KiB"},
		{1536 * 1024, "1.5 MiB"}, {(1 << 20) - 1, "1.0 MiB"},
		{(uint64_t)3 << 30, "3.0 GiB"}, {UINT64_MAX, "16.0 EiB"}};
	char out[16];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_string_equal(progress_bytes(out, rows[i].bytes), rows[i].text);
}

/* What is printed on stderr while this runs. */
static void capture_progress(struct buf *out, enum progress_mode how, int steps)
{
	int ends[2], saved = dup(STDERR_FILENO);
	struct progress *p;

	assert_int_equal(pipe(ends), 0);
	dup2(ends[1], STDERR_FILENO);
	p = progress_new("Uploading", 20, 20 << 20, how);
	for (int i = 0; i < steps; i++) {
		progress_add(p, 1, 1 << 20);
		usleep(20000);
	}
	progress_set(p, 20, 20 << 20);
	progress_free(p);
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(ends[1]);
	assert_int_equal(buf_read_fd(out, ends[0]), 0);
	close(ends[0]);
}

static void test_progress(void **state)
{
	struct buf out = BUF_INIT;
	int lines = 0;

	(void)state;
	capture_progress(&out, PROGRESS_FORCE, 20);
	for (size_t i = 0; i < out.len; i++)
		lines += out.p[i] == '\r';
	assert_true(lines >= 2 && lines <= 6); /* 0.4 s at ten a second */
	assert_memory_equal(out.p, "Uploading: ", 11);
	assert_non_null(strstr(out.p, " of 20.0 MiB, "));
	assert_non_null(strstr(out.p, " left"));
	assert_non_null(strstr(out.p, "\rUploading: 100% (20/20), 20.0 MiB, "));
	assert_non_null(strstr(out.p, ", done"));
	assert_int_equal(out.p[out.len - 1], '\n');
	buf_reset(&out);
	unsetenv("GIT_LFS_FORCE_PROGRESS");
	capture_progress(&out, PROGRESS_AUTO, 1); /* a pipe is no terminal */
	capture_progress(&out, PROGRESS_OFF, 1);
	assert_int_equal(out.len, 0);
	setenv("GIT_LFS_FORCE_PROGRESS", "1", 1);
	capture_progress(&out, PROGRESS_AUTO, 1);
	assert_true(out.len > 0);
	unsetenv("GIT_LFS_FORCE_PROGRESS");
	buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spellings),
		cmocka_unit_test(test_operands),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_progress_bytes),
		cmocka_unit_test(test_progress),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
