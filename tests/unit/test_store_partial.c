/*
 * Objects that arrive in more than one go: the next writer goes on, nothing wrong gets a name, and
 * two writers at once do not share a file.
 */
#include <signal.h>
#include <sys/wait.h>

#include "tests/unit/store_repo.h"

enum { SIZE = 5 * MIB + 777 };

static uint64_t have;

static struct store_writer *begin(struct store *s, const struct oid *oid, size_t size)
{
	struct store_writer *w;

	assert_int_equal(store_writer_resume(&w, s, oid, size, &have), 0);
	return w;
}

static void end(struct store_writer *w, const struct oid *oid, int expect)
{
	struct oid found;
	uint64_t size;

	assert_int_equal(store_writer_finish(w, oid, &found, &size), expect);
	if (expect == 0)
		assert_int_equal(size, SIZE);
	store_writer_free(w);
}

static void test_the_next_writer_goes_on(void **state)
{
	static const size_t keeps[] = {
		0, 1, 30000, STORE_SMALL_MAX, 100000, MIB, 2 * MIB + 5, 3 * MIB};
	struct repo *r = *state;

	for (size_t i = 0; i < sizeof keeps / sizeof keeps[0]; i++) {
		uint8_t *p = content(SIZE, i);
		struct store_writer *w;
		struct oid oid;

		oid_of(&oid, p, SIZE);
		w = begin(r->s, &oid, SIZE);
		assert_int_equal(have, 0);
		assert_int_equal(store_writer_add(w, p, 3 * MIB + 100), 0);
		store_writer_free(w);
		assert_int_equal(store_has(r->s, &oid, SIZE), 0);

		w = begin(r->s, &oid, SIZE); /* one that does nothing loses nothing */
		assert_int_equal(have, 3 * MIB);
		store_writer_free(w);

		w = begin(r->s, &oid, SIZE);
		assert_int_equal(have, 3 * MIB);
		assert_int_equal(store_writer_keep(w, keeps[i]), 0);
		for (size_t at = keeps[i], n; at < SIZE; at += n) {
			n = SIZE - at < 12345 ? SIZE - at : 12345;
			assert_int_equal(store_writer_add(w, p + at, n), 0);
		}
		end(w, &oid, 0);
		check_object(r->s, &oid, p, SIZE);
		free(p);
	}
	assert_int_equal(count_files(r, "lfs/incomplete"), 0);
	assert_int_equal(count_files(r, "lfs/tmp"), 0);
}

static void test_wrong_bytes_get_no_name_and_do_not_stay(void **state)
{
	struct repo *r = *state;
	uint8_t *p = content(SIZE, 1);
	struct store_writer *w;
	struct oid oid;

	oid_of(&oid, p, SIZE);
	p[MIB] ^= 1;
	w = begin(r->s, &oid, SIZE);
	assert_int_equal(store_writer_add(w, p, 2 * MIB), 0);
	store_writer_free(w);
	p[MIB] ^= 1;
	w = begin(r->s, &oid, SIZE);
	assert_int_equal(have, 2 * MIB);
	assert_int_equal(store_writer_keep(w, have), 0);
	assert_int_equal(store_writer_add(w, p + 2 * MIB, SIZE - 2 * MIB), 0);
	end(w, &oid, ERR_CORRUPT);
	assert_int_equal(store_has(r->s, &oid, SIZE), 0);
	assert_int_equal(count_files(r, "lfs/incomplete"), 0);

	w = begin(r->s, &oid, SIZE);
	assert_int_equal(have, 0);
	assert_int_equal(store_writer_add(w, p, 2 * MIB), 0);
	store_writer_forget(w);
	store_writer_free(w);
	assert_int_equal(count_files(r, "lfs"), 0);
	free(p);
}

static void test_more_than_the_object_is_nothing(void **state)
{
	struct repo *r = *state;
	uint8_t *p = content(SIZE, 1);
	struct store_writer *w;
	struct oid oid;

	oid_of(&oid, p, SIZE);
	w = begin(r->s, &oid, SIZE);
	assert_int_equal(store_writer_add(w, p, 3 * MIB), 0);
	store_writer_free(w);
	w = begin(r->s, &oid, 2 * MIB);
	assert_int_equal(have, 0);
	store_writer_free(w);
	free(p);
}

static void test_two_writers_at_once(void **state)
{
	struct repo *r = *state;
	uint8_t *p = content(SIZE, 1);
	struct store *other = again(r);
	struct store_writer *a, *b;
	struct oid oid;

	oid_of(&oid, p, SIZE);
	a = begin(r->s, &oid, SIZE);
	assert_int_equal(store_writer_add(a, p, 2 * MIB), 0);
	b = begin(other, &oid, SIZE);
	assert_int_equal(have, 0);
	assert_int_equal(store_writer_add(b, p, SIZE), 0);
	assert_int_equal(store_writer_add(a, p + 2 * MIB, SIZE - 2 * MIB), 0);
	end(b, &oid, 0);
	end(a, &oid, 0);
	check_object(r->s, &oid, p, SIZE);
	assert_int_equal(count_files(r, "lfs/incomplete") + count_files(r, "lfs/tmp"), 0);
	store_close(other);
	free(p);
}

static void test_a_killed_process_leaves_its_bytes(void **state)
{
	struct repo *r = *state;
	uint8_t *p = content(SIZE, 1);
	struct store_writer *w;
	struct oid oid;
	pid_t child;
	int status;

	oid_of(&oid, p, SIZE);
	child = fork();
	if (child == 0) {
		w = begin(r->s, &oid, SIZE);
		store_writer_add(w, p, 4 * MIB);
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	w = begin(r->s, &oid, SIZE);
	assert_int_equal(have, 4 * MIB);
	assert_int_equal(store_writer_keep(w, have), 0);
	assert_int_equal(store_writer_add(w, p + have, SIZE - have), 0);
	end(w, &oid, 0);
	check_object(r->s, &oid, p, SIZE);
	free(p);
}

static void test_what_nobody_comes_back_for_goes(void **state)
{
	static const struct timespec long_ago[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	struct repo *r = *state;
	uint8_t *p = content(SIZE, 1);
	struct store *other;
	struct store_writer *w;
	struct oid oid = {{1}}, second = {{2}};
	char path[256], hex[OID_HEX_LEN + 1];

	w = begin(r->s, &oid, SIZE);
	assert_int_equal(store_writer_add(w, p, MIB), 0);
	store_writer_free(w);
	oid_to_hex(hex, &oid);
	snprintf(path, sizeof path, "%s/lfs/incomplete/dvx-%s", r->g.git_dir, hex);
	assert_int_equal(utimensat(AT_FDCWD, path, long_ago, 0), 0);
	other = again(r);
	w = begin(other, &second, SIZE);
	assert_int_equal(access(path, F_OK), -1);
	store_writer_free(w);
	store_close(other);
	assert_int_equal(count_files(r, "lfs/incomplete"), 0);
	free(p);
}

static void test_small_objects_and_links_are_none_of_its_business(void **state)
{
	struct repo *r = *state;
	uint8_t *p = content(SIZE, 1);
	struct store_writer *w;
	struct oid oid;
	char path[256], elsewhere[256], hex[OID_HEX_LEN + 1];

	oid_of(&oid, p, 100);
	w = begin(r->s, &oid, 100);
	assert_int_equal(store_writer_add(w, p, 50), 0);
	store_writer_free(w);
	assert_int_equal(count_files(r, "lfs"), 0);

	oid_of(&oid, p, SIZE); /* a link where the file should be is not followed */
	oid_to_hex(hex, &oid);
	snprintf(path, sizeof path, "%s/lfs/incomplete/dvx-%s", r->g.git_dir, hex);
	snprintf(elsewhere, sizeof elsewhere, "%s/elsewhere", r->dir);
	write_text(r->dir, "elsewhere", "mine");
	assert_int_equal(fs_mkdirs_parent(path), 0);
	assert_int_equal(symlink(elsewhere, path), 0);
	w = begin(r->s, &oid, SIZE);
	assert_int_equal(have, 0);
	assert_int_equal(store_writer_add(w, p, SIZE), 0);
	end(w, &oid, 0);
	check_object(r->s, &oid, p, SIZE);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(link(elsewhere, path), 0); /* nor a file that has another name, too */
	w = begin(r->s, &oid, SIZE);
	assert_int_equal(have, 0);
	store_writer_free(w);
	free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_next_writer_goes_on),
		TEST(test_wrong_bytes_get_no_name_and_do_not_stay),
		TEST(test_more_than_the_object_is_nothing),
		TEST(test_two_writers_at_once),
		TEST(test_a_killed_process_leaves_its_bytes),
		TEST(test_what_nobody_comes_back_for_goes),
		TEST(test_small_objects_and_links_are_none_of_its_business),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
