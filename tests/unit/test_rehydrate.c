/*
 * The rehydration engine with a store, an index and a worktree, without any other process: what
 * each kind of file becomes, what the index says then, and what the journal keeps.
 */
#include "tests/unit/index_builder.h"
#include "tests/unit/store_repo.h"

#include <sys/file.h>
#include <time.h>

#include "lib/store/pointer.h"
#include "lib/worktree/gitindex.h"
#include "lib/worktree/pending.h"
#include "lib/worktree/rehydrate.h"

enum { A = 0, B, C, D, N_ITEMS }; /* a: large; b: small; c: missing; d: like a */

struct fixture {
	struct repo *r;
	struct rehydrate_item items[N_ITEMS];
	uint8_t *data[N_ITEMS];
	struct rehydrate_options o;
	struct rehydrate_result result;
	int stop;
};

static const char *const names[N_ITEMS] = {"a", "b", "c", "d"};
static const size_t sizes[N_ITEMS] = {300000, 1000, 5000, 300000};

static const char *in_worktree(const struct fixture *f, const char *name)
{
	static char path[256];

	snprintf(path, sizeof path, "%s/%s", f->r->dir, name);
	return path;
}

static void write_pointer(const struct fixture *f, int i)
{
	char text[POINTER_CANONICAL_MAX];
	size_t len = pointer_format(text, &f->items[i].oid, f->items[i].size);

	assert_int_equal(fs_replace_file(in_worktree(f, names[i]), text, len, 0), 0);
}

/* The blob id of file i is filled with i + 1 there. */
static void write_index(const struct fixture *f)
{
	struct built x;

	built_start(&x, 2, 20);
	for (int i = 0; i < N_ITEMS; i++)
		built_add(&x, names[i], REGULAR, 0, i + 1, 0);
	built_end(&x);
	assert_int_equal(fs_replace_file(f->r->g.index, x.b.p, x.b.len, 0), 0);
	buf_release(&x.b);
}

static int begin(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	void *repo;

	if (setup(&repo) < 0 || !f)
		return -1;
	f->r = repo;
	f->o = (struct rehydrate_options){.jobs = 2, .lock_wait_ms = 1, .stop = &f->stop};
	for (int i = 0; i < N_ITEMS; i++) {
		struct rehydrate_item *item = &f->items[i];

		f->data[i] = content(sizes[i], i == D ? A : (uint64_t)i);
		*item = (struct rehydrate_item){.path = names[i], .size = sizes[i]};
		oid_of(&item->oid, f->data[i], sizes[i]);
		memset(item->blob, i + 1, sizeof item->blob);
		write_pointer(f, i);
		if (i != C)
			assert_int_equal(store_put(f->r->s, f->data[i], sizes[i], &item->oid), 0);
	}
	write_index(f);
	*state = f;
	return 0;
}

static int end(void **state)
{
	struct fixture *f = *state;
	void *repo = f->r;

	rehydrate_result_release(&f->result);
	for (int i = 0; i < N_ITEMS; i++)
		free(f->data[i]);
	free(f);
	return teardown(&repo);
}

static int run_engine(struct fixture *f)
{
	return rehydrate_run(f->items, N_ITEMS, &f->r->g, f->r->config, f->r->s, &f->o, &f->result);
}

static void assert_data(const struct fixture *f, int i)
{
	struct buf b = BUF_INIT;

	assert_int_equal(buf_read_file(&b, in_worktree(f, names[i])), 0);
	assert_int_equal(b.len, sizes[i]);
	assert_memory_equal(b.p, f->data[i], sizes[i]);
	buf_release(&b);
}

static void assert_pointer(const struct fixture *f, int i)
{
	char text[POINTER_CANONICAL_MAX];
	size_t len = pointer_format(text, &f->items[i].oid, f->items[i].size);
	struct buf b = BUF_INIT;

	assert_int_equal(buf_read_file(&b, in_worktree(f, names[i])), 0);
	assert_int_equal(b.len, len);
	assert_memory_equal(b.p, text, len);
	buf_release(&b);
}

struct look {
	const struct fixture *f;
	char fresh[N_ITEMS + 1]; /* the names whose entries match their files and are not racy */
	uint32_t index_second;
};

static int look_at_entry(const struct gitindex_entry *e, void *data)
{
	struct look *l = data;
	struct stat st;

	if (lstat(in_worktree(l->f, e->path), &st) == 0 && gitindex_stat_match(&e->st, &st) &&
		e->st.mtime_sec < l->index_second)
		strcat(l->fresh, e->path);
	return 0;
}

/* Which entries Git would trust without looking inside. */
static void assert_trusted(const struct fixture *f, const char *want)
{
	struct look l = {.f = f};
	struct gitindex *x;

	assert_int_equal(gitindex_read(&x, f->r->g.index, 20), 0);
	l.index_second = gitindex_timestamp(x);
	assert_int_equal(gitindex_each(x, look_at_entry, &l), 0);
	gitindex_free(x);
	assert_string_equal(l.fresh, want);
}

static int note_item(const struct pending_item *i, void *data)
{
	strcat(data, i->path);
	return 0;
}

static void assert_journal(const struct fixture *f, const char *want)
{
	struct pending_taken *t;
	char got[64] = "";

	assert_int_equal(pending_take(&t, f->r->g.git_dir), 0);
	assert_int_equal(pending_taken_each(t, note_item, got), 0);
	assert_int_equal(pending_taken_end(t, 0), 0);
	assert_string_equal(got, want);
	assert_int_equal(count_files(f->r, "dvx/tmp"), 0);
	assert_false(fs_exists(in_worktree(f, ".git/index.lock")));
}

static void test_data_and_a_missing_object(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run_engine(f), 0);
	assert_data(f, A);
	assert_data(f, B);
	assert_pointer(f, C);
	assert_data(f, D);
	assert_int_equal(f->result.done, 3);
	assert_int_equal(f->result.missing, 1);
	assert_int_equal(f->result.bytes, 601000);
	assert_int_equal(f->items[C].state, REHYDRATE_MISSING);
	assert_trusted(f, "abcd"); /* the pointer that stays, too */
	assert_journal(f, "");
}

static void test_an_edited_file_is_left_alone(void **state)
{
	struct fixture *f = *state;
	struct buf b = BUF_INIT;

	write_text(f->r->dir, "a", "mine");
	assert_int_equal(unlink(in_worktree(f, "b")), 0);
	assert_int_equal(run_engine(f), 0);
	assert_int_equal(buf_read_file(&b, in_worktree(f, "a")), 0);
	assert_string_equal(buf_str(&b), "mine");
	buf_release(&b);
	assert_false(fs_exists(in_worktree(f, "b")));
	assert_int_equal(f->result.changed, 2);
	assert_int_equal(f->result.done, 1);
	assert_trusted(f, "cd");
	assert_journal(f, "");
}

/* As in `git stash pop`: the worktree gets what the index does not have. */
static void test_an_entry_of_another_blob_is_not_patched(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	f->items[A].blob[3] ^= 1;
	assert_int_equal(run_engine(f), 0);
	assert_data(f, A);
	assert_int_equal(f->result.done, 3);
	assert_trusted(f, "bcd");
	assert_int_equal(lstat(in_worktree(f, "a"), &st), 0);
	assert_true(st.st_mtim.tv_sec >= time(NULL) - 60); /* its own time */
}

static void test_settling_only(void **state)
{
	struct fixture *f = *state;
	char path[256];

	snprintf(path, sizeof path, "%s", in_worktree(f, "b"));
	assert_int_equal(fs_replace_file(path, (const char *)f->data[B], sizes[B], 0), 0);
	f->items[B].wish = REHYDRATE_SETTLE_DATA;
	f->items[A].wish = REHYDRATE_SETTLE_POINTER;
	f->items[C].wish = REHYDRATE_SETTLE_DATA; /* which it does not hold */
	assert_int_equal(run_engine(f), 0);
	assert_pointer(f, A);
	assert_data(f, B);
	assert_data(f, D);
	assert_int_equal(f->result.done, 1); /* what was to be settled is not counted */
	assert_trusted(f, "abd");
}

static void test_a_held_lock(void **state)
{
	struct fixture *f = *state;
	char path[256];

	write_text(f->r->dir, ".git/index.lock", "");
	snprintf(path, sizeof path, "%s", in_worktree(f, ".git/index.lock"));
	assert_int_equal(run_engine(f), 0);
	assert_int_equal(f->result.left, 3);
	assert_int_equal(f->result.missing, 1);
	assert_non_null(strstr(f->result.first_error, "index.lock"));
	for (int i = 0; i < N_ITEMS; i++)
		assert_pointer(f, i);
	assert_int_equal(unlink(path), 0);
	assert_journal(f, "abd");
}

static void test_told_to_stop(void **state)
{
	struct fixture *f = *state;

	f->stop = 1;
	assert_int_equal(run_engine(f), 0);
	assert_int_equal(f->result.left, 3);
	for (int i = 0; i < N_ITEMS; i++)
		assert_pointer(f, i);
	assert_journal(f, "abd");
}

static void test_an_index_that_cannot_be_read(void **state)
{
	struct fixture *f = *state;

	write_text(f->r->dir, ".git/index", "DIRC rubbish");
	assert_int_equal(run_engine(f), ERR_CORRUPT);
	for (int i = 0; i < N_ITEMS; i++) /* a file without its entry would look modified */
		assert_pointer(f, i);
	assert_journal(f, "abd");
}

static void test_a_damaged_object(void **state)
{
	struct fixture *f = *state;
	struct buf path = BUF_INIT;
	int fd;

	assert_int_equal(store_whole_path(f->r->s, &f->items[A].oid, sizes[A], &path), 1);
	assert_int_equal(chmod(path.p, 0644), 0);
	fd = open(path.p, O_WRONLY | O_CLOEXEC);
	assert_int_equal(fs_pwrite_full(fd, "X!X", 3, 200000), 0);
	close(fd);
	buf_release(&path);
	assert_int_equal(run_engine(f), 0);
	assert_int_equal(f->result.failed, 2); /* both files of that object */
	assert_non_null(f->result.first_error);
	assert_pointer(f, A);
	assert_pointer(f, D);
	assert_data(f, B);
	assert_trusted(f, "abcd");
	assert_journal(f, "");
}

static void test_an_odd_spelling(void **state)
{
	struct fixture *f = *state;
	static const char text[] = "version https://git-lfs.github.com/spec/v1\r\n";

	f->items[A].text = text;
	f->items[A].text_len = strlen(text);
	write_text(f->r->dir, "a", text);
	assert_int_equal(run_engine(f), 0);
	assert_data(f, A);
	assert_int_equal(f->result.done, 3);
}

static void test_nothing_to_do(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(
		rehydrate_run(f->items, 0, &f->r->g, f->r->config, f->r->s, &f->o, &f->result), 0);
	assert_false(fs_exists(in_worktree(f, ".git/dvx/tmp")));
}

#define ENGINE_TEST(t) cmocka_unit_test_setup_teardown(t, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ENGINE_TEST(test_data_and_a_missing_object),
		ENGINE_TEST(test_an_edited_file_is_left_alone),
		ENGINE_TEST(test_an_entry_of_another_blob_is_not_patched),
		ENGINE_TEST(test_settling_only),
		ENGINE_TEST(test_a_held_lock),
		ENGINE_TEST(test_told_to_stop),
		ENGINE_TEST(test_an_index_that_cannot_be_read),
		ENGINE_TEST(test_a_damaged_object),
		ENGINE_TEST(test_an_odd_spelling),
		ENGINE_TEST(test_nothing_to_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
