/*
 * The stat patch and the split index, on indexes built here byte by byte;
 * tests/t0100-index-patch.sh does the same with those of Git itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/lockfile.h"
#include "lib/store/oid.h"
#include "lib/worktree/ewah.h"
#include "lib/worktree/gitindex.h"
#include "tests/unit/index_builder.h"
#include "tests/unit/remove_tree.h"

static char top[256];

static int setup(void **state)
{
	(void)state;
	snprintf(top, sizeof top, "%s/dvx-index-XXXXXX",
		getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	return mkdtemp(top) && chdir(top) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	return chdir("/") == 0 && remove_tree(top) == 0 ? 0 : -1;
}

static void save(const struct built *x, const char *path)
{
	assert_int_equal(fs_replace_file(path, x->b.p, x->b.len, 0), 0);
}

static const struct gitindex_stat new_stat = {11, 12, 13, 14, 15, 16, 17, 18, 19};

static const uint8_t *id_of(int n)
{
	static uint8_t ids[8][32];

	memset(ids[n], n, sizeof ids[n]);
	return ids[n];
}

/* Patch "index" with these paths (and ids); the new content in `out`. */
static int patch(int hash_len, struct gitindex_patch *p, size_t n, struct buf *out)
{
	struct lockfile lock = LOCKFILE_INIT;
	int rc;

	assert_int_equal(lockfile_take(&lock, "index", 0666, 0), 0);
	rc = gitindex_patch("index", hash_len, p, n, &lock);
	buf_reset(out);
	assert_int_equal(buf_read_file(out, "index.lock"), 0);
	lockfile_rollback(&lock);
	return rc;
}

static int changed_bytes(const struct built *x, const struct buf *b)
{
	int n = 0;

	assert_int_equal(x->b.len, b->len);
	for (size_t i = 0; i < b->len - (size_t)x->hash_len; i++)
		n += x->b.p[i] != b->p[i];
	return n;
}

static void assert_trailer(const struct buf *b, int hash_len)
{
	struct githash_ctx h;
	uint8_t id[32];

	githash_init(&h, hash_len);
	githash_update(&h, b->p, b->len - (size_t)hash_len);
	githash_final(&h, id);
	assert_memory_equal(id, b->p + b->len - (size_t)hash_len, (size_t)hash_len);
}

static void test_patch(void **state)
{
	(void)state;
	for (int version = 2; version <= 4; version++) {
		for (int hash_len = 20; hash_len <= 32; hash_len += 12) {
			struct gitindex_patch p[] = {
				{"zzz", id_of(1), new_stat, 7, NULL},
				{"d", id_of(5), new_stat, 7, NULL},   /* patched */
				{"c", id_of(1), new_stat, 7, NULL},   /* another blob */
				{"c/x", id_of(5), new_stat, 7, NULL}, /* no such entry */
				{"b/f", id_of(1), new_stat, 7, NULL}, /* another blob… */
				{"b/f", id_of(3), new_stat, 7, NULL}, /* …and this one: patched */
				{"b/link", id_of(4), new_stat, 7, NULL},     /* no regular file */
				{"b/conflict", id_of(2), new_stat, 7, NULL}, /* unmerged */
				{"", id_of(1), new_stat, 7, NULL},
			};
			struct buf out = BUF_INIT;
			struct built x;

			built_sample(&x, version, hash_len);
			save(&x, "index");
			assert_int_equal(patch(hash_len, p, sizeof p / sizeof *p, &out), 2);
			assert_int_equal(changed_bytes(&x, &out), 2 * 9);
			assert_trailer(&out, hash_len);
			for (size_t i = 0; i < sizeof p / sizeof *p; i++)
				assert_int_equal(p[i].applied,
					(strcmp(p[i].path, "d") == 0 && p[i].id[0] == 5) ||
						(strcmp(p[i].path, "b/f") == 0 && p[i].id[0] == 3));
			buf_release(&out);
			buf_release(&x.b);
		}
	}
}

static void test_patch_of_a_damaged_index(void **state)
{
	struct gitindex_patch p = {"a", id_of(1), new_stat, 0, NULL};
	struct buf out = BUF_INIT;
	struct built x;

	(void)state;
	built_sample(&x, 2, 20);
	x.b.p[12 + 3] ^= 1; /* a bit of an entry's ctime */
	save(&x, "index");
	assert_int_equal(patch(20, &p, 1, &out), ERR_CORRUPT);
	assert_int_equal(out.len, 0);
	assert_int_equal(p.applied, 0);
	unlink("index");
	assert_int_equal(patch(20, &p, 1, &out), ERR_NOTFOUND);
	assert_int_equal(out.len, 0);
	buf_release(&out);
	buf_release(&x.b);
}

static void test_unhashed_stays_unhashed(void **state)
{
	struct gitindex_patch p = {"a", id_of(1), new_stat, 0, NULL};
	static const uint8_t zero[20];
	struct buf out = BUF_INIT;
	struct built x;

	(void)state;
	built_sample(&x, 2, 20);
	memset(x.b.p + x.b.len - 20, 0, 20);
	save(&x, "index");
	assert_int_equal(patch(20, &p, 1, &out), 1);
	assert_int_equal(changed_bytes(&x, &out), 9);
	assert_memory_equal(out.p + out.len - 20, zero, 20);
	buf_release(&out);
	buf_release(&x.b);
}

static int show(const struct gitindex_entry *e, void *data)
{
	assert_int_equal(strlen(e->path), e->path_len);
	assert_int_equal(e->st.ctime_sec, 1);
	assert_int_equal(e->st.mtime_nsec, 4);
	assert_int_equal(e->st.ino, 6);
	assert_int_equal(e->st.uid, 7);
	assert_int_equal(e->st.size, 9);
	return buf_addf(data, "%o %d %d%s%s %s\n", (unsigned)e->mode, e->id[19], e->stage,
		e->skip_worktree ? " skip" : "", e->intent_to_add ? " ita" : "", e->path);
}

/* ---- split index, hostile: the honest ones come from Git in the shell test ---- */

/* Save `x` under the name that belongs to `named`. */
static void save_shared(const struct built *x, const struct built *named)
{
	struct buf path = BUF_INIT;

	buf_addstr(&path, "sharedindex.");
	for (size_t i = named->b.len - 20; i < named->b.len; i++)
		buf_addf(&path, "%02x", (uint8_t)named->b.p[i]);
	save(x, path.p);
	buf_release(&path);
}

static void add_link(
	struct built *x, const struct built *base, size_t bits, uint64_t deleted, uint64_t replaced)
{
	struct ewah d, r;
	struct buf b = BUF_INIT;

	assert_int_equal(ewah_init(&d, bits), 0);
	assert_int_equal(ewah_init(&r, bits), 0);
	d.words[0] = deleted;
	r.words[0] = replaced;
	buf_add(&b, base->b.p + base->b.len - 20, 20);
	assert_int_equal(ewah_write(&b, &d), 0);
	assert_int_equal(ewah_write(&b, &r), 0);
	built_extension(x, "link", b.p, b.len);
	buf_release(&b);
	ewah_release(&d);
	ewah_release(&r);
}

/* The paths of an index "index" that replaces and deletes entries of the sample (7 entries) and
 * adds `added`. */
static int read_split(
	uint64_t deleted, uint64_t replaced, int nameless, const char *added, struct buf *out)
{
	struct built base, x;
	struct gitindex *i;
	int rc;

	built_sample(&base, 2, 20);
	save_shared(&base, &base);
	built_start(&x, 2, 20);
	while (nameless--)
		built_add(&x, "", REGULAR, 0, 6, 0);
	if (added)
		built_add(&x, added, REGULAR, 0, 7, 0);
	add_link(&x, &base, 64, deleted, replaced);
	built_end(&x);
	save(&x, "index");
	buf_reset(out);
	rc = gitindex_read(&i, "index", 20);
	if (rc == 0)
		rc = gitindex_each(i, show, out);
	gitindex_free(i);
	buf_release(&base.b);
	buf_release(&x.b);
	return rc;
}

static void test_split(void **state)
{
	struct buf out = BUF_INIT;

	(void)state;
	assert_int_equal(read_split(1 << 3 | 1 << 4, 1 << 0 | 1 << 6, 2, "b/a", &out), 0);
	assert_string_equal(out.p,
		"100644 6 0 a\n100644 7 0 b/a\n100644 2 1 b/conflict\n100644 2 2 b/conflict\n"
		"100644 5 0 c\n100644 6 0 d\n");
	assert_int_equal(read_split(0, 0, 0, "b/conflict", &out), 0); /* resolved */
	assert_string_equal(out.p,
		"100644 1 0 a\n100644 7 0 b/conflict\n100755 3 0 b/f\n120000 4 0 b/link\n"
		"100644 5 0 c\n100644 5 0 d\n");
	assert_int_equal(read_split(1 << 3, 1 << 3, 1, NULL, &out), ERR_CORRUPT);
	assert_int_equal(read_split(0, 1 << 3, 0, NULL, &out), ERR_CORRUPT);
	assert_int_equal(read_split(0, 0, 1, NULL, &out), ERR_CORRUPT);
	assert_int_equal(read_split(0, 1 << 7, 1, NULL, &out), ERR_CORRUPT);
	assert_int_equal(read_split(1 << 7, 0, 0, NULL, &out), ERR_CORRUPT);
	buf_release(&out);
}

static void test_split_patch(void **state)
{
	struct gitindex_patch p[] = {{"a", id_of(6), new_stat, 0, NULL},
		{"b/a", id_of(7), new_stat, 0, NULL}, {"b/f", id_of(3), new_stat, 0, NULL},
		{"c", id_of(5), new_stat, 0, NULL}};
	struct buf out = BUF_INIT, shared = BUF_INIT;
	struct gitindex *i;

	(void)state;
	assert_int_equal(read_split(1 << 6, 1, 1, "b/a", &out), 0);
	assert_int_equal(patch(20, p, 2, &out), 2); /* nothing of the shared index */
	assert_int_equal(patch(20, p, 4, &out), 4);
	assert_trailer(&out, 20);
	assert_int_equal(fs_replace_file("index", out.p, out.len, 0), 0);
	assert_int_equal(gitindex_read(&i, "index", 20), 0);
	assert_int_equal(gitindex_count(i), 7);
	gitindex_free(i);
	for (size_t k = 0; k < 4; k++)
		p[k].st.size = 20;
	assert_int_equal(patch(20, p, 4, &shared), 4); /* now all are in the index itself */
	assert_int_equal(shared.len, out.len);
	buf_release(&out);
	buf_release(&shared);
}

static void test_wrong_shared_index(void **state)
{
	struct built base, other, x;
	struct gitindex *i;

	(void)state;
	built_sample(&base, 2, 20);
	built_start(&x, 2, 20);
	add_link(&x, &base, 64, 0, 0);
	built_end(&x);
	save(&x, "index");
	assert_int_equal(gitindex_read(&i, "index", 20), ERR_NOTFOUND);
	save_shared(&base, &base);
	assert_int_equal(gitindex_read(&i, "index", 20), 0);
	gitindex_free(i);
	built_sample(&other, 3, 20);
	save_shared(&other, &base);
	assert_int_equal(gitindex_read(&i, "index", 20), ERR_CORRUPT);
	buf_release(&other.b);
	buf_release(&base.b);
	buf_release(&x.b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_patch, setup, teardown),
		cmocka_unit_test_setup_teardown(test_patch_of_a_damaged_index, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unhashed_stays_unhashed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_split, setup, teardown),
		cmocka_unit_test_setup_teardown(test_split_patch, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wrong_shared_index, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
