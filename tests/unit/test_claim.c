/*
 * Claims: who is in whose way; outputs that are set aside come back, or go, also when the process
 * that had them dies at any step.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lib/base/fstree.h"
#include "lib/base/words.h"
#include "lib/pipeline/claim.h"
#include "lib/pipeline/claim_journal.h"
#include "lib/pipeline/stagelock.h"
#include "tests/unit/git_repo.h"

static struct git_repo r;

static int setup(void **state)
{
	if (scratch_enter(state) < 0 || fs_mkdirs(scratch_path("repo")) < 0)
		return -1;
	scratch_git("repo", "init", "-q", NULL);
	git_repo_open(&r, "repo");
	return 0;
}

static int teardown(void **state)
{
	git_repo_close(&r);
	return scratch_leave(state);
}

/* ---- helpers ---- */

/* The words of `text`, as in a shell. */
static struct strvec words(const char *text)
{
	struct strvec v = STRVEC_INIT;

	assert_int_equal(words_split(&v, text), 0);
	return v;
}

static int take(struct claim **c, const char *stage, const char *reads, const char *writes,
	const char *mutex)
{
	struct strvec in = words(reads), out = words(writes), names = words(mutex);
	struct claim_wants w = {
		.stage = stage, .reads = &in, .writes = &out, .mutex = &names, .no_wait = 1};
	int rc = claim_take(c, &r.repo, &w);

	strvec_release(&in);
	strvec_release(&out);
	strvec_release(&names);
	return rc;
}

static int holds(const char *name, const char *text)
{
	struct buf b = BUF_INIT;
	int same = buf_read_file(&b, name) == 0 && strcmp(buf_str(&b), text) == 0;

	buf_release(&b);
	return same;
}

static size_t entries(const char *dir)
{
	DIR *d = opendir(dir);
	size_t n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n > 2 ? n - 2 : 0;
}

/* Nothing of any claim is left. */
static void assert_no_traces(void)
{
	assert_true(entries(".git/dvx/running") <= 1); /* the lock */
	assert_int_equal(entries(".git/dvx/aside"), 0);
}

/* ---- who waits for whom ---- */

static void conflicts(void **state)
{
	static const struct {
		const char *reads, *writes, *mutex;
		int conflict;
	} cases[] = {{"", "model", "", 1}, {"", "model/x", "", 1}, {"", "out", "", 1},
		{"", "model2", "", 0}, {"", "mode", "", 0}, {"model", "a", "", 1},
		{"model/deep/er", "a", "", 1}, {"data", "a", "", 0}, {"", "data", "", 1},
		{"", "data/part", "", 1}, {"", "a", "gpu", 1}, {"", "a", "disk", 0},
		{"out", "a", "", 1}, {"", "", "", 0}, {"/outside", "a", "", 0}};
	struct claim *first, *second;

	(void)state;
	assert_int_equal(take(&first, "train", "data /outside", "model out/deep", "gpu db"), 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int rc = take(&second, "other", cases[i].reads, cases[i].writes, cases[i].mutex);

		assert_int_equal(rc, cases[i].conflict ? ERR_LOCKED : 0);
		if (rc == 0)
			assert_int_equal(claim_commit(second, NULL), 0);
		else
			assert_non_null(strstr(err_msg(), "stage 'train' (process "));
	}
	assert_int_equal(claim_commit(first, NULL), 0);
	assert_int_equal(take(&second, "other", "", "model", ""), 0);
	assert_false(claim_was_delayed(second));
	assert_int_equal(claim_roll_back(second), 0);
	assert_no_traces();
}

static void says_what_is_in_the_way(void **state)
{
	struct claim *first, *second;

	(void)state;
	assert_int_equal(take(&first, "train", "data", "model", "gpu"), 0);
	assert_int_equal(take(&second, "x", "model/a", "", ""), ERR_LOCKED);
	assert_non_null(strstr(err_msg(), "which writes 'model'"));
	assert_int_equal(take(&second, "x", "", "data/a", ""), ERR_LOCKED);
	assert_non_null(strstr(err_msg(), "which reads 'data'"));
	assert_int_equal(take(&second, "x", "", "", "gpu"), ERR_LOCKED);
	assert_non_null(strstr(err_msg(), "which has the mutex 'gpu'"));
	assert_int_equal(claim_commit(first, NULL), 0);
}

static void a_signal_ends_the_waiting(void **state)
{
	struct claim *first, *second;
	struct strvec out = words("model");
	static volatile int stop = 1;
	struct claim_wants w = {.stage = "x", .writes = &out, .stop = &stop};

	(void)state;
	assert_int_equal(take(&first, "train", "", "model", ""), 0);
	assert_int_equal(claim_take(&second, &r.repo, &w), ERR_INTERRUPTED);
	assert_int_equal(claim_commit(first, NULL), 0);
	strvec_release(&out);
}

/* A process that the stage left behind has the descriptor, too. */
static void an_end_is_an_end_for_all_copies(void **state)
{
	struct claim *first, *second;
	int copy;

	(void)state;
	assert_int_equal(take(&first, "train", "", "model", ""), 0);
	copy = dup(claim_fd(first));
	assert_true(copy >= 0);
	assert_int_equal(claim_commit(first, NULL), 0);
	assert_int_equal(take(&second, "x", "", "model", ""), 0);
	assert_int_equal(claim_commit(second, NULL), 0);
	close(copy);
}

/* ---- outputs ---- */

static const struct claim_old old_outputs[] = {
	{"model", 0, 0}, {"dir/tree", 0, 0}, {"log", 1, 0}, {"new", 0, 0}, {"mine", 0, 1}};
enum { OLD_OUTPUTS = sizeof old_outputs / sizeof *old_outputs };

static void make_old(void)
{
	assert_int_equal(fstree_remove("new"), 0);
	assert_int_equal(fstree_remove("dir"), 0);
	assert_int_equal(fstree_remove("model"), 0);
	scratch_write("repo/model", "old model");
	scratch_write("repo/dir/tree/a", "old a");
	scratch_write("repo/dir/tree/deep/b", "old b");
	scratch_write("repo/log", "old log");
	scratch_write("repo/mine", "by hand");
}

static void assert_old(void)
{
	assert_true(holds("model", "old model"));
	assert_true(holds("dir/tree/a", "old a"));
	assert_true(holds("dir/tree/deep/b", "old b"));
	assert_int_equal(entries("dir/tree"), 2);
	assert_true(holds("log", "old log"));
	assert_true(holds("mine", "by hand"));
	assert_false(fs_exists("new"));
}

static struct claim *set_aside(void)
{
	struct claim *c;

	assert_int_equal(take(&c, "train", "", "model dir/tree log new mine", ""), 0);
	assert_int_equal(claim_set_aside(c, old_outputs, OLD_OUTPUTS), 0);
	assert_false(fs_exists("model"));
	assert_false(fs_exists("dir/tree"));
	assert_true(holds("log", "old log"));
	return c;
}

/* What a stage may do: a file in the place of a directory and the other way round. */
static void make_new(void)
{
	scratch_write("repo/model/part", "new model");
	scratch_write("repo/dir/tree", "new tree");
	scratch_write("repo/log", "new log");
	scratch_write("repo/new", "new");
	scratch_write("repo/mine", "new mine");
}

static void assert_new(void)
{
	assert_true(holds("model/part", "new model"));
	assert_true(holds("dir/tree", "new tree"));
	assert_true(holds("log", "new log"));
	assert_true(holds("new", "new"));
	assert_true(holds("mine", "new mine"));
}

static void a_failure_brings_the_old_back(void **state)
{
	(void)state;
	make_old();
	struct claim *c = set_aside();

	make_new();
	assert_int_equal(claim_roll_back(c), 0);
	assert_old();
	assert_no_traces();
}

static void success_removes_the_old(void **state)
{
	struct buf kept = BUF_INIT;

	(void)state;
	make_old();
	struct claim *c = set_aside();

	make_new();
	assert_int_equal(claim_commit(c, &kept), 0);
	assert_new();
	assert_non_null(strstr(buf_str(&kept), "/dvx/overwritten/train.1"));
	assert_int_equal(buf_addstr(&kept, "/mine"), 0);
	assert_true(holds(kept.p, "by hand"));
	assert_no_traces();
	buf_release(&kept);
}

static void outputs_stay_in_the_worktree(void **state)
{
	static const char *const bad[] = {".git/config", "../x", "/etc/passwd", "a/../b", ""};
	struct claim *c;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct claim_old old = {bad[i], 0, 0};

		assert_int_equal(take(&c, "evil", "", "x", ""), 0);
		assert_int_equal(claim_set_aside(c, &old, 1), ERR_DENIED);
		assert_int_equal(claim_roll_back(c), 0);
	}
	assert_true(fs_exists(".git/config"));
}

/* ---- death ---- */

static void told(const char *stage, void *data)
{
	assert_string_equal(stage, "train");
	++*(int *)data;
}

static struct locked_path made_outs[] = {
	{(char *)"model", {.type = FP_FILE, .size = 3, .oid = {{1, 2, 3}}}}};
static struct locked_stage made = {.name = (char *)"train", .outs = made_outs, .n_outs = 1};

/* In a child that dies in the middle of a run; `steps` says how far it gets. */
enum { CLAIMED, ASIDE, RUNNING, MADE, RECORDED };
static void die_after(int step)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		struct claim *c = NULL;
		const struct stagelock_change change = {"train", &made};
		int rc = take(&c, "train", "", "model dir/tree log new mine", "");

		if (rc == 0 && step >= ASIDE)
			rc = claim_set_aside(c, old_outputs, OLD_OUTPUTS);
		if (step >= RUNNING)
			make_new();
		if (rc == 0 && step >= MADE)
			rc = claim_made(c, "dvx.lock", &made);
		if (rc == 0 && step >= RECORDED)
			rc = stagelock_update(&r.repo, "dvx.lock", &change, 1);
		if (rc == 0)
			raise(SIGKILL);
		fprintf(stderr, "%s\n", err_msg());
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

static void whoever_comes_next_recovers(void **state)
{
	(void)state;
	unlink("dvx.lock");
	for (int step = CLAIMED; step <= MADE; step++) {
		int n = 0;

		make_old();
		die_after(step);
		assert_int_equal(claim_recover(&r.repo, told, &n), step >= ASIDE);
		assert_int_equal(n, step >= ASIDE);
		assert_old();
		assert_no_traces();
		assert_int_equal(claim_recover(&r.repo, told, &n), 0);
	}
}

static void after_the_lock_file_there_is_no_way_back(void **state)
{
	int n = 0;

	(void)state;
	unlink("dvx.lock");
	make_old();
	die_after(RECORDED);
	assert_int_equal(claim_recover(&r.repo, told, &n), 1);
	assert_new();
	assert_no_traces();
	assert_true(holds(".git/dvx/overwritten/train.2/mine", "by hand"));
	unlink("dvx.lock");
}

/* The name of the one claim there is. */
static void find_claim(char out[512])
{
	DIR *d = opendir(".git/dvx/running");
	struct dirent *e;

	out[0] = '\0';
	while ((e = readdir(d)))
		if (strstr(e->d_name, ".claim"))
			snprintf(out, 512, "%.400s", e->d_name);
	closedir(d);
	assert_true(out[0]);
}

/* A recovery that was itself killed after some of its renames. */
static void a_recovery_is_repeated(void **state)
{
	char name[512], from[1024];

	(void)state;
	make_old();
	die_after(RUNNING);
	find_claim(name);
	*strstr(name, ".claim") = '\0';
	snprintf(from, sizeof from, ".git/dvx/aside/%s/0", name);
	assert_int_equal(fstree_remove("model"), 0);
	assert_int_equal(rename(from, "model"), 0);
	assert_int_equal(claim_recover(&r.repo, NULL, NULL), 1);
	assert_old();
	assert_no_traces();
}

static void claim_take_recovers_too(void **state)
{
	struct claim *c;

	(void)state;
	make_old();
	die_after(RUNNING);
	assert_int_equal(take(&c, "next", "model", "elsewhere", ""), 0);
	assert_true(claim_was_delayed(c));
	assert_old();
	assert_int_equal(claim_commit(c, NULL), 0);
	assert_no_traces();
}

/* Half of the last record: it was not acted upon. */
static void a_torn_record_does_not_count(void **state)
{
	struct buf text = BUF_INIT;
	char name[512], path[1024];

	(void)state;
	make_old();
	die_after(CLAIMED);
	find_claim(name);
	snprintf(path, sizeof path, ".git/dvx/running/%s", name);
	assert_int_equal(buf_read_file(&text, path), 0);
	assert_int_equal(claim_journal_item(&text, 0, CLAIM_ABSENT, 0, "model"), 0);
	assert_int_equal(fs_replace_file(path, text.p, text.len - 1, 0), 0);
	assert_int_equal(claim_recover(&r.repo, NULL, NULL), 0);
	assert_old();
	assert_no_traces();
	buf_release(&text);
}

static void foreign_journals_are_left_alone(void **state)
{
#define JOURNAL(text, code)                                                                        \
	{                                                                                          \
		text, sizeof(text), code                                                           \
	}
	static const struct {
		const char *text;
		size_t len;
		int code;
	} cases[] = {JOURNAL("dvx-claim 2", ERR_UNSUPPORTED),
		JOURNAL("something else", ERR_CORRUPT), JOURNAL("dvx-claim 1\0what", ERR_CORRUPT),
		JOURNAL("dvx-claim 1\0stage a\0pid 1\0ready\0aside 7 drop x", ERR_CORRUPT)};

	(void)state;
	make_old();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(fs_replace_file(".git/dvx/running/1-1-1.claim", cases[i].text,
					 cases[i].len, 0),
			0);
		assert_int_equal(claim_recover(&r.repo, NULL, NULL), cases[i].code);
		assert_non_null(strstr(err_msg(), "1-1-1.claim"));
		assert_true(fs_exists(".git/dvx/running/1-1-1.claim"));
		assert_old();
	}
	assert_int_equal(unlink(".git/dvx/running/1-1-1.claim"), 0);
}

static void journals_read_back(void **state)
{
	struct strvec in = words("a b/c"), out = words("'d\te'"), none = STRVEC_INIT;
	struct claim_wants w = {.stage = "x: y", .reads = &in, .writes = &out, .mutex = &none};
	struct claim_journal j = {0};
	struct buf text = BUF_INIT;
	struct oid oid = {{7}};
	size_t whole;

	(void)state;
	assert_int_equal(claim_journal_begin(&text, &w, 42), 0);
	assert_int_equal(claim_journal_item(&text, 0, CLAIM_ASIDE, 1, "d\te"), 0);
	assert_int_equal(claim_journal_item(&text, 1, CLAIM_COPIED, 0, "new\nline drop "), 0);
	assert_int_equal(claim_journal_copied(&text), 0);
	assert_int_equal(claim_journal_made(&text, "sub/dvx.lock", "y", &oid), 0);
	assert_int_equal(claim_journal_parse(&j, text.p, text.len), 0);
	assert_true(j.ready && j.copied && j.pid == 42 && j.n == 2);
	assert_string_equal(j.stage, "x: y");
	assert_true(j.reads.n == 2 && j.writes.n == 1 && j.mutex.n == 0);
	assert_true(j.items[0].how == CLAIM_ASIDE && j.items[0].keep);
	assert_string_equal(j.items[1].path, "new\nline drop ");
	assert_string_equal(j.lock, "sub/dvx.lock");
	assert_true(oid_eq(&j.made, &oid));
	claim_journal_release(&j);
	/* cut anywhere it is what was said before, or refused; never a crash */
	whole = text.len;
	for (size_t n = 0; n < whole; n++) {
		assert_int_equal(claim_journal_parse(&j, text.p, n), 0);
		assert_null(j.lock); /* only the last record makes it count */
		claim_journal_release(&j);
	}
	strvec_release(&in);
	strvec_release(&out);
	buf_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(conflicts),
		cmocka_unit_test(says_what_is_in_the_way),
		cmocka_unit_test(a_signal_ends_the_waiting),
		cmocka_unit_test(an_end_is_an_end_for_all_copies),
		cmocka_unit_test(a_failure_brings_the_old_back),
		cmocka_unit_test(success_removes_the_old),
		cmocka_unit_test(outputs_stay_in_the_worktree),
		cmocka_unit_test(whoever_comes_next_recovers),
		cmocka_unit_test(after_the_lock_file_there_is_no_way_back),
		cmocka_unit_test(a_recovery_is_repeated), cmocka_unit_test(claim_take_recovers_too),
		cmocka_unit_test(a_torn_record_does_not_count),
		cmocka_unit_test(foreign_journals_are_left_alone),
		cmocka_unit_test(journals_read_back)};

	return cmocka_run_group_tests(tests, setup, teardown);
}
