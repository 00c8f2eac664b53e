/*
 * Reading tables row by row, sorting in runs, and those row diffs that chance would hardly make:
 * keys that only seem to be some, renamed columns, very many rows of one key, failures.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/table/rowdiff.h"
#include "lib/table/runsort.h"

static struct rows_file file_of(const char *name, const char *text, size_t len)
{
	struct rows_file f = {name, memfd_create(name, MFD_CLOEXEC), len};

	assert_true(f.fd >= 0);
	assert_int_equal(fs_write_full(f.fd, text, len), 0);
	return f;
}

/* --- files ---------------------------------------------------------------------------------------
 */

static void formats(void **state)
{
	enum rows_format f;

	(void)state;
	assert_true(rows_format_of("a/b.csv", &f) && f == ROWS_CSV);
	assert_true(rows_format_of("b.CSV", &f) && f == ROWS_CSV);
	assert_true(rows_format_of("b.tsv", &f) && f == ROWS_TSV);
	assert_true(rows_format_of("b.tab", &f) && f == ROWS_TSV);
	assert_true(rows_format_of("b.jsonl", &f) && f == ROWS_JSONL);
	assert_true(rows_format_of("b.ndjson", &f) && f == ROWS_JSONL);
	assert_false(rows_format_of("csv", &f));
	assert_false(rows_format_of("b.json", &f));
	assert_false(rows_format_of("b.csv.gz", &f));
	assert_false(rows_format_of("dir.csv/b", &f));
}

/* "<rows>: <columns>", or the message. */
static void count_is(const char *name, const char *text, const char *expected)
{
	struct rows_file f = file_of(name, text, strlen(text));
	struct strvec columns = STRVEC_INIT;
	struct buf out = BUF_INIT;
	enum rows_format format;
	uint64_t rows;

	assert_true(rows_format_of(name, &format));
	if (rows_count(&rows, &columns, &f, format) == 0) {
		buf_addf(&out, "%llu:", (unsigned long long)rows);
		for (size_t i = 0; i < columns.n; i++)
			buf_addf(&out, " %s", columns.v[i]);
	} else {
		buf_addstr(&out, err_msg());
	}
	assert_string_equal(out.p, expected);
	strvec_release(&columns);
	buf_release(&out);
	close(f.fd);
}

static void counting(void **state)
{
	struct rows_file none = {"t.csv", -1, 0};
	uint64_t rows = 7;

	(void)state;
	count_is("t.csv", "", "0:");
	count_is("t.csv", "\n\n", "0:");
	count_is("t.csv", "\xef\xbb\xbf", "0:");
	count_is("t.csv", "a,b", "0: a b");
	count_is("t.csv", "a;b\r\n1;2\r\n\r\n3;4", "2: a b");
	count_is("t.csv", "\n\na|b\n1|2", "1: a b");
	count_is("t.csv", "a,b\r1,2\r3,4\r", "2: a b");
	count_is("t.csv", "\xef\xbb\xbf\"a\",\"b\"\"\"\n\"1\n2\",3\n", "1: a b\"");
	count_is("t.tsv", "a,b\tc\n1\t2\n", "1: a,b c");
	count_is("t.jsonl", "{\"b\":1}\n\n \t\r\n{\"a\":{\"x\":1},\"b\":[]}", "2: b a");
	count_is("t.jsonl", "", "0:");
	assert_int_equal(rows_count(&rows, NULL, &none, ROWS_CSV), 0);
	assert_int_equal(rows, 0);
}

static void messages(void **state)
{
	struct rows_file f = file_of("t.csv", "a,b\n1,2\n", 8);
	uint64_t rows;

	(void)state;
	count_is("t.csv", "a,b\n\"x\ny\",2\n3,\"4\n5,6\n",
		"t.csv:4: the row that begins here has a quote that is never closed");
	count_is("t.jsonl", "{\"a\":1}\n\n[1]\n",
		"t.jsonl:3: a row of JSON Lines is an object ({\"column\": value}), not a list");
	count_is("t.jsonl", "{\"a\":1}\n{\"a\":\n",
		"t.jsonl:2:6: the text ends too early; a ']' "
		"or '}' is missing");
	count_is("t.jsonl", "{\"a\":1,\"a\":2}\n",
		"t.jsonl:1:8: duplicate key 'a' (first at line 1); remove one of the two");
	count_is("t.csv", "\xff\xfei\n",
		"t.csv:1: this is UTF-16; tables are read in UTF-8 ('iconv -f UTF-16 -t UTF-8' "
		"converts it)");
	f.size = 9;
	assert_int_equal(rows_count(&rows, NULL, &f, ROWS_CSV), ERR_CHANGED);
	assert_string_equal(err_msg(), "'t.csv' became shorter while it was read");
	close(f.fd);
}

/* --- sorting -------------------------------------------------------------------------------------
 */

enum { WORDS = 3 };

static int by_words(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	for (int i = 0; i < WORDS; i++)
		if (x[i] != y[i])
			return x[i] < y[i] ? -1 : 1;
	return 0;
}

static void sort_some(size_t n, size_t memory, uint64_t range)
{
	uint64_t *v = calloc(n + 1, WORDS * sizeof(*v)), state = n + memory + range;
	const uint64_t *record = NULL;
	struct runsort *s = NULL;

	assert_non_null(v);
	assert_int_equal(runsort_new(&s, WORDS, memory, NULL), 0);
	for (size_t i = 0; i < n; i++) {
		for (int k = 0; k < WORDS; k++) {
			state = state * 6364136223846793005u + 1442695040888963407u;
			v[i * WORDS + (size_t)k] = (state >> 11) % range;
		}
		assert_int_equal(runsort_add(s, v + i * WORDS), 0);
	}
	assert_int_equal(runsort_sort(s), 0);
	qsort(v, n, WORDS * sizeof(*v), by_words);
	for (int again = 0; again < 2; again++) {
		for (size_t i = 0; i < n; i++) {
			assert_int_equal(runsort_next(s, &record), 1);
			assert_memory_equal(record, v + i * WORDS, WORDS * sizeof(*v));
		}
		assert_int_equal(runsort_next(s, &record), 0);
		assert_int_equal(runsort_next(s, &record), 0);
		assert_int_equal(runsort_rewind(s), 0);
	}
	runsort_free(s);
	free(v);
}

static void sorting(void **state)
{
	static const uint64_t ranges[] = {1, 2, 300, 1u << 20, UINT64_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++) {
		sort_some(0, 1, ranges[i]);
		sort_some(1, 1, ranges[i]);
		sort_some(64, 1, ranges[i]); /* exactly what fits */
		sort_some(65, 1, ranges[i]);
		sort_some(1000, 1 << 20, ranges[i]);
		sort_some(20000, 1, ranges[i]); /* more runs than a run has records */
		sort_some(20000, 50000, ranges[i]);
	}
	runsort_free(NULL);
}

/* --- diffs ---------------------------------------------------------------------------------------
 */

/* What is said of two texts: counts, key, columns. */
static char *diff_of(const struct buf *old, const struct buf *now, const char *key)
{
	struct rows_file files[2] = {
		file_of("old", buf_str(old), old->len), file_of("now", buf_str(now), now->len)};
	struct rowdiff_options o = {.key = key, .memory = 1};
	enum rows_format format = *buf_str(old) == '{' ? ROWS_JSONL : ROWS_CSV;
	const struct rowdiff_summary *s;
	struct rowdiff *d = NULL;
	struct buf out = BUF_INIT;

	if (rowdiff_new(&d, &files[0], &files[1], format, &o) < 0) {
		buf_addstr(&out, err_msg());
		goto done;
	}
	s = rowdiff_summary(d);
	buf_addf(&out, "+%d -%d ~%d =%d", (int)s->added, (int)s->removed, (int)s->changed,
		(int)s->same);
	for (size_t i = 0; i < s->n_key; i++)
		buf_addf(&out, "%s%s", i ? "," : " key:", s->key[i]);
	for (size_t i = 0; i < s->n_columns; i++)
		buf_addf(&out, " %s>%s", s->columns[i].old ? s->columns[i].old : "",
			s->columns[i].now ? s->columns[i].now : "");
	rowdiff_free(d);
done:
	close(files[0].fd);
	close(files[1].fd);
	return buf_detach(&out);
}

static void diff_is(const char *old, const char *now, const char *key, const char *expected)
{
	struct buf a = BUF_INIT, b = BUF_INIT;
	char *said;

	assert_int_equal(buf_addstr(&a, old), 0);
	assert_int_equal(buf_addstr(&b, now), 0);
	said = diff_of(&a, &b, key);
	assert_string_equal(said, expected);
	free(said);
	buf_release(&a);
	buf_release(&b);
}

static void keys(void **state)
{
	(void)state;
	/* the name counts more than the place, a measurement less; a nameless number of the row
	 * least */
	diff_is("x,id\na,1\nb,2\n", "x,id\na,1\nb,3\n", NULL, "+1 -1 ~0 =1 key:id");
	diff_is("v,name\n1.5,a\n2.5,b\n", "v,name\n1.5,a\n2.5,c\n", NULL, "+1 -1 ~0 =1 key:name");
	diff_is(",code\n0,a\n1,b\n", ",code\n0,b\n1,a\n", NULL, "+0 -0 ~2 =0 key:code");
	/* values that both sides have count most */
	diff_is("id,name\n1,a\n2,b\n", "id,name\n3,a\n4,b\n", NULL, "+0 -0 ~2 =0 key:name");
	/* empty, null, or twice: none */
	diff_is("id,x\n1,a\n,a\n", "id,x\n1,a\n,b\n", NULL, "+1 -1 ~0 =1");
	diff_is("{\"id\":1,\"x\":1}\n{\"id\":null,\"x\":1}\n", "{\"id\":1,\"x\":1}\n{\"x\":1}",
		NULL, "+1 -1 ~0 =1");
	diff_is("id\n1\n1\n", "id\n1\n", NULL, "+0 -1 ~0 =1");
	/* several columns, and one that has another name now */
	diff_is("a,b,c\n1,1,x\n1,2,y\n", "a,b,c\n1,1,z\n1,2,y\n", "a,b", "+0 -0 ~1 =1 key:a,b");
	diff_is("a,id\n1,x\n2,y\n3,z\n", "a,key\n1,x\n2,y\n4,z\n", "id",
		"+0 -0 ~1 =2 key:key id>key");
	diff_is("a,b\n1,2\n", "a,b\n1,2\n", "c",
		"now:1: there is no column 'c' for the key, only: a, b");
	diff_is("a,b\n1,2\n", "a,b\n1,3\n", "a,a", "+0 -0 ~1 =0 key:a");
	diff_is("a,b\n1,2\n", "", "a", "+0 -1 ~0 =0 key:a a> b>");
	diff_is("", "", "a", "+0 -0 ~0 =0");
}

static void renamed(void **state)
{
	(void)state;
	diff_is("id,tel\n1,12\n2,13\n3,14\n4,15\n", "id,phone\n1,12\n2,13\n3,14\n4,16\n", NULL,
		"+0 -0 ~1 =3 key:id tel>phone");
	/* two at once, in another order */
	diff_is("id,a,b\n1,x,p\n2,y,q\n", "id,B,A\n1,p,x\n2,q,y\n", NULL,
		"+0 -0 ~0 =2 key:id b>B a>A");
	/* other cells; empty ones; cells that are always the same, at another place */
	diff_is("id,a\n1,x\n2,y\n", "id,b\n1,z\n2,y\n", NULL, "+0 -0 ~0 =2 key:id >b a>");
	diff_is("id,a\n1,\n2,\n", "id,b\n1,\n2,\n", NULL, "+0 -0 ~0 =2 key:id >b a>");
	diff_is("id,x,a\n1,p,0\n2,q,0\n", "id,b,x\n1,0,p\n2,0,q\n", NULL,
		"+0 -0 ~0 =2 key:id >b a>");
	/* without a key, by rows that are equal but for it */
	diff_is("x,y,a\n1,1,p\n1,1,p\n2,2,q\n", "x,y,b\n1,1,p\n1,1,p\n2,2,q\n", NULL,
		"+0 -0 ~0 =3 a>b");
}

/* A column that is unique at first: 5,000 rows. */
static void late_duplicate(void **state)
{
	struct buf a = BUF_INIT, b = BUF_INIT;
	char *said;

	(void)state;
	assert_int_equal(buf_addstr(&a, "id,code\n"), 0);
	for (int i = 0; i < 5000; i++)
		assert_int_equal(buf_addf(&a, "%d,c%d\n", i < 4999 ? i : 0, i), 0);
	assert_int_equal(buf_add(&b, a.p, a.len), 0);
	assert_int_equal(buf_addstr(&b, "5000,c5000\n"), 0);
	said = diff_of(&a, &b, NULL);
	assert_string_equal(said, "+1 -0 ~0 =5000 key:code");
	free(said);
	buf_release(&a);
	buf_release(&b);
}

/* Hundreds of runs, all of one key; and JSON of which the last row has more columns. */
static void many_of_one_key(void **state)
{
	struct buf a = BUF_INIT, b = BUF_INIT;
	char *said;

	(void)state;
	assert_int_equal(buf_addstr(&a, "k,v\n"), 0);
	assert_int_equal(buf_addstr(&b, "k,v\n"), 0);
	for (int i = 0; i < 20000; i++) {
		assert_int_equal(buf_addf(&a, "1,%d\n", i % 100), 0);
		assert_int_equal(buf_addf(&b, "1,%d\n", i % 101), 0);
	}
	said = diff_of(&a, &b, "k");
	/* 100 has 198 rows, of which each value but the first few lost one or two */
	assert_string_equal(said, "+0 -0 ~198 =19802 key:k");
	free(said);
	said = diff_of(&a, &b, "");
	assert_string_equal(said, "+198 -198 ~0 =19802");
	free(said);
	buf_reset(&a);
	buf_reset(&b);
	for (int i = 0; i < 2000; i++)
		assert_int_equal(buf_addf(&a, "{\"v\":%d}\n", i), 0);
	assert_int_equal(buf_add(&b, a.p, a.len), 0);
	assert_int_equal(buf_addstr(&a, "{\"v\":2000,\"late\":1}\n"), 0);
	assert_int_equal(buf_addstr(&b, "{\"v\":2000,\"late\":2,\"new\":1}\n"), 0);
	said = diff_of(&a, &b, NULL);
	assert_string_equal(said, "+0 -0 ~1 =2000 key:v >new");
	free(said);
	buf_release(&a);
	buf_release(&b);
}

/* More keys than a table may have, by ones and all in one row; and a message does not name all of
 * those that it has. */
static void many_columns(void **state)
{
	static const char limit[] = "more than 100000 different keys; this is no table";
	struct buf a = BUF_INIT, b = BUF_INIT, csv = BUF_INIT;
	char *said;

	(void)state;
	assert_int_equal(buf_addch(&b, '{'), 0);
	for (int i = 0; i < 150000; i++) {
		assert_int_equal(buf_addf(&a, "{\"k%d\":1}\n", i), 0);
		assert_int_equal(buf_addf(&b, "%s\"k%d\":1", i ? "," : "", i), 0);
		assert_int_equal(buf_addf(&csv, "%sk%d", i ? "," : "", i), 0);
	}
	assert_int_equal(buf_addch(&b, '}'), 0);
	said = diff_of(&a, &a, NULL);
	assert_non_null(strstr(said, limit));
	free(said);
	said = diff_of(&b, &b, NULL);
	assert_non_null(strstr(said, limit));
	free(said);
	said = diff_of(&csv, &csv, "k149999,nosuch");
	assert_non_null(
		strstr(said, "now:1: there is no column 'nosuch' for the key, only: k0, k1"));
	assert_string_equal(said + strlen(said) - 5, ", \xe2\x80\xa6");
	free(said);
	buf_release(&a);
	buf_release(&b);
	buf_release(&csv);
}

/* Of each row only the columns that it has are hashed: none is left from the row before. */
static void sparse_objects(void **state)
{
	(void)state;
	diff_is("{\"id\":1,\"a\":1}\n{\"id\":2,\"b\":\"\\u0062\"}\n{\"id\":3}\n{\"id\":4,\"c\":[1]}"
		"\n",
		"{\"id\":4,\"c\":[1]}\n{\"id\":3}\n{\"b\":\"b\",\"id\":2}\n{\"id\":1,\"a\":1,\"b\":"
		"2}\n",
		NULL, "+0 -0 ~1 =3 key:id");
}

static int refuse(const struct rowdiff_row *row, void *data)
{
	(void)row;
	++*(int *)data;
	return 5;
}

static void failures(void **state)
{
	struct buf text = BUF_INIT;
	struct rows_file f[2], none = {"none", -1, 0};
	struct rowdiff_options o = {.memory = 1, .tmp_dir = "/nonexistent"};
	volatile int stop = 1;
	struct rowdiff *d = NULL;
	int calls = 0;

	(void)state;
	assert_int_equal(buf_addstr(&text, "id\n"), 0);
	for (int i = 0; i < 5000; i++)
		assert_int_equal(buf_addf(&text, "%d\n", i), 0);
	f[0] = file_of("old", text.p, text.len);
	f[1] = file_of("now", text.p, text.len);
	assert_int_equal(rowdiff_new(&d, &f[0], &f[1], ROWS_CSV, &o), ERR_IO);
	assert_non_null(strstr(err_msg(), "/nonexistent"));
	assert_null(d);
	o = (struct rowdiff_options){.stop = &stop};
	assert_int_equal(rowdiff_new(&d, &f[0], &f[1], ROWS_CSV, &o), ERR_INTERRUPTED);
	o = (struct rowdiff_options){.memory = 0};
	assert_int_equal(rowdiff_new(&d, &none, &f[1], ROWS_CSV, &o), 0);
	assert_int_equal(rowdiff_summary(d)->added, 5000);
	assert_int_equal(rowdiff_summary(d)->n_columns, 0); /* the whole file is new */
	assert_int_equal(rowdiff_each(d, refuse, &calls), 5);
	assert_int_equal(calls, 1);
	rowdiff_free(d);
	rowdiff_free(NULL);
	close(f[0].fd);
	close(f[1].fd);
	buf_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats),
		cmocka_unit_test(counting),
		cmocka_unit_test(messages),
		cmocka_unit_test(sorting),
		cmocka_unit_test(keys),
		cmocka_unit_test(renamed),
		cmocka_unit_test(late_duplicate),
		cmocka_unit_test(many_of_one_key),
		cmocka_unit_test(many_columns),
		cmocka_unit_test(sparse_objects),
		cmocka_unit_test(failures),
	};

	return cmocka_run_group_tests_name("rows", tests, NULL, NULL);
}
