/*
 * Row merges of random tables against a naive one, which looks at every key by itself: edits of
 * different rows and cells are both applied, and conflicts are exactly where both sides changed the
 * same cell, or a row that the other side removed.  With so little memory that rows are spilled.
 * ROWMERGE_CASES=100000 looks longer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/base/err.h"
#include "lib/table/rowmerge.h"
#include "lib/table/rows_read.h"
#include "tests/unit/rowmerge_oracle.h"

/* ---- what came out ---- */

struct outcome {
	struct buf text;
	struct rowmerge_result r;
	int told[KEYS], n_told;
};

static int take(const void *p, size_t len, void *data)
{
	return buf_add(&((struct outcome *)data)->text, p, len);
}

static int tell(const struct rowmerge_conflict *c, void *data)
{
	struct outcome *o = data;
	int key = -1;

	assert_int_equal(sscanf(c->key, "id=k%d", &key), 1);
	assert_in_range(key, 0, KEYS - 1);
	o->told[key]++;
	o->n_told++;
	assert_true(c->base != NULL || c->ours != NULL || c->theirs != NULL);
	return 0;
}

/* `key` NULL: it is detected. */
static void run(struct outcome *o, const struct buf text[SIDES], const char *key)
{
	static const char *const words[] = {"base", "ours", "theirs"};
	const struct rowmerge_options options = {
		.rows = {.key = key, .memory = (size_t)chance(3) * 20000 + 4000}};
	struct rows_file f[SIDES];
	int rc;

	*o = (struct outcome){.text = BUF_INIT};
	for (int i = 0; i < SIDES; i++)
		f[i] = file_of(&text[i], words[i]);
	rc = rowmerge_run(&o->r, f, ROWS_CSV, &options, &(struct rowmerge_sink){take, tell, o});
	if (rc < 0)
		fail_msg("%s", err_msg());
	for (int i = 0; i < SIDES; i++)
		close(f[i].fd);
}

static int is_marker(const struct rows_cell *cell, char c)
{
	return cell->len >= 7 && memcmp(cell->p, (char[]){c, c, c, c, c, c, c}, 7) == 0;
}

static void check_row(const struct merged *m, const struct table *frame, int seen[KEYS],
	const struct rows_cell *cells, size_t n)
{
	char text[32] = "";
	int key = -1, at = 0;

	assert_int_equal(n, frame->n_columns);
	while (frame->columns[at] != 0)
		at++;
	memcpy(text, cells[at].p, cells[at].len < 31 ? cells[at].len : 31);
	assert_int_equal(sscanf(text, "k%d", &key), 1);
	assert_in_range(key, 0, KEYS - 1);
	assert_true(m->has[key] && !m->conflict[key] && !seen[key]++);
	for (int i = 0; i < frame->n_columns; i++) {
		const int c = frame->columns[i];
		const char *value = c ? values[m->cell[key][c]] : NULL;

		if (value != NULL && (cells[i].len != strlen(value) ||
					     memcmp(cells[i].p, value, cells[i].len) != 0))
			fail_msg("k%d, %s: '%.*s' instead of '%s'", key, names[c],
				(int)cells[i].len, cells[i].p, value);
	}
}

static void check(const struct outcome *o, const struct merged *m, const struct table t[SIDES])
{
	struct rows_file f = file_of(&o->text, "merged");
	const struct table *frame = &t[m->frame];
	struct rows_read *r = NULL;
	struct rows_row row;
	int rc, inside = 0, blocks = 0, seen[KEYS] = {0};

	assert_int_equal(o->r.outcome, m->n_conflicts > 0 ? ROWMERGE_CONFLICTS : ROWMERGE_MERGED);
	assert_int_equal(o->r.conflicts, m->n_conflicts);
	assert_int_equal(o->n_told, m->n_conflicts);
	assert_int_equal(rows_read_new(&r, &f, ROWS_CSV, 1 << 16), 0);
	while ((rc = rows_read_next(r, &row)) > 0) {
		const struct rows_cell *cells;
		size_t n;

		assert_int_equal(rows_read_cells(r, &cells, &n), 0);
		if (is_marker(&cells[0], '<')) {
			inside = 1;
			blocks++;
		} else if (is_marker(&cells[0], '>')) {
			inside = 0;
		} else if (!inside) {
			check_row(m, frame, seen, cells, n);
		}
	}
	assert_int_equal(rc, 0);
	assert_int_equal(blocks, m->n_conflicts);
	for (int k = 0; k < KEYS; k++) {
		assert_int_equal(o->told[k], m->conflict[k]);
		if (m->has[k] && !m->conflict[k] && !seen[k])
			fail_msg("k%d is missing", k);
	}
	rows_read_free(r);
	close(f.fd);
}

/* ---- the tests ---- */

static void show(const struct buf text[SIDES], const struct outcome *o)
{
	for (int i = 0; i < SIDES; i++)
		print_message("--- %d\n%s\n", i, buf_str(&text[i]));
	print_message("--- merged\n%s\n", buf_str(&o->text));
}

static void one_case(void)
{
	struct table t[SIDES];
	struct buf text[SIDES] = {BUF_INIT, BUF_INIT, BUF_INIT};
	struct merged m = {.frame = OURS};
	struct outcome o;
	const int edits = 1 + chance(12), columns = chance(4);

	make_base(&t[BASE], 3 + chance(2));
	t[OURS] = t[THEIRS] = t[BASE];
	edit(&t[OURS], chance(edits + 1));
	edit(&t[THEIRS], edits);
	if (columns > 0)
		change_columns(&t[chance(2) ? OURS : THEIRS], columns - 1);
	if (same_list(&t[BASE], &t[OURS]) && !same_list(&t[BASE], &t[THEIRS]))
		m.frame = THEIRS;
	for (int k = 0; k < KEYS; k++)
		merge_key(&m, t, k);
	for (int i = 0; i < SIDES; i++)
		write_table(&text[i], &t[i]);
	run(&o, text, "id");
	if (getenv("ROWMERGE_SHOW"))
		show(text, &o);
	check(&o, &m, t);
	for (int i = 0; i < SIDES; i++)
		buf_release(&text[i]);
	buf_release(&o.text);
	rowmerge_result_release(&o.r);
}

static void test_random(void **state)
{
	const char *wanted = getenv("ROWMERGE_CASES"), *first = getenv("ROWMERGE_FIRST");
	const long n = wanted ? strtol(wanted, NULL, 10) : CASES;
	const long from = first ? strtol(first, NULL, 10) : 1;

	(void)state;
	for (long i = from; i < from + n; i++) {
		chance_state = (uint64_t)i * 0x9e3779b97f4a7c15u;
		one_case();
	}
}

/* Whatever theirs did not touch stays byte for byte. */
static void test_untouched(void **state)
{
	struct table t[SIDES];
	struct buf text[SIDES] = {BUF_INIT, BUF_INIT, BUF_INIT};
	struct outcome o;

	(void)state;
	for (uint64_t i = 1; i < 300; i++) {
		chance_state = i * 0x9e3779b97f4a7c15u;
		make_base(&t[BASE], 4);
		t[OURS] = t[THEIRS] = t[BASE];
		edit(&t[OURS], 5);
		for (int k = 0; k < SIDES; k++) {
			buf_reset(&text[k]);
			write_table(&text[k], &t[k]);
		}
		run(&o, text, "id");
		assert_int_equal(o.r.outcome, ROWMERGE_MERGED);
		assert_int_equal(o.r.added + o.r.removed + o.r.changed, 0);
		assert_string_equal(buf_str(&o.text), buf_str(&text[OURS]));
		buf_release(&o.text);
		rowmerge_result_release(&o.r);
	}
	for (int k = 0; k < SIDES; k++)
		buf_release(&text[k]);
}

/* Three texts, and why they cannot be merged. */
static void refused_by(
	const char *key, const char *base, const char *ours, const char *theirs, const char *why)
{
	struct buf text[SIDES] = {BUF_INIT, BUF_INIT, BUF_INIT};
	struct outcome o;

	assert_int_equal(buf_addstr(&text[BASE], base), 0);
	assert_int_equal(buf_addstr(&text[OURS], ours), 0);
	assert_int_equal(buf_addstr(&text[THEIRS], theirs), 0);
	run(&o, text, key);
	assert_int_equal(o.r.outcome, ROWMERGE_UNMERGEABLE);
	assert_string_equal(o.r.why, why);
	assert_int_equal(o.text.len, 0);
	for (int i = 0; i < SIDES; i++)
		buf_release(&text[i]);
	rowmerge_result_release(&o.r);
}

static void refused(const char *base, const char *ours, const char *theirs, const char *why)
{
	refused_by("id", base, ours, theirs, why);
}

static void test_refused(void **state)
{
	(void)state;
	refused("id,a\n1,x\n", "id,a,b\n1,x,y\n", "id,a,c\n1,x,y\n",
		"both sides changed the columns");
	refused("", "id,a\n1,x\n", "id,b\n1,x\n", "both sides added it, with other columns");
	refused("a\nx\n", "a\ny\n", "a\nz\n", "base has no column 'id', which is the key");
	refused("id,a,a\n", "id,a\n1,x\n", "id,a\n2,x\n", "base has two columns 'a'");
	refused("id,a\n1,x\n", "id;a\n1;x\n2;y\n", "id,a\n1,y\n",
		"the two sides have other delimiters");
	refused("id,a\n1,x\n", "", "id,a\n1,y\n", "ours is empty");
	refused("id,a\n1,x\n1,y\n", "id,a\n1,x\n1,z\n", "id,a\n1,o\n1,y\n",
		"several rows have id=1");
	refused("id,a\n1,x\n1,y\n", "id,a\n1,x\n1,z\n", "id,a\n", "several rows have id=1");
}

/* What was found to be unique may be a value, or a row's number, and no key. */
static void test_guessed_key(void **state)
{
	static const char guess[] = "both sides removed or changed values of 'score', which may be "
				    "no key; 'dvx-key' in .gitattributes declares one";
	static const char base[] = "name,score\na,1\na,2\nb,3\n";

	(void)state;
	refused_by(NULL, base, "name,score\na,5\na,2\nb,3\n", "name,score\na,7\na,2\nb,3\n", guess);
	refused_by(NULL, base, "name,score\na,2\nb,3\n", "name,score\na,7\na,2\nb,3\n", guess);
	refused_by(NULL, ",a\n0,x\n1,y\n2,x\n", ",a\n0,y\n1,x\n", ",a\n0,x\n1,z\n2,x\n",
		"no column identifies its rows");
}

/* A column may have got another name: what theirs has in it is not left out. */
static void test_renamed_column(void **state)
{
	static const char *const texts[] = {
		"id,tel\nk1,5\n", "id,phone\nk1,5\n", "id,tel\nk1,5\nk3,7\nk4,\n"};
	struct buf text[SIDES] = {BUF_INIT, BUF_INIT, BUF_INIT};
	struct outcome o;

	(void)state;
	for (int i = 0; i < SIDES; i++)
		assert_int_equal(buf_addstr(&text[i], texts[i]), 0);
	run(&o, text, "id");
	assert_int_equal(o.r.outcome, ROWMERGE_CONFLICTS);
	assert_string_equal(buf_str(&o.text),
		"id,phone\nk1,5\n<<<<<<< ours\n||||||| base\n=======\nk3,7\n>>>>>>> theirs\nk4,\n");
	for (int i = 0; i < SIDES; i++)
		buf_release(&text[i]);
	buf_release(&o.text);
	rowmerge_result_release(&o.r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_untouched),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_guessed_key),
		cmocka_unit_test(test_renamed_column),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
