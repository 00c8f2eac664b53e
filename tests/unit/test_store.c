/*
 * The local store: what was put in comes out, by every way, and lies where the configuration says.
 */
#include "tests/unit/store_repo.h"

static const size_t sizes[] = {0, 1, 600, STORE_SMALL_MAX - 1, STORE_SMALL_MAX, STORE_SMALL_MAX + 1,
	MIB - 1, MIB, MIB + 1, 4 * MIB - 1, 4 * MIB, 4 * MIB + 1, 9 * MIB + 12345};

static void test_put_and_read(void **state)
{
	struct repo *r = *state;

	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		uint8_t *p = content(sizes[i], i);
		struct store *other = again(r);
		struct oid oid, expect;

		assert_int_equal(store_put(r->s, p, sizes[i], &oid), 0);
		oid_of(&expect, p, sizes[i]);
		assert_true(oid_eq(&oid, &expect));
		check_object(r->s, &oid, p, sizes[i]);
		check_object(other, &oid, p, sizes[i]); /* without a flush of the first */
		store_close(other);
		free(p);
	}
	assert_int_equal(count_files(r, "lfs/tmp"), 0);
	assert_int_equal(count_files(r, "lfs/objects"), 8);
}

static void test_writer_in_odd_pieces(void **state)
{
	struct repo *r = *state;

	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		uint8_t *p = content(sizes[i], 100 + i);
		struct store_writer *w;
		struct oid oid;
		uint64_t size;

		assert_int_equal(store_writer_new(&w, r->s, -1), 0);
		for (size_t at = 0, n; at < sizes[i]; at += n) {
			n = 1 + random32() % 200000;
			n = n < sizes[i] - at ? n : sizes[i] - at;
			assert_int_equal(store_writer_add(w, p + at, n), 0);
		}
		assert_int_equal(store_writer_finish(w, NULL, &oid, &size), 0);
		assert_int_equal(size, sizes[i]);
		store_writer_free(w);
		check_object(r->s, &oid, p, sizes[i]);
		free(p);
	}
}

static void test_other_content_than_expected_is_refused(void **state)
{
	static const size_t some[] = {10, 5 * MIB};
	struct repo *r = *state;

	for (size_t i = 0; i < 2; i++) {
		uint8_t *p = content(some[i], 3);
		struct store_writer *w;
		struct oid oid;
		uint64_t size;

		assert_int_equal(store_writer_new(&w, r->s, -1), 0);
		assert_int_equal(store_writer_add(w, p, some[i]), 0);
		assert_int_equal(store_writer_finish(w, &oid_of_empty, &oid, &size), ERR_CORRUPT);
		store_writer_free(w);
		oid_of(&oid, p, some[i]);
		assert_int_equal(store_has(r->s, &oid, some[i]), 0);
		free(p);
	}
	assert_int_equal(count_files(r, "lfs"), 0);
}

static void test_an_aborted_writer_leaves_nothing(void **state)
{
	struct repo *r = *state;
	uint8_t *p = content(3 * MIB, 4);
	struct store_writer *w;

	assert_int_equal(store_writer_new(&w, r->s, -1), 0);
	assert_int_equal(store_writer_add(w, p, 3 * MIB), 0);
	store_writer_free(w);
	assert_int_equal(count_files(r, "lfs"), 0);
	free(p);
}

static void test_files(void **state)
{
	struct repo *r = *state;

	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		uint8_t *p = content(sizes[i], 200 + i);
		struct oid oid, same;
		char path[128];
		uint64_t size;
		int fd;

		snprintf(path, sizeof path, "%s/file", r->dir);
		assert_int_equal(fs_replace_file(path, p, sizes[i], 0), 0);
		fd = open(path, O_RDONLY);
		assert_int_equal(store_put_file(r->s, fd, NULL, &oid, &size), 0);
		assert_int_equal(size, sizes[i]);
		check_object(r->s, &oid, p, sizes[i]);
		assert_int_equal(store_put_file(r->s, fd, &oid, &same, &size), 0);
		assert_int_equal(store_put_file(r->s, fd, &oid, &same, &size), 0);
		same.id[5] ^= 1;
		assert_int_equal(store_put_file(r->s, fd, &same, &oid, &size), ERR_CORRUPT);
		close(fd);
		free(p);
	}
	assert_int_equal(count_files(r, "lfs/tmp"), 0);
}

static void test_import(void **state)
{
	struct repo *r = *state;

	for (int link_ok = 0; link_ok < 2; link_ok++) {
		uint8_t *p = content(5 * MIB, 30 + (uint64_t)link_ok);
		struct buf whole = BUF_INIT;
		struct stat a, b;
		struct oid oid;
		char path[128];

		snprintf(path, sizeof path, "%s/import", r->dir);
		assert_int_equal(fs_replace_file(path, p, 5 * MIB, 0), 0);
		oid_of(&oid, p, 5 * MIB);
		assert_int_equal(store_import_whole(r->s, path, link_ok, &oid_of_empty, 5 * MIB),
			ERR_CORRUPT);
		assert_int_equal(
			store_import_whole(r->s, path, link_ok, &oid, 5 * MIB + 1), ERR_CORRUPT);
		assert_int_equal(store_import_whole(r->s, path, link_ok, &oid, 5 * MIB), 0);
		assert_int_equal(store_import_whole(r->s, path, link_ok, &oid, 5 * MIB), 0);
		check_object(r->s, &oid, p, 5 * MIB);
		assert_int_equal(store_whole_path(r->s, &oid, 5 * MIB, &whole), 1);
		assert_int_equal(stat(whole.p, &a), 0);
		assert_int_equal(stat(path, &b), 0);
		assert_int_equal(a.st_ino == b.st_ino, link_ok);
		buf_release(&whole);
		free(p);
	}
	assert_int_equal(count_files(r, "lfs/tmp"), 0);
}

/* `file` is what lies in the worktree, `p` what arrives; whatever they have in common, `p` is
 * stored. */
static void check_clone(
	struct repo *r, const uint8_t *file, size_t file_len, const uint8_t *p, size_t len)
{
	struct store_writer *w;
	struct oid oid;
	char path[128];
	uint64_t size;
	int fd;

	snprintf(path, sizeof path, "%s/file", r->dir);
	assert_int_equal(fs_replace_file(path, file, file_len, 0), 0);
	fd = open(path, O_RDONLY);
	assert_int_equal(store_writer_new(&w, r->s, fd), 0);
	for (size_t at = 0; at < len; at += 65000)
		assert_int_equal(
			store_writer_add(w, p + at, len - at < 65000 ? len - at : 65000), 0);
	assert_int_equal(store_writer_finish(w, NULL, &oid, &size), 0);
	store_writer_free(w);
	close(fd);
	check_object(r->s, &oid, p, len);
}

static void test_writer_with_a_file_to_share(void **state)
{
	struct repo *r = *state;
	size_t len = 5 * MIB + 77;
	uint8_t *p = content(len, 1), *q = content(len, 1);

	check_clone(r, p, len, p, len);
	p[3]++;
	check_clone(r, p, len, p, len - 2 * MIB); /* the file is longer */
	check_clone(r, p, 3 * MIB - 5, p, len);	  /* shorter */
	q[3 * MIB + 9]++;
	check_clone(r, q, len, p, len); /* other in the middle */
	check_clone(r, q, 0, p, len - 1);
	assert_int_equal(count_files(r, "lfs/tmp"), 0);
	free(p);
	free(q);
}

/* ---- configuration ---- */

static void test_small_objects_whole_beside_git_lfs(void **state)
{
	struct repo *r = *state;
	uint8_t *p = content(100, 1);
	struct oid oid;

	write_text(r->dir, ".git/config", "[lfs]\n\trepositoryformatversion = 0\n");
	reload(r);
	assert_int_equal(store_put(r->s, p, 100, &oid), 0);
	check_object(r->s, &oid, p, 100);
	assert_int_equal(count_files(r, "lfs/objects"), 1);
	assert_int_equal(count_files(r, "dvx/packs"), 0);
	free(p);
}

static void test_storage_elsewhere_and_shared(void **state)
{
	struct repo *r = *state;
	uint8_t *p = content(MIB, 1);
	struct buf path = BUF_INIT;
	struct oid oid, small;
	char pack[256];
	struct stat st;

	write_text(r->dir, ".git/config",
		"[lfs]\n\tstorage = elsewhere\n[core]\n\tsharedRepository = group\n");
	reload(r);
	assert_int_equal(store_put(r->s, p, MIB, &oid), 0);
	assert_int_equal(store_put(r->s, p, 100, &small), 0);
	assert_int_equal(count_files(r, "elsewhere/objects"), 1);
	assert_int_equal(store_whole_path(r->s, &oid, MIB, &path), 1);
	assert_int_equal(stat(path.p, &st), 0);
	assert_int_equal(st.st_mode & 0660, 0660);
	assert_int_equal(fs_dirname(&path, "x"), 0);
	buf_reset(&path);
	assert_int_equal(buf_addf(&path, "%s/.git/elsewhere/objects", r->dir), 0);
	assert_int_equal(stat(path.p, &st), 0);
	assert_int_equal(st.st_mode & 02770, 02770);
	pack_path(r, pack, "open-0.pack");
	assert_int_equal(stat(pack, &st), 0);
	assert_int_equal(st.st_mode & 0660, 0660);
	buf_release(&path);
	free(p);
}

static void test_alternates(void **state)
{
	struct repo *r = *state;
	uint8_t *p = content(MIB, 1);
	void *second = NULL;
	struct oid large, small;
	char line[128];
	struct repo *x;

	assert_int_equal(store_put(r->s, p, MIB, &large), 0);
	assert_int_equal(store_put(r->s, p, 99, &small), 0);
	setup(&second);
	x = second;
	assert_int_equal(store_has(x->s, &large, MIB), 0);
	snprintf(line, sizeof line, "# from\n%s/.git/objects\n", r->dir);
	write_text(x->dir, ".git/objects/info/alternates", line);
	reload(x);
	check_object(x->s, &large, p, MIB);
	check_object(x->s, &small, p, 99);
	assert_int_equal(count_files(x, "lfs"), 0);
	teardown(&second);
	free(p);
}

static void test_missing_objects(void **state)
{
	struct repo *r = *state;
	struct buf out = BUF_INIT;
	struct oid oid;

	oid_of(&oid, "x", 1);
	assert_int_equal(store_has(r->s, &oid, 1), 0);
	assert_int_equal(store_read(r->s, &oid, 1, &out), ERR_NOTFOUND);
	assert_int_equal(store_place(r->s, &oid, 1, -1), ERR_NOTFOUND);
	assert_int_equal(store_verify(r->s, &oid, 1 << 30), ERR_NOTFOUND);
	assert_int_equal(store_sync(r->s, &oid, 1), ERR_NOTFOUND);
	assert_int_equal(count_files(r, "dvx/packs"), 0);
	buf_release(&out);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_put_and_read),
		TEST(test_writer_in_odd_pieces),
		TEST(test_other_content_than_expected_is_refused),
		TEST(test_an_aborted_writer_leaves_nothing),
		TEST(test_files),
		TEST(test_import),
		TEST(test_writer_with_a_file_to_share),
		TEST(test_small_objects_whole_beside_git_lfs),
		TEST(test_storage_elsewhere_and_shared),
		TEST(test_alternates),
		TEST(test_missing_objects),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
