/*
 * The local store in bad times: flipped bits, torn ends, several writers, killed ones, a full disk.
 */
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "tests/unit/store_repo.h"

/* ---- damage ---- */

/* Flip a bit of a file and put its times back. */
static void flip(const char *path, uint64_t bit)
{
	struct timespec times[2];
	uint8_t byte;
	struct stat st;
	int fd = open(path, O_RDWR);

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	assert_int_equal(pread(fd, &byte, 1, (off_t)(bit / 8)), 1);
	byte ^= (uint8_t)(1 << bit % 8);
	assert_int_equal(pwrite(fd, &byte, 1, (off_t)(bit / 8)), 1);
	assert_int_equal(futimens(fd, times), 0);
	close(fd);
}

static void check_damage_is_noticed(struct repo *r, size_t len, int flips)
{
	uint8_t *p = content(len, len);
	struct buf path = BUF_INIT;
	int fd = memfd_create("place", 0);
	struct oid oid;

	assert_int_equal(store_put(r->s, p, len, &oid), 0);
	assert_int_equal(store_whole_path(r->s, &oid, len, &path), 1);
	for (int i = 0; i < flips; i++) {
		uint64_t bit = random32() % (len * 8);

		flip(path.p, bit);
		assert_int_equal(store_place(r->s, &oid, len, fd), ERR_CORRUPT);
		assert_non_null(strstr(err_msg(), path.p));
		flip(path.p, bit);
	}
	assert_true(store_place(r->s, &oid, len, fd) > 0);
	/* what is wrong is replaced when the content comes by again */
	flip(path.p, 8);
	assert_int_equal(store_verify(r->s, &oid, len), ERR_CORRUPT);
	assert_int_equal(store_put(r->s, p, len, &oid), 0);
	assert_int_equal(store_verify(r->s, &oid, len), 0);
	assert_int_equal(truncate(path.p, (off_t)len - 1), 0);
	assert_int_equal(store_has(r->s, &oid, len), 0);
	assert_int_equal(store_place(r->s, &oid, len, fd), ERR_CORRUPT);
	assert_int_equal(store_put(r->s, p, len, &oid), 0);
	check_object(r->s, &oid, p, len);
	close(fd);
	buf_release(&path);
	free(p);
}

static void test_flipped_bits_in_whole_objects(void **state)
{
	check_damage_is_noticed(*state, STORE_SMALL_MAX + 100, 9900);
	check_damage_is_noticed(*state, 4 * MIB + 100, 100);
}

/* The same with the fast check alone: the record is made to describe the damaged file. */
static void test_flipped_bits_behind_equal_stat_data(void **state)
{
	struct repo *r = *state;
	size_t len = 5 * MIB;
	uint8_t *p = content(len, 5);
	struct buf path = BUF_INIT;
	int fd = memfd_create("place", 0), file;
	struct oid oid;
	uint8_t *map;

	assert_int_equal(store_put(r->s, p, len, &oid), 0);
	assert_int_equal(store_whole_path(r->s, &oid, len, &path), 1);
	file = open(path.p, O_RDWR);
	map = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	assert_ptr_not_equal(map, MAP_FAILED);
	for (size_t at = 0; at < len; at += 4096)
		((volatile uint8_t *)map)[at] = map[at]; /* the pages' one change of the times */
	assert_true(store_place(r->s, &oid, len, fd) > 0);
	for (int i = 0; i < 100; i++) {
		size_t bit = random32() % (len * 8);

		map[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(store_place(r->s, &oid, len, fd), ERR_CORRUPT);
		map[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_true(store_place(r->s, &oid, len, fd) > 0);
	munmap(map, len);
	close(file);
	close(fd);
	buf_release(&path);
	free(p);
}

static void test_flipped_bits_in_the_open_pack(void **state)
{
	struct repo *r = *state;
	uint8_t *p[3];
	struct oid oids[3];
	char path[256];
	struct stat st;

	for (int i = 0; i < 3; i++) {
		p[i] = content(300, (uint64_t)i);
		assert_int_equal(store_put(r->s, p[i], 300, &oids[i]), 0);
	}
	store_close(r->s);
	r->s = NULL;
	pack_path(r, path, "open-0.pack");
	assert_int_equal(stat(path, &st), 0);
	for (uint64_t bit = 0; bit < (uint64_t)st.st_size * 8; bit += 1 + random32() % 3) {
		struct store *s;
		int good = 0;

		flip(path, bit);
		s = again(r);
		for (int i = 0; i < 3; i++) {
			struct buf out = BUF_INIT;

			if (store_read(s, &oids[i], 300, &out) == 0) {
				assert_memory_equal(out.p, p[i], 300);
				good++;
			}
			buf_release(&out);
		}
		assert_true(good < 3);
		store_close(s);
		flip(path, bit);
	}
	r->s = again(r);
	for (int i = 0; i < 3; i++) {
		check_object(r->s, &oids[i], p[i], 300);
		free(p[i]);
	}
}

static void test_damaged_small_objects_are_stored_again(void **state)
{
	struct repo *r = *state;
	uint8_t *p = content(500, 1);
	struct buf out = BUF_INIT;
	struct oid oid;
	char path[256];

	assert_int_equal(store_put(r->s, p, 500, &oid), 0);
	pack_path(r, path, "open-0.pack");
	flip(path, (PACK_HEADER_LEN + PACK_ENTRY_HEADER_LEN + 100) * 8);
	assert_int_equal(store_read(r->s, &oid, 500, &out), ERR_CORRUPT);
	assert_non_null(strstr(err_msg(), "open-0.pack"));
	assert_int_equal(store_put(r->s, p, 500, &oid), 0);
	check_object(r->s, &oid, p, 500);
	reload(r);
	check_object(r->s, &oid, p, 500);
	buf_release(&out);
	free(p);
}

/* ---- several writers, deaths ---- */

static void put_numbers(struct repo *r, uint32_t from, uint32_t to)
{
	struct store *s = again(r);

	for (uint32_t i = from; i < to; i++) {
		uint32_t data[50] = {i};
		struct oid oid;

		if (store_put(s, data, sizeof data, &oid) < 0)
			_exit(1);
	}
	store_close(s);
}

static void check_numbers(struct store *s, uint32_t to)
{
	for (uint32_t i = 0; i < to; i++) {
		uint32_t data[50] = {i};
		struct buf out = BUF_INIT;
		struct oid oid;

		oid_of(&oid, data, sizeof data);
		assert_int_equal(store_read(s, &oid, sizeof data, &out), 0);
		assert_memory_equal(out.p, data, sizeof data);
		buf_release(&out);
	}
}

static void test_processes_append_at_once(void **state)
{
	enum { PROCESSES = 4, EACH = 500 };
	struct repo *r = *state;
	uint32_t data[50] = {0};
	struct oid last;
	int status, failed = 0;

	data[0] = PROCESSES * EACH - 1;
	oid_of(&last, data, sizeof data);
	assert_int_equal(store_has(r->s, &last, sizeof data), 0); /* the reader is there first */
	for (uint32_t i = 0; i < PROCESSES; i++)
		if (fork() == 0) {
			put_numbers(r, i * EACH, (i + 1) * EACH);
			_exit(0);
		}
	while (!store_has(r->s, &last, sizeof data)) /* reading while others write */
		usleep(100);
	for (int i = 0; i < PROCESSES; i++) {
		assert_true(wait(&status) > 0);
		failed |= status;
	}
	assert_int_equal(failed, 0);
	check_numbers(r->s, PROCESSES * EACH);
	reload(r);
	check_numbers(r->s, PROCESSES * EACH);
}

static void test_a_torn_end_is_cut_by_the_next_writer(void **state)
{
	struct repo *r = *state;
	char path[256], log[256];
	struct stat st;
	off_t good;

	pack_path(r, path, "open-0.pack");
	pack_path(r, log, "open-0.idx");
	put_numbers(r, 0, 50);
	assert_int_equal(stat(path, &st), 0);
	good = st.st_size;
	for (int round = 1; round < 20; round++) {
		put_numbers(r, 50, 51);
		assert_int_equal(stat(path, &st), 0);
		assert_true(st.st_size > good + 2 * round);
		/* as if the process had died in its write, or before its log */
		assert_int_equal(truncate(path, good + round * 2), 0);
		if (round % 3 == 0)
			assert_int_equal(unlink(log), 0);
		check_numbers(r->s, 50);
	}
	put_numbers(r, 50, 100);
	check_numbers(r->s, 100);
	reload(r);
	check_numbers(r->s, 100);
	assert_int_equal(count_files(r, "dvx/packs"), 2);
}

/* Numbers are put until death, and each one is told when store_put has returned. */
static void put_until_killed(struct repo *r, uint32_t from, int tell)
{
	struct store *s = again(r);

	for (uint32_t i = from;; i++) {
		uint32_t data[50] = {i};
		struct oid oid;

		if (store_put(s, data, sizeof data, &oid) < 0 ||
			write(tell, &i, sizeof i) != sizeof i)
			_exit(1);
	}
}

static void test_killed_writers_lose_nothing(void **state)
{
	struct repo *r = *state;
	uint32_t next = 0;

	for (int round = 0; round < 20; round++) {
		uint32_t told;
		int ends[2], status;
		pid_t child;

		assert_int_equal(pipe(ends), 0);
		child = fork();
		if (child == 0)
			put_until_killed(r, next, ends[1]);
		close(ends[1]);
		usleep(500 + random32() % 5000);
		assert_int_equal(kill(child, SIGKILL), 0);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status));
		while (read(ends[0], &told, sizeof told) == sizeof told)
			next = told + 1;
		close(ends[0]);
		check_numbers(r->s, next);
	}
	put_numbers(r, next, next + 10);
	reload(r);
	check_numbers(r->s, next + 10);
	assert_true(next > 20);
}

/* Files may not grow past `limit`: the next write stops there half-way, as on a full disk. */
static void limit_files(rlim_t limit)
{
	struct rlimit l;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &l), 0);
	l.rlim_cur = limit;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &l), 0);
}

static void test_a_full_disk_leaves_nothing_half_written(void **state)
{
	struct repo *r = *state;
	uint8_t *p = content(3 * MIB, 1), *q = content(3 * MIB, 2);
	struct store_writer *w;
	struct oid oid, small;
	char path[256];
	uint64_t size;
	struct stat st;
	int fd;

	put_numbers(r, 0, 50);
	pack_path(r, path, "open-0.pack");
	assert_int_equal(stat(path, &st), 0);
	limit_files((rlim_t)st.st_size + 100);
	assert_true(store_put(r->s, p, 1000, &small) < 0);
	assert_int_equal(store_has(r->s, &small, 1000), 0);
	assert_true(store_put(r->s, p, 3 * MIB, &oid) < 0);
	assert_int_equal(store_writer_new(&w, r->s, -1), 0);
	(void)store_writer_add(w, q, 3 * MIB);
	assert_true(store_writer_finish(w, NULL, &oid, &size) < 0);
	store_writer_free(w);
	limit_files(RLIM_INFINITY);
	assert_int_equal(count_files(r, "lfs"), 0);
	size = (uint64_t)st.st_size;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, size);

	snprintf(path, sizeof path, "%s/file", r->dir);
	assert_int_equal(fs_replace_file(path, p, 3 * MIB, 0), 0);
	fd = open(path, O_RDONLY);
	limit_files(MIB + 5);
	assert_true(store_put_file(r->s, fd, NULL, &oid, &size) < 0);
	limit_files(RLIM_INFINITY);
	assert_int_equal(count_files(r, "lfs"), 0);
	assert_int_equal(store_put_file(r->s, fd, NULL, &oid, &size), 0);
	close(fd);
	check_object(r->s, &oid, p, 3 * MIB);
	assert_int_equal(store_put(r->s, p, 1000, &small), 0);
	reload(r);
	check_object(r->s, &small, p, 1000);
	check_numbers(r->s, 50);
	free(p);
	free(q);
}

static void test_damage_in_the_middle_costs_one_object(void **state)
{
	struct repo *r = *state;
	char path[256], log[256];
	uint32_t data[50] = {1};
	struct buf out = BUF_INIT;
	struct pack_entry e[3];
	uint64_t at = PACK_HEADER_LEN;
	struct stat st;
	off_t size;

	put_numbers(r, 0, 50);
	pack_path(r, path, "open-0.pack");
	pack_path(r, log, "open-0.idx");
	assert_int_equal(buf_read_file(&out, path), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(pack_entry_parse(&e[i], out.p + at, out.len - at), 0);
		e[i].offset = at;
		at += PACK_ENTRY_HEADER_LEN + e[i].stored_len;
	}
	assert_int_equal(stat(path, &st), 0);
	size = st.st_size;
	flip(path, (e[1].offset + 20) * 8);			   /* its header */
	flip(path, (e[2].offset + PACK_ENTRY_HEADER_LEN + 5) * 8); /* its payload */
	assert_int_equal(unlink(log), 0);
	put_numbers(r, 1, 3); /* the next writer cuts nothing off, and adds what is damaged */
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size > size);
	reload(r);
	check_numbers(r->s, 50);
	data[0] = 50;
	oid_of(&e[0].id, data, sizeof data);
	assert_int_equal(store_has(r->s, &e[0].id, sizeof data), 0);
	buf_release(&out);
}

static void test_logs_of_other_packs_are_not_believed(void **state)
{
	struct repo *r = *state;
	char a[256], b[256], log_a[256], log_b[256];
	struct buf bytes = BUF_INIT;
	struct store *other = again(r);
	uint8_t *p = content(400, 1), *q = content(400, 2);
	struct oid x, y;

	assert_int_equal(store_put(r->s, p, 400, &x), 0);
	assert_int_equal(store_put(other, q, 400, &y), 0); /* takes the second pack */
	store_close(other);
	pack_path(r, a, "open-0.pack");
	pack_path(r, b, "open-1.pack");
	pack_path(r, log_a, "open-0.idx");
	pack_path(r, log_b, "open-1.idx");
	assert_int_equal(store_flush(r->s), 0);
	assert_int_equal(buf_read_file(&bytes, log_a), 0);
	assert_int_equal(fs_replace_file(log_b, bytes.p, bytes.len, 0), 0);
	assert_int_equal(fs_replace_file(log_a, "DVXL rubbish", 12, 0), 0);
	reload(r);
	check_object(r->s, &x, p, 400);
	check_object(r->s, &y, q, 400);
	put_numbers(r, 0, 10);
	reload(r);
	check_object(r->s, &x, p, 400);
	check_numbers(r->s, 10);
	buf_release(&bytes);
	free(p);
	free(q);
}

static void test_an_unreadable_pack_is_named(void **state)
{
	struct repo *r = *state;
	struct buf out = BUF_INIT;
	struct oid oid;
	char path[256];

	put_numbers(r, 0, 1);
	pack_path(r, path, "open-7.pack");
	assert_int_equal(fs_replace_file(path, "DVXP\0\0\0\002 of the future", 20, 0), 0);
	check_numbers(r->s, 1);
	oid_of(&oid, "x", 1);
	assert_int_equal(store_read(r->s, &oid, 1, &out), ERR_NOTFOUND);
	assert_non_null(strstr(err_msg(), "open-7.pack"));
	assert_non_null(strstr(err_msg(), "version 2"));
	buf_release(&out);
}

static void test_full_packs_are_sealed(void **state)
{
	enum { N = 2200, LEN = STORE_SMALL_MAX };
	struct repo *r = *state;
	struct store *reader = again(r);
	uint8_t *p = content(LEN, 9);
	struct oid *oids = calloc(N, sizeof *oids);

	for (uint32_t i = 0; i < N; i++) { /* 137 MiB: two full packs and a rest */
		be32_put(p, i);
		assert_int_equal(store_put(r->s, p, LEN, &oids[i]), 0);
		if (i % 100 == 0)
			assert_int_equal(store_has(reader, &oids[i], LEN), 1);
	}
	for (uint32_t i = 0; i < N; i++)
		assert_int_equal(store_has(reader, &oids[i], LEN), 1);
	reload(r);
	for (uint32_t i = 0; i < N; i += 7) {
		be32_put(p, i);
		check_object(r->s, &oids[i], p, LEN);
	}
	assert_int_equal(count_files(r, "dvx/packs"), 4);
	assert_int_equal(store_sync(r->s, oids, N), 0);
	store_close(reader);
	free(oids);
	free(p);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_flipped_bits_in_whole_objects),
		TEST(test_flipped_bits_behind_equal_stat_data),
		TEST(test_flipped_bits_in_the_open_pack),
		TEST(test_damaged_small_objects_are_stored_again),
		TEST(test_processes_append_at_once),
		TEST(test_a_torn_end_is_cut_by_the_next_writer),
		TEST(test_killed_writers_lose_nothing),
		TEST(test_a_full_disk_leaves_nothing_half_written),
		TEST(test_damage_in_the_middle_costs_one_object),
		TEST(test_logs_of_other_packs_are_not_believed),
		TEST(test_an_unreadable_pack_is_named),
		TEST(test_full_packs_are_sealed),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
