/*
 * dvx.lock: reading, the same text for the same value, edits that leave other entries alone, and
 * what is refused, with the place and what to do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lib/base/err.h"
#include "lib/pipeline/stagelock_internal.h"
#include "tests/unit/git_repo.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static const char train[] =
	"  train:\n"
	"    cmd: python code/train.py\n"
	"    deps:\n"
	"    - {path: code/train.py, sha256: " A ", size: 812}\n"
	"    - {path: data, sha256: " B ", size: 1340552, nfiles: 1000}\n"
	"    params:\n"
	"      params.yaml:\n"
	"        train.epochs: 10\n"
	"        train.name: \"10\"\n"
	"        train.sizes: [1, 2.5, x]\n"
	"    env:\n"
	"      OMP_NUM_THREADS: \"4\"\n"
	"    outs:\n"
	"    - {path: model/model.bin, sha256: " A ", size: 40960, exec: true}\n";

static struct stagelock *parse(const char *text)
{
	struct stagelock *l = NULL;
	int rc = stagelock_parse(&l, "dvx.lock", text, strlen(text));

	if (rc < 0)
		fail_msg("%s", err_msg());
	return l;
}

static void test_read(void **state)
{
	struct buf text = BUF_INIT;
	const struct locked_stage *s;
	struct stagelock *l;

	(void)state;
	assert_int_equal(buf_addf(&text, "schema: dvx/1\nstages:\n%s", train), 0);
	l = parse(text.p);
	assert_null(stagelock_get(l, "load"));
	s = stagelock_get(l, "train");
	assert_non_null(s);
	assert_int_equal(s->cmd.n, 1);
	assert_string_equal(s->cmd.v[0], "python code/train.py");
	assert_int_equal(s->n_deps, 2);
	assert_int_equal(s->deps[1].fp.type, FP_DIR);
	assert_int_equal(s->deps[1].fp.nfiles, 1000);
	assert_int_equal(s->outs[0].fp.executable, 1);
	assert_int_equal(
		node_get(node_get(s->params, "params.yaml"), "train.name")->type, NODE_STRING);
	stagelock_free(l);
	buf_release(&text);
}

/* What was read is written as it was. */
static void test_format(void **state)
{
	struct buf text = BUF_INIT, again = BUF_INIT;
	struct stagelock *l;

	(void)state;
	assert_int_equal(buf_addf(&text, "schema: dvx/1\nstages:\n%s", train), 0);
	l = parse(text.p);
	assert_int_equal(locked_stage_format(&again, stagelock_get(l, "train")), 0);
	assert_string_equal(again.p, train);
	stagelock_free(l);
	buf_release(&text);
	buf_release(&again);
}

static void test_odd_names(void **state)
{
	static const char text[] = "schema: dvx/1\nstages:\n"
				   "  \"a: b\":\n"
				   "    cmd:\n"
				   "    - \"echo \\\"x\\\" # y\"\n"
				   "    - \"yes\\tno\"\n"
				   "    outs:\n"
				   "    - {path: \"a, {b}\", sha256: " A ", size: 0}\n";
	struct buf again = BUF_INIT;
	struct stagelock *l = parse(text), *second;
	const struct locked_stage *s = stagelock_get(l, "a: b");

	(void)state;
	assert_non_null(s);
	assert_string_equal(s->cmd.v[1], "yes\tno");
	assert_string_equal(s->outs[0].path, "a, {b}");
	assert_int_equal(buf_addstr(&again, "schema: dvx/1\nstages:\n"), 0);
	assert_int_equal(locked_stage_format(&again, s), 0);
	second = parse(again.p);
	assert_string_equal(stagelock_get(second, "a: b")->cmd.v[0], "echo \"x\" # y");
	stagelock_free(l);
	stagelock_free(second);
	buf_release(&again);
}

/* ---- edits ---- */

static void test_others_stay(void **state)
{
	static const char text[] = "# ours\nschema: dvx/1\n"
				   "stages:\n"
				   "  a:   # a comment\n"
				   "    cmd:   'echo a'\n"
				   "    later: {x: 1}\n"
				   "  c:\n"
				   "    cmd: echo c\n"
				   "future: 7\n";
	struct buf b = BUF_INIT;
	struct stagelock *l;
	struct stagelock_change change;

	(void)state;
	assert_int_equal(buf_addf(&b, "schema: dvx/1\nstages:\n%s", train), 0);
	l = parse(b.p);
	buf_reset(&b);
	assert_int_equal(buf_addstr(&b, text), 0);
	change = (struct stagelock_change){"b", stagelock_get(l, "train")};
	assert_int_equal(stagelock_edit(&b, "dvx.lock", &change, 1), 0);
	assert_non_null(strstr(b.p, "# ours\nschema: dvx/1\nstages:\n  a:   # a comment\n"
				    "    cmd:   'echo a'\n    later: {x: 1}\n  b:\n"
				    "    cmd: python code/train.py\n"));
	assert_non_null(strstr(b.p, "exec: true}\n  c:\n    cmd: echo c\nfuture: 7\n"));
	change.stage = NULL;
	assert_int_equal(stagelock_edit(&b, "dvx.lock", &change, 1), 0);
	assert_string_equal(b.p, text);
	stagelock_free(l);
	buf_release(&b);
}

/* Flow style or odd indentation, as somebody's tool may have made it, is written anew. */
static void test_foreign_style(void **state)
{
	static const char text[] = "{schema: dvx/1, stages: {b: {cmd: echo b, environment: e1}, "
				   "a: {cmd: echo a}}, environments: {e1: {os: x}}}\n";
	struct stagelock *l = parse(text);
	struct stagelock_change change = {"c", stagelock_get(l, "a")};
	struct buf b = BUF_INIT;

	(void)state;
	assert_int_equal(buf_addstr(&b, text), 0);
	assert_int_equal(stagelock_edit(&b, "dvx.lock", &change, 1), 0);
	stagelock_free(l);
	l = parse(b.p);
	assert_non_null(stagelock_get(l, "a"));
	assert_string_equal(stagelock_get(l, "c")->cmd.v[0], "echo a");
	assert_string_equal(node_get(stagelock_get(l, "b")->environment, "os")->text, "x");
	stagelock_free(l);
	buf_release(&b);
}

/* The text after the stage "a" was added and removed again; a third edit changes nothing. */
static char *add_and_remove(const char *text)
{
	static char name[] = "a";
	const struct locked_stage s = {.name = name};
	struct stagelock_change change = {name, &s};
	struct buf b = BUF_INIT, again = BUF_INIT;
	struct stagelock *l;

	assert_int_equal(buf_addstr(&b, text), 0);
	assert_int_equal(stagelock_edit(&b, "dvx.lock", &change, 1), 0);
	l = parse(b.p);
	assert_non_null(stagelock_get(l, name));
	stagelock_free(l);
	change.stage = NULL;
	assert_int_equal(stagelock_edit(&b, "dvx.lock", &change, 1), 0);
	assert_int_equal(buf_add(&again, b.p, b.len), 0);
	assert_int_equal(stagelock_edit(&again, "dvx.lock", &change, 1), 0);
	assert_string_equal(again.p, b.p);
	buf_release(&again);
	return buf_detach(&b);
}

/* Keys of later versions outlive an edit however they were written. */
static void test_unknown_keys_stay(void **state)
{
#define NO_STAGES "schema: dvx/1\nstages: {}\n"
#define STAGES	  "schema: dvx/1\nstages:\n"
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{"{schema: dvx/1, later: {b: [1, .nan, \"x\\0y\"]}, also: 0x1F}\n",
			NO_STAGES "also: 0x1F\nlater: {b: [1, .nan, \"x\\x00y\"]}\n"},
		/* merged ones */
		{"schema: dvx/1\n<<: &x\n  b: 1\n  d: yes\nc: *x\n",
			NO_STAGES "b: 1\nc: {b: 1, d: \"yes\"}\nd: \"yes\"\n"},
		{"schema: dvx/1\nc: 3\n<<: {b: 2}\n", NO_STAGES "b: 2\nc: 3\n"},
		/* the last stage ends where the merge key begins */
		{"schema: dvx/1\na: 1\nstages:\n  s:\n    cmd: x\n<<:\n  l: 1\n",
			STAGES "  s:\n    cmd: x\na: 1\nl: 1\n"},
		{"schema: dvx/1\na: 1\nstages:\n  Z:\n    cmd: x\n<<:\n  a: 2\n",
			STAGES "  Z:\n    cmd: x\na: 1\n"},
		/* what counts as text stays as it is spelt */
		{"{schema: dvx/1, stages: {s: {cmd: True, wdir: 0x1F, environment: ~}}}\n",
			STAGES "  s:\n    cmd: True\n    wdir: 0x1F\n    environment: null\n"},
		/* those of an entry; and an environment by another name */
		{"{schema: dvx/1, stages: {s: {cmd: x, later: 1, environment: e}, t: {cmd: z}}, "
		 "environments: {e: {os: x}}}\n",
			STAGES "  s:\n    cmd: x\n    later: 1\n    environment: e\n"
			       "  t:\n    cmd: z\nenvironments:\n  e:\n    os: x\n"},
		/* the anchor is moved behind its alias */
		{"schema: dvx/1\nz: &z {k: v}\nb: *z\n", NO_STAGES "b: {k: v}\nz: {k: v}\n"},
		/* lines that end like those of old Macs, and in Unicode's own way */
		{"# x\rschema: dvx/1\nz: 1\nb: 2\n", NO_STAGES "b: 2\nz: 1\n"},
		{"schema: dvx/1\nz: \"1\xe2\x80\xa8 2\"\nb: 2\n",
			NO_STAGES "b: 2\nz: \"1\\u20282\"\n"},
		/* what stands in front: comments, or a brace */
		{"\xef\xbb\xbf# ours\n--- # here\n# it\nschema: dvx/1\nz: 1\n",
			"\xef\xbb\xbf# ours\n--- # here\n# it\n" NO_STAGES "z: 1\n"},
		{"{\nschema: dvx/1, later: 1}\n", NO_STAGES "later: 1\n"},
		/* no mapping's end, but a document's */
		{"schema: dvx/1\nz: 1\nb: 2\n...\n", NO_STAGES "b: 2\nz: 1\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *text = add_and_remove(cases[i].text);

		assert_string_equal(text, cases[i].expected);
		free(text);
	}
}

static void test_environments(void **state)
{
	struct buf b = BUF_INIT;
	struct locked_stage s = {.name = (char *)(uintptr_t) "x"};
	struct stagelock_change change[2] = {{"x", &s}, {"y", &s}};
	struct stagelock *l;

	(void)state;
	s.environment = node_map();
	assert_int_equal(node_set(s.environment, "os", node_string("Debian 12")), 0);
	assert_int_equal(stagelock_edit(&b, "dvx.lock", change, 2), 0);
	l = parse(b.p);
	assert_string_equal(node_get(stagelock_get(l, "y")->environment, "os")->text, "Debian 12");
	stagelock_free(l);
	assert_null(strstr(strstr(b.p, "os: ") + 1, "os: ")); /* once */
	change[0].stage = NULL;
	assert_int_equal(stagelock_edit(&b, "dvx.lock", change, 1), 0);
	assert_non_null(strstr(b.p, "environments:"));
	change[1].stage = NULL;
	assert_int_equal(stagelock_edit(&b, "dvx.lock", change, 2), 0);
	assert_string_equal(b.p, "schema: dvx/1\nstages: {}\n");
	node_free(s.environment);
	buf_release(&b);
}

/* ---- what is refused ---- */

static void refuse(const char *text, int code, const char *word)
{
	struct stagelock *l;

	assert_int_equal(stagelock_parse(&l, "dvx.lock", text, strlen(text)), code);
	assert_null(l);
	if (strstr(err_msg(), word) == NULL)
		fail_msg("'%s' does not say '%s'", err_msg(), word);
}

static void test_refused(void **state)
{
	(void)state;
	refuse("schema: dvx/1\nstages:\n<<<<<<< HEAD\n  a: {}\n=======\n>>>>>>> x\n", ERR_INVALID,
		"dvx.lock:3: a merge left a conflict");
	refuse("schema: '2.0'\nstages:\n  a:\n    cmd: x\n", ERR_INVALID,
		"dvx.lock:1: this is a lock file of DVC");
	refuse("stages:\n  a:\n    cmd: x\n", ERR_INVALID, "DVC");
	refuse("schema: dvx/2\nstages: {}\n", ERR_UNSUPPORTED, "newer git-dvx");
	refuse("schema: dvx/1\nstages:\n  a:\n    deps:\n    - {path: x, sha256: 12, size: 1}\n",
		ERR_INVALID, "dvx.lock:5:");
	refuse("schema: dvx/1\nstages:\n  a:\n    deps:\n    - {path: x, sha256: " A
	       ", size: -1}\n",
		ERR_INVALID, "dvx.lock:5:");
	refuse("schema: dvx/1\nstages: [a]\n", ERR_INVALID, "dvx.lock:2:");
	refuse("schema: dvx/1\nstages:\n  a:\n    cmd: [~]\n", ERR_INVALID, "dvx.lock:4:");
	refuse("schema: dvx/1\nenvironments:\n    e1: [a]\n", ERR_INVALID, "dvx.lock:3:");
	refuse("[]\n", ERR_INVALID, "dvx.lock:1:");
	refuse("schema: dvx/1\nstages:\n  a: {\n", ERR_INVALID, "dvx.lock:");
}

/* ---- the key of the run cache ---- */

static void test_key(void **state)
{
	struct buf b = BUF_INIT;
	struct stagelock *l, *other;
	struct oid one, two;
	char *p;

	(void)state;
	assert_int_equal(buf_addf(&b, "schema: dvx/1\nstages:\n%s", train), 0);
	l = parse(b.p);
	assert_int_equal(locked_stage_key(&one, stagelock_get(l, "train")), 0);
	p = strstr(b.p, "size: 812");
	memcpy(p, "size: 813", 9); /* sizes and outputs' content are no inputs */
	p = strstr(b.p, "bin, sha256: aa") + 13;
	*p = 'b';
	other = parse(b.p);
	assert_int_equal(locked_stage_key(&two, stagelock_get(other, "train")), 0);
	assert_true(oid_eq(&one, &two));
	stagelock_free(other);
	memcpy(strstr(b.p, "epochs: 10"), "epochs: 11", 10);
	other = parse(b.p);
	assert_int_equal(locked_stage_key(&two, stagelock_get(other, "train")), 0);
	assert_false(oid_eq(&one, &two));
	stagelock_free(other);
	stagelock_free(l);
	buf_release(&b);
}

/* ---- the file ---- */

enum { WRITERS = 8, EACH = 20 };

static int write_entries(const struct repo *repo, int writer)
{
	int rc = 0;

	for (int i = 0; rc == 0 && i < EACH; i++) {
		char name[32];
		struct locked_stage s = {.name = name};
		struct stagelock_change c = {name, &s};

		snprintf(name, sizeof(name), "w%d-%d", writer, i);
		if (strvec_push(&s.cmd, "echo") < 0)
			return 1;
		rc = stagelock_update(repo, "dvx.lock", &c, 1);
		strvec_release(&s.cmd);
	}
	return rc < 0;
}

static void test_writers(void **state)
{
	struct git_repo r;
	struct buf text = BUF_INIT;
	struct stat before, after;
	struct stagelock *l;
	struct stagelock_change same;
	char name[32];
	int status, failed = 0;

	(void)state;
	scratch_git(".", "init", "-q", "many", (char *)NULL);
	git_repo_open(&r, "many");
	for (int i = 0; i < WRITERS; i++)
		if (fork() == 0)
			_exit(write_entries(&r.repo, i));
	while (wait(&status) > 0)
		failed |= status;
	assert_int_equal(failed, 0);
	assert_int_equal(buf_read_file(&text, "dvx.lock"), 0);
	l = parse(text.p);
	for (int i = 0; i < WRITERS * EACH; i++) {
		snprintf(name, sizeof(name), "w%d-%d", i / EACH, i % EACH);
		assert_non_null(stagelock_get(l, name));
	}
	/* the same again leaves the file, and its time, alone */
	assert_int_equal(stat("dvx.lock", &before), 0);
	same = (struct stagelock_change){name, stagelock_get(l, name)};
	assert_int_equal(stagelock_update(&r.repo, "dvx.lock", &same, 1), 0);
	assert_int_equal(stat("dvx.lock", &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(fs_ctime_ns(&before), fs_ctime_ns(&after));
	stagelock_free(l);
	buf_release(&text);
	git_repo_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_read),
		cmocka_unit_test(test_format), cmocka_unit_test(test_odd_names),
		cmocka_unit_test(test_others_stay), cmocka_unit_test(test_foreign_style),
		cmocka_unit_test(test_unknown_keys_stay), cmocka_unit_test(test_environments),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_key),
		cmocka_unit_test(test_writers)};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
