/*
 * transfer/depot/similar.h: an edited object is recognised, another one is not; the file survives
 * damage, grows no further than it may, and is shared by processes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/wait.h>

#include "tests/unit/scratch.h"
#include "transfer/depot/similar.h"

static void fill(uint8_t *p, size_t len, uint64_t seed)
{
	uint64_t x = seed * 0x9e3779b97f4a7c15u + 1;

	for (size_t i = 0; i + 8 <= len; i += 8) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		memcpy(p + i, &x, 8);
	}
}

static struct sketch sketch_bytes(const uint8_t *p, size_t len)
{
	struct sketch k;
	int fd = open(scratch_path("object"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	assert_true(fd >= 0);
	assert_int_equal(fs_write_full(fd, p, len), 0);
	assert_int_equal(sketch_of_file(&k, fd), 0);
	close(fd);
	return k;
}

static struct oid oid_number(uint64_t n)
{
	struct oid oid;

	oid_of(&oid, &n, sizeof(n));
	return oid;
}

/* A sketch of nothing but this. */
static struct sketch sketch_number(uint64_t n)
{
	struct sketch k = {.n = SIMILAR_HASHES};

	for (unsigned i = 0; i < k.n; i++)
		k.hashes[i] = n * 1000 + i + 1;
	return k;
}

static struct similar *open_similar(const char *name)
{
	struct similar *s;

	if (similar_open(&s, scratch_path(name)) < 0)
		fail_msg("%s", err_msg());
	return s;
}

static int finds(struct similar *s, uint64_t n)
{
	struct sketch k = sketch_number(n);
	struct oid self = oid_number(999999999), found, want = oid_number(n);

	return similar_find(s, &k, &self, &found) && oid_eq(&found, &want);
}

static void add(struct similar *s, uint64_t n)
{
	struct sketch k = sketch_number(n);
	struct oid oid = oid_number(n);

	if (similar_add(s, &oid, &k) < 0)
		fail_msg("%s", err_msg());
}

static void test_edit(void **unused)
{
	enum { LEN = 20 * 1024 * 1024, EDIT = 10 * 1024 };
	uint8_t *p = malloc(LEN), *q = malloc(LEN);
	struct similar *s = open_similar("edit");
	struct sketch k, other;
	struct oid first = oid_number(1), second = oid_number(2), third = oid_number(3), found;

	(void)unused;
	assert_true(p && q);
	fill(p, LEN, 1);
	fill(q, LEN, 2);
	k = sketch_bytes(p, LEN);
	assert_int_equal(k.n, SIMILAR_HASHES);
	for (unsigned i = 1; i < k.n; i++)
		assert_true(k.hashes[i - 1] < k.hashes[i]);
	other = sketch_bytes(q, LEN);
	assert_int_equal(similar_find(s, &k, &first, &found), 0);
	assert_int_equal(similar_add(s, &first, &k), 0);
	assert_int_equal(similar_add(s, &third, &other), 0);
	assert_int_equal(similar_find(s, &k, &first, &found), 0); /* not itself */
	fill(p + LEN / 3, EDIT, 9);
	k = sketch_bytes(p, LEN);
	assert_int_equal(similar_find(s, &k, &second, &found), 1);
	assert_true(oid_eq(&found, &first));
	memmove(p + 777, p, LEN - 777); /* shifted: the chunks come again */
	k = sketch_bytes(p, LEN);
	assert_int_equal(similar_find(s, &k, &second, &found), 1);
	assert_true(oid_eq(&found, &first));
	k = sketch_bytes(p, LEN / 2); /* half of it */
	assert_int_equal(similar_find(s, &k, &second, &found), 1);
	similar_close(s);
	free(p);
	free(q);
}

static void test_again(void **unused)
{
	struct similar *s = open_similar("again"), *t = open_similar("again");

	(void)unused;
	for (uint64_t i = 0; i < 100; i++)
		add(i % 2 ? s : t, i);
	for (uint64_t i = 0; i < 100; i++)
		add(s, i); /* once more adds nothing */
	assert_int_equal(similar_refresh(t), 0);
	for (uint64_t i = 0; i < 100; i++) {
		assert_true(finds(s, i));
		assert_true(finds(t, i));
	}
	similar_close(s);
	similar_close(t);
	s = open_similar("again");
	assert_true(finds(s, 0) && finds(s, 99) && !finds(s, 100));
	similar_close(s);
}

static void damage(const char *name, off_t at, const char *bytes, size_t len)
{
	int fd = open(scratch_path(name), O_RDWR);

	assert_true(fd >= 0);
	if (len)
		assert_int_equal(pwrite(fd, bytes, len, at), len);
	else
		assert_int_equal(ftruncate(fd, at), 0);
	close(fd);
}

/* What comes before the damage stays; what is added goes over it. */
static void test_damage(void **unused)
{
	struct similar *s = open_similar("damage");

	(void)unused;
	for (uint64_t i = 0; i < 10; i++)
		add(s, i);
	similar_close(s);
	damage("damage", 16 + 5 * 112 + 40, "x", 1);
	s = open_similar("damage");
	assert_true(finds(s, 4) && !finds(s, 5) && !finds(s, 9));
	add(s, 20);
	similar_close(s);
	s = open_similar("damage");
	assert_true(finds(s, 4) && finds(s, 20) && !finds(s, 9));
	similar_close(s);
	damage("damage", 16 + 3 * 112 + 50, NULL, 0); /* torn */
	s = open_similar("damage");
	assert_true(finds(s, 2) && !finds(s, 3));
	add(s, 21);
	similar_close(s);
	damage("damage", 0, "another file", 12);
	s = open_similar("damage");
	assert_true(!finds(s, 2));
	add(s, 22);
	similar_close(s);
	s = open_similar("damage");
	assert_true(finds(s, 22) && !finds(s, 21));
	similar_close(s);
}

static void be_process(uint64_t who)
{
	struct similar *s = open_similar("shared");

	for (uint64_t i = 0; i < 100; i++)
		add(s, who * 100 + i);
	similar_close(s);
	_exit(0);
}

static void test_processes(void **unused)
{
	struct similar *s;
	int status;

	(void)unused;
	for (uint64_t i = 0; i < 3; i++) {
		if (fork() == 0)
			be_process(i);
	}
	for (int i = 0; i < 3; i++)
		assert_true(wait(&status) > 0 && status == 0);
	s = open_similar("shared");
	for (uint64_t i = 0; i < 300; i++)
		assert_true(finds(s, i));
	similar_close(s);
}

/* The older half goes when there are too many. */
static void test_bounded(void **unused)
{
	struct similar *s = open_similar("bounded");
	struct stat st;

	(void)unused;
	for (uint64_t i = 0; i < SIMILAR_RECORDS_MAX + 100; i++)
		add(s, i);
	assert_int_equal(stat(scratch_path("bounded"), &st), 0);
	assert_int_equal(st.st_size, 16 + (SIMILAR_RECORDS_MAX / 2 + 100) * 112);
	assert_true(finds(s, SIMILAR_RECORDS_MAX + 99) && finds(s, SIMILAR_RECORDS_MAX - 1));
	assert_true(!finds(s, 0));
	similar_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_edit),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_processes),
		cmocka_unit_test(test_bounded),
	};

	return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
