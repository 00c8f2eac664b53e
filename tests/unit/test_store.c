/*
 * The local store: what was put in comes out, by any process, and damage is noticed before use.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/store/pack.h"
#include "lib/store/store.h"

enum { MIB = 1 << 20 };

struct repo {
	char dir[64];
	struct gitdir g;
	struct config *config;
	struct store *s;
};

static uint64_t seed = 7;

static uint32_t random32(void)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33);
}

static uint8_t *content(size_t len, uint64_t number)
{
	uint8_t *p = malloc(len + 8);
	uint64_t saved = seed;

	seed = number * 2 + 1;
	for (size_t i = 0; i < len; i += 4)
		be32_put(p + i, random32());
	seed = saved;
	return p;
}

static void write_text(const char *dir, const char *name, const char *text)
{
	char path[256];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	assert_int_equal(fs_mkdirs_parent(path), 0);
	assert_int_equal(fs_replace_file(path, text, strlen(text), 0), 0);
}

/* Open a further handle on the same store, as another process would. */
static struct store *again(struct repo *r)
{
	struct store *s;

	assert_int_equal(store_open(&s, &r->g, r->config), 0);
	return s;
}

static void reload(struct repo *r)
{
	store_close(r->s);
	config_free(r->config);
	assert_int_equal(config_load(&r->config, &r->g), 0);
	r->s = again(r);
}

static int setup(void **state)
{
	struct repo *r = calloc(1, sizeof *r);
	char path[128];

	snprintf(r->dir, sizeof r->dir, "/tmp/dvx-test-store-XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	write_text(r->dir, ".git/HEAD", "ref: refs/heads/main\n");
	write_text(r->dir, ".git/config", "[core]\n\trepositoryformatversion = 0\n");
	write_text(r->dir, ".git/objects/info/x", "");
	write_text(r->dir, ".git/refs/x", "");
	setenv("HOME", r->dir, 1);
	setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
	unsetenv("XDG_CONFIG_HOME");
	snprintf(path, sizeof path, "%s/.git", r->dir);
	r->g.git_dir = strdup(path);
	r->g.common_dir = strdup(path);
	r->g.worktree = strdup(r->dir);
	snprintf(path, sizeof path, "%s/.git/dvx", r->dir);
	r->g.dvx_dir = strdup(path);
	snprintf(path, sizeof path, "%s/.git/index", r->dir);
	r->g.index = strdup(path);
	r->g.prefix = strdup("");
	assert_int_equal(config_load(&r->config, &r->g), 0);
	r->s = again(r);
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct repo *r = *state;

	store_close(r->s);
	config_free(r->config);
	free(r->g.git_dir);
	free(r->g.common_dir);
	free(r->g.worktree);
	free(r->g.dvx_dir);
	free(r->g.index);
	free(r->g.prefix);
	assert_int_equal(fs_remove_tree(r->dir), 0);
	free(r);
	return 0;
}

/* How many files lie in a directory of the repository. */
static int count_files(const struct repo *r, const char *where)
{
	char command[256];
	FILE *f;
	int n = -1;

	snprintf(command, sizeof command, "find '%s/.git/%s' -type f 2>/dev/null | wc -l", r->dir,
		where);
	f = popen(command, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%d", &n), 1);
	pclose(f);
	return n;
}

struct collect {
	struct buf bytes;
	size_t largest;
};

static int collect(const void *p, size_t len, void *data)
{
	struct collect *c = data;

	c->largest = len > c->largest ? len : c->largest;
	return buf_add(&c->bytes, p, len);
}

/* Read the object in every way there is. */
static void check_object(struct store *s, const struct oid *oid, const uint8_t *p, size_t len)
{
	struct collect c = {BUF_INIT, 0};
	struct buf out = BUF_INIT;
	uint8_t *placed = malloc(len + 1);
	int fd = memfd_create("place", 0);

	assert_int_equal(store_has(s, oid, len), 1);
	assert_int_equal(store_has(s, oid, STORE_SIZE_UNKNOWN), 1);
	assert_int_equal(store_has(s, oid, len + 1), 0);
	assert_int_equal(store_read(s, oid, len, &out), 0);
	assert_int_equal(out.len, len);
	assert_memory_equal(out.p, p, len);
	assert_true(store_place(s, oid, len, fd) > 0);
	assert_int_equal(fs_pread_full(fd, placed, len + 1, 0), len);
	assert_memory_equal(placed, p, len);
	assert_int_equal(store_stream(s, oid, len, collect, &c), 0);
	assert_int_equal(c.bytes.len, len);
	if (len)
		assert_memory_equal(c.bytes.p, p, len);
	assert_true(c.largest <= MIB);
	assert_int_equal(store_verify(s, oid, len), 0);
	assert_int_equal(store_sync(s, oid, 1), 0);
	close(fd);
	free(placed);
	buf_release(&out);
	buf_release(&c.bytes);
}

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

static void pack_path(const struct repo *r, char out[static 256], const char *name)
{
	snprintf(out, 256, "%s/.git/dvx/packs/%s", r->dir, name);
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

static int count_object(const struct oid *oid, uint64_t size, int whole, void *data)
{
	uint64_t *sum = data;

	(void)oid;
	sum[whole] += size;
	sum[2]++;
	return 0;
}

static void test_each(void **state)
{
	struct repo *r = *state;
	uint8_t *p = content(MIB, 1);
	uint64_t sum[3] = {0};
	struct oid oid;

	assert_int_equal(store_each(r->s, count_object, sum), 0);
	assert_int_equal(sum[2], 0);
	assert_int_equal(store_put(r->s, p, MIB, &oid), 0);
	assert_int_equal(store_put(r->s, p, 100, &oid), 0);
	assert_int_equal(store_put(r->s, p, 200, &oid), 0);
	assert_int_equal(store_put(r->s, p, 200, &oid), 0);
	assert_int_equal(store_each(r->s, count_object, sum), 0);
	assert_int_equal(sum[0], 300);
	assert_int_equal(sum[1], MIB);
	assert_int_equal(sum[2], 3);
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

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_put_and_read),
		TEST(test_writer_in_odd_pieces),
		TEST(test_other_content_than_expected_is_refused),
		TEST(test_an_aborted_writer_leaves_nothing),
		TEST(test_files),
		TEST(test_import),
		TEST(test_flipped_bits_in_whole_objects),
		TEST(test_flipped_bits_behind_equal_stat_data),
		TEST(test_flipped_bits_in_the_open_pack),
		TEST(test_damaged_small_objects_are_stored_again),
		TEST(test_processes_append_at_once),
		TEST(test_a_torn_end_is_cut_by_the_next_writer),
		TEST(test_damage_in_the_middle_costs_one_object),
		TEST(test_logs_of_other_packs_are_not_believed),
		TEST(test_full_packs_are_sealed),
		TEST(test_small_objects_whole_beside_git_lfs),
		TEST(test_storage_elsewhere_and_shared),
		TEST(test_alternates),
		TEST(test_each),
		TEST(test_missing_objects),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
