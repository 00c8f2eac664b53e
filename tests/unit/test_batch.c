/*
 * The batch protocol: its lines in both directions, and the client against agents that answer well,
 * badly, late or not at all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/wire/batch.h"
#include "lib/wire/batchline.h"
#include "tests/unit/remove_tree.h"

#define HEX "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static int parse_request(struct batch_request *r, const char *text, char **copy)
{
	*copy = strdup(text);
	return batch_request_parse(r, *copy, strlen(*copy));
}

static void requests_survive_the_wire(void **state)
{
	static const char *const paths[] = {"a", "data/train set.csv", "-", "--", "100%",
		"a\nb\r\t", "\xc3\xa9\x7f", "%0A", "x ", " x"};
	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct batch_request in = {.size = 77 + i, .path = paths[i]}, out;
		struct buf line = BUF_INIT;

		memset(in.oid.id, (int)i, OID_LEN);
		if (i % 2) {
			in.has_base = 1;
			memset(in.base.id, 0xaa, OID_LEN);
		}
		assert_int_equal(batch_request_format(&line, &in), 0);
		assert_int_equal(line.p[line.len - 1], '\n');
		assert_null(memchr(line.p, '\n', line.len - 1));
		line.p[--line.len] = '\0';
		assert_int_equal(batch_request_parse(&out, line.p, line.len), 0);
		assert_true(oid_eq(&in.oid, &out.oid));
		assert_int_equal(in.size, out.size);
		assert_int_equal(in.has_base, out.has_base);
		assert_string_equal(in.path, out.path);
		buf_release(&line);
	}
}

static void bad_requests_are_refused(void **state)
{
	static const char *const bad[] = {"", "x", HEX, HEX " ", HEX " 1", HEX " 1 ", HEX " 1 -",
		HEX " 1 - ", HEX "0 1 - a", HEX " 01 - a", HEX " -1 - a",
		HEX " 9223372036854775808 - a", HEX " 99999999999999999999 - a", HEX " 1  a",
		HEX " 1 - a%", HEX " 1 - a%0", HEX " 1 - %zz", HEX " 1 - %00", HEX " 1 - %0a",
		"E3" HEX " 1 - a", HEX "\t1 - a"};
	struct batch_request r;
	char *copy;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (parse_request(&r, bad[i], &copy) != ERR_INVALID)
			fail_msg("taken: '%s'", bad[i]);
		free(copy);
	}
	assert_int_equal(parse_request(&r, HEX " 9223372036854775807 " HEX " -", &copy), 0);
	assert_null(r.path);
	assert_int_equal(r.has_base, 1);
	free(copy);
}

static void a_path_that_is_too_long_is_a_limit(void **state)
{
	struct batch_request r = {.size = 1};
	struct buf line = BUF_INIT;
	char *path = malloc(BATCH_LINE_MAX);

	(void)state;
	memset(path, 'p', BATCH_LINE_MAX - 1);
	path[BATCH_LINE_MAX - 1] = '\0';
	r.path = path;
	assert_int_equal(batch_request_format(&line, &r), ERR_LIMIT);
	assert_int_equal(line.len, 0);
	path[BATCH_LINE_MAX - 200] = '\0';
	assert_int_equal(batch_request_format(&line, &r), 0);
	assert_true(line.len <= BATCH_LINE_MAX);
	buf_release(&line);
	free(path);
}

static void answer_round_trip(const struct batch_answer *in)
{
	struct buf line = BUF_INIT;
	struct batch_answer out;

	assert_int_equal(batch_answer_format(&line, in), 0);
	line.p[--line.len] = '\0';
	assert_int_equal(batch_answer_parse(&out, line.p, line.len), 0);
	assert_int_equal(in->kind, out.kind);
	assert_int_equal(in->code, out.code);
	assert_int_equal(in->bytes, out.bytes);
	assert_int_equal(in->objects, out.objects);
	assert_true(oid_eq(&in->oid, &out.oid));
	if (in->text)
		assert_string_equal(in->text, out.text);
	buf_release(&line);
}

static void answers_survive_the_wire(void **state)
{
	struct batch_answer a = {.kind = BATCH_ANSWER_REMOTE, .text = "my storage"};

	(void)state;
	answer_round_trip(&a);
	a = (struct batch_answer){.kind = BATCH_ANSWER_DONE};
	answer_round_trip(&a);
	a = (struct batch_answer){.kind = BATCH_ANSWER_PROGRESS, .objects = 3, .bytes = 1ull << 40};
	answer_round_trip(&a);
	a = (struct batch_answer){.kind = BATCH_ANSWER_OK, .oid = oid_of_empty, .bytes = 7};
	answer_round_trip(&a);
	a = (struct batch_answer){.kind = BATCH_ANSWER_PRESENT, .oid = oid_of_empty};
	answer_round_trip(&a);
	for (int code = ERR_IO; code >= ERR_INTERRUPTED; code--) {
		a = (struct batch_answer){.kind = BATCH_ANSWER_ERROR,
			.oid = oid_of_empty,
			.code = code,
			.text = "a message\nof 100 % lines"};
		answer_round_trip(&a);
		a.kind = BATCH_ANSWER_FATAL;
		a.oid = (struct oid){{0}};
		answer_round_trip(&a);
	}
}

static void unknown_words_and_codes_are_tolerated(void **state)
{
	char word[] = "hint something new", code[] = "error " HEX " quantum it failed";
	struct batch_answer a;

	(void)state;
	assert_int_equal(batch_answer_parse(&a, word, strlen(word)), 0);
	assert_int_equal(a.kind, BATCH_ANSWER_UNKNOWN);
	assert_int_equal(batch_answer_parse(&a, code, strlen(code)), 0);
	assert_int_equal(a.code, ERR_REMOTE);
	assert_string_equal(a.text, "it failed");
}

/* ---- the client, against agents that are shell scripts ---- */

static char directory[] = "/tmp/test_batch-XXXXXX";

static void write_agent(const char *script)
{
	struct buf path = BUF_INIT, text = BUF_INIT;

	assert_int_equal(buf_addf(&path, "%s/git-dvx-transfer", directory), 0);
	assert_int_equal(buf_addf(&text, "#!/bin/sh\n%s\n", script), 0);
	assert_int_equal(fs_replace_file(path.p, text.p, text.len, 0), 0);
	assert_int_equal(chmod(path.p, 0755), 0);
	buf_release(&path);
	buf_release(&text);
}

static struct batch_object *make_objects(size_t n)
{
	struct batch_object *o = calloc(n, sizeof(*o));

	for (size_t i = 0; i < n; i++) {
		oid_of(&o[i].oid, &i, sizeof(i));
		o[i].size = 10;
		o[i].path = "some/path/of/a/file.bin";
	}
	return o;
}

static int run(struct batch_object *o, size_t n, struct batch_result *r, const volatile int *stop)
{
	struct batch_options options = {.progress = PROGRESS_OFF, .stop = stop};

	return batch_run(BATCH_UPLOAD, o, n, &options, r);
}

static void no_deadlock_with_many_objects(void **state)
{
	enum { N = 100000 };
	struct batch_object *o = make_objects(N);
	struct batch_result r;

	(void)state;
	write_agent("echo remote storage; exec awk '{ print (NR % 3) ? \"ok \" $1 \" 5\" : "
		    "\"present \" $1 } "
		    "END { print \"done\" }'");
	assert_int_equal(run(o, N, &r, NULL), 0);
	assert_int_equal(r.present, N / 3);
	assert_int_equal(r.done, N - N / 3);
	assert_int_equal(r.bytes, 5 * (N - N / 3));
	assert_string_equal(r.remote, "storage");
	batch_objects_release(o, N);
	free(o);
}

static void one_answer_is_for_all_paths_of_an_id(void **state)
{
	struct batch_object *o = make_objects(3);
	struct batch_result r;

	(void)state;
	o[2].oid = o[0].oid;
	write_agent("echo remote x; sort -u | awk '!s[$1]++ { print \"error \" $1 \" notfound no "
		    "such thing\" } "
		    "END { print \"done\" }'; exit 1");
	assert_int_equal(run(o, 3, &r, NULL), 0);
	assert_int_equal(r.failed, 3);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(o[i].state, ERR_NOTFOUND);
		assert_string_equal(o[i].error, "no such thing");
	}
	batch_objects_release(o, 3);
	free(o);
}

static void failures_of_the_agent_are_told(void **state)
{
	static const struct {
		const char *script;
		int code;
		const char *message;
	} cases[] = {
		{"echo 'fatal notfound no remote; add one'; exit 128", ERR_NOTFOUND, "no remote"},
		{"cat >/dev/null; echo remote x; exit 3", ERR_REMOTE, "ended early"},
		{"exit 127", ERR_REMOTE, "ended early"},
		{"cat >/dev/null; echo done", ERR_REMOTE, "did not answer"},
		{"cat >/dev/null; echo ok nonsense", ERR_INVALID, "bad answer"},
		{"cat >/dev/null; echo ok " HEX " 1; echo done", ERR_REMOTE, "not asked for"},
		{"cat >/dev/null; exec awk 'BEGIN { while (1) printf \"xxxxxxxxxxxxxxxxxxxx\" }'",
			ERR_LIMIT, "too long"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct batch_object *o = make_objects(2000);
		struct batch_result r;

		write_agent(cases[i].script);
		assert_int_equal(run(o, 2000, &r, NULL), cases[i].code);
		if (!strstr(err_msg(), cases[i].message))
			fail_msg("message is '%s'", err_msg());
		batch_objects_release(o, 2000);
		free(o);
	}
}

static void a_stop_ends_the_agent(void **state)
{
	static const volatile int stop = 1;
	struct batch_object *o = make_objects(5);
	struct batch_result r;

	(void)state;
	write_agent("trap 'exit 130' TERM; while :; do sleep 0.05; done");
	assert_int_equal(run(o, 5, &r, &stop), ERR_INTERRUPTED);
	batch_objects_release(o, 5);
	free(o);
}

static void a_missing_agent_is_told(void **state)
{
	struct batch_object *o = make_objects(1);
	struct batch_result r;
	struct buf path = BUF_INIT;

	(void)state;
	assert_int_equal(buf_addf(&path, "%s/git-dvx-transfer", directory), 0);
	unlink(path.p);
	setenv("PATH", directory, 1);
	assert_int_equal(run(o, 1, &r, NULL), ERR_NOTFOUND);
	assert_non_null(strstr(err_msg(), "git-dvx-transfer"));
	buf_release(&path);
	free(o);
}

static int set_up(void **state)
{
	struct buf path = BUF_INIT;

	(void)state;
	if (!mkdtemp(directory) || buf_addf(&path, "%s:%s", directory, getenv("PATH")) < 0)
		return -1;
	setenv("PATH", path.p, 1);
	buf_release(&path);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return remove_tree(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_survive_the_wire),
		cmocka_unit_test(bad_requests_are_refused),
		cmocka_unit_test(a_path_that_is_too_long_is_a_limit),
		cmocka_unit_test(answers_survive_the_wire),
		cmocka_unit_test(unknown_words_and_codes_are_tolerated),
		cmocka_unit_test(no_deadlock_with_many_objects),
		cmocka_unit_test(one_answer_is_for_all_paths_of_an_id),
		cmocka_unit_test(failures_of_the_agent_are_told),
		cmocka_unit_test(a_stop_ends_the_agent),
		cmocka_unit_test(a_missing_agent_is_told),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
