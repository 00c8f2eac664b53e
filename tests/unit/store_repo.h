/*
 * A repository below $TMPDIR for tests of the store, and what they do with objects.
 */
#ifndef TESTS_UNIT_STORE_REPO_H
#define TESTS_UNIT_STORE_REPO_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/store/pack.h"
#include "lib/store/store.h"
#include "tests/unit/remove_tree.h"

enum { MIB = 1 << 20 };

struct repo {
	char dir[64];
	struct gitdir g;
	struct config *config;
	struct store *s;
};

static uint64_t seed = 7;

static inline uint32_t random32(void)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33);
}

static inline uint8_t *content(size_t len, uint64_t number)
{
	uint8_t *p = malloc(len + 8);
	uint64_t saved = seed;

	seed = number * 2 + 1;
	for (size_t i = 0; i < len; i += 4)
		be32_put(p + i, random32());
	seed = saved;
	return p;
}

static inline void write_text(const char *dir, const char *name, const char *text)
{
	char path[256];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	assert_int_equal(fs_mkdirs_parent(path), 0);
	assert_int_equal(fs_replace_file(path, text, strlen(text), 0), 0);
}

/* Open a further handle on the same store, as another process would. */
static inline struct store *again(struct repo *r)
{
	struct store *s;

	assert_int_equal(store_open(&s, &r->g, r->config), 0);
	return s;
}

static inline void reload(struct repo *r)
{
	store_close(r->s);
	config_free(r->config);
	assert_int_equal(config_load(&r->config, &r->g), 0);
	r->s = again(r);
}

static inline int setup(void **state)
{
	struct repo *r = calloc(1, sizeof *r);
	char path[128];

	if (!r)
		abort();

	/* TMPDIR on btrfs or XFS exercises the ways that share blocks */
	snprintf(r->dir, sizeof r->dir, "%.40s/dvx-test-store-XXXXXX",
		getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
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

static inline int teardown(void **state)
{
	struct repo *r = *state;

	store_close(r->s);
	config_free(r->config);
	gitdir_release(&r->g);
	assert_int_equal(remove_tree(r->dir), 0);
	free(r);
	return 0;
}

/* How many files lie in a directory of the repository. */
static inline int count_files(const struct repo *r, const char *where)
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

static inline int collect(const void *p, size_t len, void *data)
{
	struct collect *c = data;

	c->largest = len > c->largest ? len : c->largest;
	return buf_add(&c->bytes, p, len);
}

/* Read the object in every way there is. */
static inline void check_object(
	struct store *s, const struct oid *oid, const uint8_t *p, size_t len)
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

static inline void pack_path(const struct repo *r, char out[static 256], const char *name)
{
	snprintf(out, 256, "%s/.git/dvx/packs/%s", r->dir, name);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
