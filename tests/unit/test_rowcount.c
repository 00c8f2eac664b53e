/*
 * The table of row counts: what was learnt is found again, and nothing of a damaged file is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/fs.h"
#include "lib/lineage/rowcount.h"

struct place {
	struct gitdir dir;
	struct repo repo;
	char path[64], file[80];
};

static int begin(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	strcpy(p->path, "/tmp/rowcount.XXXXXX");
	assert_non_null(mkdtemp(p->path));
	snprintf(p->file, sizeof(p->file), "%s/rows", p->path);
	p->dir.dvx_dir = p->path;
	p->repo = (struct repo){.dir = &p->dir, .hash_len = 20};
	*state = p;
	return 0;
}

static int end(void **state)
{
	struct place *p = *state;

	unlink(p->file);
	rmdir(p->path);
	free(p);
	return 0;
}

static struct rowcount_entry entry(unsigned i)
{
	struct rowcount_entry e = {.rows = 1000000000000u + i, .columns = i};

	oid_of(&e.oid, &i, sizeof(i));
	return e;
}

static void learn(const struct repo *repo, unsigned from, unsigned to)
{
	struct rowcount *r = NULL;

	assert_int_equal(rowcount_open(&r, repo), 0);
	for (unsigned i = from; i < to; i++) {
		struct rowcount_entry e = entry(i);

		assert_int_equal(rowcount_add(r, &e), 0);
	}
	rowcount_close(r);
}

static int knows(const struct repo *repo, unsigned i)
{
	struct rowcount_entry want = entry(i), e = {.oid = want.oid};
	struct rowcount *r = NULL;
	int found;

	assert_int_equal(rowcount_open(&r, repo), 0);
	found = rowcount_find(r, &want.oid, &e);
	if (found) {
		assert_int_equal(e.rows, want.rows);
		assert_int_equal(e.columns, want.columns);
	}
	rowcount_close(r);
	return found;
}

static void remembers(void **state)
{
	struct place *p = *state;

	assert_int_equal(knows(&p->repo, 1), 0);
	assert_int_equal(fs_exists(p->file), 0); /* nothing learnt, nothing written */
	learn(&p->repo, 0, 3);
	learn(&p->repo, 3, 4);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(knows(&p->repo, i), 1);
	assert_int_equal(knows(&p->repo, 4), 0);
}

static void is_bounded(void **state)
{
	struct place *p = *state;
	struct buf text = BUF_INIT;

	learn(&p->repo, 0, 20100);
	assert_int_equal(buf_read_file(&text, p->file), 0);
	assert_int_equal(text.len, 8 + 20000 * 44 + 8);
	buf_release(&text);
	assert_int_equal(knows(&p->repo, 99), 0);
	assert_int_equal(knows(&p->repo, 100), 1);
	assert_int_equal(knows(&p->repo, 20099), 1);
}

static void survives_damage(void **state)
{
	struct place *p = *state;
	struct rowcount_entry *v = NULL;
	struct buf text = BUF_INIT;
	size_t n;

	learn(&p->repo, 0, 3);
	assert_int_equal(buf_read_file(&text, p->file), 0);
	for (size_t bit = 0; bit < text.len * 8; bit++) {
		text.p[bit / 8] ^= (char)(1 << bit % 8);
		assert_int_equal(rowcount_parse(&v, &n, text.p, text.len), 0);
		assert_int_equal(n, 0);
		free(v);
		text.p[bit / 8] ^= (char)(1 << bit % 8);
	}
	for (size_t len = 0; len < text.len; len++) {
		assert_int_equal(rowcount_parse(&v, &n, text.p, len), 0);
		assert_int_equal(n, 0);
		free(v);
	}
	assert_int_equal(fs_replace_file(p->file, text.p, text.len - 1, 0), 0);
	assert_int_equal(knows(&p->repo, 1), 0);
	learn(&p->repo, 1, 2);
	assert_int_equal(knows(&p->repo, 1), 1);
	buf_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(remembers, begin, end),
		cmocka_unit_test_setup_teardown(is_bounded, begin, end),
		cmocka_unit_test_setup_teardown(survives_damage, begin, end)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
