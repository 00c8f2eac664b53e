/*
 * The text of .gitattributes files: quoting, tracking, untracking; everything else byte for byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/base/err.h"
#include "lib/repo/attrs.h"

static void assert_text(struct buf *b, const char *expect)
{
	assert_string_equal(buf_str(b), expect);
	buf_reset(b);
}

static void test_quote(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	assert_int_equal(attrs_quote(&b, "*.h5"), 0);
	assert_text(&b, "*.h5");
	assert_int_equal(attrs_quote(&b, "my model*.bin"), 0);
	assert_text(&b, "my[[:space:]]model*.bin");
	assert_int_equal(attrs_quote(&b, "#x"), 0);
	assert_text(&b, "\\#x");
	assert_int_equal(attrs_quote(&b, "\"x\""), 0);
	assert_text(&b, "\\\"x\"");
	assert_int_equal(attrs_quote(&b, "!x"), ERR_INVALID);
	assert_int_equal(attrs_quote(&b, ""), ERR_INVALID);
	assert_int_equal(attrs_quote_path(&b, "a/b [1]*?\\.x", 0), 0);
	assert_text(&b, "/a/b[[:space:]]\\[1]\\*\\?\\\\.x");
	assert_int_equal(attrs_quote_path(&b, "data", 1), 0);
	assert_text(&b, "/data/**");
	assert_int_equal(attrs_quote_path(&b, "", 1), 0);
	assert_text(&b, "/**");
	assert_int_equal(attrs_unquote(&b, "\\#a[[:space:]]b"), 0);
	assert_text(&b, "#a b");
	buf_release(&b);
}

static void test_track(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	assert_int_equal(attrs_text_track(&b, "*.h5", NULL), 1);
	assert_string_equal(b.p, "*.h5 filter=dvx diff=dvx merge=dvx -text\n");
	assert_int_equal(attrs_text_track(&b, "*.h5", NULL), 0);
	assert_int_equal(attrs_text_track(&b, "*.h5", "0"), 0);
	assert_int_equal(attrs_text_track(&b, "*.h5", "1M"), 1);
	assert_string_equal(b.p, "*.h5 filter=dvx diff=dvx merge=dvx -text dvx-min-size=1M\n");
	assert_int_equal(attrs_text_track(&b, "*.h5", "1M"), 0);
	assert_int_equal(attrs_text_track(&b, "*.h5", NULL), 0);
	assert_int_equal(attrs_text_track(&b, "*.h5", "10K"), 1);
	assert_string_equal(b.p, "*.h5 filter=dvx diff=dvx merge=dvx -text dvx-min-size=10K\n");
	assert_int_equal(attrs_text_track(&b, "*.h5", "0"), 1);
	assert_string_equal(b.p, "*.h5 filter=dvx diff=dvx merge=dvx -text\n");
	buf_release(&b);
}

static void test_lockable(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	assert_int_equal(attrs_text_lockable(&b, "*.psd", 1), 0); /* no such line */
	assert_int_equal(attrs_text_track(&b, "*.psd", "1M"), 1);
	assert_int_equal(attrs_text_lockable(&b, "*.psd", 0), 0);
	assert_int_equal(attrs_text_lockable(&b, "*.psd", 1), 1);
	assert_string_equal(
		b.p, "*.psd filter=dvx diff=dvx merge=dvx -text dvx-min-size=1M lockable\n");
	assert_int_equal(attrs_text_lockable(&b, "*.psd", 1), 0);
	assert_int_equal(attrs_text_track(&b, "*.psd", "0"), 1);
	assert_string_equal(b.p, "*.psd filter=dvx diff=dvx merge=dvx -text lockable\n");
	assert_int_equal(attrs_text_lockable(&b, "*.psd", 0), 1);
	assert_string_equal(b.p, "*.psd filter=dvx diff=dvx merge=dvx -text\n");
	buf_reset(&b);
	buf_addstr(&b, "*.psd filter=lfs -lockable -text\n*.psd lockable\n");
	assert_int_equal(attrs_text_lockable(&b, "*.psd", 1), 1);
	assert_string_equal(b.p, "*.psd filter=lfs -text lockable\n*.psd lockable\n");
	buf_release(&b);
}

/* Lines of others stay as they are; the last word about the filter counts. */
static void test_track_beside_others(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	buf_addstr(&b, "# *.h5 filter=dvx\r\n  *.h5\ttext  eol=lf\r\n[attr]*.h5 filter=dvx");
	assert_int_equal(attrs_text_track(&b, "*.h5", NULL), 1);
	assert_text(&b, "# *.h5 filter=dvx\r\n  *.h5\ttext  eol=lf\r\n[attr]*.h5 filter=dvx\r\n"
			"*.h5 filter=dvx diff=dvx merge=dvx -text\r\n");
	buf_addstr(&b, "*.h5 filter=lfs -text lockable\n");
	assert_int_equal(attrs_text_track(&b, "*.h5", NULL), 0);
	buf_addstr(&b, "*.h5 -filter\n");
	assert_int_equal(attrs_text_track(&b, "*.h5", NULL), 1);
	assert_text(&b, "*.h5 filter=lfs -text lockable\n*.h5 -filter\n*.h5 filter=dvx diff=dvx "
			"merge=dvx -text\n");
	buf_release(&b);
}

static void test_untrack(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	buf_addstr(&b, "*.txt text\n*.h5 filter=dvx -text\n*.h5 text\n\"a b\" filter=lfs\n*.h5 "
		       "filter=lfs");
	assert_int_equal(attrs_text_untrack(&b, "*.bin"), 0);
	assert_int_equal(attrs_text_untrack(&b, "*.h5"), 1);
	assert_string_equal(b.p, "*.txt text\n*.h5 text\n\"a b\" filter=lfs\n");
	assert_int_equal(attrs_text_untrack(&b, "\"a b\""), 1);
	assert_string_equal(b.p, "*.txt text\n*.h5 text\n");
	buf_release(&b);
}

static void test_spare(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	assert_int_equal(attrs_text_spare(&b, "/d/**/.git*"), 1);
	assert_string_equal(b.p, "/d/**/.git* !filter !diff !merge !text\n");
	assert_int_equal(attrs_text_spare(&b, "/d/**/.git*"), 0);
	assert_int_equal(attrs_text_untrack(&b, "/d/**/.git*"), 0);
	assert_int_equal(attrs_text_unspare(&b, "/d/**/.git*"), 1);
	assert_string_equal(b.p, "");
	buf_release(&b);
}

static int note(const struct attrs_line *l, void *data)
{
	struct buf *b = data;

	return buf_addf(b, "%s:%d:%s ", l->pattern, l->ours, l->min_size ? l->min_size : "-");
}

static void test_each(void **state)
{
	struct buf b = BUF_INIT, seen = BUF_INIT;

	(void)state;
	buf_addstr(&b, "*.a filter=dvx\n*.b filter=lfs dvx-min-size=1M\n*.c filter=crypt\n*.d "
		       "!filter\n*.e text\n# *.f filter=dvx\n");
	assert_int_equal(attrs_text_each(&b, note, &seen), 0);
	assert_string_equal(seen.p, "*.a:1:- *.b:1:1M *.d:0:- ");
	buf_release(&b);
	buf_release(&seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quote),
		cmocka_unit_test(test_track),
		cmocka_unit_test(test_lockable),
		cmocka_unit_test(test_track_beside_others),
		cmocka_unit_test(test_untrack),
		cmocka_unit_test(test_spare),
		cmocka_unit_test(test_each),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
